//! The files of GnuPG's agent (`private-keys-v1.d`): S-expressions, bare or behind header lines.

use super::{State, Traits};

/// A file of GnuPG's `private-keys-v1.d`, in either form. A shadowed key lies on a card.
pub(super) fn read(bytes: &[u8]) -> Option<Traits> {
    let head = &bytes[..bytes.len().min(1 << 10)];
    let text = || {
        let line = memchr::memmem::find(head, b"Key: (").filter(|at| *at == 0 || head[*at - 1] == b'\n')?;
        let named = head.starts_with(b"Key: ") || head.starts_with(b"Created: ") || head.starts_with(b"Label: ");
        named.then(|| &head[line + 6..])
    };
    let canonical = || {
        let rest = head.strip_prefix(b"(")?;
        let digits = rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
        rest.get(digits..)?.strip_prefix(b":")
    };
    let rest = canonical().or_else(text)?;
    let (state, rest) = match rest {
        [b'p', b'r', b'i', b'v', b'a', b't', b'e', b'-', b'k', b'e', b'y', rest @ ..] => (State::Clear, rest),
        rest => (State::Encrypted, rest.strip_prefix(b"protected-private-key")?),
    };
    let rest = rest.trim_ascii_start().strip_prefix(b"(")?;
    let kind = ["rsa", "dsa", "elg", "ecc", "ecdsa"].into_iter().find(|kind| {
        rest.starts_with(kind.as_bytes()) || rest.starts_with(format!("{}:{kind}", kind.len()).as_bytes())
    })?;
    // A key has numbers; a document has not.
    (bytes.len() >= 100).then(|| Traits { state, algorithm: kind.to_uppercase(), ..Traits::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agents_files() {
        let numbers = "#00C1F2".repeat(30);
        let state = |text: &str| read(text.as_bytes()).map(|traits| traits.state);
        assert_eq!(state(&format!("(11:private-key(3:rsa(1:n129:{numbers}")), Some(State::Clear));
        assert_eq!(state(&format!("(21:protected-private-key(3:ecc{numbers}")), Some(State::Encrypted));
        assert_eq!(
            state(&format!("Created: 20240101T000000\nKey: (private-key (ecc (curve{numbers}")),
            Some(State::Clear)
        );
        assert_eq!(state(&format!("(20:shadowed-private-key(3:rsa{numbers}")), None);
        assert_eq!(state(&format!("(private-key (rsa {numbers}")), None);
    }
}
