//! Scripts in the words of a command: which programs run one, and which word it is.

use super::{Command, Word, wrapper};

/// Shells that run a script given by `-c`, by name or on standard input.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "rbash", "fish", "csh", "tcsh"];

/// A script in a word: its text, or a command with words of its own.
pub(super) enum Script {
    Text(String),
    Words(Vec<Word>),
}

/// Whether the command is a shell that reads its script from standard input.
pub(super) fn runs_stdin(command: &Command) -> bool {
    command.effective().is_some_and(|effective| {
        let operand = effective.arguments.iter().find(|word| !word.text.starts_with(['-', '+']));
        let options = || effective.arguments.iter().filter(|word| word.text.starts_with('-'));
        let login = matches!(effective.program, "su" | "runuser") && of(&command.words).1.is_empty();
        login
            || SHELLS.contains(&effective.program)
                && (operand.is_none_or(|word| word.text.starts_with("/dev/stdin"))
                    || options().any(|word| word.text == "-s" || word.text == "-"))
    })
}

/// The scripts that a command runs out of its words, and the indexes of those words.
pub(super) fn of(words: &[Word]) -> (Vec<usize>, Vec<Script>) {
    let Some(wrapper::Effective { program, arguments, .. }) = wrapper::effective(words) else {
        return (Vec::new(), Vec::new());
    };
    let first = words.len() - arguments.len();
    let text = |at: usize| arguments.get(at).map(|word| Script::Text(word.text.clone()));
    let one = |at: usize| match text(at) {
        Some(script) => (vec![first + at], vec![script]),
        None => (Vec::new(), Vec::new()),
    };
    match program {
        "eval" => {
            let whole: Vec<&str> = arguments.iter().map(|word| word.text.as_str()).collect();
            ((first..words.len()).collect(), vec![Script::Text(whole.join(" "))])
        }
        "trap" => match arguments.iter().position(|word| word.text != "--") {
            Some(at) if !arguments.get(at).is_some_and(|word| word.text.starts_with('-')) => one(at),
            _ => (Vec::new(), Vec::new()),
        },
        "env" => match arguments.iter().position(|word| word.text == "-S" || word.text == "--split-string") {
            Some(at) => one(at + 1),
            None => (Vec::new(), Vec::new()),
        },
        "su" | "runuser" | "flock" | "script" | "sg" => by_command_option(arguments, &one),
        // scl enable COLLECTION... SCRIPT
        "scl" => match arguments.iter().position(|word| word.text.contains([' ', '\t', '\n'])) {
            Some(at) => one(at),
            None => (Vec::new(), Vec::new()),
        },
        "find" => (Vec::new(), executed_by_find(arguments)),
        shell if SHELLS.contains(&shell) => match script_operand(arguments) {
            Some(at) => one(at),
            None => (Vec::new(), Vec::new()),
        },
        _ => (Vec::new(), Vec::new()),
    }
}

/// The script of `-c SCRIPT`, `-cSCRIPT`, `--command SCRIPT`, `--command=SCRIPT` of programs that are no shells.
fn by_command_option(
    arguments: &[Word],
    one: &dyn Fn(usize) -> (Vec<usize>, Vec<Script>),
) -> (Vec<usize>, Vec<Script>) {
    for (at, word) in arguments.iter().enumerate() {
        let text = word.text.as_str();
        let attached = ["--command=", "--session-command=", "-c"].iter().find_map(|option| text.strip_prefix(option));
        match attached {
            Some(script) if !script.is_empty() => {
                return (Vec::new(), vec![Script::Text(script.to_owned())]);
            }
            _ if matches!(text, "--command" | "--session-command") || is_cluster(text) => return one(at + 1),
            _ => {}
        }
    }
    (Vec::new(), Vec::new())
}

/// Whether these short options have a `c`: `-c`, `-lc`, `-exc`.
fn is_cluster(option: &str) -> bool {
    option.strip_prefix('-').is_some_and(|letters| !letters.starts_with('-') && letters.contains('c'))
}

/// The index of the script that a shell with these arguments runs by `-c`.
fn script_operand(arguments: &[Word]) -> Option<usize> {
    let mut at = 0;
    let mut by_string = false;
    while let Some(word) = arguments.get(at) {
        let text = word.text.as_str();
        if text == "--" || text == "-" {
            at += 1;
            break;
        }
        if !text.starts_with(['-', '+']) {
            break;
        }
        by_string |= is_cluster(text);
        let takes_value =
            !text.starts_with("--") && text.ends_with(['o', 'O']) || matches!(text, "--rcfile" | "--init-file");
        at += 1 + usize::from(takes_value);
    }
    (by_string && at < arguments.len()).then_some(at)
}

/// The commands that `find` runs.
fn executed_by_find(arguments: &[Word]) -> Vec<Script> {
    let mut found = Vec::new();
    let mut rest = arguments.iter();
    while rest.any(|word| matches!(word.text.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir")) {
        let words: Vec<Word> =
            rest.by_ref().take_while(|word| !matches!(word.text.as_str(), ";" | "+")).cloned().collect();
        found.push(Script::Words(words));
    }
    found
}
