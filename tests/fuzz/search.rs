//! The search with all rules, generic assignments and other writings: any text around a planted token is searched the same
//! at once, in blocks and slowly; what is found lies in the file; no eight bytes of the token are shown.
#![no_main]

#[path = "../shared/packing.rs"]
mod packing;
#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "../shared/same.rs"]
mod same;
mod seeds;

use libfuzzer_sys::fuzz_target;
use plimsoll::facts::secrets::{Patterns, Redactor, generate};
use plimsoll::rule::RuleSet;
use std::sync::LazyLock;

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| RuleSet::builtin().expect("rules").patterns().expect("secrets"));

/// Tokens to plant, each with the hash it is known by.
static TOKENS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let rules = PATTERNS.rules().iter().filter(|rule| rule.spec.structure.is_none());
    let tokens = rules.filter_map(|rule| generate(&PATTERNS, &rule.name, 1));
    let hashed = |token: String| Some((same::at_once(&PATTERNS, token.as_bytes()).first()?.secret.hash.clone(), token));
    tokens.filter_map(hashed).map(|(hash, token)| (token, hash)).collect()
});

fuzz_target!(init: seeds::write(), |data: &[u8]| {
    let Some((&[token, place, block, padding], text)) = data.split_first_chunk::<4>() else { return };
    let (token, hash) = &TOKENS[usize::from(token) % TOKENS.len()];
    // One in four goes over several blocks.
    let padding = if padding % 4 == 0 { usize::from(padding) << 7 } else { 0 };
    let at = usize::from(place) * text.len() / 256;
    let behind = if place % 2 == 0 { token.as_bytes() } else { b"" };
    let line = b"a line of text\n".iter().copied().cycle().take(padding);
    let file: Vec<u8> = text[..at].iter().copied().chain(line).chain(behind.to_vec()).chain(text[at..].to_vec()).collect();
    let hits = same::at_once(&PATTERNS, &file);
    assert_eq!(hits, same::slowly(&PATTERNS, &file));
    assert_eq!(hits, same::in_blocks(&PATTERNS, &file, &[1 + 16 * usize::from(block), 3000]));
    for hit in &hits {
        assert!(hit.offset < file.len() as u64, "{hit:?}");
        if hit.line > 0 && !hit.detail.contains("in ") {
            let before = &file[..hit.offset as usize];
            assert_eq!(hit.line as usize, 1 + before.iter().filter(|byte| **byte == b'\n').count(), "{hit:?}");
        }
    }
    // What only its name tells is for others to mask: they know what is a name in a text.
    let typed = |hit: &plimsoll::facts::secrets::Hit| hit.secret.hash == *hash && hit.rule != "generic-credential";
    if !behind.is_empty() && hits.iter().any(typed) {
        let shown = format!("{hits:?}");
        // What a literal of a rule says is public, and what the text says by itself is no secret.
        let public = |piece: &str| {
            let literals = PATTERNS.rules().iter().flat_map(|rule| rule.spec.tokens.iter().chain([&rule.name]));
            literals.into_iter().any(|literal| literal.contains(piece))
        };
        for piece in token.as_bytes().windows(8).map(String::from_utf8_lossy) {
            assert!(!shown.contains(&*piece) || public(&piece), "{piece} in {shown}");
        }
        if let Ok(text) = std::str::from_utf8(&file) {
            let masked = Redactor::new(&PATTERNS).redact(text);
            assert!(!masked.contains(&**token), "the token is shown");
        }
    }
});
