//! Makes what looks like keys, for the tests of their readers: structures with chance in them, none of them a key.

use super::der::{self, element, unsigned};

/// Numbers that look like chance (splitmix64).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ value >> 31) as u8
    }

    /// `count` bytes, the first of them not below 0x40: no number of it is shorter than it says.
    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..count).map(|_| self.byte()).collect();
        if let Some(first) = bytes.first_mut() {
            *first |= 0x40;
        }
        bytes
    }
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(der::SEQUENCE, &parts.concat())
}

pub(super) fn octets(content: &[u8]) -> Vec<u8> {
    element(der::OCTETS, content)
}

/// PKCS#1.
pub(super) fn rsa_key(chance: &mut Chance, bits: usize) -> Vec<u8> {
    let mut parts = vec![vec![2, 1, 0]];
    let mut modulus = chance.bytes(bits / 8);
    modulus[0] |= 0x80;
    parts.push(unsigned(&modulus));
    parts.push(unsigned(&[1, 0, 1]));
    parts.push(unsigned(&chance.bytes(bits / 8)));
    parts.extend((0..5).map(|_| unsigned(&chance.bytes(bits / 16))));
    element(der::SEQUENCE, &parts.concat())
}

/// SEC 1 on P-256.
pub(super) fn ec(chance: &mut Chance, with_public: bool) -> Vec<u8> {
    let curve = element(0xa0, &element(der::OID, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]));
    let point = [&[0, 4][..], &chance.bytes(64)].concat();
    let public = if with_public { element(0xa1, &element(der::BIT_STRING, &point)) } else { Vec::new() };
    sequence(&[&[2, 1, 1], &octets(&chance.bytes(32)), &curve, &public])
}

/// Lines of `text` between the marks of `label`.
pub(super) fn armor(label: &str, bytes: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in super::base64(bytes).as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    format!("{text}-----END {label}-----\n")
}

/// Every reader of a binary structure, on structures that were damaged: none may panic, none may find more than it read.
#[test]
fn damaged_structures_are_survived() {
    use super::{asn1, gnupg, jks, keytab, openpgp, openssh, pkcs12, stores};
    let mut chance = Chance::new(99);
    let mut seeds = vec![rsa_key(&mut chance, 1024), ec(&mut chance, true), ec(&mut chance, false)];
    seeds.push(jks::tests::store(&[2, 1, 2], "changeit"));
    seeds.push(pkcs12::tests::store(2, &pkcs12::tests::shrouded(), "changeit"));
    seeds.push([&[5, 2, 0, 0, 0, 40][..], &chance.bytes(60)].concat());
    seeds.push(
        [&b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01\0\0\0\x33"[..], &chance.bytes(200)].concat(),
    );
    seeds.push([&[0x95, 1, 0x40, 4, 0, 0, 0, 0, 1, 8, 0][..], &chance.bytes(400)].concat());
    seeds.push(b"(11:private-key(3:rsa(1:n129:".repeat(5));
    let mut survived = 0;
    for round in 0..20_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=chance.byte() % 6 {
            let place = (usize::from(chance.byte()) << 8 | usize::from(chance.byte())) % bytes.len().max(1);
            // The beginning of a structure is where its lengths are.
            let place = if chance.byte() < 0x80 { place % 64 } else { place };
            match chance.byte() % 4 {
                0 => bytes.truncate(place.max(1)),
                1 => bytes.insert(place.min(bytes.len()), chance.byte()),
                _ => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte = chance.byte()),
            }
        }
        for cut in [false, true] {
            for read in [asn1::read, openpgp::ring, openpgp::read, keytab::read, pkcs12::read] {
                survived += usize::from(read(&bytes, cut).is_some());
            }
        }
        for read in [openssh::read, jks::read, gnupg::read] {
            survived += usize::from(read(&bytes).is_some());
        }
        assert!(!jks::fits(&bytes, "changeme") && !pkcs12::fits(&bytes, "changeme"));
        let _ = stores::may_be_store(&bytes);
    }
    // Some damage does not matter.
    assert!(survived > 2_000, "{survived}");
}
