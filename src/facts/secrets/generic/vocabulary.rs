//! Words that say what a text is about, found all at once. Knows no features.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::sync::LazyLock;

/// A list of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Of examples and placeholders, in values.
    Example,
    /// Of credentials, in values.
    Credential,
    /// Of everything else that is around them, in values.
    Plain,
    /// Of examples, in a line before the name.
    Show,
    /// Of tests, in a line before the name.
    Assertion,
    /// Of tests, in a name.
    OfTests,
}

const EXAMPLES: &[&str] = &[
    "example",
    "sample",
    "dummy",
    "fake",
    "test",
    "mock",
    "demo",
    "placeholder",
    "your",
    "change",
    "todo",
    "fixme",
    "xxx",
    "redact",
    "insert",
    "replace",
    "default",
    "invalid",
    "wrong",
    "incorrect",
    "bogus",
    "foo",
    "bar",
    "baz",
    "enter",
    "some",
    "lorem",
    "hidden",
    "masked",
    "removed",
    "goes",
    "here",
    "value",
    "string",
];

const CREDENTIALS: &[&str] = &["pass", "pwd", "secret", "token", "key", "cred", "auth", "sesame", "geheim"];

const PLAIN: &[&str] = &[
    "user", "admin", "root", "name", "field", "hello", "world", "guest", "login", "client", "server", "access",
    "private", "public", "data", "config", "host", "valid", "type", "text", "input", "type", "null", "none", "true",
    "false", "error", "super", "get", "is_",
];

const LISTS: &[(List, &[&str])] = &[
    (List::Example, EXAMPLES),
    (List::Credential, CREDENTIALS),
    (List::Plain, PLAIN),
    (List::Show, &["example", "e.g.", "sample", "usage", "such as", "demo", "instance", "docs"]),
    (List::Assertion, &["assert", "expect", "should", "test", "mock", "fake", "dummy", "spec"]),
    (List::OfTests, &["test", "fake", "dummy", "example", "sample", "mock", "wrong", "invalid", "default", "bad"]),
];

/// All words, and the lists they are of.
static WORDS: LazyLock<(AhoCorasick, Vec<List>)> = LazyLock::new(|| {
    let words = || LISTS.iter().flat_map(|(list, words)| words.iter().map(|word| (*list, *word)));
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words().map(|(_, word)| word))
        .expect("a few hundred letters");
    (automaton, words().map(|(list, _)| list).collect())
});

/// What a text says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Said(u8);

impl Said {
    /// The lists of which `text` has a word, in any case.
    pub(super) fn by(text: &[u8]) -> Self {
        let (automaton, lists) = &*WORDS;
        let found = automaton.find_overlapping_iter(text).map(|found| lists[found.pattern().as_usize()]);
        Self(found.fold(0, |said, list| said | 1 << list as u8))
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn tells(self, list: List) -> bool {
        self.0 >> list as u8 & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said() {
        let said = Said::by(b"MyTestPassword");
        assert!(said.tells(List::Example) && said.tells(List::Credential) && said.tells(List::Assertion));
        assert!(!said.tells(List::Plain) && Said::by(b"xqzw") == Said::default());
    }
}
