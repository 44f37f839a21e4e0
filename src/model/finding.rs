//! What a scan says: findings about the image, gaps about what was not looked at.

use super::Location;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// How bad a finding is. Ordered: `Info` is the least.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A fact worth knowing.
    Info,
    /// Untidy.
    Low,
    /// Should be mended.
    Medium,
    /// Must be mended before it ships.
    High,
    /// Must be mended now.
    Critical,
}

impl Severity {
    /// All severities, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// The word of the interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|severity| severity.name() == name).ok_or(())
    }
}

/// How sure a finding is (SARIF `precision`).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Might be something else.
    Low,
    /// Probably right.
    Medium,
    /// A fact.
    High,
}

impl Confidence {
    /// The word of the interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whose layer a finding stands in.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The base image's.
    Base,
    /// The image's own.
    Own,
    /// Cannot be told.
    #[default]
    Unknown,
}

impl Origin {
    /// The word of the interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Own => "own",
            Self::Unknown => "unknown",
        }
    }
}

/// What may be said about a secret. The secret itself is never kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretInfo {
    /// The type, such as `github-token`.
    pub kind: String,
    /// Prefix and length, such as `ghp_…(40)`.
    pub redacted: String,
    /// The first 16 hex digits of its SHA-256.
    pub hash: String,
}

/// A defect of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: Arc<str>,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One sentence that names the object and the trouble. Foreign text in it is quoted in '…'; secrets are redacted.
    pub message: String,
    /// Where.
    pub at: Location,
    /// Other places of the same defect, sorted.
    pub also: Vec<Location>,
    /// Whose layer `at` stands in.
    pub origin: Origin,
    /// What the finding is about, stable over rebuilds (a path, a variable's name, a user): the stuff of fingerprints.
    pub target: String,
    /// For secrets only.
    pub secret: Option<SecretInfo>,
}

/// Something that was not looked at. A scan with gaps is no pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gap {
    /// Where.
    pub at: Location,
    /// What was not looked at and why; names the object (digest, offset, limit).
    pub reason: String,
}

/// What a scan of one image found. Sorted: the same image gives the same outcome on any number of threads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Worst first, then by rule, place and message.
    pub findings: Vec<Finding>,
    /// By place, then reason.
    pub gaps: Vec<Gap>,
    /// Oddities that changed nothing that was looked at (layers that runtimes read differently, ...), as [`Gap`]s are written.
    pub notes: Vec<Gap>,
}

impl Outcome {
    /// Brings everything into its order and removes what is said twice.
    pub fn sort(&mut self) {
        self.findings
            .sort_by(|a, b| (b.severity, &a.rule, &a.at, &a.message).cmp(&(a.severity, &b.rule, &b.at, &b.message)));
        self.findings.dedup();
        self.gaps.sort();
        self.gaps.dedup();
        self.notes.sort();
        self.notes.dedup();
    }
}
