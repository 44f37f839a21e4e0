//! What stops a command, in words for a person: `error: app.tar: not a container image` and, where there is advice, a
//! line `help: …`.

use crate::model::{system_says, visible_str};
use std::fmt::Write as _;
use std::io;

/// An error for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Names the thing, then the trouble.
    pub message: String,
    /// What to do about it; may have several lines.
    pub advice: Option<String>,
}

impl Problem {
    /// A problem without advice.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), advice: None }
    }

    /// The same with advice.
    pub(super) fn help(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// An error of the operating system about `thing`.
    pub(super) fn io(thing: &str, error: &io::Error) -> Self {
        Self::new(format!("{thing}: {}", system_says(error)))
    }

    /// Writes it to standard error. Nobody is left to tell when that fails.
    pub(super) fn print(&self) {
        self.print_as("error");
    }

    /// The same of what stops nothing.
    pub(super) fn note(&self) {
        self.print_as("note");
    }

    fn print_as(&self, kind: &str) {
        let mut text = format!("{kind}: {}\n", visible_str(&self.message));
        for line in self.advice.iter().flat_map(|advice| advice.lines()) {
            let _ = writeln!(text, "help: {}", visible_str(line));
        }
        let _ = io::Write::write_all(&mut io::stderr().lock(), text.as_bytes());
    }
}

impl From<crate::policy::UnknownRule> for Problem {
    fn from(unknown: crate::policy::UnknownRule) -> Self {
        Self::new(unknown.to_string()).help(unknown.advice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_read_like_ours() {
        let error = io::Error::from_raw_os_error(2);
        assert_eq!(Problem::io("app.tar", &error).message, "app.tar: no such file or directory");
    }
}
