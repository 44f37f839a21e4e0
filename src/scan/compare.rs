//! Reads layers again for the few files whose content is to be compared with what a package says of it, and which did not
//! lie in one block when they were searched. Most scans need none of it.

use super::stream::Reading;
use crate::facts::{Facts, Summing, Sums};
use crate::layer::{Decoder, Entry, TarWalk, Visit};
use crate::source::Source;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::io::Read;

/// Bytes of the buffer.
const BUFFER: usize = 256 << 10;

/// Sums what is wanted and not summed yet. A layer that cannot be read again leaves its files as they are: not compared.
pub(super) fn sum_the_rest(facts: &mut Facts, source: &dyn Source, reading: Reading<'_>) {
    let wanted: Vec<_> = facts.without_sums().into_iter().collect();
    let sums: Vec<_> = wanted
        .into_par_iter()
        .map(|(layer, entries)| (layer, again(source, layer as usize, entries, reading)))
        .collect();
    for (layer, sums) in sums {
        if let Some(facts) = facts.layers.get_mut(layer as usize) {
            facts.add_sums(sums);
        }
    }
}

/// The sums of `entries` of a layer.
fn again(source: &dyn Source, layer: usize, entries: BTreeSet<u32>, reading: Reading<'_>) -> Vec<(u32, Sums)> {
    let Ok(mut stored) = source.layer(layer) else { return Vec::new() };
    // It was checked when they were read first.
    stored.take_digest();
    let mut decoder = Decoder::new(stored, reading.limits);
    let mut walk = TarWalk::new(reading.limits);
    let mut sum = Sum { wanted: entries, current: None, done: Vec::new() };
    let mut buffer = vec![0; BUFFER];
    let mut left = reading.limits.decompressed;
    while !(sum.wanted.is_empty() && sum.current.is_none()) {
        match decoder.read(&mut buffer) {
            Ok(count @ 1..) if count as u64 <= left && walk.feed(&buffer[..count], &mut sum).is_ok() => {
                left -= count as u64;
            }
            _ => break,
        }
    }
    sum.done
}

/// Sums the wanted entries as they go by.
struct Sum {
    wanted: BTreeSet<u32>,
    /// The entry that goes by, how long it is, and how much of it did.
    current: Option<(u32, u64, u64, Summing)>,
    done: Vec<(u32, Sums)>,
}

impl Sum {
    fn close(&mut self) {
        if let Some((entry, size, seen, sums)) = self.current.take()
            && size == seen
        {
            self.done.push((entry, sums.finish()));
        }
    }
}

impl Visit for Sum {
    fn entry(&mut self, entry: &Entry) {
        self.close();
        if self.wanted.remove(&entry.index) {
            self.current = Some((entry.index, entry.size, 0, Summing::default()));
        }
    }

    fn data(&mut self, _: u64, _: u64, bytes: &[u8]) {
        if let Some((_, _, seen, sums)) = &mut self.current {
            *seen += bytes.len() as u64;
            sums.add(bytes);
        }
    }

    fn end(&mut self) {
        self.close();
    }
}
