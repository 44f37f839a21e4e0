//! Secrets in bytes: one search over everything for the literals that tokens carry, then small verifiers driven by the
//! rule files' `[match.secret]` tables. Knows no layer, no path and no report; a secret never leaves this folder in the
//! clear.

mod configs;
mod credential;
mod credentials;
mod encode;
mod encoded;
mod entries;
mod extent;
mod finds;
mod generate;
pub mod generic;
mod inside;
mod keyed;
mod keys;
mod looks;
mod marks;
mod members;
mod metadata;
mod names;
mod pattern;
mod phrases;
mod pieces;
mod quotes;
mod redact;
mod search;
mod shell_input;
mod shell_options;
mod shell_words;
mod showing;
mod spec;
mod unpack;
mod values;
mod verify;

pub use configs::{
    CUT as CONFIG_CUT, ConfigFile, Configured, Form, HELD as CONFIG_HELD, in_file as in_config_file,
    is_known as is_config_file,
};
pub use credential::Credential;
pub use credentials::credentials;
pub(super) use encode::from_base64;
pub use entries::in_entries;
pub use extent::{Extent, tail};
pub(super) use finds::is_program;
pub use finds::{Finds, is_text_at};
pub use generate::generate;
pub use keys::{STORE, STORE_HEAD, STORES, may_be_store, unlock};
pub use metadata::{Told, metadata};
pub use names::is_secret_name;
pub use pattern::Patterns;
pub use redact::{Masked, Redactor, credential_info};
pub use spec::{Check, Companion, Inside, Left, SecretRule, SecretSpec, Structure};
pub use unpack::{CUT_SHORT, Unpacked, unpack};
pub use values::{is_placeholder, is_secret_value, without_quotes};

use crate::model::{Confidence, SecretInfo, Severity};
use std::collections::HashSet;

/// How far behind an anchor's beginning a verifier may look, bytes: a private key of 16384 bits in PEM, and more.
pub const AHEAD: usize = 16 << 10;

/// How far before it, bytes: what a JSON file of a service account holds beside its key.
pub(crate) const BEHIND: usize = 4 << 10;

/// The longest side of a template, and the widest neighbourhood, bytes.
pub(crate) const REACH: usize = 2 << 10;

/// How many bytes of the stream before a block the scan of that block has to see again.
pub const CARRY: usize = AHEAD + BEHIND;

/// Files of no more bytes lie whole in one block.
pub const WHOLE: usize = 128 << 10;

/// The rule of credentials that only a name tells.
pub const GENERIC: &str = "generic-credential";

/// A secret in a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The file's entry in its layer.
    pub entry: u32,
    /// Members of archives inside the file, outermost first; place, line and column are those in the innermost.
    pub inside: Vec<String>,
    /// Where it begins in the file, bytes.
    pub offset: u64,
    /// Line from 1; 0 when the file is not text.
    pub line: u32,
    /// Column from 1 in bytes; 0 when the file is not text, or the line is very long.
    pub column: u32,
    /// The rule that names this type of secret.
    pub rule: String,
    /// What may be said about it.
    pub secret: SecretInfo,
    /// Graded by structure and checksum.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// What the structure told, such as "checksum valid" or "encrypted", and where it stands when that is not the body;
    /// may be empty.
    pub detail: String,
    /// Whether the file is a program or a library (ELF, PE, Mach-O, ar), which may carry keys for its own tests.
    pub program: bool,
    /// Whether everybody knows it when it stands in a file just as a package ships it.
    pub public_in_packages: bool,
}

impl Hit {
    /// Whether it is a key or a password, which clean images hold by the dozen; tokens they do not, whoever ships them.
    #[must_use]
    pub fn is_key_or_password(&self) -> bool {
        matches!(&*self.rule, "private-key" | GENERIC)
    }

    /// Whether it is one inside a program, which is probably there for the program's own tests.
    #[must_use]
    pub fn may_test_its_program(&self) -> bool {
        self.program && self.is_key_or_password()
    }
}

/// Joins the hits of all levels of one file, the outermost first, sorted: what is found in a member is not told of the
/// archive's own bytes as well.
#[must_use]
pub fn deepest(levels: impl IntoIterator<Item = Vec<Hit>>) -> Vec<Hit> {
    let mut all: Vec<Hit> = Vec::new();
    for level in levels {
        let known: HashSet<(&str, &str)> = level.iter().map(|hit| (&*hit.rule, &*hit.secret.hash)).collect();
        all.retain(|hit| !known.contains(&(&*hit.rule, &*hit.secret.hash)));
        all.extend(level);
    }
    all.sort();
    all
}
