//! Maps of sparse files in GNU's four ways of writing them, checked before anything is read by them.

use super::error::TarTrouble;
use super::header::{BLOCK, Block, Format, decimal, numeric};
use super::pax::{Records, key};

/// A run of bytes that the archive holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Its place in the file.
    pub(super) offset: u64,
    /// Its length, never 0.
    pub(super) length: u64,
}

/// A map as written: pairs of offset and length.
pub(super) type Map = Vec<(i64, i64)>;

/// What the PAX records say of a sparse file.
pub(super) enum PaxSparse {
    /// Nothing, or a version that nobody knows.
    No,
    /// The map stands in the records.
    Map(Map),
    /// The map stands before the data.
    InBody,
}

/// The map of the old GNU format, which begins in the header and goes on in blocks of its own.
#[derive(Debug, Default)]
pub(super) struct OldMap {
    map: Map,
    bytes: usize,
}

/// The map of PAX format 1.0, which stands as decimal lines in the first blocks of the body.
#[derive(Debug, Default)]
pub(super) struct BodyMap {
    text: Vec<u8>,
    lines: usize,
    numbers: Option<usize>,
}

const ENTRY: usize = 24;
const IN_HEADER: std::ops::Range<usize> = 386..483;
const REAL_SIZE: std::ops::Range<usize> = 483..495;
const MANY: TarTrouble = TarTrouble::SparseMap("the number of entries is wrong");
const NOT_NUMBERS: TarTrouble = TarTrouble::SparseMap("the map holds something that is not a number");

/// The runs of data in a file of `size` bytes; refuses maps that overlap, run backwards or pass the file's end.
pub(super) fn segments(map: &[(i64, i64)], size: i64, into: &mut Vec<Segment>) -> Result<(), TarTrouble> {
    let mut end = 0;
    for &(offset, length) in map {
        if offset < end || length < 0 {
            return Err(TarTrouble::SparseMap("the map overlaps or runs backwards"));
        }
        end = offset
            .checked_add(length)
            .filter(|end| *end <= size)
            .ok_or(TarTrouble::SparseMap("the map passes the file's end"))?;
        if length > 0 {
            into.push(Segment { offset: offset.cast_unsigned(), length: length.cast_unsigned() });
        }
    }
    if size < 0 { Err(TarTrouble::SparseMap("the size is negative")) } else { Ok(()) }
}

impl OldMap {
    /// Begins with the header block of an entry of type `S`. Returns the map so far, the file's size, and whether a
    /// further block follows.
    pub(super) fn begin(header: &Block, format: Format) -> Result<(Self, i64, bool), TarTrouble> {
        if format != Format::Gnu {
            return Err(TarTrouble::SparseMap("type S in a header that is not GNU's"));
        }
        let size = numeric(&header[REAL_SIZE]).ok_or(TarTrouble::Number("real size"))?;
        let mut map = Self::default();
        let more = map.read(&header[IN_HEADER])?;
        Ok((map, size, more))
    }

    /// Takes the next block; says whether another follows.
    pub(super) fn push(&mut self, block: &Block, limit: usize) -> Result<bool, TarTrouble> {
        if self.bytes + BLOCK >= limit {
            return Err(TarTrouble::ExtensionTooLong(limit as u64));
        }
        self.read(block)
    }

    /// The whole map.
    pub(super) fn done(self) -> Map {
        self.map
    }

    /// Reads a table of entries with the flag behind it that says whether another block follows.
    fn read(&mut self, table: &[u8]) -> Result<bool, TarTrouble> {
        self.bytes += table.len();
        let count = table.len() / ENTRY;
        for entry in table.chunks_exact(ENTRY).take_while(|entry| entry[0] != 0) {
            let (offset, length) = entry.split_at(ENTRY / 2);
            self.map.push((numeric(offset).ok_or(NOT_NUMBERS)?, numeric(length).ok_or(NOT_NUMBERS)?));
        }
        Ok(table.get(count * ENTRY).is_some_and(|&flag| flag > 0))
    }
}

impl BodyMap {
    /// Takes the next block of the body; the map when it is complete.
    pub(super) fn push(&mut self, block: &[u8; BLOCK], limit: usize) -> Result<Option<Map>, TarTrouble> {
        if self.text.len() + BLOCK > limit {
            return Err(TarTrouble::ExtensionTooLong(limit as u64));
        }
        self.text.extend_from_slice(block);
        self.lines += memchr::memchr_iter(b'\n', block).count();
        if self.numbers.is_none() && self.lines > 0 {
            let count = decimal(self.text.split(|&byte| byte == b'\n').next().unwrap_or(&[])).ok_or(MANY)?;
            self.numbers = Some(usize::try_from(count).ok().and_then(pairs).ok_or(MANY)?);
        }
        match self.numbers {
            Some(numbers) if self.lines > numbers => {
                let lines = self.text.split(|&byte| byte == b'\n').skip(1).take(numbers);
                map_of(lines).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// What `records` say; sets `name` and `size` to the real ones.
pub(super) fn from_records(records: &Records, name: &mut Vec<u8>, size: &mut i64) -> Result<PaxSparse, TarTrouble> {
    let in_body = match (records.get(key::MAJOR), records.get(key::MINOR)) {
        (b"0", b"0" | b"1") => false,
        (b"1", b"0") => true,
        (b"", b"") if !records.get(key::MAP).is_empty() => false,
        _ => return Ok(PaxSparse::No),
    };
    if !records.get(key::NAME).is_empty() {
        name.clear();
        name.extend_from_slice(records.get(key::NAME));
    }
    let real = [key::SIZE, key::REAL_SIZE].map(|key| records.get(key)).into_iter().find(|value| !value.is_empty());
    if let Some(real) = real {
        *size = decimal(real).ok_or(TarTrouble::PaxValue(key::SIZE))?;
    }
    if in_body {
        return Ok(PaxSparse::InBody);
    }
    let count = decimal(records.get(key::BLOCKS)).and_then(|count| usize::try_from(count).ok()).ok_or(MANY)?;
    let map = records.get(key::MAP);
    let written = if map.is_empty() { 0 } else { memchr::memchr_iter(b',', map).count() + 1 };
    if pairs(count) != Some(written) {
        return Err(MANY);
    }
    map_of(map.split(|&byte| byte == b',').take(written)).map(PaxSparse::Map)
}

/// How many numbers `count` entries take.
fn pairs(count: usize) -> Option<usize> {
    count.checked_mul(2).filter(|numbers| isize::try_from(*numbers).is_ok())
}

/// Decimal numbers, two an entry.
fn map_of<'a>(mut numbers: impl Iterator<Item = &'a [u8]>) -> Result<Map, TarTrouble> {
    let mut map = Map::new();
    while let (Some(offset), Some(length)) = (numbers.next(), numbers.next()) {
        map.push((decimal(offset).ok_or(NOT_NUMBERS)?, decimal(length).ok_or(NOT_NUMBERS)?));
    }
    Ok(map)
}
