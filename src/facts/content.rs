//! What bytes a file has, by the sums that packages give of theirs. Knows no package.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The sums of a file's whole content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sums {
    /// MD5, which dpkg and old rpm packages give.
    pub md5: [u8; 16],
    /// SHA-1, which apk gives.
    pub sha1: [u8; 20],
    /// SHA-256, which rpm packages and Python's wheels give.
    pub sha256: [u8; 32],
}

impl Sums {
    /// Those of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut summing = Summing::default();
        summing.add(bytes);
        summing.finish()
    }
}

/// Sums of bytes that come in pieces.
#[derive(Clone, Debug, Default)]
pub struct Summing {
    md5: Md5,
    sha1: Sha1,
    sha256: Sha256,
}

impl Summing {
    /// More bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha1.update(bytes);
        self.sha256.update(bytes);
    }

    /// The sums of all of them.
    #[must_use]
    pub fn finish(self) -> Sums {
        Sums {
            md5: self.md5.finalize().into(),
            sha1: self.sha1.finalize().into(),
            sha256: self.sha256.finalize().into(),
        }
    }
}
