//! One header block: which format it is in and what its fields say. The layout is the tar crate's; the rules are those
//! of Go's archive/tar (version digits do not matter for ustar, prefixes of STAR and of Go before 1.8 count, numbers
//! may be signed base-256, a checksum may be the signed sum).

use super::error::TarTrouble;
use crate::layer::Entry;
use std::ops::Range;

/// Bytes of a block.
pub(super) const BLOCK: usize = 512;
/// A block.
pub(super) type Block = [u8; BLOCK];

/// The dialects that differ in more than writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Before POSIX: no prefix, no device numbers.
    V7,
    /// POSIX ustar and pax.
    Ustar,
    /// Schilling's star: a shorter prefix, then times.
    Star,
    /// GNU: times in the prefix' place.
    Gnu,
}

const CHECKSUM: Range<usize> = 148..156;
const MAGIC: Range<usize> = 257..263;
const VERSION: Range<usize> = 263..265;
const DEVICE_MAJOR: Range<usize> = 329..337;
const DEVICE_MINOR: Range<usize> = 337..345;
const PREFIX: Range<usize> = 345..500;
const STAR_PREFIX: Range<usize> = 345..476;
const STAR_TIMES: [Range<usize>; 2] = [476..488, 488..500];
const STAR_TRAILER: Range<usize> = 508..512;
const GNU_TIMES: [Range<usize>; 2] = [345..357, 357..369];

impl Format {
    /// The format of `block`; `None` when its checksum says that it is no header.
    pub(super) fn of(block: &Block) -> Option<Self> {
        let sum = octal(&block[CHECKSUM])?;
        let unsigned = checksum(block);
        if sum != unsigned && sum != unsigned - 256 * high_bytes(block) {
            return None;
        }
        Some(match &block[MAGIC] {
            b"ustar\0" if &block[STAR_TRAILER] == b"tar\0" => Self::Star,
            b"ustar\0" => Self::Ustar,
            b"ustar " if &block[VERSION] == b" \0" => Self::Gnu,
            _ => Self::V7,
        })
    }
}

/// Reads the fields of `block` into `entry` and returns its format and the size as it stands there (it may be
/// negative). Leaves `index`, `offset` and `xattrs` alone.
pub(super) fn read(block: &Block, entry: &mut Entry) -> Result<(Format, i64), TarTrouble> {
    let format = Format::of(block).ok_or(TarTrouble::Checksum)?;
    let number = |field: &[u8], name| numeric(field).ok_or(TarTrouble::Number(name));
    let header = tar::Header::from_byte_slice(block).as_old();

    entry.type_flag = header.linkflag[0];
    entry.mode = number(&header.mode, "mode")?;
    entry.uid = number(&header.uid, "uid")?;
    entry.gid = number(&header.gid, "gid")?;
    entry.mtime = number(&header.mtime, "mtime")?;
    let size = number(&header.size, "size")?;
    entry.device = (0, 0);
    if format != Format::V7 {
        let major = number(&block[DEVICE_MAJOR], "device number")?;
        entry.device = (major, number(&block[DEVICE_MINOR], "device number")?);
    }
    let prefix = match format {
        Format::V7 => &[][..],
        Format::Ustar => text(&block[PREFIX]),
        Format::Star => {
            for range in STAR_TIMES {
                number(&block[range], "time")?;
            }
            text(&block[STAR_PREFIX])
        }
        Format::Gnu => stray_prefix(block),
    };
    entry.name.clear();
    if !prefix.is_empty() {
        entry.name.extend_from_slice(prefix);
        entry.name.push(b'/');
    }
    entry.name.extend_from_slice(text(&header.name));
    entry.link.clear();
    entry.link.extend_from_slice(text(&header.linkname));
    Ok((format, size))
}

/// Whether `bytes` begin with a block whose checksum says that it is a tar header.
pub(in crate::layer) fn is_header(bytes: &[u8]) -> bool {
    bytes.first_chunk::<BLOCK>().is_some_and(|block| Format::of(block).is_some())
}

/// Bytes up to the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    &field[..memchr::memchr(0, field).unwrap_or(field.len())]
}

/// A number in octal, or in base-256 (two's complement, big-endian) when its first bit is set.
pub(super) fn numeric(field: &[u8]) -> Option<i64> {
    let first = *field.first()?;
    if first & 0x80 == 0 {
        return octal(field);
    }
    let invert = if first & 0x40 == 0 { 0 } else { 0xff };
    let mut value: u64 = 0;
    for (at, byte) in field.iter().enumerate() {
        if value >> 56 > 0 {
            return None;
        }
        let byte = (byte ^ invert) & if at == 0 { 0x7f } else { 0xff };
        value = value << 8 | u64::from(byte);
    }
    let value = i64::try_from(value).ok()?;
    Some(if invert == 0 { value } else { !value })
}

/// A decimal number as Go's strconv reads it: an optional sign and digits, nothing else.
pub(super) fn decimal(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Octal digits between spaces and NULs; nothing at all is 0.
fn octal(field: &[u8]) -> Option<i64> {
    let blank = |byte: &u8| *byte == b' ' || *byte == 0;
    let Some(start) = field.iter().position(|byte| !blank(byte)) else { return Some(0) };
    let end = field.iter().rposition(|byte| !blank(byte))? + 1;
    let digits = text(&field[start..end]);
    if digits.first() == Some(&b'+') {
        return None; // Rust would take the sign, Go does not
    }
    let value = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()?;
    i64::try_from(value).ok()
}

/// The sum of all bytes, the checksum's own field counted as spaces.
fn checksum(block: &Block) -> i64 {
    let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>();
    i64::from(sum(block) - sum(&block[CHECKSUM])) + 8 * i64::from(b' ')
}

/// How many bytes are 128 and more: each makes the sum of signed bytes, which old tars wrote, 256 less.
fn high_bytes(block: &Block) -> i64 {
    let high = |bytes: &[u8]| bytes.iter().map(|&byte| u32::from(byte >> 7)).sum::<u32>();
    i64::from(high(block) - high(&block[CHECKSUM]))
}

/// A prefix in a GNU header, where times should stand: Go before 1.8 wrote such. It counts only when the times there
/// are no numbers and it is ASCII.
fn stray_prefix(block: &Block) -> &[u8] {
    let is_time = |field: &[u8]| field[0] == 0 || numeric(field).is_some();
    let prefix = text(&block[PREFIX]);
    if GNU_TIMES.into_iter().all(|range| is_time(&block[range])) || !prefix.is_ascii() { &[] } else { prefix }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_go_reads_them() {
        for (field, value) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0", Some(0)),
            (b"", None),
            (b"12\x0034", Some(0o12)),
            (b"+12", None),
            (b"-12", None),
            (b"12 34", None),
            (b"8", None),
            (b"\x80\x00\x00\x05", Some(5)),
            (b"\xff\xff\xff\xff", Some(-1)),
            (b"\x80\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX)),
            (b"\x80\x80\x00\x00\x00\x00\x00\x00\x00", None),
            (b"\xff\x80\x00\x00\x00\x00\x00\x00\x00", Some(i64::MIN)),
        ] {
            assert_eq!(numeric(field), value, "{field:?}");
        }
        assert_eq!(decimal(b"+1"), Some(1));
        assert_eq!(decimal(b" 1"), None);
        assert_eq!(decimal(b"9223372036854775808"), None);
    }
}
