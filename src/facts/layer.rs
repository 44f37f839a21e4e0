//! What one layer holds: its entries, the small files that rules ask for, and what the content scan hit.

use super::Hit;
use super::content::Sums;
use crate::layer::LayerEntries;
use std::sync::Arc;

/// Facts of one layer. They depend on the layer's bytes and the extractor's version alone.
#[derive(Clone, Debug, Default)]
pub struct LayerFacts {
    /// Every entry, in order.
    pub entries: LayerEntries,
    /// Bodies of small files that rules ask for, by entry.
    pub bodies: Vec<Body>,
    /// The first [`super::HEAD`] bytes of every executable file, by entry.
    pub heads: Vec<Body>,
    /// Executable scripts that run their own arguments in their place, by entry.
    pub hands_on: Vec<u32>,
    /// What the content scan found, by entry and offset.
    pub hits: Vec<Hit>,
    /// PAX records that say nothing of the file itself (comments, a builder's own), by entry.
    pub records: Vec<(u32, Box<[u8]>)>,
    /// Small key stores, the first of them, until their passwords are tried.
    pub stores: Vec<Body>,
    /// SHA-256 of regular files by entry: of all where they were asked for, else of those that may be a setuid copy of a
    /// program that does whatever it is told.
    pub digests: Vec<(u32, [u8; 32])>,
    /// Sums of files in which something was found, as far as they are known, by entry.
    pub sums: Vec<(u32, Sums)>,
    /// Decompressed size in bytes, as far as it was read.
    pub size: u64,
    /// Whether the stored bytes were read and decompressed to their end.
    pub complete: bool,
    /// What was odd; sentences.
    pub notes: Vec<String>,
    /// What was not looked at: (entry or none for the layer, sentence).
    pub gaps: Vec<(Option<u32>, String)>,
    /// What went by while the layer was read, kept or not.
    pub met: Met,
}

/// Counts of what the walk over a layer met.
#[derive(Clone, Copy, Debug, Default)]
pub struct Met {
    /// Entries.
    pub entries: u32,
    /// Executable files with a body.
    pub heads: u64,
}

/// A file body held whole, or its beginning.
#[derive(Clone, Debug)]
pub struct Body {
    /// Its entry.
    pub entry: u32,
    /// The bytes.
    pub bytes: Arc<[u8]>,
    /// Whether `bytes` is the whole file.
    pub whole: bool,
}

impl LayerFacts {
    /// The number that stands for no entry: hits in what follows the end of the layer's tar have it.
    pub const TRAILING: u32 = u32::MAX;

    /// Takes out all that is told of entries from number `kept` on.
    pub(super) fn cut_at(&mut self, kept: u32) {
        self.bodies.retain(|body| body.entry < kept);
        self.heads.retain(|head| head.entry < kept);
        self.hands_on.retain(|&entry| entry < kept);
        self.records.retain(|(entry, _)| *entry < kept);
        self.hits.retain(|hit| hit.entry < kept || hit.entry == Self::TRAILING);
        self.digests.retain(|(entry, _)| *entry < kept);
        self.sums.retain(|(entry, _)| *entry < kept);
        self.gaps.retain(|(entry, _)| entry.is_none_or(|entry| entry < kept));
    }

    /// The body of `entry`, when it is held.
    #[must_use]
    pub fn body(&self, entry: u32) -> Option<&Body> {
        find(&self.bodies, entry)
    }

    /// The SHA-256 of `entry`, when it was computed.
    #[must_use]
    pub fn digest(&self, entry: u32) -> Option<&[u8; 32]> {
        let at = self.digests.binary_search_by_key(&entry, |(entry, _)| *entry).ok()?;
        self.digests.get(at).map(|(_, digest)| digest)
    }

    /// The sums of `entry`, when they were computed.
    #[must_use]
    pub fn sums(&self, entry: u32) -> Option<&Sums> {
        let at = self.sums.binary_search_by_key(&entry, |(entry, _)| *entry).ok()?;
        self.sums.get(at).map(|(_, sums)| sums)
    }

    /// Adds sums of entries that had none.
    pub fn add_sums(&mut self, more: impl IntoIterator<Item = (u32, Sums)>) {
        self.sums.extend(more);
        self.sums.sort_by_key(|(entry, _)| *entry);
        self.sums.dedup_by_key(|(entry, _)| *entry);
    }

    /// Whether `entry` is an executable script that runs its own arguments in its place.
    #[must_use]
    pub fn hands_on(&self, entry: u32) -> bool {
        self.hands_on.binary_search(&entry).is_ok()
    }

    /// The beginning of `entry`, when it is an executable file.
    #[must_use]
    pub fn head(&self, entry: u32) -> Option<&Body> {
        find(&self.heads, entry)
    }
}

fn find(bodies: &[Body], entry: u32) -> Option<&Body> {
    bodies.binary_search_by_key(&entry, |body| body.entry).ok().map(|at| &bodies[at])
}
