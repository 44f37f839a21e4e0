//! The table of checks: a name that rule files use, and the function behind it.

use crate::facts::Facts;
use crate::model::{Confidence, Location, SecretInfo, Severity};

/// A rule's parameters: the `[params]` table of its file, with the user's values over it.
pub type Params = toml::Table;

/// A check: looks at facts and says what it finds.
pub type CheckFn = fn(&Facts, &Params, &mut Sink);

/// What a check has to say. The engine joins it with the rule's name, severity and confidence.
#[derive(Debug)]
pub struct Sink {
    /// In the order said.
    pub found: Vec<Found>,
    /// What could not be told: place and sentence.
    pub gaps: Vec<(Location, String)>,
    /// How many of each are kept: an image can be made so that a rule finds millions.
    most: usize,
    /// What was said and not kept.
    cut: Cut,
    /// Takes what is said behind the limit.
    spare: Found,
}

/// What a [`Sink`] did not keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// Findings.
    pub found: usize,
    /// Gaps.
    pub gaps: usize,
}

/// A finding in the making.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Where.
    pub at: Location,
    /// One sentence.
    pub message: String,
    /// What it is about, stable over rebuilds.
    pub target: String,
    /// Other places.
    pub also: Vec<Location>,
    /// Instead of the rule's.
    pub severity: Option<Severity>,
    /// Instead of the rule's.
    pub confidence: Option<Confidence>,
    /// For secrets.
    pub secret: Option<SecretInfo>,
}

impl Sink {
    /// A sink that keeps the first `most` findings and the first `most` gaps, and counts the rest.
    #[must_use]
    pub fn bounded(most: usize) -> Self {
        Self { found: Vec::new(), gaps: Vec::new(), most, cut: Cut::default(), spare: found(Location::Image) }
    }

    /// Says a finding about `target` at a place; the returned value takes what else is known.
    pub fn find(&mut self, at: Location, target: impl Into<String>, message: impl Into<String>) -> &mut Found {
        if self.found.len() >= self.most && self.is_full() {
            self.cut.found += 1;
            self.spare = found(at);
            return &mut self.spare;
        }
        self.found.push(Found { message: message.into(), target: target.into(), ..found(at) });
        self.found.last_mut().unwrap_or(&mut self.spare)
    }

    /// Whether there is no room even when what is said twice is said once. Asked again only when that made room.
    fn is_full(&mut self) -> bool {
        if self.cut.found == 0 {
            self.found.sort_by(|a, b| (&a.at, &a.target, &a.message).cmp(&(&b.at, &b.target, &b.message)));
            self.found.dedup();
        }
        self.found.len() > self.most / 2
    }

    /// Says that something could not be told.
    pub fn gap(&mut self, at: Location, reason: impl Into<String>) {
        if self.gaps.len() >= self.most {
            self.cut.gaps += 1;
            return;
        }
        self.gaps.push((at, reason.into()));
    }

    /// What was said and not kept.
    #[must_use]
    pub fn cut(&self) -> Cut {
        self.cut
    }
}

impl Default for Sink {
    /// A sink that keeps everything.
    fn default() -> Self {
        Self::bounded(usize::MAX)
    }
}

fn found(at: Location) -> Found {
    Found {
        at,
        message: String::new(),
        target: String::new(),
        also: Vec::new(),
        severity: None,
        confidence: None,
        secret: None,
    }
}
