//! The members of an ar file, as Debian's packages have them.

use super::{Members, Span, Stored, ends_within, wrong};
use std::io;

const MAGIC: u64 = 8;
const HEADER: usize = 60;

/// Reads an ar file.
pub(super) struct Ar<'a, 'b> {
    stored: &'a mut Stored<'b>,
    span: Span,
    /// A byte that makes an odd member even.
    padding: u64,
}

impl<'a, 'b> Ar<'a, 'b> {
    pub(super) fn new(stored: &'a mut Stored<'b>) -> io::Result<Self> {
        stored.skip(MAGIC)?;
        Ok(Self { stored, span: Span::default(), padding: 0 })
    }
}

impl Members for Ar<'_, '_> {
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.span.skip(self.stored)?;
        self.stored.skip(self.padding)?;
        let header = self.stored.peek(HEADER)?;
        if header.is_empty() {
            return Ok(None);
        }
        let header = header.first_chunk::<HEADER>().ok_or_else(|| ends_within("a header"))?;
        let size = std::str::from_utf8(&header[48..58]).ok().and_then(|size| size.trim().parse().ok());
        let size: u64 = size.filter(|_| header.ends_with(b"`\n")).ok_or_else(|| wrong("a header of ar is wrong"))?;
        let name = header[..16].trim_ascii_end();
        let name = name.strip_suffix(b"/").unwrap_or(name).to_vec();
        self.stored.consume(HEADER);
        self.span.left = size;
        self.padding = size & 1;
        Ok(Some(name))
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.span.read(self.stored, out)
    }
}
