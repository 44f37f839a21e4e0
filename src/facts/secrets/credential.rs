//! A credential that stands in a text: its place and what it is given to. Never its value.

use std::ops::Range;

/// A credential in a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Credential {
    /// The bytes of the value, quotes left out.
    pub at: (usize, usize),
    /// What it is given to: a variable, an option, `Authorization header`, `URL of host`.
    pub name: String,
}

impl Credential {
    /// The value's place.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.at.0..self.at.1
    }
}
