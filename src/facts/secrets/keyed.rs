//! Values that have no literal of their own, such as 32 hex digits: a secret where a word of the vendor stands before them
//! and they are given to a name that speaks of a secret. Everywhere else they are a hash, a commit or chance.

use super::names::{is_secret_name, words};
use super::spec::{SecretRule, Template, WORD};
use super::verify::{Verified, Window, forward, grade, is_free_left, is_free_right};
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

/// Looks behind the word at the window's anchor for the first value of `template` that is given to a fitting name; one with a
/// checksum needs no name.
pub(super) fn verify(rule: &SecretRule, template: &Template, window: Window<'_>) -> Option<Verified> {
    let Window { bytes, anchor, .. } = window;
    if !begins_word(bytes, anchor) {
        return None;
    }
    let within = rule.spec.within.unwrap_or(WITHIN).min(super::REACH);
    let from = anchor + WORD;
    for start in from..bytes.len().min(anchor + within) {
        if !is_free_left(template.beside, &bytes[..start]) {
            continue;
        }
        let Some(length) = forward(&template.pieces, &bytes[start..]) else { continue };
        let token = start..start + length;
        if is_free_right(template, &bytes[token.end..])
            && is_mixed(&bytes[token.clone()])
            && (rule.spec.check.proves() || is_given(&bytes[..start], anchor))
        {
            return grade(rule, template, window, token);
        }
    }
    None
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

/// Whether what stands before a value gives it to a name that speaks of a secret, and that name holds the word at
/// `anchor` or says nothing of another vendor.
fn is_given(before: &[u8], anchor: usize) -> bool {
    let Some(name) = name_before(before) else { return false };
    let Ok(text) = std::str::from_utf8(&before[name.clone()]) else { return false };
    let text = text.trim_start_matches(['-', '.']);
    is_secret_name(text)
        && (name.contains(&anchor)
            || words(text)
                .iter()
                .all(|word| GENERAL.contains(&word.as_str()) || word.bytes().all(|b| b.is_ascii_digit())))
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
        assert!(is_given(b"acme:\n  api_key: ", 0));
        assert!(is_given(b"ACME_API_KEY=", 0));
        assert!(!is_given(b"ACME_REGION=eu\nOTHER_API_KEY=", 0));
        assert!(!is_given(b"ACME_COMMIT=", 0));
    }
}
