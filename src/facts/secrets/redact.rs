//! Masks secrets in texts that reports show: every credential that the rules about metadata would name, every typed
//! token, and every value that the image's own texts hold.

use super::credentials::credentials;
use super::names::is_secret_name;
use super::pattern::Patterns;
use super::values::{is_placeholder, is_secret_value, without_quotes};
use super::verify::{hash, shown};
use crate::image::{ImageConfig, Way};
use crate::model::{SecretInfo, visible_str};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Values shorter than this are masked where they are named, not wherever their letters stand.
const LEAST: usize = 6;

/// A longer value is known by so many bytes of its beginning, and masked in its whole length where they stand. The bound
/// keeps the automaton small, and the search of a text as long as the text.
const KNOWN_BY: usize = 16;

/// So many values are worth the fast automaton.
const FEW: usize = 1000;

/// What may be said of a credential without a type: a password, a token that names none.
#[must_use]
pub fn credential_info(value: &str) -> SecretInfo {
    SecretInfo { kind: "credential".to_owned(), redacted: shown("", value.len()), hash: hash(value.as_bytes()) }
}

impl Patterns {
    /// `text` with every secret masked that it shows by itself; a [`Redactor`] also knows the image's values.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        Redactor::new(self).redact(text)
    }
}

/// Masks secrets in any text about one image.
#[derive(Clone, Debug)]
pub struct Redactor<'a> {
    patterns: &'a Patterns,
    /// Finds the beginnings of known values; by its pattern's number stands in `values` what is to be masked.
    known: Option<AhoCorasick>,
    values: Vec<Value>,
}

/// A value that is known, or several with one beginning.
#[derive(Clone, Copy, Debug, Default)]
struct Value {
    /// Bytes to mask.
    length: usize,
    /// Whether it is a plain word, such as the password `postgres`: masked where it stands as a word, and never in names.
    word: bool,
}

/// What a text is, which decides how much of it is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Sentences and commands.
    Prose,
    /// The name of a thing: a path, a pointer, a tag.
    Name,
}

/// A text with its secrets masked.
#[derive(Clone, Debug, Default)]
pub struct Masked {
    /// The text.
    pub text: String,
    /// Masked stretches in order: begin and end in the original, begin and end in `text`.
    stretches: Vec<(usize, usize, usize, usize)>,
}

impl Masked {
    /// Where in the text stands what stood at byte `place` of the original; the beginning of the mask when it is masked.
    #[must_use]
    pub fn place(&self, place: usize) -> usize {
        let before = self.stretches.partition_point(|(begin, ..)| *begin <= place);
        match before.checked_sub(1).and_then(|last| self.stretches.get(last)) {
            None => place,
            Some((_, end, masked, _)) if place < *end => *masked,
            Some((_, end, _, after)) => after + (place - end),
        }
    }
}

impl<'a> Redactor<'a> {
    /// A redactor that knows no image.
    #[must_use]
    pub fn new(patterns: &'a Patterns) -> Self {
        Self { patterns, known: None, values: Vec::new() }
    }

    /// One that also knows what the image's metadata hold: such values are masked wherever they stand.
    #[must_use]
    pub fn of_image(config: &ImageConfig, annotations: &[(String, String)], patterns: &'a Patterns) -> Self {
        let mut known: BTreeMap<Vec<u8>, Value> = BTreeMap::new();
        let mut add = |value: &str| {
            if value.len() >= LEAST && !is_placeholder(value) {
                // In messages what moves a cursor is spelled out, in pointers what cuts them.
                for value in [value.into(), visible_str(value), value.replace('~', "~0").replace('/', "~1").into()] {
                    let beginning = &value.as_bytes()[..value.len().min(KNOWN_BY)];
                    let word = value.len() < 12 && !value.bytes().any(|byte| byte.is_ascii_digit());
                    let kept = known.entry(beginning.to_vec()).or_insert(Value { length: 0, word });
                    *kept = Value { length: kept.length.max(value.len()), word: kept.word && word };
                }
            }
        };
        let mut read = |name: Option<&str>, text: &str| {
            if let Some(name) = name.filter(|name| is_secret_name(name))
                && is_secret_value(name, text)
            {
                add(without_quotes(text));
            }
            for found in credentials(text) {
                add(&text[found.range()]);
            }
        };
        for entry in &config.config.env {
            match entry.split_once('=') {
                Some((name, value)) => read(Some(name), value),
                None => read(None, entry),
            }
        }
        for entry in &config.history {
            read(None, &entry.created_by);
        }
        for (key, value) in annotations {
            read(Some(key), value);
        }
        config.document.texts(|text| {
            let done = text.is_in(&["config", "env"]) || text.is_in(&["history"]) && text.is_field("created_by");
            let name = match text.way.last() {
                Some(Way::Key(name)) if !text.is_key => Some(*name),
                _ => None,
            };
            if !done {
                read(name, text.text);
            }
        });
        let (beginnings, values): (Vec<_>, Vec<_>) = known.into_iter().unzip();
        // The small automaton of the many costs memory by the byte of their beginnings and nothing more.
        let kind = (beginnings.len() > FEW).then_some(AhoCorasickKind::NoncontiguousNFA);
        let automaton = AhoCorasick::builder().kind(kind).match_kind(MatchKind::Standard).build(&beginnings).ok();
        Self { patterns, known: automaton.filter(|_| !values.is_empty()), values }
    }

    /// `text` with every secret replaced by its public prefix, an ellipsis and its length.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.mask(text, Kind::Prose).text
    }

    /// The same, with what is needed to find places of `text` again.
    #[must_use]
    pub fn masked(&self, text: &str) -> Masked {
        self.mask(text, Kind::Prose)
    }

    /// The same for the name of a thing: a path, a pointer, a tag. A password that is a plain word stays in it:
    /// `/var/lib/postgres` tells nothing, and a masked path leads nowhere.
    #[must_use]
    pub fn redact_name(&self, name: &str) -> String {
        self.mask(name, Kind::Name).text
    }

    /// The same for the bytes of a name; what is not UTF-8 stays.
    #[must_use]
    pub fn redact_bytes(&self, name: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(name.len());
        for chunk in name.utf8_chunks() {
            out.extend_from_slice(self.redact_name(chunk.valid()).as_bytes());
            out.extend_from_slice(chunk.invalid());
        }
        out
    }

    fn mask(&self, text: &str, kind: Kind) -> Masked {
        // What is no typed secret has no words of its own.
        let mut masks: Vec<(usize, usize, Option<String>)> = Vec::new();
        self.patterns.each_in_text(text.as_bytes(), |found| {
            masks.push((found.start as usize, (found.start + found.length) as usize, Some(found.redacted)));
        });
        let at = |(start, end): (usize, usize)| (start, end, None);
        masks.extend(credentials(text).into_iter().map(|found| at(found.at)));
        if kind == Kind::Name {
            // A value in the middle of a path ends with its component.
            let mut begin = 0;
            for part in text.split('/') {
                let found = credentials(part).into_iter().map(|found| found.at);
                masks.extend(found.map(|(start, end)| (begin + start, begin + end, None)));
                begin += part.len() + 1;
            }
        }
        masks.extend(self.stretches(text, kind).into_iter().map(at));
        // Of overlapping masks the first one's words stand, over the whole stretch.
        masks.sort_by(|a, b| (a.0, Reverse(a.1), Reverse(&a.2)).cmp(&(b.0, Reverse(b.1), Reverse(&b.2))));
        let mut out = Masked { text: String::with_capacity(text.len()), stretches: Vec::new() };
        let mut done = 0;
        let mut masks = masks.into_iter().peekable();
        while let Some((start, mut end, mut word)) = masks.next() {
            while let Some((_, further, _)) = masks.next_if(|next| next.0 < end) {
                if further > end {
                    end = further;
                    word = None;
                }
            }
            out.text.push_str(text.get(done..start).unwrap_or_default());
            let begin = out.text.len();
            out.text.push_str(&word.unwrap_or_else(|| shown("", end - start)));
            out.stretches.push((start, end, begin, out.text.len()));
            done = end;
        }
        out.text.push_str(text.get(done..).unwrap_or_default());
        out
    }

    /// The stretches of `text` that known values cover, in order and apart: values may overlap and hold each other.
    fn stretches(&self, text: &str, kind: Kind) -> Vec<(usize, usize)> {
        let mut covered: Vec<(usize, usize)> = Vec::new();
        let Some(known) = &self.known else { return covered };
        for found in known.find_overlapping_iter(text) {
            let Some(value) = self.values.get(found.pattern().as_usize()) else { continue };
            let (mut start, mut end) = (found.start(), (found.start() + value.length).min(text.len()));
            while !text.is_char_boundary(end) {
                end += 1;
            }
            if value.word && (kind == Kind::Name || !stands_alone(text, start, end)) {
                continue;
            }
            // They come by the end of their beginnings.
            while let Some((from, to)) = covered.pop_if(|(_, to)| *to > start) {
                (start, end) = (start.min(from), end.max(to));
            }
            covered.push((start, end));
        }
        covered
    }
}

/// Whether no letter or digit touches `text[start..end]`.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let part = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    !part(text.as_bytes()[..start].last()) && !part(text.as_bytes().get(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No eight bytes of what is hidden are left.
    #[test]
    fn canaries_do_not_survive() {
        let patterns = Patterns::new(&[]).expect("no rules");
        for (text, hidden) in [
            ("ENV DB_PASSWORD=hunter2example API_TOKEN=abcd1234efgh", &["hunter2example", "abcd1234efgh"][..]),
            ("ENV API_TOKEN=abcd1234=efgh5678", &["abcd1234=efgh5678"]),
            ("ENV DB_PASSWORD=hunter2\\$example", &["hunter2\\$example"]),
            ("ENV DB_PASSWORD=\"hunter2 example\"", &["hunter2 example"]),
            ("ENV DB_PASSWORD=hunter2 example # buildkit", &["hunter2 example"]),
            ("/bin/sh -c echo it's fine && DB_PASSWORD=hunter2example ./x", &["hunter2example"]),
            ("RUN PASSWORD=ab\"cd efgh\"ij'kl mnop' x", &["ab\"cd efgh\"ij'kl mnop'"]),
            ("RUN PASSWORD=\"never closed, and long", &["never closed, and long"]),
        ] {
            let clean = patterns.redact(text);
            for piece in hidden.iter().flat_map(|hidden| hidden.as_bytes().windows(8)) {
                let piece = String::from_utf8_lossy(piece);
                assert!(!clean.contains(&*piece), "{piece} of {text} in {clean}");
            }
        }
        assert_eq!(patterns.redact("ENV TOKEN=E"), "ENV TOKEN=…(1)");
        assert_eq!(patterns.redact("RUN make"), "RUN make");
    }

    #[test]
    fn a_value_in_a_path_ends_with_its_component() {
        let config = ImageConfig::default();
        let patterns = Patterns::new(&[]).expect("no rules");
        let redactor = Redactor::of_image(&config, &[], &patterns);
        let name = |path: &str| redactor.redact_name(path);
        assert_eq!(name("/srv/password=hunter2example/k.key"), "/srv/password=…(14)/k.key");
        assert_eq!(name("/srv/pw/password=hunter2example"), "/srv/pw/password=…(14)");
        assert_eq!(name("/srv/a=b/password/c"), "/srv/a=b/password/c");
    }

    #[test]
    fn values_of_variables_are_masked_wherever_they_stand() {
        let patterns = Patterns::new(&[]).expect("no rules");
        let mut config = ImageConfig::default();
        config.config.env.push("DB_PASSWORD=hunter2example".to_owned());
        let clean = Redactor::of_image(&config, &[], &patterns).redact("RUN ./setup hunter2example --fast");
        assert_eq!(clean, "RUN ./setup …(14) --fast");
    }

    #[test]
    fn of_many_values_the_longest_is_masked() {
        let patterns = Patterns::new(&[]).expect("no rules");
        let mut config = ImageConfig::default();
        for value in ["hunter2exa", "hunter2example", "example-Zebra9", "zebra-Quagga77", "hunter2example-Zeb4"] {
            config.config.env.push(format!("DB_PASSWORD={value}"));
        }
        let redactor = Redactor::of_image(&config, &[], &patterns);
        assert_eq!(redactor.redact("x hunter2example y"), "x …(14) y");
        assert_eq!(redactor.redact("x hunter2exam y"), "x …(10)m y");
        assert_eq!(redactor.redact("hunter2example-Zebra9 zebra-Quagga7"), "…(21) zebra-Quagga7");
    }

    #[test]
    fn values_that_overlap_leave_no_rest() {
        let patterns = Patterns::new(&[]).expect("no rules");
        let mut config = ImageConfig::default();
        let long = format!("begin-0{}", "xyz".repeat(40));
        for value in ["abcdef-12", "ef-123456", "cdef-1", &long] {
            config.config.env.push(format!("DB_PASSWORD={value}"));
        }
        let redactor = Redactor::of_image(&config, &[], &patterns);
        assert_eq!(redactor.redact("x abcdef-123456 y"), "x …(13) y");
        assert_eq!(redactor.redact(&format!("<{long}>")), format!("<…({})>", long.len()));
        assert_eq!(redactor.redact("a cdef-1"), "a …(6)");
    }

    #[test]
    fn a_password_that_is_a_word_is_no_part_of_names() {
        let patterns = Patterns::new(&[]).expect("no rules");
        let mut config = ImageConfig::default();
        config.config.env.push(format!("DB_PASSWORD={}", "postgres"));
        config.config.env.push(format!("API_TOKEN={}{}", "q1w2", "e3r4t5"));
        let redactor = Redactor::of_image(&config, &[], &patterns);
        assert_eq!(redactor.redact_name("/var/lib/postgres/q1w2e3r4t5"), "/var/lib/postgres/…(10)");
        assert_eq!(redactor.redact("init postgres in postgresql"), "init …(8) in postgresql");
        assert_eq!(redactor.redact_bytes(b"/\xff/q1w2e3r4t5"), [&b"/\xff/"[..], "…(10)".as_bytes()].concat());
    }
}
