//! Private keys in text: PEM in any wrapping (lines, one line with `\n`, quoted source, base64 once more), OpenSSH, PGP
//! and PuTTY. Tells keys from templates by their structure; never keeps one.

use super::REACH;
use super::encode::{from_base64, is_base64};
use super::spec::{SecretRule, Structure};
use super::verify::{Verified, Window, hash, shown};
use crate::model::{Confidence, Severity};
use std::ops::Range;

/// What the search looks for.
pub(super) const ANCHORS: [&[u8]; 3] = [LABEL, WRAPPED, PUTTY];
const LABEL: &[u8] = b"PRIVATE KEY";
/// Base64 of `-----BEGIN `.
const WRAPPED: &[u8] = b"LS0tLS1CRUdJTi";
const PUTTY: &[u8] = b"PuTTY-User-Key-File-";

/// A private key.
#[derive(Debug)]
struct Key {
    at: Range<usize>,
    label: String,
    /// The key's bytes, the same in every wrapping.
    bytes: Vec<u8>,
    state: State,
    about: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Clear,
    Encrypted,
    /// Long enough, closed, and no key that can be read.
    Odd,
}

/// The base64 text of a block.
#[derive(Debug, Default)]
struct Body {
    text: Vec<u8>,
    /// Where reading stopped.
    end: usize,
    /// How it stopped: at the end marker, at the window's end before the file's, or at something else.
    closed: bool,
    cut: bool,
    encrypted: bool,
}

/// Looks for a private key at the window's anchor.
pub(super) fn verify(rule: &SecretRule, structure: Structure, window: Window<'_>) -> Option<Verified> {
    if structure == Structure::ServiceAccount && !in_service_account(window) {
        return None;
    }
    let key = key_at(window)?;
    let (severity, confidence, detail) = match key.state {
        State::Clear => (rule.severity, Confidence::High, key.about),
        State::Encrypted => {
            (rule.severity.min(Severity::Low), Confidence::High, "encrypted with a passphrase".to_owned())
        }
        State::Odd => {
            (rule.severity.min(Severity::Low), Confidence::Low, "does not parse: broken, or no key at all".to_owned())
        }
    };
    let redacted = shown(&key.label, key.at.len());
    Some(Verified { hash: hash(&key.bytes), at: key.at, severity, confidence, detail, redacted, given: 0 })
}

fn key_at(window: Window<'_>) -> Option<Key> {
    let Window { bytes, anchor, ends } = window;
    let tail = bytes.get(anchor..)?;
    if tail.starts_with(LABEL) {
        pem(bytes, anchor, ends)
    } else if tail.starts_with(WRAPPED) {
        wrapped(bytes, anchor, ends)
    } else if tail.starts_with(PUTTY) {
        putty(bytes, anchor)
    } else {
        None
    }
}

/// A PEM block whose label holds the anchor.
fn pem(bytes: &[u8], anchor: usize, ends: bool) -> Option<Key> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let before = &bytes[anchor.saturating_sub(40)..anchor];
    let begin = memchr::memmem::rfind(before, BEGIN)?;
    let kind = &before[begin + BEGIN.len()..];
    if !kind.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ') {
        return None;
    }
    let kind = String::from_utf8_lossy(kind).trim().to_owned();
    let rest = &bytes[anchor + LABEL.len()..];
    let rest = rest.strip_prefix(b" BLOCK").unwrap_or(rest).strip_prefix(b"-----")?;
    let from = bytes.len() - rest.len();
    // Blanks, line ends, quotes and comment marks, then letters: or there is no body. Most mentions end here.
    let skipped = rest.iter().take(64).position(|byte| is_base64(*byte) && *byte != b'+');
    if !skipped
        .is_some_and(|skipped| rest[..skipped].iter().all(|byte| !matches!(byte, b'-' | b'<' | b'$' | b'{' | b'%')))
    {
        return None;
    }
    let body = read_body(bytes, from, ends);
    let start = anchor - before.len() + begin;
    let end = body.end + if body.closed { end_marker(&bytes[body.end..]) } else { 0 };
    let label = if kind.is_empty() { "PRIVATE KEY".to_owned() } else { format!("{kind} PRIVATE KEY") };
    let der = from_base64(&body.text).unwrap_or_default();
    let read = match kind.as_str() {
        _ if body.encrypted || kind.contains("ENCRYPTED") => {
            (der.len() >= 32).then(|| (State::Encrypted, String::new()))
        }
        "OPENSSH" => openssh(&der),
        "PGP" => pgp(&der),
        _ => asn1(&der, body.cut),
    };
    // A key that can be read is one whatever follows it; what cannot be read must at least look like one.
    let (state, about) = match read {
        Some((state, about)) if body.closed || body.cut || state != State::Encrypted => (state, about),
        None if body.closed && body.text.len() >= 120 && kind != "OPENSSH" && is_varied(&body.text) => {
            (State::Odd, String::new())
        }
        _ => return None,
    };
    Some(Key { at: start..end, label, bytes: der, state, about })
}

/// Reads base64 from `from` on, over line ends, escapes, quotes and comment marks, until something else comes.
fn read_body(bytes: &[u8], from: usize, ends: bool) -> Body {
    let mut body = Body::default();
    let mut at = headers(bytes, from, &mut body);
    let (mut padded, mut gap, mut fresh) = (false, false, true);
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        // What may stand between the lines: marks of comments, of line ends in source, between two of its strings.
        let nothing = match byte {
            b'\\' => matches!(next, b'\\' | b'\n' | b'\r' | b'"' | b'/'),
            b'#' | b'*' | b'>' | b'|' => fresh,
            b'+' | b'.' | b'&' | b'(' | b')' => gap,
            b' ' | b'\t' | b',' | b';' => true,
            _ => false,
        };
        match byte {
            _ if nothing => {}
            _ if !gap && is_base64(byte) => {
                let run = bytes[at..].iter().position(|&byte| !is_base64(byte)).unwrap_or(bytes.len() - at);
                if !padded {
                    body.text.extend_from_slice(&bytes[at..at + run]);
                }
                at += run - 1;
                fresh = false;
            }
            b'=' if !gap => padded = true,
            b'\n' | b'\r' => fresh = true,
            b'\\' if matches!(next, b'n' | b'r' | b't') => {
                at += 1;
                fresh = true;
            }
            b'"' | b'\'' | b'`' => gap = !gap,
            b'-' if bytes[at..].starts_with(b"-----END") => {
                body.closed = true;
                break;
            }
            _ => break,
        }
        at += 1;
    }
    body.end = at;
    body.cut = at >= bytes.len() && !ends;
    body
}

/// Skips the header lines of a block (`Proc-Type: 4,ENCRYPTED`, `Version: ...`).
fn headers(bytes: &[u8], from: usize, body: &mut Body) -> usize {
    let mut at = from;
    for _ in 0..8 {
        let line_end = |at: usize| {
            let stretch = &bytes[at..bytes.len().min(at + 200)];
            let found = stretch.iter().enumerate().find(|(place, byte)| match byte {
                b'\n' => true,
                b'\\' => matches!(stretch.get(place + 1), Some(b'n')),
                _ => false,
            });
            found.map(|(place, _)| at + place)
        };
        let Some(end) = line_end(at) else { break };
        let line = &bytes[at..end];
        let blank = line.iter().all(|byte| matches!(byte, b' ' | b'\r' | b'\t' | b'"' | b'\\' | b'r'));
        if !blank && !line.contains(&b':') {
            break;
        }
        body.encrypted |= memchr::memmem::find(line, b"ENCRYPTED").is_some();
        at = end + if bytes[end] == b'\n' { 1 } else { 2 };
    }
    at
}

/// The length of `-----END ... -----`.
fn end_marker(bytes: &[u8]) -> usize {
    let stretch = &bytes[..bytes.len().min(80)];
    memchr::memmem::find(&stretch[stretch.len().min(8)..], b"-----").map_or(stretch.len().min(8), |at| at + 8 + 5)
}

/// Base64 of a whole PEM file, as in Kubernetes' Secrets and kubeconfig files.
fn wrapped(bytes: &[u8], anchor: usize, ends: bool) -> Option<Key> {
    // Whoever wraps base64 does so at 64 characters or more.
    let run = bytes[anchor..].iter().take(60).take_while(|byte| is_base64(**byte)).count();
    if run < 60 || (anchor > 0 && is_base64(bytes[anchor - 1])) {
        return None;
    }
    let (mut text, mut at, mut plain) = (Vec::new(), anchor, Vec::new());
    loop {
        let step = if plain.is_empty() { 64 } else { 512 };
        while text.len() < step {
            match bytes.get(at) {
                Some(&byte) if is_base64(byte) => text.push(byte),
                Some(b'\n' | b'\r') => {}
                _ => break,
            }
            at += 1;
        }
        let full = text.len() == step;
        let piece = from_base64(&text)?;
        // What is no text, or opens another block, is not worth the rest: dense input must stay cheap.
        let again = memchr::memmem::find_iter(&piece, b"-----BEGIN").count() > usize::from(plain.is_empty());
        if !piece.is_ascii() || again {
            return None;
        }
        plain.extend_from_slice(&piece);
        if !full || memchr::memmem::find(&piece, b"-----END").is_some() {
            break;
        }
        text.clear();
    }
    let label = memchr::memmem::find(&plain[..plain.len().min(64)], LABEL)?;
    let key = pem(&plain, label, ends && at >= bytes.len())?;
    Some(Key { at: anchor..at, about: format!("{}, in base64", key.about).trim_start_matches(", ").to_owned(), ..key })
}

/// A PuTTY key file, versions 2 and 3.
fn putty(bytes: &[u8], anchor: usize) -> Option<Key> {
    let rest = &bytes[anchor..];
    let field = |name: &[u8]| {
        let head = &rest[..rest.len().min(REACH)];
        let from = memchr::memmem::find(head, name)? + name.len();
        let value = rest[from..].split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
        Some((from, value.trim_ascii()))
    };
    let (_, encryption) = field(b"Encryption:")?;
    let (place, count) = field(b"Private-Lines:").or_else(|| {
        let from = memchr::memmem::find(rest, b"Private-Lines:")? + 14;
        Some((from, rest[from..].split(|byte| matches!(byte, b'\n' | b'\r')).next()?.trim_ascii()))
    })?;
    let count: usize = std::str::from_utf8(count).ok()?.parse().ok().filter(|count| (1..=200).contains(count))?;
    let lines = rest[place..].split(|&byte| byte == b'\n').skip(1).take(count);
    let (mut text, mut end) = (Vec::new(), place + rest[place..].iter().position(|&byte| byte == b'\n')? + 1);
    for line in lines {
        text.extend_from_slice(line.trim_ascii());
        end += line.len() + 1;
    }
    let key = from_base64(&text).filter(|key| key.len() >= 20)?;
    let state = if encryption == b"none" { State::Clear } else { State::Encrypted };
    let end = (anchor + end).min(bytes.len());
    Some(Key { at: anchor..end, label: "PuTTY private key".to_owned(), bytes: key, state, about: "PuTTY".to_owned() })
}

/// Whether the key at the anchor is the `private_key` of a service account's JSON.
fn in_service_account(window: Window<'_>) -> bool {
    let before = &window.bytes[window.anchor.saturating_sub(96)..window.anchor];
    memchr::memmem::find(before, b"private_key").is_some()
        && (memchr::memmem::find(window.bytes, b"service_account").is_some()
            || memchr::memmem::find(window.bytes, b".gserviceaccount.com").is_some())
}

fn is_varied(text: &[u8]) -> bool {
    let mut seen = [false; 256];
    for &byte in text {
        seen[usize::from(byte)] = true;
    }
    seen.iter().filter(|&&yes| yes).count() >= 24
}

/// The first DER element: tag, content, what follows. A content that is longer than the bytes is cut when `lenient`.
fn der(bytes: &[u8], lenient: bool) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let (digits, rest) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
        (digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit)), rest)
    };
    let length = if lenient { length.min(rest.len()) } else { length };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// PKCS#1, PKCS#8 and SEC 1 (RFC 8017 A.1.2, RFC 5208 5, RFC 5915 3).
fn asn1(bytes: &[u8], cut: bool) -> Option<(State, String)> {
    let (0x30, inner, rest) = der(bytes, cut)? else { return None };
    let (0x02, version, inner) = der(inner, false)? else { return None };
    if !rest.is_empty() || version.len() != 1 || version[0] > 1 {
        return None;
    }
    let (tag, content, after) = der(inner, cut)?;
    let about = match tag {
        0x02 if content.len() >= 32 => {
            // PKCS#1 has eight more numbers, DSA's key five.
            let mut numbers = 1;
            let mut left = after;
            while let Some((0x02, _, next)) = der(left, false) {
                numbers += 1;
                left = next;
            }
            let name = if numbers == 5 { "DSA" } else { "RSA" };
            (cut || numbers >= 5).then(|| format!("{name}, {} bits", bits(content)))?
        }
        0x04 if (16..=80).contains(&content.len()) => format!("EC, {} bits", content.len() * 8),
        0x30 => {
            let (0x06, oid, _) = der(content, false)? else { return None };
            let (0x04, _, _) = der(after, cut)? else { return None };
            match oid {
                [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, ..] => "RSA, PKCS#8",
                [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01] => "EC, PKCS#8",
                [0x2b, 0x65, 0x70] => "Ed25519",
                [0x2b, 0x65, 0x71] => "Ed448",
                [0x2b, 0x65, 0x6e | 0x6f] => "X25519 or X448",
                [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01] => "DSA, PKCS#8",
                _ => "PKCS#8",
            }
            .to_owned()
        }
        _ => return None,
    };
    Some((State::Clear, about))
}

fn bits(number: &[u8]) -> usize {
    let number = number.strip_prefix(&[0]).unwrap_or(number);
    number.len() * 8 - number.first().map_or(0, |first| first.leading_zeros() as usize)
}

/// OpenSSH's own format (PROTOCOL.key).
fn openssh(bytes: &[u8]) -> Option<(State, String)> {
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let mut string = || {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let (text, tail) = tail.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = tail;
        Some(text)
    };
    let (cipher, _kdf, _options) = (string()?, string()?, string()?);
    rest = rest.strip_prefix(&[0, 0, 0, 1])?;
    let mut string = || {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let (text, tail) = tail.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = tail;
        Some(text)
    };
    let (public, private) = (string()?, string()?);
    if cipher != b"none" {
        return Some((State::Encrypted, String::new()));
    }
    let name =
        public.split_first_chunk::<4>().and_then(|(length, tail)| tail.get(..u32::from_be_bytes(*length) as usize));
    let name = name.filter(|name| name.len() < 64).map(String::from_utf8_lossy).unwrap_or_default().into_owned();
    let checks = private.get(..8)?;
    let state = if checks[..4] == checks[4..] { State::Clear } else { State::Odd };
    Some((state, name))
}

/// An OpenPGP secret key packet (RFC 4880 5.5.3): only as far as the octet that tells its protection.
fn pgp(bytes: &[u8]) -> Option<(State, String)> {
    let (&tag, rest) = bytes.split_first()?;
    let (kind, rest) = if tag & 0xc0 == 0xc0 {
        let skip = match *rest.first()? {
            0..192 => 1,
            192..224 => 2,
            _ => 5,
        };
        (tag & 0x3f, rest.get(skip..)?)
    } else {
        (tag >> 2 & 0x0f, rest.get(1 << (tag & 3)..)?)
    };
    if !matches!(kind, 5 | 7) || bytes.len() < 64 {
        return None;
    }
    let name = "OpenPGP".to_owned();
    let [4, _, _, _, _, algorithm, ref numbers @ ..] = *rest else { return Some((State::Clear, name)) };
    let mut rest: &[u8] = numbers;
    let count = match algorithm {
        1..=3 => 2,
        16 | 20 => 3,
        17 => 4,
        18 | 19 | 22 => {
            rest = rest.get(usize::from(*rest.first()?) + 1..)?;
            if algorithm == 18 { 2 } else { 1 }
        }
        _ => return Some((State::Clear, name)),
    };
    for _ in 0..count {
        let (length, tail) = rest.split_first_chunk::<2>()?;
        rest = tail.get(usize::from(u16::from_be_bytes(*length)).div_ceil(8)..)?;
    }
    Some((if *rest.first()? == 0 { State::Clear } else { State::Encrypted }, name))
}
