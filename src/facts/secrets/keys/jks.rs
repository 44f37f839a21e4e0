//! Java's own key stores, JKS and JCEKS. A store of certificates alone is nothing. Whether a password is the store's is
//! told by its checksum: SHA-1 over the password, `Mighty Aphrodite`, and the store.

use super::{State, Traits};
use sha1::{Digest, Sha1};

/// More than any store has.
const ENTRIES: u32 = 100_000;

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        let (digits, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*digits))
    }

    /// Java's modified UTF-8.
    fn text(&mut self) -> Option<&'a [u8]> {
        let (digits, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        self.take(usize::from(u16::from_be_bytes(*digits)))
    }

    fn certificate(&mut self, version: u32) -> Option<()> {
        if version == 2 {
            self.text()?;
        }
        let length = self.number()?;
        self.take(length as usize).map(|_| ())
    }
}

/// Whether bytes begin as a store does.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) || bytes.starts_with(&[0xce; 4])
}

/// The store that begins at `bytes`; `None` also when it holds no private or secret key as far as can be seen.
pub(super) fn read(bytes: &[u8]) -> Option<Traits> {
    if !begins(bytes) {
        return None;
    }
    let mut rest = Reader(&bytes[4..]);
    let version = rest.number().filter(|version| matches!(version, 1 | 2))?;
    let count = rest.number().filter(|count| (1..=ENTRIES).contains(count))?;
    let (mut keys, mut alias) = (0, None);
    // What follows a secret key, a Java object, cannot be found; what was cut off neither.
    for _ in 0..count {
        let Some((is_key, name)) = entry(&mut rest, version) else { break };
        keys += u32::from(is_key);
        if is_key && alias.is_none() {
            alias = super::comment(name).map(|text| text.replacen("comment", "alias", 1));
        }
    }
    (keys > 0).then(|| Traits {
        state: State::Encrypted,
        form: if bytes[0] == 0xfe { "JKS" } else { "JCEKS" },
        hints: alias.into_iter().collect(),
        ..Traits::default()
    })
}

/// Whether the next entry is a key, and its name.
fn entry<'a>(rest: &mut Reader<'a>, version: u32) -> Option<(bool, &'a [u8])> {
    let tag = rest.number()?;
    let name = rest.text()?;
    rest.take(8)?; // the time
    match tag {
        1 => {
            let length = rest.number()?;
            // A key that is cut off is one.
            if rest.take(length as usize).is_some() {
                let chain = rest.number().unwrap_or(0).min(ENTRIES);
                let _ = (0..chain).try_for_each(|_| rest.certificate(version));
            } else {
                rest.0 = &[];
            }
            Some((true, name))
        }
        2 => rest.certificate(version).map(|()| (false, name)),
        3 => {
            rest.0 = &[];
            Some((true, name))
        }
        _ => None,
    }
}

/// Whether `password` is the store's.
pub(super) fn fits(bytes: &[u8], password: &str) -> bool {
    let Some((store, sum)) = bytes.split_last_chunk::<20>() else { return false };
    let text: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let real = Sha1::new().chain_update(text).chain_update(b"Mighty Aphrodite").chain_update(store).finalize();
    real[..] == sum[..]
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
    }

    fn blob(length: u32) -> Vec<u8> {
        [&length.to_be_bytes()[..], &vec![5; length as usize]].concat()
    }

    pub(in super::super) fn store(tags: &[u32], password: &str) -> Vec<u8> {
        let mut bytes = [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2][..], &(tags.len() as u32).to_be_bytes()].concat();
        for tag in tags {
            bytes.extend([&tag.to_be_bytes()[..], &text("server"), &[0; 8]].concat());
            if *tag == 1 {
                bytes.extend([blob(700), vec![0, 0, 0, 1]].concat());
            }
            bytes.extend([text("X.509"), blob(300)].concat());
        }
        let secret: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let sum = Sha1::new().chain_update(secret).chain_update(b"Mighty Aphrodite").chain_update(&bytes).finalize();
        bytes.extend(sum);
        bytes
    }

    #[test]
    fn keys_count_and_certificates_do_not() {
        assert!(read(&store(&[2, 2, 2], "changeit")).is_none());
        let mixed = store(&[2, 1, 2], "changeit");
        assert_eq!(read(&mixed).expect("a key").sentence(), "JKS, encrypted with a passphrase, alias 'server'");
        assert!(fits(&mixed, "changeit") && !fits(&mixed, "password"));
        assert!(read(&mixed[..600]).is_some(), "cut off within the key");
    }

    #[test]
    fn what_lies_about_its_lengths_is_nothing() {
        let mut bytes = store(&[2, 1], "");
        bytes[8..12].copy_from_slice(&[0xff; 4]);
        assert!(read(&bytes).is_none());
        for length in 0..40 {
            assert!(read(&store(&[1], "")[..length]).is_none_or(|traits| traits.state == State::Encrypted));
        }
    }
}
