//! What a row of the table of configuration files says.

use crate::model::Severity;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Sections, keys and values; between them one of these characters.
    Ini(&'static str),
    Properties,
    Dotenv,
    Json,
    Yaml,
    Xml,
    /// String literals in the source of a program.
    Source,
    Netrc,
    /// This field, from 0, of lines with at least so many, between colons.
    Colons(usize, usize),
    /// This field, from 0, of lines of words.
    Blanks(usize),
    /// A directive and a value on each line.
    Words,
    Ipsec,
    /// URLs, one a line.
    Urls,
    /// Commands, one a line.
    Commands,
    /// The whole file is the credential.
    Whole,
}

/// What the value of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// No credential, whatever its name promises.
    Nothing,
    /// A credential when its name and its value look so.
    Plain,
    /// A credential whatever the key is called.
    Secret,
    /// The same in base64.
    Base64,
    /// `user:password` in base64.
    Pair,
    /// `user:password`.
    Accounts,
    /// Hidden by a method without a secret.
    Obscured,
    /// In braces encrypted, else as it is.
    Braced,
    /// A name that lets in, unless it is one that every device is shipped with.
    Community,
    /// One of several that are made together; the first is told.
    Salt,
    /// A one-way hash.
    Hash,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    /// The last components of paths; `*` stands for any bytes in one. In any case of letters behind `~`.
    pub(super) files: &'static [&'static str],
    /// How it is written.
    pub(super) syntax: Syntax,
    /// What it holds, as part of a sentence.
    pub(super) what: &'static str,
    /// How bad.
    pub(super) severity: Severity,
    /// One of these stands in the file, and in YAML in the document; empty when any file will do.
    pub(super) needs: &'static [&'static str],
    /// The last components of the ways to values, between `/`, in any case; `*` stands for any bytes in one.
    pub(super) keys: &'static [(&'static str, Carries)],
    /// Whether other keys whose words promise a credential count, too.
    pub(super) judged: bool,
    /// Whether a file without a find is known to hold none.
    pub(super) certain: bool,
}

impl Row {
    /// Whether `text` says what a file of this row does.
    pub(super) fn takes(&self, text: &str) -> bool {
        self.needs.is_empty() || self.needs.iter().any(|word| text.contains(word))
    }
}

pub(super) const HIGH: Severity = Severity::High;
pub(super) const MEDIUM: Severity = Severity::Medium;

/// A file of a client whose keys are known.
pub(super) const fn known(
    files: &'static [&'static str],
    syntax: Syntax,
    what: &'static str,
    severity: Severity,
    keys: &'static [(&'static str, Carries)],
) -> Row {
    Row { files, syntax, what, severity, needs: &[], keys, judged: false, certain: true }
}

/// A file where the words of a key tell what it holds.
pub(super) const fn judged(
    files: &'static [&'static str],
    syntax: Syntax,
    what: &'static str,
    severity: Severity,
    keys: &'static [(&'static str, Carries)],
) -> Row {
    Row { files, syntax, what, severity, needs: &[], keys, judged: true, certain: false }
}

/// The same for a name that other files have, too.
pub(super) const fn needing(row: Row, needs: &'static [&'static str]) -> Row {
    Row { needs, ..row }
}

/// The same where a file without a find holds none.
pub(super) const fn certain(row: Row) -> Row {
    Row { certain: true, ..row }
}
