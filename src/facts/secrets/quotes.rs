//! Where the strings of a shell's text begin and end, strings in strings included. Knows no words and no commands.

use crate::image::{Opened, closing_mark};

/// The strings of a text, each from its opening mark to its closing one.
pub(super) struct Quotes {
    outer: Vec<(usize, usize)>,
    /// Those inside of others.
    inner: Vec<(usize, usize)>,
}

impl Quotes {
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let outer = strings(bytes, 0, bytes.len(), false);
        let mut inner = Vec::new();
        for &(open, close) in &outer {
            inner.append(&mut strings(bytes, open + 1, close, bytes[open] == b'"'));
        }
        Self { outer, inner }
    }

    /// The innermost string around `place`: the place behind its opening mark, and that of its closing one.
    pub(super) fn around(&self, place: usize) -> Option<(usize, usize)> {
        [&self.inner, &self.outer].into_iter().find_map(|strings| {
            let last = strings.partition_point(|&(open, _)| open < place).checked_sub(1)?;
            strings.get(last).filter(|&&(_, close)| place < close).map(|&(open, close)| (open + 1, close))
        })
    }
}

/// The strings in `bytes[from..to]`, outermost ones; with `escaped` also those between `\"` and `\"`.
fn strings(bytes: &[u8], from: usize, to: usize, escaped: bool) -> Vec<(usize, usize)> {
    let bytes = &bytes[..to];
    let mut found = Vec::new();
    let mut waste = 4 * (to - from);
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        let close = match byte {
            b'\\' if escaped && bytes.get(at + 1) == Some(&b'"') => {
                at += 1;
                memchr::memmem::find(&bytes[at + 1..], b"\\\"").map(|length| (at + 1 + length, 2))
            }
            b'\\' => {
                at += 2;
                continue;
            }
            b'\'' if !is_apostrophe(bytes, at) => {
                memchr::memchr(b'\'', &bytes[at + 1..]).map(|length| (at + 1 + length, 1))
            }
            b'"' if waste > 0 => {
                let close = closing_mark(bytes, at + 1, Opened::Quote);
                waste = if close.is_none() { waste.saturating_sub(to - at) } else { waste };
                close.map(|close| (close, 1))
            }
            _ => None,
        };
        at = match close {
            Some((close, marks)) => {
                found.push((at, close));
                close + marks
            }
            None => at + 1,
        };
    }
    found
}

/// Whether the mark is one of `it's` and `don't`.
fn is_apostrophe(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at + 1..];
    let letters = rest.iter().take(3).take_while(|byte| byte.is_ascii_alphabetic()).count();
    at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_lowercase())
        && matches!(&rest[..letters], b"s" | b"t" | b"re" | b"ll" | b"ve" | b"d" | b"m")
        && rest.get(letters).is_none_or(|byte| b" \t\n,.".contains(byte))
}
