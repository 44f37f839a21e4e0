//! Gathers the facts of one layer from the tar walk as it streams by. Decides nothing; holds only what the table of
//! wanted bodies names.

use super::interest::Cut;
use super::secrets::{Extent, STORE, STORE_HEAD, STORES, may_be_store};
use super::{Body, Budget, HEAD, LayerFacts, interest, secrets, start};
use crate::layer::{Entry, EntryKind, LayerEntries, Visit};
use crate::model::{ImagePath, Limits, visible_str};
use sha2::{Digest as _, Sha256};

/// Files of a layer whose cut bodies are told one by one, as gaps and as notes.
const CUT_BODIES_TOLD: u64 = 100;

/// Cost of entries and heads after which the others are told, bytes.
const TELL: u64 = 256 << 10;

/// The visitor of one layer's tar walk.
#[derive(Debug)]
pub struct Gather<'a> {
    limits: &'a Limits,
    budget: &'a Budget,
    /// Counts from 0 in the image.
    layer: usize,
    hash_files: bool,
    facts: LayerFacts,
    current: Option<Current>,
    /// Costs that the budget has not been told of.
    untold_entries: u64,
    untold_heads: u64,
    held_guesses: u64,
    /// Where the block that is being walked begins, in the stream and in its buffer.
    block: (u64, usize),
    extents: Vec<Extent>,
    /// Whether the bytes of all files are searched for typed secrets.
    searched: bool,
    cut_gaps: u64,
    cut_notes: u64,
    /// Bytes of holes that may still be hashed.
    holes_left: u64,
}

/// Why bytes of an entry are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The table names it.
    Body,
    /// For its beginning.
    Head,
    /// It is kept if it reads like something that rules ask for.
    Guess,
}

/// The entry whose body goes by.
#[derive(Debug)]
struct Current {
    entry: u32,
    /// Whether there was room for its name; of others only the cost counts.
    kept: bool,
    size: u64,
    most: u64,
    what: What,
    /// What there is to tell when `most` bytes are not all, and the path.
    cut: Option<(Cut, ImagePath)>,
    body: Vec<u8>,
    /// The bytes so far, while the file may be a small key store.
    store: Option<Vec<u8>>,
    /// The end of a script.
    tail: Vec<u8>,
    /// Whether the bytes so far say that it is no text.
    binary: bool,
    hasher: Option<Sha256>,
    /// Bytes that it has seen.
    hashed: u64,
}

impl<'a> Gather<'a> {
    /// A gatherer for layer number `layer`, from 0, of those of `budget`. With `hash_files`, the SHA-256 of every regular
    /// file is kept as well.
    #[must_use]
    pub fn new(limits: &'a Limits, budget: &'a Budget, layer: usize, hash_files: bool) -> Self {
        Self {
            limits,
            budget,
            layer,
            hash_files,
            facts: LayerFacts::default(),
            current: None,
            untold_entries: 0,
            untold_heads: 0,
            held_guesses: 0,
            block: (0, 0),
            extents: Vec::new(),
            searched: false,
            cut_gaps: 0,
            cut_notes: 0,
            holes_left: limits.hole_hashed,
        }
    }

    /// The same, and `searched` is whether the bytes of all files are searched for typed secrets beside.
    #[must_use]
    pub fn searched(self, searched: bool) -> Self {
        Self { searched, ..self }
    }

    /// Says that the next bytes of the walk lie at `at` of a buffer and at `stream` of the layer.
    pub fn begin_block(&mut self, stream: u64, at: usize) {
        self.block = (stream, at);
    }

    /// The pieces of files in the block since [`Gather::begin_block`], in order.
    pub fn take_extents(&mut self) -> Vec<Extent> {
        std::mem::take(&mut self.extents)
    }

    /// The facts, once the walk has ended; entries and heads stay with the budget until it is settled.
    #[must_use]
    pub fn finish(mut self) -> LayerFacts {
        self.close();
        self.budget.saw_entries(self.layer, self.untold_entries);
        self.budget.saw_heads(self.layer, self.untold_heads);
        if self.cut_gaps > CUT_BODIES_TOLD {
            let more = self.cut_gaps - CUT_BODIES_TOLD;
            self.facts.gaps.push((None, format!("only the beginnings of {more} more files were read")));
        }
        if self.cut_notes > CUT_BODIES_TOLD {
            let more = self.cut_notes - CUT_BODIES_TOLD;
            let note = format!("only the beginnings of {more} more files were read as configuration");
            self.facts.notes.push(note);
        }
        self.facts
    }

    /// How many bytes of this entry are taken, and why; and what there is to tell when they are not all.
    fn want(&self, entry: &Entry) -> (u64, What, Option<(Cut, ImagePath)>) {
        if EntryKind::of(entry.type_flag) != EntryKind::File || entry.size == 0 {
            return (0, What::Body, None);
        }
        let path = ImagePath::clamp(&entry.name);
        if let Some((most, cut)) = interest::held(&path, self.limits) {
            return (most, What::Body, (most < entry.size).then_some((cut, path)));
        }
        if interest::may_be_included(&path, entry) {
            let room = self.held_guesses + entry.size <= interest::GUESSES;
            return (if room { entry.size } else { 0 }, What::Guess, None);
        }
        let executable = entry.mode & 0o111 != 0;
        (if executable { HEAD } else { 0 }, What::Head, None)
    }

    /// `len` bytes of `entry` stand at `stream` of the layer and at `file` of the entry.
    fn add_extent(&mut self, stream: u64, len: usize, entry: u32, file: u64, last: bool) {
        let at = self.block.1 + stream.saturating_sub(self.block.0) as usize;
        let binary = self.current.as_ref().is_some_and(|current| current.binary);
        self.extents.push(Extent { at, len, entry, file, first: file == 0, last, binary });
    }

    /// Tells that only the beginning of a body was held, where that is to be told.
    fn tell_cut_body(&mut self, current: &Current) {
        let Some((cut, path)) = &current.cut else { return };
        // No program is a file of text that is only called so; what else is no text hides no setting but on purpose.
        let cut = match cut {
            Cut::Said => return,
            _ if secrets::is_program(&current.body) => return,
            Cut::Gap if current.binary => Cut::Note,
            cut => *cut,
        };
        let told = if cut == Cut::Gap { &mut self.cut_gaps } else { &mut self.cut_notes };
        *told += 1;
        if *told > CUT_BODIES_TOLD {
            return;
        }
        let (path, most, size) = (visible_str(&path.display()).into_owned(), current.most, current.size);
        if cut == Cut::Gap {
            let why = format!("'{path}': only the first {most} of {size} bytes were read");
            self.facts.gaps.push((Some(current.entry), why));
        } else {
            let beside = if self.searched { "; all of it was searched for typed secrets" } else { "" };
            let note = format!("'{path}': only its first {most} of {size} bytes were read as configuration{beside}");
            self.facts.notes.push(note);
        }
    }

    fn close(&mut self) {
        let Some(current) = self.current.take() else { return };
        self.tell_cut_body(&current);
        // A digest of a part would be a lie.
        if let Some(hasher) = current.hasher.filter(|_| current.hashed == current.size) {
            self.facts.digests.push((current.entry, hasher.finalize().into()));
        }
        if let Some(store) = current.store
            && store.len() as u64 == current.size
            && store.len() >= STORE_HEAD
        {
            self.facts.stores.push(Body { entry: current.entry, bytes: store.into(), whole: true });
        }
        if current.body.is_empty() {
            return;
        }
        let kept = match current.what {
            What::Body => &current.body[..],
            What::Head => interest::head(&current.body),
            What::Guess => {
                if !interest::reads_like_sudoers(&current.body) || !self.budget.take(current.body.len()) {
                    return;
                }
                self.held_guesses += current.size;
                &current.body[..]
            }
        };
        let whole = kept.len() as u64 == current.size;
        let body = Body { entry: current.entry, bytes: kept.into(), whole };
        if current.kept && !current.tail.is_empty() && start::runs_its_arguments(&current.tail) {
            self.facts.hands_on.push(current.entry);
        }
        if current.what == What::Head {
            let index = usize::try_from(self.facts.met.heads).unwrap_or(usize::MAX);
            self.facts.met.heads += 1;
            self.untold_heads += self.budget.keep_head(self.layer, index, body);
            if self.untold_heads > TELL {
                self.budget.saw_heads(self.layer, std::mem::take(&mut self.untold_heads));
            }
        } else if current.kept {
            self.facts.bodies.push(body);
        }
    }
}

/// Sizes of programs that are compared with one another: what is smaller is alike by accident.
const COMPARED: std::ops::RangeInclusive<u64> = 8..=64 << 20;

/// Whether the file may be a setuid copy of a program that does whatever it is told, or such a program.
fn may_be_copy(entry: &Entry) -> bool {
    let is_program = COMPARED.contains(&entry.size) && entry.mode & 0o111 != 0;
    is_program && (entry.mode & 0o6000 != 0 || is_powerful_here(entry))
}

/// Whether the entry's name is that of a program that does whatever it is told.
fn is_powerful_here(entry: &Entry) -> bool {
    let base = entry.name.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    // Busybox is often stored under the first name of its commands, with the others as hard links to that.
    super::is_powerful(base) || matches!(base, b"[" | b"[[")
}

impl Visit for Gather<'_> {
    fn entry(&mut self, entry: &Entry) {
        self.close();
        let kept = self.budget.keep_entry(self.layer, entry);
        self.facts.met.entries += 1;
        self.untold_entries += LayerEntries::cost(entry);
        if self.untold_entries > TELL {
            self.budget.saw_entries(self.layer, std::mem::take(&mut self.untold_entries));
        }
        for (key, value) in &entry.records {
            if self.budget.take_record(key.len() + 1 + value.len()) && kept {
                self.facts.records.push((entry.index, [key, &b"="[..], value].concat().into()));
            }
        }
        let (most, what, cut) = self.want(entry);
        if what == What::Body && most > 0 {
            self.budget.take_body();
        }
        let is_file = EntryKind::of(entry.type_flag) == EntryKind::File;
        self.current = Some(Current {
            entry: entry.index,
            kept,
            size: entry.size,
            most,
            what,
            cut,
            body: Vec::new(),
            store: (is_file && entry.size <= STORE && self.facts.stores.len() < STORES).then(Vec::new),
            tail: Vec::new(),
            binary: false,
            hasher: (kept && is_file && (self.hash_files || may_be_copy(entry))).then(Sha256::new),
            hashed: 0,
        });
    }

    fn data(&mut self, stream: u64, file: u64, bytes: &[u8]) {
        let Some(current) = &mut self.current else { return };
        let room = current.most.saturating_sub(file);
        if room > 0 && current.body.len() as u64 == file {
            let take = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            if current.what != What::Body || self.budget.take(take) && current.kept {
                current.body.extend_from_slice(&bytes[..take]);
            }
        }
        if let Some(store) = &mut current.store {
            let head = STORE_HEAD.saturating_sub(store.len()).min(bytes.len());
            store.extend_from_slice(&bytes[..head]);
            if may_be_store(store) {
                store.extend_from_slice(&bytes[head..]);
            } else {
                current.store = None;
            }
        }
        if current.what == What::Head && current.body.starts_with(b"#!") {
            let tail = current.size.saturating_sub(start::TAIL);
            let skip = usize::try_from(tail.saturating_sub(file)).unwrap_or(usize::MAX);
            current.tail.extend_from_slice(bytes.get(skip..).unwrap_or_default());
        }
        if let Some(hasher) = &mut current.hasher {
            hasher.update(bytes);
            current.hashed += bytes.len() as u64;
        }
        if !current.kept {
            return;
        }
        let last = file + bytes.len() as u64 == current.size;
        let entry = current.entry;
        current.binary |= !secrets::is_text_at(file, bytes);
        self.add_extent(stream, bytes.len(), entry, file, last);
    }

    fn hole(&mut self, _file: u64, length: u64) {
        const ZEROS: [u8; 4096] = [0; 4096];
        // A hole is never held. Zeros are hashed as far as a layer may have them; a file with more has no digest.
        let Some(current) = self.current.as_mut().filter(|current| current.hasher.is_some()) else { return };
        let Some(left) = self.holes_left.checked_sub(length) else {
            current.hasher = None;
            return;
        };
        self.holes_left = left;
        let mut left = length;
        while let Some(hasher) = current.hasher.as_mut().filter(|_| left > 0) {
            let piece = left.min(ZEROS.len() as u64);
            hasher.update(&ZEROS[..piece as usize]);
            left -= piece;
        }
        current.hashed += length;
    }

    fn end(&mut self) {
        self.close();
    }

    fn trailing(&mut self, stream: u64, at: u64, bytes: &[u8]) {
        self.add_extent(stream, bytes.len(), LayerFacts::TRAILING, at, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(size: u64) -> Entry {
        Entry { name: b"app/store".to_vec(), type_flag: b'0', size, mode: 0o644, ..Entry::default() }
    }

    /// The stores held of one file that comes in pieces of `step` bytes.
    fn stores(file: &[u8], step: usize) -> Vec<Vec<u8>> {
        let limits = Limits::default();
        let budget = Budget::new(&limits, 1);
        let mut gather = Gather::new(&limits, &budget, 0, false);
        gather.entry(&entry(file.len() as u64));
        for (number, piece) in file.chunks(step).enumerate() {
            gather.data((number * step) as u64, (number * step) as u64, piece);
        }
        gather.finish().stores.iter().map(|store| store.bytes.to_vec()).collect()
    }

    /// Gaps and notes of a file of `size` bytes, `begin` and then `a`, of which `searched` is whether it is searched.
    fn told(path: &str, begin: &[u8], size: usize, searched: bool) -> (Vec<String>, Vec<String>) {
        let limits = Limits::default();
        let budget = Budget::new(&limits, 1);
        let mut gather = Gather::new(&limits, &budget, 0, false).searched(searched);
        let entry = Entry { name: path.as_bytes().to_vec(), type_flag: b'0', size: size as u64, ..Entry::default() };
        gather.entry(&entry);
        let mut bytes = begin.to_vec();
        bytes.resize(size, b'a');
        gather.begin_block(0, 0);
        gather.data(0, 0, &bytes);
        gather.end();
        let facts = gather.finish();
        (facts.gaps.into_iter().map(|(_, why)| why).collect(), facts.notes)
    }

    #[test]
    fn a_cut_body_is_told_as_what_it_is() {
        let large = 3 << 20;
        let nothing = (vec![], vec![]);
        // Who reads an account file says so; one that is only called like it is nothing.
        for path in ["usr/bin/passwd", "opt/app/shadow", "etc/passwd", "etc/sudoers", "nix/store/x/etc/group"] {
            assert_eq!(told(path, b"", large, true), nothing, "{path}");
        }
        for path in ["usr/bin/credentials", "app/config.json", "etc/apt/x"] {
            assert_eq!(told(path, b"\x7fELF\x02\x01\x01\0", large, true), nothing, "{path}");
        }
        let held = secrets::CONFIG_HELD;
        let note = format!("'/app/config.json': only its first {held} of {large} bytes were read as configuration");
        assert_eq!(told("app/config.json", b"{", large, false), (vec![], vec![note.clone()]));
        let searched = format!("{note}; all of it was searched for typed secrets");
        assert_eq!(told("./app/config.json", b"{", large, true), (vec![], vec![searched]));
        assert_eq!(told("app/config.json", b"{", usize::try_from(held).unwrap(), true), nothing);
        let (gaps, notes) = told("etc/apt/apt.conf", b"", large, true);
        assert_eq!(
            (&*gaps[0], gaps.len(), notes.len()),
            (&*format!("'/etc/apt/apt.conf': only the first {} of {large} bytes were read", 64 << 10), 1, 0)
        );
        let (gaps, notes) = told("etc/apt/keyring.gpg", b"\x99\0", large, true);
        assert_eq!((gaps.len(), notes.len()), (0, 1), "no text");
    }

    #[test]
    fn key_stores_are_held_however_they_come() {
        let java = [&[0xfe, 0xed, 0xfe, 0xed][..], &[1; 200]].concat();
        for step in [1, 3, 31, 32, 33, 1000] {
            assert_eq!(stores(&java, step), std::slice::from_ref(&java), "{step}");
            assert!(stores(&[0x30; 200], step).is_empty() && stores(&[7; 200], step).is_empty(), "{step}");
        }
        assert!(stores(&java[..20], 5).is_empty(), "too short for a store");
        let large = [&java[..], &vec![1; STORE as usize]].concat();
        assert!(stores(&large, 4096).is_empty(), "too large to be held");
    }
}
