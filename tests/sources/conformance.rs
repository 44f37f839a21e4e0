//! The conformance inputs: hostile images and what real tools wrote.

use super::{bytes_of, look, look_with, named, open_path, sentence};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of conformance inputs; `None` (and a word about it) when it is not here.
fn conformance() -> Option<PathBuf> {
    let given = std::env::var_os("PLIMSOLL_CONFORMANCE").map(PathBuf::from);
    let path = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"));
    if path.is_dir() {
        return Some(path);
    }
    println!("{} is missing: not tested", path.display());
    None
}

/// Hostile images that must not open, and what the error says; all others open.
const REFUSED: &[(&str, &str)] = &[
    ("i03", "a docker archive without its manifest.json"),
    ("i04", "manifest.json: byte 0: expected a value"),
    ("i05", "lists no image"),
    ("i06", "lists no image"),
    ("i07", "expected an array"),
    ("i08", "behind the document"),
    ("i09", "manifest.json: byte 0"),
    ("i10", "nested deeper"),
    ("i13", "config 'c.json': no such member"),
    ("i14", "leads out of the archive"),
    ("i15", "leads out of the archive"),
    ("i25", "promises 1 layers"),
    ("i26", "promises 0 layers"),
    ("i33", "expected an object"),
    ("i34", "expected a value"),
    ("i35", "expected an object"),
    ("i36", "nested deeper"),
    ("i38", "behind the document"),
    ("i40", "/config/Env"),
    ("i44", "1e400"),
    ("i59", "h/x:1, h/y:2"),
    ("i60", "(layers)"),
    ("i61", "docker export"),
    ("i62", "an empty tar archive"),
    ("i63", "an empty file"),
    ("i65", "before Docker 1.10"),
    ("o03", "version '9.9'"),
    ("o04", "oci-layout: byte 0"),
    ("o05", "index.json: byte 0"),
    ("o06", "lists no image"),
    ("o07", "lists no image"),
    ("o08", "/manifests/0/digest"),
    ("o09", "not sha256 or sha512"),
    ("o10", "not 64 lower-case hex digits"),
    ("o11", "digest ''"),
    ("o12", "not 64 lower-case hex digits"),
    ("o13", "blob is missing"),
    ("o14", "blob is missing"),
    ("o15", "digest '/etc/passwd'"),
    ("o16", "digest 'sha256'"),
    ("o20", "expected 999999 bytes, got 577"),
    ("o21", "expected 3 bytes, got 577"),
    ("o22", "-1 is negative"),
    ("o23", "expected 4611686018427387904 bytes, got 577"),
    ("o26", "config sha256"),
    ("o35", "a Helm chart"),
    ("o36", "an attestation"),
    ("o38", "text/html"),
    ("o42", "both an index and a manifest"),
    ("o43", "but its mediaType says"),
    ("o44", "schemaVersion 1"),
    ("o45", "an artifact without config"),
    ("o47", "(index_depth)"),
    ("o48", "(index_depth)"),
    ("o49", "expected digest"),
    ("o55", "behind the document"),
];

/// Those that open with a layer that is not there, and why it is not.
const UNREAD: &[(&str, &str)] = &[
    ("i16", "member '1/layer.tar': no such member"),
    ("i17", "leads out of the archive"),
    ("i19", "leads out of the archive"),
    ("i20", "a loop of links"),
    ("i23", "a folder"),
    ("o25", "blob is missing"),
    ("o58", "blob is missing"),
];

/// Those whose trouble lies in the bytes of a layer, and whether reading the stored bytes shows it already.
const LATER: &[(&str, bool)] =
    &[("i24", false), ("i52", false), ("i53", false), ("o24", true), ("o54", false), ("o56", true)];

#[test]
fn hostile_images() {
    let Some(root) = conformance() else { return };
    let expected = fs::read_to_string(root.join("hostile/EXPECT-img.tsv")).unwrap();
    let mut seen = 0;
    for line in expected.lines() {
        let (name, answer) = line.split_once('\t').unwrap();
        let path = root.join("hostile").join(name);
        if !path.exists() {
            // Named pipes do not travel in the folder; see `damaged_layouts`.
            assert!(answer.contains("MUST NOT hang"), "{name} is missing");
            continue;
        }
        seen += 1;
        let case = name.split('/').nth(1).unwrap().split('-').next().unwrap();
        let later = LATER.iter().find(|(later, _)| *later == case);
        let refused = REFUSED.iter().find(|(refused, _)| *refused == case);
        match (open_path(&path), refused) {
            (Err(error), Some((_, what))) => {
                let error = sentence(&error, &path);
                assert!(error.contains(what), "{name}: {error}");
            }
            (Ok(source), None) => {
                let unread = source.image().layers.iter().find_map(|layer| layer.unreadable.as_deref());
                if let Some((_, what)) = UNREAD.iter().find(|(unread, _)| *unread == case) {
                    assert!(unread.is_some_and(|why| why.contains(what)), "{name}: {unread:?}");
                    continue;
                }
                assert!(later.is_some() || !answer.starts_with("error:"), "{name} opens, expected {answer}");
                let layers = 0..source.image().layers.len();
                let fails = layers.filter(|index| source.image().layers[*index].unreadable.is_none());
                let fails = fails.filter(|index| bytes_of(&*source, *index).is_err()).count();
                assert_eq!(fails > 0, later.is_some_and(|(_, fails)| *fails), "{name}");
            }
            (Ok(_), Some((_, what))) => panic!("{name} opens, expected an error with '{what}'"),
            (Err(error), None) => panic!("{error}, expected {answer}"),
        }
    }
    assert!(seen > 100, "only {seen} cases");
}

#[test]
fn notes_and_gaps_of_hostile_images() {
    let Some(root) = conformance() else { return };
    for (name, what) in [
        ("img/i11-manifest-dupkeys.tar", "given 2 times with different values"),
        ("img/i22-dup-members.tar", "replace earlier ones of the same name"),
        ("img/i28-history-none.tar", "no history"),
        ("img/i29-history-too-many.tar", "3 steps with a layer, the image 2"),
        ("img/i31-history-fewer.tar", "1 steps with a layer, the image 2"),
        ("img/i47-os-windows.tar", "for windows/amd64"),
        ("oci/o02-no-oci-layout", "no file oci-layout"),
        ("oci/o30-layer-mt-0", "layer 0 is labelled"),
        ("oci/o34-layer-mt-4", "encrypted"),
        ("oci/o37-layer-mt-7", "layer 0 has no media type"),
        ("oci/o40-foreign-urls-missing", "foreign, and its blob is not here"),
        ("oci/o52-platform-none-match", "the index says linux/s390x"),
    ] {
        let image = look(&root.join("hostile").join(name)).unwrap();
        let reasons = image.layers.iter().filter_map(|layer| layer.unreadable.clone());
        let said: Vec<_> = image.notes.iter().chain(&image.gaps).cloned().chain(reasons).collect();
        assert!(said.iter().any(|it| it.contains(what)), "{name}: {said:?}");
    }
}

#[test]
fn archives_of_real_tools() {
    let Some(root) = conformance() else { return };
    let root = root.join("real-tools");
    for (name, layers, names) in [
        ("buildx-d26c-oci-estargz.tar", 5, &[][..]),
        ("buildx-d26c-oci-prov.tar", 5, &[]),
        ("buildx-d26c-oci-zstd.tar", 5, &[]),
        ("docker20-vfs-multi.tar", 5, &["f/multi:1"]),
        ("docker26-d26c-byid.tar", 1, &[]),
        ("docker26-d26c-multi.tar", 5, &["f/multi:1"]),
    ] {
        let source = open_path(&root.join(name)).unwrap_or_else(|error| panic!("{error}"));
        let image = source.image();
        assert_eq!(
            (image.layers.len(), image.names.as_slice()),
            (layers, &*names.iter().map(|&it| it.to_owned()).collect::<Vec<_>>()),
            "{name}"
        );
        assert!(image.notes.is_empty() && image.gaps.is_empty(), "{name}: {:?} {:?}", image.notes, image.gaps);
        for index in 0..layers {
            bytes_of(&*source, index).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    let two = root.join("docker20-overlay2-two.tar");
    assert_eq!(look(&two).unwrap_err(), "holds several images: f/multi:1, f/base:1");
    for (tag, layers) in [("f/multi:1", 5), ("f/base:1", 1)] {
        assert_eq!(look_with(&two, &named(tag)).unwrap().layers.len(), layers);
    }
    let error = look(&root.join("docker-export-not-an-image.tar")).unwrap_err();
    assert!(error.contains("docker export"), "{error}");
    // The same Dockerfile's provenance build and zstd build have the same config.
    let digest = |name: &str| look(&root.join(name)).unwrap().config_digest;
    assert_eq!(digest("buildx-d26c-oci-prov.tar"), digest("buildx-d26c-oci-zstd.tar"));
}
