//! All secret rules compiled for one search, and the scan of one buffer. Holds no state between buffers.
//!
//! A buffer is the last [`CARRY`](super::CARRY) bytes of the stream (or all of it, when shorter) and a new block. A
//! candidate belongs to the first buffer that holds all that its verifier may look at; so any cutting of a stream gives
//! the same finds, and buffers can be scanned on any thread.

use super::encoded::{self, Allowance, Decoded, Stretch, Writing};
use super::extent::{Extent, Room, Taken, newlines, spans};
use super::finds::{Find, Finds, Part, Spent, is_text};
use super::generic;
use super::keyed;
use super::keys;
use super::marks::{Beginnings, Marker};
use super::search::{Anchor, Search};
use super::spec::{Class, Left, Piece, SecretRule, Structure, Template};
use super::verify::{Verified, Window, is_free_left, verify};
use super::{AHEAD, BEHIND, CARRY, CUT_SHORT};
use crate::model::push_hex;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Bytes of a long text that are scanned at a time.
const TEXT_BLOCK: usize = 256 << 10;

/// Changes whenever the same rules may find something else.
const ENGINE: &str = "secrets 5";

/// All secret rules, compiled.
#[derive(Clone, Debug)]
pub struct Patterns {
    pub(super) rules: Vec<SecretRule>,
    pub(super) templates: Vec<(u16, Template)>,
    /// What to try for each anchor: literals first, then words that values without a literal stand behind.
    tries: Vec<Vec<Try>>,
    /// A first look for each of the tries.
    gates: Vec<Vec<Gate>>,
    /// What the values of templates without a literal are made of.
    alphabet: keyed::Alphabet,
    search: Search,
    marker: Marker,
    digest: String,
}

/// What a scan remembers from one candidate to the next, so that those that stand close together share the work. Candidates
/// come in the order of their places.
#[derive(Debug, Default)]
struct Memo {
    /// Where the window of the candidate begins in what is scanned.
    low: usize,
    seen: generic::Seen,
    values: keyed::Values,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Try {
    Template(usize),
    /// A template without a literal, behind one of its rule's words.
    Keyed(usize),
    Structure(u16, Structure),
    /// A value that is given to a name with such a word; in text only.
    Assignment(u16),
}

impl Patterns {
    /// Compiles `rules`. Fails at a template or companion that cannot be read, naming its rule.
    pub fn new(rules: &[SecretRule]) -> Result<Self, String> {
        let mut templates = Vec::new();
        let mut anchors: BTreeMap<Vec<u8>, Vec<Try>> = BTreeMap::new();
        let mut words: BTreeMap<Vec<u8>, Vec<Try>> = BTreeMap::new();
        for (rule, number) in rules.iter().zip(0u16..) {
            let named = |error: String| format!("rule {}: {error}", rule.name);
            for template in rule.spec.templates().map_err(named)? {
                if template.bare {
                    for word in rule.spec.words() {
                        words.entry(word).or_default().push(Try::Keyed(templates.len()));
                    }
                } else {
                    anchors.entry(template.anchor().to_vec()).or_default().push(Try::Template(templates.len()));
                }
                templates.push((number, template));
            }
            if rule.spec.structure == Some(Structure::Assignment) {
                for word in generic::WORDS {
                    words.entry(word.as_bytes().to_vec()).or_default().push(Try::Assignment(number));
                }
            } else if let Some(structure) = rule.spec.structure {
                for anchor in keys::anchors(structure) {
                    anchors.entry(anchor.to_vec()).or_default().push(Try::Structure(number, structure));
                }
            }
        }
        let in_text = |tries: &[Try]| tries.iter().all(|attempt| matches!(attempt, Try::Assignment(_)));
        let anchor = |any_case: bool| {
            move |(text, tries): (Vec<u8>, Vec<Try>)| (Anchor { text, any_case, in_text: in_text(&tries) }, tries)
        };
        let anchors = anchors.into_iter().map(anchor(false));
        let words = words.into_iter().map(anchor(true));
        let (anchors, tries): (Vec<_>, Vec<_>) = anchors.chain(words).unzip();
        let gate = |attempt: &Try| match attempt {
            Try::Template(index) => Gate::of(&templates[*index].1, &rules[usize::from(templates[*index].0)]),
            Try::Keyed(_) => Gate { word: true, ..Gate::default() },
            Try::Structure(..) => Gate::default(),
            Try::Assignment(_) => Gate { assignment: true, ..Gate::default() },
        };
        let gates = tries.iter().map(|tries: &Vec<Try>| tries.iter().map(gate).collect()).collect();
        let mut sum = Sha256::new();
        sum.update(format!("{ENGINE} {rules:?}"));
        sum.update(keys::KNOWN);
        sum.update(generic::WEIGHTS);
        let mut digest = String::new();
        push_hex(&mut digest, &sum.finalize());
        let bare = templates.iter().map(|(_, template)| template).filter(|template| template.bare);
        Ok(Self {
            rules: rules.to_vec(),
            alphabet: keyed::Alphabet::of(bare),
            templates,
            tries,
            gates,
            search: Search::new(anchors)?,
            marker: Marker::new(),
            digest,
        })
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
        self.scan_beginnings(buffer, (from, to, new), extents, finds);
        let mut rooms = vec![room.clone(); self.rules.len()];
        let mut files = extents.iter().peekable();
        let (mut lines, mut memo) = (None, Memo::default());
        let begins = |place: usize| extents.binary_search_by_key(&place, |extent| extent.at).is_ok();
        let in_text = |place: usize| {
            let next = extents.partition_point(|extent| extent.at <= place);
            next.checked_sub(1).and_then(|at| extents.get(at)).is_some_and(|extent| !extent.binary)
        };
        let keep = |anchor: u32, place: usize, end: usize| {
            let opens = |gate: &Gate| {
                if gate.assignment {
                    generic::may_lead(buffer, place, end) && in_text(place)
                } else {
                    gate.opens(buffer, place, end, begins)
                }
            };
            self.gates[anchor as usize].iter().any(opens)
        };
        let found = spans(extents, from..to)
            .into_iter()
            .flat_map(|(span, text)| self.search.find(buffer, (span.start, span.end), text, keep));
        for (place, anchor) in found {
            while files.next_if(|extent| extent.at + extent.len <= place).is_some() {}
            let Some(extent) = files.peek().filter(|extent| extent.at <= place) else { continue };
            let end = (extent.at + extent.len).min(buffer.len());
            let (low, high) = (extent.at.max(place.saturating_sub(BEHIND)), end.min(place + AHEAD));
            if low > place || place + self.search.anchor(anchor).text.len() > high {
                continue;
            }
            let window = Window {
                bytes: &buffer[low..high],
                anchor: place - low,
                ends: extent.last && high == extent.at + extent.len,
            };
            memo.low = low;
            let offset = extent.file + (place - extent.at) as u64;
            let length = self.search.anchor(anchor).text.len();
            for (&attempt, gate) in self.tries[anchor as usize].iter().zip(&self.gates[anchor as usize]) {
                if !gate.assignment && !gate.opens(buffer, place, place + length, begins) {
                    continue;
                }
                let rule = self.rule_of(attempt);
                let room = &mut rooms[usize::from(rule)];
                let generic = matches!(attempt, Try::Assignment(_));
                if extent.binary && generic {
                    continue;
                }
                let Some(verified) = self.verify(attempt, window, length, &mut memo) else { continue };
                match room.take(extent.entry, offset, &verified.hash, verified.severity) {
                    Taken::Stands => {}
                    Taken::Double => continue,
                    Taken::Cut => {
                        let text = extent.first.then(|| is_text(&buffer[extent.at..end]));
                        finds.crowded(extent.entry, generic, text);
                        continue;
                    }
                }
                let lines = lines.get_or_insert_with(|| Lines::new(buffer, new, extent));
                if lines.extent != **extent {
                    *lines = Lines::new(buffer, new, extent);
                }
                finds.found.push(lines.find(buffer, extent, (rule, offset), low, verified));
            }
        }
        self.scan_encoded((room, self.marker), (buffer, new, from..to), extents, finds);
    }

    /// Finds what is written in another way, in the files of a buffer, in their cells that begin in `starts`.
    fn scan_encoded(
        &self,
        (room, marker): (Room, Marker),
        (buffer, new, starts): (&[u8], usize, Range<usize>),
        extents: &[Extent],
        finds: &mut Finds,
    ) {
        let mut beginnings = Beginnings::default();
        for extent in extents {
            let end = (extent.at + extent.len).min(buffer.len());
            let begin = extent.at.max(starts.start.saturating_sub(BEHIND));
            let own = starts.start.max(begin)..starts.end.min(end);
            if own.is_empty() || end - begin < encoded::LEAST {
                continue;
            }
            let stretch = Stretch {
                bytes: &buffer[begin..end],
                offset: extent.file + (begin - extent.at) as u64,
                ends: extent.last,
                whole: false,
            };
            let text = extent.first.then(|| is_text(&buffer[extent.at..end]));
            let may_be_text = text.unwrap_or(!extent.binary);
            let mut found = Vec::new();
            for cell in stretch.cells(own.start - begin..own.end - begin) {
                marker.find(stretch.bytes, cell.clone(), may_be_text, &mut beginnings);
                for in_text in [false, true] {
                    let mut look = |decoded: Decoded, allowance: &mut Allowance| {
                        self.look_into(&decoded, marker, &mut Vec::new(), allowance, &mut |at, rule, verified| {
                            found.push((in_text, rule, at, verified));
                        });
                    };
                    let mut allowance = Allowance::of_a_cell();
                    if in_text {
                        stretch.each_written(&beginnings, cell.clone(), &mut allowance, &mut look);
                    } else {
                        stretch.each_wide(&beginnings, cell.clone(), &mut allowance, &mut look);
                    }
                    if allowance.spent {
                        finds.spent.push(Spent { entry: extent.entry, in_text, text, why: CUT_SHORT });
                    }
                }
            }
            if found.is_empty() {
                continue;
            }
            // Of one place the plainest reading stands; a stretch has room for the first ones.
            found.sort_by(|(in_text, rule, at, a), (wide, other, and, b)| {
                (in_text, rule, at.start, at.end, a.detail.len(), &a.detail).cmp(&(
                    wide,
                    other,
                    and.start,
                    and.end,
                    b.detail.len(),
                    &b.detail,
                ))
            });
            found.dedup_by(|(a, rule, at, _), (b, before, place, _)| (a, rule, at) == (b, before, place));
            let mut rooms = [vec![room.clone(); self.rules.len()], vec![room.clone(); self.rules.len()]];
            let mut lines = Lines::new(buffer, new, extent);
            for (in_text, rule, at, verified) in found {
                let place = stretch.offset + at.start as u64;
                let room = &mut rooms[usize::from(in_text)][usize::from(rule)];
                match room.take(extent.entry, place, &verified.hash, verified.severity) {
                    Taken::Stands => {
                        let find = lines.find(buffer, extent, (rule, place), begin, Verified { at, ..verified });
                        finds.found.push(Find { in_text, ..find });
                    }
                    Taken::Double => {}
                    Taken::Cut => finds.crowded(extent.entry, in_text, text),
                }
            }
        }
    }

    /// Gives every secret in decoded bytes, and in what is written in them in another way: place in what was decoded, rule,
    /// secret.
    fn look_into(
        &self,
        decoded: &Decoded,
        marker: Marker,
        writings: &mut Vec<Writing>,
        allowance: &mut Allowance,
        take: &mut dyn FnMut(Range<usize>, u16, Verified),
    ) {
        let bytes = &decoded.bytes[..];
        writings.push(decoded.writing);
        let keep = |anchor: u32, place: usize, end: usize| {
            self.gates[anchor as usize].iter().any(|gate| gate.opens(bytes, place, end, |start| start == 0))
        };
        let mut memo = Memo::default();
        for (place, anchor) in self.search.find(bytes, (0, bytes.len()), false, keep) {
            let (low, high) = (place.saturating_sub(BEHIND), bytes.len().min(place + AHEAD));
            let ends = decoded.ends && high == bytes.len();
            let window = Window { bytes: &bytes[low..high], anchor: place - low, ends };
            memo.low = low;
            let length = self.search.anchor(anchor).text.len();
            // Names and values are looked for as they are written.
            let opens = |gate: &Gate| gate.opens(bytes, place, place + length, |start| start == 0);
            let all = self.tries[anchor as usize].iter().zip(&self.gates[anchor as usize]);
            for (&attempt, _) in all.filter(|(_, gate)| !gate.assignment && opens(gate)) {
                let Some(verified) = self.verify(attempt, window, length, &mut memo) else { continue };
                let Some(at) = decoded.source(&(low + verified.at.start..low + verified.at.end)) else { continue };
                let told = encoded::told(writings);
                let detail = if verified.detail.is_empty() { told } else { format!("{}, {told}", verified.detail) };
                take(at, self.rule_of(attempt), Verified { detail, ..verified });
            }
        }
        if writings.len() < encoded::DEPTH && encoded::may_hold_another(bytes) {
            let stretch = Stretch { bytes, offset: 0, ends: decoded.ends, whole: true };
            let mut beginnings = Beginnings::default();
            for cell in stretch.cells(0..bytes.len()) {
                marker.find(bytes, cell.clone(), true, &mut beginnings);
                let mut look = |inner: Decoded, allowance: &mut Allowance| {
                    self.look_into(&inner, marker, writings, allowance, &mut |at, rule, verified| {
                        if let Some(at) = decoded.source(&at) {
                            take(at, rule, verified);
                        }
                    });
                };
                stretch.each_wide(&beginnings, cell.clone(), allowance, &mut look);
                stretch.each_written(&beginnings, cell, allowance, &mut look);
            }
        }
        writings.pop();
    }

    /// The files that begin in `buffer[from..to]` and are a key from their first byte on.
    fn scan_beginnings(
        &self,
        buffer: &[u8],
        (from, to, new): (usize, usize, usize),
        extents: &[Extent],
        finds: &mut Finds,
    ) {
        let Some(number) = self.rules.iter().position(|rule| rule.spec.structure == Some(Structure::PrivateKey)) else {
            return;
        };
        let begins = |extent: &&Extent| extent.first && (from..to).contains(&extent.at);
        for extent in extents.iter().filter(begins) {
            let end = (extent.at + extent.len).min(buffer.len());
            let high = end.min(extent.at + AHEAD);
            let ends = extent.last && high == extent.at + extent.len;
            let verified = keys::verify_file(&self.rules[number], &buffer[extent.at..high], ends);
            if let Some(verified) = verified {
                let mut lines = Lines::new(buffer, new, extent);
                finds.found.push(lines.find(buffer, extent, (number as u16, 0), extent.at, verified));
            }
        }
    }

    /// Scans a text that is no file, such as a variable's value: places and what they are, all of them. Block by block, each
    /// find given away at once: a text of megabytes may be full of them. Typed secrets only: who reads such texts knows
    /// what is a name in them and what a value.
    pub(super) fn each_in_text(&self, text: &[u8], mut take: impl FnMut(Find)) {
        let mut new: usize = 0;
        loop {
            let (low, end) = (new.saturating_sub(CARRY), text.len().min(new + TEXT_BLOCK));
            let last = end == text.len();
            let extent =
                Extent { at: 0, len: end - low, entry: 0, file: low as u64, first: low == 0, last, binary: true };
            let mut finds = Finds::default();
            self.scan_within(Room::endless(), (&text[low..end], new - low, last), &[extent], &mut finds);
            finds.settle(&self.rules, Room::endless()).into_iter().for_each(&mut take);
            if last {
                return;
            }
            new = end;
        }
    }

    /// The same, typed secrets only as well, with no more finds in a stretch than a file may have.
    #[must_use]
    pub(super) fn scan_some(&self, text: &[u8]) -> Vec<Find> {
        let mut finds = Finds::default();
        let whole = Extent { at: 0, len: text.len(), entry: 0, file: 0, first: true, last: true, binary: true };
        self.scan(text, 0, true, &[whole], &mut finds);
        finds.settle(&self.rules, Room::default())
    }

    /// What stands at the window's anchor, of `length` bytes, according to one attempt.
    fn verify(&self, attempt: Try, window: Window<'_>, length: usize, memo: &mut Memo) -> Option<Verified> {
        match attempt {
            Try::Template(index) => {
                let (rule, template) = &self.templates[index];
                verify(&self.rules[usize::from(*rule)], template, window)
            }
            Try::Keyed(index) => {
                let (rule, template) = &self.templates[index];
                let kept = (&self.alphabet, &mut memo.values);
                keyed::verify(&self.rules[usize::from(*rule)], (index, template), window, memo.low, kept)
            }
            Try::Structure(rule, structure) => keys::verify(&self.rules[usize::from(rule)], structure, window),
            Try::Assignment(_) => generic::verify(window, length, memo.low, &mut memo.seen),
        }
    }

    fn rule_of(&self, attempt: Try) -> u16 {
        match attempt {
            Try::Template(index) | Try::Keyed(index) => self.templates[index].0,
            Try::Structure(rule, _) | Try::Assignment(rule) => rule,
        }
    }

    /// The same as [`Patterns::scan`] of a whole file, the slow and simple way: every rule at every byte.
    #[doc(hidden)]
    pub fn scan_slowly(&self, file: &[u8], entry: u32, finds: &mut Finds) {
        let extent = Extent { at: 0, len: file.len(), entry, file: 0, first: true, last: true, binary: false };
        self.scan_beginnings(file, (0, file.len(), 0), &[extent], finds);
        let words = |index: usize| self.rules[usize::from(self.templates[index].0)].spec.words();
        let tries: BTreeSet<Try> = self.tries.iter().flatten().copied().collect();
        let anchors_of = |attempt: &Try| match attempt {
            Try::Template(index) => vec![self.templates[*index].1.anchor().to_vec()],
            Try::Structure(_, structure) => keys::anchors(*structure).map(<[u8]>::to_vec).collect(),
            Try::Keyed(index) => words(*index),
            Try::Assignment(_) => generic::WORDS.iter().map(|word| word.as_bytes().to_vec()).collect(),
        };
        let attempts: Vec<(Try, Vec<Vec<u8>>)> = tries.iter().map(|attempt| (*attempt, anchors_of(attempt))).collect();
        let stands = |attempt: &Try, anchor: &[u8], place: usize| match attempt {
            Try::Keyed(_) | Try::Assignment(_) => {
                file[place..].get(..anchor.len()).is_some_and(|text| text.eq_ignore_ascii_case(anchor))
            }
            _ => file[place..].starts_with(anchor),
        };
        // A byte asks only the rules with an anchor that it may begin: nearly none.
        let beginning_with = |byte: u8| {
            let begins = |anchor: &&Vec<u8>| anchor.first().is_some_and(|first| first.eq_ignore_ascii_case(&byte));
            let some = |(attempt, anchors): &(Try, Vec<Vec<u8>>)| {
                let anchors: Vec<Vec<u8>> = anchors.iter().filter(begins).cloned().collect();
                (!anchors.is_empty()).then_some((*attempt, anchors))
            };
            attempts.iter().filter_map(some).collect::<Vec<_>>()
        };
        let attempts: Vec<_> = (0..=u8::MAX).map(beginning_with).collect();
        for place in 0..file.len() {
            for (attempt, anchors) in &attempts[usize::from(file[place])] {
                let Some(anchor) = anchors.iter().find(|anchor| stands(attempt, anchor, place)) else { continue };
                let (low, high) = (place.saturating_sub(BEHIND), file.len().min(place + AHEAD));
                let window = Window { bytes: &file[low..high], anchor: place - low, ends: high == file.len() };
                if let Some(verified) =
                    self.verify(*attempt, window, anchor.len(), &mut Memo { low, ..Memo::default() })
                {
                    let lines = &mut Lines::new(file, 0, &extent);
                    finds.found.push(lines.find(file, &extent, (self.rule_of(*attempt), place as u64), low, verified));
                }
            }
        }
        self.scan_encoded((Room::default(), Marker::Slow), (file, 0, 0..file.len()), &[extent], finds);
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
    /// A literal stands so many bytes before the anchor.
    lead: Option<(usize, [u8; 3])>,
    /// A byte follows that ends a run of so many bytes.
    stop: Option<(u8, usize, usize)>,
    /// A word begins at the anchor.
    word: bool,
    /// The anchor is in a name that may be given something, in text.
    assignment: bool,
}

impl Gate {
    fn of(template: &Template, rule: &SecretRule) -> Self {
        let follow = match template.pieces.get(template.anchor + 1) {
            Some(Piece::Run { class, least, .. }) => Some((*class, (*least).min(8))),
            _ => None,
        };
        let word = rule.spec.left == Left::Word && !rule.spec.check.proves();
        let lead = match (&template.pieces[0], template.before()) {
            (Piece::Literal(literal), Some(before)) if template.anchor > 0 => {
                literal.first_chunk().map(|lead| (before, *lead))
            }
            _ => None,
        };
        let stop = match template.pieces.get(template.anchor + 1..) {
            Some([Piece::Run { class, least, most }, Piece::Literal(next), ..]) if !class.has(next[0]) => {
                Some((next[0], *least, *most))
            }
            _ => None,
        };
        Self {
            follow,
            lead,
            stop,
            left: template.before().filter(|_| word).map(|length| (length, template.beside)),
            ..Self::default()
        }
    }

    fn opens(&self, buffer: &[u8], place: usize, end: usize, begins: impl Fn(usize) -> bool) -> bool {
        let led = self.lead.is_none_or(|(before, lead)| {
            place.checked_sub(before).and_then(|start| buffer.get(start..)).is_some_and(|text| text.starts_with(&lead))
        });
        if !led {
            return false;
        }
        let free = self.left.is_none_or(|(length, beside)| {
            let start = place.saturating_sub(length);
            is_free_left(beside, &buffer[..start]) || begins(start)
        });
        let begins_word = !self.word || keyed::begins_word(buffer, place) || begins(place);
        let follows = || self.follow.is_none_or(|(class, length)| class.run(&buffer[end..], length) == length);
        let stops = || {
            self.stop.is_none_or(|(byte, least, most)| {
                let to = buffer.len().min(end.saturating_add(most).saturating_add(1));
                buffer.get(end + least..to).is_some_and(|run| memchr::memchr(byte, run).is_some())
            })
        };
        free && begins_word && follows() && stops()
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
            text: head.map(is_text),
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
            in_text: false,
            hash: verified.hash,
            severity: verified.severity,
            confidence: verified.confidence,
            detail: verified.detail,
            redacted: verified.redacted,
            given: verified.given,
            keyed: verified.keyed,
        }
    }
}
