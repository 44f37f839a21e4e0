//! Finds every anchor in a stretch of bytes, some of them in any case. Knows no token.
//!
//! Two engines find the same: an automaton, and, where the machine has wide shuffles, a filter in front of it that passes
//! over bytes without candidates three times as fast. The filter gives stretches full of candidates back to the automaton.
//! Both tell where an anchor may stand; whether it does, in the right case, is compared here.

mod automaton;
#[cfg(target_arch = "x86_64")]
mod buckets;
#[cfg(target_arch = "x86_64")]
mod filter;
#[cfg(target_arch = "x86_64")]
pub(super) mod lanes;

use automaton::Automaton;
#[cfg(target_arch = "x86_64")]
use filter::Filter;

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    /// Not empty.
    pub(super) text: Vec<u8>,
    /// Whether letters of the other case are as good.
    pub(super) any_case: bool,
    /// Whether it is looked for in text only.
    pub(super) in_text: bool,
}

impl Anchor {
    /// Whether `bytes` begin with it.
    pub(super) fn begins(&self, bytes: &[u8]) -> bool {
        match bytes.get(..self.text.len()) {
            Some(bytes) if self.any_case => bytes.eq_ignore_ascii_case(&self.text),
            Some(bytes) => bytes == self.text,
            None => false,
        }
    }
}

/// All anchors, ready to be searched for.
#[derive(Clone, Debug)]
pub(super) struct Search {
    anchors: Vec<Anchor>,
    automaton: Automaton,
    #[cfg(target_arch = "x86_64")]
    filters: Option<Filters>,
}

/// Those of all anchors, and of those that are not looked for in text only: they are fewer, and of rarer letters.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Debug)]
struct Filters {
    all: Filter<3>,
    anywhere: Filter<2>,
}

#[cfg(target_arch = "x86_64")]
impl Filters {
    fn new(machine: lanes::Machine, anchors: &[Anchor]) -> Option<Self> {
        Some(Self {
            all: Filter::new(machine, anchors, |_| true)?,
            anywhere: Filter::new(machine, anchors, |anchor| !anchor.in_text)?,
        })
    }
}

impl Search {
    /// A search for `anchors`, none of them empty.
    pub(super) fn new(anchors: Vec<Anchor>) -> Result<Self, String> {
        Ok(Self {
            automaton: Automaton::new(&anchors)?,
            #[cfg(target_arch = "x86_64")]
            filters: lanes::Machine::all().next().and_then(|machine| Filters::new(machine, &anchors)),
            anchors,
        })
    }

    /// The anchor of that number.
    pub(super) fn anchor(&self, number: u32) -> &Anchor {
        &self.anchors[number as usize]
    }

    /// Every anchor that begins in `bytes[from..to]`, also overlapping ones, as (place, number), as far as `keep` likes
    /// its number, place and end; sorted. Without `text` not those that are looked for in text only.
    pub(super) fn find(
        &self,
        bytes: &[u8],
        (from, to): (usize, usize),
        text: bool,
        keep: impl Fn(u32, usize, usize) -> bool,
    ) -> Vec<(usize, u32)> {
        let keep = |number: u32, place: usize| {
            let anchor = self.anchor(number);
            (text || !anchor.in_text)
                && anchor.begins(&bytes[place..])
                && keep(number, place, place + anchor.text.len())
        };
        #[cfg(target_arch = "x86_64")]
        if let Some(Filters { all, anywhere }) = &self.filters {
            return if text {
                all.find(&self.automaton, bytes, from, to, keep)
            } else {
                anywhere.find(&self.automaton, bytes, from, to, keep)
            };
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

    fn naive(anchors: &[Anchor], bytes: &[u8], (from, to): (usize, usize), in_text: bool) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        for place in from..to {
            for (number, anchor) in anchors.iter().enumerate().filter(|(_, anchor)| in_text || !anchor.in_text) {
                let Anchor { text, any_case, .. } = anchor;
                let there = &bytes[place..bytes.len().min(place + text.len())];
                if there == text || *any_case && there.eq_ignore_ascii_case(text) {
                    found.push((place, number as u32));
                }
            }
        }
        found
    }

    /// Every engine for anchors in their own case, in any case, and some in any.
    struct Engines(Vec<Vec<Search>>);

    impl Engines {
        fn new(texts: &[Vec<u8>]) -> Self {
            let anchors = |every: usize| {
                let anchor = |(at, text): (usize, &Vec<u8>)| {
                    let any_case = (at + 1) % every == 0;
                    Anchor { text: text.clone(), any_case, in_text: any_case && at % 2 == 0 }
                };
                texts.iter().enumerate().map(anchor).collect::<Vec<_>>()
            };
            let engines = |every| {
                let search = Search::new(anchors(every)).expect("anchors");
                #[cfg(target_arch = "x86_64")]
                {
                    let filters = lanes::Machine::all().map(|machine| Filters::new(machine, &search.anchors));
                    let filters: Vec<_> = [None].into_iter().chain(filters).collect();
                    filters.into_iter().map(|filters| Search { filters, ..search.clone() }).collect()
                }
                #[cfg(not(target_arch = "x86_64"))]
                vec![search]
            };
            Self([usize::MAX, 3, 1].into_iter().map(engines).collect())
        }

        fn compare(&self, bytes: &[u8], from: usize, to: usize) {
            for engines in &self.0 {
                for text in [true, false] {
                    let expected = naive(&engines[0].anchors, bytes, (from, to), text);
                    for engine in engines {
                        let found = engine.find(bytes, (from, to), text, |_, _, _| true);
                        assert!(found == expected, "{engine:?}, {} bytes", bytes.len());
                    }
                }
            }
        }
    }

    fn other_case(byte: u8) -> u8 {
        if byte.is_ascii_alphabetic() { byte ^ 0x20 } else { byte }
    }

    fn anchors(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|anchor| anchor.as_bytes().to_vec()).collect()
    }

    #[test]
    fn finds_what_a_naive_search_finds() {
        let mut numbers = Numbers(7);
        for words in [&["aba", "ab", "bab", "aaaa", "c"][..], &["aba", "bab", "aaaa", "b aab", "abbaabbaabba"][..]] {
            let engines = Engines::new(&anchors(words));
            for length in 0..300 {
                let bytes: Vec<u8> = (0..length).map(|_| b"aAab bc"[numbers.below(7)]).collect();
                engines.compare(&bytes, length / 5, length - length / 7);
            }
        }
    }

    #[test]
    fn every_engine_finds_anchors_among_few_and_many_candidates() {
        let mut numbers = Numbers(11);
        // Many anchors of 3 to 40 bytes, of any bytes.
        let words: Vec<Vec<u8>> = (0..150)
            .map(|_| (0..3 + numbers.below(38)).map(|_| numbers.below(256) as u8).collect::<Vec<u8>>())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        let engines = Engines::new(&words);
        for gap in [0, 3, 30, 300, 3000] {
            let mut bytes: Vec<u8> = Vec::new();
            while bytes.len() < 40_000 {
                let word = &words[numbers.below(words.len())];
                // Some whole, some cut.
                let cut = if numbers.below(3) == 0 { numbers.below(word.len()) } else { word.len() };
                let begin = bytes.len();
                bytes.extend_from_slice(&word[..cut]);
                if numbers.below(2) == 0 {
                    bytes[begin..].iter_mut().step_by(1 + numbers.below(3)).for_each(|byte| *byte = other_case(*byte));
                }
                bytes.extend((0..numbers.below(gap + 1)).map(|_| numbers.below(256) as u8));
            }
            let (from, to) = (numbers.below(5000), bytes.len() - numbers.below(5000));
            engines.compare(&bytes, from, to);
            engines.compare(&bytes, 0, bytes.len());
        }
    }

    #[test]
    fn an_anchor_is_found_wherever_it_stands() {
        let words = anchors(&["needle-in_hay", "ABC", "wxyz"]);
        let engines = Engines::new(&words);
        for word in &words {
            for place in (0..200).chain(4000..4200) {
                let mut bytes = vec![b'.'; 4200 + word.len()];
                bytes[place..place + word.len()].copy_from_slice(word);
                if place % 2 == 1 {
                    bytes = bytes.into_iter().map(other_case).collect();
                }
                for (from, to) in [(0, bytes.len()), (place, place + 1), (place + 1, bytes.len()), (0, place)] {
                    engines.compare(&bytes, from, to);
                }
            }
        }
    }
}
