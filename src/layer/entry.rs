//! Entries: one as the tar walk shows it, and the compact list of a whole layer.

use crate::model::ImagePath;
use std::collections::BTreeMap;

/// What an entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file (flags `0`, NUL, `7` is not).
    File,
    /// Another name of an earlier file.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A character device.
    Char,
    /// A block device.
    Block,
    /// A directory.
    Dir,
    /// A named pipe.
    Fifo,
    /// A type flag that runtimes refuse.
    Other(u8),
}

/// An entry as the walk meets it: extension headers applied, nothing judged. Lives as long as the walk's callback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Counts from 0 in the layer.
    pub index: u32,
    /// Where its header stands in the decompressed stream, bytes.
    pub offset: u64,
    /// The name as the header (PAX, GNU, ustar) gives it, not cleaned.
    pub name: Vec<u8>,
    /// The type flag as the header has it (`b'0'` for NUL without a trailing slash, as Go's archive/tar normalises).
    pub type_flag: u8,
    /// Size of the file in bytes, holes of sparse files included. What the header claims: links, directories and
    /// devices have no body whatever stands here.
    pub size: u64,
    /// Permission bits and more, as the header has them.
    pub mode: i64,
    /// User id.
    pub uid: i64,
    /// Group id.
    pub gid: i64,
    /// Modification time, seconds since 1970.
    pub mtime: i64,
    /// Link target as written; empty when there is none.
    pub link: Vec<u8>,
    /// Device numbers.
    pub device: (i64, i64),
    /// Extended attributes (`SCHILY.xattr.*`), in order of name.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// PAX records that no field here holds: comments, names of users, a builder's own; and values that later records of
    /// the same key replaced.
    pub records: Vec<(Vec<u8>, Vec<u8>)>,
}

/// All entries of one layer, compactly: 32 bytes an entry and its names.
#[derive(Clone, Debug, Default)]
pub struct LayerEntries {
    records: Vec<Packed>,
    /// For each record its name; behind that, when there are any, its link and attributes.
    text: Vec<u8>,
    /// Mode, uid and gid of the few headers whose numbers a file system has no room for.
    odd: BTreeMap<u32, (i64, i64, i64)>,
}

#[derive(Clone, Debug)]
struct Packed {
    size: u64,
    mtime: i64,
    /// Where its text begins; it ends where the next one's does.
    text: u32,
    uid: u32,
    gid: u32,
    /// Permission bits, and [`LENGTHS`] and [`ORIGIN`].
    mode: u16,
    type_flag: u8,
}

/// The text ends with the lengths of link and attributes, four bytes each.
const LENGTHS: u16 = 1 << 15;
/// Its device numbers are 0:0.
const ORIGIN: u16 = 1 << 14;

/// One entry of a [`LayerEntries`].
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Counts from 0 in the layer.
    pub index: u32,
    /// As [`Entry::name`].
    pub name: &'a [u8],
    /// As [`Entry::link`].
    pub link: &'a [u8],
    /// As [`Entry::type_flag`].
    pub type_flag: u8,
    /// As [`Entry::size`].
    pub size: u64,
    /// Permission bits, 12 of them.
    pub mode: u32,
    /// User id; what does not fit 32 bits stands as `u32::MAX`.
    pub uid: u32,
    /// Group id; the same.
    pub gid: u32,
    /// Modification time, seconds since 1970.
    pub mtime: i64,
    /// Whether it is a character device 0:0, overlayfs' whiteout.
    pub overlay_whiteout: bool,
    xattrs: &'a [u8],
}

impl EntryKind {
    /// What an entry with this flag makes (the walk has made a NUL flag `5` or `0`, by the name's trailing slash).
    #[must_use]
    pub fn of(type_flag: u8) -> Self {
        match type_flag {
            b'0' | 0 | b'S' => Self::File,
            b'1' => Self::HardLink,
            b'2' => Self::Symlink,
            b'3' => Self::Char,
            b'4' => Self::Block,
            b'5' => Self::Dir,
            b'6' => Self::Fifo,
            other => Self::Other(other),
        }
    }
}

impl LayerEntries {
    /// What holding an entry costs, in bytes: itself, its place in the tree, and its names here and there.
    #[must_use]
    pub fn cost(entry: &Entry) -> u64 {
        Self::cost_of(1, text_length(entry))
    }

    fn cost_of(entries: usize, text: usize) -> u64 {
        const EACH: u64 = 176;
        EACH * entries as u64 + 2 * text as u64
    }

    /// Adds the next entry. Returns `false`, and does nothing, when names, links and attributes of the layer would pass
    /// 4 GiB.
    pub fn push(&mut self, entry: &Entry) -> bool {
        let start = self.text.len();
        let (Ok(at), Ok(_)) = (u32::try_from(start), u32::try_from(start + text_length(entry))) else { return false };
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.text.extend_from_slice(&entry.name);
        let mut mode = (entry.mode & 0o7777).cast_unsigned() as u16;
        if !entry.link.is_empty() || !entry.xattrs.is_empty() {
            self.text.extend_from_slice(&entry.link);
            let xattrs = self.text.len();
            for (key, value) in &entry.xattrs {
                self.text.extend_from_slice(&small(key.len()).to_le_bytes());
                self.text.extend_from_slice(key);
                self.text.extend_from_slice(&small(value.len()).to_le_bytes());
                self.text.extend_from_slice(value);
            }
            let xattrs = self.text.len() - xattrs;
            self.text.extend_from_slice(&small(entry.link.len()).to_le_bytes());
            self.text.extend_from_slice(&small(xattrs).to_le_bytes());
            mode |= LENGTHS;
        }
        if entry.device == (0, 0) {
            mode |= ORIGIN;
        }
        let numbers = (entry.mode, entry.uid, entry.gid);
        let fits = |id: i64| (0..i64::from(u32::MAX)).contains(&id);
        if !(0..=0o7777).contains(&entry.mode) || !fits(entry.uid) || !fits(entry.gid) {
            self.odd.insert(small(self.records.len()), numbers);
        }
        self.records.push(Packed {
            size: entry.size,
            mtime: entry.mtime,
            text: at,
            uid: u32::try_from(entry.uid).unwrap_or(u32::MAX),
            gid: u32::try_from(entry.gid).unwrap_or(u32::MAX),
            mode,
            type_flag: entry.type_flag,
        });
        true
    }

    /// Drops entries from the end until the [`LayerEntries::cost`] of all is at most `room`, and gives the memory back.
    pub fn truncate(&mut self, room: u64) {
        if Self::cost_of(self.records.len(), self.text.len()) <= room {
            return;
        }
        // Costs grow with the index: the last entry that fits is found by halves.
        let (mut fits, mut beyond) = (0, self.records.len());
        while beyond - fits > 1 {
            let middle = usize::midpoint(fits, beyond);
            let at = if Self::cost_of(middle, self.text_at(middle)) <= room { &mut fits } else { &mut beyond };
            *at = middle;
        }
        self.text.truncate(self.text_at(fits));
        self.records.truncate(fits);
        let _ = self.odd.split_off(&u32::try_from(fits).unwrap_or(u32::MAX));
        self.records.shrink_to_fit();
        self.text.shrink_to_fit();
    }

    /// Where the text of record `index` begins, or the whole text ends.
    fn text_at(&self, index: usize) -> usize {
        self.records.get(index).map_or(self.text.len(), |next| next.text as usize)
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The entry at `index`.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<Record<'_>> {
        let packed = self.records.get(index as usize)?;
        let text = self.text.get(packed.text as usize..self.text_at(index as usize + 1))?;
        let (name, link, xattrs) = if packed.mode & LENGTHS == 0 { (text, &b""[..], &b""[..]) } else { parts(text)? };
        Some(Record {
            index,
            name,
            link,
            type_flag: packed.type_flag,
            size: packed.size,
            mode: u32::from(packed.mode & 0o7777),
            uid: packed.uid,
            gid: packed.gid,
            mtime: packed.mtime,
            overlay_whiteout: packed.type_flag == b'3' && packed.mode & ORIGIN != 0,
            xattrs,
        })
    }

    /// Mode, uid and gid of the entry at `index`, as its header has them.
    #[must_use]
    pub fn numbers(&self, index: u32) -> Option<(i64, i64, i64)> {
        let packed = self.records.get(index as usize)?;
        let plain = (i64::from(packed.mode & 0o7777), i64::from(packed.uid), i64::from(packed.gid));
        Some(self.odd.get(&index).copied().unwrap_or(plain))
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.records.len()).filter_map(|index| self.get(u32::try_from(index).ok()?))
    }
}

/// Bytes of text that an entry needs.
fn text_length(entry: &Entry) -> usize {
    let xattrs: usize = entry.xattrs.iter().map(|(key, value)| key.len() + value.len() + 8).sum();
    let lengths = if entry.link.is_empty() && entry.xattrs.is_empty() { 0 } else { 8 };
    entry.name.len() + entry.link.len() + xattrs + lengths
}

/// Name, link and attributes of a text that ends with their lengths.
fn parts(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (text, xattrs) = text.split_last_chunk::<4>()?;
    let (text, link) = text.split_last_chunk::<4>()?;
    let (text, xattrs) = text.split_at_checked(text.len().checked_sub(u32::from_le_bytes(*xattrs) as usize)?)?;
    let (name, link) = text.split_at_checked(text.len().checked_sub(u32::from_le_bytes(*link) as usize)?)?;
    Some((name, link, xattrs))
}

impl<'a> Record<'a> {
    /// What it makes.
    #[must_use]
    pub fn kind(&self) -> EntryKind {
        EntryKind::of(self.type_flag)
    }

    /// Its path, clamped to the root.
    #[must_use]
    pub fn path(&self) -> ImagePath {
        ImagePath::clamp(self.name)
    }

    /// Its extended attributes.
    pub fn xattrs(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        xattrs(self.xattrs)
    }

    /// Its extended attributes as they are kept; [`xattrs`] reads them.
    pub(super) fn raw_xattrs(&self) -> &'a [u8] {
        self.xattrs
    }
}

/// Reads kept attributes: length and bytes of key and value, in turn.
pub(super) fn xattrs(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = raw;
    let mut piece = move || {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let (bytes, tail) = tail.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        rest = tail;
        Some(bytes)
    };
    std::iter::from_fn(move || Some((piece()?, piece()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let mut entries = LayerEntries::default();
        let entry = Entry {
            name: b"./bin/ping".to_vec(),
            type_flag: b'0',
            size: 3,
            mode: 0o104_755,
            uid: -1,
            xattrs: vec![(b"security.capability".to_vec(), vec![1, 0]), (b"user.x".to_vec(), Vec::new())],
            ..Entry::default()
        };
        assert!(entries.push(&entry));
        assert!(entries.push(&Entry { name: b"l".to_vec(), link: b"t".to_vec(), type_flag: b'2', ..Entry::default() }));
        let first = entries.get(0).expect("pushed");
        assert_eq!(first.path(), ImagePath::from("/bin/ping"));
        assert_eq!((first.mode, first.uid), (0o4755, u32::MAX));
        assert_eq!(entries.numbers(0), Some((0o104_755, -1, 0)));
        assert_eq!(entries.numbers(1), Some((0, 0, 0)));
        let xattrs: Vec<_> = first.xattrs().collect();
        assert_eq!(xattrs, [(&b"security.capability"[..], &[1u8, 0][..]), (&b"user.x"[..], &[][..])]);
        assert_eq!(entries.get(1).expect("pushed").link, b"t");
        assert!(entries.get(2).is_none());
        assert_eq!(size_of::<Packed>(), 32);
    }

    #[test]
    fn what_does_not_fit_goes_from_the_end() {
        let entry = |n: usize| Entry { name: vec![b'n'; n], link: vec![b'l'; n % 3], uid: -1, ..Entry::default() };
        let all = |count: usize| {
            let mut entries = LayerEntries::default();
            assert!((0..count).all(|n| entries.push(&entry(n))));
            entries
        };
        let cost = |count: usize| (0..count).map(|n| LayerEntries::cost(&entry(n))).sum::<u64>();
        for kept in 0..20 {
            for room in [cost(kept), cost(kept + 1) - 1] {
                let mut entries = all(20);
                entries.truncate(room);
                let expected = all(kept);
                assert_eq!(entries.len(), kept);
                assert!(entries.iter().map(|record| record.name).eq(expected.iter().map(|record| record.name)));
                assert!(entries.iter().map(|record| record.link).eq(expected.iter().map(|record| record.link)));
                assert_eq!(entries.odd, expected.odd);
                assert_eq!(entries.text, expected.text);
            }
        }
        let mut entries = all(20);
        entries.truncate(cost(20));
        assert_eq!(entries.len(), 20);
    }
}
