//! Where in a file's bytes another writing of bytes may begin: runs of base64 digits, characters with NULs between them,
//! marks that escapes begin with. Reads no writing and knows no token.
//!
//! Shuffles give a bit for each byte of a class, 64 in a word; runs are found by shifting words against themselves. Without
//! wide shuffles a table gives the same bits.

use super::encode::base64_digit;
#[cfg(target_arch = "x86_64")]
use super::search::lanes::{Lanes, Machine, Table};
use std::ops::Range;

/// Bytes that are looked at together, at multiples of so many in the file.
pub(super) const CELL: usize = 8 << 10;

/// The shortest run of base64 digits.
pub(super) const RUN: usize = 24;

/// The fewest pairs of a byte and a NUL; the last character of a text may have no NUL behind it.
pub(super) const PAIRS: usize = 11;

/// Bits of a cell's bytes, and as many as a look at its last ones needs.
const WORDS: usize = CELL / 64 + 1;

/// Finds beginnings.
#[derive(Clone, Copy, Debug)]
pub(super) enum Marker {
    #[cfg(target_arch = "x86_64")]
    Machine(Machine),
    Table,
    /// Byte by byte, to compare with.
    Slow,
}

/// Beginnings in a cell, each kind in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Beginnings {
    /// Where a run of at least [`RUN`] digits begins, or goes on at the cell's first byte.
    pub(super) runs: Vec<usize>,
    /// Where at least [`PAIRS`] pairs of a byte and a NUL begin, or go on at one of the cell's first two bytes.
    pub(super) pairs: Vec<usize>,
    /// Where `%`, `\` or `&` stands before a byte that an escape may go on with.
    pub(super) marks: Vec<usize>,
}

/// A bit for each byte of a class, the first byte the lowest.
struct Masks {
    run: [u64; WORDS],
    mark: [u64; WORDS],
    nul: [u64; WORDS],
}

/// Whether `byte` is a digit of base64, of either alphabet.
pub(super) fn is_run(byte: u8) -> bool {
    base64_digit(byte) < 64
}

fn begins_mark(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&')
}

/// Whether two bytes stand at `at` that an escape may begin with.
fn is_mark(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at..at + 2) {
        Some([b'%', next]) => next.is_ascii_hexdigit(),
        Some([b'\\', next]) => matches!(next, b'x' | b'u'),
        Some([b'&', next]) => *next == b'#' || next.is_ascii_lowercase(),
        _ => false,
    }
}

/// Whether a pair of a byte and a NUL stands at `at`.
pub(super) fn is_pair(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at..at + 2), Some([1..=255, 0]))
}

impl Marker {
    /// The fastest one of this machine.
    pub(super) fn new() -> Self {
        Self::all().next().unwrap_or(Self::Table)
    }

    /// Those of this machine, the fastest first.
    fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let machines = Machine::all().map(Self::Machine);
        #[cfg(not(target_arch = "x86_64"))]
        let machines = std::iter::empty();
        machines.chain([Self::Table])
    }

    /// What begins in `bytes[cell]`; without `text`, pairs only. A cell has at most [`CELL`] bytes.
    pub(super) fn find(self, bytes: &[u8], cell: Range<usize>, text: bool, found: &mut Beginnings) {
        found.runs.clear();
        found.pairs.clear();
        found.marks.clear();
        if matches!(self, Self::Slow) {
            return find_slowly(bytes, cell, text, found);
        }
        let mut masks = Masks { run: [0; WORDS], mark: [0; WORDS], nul: [0; WORDS] };
        let seen = &bytes[cell.start..bytes.len().min(cell.start + 64 * WORDS)];
        let words = cell.len().div_ceil(64) + 1;
        let kinds = match self {
            #[cfg(target_arch = "x86_64")]
            Self::Machine(Machine::Avx2(lanes)) => {
                lanes.vectorize(Fill { lanes, seen, words, text, masks: &mut masks })
            }
            #[cfg(target_arch = "x86_64")]
            Self::Machine(Machine::Avx512(lanes)) => {
                lanes.vectorize(Fill { lanes, seen, words, text, masks: &mut masks })
            }
            _ => {
                masks.fill(seen, text);
                masks.may_have(words)
            }
        };
        masks.beginnings(bytes, cell, kinds, found);
    }
}

impl Masks {
    /// By a table.
    fn fill(&mut self, seen: &[u8], text: bool) {
        for (word, bytes) in seen.chunks(64).enumerate().take(WORDS) {
            for (bit, &byte) in bytes.iter().enumerate() {
                self.nul[word] |= u64::from(byte == 0) << bit;
                if text {
                    self.run[word] |= u64::from(is_run(byte)) << bit;
                    self.mark[word] |= u64::from(begins_mark(byte)) << bit;
                }
            }
        }
    }

    /// Whether rows of pairs, and runs, may begin in the first `words` words: nearly always there are none, and a few steps
    /// over many words at a time say so.
    #[expect(
        clippy::inline_always,
        reason = "to be done many words at a time it has to be inside the function that may"
    )]
    #[inline(always)]
    fn may_have(&self, words: usize) -> [bool; 2] {
        let words = words.min(WORDS);
        let pairs = self.nul[..words].iter().fold(0, |all, &nul| all | turns(nul));
        let runs = self.run[..words].iter().fold(0, |all, &run| all | full_bytes(run));
        [pairs != 0, runs != 0]
    }

    /// The beginnings that the bits tell.
    fn beginnings(&self, bytes: &[u8], cell: Range<usize>, [pairs, runs]: [bool; 2], found: &mut Beginnings) {
        let words = cell.len().div_ceil(64).min(WORDS - 1);
        let inside = |word: usize| {
            let left = cell.len() - 64 * word;
            if left < 64 { (1 << left) - 1 } else { u64::MAX }
        };
        let two = |of: &[u64; WORDS], word: usize| u128::from(of[word]) | u128::from(of[word + 1]) << 64;
        let place = |word: usize| cell.start + 64 * word;
        if pairs {
            let mut before = 0;
            for word in 0..words {
                let nul = two(&self.nul, word);
                let all = !nul & nul >> 1;
                if turns(self.nul[word]) | turns(self.nul[word + 1]) != 0 {
                    let mut many = all & all >> 2;
                    many &= many >> 4;
                    many &= many >> 8;
                    many &= many >> 6;
                    let new = many as u64 & !((all as u64) << 2 | before);
                    each_bit(new & inside(word), place(word), |at| found.pairs.push(at));
                }
                before = (all as u64) >> 62;
            }
        }
        if runs {
            let (mut before, mut here) = (0, full_bytes(self.run[0]));
            for word in 0..words {
                // A run fills two bytes of bits side by side, here or at the beginning of the next word.
                let next = full_bytes(self.run[word + 1]);
                if here & (here >> 8 | next << 56) | next & next >> 8 & 1 != 0 {
                    let all = two(&self.run, word);
                    let mut many = all & all >> 1;
                    many &= many >> 2;
                    many &= many >> 4;
                    many &= many >> 8;
                    many &= many >> 8;
                    let new = many as u64 & !((all as u64) << 1 | before);
                    each_bit(new & inside(word), place(word), |at| found.runs.push(at));
                }
                (before, here) = (self.run[word] >> 63, next);
            }
        }
        for (word, &mark) in self.mark[..words].iter().enumerate() {
            let take = |at| found.marks.extend(is_mark(bytes, at).then_some(at));
            each_bit(mark & inside(word), place(word), take);
        }
    }
}

/// Bits where NULs stand at every other of nine places, as they do somewhere in every row of [`PAIRS`] pairs.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn turns(nul: u64) -> u64 {
    // What stands behind the last bit may be anything.
    full_bytes(nul ^ nul >> 1 | 1 << 63)
}

/// The lowest bit of each byte whose bits are all set.
#[inline(always)]
fn full_bytes(bits: u64) -> u64 {
    const LOWEST: u64 = u64::MAX / 255;
    let two = bits & bits >> 1;
    let four = two & two >> 2;
    four & four >> 4 & LOWEST
}

/// Gives the place of each bit that is set, the lowest being at `place`.
fn each_bit(mut bits: u64, place: usize, mut take: impl FnMut(usize)) {
    while bits != 0 {
        take(place + bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// The same, byte by byte.
fn find_slowly(bytes: &[u8], cell: Range<usize>, text: bool, found: &mut Beginnings) {
    let runs_on = |at: usize| bytes.get(at..at + RUN).is_some_and(|run| run.iter().all(|&byte| is_run(byte)));
    let pairs_on = |at: usize| (0..PAIRS).all(|pair| is_pair(bytes, at + 2 * pair));
    for at in cell.clone() {
        if pairs_on(at) && (at < cell.start + 2 || !is_pair(bytes, at - 2)) {
            found.pairs.push(at);
        }
        if text && runs_on(at) && (at == cell.start || !is_run(bytes[at - 1])) {
            found.runs.push(at);
        }
        if text && is_mark(bytes, at) {
            found.marks.push(at);
        }
    }
}

/// Classes of bytes, a bit each: digits are the first five, marks the other two. A byte is of a class when both its halves
/// are; the exact classes need so many.
#[cfg(target_arch = "x86_64")]
const DIGITS: u8 = 0b1_1111;
#[cfg(target_arch = "x86_64")]
const MARKS: u8 = 0b110_0000;

/// By the lower half: `A-O a-o`, `P-Z p-z`, `0-9`, `+ - /`, `_`, `% &`, `\`.
#[cfg(target_arch = "x86_64")]
const LOWER: Table = {
    let mut table = [0; 16];
    let mut half = 0;
    while half < 16 {
        let at = half as u8;
        table[half] = (at >= 1) as u8
            | ((at <= 10) as u8) << 1
            | ((at <= 9) as u8) << 2
            | ((at == 0xb || at == 0xd || at == 0xf) as u8) << 3
            | ((at == 0xf) as u8) << 4
            | ((at == 5 || at == 6) as u8) << 5
            | ((at == 0xc) as u8) << 6;
        half += 1;
    }
    table
};

/// By the upper half.
#[cfg(target_arch = "x86_64")]
const UPPER: Table = [0, 0, 1 << 3 | 1 << 5, 1 << 2, 1, 1 << 1 | 1 << 4 | 1 << 6, 1, 1 << 1, 0, 0, 0, 0, 0, 0, 0, 0];

/// Fills in masks of a cell.
#[cfg(target_arch = "x86_64")]
struct Fill<'a, L> {
    lanes: L,
    seen: &'a [u8],
    words: usize,
    text: bool,
    masks: &'a mut Masks,
}

#[cfg(target_arch = "x86_64")]
impl<L: Lanes> pulp::NullaryFnOnce for Fill<'_, L> {
    type Output = [bool; 2];

    #[expect(clippy::inline_always, reason = "what runs with AVX2 has to be inside the function that has it")]
    #[inline(always)]
    fn call(self) -> [bool; 2] {
        let Self { lanes, seen, words, text, masks } = self;
        let tables = [lanes.repeat(LOWER), lanes.repeat(UPPER)];
        let (digits, marks) = (lanes.repeat([DIGITS; 16]), lanes.repeat([MARKS; 16]));
        let all = if L::WIDE < 64 { (1 << L::WIDE) - 1 } else { u64::MAX };
        for (word, ((run, mark), nul)) in
            masks.run.iter_mut().zip(&mut masks.mark).zip(&mut masks.nul).enumerate().take(words)
        {
            // What follows the last byte is of no class.
            let mut padded = [0x80; 64];
            let here = seen.get(64 * word..).unwrap_or_default();
            let bytes = here.first_chunk::<64>().unwrap_or_else(|| {
                padded[..here.len()].copy_from_slice(here);
                &padded
            });
            for at in (0..64).step_by(L::WIDE) {
                let Some(vector) = lanes.load(bytes, at) else { break };
                *nul |= (!lanes.any(vector) & all) << at;
                if text {
                    let classes = lanes.admitted(tables, lanes.halves(vector));
                    *run |= lanes.any(lanes.both(classes, digits)) << at;
                    *mark |= lanes.any(lanes.both(classes, marks)) << at;
                }
            }
        }
        masks.may_have(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compare(bytes: &[u8], cell: Range<usize>) {
        for text in [true, false] {
            let (mut slow, mut fast) = (Beginnings::default(), Beginnings::default());
            Marker::Slow.find(bytes, cell.clone(), text, &mut slow);
            for marker in Marker::all() {
                marker.find(bytes, cell.clone(), text, &mut fast);
                assert!(fast == slow, "{marker:?} {cell:?} {text}: {fast:?} {slow:?}");
            }
        }
    }

    #[test]
    fn every_byte_is_of_the_same_class() {
        for byte in 0..=255 {
            for (before, behind) in [(b' ', b' '), (0, 0), (b'A', b'A')] {
                let mut bytes = vec![before; 100];
                bytes.push(byte);
                bytes.resize(200, behind);
                compare(&bytes, 0..200);
                bytes = [b'x', 0].repeat(60);
                bytes[61] = byte;
                compare(&bytes, 0..120);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

        #[test]
        fn every_marker_finds_what_a_look_at_each_byte_finds(
            pieces in prop::collection::vec((0u8..6, 0usize..90, any::<u8>()), 0..300),
            from in 0usize..200,
            length in 0usize..=CELL,
        ) {
            let mut bytes = Vec::new();
            for (kind, length, byte) in pieces {
                match kind {
                    0 => bytes.extend(std::iter::repeat_n(byte, length % 4)),
                    1 => bytes.extend((0..length).map(|at| b"aZ09+/-_"[(at * 7 + usize::from(byte)) % 8])),
                    2 => bytes.extend((0..length / 2).flat_map(|_| [byte.max(1), 0])),
                    3 => bytes.extend(std::iter::repeat_n(0, length % 9)),
                    4 => bytes.extend_from_slice(b"%5f \\x2d"),
                    _ => bytes.extend((20..28).map(|at| byte.wrapping_mul(at))),
                }
            }
            let from = from.min(bytes.len());
            compare(&bytes, from..bytes.len().min(from + length));
        }
    }
}
