//! Dockle's recorded answers (conformance folder `dockle`): every defect that it rightly names is named by a rule that
//! carries its code; what it says in error is not repeated. docs/dockle.md tells the differences.

use plimsoll::facts::secrets::Patterns;
use plimsoll::image::{Platform, Reference};
use plimsoll::model::{Limits, Outcome};
use plimsoll::rule::RuleSet;
use plimsoll::scan::{Reading, scan};
use plimsoll::source::{Choice, open};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

/// Codes with a rule of ours. CIS-DI-0005 tests the environment of the host, not the image.
const CODES: &[&str] = &[
    "CIS-DI-0001",
    "CIS-DI-0006",
    "CIS-DI-0007",
    "CIS-DI-0008",
    "CIS-DI-0009",
    "CIS-DI-0010",
    "DKL-DI-0001",
    "DKL-DI-0002",
    "DKL-DI-0003",
    "DKL-DI-0004",
    "DKL-DI-0005",
    "DKL-DI-0006",
    "DKL-LI-0001",
    "DKL-LI-0002",
    "DKL-LI-0003",
];

/// Cases in which Dockle was given options that set findings aside; ours is asked without them here.
const WITH_OPTIONS: &[&str] = &["env-accept-key", "file-accept-file", "file-accept-path"];

#[test]
fn every_code_has_its_rule() {
    let rules = RuleSet::builtin().expect("built-in rules");
    for code in CODES {
        assert!(!rules.find(code).is_empty(), "{code} has no rule");
    }
    assert!(rules.find("CIS-DI-0005").is_empty(), "content trust is no property of an image");
}

#[test]
fn what_dockle_rightly_names_is_named_and_nothing_else() {
    let Some(folder) = folder() else { return };
    let rules = RuleSet::builtin().expect("built-in rules");
    let patterns = rules.patterns().expect("patterns");
    let cases = std::fs::read_to_string(folder.join("cases.tsv")).expect("cases.tsv");
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for line in cases.lines().skip(1) {
        let [case, checkpoints, _, verdict] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let outcome = look(&folder.join("images").join(format!("{case}.tar")), &rules, &patterns);
        let ours = codes_of(&outcome, &rules);
        let theirs = codes_of_dockle(&folder.join("expected").join(format!("{case}.json")));
        let judged = judged(verdict);
        looked_at += 1;
        for code in CODES {
            let rightly = match judged.get(code) {
                Some(&"false-alarm") => false,
                Some(&("miss" | "leak")) => true,
                // A crash gave no answer to compare with.
                Some(&"crash") => continue,
                _ => theirs.contains(*code),
            };
            let is_about = checkpoints.split(' ').any(|about| about == *code);
            if rightly && !ours.contains(*code) {
                wrong.push(format!("{case}: {code} is not named"));
            } else if !rightly && ours.contains(*code) && is_about && !WITH_OPTIONS.contains(&case) {
                wrong.push(format!("{case}: {code} is named in error"));
            }
        }
        if judged.values().any(|word| *word == "leak") {
            wrong.extend(leaks(&outcome).into_iter().map(|secret| format!("{case}: '{secret}' is shown")));
        }
    }
    assert!(looked_at > 90, "only {looked_at} cases were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Secrets of the recorded histories that must not be shown, as far as the outcome shows them.
fn leaks(outcome: &Outcome) -> Vec<&'static str> {
    let shown = format!("{outcome:?}");
    ["hunter2example", "abcd1234efgh"].into_iter().filter(|secret| shown.contains(secret)).collect()
}

fn look(image: &Path, rules: &RuleSet, patterns: &Patterns) -> Outcome {
    let limits = Limits::default();
    let reference = Reference::parse(image).expect("a path");
    let choice = Choice { host: Platform::linux("x86_64"), ..Choice::default() };
    let source = open(&reference, &choice, &limits).unwrap_or_else(|error| panic!("{error}"));
    let progress = AtomicU64::new(0);
    let reading =
        Reading { hash_files: false, limits: &limits, threads: 1, patterns, content: true, progress: &progress };
    scan(&*source, rules, &|_| true, reading).outcome
}

fn codes_of(outcome: &Outcome, rules: &RuleSet) -> BTreeSet<String> {
    let of_rule = |name: &str| rules.find(name).into_iter().flat_map(|rule| rule.info.aliases.clone());
    outcome.findings.iter().flat_map(|finding| of_rule(&finding.rule)).collect()
}

/// What Dockle named; nothing where it crashed.
fn codes_of_dockle(file: &Path) -> BTreeSet<String> {
    let Ok(text) = std::fs::read_to_string(file) else { return BTreeSet::new() };
    let json: Value = serde_json::from_str(&text).expect("Dockle's JSON");
    let details = json["details"].as_array().cloned().unwrap_or_default();
    let counts = |detail: &&Value| detail["level"] != "SKIP";
    details.iter().filter(counts).filter_map(|detail| detail["code"].as_str().map(str::to_owned)).collect()
}

/// `miss CIS-DI-0001: why`, or several divided by `;`: the word by its code.
fn judged(verdict: &str) -> BTreeMap<&str, &str> {
    verdict
        .split(';')
        .filter_map(|part| {
            let (word, rest) = part.trim().split_once(' ')?;
            Some((rest.split(':').next()?.trim(), word))
        })
        .collect()
}

fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("PLIMSOLL_CONFORMANCE")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/conformance")), PathBuf::from);
    let folder = root.join("dockle");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("missing: {} (set PLIMSOLL_CONFORMANCE); Dockle's recorded answers were not compared", folder.display());
    None
}
