//! Secrets in another writing: base64 and hex runs, UTF-16, escapes of URLs, source and markup; one in the other to a small
//! depth. Decodes stretches that a look at their own bytes picks, so that the answer does not depend on how a stream was
//! cut, and the work stays in proportion to the bytes. Knows no token.

use super::AHEAD;
use super::encode::base64_digit;
use std::ops::Range;

/// How deep writings may lie in one another.
pub(super) const DEPTH: usize = 3;

/// The shortest run of base64 and of hex that is decoded.
const BASE64_LEAST: usize = 24;
const HEX_LEAST: usize = 40;

/// A long run is taken up anew where a multiple of this many bytes of the file lies in it.
const LONG: u64 = 8 << 10;

/// The shortest line that may go on in the next one, and how many more lines are joined.
const LINE_LEAST: usize = 56;
const LINES: usize = 3;

/// UTF-16 is read in pieces that begin at multiples of so many bytes, with so many before and behind.
const WIDE: Grid = Grid { step: 4 << 10, before: 512, behind: 8 << 10, sight: 64 };
/// Characters of UTF-16 in a row that are looked into.
const WIDE_LEAST: usize = 12;

/// Text with escapes likewise.
const ESCAPED: Grid = Grid { step: 8 << 10, before: 256, behind: 4 << 10, sight: 256 };

struct Grid {
    step: u64,
    before: usize,
    behind: usize,
    /// So far behind a piece lies what makes it worth a look.
    sight: usize,
}

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

/// A decoded stretch.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) writing: Writing,
    pub(super) bytes: Vec<u8>,
    /// Where bytes stand in what was decoded: (decoded, source), in order. From one to the next both count on alike.
    places: Vec<(u32, u32)>,
    /// What begins outside of this range belongs to another stretch.
    own: Range<usize>,
    /// Whether all of the stretch's end is here.
    pub(super) ends: bool,
}

impl Decoded {
    fn new(writing: Writing, own: Range<usize>) -> Self {
        Self { writing, bytes: Vec::new(), places: Vec::new(), own, ends: true }
    }

    fn push(&mut self, bytes: &[u8], place: usize) {
        self.end(place);
        self.bytes.extend_from_slice(bytes);
    }

    /// What comes next stands at `place`.
    fn end(&mut self, place: usize) {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        self.places.push((number(self.bytes.len()), number(place)));
    }

    fn place(&self, decoded: usize) -> Option<usize> {
        let after = self.places.partition_point(|(known, _)| *known as usize <= decoded);
        let (known, place) = self.places.get(after.checked_sub(1)?)?;
        Some(*place as usize + decoded - *known as usize)
    }

    /// Where `range` of the decoded bytes stands; `None` when it is another stretch's, or is written plainly.
    pub(super) fn source(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let (from, to) = (self.place(range.start)?, self.place(range.end)?);
        (self.own.contains(&from) && to > from + range.len()).then_some(from..to)
    }
}

/// Gives every stretch of `bytes` that begins in `starts` and reads as something else; `offset` is where `bytes` begin in
/// the file, `ends` whether they end where the file does.
pub(super) fn each_decoded(bytes: &[u8], starts: Range<usize>, offset: u64, ends: bool, mut take: impl FnMut(Decoded)) {
    each_run(bytes, starts.clone(), offset, |start| {
        if let Some(decoded) = base64(bytes, start, ends) {
            take(decoded);
        }
        if let Some(decoded) = hex(bytes, start, ends) {
            take(decoded);
        }
    });
    WIDE.each(bytes, starts.clone(), offset, is_wide, |piece, own| wide(bytes, piece, &own, ends, &mut take));
    ESCAPED.each(bytes, starts, offset, has_escape, |piece, own| {
        let decoded = unescape(bytes, piece, own, ends);
        take(decoded);
    });
}

impl Grid {
    /// Gives each piece that begins in `starts` and that `is_worth` it: the piece with its surroundings, and alone.
    fn each(
        &self,
        bytes: &[u8],
        starts: Range<usize>,
        offset: u64,
        is_worth: impl Fn(&[u8]) -> bool,
        mut take: impl FnMut(Range<usize>, Range<usize>),
    ) {
        let mut start = starts.start;
        if start > 0 {
            start += usize::try_from((offset + start as u64).wrapping_neg() % self.step).unwrap_or(0);
        }
        while start < starts.end {
            let step = self.step - (offset + start as u64) % self.step;
            let next = start + usize::try_from(step).unwrap_or(1);
            let own = start..next.min(bytes.len());
            if is_worth(&bytes[start..(next + self.sight).min(bytes.len())]) {
                take(start.saturating_sub(self.before)..(next + self.behind).min(bytes.len()), own);
            }
            start = next;
        }
    }
}

fn is_run(byte: u8) -> bool {
    base64_digit(byte) < 64
}

/// Calls `take` where a run of base64 digits of either alphabet begins, or is taken up anew.
fn each_run(bytes: &[u8], starts: Range<usize>, offset: u64, mut take: impl FnMut(usize)) {
    let mut at = starts.start;
    // A run that is long enough covers one of every so many bytes.
    let mut probe = at;
    while probe < bytes.len() && at < starts.end {
        if !is_run(bytes[probe]) {
            at = probe + 1;
            probe = at + BASE64_LEAST - 1;
            continue;
        }
        let begin = bytes[at..probe].iter().rposition(|&byte| !is_run(byte)).map_or(at, |last| at + last + 1);
        if begin >= starts.end {
            return;
        }
        let most = bytes.len().min(probe + AHEAD);
        let end = bytes[probe..most].iter().position(|&byte| !is_run(byte)).map_or(most, |length| probe + length);
        let fresh = begin == 0 || !is_run(bytes[begin - 1]);
        if fresh && end - begin >= BASE64_LEAST {
            take(begin);
        }
        let mut again = begin + usize::try_from((offset + begin as u64).wrapping_neg() % LONG).unwrap_or(0);
        while again < end.min(starts.end) {
            let long = bytes.get(again..again + BASE64_LEAST).is_some_and(|run| run.iter().all(|&byte| is_run(byte)));
            if long && (again > begin || !fresh) {
                for phase in 0..4 {
                    take(again + phase);
                }
            }
            again += LONG as usize;
        }
        at = end;
        probe = at + BASE64_LEAST - 1;
    }
}

/// Whether a byte stands in text; NUL in that of UTF-16.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0 | b' '..=b'~')
}

/// The bytes of up to four digits: one less than there are digits.
fn word(digits: &[u8]) -> [u8; 3] {
    let word = digits.iter().fold(0u32, |word, &digit| word << 6 | u32::from(base64_digit(digit) & 63));
    let [_, a, b, c] = (word << (6 * (4 - digits.len().min(4)))).to_be_bytes();
    [a, b, c]
}

/// Reads the run of base64 at `start` when it begins with text.
fn base64(bytes: &[u8], start: usize, ends: bool) -> Option<Decoded> {
    // Names and paths end here: their first bytes are none of text.
    let first = bytes.get(start..start + BASE64_LEAST)?;
    if !first.chunks(4).take(4).all(|quad| word(quad).iter().all(|&byte| is_text(byte))) {
        return None;
    }
    let most = bytes.len().min(start + AHEAD);
    let mut decoded = Decoded::new(Writing::Base64, 0..usize::MAX);
    let (mut at, mut lines) = (start, 0);
    // Digits that the line before left over, and where they stand.
    let (mut quad, mut place) = (Vec::with_capacity(4), start);
    loop {
        let line = at;
        let run = bytes[at..most].iter().position(|&byte| !is_run(byte)).unwrap_or(most - at);
        for &digit in &bytes[at..at + run] {
            if quad.is_empty() {
                place = at;
            }
            quad.push(digit);
            at += 1;
            if quad.len() == 4 {
                decoded.push(&word(&quad), place);
                quad.clear();
            }
        }
        // Lines of the usual lengths go on.
        let breaks = bytes[at..most].iter().take(2).take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        if breaks == 0 || at - line < LINE_LEAST || lines == LINES {
            break;
        }
        at += breaks;
        lines += 1;
    }
    if quad.len() > 1 {
        decoded.push(&word(&quad)[..quad.len() - 1], place);
    }
    decoded.ends = at < most || ends;
    let padding = bytes[at..most].iter().take(2).take_while(|&&byte| byte == b'=').count();
    decoded.end(at + padding);
    Some(decoded)
}

/// Reads the run of hex at `start` when it begins with text.
fn hex(bytes: &[u8], start: usize, ends: bool) -> Option<Decoded> {
    let most = bytes.len().min(start + AHEAD);
    let digit = |at: usize| char::from(bytes[at]).to_digit(16);
    let mut decoded = Decoded::new(Writing::Hex, 0..usize::MAX);
    let mut at = start;
    while at + 1 < most
        && let (Some(high), Some(low)) = (digit(at), digit(at + 1))
    {
        let byte = (high << 4 | low) as u8;
        if decoded.bytes.len() < HEX_LEAST / 4 && !is_text(byte) {
            return None;
        }
        decoded.push(&[byte], at);
        at += 2;
    }
    decoded.ends = at + 1 < most || ends;
    decoded.end(at);
    (at - start >= HEX_LEAST).then_some(decoded)
}

/// Whether somewhere in `piece` every other byte is NUL.
fn is_wide(piece: &[u8]) -> bool {
    // Where letters stand among three characters.
    let letters = |chunk: &[u8], first: usize| {
        chunk.iter().take(6).enumerate().all(|(at, &byte)| (byte != 0) == (at % 2 == first))
    };
    piece.chunks_exact(16).any(|chunk| letters(chunk, 0) || letters(chunk, 1))
}

/// Gives the text of every run of UTF-16 in `piece`, of either order: characters with NULs between them.
fn wide(bytes: &[u8], piece: Range<usize>, own: &Range<usize>, ends: bool, take: &mut impl FnMut(Decoded)) {
    for parity in 0..2 {
        let mut at = piece.start + parity;
        while at < piece.end {
            if bytes.get(at + 1) != Some(&0) || bytes.get(at + 3) != Some(&0) {
                at += 2;
                continue;
            }
            let mut decoded = Decoded::new(Writing::Utf16, own.clone());
            while at < piece.end && bytes[at] != 0 && is_text(bytes[at]) {
                decoded.push(&bytes[at..=at], at);
                at += 2;
                // The NUL behind a character is its own or the next one's; behind the last one there may be none.
                if bytes.get(at - 1) != Some(&0) {
                    break;
                }
            }
            if decoded.bytes.len() >= WIDE_LEAST {
                decoded.ends = at < piece.end || ends && piece.end == bytes.len();
                decoded.end(at.min(bytes.len()));
                take(decoded);
            } else if decoded.bytes.is_empty() {
                at += 2;
            }
        }
    }
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
        let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok().and_then(|code| u8::try_from(code).ok()).filter(u8::is_ascii)
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

fn has_escape(piece: &[u8]) -> bool {
    memchr::memchr3_iter(b'%', b'\\', b'&', piece).any(|at| escape(&piece[at..]).is_some())
}

/// `piece` with its escapes read.
fn unescape(bytes: &[u8], piece: Range<usize>, own: Range<usize>, ends: bool) -> Decoded {
    let mut decoded = Decoded::new(Writing::Escapes, own);
    decoded.ends = ends && piece.end == bytes.len();
    let mut plain = piece.start;
    let marks = memchr::memchr3_iter(b'%', b'\\', b'&', &bytes[piece.clone()]);
    for at in marks.map(|at| piece.start + at) {
        let read = if at < plain { None } else { escape(&bytes[at..piece.end]) };
        let Some((byte, length)) = read else { continue };
        decoded.push(&bytes[plain..at], plain);
        decoded.push(&[byte], at);
        plain = at + length;
    }
    decoded.push(&bytes[plain.min(piece.end)..piece.end], plain);
    decoded.end(plain.max(piece.end));
    decoded
}
