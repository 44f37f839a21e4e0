//! Readers of archives and compressed files: any bytes are unpacked the same whatever the reads, within the budget, and
//! what is found is what a slow search of each member finds.
#![no_main]

#[path = "../shared/packing.rs"]
mod packing;
#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "../shared/same.rs"]
mod same;
mod seeds;

use libfuzzer_sys::fuzz_target;
use plimsoll::facts::secrets::{Patterns, Unpacked, unpack};
use plimsoll::layer::Memory;
use plimsoll::model::Limits;
use plimsoll::rule::RuleSet;
use std::io::Read;
use std::sync::LazyLock;

/// One type is enough to see what is reached.
static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let all = RuleSet::builtin().expect("rules").patterns().expect("secrets");
    let one: Vec<_> = all.rules().iter().filter(|rule| rule.name == "github-token").cloned().collect();
    Patterns::new(&one).expect("a rule")
});

/// Gives so many bytes at a time at most.
struct Reads<'a>(&'a [u8], usize);

impl Read for Reads<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let most = out.len().min(self.1);
        self.0.read(&mut out[..most])
    }
}

fn unpacked(file: &[u8], most: usize, limits: &Limits) -> Unpacked {
    unpack(&mut Reads(file, most), 0, &PATTERNS, limits, &Memory::new(0))
}

fuzz_target!(init: seeds::write(), |data: &[u8]| {
    let Some((&most, file)) = data.split_first() else { return };
    let limits = Limits { unpacked_least: 256 << 10, unpacked_ratio: 20, ..Limits::default() };
    let whole = unpacked(file, usize::MAX, &limits);
    let pieces = unpacked(file, 1 + usize::from(most), &limits);
    let cut = |unpacked: &Unpacked| unpacked.gaps.iter().any(|gap| gap.contains("the limit"));
    // Where a limit cuts depends on what was read so far.
    if !cut(&whole) && !cut(&pieces) {
        assert_eq!(whole, pieces);
        same::compare_members(&PATTERNS, file).expect("the same");
    }
    assert!(whole.bytes <= limits.unpacked_least + limits.unpacked_ratio * file.len() as u64 + (1 << 20));
});
