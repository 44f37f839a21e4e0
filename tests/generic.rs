//! The model for generic assignments against the labelled set in tests/generic: how much of it is found, and how much of
//! what is found is right. docs/generic-secrets.md tells the figures; this prints them:
//!
//!     cargo test --test generic -- --nocapture

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

#[path = "generic/values.rs"]
mod values;

use plimsoll::facts::secrets::generic::{Feature, HIGH, Judged, LOW, MEDIUM, judge_all};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use values::{Chance, value};

/// Lines of packages: label, kind, classes of values, source, line.
const LINES: &str = include_str!("generic/lines.tsv");
/// Ways to write a credential down: classes of values, line.
const SHAPES: &str = include_str!("generic/shapes.tsv");
/// Lines written by hand that look like credentials and give none away; nothing was fitted on them.
const LOOKALIKES: &str = include_str!("generic/lookalikes.txt");
/// How many values each line of [`SHAPES`] is tried with.
const TURNS: u64 = 6;

/// A line, and where in it a credential stands.
struct Sample {
    kind: String,
    /// Whether it is of the half that the weights were fitted on.
    fitted: bool,
    text: String,
    credential: Option<std::ops::Range<usize>>,
}

impl Sample {
    fn new(kind: &str, half: &str, line: &str, made: Option<String>) -> Self {
        let line = line.replace("\\n", "\n");
        let credential = made.as_ref().and_then(|made| line.find("{{V}}").map(|at| at..at + made.len()));
        let text = made.map_or(line.clone(), |made| line.replace("{{V}}", &made));
        // Both halves in equal parts, and all lines of one folder in the same.
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        half.bytes().for_each(|byte| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let fitted = Chance::new(hash).below(2) == 0;
        Self { kind: kind.to_owned(), fitted, text, credential }
    }

    /// The best that the model says of the credential, or of anything when there is none.
    fn judged(&self) -> Option<Judged> {
        let all = judge_all(self.text.as_bytes()).into_iter();
        let mine = |judged: &Judged| {
            self.credential.as_ref().is_none_or(|at| at.start < judged.value.end && judged.value.start < at.end)
        };
        all.filter(mine).max_by(|a, b| a.score.total_cmp(&b.score))
    }
}

fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for (row, seed) in LINES.lines().zip(1..) {
        let [label, kind, classes, source, line] = row.splitn(5, '\t').collect::<Vec<_>>()[..] else {
            panic!("five columns: {row}")
        };
        let made = (label == "1").then(|| value(classes, seed));
        samples.push(Sample::new(kind, source, line, made));
    }
    for (row, seed) in SHAPES.lines().zip(1..) {
        let (classes, line) = row.split_once('\t').expect("two columns");
        let kind = if classes.contains("human") { "password" } else { "key" };
        let kind = if line.contains("://") && line.contains("{{V}}@") { "url" } else { kind };
        for turn in 0..TURNS {
            samples.push(Sample::new(kind, line, line, Some(value(classes, seed * 1000 + turn))));
        }
    }
    samples
}

/// True and false alarms and what was missed.
#[derive(Default)]
struct Figures {
    found: usize,
    wrong: usize,
    missed: usize,
    lines: usize,
}

impl Figures {
    fn of<'a>(samples: impl Iterator<Item = &'a Sample>, least: f32) -> Self {
        let mut figures = Self::default();
        for sample in samples {
            let found = sample.judged().is_some_and(|judged| judged.score >= least);
            figures.lines += 1;
            match (sample.credential.is_some(), found) {
                (true, true) => figures.found += 1,
                (true, false) => figures.missed += 1,
                (false, true) => figures.wrong += 1,
                (false, false) => {}
            }
        }
        figures
    }

    fn precision(&self) -> f64 {
        self.found as f64 / (self.found + self.wrong).max(1) as f64
    }

    fn recall(&self) -> f64 {
        self.found as f64 / (self.found + self.missed).max(1) as f64
    }
}

#[test]
fn the_set_is_large_enough() {
    let samples = samples();
    assert!(samples.len() >= 2000);
    for fitted in [true, false] {
        for positive in [true, false] {
            let count = samples.iter().filter(|s| s.fitted == fitted && s.credential.is_some() == positive).count();
            assert!(count >= 500, "{fitted} {positive}: {count}");
        }
    }
}

#[test]
fn precision_and_recall_of_the_half_that_was_held_out() {
    let samples = samples();
    let mut table = String::new();
    for (name, fitted) in [("fitted", true), ("held out", false)] {
        let mut kinds: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
        for sample in samples.iter().filter(|sample| sample.fitted == fitted) {
            kinds.entry("all").or_default().push(sample);
            kinds.entry(&sample.kind).or_default().push(sample);
        }
        for (kind, samples) in kinds {
            for (grade, least) in [("low", LOW), ("medium", MEDIUM), ("high", HIGH)] {
                let figures = Figures::of(samples.iter().copied(), least);
                let (precision, recall) = (figures.precision(), figures.recall());
                writeln!(
                    table,
                    "| {name} | {kind} | {grade} | {} | {} | {precision:.3} | {recall:.3} |",
                    figures.lines,
                    figures.found + figures.missed,
                )
                .expect("a string");
            }
        }
    }
    println!("{table}");
    for (least, precision, recall) in [(LOW, 0.94, 0.90), (MEDIUM, 0.98, 0.73)] {
        let figures = Figures::of(samples.iter().filter(|sample| !sample.fitted), least);
        assert!(figures.precision() >= precision && figures.recall() >= recall, "{table}");
    }
}

#[test]
fn what_only_looks_like_a_credential() {
    let score = |line: &str| judge_all(line.as_bytes()).iter().map(|judged| judged.score).fold(0.0, f32::max);
    let wrong = |least: f32| LOOKALIKES.lines().filter(|line| score(line) >= least).collect::<Vec<_>>();
    let (all, low, medium) = (LOOKALIKES.lines().count(), wrong(LOW), wrong(MEDIUM));
    assert!(all >= 100 && low.len() * 20 <= all && medium.len() * 50 <= all, "{all} lines: {low:?}, {medium:?}");
}

#[test]
fn a_macro_of_c_is_no_comment() {
    for (line, comment) in
        [("#define API_KEY", false), ("# define API_KEY", false), ("#API_KEY =", true), ("# API_KEY =", true)]
    {
        let judged = judge_all(format!("{line} \"Zq8w{}Tn4\"\n", "k2mV7x").as_bytes());
        let features = judged.first().map(|judged| judged.features.contains(&Feature::CommentLine));
        assert_eq!(features, Some(comment), "{line}");
    }
}

#[test]
fn what_a_list_says_of_a_path_is_no_credential() {
    let score = |line: &str| judge_all(line.as_bytes()).iter().map(|judged| judged.score).fold(0.0, f32::max);
    let sum = "9f86d081884c7d659a2feaa0c55ad015";
    for path in ["/etc/pam.d/passwd", "/etc/pam.d/chpasswd", "usr/share/keys/api_token", "./secrets/db_password"] {
        for list in [format!(" {path} {sum}\n"), format!("{path}\t{sum} 644\n")] {
            assert!(score(&list) < LOW, "{list}");
        }
    }
    assert!(score(&format!("tool --db-password {sum}\n")) >= MEDIUM);
}

#[test]
#[ignore = "prints what fit.py reads"]
fn features() {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for sample in samples() {
        let label = u8::from(sample.credential.is_some());
        if let Some(judged) = sample.judged() {
            let features: Vec<String> = judged.features.iter().map(|feature| format!("{feature:?}")).collect();
            let half = if sample.fitted { "fitted" } else { "held" };
            let text = sample.text.replace(['\n', '\t'], " ");
            writeln!(out, "SAMPLE\t{label}\t{half}\t{:.3}\t{}\t{text}", judged.score, features.join(" "))
                .expect("written");
        }
        if label == 1 && sample.judged().is_none() {
            writeln!(out, "UNSEEN\t{}", sample.text.replace(['\n', '\t'], " ")).expect("written");
        }
    }
}

#[test]
#[ignore = "prints what collect.py reads; needs PLIMSOLL_CORPUS"]
fn candidates() {
    let folder = std::env::var_os("PLIMSOLL_CORPUS").expect("PLIMSOLL_CORPUS names a folder of unpacked packages");
    let mut files = Vec::new();
    collect(Path::new(&folder), &mut files);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for path in files {
        let Ok(file) = std::fs::read(&path) else { continue };
        if file[..file.len().min(8192)].contains(&0) {
            continue;
        }
        for judged in judge_all(&file) {
            let clean = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(['\t', '\r', '\n'], " ");
            let start = judged.value.start;
            let low = start.saturating_sub(300);
            let begin = file[low..start].iter().rposition(|&byte| byte == b'\n').map_or(low, |at| low + at + 1);
            let high = file.len().min(start + 400);
            let end = file[start..high].iter().position(|&byte| byte == b'\n').map_or(high, |at| start + at);
            let features: Vec<String> = judged.features.iter().map(|feature| format!("{feature:?}")).collect();
            writeln!(
                out,
                "{}\t{start}\t{:.3}\t{}\t{}\t{}\t{}\t{}",
                path.display(),
                judged.score,
                clean(&file[judged.name.clone()]),
                clean(&file[judged.value.clone()]),
                start - begin,
                clean(&file[begin..end]),
                features.join(" ")
            )
            .expect("written");
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}
