//! What can be wrong with compressed bytes.

use std::fmt;
use std::io;

/// Trouble with the compressed stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What kind of trouble.
    pub kind: DecodeKind,
    /// Where in the stored bytes.
    pub offset: u64,
    detail: String,
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeKind {
    /// A checksum or length does not match, or is missing; all content was read.
    Integrity,
    /// The stream ends too early; all content up to there was read.
    Truncated,
    /// A format, or a feature of one, that is not read, or that passes a limit.
    Unsupported,
    /// The compressed data is wrong; content up to there was read.
    Corrupt,
}

impl DecodeError {
    pub(super) fn new(kind: DecodeKind, offset: u64, detail: impl Into<String>) -> Self {
        Self { kind, offset, detail: detail.into() }
    }

    /// The decoder's error inside `error`, when it is one.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at compressed byte {})", self.detail, self.offset)
    }
}

impl std::error::Error for DecodeError {}

impl From<DecodeError> for io::Error {
    fn from(error: DecodeError) -> Self {
        let kind = match error.kind {
            DecodeKind::Truncated => io::ErrorKind::UnexpectedEof,
            DecodeKind::Unsupported => io::ErrorKind::Unsupported,
            DecodeKind::Integrity | DecodeKind::Corrupt => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
