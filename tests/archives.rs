//! Archives and compressed files inside layers: every format holds a token that is found in its member and line, at any
//! place of the stream, on any number of threads; and no input of any shape costs more than its budget or panics.

#[path = "shared/packing.rs"]
mod packing;

use packing::{Zip, bz2, cpio, deb, gz, lz4, rpm, tar, xz, zip, zst};
use plimsoll::facts::LayerFacts;
use plimsoll::facts::secrets::{Hit, Patterns, Unpacked, generate, unpack};
use plimsoll::layer::Memory;
use plimsoll::model::Limits;
use plimsoll::rule::RuleSet;
use plimsoll::scan::{Reading, read_layers};
use plimsoll::source::MemorySource;
use proptest::prelude::*;
use std::io::{Read, Write as _};
use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;

static PATTERNS: LazyLock<Patterns> =
    LazyLock::new(|| RuleSet::builtin().expect("rules").patterns().expect("patterns"));

fn token(seed: u64) -> String {
    generate(&PATTERNS, "github-token", seed).expect("token")
}

/// Numbers that look like chance, in hex, so that nothing compresses well: `length` bytes in lines.
fn noise(seed: u64, length: usize) -> String {
    let mut state = seed | 1;
    let mut line = 0;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            line = (line + 1) % 70;
            if line == 0 { '\n' } else { char::from(b"0123456789abcdef.,;:!? "[(state >> 40) as usize % 23]) }
        })
        .collect()
}

/// A text with a token on its second line, behind a line of `length` bytes.
fn secret(seed: u64, length: usize) -> Vec<u8> {
    let line = noise(seed, length).replace('\n', " ");
    format!("{line}\nx={}\n{}", token(seed), noise(seed + 1, length / 2)).into_bytes()
}

/// Every shape with a secret of number `seed` in it: its name, its bytes, the members the secret is in.
fn shapes(seed: u64, length: usize) -> Vec<(&'static str, Vec<u8>, Vec<&'static str>)> {
    shapes_of(&secret(seed, length), noise(seed + 7, length / 3).as_bytes())
}

/// Every shape with `text` in it, beside another file.
fn shapes_of(text: &[u8], other: &[u8]) -> Vec<(&'static str, Vec<u8>, Vec<&'static str>)> {
    let (text, other) = (|| text.to_vec(), || other.to_vec());
    let pair = || vec![("a/other", other()), ("a/b.properties", text())];
    let member = "a/b.properties";
    let inner = || zip(Zip::Deflated, &pair());
    vec![
        ("gzip", gz(&text()), vec![]),
        ("gzip of two members", [gz(&text()), gz(&other())].concat(), vec![]),
        ("gzip with bytes behind it", [gz(&text()), b"more".to_vec()].concat(), vec![]),
        ("bzip2", bz2(&text()), vec![]),
        ("xz", xz(&text()), vec![]),
        ("zstd", zst(&text()), vec![]),
        ("lz4", lz4(&text()), vec![]),
        ("tar", tar(&pair()), vec![member]),
        ("tar.gz", gz(&tar(&pair())), vec![member]),
        ("two tars", [tar(&[("x", other())]), tar(&pair())].concat(), vec![member]),
        ("zip", zip(Zip::Deflated, &pair()), vec![member]),
        ("stored zip", zip(Zip::Stored, &pair()), vec![member]),
        ("streamed zip", zip(Zip::Streamed, &pair()), vec![member]),
        ("streamed and stored zip", zip(Zip::StreamedStored, &pair()), vec![member]),
        ("jar in jar", zip(Zip::Deflated, &[("x", other()), ("lib/i.jar", inner())]), vec!["lib/i.jar", member]),
        ("jar stored in jar", zip(Zip::Stored, &[("lib/i.jar", inner()), ("x", other())]), vec!["lib/i.jar", member]),
        (
            "four deep",
            zip(Zip::Deflated, &[("1", zip(Zip::Stored, &[("2", zip(Zip::Streamed, &[("3", inner())]))]))]),
            vec!["1", "2", "3", member],
        ),
        (
            "deb",
            deb(&[("control.tar.gz", gz(&tar(&[("./x", other())]))), ("data.tar.xz", xz(&tar(&pair())))]),
            vec!["data.tar.xz", member],
        ),
        ("cpio", cpio(&pair()), vec![member]),
        ("cpio behind cpio", [cpio(&[("x", other())]), vec![0; 300], gz(&cpio(&pair()))].concat(), vec![member]),
        ("rpm", rpm(&zst(&cpio(&pair()))), vec![member]),
        ("apk", [gz(&tar(&[("x", b"signature".to_vec())])[..1024]), gz(&tar(&pair()))].concat(), vec![member]),
    ]
}

/// What the layers of `files` give.
fn read(layers: &[Vec<(&str, Vec<u8>)>], threads: usize, limits: &Limits) -> Vec<LayerFacts> {
    let layers: Vec<Vec<u8>> = layers.iter().map(|files| tar(files)).collect();
    let config = br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#;
    let source = MemorySource::new("x", Vec::new(), Vec::new(), config, layers, limits).expect("image");
    let progress = AtomicU64::new(0);
    let patterns = &*PATTERNS;
    read_layers(&source, Reading { limits, threads, patterns, content: true, hash_files: false, progress: &progress })
}

fn alone(file: &[u8], limits: &Limits) -> Unpacked {
    unpack(&mut &file[..], 0, &PATTERNS, limits, &Memory::new(0))
}

#[test]
fn a_token_in_every_shape_is_found_in_its_member_and_line() {
    // Small; with an edge of 64 KiB in it; with several of 256 KiB and one of 1 MiB.
    for (seed, length) in [(1, 20), (100, 65_500), (200, 700_000)] {
        let shapes = shapes(seed, length);
        let files: Vec<(&str, Vec<u8>)> = shapes.iter().map(|(name, bytes, _)| (*name, bytes.clone())).collect();
        let layers = read(&[files, vec![("later", b"x".to_vec())]], 1, &Limits::default());
        for ((name, _, inside), entry) in shapes.iter().zip(0..) {
            let hits: Vec<&Hit> = layers[0].hits.iter().filter(|hit| hit.entry == entry).collect();
            assert_eq!(hits.len(), 1, "{name} of {length}: {hits:?}");
            assert_eq!(
                (hits[0].inside.iter().map(|member| &**member).collect::<Vec<_>>(), hits[0].line),
                (inside.clone(), 2),
                "{name}"
            );
            assert_eq!(hits[0].column, if length < 1000 { 3 } else { hits[0].column }, "{name}");
            assert_eq!(hits[0].detail, "checksum valid", "{name}");
        }
        assert!(layers[0].gaps.is_empty(), "{:?}", layers[0].gaps);
    }
}

#[test]
fn threads_change_nothing() {
    let files = |seed, length| {
        let shapes = shapes(seed, length);
        shapes.into_iter().map(|(name, bytes, _)| (name, bytes)).collect::<Vec<_>>()
    };
    // Within a block, and over several: those of two layers wait for one another.
    let layers = [files(1, 90_000), files(300, 500_000), files(600, 400_000)];
    // With and without a limit that cuts some off.
    for limits in
        [Limits::default(), Limits { unpacked_least: 300_000, unpacked_image: 4_000_000, ..Limits::default() }]
    {
        let told = |threads| -> Vec<_> {
            let facts = read(&layers, threads, &limits).into_iter();
            facts.map(|facts| (facts.hits, facts.gaps, facts.remarks, facts.notes)).collect()
        };
        let one = told(1);
        assert_eq!(one[0].1.is_empty(), limits.unpacked_image > 4_000_000);
        for threads in [2, 8] {
            assert!(told(threads) == one, "{threads} threads");
        }
    }
}

#[test]
fn a_token_is_found_wherever_a_block_ends() {
    let name = "a/b.properties";
    for before in (65_536 - 400..65_536 + 40).step_by(37).chain(((1 << 20) - 120..(1 << 20) + 10).step_by(11)) {
        let text = format!("{}\nx={}\n", noise(3, before).replace('\n', " "), token(9)).into_bytes();
        let hits = alone(&zip(Zip::Deflated, &[("first", b"1".to_vec()), (name, text)]), &Limits::default()).hits;
        assert_eq!(hits.len(), 1, "{before}");
        assert_eq!((hits[0].offset, hits[0].line), (before as u64 + 3, 2));
    }
}

/// A database with a token that lies wherever it may within a row of several pages.
fn database(page: u32, before: usize, token: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.db");
    let db = rusqlite::Connection::open(&path).expect("a database");
    db.execute_batch(&format!(
        "PRAGMA page_size={page}; CREATE TABLE t (a TEXT, b TEXT); CREATE INDEX i ON t (b); INSERT INTO t VALUES ('x', 'y');"
    ))
    .expect("a table");
    let text = format!("{} {token} {}", noise(1, before), noise(2, 3000));
    db.execute("INSERT INTO t VALUES (?1, ?2)", [&text, &noise(3, 3 * page as usize + 1300 - before)]).expect("a row");
    drop(db);
    std::fs::read(&path).expect("a file")
}

/// Every page claims as many cells as can be written, and all of them are one.
#[test]
fn cells_of_a_database_that_overlap_cost_no_more_than_its_bytes() {
    let page = |begin: usize| {
        let mut page = vec![0; 512];
        page[begin..begin + 5].copy_from_slice(&[0x0d, 0, 0, 0xff, 0xff]);
        page[begin + 8..400].chunks_exact_mut(2).for_each(|pointer| pointer.copy_from_slice(&[1, 0x90]));
        // A payload of 1000 bytes, of which 39 are here, in row 1; it goes on in page 2.
        page[400..403].copy_from_slice(&[0x87, 0x68, 1]);
        page[442..446].copy_from_slice(&[0, 0, 0, 2]);
        page
    };
    let mut file = page(100);
    file[..18].copy_from_slice(b"SQLite format 3\0\x02\0");
    file.extend((1..2000).flat_map(|_| page(0)));
    let unpacked = alone(&file, &Limits::default());
    assert!((1..2 * file.len() as u64).contains(&unpacked.bytes), "{} of {}", unpacked.bytes, file.len());
}

#[test]
fn a_stream_of_bzip2_without_a_block_hides_none_behind_it() {
    let text = token(3);
    for before in [vec![bz2(b"")], vec![bz2(b""), bz2(b"")], vec![bz2(b"x"), bz2(b"")]] {
        let file = [before.concat(), bz2(text.as_bytes())].concat();
        assert_eq!(alone(&file, &Limits::default()).hits.len(), 1);
    }
}

#[test]
fn a_token_that_goes_over_pages_of_a_database_is_found() {
    for page in [512, 1024, 4096] {
        let mut in_pieces = 0;
        for before in (0..page as usize + 1200).step_by(29) {
            let token = token(before as u64);
            let bytes = database(page, before, &token);
            let layers = read(&[vec![("x.db", bytes.clone())]], 1, &Limits::default());
            assert_eq!(layers[0].hits.len(), 1, "{page} {before}: {:?}", layers[0].hits);
            let hit = &layers[0].hits[0];
            assert!(hit.detail == "checksum valid" && hit.inside[0].starts_with("page "), "{hit:?}");
            in_pieces += usize::from(memchr::memmem::find(&bytes, token.as_bytes()).is_none());
        }
        assert!(in_pieces > 0, "no token went over pages of {page}");
    }
    let mut large = database(512, 10, &token(1));
    large.resize(17 << 20, 0);
    let unpacked = alone(&large, &Limits::default());
    assert!(unpacked.notes.len() == 1 && unpacked.gaps.is_empty(), "{unpacked:?}");
    // The same page over and over.
    let mut circle = database(512, 900, &token(1));
    for at in (0..circle.len()).step_by(512).skip(1) {
        circle[at..at + 4].copy_from_slice(&3u32.to_be_bytes());
    }
    let _ = alone(&circle, &Limits::default());
}

#[test]
fn formats_that_are_not_read_are_told() {
    for (magic, name) in
        [(&b"7z\xbc\xaf\x27\x1c\0\x04"[..], "7z"), (b"Rar!\x1a\x07\x01\0", "rar"), (b"LZIP\x01", "lzip")]
    {
        let file = [magic, &[7; 600]].concat();
        let unpacked = alone(&zip(Zip::Deflated, &[("in/it", file)]), &Limits::default());
        assert_eq!(unpacked.gaps, [format!("!in/it: {name} is not unpacked")]);
    }
}

#[test]
fn a_program_with_a_zip_behind_its_first_line_is_unpacked() {
    let line = b"#!/usr/bin/env python3\n".to_vec();
    let program = [line, zip(Zip::Deflated, &[("__main__.py", secret(1, 50)), ("x", secret(2, 50))])].concat();
    let unpacked = alone(&program, &Limits::default());
    assert_eq!((unpacked.hits.len(), unpacked.gaps.len()), (2, 0), "{unpacked:?}");
    assert_eq!(unpacked.hits[0].inside, ["__main__.py"]);
}

#[test]
fn windows_in_windows_are_small() {
    let mut file = secret(1, 100);
    for _ in 0..4 {
        file = xz(&file);
    }
    assert_eq!(alone(&file, &Limits::default()).hits.len(), 1);
    // A dictionary of 64 MiB in another one.
    let mut options = lzma_rust2::XzOptions::with_preset(0);
    options.lzma_options.dict_size = 64 << 20;
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).expect("options");
    writer.write_all(&secret(1, 100)).expect("memory");
    let large = writer.finish().expect("memory");
    assert_eq!(alone(&large, &Limits::default()).hits.len(), 1);
    let unpacked = alone(&xz(&large), &Limits::default());
    assert_eq!((unpacked.hits.len(), unpacked.gaps.len()), (0, 1), "{unpacked:?}");
}

/// Zeros in gzip, made of members that each hold a mebibyte.
fn bomb(mebibytes: usize) -> Vec<u8> {
    gz(&vec![0; 1 << 20]).repeat(mebibytes)
}

#[test]
fn a_bomb_ends_by_its_budget_and_is_told() {
    let limits = Limits { unpacked_least: 1 << 20, unpacked_ratio: 50, ..Limits::default() };
    for bomb in [bomb(400), zip(Zip::Deflated, &[("z", bomb(200))]), gz(&bomb(300))] {
        let unpacked = alone(&bomb, &limits);
        assert!(unpacked.bytes <= (1 << 21) + 50 * bomb.len() as u64, "{} of {}", unpacked.bytes, bomb.len());
        assert_eq!(unpacked.gaps.len(), 1, "{:?}", unpacked.gaps);
        assert!(unpacked.notes.is_empty(), "{:?}", unpacked.notes);
    }
}

#[test]
fn nesting_without_end_ends_and_is_told() {
    let mut file = secret(1, 10);
    for _ in 0..30 {
        file = zip(Zip::Deflated, &[("r/r.zip", file)]);
    }
    let unpacked = alone(&file, &Limits::default());
    assert_eq!((unpacked.hits.len(), unpacked.gaps.len()), (0, 1), "{:?}", unpacked.gaps);
    assert!(unpacked.gaps[0].starts_with("!r/r.zip!r/r.zip!"), "{:?}", unpacked.gaps);
    let many: Vec<(&str, Vec<u8>)> = (0..2000).map(|_| ("m", b"x".to_vec())).collect();
    let unpacked = alone(&zip(Zip::Stored, &many), &Limits { archive_members: 1000, ..Limits::default() });
    assert!(unpacked.gaps[0].contains("more than 1000 members"), "{:?}", unpacked.gaps);
}

#[test]
fn what_lies_about_itself_hides_nothing_in_silence() {
    // Where the sizes of a member stand in its header.
    let sizes = 18..22;
    let files = [("a", b"first".to_vec()), ("b", secret(1, 50)), ("c", secret(2, 50))];
    for size in [0u32, 1, 7, 1 << 20, u32::MAX] {
        let mut deflated = zip(Zip::Deflated, &files);
        deflated[sizes.clone()].copy_from_slice(&size.to_le_bytes());
        let unpacked = alone(&deflated, &Limits::default());
        assert!(unpacked.hits.len() == 2 || !unpacked.gaps.is_empty(), "{size}: {unpacked:?}");
        let mut stored = zip(Zip::Stored, &[("a", vec![b'x'; 900]), ("b", gz(&secret(1, 50)))]);
        stored[sizes.clone()].copy_from_slice(&size.to_le_bytes());
        let unpacked = alone(&stored, &Limits::default());
        assert!(
            unpacked.hits.len() == 1 || !(unpacked.gaps.is_empty() && unpacked.notes.is_empty()),
            "{size}: {unpacked:?}"
        );
    }
}

#[test]
fn damage_is_a_note_and_what_stands_before_it_is_found() {
    for (name, bytes, _) in shapes(5, 3000) {
        for keep in [bytes.len() - 1, bytes.len() * 9 / 10, bytes.len() / 2, 40, 12] {
            let unpacked = alone(&bytes[..keep.min(bytes.len())], &Limits::default());
            assert!(unpacked.gaps.is_empty(), "{name}: {:?}", unpacked.gaps);
        }
    }
    let half = gz(&[secret(5, 100), noise(1, 9000).into_bytes()].concat());
    let unpacked = alone(&half[..half.len() / 2], &Limits::default());
    assert_eq!((unpacked.hits.len(), unpacked.notes.len()), (1, 1), "{unpacked:?}");
    let zipped = zip(Zip::Deflated, &[("a", [secret(5, 100), noise(1, 9000).into_bytes()].concat())]);
    let mut wrong = 0;
    for seed in 0..20 {
        let mut zipped = zipped.clone();
        zipped[3000..3900].copy_from_slice(noise(seed, 900).as_bytes());
        let unpacked = alone(&zipped, &Limits::default());
        assert_eq!(unpacked.hits.len(), 1, "{unpacked:?}");
        wrong += unpacked.notes.iter().filter(|note| note.contains("data is wrong")).count();
    }
    assert!(wrong > 0);
    // A tar that goes wrong behind its members, however much of it is read at a time.
    let broken = [tar(&[("a", secret(5, 100))])[..1024].to_vec(), vec![0; 512], vec![b'x'; 1024]].concat();
    for length in [[usize::MAX], [700], [512], [100]] {
        let mut reads = Reads(&broken, length.iter().cycle());
        let unpacked = unpack(&mut reads, 0, &PATTERNS, &Limits::default(), &Memory::new(0));
        assert_eq!((unpacked.hits.len(), unpacked.notes.len()), (1, 1), "{length:?}: {unpacked:?}");
    }
    let mut encrypted = zip(Zip::Stored, &[("a", secret(5, 100)), ("b", secret(6, 100))]);
    encrypted[6] |= 1;
    assert_eq!(alone(&encrypted, &Limits::default()).notes, ["!a: an encrypted member"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_damage_is_survived(
        shape in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let (_, mut bytes, _) = shape.get(&shapes(1, 2000)).clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let limits = Limits { unpacked_least: 1 << 20, ..Limits::default() };
        let first = alone(&bytes, &limits);
        prop_assert_eq!(&alone(&bytes, &limits), &first);
        bytes.truncate(cut.index(bytes.len()));
        let _ = alone(&bytes, &limits);
    }
}

/// Gives bytes in reads of these lengths, in turn.
struct Reads<'a>(&'a [u8], std::iter::Cycle<std::slice::Iter<'a, usize>>);

impl Read for Reads<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let most = self.1.next().map_or(1, |length| out.len().min(*length));
        self.0.read(&mut out[..most])
    }
}

/// The token in a line of text, in some writing.
fn written(seed: u64, writing: usize) -> Vec<u8> {
    let line = format!("GITHUB_TOKEN={} for the robot", token(seed));
    let base64 = |bytes: &[u8]| {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let digit =
            |bits: &[u8]| bits.iter().chain(&[0; 6]).take(6).fold(0, |digit, bit| digit << 1 | usize::from(*bit));
        bits.chunks(6).map(|bits| DIGITS[digit(bits)]).collect::<Vec<u8>>()
    };
    let each = |write: fn(u8) -> String| line.bytes().map(write).collect::<String>().into_bytes();
    match writing {
        0 => line.into_bytes(),
        1 => base64(line.as_bytes()),
        2 => base64(&base64(line.as_bytes())),
        3 => each(|byte| format!("{byte:02x}")),
        4 => each(|byte| format!("%{byte:02X}")),
        5 => each(|byte| format!("\\u{byte:04x}")),
        _ => line.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Wherever an archive stands in a layer, and however it is read, the same is found in it: the blocks of a layer cut it
    /// at any place.
    #[test]
    fn any_reads_and_any_place_of_an_archive_give_the_same(
        seed in 0u64..1000,
        shape in any::<prop::sample::Index>(),
        writing in 0usize..7,
        around in prop_oneof![20usize..3000, 20_000usize..400_000],
        before in 0usize..600_000,
        reads in prop::collection::vec(1usize..9000, 1..6),
        threads in 1usize..4,
    ) {
        let line = noise(seed, around).into_bytes();
        let text = [&line[..], b"\n", &written(seed, writing), b"\n", &line[..around / 3]].concat();
        let (name, bytes, inside) = shape.get(&shapes_of(&text, &line)).clone();
        let limits = Limits::default();
        let whole = alone(&bytes, &limits);
        prop_assert_eq!(whole.hits.len(), 1, "{} in {}: {:?}", writing, name, whole);
        prop_assert_eq!(&whole.hits[0].inside, &inside);
        let mut read_so = Reads(&bytes, reads.iter().cycle());
        prop_assert_eq!(&unpack(&mut read_so, 0, &PATTERNS, &limits, &Memory::new(0)), &whole, "{} in reads", name);
        let files = vec![("before", vec![b'-'; before]), (name, bytes), ("behind", b"x".to_vec())];
        let facts = read(&[files], threads, &limits);
        let hits: Vec<Hit> = facts[0].hits.iter().map(|hit| Hit { entry: 0, ..hit.clone() }).collect();
        prop_assert_eq!(&hits, &whole.hits, "{} behind {} bytes", name, before);
    }
}
