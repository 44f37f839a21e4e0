//! A credential that stands in a text: its place and what it is given to. Never its value.

use super::values::{is_reference, is_secret_value};
use std::ops::Range;

/// Bytes of a value that are looked at to tell whether it is a credential. Every name before a long value asks anew.
pub(super) const JUDGED: usize = 1 << 10;

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

/// Beginnings of regular expressions.
const EXPRESSIONS: &[&str] = &[
    ".*", ".+", ".\\{", "[^", "[a-z", "[A-Z", "[0-9", "[[:", "(.", "([", "(?", "\\(", "\\S", "\\s", "\\w", "\\d",
    "\\1", "\\2",
];

/// [`is_secret_value`] by the beginning of a value; none is a regular expression, a reference out of another language, or
/// one that the shell leaves to others.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    let end = (0..=value.len().min(JUDGED)).rev().find(|&end| value.is_char_boundary(end)).unwrap_or(0);
    let value = &value[..end];
    let left = value.starts_with("\\$") && is_reference(value.trim_start_matches('\\'));
    let template = value.len() > 4 && value.starts_with("__") && value.ends_with("__");
    let environment = ["env.", "process.env", "os.environ", "os.getenv", "ENV["];
    let other = environment.iter().chain(EXPRESSIONS).any(|begin| value.starts_with(begin));
    !left && !template && !other && value != "$" && is_secret_value(name, value)
}
