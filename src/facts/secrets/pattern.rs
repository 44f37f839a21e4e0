//! All secret rules compiled for one search, and the scan of one buffer. Holds no state between buffers.
//!
//! A buffer is the last [`CARRY`](super::CARRY) bytes of the stream (or all of it, when shorter) and a new block. A
//! candidate belongs to the first buffer that holds all that its verifier may look at; so any cutting of a stream gives
//! the same finds, and buffers can be scanned on any thread.

use super::encoded::{self, Decoded, Writing, each_decoded};
use super::extent::{Extent, Room, newlines};
use super::finds::{Find, Finds, Part};
use super::pem;
use super::search::Search;
use super::spec::{Class, Left, Piece, SecretRule, Structure, Template, read_run};
use super::verify::{Verified, Window, is_free_left, verify};
use super::{AHEAD, BEHIND, CARRY};
use crate::model::push_hex;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes of a long text that are scanned at a time.
const TEXT_BLOCK: usize = 256 << 10;

/// Changes whenever the same rules may find something else.
const ENGINE: &str = "secrets 2";

/// All secret rules, compiled.
#[derive(Clone, Debug)]
pub struct Patterns {
    pub(super) rules: Vec<SecretRule>,
    pub(super) templates: Vec<(u16, Template)>,
    /// What to try for each anchor.
    tries: Vec<Vec<Try>>,
    /// A first look for each of the tries.
    gates: Vec<Vec<Gate>>,
    search: Search,
    digest: String,
}

#[derive(Clone, Copy, Debug)]
enum Try {
    Template(usize),
    Structure(u16, Structure),
}

impl Patterns {
    /// Compiles `rules`. Fails at a template or companion that cannot be read, naming its rule.
    pub fn new(rules: &[SecretRule]) -> Result<Self, String> {
        let mut templates = Vec::new();
        let mut anchors: BTreeMap<Vec<u8>, Vec<Try>> = BTreeMap::new();
        for (rule, number) in rules.iter().zip(0u16..) {
            let named = |error: String| format!("rule {}: {error}", rule.name);
            match (rule.spec.structure, rule.spec.tokens.is_empty()) {
                (Some(structure), true) => {
                    for anchor in pem::ANCHORS {
                        anchors.entry(anchor.to_vec()).or_default().push(Try::Structure(number, structure));
                    }
                }
                (None, false) => {
                    for token in &rule.spec.tokens {
                        let template = Template::read(token).map_err(named)?;
                        anchors.entry(template.anchor().to_vec()).or_default().push(Try::Template(templates.len()));
                        templates.push((number, template));
                    }
                }
                _ => return Err(named("needs tokens, or a structure, not both".to_owned())),
            }
            if let Some(companion) = &rule.spec.companion {
                let inner = companion.token.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                let run = inner.ok_or_else(|| "a companion is one {class:length}".to_owned()).and_then(read_run);
                let Piece::Run { .. } = run.map_err(named)? else { continue };
            }
        }
        let (anchors, tries): (Vec<_>, Vec<_>) = anchors.into_iter().unzip();
        let gate = |attempt: &Try| match attempt {
            Try::Template(index) => Gate::of(&templates[*index].1, &rules[usize::from(templates[*index].0)]),
            Try::Structure(..) => Gate::default(),
        };
        let gates = tries.iter().map(|tries: &Vec<Try>| tries.iter().map(gate).collect()).collect();
        let mut sum = Sha256::new();
        sum.update(format!("{ENGINE} {rules:?}"));
        let mut digest = String::new();
        push_hex(&mut digest, &sum.finalize());
        Ok(Self { rules: rules.to_vec(), templates, tries, gates, search: Search::new(&anchors)?, digest })
    }

    /// Tells apart sets of rules and versions of the engine: what facts of a layer depend on, besides the layer.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The rules, in the order given.
    #[must_use]
    pub fn rules(&self) -> &[SecretRule] {
        &self.rules
    }

    /// Scans one buffer: `buffer[..new]` repeats the end of the stream so far, `buffer[new..]` is new, `last` tells that
    /// the stream ends here. `extents` are the files in it, by place, not overlapping. What is found is added to
    /// `finds`; join the finds of all buffers of a layer, in any order, and ask [`Finds::hits`].
    pub fn scan(&self, buffer: &[u8], new: usize, last: bool, extents: &[Extent], finds: &mut Finds) {
        self.scan_within(Room::default(), (buffer, new, last), extents, finds);
    }

    fn scan_within(
        &self,
        room: Room,
        (buffer, new, last): (&[u8], usize, bool),
        extents: &[Extent],
        finds: &mut Finds,
    ) {
        let from = new.saturating_sub(AHEAD);
        let to = if last { buffer.len() } else { buffer.len().saturating_sub(AHEAD) };
        for extent in extents {
            let end = extent.at + extent.len;
            // Finds in later buffers, of candidates left to them, need to know what came before.
            if end > new.max(to) && !last && end <= buffer.len() {
                finds.parts.push(Part::of(buffer, new, extent));
            }
        }
        let mut rooms = vec![room; self.rules.len()];
        let mut files = extents.iter().peekable();
        let mut lines = None;
        let begins = |place: usize| extents.binary_search_by_key(&place, |extent| extent.at).is_ok();
        let keep = |anchor: u32, place: usize, end: usize| {
            self.gates[anchor as usize].iter().any(|gate| gate.opens(buffer, place, end, begins))
        };
        for (place, anchor) in self.search.find(buffer, from, to, keep) {
            while files.next_if(|extent| extent.at + extent.len <= place).is_some() {}
            let Some(extent) = files.peek().filter(|extent| extent.at <= place) else { continue };
            let end = (extent.at + extent.len).min(buffer.len());
            let (low, high) = (extent.at.max(place.saturating_sub(BEHIND)), end.min(place + AHEAD));
            if low > place || place >= high {
                continue;
            }
            let window = Window {
                bytes: &buffer[low..high],
                anchor: place - low,
                ends: extent.last && high == extent.at + extent.len,
            };
            let offset = extent.file + (place - extent.at) as u64;
            for &attempt in &self.tries[anchor as usize] {
                let rule = self.rule_of(attempt);
                let room = &mut rooms[usize::from(rule)];
                if !room.has(extent.entry, offset) {
                    continue;
                }
                let Some(verified) = self.verify(attempt, window) else { continue };
                room.take(offset);
                let lines = lines.get_or_insert_with(|| Lines::new(buffer, new, extent));
                if lines.extent != **extent {
                    *lines = Lines::new(buffer, new, extent);
                }
                finds.finds.push(lines.find(buffer, extent, (rule, offset), low, verified));
            }
        }
        self.scan_encoded(room, (buffer, new, from..to), extents, finds);
    }

    /// Finds what is written in another way, in the files of a buffer, where it begins in `starts`.
    fn scan_encoded(
        &self,
        room: Room,
        (buffer, new, starts): (&[u8], usize, Range<usize>),
        extents: &[Extent],
        finds: &mut Finds,
    ) {
        for extent in extents {
            let end = (extent.at + extent.len).min(buffer.len());
            let begin = extent.at.max(starts.start.saturating_sub(BEHIND));
            let own = starts.start.max(begin)..starts.end.min(end);
            if own.is_empty() {
                continue;
            }
            let (bytes, offset) = (&buffer[begin..end], extent.file + (begin - extent.at) as u64);
            let mut found = Vec::new();
            each_decoded(bytes, own.start - begin..own.end - begin, offset, extent.last, |decoded| {
                self.look_into(&decoded, &mut Vec::new(), &mut |at, rule, verified| found.push((rule, at, verified)));
            });
            if found.is_empty() {
                continue;
            }
            // Of one place the plainest reading stands; a stretch has room for the first ones.
            found.sort_by(|(rule, at, a), (other, and, b)| {
                (rule, at.start, at.end, a.detail.len(), &a.detail).cmp(&(
                    other,
                    and.start,
                    and.end,
                    b.detail.len(),
                    &b.detail,
                ))
            });
            found.dedup_by(|(rule, at, _), (before, place, _)| rule == before && at == place);
            let mut rooms = vec![room; self.rules.len()];
            let mut lines = Lines::new(buffer, new, extent);
            for (rule, at, verified) in found {
                let place = offset + at.start as u64;
                let room = &mut rooms[usize::from(rule)];
                if room.has(extent.entry, place) {
                    room.take(place);
                    finds.finds.push(lines.find(buffer, extent, (rule, place), begin, Verified { at, ..verified }));
                }
            }
        }
    }

    /// Gives every secret in decoded bytes, and in what is written in them in another way: place in what was decoded, rule,
    /// secret.
    fn look_into(
        &self,
        decoded: &Decoded,
        writings: &mut Vec<Writing>,
        take: &mut dyn FnMut(Range<usize>, u16, Verified),
    ) {
        let bytes = &decoded.bytes[..];
        writings.push(decoded.writing);
        let keep = |anchor: u32, place: usize, end: usize| {
            self.gates[anchor as usize].iter().any(|gate| gate.opens(bytes, place, end, |start| start == 0))
        };
        for (place, anchor) in self.search.find(bytes, 0, bytes.len(), keep) {
            let (low, high) = (place.saturating_sub(BEHIND), bytes.len().min(place + AHEAD));
            let ends = decoded.ends && high == bytes.len();
            let window = Window { bytes: &bytes[low..high], anchor: place - low, ends };
            for &attempt in &self.tries[anchor as usize] {
                let Some(verified) = self.verify(attempt, window) else { continue };
                let Some(at) = decoded.source(&(low + verified.at.start..low + verified.at.end)) else { continue };
                let told = encoded::told(writings);
                let detail = if verified.detail.is_empty() { told } else { format!("{}, {told}", verified.detail) };
                take(at, self.rule_of(attempt), Verified { detail, ..verified });
            }
        }
        if writings.len() < encoded::DEPTH {
            each_decoded(bytes, 0..bytes.len(), 0, decoded.ends, |inner| {
                self.look_into(&inner, writings, &mut |at, rule, verified| {
                    if let Some(at) = decoded.source(&at) {
                        take(at, rule, verified);
                    }
                });
            });
        }
        writings.pop();
    }

    /// Scans a text that is no file, such as a variable's value: places and what they are, all of them. Block by block, each
    /// find given away at once: a text of megabytes may be full of them.
    pub(super) fn each_in_text(&self, text: &[u8], mut take: impl FnMut(Find)) {
        let mut new: usize = 0;
        loop {
            let (low, end) = (new.saturating_sub(CARRY), text.len().min(new + TEXT_BLOCK));
            let last = end == text.len();
            let extent = Extent { at: 0, len: end - low, entry: 0, file: low as u64, first: low == 0, last };
            let mut finds = Finds::default();
            self.scan_within(Room::endless(), (&text[low..end], new - low, last), &[extent], &mut finds);
            finds.settle(&self.rules, Room::endless()).into_iter().for_each(&mut take);
            if last {
                return;
            }
            new = end;
        }
    }

    /// The same with no more finds in a stretch than a file may have.
    #[must_use]
    pub(super) fn scan_some(&self, text: &[u8]) -> Vec<Find> {
        let mut finds = Finds::default();
        let whole = Extent { at: 0, len: text.len(), entry: 0, file: 0, first: true, last: true };
        self.scan(text, 0, true, &[whole], &mut finds);
        finds.settle(&self.rules, Room::default())
    }

    /// What stands at the window's anchor according to one attempt.
    fn verify(&self, attempt: Try, window: Window<'_>) -> Option<Verified> {
        match attempt {
            Try::Template(index) => {
                let (rule, template) = &self.templates[index];
                verify(&self.rules[usize::from(*rule)], template, window)
            }
            Try::Structure(rule, structure) => pem::verify(&self.rules[usize::from(rule)], structure, window),
        }
    }

    fn rule_of(&self, attempt: Try) -> u16 {
        match attempt {
            Try::Template(index) => self.templates[index].0,
            Try::Structure(rule, _) => rule,
        }
    }

    /// The same as [`Patterns::scan`] of a whole file, the slow and simple way: every rule at every byte.
    #[doc(hidden)]
    pub fn scan_slowly(&self, file: &[u8], entry: u32, finds: &mut Finds) {
        let extent = Extent { at: 0, len: file.len(), entry, file: 0, first: true, last: true };
        for place in 0..file.len() {
            for attempt in self.tries.iter().flatten() {
                let anchors: Vec<&[u8]> = match attempt {
                    Try::Template(index) => vec![self.templates[*index].1.anchor()],
                    Try::Structure(..) => pem::ANCHORS.to_vec(),
                };
                if !anchors.iter().any(|anchor| file[place..].starts_with(anchor)) {
                    continue;
                }
                let (low, high) = (place.saturating_sub(BEHIND), file.len().min(place + AHEAD));
                let window = Window { bytes: &file[low..high], anchor: place - low, ends: high == file.len() };
                if let Some(verified) = self.verify(*attempt, window) {
                    let lines = &mut Lines::new(file, 0, &extent);
                    finds.finds.push(lines.find(file, &extent, (self.rule_of(*attempt), place as u64), low, verified));
                }
            }
        }
        self.scan_encoded(Room::default(), (file, 0, 0..file.len()), &[extent], finds);
    }
}

/// A look at a few bytes around an anchor, which spares dense input most of the work. Never shuts out what the verifier
/// would let pass.
#[derive(Clone, Copy, Debug, Default)]
struct Gate {
    /// So many bytes of a class follow the anchor.
    follow: Option<(Class, usize)>,
    /// What stands so many bytes before the anchor is none of a class, or another file's.
    left: Option<(usize, Class)>,
}

impl Gate {
    fn of(template: &Template, rule: &SecretRule) -> Self {
        let follow = match template.pieces.get(template.anchor + 1) {
            Some(Piece::Run { class, least, .. }) => Some((*class, (*least).min(8))),
            _ => None,
        };
        let word = rule.spec.left == Left::Word && !rule.spec.check.proves();
        Self { follow, left: template.before().filter(|_| word).map(|length| (length, template.beside)) }
    }

    fn opens(&self, buffer: &[u8], place: usize, end: usize, begins: impl Fn(usize) -> bool) -> bool {
        let free = self.left.is_none_or(|(length, beside)| {
            let start = place.saturating_sub(length);
            is_free_left(beside, &buffer[..start]) || begins(start)
        });
        free && self.follow.is_none_or(|(class, length)| class.run(&buffer[end..], length) == length)
    }
}

/// Counts lines within one extent, from where the new block begins.
struct Lines {
    extent: Extent,
    /// Where in the buffer the count starts: where the new block begins, or the end of the file before it.
    origin: usize,
    /// Newlines between the file's beginning and `origin`, when the file begins in this buffer.
    before: Option<i64>,
    at: usize,
    count: i64,
    program: Option<bool>,
    text: Option<bool>,
}

impl Lines {
    fn new(buffer: &[u8], new: usize, extent: &Extent) -> Self {
        let end = (extent.at + extent.len).min(buffer.len());
        let origin = extent.at.max(new).min(end);
        let head = extent.first.then(|| &buffer[extent.at..end]);
        Self {
            extent: *extent,
            origin,
            before: extent.first.then(|| newlines(&buffer[extent.at..origin])),
            at: origin,
            count: 0,
            program: head.map(super::finds::is_program),
            text: head.map(super::finds::is_text),
        }
    }

    /// Newlines from the origin to `place`; negative before it.
    fn to(&mut self, buffer: &[u8], place: usize) -> i64 {
        if place >= self.at {
            self.count += newlines(&buffer[self.at..place]);
        } else {
            self.count -= newlines(&buffer[place..self.at]);
        }
        self.at = place;
        self.count
    }

    fn find(
        &mut self,
        buffer: &[u8],
        extent: &Extent,
        (rule, anchor): (u16, u64),
        low: usize,
        verified: Verified,
    ) -> Find {
        let place = low + verified.at.start;
        let lookback = extent.at.max(place.saturating_sub(BEHIND));
        let column = match memchr::memrchr(b'\n', &buffer[lookback..place]) {
            Some(newline) => place - lookback - newline,
            None if lookback == extent.at && extent.first => place - lookback + 1,
            None => 0,
        };
        Find {
            entry: extent.entry,
            rule,
            anchor,
            start: extent.file + (place - extent.at) as u64,
            length: verified.at.len() as u64,
            origin: extent.file + (self.origin - extent.at) as u64,
            lines: self.to(buffer, place) + self.before.unwrap_or(0),
            absolute: self.before.is_some(),
            column: column as u32,
            program: self.program,
            text: self.text,
            hash: verified.hash,
            severity: verified.severity,
            confidence: verified.confidence,
            detail: verified.detail,
            redacted: verified.redacted,
        }
    }
}
