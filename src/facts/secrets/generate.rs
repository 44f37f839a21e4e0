//! Makes values that look like secrets, with checksums that fit, for tests and for the examples of rules: nothing that
//! looks like a live secret lies in the repository. Not for use as a credential: the seed gives it all away.

use super::encode::base64;
use super::inside::part;
use super::pattern::Patterns;
use super::spec::{Inside, Piece, Structure, Template};
use super::verify::checksum;

/// A generator of numbers (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ value >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// What makes a value a near miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// Without the word that has to stand near.
    Bare,
    /// One character is missing.
    Short,
    /// One character is of another alphabet.
    Wrong,
    /// It is a part of a longer word.
    Glued,
}

/// A value of the type that rule `kind` names; `kind/1` makes one by the rule's second template, and so on. `kind/1/short`
/// lacks a character, `/wrong` has one of another alphabet, `/glued` is part of a longer word; `/bare` lacks the word that
/// has to stand near, as does `/short-bare`. Private keys also come as `private-key/pkcs8`, `/ec`,
/// `/openssh`, `/encrypted`, `/jwk`, `/pgp`, `/putty`, `/openvpn`; values without a format as `generic-credential/password`
/// and `/key`. `None` for an unknown kind. The same seed gives the same value.
#[must_use]
pub fn generate(patterns: &Patterns, kind: &str, seed: u64) -> Option<String> {
    let (name, variant) = kind.split_once('/').unwrap_or((kind, ""));
    let number = patterns.rules.iter().position(|rule| rule.name == name)?;
    let rule = &patterns.rules[number];
    let mut numbers = Numbers(seed ^ variant.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte)));
    match rule.spec.structure {
        Some(Structure::PrivateKey) => return private_key(variant, &mut numbers),
        Some(Structure::ServiceAccount) => return private_key("pkcs8", &mut numbers).map(|key| service_account(&key)),
        Some(Structure::Assignment) => return assigned(variant, &mut numbers),
        None => {}
    }
    let (variant, flaw) = variant.split_once('/').unwrap_or((variant, ""));
    let variant = if variant.is_empty() { 0 } else { variant.parse().ok()? };
    let bare = flaw.ends_with("bare");
    let flaw = match flaw {
        "" => None,
        "bare" => Some(Flaw::Bare),
        "short" | "short-bare" => Some(Flaw::Short),
        "wrong" => Some(Flaw::Wrong),
        "glued" => Some(Flaw::Glued),
        _ => return None,
    };
    let mut templates = patterns.templates.iter().filter(|(rule, _)| usize::from(*rule) == number);
    let mut token = token(&templates.nth(variant)?.1, rule.spec.check, flaw, &mut numbers);
    if let Some(inside) = &rule.spec.inside
        && !matches!(flaw, Some(Flaw::Short | Flaw::Wrong))
    {
        token = filled(inside, &token, &mut numbers)?;
    }
    if flaw == Some(Flaw::Glued) {
        token = format!("xQ{token}xQ");
    }
    for word in rule.spec.near.iter().take(usize::from(!bare)) {
        token = format!("{word}_token: {token}");
    }
    Some(token)
}

/// A password as people choose them, or, with `key`, one of chance.
fn assigned(variant: &str, numbers: &mut Numbers) -> Option<String> {
    let (letters, digits) = (b"bcdfghjkmnpqrstvwxz", b"0123456789");
    let mut run = |from: &[u8], count: usize| -> String {
        (0..count).map(|_| char::from(from[numbers.below(from.len())])).collect()
    };
    match variant {
        "" | "password" => Some(format!("{}{}!{}", run(letters, 1).to_uppercase(), run(letters, 7), run(digits, 3))),
        "key" => Some((0..10).map(|_| run(letters, 1).to_uppercase() + &run(letters, 1) + &run(digits, 2)).collect()),
        _ => None,
    }
}

fn token(template: &Template, check: super::Check, flaw: Option<Flaw>, numbers: &mut Numbers) -> String {
    let spoilt = matches!(flaw, Some(Flaw::Short | Flaw::Wrong));
    let longest = template.pieces.iter().enumerate().filter(|(_, piece)| matches!(piece, Piece::Run { .. }));
    let longest = longest.max_by_key(|(_, piece)| piece.least()).map(|(at, _)| at);
    let mut token = Vec::new();
    for (at, piece) in template.pieces.iter().enumerate() {
        match piece {
            Piece::Literal(literal) => token.extend_from_slice(literal),
            Piece::Run { class, least, most } => {
                let members = class.members();
                let mut length = if spoilt { *least } else { least + numbers.below(most - least + 1) };
                if flaw == Some(Flaw::Short) && longest == Some(at) {
                    length -= 1;
                }
                let begin = token.len();
                token.extend((0..length).map(|_| members[numbers.below(members.len())]));
                if flaw == Some(Flaw::Wrong) && longest == Some(at) {
                    let other = (b'g'..=b'z').chain(b'A'..=b'Z').find(|byte| !class.has(*byte)).unwrap_or(b'!');
                    token[begin + length / 2] = other;
                }
            }
        }
    }
    if !spoilt && let Some((at, sum)) = checksum(check, template, &token) {
        token.truncate(at);
        token.extend_from_slice(&sum);
    }
    String::from_utf8_lossy(&token).into_owned()
}

/// `token` with a text that fits in the place of what stands encoded in it.
fn filled(inside: &Inside, token: &str, numbers: &mut Numbers) -> Option<String> {
    let sample = if inside.sample.is_empty() { &inside.begins } else { &inside.sample };
    let text = self::token(&Template::read_value(sample).ok()?, super::Check::None, None, numbers);
    let encoded = base64(text.as_bytes());
    let range = part(inside, token.as_bytes())?;
    Some(format!("{}{}{}", &token[..range.start], encoded.trim_end_matches('='), &token[range.end..]))
}

/// Tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        length @ 0..128 => out.push(length as u8),
        length @ 128..256 => out.extend([0x81, length as u8]),
        length => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

/// A key by its structure alone; its numbers are no key.
fn private_key(variant: &str, numbers: &mut Numbers) -> Option<String> {
    let integer = |numbers: &mut Numbers, length: usize| {
        let mut bytes = numbers.bytes(length);
        bytes[0] |= 0x80;
        bytes.insert(0, 0);
        der(2, &bytes)
    };
    let rsa = |numbers: &mut Numbers| {
        let mut inner = vec![2, 1, 0];
        for length in [256, 2, 255, 128, 128, 128, 128, 128] {
            inner.extend(integer(numbers, length));
        }
        der(0x30, &inner)
    };
    let (label, bytes) = match variant {
        "" | "pkcs1" => ("RSA ", rsa(numbers)),
        "pkcs8" => {
            let oid = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
            let inner = [vec![2, 1, 0], der(0x30, &oid), der(4, &rsa(numbers))].concat();
            ("", der(0x30, &inner))
        }
        "ec" => {
            let curve = der(0xa0, &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
            ("EC ", der(0x30, &[vec![2, 1, 1], der(4, &numbers.bytes(32)), curve].concat()))
        }
        "openssh" => {
            let string = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
            let public = [string(b"ssh-ed25519"), string(&numbers.bytes(32))].concat();
            let check = numbers.bytes(4);
            let private =
                [check.clone(), check, public.clone(), string(&numbers.bytes(64)), string(b""), vec![1, 2, 3]].concat();
            let head = [b"openssh-key-v1\0".to_vec(), string(b"none"), string(b"none"), string(b""), vec![0, 0, 0, 1]]
                .concat();
            ("OPENSSH ", [head, string(&public), string(&private)].concat())
        }
        "encrypted" => {
            // PBES2 with PBKDF2 and AES-256.
            let function = der(0x30, &der(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12]));
            let cipher = der(0x30, &der(6, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42]));
            let scheme = der(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13]);
            let algorithm = der(0x30, &[scheme, der(0x30, &[function, cipher].concat())].concat());
            ("ENCRYPTED ", der(0x30, &[algorithm, der(4, &numbers.bytes(1200))].concat()))
        }
        "pgp" => ("PGP ", openpgp(numbers)),
        other => return bare_key(other, numbers),
    };
    let block = if variant == "pgp" { " BLOCK" } else { "" };
    let lines = lines(&bytes);
    Some(format!("-----BEGIN {label}PRIVATE KEY{block}-----\n{lines}-----END {label}PRIVATE KEY{block}-----\n"))
}

/// Base64 on lines of 64.
fn lines(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in base64(bytes).as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text
}

/// A key's packet in the clear: version 4, EdDSA (RFC 9580 5.5.3).
fn openpgp(numbers: &mut Numbers) -> Vec<u8> {
    let curve = [0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1];
    let head = [&[4, 0x60, 0, 0, 0, 22, curve.len() as u8][..], &curve].concat();
    let point = [&[1, 7, 0x40][..], &numbers.bytes(32)].concat();
    let mut scalar = numbers.bytes(32);
    scalar[0] |= 0x80;
    let secret = [&[1, 0][..], &scalar].concat();
    let sum = secret.iter().fold(0u16, |sum, &byte| sum.wrapping_add(u16::from(byte)));
    let body = [&head[..], &point, &[0], &secret, &sum.to_be_bytes()].concat();
    [&[0x94, body.len() as u8][..], &body].concat()
}

/// Keys in formats other than PEM.
fn bare_key(variant: &str, numbers: &mut Numbers) -> Option<String> {
    Some(match variant {
        "jwk" => {
            let mut url = || base64(&numbers.bytes(32)).replace('+', "-").replace('/', "_").replace('=', "");
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}","d":"{}"}}"#, url(), url(), url())
        }
        "putty" => {
            let string = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
            let public = lines(&[string(b"ssh-ed25519"), string(&numbers.bytes(32))].concat());
            let private = lines(&string(&numbers.bytes(32)));
            format!(
                "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: demo\nPublic-Lines: {}\n{public}\
                 Private-Lines: 1\n{private}",
                public.lines().count()
            )
        }
        "openvpn" => {
            let mut text = String::new();
            for _ in 0..16 {
                crate::model::push_hex(&mut text, &numbers.bytes(16));
                text.push('\n');
            }
            format!("-----BEGIN OpenVPN Static key V1-----\n{text}-----END OpenVPN Static key V1-----\n")
        }
        _ => return None,
    })
}

fn service_account(key: &str) -> String {
    let key = key.replace('\n', "\\n");
    format!(
        "{{\n  \"type\": \"service_account\",\n  \"project_id\": \"demo\",\n  \"private_key\": \"{key}\",\n  \
         \"client_email\": \"app@demo.iam.gserviceaccount.com\"\n}}\n"
    )
}
