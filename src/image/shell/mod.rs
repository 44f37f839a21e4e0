//! Shell text cut into simple commands and words: enough to know what a line runs, tolerant of what it cannot read. No
//! interpreter: expansions stay as written, branches are all taken.

mod script;
mod split;
mod word;
mod wrapper;

pub use wrapper::Effective;

/// A word after quote removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its text; expansions (`$x`, `$(...)`) stand as written.
    pub text: String,
    /// Whether it has an expansion, so that the text is not the value.
    pub expands: bool,
    /// Whether any part was quoted.
    pub quoted: bool,
}

/// A simple command: assignments, words, and how it is joined to the next.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Command {
    /// Leading `NAME=value` words.
    pub assignments: Vec<(String, Word)>,
    /// The program and its arguments; empty for a line of assignments.
    pub words: Vec<Word>,
    /// Its output goes into the next command.
    pub pipes_on: bool,
    /// Runs in the background (`&`).
    pub background: bool,
    /// Redirections: operator (with its descriptor, such as `2>`) and target word; behind its own ones those of the
    /// compound commands that end with it.
    pub redirects: Vec<(String, Word)>,
    /// How many of `redirects` belong to the compound commands.
    pub shared_redirects: usize,
    /// How many compound commands (groups, subshells, conditions, loops) begin with it.
    pub opens: usize,
    /// How many of them end with it. `pipes_on` then is theirs: all that they print goes into the next command.
    pub closes: usize,
}

/// A word that is one expansion and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expansion<'a> {
    /// What commands print: `$(...)`, backticks; or a file of it: `<(...)`. The commands as text.
    Output(String),
    /// `$name`, `${name}`.
    Variable(&'a str),
}

/// What was opened, for [`closing_mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// `$(` or `<(`.
    Output,
    /// `${`.
    Variable,
    /// `"`.
    Quote,
}

/// The place of the mark that closes what was opened just before `at`; `None` when there is none. Reads what is quoted
/// and expanded inside as a shell does.
#[must_use]
pub fn closing_mark(bytes: &[u8], at: usize, opened: Opened) -> Option<usize> {
    let inside = match opened {
        Opened::Output => word::Inside::Paren(0),
        Opened::Variable => word::Inside::Brace,
        Opened::Quote => word::Inside::Double,
    };
    Some(word::close(bytes, at, inside)).filter(|&end| end < bytes.len())
}

impl Word {
    /// The expansion that the whole word is; `None` when it has other parts, or is none.
    #[must_use]
    pub fn expansion(&self) -> Option<Expansion<'_>> {
        if self.expands { word::whole_expansion(&self.text) } else { None }
    }

    /// The commands in its substitutions, as text.
    #[must_use]
    pub fn substitutions(&self) -> Vec<String> {
        if self.expands { word::substitutions(self.text.as_bytes()) } else { Vec::new() }
    }
}

impl Command {
    /// The simple commands of `text`, those in subshells, groups, conditions, loops, functions, `$(...)`, backticks,
    /// `<(...)`, scripts of `sh -c`, `eval`, `su -c`, `trap`, `find -exec` and here-documents for a shell included.
    /// In order, but commands out of words (`$(...)`, `sh -c`) come behind the pipeline or compound command that has
    /// them, so that a command that pipes on is followed by its reader. At most 10,000 commands, 50 deep, in linear
    /// time; never fails: what has no end ends with the text.
    #[must_use]
    pub fn split(text: &str) -> Vec<Self> {
        split::commands(text)
    }

    /// The simple commands of `text` itself, without those in words: what [`Command::split`] begins with.
    #[must_use]
    pub fn list(text: &str) -> Vec<Self> {
        split::list(text)
    }

    /// One command of plain words, as in the exec form of an instruction.
    #[must_use]
    pub fn of_words<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        let words = words.into_iter().map(|text| Word { text: text.into(), expands: false, quoted: true }).collect();
        Self { words, ..Self::default() }
    }

    /// This command, then what it runs out of its words (`sh -c`, `eval`, ...), as [`Command::split`] lists them.
    #[must_use]
    pub fn with_nested(self) -> Vec<Self> {
        split::with_nested(self)
    }

    /// The program's base name, `env`, `exec`, `sudo`-like wrappers not removed; empty when there is none.
    #[must_use]
    pub fn program(&self) -> &str {
        self.words.first().map_or("", |word| base_name(&word.text))
    }

    /// The words behind the program, as text.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(|word| word.text.as_str())
    }

    /// The command that really runs when wrappers (`env A=b`, `exec`, `sudo -u x`, `timeout 5`, `xargs`, ...) are
    /// taken off; the command itself when there is none, `None` when it has no words.
    #[must_use]
    pub fn effective(&self) -> Option<Effective<'_>> {
        wrapper::effective(&self.words)
    }
}

/// The last component of a program's path.
fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
