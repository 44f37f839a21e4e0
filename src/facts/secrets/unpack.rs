//! Secrets in compressed files and in members of archives, to any bounded depth, while the file streams by. Says what a
//! budget cut off, and what could not be read.

use super::members::MemberScan;
use super::pattern::Patterns;
use super::{Hit, deepest};
use crate::layer::{DecodeError, DecodeKind, Format, Members, Memory, Opened, Stored};
use crate::model::{Limits, visible, visible_str};
use std::cell::Cell;
use std::io::{self, Read};

/// Bytes of the buffer at each level.
const BUFFER: usize = 32 << 10;

/// Sentences of one file that are told.
const TOLD: usize = 5;

/// What is told of a file with more in other writings than is looked into.
pub const CUT_SHORT: &str =
    "more is written in it in base64, hex, UTF-16 or escapes than is decoded: part of that was not looked at";

/// What was found in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Hits, each inside a member or in decompressed bytes.
    pub hits: Vec<Hit>,
    /// What was not looked at; each begins with the member's place.
    pub gaps: Vec<String>,
    /// What was odd: damage that stops every reader.
    pub notes: Vec<String>,
    /// Bytes unpacked, those of all levels.
    pub bytes: u64,
}

impl Unpacked {
    /// Whether there is anything to tell.
    #[must_use]
    pub fn tells(&self) -> bool {
        !(self.hits.is_empty() && self.gaps.is_empty() && self.notes.is_empty())
    }
}

/// Unpacks `stored`, the bytes of file `entry` of a layer, as far as the limits go, and searches what is in it. The bytes
/// themselves are searched elsewhere. Waits where `memory` for its decoders is taken by others.
pub fn unpack(stored: &mut dyn Read, entry: u32, patterns: &Patterns, limits: &Limits, memory: &Memory) -> Unpacked {
    let meter = Meter { limits, stored: Cell::new(0), unpacked: Cell::new(0), over: Cell::new(false) };
    let mut unpack = Unpack {
        patterns,
        limits,
        meter: &meter,
        inside: Vec::new(),
        scans: Vec::new(),
        members: 0,
        windows: 0,
        memory,
        holds: false,
        cut: false,
        gaps: Vec::new(),
        notes: Vec::new(),
    };
    unpack.content(stored, 0);
    let Unpack { scans, mut gaps, notes, .. } = unpack;
    let mut levels = Vec::new();
    for scan in scans.into_iter().flatten() {
        let (hits, cut) = scan.finish(entry);
        levels.push(hits);
        gaps.extend(cut.iter().map(|(inside, why)| named(inside, why)));
    }
    Unpacked { hits: deepest(levels), gaps: some(gaps), notes: some(notes), bytes: meter.unpacked.get() }
}

/// The first sentences, and how many more there are.
fn some(mut sentences: Vec<String>) -> Vec<String> {
    sentences.dedup();
    let more = sentences.len().saturating_sub(TOLD);
    sentences.truncate(TOLD);
    if more > 0
        && let Some(last) = sentences.last_mut()
    {
        *last = format!("{last}, and {more} more");
    }
    sentences
}

/// What was read so far, and whether that is more than may be.
struct Meter<'a> {
    limits: &'a Limits,
    stored: Cell<u64>,
    unpacked: Cell<u64>,
    over: Cell<bool>,
}

impl Meter<'_> {
    fn add(&self, level: usize, count: usize) {
        let counter = if level == 0 { &self.stored } else { &self.unpacked };
        counter.set(counter.get().saturating_add(count as u64));
        if self.unpacked.get() > self.most() {
            self.over.set(true);
        }
    }

    fn most(&self) -> u64 {
        let by_ratio = self.stored.get().saturating_mul(self.limits.unpacked_ratio);
        self.limits.unpacked_least.saturating_add(by_ratio).min(self.limits.unpacked_file)
    }
}

/// A file on its way.
struct Unpack<'p> {
    patterns: &'p Patterns,
    limits: &'p Limits,
    meter: &'p Meter<'p>,
    /// The members that are open, outermost first.
    inside: Vec<String>,
    /// One for each level but the outermost.
    scans: Vec<Option<MemberScan<'p>>>,
    members: u64,
    /// Decoders with a window that are open.
    windows: u32,
    /// Where the outermost of them takes its memory; those in it are small.
    memory: &'p Memory,
    holds: bool,
    /// Whether it was told that a limit ended it all.
    cut: bool,
    gaps: Vec<String>,
    notes: Vec<String>,
}

/// Passes bytes on, counts them and has them searched. An error ends the stream and is kept.
struct Tee<'a, 'p> {
    reader: &'a mut dyn Read,
    scan: Option<&'a mut MemberScan<'p>>,
    meter: &'p Meter<'p>,
    level: usize,
    failed: &'a mut Option<io::Error>,
}

impl Read for Tee<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.failed.is_some() || self.meter.over.get() {
            return Ok(0);
        }
        let count = match self.reader.read(out) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                *self.failed = Some(error);
                return Ok(0);
            }
        };
        self.meter.add(self.level, count);
        if let Some(scan) = &mut self.scan {
            scan.add(&out[..count]);
        }
        Ok(count)
    }
}

/// The member that an archive stands at.
struct Body<'a, 'm>(&'a mut (dyn Members + 'm));

impl Read for Body<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Unpack<'_> {
    /// Looks at a stream of bytes and at what is packed in it. `level` counts what it was unpacked from.
    fn content(&mut self, body: &mut dyn Read, level: usize) {
        if self.scans.len() <= level {
            self.scans.resize_with(level + 1, || None);
        }
        let mut scan = if level == 0 {
            None
        } else {
            let mut scan = self.scans[level].take().unwrap_or_else(|| MemberScan::new(self.patterns));
            scan.begin(&self.inside);
            Some(scan)
        };
        let mut failed = None;
        let mut tee = Tee { reader: body, scan: scan.as_mut(), meter: self.meter, level, failed: &mut failed };
        self.packed(&mut Stored::with_buffer(&mut tee, BUFFER), level);
        if let Some(scan) = &mut scan {
            scan.end();
        }
        self.scans[level] = scan;
        if let Some(error) = failed {
            self.trouble(&error);
        }
    }

    /// Reads `stored` to its end, and all that is packed in it.
    fn packed(&mut self, stored: &mut Stored<'_>, level: usize) {
        while let Ok(Some(format)) = Format::peek(stored) {
            if level >= self.limits.archive_depth {
                let why = format!("nested deeper than {} levels, the limit: not unpacked", self.limits.archive_depth);
                self.gap(&why);
                break;
            }
            let before = stored.offset();
            let window = if self.holds { 0 } else { format.window(stored).unwrap_or(0) };
            let held = (window > 0).then(|| self.memory.take(window));
            self.holds |= held.is_some();
            match format.open(stored, self.windows, self.limits) {
                Ok(Opened::Stream(mut stream)) => {
                    self.windows += u32::from(format.has_window());
                    self.content(&mut stream, level + 1);
                    self.windows -= u32::from(format.has_window());
                }
                Ok(Opened::Members(mut members)) => self.members(&mut *members, level + 1),
                Err(error) => self.trouble(&error),
            }
            self.holds &= held.is_none();
            // One archive may stand behind another, filled up with zeros.
            while let Ok(&[0, ..]) = stored.fill() {
                stored.consume(1);
            }
            if stored.offset() == before {
                break;
            }
        }
        while let Ok(count @ 1..) = stored.fill().map(<[u8]>::len) {
            stored.consume(count);
        }
        if self.meter.over.get() && !std::mem::replace(&mut self.cut, true) {
            let most = self.meter.most();
            self.gap(&format!("unpacked as far as the limit of {most} bytes for its size, the rest was not looked at"));
        }
    }

    fn members(&mut self, members: &mut dyn Members, level: usize) {
        loop {
            let next = members.next();
            if self.meter.over.get() {
                return;
            }
            let name = match next {
                Ok(Some(name)) => name,
                end => {
                    self.odd(members);
                    if let Err(error) = end {
                        self.trouble(&error);
                    }
                    return;
                }
            };
            self.members += 1;
            if self.members > self.limits.archive_members {
                self.gap(&format!("more than {} members, the limit: not looked at", self.limits.archive_members));
                self.cut = true;
                self.meter.over.set(true);
                return;
            }
            self.inside.push(member_name(&name));
            self.odd(members);
            self.content(&mut Body(members), level);
            self.inside.pop();
        }
    }

    fn odd(&mut self, members: &mut dyn Members) {
        if let Some((hides, what)) = members.oddity() {
            if hides { self.gap(&format!("{what}: not looked at")) } else { self.note(&what) }
        }
    }

    /// Damage is a note: whoever reads the file stops there as well. What another reader may read is a gap.
    fn trouble(&mut self, error: &io::Error) {
        if self.meter.over.get() {
            return;
        }
        let unread = DecodeError::of(error)
            .map_or(matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::OutOfMemory), |error| {
                error.kind == DecodeKind::Unsupported
            });
        let what = visible_str(&error.to_string()).into_owned();
        if unread { self.gap(&what) } else { self.note(&what) }
    }

    fn gap(&mut self, what: &str) {
        self.gaps.push(named(&self.inside, what));
    }

    fn note(&mut self, what: &str) {
        self.notes.push(named(&self.inside, what));
    }
}

/// `what`, said of the member `inside`.
fn named(inside: &[String], what: &str) -> String {
    let members: Vec<_> = inside.iter().map(|member| visible_str(member)).collect();
    let place = if members.is_empty() { String::new() } else { format!("!{}: ", members.join("!")) };
    format!("{place}{what}")
}

/// A member's name as it is shown: no `./` or `/` before it, and no more of it than a path may have.
fn member_name(name: &[u8]) -> String {
    const MOST: usize = 4096;
    let mut name = &name[..name.len().min(MOST)];
    while let Some(rest) = name.strip_prefix(b"./").or_else(|| name.strip_prefix(b"/")) {
        name = rest;
    }
    visible(name).into_owned()
}
