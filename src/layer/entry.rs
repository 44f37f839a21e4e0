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

/// All entries of one layer, compactly: about 48 bytes an entry and its names.
#[derive(Clone, Debug, Default)]
pub struct LayerEntries {
    records: Vec<Packed>,
    text: Vec<u8>,
    /// Mode, uid and gid of the few headers whose numbers a file system has no room for.
    odd: BTreeMap<u32, (i64, i64, i64)>,
}

#[derive(Clone, Debug)]
struct Packed {
    name: (u32, u32),
    link: u32,
    size: u64,
    mtime: i64,
    mode: u32,
    uid: u32,
    gid: u32,
    device: u32,
    xattrs: u32,
    type_flag: u8,
}

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
    /// Bytes of text that one layer may hold: enough for a million entries, too few for a thousand paths of a megabyte.
    pub const TEXT_MAX: usize = 128 << 20;

    /// Adds the next entry. Returns `false`, and does nothing, when the layer's names, links and attributes would pass
    /// [`LayerEntries::TEXT_MAX`].
    pub fn push(&mut self, entry: &Entry) -> bool {
        let at = self.text.len();
        let xattr_bytes: usize = entry.xattrs.iter().map(|(k, v)| k.len() + v.len() + 8).sum();
        let Ok(start) = u32::try_from(at) else { return false };
        if at + entry.name.len() + entry.link.len() + xattr_bytes > Self::TEXT_MAX {
            return false;
        }
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.text.extend_from_slice(&entry.name);
        self.text.extend_from_slice(&entry.link);
        for (key, value) in &entry.xattrs {
            self.text.extend_from_slice(&small(key.len()).to_le_bytes());
            self.text.extend_from_slice(key);
            self.text.extend_from_slice(&small(value.len()).to_le_bytes());
            self.text.extend_from_slice(value);
        }
        let numbers = (entry.mode, entry.uid, entry.gid);
        let fits = |id: i64| (0..i64::from(u32::MAX)).contains(&id);
        if !(0..=0o7777).contains(&entry.mode) || !fits(entry.uid) || !fits(entry.gid) {
            self.odd.insert(small(self.records.len()), numbers);
        }
        self.records.push(Packed {
            name: (start, small(entry.name.len())),
            link: small(entry.link.len()),
            size: entry.size,
            mtime: entry.mtime,
            mode: (entry.mode & 0o7777).cast_unsigned() as u32,
            uid: u32::try_from(entry.uid).unwrap_or(u32::MAX),
            gid: u32::try_from(entry.gid).unwrap_or(u32::MAX),
            device: u32::from(entry.device == (0, 0)),
            xattrs: small(xattr_bytes),
            type_flag: entry.type_flag,
        });
        true
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
        let name = packed.name.0 as usize;
        let link = name + packed.name.1 as usize;
        let xattrs = link + packed.link as usize;
        Some(Record {
            index,
            name: &self.text[name..link],
            link: &self.text[link..xattrs],
            type_flag: packed.type_flag,
            size: packed.size,
            mode: packed.mode,
            uid: packed.uid,
            gid: packed.gid,
            mtime: packed.mtime,
            overlay_whiteout: packed.type_flag == b'3' && packed.device == 1,
            xattrs: &self.text[xattrs..xattrs + packed.xattrs as usize],
        })
    }

    /// Mode, uid and gid of the entry at `index`, as its header has them.
    #[must_use]
    pub fn numbers(&self, index: u32) -> Option<(i64, i64, i64)> {
        let packed = self.records.get(index as usize)?;
        let plain = (i64::from(packed.mode), i64::from(packed.uid), i64::from(packed.gid));
        Some(self.odd.get(&index).copied().unwrap_or(plain))
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.records.len()).filter_map(|index| self.get(u32::try_from(index).ok()?))
    }
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
    }
}
