//! The tar walk: takes the stream in blocks of any size and shows entries and their bodies as slices of those blocks.

use super::error::{TarError, TarTrouble, WalkError};
use super::header::{self, BLOCK, Block};
use super::notes::{Oddities, Oddity};
use super::pax::Records;
use super::sparse::{self, BodyMap, Map, OldMap, PaxSparse, Segment};
use crate::layer::Entry;
use crate::model::Limits;
use std::io::{self, Read};

/// eStargz puts its table of contents, as a tar of its own, after the end of the archive.
const STARGZ_INDEX: &[u8] = b"stargz.index.json";

/// What a walk shows. Calls for one entry: `entry`, any mix of `data` and `hole` in the order of the file, `end`. After
/// an error the last entry has no `end`.
pub trait Visit {
    /// An entry begins.
    fn entry(&mut self, entry: &Entry);

    /// Bytes of the current entry's body: `stream` is their offset in the decompressed stream, `file` that in the file.
    fn data(&mut self, stream: u64, file: u64, bytes: &[u8]);

    /// `length` zeros of a sparse file that the archive does not hold. They can be exbibytes: count, do not fill.
    fn hole(&mut self, file: u64, length: u64) {
        let _ = (file, length);
    }

    /// The current entry is complete.
    fn end(&mut self) {}

    /// Bytes after the end of the archive, from the first that is not zero: `stream` is their offset in the decompressed
    /// stream, `at` that from the first.
    fn trailing(&mut self, stream: u64, at: u64, bytes: &[u8]) {
        let _ = (stream, at, bytes);
    }
}

/// What is known at the end of a tar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TarEnd {
    /// How many entries were shown.
    pub entries: u32,
    /// Bytes other than zero after the two blocks of zeros that end an archive.
    pub trailing_nonzero: u64,
    /// What was odd: at most one sentence a kind, with a count.
    pub notes: Vec<String>,
}

/// The walk over one tar stream. Feed it all blocks in order, then [`TarWalk::finish`] it.
#[derive(Debug)]
pub struct TarWalk {
    extension_limit: usize,
    entries_limit: usize,
    /// Bytes consumed so far.
    offset: u64,
    state: State,
    /// A block that the feeding cut in two.
    block: Block,
    filled: usize,
    /// What stands before the next entry and speaks of it.
    before: Before,
    entry: Entry,
    entries: u32,
    body: Body,
    oddities: Oddities,
    trailing_nonzero: u64,
    /// The first bytes after the end, from one that is not zero, and where that is.
    trailing: Vec<u8>,
    trailing_from: u64,
    failed: Option<TarError>,
}

#[derive(Debug)]
enum State {
    /// A header block is due.
    Header,
    /// One block of zeros was there; a second ends the archive.
    SecondZero,
    /// Within the body of an extension header of this type flag.
    Extension(u8, Vec<u8>),
    /// A further block of an old GNU sparse map is due, for a file of this size.
    OldMap(OldMap, i64),
    /// A block of the sparse map in the body is due, for a file of this size.
    BodyMap(BodyMap, i64),
    /// Within the body of an entry.
    Body,
    /// Within the bytes that fill a body's last block.
    Padding(u64),
    /// After the end.
    End,
}

/// Extension headers wait here for their entry.
#[derive(Debug, Default)]
struct Before {
    pax: Option<Records>,
    long_name: Vec<u8>,
    long_link: Vec<u8>,
    count: u64,
}

/// The body that is being read.
#[derive(Debug, Default)]
struct Body {
    /// Bytes of it still to come in the archive.
    left: u64,
    padding: u64,
    /// Where in the file the next bytes belong.
    file: u64,
    /// The file's size.
    size: u64,
    segments: Vec<Segment>,
    next: usize,
}

impl TarWalk {
    /// A walk at the beginning of a stream.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            extension_limit: usize::try_from(limits.extension_header).unwrap_or(usize::MAX),
            entries_limit: limits.entries.min(u32::MAX as usize),
            offset: 0,
            state: State::Header,
            block: [0; BLOCK],
            filled: 0,
            before: Before::default(),
            entry: Entry::default(),
            entries: 0,
            body: Body::default(),
            oddities: Oddities::default(),
            trailing_nonzero: 0,
            trailing: Vec::new(),
            trailing_from: 0,
            failed: None,
        }
    }

    /// Takes the next bytes of the stream. After an error it takes no more and gives the same error again.
    pub fn feed(&mut self, mut block: &[u8], visit: &mut impl Visit) -> Result<(), TarError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        while !block.is_empty() {
            match self.step(block, visit) {
                Ok(used) => {
                    self.offset += used as u64;
                    block = &block[used..];
                }
                Err(trouble) => return Err(self.fail(trouble)),
            }
        }
        Ok(())
    }

    /// The stream is over.
    pub fn finish(&mut self, _visit: &mut impl Visit) -> Result<TarEnd, TarError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let within = match &self.state {
            State::Header if self.offset < BLOCK as u64 && self.filled > 0 => {
                return Err(self.fail(TarTrouble::NotTar(self.block[..self.filled.min(8)].into())));
            }
            State::Header | State::SecondZero if self.filled > 0 => Some("a header"),
            State::Extension(..) => Some("an extension header"),
            State::OldMap(..) | State::BodyMap(..) => Some("a sparse map"),
            State::Body => Some("a body"),
            State::Header | State::SecondZero | State::Padding(_) | State::End => None,
        };
        if let Some(part) = within {
            return Err(self.fail(TarTrouble::Truncated(part)));
        }
        self.forget_before(Oddity::DanglingExtension);
        if self.trailing == STARGZ_INDEX {
            self.oddities.forget(Oddity::TrailingBytes);
        }
        Ok(TarEnd { entries: self.entries, trailing_nonzero: self.trailing_nonzero, notes: self.oddities.sentences() })
    }

    /// What was odd so far; for streams that end in an error.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.oddities.sentences()
    }

    fn fail(&mut self, trouble: TarTrouble) -> TarError {
        // Within an entry its number and header are told; between entries, the place where the next should be.
        let within = matches!(self.state, State::OldMap(..) | State::BodyMap(..) | State::Body);
        let entry = if within { self.entries.saturating_sub(1) } else { self.entries };
        let error = TarError { entry, offset: self.entry.offset, trouble };
        self.failed = Some(error.clone());
        error
    }

    /// Uses some bytes of `input`, which is not empty, and says how many.
    fn step(&mut self, input: &[u8], visit: &mut impl Visit) -> Result<usize, TarTrouble> {
        match &mut self.state {
            State::Body => return self.body(input, visit),
            State::Padding(left) => {
                let used = capped(*left, input);
                *left -= used as u64;
                if *left == 0 {
                    self.state = State::Header;
                }
                return Ok(used);
            }
            State::Extension(_, text) => {
                let used = capped(self.body.left, input);
                text.extend_from_slice(&input[..used]);
                self.body.left -= used as u64;
                if self.body.left == 0 {
                    self.extension(visit)?;
                }
                return Ok(used);
            }
            State::End => {
                let begun = !self.trailing.is_empty();
                if let Some(first) = input.iter().position(|&byte| byte != 0) {
                    let count = input.iter().filter(|&&byte| byte != 0).count() as u64;
                    self.oddities.add(Oddity::TrailingBytes, count, self.offset + first as u64);
                    self.trailing_nonzero += count;
                    let skipped = if begun { 0 } else { first };
                    let bytes = &input[skipped..];
                    if !begun {
                        self.trailing_from = self.offset + first as u64;
                    }
                    let wanted = STARGZ_INDEX.len() - self.trailing.len();
                    self.trailing.extend_from_slice(&bytes[..wanted.min(bytes.len())]);
                    let stream = self.offset + skipped as u64;
                    visit.trailing(stream, stream - self.trailing_from, bytes);
                } else if begun {
                    visit.trailing(self.offset, self.offset - self.trailing_from, input);
                }
                return Ok(input.len());
            }
            State::BodyMap(..) if self.body.left < BLOCK as u64 => return Err(TarTrouble::Truncated("a sparse map")),
            State::Header | State::SecondZero | State::OldMap(..) | State::BodyMap(..) => {}
        }
        // All other states want a whole block.
        if self.filled == 0
            && let Some(block) = input.first_chunk::<BLOCK>()
        {
            self.block(block, BLOCK as u64, visit)?;
            return Ok(BLOCK);
        }
        let used = input.len().min(BLOCK - self.filled);
        if self.filled == 0 && matches!(self.state, State::Header | State::SecondZero) {
            self.entry.offset = self.offset;
        }
        self.block[self.filled..self.filled + used].copy_from_slice(&input[..used]);
        self.filled += used;
        if self.filled == BLOCK {
            self.filled = 0;
            let block = self.block;
            self.block(&block, used as u64, visit)?;
        }
        Ok(used)
    }

    /// A whole block is there, of which the last `used` bytes are not yet counted in the offset.
    fn block(&mut self, block: &Block, used: u64, visit: &mut impl Visit) -> Result<(), TarTrouble> {
        match std::mem::replace(&mut self.state, State::Header) {
            State::Header if *block == [0; BLOCK] => self.state = State::SecondZero,
            State::Header => {
                self.entry.offset = self.offset + used - BLOCK as u64;
                self.header(block, visit)?;
            }
            State::SecondZero if *block == [0; BLOCK] => self.state = State::End,
            State::SecondZero => {
                self.entry.offset = self.offset + used - BLOCK as u64;
                return Err(TarTrouble::LoneZeroBlock);
            }
            State::OldMap(mut map, size) => {
                if map.push(block, self.extension_limit)? {
                    self.state = State::OldMap(map, size);
                } else {
                    self.begin_sparse(&map.done(), size, visit)?;
                }
            }
            State::BodyMap(mut map, size) => {
                self.body.left -= BLOCK as u64;
                match map.push(block, self.extension_limit)? {
                    None => self.state = State::BodyMap(map, size),
                    Some(map) => self.begin_sparse(&map, size, visit)?,
                }
            }
            other => self.state = other,
        }
        Ok(())
    }

    /// Reads a header and enters what follows it.
    fn header(&mut self, block: &Block, visit: &mut impl Visit) -> Result<(), TarTrouble> {
        let (format, mut size) = header::read(block, &mut self.entry).map_err(|trouble| match trouble {
            TarTrouble::Checksum if self.entry.offset == 0 => TarTrouble::NotTar(block[..8].into()),
            other => other,
        })?;
        self.entry.xattrs.clear();
        let flag = self.entry.type_flag;
        self.set_body(flag, size)?;
        if matches!(flag, b'x' | b'g' | b'L' | b'K') {
            if self.body.left > self.extension_limit as u64 {
                return Err(TarTrouble::ExtensionTooLong(self.extension_limit as u64));
            }
            self.state = State::Extension(flag, Vec::new());
            return if self.body.left == 0 { self.extension(visit) } else { Ok(()) };
        }

        let Before { pax, long_name, long_link, count } = std::mem::take(&mut self.before);
        let records = pax.unwrap_or_default();
        records.apply(&mut self.entry, &mut size)?;
        if !long_name.is_empty() {
            self.entry.name = long_name;
        }
        if !long_link.is_empty() {
            self.entry.link = long_link;
        }
        if count > 0 {
            self.oddities.add(Oddity::RepeatedExtension, count, self.entry.offset);
        }
        if flag == 0 {
            self.entry.type_flag = if self.entry.name.ends_with(b"/") { b'5' } else { b'0' };
        }
        self.set_body(self.entry.type_flag, size)?;
        if usize::try_from(self.entries).is_ok_and(|count| count >= self.entries_limit) {
            return Err(TarTrouble::TooManyEntries(self.entries_limit));
        }

        if flag == b'S' {
            let (map, size, more) = OldMap::begin(block, format)?;
            if more {
                self.state = State::OldMap(map, size);
                return Ok(());
            }
            return self.begin_sparse(&map.done(), size, visit);
        }
        match sparse::from_records(&records, &mut self.entry.name, &mut size)? {
            PaxSparse::Map(map) => self.begin_sparse(&map, size, visit),
            PaxSparse::InBody if self.body.left < BLOCK as u64 => Err(TarTrouble::Truncated("a sparse map")),
            PaxSparse::InBody => {
                self.state = State::BodyMap(BodyMap::default(), size);
                Ok(())
            }
            PaxSparse::No => {
                let whole = Segment { offset: 0, length: self.body.left };
                self.body.segments.extend((whole.length > 0).then_some(whole));
                self.begin(self.body.left, size, visit)
            }
        }
    }

    /// A body of `size` bytes follows, or none for a type that has none.
    fn set_body(&mut self, type_flag: u8, size: i64) -> Result<(), TarTrouble> {
        let left = if has_body(type_flag) { u64::try_from(size).map_err(|_| TarTrouble::NegativeSize)? } else { 0 };
        self.body.left = left;
        self.body.padding = left.wrapping_neg() % BLOCK as u64;
        self.body.segments.clear();
        Ok(())
    }

    /// Shows a sparse file and enters its data.
    fn begin_sparse(&mut self, map: &Map, size: i64, visit: &mut impl Visit) -> Result<(), TarTrouble> {
        if !has_body(self.entry.type_flag) {
            return Err(TarTrouble::SparseMap("a type without a body"));
        }
        sparse::segments(map, size, &mut self.body.segments)?;
        self.begin(size.cast_unsigned(), size, visit)
    }

    /// Shows the entry, whose body has `size` bytes and whose header claims `claimed`, and enters its body.
    fn begin(&mut self, size: u64, claimed: i64, visit: &mut impl Visit) -> Result<(), TarTrouble> {
        self.entry.size = u64::try_from(claimed).unwrap_or(0);
        let oddity = match self.entry.type_flag {
            b'0' => None,
            b'S' => Some(Oddity::SparseType),
            flag if has_body(flag) => Some(Oddity::UnknownType),
            _ => (claimed != 0).then_some(Oddity::SizeWithoutBody),
        };
        if let Some(oddity) = oddity {
            self.oddities.add(oddity, 1, self.entry.offset);
        }
        self.body.file = 0;
        self.body.size = size;
        self.body.next = 0;
        self.show(visit);
        self.state = State::Body;
        self.settle(visit)
    }

    fn show(&mut self, visit: &mut impl Visit) {
        self.entry.index = self.entries;
        self.entries += 1;
        visit.entry(&self.entry);
    }

    /// Passes on bytes of a body.
    fn body(&mut self, input: &[u8], visit: &mut impl Visit) -> Result<usize, TarTrouble> {
        let body = &mut self.body;
        let Some(segment) = body.segments.get(body.next) else {
            return Err(TarTrouble::SparseMap("the body holds data that the map does not name"));
        };
        let of_segment = segment.offset + segment.length - body.file;
        let used = capped(of_segment.min(body.left), input);
        visit.data(self.offset, body.file, &input[..used]);
        body.file += used as u64;
        body.left -= used as u64;
        if body.file == segment.offset + segment.length {
            body.next += 1;
        }
        self.settle(visit)?;
        Ok(used)
    }

    /// Passes on the holes that are due and leaves the body when it is complete.
    fn settle(&mut self, visit: &mut impl Visit) -> Result<(), TarTrouble> {
        let body = &mut self.body;
        let due = body.segments.get(body.next).map_or(body.size, |segment| segment.offset);
        if body.file < due {
            visit.hole(body.file, due - body.file);
            body.file = due;
        }
        match (body.next < body.segments.len(), body.left > 0) {
            (true, true) => return Ok(()),
            (true, false) => return Err(TarTrouble::SparseMap("the map names data that is not there")),
            (false, true) => return Err(TarTrouble::SparseMap("the body holds data that the map does not name")),
            (false, false) => {}
        }
        visit.end();
        self.state = padding(body.padding);
        Ok(())
    }

    /// An extension header is complete.
    fn extension(&mut self, visit: &mut impl Visit) -> Result<(), TarTrouble> {
        let next = padding(self.body.padding);
        let State::Extension(flag, text) = std::mem::replace(&mut self.state, next) else { return Ok(()) };
        let repeated = match flag {
            b'x' => self.before.pax.replace(Records::parse(&text)?).is_some(),
            b'L' => replace(&mut self.before.long_name, &text),
            b'K' => replace(&mut self.before.long_link, &text),
            _ => {
                self.global(&Records::parse(&text)?, visit);
                false
            }
        };
        self.before.count += u64::from(repeated);
        Ok(())
    }

    /// A global header: an entry that nobody applies (and that cuts off what stood before it).
    fn global(&mut self, records: &Records, visit: &mut impl Visit) {
        self.forget_before(Oddity::DroppedExtension);
        if ["path", "linkpath", "size"].into_iter().any(|key| !records.get(key).is_empty()) {
            self.oddities.add(Oddity::GlobalHeader, 1, self.entry.offset);
        }
        let header = std::mem::take(&mut self.entry);
        self.entry = Entry { offset: header.offset, name: header.name, type_flag: b'g', ..Entry::default() };
        if !records.get("path").is_empty() {
            self.entry.name = records.get("path").to_vec();
        }
        self.entry.records = records.others();
        self.show(visit);
        visit.end();
    }

    fn forget_before(&mut self, oddity: Oddity) {
        let before = std::mem::take(&mut self.before);
        if before.pax.is_some() || !before.long_name.is_empty() || !before.long_link.is_empty() {
            self.oddities.add(oddity, 1, self.entry.offset);
        }
    }
}

/// Walks a whole stream, reading 256 KiB at a time. After an error the rest of the stream is unread.
pub fn walk(mut layer: impl Read, limits: &Limits, visit: &mut impl Visit) -> Result<TarEnd, WalkError> {
    let mut tar = TarWalk::new(limits);
    let mut buffer = vec![0; 256 << 10];
    loop {
        match layer.read(&mut buffer) {
            Ok(0) => return Ok(tar.finish(visit)?),
            Ok(count) => tar.feed(&buffer[..count], visit)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(WalkError::Read(error)),
        }
    }
}

/// Types `1` to `6` are a header and nothing else, whatever size they claim.
fn has_body(type_flag: u8) -> bool {
    !matches!(type_flag, b'1'..=b'6')
}

fn padding(bytes: u64) -> State {
    if bytes == 0 { State::Header } else { State::Padding(bytes) }
}

/// How many bytes of `input` belong to something of `left` bytes.
fn capped(left: u64, input: &[u8]) -> usize {
    usize::try_from(left).map_or(input.len(), |left| left.min(input.len()))
}

/// Sets a long name; whether there was one.
fn replace(name: &mut Vec<u8>, text: &[u8]) -> bool {
    let before = std::mem::replace(name, header::text(text).to_vec());
    !before.is_empty()
}
