//! Gathers the facts of one layer from the tar walk as it streams by. Decides nothing; holds only what the table of
//! wanted bodies names.

use super::secrets::{Extent, STORE, STORE_HEAD, STORES, may_be_store};
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
    /// Where the block that is being walked begins, in the stream and in its buffer.
    block: (u64, usize),
    extents: Vec<Extent>,
    cut_names: u64,
}

/// The entry whose body goes by.
#[derive(Debug)]
struct Current {
    entry: u32,
    size: u64,
    most: u64,
    is_head: bool,
    body: Vec<u8>,
    /// The bytes so far, while the file may be a small key store.
    store: Option<Vec<u8>>,
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

    /// How many bytes of this entry are held, and whether only as its head.
    fn want(&self, entry: &Entry) -> (u64, bool) {
        if EntryKind::of(entry.type_flag) != EntryKind::File || entry.size == 0 {
            return (0, false);
        }
        if let Some(most) = interest::wanted(&ImagePath::clamp(&entry.name), self.limits) {
            return (most, false);
        }
        let executable = entry.mode & 0o111 != 0;
        let room = self.held_heads < self.limits.heads;
        (if executable && room { HEAD } else { 0 }, true)
    }

    fn close(&mut self) {
        let Some(current) = self.current.take() else { return };
        if let Some(hasher) = current.hasher {
            self.facts.digests.push((current.entry, hasher.finalize().into()));
        }
        if let Some(store) = current.store
            && store.len() as u64 == current.size
            && store.len() >= STORE_HEAD
        {
            self.facts.stores.push(Body { entry: current.entry, bytes: store.into(), whole: true });
        }
        if current.body.is_empty() {
            return;
        }
        let kept = if current.is_head { interest::head(&current.body) } else { &current.body[..] };
        let whole = kept.len() as u64 == current.size;
        let body = Body { entry: current.entry, bytes: kept.into(), whole };
        if current.is_head {
            self.held_heads += body.bytes.len() as u64;
            self.facts.heads.push(body);
        } else {
            self.facts.bodies.push(body);
        }
    }
}

impl Visit for Gather<'_> {
    fn entry(&mut self, entry: &Entry) {
        self.close();
        let index = self.facts.entries.len() as u32;
        if self.facts.entries.len() >= self.limits.entries || !self.facts.entries.push(entry) {
            self.cut_names += 1;
            return;
        }
        let (most, is_head) = self.want(entry);
        if !is_head && most > 0 && most < entry.size {
            let name = visible_str(&visible(&entry.name)).into_owned();
            let size = entry.size;
            self.facts.gaps.push((Some(index), format!("'{name}': only the first {most} of {size} bytes were read")));
        }
        let is_file = EntryKind::of(entry.type_flag) == EntryKind::File;
        self.current = Some(Current {
            entry: index,
            size: entry.size,
            most,
            is_head,
            body: Vec::new(),
            store: (is_file && entry.size <= STORE && self.facts.stores.len() < STORES).then(Vec::new),
            hasher: (self.hash_files && is_file).then(Sha256::new),
        });
    }

    fn data(&mut self, stream: u64, file: u64, bytes: &[u8]) {
        let Some(current) = &mut self.current else { return };
        let room = current.most.saturating_sub(file);
        if room > 0 && current.body.len() as u64 == file {
            let take = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            if current.is_head || self.budget.take(take) {
                current.body.extend_from_slice(&bytes[..take]);
            }
        }
        if let Some(store) = &mut current.store {
            let head = STORE_HEAD.saturating_sub(store.len()).min(bytes.len());
            store.extend_from_slice(&bytes[..head]);
            if may_be_store(store) {
                store.extend_from_slice(&bytes[head..]);
            } else {
                current.store = None;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(size: u64) -> Entry {
        Entry {
            index: 0,
            offset: 0,
            name: b"app/store".to_vec(),
            type_flag: b'0',
            size,
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: 0,
            link: Vec::new(),
            device: (0, 0),
            xattrs: Vec::new(),
        }
    }

    /// The stores held of one file that comes in pieces of `step` bytes.
    fn stores(file: &[u8], step: usize) -> Vec<Vec<u8>> {
        let limits = Limits::default();
        let budget = Budget::new(&limits);
        let mut gather = Gather::new(&limits, &budget, false);
        gather.entry(&entry(file.len() as u64));
        for (number, piece) in file.chunks(step).enumerate() {
            gather.data((number * step) as u64, (number * step) as u64, piece);
        }
        gather.finish().stores.iter().map(|store| store.bytes.to_vec()).collect()
    }

    #[test]
    fn key_stores_are_held_however_they_come() {
        let java = [&[0xfe, 0xed, 0xfe, 0xed][..], &[1; 200]].concat();
        for step in [1, 3, 31, 32, 33, 1000] {
            assert_eq!(stores(&java, step), std::slice::from_ref(&java), "{step}");
            assert!(stores(&[0x30; 200], step).is_empty() && stores(&[7; 200], step).is_empty(), "{step}");
        }
        assert!(stores(&java[..20], 5).is_empty(), "too short for a store");
        let large = [&java[..], &vec![1; STORE as usize]].concat();
        assert!(stores(&large, 4096).is_empty(), "too large to be held");
    }
}
