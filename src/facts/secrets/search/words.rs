//! Finds the words of vendors in any case. Such words are of common letters, so that a filter by single bytes would let
//! half of all text through: every second place is looked at, and the four bytes there have to be some of a word.

/// Every so many bytes a look.
const STRIDE: usize = 2;
const GRAM: usize = 4;
/// The shortest word that no stride steps over.
pub(in super::super) const LEAST: usize = GRAM + STRIDE - 1;
/// Sets the bit that lower-case letters have and upper-case ones lack.
const FOLD: u8 = 0x20;

/// All words, ready to be searched for.
#[derive(Clone, Debug)]
pub(in super::super) struct Words {
    /// The words, folded.
    folded: Vec<Vec<u8>>,
    /// A bit for each hash of four bytes near the beginning of a word.
    hashes: Box<[u64; 1024]>,
    /// The hash, how far behind the beginning of which word; sorted.
    grams: Vec<(u16, u8, u32)>,
}

impl Words {
    /// A search for `words`, none shorter than [`LEAST`].
    pub(in super::super) fn new(words: &[Vec<u8>]) -> Self {
        let words: Vec<Vec<u8>> =
            words.iter().map(|word| word.iter().map(|byte| byte | FOLD).collect::<Vec<u8>>()).collect();
        let mut grams = Vec::new();
        for (word, number) in words.iter().zip(0..) {
            for (gram, offset) in word.windows(GRAM).zip(0..).take(STRIDE) {
                grams.extend(gram.first_chunk().map(|gram| (hash(*gram), offset, number)));
            }
        }
        grams.sort_unstable();
        let mut hashes = Box::new([0; 1024]);
        for (hash, _, _) in &grams {
            hashes[usize::from(hash >> 6)] |= 1 << (hash & 63);
        }
        Self { folded: words, hashes, grams }
    }

    /// Adds every word that begins in `bytes[from..to]` as (place, number of the word and `first`).
    pub(in super::super) fn find(
        &self,
        bytes: &[u8],
        from: usize,
        to: usize,
        first: u32,
        found: &mut Vec<(usize, u32)>,
    ) {
        let end = bytes.len().min(to + STRIDE + GRAM - 2);
        let Some(looked) = bytes.get(from..end).filter(|_| from < to) else { return };
        for (gram, at) in looked.windows(GRAM).step_by(STRIDE).zip((from..).step_by(STRIDE)) {
            let Some(gram) = gram.first_chunk() else { continue };
            let hash = hash(*gram);
            if self.hashes[usize::from(hash >> 6)] >> (hash & 63) & 1 == 0 {
                continue;
            }
            let begin = self.grams.partition_point(|(other, _, _)| *other < hash);
            for &(_, offset, number) in self.grams[begin..].iter().take_while(|(other, _, _)| *other == hash) {
                let Some(place) = at.checked_sub(usize::from(offset)) else { continue };
                if (from..to).contains(&place) && self.stands(number, &bytes[place..]) {
                    found.push((place, first + number));
                }
            }
        }
    }

    /// Whether `bytes` begin with a word.
    pub(in super::super) fn stands(&self, number: u32, bytes: &[u8]) -> bool {
        self.folded.get(number as usize).is_some_and(|word| {
            bytes.len() >= word.len() && word.iter().zip(bytes).all(|(wanted, byte)| byte | FOLD == *wanted)
        })
    }
}

/// Sixteen well mixed bits of four folded bytes.
fn hash(gram: [u8; GRAM]) -> u16 {
    let folded = u32::from_le_bytes(gram) | u32::from_le_bytes([FOLD; GRAM]);
    (folded.wrapping_mul(0x9e37_79b1) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_wherever_it_stands() {
        let words = Words::new(&[b"acmes".to_vec(), b"other_word".to_vec()]);
        for place in 0..40 {
            let mut bytes = vec![b'.'; 60];
            bytes[place..place + 5].copy_from_slice(b"AcMeS");
            for (from, to) in [(0, 60), (place, place + 1), (0, place), (place + 1, 60), (1, 60)] {
                let mut found = Vec::new();
                words.find(&bytes, from, to, 7, &mut found);
                let wanted = if (from..to).contains(&place) { vec![(place, 7)] } else { vec![] };
                assert_eq!(found, wanted, "at {place} in {from}..{to}");
            }
        }
    }
}
