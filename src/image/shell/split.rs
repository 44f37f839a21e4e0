//! Text to simple commands: operators, reserved words, redirections and here-documents. See [`Command::split`].

use super::script::{self, Script};
use super::word::{self, Inside, Read, find, lossy};
use super::{Command, Word};

/// Commands of one text.
const MOST_COMMANDS: usize = 10_000;

/// Scripts in words in scripts in words.
const DEEPEST: usize = 50;

/// Bytes read of nested scripts: this, and so many times the text. Each level reads its own text again.
const NESTED_BYTES: usize = 1 << 16;
const NESTED_TIMES: usize = 16;

/// The simple commands of `text`.
pub(super) fn commands(text: &str) -> Vec<Command> {
    let mut out = Vec::new();
    let mut budget = NESTED_BYTES + text.len().saturating_mul(NESTED_TIMES);
    split(text, 0, &mut budget, &mut out);
    out
}

/// The simple commands of `text`, scripts in words left alone.
pub(super) fn list(text: &str) -> Vec<Command> {
    let mut out = Vec::new();
    split(text, DEEPEST, &mut 0, &mut out);
    out
}

/// `command` and what it runs out of its words.
pub(super) fn with_nested(command: Command) -> Vec<Command> {
    let length: usize = command.words.iter().map(|word| word.text.len()).sum();
    let mut budget = NESTED_BYTES + length.saturating_mul(NESTED_TIMES);
    let scripts = script::of(&command.words).1;
    let mut out = vec![command];
    for script in scripts {
        script.run(0, &mut budget, &mut out);
    }
    out
}

fn split(text: &str, depth: usize, budget: &mut usize, out: &mut Vec<Command>) {
    let mut splitter = Splitter {
        bytes: text.as_bytes(),
        at: 0,
        out,
        command: Command::default(),
        nested: Vec::new(),
        waiting: Vec::new(),
        documents: Vec::new(),
        skip: Skip::Nothing,
        cases: 0,
        open: 0,
        opens: 0,
        closed: false,
        last: None,
        no_arithmetic: false,
        depth,
        budget,
    };
    splitter.run();
}

/// Words that belong to the grammar, not to a command.
#[derive(Clone, Copy, PartialEq)]
enum Skip {
    Nothing,
    /// `for x in ...`, `select`: up to the separator.
    List,
    /// `case x` up to `in`.
    Case,
    /// Patterns of a `case`, up to `)`.
    Pattern,
    /// The name behind `function`.
    Name,
}

impl Script {
    fn run(self, depth: usize, budget: &mut usize, out: &mut Vec<Command>) {
        if depth >= DEEPEST || out.len() >= MOST_COMMANDS {
            return;
        }
        // What is beyond the budget is left out; later and smaller scripts may still fit. Words cost more than their text.
        let cost = match &self {
            Self::Text(text) => text.len(),
            Self::Words(words) => words.iter().map(|word| word.text.len() + size_of::<Word>()).sum(),
        };
        let Some(left) = budget.checked_sub(cost) else { return };
        *budget = left;
        match self {
            Self::Text(text) => split(&text, depth + 1, budget, out),
            Self::Words(words) => {
                let nested = script::of(&words).1;
                out.push(Command { words, ..Command::default() });
                for script in nested {
                    script.run(depth + 1, budget, out);
                }
            }
        }
    }
}

/// A here-document whose body is still to come.
struct Document {
    delimiter: Vec<u8>,
    strip_tabs: bool,
    quoted: bool,
    /// Index of the command that reads it; `None` while that is being read.
    command: Option<usize>,
}

struct Splitter<'a> {
    bytes: &'a [u8],
    at: usize,
    out: &'a mut Vec<Command>,
    command: Command,
    /// Substitutions of the command being read, each with the index of its word.
    nested: Vec<(usize, String)>,
    /// Scripts of finished commands, run behind the compound command.
    waiting: Vec<Script>,
    documents: Vec<Document>,
    skip: Skip,
    /// Open `case`.
    cases: usize,
    /// Open groups, subshells, conditions, loops.
    open: usize,
    /// Those of them that have no command yet.
    opens: usize,
    /// Whether a compound command has just ended: redirections and pipes behind it are its last command's.
    closed: bool,
    /// Index of the last command of this text itself.
    last: Option<usize>,
    no_arithmetic: bool,
    depth: usize,
    budget: &'a mut usize,
}

impl Splitter<'_> {
    fn run(&mut self) {
        while self.out.len() < MOST_COMMANDS {
            let next = self.peek(1);
            let Some(byte) = self.peek(0) else { break };
            let length = match (byte, next) {
                (b' ' | b'\t' | b'\r', _) => 1,
                (b'\\', Some(b'\n')) => 2,
                (b'\\', Some(b'\r')) if self.peek(2) == Some(b'\n') => 3,
                (b'#', _) => {
                    self.at = find(self.bytes, self.at, b'\n');
                    0
                }
                _ if self.in_test() && b"&|<>()".contains(&byte) => {
                    self.command.words.push(Word { text: char::from(byte).into(), expands: false, quoted: false });
                    1
                }
                (b'\n', _) => {
                    self.at += 1;
                    self.end(false, false);
                    self.read_documents();
                    self.flush();
                    0
                }
                (b';', Some(b';' | b'&')) => {
                    self.end_list();
                    self.skip = if self.cases > 0 { Skip::Pattern } else { Skip::Nothing };
                    if self.peek(2) == Some(b'&') { 3 } else { 2 }
                }
                (b';', _) => {
                    self.end_list();
                    1
                }
                (b'&', Some(b'&')) | (b'|', Some(b'|')) => {
                    self.end_list();
                    2
                }
                (b'&', Some(b'>')) => {
                    let operator = if self.peek(2) == Some(b'>') { "&>>" } else { "&>" };
                    self.at += operator.len();
                    self.redirect(operator);
                    0
                }
                (b'&', _) => {
                    self.end(false, true);
                    self.flush();
                    1
                }
                (b'|', _) if self.skip == Skip::Pattern => 1,
                (b'|', next) => {
                    self.end(true, false);
                    if next == Some(b'&') { 2 } else { 1 }
                }
                (b'(', _) => {
                    self.open_parenthesis(next);
                    0
                }
                (b')', _) if self.skip == Skip::Pattern => {
                    self.skip = Skip::Nothing;
                    1
                }
                (b')', _) => {
                    self.end(false, false);
                    self.close_compound();
                    1
                }
                (b'<' | b'>', next) if next != Some(b'(') => {
                    self.operator(String::new());
                    0
                }
                _ => {
                    self.word();
                    0
                }
            };
            self.at += length;
        }
        self.end(false, false);
        self.open = 0;
        self.flush();
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Whether inside `[[ ... ]]`, where operators are words.
    fn in_test(&self) -> bool {
        let is = |word: Option<&Word>, text: &str| word.is_some_and(|word| !word.quoted && word.text == text);
        is(self.command.words.first(), "[[") && !is(self.command.words.last(), "]]")
    }

    fn at_start(&self) -> bool {
        self.command.words.is_empty() && self.command.assignments.is_empty() && self.command.redirects.is_empty()
    }

    fn word(&mut self) {
        let start = self.at;
        let (read, end) = word::read(self.bytes, start);
        // Every turn moves on, whatever stands here.
        self.at = end.max(start + 1);
        if let (Some(b'<' | b'>'), false) = (self.bytes.get(end), read.text.is_empty()) {
            let descriptor = read.text.iter().all(u8::is_ascii_digit)
                || read.text.strip_prefix(b"{").and_then(|name| name.strip_suffix(b"}")).is_some_and(word::is_name);
            if descriptor && read.quoted_at.is_none() && self.peek(1) != Some(b'(') {
                self.operator(lossy(&read.text));
                return;
            }
        }
        if end > start {
            self.take(read);
        }
    }

    /// Puts a word where it belongs.
    fn take(&mut self, read: Read) {
        match self.skip {
            Skip::Nothing => {
                if self.at_start() && self.reserved(&read) {
                    return;
                }
            }
            Skip::List if read.is("do") => {
                self.skip = Skip::Nothing;
                return;
            }
            Skip::Case if read.is("in") => {
                self.skip = Skip::Pattern;
                return;
            }
            Skip::Pattern if read.is("esac") => {
                self.skip = Skip::Nothing;
                self.close_case();
                return;
            }
            Skip::Name => {
                self.skip = Skip::Nothing;
                if self.peek(0) == Some(b'(') && self.peek(1) == Some(b')') {
                    self.at += 2;
                }
                return;
            }
            Skip::List | Skip::Case | Skip::Pattern => {
                self.waiting.extend(read.nested.into_iter().map(Script::Text));
                return;
            }
        }
        self.closed = false;
        let assignment = if self.command.words.is_empty() { read.assignment() } else { None };
        let quoted_at = read.quoted_at;
        let (mut word, nested) = read.into_word();
        let index = self.command.words.len();
        if let Some((name, value)) = assignment {
            word.text.drain(..value.min(word.text.len()));
            word.quoted = quoted_at.is_some();
            self.command.assignments.push((name, word));
            self.nested.extend(nested.into_iter().map(|text| (usize::MAX, text)));
        } else {
            self.command.words.push(word);
            self.nested.extend(nested.into_iter().map(|text| (index, text)));
        }
    }

    /// Whether this is a reserved word; follows it.
    fn reserved(&mut self, read: &Read) -> bool {
        if read.quoted_at.is_some() || read.expands {
            return false;
        }
        match read.text.as_slice() {
            b"then" | b"else" | b"elif" | b"do" | b"!" | b"time" | b"coproc" => {}
            b"if" | b"while" | b"until" | b"{" => self.open_compound(),
            b"for" | b"select" => {
                self.open_compound();
                self.skip = Skip::List;
            }
            b"case" => {
                self.open_compound();
                self.cases += 1;
                self.skip = Skip::Case;
            }
            b"fi" | b"done" | b"}" => self.close_compound(),
            b"esac" => self.close_case(),
            b"function" => self.skip = Skip::Name,
            _ => return false,
        }
        true
    }

    fn close_case(&mut self) {
        self.cases = self.cases.saturating_sub(1);
        self.close_compound();
    }

    fn open_compound(&mut self) {
        self.open += 1;
        self.opens += 1;
    }

    fn close_compound(&mut self) {
        self.closed = true;
        if self.open == 0 {
            return;
        }
        self.open -= 1;
        if self.opens > 0 {
            self.opens -= 1; // nothing in it
        } else if let Some(last) = self.last.and_then(|last| self.out.get_mut(last)) {
            last.closes += 1;
        }
    }

    fn open_parenthesis(&mut self, next: Option<u8>) {
        self.at += 1;
        if self.skip == Skip::Pattern {
            return;
        }
        if self.command.words.len() == 1 && self.is_function_head() {
            // `name() { ... }`: the body is what counts.
            self.command = Command::default();
            self.nested.clear();
            self.at = find(self.bytes, self.at, b')') + 1;
            return;
        }
        if next == Some(b'(') && (self.at_start() || self.skip == Skip::List) && !self.no_arithmetic {
            let end = word::close(self.bytes, self.at, Inside::Paren(0));
            if end < self.bytes.len() && self.bytes.get(end.wrapping_sub(1)) == Some(&b')') {
                let inner = self.bytes.get(self.at..end).unwrap_or_default();
                self.waiting.extend(word::substitutions(inner).into_iter().map(Script::Text));
                self.at = end + 1;
                self.closed = true;
                return;
            }
            self.no_arithmetic = true;
        }
        self.end(false, false);
        self.open_compound();
    }

    fn is_function_head(&self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        rest.iter().take(64).find(|byte| !b" \t".contains(byte)) == Some(&b')')
    }

    /// A redirection; stands on `<` or `>`.
    fn operator(&mut self, mut operator: String) {
        const OPERATORS: &[&str] = &["<<<", "<<-", "<<", "<&", "<>", "<", ">>", ">&", ">|", ">"];
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let found = OPERATORS.iter().find(|operator| rest.starts_with(operator.as_bytes())).unwrap_or(&"<");
        self.at += found.len();
        operator.push_str(found);
        self.redirect(&operator);
    }

    /// The target of a redirection.
    fn redirect(&mut self, operator: &str) {
        while let Some(b' ' | b'\t') = self.peek(0) {
            self.at += 1;
        }
        let (read, end) = word::read(self.bytes, self.at);
        self.at = end;
        let (word, nested) = read.into_word();
        self.nested.extend(nested.into_iter().map(|text| (usize::MAX, text)));
        if operator.ends_with("<<") || operator.ends_with("<<-") {
            self.documents.push(Document {
                delimiter: word.text.clone().into_bytes(),
                strip_tabs: operator.ends_with('-'),
                quoted: word.quoted,
                command: None,
            });
        }
        self.command.redirects.push((operator.to_owned(), word));
    }

    /// Ends a command at a separator of lists.
    fn end_list(&mut self) {
        self.end(false, false);
        self.flush();
    }

    fn end(&mut self, pipes_on: bool, background: bool) {
        if self.skip == Skip::List || self.skip == Skip::Name {
            self.skip = Skip::Nothing;
        }
        let mut command = std::mem::take(&mut self.command);
        let nested = std::mem::take(&mut self.nested);
        if self.closed && command.words.is_empty() && command.assignments.is_empty() {
            if let Some(last) = self.last.and_then(|last| self.out.get_mut(last)) {
                last.shared_redirects += command.redirects.len();
                last.redirects.append(&mut command.redirects);
                last.pipes_on |= pipes_on;
                last.background |= background;
            }
            self.waiting.extend(nested.into_iter().map(|(_, text)| Script::Text(text)));
            self.closed &= !pipes_on && !background;
            return;
        }
        self.closed = false;
        if command.words.is_empty() && command.assignments.is_empty() && command.redirects.is_empty() {
            return;
        }
        command.pipes_on = pipes_on;
        command.background = background;
        command.opens = std::mem::take(&mut self.opens);
        let (used, scripts) = script::of(&command.words);
        // The substitutions of a script's word are found again in the script.
        let outside = nested.into_iter().filter(|(index, _)| !used.contains(index));
        self.waiting.extend(outside.map(|(_, text)| Script::Text(text)));
        self.waiting.extend(scripts);
        if script::runs_stdin(&command) {
            let strings = command.redirects.iter().filter(|(operator, _)| operator.ends_with("<<<"));
            self.waiting.extend(strings.map(|(_, word)| Script::Text(word.text.clone())));
        }
        let index = self.out.len();
        for document in &mut self.documents {
            document.command.get_or_insert(index);
        }
        self.last = Some(index);
        self.out.push(command);
    }

    /// Reads the bodies of the here-documents that the finished line began.
    fn read_documents(&mut self) {
        for document in std::mem::take(&mut self.documents) {
            let mut body = Vec::new();
            while self.at < self.bytes.len() {
                let end = find(self.bytes, self.at, b'\n');
                let mut line = self.bytes.get(self.at..end).unwrap_or_default();
                self.at = end + 1;
                while document.strip_tabs && line.first() == Some(&b'\t') {
                    line = line.get(1..).unwrap_or_default();
                }
                if line.strip_suffix(b"\r").unwrap_or(line) == document.delimiter {
                    break;
                }
                body.extend_from_slice(line);
                body.push(b'\n');
            }
            if self.feeds_shell(document.command) {
                self.waiting.push(Script::Text(lossy(&body)));
            } else if !document.quoted {
                self.waiting.extend(word::substitutions(&body).into_iter().map(Script::Text));
            }
        }
    }

    /// Whether what the command `index` reads is run by a shell: itself, or one that `cat` hands it to. A document
    /// without a command is a script too: that is how a Dockerfile's `RUN <<EOF` comes.
    fn feeds_shell(&self, index: Option<usize>) -> bool {
        let command = |index: usize| self.out.get(index);
        let Some((index, first)) = index.and_then(|index| Some((index, command(index)?))) else { return true };
        match first.effective() {
            None => true,
            Some(effective) if effective.program == "cat" && effective.arguments.is_empty() && first.pipes_on => {
                command(index + 1).is_some_and(script::runs_stdin)
            }
            Some(_) => script::runs_stdin(first),
        }
    }

    /// Lists the scripts in words, unless a compound command is still open.
    fn flush(&mut self) {
        if self.open > 0 {
            return;
        }
        for script in std::mem::take(&mut self.waiting) {
            script.run(self.depth, self.budget, self.out);
        }
    }
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
