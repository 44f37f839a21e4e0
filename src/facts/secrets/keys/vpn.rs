//! Keys of virtual networks: WireGuard's, which are Curve25519 scalars in an INI file, and OpenVPN's static keys.

use super::{Key, State, Traits};
use crate::facts::secrets::encode::{from_base64, is_base64};
use crate::facts::secrets::verify::Window;

/// How the files of wg-quick, systemd-networkd and NetworkManager name the key.
pub(super) const WIREGUARD: [&[u8]; 3] = [b"PrivateKey = ", b"PrivateKey=", b"private-key="];
/// What stands in the marks of a static key.
pub(super) const OPENVPN: &[u8] = b"-----BEGIN OpenVPN Static key V1-----";

/// How far before the key its section may begin, bytes.
const SECTION: usize = 2 << 10;

/// The WireGuard key at the window's anchor: in a section of that name, 32 bytes, clamped as `wg genkey` does.
pub(super) fn wireguard(window: Window<'_>) -> Option<Key> {
    let Window { bytes, anchor, .. } = window;
    let mark = WIREGUARD.iter().find(|mark| bytes[anchor..].starts_with(mark))?;
    let start = anchor + mark.len();
    let value = bytes.get(start..start + 44)?;
    if value[43] != b'=' || !value[..43].iter().all(|byte| is_base64(*byte)) {
        return None;
    }
    if bytes.get(start + 44).is_some_and(|next| is_base64(*next) || *next == b'=') {
        return None;
    }
    let before = &bytes[anchor.saturating_sub(SECTION)..anchor];
    let section = &before[memchr::memrchr(b'[', before)?..];
    if ![&b"[Interface]"[..], b"[WireGuard]", b"[wireguard]"].iter().any(|known| section.starts_with(known)) {
        return None;
    }
    let key = from_base64(value)?;
    let clamped = key.first()?.trailing_zeros() >= 3 && key.last()? & 0xc0 == 0x40;
    let state = if clamped { State::Clear } else { State::Odd };
    let traits = Traits { state, algorithm: "X25519".to_owned(), ..Traits::default() };
    Some(Key { at: start..start + 44, label: "WireGuard private key".to_owned(), bytes: key, traits })
}

/// The static key whose mark stands at the window's anchor: 2048 bits in hex.
pub(super) fn openvpn(window: Window<'_>) -> Option<Key> {
    const DIGITS: usize = 512;
    let Window { bytes, anchor, .. } = window;
    let mut at = anchor + OPENVPN.len();
    let mut digits: Vec<u8> = Vec::with_capacity(DIGITS);
    while digits.len() < DIGITS {
        match (*bytes.get(at)?, bytes.get(at + 1)) {
            (digit, _) if digit.is_ascii_hexdigit() => digits.push(digit.to_ascii_lowercase()),
            (b' ' | b'\t' | b'\r' | b'\n', _) => {}
            (b'\\', Some(b'n' | b'r')) => at += 1,
            _ => return None,
        }
        at += 1;
    }
    let rest = &bytes[at..bytes.len().min(at + 16)];
    memchr::memmem::find(rest, b"-----END")?;
    let varied = (0..16).filter(|digit| digits.iter().any(|known| char::from(*known).to_digit(16) == Some(*digit)));
    let state = if varied.count() >= 12 { State::Clear } else { State::Odd };
    let traits = Traits { state, algorithm: "2048 bits".to_owned(), ..Traits::default() };
    Some(Key { at: anchor..at, label: "OpenVPN static key".to_owned(), bytes: digits, traits })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Chance;
    use super::*;
    use crate::facts::secrets::encode::base64;

    fn state(text: &str) -> Option<State> {
        let anchor = memchr::memmem::find(text.as_bytes(), b"PrivateKey")?;
        wireguard(Window { bytes: text.as_bytes(), anchor, ends: true }).map(|key| key.traits.state)
    }

    #[test]
    fn a_scalar_is_clamped_and_stands_in_its_section() {
        let mut key = Chance::new(12).bytes(32);
        key[0] &= 0xf8;
        key[31] = key[31] & 0x3f | 0x40;
        let text = base64(&key);
        assert_eq!(state(&format!("[Interface]\nAddress = 10.0.0.1/24\nPrivateKey = {text}\n")), Some(State::Clear));
        assert_eq!(state(&format!("[WireGuard]\nPrivateKey={text}\n")), Some(State::Clear));
        key[0] |= 1;
        assert_eq!(state(&format!("[Interface]\nPrivateKey = {}\n", base64(&key))), Some(State::Odd));
        assert_eq!(state(&format!("[Peer]\nPrivateKey = {text}\n")), None);
        assert_eq!(state(&format!("PrivateKey = {text}\n")), None);
        assert_eq!(state("[Interface]\nPrivateKey = <your key here, with 44 characters of it>=\n"), None);
    }

    #[test]
    fn a_static_key_has_all_its_digits() {
        let mut chance = Chance::new(13);
        let lines: String = (0..16).map(|_| chance.bytes(16)).fold(String::new(), |mut text, line| {
            crate::model::push_hex(&mut text, &line);
            text + "\n"
        });
        let mark = String::from_utf8_lossy(OPENVPN);
        let whole = format!("{mark}\n{lines}-----END OpenVPN Static key V1-----\n");
        let read = |text: &str| openvpn(Window { bytes: text.as_bytes(), anchor: 0, ends: true });
        let key = read(&whole).expect("a key");
        assert_eq!(key.traits.state, State::Clear);
        assert_eq!(read(&whole.replace('\n', "\\n")).expect("a key").bytes, key.bytes);
        assert!(read(&whole[..500]).is_none());
        assert!(read(&format!("{mark}\n...\n")).is_none());
    }
}
