//! Archives inside a layer's files: finds them among the blocks of the stream, gives each to a thread that unpacks it
//! while it streams by, and keeps what they may cost together. Knows no format.

use crate::facts::LayerFacts;
use crate::facts::secrets::{Extent, Unpacked, deepest};
use crate::layer::Format;
use crate::model::Limits;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

/// Pieces of a file that wait for whoever unpacks it.
const WAITING: usize = 2;

/// Files of a layer whose oddities are told.
const NOTES: usize = 50;

/// What a layer's files held, and what it cost. What is cut depends on the layer alone, never on which file was done first:
/// files count in the order of the layer, and the first that passes the limit ends it.
#[derive(Debug, Default)]
pub(super) struct Unpackings {
    limit: u64,
    /// Bytes that each file gave.
    done: Vec<(u32, u64)>,
    total: u64,
    /// The first file that is not told, as far as that is known.
    cut: Option<u32>,
    skipped: Vec<u32>,
    found: BTreeMap<u32, Unpacked>,
}

impl Unpackings {
    /// For a layer of `stored` bytes in an image of `all`.
    pub(super) fn new(limits: &Limits, stored: u64, all: u64) -> Self {
        let share = u128::from(limits.unpacked_image) * u128::from(stored) / u128::from(all.max(1));
        let share = u64::try_from(share).unwrap_or(u64::MAX).min(limits.unpacked_image);
        Self { limit: share.max(limits.unpacked_least), ..Self::default() }
    }

    /// Whether file `entry` may be unpacked, as far as is known.
    pub(super) fn admits(&mut self, entry: u32) -> bool {
        let admits = self.cut.is_none_or(|cut| entry < cut);
        if !admits {
            self.skipped.push(entry);
        }
        admits
    }

    /// File `entry` was unpacked.
    pub(super) fn add(&mut self, entry: u32, unpacked: Unpacked) {
        self.done.push((entry, unpacked.bytes));
        self.total = self.total.saturating_add(unpacked.bytes);
        if unpacked.tells() {
            self.found.insert(entry, unpacked);
        }
        if self.total > self.limit {
            self.done.sort_unstable();
            let mut sum: u64 = 0;
            let passes = |(_, bytes): &&(u32, u64)| {
                sum = sum.saturating_add(*bytes);
                sum > self.limit
            };
            self.cut = self.done.iter().find(passes).map(|(entry, _)| *entry);
        }
    }

    /// Puts everything into the facts of the layer, whose hits are known.
    pub(super) fn settle(self, facts: &mut LayerFacts) {
        let mut outer: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        let told = |entry: u32| self.cut.is_none_or(|cut| entry < cut);
        let found: BTreeMap<u32, Unpacked> = self.found.into_iter().filter(|(entry, _)| told(*entry)).collect();
        let hits = std::mem::take(&mut facts.hits);
        for hit in hits {
            if found.contains_key(&hit.entry) {
                outer.entry(hit.entry).or_default().push(hit);
            } else {
                facts.hits.push(hit);
            }
        }
        let mut untold = 0;
        for (entry, unpacked) in found {
            facts.hits.extend(deepest([outer.remove(&entry).unwrap_or_default(), unpacked.hits]));
            facts.gaps.extend(unpacked.gaps.into_iter().map(|gap| (Some(entry), gap)));
            if facts.remarks.len() < NOTES {
                facts.remarks.extend(unpacked.notes.into_iter().map(|note| (entry, note)));
            } else {
                untold += unpacked.notes.len();
            }
        }
        facts.hits.sort();
        if untold > 0 {
            facts.notes.push(format!("{untold} more oddities of archives in its files"));
        }
        if let Some(cut) = self.cut {
            let count =
                self.done.iter().map(|(entry, _)| entry).chain(&self.skipped).filter(|&&entry| entry >= cut).count();
            let why = format!(
                "{count} archives from this one on were not unpacked: the layer's passed the limit of {} bytes",
                self.limit
            );
            facts.gaps.push((Some(cut), why));
        }
    }
}

/// Files of a block that lie in it whole and are archives.
pub(super) fn whole<'e>(bytes: &[u8], new: usize, extents: &'e [Extent]) -> Vec<&'e Extent> {
    let is_packed = |extent: &&Extent| {
        let whole = extent.first && extent.last && extent.at >= new;
        whole && bytes.get(extent.at..extent.at + extent.len).is_some_and(|file| Format::of(file).is_some())
    };
    extents.iter().filter(is_packed).collect()
}

/// Follows files over several blocks.
#[derive(Default)]
pub(super) struct Follow {
    current: Option<Current>,
    /// Nothing ever comes from here: it breaks off when the last archive is unpacked.
    unpacking: Option<Receiver<()>>,
}

struct Current {
    entry: u32,
    /// Where in the file the next piece begins.
    place: u64,
    state: State,
}

enum State {
    /// Its first bytes, too few to tell.
    Head(Vec<u8>),
    Unpacked(SyncSender<Vec<u8>>),
}

impl Follow {
    /// Whether an archive is being unpacked.
    pub(super) fn is_busy(&self) -> bool {
        self.unpacking.as_ref().is_some_and(|unpacking| unpacking.try_recv() == Err(TryRecvError::Empty))
    }

    /// Nothing follows: waits until the last archive is unpacked.
    pub(super) fn finish(mut self) {
        self.current = None;
        self.wait();
    }

    fn wait(&mut self) {
        if let Some(unpacking) = self.unpacking.take() {
            let _ = unpacking.recv();
        }
    }

    /// Takes the `extents` of a block's new `bytes`; calls `start` for each archive that does not lie in them whole, once the
    /// archive before it is unpacked: each holds a stack of decoders.
    pub(super) fn take(&mut self, bytes: &[u8], extents: &[Extent], mut start: impl FnMut(u32, Pieces)) {
        for extent in extents.iter().filter(|extent| !(extent.first && extent.last)) {
            if extent.first {
                self.current = Some(Current { entry: extent.entry, place: 0, state: State::Head(Vec::new()) });
            }
            let Some(mut current) = self.current.take() else { continue };
            // Behind a hole of a sparse file there is no archive.
            if (current.entry, current.place) != (extent.entry, extent.file) {
                continue;
            }
            current.place += extent.len as u64;
            let piece = bytes.get(extent.at..extent.at + extent.len).unwrap_or_default();
            let goes_on = match &mut current.state {
                State::Unpacked(to) => to.send(piece.to_vec()).is_ok(),
                State::Head(head) => {
                    head.extend_from_slice(piece);
                    if !Format::is_enough(head.len()) && !extent.last {
                        true
                    } else if Format::of(head).is_some() {
                        self.wait();
                        let (to, from) = sync_channel(WAITING);
                        let (done, unpacking) = sync_channel(0);
                        self.unpacking = Some(unpacking);
                        let sent = to.send(std::mem::take(head)).is_ok();
                        current.state = State::Unpacked(to);
                        start(extent.entry, Pieces { from, left: VecDeque::new(), _done: done });
                        sent
                    } else {
                        false
                    }
                }
            };
            self.current = Some(current).filter(|_| goes_on && !extent.last);
        }
    }
}

/// The pieces of a file, as a reader.
pub(super) struct Pieces {
    from: Receiver<Vec<u8>>,
    left: VecDeque<u8>,
    _done: SyncSender<()>,
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty() {
            let Ok(piece) = self.from.recv() else { return Ok(0) };
            self.left = piece.into();
        }
        self.left.read(out)
    }
}
