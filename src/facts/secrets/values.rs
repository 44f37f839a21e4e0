//! Which values are credentials, given the name they have: something written out, not a reference, a path, a switch, a
//! version or a mask. Which names promise one stands in `names.rs`.

use super::looks::{is_authorization, is_public, is_stored, looks_random};
use super::names::{OBJECTS, Promise, in_lower_case, is_secret_name, promise};

/// Values that say something about a credential and are none.
const SETTINGS: &[&str] = &[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "null",
    "nil",
    "none",
    "undefined",
    "unset",
    "auto",
    "required",
    "optional",
    "disabled",
    "enabled",
    "prompt",
    "ask",
    "stdin",
    "env",
    "file",
    "basic",
    "bearer",
    "trust",
    "md5",
    "scram-sha-256",
    "default",
    "0",
    "1",
    "y",
    "n",
    "string",
    "str",
];

/// Whether the word is one that only sentences have.
pub(super) fn is_of_sentences(word: &str) -> bool {
    OF_SENTENCES.contains(&word)
}

/// Words of a sentence about a credential: "use --password to log in", "the token is printed".
const OF_SENTENCES: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "before", "but", "by", "can", "cannot", "for", "from", "has", "have", "if",
    "in", "instead", "is", "it", "may", "must", "not", "of", "only", "option", "or", "should", "so", "that", "the",
    "then", "this", "to", "was", "when", "will", "with", "you", "your",
];

/// A value without the pair of quotes around it that a builder or an env file left there.
#[must_use]
pub fn without_quotes(value: &str) -> &str {
    let value = value.trim();
    let inside = ['"', '\''].iter().find_map(|mark| value.strip_prefix(*mark)?.strip_suffix(*mark));
    inside.unwrap_or(value)
}

/// Whether `value`, given to `name`, is a credential: something written out, not a reference, a path, a switch, a
/// version or a mask.
#[must_use]
pub fn is_secret_value(name: &str, value: &str) -> bool {
    is_promised_value(name, promise(name), value)
}

/// The same where it is known what the name promises.
pub(super) fn is_promised_value(name: &str, promise: Promise, value: &str) -> bool {
    let value = without_quotes(value).trim();
    let is_password = |word: &str| word.contains("pass") || word.contains("pwd") || word.starts_with("pw");
    let password = || in_lower_case(name).split_ascii_whitespace().any(is_password);
    let only = |set: &str| value.chars().all(|c| set.contains(c));
    let of_others = || {
        value.len() < 12 && value.bytes().all(|b| b.is_ascii_digit())
            || is_version(value)
            || is_fingerprint(value)
            || is_public(value)
    };
    !(value.is_empty()
        || is_masked(value)
        || is_setting(value)
        || is_of_sentences(value)
        || only("*xX.•-_ ?!\"'")
        || is_reference(value)
        || is_path(value)
        || is_plain_url(value)
        || is_stored(value)
        || !keeps(promise, value)
        || (of_others() && !password()))
}

/// Whether it is one of the words that set something, in any case.
fn is_setting(value: &str) -> bool {
    SETTINGS.iter().any(|word| word.eq_ignore_ascii_case(value))
}

/// Whether `value` is what the name promises; a name that promises nothing was asked for by one who knows better.
fn keeps(promise: Promise, value: &str) -> bool {
    match promise {
        Promise::Some("pat") => value.len() >= 16 && looks_random(value),
        Promise::Some(word) if word == "key" || OBJECTS.contains(&word) => looks_random(value),
        // REDIS_AUTH=hunter2, HTTP_AUTH=user:hunter2, and not AUTH_TYPE's oauth2.
        Promise::Some(_) => {
            let mixed = value.len() >= 7
                && !value.contains(char::is_whitespace)
                && value.bytes().any(|byte| byte.is_ascii_digit())
                && value.bytes().any(|byte| byte.is_ascii_alphabetic());
            is_authorization(value) || mixed && !value.to_ascii_lowercase().starts_with("oauth")
        }
        Promise::Nothing | Promise::Credential => true,
    }
}

/// Whether it was masked before: a prefix, an ellipsis and the length.
fn is_masked(value: &str) -> bool {
    value.split_once("…(").is_some_and(|(_, rest)| {
        rest.strip_suffix(')').is_some_and(|length| !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Whether the value stands for nothing in particular: `changeme`, `<your password>`.
#[must_use]
pub fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let bare = lower.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let whole = [
        "changeme",
        "change-me",
        "change_me",
        "changeit",
        "example",
        "placeholder",
        "redacted",
        "secret",
        "password",
        "todo",
        "dummy",
        "fixme",
        "notset",
        "unused",
        "insecure",
    ];
    let said = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    whole.contains(&bare)
        || said(&["changeme", "change-me", "change_me", "change this", "changethis", "replaceme", "put your", "xxxxxx"])
        || ["here", "here!"].iter().any(|end| lower.ends_with(end))
            && said(&["your", "password", "token", "secret", "key", "insert", "enter", "paste"])
        || lower.ends_with("examplekey")
        || (lower.starts_with('<') && lower.ends_with('>'))
        || ["my-", "my_"].iter().any(|begin| lower.starts_with(begin))
            && lower.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_".contains(&byte))
            && ["secret", "password", "token", "key"].iter().any(|end| lower.ends_with(end))
        || [
            "your-",
            "your_",
            "your ",
            "enter-",
            "enter_",
            "enter ",
            "my-secret",
            "replace-",
            "replace_",
            "insert-",
            "insert_",
        ]
        .iter()
        .any(|begin| lower.starts_with(begin))
}

/// Whether the password of a URL is what documents write.
pub(super) fn is_placeholder_in_url(value: &str) -> bool {
    ["password", "pass", "passwd", "pwd", "user", "token", "secret", "x-oauth-basic"]
        .contains(&value.to_ascii_lowercase().as_str())
}

/// `$NAME`, `${...}`, `$(...)`, `{{ ... }}`, `%NAME%`, `@name@`, backquotes, and names between marks as in
/// `__NAME__`.
pub(super) fn is_reference(value: &str) -> bool {
    let bytes = value.as_bytes();
    if is_slot(value) || is_call(value) {
        return true;
    }
    match bytes {
        [b'$', next, ..] => {
            next.is_ascii_alphabetic() || matches!(next, b'{' | b'(' | b'_' | b'@' | b'*' | b'?' | b'#' | b'1'..=b'9')
        }
        [b'`', ..] | [b'{', b'{', ..] => true,
        // What printf(3) and its kin put in: `%s`, `%(name)s`, `{}`, `{0}`.
        [b'%', b's' | b'd' | b'v' | b'q' | b'@'] | [b'%', b'(', .., b's'] | [b'{', b'}'] => true,
        [b'{', number @ .., b'}'] => number.iter().all(u8::is_ascii_digit),
        [b'%', .., b'%'] | [b'@', .., b'@'] => bytes.len() > 2,
        _ => false,
    }
}

/// Marks between which a template names what is to be put there.
const SLOTS: &[(&str, &str)] = &[("__", "__"), ("<", ">"), ("[[", "]]"), ("%%", "%%"), ("##", "##"), ("{", "}")];

/// Whether a name that promises a credential, or one in capitals, is all that stands between the marks of a template.
fn is_slot(value: &str) -> bool {
    SLOTS.iter().any(|(open, close)| {
        let inner = value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).unwrap_or_default().trim();
        let begins = inner.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
        let named = inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-. ".contains(&byte));
        begins && named && (is_secret_name(inner) || !inner.bytes().any(|byte| byte.is_ascii_lowercase()))
    })
}

/// Whether braces hold all of it, and a call or a subscript is all that they hold: `{quote(password)}`, `{cfg['db']}`.
fn is_call(value: &str) -> bool {
    let Some(inner) = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else { return false };
    let name = inner.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(byte)).count();
    let named = inner.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    named && matches!(inner.as_bytes()[name..], [b'(', .., b')'] | [b'[', .., b']'])
}

fn is_path(value: &str) -> bool {
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+~@:$*{}%".contains(&b));
    let rooted = value.starts_with('/')
        && (value.matches('/').count() > 1 || !value.bytes().any(|b| b.is_ascii_digit()) || value.len() < 20);
    let mixed =
        value.len() >= 40 && value.bytes().any(|b| b.is_ascii_uppercase()) && value.bytes().any(|b| b.is_ascii_digit());
    let file = [
        ".pem", ".key", ".crt", ".cer", ".gpg", ".asc", ".json", ".txt", ".yml", ".yaml", ".conf", ".jks", ".p12",
        ".pub",
    ];
    let named = file.iter().any(|end| value.ends_with(end)) && value.len() > 5;
    plain
        && !mixed
        && (rooted || named || value.starts_with("./") || value.starts_with("../") || value.starts_with("~/"))
}

/// A URL without a user's password in it; those with one are found as URLs.
fn is_plain_url(value: &str) -> bool {
    value.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
    })
}

/// `1.6.3-r3`, `2:8.2.3995-1ubuntu2`, `v1.2`.
fn is_version(value: &str) -> bool {
    let value = value.trim_start_matches(['v', '=', '~', '>', '<']);
    let value = value
        .split_once(':')
        .filter(|(epoch, _)| epoch.bytes().all(|b| b.is_ascii_digit()))
        .map_or(value, |(_, rest)| rest);
    let Some((major, rest)) = value.split_once('.') else { return false };
    !major.is_empty()
        && major.len() < 9
        && major.bytes().all(|b| b.is_ascii_digit())
        && rest.bytes().next().is_some_and(|b| b.is_ascii_digit() || b == b'*')
        && rest.len() < 40
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b".+~-_*".contains(&b))
}

/// Key fingerprints of OpenPGP, alone or several: 40 upper-case hex digits, or `0x...`.
fn is_fingerprint(value: &str) -> bool {
    value.split([' ', ',']).filter(|part| !part.is_empty()).all(|part| {
        let hex = part.strip_prefix("0x").unwrap_or(part);
        matches!(hex.len(), 8 | 16 | 40) && hex.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
    })
}

#[cfg(test)]
mod table;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for value in [
            "hunter2example",
            "E",
            "abcd1234=efgh5678",
            "hunter2\\$example",
            "s3cr3t",
            "12345",
            "p@ss/word",
            "changeme",
            "\"hunter2example\"",
            "'it's'",
            "$ecret",
            "{hunter2(9)x}",
        ] {
            let name = if value == "12345" { "DB_PASSWORD" } else { "API_TOKEN" };
            let right = is_secret_value(name, value);
            assert_eq!(right, value != "$ecret", "{value}");
        }
        for value in [
            "",
            "true",
            "${TOKEN}",
            "$(cat /run/x)",
            "/run/secrets/db",
            "1.6.3-r3",
            "********",
            "https://x.example/token",
            "4096",
            "E3FF2839C048B25C084DEBE9B26995E310250568",
            "{{ token }}",
            "none",
            "\"\"",
            "''",
            "\" \"",
            "\"${TOKEN}\"",
            "'/run/secrets/db'",
            "\"false\"",
            "\"",
            "{quote(password)}",
            "{config['token']}",
        ] {
            assert!(!is_secret_value("API_TOKEN", value), "{value}");
        }
    }

    #[test]
    fn slots_of_templates_are_no_values() {
        for value in ["__REDIS_PASSWORD__", "@@X@@", "%X%", "<X>", "{{X}}", "%%DB%%", "[[ db-password ]]", "__token__"]
        {
            assert!(!is_secret_value("REDIS_PASSWORD", value), "{value}");
        }
        for value in ["__hunter2example__", "<tr0ub4dor&3>", "____hunter2", "<>hunter2"] {
            assert!(is_secret_value("REDIS_PASSWORD", value), "{value}");
        }
    }

    #[test]
    fn names_of_objects_and_public_tokens_are_no_values() {
        for (name, value) in [
            ("K8S_SECRET", "my-app-secret"),
            ("IMAGE_PULL_SECRET", "registry-credentials"),
            ("TLS_SECRET", "wildcard-tls"),
            ("MAPBOX_TOKEN", "pk.eyJ1IjoiYSIsImEiOiJiIn0.x"),
            ("PAYMENT_TOKEN", "pk_live_abcd1234efgh"),
        ] {
            assert!(is_secret_name(name) && !is_secret_value(name, value), "{name}");
        }
        for (name, value) in [
            ("K8S_SECRET", "a8d7f6g5h4j3k2l1"),
            ("API_SECRET", "my-app-secret"),
            ("K8S_TOKEN", "hunter2example"),
            ("MAPBOX_TOKEN", "sk.eyJ1IjoiYSIsImEiOiJiIn0.x"),
            ("DB_PASSWORD", "pk.hunter2example"),
        ] {
            assert!(is_secret_name(name) && is_secret_value(name, value), "{name}");
        }
        assert!(is_placeholder("my-app-secret") && !is_placeholder("my-4pp-s3cret-key"));
    }
}
