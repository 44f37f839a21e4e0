//! The stored bytes, buffered, with their offset, and shown to whoever watches them.

use std::io::{self, Read};

const BUFFER: usize = 256 << 10;

/// What a buffer begins with, bytes: most streams inside of others are short, and to clear more takes longer than to read
/// them.
const FIRST: usize = 4 << 10;

/// Sees every stored byte once, in order, at the latest when its place in the buffer is needed: a hash, say.
pub trait Watch {
    /// The next bytes.
    fn watch(&mut self, bytes: &[u8]);
}

/// Nobody watches.
impl Watch for () {
    fn watch(&mut self, _: &[u8]) {}
}

/// A buffered reader that knows where it is and can look ahead.
#[derive(Debug)]
pub struct Input<R, W = ()> {
    reader: R,
    watch: W,
    buffer: Box<[u8]>,
    /// The largest that the buffer grows, and whether it was full.
    most: usize,
    full: bool,
    start: usize,
    end: usize,
    /// Where in the buffer the bytes begin that were not watched.
    unwatched: usize,
    offset: u64,
}

impl<R: Read> Input<R> {
    /// With a buffer of `size` bytes.
    pub fn with_buffer(reader: R, size: usize) -> Self {
        Self::new(reader, (), size)
    }
}

impl<R: Read, W: Watch> Input<R, W> {
    /// The same with a large buffer, and `watch` sees its bytes.
    pub(super) fn watched(reader: R, watch: W) -> Self {
        Self::new(reader, watch, BUFFER)
    }

    fn new(reader: R, watch: W, size: usize) -> Self {
        let buffer = vec![0; size.min(FIRST)].into_boxed_slice();
        Self { reader, watch, buffer, most: size, full: false, start: 0, end: 0, unwatched: 0, offset: 0 }
    }

    /// Who watches, and the bytes that were read and not watched yet.
    pub(super) fn unwatched(&mut self) -> (&mut W, &[u8]) {
        (&mut self.watch, &self.buffer[self.unwatched..self.end])
    }

    /// The next `count` bytes are watched.
    pub(super) fn saw(&mut self, count: usize) {
        self.unwatched = (self.unwatched + count).min(self.end);
    }

    /// Who watches, once all that was read is watched.
    pub(super) fn watch_all(&mut self) -> &mut W {
        self.watch.watch(&self.buffer[self.unwatched..self.end]);
        self.unwatched = self.end;
        &mut self.watch
    }

    /// Bytes consumed so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes at hand, at least one unless the stream is over.
    pub fn fill(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    /// The bytes at hand, at least `count` (at most the buffer's size) unless the stream ends before.
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.end - self.start < count {
            if self.start > 0 {
                self.watch_all();
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
                self.unwatched = self.end;
            }
            if self.full && self.buffer.len() < self.most {
                let mut larger = vec![0; self.most.min(8 * self.buffer.len())];
                larger[..self.end].copy_from_slice(&self.buffer[..self.end]);
                self.buffer = larger.into_boxed_slice();
            }
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => {
                    self.end += read;
                    self.full = self.end == self.buffer.len();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// As [`Read::read`], past the buffer where it is empty.
    pub(super) fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = if self.start == self.end {
            self.watch_all();
            let count = self.reader.read(out)?;
            self.watch.watch(&out[..count]);
            count
        } else {
            let count = out.len().min(self.end - self.start);
            out[..count].copy_from_slice(&self.buffer[self.start..self.start + count]);
            self.start += count;
            count
        };
        self.offset += count as u64;
        Ok(count)
    }

    /// Goes past `count` bytes of those at hand.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        self.offset += count as u64;
    }

    /// Goes past up to `count` bytes; how many there were.
    pub fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let here = self.fill()?.len();
            if here == 0 {
                break;
            }
            let used = usize::try_from(left).map_or(here, |left| left.min(here));
            self.consume(used);
            left -= used as u64;
        }
        Ok(count - left)
    }

    pub(super) fn into_reader(self) -> R {
        self.reader
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        Input::read(self, out)
    }
}
