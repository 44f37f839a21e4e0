//! Values that have no literal of their own, such as 32 hex digits: a secret where a word of the vendor stands before them
//! and they are given to a name that speaks of a secret. Everywhere else they are a hash, a commit or chance.

use super::names::{is_secret_name, words};
use super::pieces::forward;
use super::spec::{Class, Piece, SecretRule, Template, WORD};
use super::verify::{Verified, Window, grade, is_free_left, is_free_right};
use std::collections::VecDeque;
use std::ops::Range;

/// How far behind the word the value may end to begin, bytes, when the rule does not say.
const WITHIN: usize = 100;

/// The longest name that a value is given to.
const NAME: usize = 80;

/// Words that schemes of HTTP's `Authorization` put before a token.
const SCHEMES: &[&[u8]] =
    &[b"Bearer", b"bearer", b"Basic", b"basic", b"Token", b"token", b"SSWS", b"Splunk", b"GenieKey"];

/// Names made of these words alone say nothing of a vendor, so they may stand below the vendor's word: `datadog:` and in
/// the next line `api_key: ...`.
const GENERAL: &[&str] = &[
    "access",
    "admin",
    "api",
    "apikey",
    "apitoken",
    "app",
    "application",
    "auth",
    "authorization",
    "authtoken",
    "bearer",
    "client",
    "clientsecret",
    "credential",
    "credentials",
    "integration",
    "key",
    "license",
    "master",
    "pass",
    "password",
    "personal",
    "private",
    "rest",
    "secret",
    "secretkey",
    "service",
    "token",
    "accesstoken",
    "accesskey",
    "user",
    "write",
    "x",
];

/// What values are made of: every byte that one may hold, and the length of the shortest.
#[derive(Clone, Debug)]
pub(super) struct Alphabet {
    has: Box<[bool; 256]>,
    least: usize,
}

/// Values that may stand behind words, kept from one word to the next: each is read once, however many words stand before
/// it. Places count from the beginning of what is scanned, and words come in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    /// Up to here beginnings are known.
    until: usize,
    /// Where the run of bytes that values are made of ends in which `until` lies, as far as it was seen.
    run: usize,
    /// Where values may begin.
    known: VecDeque<usize>,
    /// What stands there, by the number of the template.
    read: Vec<(usize, Read)>,
}

/// The values of one template.
#[derive(Clone, Debug, Default)]
struct Read {
    /// Up to here beginnings were tried.
    until: usize,
    values: VecDeque<Value>,
}

/// A value of a template.
#[derive(Clone, Debug)]
struct Value {
    at: Range<usize>,
    /// The name it is given to, if that speaks of a secret, and whether it says nothing of a vendor.
    name: Option<(Range<usize>, bool)>,
}

impl Values {
    /// Makes known where values may begin before `to` of `bytes`, which begin at `low`; forgets those before `from`.
    fn look(&mut self, alphabet: &Alphabet, bytes: &[u8], low: usize, (from, to): (usize, usize)) {
        while self.known.front().is_some_and(|first| *first < low + from) {
            self.known.pop_front();
        }
        let mut at = from.max(self.until.saturating_sub(low));
        while at < to {
            // What was seen of the run may have ended where the bytes did.
            if self.run < low + at + alphabet.least {
                let seen = at.max(self.run.saturating_sub(low));
                self.run = low + seen + alphabet.run(&bytes[seen..]);
            }
            let end = self.run - low;
            if end < at + alphabet.least {
                // Most runs are too short for any value.
                at = at.max(end) + 1;
                continue;
            }
            if is_free_left(Class::WORD, &bytes[..at]) {
                self.known.push_back(low + at);
            }
            at += 1;
        }
        self.until = self.until.max(low + at);
    }
}

impl Alphabet {
    /// What all of `templates` need.
    pub(super) fn of<'t>(templates: impl Iterator<Item = &'t Template>) -> Self {
        let mut alphabet = Self { has: Box::new([false; 256]), least: usize::MAX };
        for template in templates {
            alphabet.least = alphabet.least.min(template.pieces.iter().map(Piece::least).sum());
            for piece in &template.pieces {
                let bytes = match piece {
                    Piece::Literal(literal) => literal.clone(),
                    Piece::Run { class, .. } => class.members(),
                };
                for byte in bytes {
                    alphabet.has[usize::from(byte)] = true;
                }
            }
        }
        alphabet
    }

    /// How many bytes at the beginning of `bytes` are of it.
    fn run(&self, bytes: &[u8]) -> usize {
        bytes.iter().position(|&byte| !self.has[usize::from(byte)]).unwrap_or(bytes.len())
    }
}

/// Looks behind the word at the window's anchor for the first value of the template of that number that is given to a
/// fitting name; one with a checksum needs no name. The window begins at `low` of what is scanned.
pub(super) fn verify(
    rule: &SecretRule,
    (number, template): (usize, &Template),
    window: Window<'_>,
    low: usize,
    (alphabet, values): (&Alphabet, &mut Values),
) -> Option<Verified> {
    let Window { bytes, anchor, .. } = window;
    if !begins_word(bytes, anchor) {
        return None;
    }
    let within = rule.spec.within.unwrap_or(WITHIN).min(super::REACH);
    let (from, to) = (anchor + WORD, bytes.len().min(anchor + within));
    values.look(alphabet, bytes, low, (from, to));
    let Values { known, read, .. } = values;
    let place = read.iter().position(|(other, _)| *other == number).unwrap_or_else(|| {
        read.push((number, Read::default()));
        read.len() - 1
    });
    let (_, read) = read.get_mut(place)?;
    let untried = known.partition_point(|at| *at < read.until);
    for &at in known.range(untried..).take_while(|at| **at < low + to) {
        read.values.extend(value(rule, template, bytes, at - low, low));
    }
    read.until = read.until.max(low + to);
    while read.values.front().is_some_and(|value| value.at.start < low + from) {
        read.values.pop_front();
    }
    let mut values = read.values.iter().take_while(|value| value.at.start < low + to);
    let is_given = |value: &&Value| {
        let named = value.name.as_ref().is_some_and(|(name, general)| *general || name.contains(&(low + anchor)));
        named || rule.spec.check.proves()
    };
    let at = values.find(is_given)?.at.clone();
    grade(rule, template, window, at.start - low..at.end - low)
}

/// The value of `template` at `start` of `bytes`, which begin at `low`, if it may be one behind some word.
fn value(rule: &SecretRule, template: &Template, bytes: &[u8], start: usize, low: usize) -> Option<Value> {
    if !is_free_left(template.beside, &bytes[..start]) {
        return None;
    }
    let end = start + forward(&template.pieces, &bytes[start..])?;
    let fits = is_free_right(template, &bytes[end..]) && is_mixed(&bytes[start..end]);
    let name = if fits { secret_name(&bytes[..start]) } else { None };
    let name = name.map(|(name, general)| (low + name.start..low + name.end, general));
    (fits && (name.is_some() || rule.spec.check.proves())).then_some(Value { at: low + start..low + end, name })
}

/// Whether the word at `anchor` is none inside a longer one: no letter of the same case stands before it.
pub(super) fn begins_word(bytes: &[u8], anchor: usize) -> bool {
    let Some(before) = anchor.checked_sub(1).and_then(|at| bytes.get(at)) else { return true };
    match bytes.get(anchor) {
        Some(b'a'..=b'z') => !before.is_ascii_lowercase() || matches!(bytes[..anchor], [.., b'\\', b'n' | b'r' | b't']),
        Some(b'A'..=b'Z') => !before.is_ascii_uppercase(),
        _ => true,
    }
}

/// Whether the value is no word and no number: letters and digits, or letters of both cases.
fn is_mixed(value: &[u8]) -> bool {
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let letters = has(u8::is_ascii_alphabetic);
    letters && (has(u8::is_ascii_digit) || (has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)))
}

/// The name that speaks of a secret and gets the value behind `before`, and whether it says nothing of a vendor.
fn secret_name(before: &[u8]) -> Option<(Range<usize>, bool)> {
    let name = name_before(before)?;
    let text = std::str::from_utf8(&before[name.clone()]).ok()?.trim_start_matches(['-', '.']);
    let is_general = |word: &String| GENERAL.contains(&word.as_str()) || word.bytes().all(|byte| byte.is_ascii_digit());
    is_secret_name(text).then(|| (name, words(text).iter().all(is_general)))
}

/// The name before `name = "`, `"name": "`, `<name>`, `--name `, `name: Bearer `, `name", "`.
fn name_before(before: &[u8]) -> Option<Range<usize>> {
    let quotes = |bytes: &[u8]| trimmed(bytes, b"\"'`\\");
    let spaces = |bytes: &[u8]| trimmed(bytes, b" \t");
    let mut end = quotes(before);
    let bare = spaces(&before[..end]);
    let is_before = |scheme: &&&[u8]| before[..bare].strip_suffix(**scheme).is_some_and(|rest| rest.ends_with(b" "));
    if bare < end
        && let Some(scheme) = SCHEMES.iter().find(is_before)
    {
        end = quotes(&before[..spaces(&before[..bare - scheme.len()])]);
    }
    let bare = spaces(&before[..end]);
    let sign = [&b"=>"[..], b":=", b"->", b"=", b":", b">", b","];
    let sign = sign.into_iter().find(|sign| before[..bare].ends_with(sign)).map_or(0, <[u8]>::len);
    if sign == 0 && bare == end {
        return None;
    }
    let end = quotes(&before[..spaces(&before[..bare - sign])]);
    let end = trimmed(&before[..end], b"\"'`\\])");
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let length = before[..end].iter().rev().take(NAME).take_while(is_name).count();
    (length > 0).then(|| end - length..end)
}

/// Where `bytes` end without what `set` holds at their end; at most eight bytes of it.
fn trimmed(bytes: &[u8], set: &[u8]) -> usize {
    bytes.len() - bytes.iter().rev().take(8).take_while(|byte| set.contains(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_before_values() {
        for (before, name) in [
            ("ACME_KEY=", "ACME_KEY"),
            ("{ \"acmeKey\": \"", "acmeKey"),
            ("acme.key = '", "acme.key"),
            ("<acme-key>", "acme-key"),
            ("run --acme-key ", "--acme-key"),
            ("Authorization: SSWS ", "Authorization"),
            ("define('ACME_KEY', '", "ACME_KEY"),
            ("env['ACME_KEY'] = \"", "ACME_KEY"),
            ("{\\\"key\\\":\\\"", "key"),
        ] {
            let found = name_before(before.as_bytes()).map(|range| &before[range]);
            assert_eq!(found, Some(name), "{before}");
        }
        assert_eq!(name_before(b"= "), None);
        assert_eq!(name_before(b"acme/"), None);
    }

    #[test]
    fn a_word_begins_where_its_case_does() {
        assert!(begins_word(b"MY_ACME", 3) && begins_word(b"myAcme", 2) && !begins_word(b"placme", 2));
    }

    #[test]
    fn another_vendors_name_takes_no_value() {
        let is_given = |before: &[u8], anchor: usize| {
            secret_name(before).is_some_and(|(name, general)| general || name.contains(&anchor))
        };
        assert!(is_given(b"acme:\n  api_key: ", 0));
        assert!(is_given(b"ACME_API_KEY=", 0));
        assert!(!is_given(b"ACME_REGION=eu\nOTHER_API_KEY=", 0));
        assert!(!is_given(b"ACME_COMMIT=", 0));
    }
}
