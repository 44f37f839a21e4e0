use super::*;
use crate::layer::Entry;

/// A layer from lines: `path` is a file, `path/` a directory, `path > target` a symbolic link, `path = target` a hard
/// link. Modes are 0644 and 0755.
fn layer(lines: &[&str]) -> LayerEntries {
    let mut entries = LayerEntries::default();
    for line in lines {
        let (name, flag, link) = if let Some((name, link)) = line.split_once(" > ") {
            (name, b'2', link)
        } else if let Some((name, link)) = line.split_once(" = ") {
            (name, b'1', link)
        } else if line.ends_with('/') {
            (*line, b'5', "")
        } else {
            (*line, b'0', "")
        };
        entries.push(&Entry {
            name: name.into(),
            link: link.into(),
            type_flag: flag,
            mode: if flag == b'5' { 0o755 } else { 0o644 },
            device: (1, 1),
            size: u64::from(!line.contains(".wh.")),
            ..Entry::default()
        });
    }
    entries
}

fn with(mut entries: LayerEntries, entry: &Entry) -> LayerEntries {
    entries.push(entry);
    entries
}

fn fold(layers: &[LayerEntries]) -> (Tree, Vec<(LayerIndex, String)>) {
    Tree::fold(&layers.iter().collect::<Vec<_>>(), &Limits::default())
}

/// All paths with the layer of their content: `/a:1`, directories without.
fn paths(tree: &Tree) -> String {
    let one = |node: Node<'_>| match node.kind() {
        EntryKind::Dir => node.path().to_string(),
        _ => format!("{}:{}", node.path(), node.content().map_or(9, |(layer, _)| layer)),
    };
    tree.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn assert_tree(layers: &[&[&str]], expected: &str, notes: usize) {
    let layers: Vec<_> = layers.iter().map(|lines| layer(lines)).collect();
    let (tree, told) = fold(&layers);
    assert_eq!(paths(&tree), expected);
    assert_eq!(told.len(), notes, "{told:?}");
}

#[test]
fn whiteouts_hide_lower_layers_only() {
    assert_tree(&[&["d/", "d/a", "d/b"], &["d/.wh.a"]], "/d /d/b:0", 0);
    assert_tree(&[&["d/a"], &["d/.wh.a", "d/a"]], "/d /d/a:1", 0);
    assert_tree(&[&["d/a"], &["d/a", "d/.wh.a"]], "/d /d/a:1", 1);
    assert_tree(&[&["d/a"], &["d/.wh.a"], &["d/a"], &["d/.wh.a"], &["d/a"]], "/d /d/a:4", 0);
    assert_tree(&[&["a"], &[".wh.a", ".wh.b", "q/.wh.c"]], "/q", 0);
    assert_tree(&[&["d/x", "d/s/y"], &[".wh.d"], &["d/z"]], "/d /d/z:2", 0);
    // A directory that is made again takes the whiteout's place: what lies below shows through.
    assert_tree(&[&["d/x"], &[".wh.d", "d/", "d/z"]], "/d /d/x:0 /d/z:1", 1);
    assert_tree(&[&["d/x"], &[".wh.d", ".wh.d", "d/"]], "/d /d/x:0", 1);
    assert_tree(&[&["d/x"], &["d/.wh..wh..opq", ".wh.d", "d/"]], "/d", 1);
    assert_tree(&[&["d/x"], &["d/", ".wh.d"]], "/d", 1);
    assert_tree(&[&["d/x"], &[".wh.d", "d/z"]], "/d /d/z:1", 1);
}

#[test]
fn a_whiteout_among_its_directorys_children_spares_those_of_its_layer() {
    let (tree, notes) = fold(&[
        with(
            layer(&["d/x", "d/s/y"]),
            &Entry { name: b"d/".to_vec(), type_flag: b'5', mode: 0o700, ..Entry::default() },
        ),
        layer(&["d/before", "d/s/before", ".wh.d", "d/after"]),
    ]);
    assert_eq!(paths(&tree), "/d /d/after:1 /d/before:1 /d/s /d/s/before:1");
    assert_eq!(tree.get(&"/d".into()).map(|node| (node.mode(), node.layer())), Some((0o755, None)));
    assert_eq!(notes.len(), 1);
}

#[test]
fn opaque_directories() {
    // The marker's place in the tar changes nothing but what other runtimes make of it.
    for (lines, notes) in [
        (["d/.wh..wh..opq", "d/c", "d/s/y"], 0),
        (["d/c", "d/.wh..wh..opq", "d/s/y"], 0),
        (["d/c", "d/s/y", "d/.wh..wh..opq"], 1),
    ] {
        assert_tree(&[&["d/a", "d/s/x", "d/s/t/u"], &lines], "/d /d/c:1 /d/s /d/s/y:1", notes);
    }
    // Nested, inner first and outer first, repeated, and of nothing.
    assert_tree(
        &[&["a/b/c/x", "a/b/y", "a/z"], &["a/b/c/.wh..wh..opq", "a/b/c/n", "a/.wh..wh..opq", "a/.wh..wh..opq"]],
        "/a /a/b /a/b/c /a/b/c/n:1",
        1,
    );
    assert_tree(&[&["a/b/x"], &["a/.wh..wh..opq", "a/b/.wh..wh..opq", "n/.wh..wh..opq"]], "/a /a/b /n", 0);
    // A later layer's is a new one.
    assert_tree(&[&["a/x"], &["a/.wh..wh..opq", "a/y"], &["a/.wh..wh..opq", "a/z"]], "/a /a/z:2", 0);
    // The root cannot be opaque on overlayfs; in the first layer it makes no difference.
    assert_tree(&[&["a", ".wh..wh..opq", ".wh.b", "d/.wh..wh..opq", "d/x"]], "/a:0 /d /d/x:0", 0);
    assert_tree(&[&["a"], &[".wh..wh..opq", "b"]], "/a:0 /b:1", 1);
}

#[test]
fn implied_directories_keep_the_owner_below_unless_it_is_hidden() {
    let lower = || {
        let dir = |name: &[u8]| Entry { name: name.to_vec(), type_flag: b'5', mode: 0o711, uid: 5, ..Entry::default() };
        with(with(LayerEntries::default(), &dir(b"d")), &dir(b"d/s"))
    };
    let mode = |lines: &[&str], path: &str| {
        let (tree, _) = fold(&[lower(), layer(lines)]);
        tree.get(&path.into()).map(|node| (node.mode(), node.uid(), node.layer()))
    };
    assert_eq!(mode(&["d/s/x"], "/d/s"), Some((0o711, 5, Some(0))));
    assert_eq!(mode(&["d/.wh..wh..opq", "d/s/x"], "/d"), Some((0o711, 5, Some(0))));
    assert_eq!(mode(&["d/.wh..wh..opq", "d/s/x"], "/d/s"), Some((0o755, 0, None)));
    assert_eq!(mode(&["d/s/x", "d/.wh..wh..opq"], "/d/s"), Some((0o755, 0, None)));
    assert_eq!(mode(&["d/s/", "d/.wh..wh..opq"], "/d/s"), Some((0o755, 0, Some(1))));
    assert_eq!(mode(&["d/s/x", "d/.wh.s"], "/d/s"), Some((0o755, 0, None)));
}

#[test]
fn the_first_layer_that_has_an_entry() {
    let (tree, _) = fold(&[layer(&["a", "d/x"]), layer(&[".wh.a", "b", "d/"]), layer(&["a", "b", "d/x"])]);
    let first = |path: &str| tree.first_layer(&path.into());
    assert_eq!(
        [first("/a"), first("/b"), first("/d/x"), first("/d"), first("/c")],
        [0, 1, 0, 1, 9].map(|n| (n < 9).then_some(n))
    );
}

#[test]
fn types_replace_each_other() {
    assert_tree(&[&["p"], &["p/x"]], "/p /p/x:1", 1);
    assert_tree(&[&["p/x/y"], &["p"]], "/p:1", 0);
    assert_tree(&[&["p/x"], &["p > q"]], "/p:1", 0);
    assert_tree(&[&["p > q"], &["p/"]], "/p", 0);
    assert_tree(&[&["p/x"], &["p/", "p/y"]], "/p /p/x:0 /p/y:1", 0);
    assert_tree(&[&["p/x"], &["p"], &["p/"]], "/p", 0);
    // Within one layer the last counts; nothing can be below a file.
    assert_tree(&[&["p", "p"]], "/p:0", 1);
    assert_tree(&[&["p/x", "p", "q"]], "/p:0 /q:0", 0);
    assert_tree(&[&["p", "p/x", "q"]], "/p:0 /q:0", 1);
}

#[test]
fn links_on_the_way_are_followed_only_in_their_own_layer() {
    assert_tree(&[&["usr/lib/a", "lib > usr/lib", "lib/b"]], "/lib:0 /usr /usr/lib /usr/lib/a:0 /usr/lib/b:0", 0);
    assert_tree(&[&["usr/lib/", "lib > /usr/lib", "lib/../b"]], "/b:0 /lib:0 /usr /usr/lib", 0);
    assert_tree(&[&["usr/lib/a", "lib > usr/lib"], &["lib/b"]], "/lib /lib/b:1 /usr /usr/lib /usr/lib/a:0", 1);
    assert_tree(&[&["usr/lib/a"], &["lib > usr/lib", "lib/.wh.a", "lib/b"]], "/lib:1 /usr /usr/lib /usr/lib/b:1", 0);
    assert_tree(&[&["x/y/", "x/y/up > ../../../..", "x/y/up/f"]], "/f:0 /x /x/y /x/y/up:0", 0);
    assert_tree(&[&["l > nowhere/deep", "l/f"]], "/l:0 /nowhere /nowhere/deep /nowhere/deep/f:0", 1);
    assert_tree(&[&["l > l", "l/f", "a > b", "b > a", "b/x"]], "/a:0 /b:0 /l:0", 1);
    // An opaque marker or a whiteout below a lower layer's link makes a directory of it too.
    assert_tree(&[&["t/x", "l > t"], &["l/.wh..wh..opq"]], "/l /t /t/x:0", 1);
}

#[test]
fn hard_links_share_content_and_owner() {
    assert_tree(&[&["a", "b = a", "c = b", "d = ./../c", "e = /d"]], "/a:0 /b:0 /c:0 /d:0 /e:0", 0);
    assert_tree(&[&["a", "b = a"], &[".wh.a"], &["c = b"], &["b"]], "/b:3 /c:0", 1);
    assert_tree(&[&["b = a", "a", "a = a", "d/", "c = d", "e = nothing"]], "/a:0 /d", 1);
    assert_tree(&[&["a"], &[".wh.a", "b = a"]], "", 1);
    assert_tree(&[&["d/a", "d = d/a"]], "/d /d/a:0", 1);
    assert_tree(&[&["l > a", "m = l"]], "/l:0 /m:0", 0);
    assert_tree(&[&["b/x"], &["a", "b = a"]], "/a:1 /b:1", 0);
    let setuid = Entry { name: b"s".to_vec(), type_flag: b'0', mode: 0o4755, ..Entry::default() };
    let link = Entry { name: b"t".to_vec(), link: b"s".to_vec(), type_flag: b'1', mode: 0o755, ..Entry::default() };
    let (tree, notes) = fold(&[with(with(LayerEntries::default(), &setuid), &link)]);
    let seen: Vec<_> = tree.iter().map(|node| (node.mode(), node.links(), node.content())).collect();
    assert_eq!(seen, [(0o755, 2, Some((0, 0))); 2]);
    assert_eq!(notes.len(), 1);
}

#[test]
fn each_name_of_a_file_is_seen_or_hidden_for_itself() {
    let (tree, _) = fold(&[
        layer(&["a", "d/b = a", "e/c = d/b", "x", "y = x", "z", "r/s", "r > v", "r/t"]),
        layer(&[".wh.a", "y"]),
        layer(&["e/", "e/.wh..wh..opq", ".wh.z"]),
        layer(&["r/"]),
    ]);
    let own = ["/a", "/d/b", "/e/c", "/x", "/y", "/z", "/r/s", "/r", "/r/t"];
    let told: Vec<_> = own
        .iter()
        .zip(0..)
        .map(|(own, entry)| {
            let (path, presence) = tree.place(0, entry, (*own).into());
            (path.to_string(), presence, tree.presence(0, entry), tree.is_seen(0, entry))
        })
        .collect();
    let (visible, removed) = (Presence::Visible, |by| Presence::Removed { by });
    let replaced = |by| Presence::Overwritten { by };
    let expected = [
        // By another name when its own is gone.
        ("/d/b", visible, removed(1), true),
        ("/d/b", visible, visible, true),
        ("/d/b", visible, removed(2), true),
        ("/x", visible, visible, true),
        ("/x", visible, replaced(1), true),
        ("/z", removed(2), removed(2), false),
        ("/r/s", replaced(0), replaced(0), false),
        ("/r", replaced(3), replaced(3), false),
        // Where it stands, not where a link that is gone led.
        ("/v/t", visible, visible, true),
    ];
    let expected = expected.map(|(path, now, name, seen)| (path.to_owned(), now, name, seen));
    assert_eq!(told, expected);
    let hidden: Vec<_> = tree.hidden().iter().map(|hidden| (hidden.layer, hidden.entry)).collect();
    assert_eq!(hidden, [(0, 0), (0, 2), (0, 4), (0, 5), (0, 6), (0, 7)]);

    // All names gone, each in its way; and a name that comes back.
    let (tree, _) =
        fold(&[layer(&["a", "b = a", "c = a"]), layer(&[".wh.b"]), layer(&["a"]), layer(&["b = c", ".wh.c"])]);
    let place = |entry, own: &str| {
        let (path, presence) = tree.place(0, entry, own.into());
        (path.to_string(), presence)
    };
    assert_eq!(place(0, "/a"), ("/b".to_owned(), Presence::Visible));
    assert_eq!(place(1, "/b"), ("/b".to_owned(), Presence::Visible));
    let (tree, _) = fold(&[layer(&["a", "b = a"]), layer(&[".wh.b"]), layer(&["a"])]);
    assert_eq!(tree.place(0, 0, "/a".into()), ("/a".into(), Presence::Overwritten { by: 2 }));
    assert_eq!(tree.place(0, 1, "/b".into()), ("/b".into(), Presence::Removed { by: 1 }));
}

#[test]
fn a_whiteout_is_no_file_whatever_it_carries() {
    let full = |name: &str| Entry { name: name.into(), type_flag: b'0', size: 9, ..Entry::default() };
    let empty = |name: &str| Entry { size: 0, ..full(name) };
    let names = ["d/.wh.x", "d/.wh..wh..opq", "d/.wh.", ".wh..wh.plnk/1"];
    let marks = names.iter().fold(LayerEntries::default(), |layer, name| with(layer, &full(name)));
    let (tree, _) = fold(&[layer(&["d/x"]), with(marks, &empty("d/.wh.y"))]);
    assert_eq!(paths(&tree), "/d");
    for entry in 0..5 {
        assert_eq!(tree.presence(1, entry), Presence::Removed { by: 1 }, "{entry}");
    }
    let hidden: Vec<_> = tree.hidden().iter().map(|hidden| (hidden.layer, hidden.entry)).collect();
    assert_eq!(hidden, [(0, 0), (1, 0), (1, 1), (1, 2), (1, 3)]);
}

#[test]
fn directories_without_entries_are_bounded() {
    let limits = Limits { implied: 4, ..Limits::default() };
    let (base, upper) = (layer(&["a/b/c/x", "d/", "d/y"]), layer(&["a/b/c/z", "e/f/x", "g/x", "e/y"]));
    let (tree, _) = Tree::fold(&[&base, &upper], &limits);
    assert_eq!(paths(&tree), "/a /a/b /a/b/c /a/b/c/x:0 /a/b/c/z:1 /d /d/y:0 /e /e/y:1");
    assert_eq!(tree.left_out(), 2);
    assert_eq!(Tree::fold(&[&base], &limits).0.left_out(), 0);
}

#[test]
fn links_lead_no_deeper_than_names_may() {
    let deep = "d/".repeat(1500);
    let lines = [format!("l > {deep}"), "l/x".to_owned(), format!("l/m > {deep}"), "l/m/y".to_owned(), "ok".to_owned()];
    let (tree, notes) = fold(&[layer(&lines.each_ref().map(String::as_str))]);
    let longest = tree.iter().map(|node| node.path().as_bytes().len()).max();
    let files: Vec<_> = tree.iter().filter(|node| node.kind() == EntryKind::File).map(|node| node.name()).collect();
    assert_eq!(files, [&b"x"[..], b"ok"]);
    assert!(longest.is_some_and(|longest| longest < 7000), "{longest:?}");
    assert_eq!(notes.len(), 2, "{notes:?}");
}

#[test]
fn odd_whiteouts() {
    assert_tree(&[&["d/a"], &["d/.wh.", "d/.wh..", "d/.wh..."]], "/d /d/a:0", 1);
    assert_tree(&[&["d/a"], &["d/.wh.a/", "d/.wh.a/in"]], "/d /d/.wh.a /d/.wh.a/in:1", 0);
    assert_tree(
        &[&["d/a", "a"], &["d/.wh..wh.a", ".wh..wh.plnk/1", ".wh..wh.aufs", ".wh..wh.plnk/.wh..wh..opq"]],
        "/a:0 /d /d/a:0",
        0,
    );
    assert_tree(&[&["a", "b"], &[".wh.a > x", ".wh.b = y"]], "", 0);
    let device = Entry { name: b"d/a".to_vec(), type_flag: b'3', ..Entry::default() };
    let (tree, notes) = fold(&[layer(&["d/a", "d/b"]), with(LayerEntries::default(), &device)]);
    assert_eq!((paths(&tree).as_str(), notes.len()), ("/d /d/b:0", 1));
    assert_eq!(tree.presence(0, 0), Presence::Removed { by: 1 });
}

#[test]
fn names_are_bytes_and_stay_inside() {
    assert_tree(&[&["/etc//./passwd", "../../x", "a/../b"]], "/b:0 /etc /etc/passwd:0 /x:0", 1);
    let name = b"caf\xe9/\xff".to_vec();
    let (tree, _) =
        fold(&[with(LayerEntries::default(), &Entry { name: name.clone(), type_flag: b'0', ..Entry::default() })]);
    assert_eq!(tree.get(&ImagePath::clamp(&name)).map(|node| node.name().to_vec()), Some(b"\xff".to_vec()));
    let long = "n".repeat(256);
    assert_tree(&[&[long.as_str(), &"d/".repeat(2100), "ok"]], "/ok:0", 1);
    assert_tree(&[&["/", ".", "ok"]], "/ok:0", 1);
}

#[test]
fn paths_come_in_the_order_of_their_bytes() {
    let (tree, _) = fold(&[layer(&["a/b", "a-b", "a/c/d", "a.b/x", "a0", "a", "b", "a/"])]);
    let listed: Vec<_> = tree.iter().map(|node| node.path()).collect();
    let mut sorted = listed.clone();
    sorted.sort();
    assert_eq!(listed, sorted);
    let (tree, _) = fold(&[layer(&["a/b", "a-b", "a/c", "a/a"])]);
    assert_eq!(paths(&tree), "/a /a-b:0 /a/a:0 /a/b:0 /a/c:0");
    let children = tree.get(&"/a".into()).expect("made").children();
    assert_eq!(children.map(|node| node.name().to_vec()).collect::<Vec<_>>(), [b"a", b"b", b"c"]);
}

#[test]
fn links_lead_somewhere_or_say_why_not() {
    let (tree, _) = fold(&[layer(&[
        "usr/bin/sh",
        "bin > usr/bin",
        "sh > bin/sh",
        "up > ../../bin/./sh",
        "loop > loop",
        "gone > no/where",
    ])]);
    let resolve = |path: &str| tree.resolve(&path.into()).map(|node| node.path());
    for path in ["/sh", "/bin/sh", "/up", "/usr/bin/sh"] {
        assert_eq!(resolve(path), Ok("/usr/bin/sh".into()), "{path}");
    }
    assert_eq!(resolve("/"), Ok(ImagePath::root()));
    assert_eq!(resolve("/loop/x"), Err(Unresolved::Loop));
    assert_eq!(resolve("/gone"), Err(Unresolved::Missing("/no".into())));
    assert_eq!(resolve("/bin/no"), Err(Unresolved::Missing("/usr/bin/no".into())));
    assert_eq!(resolve("/sh/x"), Err(Unresolved::NotADirectory("/usr/bin/sh".into())));
    let chain: Vec<_> = (0..50).map(|n| format!("l{n} > l{}", n + 1)).chain(["l50".to_owned()]).collect();
    let (tree, _) = fold(&[layer(&chain.iter().map(String::as_str).collect::<Vec<_>>())]);
    assert!(tree.resolve(&"/l10".into()).is_ok());
    assert_eq!(tree.resolve(&"/l9".into()).map(|node| node.path()), Err(Unresolved::Loop));
}

#[test]
fn what_is_hidden_and_by_whom() {
    let (tree, _) = fold(&[
        layer(&["d/", "d/a", "d/b", "c > a", "e", "e2 = e"]),
        layer(&["d/.wh.a", "c", "c", "e"]),
        layer(&["d"]),
        layer(&["e2"]),
    ]);
    let hidden: Vec<_> =
        tree.hidden().iter().map(|hidden| (hidden.path.to_string(), hidden.layer, hidden.presence)).collect();
    let expected = [
        ("/d/a", 0, Presence::Removed { by: 1 }),
        ("/d/b", 0, Presence::Overwritten { by: 2 }),
        ("/c", 0, Presence::Overwritten { by: 1 }),
        ("/e", 0, Presence::Overwritten { by: 1 }),
        ("/e2", 0, Presence::Overwritten { by: 3 }),
        ("/c", 1, Presence::Overwritten { by: 1 }),
    ];
    assert_eq!(hidden, expected.map(|(path, layer, presence)| (path.to_owned(), layer, presence)));
    assert_eq!(tree.presence(1, 2), Presence::Visible);
    assert_eq!(tree.presence(7, 7), Presence::Visible);
}

#[test]
fn an_empty_tree_answers() {
    let tree = Tree::default();
    assert_eq!(tree.iter().count(), 0);
    assert!(tree.get(&"/a".into()).is_none());
    assert_eq!(tree.get(&ImagePath::root()).map(|root| root.children().count()), Some(0));
}

/// A tree by maps of whole paths: slow, and short enough to be seen right. Without links and odd names.
fn by_paths(layers: &[LayerEntries]) -> std::collections::BTreeMap<ImagePath, (u32, bool)> {
    let mut tree = std::collections::BTreeMap::new();
    for (by, entries) in (0..).zip(layers) {
        let mut own = std::collections::BTreeMap::new();
        for record in entries.iter() {
            let path = record.path();
            let parent = path.parent().expect("not the root");
            let name = path.file_name();
            if name == b".wh..wh..opq" {
                tree.retain(|path: &ImagePath, _| *path == parent || !path.is_within(&parent));
            } else if let Some(name) = name.strip_prefix(b".wh.") {
                let gone = parent.join(name);
                let last = entries.iter().filter(|other| other.path() == path).last().expect("at least this");
                let is_again = |other: &crate::layer::Record<'_>| other.index > last.index && other.path() == gone;
                if !entries.iter().any(|other| other.kind() == EntryKind::Dir && is_again(&other)) {
                    tree.retain(|path, _| !path.is_within(&gone));
                }
            }
        }
        for record in entries.iter().filter(|record| !record.path().file_name().starts_with(b".wh.")) {
            own.insert(record.path(), (by, record.kind() == EntryKind::Dir));
        }
        for record in entries.iter() {
            let up = std::iter::successors(record.path().parent(), ImagePath::parent);
            for parent in up.filter(|path| !path.is_root()) {
                own.entry(parent).or_insert((by, true));
            }
        }
        for (path, (by, is_dir)) in own {
            if !(is_dir && tree.get(&path).is_some_and(|(_, is_dir)| *is_dir)) {
                tree.retain(|below, _| !below.is_within(&path));
                tree.insert(path, (by, is_dir));
            }
        }
    }
    tree
}

/// Names that meet one another, through links too.
const LINKED: &str = "/?((a|b|c|\\.\\.)/){0,3}(a|b|c|\\.wh\\.a|\\.wh\\.b|\\.wh\\.\\.wh\\.\\.opq|\\.wh\\.\\.)";

proptest::proptest! {
    /// Against the slow tree: names of directories are capital, so that a path is never both within one layer.
    #[test]
    fn folding_is_what_it_says(
        layers in proptest::collection::vec(proptest::collection::vec("(D/|E/){0,3}(D/|E/|a|b|\\.wh\\.a|\\.wh\\.D|\\.wh\\.\\.wh\\.\\.opq)", 0..8), 1..5)
    ) {
        let layers: Vec<_> = layers.iter().map(|lines| {
            let lines: Vec<_> = lines.iter().map(String::as_str).filter(|line| *line != ".wh..wh..opq").collect();
            layer(&lines)
        }).collect();
        let (tree, _) = fold(&layers);
        let ours: Vec<_> = tree.iter().map(|node| (node.path(), node.kind() == EntryKind::Dir)).collect();
        let slow: Vec<_> = by_paths(&layers).into_iter().map(|(path, (_, is_dir))| (path, is_dir)).collect();
        proptest::prop_assert_eq!(ours, slow);
        for (index, entries) in (0..).zip(&layers) {
            for record in entries.iter().filter(|record| record.kind() == EntryKind::File && !record.path().file_name().starts_with(b".wh.")) {
                let seen = tree.get(&record.path()).and_then(|node| node.content()) == Some((index, record.index));
                proptest::prop_assert_eq!(tree.presence(index, record.index) == Presence::Visible, seen);
            }
        }
    }

    /// Links and all: whatever the entries are, the tree is sound.
    #[test]
    fn any_entries_make_a_sound_tree(
        layers in proptest::collection::vec(proptest::collection::vec((LINKED, LINKED, 0..9_u8), 0..12), 1..5)
    ) {
        let layers: Vec<_> = layers.iter().map(|entries| entries.iter().fold(LayerEntries::default(), |layer, (name, link, flag)| {
            let entry = Entry { name: name.clone().into(), link: link.clone().into(), type_flag: b"012533225"[usize::from(*flag)], ..Entry::default() };
            with(layer, &Entry { device: (i64::from(flag % 2), 0), ..entry })
        })).collect();
        let (tree, notes) = fold(&layers);
        let listed: Vec<_> = tree.iter().map(|node| node.path()).collect();
        proptest::prop_assert!(listed.is_sorted() && !notes.iter().any(|(_, note)| note.is_empty()));

        let mut names = std::collections::BTreeMap::<_, u32>::new();
        for node in tree.iter() {
            let parent = node.path().parent().and_then(|parent| tree.get(&parent)).expect("a parent stands");
            proptest::prop_assert_eq!(parent.kind(), EntryKind::Dir);
            proptest::prop_assert!(parent.children().any(|child| child.path() == node.path()));
            proptest::prop_assert_eq!(tree.get(&node.path()).map(|same| same.path()), Some(node.path()));
            if let Some((layer, entry)) = node.content().filter(|_| node.kind() != EntryKind::Dir) {
                proptest::prop_assert!(tree.is_seen(layer, entry));
                let own = layers[layer as usize].get(entry).expect("an entry").path();
                let (place, presence) = tree.place(layer, entry, own);
                proptest::prop_assert_eq!(presence, Presence::Visible);
                let there = tree.get(&place).and_then(|node| node.content());
                proptest::prop_assert_eq!(there, node.content());
                *names.entry((layer, entry)).or_default() += 1;
            }
        }
        for node in tree.iter() {
            proptest::prop_assert!(node.content().is_none_or(|content| names.get(&content).is_none_or(|names| *names == node.links())));
            let _ = tree.resolve(&node.path());
        }
        for hidden in tree.hidden().iter().filter(|hidden| !tree.is_seen(hidden.layer, hidden.entry)) {
            let there = tree.get(&hidden.path).and_then(|node| node.content());
            proptest::prop_assert!(there != Some((hidden.layer, hidden.entry)));
        }
    }
}
