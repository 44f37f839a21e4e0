//! Passes over bytes where no anchor can be, 32 or 64 places at a time, with the byte shuffles of AVX2 or AVX-512. Finds
//! what the automaton finds.
//!
//! Shuffles look up both halves of four bytes in a row, and tell for each place which of sixteen buckets of anchors may
//! stand there. A hash of the four bytes, whatever their case, rules out nearly all of the places that are left, and the rest
//! is compared. Where too many are left, the automaton takes over.

use super::Anchor;
use super::automaton::Automaton;
use super::buckets::{self, WINDOW, Window};
use super::lanes::{Lanes, Machine, Table, WIDEST};

/// Eight buckets a vector, as each is a bit of a byte.
const VECTORS: usize = 2;
/// Places that are looked at before it is decided whether they go to the automaton; a multiple of [`WIDEST`].
const CHUNK: usize = 4096;
/// Candidates in a chunk from which on the automaton is the faster one.
const DENSE: usize = CHUNK / 16;

/// The anchors as the filter knows them.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    machine: Machine,
    tables: Tables,
    /// A bit for each hash that a window has.
    hashes: Box<[u64; 1024]>,
    /// Hashes of windows and the anchors that have them, sorted.
    anchors_of: Vec<(u16, u32)>,
    /// Where in each anchor its window begins.
    offsets: Vec<usize>,
    longest: usize,
}

#[derive(Clone, Debug)]
struct Tables {
    lower: [[Table; WINDOW]; VECTORS],
    upper: [[Table; WINDOW]; VECTORS],
}

impl Filter {
    /// A filter for `anchors`; `None` when one is shorter than three bytes.
    pub(super) fn new(machine: Machine, anchors: &[Anchor]) -> Option<Self> {
        if anchors.iter().any(|anchor| anchor.text.len() + 1 < WINDOW) {
            return None;
        }
        let windows: Vec<Window<'_>> = anchors.iter().map(Window::of).collect();
        let mut anchors_of = Vec::new();
        for (window, anchor) in windows.iter().zip(0u32..) {
            match window.bytes {
                &[a, b, c] => anchors_of.extend((0..=255).map(|any| (hash([a, b, c, any]), anchor))),
                bytes => anchors_of.extend(bytes.first_chunk().map(|bytes| (hash(*bytes), anchor))),
            }
        }
        anchors_of.sort_unstable();
        anchors_of.dedup();
        let mut hashes = Box::new([0; 1024]);
        for &(hash, _) in &anchors_of {
            hashes[usize::from(hash >> 6)] |= 1 << (hash & 63);
        }
        Some(Self {
            machine,
            tables: Tables::of(&windows),
            hashes,
            anchors_of,
            offsets: windows.iter().map(|window| window.offset).collect(),
            longest: anchors.iter().map(|anchor| anchor.text.len()).max().unwrap_or(0),
        })
    }

    /// As [`Automaton::find`].
    pub(super) fn find(
        &self,
        automaton: &Automaton,
        bytes: &[u8],
        from: usize,
        to: usize,
        keep: impl Fn(u32, usize) -> bool,
    ) -> Vec<(usize, u32)> {
        let to = to.min(bytes.len());
        let mut found = Vec::new();
        // Windows of anchors that begin before `to` may begin behind it.
        let end = (to + self.longest).min(bytes.len());
        let mut at = from;
        let mut candidates = [0u32; DENSE + WIDEST];
        while at < end && from < to {
            let whole = at + CHUNK + WIDEST <= bytes.len();
            let next = if whole { (at + CHUNK).min(end) } else { end };
            let candidates = &mut candidates;
            let count = match self.machine {
                Machine::Avx2(lanes) => lanes.vectorize(Look { lanes, filter: self, bytes, at, candidates }),
                Machine::Avx512(lanes) => lanes.vectorize(Look { lanes, filter: self, bytes, at, candidates }),
            };
            if let Some(count) = count {
                for &candidate in &candidates[..count] {
                    self.compare(bytes, at + candidate as usize, (from, to), &keep, &mut found);
                }
            } else {
                let mine = |anchor: u32, place: usize| {
                    (at..next).contains(&(place + self.offsets[anchor as usize])) && keep(anchor, place)
                };
                let first = at.saturating_sub(self.longest).max(from);
                found.extend(automaton.find(bytes, first, next.min(to), mine));
            }
            at = next;
        }
        found.sort_unstable();
        found
    }

    /// Adds the anchors whose window may stand at `place`.
    fn compare(
        &self,
        bytes: &[u8],
        place: usize,
        (from, to): (usize, usize),
        keep: &impl Fn(u32, usize) -> bool,
        found: &mut Vec<(usize, u32)>,
    ) {
        let Some(window) = bytes.get(place..).and_then(<[u8]>::first_chunk) else { return };
        let hash = hash(*window);
        let first = self.anchors_of.partition_point(|(other, _)| *other < hash);
        for &(_, anchor) in self.anchors_of[first..].iter().take_while(|(other, _)| *other == hash) {
            let Some(begin) = place.checked_sub(self.offsets[anchor as usize]) else { continue };
            if (from..to).contains(&begin) && keep(anchor, begin) {
                found.push((begin, anchor));
            }
        }
    }
}

impl Tables {
    fn of(windows: &[Window<'_>]) -> Self {
        let buckets: [_; 8 * VECTORS] = buckets::fill(windows);
        let table = |halves: &dyn Fn(usize) -> u16, vector: usize| -> Table {
            std::array::from_fn(|slot| {
                (0..8).map(|bit| ((halves(8 * vector + bit) >> (slot & 15) & 1) as u8) << bit).sum()
            })
        };
        let tables = |halves: &dyn Fn(usize, usize) -> u16| {
            std::array::from_fn(|vector| std::array::from_fn(|place| table(&|bucket| halves(bucket, place), vector)))
        };
        Self {
            lower: tables(&|bucket, place| buckets[bucket].lower[place]),
            upper: tables(&|bucket, place| buckets[bucket].upper[place]),
        }
    }
}

/// One look at a chunk: fills in the candidates, counted from `at`, and how many; `None` when they, or the places
/// that the shuffles admit, are too many, or when a whole chunk is not at hand.
struct Look<'a, L> {
    lanes: L,
    filter: &'a Filter,
    bytes: &'a [u8],
    at: usize,
    candidates: &'a mut [u32; DENSE + WIDEST],
}

impl<L: Lanes> pulp::NullaryFnOnce for Look<'_, L> {
    type Output = Option<usize>;

    #[expect(clippy::inline_always, reason = "what runs with AVX2 has to be inside the function that has it")]
    #[inline(always)]
    fn call(self) -> Option<usize> {
        let lanes = self.lanes;
        let chunk: &[u8; CHUNK + WIDEST] = self.bytes.get(self.at..)?.first_chunk()?;
        let Tables { lower, upper } = &self.filter.tables;
        let tables: [[[L::Vector; 2]; VECTORS]; WINDOW] = std::array::from_fn(|place| {
            std::array::from_fn(|vector| [lanes.repeat(lower[vector][place]), lanes.repeat(upper[vector][place])])
        });
        let (mut count, mut admissions) = (0, 0);
        for at in (0..CHUNK).step_by(L::WIDE) {
            let mut admitted = [lanes.repeat([255; 16]); VECTORS];
            for (place, tables) in tables.iter().enumerate() {
                let halves = lanes.halves(lanes.load(chunk, at + place)?);
                for (admitted, tables) in admitted.iter_mut().zip(tables) {
                    *admitted = lanes.both(*admitted, lanes.admitted(*tables, halves));
                }
            }
            let mut left = lanes.any(admitted[0], admitted[1]);
            admissions += left.count_ones() as usize;
            if admissions > 4 * DENSE {
                return None;
            }
            while left != 0 {
                let place = at + left.trailing_zeros() as usize;
                left &= left - 1;
                let hash = hash(*chunk.get(place..)?.first_chunk()?);
                // Written in any case, kept only if the hash is known: no branch to guess wrong.
                *self.candidates.get_mut(count)? = place as u32;
                count += usize::from(self.filter.hashes[usize::from(hash >> 6)] >> (hash & 63) & 1 == 1);
            }
        }
        Some(count)
    }
}

/// Sixteen well mixed bits, the same for letters of both cases.
#[expect(clippy::inline_always, reason = "what runs with AVX2 has to be inside the function that has it")]
#[inline(always)]
fn hash(window: [u8; 4]) -> u16 {
    let folded = u32::from_le_bytes(window) | 0x2020_2020;
    (folded.wrapping_mul(0x9e37_79b1) >> 16) as u16
}
