//! The merged tree against what ten runtime configurations showed: exact where all agree, and our documented choice
//! where they differ or refuse the image. Every case is read as docker archive and as OCI layout.

use plimsoll::layer::{Decoder, Entry, EntryKind, LayerEntries, Node, Tree, Visit, walk};
use plimsoll::model::{Limits, push_hex};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the tree is where runtimes differ.
enum Choice {
    /// As this runtime shows it.
    As(&'static str),
    /// Exactly this: for images that all refuse, and for those that some refuse and others read too liberally.
    Exactly(&'static [(&'static str, &'static str)]),
}
use Choice::{As, Exactly};

/// The cases in which runtimes differ: our choice, and whether a note must tell of it. Where all refuse the layer (30,
/// 36, 78, 80, 82, 84) the tree is what the rest of it makes; in 80 and 82 the tar itself is broken, so that its error
/// tells.
const CHOICES: &[(&str, Choice, bool)] = &[
    // An implied parent has mode 0755; Docker 20 with vfs makes it 0600 (04, 54, 62, 76).
    ("04-whiteout-missing", As("dk26ov2"), false),
    ("06-add-then-wh-same-layer", As("umoci"), true),
    ("10-opq-no-dir-entry", As("ctr17ovl"), false),
    ("14-opq-after-nested-sibling", As("ctr17ovl"), true),
    ("20-overwrite-through-lower-symlink", As("ctr17ovl"), true),
    (
        "24-symlink-escape-then-write",
        Exactly(&[
            ("l", "l 0:0 ->../../../../../../tmp/f-esc"),
            ("tmp", "d 0755 0:0"),
            ("tmp/f-esc", "d 0755 0:0"),
            ("tmp/f-esc/b", "f 0644 0:0 new"),
        ]),
        true,
    ),
    ("28-hardlink-same-layer", As("dk26ov2"), false),
    ("30-hardlink-forward", Exactly(&[("a", "f 0644 0:0 1")]), true),
    ("32-hardlink-to-whiteouted", As("ctr17ovl"), true),
    ("36-hardlink-to-dir", Exactly(&[("t", "d 0755 0:0"), ("t/x", "f 0644 0:0 x")]), true),
    ("40-dup-file-file", As("ctr17ovl"), true),
    ("42-dup-dir-file", As("ctr17ovl"), true),
    ("48-file-as-parent", As("ctr17ovl"), true),
    ("50-wh-empty", Exactly(&[("d", "d 0755 0:0"), ("d/a", "f 0644 0:0 x")]), true),
    (
        "52-wh-dotdot",
        Exactly(&[("d", "d 0755 0:0"), ("d/a", "f 0644 0:0 x"), ("d/s", "d 0755 0:0"), ("d/s/a", "f 0644 0:0 x")]),
        true,
    ),
    ("54-wh-as-dir", As("dk26ov2"), false),
    ("58-overlay-opaque-xattr", As("ctr17ovl"), true),
    ("62-escape-dotdot", As("dk26ov2"), true),
    ("68-readd-whdir-after", As("umoci"), true),
    ("76-long-names-gnu", As("dk26ov2"), false),
    ("78-unknown-type", Exactly(&[("a", "f 0644 0:0 1")]), true),
    ("80-hardlink-with-size", Exactly(&[("a", "f 0644 0:0 hello"), ("b", "f 0644 0:0 hello")]), false),
    ("82-symlink-with-size", Exactly(&[("l", "l 0:0 ->c")]), false),
    ("84-path-4097", Exactly(&[("a", "f 0644 0:0 1")]), true),
    ("86-symlink-loop-read", As("umoci"), false),
    ("92-wh-dir-then-file-under", As("dk26vfs"), true),
    ("94-opq-on-symlinked-dir", As("ctr17ovl"), true),
];

/// Cases whose tar cannot be read to its end.
const BROKEN: &[&str] = &["80-hardlink-with-size", "82-symlink-with-size"];

/// A layer's entries with their bodies.
#[derive(Default)]
struct Layer {
    entries: LayerEntries,
    bodies: Vec<Vec<u8>>,
    error: Option<String>,
}

impl Visit for Layer {
    fn entry(&mut self, entry: &Entry) {
        assert!(self.entries.push(entry));
        self.bodies.push(Vec::new());
    }

    fn data(&mut self, _stream: u64, _file: u64, bytes: &[u8]) {
        self.bodies.last_mut().expect("an entry has begun").extend_from_slice(bytes);
    }
}

fn layer(stored: impl Read) -> Layer {
    let mut layer = Layer::default();
    layer.error = walk(Decoder::new(stored, &Limits::default()), &Limits::default(), &mut layer)
        .err()
        .map(|error| error.to_string());
    layer
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

fn docker_archive(path: &Path) -> Vec<Layer> {
    let mut members = BTreeMap::new();
    let mut archive = tar::Archive::new(std::fs::File::open(path).expect("the archive"));
    for member in archive.entries().expect("a tar") {
        let mut member = member.expect("a member");
        let name = member.path().expect("a name").display().to_string();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).expect("its body");
        members.insert(name, bytes);
    }
    let manifest = json(&members["manifest.json"]);
    let layers = manifest[0]["Layers"].as_array().expect("layers");
    layers.iter().map(|name| layer(&*members[name.as_str().expect("a name")])).collect()
}

fn oci_layout(folder: &Path) -> Vec<Layer> {
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().expect("a digest").replace(':', "/");
        std::fs::read(folder.join("blobs").join(digest)).expect("a blob")
    };
    let index = json(&std::fs::read(folder.join("index.json")).expect("index.json"));
    let manifest = json(&blob(&index["manifests"][0]));
    let layers = manifest["layers"].as_array().expect("layers");
    layers.iter().map(|descriptor| layer(&*blob(descriptor))).collect()
}

/// The tree as the observations write it, and the notes.
fn show(layers: &[Layer], show_body: fn(&[u8]) -> String) -> (BTreeMap<String, String>, Vec<String>) {
    let entries: Vec<_> = layers.iter().map(|layer| &layer.entries).collect();
    let (tree, notes) = Tree::fold(&entries, &Limits::default());
    let lines = tree.iter().map(|node| (shortened(&node.path().display()), line(node, layers, show_body)));
    (lines.collect(), notes.into_iter().map(|(layer, note)| format!("{layer}: {note}")).collect())
}

/// A path as the observations write it.
fn shortened(path: &str) -> String {
    let path = &path[1..];
    if path.len() > 80 { format!("{}..({})", &path[..20], path.len()) } else { path.to_owned() }
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

fn sha256(body: &[u8]) -> String {
    let mut hex = String::new();
    push_hex(&mut hex, &Sha256::digest(body));
    hex
}

fn line(node: Node<'_>, layers: &[Layer], show_body: fn(&[u8]) -> String) -> String {
    let owner = format!("{}:{}", node.uid(), node.gid());
    let letter = match node.kind() {
        EntryKind::Dir => "d",
        EntryKind::Char => "c",
        EntryKind::Block => "b",
        EntryKind::Fifo => "p",
        EntryKind::Symlink => return format!("l {owner} ->{}", String::from_utf8_lossy(node.link())),
        _ => {
            let (layer, entry) = node.content().expect("a file has a body");
            let body = &layers[layer as usize].bodies[entry as usize];
            return format!("f {:04o} {owner} {}", node.mode(), show_body(body));
        }
    };
    format!("{letter} {:04o} {owner}", node.mode())
}

/// An observed tree without what entries do not hold here: device numbers and attributes.
fn observed(tree: &Value) -> BTreeMap<String, String> {
    let lines = tree.as_object().expect("a tree").iter();
    let plain = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
        [letter @ ("b" | "c" | "d"), mode, owner, ..] => format!("{letter} {mode} {owner}"),
        _ => line.to_owned(),
    };
    lines.map(|(path, line)| (path.clone(), plain(line.as_str().expect("a line")))).collect()
}

fn conformance() -> Option<PathBuf> {
    let folder = std::env::var_os("PLIMSOLL_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"), PathBuf::from);
    if !folder.join("union").is_dir() {
        eprintln!("skipped: no conformance folder at {}", folder.display());
        return None;
    }
    Some(folder.join("union"))
}

#[test]
fn the_tree_is_what_runtimes_show() {
    let Some(folder) = conformance() else { return };
    let cases = json(&std::fs::read(folder.join("OBSERVED.json")).expect("the observations"));
    let mut wrong = Vec::new();
    for (name, case) in cases.as_object().expect("cases") {
        let layers = docker_archive(&folder.join(format!("{name}.docker.tar")));
        let broken = layers.iter().any(|layer| layer.error.is_some());
        let docker = show(&layers, text);
        let oci = show(&oci_layout(&folder.join(format!("{name}.oci"))), text);
        if docker != oci {
            wrong.push(format!("{name}: docker archive and OCI layout differ:\n  {docker:?}\n  {oci:?}"));
        }
        let (ours, notes) = docker;
        let views = case["views"].as_array().expect("views");
        let expected = if case["agree"] == true {
            Some((observed(&views[0]["tree"]), false))
        } else {
            CHOICES.iter().find(|(case, ..)| case == name).map(|(_, choice, noted)| {
                let tree = match choice {
                    As(tool) => observed(&views.iter().find(|view| has(view, tool)).expect("a view")["tree"]),
                    Exactly(lines) => {
                        lines.iter().map(|(path, line)| ((*path).to_owned(), (*line).to_owned())).collect()
                    }
                };
                (tree, *noted)
            })
        };
        match expected {
            None => wrong.push(format!("{name}: runtimes differ and there is no choice: {ours:?} {notes:?}")),
            Some((tree, told)) if tree != ours || told == notes.is_empty() || broken != BROKEN.contains(&&**name) => {
                wrong.push(format!("{name}:\n  expected {tree:?}, notes: {told}\n  ours     {ours:?} {notes:#?}"));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn has(view: &Value, tool: &str) -> bool {
    view["tools"].as_array().is_some_and(|tools| tools.iter().any(|name| name == tool))
}

/// What `plimsoll files` prints for the image at `path`, in the words of the observations, with hashes for bodies.
fn printed(path: &Path) -> BTreeMap<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll")).arg("files").arg(path).output().expect("it starts");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let rows: Vec<Value> = text.lines().map(|line| json(line.as_bytes())).collect();
    let word = |row: &Value, key: &str| row[key].as_str().expect("a word").to_owned();
    assert!(rows.is_sorted_by_key(|row| word(row, "path")), "{text}");
    // The observations tell what lies below the root, not what it is itself.
    let lines = rows.iter().filter(|row| row["path"] != "/").map(|row| {
        let owner = format!("{}:{}", row["uid"], row["gid"]);
        let mode = word(row, "mode");
        let line = match row["type"].as_str() {
            Some("symlink") => format!("l {owner} ->{}", word(row, "link")),
            Some("file") => format!("f {mode} {owner} {}", word(row, "sha256")),
            Some("dir") => format!("d {mode} {owner}"),
            Some("char") => format!("c {mode} {owner}"),
            Some("block") => format!("b {mode} {owner}"),
            Some("fifo") => format!("p {mode} {owner}"),
            other => panic!("{other:?}"),
        };
        (shortened(row["path"].as_str().expect("a path")), line)
    });
    lines.collect()
}

/// The other test says what the trees must be; here they come through the program, from both forms.
#[test]
fn the_program_prints_these_trees() {
    let Some(folder) = conformance() else { return };
    let cases = json(&std::fs::read(folder.join("OBSERVED.json")).expect("the observations"));
    for name in cases.as_object().expect("cases").keys() {
        let docker = folder.join(format!("{name}.docker.tar"));
        let (expected, _) = show(&docker_archive(&docker), sha256);
        assert_eq!(printed(&docker), expected, "{name}");
        assert_eq!(printed(&folder.join(format!("{name}.oci"))), expected, "{name}.oci");
    }
}
