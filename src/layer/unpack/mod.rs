//! Archives and compressed files inside a layer's files, read as they stream by: what a stream is by its first bytes,
//! never by its name, and its members one after another. Holds no member whole; judges nothing.

mod ar;
mod cpio;
mod rpm;
mod sqlite;
mod tar;
mod zip;

use super::decompress::{Decoder, Input};
use crate::model::Limits;
use std::io::{self, Read};

/// Bytes of a format's beginning that [`Format::of`] wants to see.
const HEAD: usize = 512;

/// Memory that an xz or LZMA dictionary may take, KiB: `xz -9` takes 64 MiB. One in another takes an eighth of that, and
/// so on, down to what the smallest presets take, so that all of them together take little more than one.
const DICTIONARY: u32 = 80 << 10;

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
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Some(Self::Bzip2),
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

    /// Begins to read `stored`, which begins with this format and lies in `windows` streams that have a window.
    pub fn open<'a>(self, stored: &'a mut Stored<'_>, windows: u32, limits: &Limits) -> io::Result<Opened<'a>> {
        let dictionary = (DICTIONARY >> (3 * windows).min(12)).max(2 << 10);
        let window_log = limits.zstd_window_log.min(WINDOW_LOG.saturating_sub(3 * windows).max(20));
        let limits = || Limits { zstd_window_log: window_log, ..limits.clone() };
        Ok(match self {
            Self::Gzip | Self::Zstd => Opened::Stream(Box::new(Decoder::with_buffer(stored, BUFFER, &limits()))),
            Self::Bzip2 => Opened::Stream(Box::new(bzip2::read::MultiBzDecoder::new(stored))),
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
