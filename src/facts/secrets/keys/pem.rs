//! PEM in any wrapping (RFC 7468, RFC 1421): on lines, in one line with `\n`, in quoted source, in comments, in base64
//! once more. Finds a block's bytes and asks the format's reader what they are.

use super::{Key, State, Traits, asn1, openpgp, openssh};
use crate::facts::secrets::encode::{from_base64, is_base64};
use crate::facts::secrets::verify::Window;

/// The words of every label, with and without an algorithm before them.
pub(super) const LABEL: &[u8] = b"PRIVATE KEY";
/// Base64 of `-----BEGIN `.
pub(super) const WRAPPED: &[u8] = b"LS0tLS1CRUdJTi";

/// Base64 of what an OpenSSH key begins with.
pub(super) const OPENSSH: &[u8] = b"b3BlbnNzaC1rZXktdjEA";

/// The base64 text of a block.
#[derive(Debug, Default)]
struct Body {
    text: Vec<u8>,
    /// The checksum of OpenPGP's armor, in base64.
    sum: Vec<u8>,
    /// Where reading stopped.
    end: usize,
    /// How it stopped: at the end marker, at the window's end before the file's, or at something else.
    closed: bool,
    cut: bool,
    /// What the block's header says of encryption: the cipher of `DEK-Info`, or nothing.
    encrypted: Option<String>,
}

/// A block whose label holds the window's anchor.
pub(super) fn labelled(window: Window<'_>) -> Option<Key> {
    block(window.bytes, window.anchor, window.ends)
}

fn block(bytes: &[u8], anchor: usize, ends: bool) -> Option<Key> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let before = &bytes[anchor.saturating_sub(40)..anchor];
    // No mark stands between it and the label.
    let begin = memchr::memrchr(b'-', before)?.checked_sub(4).filter(|at| before[*at..].starts_with(BEGIN))?;
    let kind = &before[begin + BEGIN.len()..];
    if !kind.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ') {
        return None;
    }
    let kind = String::from_utf8_lossy(kind).trim().to_owned();
    let rest = &bytes[anchor + LABEL.len()..];
    let rest = rest.strip_prefix(b" BLOCK").unwrap_or(rest).strip_prefix(b"-----")?;
    let from = bytes.len() - rest.len();
    if !has_body(rest) {
        return None;
    }
    let body = read_body(bytes, from, ends);
    let start = anchor - before.len() + begin;
    let end = body.end + if body.closed { end_marker(&bytes[body.end..]) } else { 0 };
    let label = if kind.is_empty() { "PRIVATE KEY".to_owned() } else { format!("{kind} PRIVATE KEY") };
    let read = from_base64(&body.text).unwrap_or_default();
    let traits = match (&body.encrypted, kind.as_str()) {
        (Some(lock), _) => {
            (read.len() >= 32).then(|| Traits { state: State::Encrypted, lock: lock.clone(), ..Traits::default() })
        }
        (None, "OPENSSH") => openssh::read(&read),
        (None, "PGP") => openpgp::armored(&read, &body.sum, body.cut),
        (None, _) => asn1::read(&read, body.cut).or_else(|| asn1::read(unpadded(&read)?, false)),
    };
    // A key that can be read is one whatever follows it; what cannot be read must at least look like one.
    let traits = match traits {
        Some(traits) if body.closed || body.cut || traits.state == State::Clear => traits,
        None if body.closed && body.text.len() >= 120 && kind != "OPENSSH" && is_varied(&body.text) => {
            Traits { state: State::Odd, ..Traits::default() }
        }
        _ => return None,
    };
    Some(Key { at: start..end, label, bytes: read, traits })
}

/// The bytes without the padding that a cipher left at their end (PKCS#7): some programs forget to cut it off.
fn unpadded(bytes: &[u8]) -> Option<&[u8]> {
    let last = *bytes.last()?;
    let (inner, padding) = bytes.split_at_checked(bytes.len().checked_sub(usize::from(last))?)?;
    ((1..=16).contains(&last) && padding.iter().all(|byte| *byte == last)).then_some(inner)
}

/// Whether blanks, line ends, quotes and comment marks follow, then letters. Most mentions of a block have no body.
fn has_body(rest: &[u8]) -> bool {
    let skipped = rest.iter().take(64).position(|byte| is_base64(*byte) && *byte != b'+');
    skipped.is_some_and(|skipped| {
        // `%0A` is the end of a line, other percents are places to fill in.
        let marks = &rest[..skipped];
        let escape = marks.ends_with(b"%") && rest[skipped..].starts_with(b"0");
        let marks = if escape { &marks[..skipped - 1] } else { marks };
        marks.iter().all(|byte| !matches!(byte, b'-' | b'<' | b'$' | b'{' | b'%'))
    })
}

/// Reads base64 from `from` on, over line ends, escapes, quotes and comment marks, until something else comes.
fn read_body(bytes: &[u8], from: usize, ends: bool) -> Body {
    let mut body = Body::default();
    let (mut at, mut gap) = headers(bytes, from, &mut body);
    let (mut padded, mut fresh) = (false, true);
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        // What may stand between the lines: marks of comments, of line ends in source, between two of its strings.
        let nothing = match byte {
            b'\\' => matches!(next, b'\\' | b'\n' | b'\r' | b'"' | b'\'' | b'/'),
            b'#' | b'*' | b'>' | b'|' => fresh || gap,
            b'+' | b'.' | b'(' | b')' | b'_' | b'<' | b'[' | b']' => gap,
            b'&' => gap && next != b'#',
            // The mark of a string's kind: b'...', r"...", u"...", L"...".
            b'b' | b'r' | b'u' | b'f' | b'L' => gap && matches!(next, b'"' | b'\''),
            b' ' | b'\t' | b',' | b';' => true,
            _ => false,
        };
        let stretch = &bytes[at..bytes.len().min(at + 8)];
        match byte {
            _ if nothing => {}
            b'/' if fresh && !gap && stretch.starts_with(b"// ") => at += 2,
            _ if !gap && is_base64(byte) => {
                let run = bytes[at..].iter().position(|&byte| !is_base64(byte)).unwrap_or(bytes.len() - at);
                if !padded {
                    body.text.extend_from_slice(&bytes[at..at + run]);
                }
                at += run - 1;
                fresh = false;
            }
            b'=' if !gap => {
                let sum = &bytes[at + 1..bytes.len().min(at + 5)];
                if fresh && sum.len() == 4 && sum.iter().all(|byte| is_base64(*byte)) {
                    body.sum = sum.to_vec();
                    at += 4;
                }
                padded = true;
            }
            b'\n' | b'\r' => fresh = true,
            b'\\' | b'%' | b'&' if !gap || byte == b'\\' => match escape(stretch) {
                Some((b'\n', length)) => {
                    at += length - 1;
                    fresh = true;
                }
                Some((b'=', length)) => {
                    at += length - 1;
                    padded = true;
                }
                Some((digit, length)) => {
                    at += length - 1;
                    body.text.push(digit);
                    fresh = false;
                }
                None => break,
            },
            b'"' | b'\'' | b'`' => gap = !gap,
            b'-' if bytes[at..].starts_with(b"-----END") => {
                body.closed = true;
                break;
            }
            _ => break,
        }
        at += 1;
    }
    body.end = at.min(bytes.len());
    body.cut = at >= bytes.len() && !ends;
    body
}

/// The character that an escape stands for, and the escape's length. Ends of lines and blanks are all `\n`.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    const ESCAPES: &[(&[u8], u8)] = &[
        (b"\\n", b'\n'),
        (b"\\r", b'\n'),
        (b"\\t", b'\n'),
        (b"\\u000a", b'\n'),
        (b"\\u000A", b'\n'),
        (b"\\u000d", b'\n'),
        (b"\\u000D", b'\n'),
        (b"\\u002b", b'+'),
        (b"\\u002B", b'+'),
        (b"\\u002f", b'/'),
        (b"\\u002F", b'/'),
        (b"\\u003d", b'='),
        (b"\\u003D", b'='),
        (b"\\x0a", b'\n'),
        (b"\\012", b'\n'),
        (b"%0A", b'\n'),
        (b"%0a", b'\n'),
        (b"%0D", b'\n'),
        (b"%0d", b'\n'),
        (b"%20", b'\n'),
        (b"%2B", b'+'),
        (b"%2b", b'+'),
        (b"%2F", b'/'),
        (b"%2f", b'/'),
        (b"%3D", b'='),
        (b"%3d", b'='),
        (b"&#10;", b'\n'),
        (b"&#13;", b'\n'),
        (b"&#xA;", b'\n'),
        (b"&#xa;", b'\n'),
        (b"&#xD;", b'\n'),
        (b"&#xd;", b'\n'),
        (b"&#43;", b'+'),
        (b"&#61;", b'='),
    ];
    ESCAPES.iter().find(|(escape, _)| text.starts_with(escape)).map(|(escape, meaning)| (*meaning, escape.len()))
}

/// Skips the header lines of a block (`Proc-Type: 4,ENCRYPTED`, `Version: ...`): where they end, and whether that is
/// between two quoted strings of source.
fn headers(bytes: &[u8], from: usize, body: &mut Body) -> (usize, bool) {
    let (mut at, mut gap) = (from, false);
    for _ in 0..12 {
        let stretch = &bytes[at..bytes.len().min(at + 200)];
        let ends = |(place, byte): (usize, &u8)| match byte {
            b'\n' => Some((place, 1)),
            b'\\' if stretch.get(place + 1) == Some(&b'n') => Some((place, 2)),
            _ => None,
        };
        let Some((end, skip)) = stretch.iter().enumerate().find_map(ends) else { break };
        let line = &stretch[..end];
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`');
        let quoted = line.iter().any(is_quote);
        let joint = |byte: &u8| matches!(byte, b'+' | b'.' | b',' | b'(' | b')' | b'&' | b'_' | b'<' | b'b');
        let blank = line.iter().all(|byte| {
            is_quote(byte) || matches!(byte, b' ' | b'\r' | b'\t' | b'\\' | b'r') || (quoted && joint(byte))
        });
        if blank {
            gap ^= line.iter().filter(|byte| is_quote(byte)).count() % 2 == 1;
        } else if line.contains(&b':') {
            // A string's beginning, as in `b'Proc-Type: ...`, and its end, when the line goes on behind it.
            let text = line.trim_ascii_start();
            let tail = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\r' | b'\\') && !joint(byte));
            gap ^= text.iter().take(2).any(is_quote);
            gap ^= tail.is_some_and(|tail| tail > 2 && is_quote(&text[tail]));
            header(line, body);
        } else {
            break;
        }
        at += end + skip;
    }
    (at, gap)
}

/// What a header line tells of encryption.
fn header(line: &[u8], body: &mut Body) {
    if memchr::memmem::find(line, b"ENCRYPTED").is_some() {
        body.encrypted.get_or_insert_default();
    }
    if let Some(place) = memchr::memmem::find(line, b"DEK-Info:") {
        let value = line[place + 9..].trim_ascii().split(|byte| *byte == b',').next().unwrap_or_default();
        body.encrypted = Some(super::name(value));
    }
}

/// The length of `-----END ... -----`.
fn end_marker(bytes: &[u8]) -> usize {
    let stretch = &bytes[..bytes.len().min(80)];
    memchr::memmem::find(&stretch[stretch.len().min(8)..], b"-----").map_or(stretch.len().min(8), |at| at + 8 + 5)
}

/// Base64 of a whole PEM file, as in Kubernetes' Secrets and kubeconfig files; at once or on lines of their own.
pub(super) fn wrapped(window: Window<'_>) -> Option<Key> {
    let Window { bytes, anchor, ends } = window;
    // Whoever wraps base64 does so at 60 characters or more.
    let run = bytes[anchor..].iter().take(60).take_while(|byte| is_base64(**byte)).count();
    if run < 60 || (anchor > 0 && is_base64(bytes[anchor - 1])) {
        return None;
    }
    let (mut text, mut at, mut plain) = (Vec::new(), anchor, Vec::new());
    loop {
        let step = if plain.is_empty() { 64 } else { 512 };
        let mut fresh = false;
        while text.len() < step {
            match bytes.get(at) {
                Some(&byte) if is_base64(byte) => {
                    text.push(byte);
                    fresh = false;
                }
                Some(b'\n' | b'\r') => fresh = true,
                Some(b' ' | b'\t') if fresh => {}
                Some(b'\\') if matches!(bytes.get(at + 1), Some(b'n' | b'r')) => {
                    at += 1;
                    fresh = true;
                }
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
    let mut key = block(&plain, label, ends && at >= bytes.len())?;
    key.traits.hints.push("in base64".to_owned());
    Some(Key { at: anchor..at, ..key })
}

/// An OpenSSH key without its marks, as in a variable: base64 that begins at the window's anchor.
pub(super) fn bare_openssh(window: Window<'_>) -> Option<Key> {
    let Window { bytes, anchor, ends } = window;
    if anchor > 0 && is_base64(bytes[anchor - 1]) {
        return None;
    }
    // Another key ends this one: dense input must stay cheap.
    let behind = &bytes[anchor + OPENSSH.len()..];
    let other = memchr::memmem::find(behind, OPENSSH).map_or(bytes.len(), |at| anchor + OPENSSH.len() + at);
    let body = read_body(&bytes[..other], anchor, ends);
    let read = from_base64(&body.text)?;
    let traits = openssh::read(&read)?;
    Some(Key { at: anchor..body.end, label: "OPENSSH PRIVATE KEY".to_owned(), bytes: read, traits })
}

fn is_varied(text: &[u8]) -> bool {
    let mut seen = [false; 256];
    for &byte in text {
        seen[usize::from(byte)] = true;
    }
    seen.iter().filter(|&&yes| yes).count() >= 24
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Chance, armor, rsa_key};
    use super::*;

    fn at(text: &str) -> Option<Key> {
        let anchor = memchr::memmem::find(text.as_bytes(), LABEL)?;
        labelled(Window { bytes: text.as_bytes(), anchor, ends: true })
    }

    #[test]
    fn every_wrapping_gives_the_same_bytes() {
        let bytes = rsa_key(&mut Chance::new(6), 1024);
        let pem = armor(&format!("RSA {}", "PRIVATE KEY"), &bytes);
        let each = |write: &dyn Fn(&str) -> String| pem.lines().map(write).collect::<String>();
        for (name, text) in [
            ("lines", pem.clone()),
            ("CRLF", pem.replace('\n', "\r\n")),
            ("one line", pem.replace('\n', "\\n")),
            ("one line, escaped twice", pem.replace('\n', "\\\\n")),
            ("one line, CRLF", pem.replace('\n', "\\r\\n")),
            ("escapes of JSON", pem.replace('\n', "\\u000a").replace('+', "\\u002b").replace('/', "\\/")),
            ("percent", pem.replace('\n', "%0A").replace('+', "%2B").replace('/', "%2F")),
            ("XML", pem.replace('\n', "&#10;")),
            ("blanks for line ends", pem.replace('\n', " ")),
            ("YAML", each(&|line| format!("      {line}\n"))),
            ("Java", each(&|line| format!("    \"{line}\\n\" +\n"))),
            ("C", each(&|line| format!("    \"{line}\\n\"\n"))),
            ("C, line ends", each(&|line| format!("{line}\\n\\\n"))),
            ("Python", each(&|line| format!("    b'{line}\\n'\n"))),
            ("a list", each(&|line| format!("    '{line}',\n"))),
            ("Visual Basic", each(&|line| format!("    \"{line}\" & _\n"))),
            ("C++", each(&|line| format!("    << \"{line}\\n\"\n"))),
            ("comments", each(&|line| format!("# {line}\n"))),
            ("comments of C", each(&|line| format!("// {line}\n"))),
            ("a block comment", each(&|line| format!(" * {line}\n"))),
        ] {
            let key = at(&text).unwrap_or_else(|| panic!("{name}: {text}"));
            assert!(key.bytes == bytes && key.traits.state == State::Clear, "{name}: {text}");
        }
    }

    #[test]
    fn padding_that_a_cipher_left_is_no_harm() {
        let bytes = rsa_key(&mut Chance::new(6), 1024);
        let read = |tail: &[u8]| at(&armor("PRIVATE KEY", &[&bytes, tail].concat())).expect("marks").traits.state;
        assert_eq!((read(&[7; 7]), read(&[7; 6]), read(&[1, 2])), (State::Clear, State::Odd, State::Odd));
    }

    #[test]
    fn header_lines_tell_the_cipher() {
        let bytes = Chance::new(7).bytes(640);
        let pem = armor(&format!("RSA {}", "PRIVATE KEY"), &bytes);
        let head = "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n";
        let key = at(&pem.replacen("KEY-----\n", head, 1)).expect("a key");
        assert_eq!(key.traits.sentence(), "encrypted with a passphrase (AES-128-CBC)");
        assert_eq!(key.bytes, bytes);
        let headed = pem.replacen("KEY-----\n", head, 1);
        for [before, behind] in [["    \"", "\\n\"\n"], ["  \"", "\\n\" +\n"], ["  '", "',\n"], ["'", "'.\"\\n\" .\n"]]
        {
            let source: Vec<String> = headed.lines().map(|line| [before, line, behind].concat()).collect();
            let key = at(&source.concat()).unwrap_or_else(|| panic!("a key:\n{}", source.concat()));
            assert_eq!((key.bytes, key.traits.lock), (bytes.clone(), "AES-128-CBC".to_owned()));
        }
        // Without the header the same bytes are nothing.
        assert_eq!(at(&pem).expect("marks").traits.state, State::Odd);
    }

    #[test]
    fn templates_and_stumps_are_no_keys() {
        let bytes = rsa_key(&mut Chance::new(8), 1024);
        let pem = armor("PRIVATE KEY", &bytes);
        for body in
            ["<your private key>", "...", "MIIEpAIBAAKCAQEA...", "MIIE", "$KEY", "{{ key }}", "%s", "xxxxxxxx", ""]
        {
            let text = format!("-----BEGIN {0}-----\n{body}\n-----END {0}-----\n", "PRIVATE KEY");
            assert!(at(&text).is_none(), "{body}");
        }
        assert!(at(&pem[..400]).is_none(), "cut short");
        let dots = format!("{}...\n-----END PRIVATE KEY-----\n", &pem[..300]);
        assert!(at(&dots).is_none(), "cut short by dots");
    }
}
