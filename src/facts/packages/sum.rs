//! A sum that a package gives of one of its files, and which file a path that it writes is. Knows no package.

use crate::facts::content::Sums;
use crate::model::ImagePath;
use std::collections::HashMap;

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

/// Files that are asked for, by how a package may write their paths: relative to the root, and with or without the `usr`
/// that a merged /usr puts before some.
pub(super) struct Wanted<'a>(HashMap<&'a [u8], Vec<&'a ImagePath>>);

impl<'a> Wanted<'a> {
    /// The files at `paths`.
    pub(super) fn new(paths: impl IntoIterator<Item = &'a ImagePath>) -> Self {
        let mut wanted: HashMap<&[u8], Vec<&ImagePath>> = HashMap::new();
        for path in paths {
            wanted.entry(bare(path.as_bytes())).or_default().push(path);
        }
        Self(wanted)
    }

    /// Those that a package writes so.
    pub(super) fn at(&self, written: &[u8]) -> &[&'a ImagePath] {
        self.0.get(bare(written)).map_or(&[], Vec::as_slice)
    }
}

fn bare(path: &[u8]) -> &[u8] {
    let path = path.strip_prefix(b"./").unwrap_or(path);
    let path = path.strip_prefix(b"/").unwrap_or(path);
    path.strip_prefix(b"usr/").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_as_packages_write_them() {
        let (merged, plain) = (ImagePath::from("/usr/lib/a"), ImagePath::from("/etc/b"));
        let wanted = Wanted::new([&merged, &plain]);
        for written in ["usr/lib/a", "lib/a", "/usr/lib/a", "./lib/a"] {
            assert_eq!(wanted.at(written.as_bytes()), [&merged], "{written}");
        }
        assert_eq!(wanted.at(b"/etc/b"), [&plain]);
        assert!(wanted.at(b"etc/bb").is_empty() && wanted.at(b"").is_empty());
    }

    #[test]
    fn digits_tell_the_sum() {
        let content = Sums::of(b"");
        assert!(Sum::from_hex(b"d41d8cd98f00b204e9800998ecf8427e").is_some_and(|sum| sum.fits(&content)));
        assert!(Sum::from_hex(b"da39a3ee5e6b4b0d3255bfef95601890afd80709").is_some_and(|sum| sum.fits(&content)));
        for bad in [&b""[..], b"d4", b"d41d8cd98f00b204e9800998ecf8427", b"x41d8cd98f00b204e9800998ecf8427e"] {
            assert_eq!(Sum::from_hex(bad), None);
        }
    }
}
