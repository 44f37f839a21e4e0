//! Reads all layers once, in parallel: one task a layer, largest first, over a bounded pool of blocks. A thread that has
//! no layer left to start helps the others by hashing and scanning their blocks. Judges nothing.
//!
//! A block is inflated, walked and scanned while it is hot. No layer is held whole: what is alive at a time is one block a
//! thread and a short queue for the helpers.

use super::hash::Chain;
use super::unpack::{Follow, Unpackings, whole};
use crate::facts::secrets::{CARRY, Extent, Finds, Patterns, in_entries, tail, unpack};
use crate::facts::{Budget, Gather, LayerFacts};
use crate::image::Digest;
use crate::layer::{Decoder, TarWalk};
use crate::model::Limits;
use crate::source::Source;
use rayon::prelude::*;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

/// Bytes of a block: small enough for a core's own cache, large enough to forget the work around it.
const BLOCK: usize = 256 << 10;

/// How often a thread without work gives way before it sleeps. Waking costs more than a block's inflation takes, on both
/// sides.
const PATIENCE: usize = 500;

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
struct Block {
    bytes: Vec<u8>,
    /// Where the new bytes begin; what stands before them was in the last block.
    new: usize,
    /// Counts from 0 in the layer.
    sequence: u64,
    last: bool,
    extents: Vec<Extent>,
    layer: Arc<InFlight>,
}

/// A layer while its blocks are about.
struct InFlight {
    index: usize,
    chain: Chain,
    finds: Mutex<Finds>,
    unpacked: Mutex<Unpackings>,
    /// Blocks handed out and not done, archives being unpacked, plus one while the layer is still being
    /// read.
    open: AtomicUsize,
    read: Mutex<Option<LayerFacts>>,
}

/// The state that threads share.
struct Pool<'a> {
    source: &'a dyn Source,
    reading: Reading<'a>,
    /// Layers from the largest to the smallest.
    order: Vec<usize>,
    next: AtomicUsize,
    queue: Mutex<Queue>,
    turn: Condvar,
    done: Mutex<Vec<Option<LayerFacts>>>,
    spare: Mutex<Vec<Vec<u8>>>,
    budget: Budget,
}

#[derive(Default)]
struct Queue {
    blocks: VecDeque<Block>,
    /// Threads that wait for a block.
    idle: usize,
    /// Those of them that must be woken.
    asleep: usize,
    /// Layers that are being read or have blocks about.
    unfinished: usize,
}

impl Queue {
    /// Whether there is work, or no more to come.
    fn has_news(&self) -> bool {
        !self.blocks.is_empty() || self.unfinished == 0
    }
}

/// The facts of every layer, in the order of the image.
#[must_use]
pub fn read_layers(source: &dyn Source, reading: Reading<'_>) -> Vec<LayerFacts> {
    let layers = &source.image().layers;
    let mut order: Vec<usize> = (0..layers.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(layers[index].size), index));
    let threads = reading.threads.max(1);
    let pool = Pool {
        source,
        reading,
        next: AtomicUsize::new(0),
        queue: Mutex::new(Queue { unfinished: order.len(), ..Queue::default() }),
        turn: Condvar::new(),
        done: Mutex::new(vec![None; order.len()]),
        spare: Mutex::new(Vec::new()),
        budget: Budget::new(reading.limits, layers.len()),
        order,
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| pool.work(scope));
        }
        pool.work(scope);
    });
    let done = pool.done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut layers: Vec<LayerFacts> = done.into_iter().map(Option::unwrap_or_default).collect();
    pool.budget.settle(&mut layers, reading.limits);
    // Only now is it settled which names are kept.
    layers.par_iter_mut().for_each(|layer| {
        layer.hits.extend(in_entries(&layer.entries, &layer.records, reading.patterns));
        layer.hits.sort();
    });
    layers
}

impl Pool<'_> {
    fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        while let Some(&index) = self.order.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            self.read_layer(scope, index);
        }
        while let Some(block) = self.wait_for_block() {
            self.look_at(block);
        }
    }

    /// A block of somebody else's layer; `None` when every layer is finished.
    fn wait_for_block(&self) -> Option<Block> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(block) = queue.blocks.pop_front() {
                return Some(block);
            }
            if queue.unfinished == 0 {
                return None;
            }
            queue.idle += 1;
            for _ in 0..PATIENCE {
                drop(queue);
                std::thread::yield_now();
                queue = lock(&self.queue);
                if queue.has_news() {
                    break;
                }
            }
            if !queue.has_news() {
                queue.asleep += 1;
                queue = self.turn.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.asleep -= 1;
            }
            queue.idle -= 1;
        }
    }

    /// Gives a block to an idle thread, or looks at it here and now.
    fn hand_over(&self, block: Block) {
        block.layer.open.fetch_add(1, Ordering::Relaxed);
        let mut queue = lock(&self.queue);
        if queue.idle > 0 || (!queue.blocks.is_empty() && queue.blocks.len() < 2 * self.reading.threads) {
            queue.blocks.push_back(block);
            let wakes = queue.asleep > 0;
            drop(queue);
            if wakes {
                self.turn.notify_one();
            }
        } else {
            drop(queue);
            self.look_at(block);
        }
    }

    /// Hashes and scans a block, then gives its buffer back.
    fn look_at(&self, block: Block) {
        let Block { bytes, new, sequence, last, extents, layer } = block;
        if self.reading.content {
            let patterns = self.reading.patterns;
            let mut finds = Finds::default();
            patterns.scan(&bytes, new, last, &extents, &mut finds);
            lock(&layer.finds).absorb(finds);
            for extent in whole(&bytes, new, &extents) {
                self.unpack(&layer, extent.entry, &mut &bytes[extent.at..extent.at + extent.len]);
            }
        }
        layer.chain.add(sequence, bytes, new, |bytes| lock(&self.spare).push(bytes));
        self.close(&layer);
    }

    /// Looks into an archive of `layer`, as far as the layer's budget goes.
    fn unpack(&self, layer: &InFlight, entry: u32, file: &mut dyn Read) {
        if lock(&layer.unpacked).admits(entry) {
            let unpacked = unpack(file, entry, self.reading.patterns, self.reading.limits);
            lock(&layer.unpacked).add(entry, unpacked);
        }
    }

    /// Counts one piece of work on a layer as done; the last one makes its facts whole.
    fn close(&self, layer: &Arc<InFlight>) {
        if layer.open.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let Some(mut facts) = lock(&layer.read).take() else { return };
        facts.hits = std::mem::take(&mut *lock(&layer.finds)).hits(self.reading.patterns.rules());
        std::mem::take(&mut *lock(&layer.unpacked)).settle(&mut facts);
        let index = layer.index;
        if let (Some(promised), Some(found)) = (&self.source.image().layers[index].diff_id, layer.chain.finish())
            && facts.complete
            && *promised != found
        {
            facts.gaps.push((None, format!("diff id mismatch: the config promises {promised}, the layer has {found}")));
        }
        lock(&self.done)[index] = Some(facts);
        let mut queue = lock(&self.queue);
        queue.unfinished -= 1;
        if queue.unfinished == 0 {
            drop(queue);
            self.turn.notify_all();
        }
    }

    fn read_layer<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, index: usize) {
        let layers = &self.source.image().layers;
        let info = &layers[index];
        let all = layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add);
        let layer = Arc::new(InFlight {
            index,
            chain: Chain::new(info.diff_id.as_ref().map(Digest::algorithm)),
            finds: Mutex::default(),
            unpacked: Mutex::new(Unpackings::new(self.reading.limits, info.size, all)),
            open: AtomicUsize::new(1),
            read: Mutex::default(),
        });
        let facts = match &info.unreadable {
            Some(why) => self.unread(index, why),
            None => self.stream(scope, &layer),
        };
        *lock(&layer.read) = Some(facts);
        self.close(&layer);
    }

    /// A layer of which nothing can be read, and what that means for the tree of the image.
    fn unread(&self, index: usize, why: &str) -> LayerFacts {
        let above = match self.order.len() - index {
            ..=1 => "",
            2 => ", and the layer above it may rest on it",
            _ => ", and the layers above it may rest on it",
        };
        let reason = format!(
            "{why}; the files of the image are shown without this layer: what it adds is missing, what it deletes is \
             not gone{above}"
        );
        LayerFacts { gaps: vec![(None, reason)], ..LayerFacts::default() }
    }

    /// Reads a layer from its first stored byte to its last.
    fn stream<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, layer: &Arc<InFlight>) -> LayerFacts {
        let limits = self.reading.limits;
        let mut gather = Gather::new(limits, &self.budget, layer.index, self.reading.hash_files);
        let mut gaps = Vec::new();
        let mut notes = Vec::new();
        let mut walk = TarWalk::new(limits);
        let mut broken = false;
        let mut stream: u64 = 0;
        let raw = match self.source.layer(layer.index) {
            Ok(raw) => Counted { raw, progress: self.reading.progress },
            Err(error) => return self.unread(layer.index, &error.to_string()),
        };
        let mut decoder = Decoder::new(raw, limits);
        let mut carry: Vec<u8> = Vec::new();
        let mut carried: Vec<Extent> = Vec::new();
        let mut sequence = 0;
        let mut trouble: Option<String> = None;
        let mut follow = Follow::default();
        let mut unpacking: Option<ScopedJoinHandle<'scope, ()>> = None;
        loop {
            let mut bytes = lock(&self.spare).pop().unwrap_or_else(|| vec![0; CARRY + BLOCK]);
            let new = carry.len();
            bytes.resize(new + BLOCK, 0);
            bytes[..new].copy_from_slice(&carry);
            let (filled, error) = fill(&mut decoder, &mut bytes[new..]);
            bytes.truncate(new + filled);
            gather.begin_block(stream, new);
            if !broken && let Err(error) = walk.feed(&bytes[new..], &mut gather) {
                gaps.push((None, error.to_string()));
                broken = true;
            }
            stream += filled as u64;
            let mut ended = filled < BLOCK;
            if let Some(error) = error {
                trouble = Some(error.to_string());
                ended = true;
            } else if stream > limits.decompressed {
                trouble =
                    Some(format!("more than {} decompressed bytes, the limit max-layer-bytes", limits.decompressed));
                ended = true;
            }
            let new_extents = gather.take_extents();
            if self.reading.content {
                follow.take(&bytes, &new_extents, |entry, mut pieces| {
                    // One at a time: what is being unpacked holds no more than one stack of decoders.
                    unpacking.take().map(ScopedJoinHandle::join);
                    layer.open.fetch_add(1, Ordering::Relaxed);
                    let layer = Arc::clone(layer);
                    unpacking = Some(scope.spawn(move || {
                        self.unpack(&layer, entry, &mut pieces);
                        drop(pieces);
                        self.close(&layer);
                    }));
                });
            }
            let extents = join(&carried, new_extents);
            let keep = bytes.len().min(CARRY);
            let cut = bytes.len() - keep;
            carry.clear();
            carry.extend_from_slice(&bytes[cut..]);
            carried = tail(&extents, cut);
            self.hand_over(Block { bytes, new, sequence, last: ended, extents, layer: Arc::clone(layer) });
            sequence += 1;
            if ended {
                break;
            }
        }
        if !broken {
            // What cut the stream short says more than where the tar stopped.
            let ended = walk.finish(&mut gather).err().filter(|_| trouble.is_none());
            gaps.extend(ended.map(|error| (None, error.to_string())));
        }
        notes.extend(walk.notes());
        notes.extend_from_slice(decoder.notes());
        let complete = trouble.is_none();
        gaps.extend(trouble.map(|sentence| (None, sentence)));
        let mut facts = gather.finish();
        facts.size = stream;
        facts.complete = complete;
        facts.gaps.splice(0..0, gaps);
        facts.notes.extend(notes);
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
            }
            _ => all.push(extent),
        }
    }
    all
}

/// Counts what is read.
struct Counted<'a, R> {
    raw: R,
    progress: &'a AtomicU64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.raw.read(buffer)?;
        self.progress.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
