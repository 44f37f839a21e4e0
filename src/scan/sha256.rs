//! SHA-256 (FIPS 180-4) of two streams side by side: a core that waits for one's rounds has room for some of the other's.
//! The compression itself is sha2's.

use sha2::compress256;
use sha2::digest::block_buffer::{BlockBuffer, Eager};
use sha2::digest::generic_array::GenericArray;
use sha2::digest::generic_array::typenum::U64;

const BLOCK: usize = 64;

/// The state before the first block: the fractional parts of the square roots of the first eight primes.
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// A hash of what was added so far.
#[derive(Clone, Debug)]
pub struct Sha256 {
    state: [u32; 8],
    /// What does not fill a block yet.
    rest: BlockBuffer<U64, Eager>,
    /// In bytes.
    length: u64,
}

impl Sha256 {
    /// The hash of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { state: START, rest: BlockBuffer::default(), length: 0 }
    }

    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.rest.digest_blocks(bytes, |blocks| compress256(&mut self.state, blocks));
    }

    /// Adds `bytes` to this and `others` to the `other` hash, as far as that can be done side by side: so many of each,
    /// from their beginning.
    pub fn update_with(&mut self, bytes: &[u8], other: &mut Self, others: &[u8]) -> (usize, usize) {
        let (first, others_first) = (self.align(bytes), other.align(others));
        let (bytes, others) = (&bytes[first..], &others[others_first..]);
        let both = bytes.len().min(others.len()) / BLOCK * BLOCK;
        for (block, others_block) in bytes[..both].chunks_exact(BLOCK).zip(others[..both].chunks_exact(BLOCK)) {
            compress256(&mut self.state, std::slice::from_ref(GenericArray::from_slice(block)));
            compress256(&mut other.state, std::slice::from_ref(GenericArray::from_slice(others_block)));
        }
        self.length += both as u64;
        other.length += both as u64;
        (first + both, others_first + both)
    }

    /// Fills the block that was begun, if there is one; how many bytes that took.
    fn align(&mut self, bytes: &[u8]) -> usize {
        let begun = self.rest.get_pos();
        let missing = if begun == 0 { 0 } else { bytes.len().min(BLOCK - begun) };
        self.update(&bytes[..missing]);
        missing
    }

    /// The hash.
    #[must_use]
    pub fn finish(mut self) -> [u8; 32] {
        let bits = self.length.wrapping_mul(8);
        self.rest.len64_padding_be(bits, |block| compress256(&mut self.state, std::slice::from_ref(block)));
        let mut hash = [0; 32];
        for (bytes, word) in hash.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Digest as _;

    #[test]
    fn the_same_as_one_after_the_other() {
        let bytes: Vec<u8> = (0..1000u32).map(|i| (i * 7 % 251) as u8).collect();
        for (a, b) in [(0, 0), (1, 63), (64, 64), (128, 65), (55, 999), (640, 1000), (1000, 64)] {
            let (mut one, mut two) = (Sha256::new(), Sha256::new());
            let mut add = |bytes: &[u8], others: &[u8]| {
                let (taken, others_taken) = one.update_with(bytes, &mut two, others);
                one.update(&bytes[taken..]);
                two.update(&others[others_taken..]);
            };
            add(&bytes[..a], &bytes[1000 - b..]);
            // Now neither need be aligned.
            add(&bytes[..b], &bytes[..a]);
            let whole = |parts: [&[u8]; 2]| -> [u8; 32] { sha2::Sha256::digest(parts.concat()).into() };
            assert_eq!(one.finish(), whole([&bytes[..a], &bytes[..b]]), "{a} {b}");
            assert_eq!(two.finish(), whole([&bytes[1000 - b..], &bytes[..a]]), "{a} {b}");
        }
    }
}
