//! Parts of files inside a buffer, and how many finds a part may give. Knows no token.

use crate::model::Severity;
use std::collections::BTreeSet;
use std::ops::Range;

/// Different secrets of one rule in one stretch of a file, of those that are worth an alarm and of others, and places of
/// secrets that it had before. More are left out, so that a file full of tokens costs no more than text.
pub(super) const SECRETS: usize = 64;
const DOUBLES: usize = 63;

/// log2 of a stretch's length.
const STRETCH: u32 = 16;

/// A part of a file inside a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Where it begins in the buffer.
    pub at: usize,
    /// Its length in bytes.
    pub len: usize,
    /// The file's entry in its layer.
    pub entry: u32,
    /// Where in the file `at` is.
    pub file: u64,
    /// Whether the file begins here.
    pub first: bool,
    /// Whether it ends here.
    pub last: bool,
    /// Whether the file is known to be no text: its lines need not be counted, and nothing is assigned in it. Told for
    /// speed, so late is not wrong.
    pub binary: bool,
}

/// The shortest row of binary files that is a span of its own.
const LONG: usize = 16 << 10;

/// Cuts `within` into spans, in order, and tells of each whether text may lie in it. Where there is none, files known to be
/// binary stand one behind another.
pub(super) fn spans(extents: &[Extent], within: Range<usize>) -> Vec<(Range<usize>, bool)> {
    let mut spans = Vec::new();
    let (mut given, mut binary) = (within.start, within.start);
    let inside = |place: usize| place.clamp(within.start, within.end.max(within.start));
    let texts = extents.iter().filter(|extent| !extent.binary);
    let texts = texts.map(|extent| inside(extent.at)..inside(extent.at + extent.len));
    for text in texts.chain(std::iter::once(within.end..within.end)) {
        if text.start.saturating_sub(binary) >= LONG {
            spans.extend((binary > given).then_some((given..binary, true)));
            spans.push((binary..text.start, false));
            given = text.start;
        }
        binary = binary.max(text.end);
    }
    spans.extend((within.end > given).then_some((given..within.end, true)));
    spans
}

/// What one rule found in one stretch of a file. The first so many stand, whichever buffer they were found in.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    stretch: Option<(u32, u64)>,
    /// Hashes of secrets that are not worth an alarm, and of those that are.
    taken: [BTreeSet<String>; 2],
    doubles: usize,
    last: Option<u64>,
    endless: bool,
}

/// What becomes of a find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Stands,
    /// The same secret stands in many places of the stretch.
    Double,
    /// There is no room for it: that is to be told.
    Cut,
}

impl Room {
    /// Room for every find: what is to be masked is masked to the last.
    pub(super) fn endless() -> Self {
        Self { endless: true, ..Self::default() }
    }

    /// Takes the secret of this `hash`, if there is room for it.
    pub(super) fn take(&mut self, entry: u32, anchor: u64, hash: &str, severity: Severity) -> Taken {
        let here = Some((entry, anchor >> STRETCH));
        if self.stretch != here {
            *self = Self { stretch: here, endless: self.endless, ..Self::default() };
        }
        let taken = &mut self.taken[usize::from(severity >= Severity::Medium)];
        if self.endless {
            return Taken::Stands;
        }
        if taken.contains(hash) {
            self.doubles += usize::from(self.last != Some(anchor));
            if self.doubles > DOUBLES {
                return Taken::Double;
            }
        } else if taken.len() < SECRETS {
            taken.insert(hash.to_owned());
        } else {
            return Taken::Cut;
        }
        self.last = Some(anchor);
        Taken::Stands
    }
}

/// Ends of lines in `bytes`.
pub(super) fn newlines(bytes: &[u8]) -> i64 {
    i64::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(i64::MAX)
}

/// The extents behind `cut` of a buffer, counted from there.
#[must_use]
pub fn tail(extents: &[Extent], cut: usize) -> Vec<Extent> {
    let mut kept = Vec::new();
    for extent in extents.iter().filter(|extent| extent.at + extent.len > cut) {
        let skipped = cut.saturating_sub(extent.at);
        kept.push(Extent {
            at: (extent.at + skipped) - cut,
            len: extent.len - skipped,
            file: extent.file + skipped as u64,
            first: extent.first && skipped == 0,
            ..*extent
        });
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extents(files: &[(usize, usize, bool)]) -> Vec<Extent> {
        let extent = |&(at, len, binary): &(usize, usize, bool)| Extent {
            at,
            len,
            entry: at as u32,
            file: 0,
            first: true,
            last: true,
            binary,
        };
        files.iter().map(extent).collect()
    }

    #[test]
    fn long_rows_of_binary_files_are_spans() {
        let of = |files: &[(usize, usize, bool)], within| spans(&extents(files), within);
        assert_eq!(of(&[], 5..5), []);
        assert_eq!(of(&[(0, 100, false)], 0..100), [(0..100, true)]);
        assert_eq!(of(&[(0, LONG, true)], 0..LONG), [(0..LONG, false)]);
        assert_eq!(of(&[(0, LONG, true)], 1..LONG), [(1..LONG, true)]);
        let files = [(10, 90, false), (600, LONG, true), (LONG + 700, LONG, true), (3 * LONG, 10, false)];
        assert_eq!(of(&files, 20..4 * LONG), [(20..100, true), (100..3 * LONG, false), (3 * LONG..4 * LONG, true)]);
        assert_eq!(of(&files, 50..2 * LONG), [(50..100, true), (100..2 * LONG, false)]);
        assert_eq!(of(&files, 200..LONG), [(200..LONG, true)]);
        let texts = [(0, 10, false), (LONG / 2, 10, false), (LONG, 10, false)];
        assert_eq!(of(&texts, 0..LONG + 10), [(0..LONG + 10, true)]);
        assert_eq!(of(&texts, LONG..LONG), []);
    }
}
