//! Credentials without a format of their own: passwords, tokens and keys that are given to a name which promises one. A
//! small model judges each assignment by many features; chance alone is never reported. For text only.

mod assignment;
mod features;
mod model;
mod operator;
mod other;
mod repeat;
mod seen;
mod shape;
mod value;
mod vocabulary;
mod wordiness;

pub use features::Feature;
pub(super) use seen::Seen;

use super::names::{Promise, promise};
use super::showing::is_in_docstring;
use super::values::{is_placeholder, is_promised_value};
use super::verify::{Verified, Window, hash, shown};
use crate::model::{Confidence, Severity};
use assignment::Assignment;
use features::Features;
use operator::{Operator, Quote};
use std::ops::Range;
use value::Ends;

/// What the model weighs by.
pub(super) const WEIGHTS: &str = model::TABLE;

/// Words that names of credentials hold, in any case, and the mark of a URL.
pub(super) const WORDS: &[&str] = &["pass", "pwd", "secret", "token", "key", "cred", "auth", "_pw", URL];

const URL: &str = "://";

/// The score from which on an assignment is reported, of severity low.
pub const LOW: f32 = 0.7;
/// That from which on it is of severity medium.
pub const MEDIUM: f32 = 0.93;
/// And that from which on it is of severity high.
pub const HIGH: f32 = 0.995;

/// An assignment that may give away a credential, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Where in the bytes the name stands.
    pub name: Range<usize>,
    /// And the value.
    pub value: Range<usize>,
    /// From 0 to 1: how sure it is that the value is a credential.
    pub score: f32,
    /// What the model weighed.
    pub features: Vec<Feature>,
}

/// Judges the assignment to the name that holds the word at `word` of `bytes`; none when there is no assignment, the name
/// promises nothing, or the value is a reference, a mask, a path or a switch.
pub fn judge(bytes: &[u8], word: Range<usize>) -> Option<Judged> {
    Some(weighed(bytes, promising(bytes, candidate(bytes, word)?)?))
}

fn weighed(bytes: &[u8], found: Assignment) -> Judged {
    let features = Features::of(bytes, &found);
    let score = model::score(features.all());
    Judged { name: found.name, value: found.value, score, features: features.all().to_vec() }
}

/// Every assignment in `bytes`, judged, in the order of their values: the slow and simple way.
#[doc(hidden)]
pub fn judge_all(bytes: &[u8]) -> Vec<Judged> {
    let mut all: Vec<Judged> = Vec::new();
    for at in 0..bytes.len() {
        for word in WORDS {
            let place = at..at + word.len();
            if bytes.get(place.clone()).is_some_and(|text| text.eq_ignore_ascii_case(word.as_bytes())) {
                let low = at.saturating_sub(1 << 10);
                let high = bytes.len().min(at + (2 << 10));
                let Some(judged) = judge(&bytes[low..high], at - low..place.end - low) else { continue };
                let moved = |range: Range<usize>| low + range.start..low + range.end;
                all.push(Judged { name: moved(judged.name), value: moved(judged.value), ..judged });
            }
        }
    }
    all.sort_by_key(|judged| (judged.value.start, judged.value.end));
    all.dedup_by(|a, b| a.value == b.value);
    all
}

/// A first look behind the word that stands at `place`, up to `end`; never shuts out what [`judge`] would judge.
pub(super) fn may_lead(bytes: &[u8], place: usize, end: usize) -> bool {
    if bytes.get(place..end) == Some(URL.as_bytes()) {
        return assignment::may_lead_in_url(bytes, end);
    }
    assignment::may_lead(bytes, end)
}

/// The credential that is given to the name around the word at the window's anchor, of `length` bytes. The window begins at
/// `low` of what is scanned. What was judged and found to be none is added to `seen`, and what is there is not judged again.
pub(super) fn verify(window: Window<'_>, length: usize, low: usize, seen: &mut Seen) -> Option<Verified> {
    let Window { bytes, anchor, .. } = window;
    let word = anchor..anchor + length;
    // Less than this decides; at the ends of a file there is less.
    let around = anchor.checked_sub(BEFORE).map(|from| from..word.end + BEHIND).filter(|all| all.end <= bytes.len());
    if around.as_ref().is_some_and(|around| seen.repeat.is_known(bytes, low, low + anchor, around)) {
        return None;
    }
    let judged = seen.judged_at(bytes, low, &word);
    let Some(judged) = judged else {
        if around.is_some() {
            seen.repeat.add(bytes, low, low + anchor);
        }
        return None;
    };
    let value = &bytes[judged.value.clone()];
    let (severity, confidence, detail) = if seen.plain.is_among_examples(bytes, low, &judged.value) {
        (Severity::Low, Confidence::Low, "among examples")
    } else if judged.features.contains(&Feature::CommentLine) {
        (Severity::Low, Confidence::Low, "in a comment")
    } else if is_in_docstring(bytes, judged.value.start) {
        (Severity::Low, Confidence::Low, "in a text that documents code")
    } else if judged.score < MEDIUM {
        (Severity::Low, Confidence::Low, "not sure")
    } else if judged.score < HIGH {
        (Severity::Medium, Confidence::Medium, "")
    } else {
        (Severity::High, Confidence::Medium, "")
    };
    Some(Verified {
        severity,
        confidence,
        detail: detail.to_owned(),
        redacted: shown("", value.len()),
        hash: hash(value),
        given: 0,
        keyed: true,
        at: judged.value,
    })
}

/// How far before a word, and behind it, what is judged may reach, bytes: what is looked at of its line, and a member that
/// follows.
const BEFORE: usize = 512;
const BEHIND: usize = 2 << 10;

/// Whether what follows the name around a word in its line may lead to another line: nothing but marks, or the member
/// `value`.
fn goes_on(bytes: &[u8], end: usize) -> bool {
    let rest = &bytes[end..];
    let behind = &rest[operator::count(&rest[..rest.len().min(assignment::NAME)], operator::is_name)..];
    let first = behind.iter().find(|byte| !b" \t\r\0,\"'`#])\\?:".contains(byte));
    first.is_none_or(|byte| matches!(byte, b'\n' | b'v' | b'V'))
}

/// The assignment to the name around `word`, unless another word of the name leads to it, or its value is a word of code.
fn candidate(bytes: &[u8], word: Range<usize>) -> Option<Assignment> {
    let line = assignment::line(bytes, &word);
    assigned(bytes, word, line, &mut Ends::default()).filter(|found| !is_code(bytes, found))
}

/// The assignment to the name around `word` of `line`, unless another word of the name leads to it.
fn assigned(bytes: &[u8], word: Range<usize>, line: Range<usize>, ends: &mut Ends) -> Option<Assignment> {
    let url = bytes.get(word.clone()) == Some(URL.as_bytes());
    if !url && !assignment::may_lead(bytes, word.end) {
        return None;
    }
    // Of several words in a name the last one leads to its value.
    let rest = bytes.get(word.end..)?;
    if !url && holds_word(&rest[..assignment::name_length(rest)]) {
        return None;
    }
    let found =
        if url { assignment::in_url(bytes, word, line)? } else { assignment::assignment(bytes, word, line, ends)? };
    // The statement `pass` of Python leads to no value.
    (found.operator != Operator::Blank || found.name.len() != 4).then_some(found)
}

/// Whether the value is a word of code.
fn is_code(bytes: &[u8], found: &Assignment) -> bool {
    let bare =
        found.quote == Quote::None && !matches!(found.operator, Operator::Url | Operator::Element | Operator::Member);
    let value = &bytes[found.value.clone()];
    // A macro before a function: `WITH_SECRET_INLINE name_t`.
    let typed = found.operator == Operator::Blank && value.ends_with(b"_t");
    bare && (typed || shape::is_word_of_code(value))
}

/// `found` when its name promises a credential, and its value is nothing else for certain.
fn promising(bytes: &[u8], found: Assignment) -> Option<Assignment> {
    let value = std::str::from_utf8(&bytes[found.value.clone()]).ok()?;
    if value.chars().any(char::is_control) || other::is_value(value) {
        return None;
    }
    let url = found.operator == Operator::Url;
    let name = &bytes[found.name.clone()];
    // Behind a path stands what a list says of it: `/etc/pam.d/passwd SUM` among the files of a package.
    if found.operator == Operator::Blank && bytes[..found.name.start].last() == Some(&b'/') {
        return None;
    }
    // Of `password.strip("x")` the method counts.
    let method = found.operator == Operator::Call;
    let name = if method { name.rsplit(|byte| *byte == b'.').next()? } else { name };
    let name = if url { "password" } else { std::str::from_utf8(name).ok()? };
    let promise = promise(name);
    let promised = match promise {
        Promise::Nothing => false,
        // An identifier under a name that has other senses is one.
        Promise::Some(_) => !shape::is_uuid(value.as_bytes()),
        Promise::Credential => true,
    };
    (promised && (url || !other::is_name(name)) && is_promised_value(name, promise, value) && !is_placeholder(value))
        .then_some(found)
}

/// For each byte the words that begin with it, in any case, a bit each.
const FIRST: [u16; 256] = {
    let mut table = [0; 256];
    let mut word = 0;
    while word < WORDS.len() {
        let first = WORDS[word].as_bytes()[0];
        table[first as usize] |= 1 << word;
        table[first.to_ascii_uppercase() as usize] |= 1 << word;
        word += 1;
    }
    table
};

/// Whether one of the words stands in `text`.
fn holds_word(text: &[u8]) -> bool {
    let begins =
        |text: &[u8], word: &str| text.get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    (0..text.len().saturating_sub(2)).any(|at| {
        let mut words = FIRST[usize::from(text[at])];
        while words != 0 {
            if begins(&text[at..], WORDS[words.trailing_zeros() as usize]) {
                return true;
            }
            words &= words - 1;
        }
        false
    })
}
