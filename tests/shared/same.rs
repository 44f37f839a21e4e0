//! One file searched in every way that has to find the same: at once, in blocks as a layer is, and slowly, each rule over
//! every byte without a filter; and its archives, unpacked as they stream by and member for member. Says what differs.

use plimsoll::facts::secrets::{CARRY, Extent, Finds, Hit, Patterns, deepest, is_text_at, unpack};
use plimsoll::layer::{Format, Memory, Opened, Stored};
use plimsoll::model::{Limits, visible};
use std::io::{Cursor, Read};

/// Bytes that are taken at once by the slow way, which knows no block: longer files are cut into files of this length.
pub(crate) const PIECE: usize = 4 << 20;

/// Bytes of a block of a layer.
pub(crate) const BLOCK: usize = 256 << 10;

/// What was compared.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Compared {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) hits: u64,
    /// Members of archives and decompressed streams, of which the other numbers do not speak.
    pub(crate) members: u64,
    pub(crate) member_bytes: u64,
    /// Archives that the limits cut off: their members are not compared.
    pub(crate) cut: u64,
}

impl Compared {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            bytes: self.bytes + other.bytes,
            hits: self.hits + other.hits,
            members: self.members + other.members,
            member_bytes: self.member_bytes + other.member_bytes,
            cut: self.cut + other.cut,
        }
    }
}

/// The fast way, the file at hand as a whole.
pub(crate) fn at_once(patterns: &Patterns, file: &[u8]) -> Vec<Hit> {
    in_blocks(patterns, file, &[usize::MAX])
}

/// The fast way, block by block; the lengths of blocks repeat.
pub(crate) fn in_blocks(patterns: &Patterns, file: &[u8], blocks: &[usize]) -> Vec<Hit> {
    let mut finds = Finds::default();
    let mut blocks = blocks.iter().cycle();
    let (mut new, mut binary) = (0, false);
    loop {
        let low = new - CARRY.min(new);
        let end = blocks.next().map_or(file.len(), |block| file.len().min(new.saturating_add((*block).max(1))));
        // As whoever reads a layer tells it: by what was read so far.
        binary |= !is_text_at(new as u64, &file[new..end]);
        let (first, last) = (low == 0, end == file.len());
        let extent = Extent { at: 0, len: end - low, entry: 0, file: low as u64, first, last, binary };
        patterns.scan(&file[low..end], new - low, last, &[extent], &mut finds);
        if last {
            return finds.hits(patterns.rules());
        }
        new = end;
    }
}

/// The slow way.
pub(crate) fn slowly(patterns: &Patterns, file: &[u8]) -> Vec<Hit> {
    let mut finds = Finds::default();
    patterns.scan_slowly(file, 0, &mut finds);
    finds.hits(patterns.rules())
}

/// Compares all ways; what differs is told without a secret's bytes.
pub(crate) fn compare(patterns: &Patterns, file: &[u8]) -> Result<Compared, String> {
    let whole = at_once(patterns, file);
    same("in blocks and at once", &in_blocks(patterns, file, &[BLOCK]), &whole)?;
    if file.len() <= PIECE {
        same("at once and slowly", &whole, &slowly(patterns, file))?;
    } else {
        for (number, piece) in file.chunks(PIECE).enumerate() {
            same(&format!("piece {number} at once and slowly"), &at_once(patterns, piece), &slowly(patterns, piece))?;
        }
    }
    let compared = Compared { files: 1, bytes: file.len() as u64, hits: whole.len() as u64, ..Compared::default() };
    Ok(if Format::of(file).is_some() { compared.and(compare_members(patterns, file)?) } else { compared })
}

/// Compares what an archive's members hold.
pub(crate) fn compare_members(patterns: &Patterns, file: &[u8]) -> Result<Compared, String> {
    let limits = Limits { unpacked_ratio: 1 << 20, ..Limits::default() };
    let unpacked = unpack(&mut &file[..], 0, patterns, &limits, &Memory::new(0));
    if unpacked.gaps.iter().any(|gap| gap.contains("the limit")) {
        return Ok(Compared { cut: 1, ..Compared::default() });
    }
    let mut walk = Members { patterns, limits, levels: Vec::new(), compared: Compared::default() };
    walk.packed(file, 0, 0, &[]);
    same("unpacked and member for member", &unpacked.hits, &deepest(walk.levels))?;
    Ok(walk.compared)
}

fn same(ways: &str, some: &[Hit], others: &[Hit]) -> Result<(), String> {
    let only = |some: &[Hit], others: &[Hit]| {
        let hits: Vec<String> = some.iter().filter(|hit| !others.contains(hit)).map(|hit| format!("{hit:?}")).collect();
        hits.join("\n    ")
    };
    if some == others {
        return Ok(());
    }
    Err(format!("{ways}: only the one\n    {}\n  only the other\n    {}", only(some, others), only(others, some)))
}

/// Members of an archive, each held whole and searched slowly.
struct Members<'p> {
    patterns: &'p Patterns,
    limits: Limits,
    /// What each level holds.
    levels: Vec<Vec<Hit>>,
    compared: Compared,
}

impl Members<'_> {
    /// What is packed in `bytes`, one archive behind the other.
    fn packed(&mut self, bytes: &[u8], level: usize, windows: u32, inside: &[String]) {
        let mut reader: &mut dyn Read = &mut Cursor::new(bytes);
        let mut stored = Stored::with_buffer(&mut reader, 32 << 10);
        while let Ok(Some(format)) = Format::peek(&mut stored) {
            if level >= self.limits.archive_depth {
                return;
            }
            let before = stored.offset();
            match format.open(&mut stored, windows, &self.limits) {
                Ok(Opened::Stream(stream)) => {
                    let windows = windows + u32::from(format.has_window());
                    self.content(stream, level + 1, windows, inside);
                }
                Ok(Opened::Members(mut members)) => {
                    while let Ok(Some(name)) = members.next() {
                        let mut name = &name[..name.len().min(4096)];
                        while let Some(rest) = name.strip_prefix(b"./").or_else(|| name.strip_prefix(b"/")) {
                            name = rest;
                        }
                        let inside = [inside, &[visible(name).into_owned()]].concat();
                        let body = std::iter::from_fn(|| {
                            let mut bytes = vec![0; 64 << 10];
                            let count = members.read(&mut bytes).unwrap_or(0);
                            bytes.truncate(count);
                            (count > 0).then_some(bytes)
                        });
                        let body: Vec<u8> = body.flatten().collect();
                        self.content(&body[..], level + 1, windows, &inside);
                    }
                }
                Err(_) => {}
            }
            while let Ok(&[0, ..]) = stored.fill() {
                stored.consume(1);
            }
            if stored.offset() == before {
                return;
            }
        }
    }

    /// A member, or what was decompressed.
    fn content(&mut self, mut content: impl Read, level: usize, windows: u32, inside: &[String]) {
        let mut bytes = Vec::new();
        // What was read before an error counts.
        let _ = content.read_to_end(&mut bytes);
        drop(content);
        self.compared.members += 1;
        self.compared.member_bytes += bytes.len() as u64;
        let hits = slowly(self.patterns, &bytes).into_iter().map(|hit| Hit { inside: inside.to_vec(), ..hit });
        self.levels.resize_with(self.levels.len().max(level), Vec::new);
        self.levels[level - 1].extend(hits);
        self.packed(&bytes, level, windows, inside);
    }
}
