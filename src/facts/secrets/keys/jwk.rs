//! JSON Web Keys (RFC 7517, RFC 7518 6, RFC 8037), also in JSON within a string, in JavaScript and in YAML. A public key
//! is nothing.

use super::asn1::{self, CURVES, EC, EDWARDS, spki};
use super::der::{OID, bits, element};
use super::{Key, Public, Traits};
use crate::facts::secrets::encode::from_base64;
use crate::facts::secrets::verify::Window;
use std::ops::Range;

/// How the member that every key has is written.
pub(super) const MARKS: [&[u8]; 4] = [b"\"kty\"", b"'kty'", b"kty\\\"", b"kty: "];

/// Names of curves in keys, and their OIDs' names.
const NAMES: &[(&[u8], &str)] =
    &[(b"P-256", "P-256"), (b"P-384", "P-384"), (b"P-521", "P-521"), (b"secp256k1", "secp256k1")];

/// How far before the mark an object may begin, bytes.
const BEFORE: usize = 3 << 10;

/// The key whose type stands at the window's anchor.
pub(super) fn read(window: Window<'_>) -> Option<Key> {
    let Window { bytes, anchor, .. } = window;
    let mark = bytes[anchor..].iter().take(6).position(|byte| *byte == b'k')? + anchor;
    // The type first: it tells most texts apart from keys.
    let (_, value, _) = pair(bytes, mark)?;
    let kind = bytes.get(value).filter(|kind| matches!(*kind, b"RSA" | b"EC" | b"OKP" | b"oct"))?;
    let members = Members { bytes, at: object(bytes, mark) };
    let (at, secret) = members.secret(if kind == b"oct" { b"k" } else { b"d" })?;
    let traits = match kind {
        b"oct" => {
            let algorithm = format!("symmetric, {} bits", secret.len() * 8);
            Traits { algorithm, ..Traits::default() }
        }
        b"RSA" => {
            let (n, e) = (members.get(b"n")?, members.get(b"e")?);
            if bits(&n) < 256 {
                return None;
            }
            asn1::rsa(&n, &e)
        }
        kind => {
            let curve = bytes.get(members.place(b"crv")?)?;
            let x = members.get(b"x");
            if kind == b"EC" { elliptic(curve, x, members.get(b"y"))? } else { edwards(curve, x)? }
        }
    };
    let traits = Traits { form: "JWK", ..traits };
    Some(Key { at, label: "JWK".to_owned(), bytes: secret, traits })
}

fn elliptic(curve: &[u8], x: Option<Vec<u8>>, y: Option<Vec<u8>>) -> Option<Traits> {
    let (_, name) = NAMES.iter().find(|(known, _)| *known == curve)?;
    let (oid, _) = CURVES.iter().find(|(_, known)| known == name)?;
    let point = x.zip(y).map(|(x, y)| [&[4][..], &x, &y].concat());
    Some(Traits {
        algorithm: format!("EC {name}"),
        public: point.map(|point| Public::Key(spki(EC, &element(OID, oid), &point))),
        ..Traits::default()
    })
}

fn edwards(curve: &[u8], x: Option<Vec<u8>>) -> Option<Traits> {
    let (oid, name, _) = EDWARDS.iter().find(|(_, name, _)| name.as_bytes() == curve)?;
    let public = x.map(|x| Public::Key(spki(oid, &[], &x)));
    Some(Traits { algorithm: (*name).to_owned(), public, ..Traits::default() })
}

/// The object around the mark: from the brace before it to the one behind it. Another key's mark ends it as well, so
/// that text full of marks is read once.
fn object(bytes: &[u8], mark: usize) -> Range<usize> {
    let low = mark.saturating_sub(BEFORE);
    let before = &bytes[low..mark];
    // Backwards byte by byte: near marks are many where this is slow.
    let is_mark = |at: &usize| before[*at..].starts_with(b"kty");
    let other = memchr::memrchr_iter(b'k', before).find(is_mark).map_or(0, |at| at + 3);
    let brace = memchr::memrchr2(b'{', b'}', &before[other..]).map_or(0, |at| other + at + 1);
    let start = low + brace.max(other);
    let behind = &bytes[mark + 3..];
    let other = memchr::memmem::find(behind, b"kty").unwrap_or(behind.len());
    let end = memchr::memchr(b'}', &behind[..other]).unwrap_or(other);
    start..mark + 3 + end
}

/// A name at `at` and the value behind it: the name's place, the value's, and where to go on. Quotes, backslashes and
/// blanks may surround both.
fn pair(bytes: &[u8], at: usize) -> Option<(Range<usize>, Range<usize>, usize)> {
    let word = |at: usize| at..at + bytes[at..].iter().take(8 << 10).take_while(|byte| is_word(**byte)).count();
    let is_mark = |byte: &u8| matches!(byte, b' ' | b'"' | b'\'' | b'\\' | b'\t' | b'\n' | b'\r');
    let skip = |at: usize| at + bytes[at..].iter().take(64).take_while(|byte| is_mark(byte)).count();
    let name = word(at);
    if name.is_empty() {
        return None;
    }
    let colon = skip(name.end);
    if bytes.get(colon) != Some(&b':') {
        return None;
    }
    let value = word(skip(colon + 1));
    (!value.is_empty()).then(|| (name, value.clone(), value.end))
}

/// What names and values are made of.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=')
}

/// The members of an object.
struct Members<'a> {
    bytes: &'a [u8],
    at: Range<usize>,
}

impl Members<'_> {
    /// Where the member's value stands.
    fn place(&self, name: &[u8]) -> Option<Range<usize>> {
        let bytes = self.bytes.get(..self.at.end)?;
        let mut at = self.at.start;
        while at < bytes.len() {
            // In the middle of a word none begins: every word is read once.
            let fresh = at == 0 || !is_word(bytes[at - 1]);
            match fresh.then(|| pair(bytes, at)).flatten() {
                Some((found, value, _)) if &bytes[found.clone()] == name => return Some(value),
                Some((_, _, next)) => at = next.max(at + 1),
                None => at += 1,
            }
        }
        None
    }

    /// The bytes that the member's base64url stands for.
    fn get(&self, name: &[u8]) -> Option<Vec<u8>> {
        from_base64(self.bytes.get(self.place(name)?)?).filter(|bytes| !bytes.is_empty())
    }

    /// The same of the member that must stay secret, and where it stands.
    fn secret(&self, name: &[u8]) -> Option<(Range<usize>, Vec<u8>)> {
        let secret = self.get(name).filter(|secret| secret.len() >= 16)?;
        Some((self.place(name)?, secret))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Chance;
    use super::*;
    use crate::facts::secrets::encode::base64;

    fn url(bytes: &[u8]) -> String {
        base64(bytes).replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
    }

    fn told(text: &str) -> Option<String> {
        let anchor = MARKS.iter().find_map(|mark| memchr::memmem::find(text.as_bytes(), mark))?;
        read(Window { bytes: text.as_bytes(), anchor, ends: true }).map(|key| key.traits.sentence())
    }

    #[test]
    fn every_kind_in_every_dress() {
        let mut chance = Chance::new(10);
        let (n, d, x) = (url(&chance.bytes(256)), url(&chance.bytes(256)), url(&chance.bytes(32)));
        let rsa = format!(r#"{{"d": "{d}", "kty": "RSA", "key_ops": ["sign"], "n": "{n}", "e": "AQAB"}}"#);
        let wanted = told(&rsa).expect("a key");
        assert!(wanted.starts_with("RSA 2048 bits, JWK, public key sha256:"), "{wanted}");
        for text in
            [rsa.replace('"', "\\\""), rsa.replace('"', "'"), rsa.replace("\"kty\"", "kty"), rsa.replace(' ', "\n")]
        {
            assert_eq!(told(&text).as_ref(), Some(&wanted), "{text}");
        }
        let ec = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}","d":"{x}"}}"#);
        assert!(told(&ec).expect("a key").starts_with("EC P-256, JWK, public key"));
        let okp = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","d":"{x}"}}"#);
        assert!(told(&okp).expect("a key").starts_with("Ed25519, JWK, public key"));
        assert_eq!(told(&format!(r#"{{"kty":"oct","k":"{x}"}}"#)).as_deref(), Some("symmetric, 256 bits, JWK"));
    }

    #[test]
    fn public_keys_and_talk_are_nothing() {
        let x = url(&Chance::new(11).bytes(32));
        for text in [
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}"}}"#),
            format!(r#"{{"kty":"RSA","n":"{x}{x}","e":"AQAB"}}"#),
            format!(r#"{{"kty":"RSA","n":"{x}{x}","e":"AQAB","d":"..."}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}"}}, {{"d":"{x}"}}"#),
            r#"{"kty":"oct","k":"c2VjcmV0"}"#.to_owned(),
            "if key[\"kty\"] == \"oct\": k = 1".to_owned(),
            "\"kty\"".repeat(50),
        ] {
            assert_eq!(told(&text), None, "{text}");
        }
    }
}
