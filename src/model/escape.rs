//! Foreign bytes made printable: names and texts of an image never reach a terminal or a report raw.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `bytes` as text in which every byte that is not UTF-8 stands as `\xHH`. Control characters are kept: each output
/// format escapes them in its own way (see [`visible_str`] for the terminal's).
#[must_use]
pub fn visible(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    Cow::Owned(out)
}

/// `text` safe for a terminal or a log line: control characters (C0, DEL, C1), line and paragraph separators and the
/// characters that reorder or hide text (Unicode Bidi_Control, zero width) stand as `\u{..}`, and so does the first
/// character of what a build's log takes as a command (see [`begins_command`]); nothing else changes.
#[must_use]
pub fn visible_str(text: &str) -> Cow<'_, str> {
    if !text.contains("##") && !text.contains("::") && !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        if is_unsafe(c) || begins_command(text, at) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether what starts at byte `at` of `text` would be a command to the log of GitHub's workflows (`::error file=x::` at
/// the start of a line, `##[add-mask]` anywhere) or of Azure's pipelines (`##vso[task.setvariable]` anywhere). A line may
/// break at any blank.
#[must_use]
pub fn begins_command(text: &str, at: usize) -> bool {
    let Some((before, rest)) = text.split_at_checked(at) else { return false };
    if let Some(rest) = rest.strip_prefix("##") {
        return rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).starts_with('[');
    }
    let Some(rest) = rest.strip_prefix("::").filter(|_| !before.ends_with(|c: char| !c.is_whitespace())) else {
        return false;
    };
    let after = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-');
    after.len() < rest.len() && (after.starts_with("::") || after.starts_with(' '))
}

/// Whether `c` is one of the characters that [`visible_str`] writes as `\u{..}`.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Appends `bytes` as lower-case hex.
pub fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
}

/// What the operating system says, as our errors say it: in lower case, without its number, which helps nobody.
#[must_use]
pub fn system_says(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_bytes_stand_as_hex() {
        assert_eq!(visible(b"caf\xe9/x"), "caf\\xe9/x");
        assert_eq!(visible("café".as_bytes()), "café");
    }

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(visible_str("a\u{1b}[2Jb\nc\u{202e}d\u{9b}"), "a\\u{1b}[2Jb\\u{a}c\\u{202e}d\\u{9b}");
        assert_eq!(visible_str("plain – text"), "plain – text");
    }

    #[test]
    fn nothing_commands_a_log() {
        assert_eq!(visible_str("::error::x"), "\\u{3a}:error::x");
        assert_eq!(visible_str("a ::set-output name=x::y"), "a \\u{3a}:set-output name=x::y");
        assert_eq!(visible_str("a ##[add-mask]x##vso[y]"), "a \\u{23}#[add-mask]x\\u{23}#vso[y]");
        assert_eq!(visible_str("###[x]"), "#\\u{23}#[x]");
        for plain in ["std::io::Error", "listen [::]:80 ::1 :: ::ffff:1.2.3.4", "## heading [x]", "#[derive]"] {
            assert_eq!(visible_str(plain), plain);
        }
    }
}
