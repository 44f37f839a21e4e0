//! Whether the text around a value shows how a thing is used: it speaks of examples, or is the text that documents a piece
//! of code. Knows no rule and no path.

use std::ops::Range;

/// How far before and behind a value a word that tells of examples makes it one of them, bytes.
const AROUND: usize = 4 << 10;

/// Three of them stand around texts of Python, which stand first in what they document.
const QUOTES: [u8; 2] = [b'"', b'\''];

/// Ends of words that tell of examples.
const EXAMPLES: [&str; 2] = ["xample", "XAMPLE"];
const WORD: usize = EXAMPLES[0].len();

/// Whether the text around the value speaks of examples; names of hosts such as `example.org` say nothing.
pub(super) fn is_among_examples(bytes: &[u8], value: &Range<usize>) -> bool {
    let around = &bytes[value.start.saturating_sub(AROUND)..bytes.len().min(value.end + AROUND)];
    let speaks = |place: usize, word: &str| {
        let rest = &around[place + word.len()..];
        ![&b".com"[..], b".org", b".net", b".test"].iter().any(|end| rest.starts_with(end))
    };
    EXAMPLES.iter().any(|word| memchr::memmem::find_iter(around, word).any(|place| speaks(place, word)))
}

/// A stretch in which no word tells of examples, kept from one value to the next. Places count from the beginning of what is
/// scanned.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain(Range<usize>);

impl Plain {
    /// As [`is_among_examples`], for `bytes` that begin at `low`.
    pub(super) fn is_among_examples(&mut self, bytes: &[u8], low: usize, value: &Range<usize>) -> bool {
        let (from, to) = (value.start.saturating_sub(AROUND), bytes.len().min(value.end + AROUND));
        if !(self.0.start..=self.0.end).contains(&(low + from)) {
            self.0 = low + from..low + from;
        }
        // A word may begin at the end of what is known.
        let known = (self.0.end - low).min(to).saturating_sub(WORD).max(from);
        let rest = &bytes[known..to];
        if EXAMPLES.iter().any(|word| memchr::memmem::find(rest, word.as_bytes()).is_some()) {
            return is_among_examples(bytes, value);
        }
        self.0.end = self.0.end.max(low + to);
        false
    }
}

/// Whether what stands at `at` lies in a docstring: behind three quotes that stand first in their line and open a text.
pub(super) fn is_in_docstring(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[at.saturating_sub(AROUND)..at];
    let three = |quote: u8| {
        let mut places = memchr::memrchr_iter(quote, before);
        places.find_map(|at| at.checked_sub(2).filter(|first| before[*first..at] == [quote; 2]))
    };
    let last = QUOTES.into_iter().filter_map(three).max();
    last.is_some_and(|mark| opens(&before[..mark], &before[mark + 3..]))
}

/// Whether three quotes between `before` and `behind` open a docstring.
fn opens(before: &[u8], behind: &[u8]) -> bool {
    let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    if !matches!(line.trim_ascii(), [] | [b'r' | b'R' | b'u' | b'U' | b'b' | b'f']) {
        return false;
    }
    match behind.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end() {
        // Alone in their line they open what the line before announces.
        [] => {
            let above = before[..before.len() - line.len()].trim_ascii_end();
            above.is_empty() || above.ends_with(b":")
        }
        [first, ..] => !b"),.;]}+%".contains(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> (&[u8], usize) {
        (text.as_bytes(), text.find('V').expect("a value"))
    }

    #[test]
    fn docstrings() {
        for text in [
            "def f():\n    \"\"\"Takes a token.\n\n    token=V\n    \"\"\"\n",
            "class A:\n    r'''\n    token=V\n",
            "\"\"\"Module.\n\n    token = 'V'\n",
            "x = \"\"\"a\"\"\"\ndef f():\n    \"\"\"Uses V\"\"\"\n",
        ] {
            let (bytes, place) = at(text);
            assert!(is_in_docstring(bytes, place), "{text}");
        }
        for text in [
            "def f():\n    \"\"\"Takes a token.\"\"\"\n    token = 'V'\n",
            "def f():\n    \"\"\"Takes a token.\n\n    More.\n    \"\"\"\n    token = 'V'\n",
            "CONFIG = \"\"\"\ntoken = V\n\"\"\"\n",
            "x = f(\"\"\"\na\n\"\"\").g(V)\n",
            "x = f(\"\"\"\na\n\"\"\", V)\n",
            "token = 'V'\n",
            "# \"\"\" token = V\n",
        ] {
            let (bytes, place) = at(text);
            assert!(!is_in_docstring(bytes, place), "{text}");
        }
    }

    #[test]
    fn examples_are_words_and_not_hosts() {
        for (text, among) in [
            ("For example:\n  key: V", true),
            ("EXAMPLES = '''\n key: V", true),
            ("host: db.example.org\nkey: V", false),
            ("key: V", false),
        ] {
            let (bytes, place) = at(text);
            assert_eq!(is_among_examples(bytes, &(place..place + 1)), among, "{text}");
        }
        let far = format!("example{}V", " ".repeat(AROUND));
        let (bytes, place) = at(&far);
        assert!(!is_among_examples(bytes, &(place..place + 1)));
    }
}
