//! What stands encoded inside a token: text in base64 that its vendor puts there, and the claims of a JSON Web Token. Looks
//! at one token and keeps nothing of it.

use super::encode::from_base64;
use super::spec::{Inside, Template};
use super::verify::forward;
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
