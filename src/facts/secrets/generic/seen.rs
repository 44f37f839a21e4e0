//! Remembers assignments that were judged, so that input that repeats itself costs no more than plain text. Knows nothing
//! of what they are.

use super::assignment::{Assignment, Operator};

/// How many are remembered; a newer one takes an older one's place.
const SLOTS: usize = 1 << 12;

/// Marks of assignments that are no credentials.
#[derive(Clone, Debug)]
pub(in super::super) struct Seen(Vec<u64>);

impl Seen {
    pub(in super::super) fn new() -> Self {
        Self(Vec::new())
    }

    /// What tells an assignment from others: its line, its places in it, and its value, which may stand in another line.
    pub(super) fn mark(bytes: &[u8], found: &Assignment) -> u64 {
        let line = found.line.start..found.line.end.max(found.line.start);
        let place = (found.name.start - found.line.start.min(found.name.start)) as u64;
        let mut mark = mixed(place << 8 | u64::from(found.operator == Operator::Url), line.len() as u64);
        for text in [&bytes[line], &bytes[found.value.clone()]] {
            // Four words side by side: none waits for the one before.
            let (blocks, rest) = text.as_chunks::<32>();
            let mut marks = [mark, 1, 2, 3];
            for block in blocks {
                for (mark, word) in marks.iter_mut().zip(block.as_chunks::<8>().0) {
                    *mark = mixed(*mark, u64::from_le_bytes(*word));
                }
            }
            mark = marks.into_iter().reduce(mixed).unwrap_or(mark);
            let (words, rest) = rest.as_chunks::<8>();
            mark = words.iter().fold(mark, |mark, word| mixed(mark, u64::from_le_bytes(*word)));
            mark = rest.iter().fold(mark, |mark, byte| mixed(mark, u64::from(*byte)));
        }
        // Nothing has the mark of an empty slot.
        mark | 1
    }

    pub(super) fn has(&self, mark: u64) -> bool {
        self.0.get(slot(mark)) == Some(&mark)
    }

    pub(super) fn add(&mut self, mark: u64) {
        if self.0.is_empty() {
            self.0 = vec![0; SLOTS];
        }
        self.0[slot(mark)] = mark;
    }
}

fn slot(mark: u64) -> usize {
    (mark >> 40) as usize % SLOTS
}

fn mixed(mark: u64, word: u64) -> u64 {
    (mark.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
