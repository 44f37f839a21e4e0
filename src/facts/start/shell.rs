//! The text of `sh -c`: its list of commands at the top, and whether the shell hands over to the last. Reads no files.

use crate::image::{Command, Word};

/// Shells by what they do with the last command of `-c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellKind {
    /// bash: hands over to a last simple command, also after `&&`, `||` and `;`, without redirections or traps.
    Bash,
    /// busybox' ash: the same, redirections or not.
    Busybox,
    /// dash: never hands over.
    Dash,
    /// Another; not known.
    Other,
}

/// The `-c` form of a shell on the way.
#[derive(Clone, Debug)]
pub struct ShellForm {
    /// The shell as written.
    pub shell: String,
    /// The program that it is, links followed.
    pub shell_path: Option<crate::model::ImagePath>,
    /// Which shell that is.
    pub kind: ShellKind,
    /// The script.
    pub text: String,
    /// Whether the shell gives its process to the last command (`exec`, or by itself); `None` when it cannot be told.
    pub hands_over: Option<bool>,
    /// Signals on which the text acts itself while it waits for what it has put into the background: upper case, without
    /// `SIG`.
    pub passes_on: Vec<String>,
    /// Whether this shell runs for sure. `false`: the form stands in `Cmd` behind a script that may run its arguments.
    pub certain: bool,
    /// Where the script stands.
    pub at: crate::model::Location,
}

/// How a command is joined to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// `;`, a line's end, `&`, or the beginning.
    Then,
    /// `&&`.
    And,
    /// `||`.
    Or,
}

/// One command of the list at the top: a pipeline, or a compound command.
#[derive(Debug)]
pub(super) struct Item<'a> {
    text: &'a str,
    pub(super) joint: Joint,
    /// `if`, loops, groups, subshells, functions, `!` and `time` are more than a simple command.
    pub(super) compound: bool,
    pub(super) background: bool,
}

/// Commands that a shell runs itself and that start nothing.
const BUILTINS: &[&str] = &[
    ":", ".", "[", "[[", "alias", "bg", "break", "cd", "continue", "declare", "disown", "echo", "eval", "exit",
    "export", "false", "fg", "getopts", "hash", "history", "jobs", "kill", "let", "local", "popd", "printf", "pushd",
    "pwd", "read", "readonly", "return", "set", "shift", "shopt", "source", "test", "times", "trap", "true", "type",
    "typeset", "ulimit", "umask", "unalias", "unset", "wait",
];

impl Item<'_> {
    /// The commands of the pipeline.
    pub(super) fn pipeline(&self) -> Vec<Command> {
        let mut commands = Command::split(self.text);
        let last = commands.iter().position(|command| !command.pipes_on).map_or(0, |at| at + 1);
        commands.truncate(last);
        commands
    }
}

/// Whether the shell runs this command itself.
pub(super) fn is_builtin(command: &Command) -> bool {
    command.words.first().is_some_and(|word| BUILTINS.contains(&word.text.as_str()))
}

/// The words behind `command` and `builtin` with their options, which change nothing of what is run.
pub(super) fn bare(words: &[Word]) -> &[Word] {
    let mut words = words;
    while let [first, rest @ ..] = words
        && matches!(first.text.as_str(), "command" | "builtin")
    {
        let options = rest.iter().take_while(|word| matches!(word.text.as_str(), "-p" | "--")).count();
        words = &rest[options..];
    }
    words
}

/// The signals that `text` traps with a command which may pass them on (`kill`, a function, a program), as long as it waits
/// for a program in the background: a shell runs no trap while a program in front of it runs.
pub(super) fn passed_on(text: &str) -> Vec<String> {
    let mut signals = Vec::new();
    let (mut background, mut waits) = (false, false);
    for item in items(text) {
        background |= item.background;
        let pipeline = if item.compound { Vec::new() } else { item.pipeline() };
        let words = pipeline.first().map_or(&[][..], |command| bare(&command.words));
        let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).filter(|word| *word != "--").collect();
        match words.as_slice() {
            ["wait", ..] => waits |= background,
            ["trap", action, names @ ..] if acts(action) => {
                signals.extend(names.iter().map(|name| signal_name(name)));
            }
            _ => {}
        }
    }
    if waits { signals } else { Vec::new() }
}

/// Whether the action of a trap is more than an end of the shell, or nothing at all.
fn acts(action: &str) -> bool {
    let acts = |command: &Command| {
        let first = bare(&command.words).first().map(|word| word.text.as_str());
        first.is_some_and(|first| first == "kill" || !(first == "-" || BUILTINS.contains(&first)))
    };
    Command::split(action).iter().any(acts)
}

/// `TERM` for `sigterm`, `TERM` and `15`.
fn signal_name(written: &str) -> String {
    let upper = written.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let number = [("1", "HUP"), ("2", "INT"), ("3", "QUIT"), ("10", "USR1"), ("12", "USR2"), ("15", "TERM")];
    number.iter().find(|(number, _)| *number == name).map_or(name, |(_, name)| name).to_owned()
}

/// Whether the shell of this kind hands over to the last command of `text`.
pub(super) fn hands_over(kind: ShellKind, text: &str) -> Option<bool> {
    if text.contains("<<") {
        return None;
    }
    let items = items(text);
    let mut traps = false;
    for item in items.iter().filter(|item| !item.compound && !item.background) {
        let pipeline = item.pipeline();
        let words = pipeline.first().map_or(&[][..], |command| bare(&command.words));
        let word = |at: usize| words.get(at).map(|word| word.text.as_str());
        if pipeline.len() == 1 && word(0) == Some("exec") && word(1).is_some() {
            return Some(true);
        }
        traps |= word(0) == Some("trap");
    }
    let last = items.last()?;
    if last.background || kind == ShellKind::Dash {
        return Some(false);
    }
    if last.compound {
        return if kind == ShellKind::Bash { Some(false) } else { None };
    }
    let pipeline = last.pipeline();
    let [command] = pipeline.as_slice() else { return Some(false) };
    if traps || command.words.is_empty() || is_builtin(command) {
        return Some(false);
    }
    match kind {
        ShellKind::Bash => Some(command.redirects.is_empty()),
        ShellKind::Busybox => Some(true),
        ShellKind::Dash => Some(false),
        ShellKind::Other => None,
    }
}

/// The list at the top of `text`. Linear; tolerant: what has no end ends with the text.
pub(super) fn items(text: &str) -> Vec<Item<'_>> {
    let bytes = text.as_bytes();
    let mut items = Vec::new();
    // Openers that still want their closer.
    let mut open: Vec<&'static str> = Vec::new();
    let mut start = 0;
    let mut joint = Joint::Then;
    let mut compound = false;
    // Whether the next word stands where a command begins, and may be a reserved word.
    let mut at_command = true;
    let mut at = 0;
    while at < bytes.len() {
        let (length, ends) = match (bytes[at], bytes.get(at + 1)) {
            (b' ' | b'\t' | b'\r', _) => {
                at += 1;
                continue;
            }
            (b'#', _) => {
                // A comment ends an item as its line does.
                at = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
                continue;
            }
            (b'\\', Some(b'\n')) => {
                at += 2;
                continue;
            }
            (b'&', Some(b'&')) => (2, Some((Joint::And, false))),
            (b'|', Some(b'|')) => (2, Some((Joint::Or, false))),
            (b'&', Some(b'>')) => (2, None),
            (b'&', _) if at > 0 && matches!(bytes[at - 1], b'>' | b'<') => (1, None),
            (b'&', _) => (1, Some((Joint::Then, true))),
            (b';' | b'\n', _) => (1, Some((Joint::Then, false))),
            (b'|', _) => {
                at_command = true;
                at += 1;
                continue;
            }
            (b'(', _) => {
                open.push(")");
                compound = true;
                at_command = true;
                at += 1;
                continue;
            }
            (b')', _) => {
                // The patterns of a case have a parenthesis that nothing opened.
                if open.last() == Some(&")") {
                    open.pop();
                }
                at_command = open.last() == Some(&"esac");
                at += 1;
                continue;
            }
            _ => {
                let end = word_end(bytes, at);
                if at_command {
                    at_command = reserved(&text[at..end], &mut open, &mut compound);
                }
                at = end;
                continue;
            }
        };
        if let Some((next, background)) = ends {
            at_command = true;
            if open.is_empty() {
                push(&mut items, Item { text: &text[start..at], joint, compound, background });
                (start, joint, compound) = (at + length, next, false);
            }
        }
        at += length;
    }
    push(&mut items, Item { text: &text[start..], joint, compound, background: false });
    items
}

fn push<'a>(items: &mut Vec<Item<'a>>, item: Item<'a>) {
    let text = item.text.trim();
    if !text.is_empty() && !text.starts_with('#') {
        items.push(item);
    }
}

/// Follows a word where a command begins; whether another command begins behind it.
fn reserved(word: &str, open: &mut Vec<&'static str>, compound: &mut bool) -> bool {
    let closer = match word {
        "if" => "fi",
        "for" | "select" | "while" | "until" => "done",
        "case" => "esac",
        "{" => "}",
        "then" | "else" | "elif" | "do" => return true,
        "!" | "time" | "function" | "coproc" => {
            *compound = true;
            return word != "function";
        }
        _ if open.last() == Some(&word) => {
            open.pop();
            return false;
        }
        // `NAME=value` before a command.
        _ => return word.split_once('=').is_some_and(|(name, _)| is_name(name)),
    };
    *compound = true;
    open.push(closer);
    !matches!(word, "for" | "select" | "case")
}

/// Whether `text` may name a variable.
pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Where the word that begins at `at` ends: quotes, escapes and substitutions belong to it. Always a step.
fn word_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    // Parentheses, braces and quotes of substitutions.
    let mut inside: Vec<u8> = Vec::new();
    while let Some(&byte) = bytes.get(at) {
        let within = inside.last().copied();
        match byte {
            b'\\' if within != Some(b'\'') => at += 1,
            _ if within == Some(byte) => {
                inside.pop();
            }
            _ if within == Some(b'\'') => {}
            b'\'' if within == Some(b'"') => {}
            b'\'' | b'"' | b'`' => inside.push(byte),
            b'$' if bytes.get(at + 1) == Some(&b'(') => {
                inside.push(b')');
                at += 1;
            }
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                inside.push(b'}');
                at += 1;
            }
            b'(' if within == Some(b')') => inside.push(b')'),
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' if inside.is_empty() => break,
            _ => {}
        }
        at += 1;
    }
    at.min(bytes.len()).max(start + 1)
}

#[cfg(test)]
mod tests {
    use super::ShellKind::{Bash, Busybox, Dash, Other};
    use super::*;

    #[test]
    fn lists_are_cut_at_the_top() {
        for (text, want) in [
            ("a b", "a b"),
            ("a && b; c &", "a|b|c"),
            ("a 2>&1 && b &>x", "a 2>&1|b &>x"),
            ("if a; then b; fi; c", "if a; then b; fi|c"),
            ("echo if; b", "echo if|b"),
            ("case $x in a) b;; (c) d;; esac; e", "case $x in a) b;; (c) d;; esac|e"),
            ("(a; b) && c", "(a; b)|c"),
            ("a \"$(b; c)\" ; d 'e;f' ; g \\; h", "a \"$(b; c)\"|d 'e;f'|g \\; h"),
            ("for x in a b; do c; done", "for x in a b; do c; done"),
            ("a # b; c\nd", "a # b; c|d"),
            ("{ a; }; b", "{ a; }|b"),
            ("a;", "a"),
            ("", ""),
            ("a 'open; b", "a 'open; b"),
            ("A=1 B=2 a; b", "A=1 B=2 a|b"),
        ] {
            let got: Vec<&str> = items(text).iter().map(|item| item.text.trim()).collect();
            assert_eq!(got.join("|"), want, "{text}");
        }
    }

    #[test]
    fn who_hands_over() {
        for (text, bash, busybox) in [
            ("node app", true, true),
            ("cd /x && node app", true, true),
            ("true; node app;", true, true),
            ("false || node app", true, true),
            ("A=b node app", true, true),
            ("node app | tee log", false, false),
            ("node app > log 2>&1", false, true),
            ("trap : TERM; node app", false, false),
            ("node app &", false, false),
            ("a & node app", true, true),
            ("nginx; wait", false, false),
            ("exec node app", true, true),
            ("cd x; exec node app > log", true, true),
            ("exec > log; node app", true, true),
            ("command exec node app", true, true),
            ("command -p -- builtin exec node app", true, true),
        ] {
            assert_eq!(hands_over(Bash, text), Some(bash), "{text}");
            assert_eq!(hands_over(Busybox, text), Some(busybox), "{text}");
            assert_eq!(hands_over(Dash, text), Some(text.contains("exec node")), "{text}");
        }
        assert_eq!(hands_over(Bash, "if a; then b; fi"), Some(false));
        assert_eq!(hands_over(Bash, "! a"), Some(false));
        assert_eq!(hands_over(Bash, "(a)"), Some(false));
        assert_eq!(hands_over(Busybox, "{ a; }"), None);
        assert_eq!(hands_over(Other, "a"), None);
        assert_eq!(hands_over(Other, "exec a"), Some(true));
        assert_eq!(hands_over(Bash, "cat <<E\nE\na"), None);
        assert_eq!(hands_over(Bash, ""), None);
        assert_eq!(hands_over(Dash, "command -v exec node"), Some(false));
    }

    #[test]
    fn who_passes_signals_on() {
        for (text, want) in [
            ("trap \"kill 0\" TERM; /bin/app & wait", "TERM"),
            ("trap 'kill -TERM $pid' SIGTERM 2; app & pid=$!; wait $pid", "TERM INT"),
            ("app & trap stop 15; stop() { kill %1; }; wait", "TERM"),
            ("trap 'nginx -s quit' QUIT; nginx & wait $!", "QUIT"),
            ("trap \"kill 0\" TERM; app", ""),
            ("trap \"kill 0\" TERM; wait; app", ""),
            ("trap '' TERM; app & wait", ""),
            ("trap - TERM; app & wait", ""),
            ("trap 'exit 0' TERM; app & wait", ""),
            ("app & wait", ""),
        ] {
            assert_eq!(passed_on(text).join(" "), want, "{text}");
        }
    }
}
