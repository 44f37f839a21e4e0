//! Reads the headers of an outer archive one after the other. Keeps nothing.

use crate::model::Limits;
use crate::source::error::Trouble;
use std::fs::File;
use std::os::unix::fs::FileExt;

const BLOCK: u64 = 512;
/// Zeros behind the end that are looked at; no tool pads further.
pub(super) const PADDING: u64 = 16 << 20;

/// A member of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    /// A file: its bytes lie here in the archive.
    File {
        /// From the start of the archive.
        offset: u64,
        /// In bytes.
        size: u64,
    },
    /// Another name of a member: the target as written, and whether it counts from the root (hard link) or from the
    /// member's own folder.
    Link { target: Box<[u8]>, hard: bool },
    /// A folder.
    Folder,
    /// Something that no image is made of, with its article.
    Other(&'static str),
}

/// Reads headers one after the other (Go's archive/tar, reader.go).
pub(super) struct Reader<'a> {
    pub(super) file: &'a File,
    pub(super) size: u64,
    pub(super) at: u64,
    pub(super) limits: &'a Limits,
    /// The last member is cut off: how.
    pub(super) cut: Option<Trouble>,
}

/// What extension headers say of the next member.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl Reader<'_> {
    /// The next member and its name as written.
    pub(super) fn next(&mut self) -> Result<Option<(Vec<u8>, Member)>, Trouble> {
        let mut extension = Extension::default();
        loop {
            let start = self.at;
            let Some(block) = self.header()? else { return Ok(None) };
            let header = tar::Header::from_byte_slice(&block);
            let size = number(&block[124..136])
                .ok_or_else(|| Trouble::broken("archive", format!("bad size in the header at byte {start}")))?;
            match block[156] {
                kind @ (b'x' | b'L' | b'K') => {
                    let body = self.extension(start, size)?;
                    match kind {
                        b'x' => {
                            let fresh = Extension::read_pax(&body)
                                .ok_or_else(|| Trouble::broken("archive", format!("bad PAX header at byte {start}")))?;
                            extension =
                                Extension { long_name: extension.long_name, long_link: extension.long_link, ..fresh };
                        }
                        b'L' => extension.long_name = Some(until_nul(&body).to_vec()),
                        _ => extension.long_link = Some(until_nul(&body).to_vec()),
                    }
                }
                b'g' => {
                    self.extension(start, size)?;
                }
                kind => return self.member(start, kind, header, extension, size).map(Some),
            }
        }
    }

    /// The header block at the current position; `None` at the end of the archive.
    fn header(&mut self) -> Result<Option<[u8; 512]>, Trouble> {
        let Some(block) = self.block()? else { return Ok(None) };
        if block != [0; 512] {
            if checksum_fits(&block) {
                return Ok(Some(block));
            }
            return Err(Trouble::broken("archive", format!("no tar header at byte {}", self.at - BLOCK)));
        }
        match self.block()? {
            Some(second) if second != [0; 512] => {
                let at = self.at - BLOCK;
                Err(Trouble::broken("archive", format!("one block of zeros, then more at byte {at}")))
            }
            _ => Ok(None),
        }
    }

    fn block(&mut self) -> Result<Option<[u8; 512]>, Trouble> {
        if self.at >= self.size {
            return Ok(None);
        }
        if self.size - self.at < BLOCK {
            return Err(Trouble::broken("archive", format!("ends in the middle of a header at byte {}", self.size)));
        }
        let mut block = [0; 512];
        self.file.read_exact_at(&mut block, self.at).map_err(|error| Trouble::io("archive", &error))?;
        self.at += BLOCK;
        Ok(Some(block))
    }

    fn extension(&mut self, start: u64, size: u64) -> Result<Vec<u8>, Trouble> {
        if size > self.limits.extension_header {
            return Err(Trouble::Limit {
                object: format!("archive: extension header at byte {start}"),
                limit: "extension_header",
                bound: self.limits.extension_header,
            });
        }
        let at = self.skip(start, size)?;
        let mut body = vec![0; usize::try_from(size).unwrap_or(0)];
        self.file.read_exact_at(&mut body, at).map_err(|error| Trouble::io("archive", &error))?;
        Ok(body)
    }

    /// Moves behind a body of `size` bytes; gives its offset.
    fn skip(&mut self, start: u64, size: u64) -> Result<u64, Trouble> {
        let at = self.at;
        if let Some(cut) = self.cut_off(start, size) {
            return Err(cut);
        }
        // Go takes a last body whose padding is missing.
        self.at = (at + size).next_multiple_of(BLOCK).min(self.size);
        Ok(at)
    }

    /// What there is to say when the body of `size` bytes that begins here is not all there.
    fn cut_off(&self, start: u64, size: u64) -> Option<Trouble> {
        let end = self.at.saturating_add(size);
        let what = || format!("truncated: the member at byte {start} ends at byte {end}, the archive at {}", self.size);
        (end > self.size).then(|| Trouble::broken("archive", what()))
    }

    /// What there is to say of bytes behind the end of the archive, which are padding as long as they are zeros.
    pub(super) fn behind_the_end(&self) -> Option<Trouble> {
        let (mut chunk, mut at) = (vec![0; 64 << 10], self.at);
        while at < self.size && at - self.at < PADDING {
            let most = usize::try_from(self.size - at).map_or(chunk.len(), |left| left.min(chunk.len()));
            if let Err(error) = self.file.read_exact_at(&mut chunk[..most], at) {
                return Some(Trouble::io("archive", &error));
            }
            if chunk[..most].iter().any(|byte| *byte != 0) {
                break;
            }
            at += most as u64;
        }
        let more = self.size - self.at;
        let what = format!("ends at byte {}, and {more} more bytes stand behind its end", self.at);
        (at < self.size).then(|| Trouble::broken("archive", what))
    }

    fn member(
        &mut self,
        start: u64,
        kind: u8,
        header: &tar::Header,
        extension: Extension,
        size: u64,
    ) -> Result<(Vec<u8>, Member), Trouble> {
        let name = extension.path.or(extension.long_name).unwrap_or_else(|| header_name(header.as_bytes()));
        let link = || {
            let written = || until_nul(&header.as_bytes()[157..257]).to_vec();
            extension.link.or(extension.long_link).unwrap_or_else(written).into_boxed_slice()
        };
        // These types have no body, whatever their size says (Go's isHeaderOnlyType).
        let size = if matches!(kind, b'1'..=b'6') { 0 } else { extension.size.unwrap_or(size) };
        if kind == b'S' {
            self.skip_sparse_map(header.as_bytes())?;
        }
        self.cut = self.cut_off(start, size);
        let offset = match self.cut {
            // The last one: what there is of it can be read.
            Some(_) => std::mem::replace(&mut self.at, self.size),
            None => self.skip(start, size)?,
        };
        let is_folder = name.ends_with(b"/");
        let member = match kind {
            _ if extension.sparse || kind == b'S' => Member::Other("stored as a sparse file"),
            b'0' | b'\0' | b'7' if is_folder => Member::Folder,
            b'0' | b'\0' | b'7' => Member::File { offset, size },
            b'1' => Member::Link { target: link(), hard: true },
            b'2' => Member::Link { target: link(), hard: false },
            b'5' => Member::Folder,
            b'3' | b'4' => Member::Other("a device"),
            b'6' => Member::Other("a named pipe"),
            _ => Member::Other("of an unknown type"),
        };
        Ok((name, member))
    }

    /// The blocks that continue the map of an old GNU sparse header.
    fn skip_sparse_map(&mut self, header: &[u8; 512]) -> Result<(), Trouble> {
        let mut more = header[482] != 0;
        while more {
            let end = || Trouble::broken("archive", "ends in the middle of a sparse map");
            more = self.block()?.ok_or_else(end)?[504] != 0;
        }
        Ok(())
    }
}

impl Extension {
    /// Reads PAX records (`LENGTH KEY=VALUE\n`): the last of a key wins, an empty value takes it back. `None` when
    /// they are malformed.
    fn read_pax(mut body: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        while !body.is_empty() {
            let space = body.iter().take(20).position(|byte| *byte == b' ')?;
            let length: usize = std::str::from_utf8(&body[..space]).ok()?.parse().ok()?;
            let record = body.get(space + 1..length)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            let text = (!value.is_empty()).then(|| value.to_vec());
            match key {
                b"" => return None,
                b"path" | b"linkpath" if value.contains(&0) => return None,
                b"path" => found.path = text,
                b"linkpath" => found.link = text,
                b"size" if value.is_empty() => found.size = None,
                b"size" => {
                    let size: i64 = std::str::from_utf8(value).ok()?.parse().ok()?;
                    found.size = Some(u64::try_from(size).ok()?);
                }
                _ if key.starts_with(b"GNU.sparse.") => found.sparse = true,
                _ => {}
            }
            body = &body[length..];
        }
        Some(found)
    }
}

/// The name that the header itself gives: with the prefix of ustar or star.
fn header_name(block: &[u8; 512]) -> Vec<u8> {
    let name = until_nul(&block[..100]);
    let prefix = match (&block[257..263], &block[508..]) {
        (b"ustar\0", b"tar\0") => until_nul(&block[345..476]),
        (b"ustar\0", _) => until_nul(&block[345..500]),
        _ => b"",
    };
    if prefix.is_empty() { name.to_vec() } else { [prefix, name].join(&b'/') }
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number: base-256 when the first bit says so, else octal between blanks and NULs, empty for 0. `None` for others
/// and for negative ones.
fn number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|byte| byte & 0x80 != 0) {
        let mut value: u64 = 0;
        for (index, byte) in field.iter().enumerate() {
            // The sign bit stands behind the mark.
            let byte = if index == 0 { byte & 0x7f } else { *byte };
            if index == 0 && byte & 0x40 != 0 {
                return None;
            }
            value = value.checked_mul(256)?.checked_add(u64::from(byte))?;
        }
        return i64::try_from(value).ok().map(|_| value);
    }
    let text = until_nul(field.trim_ascii_start()).trim_ascii();
    if text.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok()
}

/// Whether `block` is a header: its checksum fits, with signed or unsigned bytes.
pub(in crate::source) fn checksum_fits(block: &[u8; 512]) -> bool {
    let with_blanks = || block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let unsigned: i64 = with_blanks().map(i64::from).sum();
    let signed: i64 = with_blanks().map(|byte| i64::from(byte.cast_signed())).sum();
    number(&block[148..156]).and_then(|sum| i64::try_from(sum).ok()).is_some_and(|sum| sum == unsigned || sum == signed)
}

/// More of `object` than `bound`.
pub(super) fn limit(object: &str, bound: u64) -> Trouble {
    Trouble::Limit { object: format!("archive: {object}"), limit: "members", bound }
}
