//! Tells where bytes repeat themselves, so that what was judged once is not judged again: a stretch that is the same as the
//! one a period before holds the same assignments. Knows nothing of what they are.

use std::ops::Range;

/// Words that lead to nothing and are remembered, the last ones.
const WORDS: usize = 64;

/// How far back a stretch is looked at where it is found, bytes: more than what is judged of a word reaches.
const BACK: usize = 1 << 10;

/// Of so many of them a period is tried.
const TRIED: usize = 8;

/// How many bytes two words and what follows them must have in common for a period to be tried.
const ALIKE: usize = 24;

/// A stretch that repeats itself, and the words in it that led to nothing. Places count from the beginning of what is scanned,
/// and words come in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Repeat {
    /// The last words that led to nothing, a ring in order from `first` on.
    words: Vec<usize>,
    first: usize,
    /// Every byte of the stretch is the same as the one so far before it; 0 for none.
    period: usize,
    stretch: Range<usize>,
}

impl Repeat {
    /// Whether a word at `place`, of which what is judged lies in `around` of `bytes`, which begin at `low`, is the same as
    /// one that led to nothing, with all that is around it.
    pub(super) fn is_known(&mut self, bytes: &[u8], low: usize, place: usize, around: &Range<usize>) -> bool {
        let (from, to) = (low + around.start, low + around.end);
        let Some(before) = place.checked_sub(self.period).filter(|_| self.period > 0) else { return false };
        if from < self.stretch.start {
            return false;
        }
        if self.stretch.end < to {
            let seen = self.stretch.end.checked_sub(low);
            let Some((seen, earlier)) = seen.and_then(|seen| Some((seen, seen.checked_sub(self.period)?))) else {
                return false;
            };
            let now = &bytes[seen..around.end];
            self.stretch.end += same(now, &bytes[earlier..earlier + now.len()]);
        }
        let known = self.stretch.end >= to && self.has(before);
        if known {
            self.note(place);
        }
        known
    }

    /// A word at `place` led to nothing.
    pub(super) fn add(&mut self, bytes: &[u8], low: usize, place: usize) {
        // A period that held so far may still: a stretch is looked at as far as words need it.
        if !self.stretch.contains(&place) {
            let text = |at: usize| at.checked_sub(low).and_then(|at| bytes.get(at..at + ALIKE)?.first_chunk::<ALIKE>());
            let here = text(place);
            let alike = |at: &usize| *at < place && here.is_some() && text(*at) == here;
            let before = self.latest().copied().take(TRIED).find(alike);
            if let Some(before) = before {
                self.period = place - before;
                let (back, there) = (&bytes[..place - low], &bytes[..before - low]);
                let pairs = back.iter().rev().zip(there.iter().rev()).take(BACK);
                let equal = pairs.take_while(|(a, b)| a == b).count();
                self.stretch = place - equal..place + ALIKE;
            }
        }
        self.note(place);
    }

    fn note(&mut self, place: usize) {
        if self.words.len() < WORDS {
            self.words.push(place);
        } else {
            self.words[self.first] = place;
            self.first = (self.first + 1) % WORDS;
        }
    }

    /// The words, the last one first.
    fn latest(&self) -> impl Iterator<Item = &usize> {
        let (newer, older) = self.words.split_at(self.first);
        newer.iter().rev().chain(older.iter().rev())
    }

    fn has(&self, place: usize) -> bool {
        self.latest().take_while(|at| **at >= place).any(|at| *at == place)
    }
}

/// How many bytes two texts begin with alike.
fn same(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.as_chunks::<64>().0.iter().zip(b.as_chunks::<64>().0).take_while(|(a, b)| a == b).count();
    let from = 64 * blocks;
    from + a[from..].iter().zip(&b[from..]).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_may_be_long() {
        let bytes = b"a line that is longer than what two words have in common: key = x\n".repeat(60);
        let mut repeat = Repeat::default();
        let mut judged = 0;
        for place in (58..bytes.len() - 300).step_by(66) {
            if !(place >= 100 && repeat.is_known(&bytes, 0, place, &(place - 100..place + 300))) {
                judged += 1;
                repeat.add(&bytes, 0, place);
            }
        }
        assert!(judged < 6, "{judged}");
    }

    #[test]
    fn what_repeats_itself_is_known() {
        let bytes = [&b"key: a, ".repeat(40)[..], b"key: b, ", &b"key: a, ".repeat(40)].concat();
        let mut repeat = Repeat::default();
        let (mut known, mut judged) = (0, Vec::new());
        for place in (0..bytes.len()).step_by(8) {
            let around = place.saturating_sub(20)..bytes.len().min(place + 30);
            if around.len() == 50 && repeat.is_known(&bytes, 0, place, &around) {
                known += 1;
            } else {
                judged.push(place);
                repeat.add(&bytes, 0, place);
            }
        }
        assert!(known > 50, "{judged:?}");
        // What is around the other one is judged, and so is what comes before anything repeats itself.
        assert!((37..=43).all(|word| judged.contains(&(8 * word))), "{judged:?}");
    }
}
