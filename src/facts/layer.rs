//! What one layer holds: its entries, the small files that rules ask for, and what the content scan hit.

use super::Hit;
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
    /// What the content scan found, by entry and offset.
    pub hits: Vec<Hit>,
    /// Small key stores, the first of them, until their passwords are tried.
    pub stores: Vec<Body>,
    /// SHA-256 of every regular file by entry, where they were asked for.
    pub digests: Vec<(u32, [u8; 32])>,
    /// Decompressed size in bytes, as far as it was read.
    pub size: u64,
    /// Whether the stored bytes were read and decompressed to their end.
    pub complete: bool,
    /// What was odd; sentences.
    pub notes: Vec<String>,
    /// What was not looked at: (entry or none for the layer, sentence).
    pub gaps: Vec<(Option<u32>, String)>,
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
    /// The body of `entry`, when it is held.
    #[must_use]
    pub fn body(&self, entry: u32) -> Option<&Body> {
        find(&self.bodies, entry)
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
