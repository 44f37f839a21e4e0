//! Why a tar stream cannot be read on.

use std::fmt;
use std::io;

/// What stopped the walk, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TarError {
    /// The entry that was being read, counted from 0.
    pub entry: u32,
    /// Where its header stands (or what stands in a header's place), bytes of the decompressed stream.
    pub offset: u64,
    /// What is wrong.
    pub trouble: TarTrouble,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TarTrouble {
    /// The stream does not begin with a tar header; its first bytes, at most eight.
    NotTar(Box<[u8]>),
    /// The header's checksum is neither the unsigned nor the signed sum.
    Checksum,
    /// A numeric field (named) is neither octal nor base-256, or too large.
    Number(&'static str),
    /// The size is negative.
    NegativeSize,
    /// One block of zeros and then something else.
    LoneZeroBlock,
    /// The stream ends within this part.
    Truncated(&'static str),
    /// An extension header or sparse map is larger than the limit in bytes.
    ExtensionTooLong(u64),
    /// An extended header holds something that is no record `length key=value`.
    PaxRecord,
    /// The value of this key is no number.
    PaxValue(&'static str),
    /// The map of a sparse file is wrong in this way.
    SparseMap(&'static str),
    /// More entries than the limit.
    TooManyEntries(usize),
}

/// Why [`walk`](super::walk) failed.
#[derive(Debug)]
pub enum WalkError {
    /// The stream failed; content before the failure was walked.
    Read(io::Error),
    /// The stream is no tar from here on.
    Tar(TarError),
}

impl fmt::Display for TarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} at byte {}: {}", self.entry, self.offset, self.trouble)
    }
}

impl std::error::Error for TarError {}

impl fmt::Display for TarTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTar(first) => {
                f.write_str("not a tar header (first bytes")?;
                first.iter().try_for_each(|byte| write!(f, " {byte:02x}"))?;
                f.write_str(")")
            }
            Self::Checksum => f.write_str("the header's checksum does not match"),
            Self::Number(field) => write!(f, "the header's {field} is not a number"),
            Self::NegativeSize => f.write_str("the size is negative"),
            Self::LoneZeroBlock => f.write_str("one block of zeros followed by something else"),
            Self::Truncated(part) => write!(f, "the stream ends within {part}"),
            Self::ExtensionTooLong(limit) => write!(f, "extension header of more than {limit} bytes"),
            Self::PaxRecord => f.write_str("malformed record in an extended header"),
            Self::PaxValue(key) => write!(f, "the extended header's {key} is not a number"),
            Self::SparseMap(how) => write!(f, "sparse file: {how}"),
            Self::TooManyEntries(limit) => write!(f, "more than {limit} entries"),
        }
    }
}

impl fmt::Display for WalkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Tar(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WalkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            Self::Tar(error) => Some(error),
        }
    }
}

impl From<TarError> for WalkError {
    fn from(error: TarError) -> Self {
        Self::Tar(error)
    }
}
