//! Private keys, in whatever format they lie: one reader a format, one file a reader. Tells keys from templates by their
//! structure, what kind of key it is, whether a passphrase protects it, and by which public half others know it. Never
//! keeps a key, and tries no passphrase but those that everybody knows.

mod asn1;
mod der;
mod gnupg;
mod jks;
mod jwk;
mod keytab;
mod known;
mod openpgp;
mod openssh;
mod pem;
mod pkcs12;
mod putty;
mod stores;
#[cfg(test)]
mod testing;
mod vpn;

use super::encode::base64;
use super::spec::{SecretRule, Structure};
use super::verify::{Verified, Window, hash, shown};
use crate::model::{Confidence, Severity, push_hex};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::ops::Range;

pub(super) use known::DIGESTS as KNOWN;
pub use stores::{STORE, STORE_HEAD, STORES, may_be_store, unlock};

/// What reads the key at an anchor.
type AtAnchor = fn(Window<'_>) -> Option<Key>;

/// What the search looks for, and what reads the key there.
const READERS: &[(&[u8], AtAnchor)] = &[
    (pem::LABEL, pem::labelled),
    (pem::WRAPPED, pem::wrapped),
    (pem::OPENSSH, pem::bare_openssh),
    (putty::MARK, putty::read),
    (jwk::MARKS[0], jwk::read),
    (jwk::MARKS[1], jwk::read),
    (jwk::MARKS[2], jwk::read),
    (jwk::MARKS[3], jwk::read),
    (vpn::WIREGUARD[0], vpn::wireguard),
    (vpn::WIREGUARD[1], vpn::wireguard),
    (vpn::WIREGUARD[2], vpn::wireguard),
    (vpn::OPENVPN, vpn::openvpn),
];

/// What reads the key that a whole file is.
type AsFile = fn(&[u8], bool) -> Option<Traits>;

const PKCS12: &str = "PKCS#12 file";
const JAVA: &str = "Java key store";

/// Formats of files that are keys from their first byte on: what to call them, and their readers, which also hear whether
/// the file's end is missing.
const FILES: &[(&str, AsFile)] = &[
    (PKCS12, |file, cut| if pkcs12::begins(file) { pkcs12::read(file, cut) } else { None }),
    ("private key in DER", |file, cut| if cut { None } else { asn1::read(file, false).filter(Traits::is_certain) }),
    (JAVA, |file, _| jks::read(file)),
    ("Kerberos keytab", keytab::read),
    ("OpenPGP key ring", |file, cut| openpgp::ring(file, cut)),
    ("key of GnuPG's agent", |file, _| gnupg::read(file)),
];

/// First bytes of such files: most files are none.
fn may_be_a_key(first: u8) -> bool {
    matches!(first, 0x30 | 0xfe | 0xce | 5 | 0x94..=0x97 | 0xc5 | b'(' | b'K' | b'C' | b'L')
}

/// A private key in a window.
#[derive(Debug)]
struct Key {
    at: Range<usize>,
    /// What it is called, for people.
    label: String,
    /// The key's bytes, the same in every wrapping.
    bytes: Vec<u8>,
    traits: Traits,
}

/// What may be said of a key.
#[derive(Clone, Debug, Default)]
struct Traits {
    state: State,
    /// Such as `RSA 2048 bits`; may be empty.
    algorithm: String,
    /// Such as `PKCS#8`; may be empty.
    form: &'static str,
    /// The cipher of an encrypted key; may be empty.
    lock: String,
    public: Option<Public>,
    /// What else is known; sentences without a stop.
    hints: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Whoever reads the file has the key.
    #[default]
    Clear,
    /// A passphrase protects it.
    Encrypted,
    /// A store of which nothing can be read, not even whether a key is in it.
    Sealed,
    /// Has the marks of a key, and cannot be read as one.
    Odd,
}

/// The public half, as others write it down.
#[derive(Clone, Debug)]
enum Public {
    /// SubjectPublicKeyInfo, as certificates hold it.
    Key(Vec<u8>),
    /// The wire form of SSH, as `authorized_keys` and `known_hosts` hold it.
    Ssh(Vec<u8>),
    /// The body of OpenPGP's public key packet, version 4.
    Pgp(Vec<u8>),
}

impl Public {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Key(bytes) | Self::Ssh(bytes) | Self::Pgp(bytes) => bytes,
        }
    }

    /// How tools show it: `openssl pkey -pubin -outform DER | sha256sum`, `ssh-keygen -l`, `gpg -k`.
    fn fingerprint(&self) -> String {
        let mut out = String::new();
        match self {
            Self::Key(bytes) => {
                out.push_str("public key sha256:");
                push_hex(&mut out, &Sha256::digest(bytes));
            }
            Self::Ssh(bytes) => {
                out.push_str("SHA256:");
                out.push_str(base64(&Sha256::digest(bytes)).trim_end_matches('='));
            }
            Self::Pgp(bytes) => {
                let length = (bytes.len() as u16).to_be_bytes();
                let sum = Sha1::new().chain_update([0x99]).chain_update(length).chain_update(bytes).finalize();
                out.push_str("fingerprint ");
                push_hex(&mut out, &sum);
            }
        }
        out
    }
}

impl Traits {
    /// Whether its algorithm is one that is known: elsewhere than in PEM nothing else tells a key from other DER.
    fn is_certain(&self) -> bool {
        self.algorithm != asn1::UNKNOWN
    }

    /// All of it in one phrase.
    fn sentence(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        parts.extend([&self.algorithm[..], self.form].iter().filter(|part| !part.is_empty()).map(ToString::to_string));
        match self.state {
            State::Clear => {}
            State::Encrypted if self.lock.is_empty() => parts.push("encrypted with a passphrase".to_owned()),
            State::Encrypted => parts.push(format!("encrypted with a passphrase ({})", self.lock)),
            State::Sealed => parts.push("all of it encrypted, perhaps certificates alone".to_owned()),
            State::Odd => parts.push("does not parse: broken, or no key at all".to_owned()),
        }
        parts.extend(self.public.as_ref().map(Public::fingerprint));
        parts.extend(self.hints.iter().cloned());
        parts.join(", ")
    }
}

/// The literals that stand where keys do.
pub(super) fn anchors(structure: Structure) -> impl Iterator<Item = &'static [u8]> {
    // A service account's key is always in PEM.
    let known = move |anchor: &[u8]| match structure {
        Structure::PrivateKey => true,
        Structure::ServiceAccount => anchor == pem::LABEL,
        Structure::Assignment => false,
    };
    READERS.iter().map(|(anchor, _)| *anchor).filter(move |anchor| known(anchor))
}

/// Looks for a private key at the window's anchor.
pub(super) fn verify(rule: &SecretRule, structure: Structure, window: Window<'_>) -> Option<Verified> {
    if structure == Structure::ServiceAccount && !in_service_account(window) {
        return None;
    }
    let tail = window.bytes.get(window.anchor..)?;
    let (_, read) = READERS.iter().find(|(anchor, _)| tail.starts_with(anchor))?;
    read(window).map(|key| graded(rule, key))
}

/// Looks whether a file is a private key, or a store of them: `file` are its first bytes, all of them when `ends`.
pub(super) fn verify_file(rule: &SecretRule, file: &[u8], ends: bool) -> Option<Verified> {
    file.first().filter(|first| may_be_a_key(**first))?;
    let (label, traits) = FILES.iter().find_map(|(label, read)| Some((*label, read(file, !ends)?)))?;
    Some(graded_file(rule, label, file, traits))
}

fn graded_file(rule: &SecretRule, label: &str, file: &[u8], traits: Traits) -> Verified {
    // What a store's end is like must not change which secret it is: the scan sees no more than its beginning.
    let bytes = file[..file.len().min(super::AHEAD)].to_owned();
    let verified = graded(rule, Key { at: 0..file.len(), label: label.to_owned(), bytes, traits });
    // It takes no more room than its first byte: what else lies in the file is told as well.
    Verified { at: 0..1, redacted: label.to_owned(), ..verified }
}

/// How bad a key is.
fn graded(rule: &SecretRule, key: Key) -> Verified {
    let public = key.traits.public.as_ref().is_some_and(|public| known::is_known(public.bytes()));
    let sentence = key.traits.sentence();
    let mut detail = sentence.clone();
    let (severity, confidence) = match key.traits.state {
        _ if public || known::is_known(&key.bytes) => {
            detail = ["a public test key", &sentence].join(if sentence.is_empty() { "" } else { ", " });
            (Severity::Info, Confidence::High)
        }
        State::Clear => (rule.severity, Confidence::High),
        State::Encrypted => (rule.severity.min(Severity::Low), Confidence::High),
        State::Sealed | State::Odd => (Severity::Info, Confidence::Low),
    };
    let redacted = shown(&key.label, key.at.len());
    Verified { hash: hash(&key.bytes), at: key.at, severity, confidence, detail, redacted, given: 0, keyed: false }
}

/// Whether the key at the anchor is the `private_key` of a service account's JSON, perhaps inside another string: a string
/// of its own behind that name, and the type or the address of such an account near it. Google's keys are PKCS#8.
fn in_service_account(window: Window<'_>) -> bool {
    let before = &window.bytes[window.anchor.saturating_sub(96)..window.anchor];
    let Some(before) = before.strip_suffix(b"-----BEGIN ") else { return false };
    let is_between = |byte: &u8| b" \t\r\n:=\\\"'".contains(byte);
    let named = memchr::memmem::rfind(before, b"private_key").map(|at| &before[at + b"private_key".len()..]);
    let in_string = named.is_some_and(|way| way.iter().all(is_between) && matches!(way.last(), Some(b'"' | b'\'')));
    let said = |text: &[u8]| memchr::memmem::find(window.bytes, text).is_some();
    let near = [&b"service_account\""[..], b"service_account\\\"", b"service_account'", b".gserviceaccount.com"];
    in_string && near.into_iter().any(said)
}

/// What names of ciphers and of SSH's algorithms begin with.
const NAMED: &[&str] = &[
    "3des", "aes", "aria", "arcfour", "bf", "blowfish", "camellia", "cast", "chacha20", "des", "ecdsa-", "idea", "rc2",
    "rc4", "rsa-", "seed", "sk-", "sm4", "ssh-",
];

/// The name of an algorithm as a file gives it. Empty when it is none that is known: in a damaged file a part of a key may
/// stand in its place.
fn name(given: &[u8]) -> String {
    let name = String::from_utf8_lossy(given);
    let begins = |begin: &&str| name.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin));
    let is_name = name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-@._".contains(&byte));
    if is_name && NAMED.iter().any(begins) { name.into_owned() } else { String::new() }
}

/// What a key's owner wrote beside it, if it is worth showing: printable, and not long.
fn comment(text: &[u8]) -> Option<String> {
    let fits = (1..=80).contains(&text.len()) && text.iter().all(|byte| matches!(byte, b' '..=b'~'));
    fits.then(|| format!("comment '{}'", String::from_utf8_lossy(text)))
}
