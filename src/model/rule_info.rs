//! What a report may say about a rule. How a rule works is not known here.

use super::{Confidence, Severity};
use std::fmt;
use std::str::FromStr;

/// The folder of `rules/` that a rule lives in.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Users and accounts.
    Identity,
    /// Ways to become root.
    Privilege,
    /// What runs.
    Process,
    /// What changes itself.
    Immutability,
    /// Credentials.
    Secrets,
    /// How the image was built.
    History,
    /// What should not be there.
    Minimality,
    /// The image config.
    Config,
    /// Where the image comes from.
    Provenance,
}

impl Group {
    /// All groups in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Identity,
        Self::Privilege,
        Self::Process,
        Self::Immutability,
        Self::Secrets,
        Self::History,
        Self::Minimality,
        Self::Config,
        Self::Provenance,
    ];

    /// The folder's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Privilege => "privilege",
            Self::Process => "process",
            Self::Immutability => "immutability",
            Self::Secrets => "secrets",
            Self::History => "history",
            Self::Minimality => "minimality",
            Self::Config => "config",
            Self::Provenance => "provenance",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Group {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|group| group.name() == name).ok_or(())
    }
}

/// Who wants to hear a rule. Ordered: an auditor hears everything.
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
pub enum Level {
    /// Everyone.
    #[default]
    Regular,
    /// Those who want it tidy.
    Pedantic,
    /// Those who must see every fact.
    Auditor,
}

impl Level {
    /// The word of the interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Pedantic => "pedantic",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A rule as reports show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its id: kebab-case, reads after "allow".
    pub name: String,
    /// Its group.
    pub group: Group,
    /// The severity that its findings have unless they say otherwise.
    pub severity: Severity,
    /// How sure its findings are.
    pub confidence: Confidence,
    /// Who hears it.
    pub level: Level,
    /// Other names that are accepted for it, Dockle's codes among them.
    pub aliases: Vec<String>,
    /// Benchmarks and documents.
    pub references: Vec<String>,
    /// The release that brought it.
    pub since: String,
    /// Its title: one line, no full stop.
    pub title: String,
    /// The first paragraph of its page, as one line of text.
    pub summary: String,
    /// The section "How to fix", Markdown.
    pub fix: String,
    /// The whole page below the head, Markdown.
    pub page: String,
}

impl RuleInfo {
    /// Whether `word` is this rule's name or one of its aliases (aliases without case).
    #[must_use]
    pub fn answers_to(&self, word: &str) -> bool {
        self.name == word || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(word))
    }
}
