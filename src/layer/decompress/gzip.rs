//! Members of a gzip stream (RFC 1952). The framing is our own, so that a bad checksum costs no content and every error
//! knows its place; flate2 inflates.

use super::error::{DecodeError, DecodeKind};
use super::{End, Input, Watch};
use flate2::{Crc, Decompress, FlushDecompress, Status};
use std::io::{self, Read};

/// How a member begins.
pub(super) const MAGIC: &[u8] = b"\x1f\x8b";

const DEFLATE: u8 = 8;
const FLAG_CRC: u8 = 2;
const FLAG_EXTRA: u8 = 4;
const FLAG_NAME: u8 = 8;
const FLAG_COMMENT: u8 = 16;
const FLAGS_RESERVED: u8 = 0xe0;
/// Go's compress/gzip refuses longer names and comments, and so do runtimes.
const GO_TEXT_MAX: u64 = 511;

/// Reads all members as one stream.
#[derive(Debug)]
pub(super) struct Gzip {
    part: Part,
    inflate: Decompress,
    crc: Crc,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Header,
    Data,
    Trailer,
    End,
}

impl Default for Gzip {
    fn default() -> Self {
        Self { part: Part::Header, inflate: Decompress::new(false), crc: Crc::new() }
    }
}

impl Gzip {
    /// As [`Read::read`]; 0 at the end of the last member.
    pub(super) fn read<R: Read, W: Watch>(
        &mut self,
        input: &mut Input<R, W>,
        out: &mut [u8],
        end: &mut End,
    ) -> io::Result<usize> {
        loop {
            match self.part {
                Part::Header => {
                    header(input, end)?;
                    self.inflate.reset(false);
                    self.crc.reset();
                    self.part = Part::Data;
                }
                Part::Data => {
                    let count = self.inflate(input, out)?;
                    if count > 0 {
                        self.crc.update(&out[..count]);
                        return Ok(count);
                    }
                }
                Part::Trailer => {
                    self.trailer(input, end)?;
                    let more = input.peek(MAGIC.len())?.starts_with(MAGIC);
                    self.part = if more { Part::Header } else { Part::End };
                    if !more {
                        end.trailing(input, "gzip member")?;
                    }
                }
                Part::End => return Ok(0),
            }
        }
    }

    /// Inflates some bytes; none when the data is over.
    fn inflate<R: Read, W: Watch>(&mut self, input: &mut Input<R, W>, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let here = input.fill()?;
            let is_over = here.is_empty();
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(here, out, FlushDecompress::None);
            let read = usize::try_from(self.inflate.total_in() - read).unwrap_or(usize::MAX);
            let written = usize::try_from(self.inflate.total_out() - written).unwrap_or(usize::MAX);
            input.consume(read);
            match status {
                Ok(Status::StreamEnd) => {
                    self.part = Part::Trailer;
                    return Ok(written);
                }
                _ if written > 0 => return Ok(written),
                Ok(_) if is_over => return Err(truncated(input.offset(), "compressed data")),
                Ok(_) if read > 0 => {}
                _ => return Err(corrupt(input.offset(), "the compressed data of the gzip stream is wrong")),
            }
        }
    }

    /// Checks the checksum and length at the end of a member.
    fn trailer<R: Read, W: Watch>(&mut self, input: &mut Input<R, W>, end: &mut End) -> io::Result<()> {
        let offset = input.offset();
        let at_hand = input.peek(8)?;
        let Some(trailer) = at_hand.first_chunk::<8>() else {
            let count = at_hand.len();
            input.consume(count);
            end.trouble(offset, format!("gzip checksum and length are missing: {count} of 8 bytes"));
            return Ok(());
        };
        let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
        if u32::from_le_bytes([c0, c1, c2, c3]) != self.crc.sum() {
            end.trouble(offset, "gzip checksum does not match".to_owned());
        } else if u32::from_le_bytes([l0, l1, l2, l3]) != self.crc.amount() {
            end.trouble(offset, "gzip length does not match".to_owned());
        }
        input.consume(8);
        Ok(())
    }
}

/// Reads a member's header; names and comments are passed over, however long.
fn header<R: Read, W: Watch>(input: &mut Input<R, W>, end: &mut End) -> io::Result<()> {
    let start = input.offset();
    let Some(&[_, _, method, flags, ..]) = input.peek(10)?.first_chunk::<10>() else {
        return Err(truncated(input.offset() + input.peek(10)?.len() as u64, "header"));
    };
    if method != DEFLATE {
        let what = format!("gzip with compression method {method}, which nobody knows");
        return Err(DecodeError::new(DecodeKind::Unsupported, start, what).into());
    }
    if flags & FLAGS_RESERVED != 0 {
        let what = format!("gzip with reserved flags {flags:#04x}");
        return Err(DecodeError::new(DecodeKind::Unsupported, start, what).into());
    }
    let mut crc = Crc::new();
    take(input, 10, &mut crc)?;
    if flags & FLAG_EXTRA != 0 {
        let length = input.peek(2)?.first_chunk::<2>().map_or(0, |length| u64::from(u16::from_le_bytes(*length)));
        take(input, 2 + length, &mut crc)?;
    }
    for flag in [FLAG_NAME, FLAG_COMMENT] {
        if flags & flag != 0 && text(input, &mut crc)? > GO_TEXT_MAX {
            end.note(format!("the gzip header at byte {start} has a name or comment too long for some runtimes"));
        }
    }
    if flags & FLAG_CRC != 0 {
        let expected = (crc.sum() & 0xffff).to_le_bytes();
        if input.peek(2)?.get(..2).is_some_and(|stored| stored != &expected[..2]) {
            end.trouble(start, "gzip header checksum does not match".to_owned());
        }
        take(input, 2, &mut crc)?;
    }
    Ok(())
}

/// Goes past `count` bytes of a header.
fn take<R: Read, W: Watch>(input: &mut Input<R, W>, count: u64, crc: &mut Crc) -> io::Result<()> {
    let mut left = usize::try_from(count).unwrap_or(usize::MAX);
    while left > 0 {
        let here = input.fill()?;
        if here.is_empty() {
            return Err(truncated(input.offset(), "header"));
        }
        let used = here.len().min(left);
        crc.update(&here[..used]);
        input.consume(used);
        left -= used;
    }
    Ok(())
}

/// Goes past text that ends in NUL; its length.
fn text<R: Read, W: Watch>(input: &mut Input<R, W>, crc: &mut Crc) -> io::Result<u64> {
    let start = input.offset();
    loop {
        let here = input.fill()?;
        let end = memchr::memchr(0, here);
        let length = here.len();
        take(input, end.map_or(length, |end| end + 1).max(1) as u64, crc)?;
        if end.is_some() {
            return Ok(input.offset() - start - 1);
        }
    }
}

fn truncated(offset: u64, part: &str) -> io::Error {
    DecodeError::new(DecodeKind::Truncated, offset, format!("the gzip stream ends within its {part}")).into()
}

fn corrupt(offset: u64, what: &str) -> io::Error {
    DecodeError::new(DecodeKind::Corrupt, offset, what).into()
}
