//! How fast the content scan is, one core: programs, text, and inputs made to be dense with candidates.
//!
//!     cargo bench --bench scan [-- FOLDER...]
//!
//! Says GB/s of processor time, the number of hits, and for dense inputs how many times more a byte costs than in text;
//! a figure counts only together with its hits. `ONLY=part` leaves out what is not called so.

#[path = "../shared/dense.rs"]
mod dense;

use dense::{CHANGING, PIECES, changing};
use plimsoll::facts::secrets::{CARRY, Extent, Finds, Patterns, SecretRule, generate, tail, unpack};
use plimsoll::layer::Memory;
use plimsoll::model::{Confidence, Limits, Severity};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Bytes of each kind, at most.
const MOST: usize = 256 << 20;
/// Bytes of a dense input.
const DENSE: usize = 16 << 20;
/// A block of the pipeline.
const BLOCK: usize = 256 << 10;
/// Files that count as text.
const TEXT: &[&str] = &["py", "js", "md", "json", "yaml", "yml", "ts", "txt", "go", "c", "h", "rs", "sh"];

/// Files, one behind another.
#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    files: Vec<Extent>,
}

impl Stream {
    fn add(&mut self, file: &[u8]) {
        let binary = !plimsoll::facts::secrets::is_text_at(0, file);
        let (at, len, entry) = (self.bytes.len(), file.len(), self.files.len() as u32);
        self.files.push(Extent { at, len, entry, file: 0, first: true, last: true, binary });
        self.bytes.extend_from_slice(file);
    }

    fn of(file: Vec<u8>) -> Self {
        let mut stream = Self::default();
        stream.add(&file);
        stream
    }

    /// Scans it block by block, and counts the hits.
    fn scan(&self, patterns: &Patterns) -> usize {
        let mut finds = Finds::default();
        let (mut at, mut first) = (0, 0);
        while at < self.bytes.len() {
            let end = (at + BLOCK).min(self.bytes.len());
            let from = at.saturating_sub(CARRY);
            while self.files[first].at + self.files[first].len <= from {
                first += 1;
            }
            let here: Vec<Extent> = self.files[first..].iter().take_while(|file| file.at < end).copied().collect();
            let mut extents = tail(&here, from);
            if let Some(file) = extents.last_mut().filter(|file| file.at + file.len > end - from) {
                file.len = end - from - file.at;
                file.last = false;
            }
            patterns.scan(&self.bytes[from..end], at - from, end == self.bytes.len(), &extents, &mut finds);
            at = end;
        }
        finds.hits(patterns.rules()).len()
    }
}

fn main() {
    let patterns = Patterns::new(&rules()).expect("rules compile");
    let folders: Vec<PathBuf> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).map(PathBuf::from).collect();
    let folders =
        if folders.is_empty() { vec!["/usr/lib".into(), "/usr/share".into(), "/usr/bin".into()] } else { folders };
    let (mut programs, mut text) = (Stream::default(), Stream::default());
    for folder in folders {
        collect(&folder, &mut programs, &mut text);
    }
    let token = generate(&patterns, "github-token", 1).expect("token");
    let key = generate(&patterns, "private-key", 1).expect("key");
    report(&patterns, "programs", || programs, None);
    let plain = measure("text", text.bytes.len(), None, || text.scan(&patterns));
    for piece in PIECES {
        report(&patterns, &format!("dense {piece:?}"), || Stream::of(dense(piece)), Some(plain));
    }
    anchors(&patterns, plain);
    report(&patterns, "dense tokens", || Stream::of(dense(&format!("{token} "))), Some(plain));
    let fakes = dense(&format!("ghp_{} ", "a1B2".repeat(9)));
    report(&patterns, "dense fake tokens", || Stream::of(fakes), Some(plain));
    report(&patterns, "dense keys", || Stream::of(dense(&key)), Some(plain));
    let broken = dense(&format!("{}\n", &key[..300]));
    report(&patterns, "dense broken keys", || Stream::of(broken), Some(plain));
    for (name, line) in CHANGING {
        report(&patterns, &format!("dense {name}"), || Stream::of(changing(line, DENSE)), Some(plain));
    }
    let mixed: Vec<&str> = PIECES.iter().copied().chain([&*token]).collect();
    report(&patterns, "dense pieces, all of them", || Stream::of(dense(&mixed.join(" "))), Some(plain));
    let wide: Vec<u8> = dense("db_password = x1y2z3\n").into_iter().flat_map(|byte| [byte, 0]).collect();
    report(&patterns, "dense assignments in UTF-16", || Stream::of(wide), Some(plain));
    let base64 = text.bytes[..DENSE.min(text.bytes.len()) / 4 * 3].chunks(57).fold(Vec::new(), |mut all, line| {
        all.extend(encode(line));
        all.push(b'\n');
        all
    });
    report(&patterns, "text in base64", || Stream::of(base64), Some(plain));
    let small: &[(&str, &[u8])] = &[
        ("gzip heads", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("zip heads", b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0a"),
        (
            "zip members",
            &b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\x05\0\0\0\x01\0\0\0\x01\0\0\0a\x4b\x04\0\0".repeat(12),
        ),
        ("gzip members of a byte", &gzip(b"x")),
        ("gzip in gzip in gzip", &gzip(&gzip(&gzip(b"x")))),
        ("many gzip members of a byte", &gzip(b"x").repeat(20)),
        ("bzip2 heads", b"BZh91AY&SY"),
        ("bzip2 members of a byte", &bzip2(b"x")),
        ("bzip2 members of a byte, many in one", &bzip2(b"x").repeat(12)),
        ("xz heads", b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46"),
        ("xz members of a byte", &xz(b"x", 6)),
        ("xz members of a byte, large window", &xz(b"x", 9)),
        ("lzma heads", b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0"),
        ("zstd members of a byte", &zstd::bulk::compress(b"x", 3).expect("memory")),
        ("zstd heads", b"\x28\xb5\x2f\xfd\x04\xa8\0\0"),
        ("lz4 heads", b"\x04\x22\x4d\x18\x64\x40\xa7\0\0\0\0"),
        ("tar heads", &tar(b"x")[..1024]),
        ("SQLite heads", &[&b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20"[..], &[0; 480]].concat()),
        ("cpio heads", &b"070701".repeat(19)),
        ("deb heads", b"!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n"),
        ("pyc heads", &[&b"\xcb\x0d\x0d\x0a\0\0\0\0"[..], &b"\xda\x08password\xda\x01x".repeat(30)].concat()),
    ];
    for (name, piece) in small {
        packed(&patterns, name, &tar(piece), plain);
    }
    packed(&patterns, "text", &tar(&text.bytes[..(1 << 20).min(text.bytes.len())]), plain);
}

/// Every anchor of the rules over and over, alone and behind a blank; tells the slowest ones.
fn anchors(patterns: &Patterns, plain: f64) {
    if std::env::var("ONLY").is_ok_and(|only| !"each anchor".contains(&only)) {
        return;
    }
    let mut all: Vec<String> = patterns.rules().iter().flat_map(|rule| &rule.spec.near).cloned().collect();
    for token in patterns.rules().iter().flat_map(|rule| &rule.spec.tokens) {
        let literals = token.split(['{', '}', '<', '>']).step_by(1).filter(|part| !part.contains(':'));
        all.extend(literals.max_by_key(|part| part.len()).filter(|part| part.len() > 2).map(str::to_owned));
    }
    all.sort();
    all.dedup();
    let all: Vec<String> = all
        .iter()
        .flat_map(|one| [one.clone(), format!("{one} "), format!("{one}0 "), format!("{one} = \"")])
        .collect();
    let cost = |piece: &String| {
        let stream = Stream::of(piece.repeat((1 << 20) / piece.len()).into_bytes());
        let each = (0..2).map(|_| {
            let begin = Clock::now();
            stream.scan(patterns);
            begin.seconds()
        });
        each.fold(f64::MAX, f64::min) / plain
    };
    let mut costs: Vec<(f64, &String)> = all.iter().map(|piece| (cost(piece), piece)).collect();
    costs.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!(
        "each anchor, {} of them: {} cost more than 3 times text",
        costs.len(),
        costs.iter().filter(|(times, _)| *times > 3.0).count()
    );
    for (times, piece) in &costs[..12] {
        println!("{times:>44.1} times text  {piece:?}");
    }
}

/// Tells a figure and the seconds that a megabyte takes.
fn report(patterns: &Patterns, name: &str, stream: impl FnOnce() -> Stream, plain: Option<f64>) {
    if std::env::var("ONLY").is_ok_and(|only| !name.contains(&only)) {
        return;
    }
    let stream = stream();
    measure(name, stream.bytes.len(), plain, || stream.scan(patterns));
}

/// The same for a tar that lies in a layer.
fn packed(patterns: &Patterns, name: &str, tar: &[u8], plain: f64) {
    let name = format!("a tar of {name}");
    if std::env::var("ONLY").is_ok_and(|only| !name.contains(&only)) {
        return;
    }
    let limits = Limits::default();
    measure(&name, tar.len(), Some(plain), || unpack(&mut &tar[..], 0, patterns, &limits, &Memory::new(0)).hits.len());
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn measure(name: &str, length: usize, plain: Option<f64>, mut run: impl FnMut() -> usize) -> f64 {
    let (mut best, mut hits) = (f64::MAX, 0);
    for _ in 0..3 {
        let begin = Clock::now();
        hits = run();
        best = best.min(begin.seconds());
    }
    let each = best / length as f64 * 1e6;
    let times = plain.map_or(String::new(), |plain| format!("{:5.1} times text", each / plain));
    println!("{:>8.3} GB/s {hits:>7} hits {times:>16}  {name} ({} MB)", 1e-3 / each, length >> 20);
    each
}

/// Processor time where the system tells it, else time.
enum Clock {
    Processor(u64),
    Wall(Instant),
}

impl Clock {
    fn now() -> Self {
        Self::spent().map_or_else(|| Self::Wall(Instant::now()), Self::Processor)
    }

    /// Nanoseconds that this process ran.
    fn spent() -> Option<u64> {
        std::fs::read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn seconds(&self) -> f64 {
        match self {
            Self::Processor(begin) => (Self::spent().unwrap_or(*begin) - begin) as f64 / 1e9,
            Self::Wall(begin) => begin.elapsed().as_secs_f64(),
        }
    }
}

fn dense(piece: &str) -> Vec<u8> {
    piece.repeat(DENSE / piece.len()).into_bytes()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn xz(bytes: &[u8], preset: u32) -> Vec<u8> {
    let mut encoder =
        lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(preset)).expect("options");
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A tar whose members are all `member`.
fn tar(member: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for _ in 0..(DENSE / 2 / (512 + member.len().next_multiple_of(512))).max(1) {
        let mut header = tar::Header::new_ustar();
        header.set_size(member.len() as u64);
        builder.append_data(&mut header, "member", member).expect("memory");
    }
    builder.into_inner().expect("memory")
}

fn encode(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    for three in bytes.chunks_exact(3) {
        let word = three.iter().fold(0u32, |word, &byte| word << 8 | u32::from(byte));
        out.extend((0..4).map(|digit| DIGITS[(word >> (18 - 6 * digit)) as usize & 63]));
    }
    out
}

fn collect(folder: &Path, programs: &mut Stream, text: &mut Stream) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (Ok(kind), path) = (entry.file_type(), entry.path()) else { continue };
        if kind.is_dir() {
            collect(&path, programs, text);
        } else if kind.is_file() && (programs.bytes.len() < MOST || text.bytes.len() < MOST) {
            let named = path.extension().and_then(|end| end.to_str()).is_some_and(|end| TEXT.contains(&end));
            let Ok(file) = std::fs::read(&path) else { continue };
            let program = file.starts_with(b"\x7fELF");
            let into = if program { &mut *programs } else { &mut *text };
            if (program || named) && !file.is_empty() && into.bytes.len() + file.len() < MOST {
                into.add(&file);
            }
        }
    }
}

fn rules() -> Vec<SecretRule> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/secrets");
    let mut rules = Vec::new();
    for file in std::fs::read_dir(folder).expect("rules").flatten() {
        let page = std::fs::read_to_string(file.path()).expect("text");
        let head = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("head");
        let head: toml::Table = head.parse().expect("TOML");
        if let Some(table) = head.get("match").and_then(|table| table.get("secret")).and_then(toml::Value::as_table) {
            let name = head["name"].as_str().expect("name");
            rules.push(SecretRule::read(name, Severity::High, Confidence::High, table).expect("[match.secret]"));
        }
    }
    rules
}
