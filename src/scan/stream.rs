//! One layer, read block by block from its first stored byte to its last: decompressed, walked, gathered, its stored bytes
//! held against their digest. Scans nothing.

use super::hash::Hasher;
use crate::facts::secrets::{AHEAD, CARRY, Extent, Patterns, WHOLE, tail};
use crate::facts::{Budget, Gather, LayerFacts};
use crate::layer::{DecodeError, DecodeKind, Decoder, TarWalk, Watch};
use crate::model::Limits;
use crate::source::{Promised, StoredLayer};
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a block: small enough for a core's own cache, large enough to forget the work around it.
const BLOCK: usize = 256 << 10;

/// How layers are read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Bounds.
    pub limits: &'a Limits,
    /// Threads, at least 1.
    pub threads: usize,
    /// The rules' secrets, compiled.
    pub patterns: &'a Patterns,
    /// Whether to look for them in every byte; otherwise only metadata and the wanted small files are read.
    pub content: bool,
    /// Whether to keep the SHA-256 of every regular file.
    pub hash_files: bool,
    /// Counts stored bytes as they are read, for whoever watches.
    pub progress: &'a AtomicU64,
}

/// A block of a layer's decompressed stream, behind the end of the block before it.
pub struct Block {
    pub bytes: Vec<u8>,
    /// Where the new bytes begin; what stands before them was in the last block.
    pub new: usize,
    /// Counts from 0 in the layer.
    pub sequence: u64,
    pub last: bool,
    pub extents: Vec<Extent>,
}

/// A layer that is being read.
pub struct Stream<'a> {
    decoder: Decoder<Counted<'a>, Hasher>,
    /// The digest of the stored bytes.
    promised: Option<Promised>,
    walk: TarWalk,
    gather: Gather<'a>,
    /// More decompressed bytes than this are not read.
    most: u64,
    /// Decompressed bytes so far.
    at: u64,
    sequence: u64,
    /// The end of the last block.
    carry: Vec<u8>,
    /// What was read behind it: the beginning of a file that may lie whole in the next block.
    held: Vec<u8>,
    /// What lies in both.
    carried: Vec<Extent>,
    gaps: Vec<(Option<u32>, String)>,
    /// Whether the tar can be walked no further.
    broken: bool,
    /// What cut the stream short.
    trouble: Option<String>,
    /// Whether all stored bytes were read.
    ended: bool,
}

impl<'a> Stream<'a> {
    /// Layer `index`, whose stored bytes are `stored`.
    pub fn new(index: usize, mut stored: Box<dyn StoredLayer + 'a>, reading: &Reading<'a>, budget: &'a Budget) -> Self {
        let limits = reading.limits;
        let promised = stored.take_digest();
        let hasher = Hasher::new(promised.as_ref().map(Promised::algorithm));
        Self {
            decoder: Decoder::watched(Counted { stored, progress: reading.progress }, hasher, limits),
            promised,
            walk: TarWalk::new(limits),
            gather: Gather::new(limits, budget, index, reading.hash_files).searched(reading.content),
            most: limits.decompressed,
            at: 0,
            sequence: 0,
            carry: Vec::new(),
            held: Vec::new(),
            carried: Vec::new(),
            gaps: Vec::new(),
            broken: false,
            trouble: None,
            ended: false,
        }
    }

    /// The next block, in the buffer `bytes`; none follows the one that says it is the last.
    pub fn next(&mut self, mut bytes: Vec<u8>) -> Block {
        let new = self.carry.len();
        let fresh = new + self.held.len();
        bytes.resize(fresh + BLOCK, 0);
        bytes[..new].copy_from_slice(&self.carry);
        bytes[new..fresh].copy_from_slice(&self.held);
        let (filled, error) = fill(&mut self.decoder, &mut bytes[fresh..]);
        bytes.truncate(fresh + filled);
        self.gather.begin_block(self.at, fresh);
        if !self.broken
            && let Err(error) = self.walk.feed(&bytes[fresh..], &mut self.gather)
        {
            self.gaps.push((None, error.to_string()));
            self.broken = true;
        }
        self.at += filled as u64;
        let most = self.most;
        let is_checksum = |error: &io::Error| DecodeError::of(error).is_some_and(|it| it.kind == DecodeKind::Integrity);
        self.ended = filled < BLOCK && error.as_ref().is_none_or(is_checksum);
        self.trouble = match error {
            Some(error) => Some(error.to_string()),
            None => (self.at > most).then(|| format!("more than {most} decompressed bytes, the limit max-layer-bytes")),
        };
        let last = filled < BLOCK || self.trouble.is_some();
        let mut extents = join(&self.carried, self.gather.take_extents());
        let held = if last { None } else { extents.pop_if(|extent| may_be_whole(extent)) };
        let end = held.map_or(bytes.len(), |extent| extent.at);
        self.held.clear();
        self.held.extend_from_slice(&bytes[end..]);
        bytes.truncate(end);
        let cut = carry_from(&extents, end);
        self.carry.clear();
        self.carry.extend_from_slice(&bytes[cut..]);
        self.carried = tail(&extents, cut);
        self.carried.extend(held.map(|extent| Extent { at: extent.at - cut, ..extent }));
        let sequence = self.sequence;
        self.sequence += 1;
        Block { bytes, new, sequence, last, extents }
    }

    /// Hashes what both have read of their stored bytes and not hashed yet, as far as that goes side by side, which takes
    /// less than one after the other. What is left is hashed when its place is needed.
    pub fn hash_stored(&mut self, other: &mut Self) {
        let (hasher, bytes) = self.decoder.unwatched();
        let (others_hasher, others) = other.decoder.unwatched();
        let (taken, others_taken) = hasher.update_with(bytes, others_hasher, others);
        self.decoder.saw(taken);
        other.decoder.saw(others_taken);
    }

    /// What was gathered, after the last block.
    pub fn finish(mut self) -> LayerFacts {
        if let Some(promised) = self.promised.take().filter(|_| self.ended) {
            // Bytes that are not those that were promised say more than what is wrong with them.
            self.trouble = promised.check(self.decoder.watcher().finish().as_ref()).err().or(self.trouble);
        }
        let mut gaps = self.gaps;
        if !self.broken {
            // What cut the stream short says more than where the tar stopped.
            let ended = self.walk.finish(&mut self.gather).err().filter(|_| self.trouble.is_none());
            gaps.extend(ended.map(|error| (None, error.to_string())));
        }
        let complete = self.trouble.is_none();
        gaps.extend(self.trouble.map(|sentence| (None, sentence)));
        let mut facts = self.gather.finish();
        facts.size = self.at;
        facts.complete = complete;
        facts.gaps.splice(0..0, gaps);
        facts.notes.extend(self.walk.notes());
        facts.notes.extend_from_slice(self.decoder.notes());
        facts
    }
}

/// Fills `buffer` as far as the stream goes. What was read before an error is kept.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

/// Whether a file that goes on behind a block may lie whole in the next one, when that begins with it: so it does, if it
/// has no more than [`WHOLE`] bytes.
fn may_be_whole(extent: &Extent) -> bool {
    extent.first && !extent.last && extent.len < WHOLE
}

/// Where that begins of a block up to `end` which the next one sees again. A file of which a part is left to the next block
/// lies in that one whole, too, if it has no more than [`WHOLE`] bytes.
fn carry_from(extents: &[Extent], end: usize) -> usize {
    let cut = end - end.min(CARRY);
    let left = end - end.min(AHEAD);
    let cut_off = extents.iter().find(|extent| extent.at + extent.len > left);
    let whole = cut_off.filter(|extent| extent.first && extent.last && extent.len <= WHOLE);
    whole.map_or(cut, |extent| extent.at.min(cut))
}

/// The extents of a whole buffer: those of its carry, then those of its new bytes, pieces of one file joined.
fn join(carried: &[Extent], new: Vec<Extent>) -> Vec<Extent> {
    let mut all: Vec<Extent> = Vec::with_capacity(carried.len() + new.len());
    for extent in carried.iter().copied().chain(new) {
        match all.last_mut() {
            Some(before)
                if before.entry == extent.entry
                    && before.at + before.len == extent.at
                    && before.file + before.len as u64 == extent.file =>
            {
                before.len += extent.len;
                before.last = extent.last;
                before.binary |= extent.binary;
            }
            _ => all.push(extent),
        }
    }
    all
}

impl Watch for Hasher {
    fn watch(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

/// Counts what is read.
struct Counted<'a> {
    stored: Box<dyn StoredLayer + 'a>,
    progress: &'a AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.stored.read(buffer)?;
        self.progress.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}
