//! Reads the rows of one table out of the bytes of an SQLite 3 database (sqlite.org/fileformat2.html). No SQL, no
//! indexes, no journal: b-tree pages, cells, overflow chains, records.

/// Why a database cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No SQLite header, or a page size that is none.
    NotADatabase,
    /// A page, cell or record that does not hold together.
    Corrupt,
    /// It has no such table.
    NoTable,
}

/// A database.
pub(super) struct Database<'a> {
    bytes: &'a [u8],
    page_size: usize,
    /// Page size without the reserved bytes at each page's end.
    usable: usize,
    /// Pages of the file.
    pages: u32,
}

/// A value of a record; numbers that are of no use here are not told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Integer(i64),
    Bytes(std::ops::Range<usize>),
    Other,
}

impl<'a> Database<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Trouble> {
        let header = bytes.get(..100).filter(|header| header.starts_with(b"SQLite format 3\0"));
        let header = header.ok_or(Trouble::NotADatabase)?;
        let page_size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            size if size >= 512 && size.is_power_of_two() => usize::from(size),
            _ => return Err(Trouble::NotADatabase),
        };
        let usable = page_size - usize::from(header[20]);
        if usable < 480 {
            return Err(Trouble::NotADatabase);
        }
        let pages = u32::try_from(bytes.len() / page_size).unwrap_or(u32::MAX);
        Ok(Self { bytes, page_size, usable, pages })
    }

    /// Gives column `column` of every row of `table`, where it is text or a blob, in the order of row ids. What is
    /// corrupt ends the reading; rows before it have been given. Every page is read at most once, so the work is
    /// linear in the file.
    pub(super) fn column(&self, table: &str, column: usize, mut give: impl FnMut(&[u8])) -> Result<(), Trouble> {
        let mut read = vec![false; self.pages as usize + 1];
        let mut root = None;
        // sqlite_schema: type, name, tbl_name, rootpage, sql.
        self.rows(1, &mut read, &mut |payload| {
            let Some(values) = values(payload, 4) else { return };
            let text = |at: usize| match values.get(at) {
                Some(Value::Bytes(range)) => payload.get(range.clone()),
                _ => None,
            };
            let is_it =
                text(0) == Some(b"table") && text(1).is_some_and(|name| name.eq_ignore_ascii_case(table.as_bytes()));
            if let (true, Some(Value::Integer(page))) = (is_it, values.get(3)) {
                root = u32::try_from(*page).ok();
            }
        })?;
        let root = root.ok_or(Trouble::NoTable)?;
        self.rows(root, &mut read, &mut |payload| {
            let value = values(payload, column + 1).and_then(|mut values| values.pop());
            if let Some(Value::Bytes(range)) = value
                && let Some(bytes) = payload.get(range)
            {
                give(bytes);
            }
        })
    }

    /// The payload of every cell below the table b-tree page `root`.
    fn rows(&self, root: u32, read: &mut [bool], give: &mut dyn FnMut(&[u8])) -> Result<(), Trouble> {
        let mut waiting = vec![root];
        while let Some(number) = waiting.pop() {
            let page = self.page(number, read)?;
            // Page 1 begins with the database header; offsets of cells count from the page's start all the same.
            let header = if number == 1 { 100 } else { 0 };
            let kind = *page.get(header).ok_or(Trouble::Corrupt)?;
            let cells = usize::from(be16(page, header + 3)?);
            let pointers = header + if kind == 5 { 12 } else { 8 };
            match kind {
                5 => {
                    waiting.push(be32(page, header + 8)?);
                    for cell in (0..cells).rev() {
                        waiting.push(be32(page, usize::from(be16(page, pointers + 2 * cell)?))?);
                    }
                    if waiting.len() > self.pages as usize {
                        return Err(Trouble::Corrupt);
                    }
                }
                13 => {
                    // Cells do not lie over one another, so that those of a page are no more than the page.
                    let mut left = page.len();
                    for cell in 0..cells {
                        let at = usize::from(be16(page, pointers + 2 * cell)?);
                        let used = self.cell(page, at, read, give)?;
                        left = left.checked_sub(used).ok_or(Trouble::Corrupt)?;
                    }
                }
                _ => return Err(Trouble::Corrupt),
            }
        }
        Ok(())
    }

    /// A cell of a leaf: payload size, row id, payload, first overflow page. How many bytes of payload the page holds.
    fn cell(&self, page: &[u8], at: usize, read: &mut [bool], give: &mut dyn FnMut(&[u8])) -> Result<usize, Trouble> {
        let (size, at) = varint(page, at).ok_or(Trouble::Corrupt)?;
        let (_, at) = varint(page, at).ok_or(Trouble::Corrupt)?;
        let size = usize::try_from(size).map_err(|_| Trouble::Corrupt)?;
        if size > self.bytes.len() {
            return Err(Trouble::Corrupt);
        }
        let most = self.usable - 35;
        if size <= most {
            give(page.get(at..at + size).ok_or(Trouble::Corrupt)?);
            return Ok(size);
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + (size - least) % (self.usable - 4);
        let local = if fitting <= most { fitting } else { least };
        let mut payload = Vec::with_capacity(size);
        payload.extend_from_slice(page.get(at..at + local).ok_or(Trouble::Corrupt)?);
        let mut next = be32(page, at + local)?;
        while payload.len() < size {
            let overflow = self.page(next, read)?;
            next = be32(overflow, 0)?;
            let take = (size - payload.len()).min(self.usable - 4);
            payload.extend_from_slice(overflow.get(4..4 + take).ok_or(Trouble::Corrupt)?);
        }
        give(&payload);
        Ok(local)
    }

    /// Page `number`, from 1. No page belongs to two places, so one that comes again is a circle.
    fn page(&self, number: u32, read: &mut [bool]) -> Result<&'a [u8], Trouble> {
        match read.get_mut(number as usize) {
            Some(seen) if !*seen && number > 0 => *seen = true,
            _ => return Err(Trouble::Corrupt),
        }
        let start = (number as usize - 1) * self.page_size;
        self.bytes.get(start..start + self.usable).ok_or(Trouble::Corrupt)
    }
}

/// The first `most` values of a record: header size, serial types, then the values.
fn values(payload: &[u8], most: usize) -> Option<Vec<Value>> {
    let (header, mut at) = varint(payload, 0)?;
    let mut start = usize::try_from(header).ok()?;
    let types_end = start;
    let mut values = Vec::with_capacity(most);
    while values.len() < most && at < types_end {
        let (serial, next) = varint(payload, at)?;
        at = next;
        let length = match serial {
            1..=4 => serial,
            5 => 6,
            6 | 7 => 8,
            0 | 8..=11 => 0,
            _ => (serial - 12) / 2,
        };
        let range = start..start.checked_add(usize::try_from(length).ok()?)?;
        start = range.end;
        let bytes = payload.get(range.clone())?;
        values.push(match serial {
            1..=6 => {
                let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
                Value::Integer(bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte)))
            }
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            12.. => Value::Bytes(range),
            _ => Value::Other,
        });
    }
    (values.len() == most).then_some(values)
}

/// Seven bits a byte, the most significant first; a ninth byte has eight. The number and where it ends.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0u64;
    for (index, byte) in bytes.get(at..)?.iter().take(9).enumerate() {
        if index == 8 {
            return Some((number << 8 | u64::from(*byte), at + 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + index + 1));
        }
    }
    None
}

fn be16(bytes: &[u8], at: usize) -> Result<u16, Trouble> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(Trouble::Corrupt)?;
    Ok(u16::from_be_bytes(*found))
}

fn be32(bytes: &[u8], at: usize) -> Result<u32, Trouble> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(Trouble::Corrupt)?;
    Ok(u32::from_be_bytes(*found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    /// A database file as SQLite itself writes it.
    fn made(page_size: u32, rows: &[Vec<u8>]) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "page_size", page_size).unwrap();
        connection.execute_batch("BEGIN").unwrap();
        let tables = "CREATE TABLE Other(x); CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)";
        connection.execute_batch(tables).unwrap();
        for row in rows {
            connection.execute("INSERT INTO Packages(blob) VALUES (?1)", [row]).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        drop(connection);
        std::fs::read(&path).unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Trouble> {
        let mut rows = Vec::new();
        Database::open(bytes)?.column("packages", 1, |row| rows.push(row.to_vec()))?;
        Ok(rows)
    }

    #[test]
    fn reads_what_sqlite_wrote() {
        for page_size in [512, 4096, 65_536] {
            // From empty to many overflow pages, over every border between local and overflowing payload.
            let rows: Vec<Vec<u8>> =
                (0..900usize).map(|row| vec![row as u8; if row % 100 == 99 { row * 331 } else { row }]).collect();
            assert_eq!(read(&made(page_size, &rows)).unwrap(), rows, "{page_size}");
            assert!(read(&made(page_size, &[])).unwrap().is_empty());
        }
    }

    #[test]
    fn cells_that_lie_over_one_another_are_damage() {
        let mut bytes = made(4096, &[vec![7; 3000]]);
        let leaf = bytes.chunks(4096).position(|page| page[0] == 13 && be16(page, 3) == Ok(1)).unwrap() * 4096;
        assert_eq!(read(&bytes).map(|rows| rows.len()), Ok(1));
        bytes[leaf + 4] = 2;
        bytes.copy_within(leaf + 8..leaf + 10, leaf + 10);
        assert_eq!(read(&bytes), Err(Trouble::Corrupt));
    }

    #[test]
    fn damage_is_an_error_never_a_panic_nor_a_circle() {
        let rows: Vec<Vec<u8>> = (0..60usize).map(|row| vec![7; row * 40]).collect();
        let good = made(512, &rows);
        for cut in (0..good.len()).step_by(97) {
            let _ = read(&good[..cut]);
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] = bad[at].wrapping_add(1).rotate_left(3);
            if let Ok(found) = read(&bad) {
                assert!(found.iter().map(Vec::len).sum::<usize>() <= 2 * bad.len());
            }
        }
        assert_eq!(read(b"SQLite"), Err(Trouble::NotADatabase));
        assert_eq!(read(&[0; 4096]), Err(Trouble::NotADatabase));
    }
}
