//! The tar walk against Go's archive/tar: for every archive of the conformance folder the same entries with the same
//! fields and bodies, and an error where Go has one. Also: how a stream is cut into blocks changes nothing.

#[path = "shared/go.rs"]
mod go;

use go::unquote;
use plimsoll::layer::{Entry, TarEnd, TarError, TarWalk, Visit};
use plimsoll::model::{Limits, push_hex};
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// Zeros of a hole that are hashed; beyond it no hash is compared.
const HOLE: u64 = 1 << 20;

/// What a walk showed of an entry.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    entry: Entry,
    body: Option<String>,
    bytes: u64,
    ended: bool,
}

#[derive(Default)]
struct Recorder {
    seen: Vec<Seen>,
    hash: Sha256,
    bytes: u64,
    huge: bool,
    /// The whole stream: `data` must be parts of it.
    stream: Vec<u8>,
    trailing: Vec<u8>,
}

impl Visit for Recorder {
    fn entry(&mut self, entry: &Entry) {
        self.hash = Sha256::new();
        (self.bytes, self.huge) = (0, false);
        self.seen.push(Seen { entry: entry.clone(), body: None, bytes: 0, ended: false });
    }

    fn data(&mut self, stream: u64, file: u64, bytes: &[u8]) {
        assert_eq!(file, self.bytes);
        assert_eq!(&self.stream[usize::try_from(stream).expect("64 bits")..][..bytes.len()], bytes);
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    fn trailing(&mut self, stream: u64, at: u64, bytes: &[u8]) {
        assert_eq!(at, self.trailing.len() as u64);
        assert_eq!(&self.stream[usize::try_from(stream).expect("64 bits")..][..bytes.len()], bytes);
        self.trailing.extend_from_slice(bytes);
    }

    fn hole(&mut self, file: u64, length: u64) {
        assert_eq!(file, self.bytes);
        self.bytes += length;
        self.huge |= length > HOLE;
        self.hash.update(vec![0; usize::try_from(length.min(HOLE)).expect("small")]);
    }

    fn end(&mut self) {
        let mut hex = String::new();
        push_hex(&mut hex, &self.hash.clone().finalize()[..8]);
        let last = self.seen.last_mut().expect("an entry has begun");
        (last.ended, last.bytes) = (true, self.bytes);
        last.body = (!self.huge).then_some(hex);
    }
}

/// Walks `tar`, fed in blocks that end at `cuts`.
fn walk(tar: &[u8], cuts: impl IntoIterator<Item = usize>) -> (Vec<Seen>, Result<TarEnd, TarError>) {
    let mut recorder = Recorder { stream: tar.to_vec(), ..Recorder::default() };
    let mut walk = TarWalk::new(&Limits::default());
    let mut at = 0;
    let mut fed = Ok(());
    for cut in cuts.into_iter().chain([tar.len()]) {
        let cut = cut.clamp(at, tar.len());
        fed = walk.feed(&tar[at..cut], &mut recorder);
        at = cut;
        if fed.is_err() {
            break;
        }
    }
    let end = fed.and_then(|()| walk.finish(&mut recorder));
    (recorder.seen, end)
}

/// Compares with what Go saw; says what differs.
fn compare(expected: &Value, seen: &[Seen], end: &Result<TarEnd, TarError>) -> Result<(), String> {
    if expected["err"].is_null() != end.is_ok() {
        return Err(format!("Go: {}, here: {end:?}", expected["err"]));
    }
    if let Ok(end) = end
        && expected["trailing_nonzero"] != end.trailing_nonzero
    {
        return Err(format!("trailing bytes: Go {}, here {}", expected["trailing_nonzero"], end.trailing_nonzero));
    }
    if expected["n"] != seen.len() {
        return Err(format!("entries: Go {}, here {}: {end:?}", expected["n"], seen.len()));
    }
    for (go, seen) in expected["entries"].as_array().into_iter().flatten().zip(seen) {
        let entry = &seen.entry;
        let text = |key: &str| unquote(go[key].as_str().unwrap_or_default());
        let number = |key: &str| go[key].as_i64().unwrap_or_default();
        let partial = !go["name"].as_str().is_some_and(|name| name.starts_with('"'));
        let fields = [
            ("type", go["type"].as_str() == Some(&char::from(entry.type_flag).to_string())),
            ("name", text("name") == entry.name),
            ("link", text("link") == entry.link),
            ("size", number("size").max(0) == entry.size.cast_signed()),
            ("mode", number("mode") == entry.mode || partial),
            ("uid", number("uid") == entry.uid || partial),
            ("gid", number("gid") == entry.gid || partial),
            // A global header has Go's zero time.
            ("mtime", number("mtime") == entry.mtime || entry.type_flag == b'g' || partial),
            ("xattrs", xattrs(&go["pax"]) == entry.xattrs || entry.type_flag == b'g' || partial),
            ("body", go["sha256"].is_null() || go["sha256"].as_str() == seen.body.as_deref()),
        ];
        if let Some((field, _)) = fields.iter().find(|(_, same)| !same) {
            return Err(format!("{field}: Go {go}, here {seen:?}"));
        }
    }
    Ok(())
}

fn xattrs(pax: &Value) -> Vec<(Vec<u8>, Vec<u8>)> {
    let records = pax.as_object().into_iter().flatten();
    let mut out: Vec<_> = records
        .filter_map(|(key, value)| {
            let value = unquote(value.as_str()?);
            Some((key.strip_prefix("SCHILY.xattr.")?.as_bytes().to_vec(), value)).filter(|(_, value)| !value.is_empty())
        })
        .collect();
    out.sort();
    out
}

fn conformance() -> Option<PathBuf> {
    let folder = std::env::var_os("PLIMSOLL_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"), PathBuf::from);
    if !folder.join("hostile").is_dir() {
        eprintln!("skipped: no conformance folder at {}", folder.display());
        return None;
    }
    Some(folder.join("hostile"))
}

#[test]
fn every_archive_reads_as_go_reads_it() {
    let Some(folder) = conformance() else { return };
    let oracle = std::fs::read_to_string(folder.join("tar-oracle-go.jsonl")).expect("the oracle's answers");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in oracle.lines() {
        let expected: Value = serde_json::from_str(line).expect("a line of JSON");
        let file = expected["file"].as_str().expect("a file name");
        let tar = std::fs::read(folder.join(file)).expect("the archive");
        for cuts in [vec![], (0..tar.len().min(20_000)).step_by(7).collect(), (1000..tar.len()).step_by(1000).collect()]
        {
            let (seen, end) = walk(&tar, cuts);
            if let Err(difference) = compare(&expected, &seen, &end) {
                wrong.push(format!("{file}: {difference}"));
                break;
            }
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 0);
}

#[test]
fn quoting_is_undone() {
    assert_eq!(unquote(r#""a\xff\u202e\n\\\"é""#), b"a\xff\xe2\x80\xae\n\\\"\xc3\xa9");
}

/// A small archive with a long name, a PAX header, an old GNU sparse file with holes, and bytes after the end.
fn sample() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(700);
    builder.append_data(&mut header, "n".repeat(150), &[7; 700][..]).expect("memory");
    builder.append_pax_extensions([("SCHILY.xattr.user.a", &b"b"[..]), ("path", b"renamed")]).expect("memory");
    let mut header = tar::Header::new_ustar();
    header.set_size(512);
    builder.append_data(&mut header, "x", &[8; 512][..]).expect("memory");

    let mut header = tar::Header::new_gnu();
    header.set_path("sparse").expect("memory");
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_size(30);
    let gnu = header.as_gnu_mut().expect("memory");
    gnu.realsize.copy_from_slice(b"00000005000\0");
    gnu.sparse[0].offset.copy_from_slice(b"00000001000\0");
    gnu.sparse[0].numbytes.copy_from_slice(b"00000000012\0");
    gnu.sparse[1].offset.copy_from_slice(b"00000004000\0");
    gnu.sparse[1].numbytes.copy_from_slice(b"00000000024\0");
    header.set_cksum();
    builder.append(&header, &[9; 30][..]).expect("memory");
    let mut out = builder.into_inner().expect("memory");
    out.extend_from_slice(&[0, 1, 2, 0]);
    out
}

proptest! {
    #[test]
    fn any_split_gives_the_same_calls(mut cuts in prop::collection::vec(0usize..6000, 0..20), end in 0usize..6000) {
        let tar = sample();
        let tar = &tar[..end.min(tar.len())];
        cuts.sort_unstable();
        prop_assert_eq!(walk(tar, []), walk(tar, cuts));
    }

    #[test]
    fn any_bytes_end_in_an_answer(at in 0usize..5000, bytes in prop::collection::vec(any::<u8>(), 1..20)) {
        let mut tar = sample();
        let end = (at + bytes.len()).min(tar.len());
        let length = end.saturating_sub(at);
        tar[at.min(end)..end].copy_from_slice(&bytes[..length]);
        let (whole, result) = walk(&tar, []);
        prop_assert_eq!((whole, result), walk(&tar, (0..tar.len()).step_by(13)));
    }
}

#[test]
fn the_sample_shows_what_it_holds() {
    let (seen, end) = walk(&sample(), []);
    let end = end.expect("well formed");
    let names: Vec<_> =
        seen.iter().map(|seen| (seen.entry.name.len(), seen.entry.size, seen.bytes, seen.ended)).collect();
    assert_eq!(names, [(150, 700, 700, true), (7, 512, 512, true), (6, 0o5000, 0o5000, true)]);
    assert_eq!(end.trailing_nonzero, 2);
    assert_eq!(end.notes.len(), 2, "{:?}", end.notes);
}

/// The error of walking `tar` with `limits`.
fn error(tar: &[u8], limits: &Limits) -> Option<String> {
    let mut recorder = Recorder { stream: tar.to_vec(), ..Recorder::default() };
    let mut walk = TarWalk::new(limits);
    let fed = walk.feed(tar, &mut recorder);
    let error = fed.and_then(|()| walk.finish(&mut recorder).map(drop)).err()?;
    assert_eq!(walk.feed(tar, &mut recorder), Err(error.clone()), "an error stays");
    Some(error.to_string())
}

#[test]
fn errors_say_where_and_limits_hold() {
    let tar = sample();
    let limits = Limits::default();
    // Headers: L at 0, its file at 1024, x at 2560, its file at 3584, the sparse file at 4608.
    for (end, expected) in [
        (100, "entry 0 at byte 0: not a tar header (first bytes 2e 2f 2e 2f 40 4c 6f 6e)"),
        (600, "entry 0 at byte 0: the stream ends within an extension header"),
        (1600, "entry 0 at byte 1024: the stream ends within a body"),
        (2600, "entry 1 at byte 2560: the stream ends within a header"),
        (5130, "entry 2 at byte 4608: the stream ends within a body"),
        (5700, "entry 3 at byte 5632: the stream ends within a header"),
    ] {
        assert_eq!(error(&tar[..end], &limits).as_deref(), Some(expected), "cut at {end}");
    }
    let few = Limits { entries: 2, ..Limits::default() };
    assert_eq!(error(&tar, &few).as_deref(), Some("entry 2 at byte 4608: more than 2 entries"));
    let short = Limits { extension_header: 100, ..Limits::default() };
    assert_eq!(error(&tar, &short).as_deref(), Some("entry 0 at byte 0: extension header of more than 100 bytes"));
}

#[test]
fn what_follows_the_end_is_shown_from_its_first_byte() {
    for (zeros, tail) in [(0, &b"ab\0\0c\0"[..]), (700, b"x"), (700, b"")] {
        let tar = [vec![0; 1024 + zeros], tail.to_vec()].concat();
        for step in [1, 7, 512, tar.len()] {
            let mut recorder = Recorder { stream: tar.clone(), ..Recorder::default() };
            let mut walk = TarWalk::new(&Limits::default());
            tar.chunks(step).try_for_each(|piece| walk.feed(piece, &mut recorder)).expect("an end");
            assert_eq!(recorder.trailing, tail, "{zeros} {step}");
        }
    }
}

#[test]
fn the_index_of_an_estargz_layer_is_nothing_odd() {
    let mut tar = vec![0; 1024];
    tar.extend_from_slice(b"stargz.index.json\0 and a table of contents");
    for cuts in [vec![], vec![1030], (0..tar.len()).collect()] {
        let end = walk(&tar, cuts).1.expect("an end");
        assert_eq!((end.trailing_nonzero, end.notes.len()), (42 - 1, 0));
    }
    tar[1024] = b'S';
    assert_eq!(walk(&tar, []).1.expect("an end").notes.len(), 1);
}
