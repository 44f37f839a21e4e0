//! Remembers lines and assignments that were judged, so that input that repeats itself costs no more than plain text.

use super::super::showing::Plain;
use super::assignment::{AROUND, Assignment};
use super::features::Features;
use super::operator::Operator;
use super::repeat::Repeat;
use super::value::Ends;
use super::{Judged, LOW, assigned, goes_on, is_code, model, promising, weighed};
use std::ops::Range;

/// How many are remembered; a newer one takes an older one's place.
const SLOTS: usize = 1 << 12;

/// The longest line that is remembered whole, bytes.
const LINE: usize = 256;

/// What was judged in what is scanned. Words come in the order of their places.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Seen {
    /// Marks of words in lines, and of assignments in lines, that lead to no credential.
    dull: Vec<u64>,
    /// Marks of assignments, and the most that they may score in any line.
    most: Vec<(u64, f32)>,
    /// The line of the last word, when it is short, and its mark.
    line: Range<usize>,
    mark: Option<u64>,
    /// Up to here the last word's line goes on that is too long.
    long: usize,
    ends: Ends,
    pub(super) plain: Plain,
    pub(super) repeat: Repeat,
    /// A stretch around the last word in which no line ends, and whether one ends right behind it.
    clear: Range<usize>,
    closed: bool,
}

impl Seen {
    /// What tells the word from others: its line, if that is short, and its place in it.
    fn line_mark(&mut self, bytes: &[u8], low: usize, word: &Range<usize>) -> Option<u64> {
        let place = low + word.start;
        if place < self.long {
            return None;
        }
        if !self.line.contains(&place) {
            let first = word.start.saturating_sub(LINE);
            let start = memchr::memrchr(b'\n', &bytes[first..word.start]).map_or(first, |at| first + at + 1);
            let last = bytes.len().min(word.start + LINE);
            let end = memchr::memchr(b'\n', &bytes[word.start..last]).map_or(last, |at| word.start + at);
            let whole = (start == 0 || bytes[start - 1] == b'\n') && (end == bytes.len() || bytes[end] == b'\n');
            self.line = low + start..low + end;
            self.mark = whole.then(|| mark(1, &bytes[start..end]));
            if !whole {
                (self.line, self.long) = (0..0, low + end);
            }
        }
        self.mark.map(|mark| mixed(mark, ((place - self.line.start) << 8 | word.len()) as u64) | 1)
    }

    /// As [`super::assignment::line`].
    fn line(&mut self, bytes: &[u8], low: usize, word: &Range<usize>) -> Range<usize> {
        let (before, behind) = AROUND;
        let (first, last) = (word.start.saturating_sub(before), bytes.len().min(word.end + behind));
        if !self.clear.contains(&(low + word.start)) || self.clear.end < low + word.end {
            let start = memchr::memrchr3(b'\n', b'\r', 0, &bytes[first..word.start]).map_or(first, |at| first + at + 1);
            self.clear = low + start..low + word.end;
            self.closed = false;
        }
        let known = self.clear.end - low;
        if known < last && !self.closed {
            let end = memchr::memchr3(b'\n', b'\r', 0, &bytes[known..last]);
            self.closed = end.is_some();
            self.clear.end = low + end.map_or(last, |end| known + end);
        }
        first.max(self.clear.start.saturating_sub(low))..last.min(self.clear.end - low)
    }

    /// The assignment that the word leads to, judged, if it gives a credential away.
    pub(super) fn judged_at(&mut self, bytes: &[u8], low: usize, word: &Range<usize>) -> Option<Judged> {
        let mark = self.line_mark(bytes, low, word);
        if mark.is_some_and(|mark| self.has(mark)) {
            return None;
        }
        let line = self.line(bytes, low, word);
        self.ends.low = low;
        let found = assigned(bytes, word.clone(), line, &mut self.ends);
        let judged = found.and_then(|found| self.judged(bytes, found)).filter(|judged| judged.score >= LOW);
        if let Some(mark) = mark.filter(|_| judged.is_none() && !goes_on(bytes, word.end)) {
            self.add(mark);
        }
        judged
    }

    /// `found`, judged, when it may be a credential.
    fn judged(&mut self, bytes: &[u8], found: Assignment) -> Option<Judged> {
        let own = own_mark(bytes, &found);
        let known = self.most.get(slot(own)).filter(|(mark, _)| *mark == own).map(|(_, most)| *most);
        let most = known.unwrap_or_else(|| {
            let may_be = !is_code(bytes, &found) && promising(bytes, found.clone()).is_some();
            let most = if may_be { model::most(Features::of_its_own(bytes, &found).all()) } else { 0.0 };
            if self.most.is_empty() {
                self.most = vec![(0, 0.0); SLOTS];
            }
            self.most[slot(own)] = (own, most);
            most
        });
        if most < LOW {
            return None;
        }
        let mark = in_line_mark(bytes, &found);
        if self.has(mark) {
            return None;
        }
        let judged = weighed(bytes, found);
        if judged.score < LOW {
            self.add(mark);
        }
        Some(judged)
    }

    fn has(&self, mark: u64) -> bool {
        self.dull.get(slot(mark)) == Some(&mark)
    }

    fn add(&mut self, mark: u64) {
        if self.dull.is_empty() {
            self.dull = vec![0; SLOTS];
        }
        self.dull[slot(mark)] = mark;
    }
}

/// What tells an assignment from others, whatever line they stand in.
fn own_mark(bytes: &[u8], found: &Assignment) -> u64 {
    let flags =
        [found.spaced, found.named_in_quotes, found.scheme].iter().fold(0, |all, flag| all << 1 | u64::from(*flag));
    let how = (found.operator as u64) << 8 | (found.quote as u64) << 4 | flags;
    let name = mark(how, &bytes[found.name.clone()]);
    mark(mixed(name, found.value.len() as u64), &bytes[found.value.clone()]) | 1
}

/// What tells an assignment from others: its line, its places in it, and its value, which may stand in another line.
fn in_line_mark(bytes: &[u8], found: &Assignment) -> u64 {
    let line = found.line.start..found.line.end.max(found.line.start);
    let place = (found.name.start - found.line.start.min(found.name.start)) as u64;
    let begin = mixed(place << 8 | u64::from(found.operator == Operator::Url), line.len() as u64);
    // Nothing has the mark of an empty slot.
    mark(mark(begin, &bytes[line]), &bytes[found.value.clone()]) | 1
}

/// The mark of `text` behind what has the mark `before`.
fn mark(before: u64, text: &[u8]) -> u64 {
    let mut mark = mixed(before, text.len() as u64);
    // Four words side by side: none waits for the one before.
    let (blocks, rest) = text.as_chunks::<32>();
    let mut marks = [mark, 1, 2, 3];
    for block in blocks {
        for (mark, word) in marks.iter_mut().zip(block.as_chunks::<8>().0) {
            *mark = mixed(*mark, u64::from_le_bytes(*word));
        }
    }
    mark = marks.into_iter().reduce(mixed).unwrap_or(mark);
    let (words, rest) = rest.as_chunks::<8>();
    mark = words.iter().fold(mark, |mark, word| mixed(mark, u64::from_le_bytes(*word)));
    let last = rest.iter().fold(0, |last, byte| last << 8 | u64::from(*byte));
    mixed(mark, last)
}

fn slot(mark: u64) -> usize {
    (mark >> 40) as usize % SLOTS
}

fn mixed(mark: u64, word: u64) -> u64 {
    (mark.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
