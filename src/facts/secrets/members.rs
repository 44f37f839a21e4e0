//! The content scan over members of archives: one after another, as the files of a layer are. Knows no format.

use super::extent::{Extent, tail};
use super::finds::{Finds, is_text_at};
use super::pattern::Patterns;
use super::{CARRY, Hit};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes that are scanned at a time.
const BLOCK: usize = 256 << 10;

/// Scans members as they stream by.
pub(super) struct MemberScan<'p> {
    patterns: &'p Patterns,
    /// The end of what was scanned, and what is new.
    bytes: Vec<u8>,
    new: usize,
    extents: Vec<Extent>,
    /// The member that goes by, counted from 1, and where in it the next byte stands.
    member: u32,
    place: u64,
    /// Whether its bytes so far say that it is no text.
    binary: bool,
    /// Names of members that are in the buffer or in which something was found.
    names: BTreeMap<u32, Vec<String>>,
    finds: Finds,
    /// Finds, and members that are not looked into wholly, that `told` knows of.
    seen: (usize, usize),
    /// Members that something is to be told of.
    told: BTreeSet<u32>,
}

impl<'p> MemberScan<'p> {
    pub(super) fn new(patterns: &'p Patterns) -> Self {
        Self {
            patterns,
            bytes: Vec::new(),
            new: 0,
            extents: Vec::new(),
            member: 0,
            place: 0,
            binary: false,
            names: BTreeMap::new(),
            finds: Finds::default(),
            seen: (0, 0),
            told: BTreeSet::new(),
        }
    }

    /// A member begins, of this name and of those of the archives around it.
    pub(super) fn begin(&mut self, inside: &[String]) {
        self.member += 1;
        self.place = 0;
        self.binary = false;
        self.names.insert(self.member, inside.to_vec());
    }

    /// Further bytes of it.
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(CARRY + BLOCK - self.bytes.len()));
            let (at, len, entry, file) = (self.bytes.len(), now.len(), self.member, self.place);
            self.binary |= !is_text_at(file, now);
            match self.extents.last_mut() {
                Some(before) if before.entry == entry => {
                    before.len += len;
                    before.binary = self.binary;
                }
                _ => self.extents.push(Extent {
                    at,
                    len,
                    entry,
                    file,
                    first: file == 0,
                    last: false,
                    binary: self.binary,
                }),
            }
            self.bytes.extend_from_slice(now);
            self.place += len as u64;
            bytes = rest;
            if self.bytes.len() == CARRY + BLOCK {
                self.scan(false);
            }
        }
    }

    /// The member is complete.
    pub(super) fn end(&mut self) {
        if let Some(extent) = self.extents.last_mut().filter(|extent| extent.entry == self.member) {
            extent.last = true;
        }
    }

    /// What was found in all of them, said of file `entry` of a layer, and the members that were not looked into wholly.
    pub(super) fn finish(mut self, entry: u32) -> (Vec<Hit>, Vec<(Vec<String>, &'static str)>) {
        self.scan(true);
        let names = self.names;
        let name = |member: &u32| names.get(member).cloned().unwrap_or_default();
        let cut = self.finds.cut_short(self.patterns.rules());
        let cut = cut.into_iter().map(|(member, why)| (name(&member), why)).collect();
        let hits = self.finds.hits(self.patterns.rules()).into_iter();
        (hits.map(|hit| Hit { inside: name(&hit.entry), entry, ..hit }).collect(), cut)
    }

    fn scan(&mut self, last: bool) {
        self.patterns.scan(&self.bytes, self.new, last, &self.extents, &mut self.finds);
        let cut = self.bytes.len().saturating_sub(CARRY);
        self.extents = tail(&self.extents, cut);
        self.bytes.drain(..cut);
        self.new = self.bytes.len();
        let Finds { found, spent, .. } = &self.finds;
        self.told.extend(found[self.seen.0..].iter().map(|find| find.entry));
        self.told.extend(spent[self.seen.1..].iter().map(|spent| spent.entry));
        self.seen = (found.len(), spent.len());
        let here = self.extents.iter().map(|extent| extent.entry).chain([self.member]).collect::<BTreeSet<u32>>();
        self.names.retain(|member, _| here.contains(member) || self.told.contains(member));
    }
}
