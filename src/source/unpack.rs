//! Takes off an outer compression: members of gzip (RFC 1952) or frames of zstd (RFC 8878), as many as follow one
//! another. What follows the last one and is none is counted, not an error: its bytes are no part of the archive.

use crate::model::Limits;
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};
use zstd::stream::read::Decoder;

/// Reads the decompressed stream.
pub(super) struct Unpack<R: BufRead> {
    /// `gzip` or `zstd`.
    name: &'static str,
    part: Part<R>,
    window_log: u32,
    /// Most bytes behind the compressed data that are counted: a pipe may never end.
    most: u64,
    /// Bytes behind the compressed data, and whether all of them are zeros.
    behind: (u64, bool),
}

enum Part<R: BufRead> {
    /// Before a member, or behind the last one.
    Between(Ahead<R>),
    Gzip(Box<GzDecoder<Ahead<R>>>),
    Zstd(Decoder<'static, Ahead<R>>),
    End,
}

impl<R: BufRead> Unpack<R> {
    /// Over `stored`, which is compressed as `name` says, from its beginning.
    pub(super) fn new(stored: R, name: &'static str, limits: &Limits) -> Self {
        let part = Part::Between(Ahead { head: Vec::new(), at: 0, stored });
        Self { name, part, window_log: limits.zstd_window_log, most: limits.spool, behind: (0, true) }
    }

    /// What there is to say of bytes behind the compressed data, once it is read to its end.
    pub(super) fn behind(&self) -> Option<String> {
        let (count, zeros) = self.behind;
        let kind = if zeros { "zero bytes" } else { "bytes that are no compressed data" };
        let what = format!("{count} {kind} after the {} around the archive: ignored, some tools refuse it", self.name);
        (count > 0).then_some(what)
    }

    /// Opens the next member, or ends with what is none.
    fn next(&mut self, mut stored: Ahead<R>) -> io::Result<Part<R>> {
        stored.look()?;
        if compression(&stored.head) != Some(self.name) {
            self.pass_over(stored)?;
            return Ok(Part::End);
        }
        if self.name == "gzip" {
            return Ok(Part::Gzip(Box::new(GzDecoder::new(stored))));
        }
        let mut decoder = Decoder::with_buffer(stored)?.single_frame();
        decoder.window_log_max(self.window_log)?;
        Ok(Part::Zstd(decoder))
    }

    fn pass_over(&mut self, mut stored: Ahead<R>) -> io::Result<()> {
        while self.behind.0 < self.most {
            let here = stored.fill_buf()?;
            let length = here.len();
            if length == 0 {
                break;
            }
            self.behind.0 += length as u64;
            self.behind.1 &= here.iter().all(|byte| *byte == 0);
            stored.consume(length);
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Unpack<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !out.is_empty() {
            let read = match &mut self.part {
                Part::Gzip(decoder) => decoder.read(out)?,
                Part::Zstd(decoder) => decoder.read(out)?,
                Part::Between(_) => 0,
                Part::End => return Ok(0),
            };
            if read > 0 {
                return Ok(read);
            }
            self.part = match std::mem::replace(&mut self.part, Part::End) {
                Part::Between(stored) => self.next(stored)?,
                Part::Gzip(decoder) => Part::Between((*decoder).into_inner()),
                Part::Zstd(decoder) => Part::Between(decoder.finish()),
                Part::End => Part::End,
            };
        }
        Ok(0)
    }
}

/// A reader whose next bytes can be looked at, wherever its buffer ends.
struct Ahead<R> {
    /// Bytes that were looked at, given again from `at`.
    head: Vec<u8>,
    at: usize,
    stored: R,
}

/// As many bytes as a magic number has.
const MAGIC: usize = 4;

impl<R: BufRead> Ahead<R> {
    /// Puts the next bytes into `head`: [`MAGIC`] of them, fewer at the end.
    fn look(&mut self) -> io::Result<()> {
        self.head.drain(..self.at);
        self.at = 0;
        let missing = MAGIC.saturating_sub(self.head.len()) as u64;
        (&mut self.stored).take(missing).read_to_end(&mut self.head)?;
        Ok(())
    }
}

impl<R: BufRead> BufRead for Ahead<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at < self.head.len() { Ok(&self.head[self.at..]) } else { self.stored.fill_buf() }
    }

    fn consume(&mut self, amount: usize) {
        if self.at < self.head.len() {
            self.at = (self.at + amount).min(self.head.len());
        } else {
            self.stored.consume(amount);
        }
    }
}

impl<R: BufRead> Read for Ahead<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

/// The compression that `head` begins with, when we can take it off.
pub(super) fn compression(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some("zstd"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Write as _};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(bytes, 1).unwrap()
    }

    /// The text, and what is said of bytes behind it; read through a buffer of `step` bytes.
    fn unpack(stored: &[u8], name: &'static str, step: usize) -> (io::Result<String>, Option<String>) {
        let mut unpack = Unpack::new(BufReader::with_capacity(step, stored), name, &Limits::default());
        let mut text = String::new();
        let read = unpack.read_to_string(&mut text);
        (read.map(|_| text), unpack.behind())
    }

    #[test]
    fn members_follow_one_another_and_the_rest_is_told() {
        let skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec();
        let more = |name| match name {
            "gzip" => vec![gzip(b"one "), gzip(b""), gzip(b"two")],
            _ => vec![zstd(b"one "), skippable.clone(), zstd(b""), zstd(b"two")],
        };
        for (name, step) in [("gzip", 1), ("gzip", 3), ("gzip", 4096), ("zstd", 1), ("zstd", 3), ("zstd", 4096)] {
            let whole = more(name).concat();
            for (rest, kind) in [
                (&b""[..], None),
                (b"\0\0\0\0\0", Some("5 zero bytes after the")),
                (b"\0", Some("1 zero bytes after the")),
                (b"garbage", Some("7 bytes that are no compressed data after the")),
            ] {
                let (text, behind) = unpack(&[&whole, rest].concat(), name, step);
                assert_eq!(text.unwrap(), "one two", "{name} {step}");
                let expected =
                    kind.map(|kind| format!("{kind} {name} around the archive: ignored, some tools refuse it"));
                assert_eq!(behind, expected, "{name} {step}");
            }
            assert!(unpack(&whole[..whole.len() - 1], name, step).0.is_err(), "cut off");
        }
    }
}
