//! The arguments of instructions: names and values, files, lists, flags. Text in, words out.

use crate::image::json::Json;

/// Whether a builder resolved quotes and escapes before it wrote a text.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Resolved {
    Yes,
    No,
    Unknown,
}

/// The first word and what stands behind it, without blanks around.
pub(super) fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace).map_or((text, ""), |(word, rest)| (word, rest.trim()))
}

/// The words between blanks (and line breaks), each with its place.
pub(super) fn blank_separated(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split([' ', '\n', '\t']).filter_map(move |word| {
        let start = at;
        at += word.len() + 1;
        (!word.is_empty()).then_some((start, word))
    })
}

/// Leading `--flags`, and the rest.
pub(super) fn flags(text: &str) -> (Vec<String>, &str) {
    take_flags(text, |_| true)
}

/// Leading flags of these names, and the rest.
pub(super) fn flags_named<'a>(text: &'a str, names: &[&str]) -> (Vec<String>, &'a str) {
    take_flags(text, |flag| names.contains(&flag.split('=').next().unwrap_or(flag)))
}

fn take_flags(text: &str, takes: impl Fn(&str) -> bool) -> (Vec<String>, &str) {
    let mut rest = text.trim();
    let mut flags = Vec::new();
    while let Some(flag) = rest.strip_prefix("--") {
        let (flag, behind) = first_word(flag);
        if flag.is_empty() || !takes(flag) {
            break;
        }
        flags.push(format!("--{flag}"));
        rest = behind;
    }
    (flags, rest)
}

/// Sources and destination of `ADD` and `COPY`.
pub(super) fn files(text: &str) -> Vec<String> {
    if let Some(list) = exec_form(text) {
        return list;
    }
    // Bodies of here-documents stand on lines of their own.
    let line = text.lines().next().unwrap_or_default();
    if let Some((source, destination)) = line.split_once(" in ")
        && (["file:", "dir:", "multi:"].iter().any(|kind| source.starts_with(kind)) || is_bare_hash(source))
        && !source.contains(' ')
    {
        return vec![source.to_owned(), destination.trim().to_owned()];
    }
    line.split_whitespace().map(str::to_owned).collect()
}

/// Whether a source is the hash that the classic builder writes for what it fetched from a URL: without the kind that it
/// puts before the hash of what lay in its context.
pub(super) fn is_bare_hash(source: &str) -> bool {
    let hash = match source.strip_prefix("tarsum") {
        Some(rest) => rest.rsplit(':').next().unwrap_or_default(),
        None => source,
    };
    hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The words of `[/a -b]`, `["/a" "-b"]`, `["/a", "-b"]` or `/a -b`.
pub(super) fn words(text: &str) -> Vec<String> {
    list(text).unwrap_or_else(|| text.split_whitespace().map(str::to_owned).collect())
}

/// `map[80/tcp:{} 443/tcp:{}]` or `80 443/tcp`.
pub(super) fn ports(text: &str) -> Vec<String> {
    let inner = text.strip_prefix("map[").and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    inner.split_whitespace().map(|port| port.trim_end_matches(":{}").to_owned()).collect()
}

/// The words of an exec form, as JSON or as Go prints quoted strings; `None` when it is shell text.
pub(super) fn exec_form(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if !text.ends_with(']') || !text.strip_prefix('[')?.trim_start().starts_with(['"', ']']) {
        return None;
    }
    if let Ok(Json::Array(items)) = Json::parse(text.as_bytes(), 2) {
        let word = |item: Json| if let Json::String(word) = item { Some(word) } else { None };
        return items.into_iter().map(word).collect();
    }
    list(text)
}

/// The words of the list that `text` begins with, as Go prints it: quoted or bare, blanks or commas between.
pub(super) fn list(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start().strip_prefix('[')?;
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if rest.is_empty() {
            return None;
        } else if rest.starts_with(']') {
            return Some(words);
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let (word, behind) = go_quoted(quoted)?;
            words.push(word);
            rest = behind;
        } else {
            let end = rest.find([' ', ',', ']'])?;
            let (word, behind) = rest.split_at_checked(end)?;
            words.push(word.to_owned());
            rest = behind;
        }
    }
}

/// A string that Go printed with `%q`, behind its opening quote, and what follows its closing one.
fn go_quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((out, chars.as_str())),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'a' => out.push('\u{7}'),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                'v' => out.push('\u{b}'),
                escape @ ('x' | 'u' | 'U') => {
                    let digits = match escape {
                        'x' => 2,
                        'u' => 4,
                        _ => 8,
                    };
                    let mut value = 0u32;
                    for _ in 0..digits {
                        value = value << 4 | chars.next()?.to_digit(16)?;
                    }
                    // \xHH stands for a byte that was no UTF-8.
                    let value = char::from_u32(value).filter(|c| escape != 'x' || c.is_ascii());
                    out.push(value.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
}

/// Names and values of `ENV`, `LABEL` and `ARG`. `old_form`: `NAME value with blanks` is one pair.
pub(super) fn pairs(text: &str, resolved: Resolved, old_form: bool) -> Vec<(String, Option<String>)> {
    let (name, rest) = first_word(text);
    if !name.contains('=') && !name.starts_with(['"', '\'']) && old_form {
        return if name.is_empty() { Vec::new() } else { vec![(name.to_owned(), Some(rest.to_owned()))] };
    }
    match resolved {
        Resolved::Yes => resolved_pairs(text, true),
        Resolved::No => written_pairs(text).0,
        // BuildKit (resolved) and kaniko (as written) look alike: quotes that pair up around whole values are quotes.
        Resolved::Unknown => match written_pairs(text) {
            (pairs, true) => pairs,
            (_, false) => resolved_pairs(text, true),
        },
    }
}

/// Whether a word begins a pair: `NAME=...`, and for labels also dots, dashes and slashes in the name.
pub(super) fn starts_pair(word: &str, label: bool) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let more = |byte: u8| byte == b'_' || (label && b".-/".contains(&byte));
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || more(byte))
}

/// Pairs whose quotes are gone: a pair begins at a word that looks like `NAME=`, blanks before it end the last value.
pub(super) fn resolved_pairs(text: &str, label: bool) -> Vec<(String, Option<String>)> {
    let mut starts: Vec<usize> = Vec::new();
    let mut names_only = true;
    for (at, word) in blank_separated(text) {
        let pair = starts_pair(word, label);
        // Words before any pair are names without a value.
        if pair || names_only {
            starts.push(at);
        }
        names_only &= !pair;
    }
    let ends = starts.iter().skip(1).map(|&end| end.saturating_sub(1)).chain([text.len()]);
    let piece = |(&start, end): (&usize, usize)| {
        let piece = text.get(start..end).unwrap_or_default();
        match piece.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (piece.trim().to_owned(), None),
        }
    };
    starts.iter().zip(ends).map(piece).collect()
}

/// Pairs as in a Dockerfile, quotes and escapes resolved; and whether the text looks written like that: every word is
/// a pair or a name, every quote has its end.
fn written_pairs(text: &str) -> (Vec<(String, Option<String>)>, bool) {
    let mut pairs = Vec::new();
    let mut plausible = true;
    let mut chars = text.chars().peekable();
    while let Some(&next) = chars.peek() {
        if next.is_whitespace() {
            chars.next();
            continue;
        }
        let mut word = String::new();
        let mut equals = None;
        let mut quote: Option<char> = None;
        while let Some(&c) = chars.peek() {
            match (quote, c) {
                (None, c) if c.is_whitespace() => break,
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                (None | Some('"'), '\\') => {
                    chars.next();
                    match chars.peek() {
                        Some(&c) if quote.is_none() || matches!(c, '"' | '$' | '\\') => word.push(c),
                        Some(&c) => word.extend(['\\', c]),
                        None => word.push('\\'),
                    }
                }
                (_, c) => {
                    if c == '=' && equals.is_none() && quote.is_none() {
                        equals = Some(word.len());
                    }
                    word.push(c);
                }
            }
            chars.next();
        }
        plausible &= quote.is_none();
        plausible &= equals.is_some();
        pairs.push(match equals.and_then(|at| Some((word.get(..at)?, word.get(at + 1..)?))) {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        });
    }
    (pairs, plausible)
}
