//! Passes over bytes where no anchor can be, 32 places at a time, with the byte shuffles of AVX2. Finds what the
//! automaton finds.
//!
//! Shuffles look up both halves of four bytes in a row, and tell for each place which of sixteen buckets of anchors may
//! stand there. A hash of the four bytes rules out nearly all of the places that are left, and the rest is compared. Where too
//! many are left, the automaton takes over.

use super::automaton::Automaton;
use super::buckets::{self, WINDOW, Window};
use pulp::x86::V3;
use std::arch::x86_64::__m256i;

/// Bytes of a vector.
const WIDE: usize = 32;
/// Eight buckets a vector, as each is a bit of a byte.
const VECTORS: usize = 2;
/// Places that are looked at before it is decided whether they go to the automaton; a multiple of [`WIDE`].
const CHUNK: usize = 4096;
/// Candidates in a chunk from which on the automaton is the faster one.
const DENSE: usize = CHUNK / 16;

/// A shuffle's table, twice, as it works on halves of a vector.
type Table = [u8; WIDE];

/// The anchors as the filter knows them.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    machine: V3,
    tables: Tables,
    /// A bit for each hash that a window has.
    hashes: Box<[u64; 1024]>,
    /// Hashes of windows and the anchors that have them, sorted.
    anchors_of: Vec<(u16, u32)>,
    anchors: Vec<Vec<u8>>,
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
    /// A filter for `anchors`; `None` when one is shorter than three bytes, or the machine lacks the instructions.
    pub(super) fn new(anchors: &[Vec<u8>]) -> Option<Self> {
        let machine = V3::try_new().filter(|_| anchors.iter().all(|anchor| anchor.len() + 1 >= WINDOW))?;
        let windows: Vec<Window<'_>> = anchors.iter().map(|anchor| Window::of(anchor)).collect();
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
            longest: anchors.iter().map(Vec::len).max().unwrap_or(0),
            anchors: anchors.to_vec(),
        })
    }

    /// As [`Automaton::find`].
    pub(super) fn find(
        &self,
        automaton: &Automaton,
        bytes: &[u8],
        from: usize,
        to: usize,
        keep: impl Fn(u32, usize, usize) -> bool,
    ) -> Vec<(usize, u32)> {
        let to = to.min(bytes.len());
        let mut found = Vec::new();
        // Windows of anchors that begin before `to` may begin behind it.
        let end = (to + self.longest).min(bytes.len());
        let mut at = from;
        let mut candidates = [0u32; DENSE + WIDE];
        while at < end && from < to {
            let whole = at + CHUNK + WIDE <= bytes.len();
            let next = if whole { (at + CHUNK).min(end) } else { end };
            let count = self.machine.vectorize(Look { filter: self, bytes, at, candidates: &mut candidates });
            if let Some(count) = count {
                for &candidate in &candidates[..count] {
                    self.compare(bytes, at + candidate as usize, (from, to), &keep, &mut found);
                }
            } else {
                let mine = |anchor: u32, place: usize, ends: usize| {
                    (at..next).contains(&(place + self.offsets[anchor as usize])) && keep(anchor, place, ends)
                };
                let first = at.saturating_sub(self.longest).max(from);
                found.extend(automaton.find(bytes, first, next.min(to), mine));
            }
            at = next;
        }
        found.sort_unstable();
        found
    }

    /// Adds the anchors whose window stands at `place`.
    fn compare(
        &self,
        bytes: &[u8],
        place: usize,
        (from, to): (usize, usize),
        keep: &impl Fn(u32, usize, usize) -> bool,
        found: &mut Vec<(usize, u32)>,
    ) {
        let Some(window) = bytes.get(place..).and_then(<[u8]>::first_chunk) else { return };
        let hash = hash(*window);
        let first = self.anchors_of.partition_point(|(other, _)| *other < hash);
        for &(_, anchor) in self.anchors_of[first..].iter().take_while(|(other, _)| *other == hash) {
            let text = &self.anchors[anchor as usize];
            let Some(begin) = place.checked_sub(self.offsets[anchor as usize]) else { continue };
            let stands = (from..to).contains(&begin) && bytes[begin..].starts_with(text);
            if stands && keep(anchor, begin, begin + text.len()) {
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
struct Look<'a> {
    filter: &'a Filter,
    bytes: &'a [u8],
    at: usize,
    candidates: &'a mut [u32; DENSE + WIDE],
}

impl pulp::NullaryFnOnce for Look<'_> {
    type Output = Option<usize>;

    #[expect(clippy::inline_always, reason = "what runs with AVX2 has to be inside the function that has it")]
    #[inline(always)]
    fn call(self) -> Option<usize> {
        let avx = self.filter.machine.avx2;
        let chunk: &[u8; CHUNK + WIDE] = self.bytes.get(self.at..)?.first_chunk()?;
        let tables = |tables: &[[Table; WINDOW]; VECTORS]| -> [[__m256i; WINDOW]; VECTORS] {
            tables.map(|places| places.map(pulp::cast))
        };
        let (lower, upper) = (tables(&self.filter.tables.lower), tables(&self.filter.tables.upper));
        let (half, zero): (__m256i, __m256i) = (pulp::cast([15u8; WIDE]), pulp::cast([0u8; WIDE]));
        let (mut count, mut admissions) = (0, 0);
        for at in (0..CHUNK).step_by(WIDE) {
            let mut admitted: [__m256i; VECTORS] = [pulp::cast([255u8; WIDE]); VECTORS];
            for place in 0..WINDOW {
                let here: &[u8; WIDE] = chunk.get(at + place..)?.first_chunk()?;
                let here: __m256i = pulp::cast(*here);
                let low = avx._mm256_and_si256(here, half);
                let high = avx._mm256_and_si256(avx._mm256_srli_epi16::<4>(here), half);
                for vector in 0..VECTORS {
                    let low = avx._mm256_shuffle_epi8(lower[vector][place], low);
                    let high = avx._mm256_shuffle_epi8(upper[vector][place], high);
                    admitted[vector] = avx._mm256_and_si256(admitted[vector], avx._mm256_and_si256(low, high));
                }
            }
            let any = avx._mm256_or_si256(admitted[0], admitted[1]);
            let mut left = !avx._mm256_movemask_epi8(avx._mm256_cmpeq_epi8(any, zero)).cast_unsigned();
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

/// Sixteen well mixed bits.
#[expect(clippy::inline_always, reason = "what runs with AVX2 has to be inside the function that has it")]
#[inline(always)]
fn hash(window: [u8; 4]) -> u16 {
    (u32::from_le_bytes(window).wrapping_mul(0x9e37_79b1) >> 16) as u16
}
