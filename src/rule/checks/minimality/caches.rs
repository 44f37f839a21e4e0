//! Caches of build tools: where each lies, and what it weighs.

use super::{number, size};
use crate::facts::Facts;
use crate::model::{ImagePath, Location, visible_str};
use crate::rule::checks::shipped::{components, files};
use crate::rule::{Params, Sink};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::borrow::Cow;

/// Where caches lie: a path from the root, or (with a leading `~`) from any directory. A file counts for the first row that
/// has it.
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
    "/usr/local/cargo/registry",
    "/usr/local/cargo/git",
    "~/go/pkg/mod",
    "~/node_modules/.cache",
    "~/.bundle/cache",
    "/usr/local/bundle/cache",
    "/opt/conda/pkgs",
    "~/miniconda3/pkgs",
    "~/miniforge3/pkgs",
    "~/mambaforge/pkgs",
    "~/anaconda3/pkgs",
    "~/.local/share/pnpm/store",
    "~/.yarn/berry/cache",
    "~/.ivy2/cache",
    "~/.nuget/packages",
    "~/.cache/pnpm",
    "~/.cache/deno",
    "~/.cache/pre-commit",
];

/// Variables that say where a tool keeps its caches, and where below it they lie.
const VARIABLES: &[(&str, &str)] = &[
    ("CARGO_HOME", "/registry"),
    ("CARGO_HOME", "/git"),
    ("GOPATH", "/pkg/mod"),
    ("GOMODCACHE", ""),
    ("GOCACHE", ""),
    ("PIP_CACHE_DIR", ""),
    ("UV_CACHE_DIR", ""),
    ("POETRY_CACHE_DIR", ""),
    ("NPM_CONFIG_CACHE", "/_cacache"),
    ("npm_config_cache", "/_cacache"),
    ("YARN_CACHE_FOLDER", ""),
    ("COMPOSER_CACHE_DIR", ""),
    ("COMPOSER_HOME", "/cache"),
    ("GRADLE_USER_HOME", "/caches"),
    ("GEM_HOME", "/cache"),
    ("CONDA_PKGS_DIRS", ""),
];

/// The rows for an image: those of every image, and those that its variables add.
fn rows(facts: &Facts) -> Vec<Cow<'static, str>> {
    let mut rows: Vec<Cow<'static, str>> = CACHES.iter().map(|cache| Cow::Borrowed(*cache)).collect();
    for (variable, below) in VARIABLES {
        let folder = facts.config.config.env_value(variable).filter(|folder| folder.starts_with('/'));
        let Some(folder) = folder.map(|folder| ImagePath::from(folder).display().into_owned()) else { continue };
        let row = format!("{}{below}", folder.trim_end_matches('/'));
        if row.len() > 1 && !row.contains('\\') && !rows.iter().any(|known| *known == row) {
            rows.push(Cow::Owned(row));
        }
    }
    rows
}

/// Caches of build tools, by the bytes that lie in the layers.
pub fn build_cache(facts: &Facts, params: &Params, sink: &mut Sink) {
    let minimum = number(params, "minimum_bytes");
    // An image has many files and few of them lie in a cache: all rows are looked for at once.
    // Names are short: setting up a search for rare bytes costs more than it saves.
    let mut builder = AhoCorasick::builder();
    builder.prefilter(false).kind(Some(AhoCorasickKind::DFA));
    let caches = rows(facts);
    let Ok(automaton) = builder.build(caches.iter().map(|cache| needle(cache))) else {
        return sink.gap(Location::Image, "the table of caches cannot be searched for");
    };
    let mut weights = vec![(0, Vec::new()); caches.len()];
    for (index, layer) in (0..).zip(&facts.layers) {
        for record in files(layer).filter(|record| record.size > 0) {
            let hits = automaton.find_overlapping_iter(record.name).map(|found| found.pattern().as_usize());
            let Some(row) = hits.filter(|&row| is_below_cache(record.name, &caches[row])).min() else { continue };
            let (bytes, places) = &mut weights[row];
            *bytes += record.size;
            if places.last().is_none_or(|(last, _)| *last != index) {
                places.push((index, record.index));
            }
        }
    }
    for (cache, (bytes, places)) in caches.iter().zip(weights) {
        if bytes >= minimum
            && let Some((layer, entry)) = places.first()
        {
            let message = format!("{} of cache lie in {}", size(bytes), visible_str(cache.trim_start_matches("~/")));
            let found = sink.find(facts.at_entry(*layer, *entry), &**cache, message);
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
