//! Private keys in DER: PKCS#1 (RFC 8017 A.1.2), PKCS#8 (RFC 5208, RFC 5958), encrypted PKCS#8 (RFC 8018), SEC 1
//! (RFC 5915) and OpenSSL's own form of DSA. Reads structure alone; does no arithmetic on keys.

use super::der::{BIT_STRING, Elements, INTEGER, NULL, OCTETS, OID, SEQUENCE, bits, element, unsigned};
use super::{Public, State, Traits};

/// rsaEncryption
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// id-RSASSA-PSS
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
/// id-ecPublicKey
pub(super) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// id-dsa
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
/// The curves of RFC 8410, their names, the length of their keys.
pub(super) const EDWARDS: &[(&[u8], &str, usize)] = &[
    (&[0x2b, 0x65, 0x70], "Ed25519", 32),
    (&[0x2b, 0x65, 0x71], "Ed448", 57),
    (&[0x2b, 0x65, 0x6e], "X25519", 32),
    (&[0x2b, 0x65, 0x6f], "X448", 56),
];

/// Named curves.
pub(super) const CURVES: &[(&[u8], &str)] = &[
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], "P-256"),
    (&[0x2b, 0x81, 4, 0, 34], "P-384"),
    (&[0x2b, 0x81, 4, 0, 35], "P-521"),
    (&[0x2b, 0x81, 4, 0, 10], "secp256k1"),
    (&[0x2b, 0x81, 4, 0, 33], "P-224"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1], "P-192"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7], "brainpoolP256r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 11], "brainpoolP384r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 13], "brainpoolP512r1"),
];

/// How a passphrase locks a key: the beginning of the OID, and its name.
const LOCKS: &[(&[u8], &str)] = &[
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2], "AES-128"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 22], "AES-192"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42], "AES-256"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7], "3DES"),
    (&[0x2b, 0x0e, 3, 2, 7], "DES"),
    // PBES1 (RFC 8018 6.1) and PKCS#12 (RFC 7292 C): function and cipher in one
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5], "PBES1"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1], "PKCS#12's 3DES or RC2"),
];
/// id-PBES2
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];

/// The key that `bytes` is, from the first byte to the last; with `cut`, their end may be missing.
pub(super) fn read(bytes: &[u8], cut: bool) -> Option<Traits> {
    let mut key = Elements::of_sequence(bytes, cut)?;
    if key.peek() == Some(SEQUENCE) {
        return encrypted(key);
    }
    let version = key.small().filter(|version| *version <= 1)?;
    match key.peek()? {
        INTEGER => numbers(key, cut),
        OCTETS if version == 1 => sec1(key, None),
        SEQUENCE => pkcs8(key, cut),
        _ => None,
    }
}

/// PKCS#1 and DSA behind their version: eight numbers, or five.
fn numbers(mut key: Elements<'_>, cut: bool) -> Option<Traits> {
    let numbers = key.integers(9);
    let first = numbers.first().filter(|first| bits(first) >= 256)?;
    match &numbers[..] {
        [p, q, g, y, _x] if key.is_done() && bits(q) <= 512 => {
            let parameters = element(SEQUENCE, &[unsigned(p), unsigned(q), unsigned(g)].concat());
            Some(Traits {
                algorithm: format!("DSA {} bits", bits(p)),
                form: "traditional",
                public: Some(Public::Key(spki(DSA, &parameters, &unsigned(y)))),
                ..Traits::default()
            })
        }
        [n, e, _, _, _, _, _, _, ..] => Some(rsa(n, e)),
        // A key whose end was cut off
        [n, e, _, ..] if cut && bits(e) <= 64 => Some(rsa(n, e)),
        _ if cut => Some(Traits { algorithm: format!("{} bits", bits(first)), ..Traits::default() }),
        _ => None,
    }
}

/// An RSA key with this modulus and exponent.
pub(super) fn rsa(n: &[u8], e: &[u8]) -> Traits {
    let key = element(SEQUENCE, &[unsigned(n), unsigned(e)].concat());
    Traits {
        algorithm: format!("RSA {} bits", bits(n)),
        form: "PKCS#1",
        public: Some(Public::Key(spki(RSA, &[NULL, 0], &key))),
        ..Traits::default()
    }
}

/// ECPrivateKey behind its version. In PKCS#8 the curve stands outside.
fn sec1(mut key: Elements<'_>, curve: Option<&[u8]>) -> Option<Traits> {
    let scalar = key.take(OCTETS).filter(|scalar| (14..=72).contains(&scalar.len()))?;
    let own = key.take(0xa0).and_then(|parameters| Elements::new(parameters, false).take(OID));
    let point = key.take(0xa1).and_then(|inner| Elements::new(inner, false).take(BIT_STRING));
    let curve = own.or(curve);
    let named = curve.and_then(|curve| CURVES.iter().find(|(oid, _)| *oid == curve));
    let public = curve.zip(point).and_then(|(curve, point)| {
        let point = point.strip_prefix(&[0]).filter(|point| matches!(point.first(), Some(2..=4)))?;
        Some(Public::Key(spki(EC, &element(OID, curve), point)))
    });
    let size = || format!("{} bits", scalar.len() * 8);
    Some(Traits {
        algorithm: format!("EC {}", named.map_or_else(size, |(_, name)| (*name).to_owned())),
        form: "SEC 1",
        public,
        ..Traits::default()
    })
}

/// PrivateKeyInfo behind its version.
fn pkcs8(mut key: Elements<'_>, cut: bool) -> Option<Traits> {
    let mut algorithm = key.sequence()?;
    let oid = algorithm.take(OID)?;
    let inner = key.take(OCTETS).filter(|inner| inner.len() >= 16)?;
    // Attributes, and the public key of RFC 5958.
    let _ = key.take(0xa0);
    let public = key.take(0x81).and_then(|public| public.strip_prefix(&[0]));
    let traits = match oid {
        RSA | RSA_PSS => {
            let mut inner = Elements::of_sequence(inner, cut)?;
            inner.small()?;
            numbers(inner, cut)?
        }
        EC => {
            let curve = algorithm.take(OID);
            let mut inner = Elements::of_sequence(inner, cut)?;
            inner.small().filter(|version| *version == 1)?;
            sec1(inner, curve)?
        }
        DSA => {
            let size = algorithm.sequence().and_then(|mut parameters| parameters.take(INTEGER)).map(bits);
            Elements::new(inner, cut).take(INTEGER)?;
            Traits {
                algorithm: size.map_or_else(|| "DSA".to_owned(), |p| format!("DSA {p} bits")),
                ..Traits::default()
            }
        }
        _ => match EDWARDS.iter().find(|(known, ..)| *known == oid) {
            Some((oid, name, length)) => {
                Elements::new(inner, cut).take(OCTETS).filter(|seed| cut || seed.len() == *length)?;
                let public = public.filter(|public| public.len() == *length);
                Traits {
                    algorithm: (*name).to_owned(),
                    public: public.map(|public| Public::Key(spki(oid, &[], public))),
                    ..Traits::default()
                }
            }
            // Diffie-Hellman, GOST, what is to come.
            None => Traits { algorithm: other(oid).to_owned(), ..Traits::default() },
        },
    };
    Some(Traits { form: "PKCS#8", ..traits })
}

/// What is said of an algorithm that is not known here.
pub(super) const UNKNOWN: &str = "another algorithm";

fn other(oid: &[u8]) -> &'static str {
    match oid {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 3, 1] | [0x2a, 0x86, 0x48, 0xce, 0x3e, 2, 1] => "Diffie-Hellman",
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17..=19] => "ML-DSA",
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 1..=3] => "ML-KEM",
        _ => UNKNOWN,
    }
}

/// EncryptedPrivateKeyInfo.
fn encrypted(mut key: Elements<'_>) -> Option<Traits> {
    let lock = lock(key.sequence()?)?;
    key.take(OCTETS).filter(|sealed| sealed.len() >= 32)?;
    key.is_done().then(|| Traits {
        state: State::Encrypted,
        lock: lock.to_owned(),
        form: "PKCS#8",
        ..Traits::default()
    })
}

/// The name of the encryption that an AlgorithmIdentifier stands for; `None` when it stands for none that takes a
/// passphrase.
pub(super) fn lock(mut algorithm: Elements<'_>) -> Option<&'static str> {
    let oid = algorithm.take(OID)?;
    let cipher = if oid == PBES2 {
        let mut parameters = algorithm.sequence()?;
        parameters.sequence()?;
        parameters.sequence()?.take(OID)?
    } else {
        oid
    };
    let known = LOCKS.iter().find(|(prefix, _)| cipher.starts_with(prefix));
    known.map(|(_, name)| *name).or_else(|| (oid == PBES2).then_some("PBES2"))
}

/// SubjectPublicKeyInfo (RFC 5280 4.1).
pub(super) fn spki(oid: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = element(SEQUENCE, &[&element(OID, oid), parameters].concat());
    let key = element(BIT_STRING, &[&[0], key].concat());
    element(SEQUENCE, &[algorithm, key].concat())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Chance, ec, octets, rsa_key, sequence};
    use super::*;

    fn told(bytes: &[u8]) -> String {
        read(bytes, false).map(|traits| traits.sentence()).unwrap_or_default()
    }

    fn wrap(oid: &[u8], parameters: &[u8], inner: &[u8]) -> Vec<u8> {
        sequence(&[&[2, 1, 0], &sequence(&[&element(OID, oid), parameters]), &octets(inner)])
    }

    #[test]
    fn structures_are_told() {
        let mut chance = Chance::new(1);
        let rsa = rsa_key(&mut chance, 2048);
        assert!(told(&rsa).starts_with("RSA 2048 bits, PKCS#1, public key sha256:"), "{}", told(&rsa));
        let pkcs8 = wrap(RSA, &[NULL, 0], &rsa);
        assert!(told(&pkcs8).starts_with("RSA 2048 bits, PKCS#8, public key sha256:"));
        let fingerprint = |told: String| told.split_once("sha256:").expect("a fingerprint").1.to_owned();
        assert_eq!(fingerprint(told(&rsa)), fingerprint(told(&pkcs8)));
        assert!(told(&ec(&mut chance, true)).starts_with("EC P-256, SEC 1, public key sha256:"));
        assert_eq!(told(&ec(&mut chance, false)), "EC P-256, SEC 1");
        let inner = octets(&chance.bytes(32));
        assert_eq!(told(&wrap(EDWARDS[0].0, &[], &inner)), "Ed25519, PKCS#8");
        let info = sequence(&[&element(OID, EDWARDS[0].0)]);
        let public = element(0x81, &[&[0][..], &chance.bytes(32)].concat());
        let v2 = sequence(&[&[2, 1, 1], &info, &octets(&inner), &public]);
        assert!(told(&v2).starts_with("Ed25519, PKCS#8, public key sha256:"));
        let p = [&[0x80][..], &chance.bytes(127)].concat();
        let x = chance.bytes(20);
        let dsa = sequence(&[&[2, 1, 0], &unsigned(&p), &unsigned(&x), &unsigned(&p), &unsigned(&p), &unsigned(&x)]);
        assert!(told(&dsa).starts_with("DSA 1024 bits, traditional, public key sha256:"), "{}", told(&dsa));
        let parameters = sequence(&[&unsigned(&p), &unsigned(&x), &unsigned(&p)]);
        assert_eq!(told(&wrap(DSA, &parameters, &unsigned(&x))), "DSA 1024 bits, PKCS#8");
        assert_eq!(told(&wrap(&[0x2a, 0x86, 0x48, 0xce, 0x3e, 2, 1], &[], &unsigned(&x))), "Diffie-Hellman, PKCS#8");
    }

    #[test]
    fn an_encrypted_key_names_its_cipher() {
        let kdf = sequence(&[&element(OID, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12]), &sequence(&[])]);
        let cipher = sequence(&[&element(OID, LOCKS[2].0), &octets(&[0; 16])]);
        let algorithm = sequence(&[&element(OID, PBES2), &sequence(&[&kdf, &cipher])]);
        let sealed = sequence(&[&algorithm, &octets(&[7; 48])]);
        assert_eq!(told(&sealed), "PKCS#8, encrypted with a passphrase (AES-256)");
        // A public key and a certificate are no private key.
        let public = spki(RSA, &[NULL, 0], &rsa_key(&mut Chance::new(2), 1024));
        assert_eq!((told(&public), told(&sequence(&[&public, &octets(&[7; 48])]))), (String::new(), String::new()));
    }

    #[test]
    fn what_is_cut_short_or_too_long_is_no_key() {
        let key = rsa_key(&mut Chance::new(3), 1024);
        for length in 0..key.len() {
            assert!(read(&key[..length], false).is_none(), "{length}");
        }
        assert!(read(&[&key[..], &[0]].concat(), false).is_none());
        assert!(read(&key[..200], true).is_some());
    }
}
