//! Archives and compressed files inside a layer's files, read as they stream by: what a stream is by its first bytes,
//! never by its name, and its members one after another. Holds no member whole; judges nothing.

mod ar;
mod bzip2;
mod cpio;
mod memory;
mod rpm;
mod sqlite;
mod tar;
mod zip;

pub use memory::{Held, Memory};

use super::decompress::{Decoder, Input};
use crate::model::Limits;
use std::io::{self, Read};

/// Bytes of a format's beginning that [`Format::of`] wants to see.
const HEAD: usize = 512;

/// Memory that an xz or LZMA dictionary may take, KiB: `xz -9` takes 64 MiB. One in another takes an eighth of that, and
/// so on, down to what the smallest presets take, so that all of them together take little more than one.
const DICTIONARY: u32 = 80 << 10;

/// What a decoder takes beside its window, bytes.
const TABLES: u64 = 256 << 10;

/// log2 of the largest zstd window inside a file, less three for each level of nesting.
const WINDOW_LOG: u32 = 26;

/// Bytes of the buffers between two levels.
const BUFFER: usize = 32 << 10;

/// The stored bytes of an archive or a compressed stream.
pub type Stored<'b> = Input<&'b mut dyn Read>;

/// What a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// The format before xz, without a real magic.
    Lzma,
    /// RFC 8878.
    Zstd,
    /// The frame format of LZ4.
    Lz4,
    /// Tar since POSIX.1-1988.
    Tar,
    /// Zip, and with it jar, war, whl, nupkg, apk, docx and many others.
    Zip,
    /// A package of Debian: an ar of tars. Other ar files hold object code, and nothing in them is compressed.
    Deb,
    /// cpio, in its ASCII forms.
    Cpio,
    /// A package of rpm: two headers and a compressed cpio.
    Rpm,
    /// A SQLite database: its rows that go over several pages.
    Sqlite,
    /// Known by name alone.
    Unread(&'static str),
}

/// Formats that are told, not read: magic, where it stands, name.
const UNREAD: &[(&[u8], usize, &str)] = &[
    (b"7z\xbc\xaf\x27\x1c", 0, "7z"),
    (b"Rar!\x1a\x07\x00", 0, "rar"),
    (b"Rar!\x1a\x07\x01\x00", 0, "rar"),
    (b"MSCF\0\0\0\0", 0, "cab"),
    (b"LZIP\x01", 0, "lzip"),
    // The version stands behind the magic and the sizes.
    (b"\x04\x00\x00\x00", 28, "squashfs"),
];

/// An opened stream.
pub enum Opened<'a> {
    /// One stream without a name.
    Stream(Box<dyn Read + 'a>),
    /// Members with names.
    Members(Box<dyn Members + 'a>),
}

/// The members of an archive, in the order of the stream.
pub trait Members {
    /// Goes to the next regular file and tells its name; `None` behind the last one. After an error there are no more.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>>;

    /// As [`Read::read`] of the member's content. After an error the next member may still be read.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize>;

    /// What was odd since the last call, and whether it may hide content that another reader would show.
    fn oddity(&mut self) -> Option<(bool, String)> {
        None
    }
}

impl Format {
    /// What a stream that begins with `head` is.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, ..] if flags & 0xe0 == 0 => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            // A stream without a block; another one may follow.
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, _, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, _, ..] => Some(Self::Zstd),
            [4, 0x22, 0x4d, 0x18, _, _, _, ..] => Some(Self::Lz4),
            [b'P', b'K', 3, 4, ..] if head.len() >= 30 => Some(Self::Zip),
            [b'#', b'!', ..] if is_zip_with_a_line(head) => Some(Self::Zip),
            [b'S', b'Q', ..] if head.starts_with(sqlite::MAGIC) => Some(Self::Sqlite),
            [b'!', b'<', ..] if head.starts_with(b"!<arch>\ndebian-binary") => Some(Self::Deb),
            [b'0', b'7', ..] if cpio::is_header(head) => Some(Self::Cpio),
            [0xed, 0xab, 0xee, 0xdb, ..] if head.len() >= rpm::LEAD => Some(Self::Rpm),
            [0x5d, 0, 0, ..] if is_lzma(head) => Some(Self::Lzma),
            _ if head.get(257..262) == Some(b"ustar") && super::tar::is_header(head) => Some(Self::Tar),
            _ => unread(head).map(Self::Unread),
        }
    }

    /// What `stored` begins with.
    pub fn peek(stored: &mut Stored<'_>) -> io::Result<Option<Self>> {
        Ok(Self::of(stored.peek(HEAD)?))
    }

    /// Whether so many bytes of a beginning, less than the whole file, are enough for [`Format::of`].
    #[must_use]
    pub fn is_enough(length: usize) -> bool {
        length >= HEAD
    }

    /// Whether its decoder keeps a window whose size the stream chooses.
    #[must_use]
    pub fn has_window(self) -> bool {
        matches!(self, Self::Xz | Self::Lzma | Self::Zstd)
    }

    /// Bytes that a decoder of `stored`, which begins with this format, asks for: what its first block or frame claims, none
    /// where the format has no choice. A later one that claims more gets it, up to the limit.
    pub fn window(self, stored: &mut Stored<'_>) -> io::Result<u64> {
        let most = match self {
            Self::Xz | Self::Lzma => u64::from(DICTIONARY) << 10,
            Self::Zstd => 1 << WINDOW_LOG,
            _ => return Ok(0),
        };
        let head = stored.peek(HEAD)?;
        let claimed = match self {
            Self::Xz => xz_dictionary(head),
            Self::Lzma => {
                head.get(1..5).and_then(|bytes| bytes.first_chunk()).map(|b| u64::from(u32::from_le_bytes(*b)))
            }
            _ => zstd_window(head),
        };
        Ok(claimed.map_or(most, |claimed| claimed.saturating_add(TABLES).min(most)))
    }

    /// Begins to read `stored`, which begins with this format and lies in `windows` streams that have a window.
    pub fn open<'a>(self, stored: &'a mut Stored<'_>, windows: u32, limits: &Limits) -> io::Result<Opened<'a>> {
        let dictionary = (DICTIONARY >> (3 * windows).min(12)).max(2 << 10);
        let window_log = limits.zstd_window_log.min(WINDOW_LOG.saturating_sub(3 * windows).max(20));
        let limits = || Limits { zstd_window_log: window_log, ..limits.clone() };
        Ok(match self {
            Self::Gzip | Self::Zstd => Opened::Stream(Box::new(Decoder::with_buffer(stored, BUFFER, &limits()))),
            Self::Bzip2 => Opened::Stream(bzip2::open(stored, BUFFER)?),
            Self::Xz => Opened::Stream(Box::new(lzma_rust2::XzReader::new_mem_limit(stored, true, dictionary))),
            Self::Lzma => {
                let lzma = lzma_rust2::LzmaReader::new_mem_limit(stored, dictionary, None)?;
                Opened::Stream(Box::new(lzma))
            }
            Self::Lz4 => Opened::Stream(Box::new(lz4_flex::frame::FrameDecoder::new(stored))),
            Self::Tar => Opened::Members(Box::new(tar::Tar::new(stored, &limits()))),
            Self::Zip => Opened::Members(Box::new(zip::Zip::new(stored))),
            Self::Deb => Opened::Members(Box::new(ar::Ar::new(stored)?)),
            Self::Cpio => Opened::Members(Box::new(cpio::Cpio::new(stored))),
            Self::Rpm => {
                rpm::skip_headers(stored)?;
                Opened::Stream(Box::new(stored))
            }
            Self::Sqlite => Opened::Members(Box::new(sqlite::Sqlite::new(stored)?)),
            Self::Unread(name) => {
                return Err(io::Error::new(io::ErrorKind::Unsupported, format!("{name} is not unpacked")));
            }
        })
    }

    /// Its name, for a person.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Tar => "tar",
            Self::Zip => "zip",
            Self::Deb => "deb",
            Self::Cpio => "cpio",
            Self::Rpm => "rpm",
            Self::Sqlite => "SQLite",
            Self::Unread(name) => name,
        }
    }
}

/// What the first block of an xz stream claims for its dictionary; `None` when it is not at hand.
fn xz_dictionary(head: &[u8]) -> Option<u64> {
    // Behind the header of the stream: the length of the block's header, flags, sizes, filters; the last one is LZMA2.
    let block = head.get(12..)?;
    let header = block.get(..4 * (usize::from(*block.first()?) + 1))?;
    let number = |at: &mut usize| {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = *header.get(*at)?;
            *at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    };
    let (flags, mut at) = (*header.get(1)?, 2);
    for _ in 0..(flags >> 6 & 1) + (flags >> 7) {
        number(&mut at)?;
    }
    loop {
        let filter = number(&mut at)?;
        let length = usize::try_from(number(&mut at)?).ok()?;
        if filter == 0x21 {
            let bits = u32::from(*header.get(at)?);
            return (bits < 40).then(|| u64::from(2 | bits & 1) << (bits / 2 + 11));
        }
        at = at.checked_add(length)?;
    }
}

/// The window of the first zstd frame; `None` when it is not at hand, or when another frame stands before it.
fn zstd_window(head: &[u8]) -> Option<u64> {
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, rest @ ..] = head else { return None };
    if descriptor & 0x20 == 0 {
        let byte = *rest.first()?;
        let base = 1u64 << (10 + (byte >> 3));
        return Some(base + base / 8 * u64::from(byte & 7));
    }
    // A single segment is its own window.
    let rest = rest.get([0, 1, 2, 4][usize::from(descriptor & 3)]..)?;
    let sized = rest.get(..[1, 2, 4, 8][usize::from(descriptor >> 6)])?;
    let size = sized.iter().rev().fold(0, |size, &byte| size << 8 | u64::from(byte));
    Some(if sized.len() == 2 { size + 256 } else { size })
}

/// Whether a zip stands behind a line for the kernel, as programs in one file have it.
fn is_zip_with_a_line(head: &[u8]) -> bool {
    let line = memchr::memchr(b'\n', head);
    line.is_some_and(|line| head[line + 1..].starts_with(b"PK\x03\x04"))
}

/// The name of a format that is not read.
fn unread(head: &[u8]) -> Option<&'static str> {
    let (.., name) =
        UNREAD.iter().find(|(magic, at, _)| head.get(*at..).is_some_and(|head| head.starts_with(magic)))?;
    (*name != "squashfs" || head.starts_with(b"hsqs")).then_some(*name)
}

/// Whether a stream of LZMA begins here: the properties everybody uses, a dictionary of a power of two, and a length that
/// is unknown or could be.
fn is_lzma(head: &[u8]) -> bool {
    let [0x5d, a, b, c, d, length @ .., _] = head.get(..14).unwrap_or_default() else { return false };
    let dictionary = u32::from_le_bytes([*a, *b, *c, *d]);
    let Some(length) = length.first_chunk::<8>().map(|length| u64::from_le_bytes(*length)) else { return false };
    dictionary.is_power_of_two() && dictionary >= 1 << 16 && (length == u64::MAX || length < 1 << 38)
}

/// The error of a stream that ends within `what`.
fn ends_within(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("it ends within {what}"))
}

/// The error of a stream that is not what it should be.
fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// The body of a member of known length.
#[derive(Debug, Default)]
struct Span {
    left: u64,
}

impl Span {
    fn read(&mut self, stored: &mut Stored<'_>, out: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(out.len(), |left| left.min(out.len()));
        let count = stored.read(&mut out[..most])?;
        if count == 0 && most > 0 {
            self.left = 0;
            return Err(ends_within("a member"));
        }
        self.left -= count as u64;
        Ok(count)
    }

    fn skip(&mut self, stored: &mut Stored<'_>) -> io::Result<()> {
        let left = std::mem::take(&mut self.left);
        if stored.skip(left)? < left { Err(ends_within("a member")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn window(bytes: &[u8]) -> u64 {
        let mut reader = bytes;
        let mut stored = Stored::with_buffer(&mut reader, BUFFER);
        let format = Format::peek(&mut stored).expect("memory").expect("a format");
        format.window(&mut stored).expect("memory") - TABLES
    }

    #[test]
    fn windows_are_told_by_the_first_header() {
        for (preset, bytes) in [(0, 256 << 10), (4, 4 << 20), (6, 8 << 20), (9, 64 << 20)] {
            let options = lzma_rust2::XzOptions::with_preset(preset);
            let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).expect("options");
            writer.write_all(b"text").expect("memory");
            assert_eq!(window(&writer.finish().expect("memory")), bytes, "{preset}");
        }
        let small = zstd::bulk::compress(&[b'a'; 1000], 3).expect("memory");
        assert_eq!(window(&small), 1000);
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("encoder");
        encoder.window_log(23).expect("window");
        encoder.write_all(&[b'a'; 1000]).expect("memory");
        assert_eq!(window(&encoder.finish().expect("memory")), 8 << 20);
        // What cannot be told counts as the largest.
        assert_eq!(window(b"\xfd7zXZ\0\0\x04") + TABLES, u64::from(DICTIONARY) << 10);
        assert_eq!(window(b"\x50\x2a\x4d\x18\0\0\0\0") + TABLES, 1 << WINDOW_LOG);
    }
}
