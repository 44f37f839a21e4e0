//! Which files are to be compared byte by byte, to tell whether a setuid file is a copy of a program that does whatever it
//! is told. Most images have none: the sizes differ.

use super::{EntryKind, Facts, is_powerful};
use crate::layer::Node;
use crate::model::LayerIndex;
use std::collections::{BTreeMap, BTreeSet};

/// Sizes of programs that are compared with one another: what is smaller is alike by accident.
const COMPARED: std::ops::RangeInclusive<u64> = 8..=64 << 20;

/// A layer and an entry of it.
type Content = (LayerIndex, u32);

/// The content of files with the setuid or setgid bit and of programs that may be their originals, in any layer.
pub(super) fn may_be_copies(facts: &Facts) -> impl Iterator<Item = Content> {
    let is_file = |node: &Node<'_>| node.kind() == EntryKind::File;
    let mut copies: BTreeMap<u64, BTreeSet<Content>> = BTreeMap::new();
    let raised = |node: &Node<'_>| {
        node.mode() & 0o6000 != 0 && node.mode() & 0o111 != 0 && is_file(node) && !is_powerful(node.name())
    };
    for node in facts.tree.iter().filter(raised).filter(|node| COMPARED.contains(&node.size())) {
        copies.entry(node.size()).or_default().extend(node.content());
    }
    let mut originals: BTreeMap<u64, BTreeSet<Content>> = BTreeMap::new();
    for (layer, held) in (0..).zip(&facts.layers) {
        let same_size = held.entries.iter().filter(|record| copies.contains_key(&record.size));
        for record in same_size.filter(|record| record.kind() == EntryKind::File && record.mode & 0o111 != 0) {
            if is_powerful(record.path().file_name()) {
                originals.entry(record.size).or_default().insert((layer, record.index));
            }
        }
    }
    // Hard links have names of their own: busybox is often stored under the first of its commands.
    for node in facts.tree.iter().filter(|node| copies.contains_key(&node.size())) {
        if is_file(&node) && is_powerful(node.name()) {
            originals.entry(node.size()).or_default().extend(node.content());
        }
    }
    copies.retain(|size, _| originals.contains_key(size));
    copies.into_values().chain(originals.into_values()).flatten()
}
