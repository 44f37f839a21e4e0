//! Parsers of texts: config files by every name that the table knows, credentials in command lines, an image's config and
//! its metadata, the redactor. Places lie in the text and in order, and what is masked stays masked.
#![no_main]

#[path = "../shared/packing.rs"]
mod packing;
mod seeds;

use libfuzzer_sys::fuzz_target;
use plimsoll::facts::secrets::{Patterns, Redactor, credentials, in_config_file, is_config_file, metadata};
use plimsoll::image::{History, ImageConfig};
use plimsoll::model::{ImagePath, Limits};
use plimsoll::rule::RuleSet;
use std::sync::LazyLock;

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| RuleSet::builtin().expect("rules").patterns().expect("secrets"));

/// Paths that the table of config files knows.
static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let rows = [
        include_str!("../../src/facts/secrets/configs/rows/clients.rs"),
        include_str!("../../src/facts/secrets/configs/rows/clouds.rs"),
        include_str!("../../src/facts/secrets/configs/rows/frameworks.rs"),
        include_str!("../../src/facts/secrets/configs/rows/servers.rs"),
    ];
    let words = rows.iter().flat_map(|rows| rows.split('"').skip(1).step_by(2));
    let paths =
        words.flat_map(|word| [word.trim_start_matches('~').to_owned(), format!("root/{word}"), format!("x{word}")]);
    let known = |path: &String| is_config_file(&ImagePath::clamp(path.as_bytes()));
    let mut paths: Vec<String> = paths.filter(known).collect();
    paths.sort();
    paths.dedup();
    assert!(paths.len() > 100, "{} paths", paths.len());
    paths
});

fuzz_target!(init: seeds::write(), |data: &[u8]| {
    let Some((&[what, low], bytes)) = data.split_first_chunk::<2>() else { return };
    match what % 4 {
        0 | 1 => config_file(usize::from(what / 4) << 8 | usize::from(low), bytes),
        2 => command(bytes),
        _ => image(bytes),
    }
});

fn config_file(path: usize, bytes: &[u8]) {
    let path = &PATHS[path % PATHS.len()];
    let Some(file) = in_config_file(3, path.as_bytes(), bytes, true) else { return };
    assert_eq!(file.entry, 3);
    // Other texts are read as UTF-8 as well; places are those in what was read.
    let plain = std::str::from_utf8(bytes).ok().filter(|text| !text.contains(['\0', '\u{feff}']));
    for found in &file.secrets {
        assert!(found.line >= 1 && found.column >= 1 && found.at.start <= found.at.end);
        let Some(text) = plain else { continue };
        let value = text.get(found.at.clone()).expect("the value lies in the text");
        let before = &text[..found.at.start];
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        assert_eq!(found.line as usize, 1 + before.matches('\n').count(), "{path}");
        assert_eq!(found.column as usize, found.at.start - line + 1, "{path}");
        for piece in value.as_bytes().windows(8).map(String::from_utf8_lossy) {
            assert!(!found.secret.redacted.contains(&*piece), "{path}: {}", found.secret.redacted);
        }
    }
    assert!(file.secrets.is_sorted_by_key(|found| found.at.start));
}

fn command(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut end = 0;
    let found = credentials(&text);
    for credential in &found {
        let range = credential.range();
        assert!(range.start >= end && text.get(range.clone()).is_some_and(|value| !value.is_empty()), "{range:?}");
        end = range.end;
    }
    let masked = Redactor::new(&PATTERNS).masked(&text);
    let mut last = 0;
    for (place, _) in text.char_indices().chain([(text.len(), ' ')]) {
        let now = masked.place(place);
        assert!(now >= last && now <= masked.text.len() && masked.text.is_char_boundary(now), "{place} is at {now}");
        last = now;
    }
    for credential in found {
        let value = &text[credential.range()];
        if value.len() >= 16 && text.matches(value).count() == 1 && !value.contains(char::is_whitespace) {
            assert!(!masked.text.contains(value), "a credential of {} bytes is shown", value.len());
        }
    }
}

fn image(bytes: &[u8]) {
    let Ok(config) = ImageConfig::parse(bytes, &Limits::default()) else { return };
    let history = History::read(&config, 3);
    let redactor = Redactor::of_image(&config, &[], &PATTERNS);
    let (told, _) = metadata(&config, &history, &[], &PATTERNS);
    for told in told {
        assert!(told.range.start <= told.range.end);
        assert!(told.secret.redacted.len() < 200);
        let _ = redactor.redact(&told.detail);
    }
    for entry in &config.history {
        let _ = redactor.masked(&entry.created_by);
    }
}
