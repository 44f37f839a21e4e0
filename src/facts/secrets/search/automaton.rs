//! Finds every anchor with a table automaton, at one speed whatever the bytes are, on every machine.
//!
//! A single automaton is bound by the latency of one table load a byte. Eight of them, each over its own part of the
//! stretch, overlap their loads: three to four times the speed, whatever the bytes are. The table is as narrow as it can
//! be, so that the rows in use stay in the first cache.

use super::Anchor;
use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::dfa::Builder;
use aho_corasick::{Anchored, MatchKind, StartKind};
use foldhash::{HashMap, HashMapExt as _};

const LANES: usize = 8;

/// The automaton of all anchors. State 0 is the start; states from `matching` on end anchors.
#[derive(Clone, Debug)]
pub(super) struct Automaton {
    rows: Vec<[u16; 256]>,
    matching: u16,
    /// For each state from `matching` on: the anchors that end in it, and their lengths.
    ends: Vec<Vec<(u32, usize)>>,
    longest: usize,
}

impl Automaton {
    /// An automaton over `anchors`, none of them empty. With one in any case, all are found in any.
    pub(super) fn new(anchors: &[Anchor]) -> Result<Self, String> {
        let failed = |error: String| format!("anchors of secrets: {error}");
        let automaton = Builder::new()
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .prefilter(false)
            .ascii_case_insensitive(anchors.iter().any(|anchor| anchor.any_case))
            .build(anchors.iter().map(|anchor| &anchor.text))
            .map_err(|error| failed(error.to_string()))?;
        let start = automaton.start_state(Anchored::No).map_err(|error| failed(error.to_string()))?;
        let step = |state: StateID, byte: u8| automaton.next_state(Anchored::No, state, byte);
        // Every state that can be reached, the start first, those that match last.
        let mut states = vec![start];
        let mut seen = HashMap::new();
        seen.insert(start, 0u16);
        let mut at = 0;
        while let Some(&state) = states.get(at) {
            for byte in 0..=255 {
                let next = step(state, byte);
                if seen.insert(next, 0).is_none() {
                    states.push(next);
                }
            }
            at += 1;
        }
        states.sort_by_key(|&state| (automaton.is_match(state), state != start, state));
        if states.len() > usize::from(u16::MAX) {
            return Err(failed("too many states".to_owned()));
        }
        seen.extend(states.iter().copied().zip(0..));
        let rows = states.iter().map(|&state| std::array::from_fn(|byte| seen[&step(state, byte as u8)])).collect();
        let matching = states.partition_point(|&state| !automaton.is_match(state));
        let ends = |&state: &StateID| {
            let patterns = (0..automaton.match_len(state)).map(|index| automaton.match_pattern(state, index));
            patterns.map(|pattern| (pattern.as_u32(), automaton.pattern_len(pattern))).collect()
        };
        Ok(Self {
            rows,
            matching: matching as u16,
            ends: states[matching..].iter().map(ends).collect(),
            longest: anchors.iter().map(|anchor| anchor.text.len()).max().unwrap_or(0),
        })
    }

    /// Every anchor that begins in `bytes[from..to]`, also overlapping ones, as (place, number), as far as `keep` likes
    /// its number and place; sorted. Which case it is in is for `keep` to tell.
    pub(super) fn find(
        &self,
        bytes: &[u8],
        from: usize,
        to: usize,
        keep: impl Fn(u32, usize) -> bool,
    ) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        let to = to.min(bytes.len());
        if self.longest == 0 || from >= to {
            return found;
        }
        // Each lane goes on behind its end as far as an anchor reaches: too far for a short stretch.
        if to - from < LANES * self.longest {
            return self.find_in_one(bytes, from, to, keep);
        }
        let length = (to - from) / LANES;
        let mut states = [0u16; LANES];
        let lanes: [&[u8]; LANES] = std::array::from_fn(|lane| &bytes[from + lane * length..][..length]);
        #[expect(clippy::needless_range_loop, reason = "one index for all lanes")]
        for at in 0..length {
            let mut most = 0;
            for lane in 0..LANES {
                states[lane] = self.rows[usize::from(states[lane])][usize::from(lanes[lane][at])];
                most = most.max(states[lane]);
            }
            // States that match have the largest numbers, so one test serves all lanes.
            if most >= self.matching {
                for (lane, &state) in states.iter().enumerate() {
                    self.note(state, from + lane * length + at + 1, to, &keep, &mut found);
                }
            }
        }
        // What begins in a lane may end behind it.
        for (lane, mut state) in states.into_iter().enumerate() {
            let begin = from + lane * length;
            let stop = if lane + 1 == LANES { to } else { begin + length };
            let rest = begin + length..(stop + self.longest - 1).min(bytes.len());
            for (&byte, end) in bytes[rest.clone()].iter().zip(rest.start + 1..) {
                state = self.rows[usize::from(state)][usize::from(byte)];
                self.note(state, end, stop, &keep, &mut found);
            }
        }
        #[expect(clippy::stable_sort_primitive, reason = "eight sorted stretches, which the stable sort only merges")]
        found.sort();
        found
    }

    /// The same, from one end to the other.
    fn find_in_one(
        &self,
        bytes: &[u8],
        from: usize,
        to: usize,
        keep: impl Fn(u32, usize) -> bool,
    ) -> Vec<(usize, u32)> {
        let (mut found, mut state) = (Vec::new(), 0u16);
        let stretch = from..(to + self.longest - 1).min(bytes.len());
        for (&byte, end) in bytes[stretch.clone()].iter().zip(stretch.start + 1..) {
            state = self.rows[usize::from(state)][usize::from(byte)];
            self.note(state, end, to, &keep, &mut found);
        }
        found.sort_unstable();
        found
    }

    /// Adds the anchors that end at `end` in `state` and begin before `stop`.
    fn note(
        &self,
        state: u16,
        end: usize,
        stop: usize,
        keep: &impl Fn(u32, usize) -> bool,
        found: &mut Vec<(usize, u32)>,
    ) {
        let Some(index) = state.checked_sub(self.matching) else { return };
        for &(anchor, length) in &self.ends[usize::from(index)] {
            let place = end - length;
            if place < stop && keep(anchor, place) {
                found.push((place, anchor));
            }
        }
    }
}
