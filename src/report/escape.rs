//! JSON as text that is safe to print: a terminal or a log that shows it cannot be steered by what an image holds.

use crate::model::{begins_command, is_unsafe, push_hex};
use serde::Serialize;
use std::fmt::Write as _;
use std::io;

/// Writes `value` with two spaces of indent and a final newline.
pub(super) fn write_pretty(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    write(serde_json::to_string_pretty(value)?, out)
}

/// Writes `value` as one line.
pub(super) fn write_line(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    write(serde_json::to_string(value)?, out)
}

/// `bytes` in hex when they are not UTF-8, so that their text cannot stand for them.
pub(super) fn hex_unless_utf8(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).is_err().then(|| hex(bytes))
}

/// `bytes` in lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    push_hex(&mut out, bytes);
    out
}

/// Outside of strings JSON text has no character worth escaping but the newline of its layout, and inside of strings the
/// newline is escaped already: so what is unsafe can be replaced in the text as a whole. No string begins a line.
fn write(json: String, out: &mut dyn io::Write) -> io::Result<()> {
    let unsafe_here = |c: char| c != '\n' && is_unsafe(c);
    let mut text = if json.contains("##") || json.contains(unsafe_here) {
        let mut text = String::with_capacity(json.len() + 64);
        for (at, c) in json.char_indices() {
            if unsafe_here(c) || c == '#' && begins_command(&json, at) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            } else {
                text.push(c);
            }
        }
        text
    } else {
        json
    };
    text.push('\n');
    out.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_reads_back_the_same() {
        let hostile = "a\u{1b}[2J\r\n\u{9b}31m\u{7f}\u{202e}\u{e0041}é\u{2028}##vso[x]";
        for writer in [write_pretty, write_line] {
            let mut out = Vec::new();
            writer(&[hostile], &mut out).expect("a vector takes all");
            let text = String::from_utf8(out).expect("UTF-8");
            assert!(!text.contains(|c| c != '\n' && is_unsafe(c)), "{text:?}");
            assert!(text.contains('é') && !text.contains("##"));
            assert_eq!(serde_json::from_str::<Vec<String>>(&text).expect("JSON"), [hostile]);
        }
    }
}
