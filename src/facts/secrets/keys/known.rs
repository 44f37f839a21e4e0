//! Private keys that everybody has: those of test suites, documents and standards. The list is made by
//! tests/secrets/harvest-test-keys.sh; a line is the first eight bytes of a SHA-256, in hex: of a key's bytes, or of its
//! public half.

use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// The list as it is written.
pub(in super::super) const DIGESTS: &str = include_str!("known.txt");

static KNOWN: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let lines = DIGESTS.lines().filter(|line| !line.starts_with('#'));
    let mut known: Vec<u64> = lines.filter_map(|line| u64::from_str_radix(line.trim(), 16).ok()).collect();
    known.sort_unstable();
    known
});

/// Whether these are the bytes of a key on the list, or of its public half.
pub(super) fn is_known(bytes: &[u8]) -> bool {
    let sum: [u8; 32] = Sha256::digest(bytes).into();
    let head = sum.first_chunk().map_or(0, |head| u64::from_be_bytes(*head));
    KNOWN.binary_search(&head).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_every_line_counts() {
        let lines: Vec<&str> = DIGESTS.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.is_sorted() && lines.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(lines.iter().all(|line| line.len() == 16));
        assert_eq!(KNOWN.len(), lines.len());
        assert!(!is_known(b"nobody's key"));
    }
}
