//! JSON as its readers take it: with comments, trailing commas and bare words, as editors and YAML's flow style write it.
//! Gives every value that is no object and no list; lists add nothing to the path. Not a validator.

use super::Pair;
use std::ops::Range;

/// Keys above a value that are kept; what lies deeper is read without its upper keys.
const DEPTH: usize = 32;

/// Bytes of a key that are kept.
const KEY: usize = 256;

/// Every value of `text`.
pub(super) fn read(text: &str, take: &mut dyn FnMut(Pair<'_>)) {
    read_within(text, 0, &[], take);
}

/// The same for a piece that begins at byte `from` of its file, below the keys `above`.
pub(super) fn read_within(text: &str, from: usize, above: &[String], take: &mut dyn FnMut(Pair<'_>)) {
    let bytes = text.as_bytes();
    let mut path: Vec<String> = above.to_vec();
    // For each open bracket, whether it is an object, and how many keys stand above it.
    let mut open: Vec<(bool, usize)> = Vec::new();
    let mut key: Option<String> = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                open.push((byte == b'{', path.len()));
                if let Some(key) = key.take()
                    && path.len() < DEPTH
                {
                    path.push(key);
                }
                at += 1;
            }
            b'}' | b']' => {
                if let Some((_, length)) = open.pop() {
                    path.truncate(length);
                }
                key = None;
                at += 1;
            }
            b',' => {
                key = None;
                at += 1;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = memchr::memmem::find(&bytes[at + 2..], b"*/").map_or(bytes.len(), |end| at + end + 4);
            }
            b'#' => at = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end),
            _ if byte.is_ascii_whitespace() || byte == b':' => at += 1,
            _ => {
                let (inner, next) = word(bytes, at);
                let raw = text.get(inner.clone()).unwrap_or_default();
                let value = if byte == b'"' { unescape(raw) } else { raw.trim_end().to_owned() };
                at = next;
                let is_key = key.is_none() && open.last().is_some_and(|(object, _)| *object) && {
                    let rest = bytes.get(at..).unwrap_or_default();
                    rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
                };
                if is_key {
                    key = Some(value.chars().take(KEY).collect());
                    continue;
                }
                let named = key.take();
                let added = named.is_some();
                path.extend(named);
                if !path.is_empty() {
                    take(Pair { path: &path, value: &value, at: from + inner.start..from + inner.end, listed: !added });
                }
                if added {
                    path.pop();
                }
            }
        }
    }
}

/// The string or bare word that begins at `at`: what is inside, and where it ends.
fn word(bytes: &[u8], at: usize) -> (Range<usize>, usize) {
    let quote = bytes.get(at).copied().unwrap_or_default();
    if quote != b'"' && quote != b'\'' {
        let end = bytes[at..].iter().position(|byte| b",:{}[]\n\"".contains(byte)).map_or(bytes.len(), |end| at + end);
        return (at..end, end.max(at + 1));
    }
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\\' if quote == b'"' => end += 1,
            _ if byte == quote => return (at + 1..end, end + 1),
            _ => {}
        }
        end += 1;
    }
    (at + 1..bytes.len(), bytes.len())
}

/// A string of JSON without its escapes.
pub(super) fn unescape(raw: &str) -> String {
    if !raw.contains('\\') {
        return raw.to_owned();
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('u') => {
                let hex: String = rest.by_ref().take(4).collect();
                out.push(u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32).unwrap_or('?'));
            }
            Some(c) => out.push(c),
            None => {}
        }
    }
    out
}
