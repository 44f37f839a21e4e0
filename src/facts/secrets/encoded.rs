//! Secrets in another writing: base64 and hex runs, UTF-16, escapes of URLs, source and markup; one in the other to a small
//! depth. Decodes stretches that a look at their own bytes picks, cell by cell, so that the answer does not depend on how a
//! stream was cut; a cell's budget keeps the work in proportion to the bytes. Knows no token.

use super::encode::base64_digit;
use super::marks::{Beginnings, CELL, PAIRS, RUN, is_pair, is_run};
use super::{AHEAD, BEHIND};
use std::cell::Cell;
use std::ops::Range;

/// How deep writings may lie in one another.
pub(super) const DEPTH: usize = 3;

/// What is shorter is written as it is.
pub(super) const LEAST: usize = 2 * PAIRS;

/// The shortest hex that is decoded, digits.
const HEX_LEAST: usize = 40;

/// Decoded bytes that are looked into, for each byte of a cell, those of all depths: of text's writings, and of UTF-16.
const TIMES: usize = 4;

/// Of so many bytes in base64, so many control characters make no text of them.
const BINARY: (usize, usize) = (48, 3);

/// What goes on from the cell before is decoded from so many bytes before the cell, so that a token's left side is seen.
const LEFT: usize = 256;

/// The shortest line of base64 that may go on in the next one.
const LINE_LEAST: usize = 56;

/// Characters in a row, none of them foreign to text, that UTF-16 is looked into for.
const WIDE_LEAST: usize = 12;

/// What is so short is looked over once more before it is searched for other writings, bytes.
const SHORT: usize = 512;

/// Escapes that stand no further apart are read together, with so many bytes behind.
const NEAR: usize = 1 << 10;

/// So far behind its cell a row of escapes goes on, as long as they stand this near.
const GOES_ON: usize = 4 << 10;
const DENSE: usize = 256;

/// A way to write bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    Base64,
    Hex,
    Utf16,
    Escapes,
}

impl Writing {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Utf16 => "UTF-16",
            Self::Escapes => "escapes",
        }
    }
}

/// How `writings`, the outermost first, are told: `base64 twice`, `hex in UTF-16`.
pub(super) fn told(writings: &[Writing]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for same in writings.chunk_by(|a, b| a == b).rev() {
        let times = ["", "", " twice", " three times"].get(same.len()).copied().unwrap_or(" many times");
        parts.push(format!("{}{times}", same[0].name()));
    }
    format!("in {}", parts.join(" in "))
}

/// Decoded bytes that may still be looked into in a cell.
#[derive(Debug)]
pub(super) struct Allowance {
    left: usize,
    /// Whether it did not suffice.
    pub(super) spent: bool,
}

impl Allowance {
    pub(super) fn of_a_cell() -> Self {
        Self { left: TIMES * CELL, spent: false }
    }

    /// Whether so many more bytes may be looked into.
    fn covers(&mut self, count: usize) -> bool {
        self.spent |= count > self.left;
        self.left = self.left.saturating_sub(count);
        !self.spent
    }
}

/// A decoded stretch.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) writing: Writing,
    pub(super) bytes: Vec<u8>,
    /// Where bytes stand in what was decoded, in order.
    places: Vec<Place>,
    /// What begins outside of this range belongs to another stretch, or cannot be told for its left side is not seen.
    own: Range<usize>,
    /// Whether all of the stretch's end is here.
    pub(super) ends: bool,
}

/// From here on to the next place, `units.0` decoded bytes are written in `units.1`.
#[derive(Clone, Copy, Debug)]
struct Place {
    decoded: usize,
    source: usize,
    units: (usize, usize),
}

impl Decoded {
    fn new(writing: Writing, own: Range<usize>) -> Self {
        Self { writing, bytes: Vec::new(), places: Vec::new(), own, ends: true }
    }

    /// What comes next stands at `source`.
    fn next_at(&mut self, source: usize, units: (usize, usize)) {
        self.places.push(Place { decoded: self.bytes.len(), source, units });
    }

    fn place(&self, decoded: usize) -> Option<usize> {
        let after = self.places.partition_point(|place| place.decoded <= decoded);
        let Place { decoded: known, source, units } = *self.places.get(after.checked_sub(1)?)?;
        let behind = decoded - known;
        Some(source + behind / units.0 * units.1 + behind % units.0)
    }

    /// Where `range` of the decoded bytes stands; `None` when it is another stretch's, is written plainly, or goes on behind
    /// what is seen.
    pub(super) fn source(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let (from, to) = (self.place(range.start)?, self.place(range.end)?);
        let whole = self.ends || range.end < self.bytes.len();
        (whole && self.own.contains(&from) && to > from + range.len()).then_some(from..to)
    }
}

/// Whether anything in `bytes` may be written in another way: a first look for short ones, which are many.
pub(super) fn may_hold_another(bytes: &[u8]) -> bool {
    if bytes.len() < LEAST || bytes.len() > SHORT {
        return bytes.len() >= LEAST;
    }
    let (mut run, mut nuls, mut marks) = (0, 0, 0);
    let mut longest = 0;
    for &byte in bytes {
        run = if is_run(byte) { run + 1 } else { 0 };
        longest = longest.max(run);
        nuls += usize::from(byte == 0);
        marks += usize::from(matches!(byte, b'%' | b'\\' | b'&'));
    }
    longest >= RUN || marks > 0 || nuls >= PAIRS
}

/// Bytes of a file, or of what was decoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch<'a> {
    pub(super) bytes: &'a [u8],
    /// Where `bytes` begin in the file.
    pub(super) offset: u64,
    /// Whether they end where the file ends.
    pub(super) ends: bool,
    /// Whether they are all at hand, whatever the cell.
    pub(super) whole: bool,
}

/// What may be seen of a stretch from one of its cells.
struct View<'a> {
    bytes: &'a [u8],
    cell: Range<usize>,
    low: usize,
    high: usize,
    /// Whether nothing comes behind `high`.
    ends: bool,
    whole: bool,
}

impl<'a> Stretch<'a> {
    /// The cells that begin in `starts`.
    pub(super) fn cells(self, starts: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let length = move |at: usize| CELL - ((self.offset + at as u64) % CELL as u64) as usize;
        let first = match starts.start {
            0 => 0,
            start => start + length(start) % CELL,
        };
        std::iter::successors(Some(first), move |&at| Some(at + length(at)))
            .take_while(move |&at| at < starts.end.min(self.bytes.len()))
            .map(move |at| at..(at + length(at)).min(self.bytes.len()))
    }

    fn view(self, cell: Range<usize>) -> View<'a> {
        let Self { bytes, ends, whole, .. } = self;
        let low = if whole { 0 } else { cell.start.saturating_sub(BEHIND) };
        let high = if whole { bytes.len() } else { bytes.len().min(cell.start + AHEAD) };
        View { bytes, low, high, ends: ends && high == bytes.len(), whole, cell }
    }

    /// Gives every run of UTF-16 that begins in `cell`, as far as the allowance goes.
    pub(super) fn each_wide(
        self,
        beginnings: &Beginnings,
        cell: Range<usize>,
        allowance: &mut Allowance,
        mut take: impl FnMut(Decoded, &mut Allowance),
    ) {
        let view = self.view(cell);
        for &start in &beginnings.pairs {
            if let Some(decoded) = view.wide(start) {
                if !allowance.covers(decoded.bytes.len()) {
                    return;
                }
                take(decoded, allowance);
            }
        }
    }

    /// Gives everything else that begins in `cell` and reads as something other than it is, as far as the allowance goes.
    pub(super) fn each_written(
        self,
        beginnings: &Beginnings,
        cell: Range<usize>,
        allowance: &mut Allowance,
        mut take: impl FnMut(Decoded, &mut Allowance),
    ) {
        let view = self.view(cell);
        // Lines that the base64 read last goes over do not begin anew.
        let lines_end = Cell::new(0);
        let mut read = |decoded: Option<Decoded>| {
            let Some(decoded) = decoded else { return true };
            let allowed = allowance.covers(decoded.bytes.len());
            if allowed {
                if decoded.writing == Writing::Base64 {
                    lines_end.set(decoded.places.last().map_or(0, |place| place.source));
                }
                take(decoded, allowance);
            }
            allowed
        };
        for &start in &beginnings.runs {
            if start >= lines_end.get() && !view.each_run(start, &mut read) {
                return;
            }
        }
        view.each_row(&beginnings.marks, &mut read);
    }
}

impl View<'_> {
    /// What may belong to a stretch that goes on to `end`, from `start` on: what begins in the next cell is found there
    /// when the end is not seen here.
    fn own(&self, start: usize, end: usize) -> Range<usize> {
        start..if end < self.high || self.ends || self.whole { usize::MAX } else { self.cell.end }
    }

    /// Where that which goes on from before the cell began, as far as it is seen; `None` when the cell it began in sees
    /// all of it.
    fn began(&self, start: usize, end: usize, unit: usize, goes_on: impl Fn(usize) -> bool) -> Option<usize> {
        let mut begin = start;
        while begin >= self.low + unit && goes_on(begin - unit) {
            begin -= unit;
        }
        let seen = self.whole || begin >= self.low + unit && end < self.cell.start + CELL;
        (!seen).then_some(begin.max(start.saturating_sub(LEFT)))
    }

    /// Gives what the run of digits at `start` may be; false when there is no more to read.
    fn each_run(&self, start: usize, read: &mut impl FnMut(Option<Decoded>) -> bool) -> bool {
        if start > self.cell.start || start == 0 || !is_run(self.bytes[start - 1]) {
            let own = |end| self.own(start, end);
            return read(self.base64(start, own)) && read(self.hex(start, own));
        }
        let end = start + run_length(&self.bytes[start..self.high]);
        let Some(begin) = self.began(start, end, 1, |at| is_run(self.bytes[at])) else { return true };
        let own = |end| self.own(start, end);
        // Where its quads began is not known.
        (0..4).all(|phase| read(self.base64(begin + phase, own)))
            && (0..2).all(|phase| read(self.hex(begin + phase, own)))
    }

    /// The base64 at `start` when it begins with text.
    fn base64(&self, start: usize, own: impl Fn(usize) -> Range<usize>) -> Option<Decoded> {
        // Names and paths end here: their first bytes are none of text. Zeros alone are none either.
        let bytes = &self.bytes[..self.high];
        let mut first = bytes.get(start..start + RUN)?.chunks(4).take(4).map(word);
        let mut letters = 0;
        let is_text = first.all(|bytes| {
            letters += bytes.iter().map(|&byte| usize::from(byte != 0)).sum::<usize>();
            bytes.iter().all(|&byte| is_text(byte))
        });
        if !is_text || letters < 6 {
            return None;
        }
        let mut decoded = Decoded::new(Writing::Base64, 0..0);
        let mut at = start;
        // Digits that the line before left over.
        let mut left: Vec<u8> = Vec::new();
        loop {
            let line = at;
            let rest = &bytes[at..];
            let run = &rest[..run_length(rest)];
            at += run.len();
            let mut digits = run;
            if !left.is_empty() {
                let (more, behind) = digits.split_at(digits.len().min(4 - left.len()));
                left.extend_from_slice(more);
                if left.len() == 4 {
                    decoded.bytes.extend_from_slice(&word(&left));
                    left.clear();
                }
                digits = behind;
            }
            decoded.next_at(at - digits.len(), (3, 4));
            let (quads, rest) = digits.as_chunks::<4>();
            left.extend_from_slice(rest);
            let begin = decoded.bytes.len();
            decoded.bytes.resize(begin + 3 * quads.len(), 0);
            for (three, quad) in decoded.bytes[begin..].as_chunks_mut::<3>().0.iter_mut().zip(quads) {
                *three = word(quad);
            }
            if let Some(foreign) = decoded.bytes[begin..].chunks(BINARY.0).position(is_binary) {
                // What follows is no text. A line that is text again begins anew.
                decoded.bytes.truncate(begin + (foreign + 1) * BINARY.0);
                at = at - digits.len() + (decoded.bytes.len() - begin) / 3 * 4;
                left.clear();
                decoded.ends = false;
                break;
            }
            if !left.is_empty() {
                decoded.next_at(at - left.len(), (3, 4));
            }
            // Lines of the usual lengths go on.
            let breaks = bytes[at..].iter().take(2).take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            if breaks == 0 || at - line < LINE_LEAST {
                break;
            }
            at += breaks;
        }
        if left.len() > 1 {
            decoded.bytes.extend_from_slice(&word(&left)[..left.len() - 1]);
        }
        decoded.own = own(at);
        decoded.ends &= at < bytes.len() || self.ends;
        let padding = bytes[at..].iter().take(2).take_while(|&&byte| byte == b'=').count();
        decoded.next_at(at + padding, (1, 1));
        Some(decoded)
    }

    /// The hex at `start` when it begins with text.
    fn hex(&self, mut start: usize, own: impl Fn(usize) -> Range<usize>) -> Option<Decoded> {
        let bytes = &self.bytes[..self.high];
        if bytes[start.min(bytes.len())..].starts_with(b"0x") {
            start += 2;
        }
        let first = bytes.get(start..start + HEX_LEAST)?;
        if !first
            .chunks_exact(2)
            .take(HEX_LEAST / 4)
            .all(|pair| hex_byte(pair).is_some_and(|byte| byte > 0 && is_text(byte)))
        {
            return None;
        }
        let mut decoded = Decoded::new(Writing::Hex, 0..0);
        decoded.next_at(start, (1, 2));
        decoded.bytes.extend(bytes[start..].chunks_exact(2).map_while(hex_byte));
        let end = start + 2 * decoded.bytes.len();
        decoded.own = own(end);
        decoded.ends = end + 1 < bytes.len() || self.ends;
        decoded.next_at(end, (1, 1));
        (end - start >= HEX_LEAST).then_some(decoded)
    }

    /// The UTF-16 of either order whose characters begin at `start`, when it has enough of text.
    fn wide(&self, start: usize) -> Option<Decoded> {
        let bytes = &self.bytes[..self.high];
        let pairs = (start..).step_by(2).take_while(|&at| is_pair(bytes, at)).count();
        // The NUL behind a character is its own or the next one's; behind the last one there may be none.
        let last = start + 2 * pairs;
        let alone = bytes.get(last).is_some_and(|&byte| byte != 0);
        let end = last + usize::from(alone);
        let fresh = start >= self.cell.start + 2 || start < 2 || !is_pair(bytes, start - 2);
        let begin = if fresh { start } else { self.began(start, end, 2, |at| is_pair(bytes, at))? };
        let mut decoded = Decoded::new(Writing::Utf16, self.own(start, end));
        decoded.next_at(begin, (1, 2));
        decoded.bytes.extend(bytes[begin..end].iter().step_by(2));
        decoded.ends = end + 1 < bytes.len() || self.ends;
        decoded.next_at(end, (1, 1));
        let text = decoded.bytes.split(|&byte| !is_text(byte)).any(|text| text.len() >= WIDE_LEAST);
        text.then_some(decoded)
    }

    /// Gives each row of escapes that stand near to one another, read.
    fn each_row(&self, marks: &[usize], read: &mut impl FnMut(Option<Decoded>) -> bool) {
        let bytes = &self.bytes[..self.high];
        let mut marks = marks.iter().copied().filter(|&at| may_be_in_a_token(&bytes[at..])).peekable();
        while let Some(first) = marks.next() {
            let mut last = first;
            while let Some(next) = marks.next_if(|&next| next - last <= NEAR) {
                last = next;
            }
            let beyond = self.cell.end..bytes.len().min(self.cell.end + GOES_ON);
            while let near @ 1.. = beyond.end.min(last + DENSE + 1).saturating_sub(beyond.start.max(last + 1)) {
                let from = beyond.start.max(last + 1);
                let found = memchr::memchr3_iter(b'%', b'\\', b'&', &bytes[from..from + near]);
                let Some(next) = found.map(|at| from + at).find(|&at| may_be_in_a_token(&bytes[at..])) else { break };
                last = next;
            }
            let row = first.saturating_sub(LEFT).max(self.low)..bytes.len().min(last + NEAR);
            if !read(Some(self.unescape(row))) {
                return;
            }
        }
    }

    /// `row` with its escapes read.
    fn unescape(&self, row: Range<usize>) -> Decoded {
        // What stands before the first byte of the row decides what may begin there.
        let own = if row.start == 0 { 0 } else { row.start + 1 }..usize::MAX;
        let mut decoded = Decoded::new(Writing::Escapes, own);
        decoded.ends = self.ends && row.end == self.bytes.len();
        let bytes = &self.bytes[..row.end];
        // From `plain` on nothing is taken yet; of escapes in a row only the first is noted where it stands.
        let (mut plain, mut at, mut row_of) = (row.start, row.start, 0);
        while at < row.end {
            if !matches!(bytes[at], b'%' | b'\\' | b'&') {
                let Some(next) = memchr::memchr3(b'%', b'\\', b'&', &bytes[at..]) else { break };
                at += next;
            }
            let Some((byte, length)) = escape(&bytes[at..]) else {
                at += 1;
                continue;
            };
            if at > plain {
                decoded.next_at(plain, (1, 1));
                decoded.bytes.extend_from_slice(&bytes[plain..at]);
                row_of = 0;
            }
            if row_of != length {
                decoded.next_at(at, (1, length));
                row_of = length;
            }
            decoded.bytes.push(byte);
            at += length;
            plain = at;
        }
        decoded.next_at(plain, (1, 1));
        decoded.bytes.extend_from_slice(&self.bytes[plain..row.end.max(plain)]);
        decoded
    }
}

/// How many digits of base64 stand at the beginning of `bytes`.
fn run_length(bytes: &[u8]) -> usize {
    // Without a table and without a branch, so that a block is looked at with a few wide instructions.
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() | matches!(byte, b'+' | b'/' | b'-' | b'_');
    let (blocks, _) = bytes.as_chunks::<32>();
    let whole = blocks.iter().take_while(|block| block.iter().fold(true, |all, &byte| all & is_digit(byte))).count();
    let rest = &bytes[32 * whole..];
    32 * whole + rest.iter().position(|&byte| !is_run(byte)).unwrap_or(rest.len())
}

/// Whether too many bytes are control characters.
fn is_binary(bytes: &[u8]) -> bool {
    let is_control = |byte: u8| matches!(byte, 1..=8 | 0xb | 0xc | 0xe..=0x1f | 0x7f);
    bytes.iter().map(|&byte| usize::from(is_control(byte))).sum::<usize>() >= BINARY.1
}

/// Whether a byte stands in text; NUL in that of UTF-16.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0 | b' '..=b'~')
}

/// The bytes of up to four digits: one less than there are digits.
#[inline]
fn word(digits: &[u8]) -> [u8; 3] {
    let word = digits.iter().fold(0u32, |word, &digit| word << 6 | u32::from(base64_digit(digit) & 63));
    let [_, a, b, c] = (word << (6 * (4 - digits.len().min(4)))).to_be_bytes();
    [a, b, c]
}

/// The value of each digit in hex; 16 for other bytes.
const HEX: [u8; 256] = {
    let mut table = [16; 256];
    let mut digit = 0;
    while digit < 16 {
        let byte = b"0123456789abcdef"[digit];
        table[byte as usize] = digit as u8;
        table[byte.to_ascii_uppercase() as usize] = digit as u8;
        digit += 1;
    }
    table
};

fn hex_byte(pair: &[u8]) -> Option<u8> {
    let [high, low] = *pair else { return None };
    let (high, low) = (HEX[usize::from(high)], HEX[usize::from(low)]);
    (high | low < 16).then_some(high << 4 | low)
}

/// What stands between `&` and `;` for a byte, beside numbers.
const ENTITIES: &[(&[u8], u8)] = &[
    (b"amp;", b'&'),
    (b"lt;", b'<'),
    (b"gt;", b'>'),
    (b"quot;", b'"'),
    (b"apos;", b'\''),
    (b"sol;", b'/'),
    (b"lowbar;", b'_'),
    (b"equals;", b'='),
    (b"plus;", b'+'),
    (b"colon;", b':'),
];

/// The byte that an escape at the beginning of `bytes` stands for, and the escape's length.
fn escape(bytes: &[u8]) -> Option<(u8, usize)> {
    let hex = |digits: &[u8]| {
        let add =
            |code: u32, digit: &u8| (code << 4 | u32::from(HEX[usize::from(*digit)]), HEX[usize::from(*digit)] < 16);
        let (code, right) = digits.iter().fold((0, true), |(code, right), digit| {
            let (code, is_digit) = add(code, digit);
            (code, right & is_digit)
        });
        (right && code < 128).then_some(code as u8)
    };
    match bytes {
        [b'%', digits @ ..] => Some((hex(digits.get(..2)?)?, 3)),
        [b'\\', b'x', digits @ ..] => Some((hex(digits.get(..2)?)?, 4)),
        [b'\\', b'u', b'{', rest @ ..] => {
            let length = rest.iter().take(7).position(|&byte| byte == b'}').filter(|length| *length > 0)?;
            Some((hex(&rest[..length])?, length + 4))
        }
        [b'\\', b'u', digits @ ..] => Some((hex(digits.get(..4)?)?, 6)),
        [b'&', b'#', rest @ ..] => {
            let length = rest.iter().take(8).position(|&byte| byte == b';').filter(|length| *length > 0)?;
            let code = match &rest[..length] {
                [b'x' | b'X', digits @ ..] if !digits.is_empty() => hex(digits)?,
                digits => std::str::from_utf8(digits).ok()?.parse::<u8>().ok().filter(u8::is_ascii)?,
            };
            Some((code, length + 3))
        }
        [b'&', rest @ ..] => {
            ENTITIES.iter().find(|(name, _)| rest.starts_with(name)).map(|(name, byte)| (*byte, name.len() + 1))
        }
        _ => None,
    }
}

/// Whether an escape begins here that stands for a byte of a token, or for one that another escape begins with.
fn may_be_in_a_token(bytes: &[u8]) -> bool {
    let Some((byte, length)) = escape(bytes) else { return false };
    match byte {
        b'&' => bytes.get(length) == Some(&b'#'),
        b'\n' | b'\r' | b'!' | b'#'..=b'%' | b'*'..=b';' | b'=' | b'?'..=b'_' | b'a'..=b'z' | b'|' | b'~' => true,
        _ => false,
    }
}
