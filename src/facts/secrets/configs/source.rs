//! Settings that are written as a program: PHP, Python, Ruby, JavaScript. Gives string literals with the name that they
//! are given to: `define('A', 'x')`, `'a' => 'x'`, `$a['b'] = 'x'`, `A = "x"`, `a: 'x'`. Understands nothing else.

use super::Pair;
use super::text::place;

/// Bytes of a literal.
const LITERAL: usize = 4 << 10;

/// What stands before a literal and binds it to a name.
#[derive(Default)]
struct Before {
    name: Option<String>,
    bound: bool,
    /// The last word or literal, not bound to anything.
    last: Option<String>,
    /// `define` or its like, and whether the name has been read.
    defines: u8,
}

/// Every literal that is given to a name.
pub(super) fn read(text: &str, take: &mut dyn FnMut(Pair<'_>)) {
    let bytes = text.as_bytes();
    let mut before = Before::default();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'#' if bytes.get(at + 1) != Some(&b'{') => at = line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = memchr::memmem::find(&bytes[at + 2..], b"*/").map_or(bytes.len(), |end| at + end + 4);
            }
            b'"' | b'\'' => {
                let (inner, next) = literal(bytes, at);
                let raw = text.get(inner).unwrap_or_default();
                at = next;
                if before.bound
                    && let Some(name) = before.name.take()
                {
                    before = Before::default();
                    // Glued to something else, it is not the value.
                    let rest = bytes.get(at..).unwrap_or_default().trim_ascii_start();
                    if raw.len() <= LITERAL && !rest.starts_with(b". ") && !rest.starts_with(b"+") {
                        let value = if byte == b'\'' { raw.replace("\\'", "'") } else { super::json::unescape(raw) };
                        take(Pair { path: &[name], value: &value, at: place(text, raw), listed: false });
                    }
                } else if before.defines == 1 && raw.len() < 128 {
                    before = Before { name: Some(raw.to_owned()), defines: 2, ..Before::default() };
                } else {
                    before = Before { last: (raw.len() < 128).then(|| raw.to_owned()), ..Before::default() };
                }
            }
            b'=' | b':' => {
                let arrow = bytes.get(at + 1) == Some(&b'>');
                let compares =
                    byte == b'=' && (bytes.get(at + 1) == Some(&b'=')) || at > 0 && b"!<>=".contains(&bytes[at - 1]);
                let name = before.last.take().filter(|_| !compares);
                before = Before { bound: name.is_some(), name, ..Before::default() };
                at += 1 + usize::from(arrow);
                while compares && bytes.get(at) == Some(&b'=') {
                    at += 1;
                }
            }
            b',' if before.defines == 2 => {
                before.bound = true;
                at += 1;
            }
            b'(' if before.last.as_deref() == Some("define") => {
                before = Before { defines: 1, ..Before::default() };
                at += 1;
            }
            // `$a['b'] =` is given to the last of them.
            b']' if before.last.is_some() => at += 1,
            b' ' | b'\t' => at += 1,
            b'\r' | b'\n' => {
                at += 1;
                if !before.bound && before.defines == 0 {
                    before = Before::default();
                }
            }
            _ if byte.is_ascii_alphanumeric() || byte == b'_' => {
                let length =
                    bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                let word = text.get(at..at + length).unwrap_or_default();
                at += length;
                // The prefixes of Python's literals.
                let prefix = before.bound && matches!(bytes.get(at), Some(b'"' | b'\'')) && length <= 2;
                if !prefix {
                    before = Before { last: (length < 128).then(|| word.to_owned()), ..Before::default() };
                }
            }
            _ => {
                before = Before::default();
                at += 1;
            }
        }
    }
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end)
}

/// The literal that begins at `at`: what is inside, and where it ends. Python's may have three quotes; one that is not
/// closed ends with its line.
fn literal(bytes: &[u8], at: usize) -> (std::ops::Range<usize>, usize) {
    let quote = bytes.get(at).copied().unwrap_or_default();
    let triple = [quote; 3];
    if bytes.get(at..at + 3) == Some(&triple[..]) {
        let end = memchr::memmem::find(&bytes[at + 3..], &triple).map_or(bytes.len(), |end| at + 3 + end);
        return (at + 3..end, (end + 3).min(bytes.len()).max(at + 1));
    }
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\\' => end += 1,
            b'\n' => break,
            _ if byte == quote => return (at + 1..end, end + 1),
            _ => {}
        }
        end += 1;
    }
    let end = end.min(bytes.len());
    (at + 1..end.max(at + 1).min(bytes.len()), end.max(at + 1))
}
