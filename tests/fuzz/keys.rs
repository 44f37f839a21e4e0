//! Readers of private keys and key stores: any bytes are read the same at once, in blocks and slowly; what is found lies in
//! the file; and none of a key's own lines is shown.
#![no_main]

#[path = "../shared/packing.rs"]
mod packing;
#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "../shared/same.rs"]
mod same;
mod seeds;

use libfuzzer_sys::fuzz_target;
use plimsoll::facts::Body;
use plimsoll::facts::secrets::{Patterns, may_be_store, unlock};
use plimsoll::rule::RuleSet;
use std::sync::{Arc, LazyLock};

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let all = RuleSet::builtin().expect("rules").patterns().expect("secrets");
    let keys: Vec<_> = all
        .rules()
        .iter()
        .filter(|rule| rule.spec.structure.is_some() && rule.name != "generic-credential")
        .cloned()
        .collect();
    Patterns::new(&keys).expect("rules of keys")
});

fuzz_target!(init: seeds::write(), |data: &[u8]| {
    let Some((&block, file)) = data.split_first() else { return };
    let mut hits = same::at_once(&PATTERNS, file);
    assert_eq!(hits, same::slowly(&PATTERNS, file));
    assert_eq!(hits, same::in_blocks(&PATTERNS, file, &[1 + usize::from(block), 5000]));
    for hit in &hits {
        assert!(hit.offset < file.len() as u64, "{hit:?}");
        // Names that their owners gave to keys are told, in quotes.
        let shown: String = format!("{hit:?}").split('\'').step_by(2).collect();
        // Long runs of base64 are what keys are made of; a fingerprint is none of the file's.
        let runs = file.split(|byte| !(byte.is_ascii_alphanumeric() || b"+/=".contains(byte)));
        for piece in runs.filter(|run| run.len() >= 60).flat_map(|run| run.windows(16)) {
            let piece = String::from_utf8_lossy(piece);
            assert!(!shown.contains(&*piece), "{piece} in {shown}");
        }
    }
    let head = &file[..file.len().min(plimsoll::facts::secrets::STORE_HEAD)];
    if may_be_store(head) {
        let before = hits.clone();
        let store = Body { entry: 0, bytes: Arc::from(file), whole: true };
        unlock(&mut hits, &[store], PATTERNS.rules());
        assert!(hits.len() <= before.len() + 1 && hits.is_sorted());
        assert!(before.iter().all(|hit| hits.iter().any(|other| other.secret.hash == hit.secret.hash)));
    }
});
