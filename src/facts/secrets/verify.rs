//! Decides what a candidate is: the template around its anchor, its boundaries, its checksum. Sees one window of bytes
//! and nothing else, so that the answer does not depend on how the stream was cut.

use super::encode::{base32, base36, base62, bech32_checksum, crc16, crc32, from_base32};
use super::inside;
use super::pieces::{backward, forward};
use super::showing::is_among_examples;
use super::spec::{Check, Class, Companion, Left, Piece, SecretRule, Template};
use crate::model::{Confidence, Severity, push_hex};
use sha2::{Digest as _, Sha256};
use std::ops::Range;

/// The bytes around an anchor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'a> {
    /// A part of one file.
    pub(super) bytes: &'a [u8],
    /// Where the anchor begins in `bytes`.
    pub(super) anchor: usize,
    /// Whether `bytes` ends where the file ends.
    pub(super) ends: bool,
}

/// A secret in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verified {
    /// The secret's bytes in the window.
    pub(super) at: Range<usize>,
    pub(super) severity: Severity,
    pub(super) confidence: Confidence,
    /// What the structure told; may be empty.
    pub(super) detail: String,
    /// What may be shown of it.
    pub(super) redacted: String,
    /// See [`hash`].
    pub(super) hash: String,
    /// How many of its bytes its format gives, so that of two formats the narrower one names it.
    pub(super) given: usize,
    /// Whether only the name it is given to makes it a secret.
    pub(super) keyed: bool,
}

/// What an offline check says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Proof {
    Valid,
    /// No sum, but what stands encoded inside is right.
    Fits,
    Invalid,
    Unknown,
}

/// The first eight bytes of the SHA-256 of `secret`, in hex.
pub(super) fn hash(secret: &[u8]) -> String {
    let mut out = String::with_capacity(16);
    push_hex(&mut out, &Sha256::digest(secret)[..8]);
    out
}

/// `prefix`, an ellipsis, and the length of the whole in bytes.
pub(super) fn shown(prefix: &str, length: usize) -> String {
    format!("{prefix}…({length})")
}

/// Looks for `template` of `rule` at the window's anchor.
pub(super) fn verify(rule: &SecretRule, template: &Template, window: Window<'_>) -> Option<Verified> {
    let Window { bytes, anchor, .. } = window;
    let (left, right) = template.pieces.split_at(template.anchor);
    let begin = anchor - backward(left, bytes.get(..anchor)?)?;
    let left_free = rule.spec.left == Left::Any || is_free_left(template.beside, &bytes[..begin]);
    if !left_free && !rule.spec.check.proves() {
        return None;
    }
    let end = anchor + forward(right, bytes.get(anchor..)?)?;
    let token = &bytes[begin..end];
    let proof = prove(rule.spec.check, template, token);
    // A checksum that fits is no accident, whatever the token touches.
    let bounded = left_free && is_free_right(template, &bytes[end..]);
    if (!bounded && proof != Proof::Valid) || !has_near(rule, window, begin..end) {
        return None;
    }
    grade(rule, template, window, begin..end)
}

/// What is to be said of the token of `template` at `token`, whose surroundings fit.
pub(super) fn grade(
    rule: &SecretRule,
    template: &Template,
    window: Window<'_>,
    token: Range<usize>,
) -> Option<Verified> {
    let (bytes, begin) = (window.bytes, token.start);
    let token = &bytes[token];
    let mut proof = prove(rule.spec.check, template, token);
    if let Some(inside) = &rule.spec.inside {
        match (inside::fits(inside, token), inside.required) {
            (false, true) => return None,
            (false, false) => proof = Proof::Invalid,
            (true, _) if proof == Proof::Unknown => proof = Proof::Fits,
            (true, _) => {}
        }
    }
    let secret = secret_part(template, token)?;
    let at = begin + secret.start..begin + secret.end;
    let (mut severity, mut confidence, mut detail) = match proof {
        Proof::Valid => (rule.severity, Confidence::High, "checksum valid".to_owned()),
        Proof::Fits => (rule.severity, rule.confidence, "its structure is whole".to_owned()),
        Proof::Invalid => {
            let detail = match rule.spec.check {
                Check::None => "what it holds is not what its kind has: probably fake or redacted",
                _ => "its checksum does not fit: probably fake or redacted",
            };
            let detail = detail.to_owned();
            (Severity::Low, Confidence::Low, detail)
        }
        Proof::Unknown => (rule.severity, rule.confidence, String::new()),
    };
    if rule.spec.check == Check::AwsKeyId {
        detail = aws_account(token);
    }
    if let Some(companion) = &rule.spec.companion
        && has_companion(companion, bytes, &at)
    {
        severity = companion.severity;
        confidence = Confidence::High;
        detail = format!("with {} beside it", companion.name);
    }
    if rule.spec.test.iter().any(|test| token.starts_with(test.as_bytes())) {
        severity = severity.min(Severity::Low);
        "a key for tests".clone_into(&mut detail);
    }
    if rule.spec.check == Check::Jwt && inside::has_expired(token) {
        severity = severity.min(Severity::Low);
        "it has expired".clone_into(&mut detail);
    }
    if rule.spec.check == Check::Jwt && inside::is_signed_by_anybody(token) {
        severity = severity.min(Severity::Low);
        "signed with a word that documents use".clone_into(&mut detail);
    }
    // What a format proves stays what it is; what a name alone tells may be there to show the name.
    if template.bare && severity > Severity::Medium && is_among_examples(bytes, &at) {
        (severity, confidence) = (Severity::Medium, Confidence::Low);
        "among examples".clone_into(&mut detail);
    }
    let known = public_prefix(template);
    if proof != Proof::Valid && is_example(rule, template, &bytes[at.clone()][known.len().min(at.len())..]) {
        (severity, confidence) = (Severity::Info, Confidence::Low);
        "an example or placeholder".clone_into(&mut detail);
    }
    Some(Verified {
        redacted: shown(&known, at.len()),
        given: template.given(),
        keyed: template.bare,
        hash: hash(&bytes[at.clone()]),
        at,
        severity,
        confidence,
        detail,
    })
}

/// Whether nothing on the left belongs to the token (see [`Template::beside`]), so that runs of one template never
/// overlap and dense candidates cost no more than their bytes. The end of an escape (`\n`, `%3D`, `\u003d`) is no letter.
#[inline]
pub(super) fn is_free_left(beside: Class, before: &[u8]) -> bool {
    before.last().is_none_or(|&last| !beside.has(last)) || ends_with_escape(before)
}

fn ends_with_escape(before: &[u8]) -> bool {
    match before {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'%', high, low] | [.., b'\\', b'u', b'0', b'0', high, low] => {
            high.is_ascii_hexdigit() && low.is_ascii_hexdigit()
        }
        _ => false,
    }
}

pub(super) fn is_free_right(template: &Template, behind: &[u8]) -> bool {
    let Some(&next) = behind.first() else { return true };
    let run_on = matches!(template.pieces.last(), Some(Piece::Run { class, .. }) if class.has(next));
    !Class::WORD.has(next) && !run_on
}

/// The part of `token` between the template's `<` and `>`.
fn secret_part(template: &Template, token: &[u8]) -> Option<Range<usize>> {
    let (from, to) = template.secret;
    let start = forward(&template.pieces[..from], token)?;
    let whole = to == template.pieces.len();
    let end = if whole { token.len() } else { start + forward(&template.pieces[from..to], &token[start..])? };
    Some(start..end)
}

/// The literal that the secret itself begins with, at most 16 bytes of it.
fn public_prefix(template: &Template) -> String {
    match &template.pieces[template.secret.0] {
        Piece::Literal(literal) => String::from_utf8_lossy(&literal[..literal.len().min(16)]).into_owned(),
        Piece::Run { .. } => String::new(),
    }
}

fn has_near(rule: &SecretRule, window: Window<'_>, token: Range<usize>) -> bool {
    if rule.spec.near.is_empty() {
        return true;
    }
    let within = rule.spec.within.unwrap_or(100).min(super::REACH);
    let from = token.start.saturating_sub(within);
    let to = (token.end + within).min(window.bytes.len());
    let around = window.bytes[from..to].to_ascii_lowercase();
    rule.spec.near.iter().any(|word| memchr::memmem::find(&around, word.to_ascii_lowercase().as_bytes()).is_some())
}

/// Whether a run as `companion` describes it, with letters of both cases and digits, stands near.
fn has_companion(companion: &Companion, bytes: &[u8], token: &Range<usize>) -> bool {
    let inner = companion.token.trim_start_matches('{').trim_end_matches('}');
    let Ok(Piece::Run { class, least, most }) = super::spec::read_run(inner) else { return false };
    let within = companion.within.min(super::REACH);
    let sides = [token.start.saturating_sub(within)..token.start, token.end..(token.end + within).min(bytes.len())];
    sides.into_iter().any(|side| {
        bytes[side].split(|&byte| !class.has(byte)).any(|run| {
            (least..=most).contains(&run.len())
                && run.iter().any(u8::is_ascii_lowercase)
                && run.iter().any(u8::is_ascii_uppercase)
                && run.iter().any(u8::is_ascii_digit)
                && memchr::memchr_iter(b'/', run).count() < 5
        })
    })
}

/// Whether the random part of a token is what documents write instead of a real one.
fn is_example(rule: &SecretRule, template: &Template, random: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"example",
        b"placeholder",
        b"redacted",
        b"changeme",
        b"change-me",
        b"dummy",
        b"sample",
        b"insert",
        b"your-",
        b"your_",
        b"yourtoken",
        b"yourkey",
        b"1234567890",
        b"0123456789",
        b"abcdefghij",
        b"abcdef123456",
        b"1a2b3c4d",
        b"a1b2c3d4",
        b"deadbeef",
    ];
    let lower = random.to_ascii_lowercase();
    let same = |bytes: &[u8]| bytes.windows(7).any(|run| run.iter().all(|&byte| byte == run[0]));
    // Unless the format itself has such a run.
    let own = template.pieces.iter().any(|piece| matches!(piece, Piece::Literal(literal) if same(literal)));
    let same = !own && same(&lower);
    let mut seen = [false; 256];
    for &byte in &lower {
        seen[usize::from(byte)] = true;
    }
    same || repeats(&lower)
        || (lower.len() >= 16 && seen.iter().filter(|&&yes| yes).count() < 5)
        || WORDS.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
        || rule.spec.examples.iter().any(|part| memchr::memmem::find(random, part.as_bytes()).is_some())
}

/// Whether a value is a few characters again and again: `abc123abc123abc123`.
fn repeats(value: &[u8]) -> bool {
    (1..=value.len() / 3).take(12).any(|period| value.len() >= 12 && value[period..] == value[..value.len() - period])
}

/// What the sum of a token with this check should be, and where it stands: (place, sum). `None` when this token has
/// none.
pub(super) fn checksum(check: Check, template: &Template, token: &[u8]) -> Option<(usize, Vec<u8>)> {
    let prefix = match template.pieces.first()? {
        Piece::Literal(literal) => literal.len(),
        Piece::Run { .. } => 0,
    };
    let tail = |length: usize| token.len().checked_sub(length).filter(|at| *at >= prefix);
    match check {
        Check::None | Check::AwsKeyId | Check::Jwt => None,
        Check::Crc32Base62 => {
            let at = tail(6)?;
            (at - prefix == 30 && template.pieces.len() == 2).then(|| (at, base62(crc32(&token[prefix..at]))))
        }
        Check::Crc32Hex => {
            let at = tail(8)?;
            Some((at, format!("{:08X}", crc32(&token[..at])).into_bytes()))
        }
        Check::Crc32HexLittle => {
            let at = tail(8)?;
            let body = token[..at].strip_suffix(b"_")?;
            Some((at, format!("{:08x}", crc32(body).swap_bytes()).into_bytes()))
        }
        Check::Crc32HexBody => {
            let at = tail(8)?;
            let body = token[prefix..at].strip_suffix(b"_").unwrap_or(&token[prefix..at]);
            Some((at, format!("{:08x}", crc32(body)).into_bytes()))
        }
        Check::GitlabRoutable => {
            let at = tail(7)?;
            token.contains(&b'.').then(|| (at, base36(u64::from(crc32(&token[..at])), 7)))
        }
        Check::Nkey => {
            // The sum ends within a character, so the whole is written anew.
            let bytes = from_base32(token)?;
            let (body, _) = bytes.split_at_checked(bytes.len().checked_sub(2)?)?;
            Some((0, base32(&[body, &crc16(body).to_le_bytes()].concat())))
        }
        Check::Bech32 => {
            let at = tail(6)?;
            let lower = token.to_ascii_lowercase();
            let data = &lower[prefix..at];
            let human = lower[..prefix].strip_suffix(b"1")?;
            Some((at, bech32_checksum(human, data)?.to_ascii_uppercase()))
        }
    }
}

fn prove(check: Check, template: &Template, token: &[u8]) -> Proof {
    match checksum(check, template, token) {
        None => Proof::Unknown,
        Some((at, sum)) if token[at..] == sum[..] => Proof::Valid,
        // How this vendor computes it is known from samples alone: no proof against a token.
        Some(_) if check == Check::Crc32HexBody => Proof::Unknown,
        Some(_) => Proof::Invalid,
    }
}

/// The account that an AWS key id made since 2019 belongs to.
fn aws_account(token: &[u8]) -> String {
    let Some(bytes) = token.get(4..).and_then(from_base32) else { return String::new() };
    let Some(head) = bytes.first_chunk::<6>() else { return String::new() };
    let number = head.iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    let account = (number & 0x7fff_ffff_ff80) >> 7;
    if number >> 47 == 1 && account < 1_000_000_000_000 { format!("of account {account:012}") } else { String::new() }
}
