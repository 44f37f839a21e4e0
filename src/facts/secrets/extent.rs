//! Parts of files inside a buffer, and how many finds a part may give. Knows no token.

use std::ops::Range;

/// Finds of one rule in one stretch of a file; more are left out, so that a file full of tokens costs no more than text.
const FINDS_PER_STRETCH: u32 = 64;

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

/// How many anchors of one rule in one stretch of a file led to finds. The first so many stand, whichever buffer they
/// were found in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Room {
    stretch: Option<(u32, u64)>,
    taken: u32,
    last: Option<u64>,
    endless: bool,
}

impl Room {
    /// Room for every find: what is to be masked is masked to the last.
    pub(super) fn endless() -> Self {
        Self { endless: true, ..Self::default() }
    }

    /// Whether a find at `anchor` still stands.
    pub(super) fn has(&mut self, entry: u32, anchor: u64) -> bool {
        let here = Some((entry, anchor >> STRETCH));
        if self.stretch != here {
            *self = Self { stretch: here, taken: 0, last: None, ..*self };
        }
        self.endless || self.taken < FINDS_PER_STRETCH || self.last == Some(anchor)
    }

    pub(super) fn take(&mut self, anchor: u64) {
        if self.last != Some(anchor) {
            self.taken += 1;
            self.last = Some(anchor);
        }
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
