//! Stored bytes that are read by position, so that many threads can read one file, and that verify themselves. Knows
//! neither images nor archives.

use crate::image::Digest;
use sha2::{Digest as _, Sha256, Sha512};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A run of bytes in an open file.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub(super) file: Arc<File>,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// The stored bytes of a layer. They verify themselves: reading fails at their end, with an error that names both, when
/// they are not what the digest or size promises.
pub trait StoredLayer: Read + Send {
    /// Leaves the digest to the caller, who hashes the bytes itself; `None` when none is promised, or it was taken.
    fn take_digest(&mut self) -> Option<Promised> {
        None
    }
}

/// A digest that bytes have to turn out to have.
#[derive(Clone, Debug)]
pub struct Promised {
    name: String,
    digest: Digest,
}

impl Promised {
    /// `sha256` or `sha512`.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.digest.algorithm()
    }

    /// Fails with a sentence that names both when the bytes' digest is another one, or was not computed.
    pub fn check(&self, found: Option<&Digest>) -> Result<(), String> {
        let kept = match found {
            Some(found) => is_digest(&self.digest, found),
            None => Err(format!("digest {} cannot be computed", self.digest)),
        };
        kept.map_err(|what| format!("{}: {what}", self.name))
    }
}

fn is_digest(promised: &Digest, found: &Digest) -> Result<(), String> {
    if promised == found { Ok(()) } else { Err(format!("expected digest {promised}, got {found}")) }
}

/// What the bytes of a blob must turn out to be.
#[derive(Clone, Debug)]
pub(super) struct Promise {
    pub(super) digest: Digest,
    /// In bytes; `None` where only a digest is promised.
    pub(super) size: Option<u64>,
}

/// Reads an extent from its start and, when there is a promise, fails at its end if the bytes do not keep it.
pub(super) struct BlobReader {
    extent: Extent,
    at: u64,
    name: String,
    /// The size, if one is promised.
    promised: Option<u64>,
    digest: Option<(Digest, Hasher)>,
}

impl BlobReader {
    /// `name` is what errors call the bytes: `blob sha256:...`, `member 'x'`.
    pub(super) fn new(extent: Extent, name: String, promise: Option<Promise>) -> Self {
        let promised = promise.as_ref().and_then(|promise| promise.size);
        let digest = promise.map(|Promise { digest, .. }| {
            let hasher = Hasher::new(&digest);
            (digest, hasher)
        });
        Self { extent, at: 0, name, promised, digest }
    }

    fn fail(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {what}", self.name))
    }

    fn verify(&mut self) -> io::Result<()> {
        let size = std::mem::replace(&mut self.extent.size, self.at);
        let promised = self.promised.take();
        let digest = self.digest.take();
        let kept =
            is_size(promised, size).and_then(|()| digest.map_or(Ok(()), |(it, hash)| is_digest(&it, &hash.finish())));
        kept.map_err(|what| self.fail(&what))
    }
}

impl StoredLayer for BlobReader {
    fn take_digest(&mut self) -> Option<Promised> {
        self.digest.take().map(|(digest, _)| Promised { name: self.name.clone(), digest })
    }
}

fn is_size(promised: Option<u64>, size: u64) -> Result<(), String> {
    match promised {
        Some(expected) if expected != size => Err(format!("expected {expected} bytes, got {size}")),
        _ => Ok(()),
    }
}

/// Checks bytes in memory against a promise.
pub(super) fn check(promise: &Promise, bytes: &[u8]) -> Result<(), String> {
    let mut hasher = Hasher::new(&promise.digest);
    hasher.update(bytes);
    is_size(promise.size, bytes.len() as u64)?;
    is_digest(&promise.digest, &hasher.finish())
}

impl Read for BlobReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        // What is longer than promised is not read to its end to find that out.
        let left = self.extent.size.min(self.promised.unwrap_or(u64::MAX)).saturating_sub(self.at);
        if left == 0 {
            self.verify()?;
            return Ok(0);
        }
        let most = usize::try_from(left).map_or(into.len(), |left| left.min(into.len()));
        let read = self.extent.file.read_at(&mut into[..most], self.extent.offset + self.at)?;
        if read == 0 {
            return Err(self.fail(&format!("truncated: ends at byte {} of {}", self.at, self.extent.size)));
        }
        self.at += read as u64;
        if let Some((_, hasher)) = &mut self.digest {
            hasher.update(&into[..read]);
        }
        Ok(read)
    }
}

enum Hasher {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hasher {
    fn new(digest: &Digest) -> Self {
        match digest.algorithm() {
            "sha512" => Self::Sha512(Box::new(Sha512::new())),
            _ => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::sha256(&hasher.finalize().into()),
            Self::Sha512(hasher) => Digest::sha512(&hasher.finalize().into()),
        }
    }
}

/// The sha256 digest of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> Digest {
    Digest::sha256(&Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: &[u8], size: u64, promised: &[u8], promised_size: Option<u64>) -> (Vec<u8>, Option<String>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"before").unwrap();
        file.write_all(bytes).unwrap();
        let extent = Extent { file: Arc::new(file), offset: 6, size };
        let promise = Promise { digest: sha256(promised), size: promised_size };
        let mut reader = BlobReader::new(extent, "blob x".to_owned(), Some(promise));
        let mut out = Vec::new();
        let result = reader.read_to_end(&mut out);
        (out, result.err().map(|error| error.to_string()))
    }

    #[test]
    fn kept_and_broken_promises() {
        assert_eq!(read(b"abc", 3, b"abc", Some(3)), (b"abc".to_vec(), None));
        let (out, error) = read(b"abd", 3, b"abc", None);
        assert_eq!(out, b"abd");
        assert!(error.unwrap().starts_with("blob x: expected digest sha256:ba78"));
        assert_eq!(read(b"abc", 3, b"abc", Some(4)).1.unwrap(), "blob x: expected 4 bytes, got 3");
        let (out, error) = read(b"abcd", 4, b"abc", Some(3));
        assert_eq!((out, error.unwrap()), (b"abc".to_vec(), "blob x: expected 3 bytes, got 4".to_owned()));
        assert_eq!(read(b"abc", 5, b"abc", None).1.unwrap(), "blob x: truncated: ends at byte 3 of 5");
    }

    #[test]
    fn sha512_too() {
        let hex = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd\
                   454d4423643ce80e2a9ac94fa54ca49f";
        let promise = Promise { digest: Digest::parse(&format!("sha512:{hex}")).unwrap(), size: None };
        assert_eq!(check(&promise, b"abc"), Ok(()));
        assert!(check(&promise, b"abd").is_err());
    }
}
