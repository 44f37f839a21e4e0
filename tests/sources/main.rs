//! Every door an image may come through, and every way it may be broken, over archives and layouts built here.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod build;
mod conformance;

use build::{CONFIG, INDEX, Layout, MANIFEST, Tar, classic, config, config_of, hex, layers, layout, tar_of};
use plimsoll::image::{Digest, Platform, Reference};
use plimsoll::model::Limits;
use plimsoll::source::{Choice, Image, Source, SourceError, open};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn choice() -> Choice {
    Choice { host: Platform::linux("amd64"), ..Choice::default() }
}

fn open_path(path: &Path) -> Result<Box<dyn Source>, SourceError> {
    open(&Reference::parse(path).unwrap(), &choice(), &Limits::default())
}

/// The image at `path`, or the error without the path in front.
fn look(path: &Path) -> Result<Image, String> {
    look_with(path, &choice())
}

fn look_with(path: &Path, choice: &Choice) -> Result<Image, String> {
    let opened = open(&Reference::parse(path).unwrap(), choice, &Limits::default());
    opened.map(|source| source.image().clone()).map_err(|error| sentence(&error, path))
}

/// The error without the path in front; it must be one clean line.
fn sentence(error: &SourceError, path: &Path) -> String {
    let line = error.to_string();
    assert!(!line.chars().any(char::is_control), "{line:?}");
    assert!(!error.advice().is_some_and(|advice| advice.chars().any(char::is_control)));
    let named = format!("{}: ", path.display());
    line.strip_prefix(&named).unwrap_or_else(|| panic!("{line} does not name {named}")).to_owned()
}

fn bytes_of(source: &dyn Source, index: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = source.layer(index).and_then(|mut layer| layer.read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| error.to_string())
}

fn put(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn named(tag: &str) -> Choice {
    Choice { tag: Some(tag.to_owned()), ..choice() }
}

fn for_platform(platform: &str) -> Choice {
    Choice { platform: Some(Platform::parse(platform).unwrap()), ..choice() }
}

#[test]
fn every_door_shows_the_same_image() {
    let folder = TempDir::new().unwrap();
    let docker = classic(&json!(["h/x:1"])).finish();
    let layout = layout();
    let oci = layout.archive();
    // Two gzip members make one file.
    let members = [gzip(&docker[..5000]), gzip(&docker[5000..])].concat();
    for (path, transport, has_manifest) in [
        (put(&folder, "a", &docker), "docker-archive", false),
        (put(&folder, "b", &gzip(&docker)), "docker-archive", false),
        (put(&folder, "c", &members), "docker-archive", false),
        (put(&folder, "d", &zstd::encode_all(&docker[..], 1).unwrap()), "docker-archive", false),
        (layout.path().to_owned(), "oci", true),
        (put(&folder, "e", &oci), "oci-archive", true),
        (put(&folder, "f", &zstd::encode_all(&oci[..], 1).unwrap()), "oci-archive", true),
    ] {
        let source = open_path(&path).unwrap_or_else(|error| panic!("{error}"));
        let image = source.image();
        assert_eq!(image.source, format!("{transport}:{}", path.display()));
        assert_eq!(image.config_digest.hex(), hex(&config()));
        assert_eq!(image.manifest_digest.is_some(), has_manifest);
        assert_eq!(image.names, [if has_manifest { "1.0" } else { "h/x:1" }]);
        assert_eq!((&image.notes, &image.gaps), (&Vec::new(), &Vec::new()));
        for (index, layer) in layers().iter().enumerate() {
            assert_eq!(bytes_of(&*source, index).as_ref(), Ok(layer));
            assert_eq!(image.layers[index].diff_id.as_ref().map(Digest::hex), Some(&*hex(layer)));
            assert_eq!(image.layers[index].size, layer.len() as u64);
            assert_eq!(image.layers[index].digest.is_some(), has_manifest);
        }
        assert_eq!(bytes_of(&*source, 2).unwrap_err(), "layer 2: the image has no such layer");
    }
}

#[test]
fn what_stands_behind_an_outer_compression_is_a_note() {
    let folder = TempDir::new().unwrap();
    let docker = classic(&Value::Null).finish();
    for (name, stored) in [("gzip", gzip(&docker)), ("zstd", zstd::encode_all(&docker[..], 1).unwrap())] {
        for (rest, kind) in [(&[0; 1500][..], "1500 zero bytes"), (b"rest", "4 bytes that are no compressed data")] {
            let image = look(&put(&folder, name, &[&stored, rest].concat())).unwrap();
            let note = format!("{kind} after the {name} around the archive: ignored, some tools refuse it");
            assert_eq!((image.notes, image.gaps), (vec![note], vec![]));
        }
    }
}

#[test]
fn a_single_image_for_another_machine_is_taken_with_a_word() {
    for (platform, choice, noted) in [
        ("linux/arm64", choice(), true),
        ("linux/arm64", for_platform("linux/arm64"), false),
        ("linux/arm64", Choice { host: Platform::linux("aarch64"), ..Choice::default() }, false),
        ("linux/arm64", Choice::default(), false),
        ("linux/amd64", choice(), false),
    ] {
        let mut layout = Layout::new();
        let image = layout.image(platform, "x");
        layout.root(image);
        let notes = look_with(layout.path(), &choice).unwrap().notes;
        let says = "the only image is for linux/arm64, and was taken though this machine is linux/amd64";
        assert_eq!(notes, if noted { vec![says.to_owned()] } else { vec![] }, "{platform}");
    }
}

#[test]
fn a_pipe_is_spooled() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pipe");
    if !Command::new("mkfifo").arg(&path).status().is_ok_and(|status| status.success()) {
        println!("mkfifo is missing: not tested");
        return;
    }
    for bytes in [classic(&Value::Null).finish(), gzip(&layout().archive())] {
        let writer = std::thread::spawn({
            let path = path.clone();
            move || fs::write(path, bytes)
        });
        let image = look(&path).unwrap();
        writer.join().unwrap().unwrap();
        assert_eq!(image.config_digest.hex(), hex(&config()));
    }
}

#[test]
fn spooling_is_bounded() {
    let folder = TempDir::new().unwrap();
    let mut tar = classic(&Value::Null);
    let path = put(&folder, "x", &gzip(&tar.file("zeros", &vec![0; 1 << 20]).finish()));
    let limits = Limits { spool: 1 << 20, ..Limits::default() };
    let error = open(&Reference::parse(&path).unwrap(), &choice(), &limits).err().unwrap();
    assert_eq!(sentence(&error, &path), "decompressed archive: more than the limit of 1048576 (spool)");
}

#[test]
fn many_threads_read_at_once() {
    let folder = TempDir::new().unwrap();
    let archive = put(&folder, "a", &classic(&Value::Null).finish());
    let layout = layout();
    for path in [&*archive, layout.path()] {
        let source = open_path(path).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let source = &*source;
                scope.spawn(move || assert_eq!(bytes_of(source, thread % 2), Ok(layers()[thread % 2].clone())));
            }
        });
    }
}

#[test]
fn several_images_in_a_docker_archive() {
    let folder = TempDir::new().unwrap();
    let [one, two] = layers();
    let other = config_of(&Platform::linux("amd64"), std::slice::from_ref(&one));
    let config_name = format!("{}.json", hex(&other));
    let manifest = json!([
        {"Config": "c.json", "RepoTags": ["h/x:1", "docker.io/library/y:latest"], "Layers": ["0", "1"]},
        {"Config": config_name, "RepoTags": null, "Layers": ["0"]},
    ]);
    let archive = tar_of(&[
        ("manifest.json", manifest.to_string().as_bytes()),
        ("c.json", &config()),
        (&config_name, &other),
        ("0", &one),
        ("1", &two),
    ]);
    let path = put(&folder, "x.tar", &archive);
    assert_eq!(look(&path).unwrap_err(), "holds several images: h/x:1, docker.io/library/y:latest, @1");
    for (tag, layers) in
        [("h/x:1", 2), ("docker.io/h/x:1", 2), ("y", 2), ("@0", 2), ("@1", 1), (&format!("sha256:{}", hex(&other)), 1)]
    {
        assert_eq!(look_with(&path, &named(tag)).unwrap().layers.len(), layers, "{tag}");
    }
    let error = look_with(&path, &named("h/z\u{1b}[2J")).unwrap_err();
    assert_eq!(error, "tag 'h/z\\u{1b}[2J': not there; there is h/x:1, docker.io/library/y:latest, @1");
    let twice = json!([
        {"Config": "c.json", "RepoTags": ["h/x:1"], "Layers": ["0", "1"]},
        {"Config": config_name, "RepoTags": ["h/x:1"], "Layers": ["0"]},
    ]);
    let twice =
        tar_of(&[("manifest.json", twice.to_string().as_bytes()), ("c.json", &config()), (&config_name, &other)]);
    let twice = put(&folder, "twice.tar", &twice);
    assert_eq!(look_with(&twice, &named("h/x:1")).unwrap_err(), "holds several images: @0, @1");
    // The reference's own tag is part of what the image is called; another beside it is a contradiction.
    let text = format!("docker-archive:{}:@1", path.display());
    let look_for = |choice: &Choice| open(&Reference::parse(&text).unwrap(), choice, &Limits::default());
    for choice in [choice(), named("@1")] {
        let source = look_for(&choice).unwrap();
        assert_eq!((source.image().source.as_str(), source.image().layers.len()), (&*text, 1));
    }
    let error = look_for(&named("h/x:1")).err().unwrap().to_string();
    assert_eq!(error, format!("{text}: --tag h/x:1: the image is named with '@1': write one of them"));
}

#[test]
fn a_transport_that_contradicts_the_content() {
    let folder = TempDir::new().unwrap();
    let layout = layout();
    let docker = put(&folder, "docker.tar", &gzip(&classic(&Value::Null).finish()));
    let oci = put(&folder, "oci.tar", &layout.archive());
    for (written, path, is, write) in [
        ("oci:", &*docker, "a docker archive", "docker-archive:"),
        ("oci-archive:", &*docker, "a docker archive", "docker-archive:"),
        ("docker-archive:", &*oci, "an OCI archive", "oci-archive:"),
        ("oci:", &*oci, "an OCI archive", "oci-archive:"),
        ("docker-archive:", layout.path(), "an OCI layout in a folder", "oci:"),
        ("oci-archive:", layout.path(), "an OCI layout in a folder", "oci:"),
    ] {
        let text = format!("{written}{}:1.0", path.display());
        let error = open(&Reference::parse(&text).unwrap(), &choice(), &Limits::default()).err().unwrap();
        assert_eq!(error.to_string(), format!("{text}: is {is}, which {written} does not name"));
        let advice = format!("write {write}{}:1.0, or the path alone", path.display());
        assert_eq!(error.advice(), Some(advice));
    }
}

#[test]
fn members_that_claim_a_digest() {
    let folder = TempDir::new().unwrap();
    let [one, two] = layers();
    let blob = |bytes: &[u8]| format!("blobs/sha256/{}", hex(bytes));
    let names = [blob(&config()), blob(&one), blob(&two)];
    let manifest = json!([{"Config": names[0], "RepoTags": [], "Layers": [names[1], names[2]]}]).to_string();
    let archive = |config: &[u8], two: &[u8]| {
        let files =
            [("manifest.json", manifest.as_bytes()), (&*names[0], config), (&*names[1], &one), (&*names[2], two)];
        put(&folder, "x.tar", &tar_of(&files))
    };
    let source = open_path(&archive(&config(), &two)).unwrap();
    assert_eq!(source.image().layers[1].digest.as_ref().map(Digest::hex), Some(&*hex(&two)));
    assert_eq!(bytes_of(&*source, 1), Ok(two.clone()));

    let source = open_path(&archive(&config(), b"else")).unwrap();
    let expected = format!("blob sha256:{0}: expected digest sha256:{0}, got sha256:{1}", hex(&two), hex(b"else"));
    assert_eq!(bytes_of(&*source, 1), Err(expected));

    let error = look(&archive(b"{}", &two)).unwrap_err();
    let expected = format!("expected digest sha256:{}, got sha256:{}", hex(&config()), hex(b"{}"));
    assert_eq!(error, format!("config '{}': {expected}", names[0]));
}

#[test]
fn an_archive_of_both_kinds_must_not_contradict_itself() {
    let folder = TempDir::new().unwrap();
    let both = |layout: &Layout, tags: Value| {
        let blob = |bytes: &[u8]| format!("blobs/sha256/{}", hex(bytes));
        let [one, two] = layers();
        let manifest = json!([{"Config": blob(&config()), "RepoTags": tags, "Layers": [blob(&one), blob(&two)]}]);
        let rest = layout.archive();
        let mut tar = Tar::default();
        for (name, bytes) in [(blob(&config()), config()), (blob(&one), one), (blob(&two), two)] {
            tar.file(&name, &bytes);
        }
        tar.file("manifest.json", manifest.to_string().as_bytes());
        tar.0.extend_from_slice(&rest);
        put(&folder, "x.tar", &tar.0)
    };
    let path = both(&layout(), json!(["h/x:1.0"]));
    let image = look(&path).unwrap();
    assert_eq!((image.source, image.manifest_digest), (format!("docker-archive:{}", path.display()), None));
    // The other reading of the same file, when asked for.
    let text = format!("oci-archive:{}", path.display());
    let source = open(&Reference::parse(&text).unwrap(), &choice(), &Limits::default()).unwrap();
    assert!(source.image().manifest_digest.is_some());

    let mut other = Layout::new();
    let image = other.image("linux/amd64", "other");
    other.tagged(image, "1.0");
    let error = look(&both(&other, Value::Null)).unwrap_err();
    assert!(error.contains("manifest.json leads to sha256:") && error.contains("but index.json to"), "{error}");

    // Under the same name another image, and ours elsewhere in the index: a runtime that reads the index runs that one.
    let mut other = layout();
    let mut image = other.image("linux/amd64", "other");
    image["annotations"] = json!({"io.containerd.image.name": "docker.io/h/x:1.0"});
    other.root(image);
    assert!(look(&both(&other, json!(["h/x:1.0"]))).is_err());

    // An index that leads nowhere decides nothing.
    let empty = Layout::new();
    fs::write(empty.path().join("index.json"), r#"{"schemaVersion":2,"manifests":null}"#).unwrap();
    let image = look(&both(&empty, Value::Null)).unwrap();
    assert!(image.notes.iter().any(|note| note.contains("cannot be followed: index.json: ")), "{:?}", image.notes);
}

#[test]
fn a_truncated_archive_names_the_offset() {
    let folder = TempDir::new().unwrap();
    let whole = classic(&Value::Null).0;
    let path = put(&folder, "x.tar", &whole[..700]);
    assert_eq!(
        look(&path).unwrap_err(),
        "archive: truncated: the member at byte 0 ends at byte 2560, the archive at 700"
    );
    let path = put(&folder, "x.tar.gz", &gzip(&whole)[..200]);
    assert!(look(&path).unwrap_err().starts_with("gzip around the archive: "));
}

#[test]
fn names_in_a_layout() {
    let mut layout = Layout::new();
    let (one, two) = (layout.image("linux/amd64", "one"), layout.image("linux/amd64", "two"));
    layout.tagged(one.clone(), "1.0").tagged(one.clone(), "latest");
    assert_eq!(look(layout.path()).unwrap().names, ["1.0", "latest"]);
    let mut second = two.clone();
    second["annotations"] =
        json!({"io.containerd.image.name": "docker.io/h/x:2.0", "org.opencontainers.image.ref.name": "2.0"});
    layout.root(second);
    assert_eq!(look(layout.path()).unwrap_err(), "holds several images: 1.0, docker.io/h/x:2.0, latest");
    let digest = two["digest"].as_str().unwrap();
    for tag in ["2.0", "h/x:2.0", "docker.io/h/x:2.0", digest, "@2"] {
        let image = look_with(layout.path(), &named(tag)).unwrap();
        assert_eq!(image.manifest_digest.as_ref().map(Digest::as_str), Some(digest), "{tag}");
        assert_eq!(image.names, ["docker.io/h/x:2.0"]);
    }
    let error = look_with(layout.path(), &named("3")).unwrap_err();
    assert_eq!(error, "tag '3': not there; there is 1.0, docker.io/h/x:2.0, latest");
    let text = format!("oci:{}:latest", layout.path().display());
    let source = open(&Reference::parse(&text).unwrap(), &choice(), &Limits::default()).unwrap();
    assert_eq!(source.image().source, text);
}

#[test]
fn platforms_of_an_index() {
    let mut layout = Layout::new();
    let images = ["linux/amd64", "linux/arm64/v8", "linux/arm/v6", "windows/amd64"].map(|it| layout.image(it, it));
    let attestation = json!({"schemaVersion": 2, "config": layout.blob("application/vnd.oci.image.config.v1+json", b"{}"), "layers": []});
    let mut attestation = layout.json(MANIFEST, &attestation);
    attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
    let mut manifests = vec![attestation];
    manifests.extend(images.clone());
    let index = layout.json(INDEX, &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}));
    let outer = layout.json(INDEX, &json!({"schemaVersion": 2, "manifests": [index]}));
    layout.tagged(outer, "1");
    for (wanted, index) in [
        ("linux/amd64", 0),
        ("linux/arm64", 1),
        ("linux/aarch64/v8", 1),
        ("linux/arm/v7", 2),
        ("linux/arm", 2),
        ("windows/amd64", 3),
    ] {
        let image = look_with(layout.path(), &for_platform(wanted)).unwrap();
        assert_eq!(image.manifest_digest.as_ref().map(Digest::as_str), images[index]["digest"].as_str(), "{wanted}");
        assert_eq!(image.gaps.len(), usize::from(index == 3));
        assert_eq!(image.names, ["1"]);
    }
    assert_eq!(look(layout.path()).unwrap().platform, Platform::linux("amd64"));
    assert_eq!(
        look_with(layout.path(), &for_platform("linux/s390x")).unwrap_err(),
        "platform linux/s390x: not there; there is linux/amd64, linux/arm/v6, linux/arm64/v8, windows/amd64"
    );

    // A partial layout: what is not there is not offered.
    fs::remove_file(layout.blob_path(&images[0])).unwrap();
    assert!(look(layout.path()).unwrap_err().starts_with("platform linux/amd64: not there; there is linux/arm/v6"));
    for image in &images[2..] {
        fs::remove_file(layout.blob_path(image)).unwrap();
    }
    // The only one is taken whatever this machine is, but not for what was asked.
    let image = look(layout.path()).unwrap();
    assert_eq!(image.platform.to_string(), "linux/arm64/v8");
    assert_eq!(
        image.notes,
        [
            "3 images of the index are not in the layout",
            "the only image is for linux/arm64/v8, and was taken though this machine is linux/amd64"
        ]
    );
    let error = look_with(layout.path(), &for_platform("linux/amd64")).unwrap_err();
    assert_eq!(error, "platform linux/amd64: not there; there is linux/arm64/v8");
}

#[test]
fn the_only_image_of_a_docker_archive() {
    let folder = TempDir::new().unwrap();
    let path = put(&folder, "x", &classic(&Value::Null).finish());
    assert!(look_with(&path, &for_platform("linux/amd64")).unwrap().notes.is_empty());
    let error = look_with(&path, &for_platform("linux/arm64")).unwrap_err();
    assert_eq!(error, "platform linux/arm64: not there; there is linux/amd64");
    // An image that does not say is not taken for any.
    let silent = config_of(&Platform::default(), &[]);
    let path = put(&folder, "y", &tar_of(&[("manifest.json", br#"[{"Config":"c"}]"#), ("c", &silent)]));
    assert_eq!(look(&path).unwrap().platform.to_string(), "unknown/unknown");
    let error = look_with(&path, &for_platform("linux/amd64")).unwrap_err();
    assert_eq!(error, "platform linux/amd64: not there; there is unknown/unknown");
}

#[test]
fn platforms_that_only_configs_know() {
    let mut layout = Layout::new();
    for platform in ["linux/amd64", "linux/arm64"] {
        let mut image = layout.image(platform, platform);
        image.as_object_mut().unwrap().remove("platform");
        layout.root(image);
    }
    assert_eq!(look(layout.path()).unwrap().platform.to_string(), "linux/amd64");
    let twin = layout.image("linux/amd64", "twin");
    layout.root(twin);
    let error = look(layout.path()).unwrap_err();
    assert!(error.starts_with("holds several images: sha256:") && error.contains("(linux/amd64)"), "{error}");
}

#[test]
fn indexes_are_bounded() {
    let mut layout = Layout::new();
    let mut inner = layout.image("linux/amd64", "x");
    for _ in 0..4 {
        inner = layout.json(INDEX, &json!({"schemaVersion": 2, "manifests": [inner, inner, inner]}));
    }
    layout.root(inner.clone());
    assert!(look(layout.path()).is_ok());
    let deeper = layout.json(INDEX, &json!({"schemaVersion": 2, "manifests": [inner]}));
    layout.roots.clear();
    layout.root(deeper);
    assert_eq!(
        look(layout.path()).unwrap_err(),
        "index.json: depth of nested indexes: more than the limit of 4 (index_depth)"
    );

    let mut layout = Layout::new();
    let image = layout.image("linux/amd64", "x");
    let many = (0..1001).map(|at| {
        let mut image = image.clone();
        image["platform"]["variant"] = json!(format!("v{at}"));
        image
    });
    layout.roots = many.collect();
    layout.write_index();
    assert_eq!(look(layout.path()).unwrap_err(), "index.json: descriptors: more than the limit of 1000 (descriptors)");
}

#[test]
fn damaged_layouts() {
    // Each: what is done to a good layout, given its manifest, and what is said then.
    type Damage = fn(&Layout, &Value);
    let cases: &[(Damage, &str)] = &[
        (|layout, _| fs::remove_file(layout.path().join("index.json")).unwrap(), "index.json: missing"),
        (
            |layout, _| {
                fs::write(
                    layout.path().join("oci-layout"),
                    r#"{"imageLayoutVersion":"1.0.0","ImageLayoutVersion":"2"}"#,
                )
                .unwrap();
            },
            "oci-layout: version '2' is not supported, only 1.0.0",
        ),
        (
            |layout, manifest| fs::remove_file(layout.blob_path(&manifest["config"])).unwrap(),
            "config DIGEST: blob is missing",
        ),
        (
            |layout, manifest| {
                let path = layout.blob_path(&manifest["config"]);
                let text = fs::read_to_string(&path).unwrap().replace("app", "atp");
                fs::write(path, text).unwrap();
            },
            "config DIGEST: expected digest DIGEST, got DIGEST",
        ),
        (
            |layout, _| {
                let path = layout.path().join("index.json");
                fs::remove_file(&path).unwrap();
                assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            },
            "file 'index.json': not a regular file",
        ),
    ];
    for (damage, expected) in cases {
        let layout = layout();
        let manifest = serde_json::from_slice(&fs::read(layout.blob_path(&layout.roots[0])).unwrap()).unwrap();
        damage(&layout, &manifest);
        assert_eq!(without_digests(look(layout.path()).unwrap_err()), *expected);
    }
}

fn without_digests(mut text: String) -> String {
    for at in ["sha256:", "sha256/"] {
        while let Some(start) = text.find(at) {
            text.replace_range(start..start + 71, "DIGEST");
        }
    }
    text
}

/// One layer that is not there takes nothing from the rest.
#[test]
fn layers_that_are_not_there() {
    type Put<'a> = &'a dyn Fn(&mut Tar) -> &mut Tar;
    type Damage = fn(&Layout, &Value);
    let cases: &[(Damage, &str)] = &[
        (|layout, manifest| fs::remove_file(layout.blob_path(&manifest["layers"][0])).unwrap(), "blob is missing"),
        (
            |layout, manifest| {
                let path = layout.blob_path(&manifest["layers"][0]);
                fs::remove_file(&path).unwrap();
                fs::create_dir(&path).unwrap();
            },
            "file 'blobs/DIGEST': a folder, not a file",
        ),
        (
            |layout, manifest| {
                let path = layout.blob_path(&manifest["layers"][0]);
                fs::remove_file(&path).unwrap();
                std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
            },
            "file 'blobs/DIGEST': a symbolic link that leads out of the folder",
        ),
        (
            |layout, manifest| {
                let path = layout.blob_path(&manifest["layers"][0]);
                fs::remove_file(&path).unwrap();
                assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            },
            "file 'blobs/DIGEST': not a regular file",
        ),
    ];
    for (damage, expected) in cases {
        let layout = layout();
        let manifest = serde_json::from_slice(&fs::read(layout.blob_path(&layout.roots[0])).unwrap()).unwrap();
        damage(&layout, &manifest);
        let source = open_path(layout.path()).unwrap_or_else(|error| panic!("{error}"));
        let why = source.image().layers[0].unreadable.clone().unwrap();
        assert_eq!(without_digests(why), *expected);
        assert_eq!(bytes_of(&*source, 1), Ok(layers()[1].clone()));
    }
    let folder = TempDir::new().unwrap();
    let link = tar::EntryType::Symlink;
    let [one, _] = layers();
    let cases: &[(Put, &str)] = &[
        (&|tar| tar, "member '1/layer.tar': no such member in the archive"),
        (
            &|tar| tar.entry(tar::EntryType::Directory, "1/layer.tar", "", b""),
            "member '1/layer.tar': a folder, not a file",
        ),
        (
            &|tar| tar.entry(tar::EntryType::Fifo, "1/layer.tar", "", b""),
            "member '1/layer.tar': a named pipe, not a file",
        ),
        (
            &|tar| tar.entry(link, "1/layer.tar", "/etc/passwd", b""),
            "member '1/layer.tar': a link to '/etc/passwd', which leads out of the archive",
        ),
    ];
    for (put_layer, expected) in cases {
        let manifest = json!([{"Config": "c.json", "Layers": ["0/layer.tar", "1/layer.tar"]}]).to_string();
        let mut tar = Tar::default();
        tar.file("0/layer.tar", &one).file("c.json", &config()).file("manifest.json", manifest.as_bytes());
        let path = put(&folder, "x.tar", &put_layer(&mut tar).finish());
        let source = open_path(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(source.image().layers[1].unreadable.as_deref(), Some(*expected));
        assert_eq!(bytes_of(&*source, 0).as_ref(), Ok(&one));
    }
}

/// What an archive holds before its damage is read, and the damage is told.
#[test]
fn an_archive_that_is_cut_off() {
    let folder = TempDir::new().unwrap();
    let [one, two] = layers();
    let manifest = json!([{"Config": "c.json", "Layers": ["0", "1", "2"]}]).to_string();
    let config = config_of(&Platform::linux("amd64"), &[one.clone(), two.clone(), one.clone()]);
    let files = [("manifest.json", manifest.as_bytes()), ("c.json", &config), ("0", &one), ("1", &two), ("2", &one)];
    let whole = tar_of(&files);
    // In the body of layer 1, behind its first 512 bytes.
    let cut = whole.len() - 1024 - (512 + one.len()) - two.len() + 512;
    let damage = format!("archive: truncated: the member at byte {} ends at byte", cut - 1024);
    for (name, bytes, says) in [
        ("plain", whole[..cut].to_vec(), &*damage),
        ("gzip", [&gzip(&whole[..cut])[..], b"\x1f\x8brest"].concat(), "gzip around the archive: "),
        (
            "zstd",
            [&zstd::encode_all(&whole[..cut], 1).unwrap()[..], b"\x28\xb5\x2f\xfdrest"].concat(),
            "zstd around the archive: ",
        ),
    ] {
        let source = open_path(&put(&folder, name, &bytes)).unwrap_or_else(|error| panic!("{error}"));
        let image = source.image();
        assert!(matches!(&image.gaps[..], [gap] if gap.starts_with(says)), "{name}: {:?}", image.gaps);
        assert_eq!(bytes_of(&*source, 0).as_ref(), Ok(&one));
        let truncated = format!("member '1': truncated: ends at byte 512 of {}", two.len());
        assert_eq!(bytes_of(&*source, 1), Err(truncated));
        assert_eq!(image.layers[2].unreadable.as_deref(), Some("member '2': no such member in the archive"));
    }
    // Where the config itself is gone, nothing is left to say.
    let error = look(&put(&folder, "early", &whole[..1536])).unwrap_err();
    assert!(error.starts_with("config 'c.json': ") && error.contains("(archive: truncated: "), "{error}");
    // Another archive behind the first is not seen by runtimes, nor by us.
    let image = look(&put(&folder, "twice", &[&whole[..], &whole[..]].concat())).unwrap();
    assert!(matches!(&image.gaps[..], [gap] if gap.contains("more bytes stand behind its end")), "{:?}", image.gaps);
    assert!(image.layers.iter().all(|layer| layer.unreadable.is_none()));
}

#[test]
fn links_inside_a_folder_are_followed() {
    let layout = layout();
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(layout.path(), &link).unwrap();
    fs::rename(layout.path().join("blobs/sha256"), layout.path().join("store")).unwrap();
    std::os::unix::fs::symlink("../store", layout.path().join("blobs/sha256")).unwrap();
    let source = open_path(&link).unwrap();
    assert_eq!(bytes_of(&*source, 1), Ok(layers()[1].clone()));
}

#[test]
fn layers_that_fail_while_they_are_read() {
    let layout = layout();
    let manifest: Value = serde_json::from_slice(&fs::read(layout.blob_path(&layout.roots[0])).unwrap()).unwrap();
    let path = layout.blob_path(&manifest["layers"][0]);
    let source = open_path(layout.path()).unwrap();
    let whole = fs::read(&path).unwrap();
    for (bytes, what) in [
        (whole[..998].to_vec(), format!("expected {} bytes, got 998", whole.len())),
        ([&whole[..], b"x"].concat(), format!("expected {} bytes, got {}", whole.len(), whole.len() + 1)),
    ] {
        fs::write(&path, &bytes).unwrap();
        let source = open_path(layout.path()).unwrap();
        assert_eq!(bytes_of(&*source, 0), Err(format!("blob sha256:{}: {what}", hex(&whole))));
        assert!(bytes_of(&*source, 1).is_ok());
    }
    // Replaced behind our back, by something that would block.
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(bytes_of(&*source, 0).unwrap_err().ends_with("no longer a regular file"));
}

#[test]
fn artifacts_are_no_images() {
    for (config, artifact, expected) in [
        ("application/vnd.cncf.helm.config.v1+json", "", "a Helm chart (application/vnd.cncf.helm.config.v1+json)"),
        ("application/vnd.oci.empty.v1+json", "x/y", "an artifact without config (application/vnd.oci.empty.v1+json)"),
        (CONFIG, "application/vnd.in-toto+json", "an attestation (application/vnd.in-toto+json)"),
        ("application/vnd.wasm.config.v0+json", "", "a WebAssembly module (application/vnd.wasm.config.v0+json)"),
    ] {
        let mut layout = Layout::new();
        let manifest = json!({"schemaVersion": 2, "artifactType": artifact, "config": layout.blob(config, &config_of(&Platform::linux("amd64"), &[])), "layers": []});
        let manifest = layout.json(MANIFEST, &manifest);
        layout.root(manifest);
        let error = look(layout.path()).unwrap_err();
        assert!(error.ends_with(&format!("not a container image, but {expected}")), "{error}");
    }
    let mut layout = Layout::new();
    let mut attestation = layout.image("linux/amd64", "x");
    attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    layout.root(attestation);
    assert_eq!(look(layout.path()).unwrap_err(), "index.json: no container image, but an attestation");
}

#[test]
fn docker_manifests_in_a_layout() {
    let mut layout = Layout::new();
    let [one, _] = layers();
    let mut layer = layout.blob("application/vnd.docker.image.rootfs.diff.tar.gzip", &gzip(&one));
    layer["urls"] = json!(["http://127.0.0.1:1/x"]);
    let config =
        layout.blob("application/vnd.docker.container.image.v1+json", &config_of(&Platform::linux("amd64"), &[one]));
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]});
    let manifest = layout.json(kind, &manifest);
    let kind = "application/vnd.docker.distribution.manifest.list.v2+json";
    let list = layout.json(kind, &json!({"schemaVersion": 2, "mediaType": kind, "manifests": [manifest]}));
    layout.root(list);
    let source = open_path(layout.path()).unwrap();
    assert!(bytes_of(&*source, 0).is_ok() && source.image().notes.is_empty());
}

#[test]
fn what_is_no_image() {
    let folder = TempDir::new().unwrap();
    let inner = gzip(&gzip(&classic(&Value::Null).finish()));
    let chart = tar_of(&[("app/Chart.yaml", b"name: app"), ("app/values.yaml", b"")]);
    let export = tar_of(&[("bin/sh", b""), ("etc/passwd", b"")]);
    let sub = tar_of(&[("img/oci-layout", b""), ("img/index.json", b"")]);
    for (bytes, what) in [
        (&b""[..], "an empty file"),
        (b"FROM debian\nRUN true\n", "a Dockerfile"),
        (b"PK\x03\x04rest", "a zip file"),
        (b"\x7fELF", "an ELF program"),
        (b"BZh91AY", "a bzip2 file"),
        (&inner, "gzip inside gzip"),
        (&gzip(b"hello\n"), "text inside gzip"),
        (&[0; 10240], "an empty tar archive"),
        (&gzip(&chart), "a Helm chart (a tar archive with Chart.yaml)"),
        (&export, "a root file system, as docker export writes it (a tar archive without manifest.json or index.json)"),
        (&sub, "a tar archive that holds an image in a folder of its own"),
    ] {
        let path = put(&folder, "x.tar", bytes);
        assert_eq!(look(&path).unwrap_err(), format!("not a container image: looks like {what}"));
    }
    for (name, what) in [
        ("Dockerfile", "a build context (a folder with a Dockerfile)"),
        ("manifest.json", "an unpacked docker archive"),
        ("x/index.json", "a folder that holds an image in a folder of its own"),
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        assert_eq!(look(folder.path()).unwrap_err(), format!("not a container image: looks like {what}"));
    }
    assert_eq!(look(Path::new("/dev/null")).unwrap_err(), "not a container image: looks like a device");
}

#[test]
fn what_is_not_there() {
    let say = |text: &str| {
        let error = open(&Reference::parse(text).unwrap(), &choice(), &Limits::default()).err().unwrap();
        (error.to_string(), error.advice().unwrap_or_default())
    };
    let (error, advice) = say("nosuch/name:1.0");
    assert_eq!(
        error,
        "nosuch/name:1.0: no such file or folder, and images of a registry or daemon are not supported yet"
    );
    assert!(advice.contains("skopeo copy docker://nosuch/name:1.0") && advice.contains("docker save nosuch/name:1.0"));
    assert_eq!(say("./no/such.tar"), ("./no/such.tar: no such file or folder".to_owned(), String::new()));
    assert_eq!(say("oci:no/such:x").0, "oci:no/such:x: no such file or folder");
    let (error, advice) = say("docker-daemon:x:1");
    assert_eq!(error, "docker-daemon:x:1: images of a registry or daemon are not supported yet");
    assert_eq!(advice, "docker save x:1 -o image.tar; then lint image.tar");
}

#[test]
fn a_colon_in_a_path() {
    let folder = TempDir::new().unwrap();
    let path = put(&folder, "a:b", &classic(&json!(["x:1"])).finish());
    for text in [format!("{}", path.display()), format!("docker-archive:{}", path.display())] {
        let source = open(&Reference::parse(&text).unwrap(), &choice(), &Limits::default());
        assert!(source.is_ok(), "{text}");
    }
}

proptest::proptest! {
    /// Whatever bytes are changed in an archive, there is an answer, and an error is one clean line.
    #[test]
    fn damaged_archives_have_an_answer(
        oci: bool,
        changes in proptest::collection::vec((0..20_000usize, proptest::prelude::any::<u8>()), 1..20),
        cut in 0..20_000usize,
    ) {
        let folder = TempDir::new().unwrap();
        let mut bytes = if oci { layout().archive() } else { classic(&Value::Null).finish() };
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        if cut % 4 == 0 {
            bytes.truncate(cut);
        }
        let path = put(&folder, "x", &bytes);
        match open_path(&path) {
            Ok(source) => (0..source.image().layers.len()).for_each(|index| drop(bytes_of(&*source, index))),
            Err(error) => drop(sentence(&error, &path)),
        }
    }
}

/// What skopeo writes, through each of its file transports.
#[test]
fn doors_of_skopeo() {
    if !Command::new("skopeo").arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("skopeo is missing: not tested");
        return;
    }
    let folder = TempDir::new().unwrap();
    let first = put(&folder, "first.tar", &classic(&json!(["h/x:1"])).finish());
    let copy = |from: &str, to: &str| {
        let output = Command::new("skopeo").args(["--insecure-policy", "copy", "-q", from, to]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let at = |name: &str| folder.path().join(name).display().to_string();
    copy(&format!("docker-archive:{}", first.display()), &format!("oci:{}:one", at("layout")));
    copy(&format!("oci:{}:one", at("layout")), &format!("oci-archive:{}:one", at("oci.tar")));
    copy(&format!("oci:{}:one", at("layout")), &format!("docker-archive:{}:h/x:2", at("docker.tar")));
    copy(&format!("oci:{}:one", at("layout")), &format!("dir:{}", at("dir")));
    let digest = |name: &str| look(Path::new(&at(name))).unwrap().config_digest;
    assert_eq!(digest("layout"), digest("oci.tar"));
    assert_eq!(digest("layout"), digest("docker.tar"));
    for written in [at("dir"), format!("dir:{}", at("dir"))] {
        let error = look(Path::new(&written)).unwrap_err();
        assert!(error.ends_with("a folder of skopeo's dir: transport"), "{error}");
    }
}
