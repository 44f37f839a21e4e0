//! Frames of a zstd stream (RFC 8878). Frame and block headers are read here, so that limits hold before the library
//! allocates, a bad checksum costs no content and every error knows its place; the zstd library does the rest.

use super::error::{DecodeError, DecodeKind};
use super::{End, Input, Watch};
use std::fmt;
use std::io::{self, Read};
use zstd::stream::raw::{DParameter, Decoder, Operation};

const FRAME: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();
/// Skippable frames begin with 50 to 5f and this.
const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];
/// The longest frame header: magic, descriptor, window, dictionary, content size.
const HEADER_MAX: usize = 4 + 1 + 1 + 4 + 8;
const CHECKSUM: u64 = 4;

/// Whether a frame, skippable or not, begins here.
pub(super) fn is_frame(bytes: &[u8]) -> bool {
    bytes.starts_with(&FRAME) || matches!(bytes, [0x50..=0x5f, rest @ ..] if rest.starts_with(&SKIPPABLE))
}

/// Reads all frames as one stream.
pub(super) struct Zstd {
    decoder: Decoder<'static>,
    window_log: u32,
    part: Part,
    /// Bytes of the part that the library has not got yet.
    left: u64,
    /// Whether this frame ends in a checksum.
    checksum: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Start,
    FrameHeader,
    Block { last: bool },
    Checksum,
    End,
}

/// What a frame header says.
struct FrameHeader {
    length: usize,
    window: u64,
    dictionary: u32,
    checksum: bool,
}

impl Zstd {
    pub(super) fn new(window_log: u32) -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(window_log))?;
        Ok(Self { decoder, window_log, part: Part::Start, left: 0, checksum: false })
    }

    /// As [`Read::read`]; 0 at the end of the last frame.
    pub(super) fn read<R: Read, W: Watch>(
        &mut self,
        input: &mut Input<R, W>,
        out: &mut [u8],
        end: &mut End,
    ) -> io::Result<usize> {
        loop {
            match self.part {
                Part::Start => self.start(input, end)?,
                Part::End => return Ok(0),
                Part::FrameHeader | Part::Block { .. } | Part::Checksum => {
                    let here = input.fill()?;
                    let here = &here[..usize::try_from(self.left).map_or(here.len(), |left| left.min(here.len()))];
                    if here.is_empty() && self.left > 0 {
                        return Err(truncated(input.offset()));
                    }
                    let status = match self.decoder.run_on_buffers(here, out) {
                        Ok(status) => status,
                        // All content is out: only the checksum was left.
                        Err(_) if self.part == Part::Checksum => {
                            end.trouble(input.offset(), "zstd checksum does not match".to_owned());
                            input.consume(usize::try_from(self.left).unwrap_or(0));
                            self.decoder.reinit()?;
                            self.part = Part::Start;
                            continue;
                        }
                        Err(error) => {
                            let what = format!("the zstd stream is wrong: {error}");
                            return Err(DecodeError::new(DecodeKind::Corrupt, input.offset(), what).into());
                        }
                    };
                    input.consume(status.bytes_read);
                    self.left = self.left.saturating_sub(status.bytes_read as u64);
                    if status.bytes_written > 0 {
                        return Ok(status.bytes_written);
                    }
                    if self.left == 0 {
                        self.next_part(input)?;
                    }
                }
            }
        }
    }

    /// Between frames: goes past skippable ones and begins the next, or ends.
    fn start<R: Read, W: Watch>(&mut self, input: &mut Input<R, W>, end: &mut End) -> io::Result<()> {
        let offset = input.offset();
        let first = input.peek(HEADER_MAX)?;
        if !is_frame(first) {
            end.trailing(input, "zstd frame")?;
            self.part = Part::End;
        } else if first.starts_with(&FRAME) {
            let header = FrameHeader::read(first).ok_or_else(|| truncated(offset + first.len() as u64))?;
            self.check(&header, offset)?;
            self.part = Part::FrameHeader;
            self.left = header.length as u64;
            self.checksum = header.checksum;
        } else {
            let length =
                first.get(4..).and_then(|rest| rest.first_chunk::<4>()).map(|length| u32::from_le_bytes(*length));
            let length = u64::from(length.ok_or_else(|| truncated(offset + first.len() as u64))?) + 8;
            if input.skip(length)? < length {
                return Err(truncated(input.offset()));
            }
        }
        Ok(())
    }

    fn check(&self, header: &FrameHeader, offset: u64) -> io::Result<()> {
        let what = if header.dictionary != 0 {
            format!("zstd with dictionary {}, which no layer can have", header.dictionary)
        } else if header.window > 1_u64.checked_shl(self.window_log).unwrap_or(u64::MAX) {
            format!("zstd with a window of {} bytes, over the limit of 2^{}", header.window, self.window_log)
        } else {
            return Ok(());
        };
        Err(DecodeError::new(DecodeKind::Unsupported, offset, what).into())
    }

    /// The library has all of one part and has given out all that it makes of it.
    fn next_part<R: Read, W: Watch>(&mut self, input: &mut Input<R, W>) -> io::Result<()> {
        self.part = match self.part {
            Part::Block { last: true } if self.checksum => {
                self.left = CHECKSUM;
                Part::Checksum
            }
            Part::FrameHeader | Part::Block { last: false } => {
                let Some(&[b0, b1, b2]) = input.peek(3)?.first_chunk::<3>() else {
                    return Err(truncated(input.offset()));
                };
                let header = u32::from_le_bytes([b0, b1, b2, 0]);
                // A block of one repeated byte holds that byte; all others hold their size.
                let size = if header >> 1 & 3 == 1 { 1 } else { u64::from(header >> 3) };
                self.left = 3 + size;
                Part::Block { last: header & 1 == 1 }
            }
            Part::Block { last: true } | Part::Checksum | Part::Start | Part::End => Part::Start,
        };
        Ok(())
    }
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd").field("part", &self.part).field("left", &self.left).finish_non_exhaustive()
    }
}

impl FrameHeader {
    /// Reads a frame header, magic included; `None` when `bytes` end before it does.
    fn read(bytes: &[u8]) -> Option<Self> {
        let descriptor = *bytes.get(4)?;
        let single_segment = descriptor & 0x20 != 0;
        let mut at = 5;
        let mut number = |length: usize| {
            let field = bytes.get(at..at + length)?;
            at += length;
            Some(field.iter().rev().fold(0_u64, |value, &byte| value << 8 | u64::from(byte)))
        };
        let mut window = 0;
        if !single_segment {
            let byte = number(1)?;
            let base = 1_u64 << (10 + (byte >> 3));
            window = base + base / 8 * (byte & 7);
        }
        let dictionary = number([0, 1, 2, 4][usize::from(descriptor & 3)])?;
        let size = number(match descriptor >> 6 {
            0 => usize::from(single_segment),
            1 => 2,
            2 => 4,
            _ => 8,
        })?;
        if single_segment {
            window = size;
        }
        Some(Self {
            length: at,
            window,
            dictionary: u32::try_from(dictionary).unwrap_or(u32::MAX),
            checksum: descriptor & 4 != 0,
        })
    }
}

fn truncated(offset: u64) -> io::Error {
    DecodeError::new(DecodeKind::Truncated, offset, "the zstd stream ends within a frame").into()
}
