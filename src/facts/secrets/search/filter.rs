//! Passes over bytes where no anchor can be, 32 or 64 places at a time, with the byte shuffles of AVX2 or AVX-512. Finds
//! what the automaton finds.
//!
//! Shuffles look up both halves of four bytes in a row, and tell for each place which buckets of anchors may stand there,
//! eight for each vector of answers. A hash of the four bytes, whatever their case, rules out nearly all of the places that
//! are left, and the rest is compared. Where too many are left, the automaton takes over.

use super::Anchor;
use super::automaton::Automaton;
use super::buckets::{self, Bucket, WINDOW, Window};
use super::lanes::{Lanes, Machine, Table, WIDEST};

/// Places that are looked at before it is decided whether they go to the automaton; a multiple of [`WIDEST`].
const CHUNK: usize = 4096;
/// Candidates in a chunk from which on the automaton is the faster one.
const DENSE: usize = CHUNK / 16;
/// The same of places that the shuffles admit.
const CROWDED: usize = CHUNK / 2;
/// Places of one vector that are noted without asking how many there are.
const AT_ONCE: usize = 4;

/// Bits of a hash.
const HASH: u32 = 15;
/// Bits of it that anchors are looked up by.
const SLOT: u32 = 10;

/// The anchors as the filter knows them. A bucket is a bit of a byte, so each of `VECTORS` tells of eight.
#[derive(Clone, Debug)]
pub(super) struct Filter<const VECTORS: usize> {
    machine: Machine,
    tables: Tables<VECTORS>,
    /// A bit for each hash that a window has.
    hashes: Box<[u64; 1 << (HASH - 6)]>,
    /// The windows, by hash.
    known: Vec<Known>,
    /// Where in `known` the hashes begin that begin with so many bits; and its end.
    slots: Box<[u16; (1 << SLOT) + 1]>,
    /// Where in each anchor its window begins; `None` for one that this filter does not look for.
    offsets: Vec<Option<usize>>,
    longest: usize,
}

/// A window and its anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    hash: u32,
    anchor: u32,
    offset: usize,
    /// Its bytes, and the bits of them that count.
    bytes: u32,
    mask: u32,
}

#[derive(Clone, Debug)]
struct Tables<const VECTORS: usize> {
    lower: [[Table; WINDOW]; VECTORS],
    upper: [[Table; WINDOW]; VECTORS],
}

impl Known {
    /// `None` for a window of less than three bytes.
    fn new(window: &Window<'_>, anchor: u32) -> Option<Self> {
        let (hash, bytes, mask) = match *window.bytes {
            [a, b, c] => (hashes([a, b, c, 0])[1], [a, b, c, 0], 0x00ff_ffff),
            [a, b, c, d, ..] => (hashes([a, b, c, d])[0], [a, b, c, d], u32::MAX),
            _ => return None,
        };
        let case = bytes.map(|byte| if window.any_case && byte.is_ascii_alphabetic() { 0x20 } else { 0 });
        let mask = mask & !u32::from_le_bytes(case);
        Some(Self { hash, anchor, offset: window.offset, bytes: u32::from_le_bytes(bytes), mask })
    }
}

impl<const VECTORS: usize> Filter<VECTORS> {
    /// A filter for those of `anchors` that are `wanted`; `None` when one is shorter than three bytes.
    pub(super) fn new(machine: Machine, anchors: &[Anchor], wanted: impl Fn(&Anchor) -> bool) -> Option<Self> {
        let numbered: Vec<(u32, &Anchor)> = (0..).zip(anchors).filter(|(_, anchor)| wanted(anchor)).collect();
        let (buckets, windows) = buckets::fill(&numbered, 8 * VECTORS);
        let mut offsets = vec![None; anchors.len()];
        let mut known = Vec::new();
        for (window, &(anchor, _)) in windows.iter().zip(&numbered) {
            offsets[anchor as usize] = Some(window.offset);
            known.push(Known::new(window, anchor)?);
        }
        known.sort_unstable();
        let mut bits = Box::new([0; 1 << (HASH - 6)]);
        for &Known { hash, .. } in &known {
            bits[hash as usize >> 6] |= 1 << (hash & 63);
        }
        let begin = |slot: usize| known.partition_point(|known| slot_of(known.hash) < slot);
        let slots: Vec<u16> = (0..=1 << SLOT).map(|slot| u16::try_from(begin(slot))).collect::<Result<_, _>>().ok()?;
        Some(Self {
            machine,
            tables: Tables::of(&buckets),
            hashes: bits,
            slots: slots.into_boxed_slice().try_into().ok()?,
            known,
            offsets,
            longest: numbered.iter().map(|(_, anchor)| anchor.text.len()).max().unwrap_or(0),
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
                    let window = self.offsets[anchor as usize].map(|offset| place + offset);
                    window.is_some_and(|window| (at..next).contains(&window)) && keep(anchor, place)
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
        let word = u32::from_le_bytes(*window);
        for hash in hashes(*window) {
            let slot = slot_of(hash);
            let known = &self.known[usize::from(self.slots[slot])..usize::from(self.slots[slot + 1])];
            for known in known.iter().filter(|known| known.hash == hash && (known.bytes ^ word) & known.mask == 0) {
                let Some(begin) = place.checked_sub(known.offset) else { continue };
                if (from..to).contains(&begin) && keep(known.anchor, begin) {
                    found.push((begin, known.anchor));
                }
            }
        }
    }
}

impl<const VECTORS: usize> Tables<VECTORS> {
    fn of(buckets: &[Bucket]) -> Self {
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
struct Look<'a, L, const VECTORS: usize> {
    lanes: L,
    filter: &'a Filter<VECTORS>,
    bytes: &'a [u8],
    at: usize,
    places: &'a mut Places,
}

impl<L: Lanes, const VECTORS: usize> pulp::NullaryFnOnce for Look<'_, L, VECTORS> {
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

/// Well mixed bits of a window, the same for letters of both cases: for all four of its bytes, and for three.
#[expect(clippy::inline_always, reason = "what runs with AVX2 has to be inside the function that has it")]
#[inline(always)]
fn hashes(window: [u8; 4]) -> [u32; 2] {
    let four = u32::from_le_bytes(window) | 0x2020_2020;
    let mixed = |bytes: u32| bytes.wrapping_mul(0x9e37_79b1) >> (33 - HASH);
    [mixed(four), 1 << (HASH - 1) | mixed(four & 0x00ff_ffff)]
}

/// Where windows with this hash are looked up.
fn slot_of(hash: u32) -> usize {
    (hash >> (HASH - SLOT)) as usize
}
