//! The whole program, through its binary and its library: every door, hostile input, and what comes out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../shared/go.rs"]
mod go;
#[path = "../shared/packing.rs"]
mod packing;
#[path = "../shared/same.rs"]
mod same;
#[path = "../shared/sarif_schema.rs"]
mod sarif_schema;

mod demo;
mod digests;
mod doors;
mod entries;
mod faults;
mod hidden;
mod hostile;
mod image;
mod matrix;
mod outputs;
mod provenance;
mod run;
mod texts;

use std::path::{Path, PathBuf};

/// The folder of conformance inputs; `None` (and a word about it) when it is not here.
fn conformance() -> Option<PathBuf> {
    let given = std::env::var_os("PLIMSOLL_CONFORMANCE").map(PathBuf::from);
    let path = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"));
    if path.is_dir() {
        return Some(path);
    }
    println!("{} is missing: not tested", path.display());
    None
}
