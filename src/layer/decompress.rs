//! Stored layer to decompressed stream: gzip, zstd or plain, told by the first bytes and never by a media type. Memory
//! is flat: nothing is allocated from a claimed size, and the zstd window has a limit.

mod error;
mod gzip;
mod input;
mod zstd;

pub use error::{DecodeError, DecodeKind};

use self::zstd::Zstd;
use super::tar::is_header;
use crate::model::Limits;
use gzip::Gzip;
pub use input::{Input, Watch};
use std::io::{self, Read};

/// Formats that are named, not read: magic and name.
const UNSUPPORTED: &[(&[u8], &str)] = &[
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x02\x21\x4c\x18", "legacy lz4"),
    (b"\x5d\x00\x00", "lzma"),
    (b"LZIP", "lzip"),
    (b"\x1f\x9d", "compress"),
    (b"PK\x03\x04", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x78\x01", "zlib"),
    (b"\x78\x5e", "zlib"),
    (b"\x78\x9c", "zlib"),
    (b"\x78\xda", "zlib"),
];

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    Plain,
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several, skippable ones too.
    Zstd,
}

/// Reads the decompressed stream. Reads want large buffers (256 KiB). Errors of the reader below come through as they
/// are; its own are a [`DecodeError`], which [`DecodeError::of`] finds. An error of [`DecodeKind::Integrity`] comes after
/// the last byte: all content was read.
#[derive(Debug)]
pub struct Decoder<R, W = ()> {
    input: Input<R, W>,
    state: State,
    zstd_window_log: u32,
    end: End,
}

#[derive(Debug)]
enum State {
    Start,
    Plain,
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
    Failed(DecodeError),
}

/// What is told at the end.
#[derive(Debug, Default)]
struct End {
    trouble: Option<DecodeError>,
    notes: Vec<String>,
}

impl<R: Read> Decoder<R> {
    /// A decoder over the stored bytes, from their beginning.
    pub fn new(stored: R, limits: &Limits) -> Self {
        Self::watched(stored, (), limits)
    }

    /// The same with a buffer of `size` bytes.
    pub fn with_buffer(stored: R, size: usize, limits: &Limits) -> Self {
        Self::over(Input::with_buffer(stored, size), limits)
    }
}

impl<R: Read, W: Watch> Decoder<R, W> {
    /// The same, and `watch` sees the stored bytes.
    pub fn watched(stored: R, watch: W, limits: &Limits) -> Self {
        Self::over(Input::watched(stored, watch), limits)
    }

    fn over(input: Input<R, W>, limits: &Limits) -> Self {
        Self { input, state: State::Start, zstd_window_log: limits.zstd_window_log, end: End::default() }
    }

    /// Who watches, and the stored bytes at hand that it has not seen; [`Decoder::saw`] says how many of them it has now.
    /// It may, not must: what it has not seen is shown to it before it is overwritten.
    pub fn unwatched(&mut self) -> (&mut W, &[u8]) {
        self.input.unwatched()
    }

    /// The first `count` of the bytes of [`Decoder::unwatched`] were seen.
    pub fn saw(&mut self, count: usize) {
        self.input.saw(count);
    }

    /// Who watches, once it has seen all that was read.
    pub fn watcher(&mut self) -> &mut W {
        self.input.watch_all()
    }

    /// How the stream is compressed; looks at its first bytes.
    pub fn compression(&mut self) -> io::Result<Compression> {
        if let State::Start = self.state {
            self.state = self.sniff()?;
        }
        Ok(match self.state {
            State::Gzip(_) => Compression::Gzip,
            State::Zstd(_) => Compression::Zstd,
            State::Start | State::Plain | State::Failed(_) => Compression::Plain,
        })
    }

    /// What was odd and stopped nothing; complete at the end of the stream.
    pub fn notes(&self) -> &[String] {
        &self.end.notes
    }

    /// The reader below, for reading what is left of it (to verify it, say). Some of it may have been read ahead.
    pub fn into_inner(self) -> R {
        self.input.into_reader()
    }

    fn sniff(&mut self) -> io::Result<State> {
        let first = self.input.peek(512)?;
        // A plain tar may begin with such a name.
        if first.starts_with(gzip::MAGIC) && !is_header(first) {
            return Ok(State::Gzip(Box::default()));
        }
        if zstd::is_frame(first) {
            return Ok(State::Zstd(Box::new(Zstd::new(self.zstd_window_log)?)));
        }
        // A tar may begin with a file that is called like a magic number.
        let known = UNSUPPORTED.iter().find(|(magic, _)| first.starts_with(magic) && !is_header(first));
        Ok(known.map_or(State::Plain, |(_, name)| {
            State::Failed(DecodeError::new(
                DecodeKind::Unsupported,
                0,
                format!("compressed with {name}, which is not read"),
            ))
        }))
    }
}

impl<R: Read, W: Watch> Read for Decoder<R, W> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let State::Start = self.state {
            self.state = self.sniff()?;
        }
        if out.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.state {
            State::Start => Ok(0),
            State::Plain => self.input.read(out),
            State::Gzip(gzip) => gzip.read(&mut self.input, out, &mut self.end),
            State::Zstd(zstd) => zstd.read(&mut self.input, out, &mut self.end),
            State::Failed(error) => return Err(error.clone().into()),
        };
        match read {
            Ok(0) if let Some(trouble) = self.end.trouble.take() => {
                self.state = State::Failed(trouble.clone());
                Err(trouble.into())
            }
            Err(error) => {
                if let Some(error) = DecodeError::of(&error) {
                    self.state = State::Failed(error.clone());
                }
                Err(error)
            }
            read => read,
        }
    }
}

impl End {
    /// Remembers the first trouble.
    fn trouble(&mut self, offset: u64, what: String) {
        self.trouble.get_or_insert_with(|| DecodeError::new(DecodeKind::Integrity, offset, what));
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Reads what follows the last `unit` and tells of it.
    fn trailing<R: Read, W: Watch>(&mut self, input: &mut Input<R, W>, unit: &str) -> io::Result<()> {
        let start = input.offset();
        let mut other = 0_u64;
        loop {
            let here = input.fill()?;
            if here.is_empty() {
                break;
            }
            other += here.iter().filter(|&&byte| byte != 0).count() as u64;
            let length = here.len();
            input.consume(length);
        }
        let count = input.offset() - start;
        if count > 0 {
            let kind = if other == 0 { "zero bytes" } else { "bytes that are no compressed data" };
            self.note(format!(
                "{count} {kind} after the last {unit} (at byte {start}): ignored, some runtimes refuse the layer"
            ));
        }
        Ok(())
    }
}
