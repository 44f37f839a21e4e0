//! Encodings and checksums that token formats use. Pure functions on bytes; knows no token.

use sha2::Digest;

/// The digits of base 62 as GitHub and npm write them; the first 36 are base 36.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of each base64 digit, of both alphabets; 64 for other bytes.
static FROM_BASE64: [u8; 256] = {
    let mut table = [64; 256];
    let mut at = 0;
    while at < 64 {
        table[BASE64[at] as usize] = at as u8;
        at += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

/// Whether `byte` is a digit of base64 proper.
pub(super) fn is_base64(byte: u8) -> bool {
    FROM_BASE64[usize::from(byte)] < 64 && byte != b'-' && byte != b'_'
}

/// The value of a digit of base64 of either alphabet; 64 for other bytes.
pub(super) fn base64_digit(byte: u8) -> u8 {
    FROM_BASE64[usize::from(byte)]
}

/// CRC-32 (IEEE) of `bytes`.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// CRC-16 of XMODEM: polynomial 0x1021, begun with 0, nothing reflected.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, &byte| {
        (0..8).fold(sum ^ u16::from(byte) << 8, |sum, _| if sum >> 15 == 1 { sum << 1 ^ 0x1021 } else { sum << 1 })
    })
}

/// `value` in base 62, six digits, padded with `0`.
pub(super) fn base62(value: u32) -> Vec<u8> {
    in_base(u64::from(value), 62, 6)
}

/// `value` in base 36 with lower-case letters, padded with `0` to `width`.
pub(super) fn base36(value: u64, width: usize) -> Vec<u8> {
    in_base(value, 36, width).to_ascii_lowercase()
}

fn in_base(mut value: u64, base: u64, width: usize) -> Vec<u8> {
    let mut out = vec![b'0'; width];
    for digit in out.iter_mut().rev() {
        *digit = DIGITS[(value % base) as usize];
        value /= base;
    }
    out
}

/// `bytes` in base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0u32, |word, (at, &byte)| word | u32::from(byte) << (16 - 8 * at));
        for at in 0..4 {
            let digit = char::from(BASE64[(word >> (18 - 6 * at) & 63) as usize]);
            out.push(if at <= chunk.len() { digit } else { '=' });
        }
    }
    out
}

/// Reads base64 or base64url, padded or not; `None` at the first character that is neither.
pub(in crate::facts) fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.chunks(4) {
        let mut word = 0u32;
        for (at, &byte) in chunk.iter().enumerate() {
            let digit = FROM_BASE64[usize::from(byte)];
            if digit > 63 {
                return None;
            }
            word |= u32::from(digit) << (18 - 6 * at);
        }
        out.extend_from_slice(&word.to_be_bytes()[1..chunk.len().max(1)]);
    }
    Some(out)
}

/// Reads base32 (RFC 4648) without padding; bits that fill no byte are dropped.
pub(super) fn from_base32(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut word, mut bits) = (0u32, 0);
    for byte in text {
        let digit = BASE32.iter().position(|known| known == byte)?;
        word = (word << 5 | digit as u32) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
        }
    }
    Some(out)
}

/// `bytes` in base32 (RFC 4648) without padding.
pub(super) fn base32(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity((bytes.len() * 8).div_ceil(5));
    for chunk in bytes.chunks(5) {
        let word = chunk.iter().enumerate().fold(0u64, |word, (at, &byte)| word | u64::from(byte) << (32 - 8 * at));
        let digits = (chunk.len() * 8).div_ceil(5);
        out.extend((0..digits).map(|at| BASE32[(word >> (35 - 5 * at) & 31) as usize]));
    }
    out
}

/// The six checksum characters of a bech32 string with `prefix` and `data` (BIP 173), all in lower case; `None` when
/// `data` holds a character that bech32 does not have.
pub(super) fn bech32_checksum(prefix: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut values: Vec<u8> = prefix.iter().map(|byte| byte >> 5).collect();
    values.push(0);
    values.extend(prefix.iter().map(|byte| byte & 31));
    for byte in data {
        values.push(BECH32.iter().position(|known| known == byte)? as u8);
    }
    values.extend([0; 6]);
    let mut check = 1u32;
    for value in values {
        let top = check >> 25;
        check = (check & 0x1ff_ffff) << 5 ^ u32::from(value);
        for (bit, generator) in [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].iter().enumerate() {
            if top >> bit & 1 == 1 {
                check ^= generator;
            }
        }
    }
    check ^= 1;
    Some((0..6).map(|at| BECH32[(check >> (25 - 5 * at) & 31) as usize]).collect())
}

/// RFC 2104 with a hash of `BLOCK` bytes a block, for keys that are no longer than that.
pub(super) fn hmac<D: Digest, const BLOCK: usize>(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |mask: u8| {
        let mut block = [mask; BLOCK];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = D::new().chain_update(pad(0x36)).chain_update(text).finalize();
    D::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Sha256, Sha512};

    #[test]
    fn published_vectors() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(base64(b"foobar"), "Zm9vYmFy");
        assert_eq!(base64(b"fooba"), "Zm9vYmE=");
        assert_eq!(base64(b"foob"), "Zm9vYg==");
        // RFC 4648, section 10
        assert_eq!(from_base32(b"MZXW6YTBOI").expect("base32"), b"foobar");
        assert_eq!(base32(b"foobar"), b"MZXW6YTBOI");
        assert_eq!(base32(b"fooba"), b"MZXW6YTB");
        // The check value of CRC-16/XMODEM
        assert_eq!(crc16(b"123456789"), 0x31c3);
        // BIP 173
        assert_eq!(bech32_checksum(b"a", b"").expect("bech32"), b"2uel5l");
        assert_eq!(base36(35 * 36 + 1, 4), b"00z1");
        // RFC 4231, test case 2
        let text = b"what do ya want for nothing?";
        assert_eq!(hmac::<Sha256, 64>(b"Jefe", text)[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(hmac::<Sha512, 128>(b"Jefe", text)[..4], [0x16, 0x4b, 0x7a, 0x7b]);
    }

    #[test]
    fn base64_there_and_back() {
        for length in 0..20u8 {
            let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(57)).collect();
            assert_eq!(from_base64(base64(&bytes).as_bytes()).expect("base64"), bytes);
        }
        assert_eq!(from_base64(b"a.b"), None);
    }
}
