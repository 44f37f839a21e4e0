//! The content scan against the rule files in rules/secrets: every type is found, near misses are not, any cutting of a
//! stream gives the same hits, and the fast way finds what the slow one does.

#[path = "secrets/dense.rs"]
mod dense;
#[path = "secrets/grades.rs"]
mod grades;

use plimsoll::facts::secrets::{CARRY, Extent, Finds, Hit, Left, Patterns, SecretRule, generate};
use plimsoll::model::{Confidence, Severity};
use proptest::prelude::*;
use std::sync::LazyLock;

/// Every secret type of the rules folder that has a format.
static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let typed: Vec<SecretRule> = rules().into_iter().filter(|rule| rule.name != GENERIC).collect();
    Patterns::new(&typed).expect("rules compile")
});

/// These, and credentials that only their names tell.
static EVERYTHING: LazyLock<Patterns> = LazyLock::new(|| Patterns::new(&rules()).expect("rules compile"));

const GENERIC: &str = "generic-credential";

fn rules() -> Vec<SecretRule> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/secrets");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("rules").map(|file| file.expect("file").path()).collect();
    files.sort();
    files.iter().filter_map(|file| rule(&std::fs::read_to_string(file).expect("text"))).collect()
}

fn rule(page: &str) -> Option<SecretRule> {
    let head = page.split("```toml\n").nth(1)?.split("```").next()?;
    let head: toml::Table = head.parse().expect("head");
    let secret = head.get("match")?.get("secret")?.as_table()?;
    let word = |key: &str| head[key].as_str().expect("text").to_owned();
    let severity: Severity = word("severity").parse().expect("severity");
    let confidence = match word("confidence").as_str() {
        "high" => Confidence::High,
        "medium" => Confidence::Medium,
        _ => Confidence::Low,
    };
    Some(SecretRule::read(&word("name"), severity, confidence, secret).expect("secret table"))
}

fn whole(file: &[u8]) -> Vec<Hit> {
    whole_by(&PATTERNS, file)
}

fn whole_by(patterns: &Patterns, file: &[u8]) -> Vec<Hit> {
    let mut finds = Finds::default();
    let extent = Extent { at: 0, len: file.len(), entry: 0, file: 0, first: true, last: true, binary: false };
    patterns.scan(file, 0, true, &[extent], &mut finds);
    finds.hits(patterns.rules())
}

fn slowly(file: &[u8]) -> Vec<Hit> {
    slowly_by(&PATTERNS, file)
}

fn slowly_by(patterns: &Patterns, file: &[u8]) -> Vec<Hit> {
    let mut finds = Finds::default();
    patterns.scan_slowly(file, 0, &mut finds);
    finds.hits(patterns.rules())
}

/// Every value that can be generated: its rule, what makes it, the value.
fn values(seed: u64) -> Vec<(String, String, String)> {
    let mut values = Vec::new();
    for rule in PATTERNS.rules() {
        let keys = ["", "/pkcs8", "/ec", "/openssh", "/pgp", "/jwk", "/putty", "/openvpn"]
            .iter()
            .map(ToString::to_string)
            .collect();
        let variants: Vec<String> = match rule.spec.structure {
            Some(_) if rule.name == "private-key" => keys,
            Some(_) => vec![String::new()],
            None => (0..rule.spec.tokens.len()).map(|variant| format!("/{variant}")).collect(),
        };
        for variant in variants {
            let kind = format!("{}{variant}", rule.name);
            let value = generate(&PATTERNS, &kind, seed).unwrap_or_else(|| panic!("{kind}: nothing generated"));
            values.push((rule.name.clone(), kind, value));
        }
    }
    values
}

/// Credentials without a format, as they are given.
fn assignments(seed: u64) -> Vec<(String, String, String)> {
    let ways = [
        ("password", "db_password = 'V'"),
        ("password", "    <password>V</password>"),
        ("password", "DB_PASSWORD=V"),
        ("password", "{\"user\": \"x\", \"password\": \"V\"}"),
        ("password", "amqp://worker:V@mq.shop.net:5672/"),
        ("password", "- name: DB_PASSWORD\n  value: V"),
        ("key", "const apiKey = \"V\";"),
        ("key", "client.setApiToken(\"V\");"),
        ("key", "curl -H \"Authorization: Bearer V\" https://shop.net/"),
    ];
    let made = |(kind, way): &(&str, &str)| {
        let value = generate(&EVERYTHING, &format!("{GENERIC}/{kind}"), seed).expect("a value");
        (GENERIC.to_owned(), (*way).to_owned(), way.replace('V', &value))
    };
    ways.iter().map(made).collect()
}

#[test]
fn what_a_name_is_given_is_found_in_text() {
    for seed in 0..10 {
        for (rule, way, text) in assignments(seed) {
            let hits = whole_by(&EVERYTHING, format!("one\n{text}\ntwo\n").as_bytes());
            assert_eq!(hits.len(), 1, "{way}: {hits:?}");
            assert_eq!(hits[0].rule, rule, "{way}");
            assert!(hits[0].severity >= Severity::Low, "{way}: {:?}", hits[0]);
            assert_eq!(whole_by(&EVERYTHING, format!("\0\n{text}\n").as_bytes()), [], "{way}: no text");
            let shown = format!("among Examples\n\n{text}\n");
            let hits = whole_by(&EVERYTHING, shown.as_bytes());
            assert_eq!((hits.len(), hits[0].severity), (1, Severity::Low), "{way}");
        }
    }
}

#[test]
fn a_secret_with_a_type_is_told_by_it() {
    for (rule, kind, value) in values(3) {
        if value.contains(['\n', '"']) {
            continue;
        }
        let hits = whole_by(&EVERYTHING, format!("secret_token = \"{value}\"\n").as_bytes());
        assert_eq!(hits.iter().map(|hit| &*hit.rule).collect::<Vec<_>>(), [&*rule], "{kind}");
    }
}

#[test]
fn every_type_is_found_in_every_surrounding() {
    for seed in 0..3 {
        for (rule, kind, value) in values(seed) {
            for around in ["V", "TOKEN=V\n", "  key: \"V\",\n", "\0\u{1}V\0", "a\\nV\\n", "x=%3DV&y", "'V'", "<V>"] {
                if around == "<V>" && value.contains('\n') {
                    continue;
                }
                let text = around.replace('V', &value);
                let hits = whole(text.as_bytes());
                assert_eq!(hits.len(), 1, "{kind} in {around:?}: {hits:?}");
                let known = PATTERNS.rules().iter().find(|known| known.name == rule).expect("rule");
                assert_eq!(hits[0].rule, rule, "{kind} in {around:?}");
                let for_tests = known.spec.test.iter().any(|test| value.contains(test));
                assert!(hits[0].severity == known.severity || for_tests, "{kind}: {:?}", hits[0]);
            }
        }
    }
}

#[test]
fn nothing_of_a_secret_is_shown() {
    for (_, kind, value) in values(11) {
        let hits = whole(value.as_bytes());
        let shown = format!("{hits:?}");
        let value = &value[hits.first().map_or(0, |hit| hit.offset as usize)..];
        // What a literal of the rule says is public; eight bytes of the rest are not.
        let literals: Vec<&str> =
            PATTERNS.rules().iter().flat_map(|rule| rule.spec.tokens.iter().map(String::as_str)).collect();
        // Nor are the marks around a key.
        let body = value.split("-----").nth(2).filter(|_| value.starts_with('{'));
        let body = body.unwrap_or(value);
        let secret: Vec<&str> = body.lines().filter(|line| !line.starts_with("-----")).collect();
        for piece in secret.join("\n").as_bytes().windows(8).map(String::from_utf8_lossy) {
            let public = literals.iter().any(|literal| literal.contains(&*piece));
            assert!(public || !shown.contains(&*piece), "{kind}: {piece}");
        }
    }
}

#[test]
fn a_broken_checksum_is_probably_fake() {
    for (rule, kind, value) in values(5) {
        let spec = &PATTERNS.rules().iter().find(|known| known.name == rule).expect("rule").spec;
        let checked = whole(value.as_bytes()).iter().any(|hit| hit.detail == "checksum valid");
        if !checked || rule == "cloudflare-token" {
            continue;
        }
        let mut bytes = value.clone().into_bytes();
        let last = bytes.last_mut().expect("bytes");
        let other: u8 = if spec.check == plimsoll::facts::secrets::Check::Bech32 { b'Q' } else { b'7' };
        *last = if *last == other { other + 1 } else { other };
        let hits = whole(&bytes);
        assert!(hits.iter().all(|hit| hit.severity <= Severity::Low) && !hits.is_empty(), "{kind}: {hits:?}");
    }
}

#[test]
fn near_misses_are_no_hits() {
    for (rule, kind, value) in values(3) {
        if kind.starts_with("private-key") || kind.starts_with("gcp-service-account") {
            continue;
        }
        let half = &value[..value.len() / 2];
        // Half of one without a fixed length may still be long enough.
        let spec = &PATTERNS.rules().iter().find(|known| known.name == rule).expect("rule").spec;
        let open =
            spec.tokens.iter().any(|token| token.split(['{', '}']).any(|run| run.contains(':') && run.contains('-')));
        assert!(open || whole(half.as_bytes()).is_empty(), "half of {kind}");
        let glued = if spec.near.is_empty() {
            format!("xQ{value}")
        } else {
            generate(&PATTERNS, &format!("{kind}/glued"), 3).expect("glued")
        };
        let hits = whole(glued.as_bytes());
        if !hits.iter().all(|hit| hit.detail == "checksum valid") {
            assert!(
                spec.left == Left::Any
                    || ["AccountKey", "hooks.slack.com", "api/webhooks"].iter().any(|host| value.contains(host)),
                "glued {kind}: {hits:?}"
            );
        }
    }
    for text in [
        "-----BEGIN PRIVATE KEY-----\n<your key>\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA...\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n-----END OPENSSH PRIVATE KEY-----\n",
        "print('-----BEGIN RSA PRIVATE KEY-----')",
        "-----BEGIN PUBLIC KEY-----",
        "pk_live_0000111122223333444455556666",
        "sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
    ] {
        assert_eq!(whole(text.as_bytes()), [], "{text}");
    }
    let documented = format!("AKIA{}", "IOSFODNN7EXAMPLE");
    assert_eq!(whole(documented.as_bytes())[0].severity, Severity::Info);
}

#[test]
fn keys_in_every_wrapping_are_one_key() {
    let key = generate(&PATTERNS, "private-key", 9).expect("key");
    let lines = |write: &dyn Fn(&str) -> String| key.lines().map(write).collect::<String>();
    let one_line = key.replace('\n', "\\n");
    let json = format!("{{\"key\": \"{one_line}\"}}");
    let source = lines(&|line| format!("    \"{line}\\n\" +\n"));
    let python = lines(&|line| format!("    '{line}\\n'\n"));
    let yaml = lines(&|line| format!("      {line}\n"));
    let comment = lines(&|line| format!("# {line}\n"));
    let dos = key.replace('\n', "\r\n");
    let wanted = &whole(key.as_bytes())[0].secret.hash;
    for text in [&one_line, &json, &source, &python, &yaml, &comment, &dos] {
        let hits = whole(text.as_bytes());
        assert_eq!(hits.len(), 1, "{text}");
        assert_eq!((&hits[0].secret.hash, hits[0].severity), (wanted, Severity::High), "{text}");
    }
    let encrypted = generate(&PATTERNS, "private-key/encrypted", 9).expect("key");
    assert_eq!(whole(encrypted.as_bytes())[0].severity, Severity::Low);
    let proc = key.replacen("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1);
    assert_eq!(whole(proc.as_bytes())[0].severity, Severity::Low);
}

#[test]
fn a_key_that_everybody_has_is_info() {
    // RFC 7517, appendix A.3
    let key = ["GawgguFyGrW", "Kav7AX4VKUg"].concat();
    let text = |key: &str| format!(r#"{{"kty": "oct", "k": "{key}"}}"#);
    let hits = whole(text(&key).as_bytes());
    assert_eq!((hits.len(), hits[0].severity), (1, Severity::Info), "{hits:?}");
    assert!(hits[0].detail.starts_with("a public test key"), "{hits:?}");
    let other = whole(text(&key.replace("Gawg", "Gawh")).as_bytes());
    assert_eq!(other[0].severity, Severity::High);
}

#[test]
fn a_file_that_is_a_key_is_told_by_its_bytes() {
    for kind in ["private-key", "private-key/pkcs8", "private-key/ec", "private-key/encrypted", "private-key/pgp"] {
        let text = generate(&PATTERNS, kind, 4).expect("key");
        let mut file = base64_of(&text);
        let hits = whole(&file);
        assert_eq!((hits.len(), hits[0].offset, hits[0].line > 1), (1, 0, false), "{kind}: {hits:?}");
        assert_eq!(hits[0].severity == Severity::Low, kind.ends_with("encrypted"), "{kind}: {hits:?}");
        // Within another file the same bytes are anything.
        file.insert(0, b'x');
        assert_eq!(whole(&file), [], "{kind}");
    }
}

/// The bytes that a PEM block's lines stand for.
fn base64_of(pem: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = pem.lines().filter(|line| !line.starts_with('-')).flat_map(str::bytes);
    let (mut out, mut word, mut bits) = (Vec::new(), 0u32, 0);
    for digit in text.filter_map(|byte| DIGITS.iter().position(|known| *known == byte)) {
        word = word << 6 | digit as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
        }
    }
    out
}

#[test]
fn a_key_in_a_program_is_told() {
    let key = generate(&PATTERNS, "private-key", 9).expect("key");
    let hits = whole(format!("\u{7f}ELF\0\0{key}").as_bytes());
    assert!(hits[0].program && hits[0].line == 0);
}

#[test]
fn a_pair_is_worse_than_half_of_it() {
    let id = generate(&PATTERNS, "aws-access-key", 1).expect("id");
    let secret = "aB3".repeat(14);
    let hits = whole(format!("aws_access_key_id={id}\naws_secret_access_key={}\n", &secret[..40]).as_bytes());
    assert_eq!((&*hits[0].rule, hits[0].severity), ("aws-access-key", Severity::Critical));
    assert_eq!(hits.len(), 2, "the id, and the secret beside its name: {hits:?}");
}

#[test]
fn lines_and_columns_are_counted() {
    let token = generate(&PATTERNS, "github-token", 1).expect("token");
    let hits = whole(format!("one\ntwo\n  x={token}\n").as_bytes());
    assert_eq!((hits[0].line, hits[0].column, hits[0].offset), (3, 5, 12));
}

/// Files as a stream would have them: contents, and what lies between them (tar headers).
fn stream(files: &[Vec<u8>]) -> (Vec<u8>, Vec<(usize, usize)>) {
    let (mut bytes, mut places) = (Vec::new(), Vec::new());
    for file in files {
        bytes.extend_from_slice(&[0u8; 300]);
        // What stands in headers is no content.
        bytes.extend_from_slice(b"ghp_");
        places.push((bytes.len(), file.len()));
        bytes.extend_from_slice(file);
    }
    (bytes, places)
}

fn scan_cut(bytes: &[u8], places: &[(usize, usize)], blocks: &[usize]) -> Vec<Hit> {
    let mut finds = Vec::new();
    let (mut at, mut turn) = (0, 0);
    loop {
        let block = blocks[turn % blocks.len()].max(1);
        turn += 1;
        let end = (at + block).min(bytes.len());
        let begin = at.saturating_sub(CARRY);
        let extents: Vec<Extent> = (0u32..)
            .zip(places)
            .filter(|(_, (start, length))| *length > 0 && *start < end && start + length > begin)
            .map(|(entry, &(start, length))| {
                let (from, to) = (start.max(begin), (start + length).min(end));
                let (first, last) = (from == start, to == start + length);
                Extent {
                    at: from - begin,
                    len: to - from,
                    entry,
                    file: (from - start) as u64,
                    first,
                    last,
                    binary: false,
                }
            })
            .collect();
        let mut own = Finds::default();
        EVERYTHING.scan(&bytes[begin..end], at - begin, end == bytes.len(), &extents, &mut own);
        finds.push(own);
        at = end;
        if at == bytes.len() {
            break;
        }
    }
    // Threads end in any order.
    let mut all = Finds::default();
    finds.into_iter().rev().for_each(|own| all.absorb(own));
    all.hits(EVERYTHING.rules())
}

fn filler(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            b"abcdefgh =\n\t.:-_/AKIA0123"[(state >> 40) as usize % 25]
        })
        .collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().zip([16, 8, 0]).fold(0u32, |word, (&byte, shift)| word | u32::from(byte) << shift);
        let digits = (0..4).map(|at| char::from(DIGITS[(word >> (18 - 6 * at) & 63) as usize]));
        out.extend(digits.take(chunk.len() + 1));
        out.extend(std::iter::repeat_n('=', 3 - chunk.len()));
    }
    out
}

fn each(text: &str, write: impl Fn(char) -> String) -> Vec<u8> {
    text.chars().map(write).collect::<String>().into_bytes()
}

/// `text` in other writings: what is told of them, the bytes.
fn writings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let once = base64(text.as_bytes());
    let twice = base64(once.as_bytes());
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let url = once.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned();
    let lines: Vec<String> =
        once.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    vec![
        ("in base64", once.clone().into_bytes()),
        ("in base64", url.into_bytes()),
        ("in base64", lines.join("\r\n").into_bytes()),
        ("in base64 twice", twice.clone().into_bytes()),
        ("in base64 three times", base64(twice.as_bytes()).into_bytes()),
        ("in hex", each(text, |c| format!("{:02x}", u32::from(c)))),
        ("in hex", each(text, |c| format!("{:02X}", u32::from(c)))),
        ("in UTF-16", wide.clone()),
        ("in UTF-16", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("in UTF-16 in base64", base64(&wide).into_bytes()),
        ("in base64 in UTF-16", once.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("in escapes", each(text, |c| format!("%{:02X}", u32::from(c)))),
        ("in escapes", each(text, |c| format!("\\x{:02x}", u32::from(c)))),
        ("in escapes", each(text, |c| format!("\\u{:04x}", u32::from(c)))),
        ("in escapes", each(text, |c| format!("&#{};", u32::from(c)))),
        ("in escapes", each(text, |c| format!("&#x{:x};", u32::from(c)))),
        ("in escapes", each(text, |c| if c == '_' { "%5f".to_owned() } else { c.to_string() })),
        ("in escapes twice", each(text, |c| if c == '_' { "%255F".to_owned() } else { c.to_string() })),
    ]
}

#[test]
fn tokens_in_other_writings_are_found_where_they_stand() {
    for seed in 0..40 {
        let token = generate(&PATTERNS, "github-token", seed).expect("token");
        let text = format!("password={token}");
        for (told, written) in writings(&text).into_iter().chain(writings(&token)) {
            for before in [&b"one\ntwo\nx: \""[..], b"one\ntwo\n", b"\"one\n\ntwo="] {
                let file = [before, &written, b"\"\nmore\n"].concat();
                let hits = whole(&file);
                assert_eq!(hits.len(), 1, "{told}: {hits:?} in {}", String::from_utf8_lossy(&file));
                let hit = &hits[0];
                assert_eq!((&*hit.rule, &*hit.detail), ("github-token", &*format!("checksum valid, {told}")));
                assert_eq!(hit.secret.hash, whole(token.as_bytes())[0].secret.hash);
                let (from, to) = (before.len() as u64, (before.len() + written.len()) as u64);
                assert!((from..to).contains(&hit.offset), "{told}: {hit:?}");
                assert!(hit.line == 3 || told.contains("UTF-16"), "{told}: {hit:?}");
            }
        }
    }
}

#[test]
fn several_tokens_in_one_run_are_several_hits() {
    let tokens: Vec<String> = (0..50).map(|seed| generate(&PATTERNS, "github-token", seed).expect("token")).collect();
    let lines: Vec<String> = tokens.iter().map(|token| format!("TOKEN=\"{token}\"\n")).collect();
    let text = lines.concat();
    assert_eq!(whole(base64(text.as_bytes()).as_bytes()).len(), 50);
    let long = format!("{}{text}", "filler text ".repeat(4000));
    assert_eq!(whole(base64(long.as_bytes()).as_bytes()).len(), 50);
}

#[test]
fn only_text_has_base64_and_any_file_has_utf_16() {
    let token = generate(&PATTERNS, "github-token", 3).expect("token");
    let text = format!("password={token}");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let once = base64(text.as_bytes()).into_bytes();
    for length in [10, 5000, 8100, 8300, 30_000] {
        // A NUL in the first 8 KiB makes a program of it, wherever a stream was cut.
        let program = [&filler(1, length)[..], b"\n", &once, b"\n", &wide, b"\n\0\n"].concat();
        for block in [1 << 20, 40_000, 7000, 300] {
            let hits = scan_cut(&program, &[(0, program.len())], &[block]);
            let expected = if length < 8200 { 1 } else { 2 };
            assert_eq!(hits.len(), expected, "{length} in {block}: {hits:?}");
        }
    }
}

#[test]
fn runs_over_many_cells_are_looked_into_wholly() {
    let tokens: Vec<String> = (0..60).map(|seed| generate(&PATTERNS, "github-token", seed).expect("token")).collect();
    let filler = "filler text ".repeat(91);
    let lines: Vec<String> = tokens.iter().map(|token| format!("{filler} TOKEN=\"{token}\"\n")).collect();
    let text = lines.concat();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for phase in 0..4 {
        let before = "x".repeat(phase) + "\n";
        for written in
            [base64(text.as_bytes()).into_bytes(), each(&text, |c| format!("{:02x}", u32::from(c))), wide.clone()]
        {
            let file = [before.as_bytes(), &written].concat();
            assert_eq!(whole(&file).len(), 60);
            assert_eq!(scan_cut(&file, &[(0, file.len())], &[10_007]), whole(&file));
        }
    }
}

#[test]
fn what_is_written_in_too_many_ways_is_told() {
    let extent = |length| Extent { at: 0, len: length, entry: 7, file: 0, first: true, last: true, binary: false };
    let cut = |file: &[u8]| {
        let mut finds = Finds::default();
        PATTERNS.scan(file, 0, true, &[extent(file.len())], &mut finds);
        finds.cut_short(PATTERNS.rules()).into_iter().map(|(entry, _)| entry).collect::<Vec<u32>>()
    };
    let plain = base64(base64(base64("some text\n".repeat(9000).as_bytes()).as_bytes()).as_bytes());
    assert!(cut(plain.as_bytes()).is_empty());
    assert!(cut(&b"A".repeat(80_000)).is_empty());
    // UTF-16 in base64, and chance in base64 behind a text: neither reads as text from another digit on.
    let wide: Vec<u8> =
        "a text as libraries have it, ".repeat(2000).encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(cut(base64(&wide).as_bytes()).is_empty());
    let mut state = 1u32;
    let chance = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let mixed: Vec<u8> = b"a text before it".iter().copied().chain(chance.take(60_000)).collect();
    assert!(cut(base64(&mixed).as_bytes()).is_empty());
    // Text wherever its quads are taken to begin.
    let many = b"V".repeat(80_000);
    assert_eq!(cut(&many), [7]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_cutting_gives_the_same_hits(
        seed in any::<u64>(),
        pieces in prop::collection::vec((0usize..30_000, any::<prop::sample::Index>(), any::<bool>(), 0usize..40), 1..12),
        blocks in prop::collection::vec(1usize..50_000, 1..6),
        tiny in any::<bool>(),
    ) {
        let mut values = values(seed);
        values.extend(assignments(seed));
        let mut files: Vec<Vec<u8>> = vec![Vec::new()];
        for (length, index, next, writing) in pieces {
            let length = if tiny { length / 200 } else { length };
            let blocks_of = filler(seed ^ length as u64, length);
            let file = files.last_mut().expect("a file");
            file.extend_from_slice(&blocks_of);
            file.push(b'\n');
            let value = &index.get(&values).2;
            let written = writings(value).into_iter().nth(writing).map(|(_, written)| written);
            file.extend_from_slice(&written.unwrap_or_else(|| value.clone().into_bytes()));
            file.push(b'\n');
            if next {
                files.push(Vec::new());
            }
        }
        let (bytes, places) = stream(&files);
        let at_once = scan_cut(&bytes, &places, &[usize::MAX / 2]);
        let blocks = if tiny { blocks.iter().map(|block| block / 500).collect() } else { blocks };
        prop_assert_eq!(&scan_cut(&bytes, &places, &blocks), &at_once);
        prop_assert!(!at_once.is_empty());
        for (entry, file) in (0u32..).zip(&files) {
            let own: Vec<Hit> = at_once.iter().filter(|hit| hit.entry == entry).cloned().map(|hit| Hit { entry: 0, ..hit }).collect();
            prop_assert_eq!(&own, &slowly_by(&EVERYTHING, file));
        }
    }
}

/// Bytes changed, cut out, doubled: what readers of foreign structures must survive.
fn mutated(value: &[u8], changes: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = value.to_vec();
    for (place, what, byte) in changes {
        let at = place.index(bytes.len().max(1)).min(bytes.len());
        match what % 5 {
            0 | 1 if at < bytes.len() => bytes[at] = *byte,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..(at + usize::from(*byte)).min(bytes.len()))),
            4 => bytes.splice(at..at, std::iter::repeat_n(*byte, 1 + usize::from(byte % 9))).for_each(drop),
            _ => {}
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn keys_that_were_damaged_are_read_the_same_both_ways(
        seed in any::<u64>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<u8>()), 1..8),
    ) {
        for (_, kind, value) in values(seed).into_iter().filter(|(rule, ..)| rule == "private-key") {
            let bytes = mutated(value.as_bytes(), &changes);
            prop_assert_eq!(whole(&bytes), slowly(&bytes), "{}", kind);
        }
    }
}

#[test]
fn the_fast_way_finds_what_the_slow_one_does_on_this_machine() {
    let mut files = Vec::new();
    for folder in ["/etc/ssl", "/usr/share/doc", "/usr/lib/python3"] {
        files.extend(files_in(folder).into_iter().take(100));
    }
    if files.is_empty() {
        println!("no files to compare on");
    }
    for path in files {
        let Ok(file) = std::fs::read(&path) else { continue };
        let file = &file[..file.len().min(200_000)];
        let found = whole_by(&EVERYTHING, file);
        assert_eq!(found, slowly_by(&EVERYTHING, file), "{}", path.display());
    }
}

/// The files in a folder, not those in its folders, sorted.
fn files_in(folder: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_file = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| !kind.is_dir());
    let mut files: Vec<_> = entries.filter(is_file).map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// What stands behind many others of its kind is told, or that there were too many.
#[test]
fn many_secrets_hide_none() {
    let token = |seed| generate(&PATTERNS, "github-token", seed).expect("token");
    let fake = |seed| {
        let mut fake = token(seed);
        let last = if fake.pop() == Some('7') { '8' } else { '7' };
        fake.push(last);
        fake
    };
    let lines = |tokens: &[String]| tokens.iter().map(|token| format!("token {token}\n")).collect::<Vec<_>>().concat();
    let scanned = |text: &str, blocks: &[usize]| {
        let hits = scan_cut(text.as_bytes(), &[(0, text.len())], blocks);
        hits.into_iter().map(|hit| (hit.secret.hash, hit.severity)).collect::<Vec<_>>()
    };
    let own = token(1000);
    let of = |text: &str| whole(text.as_bytes()).first().map(|hit| hit.secret.hash.clone()).expect("a hit");
    for before in [vec![token(1); 200], (0..200).map(fake).collect(), [vec![token(1); 99], vec![token(2); 99]].concat()]
    {
        let text = lines(&[before, vec![own.clone()]].concat());
        for blocks in [&[usize::MAX][..], &[1000], &[3001, 500]] {
            assert!(scanned(&text, blocks).contains(&(of(&own), Severity::Critical)), "{blocks:?}");
        }
    }
    // In text that is full of different ones, that is told.
    let cut = |count: u64| {
        let text = lines(&(0..count).map(token).collect::<Vec<_>>());
        let extent = Extent { at: 0, len: text.len(), entry: 7, file: 0, first: true, last: true, binary: false };
        let mut finds = Finds::default();
        PATTERNS.scan(text.as_bytes(), 0, true, &[extent], &mut finds);
        let cut = finds.cut_short(PATTERNS.rules());
        (finds.hits(PATTERNS.rules()).len(), cut.into_iter().map(|(entry, _)| entry).collect::<Vec<_>>())
    };
    assert_eq!(cut(64), (64, vec![]));
    assert_eq!(cut(65), (64, vec![7]));
}

/// Dense candidates: what is found is bounded, and the scan ends. How long it takes is measured by the benchmark.
#[test]
fn dense_input_is_bounded() {
    let token = generate(&PATTERNS, "github-token", 1).expect("token");
    let many = format!("{token} ").repeat(100_000);
    let hits = whole(many.as_bytes());
    assert!(hits.len() <= 64 * (many.len() / 65_536 + 1));
    let key = generate(&PATTERNS, "private-key", 1).expect("key");
    for piece in [
        "AKIA",
        "ghp_",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA",
        "\"kty\":\"RSA\",\"n\":\"",
        "{\"kty\":\"oct\",\"k\":",
        "PuTTY-User-Key-File-3: ssh-rsa\n",
        "[Interface]\nPrivateKey = ",
        "b3BlbnNzaC1rZXktdjEA",
        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n",
        "PuTTY-User-Key-File-3: ",
        &format!("{{\"kty\":\"oct\",{}", "=".repeat(15_000)),
        &format!("{{\"kty\":\"oct\",{}", "a:".repeat(7_000)),
        "-----BEGIN OpenVPN Static key V1-----",
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t\n",
        "T3BlbkFJ",
        "sk-proj-",
        "eyJ",
        "password = x\n",
        "password=hunter2x9\n",
        "password",
        "passwordpwdtokensecretkey=",
        "key: \"",
        "://a:b",
        "://a:b@",
        "token\n\n",
        &key[..400],
    ] {
        let _ = whole_by(&EVERYTHING, piece.repeat(400_000 / piece.len()).as_bytes());
    }
}
