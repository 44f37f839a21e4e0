//! Names and values that are something else for certain, whatever stands around them: tokens that pass by, numbers, code,
//! hashes and texts in base64. What is only probable is the model's to weigh.

use super::super::encode::from_base64;
use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

/// Words that make of a token one that passes by: where a list goes on, and what proves that a form was asked for.
const PASSING: &[&str] = &[
    "next",
    "page",
    "continuation",
    "pagination",
    "cursor",
    "sync",
    "previous",
    "prev",
    "input",
    "output",
    "request",
    "idempotency",
    "csrf",
    "xsrf",
    "nonce",
    "starting",
    "resume",
    "pattern",
    "regexp",
    "eos",
    "bos",
    "pad",
    "unk",
    "mask",
    "cls",
    "sep",
    "stop",
    "accesskey",
];

/// Words that tell of what is made from a credential and gives none away.
const MADE: &[&str] =
    &["hash", "hashed", "hashes", "digest", "checksum", "etag", "fingerprint", "sha1", "sha256", "md5", "integrity"];

/// Whether a name with the words of a credential's is that of something else.
pub(super) fn is_name(name: &str) -> bool {
    let lower = super::super::names::in_lower_case(name);
    let words = || lower.split_ascii_whitespace();
    let any = |set: &[&str]| words().any(|word| set.contains(&word));
    let passes = words().any(|word| word.ends_with("token") || word == "key") && any(PASSING);
    // Who signs a release is named by the number of a public key.
    let signs = any(&["release"]) && any(&["manager"]);
    name.eq_ignore_ascii_case("accesskey") || any(MADE) || passes || signs
}

/// Beginnings of values that are hashed or encrypted, or have rules of their own.
const SEALED: &[&str] = &[
    "U2FsdGVkX1",
    "{SSHA",
    "{SHA",
    "{CRYPT",
    "{MD5",
    "$1$",
    "$2a$",
    "$2b$",
    "$2y$",
    "$5$",
    "$6$",
    "$y$",
    "$argon2",
    "$pbkdf2",
    "pbkdf2_",
    "pbkdf2:",
    "bcrypt",
    "argon2",
    "sha1$",
    "sha256:",
    "sha256$",
    "sha512:",
    "sha1-",
    "sha256-",
    "sha384-",
    "sha512-",
    "SCRAM-SHA-",
    "ENC(",
    "-----BEGIN",
    "arn:",
    "ssh-",
];

/// What stands between parts of code and never in a value.
const CODE: &[&str] = &[
    "=(", ")(", ");", "),", "],", "){", "=>", "&&", "||", " == ", "===", "?.", "+\"", "\"+", "'+", "+'", " + ", "){",
    "];", ".get(", "this.",
];

static CODE_FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| AhoCorasick::new(CODE).expect("a few marks"));

/// Whether a value is none that anybody chooses: a number in hex, a piece of code, a hash, a sentence in base64.
pub(super) fn is_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    let number = value.strip_prefix("0x").or_else(|| value.strip_prefix("0X"));
    let number = number.is_some_and(|digits| digits.len() <= 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let starts = matches!(bytes, [b',' | b')' | b';' | b']' | b'}', ..]) || value.starts_with("+ ");
    let marks = bytes.iter().filter(|byte| b"(){}[];,=|<>".contains(byte)).count();
    let code = starts || CODE_FINDER.is_match(value) || (marks > 4 && marks * 8 > bytes.len());
    let sealed =
        SEALED.iter().any(|begin| value.starts_with(begin) || (begin.starts_with('$') && value.contains(begin)));
    let digest = value.len() == 35 && value.starts_with("md5") && bytes[3..].iter().all(u8::is_ascii_hexdigit);
    let escaped = value.starts_with("\\u") || value.starts_with("\\U") || value.starts_with("\\x");
    number || escaped || code || sealed || digest || is_number(value) || is_text(value)
}

/// Whether it is a number with parts: `256_001`, `1e-6`, `-1.5`.
fn is_number(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let only = value.bytes().all(|byte| byte.is_ascii_digit() || b"_.eE+-,".contains(&byte));
    digits > 0 && digits < value.len() && only
}

/// Whether it is a text of several words in base64.
fn is_text(value: &str) -> bool {
    let Some(clear) = clear(value) else { return false };
    let text = clear.iter().filter(|byte| byte.is_ascii_alphabetic() || b" .,'!?:-/".contains(byte)).count();
    !is_pair(&clear) && clear.len() >= 6 && text * 12 >= clear.len() * 11
}

/// User and password, where the value is what an `Authorization` makes of them.
pub(super) fn pair(value: &str) -> Option<Vec<u8>> {
    clear(value).filter(|clear| is_pair(clear) && clear.iter().all(u8::is_ascii_graphic))
}

fn is_pair(clear: &[u8]) -> bool {
    let colon = clear.iter().position(|byte| *byte == b':');
    !clear.contains(&b' ') && colon.is_some_and(|at| at > 0 && at + 3 < clear.len())
}

/// What a value in base64 stands for.
fn clear(value: &str) -> Option<Vec<u8>> {
    let digits = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    if value.len() < 8 || !digits { None } else { from_base64(value.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_chooses() {
        for value in [
            "0x803100A9",
            "256_001",
            ",l=(0,y.a)(u,6),D=l[0]",
            "VW5hYmxlIHRvIHJlc2V0IHBhc3N3b3JkLg==",
            "$2b$12$abc",
            "a.get(b",
        ] {
            assert!(is_value(value), "{value}");
        }
        for value in ["Zx8q2mWv7Lk1Pd4s9A==", "Tr0ub4dor&3", "hunter2", "Zx9,k(2)", "12345678", "p=q1w2"] {
            assert!(!is_value(value), "{value}");
        }
    }

    #[test]
    fn what_is_made_of_a_credential() {
        assert!(is_name("password_hash") && is_name("tokenDigest") && !is_name("hashicorp_token"));
    }

    #[test]
    fn tokens_that_pass_by() {
        for name in ["NextToken", "page_token", "csrf_token", "eos_token", "client-request-token"] {
            assert!(is_name(name), "{name}");
        }
        assert!(!is_name("api_token") && !is_name("access_token") && !is_name("request_password"));
    }
}
