//! Hostile images through the program: an answer with a reason, in bounded time and memory, whatever the bytes are.

use super::conformance;
use super::image::{Made, Stored, archive, folder, hex_of, layout, plain};
use super::run::{Ran, plimsoll};
use rayon::prelude::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Images for which more than one answer is right: the code that is ours.
const CHOICES: &[(&str, i32)] = &[
    ("i09", 2), // a byte order mark is no JSON, for Go as well
    ("i11", 0), // duplicate keys: the last wins, as for Go
    ("i12", 0), // keys in another case are keys, as for Go
    ("i22", 0), // duplicate members: the last, with a note
    ("i26", 2), // no diff ids: what the layers must be is unknown
    ("i27", 0), // another rootfs type: noted
    ("i29", 0), // history that does not fit: unknown, noted
    ("i30", 0),
    ("i31", 0),
    ("i37", 0), // replacement characters, as for Go
    ("i41", 0), // a string for a list
    ("i45", 0), // a date that is none
    ("i47", 3), // Windows: files are not examined
    ("i48", 0),
    ("i49", 0), // duplicate objects merge, as for Go
    ("i58", 0),
    ("i59", 2), // several images: one must be chosen
    ("i60", 2), // the limit of layers
    ("o02", 0), // no oci-layout: noted
    ("o30", 0), // sniffed, whatever the media type says
    ("o31", 0),
    ("o37", 0),
    ("o41", 0), // `data` is not trusted
    ("o51", 0), // the host's platform
    ("o52", 0), // the only image there is
];

/// Blobs for which more than one answer is right, as layers.
const BLOB_CHOICES: &[(&str, i32)] = &[
    ("gz-trailing-zeros", 0),
    ("gz-trailing-garbage", 0),
    ("gz-fname-huge", 3), // over the limit of a gzip header
    ("gz-bomb-256MiB", 0),
    ("empty", 0), // an empty layer
    ("bz2", 3),
    ("xz", 3),
    ("zst-window-128MiB", 0),
    ("zst-rle-bomb-1GiB", 0),
    ("lz4-magic", 3),
];

/// The codes that the text of an expectation allows, with a gate that never fails; `None` when it leaves a choice.
fn allowed(text: &str) -> Option<&'static [i32]> {
    let error = text.starts_with("error");
    if error && (text.starts_with("error or Gap") || !text.contains(" or accept") && !text.contains(" or lossy")) {
        return if text == "error/warn" { None } else { Some(&[2, 3]) };
    }
    (text.starts_with("ok") || text.starts_with("accept")).then_some(&[0])
}

fn lint(path: &Path) -> Ran {
    plimsoll(&["-o".as_ref(), "json".as_ref(), "--fail-on".as_ref(), "never".as_ref(), path.as_os_str()])
}

/// What is wrong with the answer for the image at `path`.
fn judge(name: &str, path: &Path, codes: &[i32]) -> Option<String> {
    let ran = lint(path);
    let unnamed = ran.code == 2 && !ran.stderr.starts_with(&format!("error: {}: ", path.display()));
    let wrong = if let Some(wrong) = ran.disorder() {
        wrong
    } else if !codes.contains(&ran.code) {
        format!("exit {}, expected {codes:?}: {:?} {:?}", ran.code, ran.stderr, (ran.code != 2).then(|| ran.gaps()))
    } else if unnamed {
        format!("the error does not name the image: {}", ran.stderr)
    } else {
        return None;
    };
    Some(format!("{name}: {wrong}"))
}

/// The file and the codes of every line of an expectation.
fn expectations(folder: &Path, table: &str, choices: &[(&str, i32)], key: fn(&str) -> &str) -> Vec<(String, Vec<i32>)> {
    let text = fs::read_to_string(folder.join(table)).unwrap();
    let lines = text.lines().map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let file = columns[0].to_owned();
        let chosen = choices.iter().find(|(case, _)| *case == key(&file)).map(|(_, code)| vec![*code]);
        let codes = chosen.or_else(|| allowed(columns[2]).map(<[i32]>::to_vec));
        let codes = codes.unwrap_or_else(|| panic!("{line}: leaves a choice that is not made here"));
        (file, codes)
    });
    lines.collect()
}

fn number(file: &str) -> &str {
    &file.rsplit('/').next().unwrap()[..3]
}

fn base(file: &str) -> &str {
    file.rsplit('/').next().unwrap()
}

fn none_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn hostile_images() {
    let Some(conformance) = conformance() else { return };
    let hostile = conformance.join("hostile");
    let cases = expectations(&hostile, "EXPECT-img.tsv", CHOICES, number);
    assert!(cases.len() > 100);
    let wrong: Vec<String> = cases
        .par_iter()
        .filter(|(file, _)| hostile.join(file).exists())
        .filter_map(|(file, codes)| judge(file, &hostile.join(file), codes))
        .collect();
    none_wrong(&wrong);
}

/// Fifos are not files of a repository: made here.
#[test]
fn nothing_waits_for_a_pipe() {
    let members = plain(vec![super::image::Layer::default().file("a", 0o644, "1").tar()]).oci(Stored::Gzip);
    let mut wrong = Vec::new();
    for (member, _) in &members {
        let place = tempfile::tempdir().unwrap();
        folder(&members, place.path());
        let path = place.path().join(member);
        fs::remove_file(&path).unwrap();
        if !Command::new("mkfifo").arg(&path).status().is_ok_and(|status| status.success()) {
            println!("mkfifo is missing: not tested");
            return;
        }
        wrong.extend(judge(member, place.path(), &[2, 3]));
    }
    none_wrong(&wrong);
}

/// An archive of one layer, with the right diff id.
fn docker_of(layer: Vec<u8>) -> Vec<u8> {
    archive(&plain(vec![layer]).docker(Stored::Plain))
}

#[test]
fn hostile_tars_as_layers() {
    let Some(conformance) = conformance() else { return };
    let hostile = conformance.join("hostile");
    let oracle = fs::read_to_string(hostile.join("tar-oracle-go.jsonl")).unwrap();
    let cases: Vec<Value> = oracle.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() > 100);
    let place = tempfile::tempdir().unwrap();
    let judged = cases.par_iter().filter_map(|case| {
        let file = case["file"].as_str().unwrap();
        let path = place.path().join(base(file));
        fs::write(&path, docker_of(fs::read(hostile.join(file)).unwrap())).unwrap();
        // What a capability of three bytes allows cannot be said.
        let seen_whole = case["err"].is_null();
        judge(file, &path, if seen_whole { &[0] } else { &[3] })
    });
    none_wrong(&judged.collect::<Vec<_>>());
}

/// Reads what can be read; the digest of that.
fn content_digest(stored: &[u8]) -> String {
    let mut reader: Box<dyn Read> = if stored.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::read::MultiGzDecoder::new(stored))
    } else if stored.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || stored.get(1..4) == Some(&[0x2a, 0x4d, 0x18]) {
        Box::new(zstd::Decoder::new(stored).unwrap())
    } else {
        Box::new(stored)
    };
    let mut hash = Sha256::new();
    let mut block = vec![0; 64 << 10];
    while let Ok(count @ 1..) = reader.read(&mut block) {
        hash.update(&block[..count]);
    }
    format!("sha256:{}", hex_of(&hash.finalize()))
}

#[test]
fn hostile_blobs_as_layers() {
    let Some(conformance) = conformance() else { return };
    let hostile = conformance.join("hostile");
    let cases = expectations(&hostile, "EXPECT-blob.tsv", BLOB_CHOICES, base);
    let digests: BTreeMap<&str, String> = cases
        .par_iter()
        .map(|(file, _)| (file.as_str(), content_digest(&fs::read(hostile.join(file)).unwrap())))
        .collect();
    let place = tempfile::tempdir().unwrap();
    let judged = cases.par_iter().filter_map(|(file, codes)| {
        let blob = fs::read(hostile.join(file)).unwrap();
        let image: Made = plain(Vec::new());
        let config = image.config_promising(&[digests[file.as_str()].clone()]);
        let path: PathBuf = place.path().join(base(file));
        folder(&layout(&config, vec![("application/vnd.oci.image.layer.v1.tar+gzip", blob)], None), &path);
        judge(file, &path, codes)
    });
    none_wrong(&judged.collect::<Vec<_>>());
}
