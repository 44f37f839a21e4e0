//! PuTTY's key files, versions 2 and 3 (PuTTY's manual, appendix C).

use super::{Key, Public, State, Traits, openssh};
use crate::facts::secrets::encode::from_base64;
use crate::facts::secrets::verify::Window;

/// What every such file begins with.
pub(super) const MARK: &[u8] = b"PuTTY-User-Key-File-";

/// More lines than the largest key has.
const LINES: usize = 400;

/// The key file that begins at the window's anchor.
pub(super) fn read(window: Window<'_>) -> Option<Key> {
    let rest = &window.bytes[window.anchor..];
    let mut lines = Lines { rest, at: 0 };
    let (version, algorithm) = field(lines.next()?)?;
    if !matches!(version, b"PuTTY-User-Key-File-2" | b"PuTTY-User-Key-File-3") {
        return None;
    }
    // In this order always; what only begins so is not read on.
    let (b"Encryption", lock) = field(lines.next()?)? else { return None };
    let (mut public, mut private) = (Vec::new(), None);
    let mut hints = Vec::new();
    // Comment, Public-Lines, five lines of Argon2 in version 3, Private-Lines.
    for _ in 0..12 {
        let (name, value) = field(lines.next()?)?;
        match name {
            b"Comment" => hints.extend(super::comment(value)),
            b"Public-Lines" => public = lines.body(value)?,
            b"Private-Lines" => {
                private = Some(lines.body(value)?);
                break;
            }
            _ => {}
        }
    }
    let private = private.filter(|private| private.len() >= 16)?;
    let known = openssh::algorithm(&public);
    let clear = lock == b"none";
    let traits = Traits {
        state: if clear { State::Clear } else { State::Encrypted },
        algorithm: known.clone().unwrap_or_else(|| super::name(algorithm)),
        form: "PuTTY",
        lock: if clear { String::new() } else { super::name(lock) },
        public: known.map(|_| Public::Ssh(public)),
        hints,
    };
    let at = window.anchor..window.anchor + lines.at.min(rest.len());
    Some(Key { at, label: "PuTTY private key".to_owned(), bytes: private, traits })
}

/// The lines of a file whose ends are of any kind, also written as `\n` or `\r\n`.
struct Lines<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.get(self.at..).filter(|rest| !rest.is_empty())?;
        // A line of the format is at most a comment; a body's line is 64 characters.
        let stretch = &rest[..rest.len().min(512)];
        let ends = |(place, byte): (usize, &u8)| match byte {
            b'\n' => Some((place, 1)),
            b'\\' if stretch[place..].starts_with(b"\\r\\n") => Some((place, 4)),
            b'\\' if stretch[place..].starts_with(b"\\n") => Some((place, 2)),
            _ => None,
        };
        let (end, skip) = stretch.iter().enumerate().find_map(ends).unwrap_or((stretch.len(), 0));
        self.at += end + skip;
        Some(stretch[..end].trim_ascii())
    }

    /// The base64 of as many lines as `count` says.
    fn body(&mut self, count: &[u8]) -> Option<Vec<u8>> {
        let count: usize = std::str::from_utf8(count).ok()?.parse().ok()?;
        let mut text = Vec::new();
        for _ in 0..Some(count).filter(|count| (1..=LINES).contains(count))? {
            text.extend_from_slice(self.next()?);
        }
        from_base64(&text)
    }
}

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    Some((line[..colon].trim_ascii(), line[colon + 1..].trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Chance;
    use super::*;
    use crate::facts::secrets::encode::base64;

    fn file(lock: &str) -> String {
        let mut chance = Chance::new(5);
        let text = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
        let public = [text(b"ssh-ed25519"), text(&chance.bytes(32))].concat();
        format!(
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: {lock}\nComment: me\nPublic-Lines: 1\n{}\n\
             Private-Lines: 1\n{}\nPrivate-MAC: 00\n",
            base64(&public),
            base64(&chance.bytes(36))
        )
    }

    fn told(text: &str) -> Option<String> {
        let key = read(Window { bytes: text.as_bytes(), anchor: 0, ends: true })?;
        Some(format!("{:?} {}", key.traits.state, key.traits.sentence()))
    }

    #[test]
    fn both_kinds_with_any_ends_of_lines() {
        let clear = told(&file("none")).expect("a key");
        assert!(clear.starts_with("Clear Ed25519, PuTTY, SHA256:") && clear.ends_with("comment 'me'"), "{clear}");
        assert_eq!(told(&file("none").replace('\n', "\r\n")), Some(clear.clone()));
        assert_eq!(told(&file("none").replace('\n', "\\r\\n")), Some(clear));
        assert!(told(&file("aes256-cbc")).expect("a key").contains("encrypted with a passphrase (aes256-cbc)"));
    }

    #[test]
    fn documents_about_the_format_are_no_keys() {
        assert_eq!(told("PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n"), None);
        assert_eq!(told(&file("none").replace("Private-Lines: 1", "Private-Lines: 9999999")), None);
        assert_eq!(told(&file("none").replace("File-3", "File-9")), None);
    }

    /// A file that was put together wrongly may have a part of another key there.
    #[test]
    fn only_names_are_told_as_names() {
        let odd = "sseVuDWBfgDkwZ0NAu2PQKBgQDBNeiU6";
        let text = file(odd).replacen("ssh-ed25519", odd, 1).replacen("AAAAC3", "AAAAD3", 1);
        let told = told(&text).expect("a key");
        assert!(told.contains("encrypted") && !told.contains("BfgDkwZ0"), "{told}");
    }
}
