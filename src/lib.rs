//! Plimsoll lints container images. The story in one line:
//!
//! open(reference) → Source → manifest, config → layers, in parallel → entries → facts → rules, in parallel → Outcome →
//! policy → Verdict → renderers, exit code.
//!
//! A folder is a floor; an import points down, never up (`tests/floors.rs`). See `docs/architecture.md`.

pub mod cli;
pub mod facts;
pub mod image;
pub mod layer;
pub mod model;
pub mod policy;
pub mod report;
pub mod rule;
pub mod scan;
pub mod source;
