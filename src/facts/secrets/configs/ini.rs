//! Files of lines with a key and a value: INI with sections, Java's properties, variables of a shell. Reads one line at a
//! time; a value that spans several is read up to the end of its first, but for properties.

use super::Pair;
use super::text::{place, unquoted};

/// `[section]` and `key = value`; what stands between key and value is one of `separators`. Also reads the simple part of
/// TOML and of HCL.
pub(super) fn read(text: &str, separators: &str, take: &mut dyn FnMut(Pair<'_>)) {
    let mut path = vec![String::new(), String::new()];
    for line in text.split('\n') {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[')
            && let Some((name, _)) = rest.rsplit_once(']')
            && !name.contains('=')
        {
            name.trim().clone_into(&mut path[0]);
            continue;
        }
        // `credentials "host" {`
        if let Some(name) = line.strip_suffix('{').filter(|_| !line.contains('=')) {
            name.trim().clone_into(&mut path[0]);
            continue;
        }
        let Some(end) = line.find(|c: char| separators.contains(c)) else { continue };
        let (key, rest) = line.split_at(end);
        let value = value(rest.get(1..).unwrap_or_default().trim());
        unquoted(key.trim()).clone_into(&mut path[1]);
        take(Pair { path: &path, value, at: place(text, value), listed: false });
    }
}

/// A value without its quotes and without what a comment says behind them.
fn value(value: &str) -> &str {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
        return end.and_then(|end| value.get(..end)).unwrap_or(value).trim_end().trim_end_matches(',');
    };
    let inner = value.get(1..).unwrap_or_default();
    let triple = inner.strip_prefix(quote).and_then(|rest| rest.strip_prefix(quote));
    if let Some(inner) = triple {
        return inner.split(quote).next().unwrap_or(inner);
    }
    match inner.find(quote) {
        Some(end) => inner.get(..end).unwrap_or_default(),
        None => value,
    }
}

/// Java's properties: `key=value`, `key: value`, `key value`; a backslash at the end goes on in the next line.
pub(super) fn properties(text: &str, take: &mut dyn FnMut(Pair<'_>)) {
    let mut path = vec![String::new()];
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let Some(end) = line.find(['=', ':', ' ', '\t']) else { continue };
        let (key, rest) = line.split_at(end);
        let value = rest.trim_start().strip_prefix(['=', ':']).unwrap_or(rest).trim();
        key.clone_into(&mut path[0]);
        if !value.ends_with('\\') {
            take(Pair { path: &path, value: unquoted(value), at: place(text, value), listed: false });
            continue;
        }
        let mut joined = value.trim_end_matches('\\').to_owned();
        for more in lines.by_ref() {
            let more = more.trim();
            joined.push_str(more.trim_end_matches('\\'));
            if !more.ends_with('\\') {
                break;
            }
        }
        take(Pair { path: &path, value: &joined, at: place(text, value), listed: false });
    }
}

/// `KEY=value` and `export KEY=value` as shells and readers of `.env` take them.
pub(super) fn dotenv(text: &str, take: &mut dyn FnMut(Pair<'_>)) {
    let mut path = vec![String::new()];
    for line in text.split('\n') {
        let line = line.trim();
        let line = ["export ", "set ", "declare -x "].iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line);
        let Some((key, rest)) = line.split_once('=') else { continue };
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
            continue;
        }
        let value = value(rest.trim());
        key.clone_into(&mut path[0]);
        take(Pair { path: &path, value, at: place(text, value), listed: false });
    }
}
