//! PKCS#12 (RFC 7292): the files that hold a key with its certificates. Reads which bags lie open; whether a password
//! fits is tried by their checksum, which needs nothing to be decrypted.

use super::super::encode::hmac;
use super::der::{Elements, OCTETS, OID, SEQUENCE};
use super::{State, Traits, asn1};
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// id-data
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
/// id-encryptedData
const ENCRYPTED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
/// bagtypes; the next number says which.
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1];
const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 26];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];

/// Bags that are looked at.
const BAGS: usize = 1000;

/// The store's parts that are needed to try a password.
struct Seal<'a> {
    content: &'a [u8],
    oid: &'a [u8],
    sum: &'a [u8],
    salt: &'a [u8],
    turns: u32,
}

/// The content of the store that begins at `bytes`, and what follows it.
fn open(bytes: &[u8], cut: bool) -> Option<(&[u8], Elements<'_>)> {
    let mut store = Elements::new(bytes, cut).sequence()?;
    store.small().filter(|version| *version == 3)?;
    let mut info = store.sequence()?;
    info.take(OID).filter(|oid| *oid == DATA)?;
    let content = Elements::new(info.take(0xa0)?, cut).take(OCTETS)?;
    Some((content, store))
}

/// The store that begins at `bytes`; `None` also when it holds no private key as far as can be seen.
pub(super) fn read(bytes: &[u8], cut: bool) -> Option<Traits> {
    let (content, _) = open(bytes, cut)?;
    let mut safes = Elements::new(content, cut).sequence()?;
    let (mut sealed, mut shrouded) = (false, None);
    for _ in 0..BAGS {
        let Some(mut info) = safes.sequence() else { break };
        let Some(oid) = info.take(OID) else { break };
        sealed |= oid == ENCRYPTED;
        let Some(inner) = info.take(0xa0).filter(|_| oid == DATA) else { continue };
        let Some(mut bags) =
            Elements::new(inner, cut).take(OCTETS).and_then(|inner| Elements::new(inner, cut).sequence())
        else {
            continue;
        };
        for _ in 0..BAGS {
            let Some(mut bag) = bags.sequence() else { break };
            let Some([1..=3, ..]) = bag.take(OID).and_then(|oid| oid.strip_prefix(BAG)).filter(|kind| kind.len() == 1)
            else {
                continue;
            };
            let Some(value) = bag.take(0xa0) else { continue };
            let mut value_of = Elements::new(value, cut);
            // keyBag is a plain PrivateKeyInfo, pkcs8ShroudedKeyBag an encrypted one, certBag neither.
            match asn1::read(value, cut) {
                Some(key) if key.state == State::Clear => {
                    return Some(Traits { form: "", hints: vec!["not encrypted".to_owned()], ..key });
                }
                Some(key) => shrouded = Some(key.lock),
                None => {
                    // An unknown cipher is one nevertheless.
                    let algorithm = value_of.sequence().and_then(|mut info| info.sequence());
                    if algorithm.and_then(asn1::lock).is_some() {
                        shrouded = Some(String::new());
                    }
                }
            }
        }
    }
    match shrouded {
        Some(lock) => Some(Traits { state: State::Encrypted, lock, ..Traits::default() }),
        None => sealed.then(|| Traits { state: State::Sealed, ..Traits::default() }),
    }
}

/// How many turns of its hash a try of one password costs; `None` when no password can be tried.
pub(super) fn cost(bytes: &[u8]) -> Option<u64> {
    let seal = seal(bytes)?;
    Some(u64::from(seal.turns) + seal.content.len() as u64 / 64)
}

/// Whether `password` is the store's.
pub(super) fn fits(bytes: &[u8], password: &str) -> bool {
    let Some(seal) = seal(bytes) else { return false };
    // Everybody ends the text with two zeros; some leave an empty one out altogether.
    let mut text: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
    text.extend([0, 0]);
    let texts: &[&[u8]] = if password.is_empty() { &[&text, &[]] } else { &[&text] };
    texts.iter().any(|text| match seal.oid {
        SHA1 => hmac::<Sha1, 64>(&derive::<Sha1>(text, &seal), seal.content) == seal.sum,
        SHA256 => hmac::<Sha256, 64>(&derive::<Sha256>(text, &seal), seal.content) == seal.sum,
        _ => false,
    })
}

fn seal(bytes: &[u8]) -> Option<Seal<'_>> {
    let (content, mut rest) = open(bytes, false)?;
    let mut mac = rest.sequence()?;
    let mut info = mac.sequence()?;
    let mut algorithm = info.sequence()?;
    let oid = algorithm.take(OID)?;
    let sum = info.take(OCTETS)?;
    let salt = mac.take(OCTETS).filter(|salt| salt.len() <= 1024)?;
    let turns = if mac.is_done() { 1 } else { mac.small()? };
    matches!(oid, SHA1 | SHA256).then_some(Seal { content, oid, sum, salt, turns: turns.max(1) })
}

/// The key of the checksum (RFC 7292 B.2, with the id 3).
fn derive<D: Digest>(text: &[u8], seal: &Seal<'_>) -> Vec<u8> {
    const BLOCK: usize = 64;
    let filled = |bytes: &[u8]| bytes.iter().copied().cycle().take(bytes.len().div_ceil(BLOCK) * BLOCK).collect();
    let (salt, text): (Vec<u8>, Vec<u8>) = (filled(seal.salt), filled(text));
    let mut sum = D::new().chain_update([3; BLOCK]).chain_update(salt).chain_update(text).finalize();
    for _ in 1..seal.turns {
        sum = D::digest(&sum);
    }
    sum.to_vec()
}

/// Whether bytes begin as a store does, as far as they go.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.first() == Some(&SEQUENCE) && memchr::memmem::find(&bytes[..bytes.len().min(32)], DATA).is_some()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::der::element;
    use super::super::testing::{Chance, octets, rsa_key, sequence};
    use super::*;

    fn oid(bytes: &[u8]) -> Vec<u8> {
        element(OID, bytes)
    }

    /// A store with one bag of `kind`, sealed with `password`.
    pub(in super::super) fn store(kind: u8, value: &[u8], password: &str) -> Vec<u8> {
        let bag = sequence(&[&oid(&[BAG, &[kind]].concat()), &element(0xa0, value)]);
        let safe = sequence(&[&oid(DATA), &element(0xa0, &octets(&sequence(&[&bag])))]);
        let content = sequence(&[&safe]);
        let salt = [7; 8];
        let mut text: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
        text.extend([0, 0]);
        let seal = Seal { content: &content, oid: SHA256, sum: &[], salt: &salt, turns: 100 };
        let sum = hmac::<Sha256, 64>(&derive::<Sha256>(&text, &seal), &content);
        let mac =
            sequence(&[&sequence(&[&sequence(&[&oid(SHA256), &[5, 0]]), &octets(&sum)]), &octets(&salt), &[2, 1, 100]]);
        let info = sequence(&[&oid(DATA), &element(0xa0, &octets(&content))]);
        sequence(&[&[2, 1, 3], &info, &mac])
    }

    fn plain() -> Vec<u8> {
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
        let key = rsa_key(&mut Chance::new(14), 1024);
        sequence(&[&[2, 1, 0], &sequence(&[&oid(&rsa), &[5, 0]]), &octets(&key)])
    }

    pub(in super::super) fn shrouded() -> Vec<u8> {
        let scheme = sequence(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, 3]), &sequence(&[])]);
        sequence(&[&scheme, &octets(&[9; 640])])
    }

    #[test]
    fn bags_tell_what_a_store_holds() {
        let told = |bytes: &[u8]| read(bytes, false).map(|traits| (traits.state, traits.sentence()));
        let (state, sentence) = told(&store(1, &plain(), "")).expect("a key");
        assert!(state == State::Clear && sentence.ends_with("not encrypted"), "{sentence}");
        assert_eq!(told(&store(2, &shrouded(), "x")).expect("a key").0, State::Encrypted);
        assert_eq!(told(&store(3, &sequence(&[&oid(DATA), &octets(&[1; 64])]), "x")), None, "certificates alone");
    }

    #[test]
    fn a_password_is_told_by_the_checksum() {
        for password in ["", "changeit"] {
            let bytes = store(2, &shrouded(), password);
            assert!(fits(&bytes, password) && !fits(&bytes, "another") && cost(&bytes).is_some());
        }
    }
}
