//! The part of YAML that configuration files are made of: keys by indentation, lists of them, quoted values, block
//! scalars, flow style on one line. Anchors, tags and keys over several lines are passed by. Lists add nothing to the path.

use super::text::place;
use super::{Pair, json};

/// Keys above a value that are kept.
const DEPTH: usize = 32;

/// The documents of a stream, and where each begins.
pub(super) fn documents(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    text.split("\n---").map(move |document| {
        let begin = from;
        from += document.len() + 4;
        (begin, document)
    })
}

/// Every value of one document that begins at byte `from` of its file.
pub(super) fn read(text: &str, from: usize, take: &mut dyn FnMut(Pair<'_>)) {
    let mut path: Vec<String> = Vec::new();
    // The indentation of each key of the path.
    let mut indents: Vec<usize> = Vec::new();
    let mut lines = text.split('\n').peekable();
    while let Some(whole) = lines.next() {
        let line = whole.trim_end();
        let mut bare = line.trim_start_matches([' ', '\t']);
        while let Some(rest) = bare.strip_prefix("- ") {
            bare = rest.trim_start();
        }
        if bare.is_empty() || bare.starts_with(['#', '%']) {
            continue;
        }
        let indent = line.len() - bare.len();
        // An item of a list may stand as deep as the key of the list.
        let list = line.trim_start().starts_with('-');
        while indents.last().is_some_and(|above| *above >= indent) {
            indents.pop();
            path.pop();
        }
        let Some((key, value)) = split(bare) else {
            if list && !path.is_empty() {
                let item = scalar(bare.strip_prefix('-').unwrap_or(bare).trim());
                take(Pair { path: &path, value: item, at: shifted(text, item, from), listed: true });
            }
            continue;
        };
        if path.len() >= DEPTH {
            continue;
        }
        path.push(key.to_owned());
        indents.push(indent);
        let value = untagged(value.trim());
        if value.is_empty() || value.starts_with('*') {
            continue;
        }
        if value.starts_with(['|', '>']) && value.len() <= 4 {
            let mut block = String::new();
            let mut first = None;
            while let Some(next) =
                lines.next_if(|next| next.trim().is_empty() || next.len() - next.trim_start().len() > indent)
            {
                let piece = next.trim();
                if !piece.is_empty() {
                    first.get_or_insert_with(|| place(text, piece).start);
                }
                block.push_str(piece);
                block.push('\n');
            }
            let at = from + first.unwrap_or_default();
            take(Pair { path: &path, value: block.trim(), at: at..at + block.trim().len(), listed: false });
        } else if value.starts_with(['{', '[']) && !value.starts_with("{{") {
            json::read_within(value, from + place(text, value).start, &path, take);
        } else {
            let (at, bare) = (value, scalar(value));
            let clear = if at.starts_with('"') { json::unescape(bare) } else { bare.to_owned() };
            take(Pair { path: &path, value: &clear, at: shifted(text, bare, from), listed: false });
        }
    }
}

fn shifted(text: &str, part: &str, from: usize) -> std::ops::Range<usize> {
    let at = place(text, part);
    from + at.start..from + at.end
}

/// `key: value` or `key:`; the key without its quotes.
fn split(line: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some(rest) = line.strip_prefix(quote) {
            let (key, rest) = rest.split_once(quote)?;
            return rest.trim_start().strip_prefix(':').map(|value| (key, value));
        }
    }
    if let Some((key, value)) = line.split_once(": ") {
        return Some((key.trim_end(), value));
    }
    let (key, value) = line.split_once(":\t").or_else(|| line.strip_suffix(':').map(|key| (key, "")))?;
    Some((key.trim_end(), value))
}

/// Without `!!str`, `!!binary` and anchors; other tags make a value of their own kind.
fn untagged(value: &str) -> &str {
    for tag in ["!!str ", "!!binary "] {
        if let Some(rest) = value.strip_prefix(tag) {
            return rest.trim_start();
        }
    }
    match value.strip_prefix('&').and_then(|rest| rest.split_once(' ')) {
        Some((_, rest)) => rest.trim_start(),
        None if value.starts_with('&') => "",
        None => value,
    }
}

/// A value without its quotes, or without the comment behind it.
fn scalar(value: &str) -> &str {
    match value.as_bytes().first() {
        Some(b'"') => {
            let inner = value.get(1..).unwrap_or_default();
            let mut escaped = false;
            let end = inner.bytes().position(|byte| {
                let ends = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                ends
            });
            inner.get(..end.unwrap_or(inner.len())).unwrap_or(inner)
        }
        Some(b'\'') => {
            let inner = value.get(1..).unwrap_or_default();
            inner.get(..inner.rfind('\'').unwrap_or(inner.len())).unwrap_or(inner)
        }
        _ => value.split(" #").next().unwrap_or(value).trim_end(),
    }
}
