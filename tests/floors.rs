//! The floors: a folder of `src/` may import only what stands below it (docs/architecture.md).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Who may use whom, within the crate.
const FLOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("image", &["model"]),
    ("layer", &["model"]),
    ("source", &["image", "model"]),
    ("facts", &["image", "layer", "model"]),
    ("rule", &["facts", "model"]),
    ("policy", &["model"]),
    ("report", &["image", "model", "policy"]),
    ("scan", &["source", "facts", "rule", "image", "layer", "model"]),
    ("cli", &["model", "image", "layer", "source", "facts", "rule", "policy", "report", "scan"]),
];

#[test]
fn imports_point_down() {
    let mut sources = BTreeMap::new();
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), "", &mut sources);
    let mut wrong = Vec::new();
    for (file, text) in &sources {
        let floor = file.split(['/', '.']).next().unwrap_or_default();
        let Some((_, below)) = FLOORS.iter().find(|(name, _)| *name == floor) else {
            assert!(matches!(floor, "lib" | "main" | "build"), "{file} stands on no floor");
            continue;
        };
        for (number, line) in (1..).zip(text.lines()) {
            for used in imported(line) {
                if used != floor && !below.contains(&used) && FLOORS.iter().any(|(name, _)| *name == used) {
                    wrong.push(format!("src/{file}:{number}: {floor} uses {used}"));
                }
            }
        }
    }
    assert!(sources.len() > 20, "the sources were not found");
    assert!(wrong.is_empty(), "imports that point up:\n{}", wrong.join("\n"));
}

#[test]
fn the_check_sees_an_import_that_points_up() {
    assert_eq!(imported("use crate::rule::RuleSet;").collect::<Vec<_>>(), ["rule"]);
    assert_eq!(imported("    let x = crate::cli::run(); crate::model::Gap").collect::<Vec<_>>(), ["cli", "model"]);
    assert_eq!(imported("use crate::{facts::Facts, model::Gap};").collect::<Vec<_>>(), ["facts", "model"]);
    assert_eq!(imported("// crate::cli is above").collect::<Vec<_>>(), Vec::<&str>::new());
}

/// The floors that a line names.
fn imported(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("crate::").flat_map(move |(at, _)| {
        let rest = &code[at + "crate::".len()..];
        let group = rest.strip_prefix('{').map(|inner| inner.split('}').next().unwrap_or(inner));
        // Of a plain path only the first word counts; of a group each member's.
        let most = if group.is_some() { usize::MAX } else { 1 };
        group.unwrap_or(rest).split(',').take(most).filter_map(|path| {
            path.trim().split(|c: char| !(c.is_alphanumeric() || c == '_')).next().filter(|word| !word.is_empty())
        })
    })
}

fn read(folder: &Path, prefix: &str, into: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("src is readable").flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{name}/"), into);
        } else if name.ends_with(".rs") {
            into.insert(name, fs::read_to_string(entry.path()).expect("a source is text"));
        }
    }
}
