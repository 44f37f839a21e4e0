//! Key stores held whole, and the passwords that everybody tries first. Nothing is decrypted: a checksum tells. Bounded in
//! stores, bytes and turns of a hash, since whoever made the image chose how dear one try is.

use super::{State, Traits, graded_file, jks, pkcs12};
use crate::facts::Body;
use crate::facts::secrets::Hit;
use crate::facts::secrets::spec::{SecretRule, Structure};
use crate::model::{Confidence, SecretInfo, Severity};

/// The largest store that is held, bytes.
pub const STORE: u64 = 256 << 10;

/// How many of a layer are held.
pub const STORES: usize = 16;

/// Bytes that tell whether a file is a store.
pub const STORE_HEAD: usize = 32;

/// Turns of a hash that one layer may cost: about a tenth of a second.
const TURNS: u64 = 1 << 20;

const PASSWORDS: [&str; 5] = ["", "changeit", "changeme", "password", "secret"];

/// Whether a file that begins so is a key store; [`STORE_HEAD`] bytes tell for sure, fewer may be taken for one.
#[must_use]
pub fn may_be_store(head: &[u8]) -> bool {
    match head {
        [] | [0x30] => true,
        [0x30, ..] => head.len() < STORE_HEAD || pkcs12::begins(head),
        _ => jks::begins(head) || (head.len() < 4 && matches!(head[0], 0xfe | 0xce)),
    }
}

/// Grades the key stores of a layer anew: `stores` are the whole files that [`may_be_store`] let pass, `hits` what the
/// scan found in the layer, sorted before and after.
pub fn unlock(hits: &mut Vec<Hit>, stores: &[Body], rules: &[SecretRule]) {
    let Some(rule) = rules.iter().find(|rule| rule.spec.structure == Some(Structure::PrivateKey)) else { return };
    let mut left = TURNS;
    for store in stores {
        let bytes = &store.bytes[..];
        let Some((label, mut traits)) = read(bytes) else { continue };
        let opens = traits.state == State::Encrypted && PASSWORDS.iter().any(|word| fits(bytes, word, &mut left));
        if opens {
            traits.state = State::Clear;
            traits.hints.push("opens with a password that everybody tries".to_owned());
        }
        let place = hits.iter().position(|hit| hit.entry == store.entry && hit.offset == 0 && hit.rule == rule.name);
        let verified = graded_file(rule, label, bytes, traits);
        match place.map(|at| &mut hits[at]) {
            // The scan may have seen only the store's beginning.
            Some(hit) if hit.severity > Severity::Info => {
                hit.severity = verified.severity;
                hit.confidence = Confidence::High;
                hit.detail = verified.detail;
            }
            Some(_) => {}
            None => hits.push(Hit {
                entry: store.entry,
                inside: Vec::new(),
                offset: 0,
                line: 0,
                column: 0,
                rule: rule.name.clone(),
                secret: SecretInfo { kind: rule.name.clone(), redacted: verified.redacted, hash: verified.hash },
                severity: verified.severity,
                confidence: verified.confidence,
                detail: verified.detail,
                program: false,
                public_in_packages: rule.spec.public_in_packages,
            }),
        }
    }
    hits.sort();
}

fn read(bytes: &[u8]) -> Option<(&'static str, Traits)> {
    if jks::begins(bytes) {
        return Some((super::JAVA, jks::read(bytes)?));
    }
    pkcs12::begins(bytes).then(|| Some((super::PKCS12, pkcs12::read(bytes, false)?)))?
}

/// Whether `password` opens the store, as long as there are turns left to try it.
fn fits(bytes: &[u8], password: &str, left: &mut u64) -> bool {
    let is_java = jks::begins(bytes);
    let cost = if is_java { Some(bytes.len() as u64 / 64 + 1) } else { pkcs12::cost(bytes) };
    match cost.and_then(|cost| left.checked_sub(cost)) {
        Some(rest) => *left = rest,
        None => return false,
    }
    if is_java { jks::fits(bytes, password) } else { pkcs12::fits(bytes, password) }
}

#[cfg(test)]
mod tests {
    use super::super::{jks::tests::store as java, pkcs12::tests as p12};
    use super::*;
    use std::sync::Arc;

    fn rule() -> SecretRule {
        let table = toml::from_str("structure = 'private-key'").expect("a table");
        SecretRule::read("private-key", Severity::High, Confidence::High, &table).expect("a rule")
    }

    fn unlocked(bytes: &[u8]) -> Vec<(Severity, String)> {
        let mut hits = Vec::new();
        let store = Body { entry: 3, bytes: Arc::from(bytes), whole: true };
        unlock(&mut hits, &[store.clone(), store], &[rule()]);
        hits.into_iter().map(|hit| (hit.severity, hit.detail)).collect()
    }

    #[test]
    fn stores_with_a_common_password_are_open() {
        for bytes in [java(&[2, 1], "changeit"), p12::store(2, &p12::shrouded(), "changeit")] {
            let found = unlocked(&bytes);
            assert!(found.len() == 1 && found[0].0 == Severity::High, "{found:?}");
            assert!(found[0].1.contains("everybody tries"), "{found:?}");
        }
        for bytes in [java(&[2, 1], "Quite another"), p12::store(2, &p12::shrouded(), "Quite another")] {
            let found = unlocked(&bytes);
            assert!(found.len() == 1 && found[0].0 == Severity::Low, "{found:?}");
        }
        assert_eq!(unlocked(&java(&[2], "changeit")), []);
    }

    #[test]
    fn stores_are_told_by_their_first_bytes_however_few() {
        let (java, p12) = (java(&[1], ""), p12::store(2, &p12::shrouded(), ""));
        for length in 0..STORE_HEAD {
            assert!(may_be_store(&java[..length]) && may_be_store(&p12[..length]));
        }
        assert!(
            !may_be_store(&[0x30; STORE_HEAD]) && !may_be_store(b"\x7fELF") && !may_be_store(&[0xfe, 0xed, 0xfa, 0xce])
        );
    }
}
