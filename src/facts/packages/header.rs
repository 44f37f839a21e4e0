//! An rpm header as the package database stores it (rpm's "Header" format, without the magic that packages have).

use super::text;

/// Index entries of a header (rpm's own bound).
const MOST_TAGS: usize = 65_535;

/// Directories of one package; far more than any has.
const MOST_DIRECTORIES: usize = 1 << 18;

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const FILEDIGESTS: u32 = 1035;
const ARCH: u32 = 1022;
const DIRINDEXES: u32 = 1116;
const BASENAMES: u32 = 1117;
const DIRNAMES: u32 = 1118;

/// A header: index entries (tag, type, offset, count; 16 bytes, big endian) and the data they point into.
pub(super) struct Header<'a> {
    index: &'a [u8],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// `None` when its sizes do not fit the blob.
    pub(super) fn open(blob: &'a [u8]) -> Option<Self> {
        let (tags, rest) = blob.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let tags = u32::from_be_bytes(*tags) as usize;
        let length = u32::from_be_bytes(*length) as usize;
        if tags > MOST_TAGS {
            return None;
        }
        let (index, data) = rest.split_at_checked(tags * 16)?;
        Some(Self { index, data: data.get(..length)? })
    }

    pub(super) fn name(&self) -> Option<String> {
        self.text(NAME).filter(|name| !name.is_empty())
    }

    /// `[epoch:]version-release`.
    pub(super) fn version(&self) -> String {
        let epoch = self.numbers(EPOCH).next().map_or_else(String::new, |epoch| format!("{epoch}:"));
        let release = self.text(RELEASE).map_or_else(String::new, |release| format!("-{release}"));
        format!("{epoch}{}{release}", self.text(VERSION).unwrap_or_default())
    }

    pub(super) fn architecture(&self) -> String {
        self.text(ARCH).unwrap_or_default()
    }

    /// Every file: its directory, with a slash at its end, and its name. `None` when there are too many directories.
    pub(super) fn files(&self) -> Option<impl Iterator<Item = (&'a [u8], &'a [u8])>> {
        let directories: Vec<&[u8]> = self.strings(DIRNAMES).take(MOST_DIRECTORIES + 1).collect();
        if directories.len() > MOST_DIRECTORIES {
            return None;
        }
        let pairs = self.strings(BASENAMES).zip(self.numbers(DIRINDEXES));
        Some(pairs.filter_map(move |(base, directory)| Some((*directories.get(directory as usize)?, base))))
    }

    /// The digest of each file, in hex, in the order of [`Header::files`]; empty for what is no regular file.
    pub(super) fn digests(&self) -> impl Iterator<Item = &'a [u8]> {
        self.strings(FILEDIGESTS)
    }

    fn text(&self, tag: u32) -> Option<String> {
        self.strings(tag).next().map(text)
    }

    /// The values of a string tag (types 6, 8 and 9): each ends with a NUL.
    fn strings(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let found = self.find(tag).filter(|(kind, ..)| matches!(kind, 6 | 8 | 9));
        let (mut rest, count) = found.map_or((&[][..], 0), |(_, data, count)| (data, count));
        (0..count).map_while(move |_| {
            let end = memchr::memchr(0, rest)?;
            let (text, tail) = rest.split_at_checked(end)?;
            rest = tail.get(1..)?;
            Some(text)
        })
    }

    /// The values of a tag of 32-bit numbers (type 4).
    fn numbers(&self, tag: u32) -> impl Iterator<Item = u32> + use<'a> {
        let found = self.find(tag).filter(|(kind, ..)| *kind == 4);
        let (data, count) = found.map_or((&[][..], 0), |(_, data, count)| (data, count));
        data.chunks_exact(4).take(count).map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
    }

    /// Type, data from its offset on, and count of `tag`.
    fn find(&self, tag: u32) -> Option<(u32, &'a [u8], usize)> {
        self.index.chunks_exact(16).find_map(|entry| {
            let word = |at: usize| Some(u32::from_be_bytes(*entry.get(at..)?.first_chunk()?));
            if word(0)? != tag {
                return None;
            }
            Some((word(4)?, self.data.get(word(8)? as usize..)?, word(12)? as usize))
        })
    }
}
