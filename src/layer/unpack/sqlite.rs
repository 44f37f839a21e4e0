//! Rows of a SQLite database that go over several pages (SQLite file format, "Cell Payload Overflow Pages"): each as a
//! member whose content is its values, one a line. Everything else in a database stands in one piece and needs no reading.

use super::{Members, Stored};
use std::collections::BTreeSet;
use std::io::{self, Read as _};

pub(super) const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The largest database that is held, bytes.
const MOST: usize = 16 << 20;

/// Bytes before the first page's own header.
const HEADER: usize = 100;

const LEAF_OF_TABLE: u8 = 0x0d;
const LEAF_OF_INDEX: u8 = 0x0a;
const INNER_OF_INDEX: u8 = 0x02;

/// Reads a database.
pub(super) struct Sqlite {
    bytes: Vec<u8>,
    page: usize,
    /// Bytes of a page that are used.
    usable: usize,
    /// The page, and the cell in it, that come next.
    next: (usize, usize),
    /// Bytes of that page which its next cells may take: cells that overlap are no SQLite's.
    room: usize,
    /// Pages that a row went on in: none belongs to two.
    met: BTreeSet<usize>,
    row: io::Cursor<Vec<u8>>,
    odd: Option<(bool, String)>,
}

impl Sqlite {
    pub(super) fn new(stored: &mut Stored<'_>) -> io::Result<Self> {
        let mut bytes = Vec::new();
        stored.take(MOST as u64 + 1).read_to_end(&mut bytes)?;
        let odd = (bytes.len() > MOST).then(|| {
            (
                false,
                format!("a SQLite database of more than {MOST} bytes: its rows over several pages were read in pieces"),
            )
        });
        if odd.is_some() {
            bytes.clear();
        }
        let page = match (bytes.get(16), bytes.get(17)) {
            (Some(0), Some(1)) => 1 << 16,
            (Some(&high), Some(&low)) => usize::from(high) << 8 | usize::from(low),
            _ => 0,
        };
        let usable = page.saturating_sub(bytes.get(20).copied().unwrap_or(0).into());
        // The format allows no smaller ones.
        let right = page.is_power_of_two() && page >= 512 && usable >= 480;
        if !right {
            bytes.clear();
        }
        Ok(Self {
            bytes,
            page: page.max(1),
            usable,
            next: (0, 0),
            room: page,
            met: BTreeSet::new(),
            row: io::Cursor::default(),
            odd,
        })
    }

    /// Page `number`, from 0.
    fn page(&self, number: usize) -> Option<&[u8]> {
        let at = number.checked_mul(self.page)?;
        self.bytes.get(at..at + self.usable)
    }

    /// The next row that goes over several pages, and its page.
    fn next_row(&mut self) -> Option<(usize, Vec<u8>)> {
        loop {
            let (number, cell) = self.next;
            let count = self.page(number).map(|page| cells(page, number))?;
            if cell >= count {
                (self.next, self.room) = ((number + 1, 0), self.page);
                continue;
            }
            self.next = (number, cell + 1);
            let Some((mut payload, length, more)) = self.page(number).and_then(|page| self.cell(page, number, cell))
            else {
                continue;
            };
            let Some(room) = self.room.checked_sub(payload.len()) else {
                self.next = (number, count);
                continue;
            };
            self.room = room;
            self.follow(&mut payload, length, more);
            return Some((number, payload));
        }
    }

    /// What cell `cell` of a page has of a payload that goes on elsewhere, the payload's length, and where it goes on.
    fn cell(&self, page: &[u8], number: usize, cell: usize) -> Option<(Vec<u8>, usize, usize)> {
        let begin = if number == 0 { HEADER } else { 0 };
        let kind = *page.get(begin)?;
        let pointers = begin + if kind == INNER_OF_INDEX { 12 } else { 8 };
        let at = usize::from(short(page, pointers + 2 * cell)?);
        let mut rest = page.get(at..)?;
        if kind == INNER_OF_INDEX {
            rest = rest.get(4..)?;
        }
        let length = usize::try_from(varint(&mut rest)?).ok()?;
        if kind == LEAF_OF_TABLE {
            varint(&mut rest)?;
        }
        let usable = self.usable;
        let most = if kind == LEAF_OF_TABLE { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        let least = (usable - 12) * 32 / 255 - 23;
        if length <= most || length > self.bytes.len() {
            return None;
        }
        let wanted = least + (length - least) % (usable - 4);
        let here = if wanted <= most { wanted } else { least };
        let (payload, behind) = rest.split_at_checked(here)?;
        let more = u32::from_be_bytes(*behind.first_chunk()?);
        Some((payload.to_vec(), length, usize::try_from(more).ok()?))
    }

    /// Adds what stands in the pages from `more` on, which count from 1.
    fn follow(&mut self, payload: &mut Vec<u8>, length: usize, mut more: usize) {
        while payload.len() < length
            && let Some(number) = more.checked_sub(1)
            && self.met.insert(number)
            && let Some((next, content)) = self.page(number).and_then(<[u8]>::split_first_chunk::<4>)
        {
            payload.extend_from_slice(&content[..content.len().min(length - payload.len())]);
            more = usize::try_from(u32::from_be_bytes(*next)).unwrap_or(0);
        }
    }
}

impl Members for Sqlite {
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some((page, payload)) = self.next_row() else { return Ok(None) };
        self.row = io::Cursor::new(values(&payload));
        Ok(Some(format!("page {}", page + 1).into_bytes()))
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.row.read(out)
    }

    fn oddity(&mut self) -> Option<(bool, String)> {
        self.odd.take()
    }
}

/// How many cells a page has that may hold a payload.
fn cells(page: &[u8], number: usize) -> usize {
    let begin = if number == 0 { HEADER } else { 0 };
    match page.get(begin) {
        // No page has room for more: two bytes point at each, and none with a payload is shorter than four.
        Some(&(LEAF_OF_TABLE | LEAF_OF_INDEX | INNER_OF_INDEX)) => {
            short(page, begin + 3).map_or(0, usize::from).min(page.len() / 6)
        }
        _ => 0,
    }
}

/// The values of a row, each on a line of its own; a payload that is no row as it is.
fn values(payload: &[u8]) -> Vec<u8> {
    read_values(payload).unwrap_or_else(|| payload.to_vec())
}

fn read_values(payload: &[u8]) -> Option<Vec<u8>> {
    let mut rest = payload;
    let header = usize::try_from(varint(&mut rest)?).ok()?;
    let mut types = payload.get(payload.len() - rest.len()..header)?;
    let mut content = payload.get(header..)?;
    let mut out = Vec::with_capacity(payload.len());
    while !types.is_empty() {
        let length = match varint(&mut types)? {
            number @ 0..=4 => number,
            5 => 6,
            6 | 7 => 8,
            number @ 12.. => (number - 12) / 2,
            _ => 0,
        };
        let length = usize::try_from(length).ok()?.min(content.len());
        let (value, behind) = content.split_at(length);
        out.extend_from_slice(value);
        out.push(b'\n');
        content = behind;
    }
    Some(out)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

/// A number of one to nine bytes, the upper bits first.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for turn in 0..9 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if turn == 8 {
            return Some(number << 8 | u64::from(byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
