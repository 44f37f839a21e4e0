//! The fast search finds what the slow one does in every file of a folder: of clean packages, say. The folder is named by
//! `PLIMSOLL_CORPUS`; without one nothing is compared here (`tests/program/matrix.rs` and `tests/secrets.rs` always do).

#[path = "shared/same.rs"]
mod same;

use plimsoll::rule::RuleSet;
use rayon::prelude::*;
use same::Compared;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often the number of bytes so far is told.
const TOLD_EVERY: u64 = 256 << 20;

/// Every file of the folder, once each when hard links or copies give it several names.
#[test]
fn the_fast_way_finds_what_the_slow_one_does_in_a_folder() {
    let Some(folders) = std::env::var_os("PLIMSOLL_CORPUS") else {
        println!("PLIMSOLL_CORPUS names no folder: nothing is compared");
        return;
    };
    let patterns = RuleSet::builtin().expect("the built-in rules").patterns().expect("their secrets");
    let files: Vec<PathBuf> = std::env::split_paths(&folders).flat_map(files_under).collect();
    assert!(!files.is_empty(), "no files there");
    let known = Mutex::new(HashSet::new());
    let (copies, unread, told) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let compare = |path: &PathBuf| {
        let Ok(file) = std::fs::read(path) else {
            unread.fetch_add(1, Ordering::Relaxed);
            return Ok(Compared::default());
        };
        let before = told.fetch_add(file.len() as u64, Ordering::Relaxed);
        if before / TOLD_EVERY != (before + file.len() as u64) / TOLD_EVERY {
            println!("{} MB", (before + file.len() as u64) >> 20);
        }
        let digest: [u8; 32] = Sha256::digest(&file).into();
        if !known.lock().expect("no panic").insert(digest) {
            copies.fetch_add(1, Ordering::Relaxed);
            return Ok(Compared::default());
        }
        same::compare(&patterns, &file).map_err(|what| format!("{}: {what}", path.display()))
    };
    let results: Vec<Result<Compared, String>> = files.par_iter().map(compare).collect();
    let (compared, different): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let compared = compared.into_iter().flatten().fold(Compared::default(), Compared::and);
    let different: Vec<String> = different.into_iter().filter_map(Result::err).collect();
    println!(
        "{} names, {} copies, {} not read; {compared:?}; {} differ",
        files.len(),
        copies.into_inner(),
        unread.into_inner(),
        different.len()
    );
    assert!(different.is_empty(), "{} files differ:\n{}", different.len(), different.join("\n"));
}

/// The regular files under a folder, sorted; no link is followed.
fn files_under(folder: PathBuf) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    files
}
