//! The members of a zip, told by their local headers as they stream by. The directory behind them is what other readers
//! go by; it is read to tell whether it names members that were not met.

use super::{Members, Span, Stored, ends_within, wrong};
use flate2::{Decompress, FlushDecompress, Status};
use std::collections::BTreeSet;
use std::io;

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";

const ENCRYPTED: u16 = 1;
/// The sizes stand behind the content.
const SIZES_BEHIND: u16 = 8;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Methods whose content has a magic of its own: bzip2, zstd, xz.
const TOLD_BY_MAGIC: [u16; 4] = [12, 20, 93, 95];

/// Members whose place is remembered.
const PLACES: usize = 1 << 20;

/// Reads a zip.
pub(super) struct Zip<'a, 'b> {
    stored: &'a mut Stored<'b>,
    /// Where the zip begins.
    begin: u64,
    body: Body,
    /// One that is free: to make one takes longer than to read a short member.
    inflate: Option<Box<Decompress>>,
    /// Where local headers stand.
    met: BTreeSet<u64>,
    /// Members that the directory names elsewhere, and the first of them.
    missed: (u64, Vec<u8>),
    odd: Option<(bool, String)>,
}

enum Body {
    None,
    /// Of known length.
    Stored(Span),
    /// Until a descriptor that says so many bytes, and how many there were.
    StoredUntil(u64),
    Deflated(Box<Decompress>),
}

/// What a local header says.
struct Local {
    flags: u16,
    method: u16,
    size: u64,
    name: Vec<u8>,
}

impl<'a, 'b> Zip<'a, 'b> {
    pub(super) fn new(stored: &'a mut Stored<'b>) -> Self {
        let begin = stored.offset();
        Self {
            stored,
            begin,
            body: Body::None,
            inflate: None,
            met: BTreeSet::new(),
            missed: (0, Vec::new()),
            odd: None,
        }
    }

    /// Goes to the next header, and tells whether it is a local one; `None` when there are no more.
    fn find_header(&mut self) -> io::Result<Option<bool>> {
        loop {
            let here = self.stored.peek(4)?;
            if here.len() < 4 {
                return Ok(None);
            }
            let found = memchr::memmem::find_iter(here, b"PK").find_map(|at| {
                let local = here[at..].starts_with(LOCAL);
                (local || here[at..].starts_with(CENTRAL)).then_some((at, local))
            });
            // Its first bytes may stand at the end of what is at hand.
            let (count, found) = found.map_or((here.len() - 3, None), |(at, local)| (at, Some(local)));
            self.stored.consume(count);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Reads the local header that stands here.
    fn local(&mut self) -> io::Result<Local> {
        let place = self.stored.offset() - self.begin;
        if self.met.len() < PLACES {
            self.met.insert(place);
        }
        let header = self.stored.peek(30)?.first_chunk::<30>().ok_or_else(|| ends_within("a header"))?;
        let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let (flags, method, names, extras) = (short(6), short(8), short(26), short(28));
        let [.., s0, s1, s2, s3] = header[..22] else { return Err(ends_within("a header")) };
        let mut size = u64::from(u32::from_le_bytes([s0, s1, s2, s3]));
        self.stored.consume(30);
        let name = self.text(names)?;
        let extra = self.text(extras)?;
        // The uncompressed size stands first.
        if size == u64::from(u32::MAX)
            && let Some(long) = field(&extra, 1).and_then(|field| field.get(8..16)?.first_chunk::<8>().copied())
        {
            size = u64::from_le_bytes(long);
        }
        Ok(Local { flags, method, size, name })
    }

    /// Reads an entry of the directory.
    fn central(&mut self) -> io::Result<()> {
        let header = self.stored.peek(46)?.first_chunk::<46>().ok_or_else(|| ends_within("the directory"))?;
        let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let long = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let (names, extras, comment) = (short(28), short(30), short(32));
        let (packed, plain, mut place) = (long(20), long(24), u64::from(long(42)));
        self.stored.consume(46);
        let name = self.text(names)?;
        let extra = self.text(extras)?;
        self.stored.skip(u64::from(comment))?;
        if place == u64::from(u32::MAX) {
            let before = 8 * [packed, plain].iter().filter(|&&size| size == u32::MAX).count();
            let field = field(&extra, 1).and_then(|field| field.get(before..)?.first_chunk::<8>());
            place = field.map_or(place, |field| u64::from_le_bytes(*field));
        }
        // What stands before the first member may count or not.
        let first = self.met.first().copied().unwrap_or(0);
        let met = self.met.contains(&place) || self.met.contains(&(place.saturating_add(first)));
        if !met && self.met.len() < PLACES && plain > 0 {
            if self.missed.0 == 0 {
                self.missed.1 = name;
            }
            self.missed.0 += 1;
        }
        Ok(())
    }

    fn text(&mut self, length: u16) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        while text.len() < usize::from(length) {
            let here = self.stored.fill()?;
            let take = here.len().min(usize::from(length) - text.len());
            if take == 0 {
                return Err(ends_within("a header"));
            }
            text.extend_from_slice(&here[..take]);
            self.stored.consume(take);
        }
        Ok(text)
    }

    /// Inflates some bytes; none at the member's end.
    fn inflate(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Body::Deflated(mut inflate) = std::mem::replace(&mut self.body, Body::None) else { return Ok(0) };
        loop {
            let here = self.stored.fill()?;
            let is_over = here.is_empty();
            let (read, written) = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(here, out, FlushDecompress::None);
            let read = usize::try_from(inflate.total_in() - read).unwrap_or(usize::MAX);
            let written = usize::try_from(inflate.total_out() - written).unwrap_or(usize::MAX);
            self.stored.consume(read);
            match status {
                Ok(Status::StreamEnd) => {
                    self.inflate = Some(inflate);
                    return Ok(written);
                }
                // What stands before damage counts; the next turn tells of it.
                _ if written > 0 => {
                    self.body = Body::Deflated(inflate);
                    return Ok(written);
                }
                Ok(_) if is_over => return Err(ends_within("a member")),
                Ok(_) if read > 0 => {}
                _ => return Err(wrong("the compressed data is wrong")),
            }
        }
    }

    fn read_until(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Body::StoredUntil(so_far) = &mut self.body else { return Ok(0) };
        let here = self.stored.peek(24)?;
        if here.len() < 16 {
            self.body = Body::None;
            return Err(ends_within("a member"));
        }
        let says = |at: usize| {
            let rest = here.get(at + 8..)?;
            let size = *so_far + at as u64;
            let short = rest.first_chunk::<4>().map(|said| u64::from(u32::from_le_bytes(*said)));
            let long = rest.first_chunk::<8>().map(|said| u64::from_le_bytes(*said));
            Some(short == Some(size) || long == Some(size))
        };
        let mut end = here.len() - 15;
        for at in memchr::memmem::find_iter(here, DESCRIPTOR) {
            if at >= end {
                break;
            }
            if says(at) == Some(true) {
                end = at;
            }
        }
        if end == 0 {
            self.body = Body::None;
            return Ok(0);
        }
        let count = end.min(out.len());
        out[..count].copy_from_slice(&here[..count]);
        *so_far += count as u64;
        self.stored.consume(count);
        Ok(count)
    }
}

impl Members for Zip<'_, '_> {
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        match std::mem::replace(&mut self.body, Body::None) {
            Body::Stored(mut span) => span.skip(self.stored)?,
            Body::Deflated(inflate) => self.inflate = Some(inflate),
            Body::None | Body::StoredUntil(_) => {}
        }
        loop {
            match self.find_header()? {
                None => break,
                Some(false) => self.central()?,
                Some(true) => {
                    let Local { flags, method, size, name } = self.local()?;
                    let known = flags & SIZES_BEHIND == 0 || size > 0;
                    let span = Span { left: size };
                    if flags & ENCRYPTED != 0 {
                        self.odd = Some((false, "an encrypted member".to_owned()));
                        self.body = if known { Body::Stored(span) } else { Body::None };
                        return Ok(Some(name));
                    }
                    self.body = match method {
                        DEFLATED => {
                            let mut inflate = self.inflate.take().unwrap_or_else(|| Box::new(Decompress::new(false)));
                            inflate.reset(false);
                            Body::Deflated(inflate)
                        }
                        STORED if !known => Body::StoredUntil(0),
                        STORED => Body::Stored(span),
                        _ if TOLD_BY_MAGIC.contains(&method) && known => Body::Stored(span),
                        _ => {
                            self.odd = Some((true, format!("a member with method {method}, which is not read")));
                            if known { Body::Stored(span) } else { Body::None }
                        }
                    };
                    if !matches!(self.body, Body::Stored(Span { left: 0 })) {
                        return Ok(Some(name));
                    }
                }
            }
        }
        let (count, name) = std::mem::take(&mut self.missed);
        if count > 0 {
            let name = crate::model::visible(&name).into_owned();
            self.odd = Some((true, format!("{count} members that only its directory names, '{name}' first")));
        }
        Ok(None)
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.body {
            Body::None => Ok(0),
            Body::Stored(span) => span.read(self.stored, out),
            Body::StoredUntil(_) => self.read_until(out),
            Body::Deflated(_) => self.inflate(out),
        }
    }

    fn oddity(&mut self) -> Option<(bool, String)> {
        self.odd.take()
    }
}

/// The content of extra field `id`.
fn field(mut extra: &[u8], id: u16) -> Option<&[u8]> {
    loop {
        let (head, rest) = extra.split_first_chunk::<4>()?;
        let [i0, i1, l0, l1] = *head;
        let (content, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([l0, l1])))?;
        if u16::from_le_bytes([i0, i1]) == id {
            return Some(content);
        }
        extra = rest;
    }
}
