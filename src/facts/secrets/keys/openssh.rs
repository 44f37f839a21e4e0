//! OpenSSH's own format (PROTOCOL.key), and the strings of SSH's wire format (RFC 4251 5).

use super::der::bits;
use super::{Public, State, Traits, comment};

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The next string of SSH's wire format.
pub(super) fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<4>()?;
    let (text, tail) = tail.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = tail;
    Some(text)
}

/// What a public key in wire format is: `Ed25519`, `RSA 3072 bits`.
pub(super) fn algorithm(public: &[u8]) -> Option<String> {
    let mut rest = public;
    let name = std::str::from_utf8(string(&mut rest)?).ok()?;
    if name.is_empty() || name.len() > 64 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    Some(match name {
        "ssh-rsa" => {
            let (_exponent, modulus) = (string(&mut rest)?, string(&mut rest)?);
            format!("RSA {} bits", bits(modulus))
        }
        "ssh-dss" => format!("DSA {} bits", bits(string(&mut rest)?)),
        "ssh-ed25519" => "Ed25519".to_owned(),
        "ssh-ed448" => "Ed448".to_owned(),
        "ecdsa-sha2-nistp256" => "ECDSA P-256".to_owned(),
        "ecdsa-sha2-nistp384" => "ECDSA P-384".to_owned(),
        "ecdsa-sha2-nistp521" => "ECDSA P-521".to_owned(),
        other => super::name(other.as_bytes()),
    })
}

/// How many strings a private key of this type has behind its type, before the comment (PROTOCOL.key 3, RFC 8709).
fn strings(name: &[u8]) -> Option<usize> {
    Some(match name {
        b"ssh-rsa" => 6,
        b"ssh-dss" => 5,
        b"ssh-ed25519" | b"ssh-ed448" => 2,
        name if name.starts_with(b"ecdsa-sha2-") => 3,
        _ => return None,
    })
}

/// The key that `bytes` is.
pub(super) fn read(bytes: &[u8]) -> Option<Traits> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let (cipher, kdf, _options) = (string(&mut rest)?, string(&mut rest)?, string(&mut rest)?);
    // More than one key was never written by anybody.
    rest = rest.strip_prefix(&[0, 0, 0, 1])?;
    let (public, private) = (string(&mut rest)?, string(&mut rest)?);
    let traits = Traits {
        algorithm: algorithm(public)?,
        form: "OpenSSH",
        public: Some(Public::Ssh(public.to_owned())),
        ..Traits::default()
    };
    if cipher != b"none" || kdf != b"none" {
        let lock = super::name(cipher);
        return (private.len() >= 32).then_some(Traits { state: State::Encrypted, lock, ..traits });
    }
    let (first, inner) = private.split_first_chunk::<4>()?;
    let (second, mut inner) = inner.split_first_chunk::<4>()?;
    let name = string(&mut inner)?;
    if first != second {
        return Some(Traits { state: State::Odd, ..traits });
    }
    // The key on a token is a handle: worth nothing without the token.
    if name.starts_with(b"sk-") {
        let hints = vec!["a handle of a security key, no key by itself".to_owned()];
        return Some(Traits { state: State::Encrypted, lock: "security key".to_owned(), hints, ..traits });
    }
    let mut hints = Vec::new();
    if let Some(count) = strings(name) {
        (0..count).try_for_each(|_| string(&mut inner).map(|_| ()))?;
        hints.extend(string(&mut inner).and_then(comment));
    }
    Some(Traits { hints, ..traits })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Chance;
    use super::*;

    fn text(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
    }

    fn key(cipher: &[u8], checks: [u8; 8]) -> Vec<u8> {
        let mut chance = Chance::new(4);
        let public = [text(b"ssh-ed25519"), text(&chance.bytes(32))].concat();
        let private = [checks.to_vec(), public.clone(), text(&chance.bytes(64)), text(b"root@build"), vec![1, 2, 3]];
        let head = [MAGIC.to_vec(), text(cipher), text(cipher), text(b""), vec![0, 0, 0, 1]].concat();
        [head, text(&public), text(&private.concat())].concat()
    }

    #[test]
    fn clear_encrypted_and_odd() {
        let clear = read(&key(b"none", [7; 8])).expect("a key");
        assert_eq!(clear.state, State::Clear);
        let sentence = clear.sentence();
        assert!(sentence.starts_with("Ed25519, OpenSSH, SHA256:"), "{sentence}");
        assert!(sentence.ends_with(", comment 'root@build'"), "{sentence}");
        let locked = read(&key(b"aes256-ctr", [7; 8])).expect("a key");
        assert_eq!((locked.state, &locked.lock[..]), (State::Encrypted, "aes256-ctr"));
        assert_eq!(read(&key(b"none", [1, 2, 3, 4, 5, 6, 7, 8])).expect("marks").state, State::Odd);
    }

    #[test]
    fn what_is_cut_short_is_no_key() {
        let key = key(b"none", [7; 8]);
        for length in 0..key.len() {
            assert!(read(&key[..length]).is_none(), "{length}");
        }
    }
}
