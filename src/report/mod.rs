//! Pure functions from a report's data into a writer: terminal, json, sarif. Nothing here looks at an image, and nothing
//! depends on clock, terminal or environment: what such things decide comes in as values.

mod escape;
pub mod files;
pub mod json;
mod markdown;
mod place;
mod sarif;
mod terminal;

pub use sarif::Sarif;
pub use terminal::Terminal;

use crate::image::{Digest, Platform};
use crate::model::{LayerIndex, Origin, RuleInfo};
use crate::policy::{Decision, Verdict};
use std::io;

/// Writes a report in one format.
pub trait Render {
    /// Writes the whole of `report`. Fails only when `out` does.
    fn render(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()>;
}

/// All that is said about the images of one invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who says it.
    pub tool: Tool,
    /// Every rule that was heard, whether it found something or not.
    pub rules: Vec<RuleInfo>,
    /// The images in the order asked for.
    pub images: Vec<ImageReport>,
    /// The images that could not be looked at, in the order asked for.
    pub errors: Vec<Failure>,
    /// What the pipeline is told.
    pub verdict: Verdict,
}

/// The program and its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The program's version.
    pub version: String,
    /// Digest over all rules that could run, `sha256:…`.
    pub rules_digest: String,
}

/// An image that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// As given.
    pub source: String,
    /// Why: names the thing, then the trouble.
    pub message: String,
}

/// One image and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReport {
    /// As given, normalised with its transport.
    pub source: String,
    /// Its tags.
    pub names: Vec<String>,
    /// `None` where no manifest exists.
    pub manifest_digest: Option<Digest>,
    /// Of the config's bytes.
    pub config_digest: Digest,
    /// Such as linux/amd64.
    pub platform: Platform,
    /// The config's `created`, as written.
    pub created: Option<String>,
    /// Who the image runs as.
    pub user: User,
    /// From the base up.
    pub layers: Vec<Layer>,
    /// Findings, gaps and notes after the policy.
    pub decision: Decision,
}

impl ImageReport {
    /// Shows `change` every text in it that comes from outside, but what the decision holds. Each part is named, so that a
    /// new one has to be thought of here.
    pub fn each_text(&mut self, mut change: impl FnMut(&mut String)) {
        let Self {
            source,
            names,
            manifest_digest: _,
            config_digest: _,
            platform: Platform { os, architecture, variant },
            created,
            user: User { config, uid: _, gid: _ },
            layers,
            decision: _,
        } = self;
        for layer in layers {
            let Layer { index: _, digest: _, diff_id: _, diff_id_checked: _, size: _, created_by, origin: _ } = layer;
            created_by.iter_mut().for_each(&mut change);
        }
        [source, os, architecture, variant, config].into_iter().chain(names).chain(created).for_each(change);
    }
}

/// The user of the config, resolved through the image's own account files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The config's `User`, as written; empty when unset.
    pub config: String,
    /// `None` when it cannot be known.
    pub uid: Option<u32>,
    /// `None` when it cannot be known.
    pub gid: Option<u32>,
}

/// A layer, for the list of layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Counts from 0 at the base.
    pub index: LayerIndex,
    /// Of the stored blob, where the source has one.
    pub digest: Option<Digest>,
    /// What the config promises of the decompressed layer.
    pub diff_id: Option<Digest>,
    /// Whether the layer is held against it.
    pub diff_id_checked: bool,
    /// Bytes as stored.
    pub size: u64,
    /// The history's `created_by`, secrets redacted; `None` when the history does not fit.
    pub created_by: Option<String>,
    /// Whose it is.
    pub origin: Origin,
}
