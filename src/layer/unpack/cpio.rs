//! The members of a cpio archive in its ASCII forms: "newc" and "crc" with hex, "odc" with octal numbers.

use super::{Members, Span, Stored, ends_within, wrong};
use std::io;

const NEWC: usize = 110;
const ODC: usize = 76;
const NAME_MOST: u64 = 64 << 10;
const TYPE: u64 = 0o170_000;
const REGULAR: u64 = 0o100_000;

/// Whether a header begins here.
pub(super) fn is_header(head: &[u8]) -> bool {
    header(head).is_some()
}

/// What a header says.
struct Header {
    length: usize,
    mode: u64,
    size: u64,
    name: u64,
    /// To what a name and a body are filled up.
    align: u64,
}

fn header(head: &[u8]) -> Option<Header> {
    let number = |from: usize, to: usize, radix| {
        let digits = std::str::from_utf8(head.get(from..to)?).ok()?;
        u64::from_str_radix(digits, radix).ok()
    };
    match head.get(..6)? {
        b"070701" | b"070702" => Some(Header {
            length: NEWC,
            mode: number(14, 22, 16)?,
            size: number(54, 62, 16)?,
            name: number(94, 102, 16)?,
            align: 4,
        }),
        b"070707" => Some(Header {
            length: ODC,
            mode: number(18, 24, 8)?,
            size: number(65, 76, 8)?,
            name: number(59, 65, 8)?,
            align: 1,
        }),
        _ => None,
    }
}

/// Reads a cpio archive.
pub(super) struct Cpio<'a, 'b> {
    stored: &'a mut Stored<'b>,
    span: Span,
    padding: u64,
}

impl<'a, 'b> Cpio<'a, 'b> {
    pub(super) fn new(stored: &'a mut Stored<'b>) -> Self {
        Self { stored, span: Span::default(), padding: 0 }
    }
}

impl Members for Cpio<'_, '_> {
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            self.span.skip(self.stored)?;
            self.stored.skip(self.padding)?;
            let head = self.stored.peek(NEWC)?;
            if head.is_empty() {
                return Ok(None);
            }
            let header = header(head).ok_or_else(|| wrong("a header of cpio is wrong"))?;
            if header.name > NAME_MOST {
                return Err(wrong("a name in cpio is too long"));
            }
            self.stored.consume(header.length);
            let mut name = Vec::new();
            while (name.len() as u64) < header.name {
                let here = self.stored.fill()?;
                let take = here.len().min(header.name as usize - name.len());
                if take == 0 {
                    return Err(ends_within("a name"));
                }
                name.extend_from_slice(&here[..take]);
                self.stored.consume(take);
            }
            let after = |length: u64| length.wrapping_neg() & (header.align - 1);
            self.stored.skip(after(header.length as u64 + header.name))?;
            self.span.left = header.size;
            self.padding = after(header.size);
            while name.last() == Some(&0) {
                name.pop();
            }
            if name == b"TRAILER!!!" {
                return Ok(None);
            }
            if header.mode & TYPE == REGULAR {
                return Ok(Some(name));
            }
        }
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.span.read(self.stored, out)
    }
}
