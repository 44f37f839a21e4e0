//! Credentials in a line of text that people write for shells and builders: assignments, options, headers, URLs. For
//! variables and history, not for files. Every find has its place in the text, so that what is named can be masked.

use super::credential::{Credential, JUDGED, is_secret};
use super::names::is_secret_name;
use super::quotes::Quotes;
use super::values::is_of_sentences;
use super::{phrases, shell_options};
use std::ops::Range;

/// A value that is longer and no credential is not looked into again: without this bound a word of a megabyte that names
/// a password in every tenth byte would be read a hundred thousand times.
const LONG: usize = 4 << 10;

/// Every credential in `text`, by place, not overlapping. `text` is a `created_by` of the history, an instruction, or a
/// command line.
#[must_use]
pub fn credentials(text: &str) -> Vec<Credential> {
    let mut found = Vec::new();
    let quotes = Quotes::of(text);
    assignments(text, &quotes, &mut found);
    pairs_with_colon(text, &quotes, &mut found);
    urls(text, &mut found);
    headers(text, &quotes, &mut found);
    shell_options::options(text, &mut found);
    env_with_blank(text, &mut found);
    phrases::phrases(text, &mut found);
    found.retain(|credential: &Credential| credential.at.0 < credential.at.1);
    found.sort_by(|a, b| {
        (a.at.0, std::cmp::Reverse(a.at.1), &a.name).cmp(&(b.at.0, std::cmp::Reverse(b.at.1), &b.name))
    });
    let mut kept: Vec<Credential> = Vec::new();
    for credential in found {
        match kept.last_mut() {
            Some(last) if credential.at.0 < last.at.1 => last.at.1 = last.at.1.max(credential.at.1),
            _ => kept.push(credential),
        }
    }
    kept
}

/// `NAME=value`, also in the middle of words, quoted or not, with quotes that never close.
fn assignments(text: &str, quotes: &Quotes, found: &mut Vec<Credential>) {
    let bytes = text.as_bytes();
    let (blanks, edits) = (Blanks::of(text), edits(text));
    let mut skip = 0;
    for equals in memchr::memchr_iter(b'=', bytes) {
        if equals < skip {
            continue;
        }
        let start = name_start(bytes, equals);
        let name = text[start..equals].trim_start_matches('-');
        if name.is_empty() || bytes.get(equals + 1) == Some(&b'=') || !is_secret_name(name) {
            continue;
        }
        let over = blanks.over(start);
        let limit = if over.is_some() { text.len() } else { limit(text, quotes, edits, start, equals) };
        let at = value(&text[..limit], equals + 1, over);
        // Names of packages with a version, as in `apk add pass=1.7.4`.
        let package = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-+.".contains(&b));
        let version =
            package && text[at.clone()].starts_with(|c: char| c.is_ascii_digit()) && text[at.clone()].contains('.');
        let secret =
            !version && is_secret(name, &text[at.clone()]) && !(over.is_none() && is_example(text, quotes, &at));
        if secret || at.len() > LONG {
            skip = at.end;
        }
        if secret {
            found.push(Credential { at: (at.start, at.end), name: name.to_owned() });
        }
    }
}

/// Whether the value at `at` is a plain word in a sentence that a command prints: "set token=abc in the config".
fn is_example(text: &str, quotes: &Quotes, at: &Range<usize>) -> bool {
    let plain = at.len() < 8 && text[at.clone()].bytes().all(|byte| byte.is_ascii_lowercase());
    let behind = || {
        let close = quotes.around(at.start)?.1;
        text.get(at.end..close)?.strip_prefix(' ')?.split_ascii_whitespace().next()
    };
    plain && behind().is_some_and(is_of_sentences)
}

/// `"name": "value"`, `name: value` with a quoted value, as in JSON and YAML that a command writes.
fn pairs_with_colon(text: &str, quotes: &Quotes, found: &mut Vec<Credential>) {
    let bytes = text.as_bytes();
    let edits = edits(text);
    let mut skip = 0;
    for colon in memchr::memchr_iter(b':', bytes) {
        if colon < skip {
            continue;
        }
        let mut end = colon;
        while end > 0 && matches!(bytes[end - 1], b'"' | b'\'' | b'\\' | b' ') {
            end -= 1;
        }
        let name = &text[name_start(bytes, end)..end];
        let rest = &text[colon + 1..];
        let begin = colon + 1 + (rest.len() - rest.trim_start_matches([' ', '\\']).len());
        if name.is_empty() || !matches!(bytes.get(begin), Some(b'"' | b'\'')) || !is_secret_name(name) {
            continue;
        }
        let limit = limit(text, quotes, edits, name_start(bytes, end), colon);
        if begin >= limit {
            continue;
        }
        let at = value(&text[..limit], begin, None);
        let secret = is_secret(name, &text[at.clone()]);
        if secret || at.len() > LONG {
            skip = at.end;
        }
        if secret {
            found.push(Credential { at: (at.start, at.end), name: name.to_owned() });
        }
    }
}

/// `scheme://user:password@host` and `scheme://token@host`.
fn urls(text: &str, found: &mut Vec<Credential>) {
    let bytes = text.as_bytes();
    for place in memchr::memmem::find_iter(bytes, b"://") {
        let from = place + 3;
        let stop = |byte: u8| byte.is_ascii_whitespace() || byte.is_ascii_control() || b"/\"'`<>|;?#".contains(&byte);
        let end = bytes[from..].iter().position(|&byte| stop(byte)).map_or(bytes.len(), |at| from + at);
        let Some(at_sign) = memchr::memrchr(b'@', &bytes[from..end]).map(|at| from + at) else { continue };
        let user = &text[from..at_sign];
        let secret = match user.split_once(':') {
            Some((name, _)) => from + name.len() + 1..at_sign,
            None if user.len() >= 20 && !super::looks::is_client_dsn(user, &text[end..]) => from..at_sign,
            None => continue,
        };
        if is_secret("password", &text[secret.clone()]) && !super::values::is_placeholder_in_url(&text[secret.clone()])
        {
            let host = text[at_sign + 1..end].split(':').next().unwrap_or("");
            found.push(Credential { at: (secret.start, secret.end), name: format!("URL of {host}") });
        }
    }
}

/// The words between `Authorization:` and what it authorizes with.
const SCHEMES: &[&str] = &["bearer", "basic", "token", "digest", "apikey", "negotiate", "bot", "ssws"];

/// `Authorization: Bearer x` and headers whose name promises a credential.
fn headers(text: &str, quotes: &Quotes, found: &mut Vec<Credential>) {
    let bytes = text.as_bytes();
    let mut words = Words { bytes, last: 0..0 };
    let mut skip = 0;
    for colon in memchr::memchr_iter(b':', bytes) {
        if colon < skip {
            continue;
        }
        let name = &text[name_start(bytes, colon)..colon];
        let known = name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("proxy-authorization");
        let own = name.contains('-')
            && is_secret_name(name)
            && name
                .to_ascii_lowercase()
                .split('-')
                .any(|word| ["x", "api", "private", "auth", "access", "job", "deploy"].contains(&word));
        if name.is_empty() || !(known || own) {
            continue;
        }
        let rest = &text[colon + 1..];
        let mut begin = colon + 1 + (rest.len() - rest.trim_start_matches(' ').len());
        // Without quotes a header ends at a blank.
        let mut end = words.end(begin);
        if known && SCHEMES.iter().any(|scheme| text[begin..end].eq_ignore_ascii_case(scheme)) {
            let blank = usize::from(bytes.get(end) == Some(&b' '));
            begin = end + blank;
            end = if blank == 1 { words.end(begin) } else { end };
        }
        let start = colon - name.len();
        if is_secret("token", &text[begin..end]) && (known || !is_prose(text, quotes, start, end)) {
            skip = end;
            found.push(Credential { at: (begin, end), name: format!("{name} header") });
        }
    }
}

/// Ends of the values of headers, each found once however many names stand before it.
struct Words<'a> {
    bytes: &'a [u8],
    /// Where the last answer was looked for, and the answer.
    last: Range<usize>,
}

impl Words<'_> {
    /// Where the word that goes on at `from` ends.
    fn end(&mut self, from: usize) -> usize {
        if !self.last.contains(&from) {
            let stop = |byte: &u8| b" ;|&\"'\\\n\r".contains(byte);
            let rest = self.bytes.get(from..).unwrap_or_default();
            self.last = from..from + rest.iter().position(stop).unwrap_or(rest.len());
        }
        self.last.end
    }
}

/// Whether what looks like a header, from `start` to `end`, is a part of a sentence: words before it, or behind it.
fn is_prose(text: &str, quotes: &Quotes, start: usize, end: usize) -> bool {
    let Some((open, close)) = quotes.around(start) else { return false };
    let low = (open.max(start.saturating_sub(JUDGED))..=start).find(|&at| text.is_char_boundary(at)).unwrap_or(start);
    let line = text[low..start].rsplit('\n').flat_map(|line| line.rsplit("\\n")).next().unwrap_or("");
    line.trim().contains(' ')
        || line.trim_end().ends_with(':')
        || text.get(end..close).is_some_and(|rest| rest.starts_with(' ') && !rest.trim().is_empty())
}

/// Whether the text has commands that replace one text by another.
fn edits(text: &str) -> bool {
    ["sed ", "perl "].iter().any(|program| text.contains(program))
}

/// Where the value behind `mark` (`=`, `:`) of the name at `start` ends at the latest: at the end of the string in which
/// the mark stands, and of the half of a replacement, `s/this/that/`.
fn limit(text: &str, quotes: &Quotes, edits: bool, start: usize, mark: usize) -> usize {
    let bytes = text.as_bytes();
    let around = quotes.around(mark);
    let end = around.map_or(bytes.len(), |(_, close)| close);
    if !edits {
        return end;
    }
    // The string may begin between the name and the mark.
    let low = start.saturating_sub(EDIT).max(around.map_or(0, |(open, _)| open)).min(start);
    let is_delimiter = |byte: u8| byte.is_ascii_punctuation() && !b"=_-.'\"\\".contains(&byte);
    let before = &bytes[low..start];
    let script = before.windows(2).enumerate().rev().find(|(at, pair)| {
        let apart = at.checked_sub(1).is_none_or(|at| !before[at].is_ascii_alphabetic() && before[at] != b'_');
        pair[0] == b's' && is_delimiter(pair[1]) && apart
    });
    let Some((_, pair)) = script else { return end };
    let closes = |&at: &usize| bytes[at - 1] != b'\\';
    let value = bytes.get(mark + 1..end).unwrap_or_default();
    memchr::memchr_iter(pair[1], value).map(|at| mark + 1 + at).find(closes).unwrap_or(end)
}

/// Bytes before a name in which the script begins that replaces it.
const EDIT: usize = 256;

/// `ENV NAME value`, the old form.
fn env_with_blank(text: &str, found: &mut Vec<Credential>) {
    let whole = text.trim_start();
    let inner = whole.split_once("#(nop)").map_or(whole, |(_, rest)| rest.trim_start());
    let Some(rest) = inner.strip_prefix("ENV ") else { return };
    let rest = rest.trim_start();
    let Some((name, value)) = rest.split_once([' ', '\t']) else { return };
    let value = value.trim();
    if !name.contains('=') && is_secret_name(name) && is_secret(name, value) {
        let start = text.len() - rest.len() + name.len() + 1;
        let start = start + (text[start..].len() - text[start..].trim_start().len());
        found.push(Credential { at: (start, start + value.len()), name: name.to_owned() });
    }
}

/// Where the name that ends at `end` begins.
fn name_start(bytes: &[u8], end: usize) -> usize {
    let run = bytes[..end]
        .iter()
        .rev()
        .take(128)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte))
        .count();
    end - run
}

/// Where values may hold blanks without quotes: histories write `ENV NAME=a value` and `|2 NAME=a value B=c /bin/sh -c`
/// with the quotes gone.
struct Blanks {
    /// The stretch, and what ends a value in it besides the next `NAME=`.
    stretch: Option<(Range<usize>, Option<usize>)>,
}

impl Blanks {
    fn of(text: &str) -> Self {
        let start = text.len() - text.trim_start().len();
        let after = text.find("#(nop)").map_or(start, |at| at + 6);
        let rest = text[after..].trim_start();
        let from = text.len() - rest.len();
        for word in ["ENV ", "ARG ", "LABEL "] {
            if rest.starts_with(word) {
                let end = text.rfind(" # buildkit").unwrap_or(text.len());
                return Self { stretch: Some((from..end, None)) };
            }
        }
        let run = rest.strip_prefix("RUN ").unwrap_or(rest);
        let from = text.len() - run.len();
        if run.starts_with('|') && run[1..].starts_with(|c: char| c.is_ascii_digit()) {
            let shell = [" /bin/", " /busybox/", " /usr/bin/", " cmd ", " powershell "]
                .iter()
                .filter_map(|shell| run.find(shell))
                .min();
            let end = shell.map_or(text.len(), |at| from + at);
            return Self { stretch: Some((from..end, None)) };
        }
        Self { stretch: None }
    }

    /// Where an unquoted value of the name at `place` has to end at the latest, when it may hold blanks.
    fn over(&self, place: usize) -> Option<usize> {
        self.stretch.as_ref().filter(|(stretch, _)| stretch.contains(&place)).map(|(stretch, _)| stretch.end)
    }
}

/// The value that begins at `from`: up to the closing quote, or to the end of the word; with `blanks` up to the next
/// `NAME=` or there. A quote that never closes holds the rest of the line.
fn value(text: &str, from: usize, blanks: Option<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let escaped = bytes.get(from) == Some(&b'\\') && matches!(bytes.get(from + 1), Some(b'"' | b'\''));
    let open = from + usize::from(escaped);
    if let Some(&quote @ (b'"' | b'\'')) = bytes.get(open) {
        let mut at = open + 1;
        while at < bytes.len() {
            let slash = bytes[at] == b'\\' && quote == b'"';
            if escaped && bytes[at] == b'\\' && bytes.get(at + 1) == Some(&quote) {
                return open + 1..at;
            }
            if bytes[at] == quote && !escaped {
                // `"a"b` goes on behind the quote; masking must, too.
                let goes_on =
                    bytes.get(at + 1).is_some_and(|&next| next.is_ascii_alphanumeric() || b"'\"$_-".contains(&next));
                return if goes_on { open + 1..word_end(text, at + 1) } else { open + 1..at };
            }
            at += if slash && !escaped { 2 } else { 1 };
        }
        // Nobody knows where it was meant to end.
        return open + 1..memchr::memchr(b'\n', &bytes[open + 1..]).map_or(bytes.len(), |at| open + 1 + at);
    }
    let Some(latest) = blanks else { return from..word_end(text, from) };
    // With the quotes gone, only the next assignment ends a value.
    let latest = latest.max(from);
    let mut end = latest;
    for equals in memchr::memchr_iter(b'=', &bytes[from..latest]).map(|at| from + at) {
        let start = name_start(bytes, equals);
        let named = start < equals && (bytes[start].is_ascii_alphabetic() || bytes[start] == b'_');
        if named && start > from && bytes[start - 1] == b' ' {
            end = start;
            break;
        }
    }
    from..from + text[from..end].trim_end().len()
}

/// Where the shell word that goes on at `from` ends.
fn word_end(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b')' | b'>' => break,
            b'"' | b'\'' => {
                // The end of a string around the assignment, or a quoted piece of the value.
                let outer = bytes.get(at + 1).is_none_or(|next| b" \t\n\r;&|),]}\\".contains(next));
                if outer {
                    break;
                }
                match memchr::memchr(byte, &bytes[at + 1..]) {
                    Some(length) => at += 1 + length,
                    None => break,
                }
            }
            _ => {}
        }
        at += 1;
    }
    let end = at.min(bytes.len());
    (from..=end).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(from)
}

#[cfg(test)]
mod tests;
