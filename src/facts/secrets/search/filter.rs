//! Passes over bytes where no anchor can be, 32 or 64 places at a time, with the byte shuffles of AVX2 or AVX-512. Finds
//! what the automaton finds.
//!
//! Shuffles look up both halves of four bytes in a row, and tell for each place which of 24 buckets of anchors may
//! stand there. A hash of the four bytes, whatever their case, rules out nearly all of the places that are left, and the rest
//! is compared. Where too many are left, the automaton takes over.

use super::Anchor;
use super::automaton::Automaton;
use super::buckets::{self, Bucket, WINDOW};
use super::lanes::{Lanes, Machine, Table, WIDEST};

/// Eight buckets a vector, as each is a bit of a byte.
const VECTORS: usize = 3;
/// Places that are looked at before it is decided whether they go to the automaton; a multiple of [`WIDEST`].
const CHUNK: usize = 4096;
/// Candidates in a chunk from which on the automaton is the faster one.
const DENSE: usize = CHUNK / 16;
/// The same of places that the shuffles admit.
const CROWDED: usize = CHUNK / 2;
/// Places of one vector that are noted without asking how many there are.
const AT_ONCE: usize = 8;

/// The anchors as the filter knows them.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    machine: Machine,
    tables: Tables,
    /// A bit for each hash that a window has.
    hashes: Box<[u64; 2048]>,
    /// Hashes of windows and the anchors that have them, sorted.
    anchors_of: Vec<(u32, u32)>,
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
        let (buckets, windows) = buckets::fill(anchors);
        let mut anchors_of = Vec::new();
        for (window, anchor) in windows.iter().zip(0u32..) {
            let hash = match *window.bytes {
                [a, b, c] => hashes([a, b, c, 0])[1],
                [a, b, c, d, ..] => hashes([a, b, c, d])[0],
                _ => return None,
            };
            anchors_of.push((hash, anchor));
        }
        anchors_of.sort_unstable();
        let mut bits = Box::new([0; 2048]);
        for &(hash, _) in &anchors_of {
            bits[hash as usize >> 6] |= 1 << (hash & 63);
        }
        Some(Self {
            machine,
            tables: Tables::of(&buckets),
            hashes: bits,
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
        if bytes.len() < from.saturating_add(CHUNK + WIDEST) {
            return automaton.find(bytes, from, to, keep);
        }
        let mut found = Vec::new();
        // Windows of anchors that begin before `to` may begin behind it.
        let end = (to + self.longest).min(bytes.len());
        let mut at = from;
        let mut places = Places { admitted: [0; CROWDED + WIDEST + AT_ONCE], candidates: [0; DENSE + 1] };
        while at < end && from < to {
            let whole = at + CHUNK + WIDEST <= bytes.len();
            let next = if whole { (at + CHUNK).min(end) } else { end };
            let places = &mut places;
            let count = match self.machine {
                Machine::Avx2(lanes) => lanes.vectorize(Look { lanes, filter: self, bytes, at, places }),
                Machine::Avx512(lanes) => lanes.vectorize(Look { lanes, filter: self, bytes, at, places }),
            };
            if let Some(count) = count {
                for &candidate in &places.candidates[..count] {
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
        for hash in hashes(*window) {
            let first = self.anchors_of.partition_point(|(other, _)| *other < hash);
            for &(_, anchor) in self.anchors_of[first..].iter().take_while(|(other, _)| *other == hash) {
                let Some(begin) = place.checked_sub(self.offsets[anchor as usize]) else { continue };
                if (from..to).contains(&begin) && keep(anchor, begin) {
                    found.push((begin, anchor));
                }
            }
        }
    }
}

impl Tables {
    fn of(buckets: &[Bucket; 8 * VECTORS]) -> Self {
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

/// Room for places within a chunk.
struct Places {
    /// Those that the shuffles admit.
    admitted: [u16; CROWDED + WIDEST + AT_ONCE],
    /// Those of them with a hash that is known.
    candidates: [u16; DENSE + 1],
}

/// One look at a chunk: fills in the candidates, counted from `at`, and how many; `None` when they, or the places
/// that the shuffles admit, are too many, or when a whole chunk is not at hand.
struct Look<'a, L> {
    lanes: L,
    filter: &'a Filter,
    bytes: &'a [u8],
    at: usize,
    places: &'a mut Places,
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
        let Places { admitted: places, candidates } = self.places;
        let mut admissions = 0;
        for at in (0..CHUNK).step_by(L::WIDE) {
            let mut admitted = [lanes.repeat([255; 16]); VECTORS];
            for (place, tables) in tables.iter().enumerate() {
                let halves = lanes.halves(lanes.load(chunk, at + place)?);
                for (admitted, tables) in admitted.iter_mut().zip(tables) {
                    *admitted = lanes.both(*admitted, lanes.admitted(*tables, halves));
                }
            }
            let mut left = lanes.any(admitted.into_iter().fold(lanes.repeat([0; 16]), |a, b| lanes.either(a, b)));
            if left == 0 {
                continue;
            }
            // Few of them are written, whether they are there or not: no branch to guess wrong.
            let mut next = admissions;
            admissions += left.count_ones() as usize;
            for slot in places.get_mut(next..)?.first_chunk_mut::<AT_ONCE>()? {
                *slot = (at + left.trailing_zeros() as usize) as u16;
                left &= left.wrapping_sub(1);
            }
            next += AT_ONCE;
            while left != 0 {
                *places.get_mut(next)? = (at + left.trailing_zeros() as usize) as u16;
                left &= left - 1;
                next += 1;
            }
            if admissions > CROWDED {
                return None;
            }
        }
        let known = &self.filter.hashes;
        let is_known = |hash: u32| known[hash as usize >> 6] >> (hash & 63) & 1 == 1;
        let mut count = 0;
        for &place in places.get(..admissions)? {
            let [four, three] = hashes(*chunk.get(usize::from(place)..)?.first_chunk()?);
            // Again written in any case, and kept only if the hash is known.
            *candidates.get_mut(count)? = place;
            count += usize::from(is_known(four) | is_known(three));
        }
        Some(count)
    }
}

/// Seventeen well mixed bits of a window, the same for letters of both cases: for all four of its bytes, and for three.
#[expect(clippy::inline_always, reason = "what runs with AVX2 has to be inside the function that has it")]
#[inline(always)]
fn hashes(window: [u8; 4]) -> [u32; 2] {
    let four = u32::from_le_bytes(window) | 0x2020_2020;
    let mixed = |bytes: u32| bytes.wrapping_mul(0x9e37_79b1) >> 16;
    [mixed(four), 1 << 16 | mixed(four & 0x00ff_ffff)]
}
