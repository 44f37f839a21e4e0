//! Reads all layers once, in parallel: one task a layer, largest first, over a bounded pool of blocks. A thread that has
//! no layer left to start helps the others by hashing and scanning their blocks. Judges nothing.
//!
//! A block is inflated, walked and scanned while it is hot. No layer is held whole: what is alive at a time is one block a
//! thread and a short queue for the helpers.

use super::hash::{self, Bytes, Chain};
use super::stream::{Block, Reading, Stream};
use super::unpack::{Follow, Pieces, Unpackings, whole};
use crate::facts::secrets::{Extent, Finds, in_entries, tail, unlock, unpack};
use crate::facts::{Budget, LayerFacts};
use crate::image::Digest;
use crate::layer::Memory;
use crate::model::Limits;
use crate::source::{LayerInfo, Source};
use rayon::prelude::*;
use std::collections::VecDeque;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Scope;

/// Layers that a thread reads in turns while there are enough of them: two hashes side by side take less than one after
/// the other.
const LANES: usize = 2;

/// Bytes of the windows of archives that are unpacked at a time: of those that lie in a block, and of those that are
/// followed. What they hold would be most of the memory of a scan, so it must not grow with threads.
const WINDOWS_HERE: u64 = 20 << 20;
const WINDOWS_FOLLOWED: u64 = 20 << 20;

/// How often a thread without work gives way before it sleeps. Waking costs more than a block's inflation takes, on both
/// sides.
const PATIENCE: usize = 500;

/// A layer that is being read.
struct Lane<'a> {
    stream: Stream<'a>,
    /// The archive that goes over several blocks.
    follow: Follow,
    layer: Arc<InFlight>,
}

/// A block that waits to be looked at.
struct Piece {
    block: Block,
    layer: Arc<InFlight>,
}

/// What a thread without a layer can do.
enum Work<'a> {
    /// Go on reading a layer that another thread began.
    Read(Box<Lane<'a>>),
    LookAt(Piece),
}

/// A layer while its blocks are about.
struct InFlight {
    index: usize,
    chain: Chain,
    finds: Mutex<Finds>,
    unpacked: Mutex<Unpackings>,
    /// Blocks handed out and not done, archives being unpacked, plus one while the layer is still being read.
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
    queue: Mutex<Queue<'a>>,
    turn: Condvar,
    done: Mutex<Vec<Option<LayerFacts>>>,
    /// For each layer, whether its diff id is computed.
    checked: Vec<bool>,
    spare: Mutex<Vec<Vec<u8>>>,
    /// Before archives in a block: whoever unpacks one waits for nobody else.
    windows_here: Memory,
    /// Before archives that are followed: whoever unpacks one waits for the thread that reads its layer, so that one must
    /// never wait here.
    windows_followed: Memory,
    budget: &'a Budget,
}

#[derive(Default)]
struct Queue<'a> {
    /// Layers that a thread gave away.
    lanes: Vec<Lane<'a>>,
    blocks: VecDeque<Piece>,
    /// Threads that wait for work.
    idle: usize,
    /// Those of them that must be woken.
    asleep: usize,
    /// Layers that are being read or have blocks about.
    unfinished: usize,
}

impl Queue<'_> {
    /// Whether there is work, or no more to come.
    fn has_news(&self) -> bool {
        !self.lanes.is_empty() || !self.blocks.is_empty() || self.unfinished == 0
    }
}

/// For each of an image's layers, whether its bytes are held against the diff id that the config promises: where no digest
/// of a blob vouches for them, and otherwise as far as `limits` allow, the smallest layers first. To hash every decompressed
/// byte takes a quarter of a whole scan, and says of bytes that are already known only whether the config lies.
#[must_use]
pub fn diff_ids_checked(layers: &[LayerInfo], limits: &Limits) -> Vec<bool> {
    let mut checked: Vec<bool> = layers.iter().map(|layer| layer.diff_id.is_some()).collect();
    let vouched = |&index: &usize| layers[index].digest.is_some();
    let mut order: Vec<usize> = (0..layers.len()).filter(vouched).collect();
    order.sort_by_key(|&index| (layers[index].size, index));
    let mut stored = 0u64;
    for index in order {
        stored = stored.saturating_add(layers[index].size);
        checked[index] &= stored <= limits.diff_ids;
    }
    checked
}

/// The facts of every layer, in the order of the image.
#[must_use]
pub fn read_layers(source: &dyn Source, reading: Reading<'_>) -> Vec<LayerFacts> {
    let layers = &source.image().layers;
    let mut order: Vec<usize> = (0..layers.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(layers[index].size), index));
    let threads = reading.threads.max(1);
    let budget = Budget::new(reading.limits, layers.len());
    let done = {
        let pool = Pool {
            source,
            reading,
            next: AtomicUsize::new(0),
            queue: Mutex::new(Queue { unfinished: order.len(), ..Queue::default() }),
            turn: Condvar::new(),
            done: Mutex::new(vec![None; order.len()]),
            checked: diff_ids_checked(layers, reading.limits),
            spare: Mutex::new(Vec::new()),
            windows_here: Memory::new(WINDOWS_HERE),
            windows_followed: Memory::new(WINDOWS_FOLLOWED),
            budget: &budget,
            order,
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| pool.work(scope));
            }
            pool.work(scope);
        });
        pool.done.into_inner().unwrap_or_else(PoisonError::into_inner)
    };
    let mut layers: Vec<LayerFacts> = done.into_iter().map(Option::unwrap_or_default).collect();
    budget.settle(&mut layers, reading.limits);
    // Only now is it settled which names are kept.
    layers.par_iter_mut().for_each(|layer| {
        layer.hits.extend(in_entries(&layer.entries, &layer.records, reading.patterns));
        layer.hits.sort();
    });
    layers
}

impl<'a> Pool<'a> {
    fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        let mut lanes = Vec::new();
        loop {
            self.begin_layers(&mut lanes);
            if lanes.is_empty() {
                match self.wait_for_work() {
                    Some(Work::Read(lane)) => lanes.push(*lane),
                    Some(Work::LookAt(piece)) => self.look_at(vec![piece]),
                    None => return,
                }
                continue;
            }
            let mut pieces = Vec::with_capacity(LANES);
            // One archive at a time: the windows of its decoders take more than all else. The other layer waits.
            lanes.sort_by_key(|lane: &Lane<'_>| !lane.follow.is_busy());
            for mut lane in std::mem::take(&mut lanes) {
                if lanes.iter().any(|lane| lane.follow.is_busy()) {
                    lanes.push(lane);
                    continue;
                }
                let spare = lock(&self.spare).pop().unwrap_or_default();
                let block = lane.stream.next(spare);
                let ended = block.last;
                if self.reading.content {
                    let layer = &lane.layer;
                    lane.follow.take(&block.bytes[block.new..], &tail(&block.extents, block.new), |entry, pieces| {
                        layer.open.fetch_add(1, Ordering::Relaxed);
                        let layer = Arc::clone(layer);
                        scope.spawn(move || self.unpack_pieces(&layer, entry, pieces));
                    });
                }
                lane.layer.open.fetch_add(1, Ordering::Relaxed);
                pieces.push(Piece { block, layer: Arc::clone(&lane.layer) });
                if ended {
                    lane.follow.finish();
                    *lock(&lane.layer.read) = Some(lane.stream.finish());
                    self.close(&lane.layer);
                } else {
                    lanes.push(lane);
                }
            }
            if let [one, other] = &mut lanes[..] {
                one.stream.hash_stored(&mut other.stream);
            }
            self.hand_over(&mut lanes, pieces);
        }
    }

    /// Begins a layer for a thread that has none, and another one while more are left than threads.
    fn begin_layers(&self, lanes: &mut Vec<Lane<'a>>) {
        while lanes.len() < LANES {
            let left = self.order.len().saturating_sub(self.next.load(Ordering::Relaxed));
            if left < self.reading.threads && !lanes.is_empty() {
                return;
            }
            let Some(&index) = self.order.get(self.next.fetch_add(1, Ordering::Relaxed)) else { return };
            lanes.extend(self.begin(index));
        }
    }

    /// Something to do; `None` when every layer is finished.
    fn wait_for_work(&self) -> Option<Work<'a>> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(lane) = queue.lanes.pop() {
                return Some(Work::Read(Box::new(lane)));
            }
            if let Some(piece) = queue.blocks.pop_front() {
                return Some(Work::LookAt(piece));
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

    /// Gives idle threads a layer to read or blocks to look at, and looks here and now at what nobody takes.
    fn hand_over(&self, lanes: &mut Vec<Lane<'a>>, pieces: Vec<Piece>) {
        let mut own = Vec::with_capacity(LANES);
        let mut given = 0;
        let mut queue = lock(&self.queue);
        // An archive that is unpacked wants to be read on: it must not wait in the queue.
        let free = lanes.iter().rposition(|lane| !lane.follow.is_busy());
        if queue.idle > 0
            && lanes.len() > 1
            && let Some(free) = free
        {
            queue.lanes.push(lanes.swap_remove(free));
            given += 1;
        }
        for piece in pieces {
            if queue.idle > given || (!queue.blocks.is_empty() && queue.blocks.len() < 2 * self.reading.threads) {
                queue.blocks.push_back(piece);
                given += 1;
            } else {
                own.push(piece);
            }
        }
        let woken = given.min(queue.asleep);
        drop(queue);
        (0..woken).for_each(|_| self.turn.notify_one());
        self.look_at(own);
    }

    /// Hashes and scans blocks, gives their buffers back, then looks into the archives that lay in them: what comes behind a
    /// block waits for its hash, and must not wait for an archive.
    fn look_at(&self, pieces: Vec<Piece>) {
        let mut hashed = Vec::with_capacity(LANES);
        let mut archives = Vec::new();
        for Piece { block: Block { bytes, new, sequence, last, extents }, layer } in pieces {
            if self.reading.content {
                let mut finds = Finds::default();
                self.reading.patterns.scan(&bytes, new, last, &extents, &mut finds);
                finds.sum(&bytes, &extents);
                lock(&layer.finds).absorb(finds);
                let files = whole(&bytes, new, &extents).into_iter();
                let copy = |extent: &Extent| (extent.entry, bytes[extent.at..extent.at + extent.len].to_vec());
                archives.extend(files.map(|extent| (Arc::clone(&layer), copy(extent))));
            }
            hashed.push((layer, sequence, Bytes { buffer: bytes, new }));
        }
        let layers: Vec<_> = hashed.iter().map(|(layer, ..)| Arc::clone(layer)).collect();
        let blocks = layers.iter().zip(hashed).map(|(layer, (_, sequence, bytes))| (&layer.chain, sequence, bytes));
        hash::add(blocks, |buffer| lock(&self.spare).push(buffer));
        for (layer, (entry, file)) in archives {
            if self.unpack(&layer, entry, &mut &file[..], &self.windows_here) {
                lock(&layer.finds).sum_file(entry, &file);
            }
        }
        for layer in &layers {
            self.close(layer);
        }
    }

    /// Looks into an archive of `layer`, as far as the layer's budget goes; whether there are secrets in it.
    fn unpack(&self, layer: &InFlight, entry: u32, file: &mut dyn Read, windows: &Memory) -> bool {
        if !lock(&layer.unpacked).admits(entry) {
            return false;
        }
        let unpacked = unpack(file, entry, self.reading.patterns, self.reading.limits, windows);
        let holds = !unpacked.hits.is_empty();
        lock(&layer.unpacked).add(entry, unpacked);
        holds
    }

    /// Looks into an archive that goes over several blocks, piece by piece.
    fn unpack_pieces(&self, layer: &Arc<InFlight>, entry: u32, mut pieces: Pieces) {
        self.unpack(layer, entry, &mut pieces, &self.windows_followed);
        drop(pieces);
        self.close(layer);
    }

    /// Counts one piece of work on a layer as done; the last one makes its facts whole.
    fn close(&self, layer: &Arc<InFlight>) {
        if layer.open.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let Some(mut facts) = lock(&layer.read).take() else { return };
        let mut finds = std::mem::take(&mut *lock(&layer.finds));
        facts.add_sums(finds.take_sums());
        let cut = finds.cut_short(self.reading.patterns.rules());
        facts.gaps.extend(cut.into_iter().map(|(entry, why)| (Some(entry), why.to_owned())));
        facts.hits = finds.hits(self.reading.patterns.rules());
        std::mem::take(&mut *lock(&layer.unpacked)).settle(&mut facts);
        let stores = std::mem::take(&mut facts.stores);
        unlock(&mut facts.hits, &stores, self.reading.patterns.rules());
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

    /// Begins to read a layer; one that cannot be read is done with.
    fn begin(&self, index: usize) -> Option<Lane<'a>> {
        let layers = &self.source.image().layers;
        let info = &layers[index];
        let all = layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add);
        let promised = info.diff_id.as_ref().filter(|_| self.checked[index]);
        let layer = Arc::new(InFlight {
            index,
            chain: Chain::new(promised.map(Digest::algorithm)),
            finds: Mutex::default(),
            unpacked: Mutex::new(Unpackings::new(self.reading.limits, info.size, all)),
            open: AtomicUsize::new(1),
            read: Mutex::default(),
        });
        let stored = match &info.unreadable {
            Some(why) => Err(why.clone()),
            None => self.source.layer(index).map_err(|error| error.to_string()),
        };
        match stored {
            Ok(stored) => Some(Lane {
                stream: Stream::new(index, stored, &self.reading, self.budget),
                follow: Follow::default(),
                layer,
            }),
            Err(why) => {
                *lock(&layer.read) = Some(self.unread(index, &why));
                self.close(&layer);
                None
            }
        }
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
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
