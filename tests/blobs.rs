//! Compressed layers, good and bad: what is read of them, the error and the notes. Memory stays flat whatever they
//! claim or expand to.

use plimsoll::layer::{DecodeError, DecodeKind, Decoder, Entry, Visit, WalkError, Watch, walk};
use plimsoll::model::Limits;
use proptest::prelude::*;
use std::io::{self, Read};
use std::path::PathBuf;

/// How reading ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// Well.
    Good,
    /// With a note.
    Noted,
    /// In the decoder.
    Bad(DecodeKind),
    /// In the tar.
    NoTar,
}
use DecodeKind::{Corrupt, Integrity, Truncated, Unsupported};
use End::{Bad, Good, NoTar, Noted};

/// Blob, the entries that are seen, the end, and a word that its error or note has.
const CASES: &[(&str, &str, End, &str)] = &[
    ("gz-ok", "a b", Good, ""),
    ("gz-trunc", "a b", Bad(Truncated), "within its compressed data"),
    ("gz-trunc-trailer", "a b", Bad(Integrity), "missing: 0 of 8"),
    ("gz-badcrc", "a b", Bad(Integrity), "checksum"),
    ("gz-badisize", "a b", Bad(Integrity), "length"),
    ("gz-multimember-split", "a b", Good, ""),
    ("gz-multimember-tar", "a b", Noted, "after the end of the archive"),
    ("gz-trailing-zeros", "a b", Noted, "zero bytes after the last gzip member"),
    ("gz-trailing-garbage", "a b", Noted, "no compressed data after the last gzip member"),
    ("gz-empty-member", "a b", Good, ""),
    ("gz-fname-huge", "a b", Noted, "name or comment too long"),
    ("gz-fextra-huge", "a b", Good, ""),
    ("gz-reserved-flags", "", Bad(Unsupported), "reserved flags 0xe0"),
    ("gz-method-not-8", "", Bad(Unsupported), "method 7"),
    ("gz-only-magic", "", Bad(Truncated), "within its header (at compressed byte 2)"),
    ("empty", "", Good, ""),
    ("one-byte", "", NoTar, "not a tar header (first bytes 1f)"),
    ("gz-bomb-256MiB", "zeros", Good, ""),
    ("gz-double", "", NoTar, "not a tar header (first bytes 1f 8b 08"),
    ("bz2", "", Bad(Unsupported), "bzip2"),
    ("xz", "", Bad(Unsupported), "xz"),
    ("plain-tar", "a b", Good, ""),
    ("zlib-raw", "", Bad(Unsupported), "zlib"),
    ("zst-ok-raw", "a b", Good, ""),
    ("zst-window-2GiB+", "", Bad(Unsupported), "over the limit of 2^27"),
    ("zst-window-128MiB", "a b", Good, ""),
    ("zst-fcs-huge", "", Bad(Unsupported), "over the limit of 2^27"),
    ("zst-fcs-lie-small", "", Bad(Corrupt), ""),
    ("zst-skippable", "a b", Good, ""),
    ("zst-skippable-4GiB-claim", "", Bad(Truncated), "zstd"),
    ("zst-multiframe", "a b", Good, ""),
    ("zst-dict", "", Bad(Unsupported), "dictionary 77"),
    ("zst-trunc", "a b", Bad(Truncated), "zstd"),
    ("zst-rle-bomb-1GiB", "zeros", Good, ""),
    ("lz4-magic", "", Bad(Unsupported), "lz4"),
];

#[derive(Default)]
struct Names(Vec<String>);

impl Visit for Names {
    fn entry(&mut self, entry: &Entry) {
        self.0.push(String::from_utf8_lossy(&entry.name).into_owned());
    }

    fn data(&mut self, _stream: u64, _file: u64, _bytes: &[u8]) {}
}

/// Entries, end, and all that was told.
fn read(stored: &[u8]) -> (String, End, String) {
    let mut names = Names::default();
    let mut decoder = Decoder::new(stored, &Limits::default());
    let (end, mut told) = match walk(&mut decoder, &Limits::default(), &mut names) {
        Ok(tar) => (Good, tar.notes.concat()),
        Err(WalkError::Read(error)) => {
            let error = DecodeError::of(&error).expect("memory does not fail");
            (Bad(error.kind), error.to_string())
        }
        Err(WalkError::Tar(error)) => {
            // As for a digest: the rest is read.
            io::copy(&mut decoder, &mut io::sink()).expect("the rest is well compressed");
            (NoTar, error.to_string())
        }
    };
    told.push_str(&decoder.notes().concat());
    let end = if end == Good && !told.is_empty() { Noted } else { end };
    (names.0.join(" "), end, told)
}

#[test]
fn every_blob_has_its_answer() {
    let folder = std::env::var_os("PLIMSOLL_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"), PathBuf::from);
    let Ok(blobs) = std::fs::read_dir(folder.join("hostile/blob")) else {
        eprintln!("skipped: no conformance folder at {}", folder.display());
        return;
    };
    let mut wrong = Vec::new();
    for blob in blobs {
        let blob = blob.expect("a folder's entry");
        let name = blob.file_name().into_string().expect("a plain name");
        let answer = read(&std::fs::read(blob.path()).expect("the blob"));
        match CASES.iter().find(|(case, ..)| *case == name) {
            Some((_, names, end, word)) if answer.0 == *names && answer.1 == *end && answer.2.contains(word) => {}
            case => wrong.push(format!("{name}: {answer:?}, expected {case:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Twice the largest window, and some.
    if let Some(peak) = peak_memory() {
        assert!(peak < 300 << 20, "peak memory {peak}");
    }
}

/// The most memory that this process had, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

/// Reads all; the content and the error.
fn content(stored: &[u8], buffer: usize) -> (Vec<u8>, Option<DecodeError>) {
    let mut decoder = Decoder::new(stored, &Limits::default());
    let mut out = Vec::new();
    let mut buffer = vec![0; buffer];
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return (out, None),
            Ok(count) => out.extend_from_slice(&buffer[..count]),
            Err(error) => return (out, DecodeError::of(&error).cloned()),
        }
    }
}

/// Text that compresses, but not into nothing.
fn text() -> Vec<u8> {
    (0..40_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 20).to_string().into_bytes()).collect()
}

fn zstd_frame(content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("memory");
    encoder.include_checksum(true).expect("a known parameter");
    io::copy(&mut &content[..], &mut encoder).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn a_bad_zstd_checksum_costs_no_content() {
    let text = text();
    let (first, second) = text.split_at(text.len() / 2);
    let mut stored = zstd_frame(first);
    let at = stored.len() - 1;
    stored[at] ^= 1;
    stored.extend(zstd_frame(second));
    for buffer in [1, 1000, 256 << 10] {
        let (out, error) = content(&stored, buffer);
        assert!(out == text);
        assert_eq!(error.map(|error| error.kind), Some(Integrity));
    }
}

#[test]
fn zstd_cut_anywhere_keeps_what_came_before() {
    let text = text();
    let stored = zstd_frame(&text);
    assert_eq!(content(&stored, 256 << 10), (text.clone(), None));
    for cut in (4..stored.len()).step_by(stored.len() / 50) {
        let (out, error) = content(&stored[..cut], 4096);
        assert!(text.starts_with(&out));
        assert_eq!(error.map(|error| error.kind), Some(Truncated), "cut at {cut}");
    }
}

#[test]
fn a_tar_whose_first_name_is_a_magic_number_is_a_tar() {
    for name in ["BZh9", "LZIP", "x^"] {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(0);
        builder.append_data(&mut header, name, io::empty()).expect("memory");
        let tar = builder.into_inner().expect("memory");
        assert_eq!(read(&tar), (name.to_owned(), Good, String::new()));
    }
}

/// A gzip member with every optional part of a header, its checksum too.
fn full_member(content: &[u8]) -> Vec<u8> {
    let mut builder = flate2::GzBuilder::new().extra(vec![7; 300]).filename("name").comment("comment");
    builder = builder.mtime(1).operating_system(3);
    let mut encoder = builder.write(Vec::new(), flate2::Compression::fast());
    io::copy(&mut &content[..], &mut encoder).expect("memory");
    let mut member = encoder.finish().expect("memory");
    member[3] |= 2;
    let header = 10 + 2 + 300 + 5 + 8;
    let mut crc = flate2::Crc::new();
    crc.update(&member[..header]);
    member.splice(header..header, [crc.sum().to_le_bytes()[0], crc.sum().to_le_bytes()[1]]);
    member
}

#[test]
fn gzip_headers_are_read_whole() {
    let text = text();
    let member = full_member(&text);
    let twice = [&member[..], &member].concat();
    assert_eq!(content(&twice, 1000), ([&text[..], &text].concat(), None));

    let mut bad = twice.clone();
    bad[4] ^= 1;
    let (out, error) = content(&bad, 1000);
    assert_eq!((out.len(), error.map(|error| error.kind)), (2 * text.len(), Some(Integrity)));

    for cut in (2..member.len()).step_by(41) {
        let (out, error) = content(&member[..cut], 4096);
        let kind = if cut > member.len() - 8 { Integrity } else { Truncated };
        assert!(text.starts_with(&out));
        assert_eq!(error.map(|error| error.kind), Some(kind), "cut at {cut}");
    }
}

/// Fails at its end, as a blob does whose digest is not the promised one.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out)? {
            0 => Err(io::Error::other("digest differs")),
            count => Ok(count),
        }
    }
}

#[test]
fn errors_of_the_blob_come_through() {
    let text = text();
    for stored in [full_member(&text), zstd_frame(&text), text.clone()] {
        let mut out = Vec::new();
        let error = Decoder::new(Failing(&stored), &Limits::default()).read_to_end(&mut out).expect_err("it fails");
        assert_eq!((out == text, error.to_string()), (true, "digest differs".to_owned()));
    }
}

/// Keeps the stored bytes that it sees.
#[derive(Default)]
struct Seen(Vec<u8>);

impl Watch for Seen {
    fn watch(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

#[test]
fn who_watches_sees_every_stored_byte_once_and_in_order() {
    let noise: Vec<u8> = (0_u32..700_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut behind = full_member(&noise);
    behind.extend_from_slice(&[7; 300_000]);
    for (stored, buffer) in
        [(full_member(&noise), 1000), (zstd_frame(&noise), 200_000), (noise, 5000), (behind, 99_999)]
    {
        // Nothing is taken early, or all that there is, or a part of it.
        for part in [0, 1, 3] {
            let mut decoder = Decoder::watched(&stored[..], Seen::default(), &Limits::default());
            let mut out = vec![0; buffer];
            while decoder.read(&mut out).expect("good") > 0 {
                let (seen, at_hand) = decoder.unwatched();
                let count = at_hand.len().checked_div(part).unwrap_or(0);
                seen.watch(&at_hand[..count]);
                decoder.saw(count);
            }
            assert!(decoder.watcher().0 == stored, "{} bytes, 1/{part}", stored.len());
        }
    }
}

proptest! {
    /// However the stored bytes are broken, reading ends, with the same answer for any buffer.
    #[test]
    fn broken_bytes_end_in_an_answer(zstd: bool, changes in prop::collection::vec((any::<u16>(), any::<u8>()), 0..4), cut: u16) {
        let text = &text()[..20_000];
        let mut stored = if zstd { zstd_frame(text).repeat(2) } else { full_member(text).repeat(2) };
        for (at, byte) in changes {
            let at = usize::from(at) % stored.len();
            stored[at] = byte;
        }
        stored.truncate(usize::from(cut).max(600));
        let (out, error) = content(&stored, 256 << 10);
        let (slow, slow_error) = content(&stored, 777);
        prop_assert!(out.len() <= 4 * text.len() + stored.len() * 200);
        prop_assert_eq!(error.as_ref().map(|error| error.kind), slow_error.map(|error| error.kind));
        prop_assert!(slow.starts_with(&out) || out.starts_with(&slow));
        prop_assert!(error.is_some_and(|error| error.kind != Integrity) || out == slow);
    }
}
