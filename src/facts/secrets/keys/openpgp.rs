//! OpenPGP's secret keys (RFC 9580, RFC 4880): packets in armor or as they are, as in `secring.gpg`. Reads as far as the
//! octet that tells how a key is protected.

use super::asn1::EDWARDS;
use super::der::bits;
use super::{Public, State, Traits, comment};
use crate::facts::secrets::encode::from_base64;

/// A packet: its tag and body; with `cut`, the last one may lack its end.
fn packet<'a>(rest: &mut &'a [u8], cut: bool) -> Option<(u8, &'a [u8], bool)> {
    let (&first, tail) = rest.split_first()?;
    if first & 0x80 == 0 {
        return None;
    }
    let number = |digits: &[u8]| digits.iter().fold(0usize, |number, &digit| number << 8 | usize::from(digit));
    let (tag, length, tail) = if first & 0x40 != 0 {
        // Section 4.2.1; partial lengths are for data, not for keys.
        let (length, skip) = match *tail.first()? {
            short @ 0..192 => (usize::from(short), 1),
            long @ 192..224 => ((usize::from(long) - 192) * 256 + usize::from(*tail.get(1)?) + 192, 2),
            255 => (number(tail.get(1..5)?), 5),
            _ => return None,
        };
        (first & 0x3f, length, tail.get(skip..)?)
    } else {
        let skip = match first & 3 {
            3 => return None,
            size => 1 << size,
        };
        (first >> 2 & 0x0f, number(tail.get(..skip)?), tail.get(skip..)?)
    };
    let whole = length <= tail.len();
    if !whole && !cut {
        return None;
    }
    let (body, tail) = tail.split_at(length.min(tail.len()));
    *rest = tail;
    Some((tag, body, whole))
}

/// A multiprecision integer.
fn mpi<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (size, tail) = rest.split_first_chunk::<2>()?;
    let size = usize::from(u16::from_be_bytes(*size));
    let (value, tail) = tail.split_at_checked(size.div_ceil(8))?;
    *rest = tail;
    (bits(value) == size).then_some(value)
}

/// A secret key packet, or one of a subkey (section 5.5.3).
fn key(body: &[u8], whole: bool) -> Option<Traits> {
    let (&version, rest) = body.split_first()?;
    let skip = match version {
        2 | 3 => 6, // time and days of validity
        4..=6 => 4,
        _ => return None,
    };
    let (&kind, rest) = rest.get(skip..)?.split_first()?;
    let mut rest = rest;
    if version >= 5 {
        rest = rest.get(4..)?;
    }
    let algorithm = public_part(kind, &mut rest)?;
    let public = &body[..body.len() - rest.len()];
    let (&usage, secret) = rest.split_first()?;
    let mut traits = Traits {
        algorithm,
        form: "OpenPGP",
        public: (version == 4).then(|| Public::Pgp(public.to_owned())),
        ..Traits::default()
    };
    if usage == 0 {
        // A sum over the secret numbers; version 6 has none.
        if let (true, 2..=4, Some((numbers, sum))) = (whole, version, secret.split_last_chunk::<2>()) {
            let real = numbers.iter().fold(0u16, |sum, &byte| sum.wrapping_add(u16::from(byte)));
            if real != u16::from_be_bytes(*sum) {
                // One program computes it wrong; its keys are keys.
                traits.hints.push("its checksum does not fit".to_owned());
            }
        }
        return (secret.len() >= 8 || !whole).then_some(traits);
    }
    // GnuPG's own S2K 101: the key lies elsewhere, on a card or nowhere.
    if memchr::memmem::find(&secret[..secret.len().min(12)], b"GNU").is_some() {
        traits.state = State::Odd;
    } else {
        traits.state = State::Encrypted;
    }
    Some(traits)
}

/// Skips the public numbers; what they are.
fn public_part(kind: u8, rest: &mut &[u8]) -> Option<String> {
    let plain = |name: &str, count: usize, rest: &mut &[u8]| {
        let first = bits(mpi(rest)?);
        (1..count).try_for_each(|_| mpi(rest).map(|_| ()))?;
        Some(format!("{name} {first} bits"))
    };
    match kind {
        1..=3 => plain("RSA", 2, rest),
        16 | 20 => plain("ElGamal", 3, rest),
        17 => plain("DSA", 4, rest),
        18 | 19 | 22 => {
            let (&length, tail) = rest.split_first()?;
            let (_curve, tail) = tail.split_at_checked(usize::from(length))?;
            *rest = tail;
            mpi(rest)?;
            if kind == 18 {
                let (&length, tail) = rest.split_first()?;
                *rest = tail.get(usize::from(length)..)?;
            }
            Some(if kind == 22 { "EdDSA" } else { "EC" }.to_owned())
        }
        25..=28 => {
            let name = ["X25519", "X448", "Ed25519", "Ed448"][usize::from(kind - 25)];
            let (_, name, length) = EDWARDS.iter().find(|(_, known, _)| *known == name)?;
            *rest = rest.get(*length..)?;
            Some((*name).to_owned())
        }
        _ => None,
    }
}

/// The keys of a ring: the worst of them stands for all.
pub(super) fn read(bytes: &[u8], cut: bool) -> Option<Traits> {
    let mut rest = bytes;
    let (mut worst, mut user): (Option<Traits>, _) = (None, None);
    for turn in 0..256 {
        if rest.is_empty() {
            break;
        }
        let Some((tag, body, whole)) = packet(&mut rest, cut) else { break };
        match tag {
            5 | 7 => {
                let Some(key) = key(body, whole) else { break };
                let worse = match (worst.as_ref().map(|key| key.state), key.state) {
                    (_, State::Odd) => false,
                    (None, _) => true,
                    (Some(old), new) => old != State::Clear && new == State::Clear,
                };
                if worse {
                    worst = Some(key);
                }
            }
            13 if user.is_none() => user = comment(body).map(|text| text.replacen("comment", "user", 1)),
            _ if turn == 0 => return None,
            _ => {}
        }
    }
    let mut traits = worst?;
    traits.hints.extend(user);
    Some(traits)
}

/// The same in armor, whose checksum is `sum`; it may have none.
pub(super) fn armored(bytes: &[u8], sum: &[u8], cut: bool) -> Option<Traits> {
    let mut traits = read(bytes, cut)?;
    let sum = from_base64(sum).filter(|sum| sum.len() == 3);
    if !cut && sum.is_some_and(|sum| sum != crc24(bytes).to_be_bytes()[1..]) {
        traits.state = State::Odd;
    }
    Some(traits)
}

/// The ring that a file is: its first packet is a key, and nothing is odd about it.
pub(super) fn ring(file: &[u8], cut: bool) -> Option<Traits> {
    let is_key = matches!(file, [0x94..=0x97 | 0xc5, ..]);
    let traits = if is_key { read(file, cut) } else { None };
    traits.filter(|traits| traits.state != State::Odd && file.len() >= 64)
}

/// RFC 9580 6.1.1.
fn crc24(bytes: &[u8]) -> u32 {
    let mut crc = 0xb7_04ce;
    for &byte in bytes {
        crc ^= u32::from(byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x100_0000 != 0 {
                crc ^= 0x186_4cfb;
            }
        }
    }
    crc & 0xff_ffff
}

#[cfg(test)]
mod tests {
    use super::super::testing::Chance;
    use super::*;
    use crate::facts::secrets::encode::base64;

    fn number(bytes: &[u8]) -> Vec<u8> {
        [&(bits(bytes) as u16).to_be_bytes()[..], bytes].concat()
    }

    fn ring(usage: &[u8]) -> Vec<u8> {
        let mut chance = Chance::new(9);
        let mut body = vec![4, 0x60, 0, 0, 0, 1];
        body.extend(number(&chance.bytes(256)));
        body.extend(number(&[1, 0, 1]));
        body.extend_from_slice(usage);
        let secret = [number(&chance.bytes(256)), number(&chance.bytes(128))].concat();
        let sum = secret.iter().fold(0u16, |sum, &byte| sum.wrapping_add(u16::from(byte)));
        body.extend(secret);
        body.extend(sum.to_be_bytes());
        let user = b"Ann <ann@example.org>";
        let head = [&[0x95][..], &(body.len() as u16).to_be_bytes()].concat();
        [head, body, vec![0xb4, user.len() as u8], user.to_vec()].concat()
    }

    #[test]
    fn clear_encrypted_and_stub() {
        let clear = read(&ring(&[0]), false).expect("a key");
        let sentence = clear.sentence();
        assert_eq!(clear.state, State::Clear);
        assert!(sentence.starts_with("RSA 2047 bits, OpenPGP, fingerprint "), "{sentence}");
        assert!(sentence.ends_with(", user 'Ann <ann@example.org>'"), "{sentence}");
        assert_eq!(read(&ring(&[254, 9, 3, 8]), false).expect("a key").state, State::Encrypted);
        assert!(read(&ring(b"\xff\x00\x65\x00GNU\x01"), false).is_none(), "the key lies elsewhere");
    }

    #[test]
    fn sums_are_checked() {
        let mut bytes = ring(&[0]);
        assert_eq!(
            armored(&bytes, base64(&crc24(&bytes).to_be_bytes()[1..]).as_bytes(), false).expect("key").state,
            State::Clear
        );
        assert_eq!(armored(&bytes, b"AAAA", false).expect("key").state, State::Odd);
        bytes[400] ^= 1;
        assert!(read(&bytes, false).expect("key").sentence().contains("its checksum does not fit"));
        // RFC 9580 gives no vector; this is the CRC of nothing.
        assert_eq!(crc24(b""), 0xb7_04ce);
        assert_eq!(crc24(b"123456789"), 0x21_cf02);
    }

    #[test]
    fn public_keys_and_stumps_are_nothing() {
        let mut public = ring(&[0]);
        public[0] = 0x99;
        assert!(read(&public, false).is_none());
        assert!(read(&ring(&[0])[..300], false).is_none());
    }
}
