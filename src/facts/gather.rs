//! Gathers the facts of one layer from the tar walk as it streams by. Decides nothing; holds only what the table of
//! wanted bodies names.

use super::secrets::Extent;
use super::{Body, HEAD, LayerFacts, interest};
use crate::layer::{Entry, EntryKind, Visit};
use crate::model::{ImagePath, Limits, visible, visible_str};
use sha2::{Digest as _, Sha256};
use std::sync::atomic::{AtomicI64, Ordering};

/// What all layers of an image may hold together. Whether it is overdrawn does not depend on the order of reading: the
/// wanted bytes of all layers are either more than the limit or not.
#[derive(Debug)]
pub struct Budget {
    left: AtomicI64,
}

impl Budget {
    /// Room for `limits.bodies` bytes.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { left: AtomicI64::new(i64::try_from(limits.bodies).unwrap_or(i64::MAX)) }
    }

    /// Takes `bytes`; whether there still was room for them.
    fn take(&self, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.left.fetch_sub(bytes, Ordering::Relaxed) >= bytes
    }

    /// Whether more was wanted than there is room for: then no body of any layer counts.
    #[must_use]
    pub fn is_overdrawn(&self) -> bool {
        self.left.load(Ordering::Relaxed) < 0
    }
}

/// The visitor of one layer's tar walk.
#[derive(Debug)]
pub struct Gather<'a> {
    limits: &'a Limits,
    budget: &'a Budget,
    hash_files: bool,
    facts: LayerFacts,
    current: Option<Current>,
    held_heads: u64,
    held_guesses: u64,
    /// Where the block that is being walked begins, in the stream and in its buffer.
    block: (u64, usize),
    extents: Vec<Extent>,
    cut_names: u64,
}

/// Why bytes of an entry are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The table names it.
    Body,
    /// For its beginning.
    Head,
    /// It is kept if it reads like something that rules ask for.
    Guess,
}

/// The entry whose body goes by.
#[derive(Debug)]
struct Current {
    entry: u32,
    size: u64,
    most: u64,
    what: What,
    body: Vec<u8>,
    hasher: Option<Sha256>,
}

impl<'a> Gather<'a> {
    /// A gatherer for one layer. With `hash_files`, the SHA-256 of every regular file is kept as well.
    #[must_use]
    pub fn new(limits: &'a Limits, budget: &'a Budget, hash_files: bool) -> Self {
        Self {
            limits,
            budget,
            hash_files,
            facts: LayerFacts::default(),
            current: None,
            held_heads: 0,
            held_guesses: 0,
            block: (0, 0),
            extents: Vec::new(),
            cut_names: 0,
        }
    }

    /// Says that the next bytes of the walk lie at `at` of a buffer and at `stream` of the layer.
    pub fn begin_block(&mut self, stream: u64, at: usize) {
        self.block = (stream, at);
    }

    /// The pieces of files in the block since [`Gather::begin_block`], in order.
    pub fn take_extents(&mut self) -> Vec<Extent> {
        std::mem::take(&mut self.extents)
    }

    /// The facts, once the walk has ended.
    #[must_use]
    pub fn finish(mut self) -> LayerFacts {
        self.close();
        if self.cut_names > 0 {
            let limit = self.limits.entries;
            self.facts
                .gaps
                .push((None, format!("{} entries beyond the limit of {limit} were not read", self.cut_names)));
        }
        self.facts
    }

    /// How many bytes of this entry are taken, and why.
    fn want(&self, entry: &Entry) -> (u64, What) {
        if EntryKind::of(entry.type_flag) != EntryKind::File || entry.size == 0 {
            return (0, What::Body);
        }
        let path = ImagePath::clamp(&entry.name);
        if let Some(most) = interest::wanted(&path, self.limits) {
            return (most, What::Body);
        }
        if interest::may_be_included(&path, entry) {
            let room = self.held_guesses + entry.size <= interest::GUESSES;
            return (if room { entry.size } else { 0 }, What::Guess);
        }
        let executable = entry.mode & 0o111 != 0;
        let room = self.held_heads < self.limits.heads;
        (if executable && room { HEAD } else { 0 }, What::Head)
    }

    fn close(&mut self) {
        let Some(current) = self.current.take() else { return };
        if let Some(hasher) = current.hasher {
            self.facts.digests.push((current.entry, hasher.finalize().into()));
        }
        if current.body.is_empty() {
            return;
        }
        let kept = match current.what {
            What::Body => &current.body[..],
            What::Head => interest::head(&current.body),
            What::Guess => {
                if !interest::reads_like_sudoers(&current.body) || !self.budget.take(current.body.len()) {
                    return;
                }
                self.held_guesses += current.size;
                &current.body[..]
            }
        };
        let whole = kept.len() as u64 == current.size;
        let body = Body { entry: current.entry, bytes: kept.into(), whole };
        if current.what == What::Head {
            self.held_heads += body.bytes.len() as u64;
            self.facts.heads.push(body);
        } else {
            self.facts.bodies.push(body);
        }
    }
}

/// Sizes of programs that are compared with one another: from an ELF header on, which a setuid program has.
const COMPARED: std::ops::RangeInclusive<u64> = 52..=64 << 20;

/// Whether the file may be a setuid copy of a program that does whatever it is told, or such a program.
fn may_be_copy(entry: &Entry) -> bool {
    let base = entry.name.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    COMPARED.contains(&entry.size) && entry.mode & 0o111 != 0 && (entry.mode & 0o6000 != 0 || super::is_powerful(base))
}

impl Visit for Gather<'_> {
    fn entry(&mut self, entry: &Entry) {
        self.close();
        let index = self.facts.entries.len() as u32;
        if self.facts.entries.len() >= self.limits.entries || !self.facts.entries.push(entry) {
            self.cut_names += 1;
            return;
        }
        let (most, what) = self.want(entry);
        if what == What::Body && most > 0 && most < entry.size {
            let name = visible_str(&visible(&entry.name)).into_owned();
            let size = entry.size;
            self.facts.gaps.push((Some(index), format!("'{name}': only the first {most} of {size} bytes were read")));
        }
        let is_file = EntryKind::of(entry.type_flag) == EntryKind::File;
        self.current = Some(Current {
            entry: index,
            size: entry.size,
            most,
            what,
            body: Vec::new(),
            hasher: (is_file && (self.hash_files || may_be_copy(entry))).then(Sha256::new),
        });
    }

    fn data(&mut self, stream: u64, file: u64, bytes: &[u8]) {
        let Some(current) = &mut self.current else { return };
        let room = current.most.saturating_sub(file);
        if room > 0 && current.body.len() as u64 == file {
            let take = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            if current.what != What::Body || self.budget.take(take) {
                current.body.extend_from_slice(&bytes[..take]);
            }
        }
        if let Some(hasher) = &mut current.hasher {
            hasher.update(bytes);
        }
        let at = self.block.1 + stream.saturating_sub(self.block.0) as usize;
        let end = file + bytes.len() as u64;
        self.extents.push(Extent {
            at,
            len: bytes.len(),
            entry: current.entry,
            file,
            first: file == 0,
            last: end == current.size,
        });
    }

    fn hole(&mut self, _file: u64, length: u64) {
        const ZEROS: [u8; 4096] = [0; 4096];
        // A hole is never held. It is hashed only as far as a real file of that size could be.
        if let Some(hasher) = self.current.as_mut().and_then(|current| current.hasher.as_mut()) {
            let mut left = length.min(self.limits.hole_hashed);
            while left > 0 {
                let piece = left.min(ZEROS.len() as u64);
                hasher.update(&ZEROS[..piece as usize]);
                left -= piece;
            }
        }
    }

    fn end(&mut self) {
        self.close();
    }
}
