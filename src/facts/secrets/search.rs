//! Finds every anchor in a stretch of bytes. Knows no token.
//!
//! Two engines find the same: an automaton, and, where the machine has wide shuffles, a filter in front of it that passes
//! over bytes without candidates three times as fast. The filter gives stretches full of candidates back to the automaton.

mod automaton;
#[cfg(target_arch = "x86_64")]
mod buckets;
#[cfg(target_arch = "x86_64")]
mod filter;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod words;

use automaton::Automaton;
#[cfg(target_arch = "x86_64")]
use filter::Filter;
pub(super) use words::{LEAST, Words};

/// All anchors, ready to be searched for.
#[derive(Clone, Debug)]
pub(super) struct Search {
    automaton: Automaton,
    #[cfg(target_arch = "x86_64")]
    filter: Option<Filter>,
}

impl Search {
    /// A search for `anchors`, none of them empty.
    pub(super) fn new(anchors: &[Vec<u8>]) -> Result<Self, String> {
        Ok(Self {
            automaton: Automaton::new(anchors)?,
            #[cfg(target_arch = "x86_64")]
            filter: lanes::Machine::all().next().and_then(|machine| Filter::new(machine, anchors)),
        })
    }

    /// Every anchor that begins in `bytes[from..to]`, also overlapping ones, as (place, number), as far as `keep` likes
    /// its number, place and end; sorted.
    pub(super) fn find(
        &self,
        bytes: &[u8],
        from: usize,
        to: usize,
        keep: impl Fn(u32, usize, usize) -> bool,
    ) -> Vec<(usize, u32)> {
        #[cfg(target_arch = "x86_64")]
        if let Some(filter) = &self.filter {
            return filter.find(&self.automaton, bytes, from, to, keep);
        }
        self.automaton.find(bytes, from, to, keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look like chance.
    struct Numbers(u32);

    impl Numbers {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 16) as usize % end
        }
    }

    fn naive(anchors: &[Vec<u8>], bytes: &[u8], from: usize, to: usize) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        for place in from..to {
            for (number, anchor) in anchors.iter().enumerate() {
                if bytes[place..].starts_with(anchor) {
                    found.push((place, number as u32));
                }
            }
        }
        found
    }

    fn compare(anchors: &[Vec<u8>], bytes: &[u8], from: usize, to: usize) {
        let search = Search::new(anchors).expect("anchors");
        let expected = naive(anchors, bytes, from, to);
        assert!(search.automaton.find(bytes, from, to, |_, _, _| true) == expected, "automaton, {} bytes", bytes.len());
        assert!(search.find(bytes, from, to, |_, _, _| true) == expected, "search, {} bytes", bytes.len());
        #[cfg(target_arch = "x86_64")]
        for filter in lanes::Machine::all().filter_map(|machine| Filter::new(machine, anchors)) {
            let found = filter.find(&search.automaton, bytes, from, to, |_, _, _| true);
            assert!(found == expected, "{filter:?}, {} bytes", bytes.len());
        }
    }

    fn anchors(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|anchor| anchor.as_bytes().to_vec()).collect()
    }

    #[test]
    fn finds_what_a_naive_search_finds() {
        let mut numbers = Numbers(7);
        for words in [&["aba", "ab", "bab", "aaaa", "c"][..], &["aba", "bab", "aaaa", "b aab", "abbaabbaabba"][..]] {
            for length in 0..300 {
                let bytes: Vec<u8> = (0..length).map(|_| b"aaab bc"[numbers.below(7)]).collect();
                compare(&anchors(words), &bytes, length / 5, length - length / 7);
            }
        }
    }

    #[test]
    fn every_engine_finds_anchors_among_few_and_many_candidates() {
        let mut numbers = Numbers(11);
        // Many anchors of 3 to 40 bytes, of any bytes.
        let words: Vec<Vec<u8>> = (0..400)
            .map(|_| (0..3 + numbers.below(38)).map(|_| numbers.below(256) as u8).collect::<Vec<u8>>())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        for gap in [0, 3, 30, 300, 3000] {
            let mut bytes: Vec<u8> = Vec::new();
            while bytes.len() < 40_000 {
                let word = &words[numbers.below(words.len())];
                // Some whole, some cut.
                let cut = if numbers.below(3) == 0 { numbers.below(word.len()) } else { word.len() };
                bytes.extend_from_slice(&word[..cut]);
                bytes.extend((0..numbers.below(gap + 1)).map(|_| numbers.below(256) as u8));
            }
            let (from, to) = (numbers.below(5000), bytes.len() - numbers.below(5000));
            compare(&words, &bytes, from, to);
            compare(&words, &bytes, 0, bytes.len());
        }
    }

    #[test]
    fn an_anchor_is_found_wherever_it_stands() {
        let words = anchors(&["needle-in_hay", "ABC", "wxyz"]);
        for word in &words {
            for place in (0..200).chain(4000..4200) {
                let mut bytes = vec![b'.'; 4200 + word.len()];
                bytes[place..place + word.len()].copy_from_slice(word);
                for (from, to) in [(0, bytes.len()), (place, place + 1), (place + 1, bytes.len()), (0, place)] {
                    compare(&words, &bytes, from, to);
                }
            }
        }
    }
}
