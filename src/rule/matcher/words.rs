//! The values of the match language: lists of words, globs, regular expressions, message templates.

use crate::model::visible;
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;

/// Bytes that one compiled regular expression may take.
const PATTERN_SIZE: usize = 4 << 20;

/// One word or a list of words.
#[derive(Clone, Debug, Default)]
pub(in crate::rule) struct Words(pub(in crate::rule) Vec<String>);

/// Shell patterns over paths or names, any of which may match: `*` and `?` stay within a component, `**` does not.
#[derive(Clone, Debug, Default)]
pub(super) struct Globs(Option<RegexSet>);

/// A regular expression, searched for anywhere.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

/// A message with `{names}` in it.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Name(String),
}

impl Globs {
    pub(super) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Whether one of them matches; `without` when none was given.
    pub(super) fn matches(&self, path: &[u8], without: bool) -> bool {
        self.0.as_ref().map_or(without, |set| set.is_match(path))
    }
}

impl Pattern {
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        self.0.is_match(text)
    }

    /// Where it matches, offsets in bytes.
    pub(super) fn places(&self, text: &[u8]) -> impl Iterator<Item = usize> {
        self.0.find_iter(text).map(|hit| hit.start())
    }
}

impl Template {
    /// Refuses names that are not among `names`.
    pub(super) fn validate(&self, names: &[&str]) -> Result<(), String> {
        for piece in &self.0 {
            if let Piece::Name(name) = piece
                && !names.contains(&name.as_str())
            {
                return Err(format!("message: no {{{name}}} here, only {{{}}}", names.join("}, {")));
            }
        }
        Ok(())
    }

    /// The message, each name replaced by its value, whole: what is long is cut once its secrets are masked, and not before.
    pub(super) fn render(&self, values: &[(&str, &str)]) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Name(name) => {
                    let value = values.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
                    out.push_str(value);
                }
            }
        }
        out
    }
}

/// Foreign bytes for a message.
pub(super) fn shown(bytes: &[u8]) -> String {
    visible(bytes).into_owned()
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Words, E> {
                Ok(Words(vec![word.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element()? {
                    words.push(word);
                }
                Ok(Words(words))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

impl<'de> Deserialize<'de> for Globs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Words::deserialize(deserializer)?;
        let mut patterns = Vec::new();
        for word in &words.0 {
            let glob = globset::GlobBuilder::new(word).literal_separator(true).backslash_escape(true).build();
            // The glob's regular expression is taken instead of its matcher, because names are bytes on every system.
            patterns.push(
                glob.map_err(|error| D::Error::custom(format!("glob '{word}': {}", error.kind())))?.regex().to_owned(),
            );
        }
        if patterns.is_empty() {
            return Err(D::Error::custom("an empty list of globs"));
        }
        let set = RegexSetBuilder::new(&patterns).dot_matches_new_line(true).size_limit(PATTERN_SIZE).build();
        Ok(Self(Some(set.map_err(|error| D::Error::custom(format!("globs: {error}")))?)))
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let regex = RegexBuilder::new(&text).size_limit(PATTERN_SIZE).build();
        regex.map(Self).map_err(|error| {
            // The last line of the crate's drawing is the sentence.
            let error = error.to_string();
            let sentence = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            D::Error::custom(format!("regular expression '{text}': {sentence}"))
        })
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err(D::Error::custom(format!("message '{text}': a {{ without its }}")));
            };
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Name(name.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }
}
