//! Files of lines with fields: `.netrc`, `.pgpass`, password files, secrets of PPP and IPsec, directives of servers.

use super::Pair;
use super::text::{place, unquoted};
use std::ops::Range;

/// Every line that is no comment, and where it stands.
pub(super) fn plain(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        // `: 1700000000:0;command` of zsh
        let line = match line.strip_prefix(": ").and_then(|rest| rest.split_once(';')) {
            Some((time, command)) if time.bytes().all(|b| b.is_ascii_digit() || b == b':') => command,
            _ => line,
        };
        (place(text, line), line)
    })
}

/// `machine HOST login NAME password VALUE` in words, over lines or not; `macdef` up to its empty line is left out.
pub(super) fn netrc(text: &str, take: &mut dyn FnMut(Pair<'_>)) {
    let mut machine = "default".to_owned();
    let mut last = "";
    let mut macro_goes = false;
    for line in text.split('\n') {
        if macro_goes {
            macro_goes = !line.trim().is_empty();
            continue;
        }
        for word in line.split_ascii_whitespace() {
            if word.starts_with('#') && last != "password" {
                break;
            }
            match last {
                "machine" => word.clone_into(&mut machine),
                "password" | "passwd" => {
                    let value = unquoted(word);
                    let path = [machine.clone(), "password".to_owned()];
                    take(Pair { path: &path, value, at: place(text, value), listed: false });
                }
                _ => {}
            }
            macro_goes |= word == "macdef";
            // A value is no key.
            let value = matches!(last, "machine" | "login" | "account" | "password" | "passwd");
            last = if value { "" } else { word };
        }
    }
}

/// Field `field` of lines of at least `fields`, between colons that no backslash escapes.
pub(super) fn colons(text: &str, field: usize, fields: usize, take: &mut dyn FnMut(Pair<'_>)) {
    for (_, line) in plain(text) {
        let mut parts: Vec<&str> = Vec::new();
        let (mut begin, mut escaped) = (0, false);
        for (at, byte) in line.bytes().enumerate() {
            if byte == b':' && !escaped {
                parts.push(line.get(begin..at).unwrap_or_default());
                begin = at + 1;
            }
            escaped = byte == b'\\' && !escaped;
            if parts.len() > 16 {
                break;
            }
        }
        parts.push(line.get(begin..).unwrap_or_default());
        let Some(value) = parts.get(field).filter(|_| parts.len() >= fields) else { continue };
        take(Pair { path: &["password".to_owned()], value, at: place(text, value), listed: false });
    }
}

/// Field `field` of lines of words, which may be quoted.
pub(super) fn blanks(text: &str, field: usize, take: &mut dyn FnMut(Pair<'_>)) {
    for (_, line) in plain(text) {
        let mut rest = line;
        let mut value = None;
        for _ in 0..=field {
            rest = rest.trim_start();
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
            let word = match quote {
                Some(quote) => rest.get(1..).unwrap_or_default().split(quote).next().unwrap_or_default(),
                None => rest.split([' ', '\t']).next().unwrap_or_default(),
            };
            let taken = word.len() + if quote.is_some() { 2 } else { 0 };
            rest = rest.get(taken..).unwrap_or_default();
            value = Some(word);
        }
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        take(Pair { path: &["secret".to_owned()], value, at: place(text, value), listed: false });
    }
}

/// `directive value …`: the directive is the key, the next word its value.
pub(super) fn words(text: &str, take: &mut dyn FnMut(Pair<'_>)) {
    for (_, line) in plain(text) {
        let Some((key, rest)) = line.split_once([' ', '\t', '=']) else { continue };
        let rest = rest.trim_start_matches([' ', '\t', '=']);
        let value = match rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            Some(quote) => rest.get(1..).unwrap_or_default().split(quote).next().unwrap_or_default(),
            None => rest.split([' ', '\t', ';']).next().unwrap_or_default(),
        };
        take(Pair { path: &[key.trim().to_owned()], value, at: place(text, value), listed: false });
    }
}

/// `[ids] : PSK "secret"`, `user : XAUTH "secret"`; `RSA` and its like name a file, with a passphrase behind it.
pub(super) fn ipsec(text: &str, take: &mut dyn FnMut(Pair<'_>)) {
    for (_, line) in plain(text) {
        let Some((_, rest)) = line.rsplit_once(": ") else { continue };
        let mut words = rest.split_ascii_whitespace();
        let Some(kind) = words.next() else { continue };
        let value = match kind.to_ascii_uppercase().as_str() {
            "PSK" | "XAUTH" | "EAP" | "NTLM" | "PIN" => rest.split_once(kind).map(|(_, rest)| unquoted(rest.trim())),
            "RSA" | "ECDSA" | "PKCS8" | "PKCS12" | "P12" | "BLISS" => words.nth(1).map(unquoted),
            _ => None,
        };
        if let Some(value) = value {
            take(Pair { path: &[kind.to_owned()], value, at: place(text, value), listed: false });
        }
    }
}

/// Words of SQL and of Redis, in upper case, behind which a password stands.
const STATEMENTS: &[(&str, bool)] =
    &[("IDENTIFIED BY", true), ("PASSWORD", true), ("REQUIREPASS", false), ("MASTERAUTH", false)];

/// A statement that sets or gives a password: `… IDENTIFIED BY 'x'`, `… PASSWORD 'x'`, `PASSWORD('x')`,
/// `AUTH [user] x`. `line` begins at byte `from` of its file.
pub(super) fn statement(line: &str, from: usize, take: &mut dyn FnMut(Pair<'_>)) {
    let upper = line.to_ascii_uppercase();
    let mut say = |key: &str, value: &str| {
        let at = place(line, value);
        take(Pair {
            path: &["statement".to_owned(), key.to_owned()],
            value,
            at: from + at.start..from + at.end,
            listed: false,
        });
    };
    if let Some(rest) = upper.strip_prefix("AUTH ") {
        let rest = line.get(line.len() - rest.len()..).unwrap_or_default();
        say("auth", unquoted(rest.split_ascii_whitespace().last().unwrap_or_default()));
        return;
    }
    for (words, quoted) in STATEMENTS {
        let Some(at) = upper.find(words) else { continue };
        let rest = line.get(at + words.len()..).unwrap_or_default();
        let value = rest.trim_start_matches([' ', '(', '=']);
        if value.len() == rest.len() {
            continue;
        }
        match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            Some(quote) => {
                let inner = value.get(1..).unwrap_or_default();
                say(&words.to_ascii_lowercase(), inner.split(quote).next().unwrap_or_default());
            }
            None if !quoted => say(&words.to_ascii_lowercase(), value.split([' ', ';']).next().unwrap_or_default()),
            None => continue,
        }
        return;
    }
}
