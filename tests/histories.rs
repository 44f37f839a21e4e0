//! Histories that real builders wrote: every entry is read as the Dockerfile's instruction that made it.

use plimsoll::image::{History, ImageConfig, InstructionKind};
use plimsoll::model::Limits;
use std::fs;
use std::path::PathBuf;

/// The folder with the recorded histories; `None`, and a word about it, when it is missing.
fn histories() -> Option<PathBuf> {
    let folder = std::env::var_os("PLIMSOLL_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"), PathBuf::from);
    let folder = folder.join("histories");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("missing: {}; nothing tested", folder.display());
    None
}

#[test]
fn every_entry_is_its_instruction() {
    let Some(folder) = histories() else { return };
    let mut compared = 0;
    for case in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let dockerfile = fs::read_to_string(case.join("Dockerfile")).unwrap();
        let lines: Vec<&str> = dockerfile.lines().collect();
        for row in fs::read_to_string(case.join("lines.tsv")).unwrap().lines().skip(1) {
            let columns: Vec<&str> = row.split('\t').collect();
            let (builder, step, kind) = (columns[0], columns[1].parse::<usize>().unwrap(), columns[2]);
            let config = fs::read(case.join(format!("{builder}.json"))).unwrap();
            let config = ImageConfig::parse(&config, &Limits::default()).unwrap();
            let history = History::read(&config, config.diff_ids.len());
            let read = &history.steps[step];
            let place = format!("{} {builder} step {step}: {}", case.display(), read.entry.created_by);
            assert!(config.notes.is_empty(), "{place}: {:?}", config.notes);
            assert!(history.aligned, "{place}");
            assert_eq!(read.layer.is_some(), kind == "layer", "{place}");
            let Ok(line) = columns[3].parse::<usize>() else { continue };
            let word = lines[line - 1].split_whitespace().next().unwrap().to_uppercase();
            assert_eq!(format!("{:?}", read.instruction.kind).to_uppercase(), word, "{place}");
            if read.instruction.kind == InstructionKind::Run {
                assert!(!read.instruction.commands.is_empty(), "{place}");
            }
            compared += 1;
        }
    }
    assert!(compared > 300, "only {compared} entries");
}

/// What one instruction runs is the same whichever builder wrote it.
#[test]
fn builders_agree_on_commands() {
    let Some(folder) = histories() else { return };
    for case in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        // Only BuildKit knows here-documents, and buildah runs no triggers.
        if case.ends_with("run-heredoc") || case.ends_with("onbuild-child") {
            continue;
        }
        let runs = |builder: &str| -> Option<Vec<Vec<String>>> {
            let config = fs::read(case.join(format!("{builder}.json"))).ok()?;
            let config = ImageConfig::parse(&config, &Limits::default()).unwrap();
            let history = History::read(&config, config.diff_ids.len());
            let runs = history.steps.iter().filter(|step| step.instruction.kind == InstructionKind::Run);
            let programs = runs.map(|step| {
                step.instruction.commands.iter().map(|command| command.program().to_owned()).collect::<Vec<_>>()
            });
            // The exec form of a shell is one command more than the same text.
            Some(programs.map(|list| list.into_iter().filter(|program| program != "sh").collect()).collect())
        };
        let first = runs("buildkit").unwrap();
        for other in ["classic", "buildah"] {
            if let Some(runs) = runs(other) {
                assert_eq!(runs, first, "{} {other}", case.display());
            }
        }
    }
}
