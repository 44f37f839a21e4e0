//! The text of a file, byte for byte in place where it is UTF-8. Decides nothing about what it says.

use std::borrow::Cow;

/// The text of `bytes`; `None` when they are no text. What is not UTF-8 becomes `?` byte by byte, so that places stay;
/// UTF-16 behind its mark is decoded, and keeps its lines.
pub(super) fn of(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let pairs = |read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|unit| read([unit[0], unit[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match bytes {
        [0xff, 0xfe, ..] => return Some(pairs(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => return Some(pairs(u16::from_be_bytes)),
        _ => {}
    }
    if memchr::memchr(0, &bytes[..bytes.len().min(8 << 10)]).is_some() {
        return None;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(match text.strip_prefix('\u{feff}') {
            Some(rest) => Cow::Owned(format!("   {rest}")),
            None => Cow::Borrowed(text),
        });
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    Some(Cow::Owned(text))
}

/// Where `part` stands in `whole`, of which it is a piece.
pub(super) fn place(whole: &str, part: &str) -> std::ops::Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len());
    start..(start + part.len()).min(whole.len())
}

/// `value` without the quotes around it.
pub(super) fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}
