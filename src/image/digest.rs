//! Content digests: parsed once, strictly, before anything is looked up by them.

use std::fmt;

/// A `sha256:` or `sha512:` digest with lower-case hex of the right length (OCI image-spec, "descriptor.md", Digests).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(Box<str>);

impl Digest {
    /// Reads a digest. Errors with a sentence that names the text when it is not one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let length = match text.split_once(':') {
            Some(("sha256", _)) => 64,
            Some(("sha512", _)) => 128,
            _ => return Err(format!("digest '{}': not sha256 or sha512", crate::model::visible_str(text))),
        };
        let hex = &text[7..];
        if hex.len() == length && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(Box::from(text)))
        } else {
            Err(format!("digest '{}': not {length} lower-case hex digits", crate::model::visible_str(text)))
        }
    }

    /// The sha256 digest with these bytes.
    #[must_use]
    pub fn sha256(bytes: &[u8; 32]) -> Self {
        let mut text = String::with_capacity(71);
        text.push_str("sha256:");
        crate::model::push_hex(&mut text, bytes);
        Self(text.into_boxed_str())
    }

    /// The sha512 digest with these bytes.
    #[must_use]
    pub fn sha512(bytes: &[u8; 64]) -> Self {
        let mut text = String::with_capacity(135);
        text.push_str("sha512:");
        crate::model::push_hex(&mut text, bytes);
        Self(text.into_boxed_str())
    }

    /// `sha256` or `sha512`.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        &self.0[..6]
    }

    /// The hex digits.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.0[7..]
    }

    /// `algorithm:hex`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn only_well_formed_digests() {
        assert!(Digest::parse(&format!("sha256:{}", "0a".repeat(32))).is_ok());
        assert!(Digest::parse(&format!("sha512:{}", "0a".repeat(64))).is_ok());
        for bad in
            ["", "sha256", "sha256:", "sha256:../../etc/passwd", "md5:00", &format!("sha256:{}", "0A".repeat(32))]
        {
            assert!(Digest::parse(bad).is_err(), "{bad}");
        }
    }
}
