//! How fast the content scan is, one core: programs, text, and inputs made to be dense with candidates.
//!
//!     cargo bench --bench scan [FOLDER...]
//!
//! Says GB/s and the number of hits for each kind; a figure counts only together with its hits.

use plimsoll::facts::secrets::{CARRY, Extent, Finds, Patterns, SecretRule, generate};
use plimsoll::model::{Confidence, Severity};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Bytes of each kind, at most.
const MOST: usize = 256 << 20;
/// A block of the pipeline.
const BLOCK: usize = 256 << 10;

fn main() {
    let patterns = Patterns::new(&rules()).expect("rules compile");
    let folders: Vec<PathBuf> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).map(PathBuf::from).collect();
    let folders =
        if folders.is_empty() { vec!["/usr/lib".into(), "/usr/share".into(), "/usr/bin".into()] } else { folders };
    let (mut programs, mut text) = (Vec::new(), Vec::new());
    for folder in folders {
        collect(&folder, &mut programs, &mut text);
    }
    let token = generate(&patterns, "github-token", 1).expect("token");
    let key = generate(&patterns, "private-key", 1).expect("key");
    let dense = |piece: &str| piece.repeat((32 << 20) / piece.len()).into_bytes();
    report(&patterns, "programs", &programs);
    report(&patterns, "text", &text);
    for piece in [
        "AKIA",
        "ghp_ ",
        "npm_ghp_",
        "-----BEGIN PRIVATE KEY-----",
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t\n",
        "sk-proj-",
        "T3BlbkFJ",
        "8Q~",
        "SG.",
        "password = x\n",
        "password = \"Zq8wk2mnv\"\n",
        "password",
        "key: a, ",
        "secret_token_key_password = ",
        "amqp://a:b@c ",
    ] {
        report(&patterns, &format!("dense {piece:?}"), &dense(piece));
    }
    report(&patterns, "dense tokens", &dense(&format!("{token} ")));
    report(&patterns, "dense fake tokens", &dense(&format!("ghp_{} ", "a1B2".repeat(9))));
    report(&patterns, "dense keys", &dense(&key));
    report(&patterns, "dense broken keys", &dense(&format!("{}\n", &key[..300])));
}

fn report(patterns: &Patterns, name: &str, bytes: &[u8]) {
    let mut best = f64::MAX;
    let mut hits = 0;
    for _ in 0..3 {
        let begin = Instant::now();
        let mut finds = Finds::default();
        let mut at = 0;
        while at < bytes.len() {
            let end = (at + BLOCK).min(bytes.len());
            let from = at.saturating_sub(CARRY);
            let extent = Extent {
                at: 0,
                len: end - from,
                entry: 0,
                file: from as u64,
                first: from == 0,
                last: end == bytes.len(),
                binary: false,
            };
            patterns.scan(&bytes[from..end], at - from, end == bytes.len(), &[extent], &mut finds);
            at = end;
        }
        hits = finds.hits(patterns.rules()).len();
        best = best.min(begin.elapsed().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let speed = bytes.len() as f64 / best / 1e9;
    println!("{speed:>8.3} GB/s {hits:>7} hits  {name} ({} MB)", bytes.len() >> 20);
}

fn collect(folder: &Path, programs: &mut Vec<u8>, text: &mut Vec<u8>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            collect(&entry.path(), programs, text);
        } else if kind.is_file() && (programs.len() < MOST || text.len() < MOST) {
            let Ok(file) = std::fs::read(entry.path()) else { continue };
            let into = if file.starts_with(b"\x7fELF") { &mut *programs } else { &mut *text };
            let binary = file.iter().take(8192).any(|&byte| byte == 0) && !file.starts_with(b"\x7fELF");
            if !binary && into.len() + file.len() < MOST {
                into.extend_from_slice(&file);
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
