//! Credentials that words of another language than the shell's announce: a `.netrc`, statements of SQL, answers for
//! debconf. For texts that commands carry; files of these kinds are read elsewhere.

use super::credential::{Credential, is_secret};

/// Bytes before a password that tell in what it stands.
const BEFORE: usize = 256;

/// Adds what such words announce in `text`.
pub(super) fn phrases(text: &str, found: &mut Vec<Credential>) {
    netrc(text, found);
    debconf(text, found);
    statements(text, found);
}

/// At most so many bytes before `place`.
fn before(text: &str, place: usize) -> &str {
    let low = (place.saturating_sub(BEFORE)..=place).find(|&at| text.is_char_boundary(at)).unwrap_or(place);
    &text[low..place]
}

/// What stands between words: also the marks around strings, and ends of lines as they are written in them.
fn between(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '"' | '\'')
}

/// The word behind `place`, when blanks part them.
fn word_behind(text: &str, place: usize) -> Option<(usize, usize)> {
    let rest = &text[place..];
    let value = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let start = text.len() - value.len();
    let end = value.find(|c: char| between(c) || c == '\\').map_or(text.len(), |end| start + end);
    (value.len() < rest.len()).then_some((start, end))
}

/// `machine HOST login NAME password VALUE`, the lines of a `.netrc` that a command writes.
fn netrc(text: &str, found: &mut Vec<Credential>) {
    for place in memchr::memmem::find_iter(text.as_bytes(), "password") {
        let mut words =
            before(text, place).rsplit("\\n").flat_map(|line| line.rsplit(between)).filter(|word| !word.is_empty());
        let apart = text[..place].ends_with(between) || text[..place].ends_with("\\n");
        if !apart || words.nth(1) != Some("login") {
            continue;
        }
        if let Some(at) = word_behind(text, place + "password".len())
            && is_secret("password", &text[at.0..at.1])
        {
            found.push(Credential { at, name: "a machine in .netrc".to_owned() });
        }
    }
}

/// `PACKAGE PACKAGE/QUESTION password VALUE`, what `debconf-set-selections` reads.
fn debconf(text: &str, found: &mut Vec<Credential>) {
    if !text.contains("debconf") {
        return;
    }
    for place in memchr::memmem::find_iter(text.as_bytes(), " password ") {
        let question = before(text, place).rsplit(between).find(|word| !word.is_empty()).unwrap_or("");
        if let (Some((_, question)), Some(at)) = (question.split_once('/'), word_behind(text, place + 9))
            && is_secret("password", &text[at.0..at.1])
            && !text[at.0..at.1].starts_with(['|', '<', '>', ';', '&'])
        {
            found.push(Credential { at, name: format!("debconf {question}") });
        }
    }
}

/// Words of a statement about accounts, one of which stands before its password.
const ACCOUNTS: &[&str] = &["user", "role", "login", "grant", "set", "server"];

/// `IDENTIFIED BY 'x'`, `PASSWORD 'x'`, `SET PASSWORD = 'x'`, `PASSWORD('x')` in statements about accounts.
fn statements(text: &str, found: &mut Vec<Credential>) {
    let lower = text.to_ascii_lowercase();
    for (word, by) in [("identified", true), ("password", false)] {
        for place in memchr::memmem::find_iter(lower.as_bytes(), word) {
            let about = || {
                before(&lower, place).split(|c: char| !c.is_ascii_alphanumeric()).any(|word| ACCOUNTS.contains(&word))
            };
            let end = place + word.len();
            let mark = |c: char| matches!(c, '\'' | '"' | '\\');
            let most = (0..=lower.len().min(end + BEFORE)).rev().find(|&at| lower.is_char_boundary(at)).unwrap_or(end);
            let Some(open) = lower[end..most].find(|c: char| mark(c) || c == ';').map(|at| end + at) else { continue };
            // What leads from the word to the string.
            let way = lower[end..open].trim();
            let leads = if by {
                way.rsplit(char::is_whitespace).next() == Some("by") || way == "by password"
            } else {
                let set = before(&lower, place).trim_end().ends_with("set");
                way == "(" || (way.is_empty() && open > end) || set && way.ends_with('=')
            };
            if !leads || !about() {
                continue;
            }
            let start = open + lower[open..].chars().take_while(|&c| mark(c)).count();
            let close = lower[start..].find(mark).map_or(lower.len(), |at| start + at);
            if is_secret("password", &text[start..close]) {
                found.push(Credential {
                    at: (start, close),
                    name: (if by { "identified by" } else { "password" }).to_owned(),
                });
            }
        }
    }
}
