//! What the scans of a layer's buffers found, joined: doubles removed, lines counted, hits made.

use super::extent::{Extent, Room, SECRETS, Taken, newlines};
use super::spec::{SecretRule, Structure};
use super::{Hit, WHOLE};
use crate::facts::content::Sums;
use crate::model::{Confidence, SecretInfo, Severity};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a file's beginning that decide whether it is text.
const HEAD: u64 = 8 << 10;

/// What the scans of some buffers of one layer found.
#[derive(Clone, Debug, Default)]
pub struct Finds {
    pub(super) found: Vec<Find>,
    pub(super) parts: Vec<Part>,
    /// Sums of files that have finds and lay in one buffer whole.
    sums: BTreeMap<u32, Sums>,
    pub(super) spent: Vec<Spent>,
}

/// What is told of a file with more secrets than have room.
const CROWDED: &str = "more than 64 different secrets of one kind stand in 64 KiB of it: not all of them are told";

/// A file that is not looked into wholly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) entry: u32,
    /// Whether that holds only if the file is text.
    pub(super) in_text: bool,
    /// Whether it is text, as far as one buffer can tell.
    pub(super) text: Option<bool>,
    pub(super) why: &'static str,
}

/// A secret, with its place as far as one buffer can tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Find {
    pub(super) entry: u32,
    pub(super) rule: u16,
    /// Where in the file the anchor stands.
    pub(super) anchor: u64,
    /// Where in the file the secret begins.
    pub(super) start: u64,
    pub(super) length: u64,
    /// Where in the file `lines` are counted from.
    pub(super) origin: u64,
    pub(super) lines: i64,
    /// Whether `lines` count from the file's beginning.
    pub(super) absolute: bool,
    pub(super) column: u32,
    pub(super) program: Option<bool>,
    pub(super) text: Option<bool>,
    /// Whether it counts only if the file is text.
    pub(super) in_text: bool,
    pub(super) hash: String,
    pub(super) severity: Severity,
    pub(super) confidence: Confidence,
    pub(super) detail: String,
    pub(super) redacted: String,
    pub(super) given: usize,
    /// Whether only the name it is given to makes it a secret.
    pub(super) keyed: bool,
}

/// What a block told about a part of a file that later buffers do not see again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    entry: u32,
    /// Where in the file the part begins.
    from: u64,
    newlines: i64,
    /// Whether a NUL stands in the part of the file's head that lies here.
    nul: bool,
    /// The file's first four bytes, as far as they lie here; zero elsewhere.
    magic: [u8; 4],
}

impl Part {
    /// What lies of `extent` behind `new`.
    pub(super) fn of(buffer: &[u8], new: usize, extent: &Extent) -> Self {
        let end = extent.at + extent.len;
        let begin = extent.at.max(new).min(end);
        let bytes = &buffer[begin..end];
        let from = extent.file + (begin - extent.at) as u64;
        let mut magic = [0; 4];
        for (at, slot) in magic.iter_mut().enumerate() {
            if let Some(byte) = (at as u64).checked_sub(from).and_then(|at| bytes.get(at as usize)) {
                *slot = *byte;
            }
        }
        let nul = !is_text_at(from, bytes);
        let newlines = if nul || extent.binary { 0 } else { newlines(bytes) };
        Self { entry: extent.entry, from, newlines, nul, magic }
    }
}

/// Whether a file that begins so is text: no NUL in its first 8 KiB.
pub(super) fn is_text(file: &[u8]) -> bool {
    is_text_at(0, file)
}

/// Whether a file with these bytes at `from` may be text.
#[must_use]
pub fn is_text_at(from: u64, bytes: &[u8]) -> bool {
    let head = usize::try_from(HEAD.saturating_sub(from)).unwrap_or(usize::MAX).min(bytes.len());
    memchr::memchr(0, &bytes[..head]).is_none()
}

/// Whether a file that begins so is a program or a library of object files: ELF, Mach-O (also universal), PE, ar.
pub(in crate::facts) fn is_program(file: &[u8]) -> bool {
    matches!(
        file,
        [0x7f, b'E', b'L', b'F', ..]
            | [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..]
            | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..]
            | [0xca, 0xfe, 0xba, 0xbe, ..]
            | [b'M', b'Z', ..]
            | [b'!', b'<', b'a', b'r', ..]
    )
}

impl Finds {
    /// There was no room for a secret in file `entry`.
    pub(super) fn crowded(&mut self, entry: u32, in_text: bool, text: Option<bool>) {
        let spent = Spent { entry, in_text, text, why: CROWDED };
        if self.spent.last() != Some(&spent) {
            self.spent.push(spent);
        }
    }

    /// Adds what another buffer of the same layer found.
    pub fn absorb(&mut self, other: Self) {
        self.found.extend(other.found);
        self.parts.extend(other.parts);
        self.sums.extend(other.sums);
        self.spent.extend(other.spent);
    }

    /// Sums the files with finds that lie whole in `buffer` however a layer is cut; `extents` are those that are known of it.
    pub fn sum(&mut self, buffer: &[u8], extents: &[Extent]) {
        let whole = |extent: &&Extent| extent.first && extent.last && extent.len <= WHOLE;
        let entries: BTreeSet<u32> = self.found.iter().map(|find| find.entry).collect();
        for extent in extents.iter().filter(whole).filter(|extent| entries.contains(&extent.entry)) {
            if let Some(file) = buffer.get(extent.at..extent.at + extent.len) {
                self.sums.entry(extent.entry).or_insert_with(|| Sums::of(file));
            }
        }
    }

    /// Sums the whole `file` that is entry `entry`: one with something in its members.
    pub fn sum_file(&mut self, entry: u32, file: &[u8]) {
        if file.len() <= WHOLE {
            self.sums.entry(entry).or_insert_with(|| Sums::of(file));
        }
    }

    /// The sums of files with finds, as far as they are known, by entry.
    pub fn take_sums(&mut self) -> Vec<(u32, Sums)> {
        std::mem::take(&mut self.sums).into_iter().collect()
    }

    /// The hits of the whole layer, sorted, once all its buffers are scanned. Of several secrets in the same place the
    /// longer one stands, then the worse, then the one whose format says more. `rules` are those of the patterns that scanned.
    #[must_use]
    pub fn hits(mut self, rules: &[SecretRule]) -> Vec<Hit> {
        let mut parts = std::mem::take(&mut self.parts);
        parts.sort_unstable();
        self.found.retain(|find| counts_there(find, rules, &parts));
        let mut hits: Vec<Hit> =
            self.settle(rules, Room::default()).into_iter().map(|find| hit(find, &parts, rules)).collect();
        hits.sort();
        hits
    }

    /// The files that are not looked into wholly, in order, and why: more is written in them in another way than may be
    /// decoded, or they are full of secrets.
    #[must_use]
    pub fn cut_short(&self, rules: &[SecretRule]) -> BTreeSet<(u32, &'static str)> {
        let mut cut = BTreeSet::new();
        if self.spent.is_empty() && self.found.len() <= SECRETS {
            return cut;
        }
        let mut parts = self.parts.clone();
        parts.sort_unstable();
        let counts = |spent: &&Spent| !spent.in_text || is_text_file(spent.text, spent.entry, &parts);
        cut.extend(self.spent.iter().filter(counts).map(|spent| (spent.entry, spent.why)));
        let mut found = self.found.clone();
        found.retain(|find| counts_there(find, rules, &parts));
        cut.extend(make_room(&mut found, &Room::default()).into_iter().map(|entry| (entry, CROWDED)));
        cut
    }

    /// Doubles and what exceeds a stretch's share of `room` removed; by entry and place.
    pub(super) fn settle(self, rules: &[SecretRule], room: Room) -> Vec<Find> {
        let mut finds = self.found;
        make_room(&mut finds, &room);
        let name = |find: &Find| &rules[usize::from(find.rule)].name;
        finds.sort_by(|a, b| {
            (a.entry, a.start, Reverse(a.length), Reverse(a.severity), Reverse(a.given), name(a)).cmp(&(
                b.entry,
                b.start,
                Reverse(b.length),
                Reverse(b.severity),
                Reverse(b.given),
                name(b),
            ))
        });
        // What has a type is told by it, however much more a name is given.
        let (generic, typed): (Vec<Find>, Vec<Find>) = finds.into_iter().partition(|find| is_generic(find, rules));
        let typed = apart(typed);
        let end = |find: &Find| (find.entry, find.start + find.length);
        let is_free = |find: &Find| {
            let next = typed.partition_point(|other| end(other) <= (find.entry, find.start));
            typed.get(next).is_none_or(|other| end(find) <= (other.entry, other.start))
        };
        let mut kept = apart(generic);
        kept.retain(is_free);
        kept.extend(typed);
        kept.sort_by_key(|find| (find.entry, find.start));
        kept
    }
}

/// Whether a find counts in its file: names and values are a matter of text, as are most other writings.
fn counts_there(find: &Find, rules: &[SecretRule], parts: &[Part]) -> bool {
    !(find.in_text || is_generic(find, rules)) || is_text_file(find.text, find.entry, parts)
}

/// Sorts finds by file, rule and place, and leaves out doubles and what exceeds a stretch's share of `room`; the files in
/// which there was not enough of it.
fn make_room(finds: &mut Vec<Find>, room: &Room) -> BTreeSet<u32> {
    finds.sort_by(|a, b| {
        (a.entry, a.rule, a.anchor, a.start, a.length).cmp(&(b.entry, b.rule, b.anchor, b.start, b.length))
    });
    let mut cut = BTreeSet::new();
    let mut here: Option<(u16, Room)> = None;
    finds.retain(|find| {
        if here.as_ref().is_none_or(|(rule, _)| *rule != find.rule) {
            here = Some((find.rule, room.clone()));
        }
        let Some((_, room)) = &mut here else { return true };
        let taken = room.take(find.entry, find.anchor, &find.hash, find.severity);
        if taken == Taken::Cut {
            cut.insert(find.entry);
        }
        taken == Taken::Stands
    });
    cut
}

/// What is known of file `entry`, sorted.
fn parts_of(parts: &[Part], entry: u32) -> &[Part] {
    let first = parts.partition_point(|part| part.entry < entry);
    let count = parts[first..].partition_point(|part| part.entry == entry);
    &parts[first..first + count]
}

/// Whether a file is text: by `known`, or by all its parts.
fn is_text_file(known: Option<bool>, entry: u32, parts: &[Part]) -> bool {
    known.unwrap_or_else(|| !parts_of(parts, entry).iter().any(|part| part.nul))
}

/// Of finds in the same place one, in the order given.
fn apart(finds: Vec<Find>) -> Vec<Find> {
    let mut kept: Vec<Find> = Vec::new();
    for find in finds {
        match kept.last_mut() {
            Some(last) if last.entry == find.entry && find.start < last.start + last.length => {
                if find.length > last.length {
                    *last = find;
                }
            }
            _ => kept.push(find),
        }
    }
    kept
}

fn is_generic(find: &Find, rules: &[SecretRule]) -> bool {
    rules[usize::from(find.rule)].spec.structure == Some(Structure::Assignment)
}

fn hit(find: Find, parts: &[Part], rules: &[SecretRule]) -> Hit {
    let (mut newlines, mut magic) = (find.lines, [0u8; 4]);
    for part in parts_of(parts, find.entry) {
        if part.from < find.origin && !find.absolute {
            newlines += part.newlines;
        }
        for (slot, byte) in magic.iter_mut().zip(part.magic) {
            *slot |= byte;
        }
    }
    let text = is_text_file(find.text, find.entry, parts);
    let place = |number: i64| if text { u32::try_from(number).unwrap_or(u32::MAX) } else { 0 };
    let SecretRule { name: rule, spec, .. } = &rules[usize::from(find.rule)];
    Hit {
        entry: find.entry,
        inside: Vec::new(),
        offset: find.start,
        line: place(newlines + 1),
        column: place(i64::from(find.column)),
        rule: rule.clone(),
        secret: SecretInfo { kind: rule.clone(), redacted: find.redacted, hash: find.hash },
        severity: find.severity,
        confidence: find.confidence,
        detail: find.detail,
        program: find.program.unwrap_or_else(|| is_program(&magic)),
        public_in_packages: spec.public_in_packages || find.keyed,
    }
}
