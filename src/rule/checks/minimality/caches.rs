//! Caches of build tools: where each lies, and what it weighs.

use super::{number, size};
use crate::facts::Facts;
use crate::model::Location;
use crate::rule::checks::shipped::{components, files};
use crate::rule::{Params, Sink};
use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// Where caches lie: a path from the root, or (with a leading `~`) from any directory.
const CACHES: &[&str] = &[
    "/var/cache/apt",
    "/var/cache/dnf",
    "/var/cache/libdnf5",
    "/var/cache/yum",
    "/var/cache/zypp",
    "/var/cache/pacman/pkg",
    "/usr/local/share/.cache",
    "~/.cache/pip",
    "~/.cache/pypoetry",
    "~/.cache/uv",
    "~/.cache/yarn",
    "~/.cache/composer",
    "~/.cache/go-build",
    "~/.cache/bazel",
    "~/.npm/_cacache",
    "~/.composer/cache",
    "~/.gradle/caches",
    "~/.m2/repository",
    "~/.cargo/registry",
    "~/.cargo/git",
    "~/go/pkg/mod/cache",
    "~/node_modules/.cache",
    "~/.bundle/cache",
];

/// Caches of build tools, by the bytes that lie in the layers.
pub fn build_cache(facts: &Facts, params: &Params, sink: &mut Sink) {
    let minimum = number(params, "minimum_bytes");
    // An image has many files and few of them lie in a cache: all rows are looked for at once.
    // Names are short: setting up a search for rare bytes costs more than it saves.
    let mut builder = AhoCorasick::builder();
    builder.prefilter(false).kind(Some(AhoCorasickKind::DFA));
    let Ok(automaton) = builder.build(CACHES.iter().map(|cache| needle(cache))) else {
        return sink.gap(Location::Image, "the table of caches cannot be searched for");
    };
    let mut weights = vec![(0, Vec::new()); CACHES.len()];
    for (index, layer) in (0..).zip(&facts.layers) {
        for record in files(layer).filter(|record| record.size > 0) {
            let mut counted = [false; CACHES.len()];
            for found in automaton.find_overlapping_iter(record.name) {
                let row = found.pattern().as_usize();
                if counted[row] || !is_below_cache(record.name, CACHES[row]) {
                    continue;
                }
                counted[row] = true;
                let (bytes, places) = &mut weights[row];
                *bytes += record.size;
                if places.last().is_none_or(|(last, _)| *last != index) {
                    places.push((index, record.index));
                }
            }
        }
    }
    for (cache, (bytes, places)) in CACHES.iter().zip(weights) {
        if bytes >= minimum
            && let Some((layer, entry)) = places.first()
        {
            let message = format!("{} of cache lie in {}", size(bytes), cache.trim_start_matches("~/"));
            let found = sink.find(facts.at_entry(*layer, *entry), *cache, message);
            found.also = places[1..].iter().map(|(layer, entry)| facts.at_entry(*layer, *entry)).collect();
        }
    }
}

/// Whether `name` lies in some cache.
pub(super) fn is_in_cache(name: &[u8]) -> bool {
    CACHES.iter().any(|cache| is_below_cache(name, cache))
}

/// What stands in the name of every file of `cache`, a row of [`CACHES`].
fn needle(cache: &str) -> &str {
    cache.strip_prefix("~/").unwrap_or(&cache[1..])
}

/// Whether `name` lies in `cache`, a row of [`CACHES`].
fn is_below_cache(name: &[u8], cache: &str) -> bool {
    match cache.strip_prefix("~/") {
        Some(inside) => components(name).contains_within(inside),
        None => components(name).is_below(&cache[1..]),
    }
}
