//! What stands encoded inside a token: text in base64 that its vendor puts there, and the claims of a JSON Web Token. Looks
//! at one token and keeps nothing of it.

use super::encode::{from_base64, hmac};
use super::pieces::forward;
use super::spec::{Inside, Template};
use sha2::{Sha256, Sha384, Sha512};
use std::ops::Range;

/// 2026-01-01T00:00:00Z. A token that ended before is over whenever the scan runs, so that no clock has to be asked.
const LONG_AGO: f64 = 1_767_225_600.0;

/// The encoded part of `token`.
pub(super) fn part(inside: &Inside, token: &[u8]) -> Option<Range<usize>> {
    let mut range = 0..token.len();
    if let Some(split) = inside.split {
        let mut parts = token.split(|byte| u32::from(*byte) == u32::from(split));
        let begin: usize = parts.by_ref().take(inside.part).map(|part| part.len() + 1).sum();
        range = begin..begin + parts.next()?.len();
    }
    range.start += inside.after;
    (range.start < range.end).then_some(range)
}

/// Whether the encoded part decodes to what the vendor writes.
pub(super) fn fits(inside: &Inside, token: &[u8]) -> bool {
    let Some(text) = part(inside, token).and_then(|range| from_base64(&token[range])) else { return false };
    let begins = inside.begins.is_empty()
        || Template::read_value(&inside.begins).is_ok_and(|template| forward(&template.pieces, &text).is_some());
    begins && inside.holds.iter().all(|held| memchr::memmem::find(&text, held.as_bytes()).is_some())
}

/// Whether a JSON Web Token says that it ended long ago.
pub(super) fn has_expired(token: &[u8]) -> bool {
    let claims = token.split(|byte| *byte == b'.').nth(1).and_then(from_base64);
    let claims: Option<serde_json::Value> = claims.and_then(|claims| serde_json::from_slice(&claims).ok());
    claims.and_then(|claims| claims.get("exp")?.as_f64()).is_some_and(|end| end < LONG_AGO)
}

/// Passwords that documents sign their JSON Web Tokens with: whoever reads one makes such tokens.
const SIGNED_WITH: &[&str] = &[
    "",
    "secret",
    "key",
    "password",
    "test",
    "hello",
    "shhh",
    "shhhh",
    "shhhhh",
    "changeme",
    "jwt-secret",
    "jwt_secret",
    "my-secret",
    "my_secret",
    "mysecret",
    "my-secret-key",
    "my_secret_key",
    "mysecretkey",
    "secret-key",
    "secret_key",
    "secretkey",
    "supersecret",
    "super-secret",
    "some-secret",
    "your-secret",
    "your-secret-key",
    "your_secret_key",
    "your-256-bit-secret",
    "your-384-bit-secret",
    "your-512-bit-secret",
    "a-string-secret-at-least-256-bits-long",
];

/// Whether a JSON Web Token is signed with one of the passwords that documents use (RFC 7518, section 3.2).
pub(super) fn is_signed_by_anybody(token: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', token) else { return false };
    let (signed, sum) = (&token[..dot], from_base64(&token[dot + 1..]).unwrap_or_default());
    let hmac = match sum.len() {
        32 => hmac::<Sha256, 64>,
        48 => hmac::<Sha384, 128>,
        64 => hmac::<Sha512, 128>,
        _ => return false,
    };
    SIGNED_WITH.iter().any(|key| hmac(key.as_bytes(), signed) == sum)
}

#[cfg(test)]
mod tests {
    use super::super::encode::base64;
    use super::*;

    #[test]
    fn claims_tell_the_end() {
        let token = |claims: &str| format!("e30.{}.c2ln", base64(claims.as_bytes()).trim_end_matches('='));
        assert!(has_expired(token("{\"exp\":1516239022}").as_bytes()));
        assert!(!has_expired(token("{\"exp\":4102444800}").as_bytes()));
        assert!(!has_expired(token("{\"iat\":1516239022}").as_bytes()));
        assert!(!has_expired(b"a.b.c"));
    }

    #[test]
    fn tokens_of_documents() {
        let token = |sum: &[u8], head: &str| format!("{head}.{}", base64(sum).trim_end_matches('='));
        let head = format!("{}.{}", "e30", base64(b"{\"sub\":\"1\"}").trim_end_matches('='));
        let with = |key: &[u8]| token(&hmac::<Sha256, 64>(key, head.as_bytes()), &head);
        assert!(is_signed_by_anybody(with(b"your-256-bit-secret").as_bytes()));
        assert!(is_signed_by_anybody(with(b"").as_bytes()));
        assert!(is_signed_by_anybody(token(&hmac::<Sha512, 128>(b"secret", head.as_bytes()), &head).as_bytes()));
        assert!(!is_signed_by_anybody(with(b"Tr0ub4dor&3").as_bytes()));
        assert!(!is_signed_by_anybody(with(b"secret").replace("e30.", "e31.").as_bytes()));
        assert!(!is_signed_by_anybody(b"e30.e30.") && !is_signed_by_anybody(b"e30"));
    }

    #[test]
    fn what_is_inside_is_held_against_its_form() {
        let inside = Inside { after: 4, begins: "{digit:3-6}:".to_owned(), ..Inside::default() };
        let token = |text: &[u8]| format!("tok_{}", base64(text));
        assert!(fits(&inside, token(b"12345:abc").as_bytes()));
        assert!(!fits(&inside, token(b"12:abc").as_bytes()));
        assert!(!fits(&inside, b"tok_"));
        let inside = Inside { split: Some('.'), part: 1, holds: vec!["\"k\"".to_owned()], ..Inside::default() };
        let token = |text: &[u8]| format!("a.{}.c", base64(text).trim_end_matches('='));
        assert!(fits(&inside, token(b"{\"k\":1}").as_bytes()));
        assert!(!fits(&inside, token(b"{\"n\":1}").as_bytes()));
    }
}
