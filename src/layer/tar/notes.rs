//! What was odd in a tar and stopped nothing: counted by kind, so that a million oddities are still a few sentences.

use std::collections::BTreeMap;

/// Kinds of oddities, in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Oddity {
    UnknownType,
    SparseType,
    SizeWithoutBody,
    GlobalHeader,
    RepeatedExtension,
    DroppedExtension,
    DanglingExtension,
    TrailingBytes,
}

/// Counts with the first place of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Oddities(BTreeMap<Oddity, (u64, u64)>);

impl Oddities {
    /// Counts `count` more of `oddity`, seen at byte `offset`.
    pub(super) fn add(&mut self, oddity: Oddity, count: u64, offset: u64) {
        self.0.entry(oddity).or_insert((0, offset)).0 += count;
    }

    /// Takes back all of `oddity`.
    pub(super) fn forget(&mut self, oddity: Oddity) {
        self.0.remove(&oddity);
    }

    /// One sentence a kind.
    pub(super) fn sentences(&self) -> Vec<String> {
        self.0.iter().map(|(oddity, (count, first))| oddity.sentence(*count, *first)).collect()
    }
}

impl Oddity {
    fn sentence(self, count: u64, first: u64) -> String {
        let (what, so) = match self {
            Self::UnknownType => ("entries of a type that container runtimes refuse", ""),
            Self::SparseType => ("sparse files in the old GNU format, which container runtimes refuse", ""),
            Self::SizeWithoutBody => ("links, directories or devices that claim a size", ": ignored"),
            Self::GlobalHeader => ("global headers with a path, link or size", ": runtimes do not apply them"),
            Self::RepeatedExtension => ("extension headers that a later one replaces", ""),
            Self::DroppedExtension => ("extension headers that a global header cuts off", ": ignored"),
            Self::DanglingExtension => ("extension headers at the end that no entry follows", ": ignored"),
            Self::TrailingBytes => ("bytes other than zero after the end of the archive", ": runtimes ignore them"),
        };
        format!("{count} {what} (first at byte {first}){so}")
    }
}
