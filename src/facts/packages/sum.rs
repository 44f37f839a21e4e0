//! A sum that a package gives of one of its files, and whether a path it writes is the file's. Knows no package.

use crate::facts::content::Sums;
use crate::model::ImagePath;

/// A sum that a package gives of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    Md5([u8; 16]),
    Sha1([u8; 20]),
    Sha256([u8; 32]),
}

impl Sum {
    /// Reads hex digits; how many there are tells which sum it is.
    pub(super) fn from_hex(text: &[u8]) -> Option<Self> {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let bytes: Option<Vec<u8>> =
            text.chunks(2).map(|pair| Some((digit(pair[0])? << 4 | digit(*pair.get(1)?)?) as u8)).collect();
        Self::from_bytes(&bytes?)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            16 => bytes.try_into().ok().map(Self::Md5),
            20 => bytes.try_into().ok().map(Self::Sha1),
            32 => bytes.try_into().ok().map(Self::Sha256),
            _ => None,
        }
    }

    pub(super) fn fits(&self, content: &Sums) -> bool {
        match self {
            Self::Md5(sum) => *sum == content.md5,
            Self::Sha1(sum) => *sum == content.sha1,
            Self::Sha256(sum) => *sum == content.sha256,
        }
    }
}

/// Whether `written`, as a package writes the path of a file relative to the root, is the file at `path`: also when one of
/// both goes through a link of a merged /usr.
pub(super) fn is_at(written: &[u8], path: &ImagePath) -> bool {
    let bare = |text: &'_ [u8]| -> usize { if text.starts_with(b"usr/") { 4 } else { 0 } };
    let written = written.strip_prefix(b"./").unwrap_or(written);
    let written = written.strip_prefix(b"/").unwrap_or(written);
    let path = path.as_bytes().strip_prefix(b"/").unwrap_or_default();
    written == path || written[bare(written)..] == path[bare(path)..]
}
