//! The words of a shell's commands, each with its place in the text. Tolerant: a mark that never closes is a letter. What
//! the words mean is for others.

use crate::image::{Opened, closing_mark};
use std::ops::Range;

/// A word of a command line: its place with and without the quotes around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) outer: (usize, usize),
    pub(super) inner: (usize, usize),
}

/// A simple command.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// Its words, redirections left out.
    pub(super) words: Vec<Word>,
    /// The word behind `<<<`, which the shell gives to the command as its input.
    pub(super) input: Option<Word>,
    /// What its words hold that may be commands: `$(...)`, backquotes, strings with blanks.
    pub(super) inside: Vec<Range<usize>>,
    /// A group of commands begins with it.
    pub(super) opens: bool,
    /// A group of commands ends with it; its output then is the group's.
    pub(super) closes: bool,
    /// Its output goes into the next.
    pub(super) pipes: bool,
}

/// The commands of a stretch of text, one at a time: a text may have a million.
pub(super) struct Lines<'a> {
    text: &'a str,
    /// The text up to the stretch's end.
    bytes: &'a [u8],
    at: usize,
    /// Bytes that may still be looked through for marks that never close.
    waste: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str, stretch: Range<usize>) -> Self {
        let bytes = &text.as_bytes()[..stretch.end];
        Self { text, bytes, at: stretch.start, waste: 4 * stretch.len() }
    }

    fn pipes_at(&self, at: usize) -> bool {
        self.bytes.get(at) == Some(&b'|') && self.bytes.get(at + 1) != Some(&b'|')
    }

    /// Goes behind the redirection here and its target, which is no word; that of `<<<` is input.
    fn redirection(&mut self, line: &mut Line) {
        let marks = self.bytes[self.at..].iter().take_while(|byte| b"<>".contains(byte)).take(3).count();
        let input = self.bytes[self.at..].starts_with(b"<<<");
        self.at += marks;
        if self.bytes.get(self.at).is_some_and(|byte| b"&|-".contains(byte)) {
            self.at += 1;
        }
        while self.bytes.get(self.at).is_some_and(|byte| b" \t".contains(byte)) {
            self.at += 1;
        }
        if self.bytes.get(self.at).is_some_and(|byte| !b"\r\n;&|()<>#".contains(byte)) {
            let target = self.word(line);
            if input {
                line.input = target;
            }
        }
    }

    /// The word that begins here; the place goes behind it.
    fn word(&mut self, line: &mut Line) -> Option<Word> {
        let from = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            let next = self.bytes.get(self.at + 1);
            match (byte, next) {
                (b'<' | b'>', Some(b'(')) if self.at == from => self.enclosed(2, Opened::Output, line),
                (b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>', _) => break,
                (b'\\', _) => self.at += 2,
                (b'$', Some(b'(')) => self.enclosed(2, Opened::Output, line),
                (b'$', Some(b'{')) => self.enclosed(2, Opened::Variable, line),
                (b'"', _) => self.enclosed(1, Opened::Quote, line),
                (b'\'' | b'`', _) => {
                    let rest = &self.bytes[self.at + 1..];
                    let end = memchr::memchr(byte, rest).map(|length| self.at + 1 + length);
                    self.keep(1, end, line);
                }
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.bytes.len()).max(from + 1);
        let whole = self.text.is_char_boundary(self.at) && self.text.is_char_boundary(from);
        whole.then(|| Word { outer: (from, self.at), inner: unquoted(self.bytes, from, self.at) })
    }

    /// Goes behind what opens here with `marks` bytes.
    fn enclosed(&mut self, marks: usize, opened: Opened, line: &mut Line) {
        let end = if self.waste == 0 { None } else { closing_mark(self.bytes, self.at + marks, opened) };
        if end.is_none() {
            self.waste = self.waste.saturating_sub(self.bytes.len() - self.at);
        }
        self.keep(marks, end, line);
    }

    fn keep(&mut self, marks: usize, end: Option<usize>, line: &mut Line) {
        let Some(end) = end else {
            self.at += marks;
            return;
        };
        let inside = self.at + marks..end;
        let commands = self.bytes[inside.clone()].iter().any(|byte| b" \t\n".contains(byte));
        if commands && self.text.is_char_boundary(inside.start) && self.text.is_char_boundary(inside.end) {
            line.inside.push(inside);
        }
        self.at = end + 1;
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let mut line = Line::default();
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.bytes.get(self.at + 1) == Some(&b'\n') => self.at += 2,
                // Builders of old write instructions that run nothing as comments.
                b'#' if self.bytes[self.at..].starts_with(b"#(nop)") => self.at += 6,
                b'#' => {
                    let rest = &self.bytes[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                b'\n' | b';' | b'&' | b'|' | b'(' | b')' => {
                    let pipe = if byte == b')' {
                        let blanks = self.bytes[self.at + 1..].iter().take_while(|&&byte| byte == b' ').count();
                        self.at + 1 + blanks
                    } else {
                        self.at
                    };
                    line.closes |= byte == b')';
                    line.pipes = self.pipes_at(pipe) && (pipe == 0 || self.bytes[pipe - 1] != b'|');
                    self.at += 1;
                    if !line.words.is_empty() || line.input.is_some() {
                        return Some(line);
                    }
                    line.opens |= byte == b'(';
                }
                b'<' | b'>' if self.bytes.get(self.at + 1) != Some(&b'(') => self.redirection(&mut line),
                _ => {
                    let Some(word) = self.word(&mut line) else { continue };
                    let raw = &self.bytes[word.outer.0..word.outer.1];
                    // The number of what is redirected.
                    let number = raw.iter().all(u8::is_ascii_digit)
                        && self.bytes.get(self.at).is_some_and(|byte| b"<>".contains(byte));
                    if line.words.is_empty() {
                        line.opens |= raw == b"{";
                        line.closes |= raw == b"}";
                    }
                    if !number {
                        line.words.push(word);
                    }
                }
            }
        }
        (!line.words.is_empty() || line.input.is_some()).then_some(line)
    }
}

/// The word without the quotes around it, and without the brackets and commas of a JSON list around those.
pub(super) fn unquoted(bytes: &[u8], from: usize, to: usize) -> (usize, usize) {
    if from >= to {
        return (from, to);
    }
    let begin = from + usize::from(bytes[from] == b'[' && to - from > 2);
    let mut end = to;
    while end > begin && matches!(bytes[end - 1], b',' | b']') {
        end -= 1;
    }
    if end - begin < 2 {
        return (from, to);
    }
    let close = match bytes[begin] {
        b'"' => closing_mark(&bytes[..end], begin + 1, Opened::Quote),
        b'\'' => memchr::memchr(b'\'', &bytes[begin + 1..end]).map(|length| begin + 1 + length),
        _ => None,
    };
    if close == Some(end - 1) { (begin + 1, end - 1) } else { (from, to) }
}

/// The word of a command as it runs, without the folders of its program.
pub(super) fn base<'a>(text: &'a str, word: &Word) -> &'a str {
    let whole = &text[word.inner.0..word.inner.1];
    match whole.rsplit_once('/') {
        Some((folder, name)) if folder.ends_with("bin") => name,
        _ => whole,
    }
}
