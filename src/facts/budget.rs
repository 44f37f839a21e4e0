//! What the layers of one image may hold together while they are read at the same time. What is cut depends on the image
//! alone, never on which layer was read first.

use super::{Body, LayerFacts};
use crate::layer::{Entry, LayerEntries};
use crate::model::Limits;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that holding a body costs beside its own.
const BODY_COST: usize = 96;

/// The budget of one image.
#[derive(Debug)]
pub struct Budget {
    bodies: AtomicI64,
    records: AtomicI64,
    entries: Ledger<LayerEntries>,
    heads: Ledger<Heads>,
}

/// Beginnings of executables, and what they cost.
#[derive(Debug, Default)]
struct Heads {
    list: Vec<Body>,
    cost: u64,
}

/// What all layers hold of one kind. In the order of layers, and of each layer's tar, it is kept as long as the cost of
/// all before it, kept or not, leaves room. While layers are read the costs of lower ones are known in part, so that too
/// much may be kept; it goes as soon as they grow.
#[derive(Debug)]
struct Ledger<T> {
    limit: u64,
    shares: Vec<Share<T>>,
}

#[derive(Debug, Default)]
struct Share<T> {
    /// What the layer has cost so far, had all of it been kept.
    seen: AtomicU64,
    held: Mutex<T>,
}

/// What can be cut at its end.
trait Hold: Default {
    /// Drops from the end what is beyond `room`.
    fn fit(&mut self, room: u64);
}

impl Budget {
    /// Room for `layers` layers within `limits`.
    #[must_use]
    pub fn new(limits: &Limits, layers: usize) -> Self {
        let room = |limit: u64| AtomicI64::new(i64::try_from(limit).unwrap_or(i64::MAX));
        Self {
            bodies: room(limits.bodies),
            records: room(limits.records),
            entries: Ledger::new(limits.entries_held, layers),
            heads: Ledger::new(limits.heads, layers),
        }
    }

    /// A body will be held.
    pub(super) fn take_body(&self) {
        self.take(BODY_COST);
    }

    /// Takes `bytes` of a body; whether there still was room for them.
    pub(super) fn take(&self, bytes: usize) -> bool {
        take(&self.bodies, bytes)
    }

    /// Takes room for a PAX record of `bytes`; whether there still was some.
    pub(super) fn take_record(&self, bytes: usize) -> bool {
        take(&self.records, BODY_COST + bytes)
    }

    /// Keeps the next entry of `layer` when there is room; whether it is kept so far.
    pub(super) fn keep_entry(&self, layer: usize, entry: &Entry) -> bool {
        let mut held = self.entries.held(layer);
        held.len() == entry.index as usize && held.push(entry)
    }

    /// Says what further entries of `layer` cost.
    pub(super) fn saw_entries(&self, layer: usize, cost: u64) {
        self.entries.saw(layer, cost);
    }

    /// Keeps the head that is number `index` of `layer` when there is room. What it costs.
    pub(super) fn keep_head(&self, layer: usize, index: usize, head: Body) -> u64 {
        let cost = (BODY_COST + head.bytes.len()) as u64;
        let mut held = self.heads.held(layer);
        if held.list.len() == index {
            held.list.push(head);
            held.cost += cost;
        }
        cost
    }

    /// Says what further heads of `layer` cost.
    pub(super) fn saw_heads(&self, layer: usize, cost: u64) {
        self.heads.saw(layer, cost);
    }

    /// Puts what is kept into the facts of all `layers`, once all are read, and takes out what is not; gaps say so.
    pub fn settle(self, layers: &mut [LayerFacts], limits: &Limits) {
        let overdrawn = |room: &AtomicI64| room.load(Ordering::Relaxed) < 0;
        let (bodies, records) = (overdrawn(&self.bodies), overdrawn(&self.records));
        for ((facts, entries), heads) in layers.iter_mut().zip(self.entries.settle()).zip(self.heads.settle()) {
            facts.entries = entries;
            facts.heads = heads.list;
            let kept = u32::try_from(facts.entries.len()).unwrap_or(u32::MAX);
            let cut_heads = facts.met.heads.saturating_sub(facts.heads.len() as u64);
            if kept < facts.met.entries {
                facts.cut_at(kept);
                let (cut, limit) = (facts.met.entries - kept, limits.entries_held);
                let why =
                    format!("{cut} entries were not read: the names of all layers pass the limit of {limit} bytes");
                facts.gaps.push((None, why));
            } else if cut_heads > 0 {
                let limit = limits.heads;
                let why = format!("{cut_heads} programs were not looked at: those of all layers pass {limit} bytes");
                facts.gaps.push((None, why));
            }
        }
        if bodies {
            let limit = limits.bodies;
            let why = format!("the files that rules read pass {limit} bytes in all layers: none was read");
            drop_all(layers, |layer| layer.bodies.clear(), why);
        }
        if records {
            let limit = limits.records;
            let why = format!("PAX records pass {limit} bytes in all layers: none was searched for secrets");
            drop_all(layers, |layer| layer.records.clear(), why);
        }
    }
}

fn take(room: &AtomicI64, bytes: usize) -> bool {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    room.fetch_sub(bytes, Ordering::Relaxed) >= bytes
}

/// Clears what all layers hold of one kind because there was more than its limit.
fn drop_all(layers: &mut [LayerFacts], clear: impl Fn(&mut LayerFacts), why: String) {
    layers.iter_mut().for_each(clear);
    if let Some(base) = layers.first_mut() {
        base.gaps.push((None, why));
    }
}

impl<T: Hold> Ledger<T> {
    fn new(limit: u64, layers: usize) -> Self {
        let share = || Share { seen: AtomicU64::new(0), held: Mutex::default() };
        Self { limit, shares: std::iter::repeat_with(share).take(layers).collect() }
    }

    fn held(&self, layer: usize) -> MutexGuard<'_, T> {
        self.shares[layer].held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn saw(&self, layer: usize, cost: u64) {
        self.shares[layer].seen.fetch_add(cost, Ordering::Relaxed);
        let all = self.shares.iter().fold(0, |sum: u64, share| sum.saturating_add(share.seen.load(Ordering::Relaxed)));
        if all > self.limit {
            self.trim();
        }
    }

    /// Drops what is known to be beyond the limit.
    fn trim(&self) {
        let mut before = 0u64;
        for (layer, share) in self.shares.iter().enumerate() {
            self.held(layer).fit(self.limit.saturating_sub(before));
            before = before.saturating_add(share.seen.load(Ordering::Relaxed));
        }
    }

    fn settle(self) -> impl Iterator<Item = T> {
        self.trim();
        self.shares.into_iter().map(|share| share.held.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Hold for LayerEntries {
    fn fit(&mut self, room: u64) {
        self.truncate(room);
    }
}

impl Hold for Heads {
    fn fit(&mut self, room: u64) {
        while self.cost > room
            && let Some(head) = self.list.pop()
        {
            self.cost -= (BODY_COST + head.bytes.len()) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gather;
    use crate::layer::Visit;

    /// Entry `index` of a layer: every third is a program of ten bytes, every fifth an account file of twenty.
    fn entry(index: u32) -> (Entry, &'static [u8]) {
        let name = if index.is_multiple_of(5) { format!("{index}/passwd") } else { format!("n{index}") };
        let body: &[u8] = match (index % 5, index % 3) {
            (0, _) => b"twenty bytes of text",
            (_, 0) => b"#!/bin/sh\n",
            _ => b"",
        };
        let entry = Entry { index, name: name.into(), type_flag: b'0', mode: 0o755, ..Entry::default() };
        (Entry { size: body.len() as u64, ..entry }, body)
    }

    /// The facts of layers of `counts` entries whose entries go by in this order of layers.
    fn read(counts: &[u32], order: &[usize], limits: &Limits) -> Vec<LayerFacts> {
        let budget = Budget::new(limits, counts.len());
        let mut gatherers: Vec<_> = (0..counts.len()).map(|layer| Gather::new(limits, &budget, layer, false)).collect();
        let mut next = vec![0; counts.len()];
        for &layer in order {
            let (entry, body) = entry(next[layer]);
            next[layer] += 1;
            gatherers[layer].begin_block(0, 0);
            gatherers[layer].entry(&entry);
            gatherers[layer].data(0, 0, body);
            gatherers[layer].end();
        }
        assert_eq!(next, counts);
        let mut layers: Vec<_> = gatherers.into_iter().map(Gather::finish).collect();
        budget.settle(&mut layers, limits);
        layers
    }

    fn told(layers: &[LayerFacts]) -> Vec<(usize, usize, usize, usize)> {
        let of = |facts: &LayerFacts| (facts.entries.len(), facts.heads.len(), facts.bodies.len(), facts.gaps.len());
        layers.iter().map(of).collect()
    }

    #[test]
    fn what_is_cut_does_not_depend_on_the_order_of_reading() {
        let counts = [3000, 9000, 5000];
        let cost = |count: u32| (0..count).map(|index| LayerEntries::cost(&entry(index).0)).sum::<u64>();
        let up = [vec![0; 3000], vec![1; 9000], vec![2; 5000]].concat();
        let down: Vec<usize> = up.iter().rev().copied().collect();
        let turns: Vec<usize> =
            (0..9000).flat_map(|n| [2, 1, 0].into_iter().filter(move |&layer| n < [3000, 9000, 5000][layer])).collect();
        for (held, expected) in [
            (cost(3000) + cost(9000) + cost(5000), [3000, 9000, 5000]),
            (cost(3000) + cost(9000) + cost(17), [3000, 9000, 17]),
            (cost(3000) + cost(4001) - 1, [3000, 4000, 0]),
            (cost(12), [12, 0, 0]),
            (0, [0, 0, 0]),
        ] {
            let limits = Limits { entries_held: held, heads: 1 << 30, ..Limits::default() };
            let first = read(&counts, &up, &limits);
            assert!(first.iter().map(|facts| facts.entries.len()).eq(expected));
            for (facts, count) in first.iter().zip(counts) {
                let kept = facts.entries.len() as u32;
                assert_eq!(facts.gaps.len(), usize::from(kept < count), "{:?}", facts.gaps);
                assert_eq!(facts.bodies.len() as u32, kept.div_ceil(5));
                assert!(facts.heads.iter().all(|head| head.entry < kept));
            }
            for order in [&down, &turns] {
                assert_eq!(told(&read(&counts, order, &limits)), told(&first));
            }
        }
        for heads in [0, 106, 107, 106 * 1700, 1 << 30] {
            let limits = Limits { heads, ..Limits::default() };
            let first = read(&counts, &up, &limits);
            let held: usize = first.iter().map(|facts| facts.heads.len()).sum();
            assert_eq!(held as u64, (heads / 106).min((800 + 2400) + 1333), "{heads}");
            for order in [&down, &turns] {
                assert_eq!(told(&read(&counts, order, &limits)), told(&first));
            }
        }
        let limits = Limits { bodies: 3400 * 116 - 1, entries_held: cost(10), ..Limits::default() };
        for order in [&up, &down, &turns] {
            let layers = read(&counts, order, &limits);
            assert!(layers.iter().all(|facts| facts.bodies.is_empty()));
        }
        let limits = Limits { bodies: 3400 * 116, ..Limits::default() };
        assert!(read(&counts, &down, &limits).iter().all(|facts| !facts.bodies.is_empty()));
    }
}
