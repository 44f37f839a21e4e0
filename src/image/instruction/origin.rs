//! Which builder's marks stand around an instruction, and where its own text begins.

use super::arguments::{self, Resolved};
use super::{Command, InstructionKind};

/// An instruction without its builder's marks.
pub(super) struct Origin<'a> {
    pub(super) kind: InstructionKind,
    pub(super) text: &'a str,
    pub(super) build_args: Vec<(String, String)>,
    /// Whether the builder resolved quotes before it wrote the text.
    pub(super) resolved: Resolved,
    /// Whether a shell of Windows runs it.
    pub(super) windows: bool,
}

/// Programs that make images and leave their own command line; and words that are no command.
const BUILDERS: &[&str] = &[
    "apko",
    "bazel",
    "bazelisk",
    "buck",
    "buck2",
    "buildah",
    "cnb",
    "crane",
    "debootstrap",
    "debuerreotype",
    "distrobuilder",
    "docker",
    "guix",
    "img",
    "kaniko",
    "kiwi",
    "ko",
    "koji",
    "melange",
    "mkosi",
    "mmdebstrap",
    "nerdctl",
    "oras",
    "pack",
    "packer",
    "pants",
    "please",
    "plz",
    "podman",
    "rules_oci",
    "s2i",
    "skopeo",
    "stacker",
    "umoci",
    "virt-builder",
    "buildctl",
    "earthly",
    "dagger",
    "depot",
    "imported",
    "created",
];

/// Programs that people run while building, known without a look at their arguments.
const USUAL: &[&str] = &[
    "apk", "apt", "apt-get", "yum", "dnf", "microdnf", "tdnf", "zypper", "pacman", "pip", "pip3", "npm", "yarn",
    "pnpm", "gem", "bundle", "go", "cargo", "make", "curl", "wget", "git", "chmod", "chown", "useradd", "adduser",
    "usermod", "groupadd", "addgroup", "mkdir", "rm", "mv", "cp", "ln", "touch", "sed", "tar", "unzip", "python",
    "python3", "node", "composer", "mvn", "gradle", "dotnet", "sudo", "env",
];

/// Takes the marks off.
pub(super) fn of(created_by: &str) -> Origin<'_> {
    let text = created_by.trim();
    let other = Origin {
        kind: InstructionKind::Other,
        text: created_by,
        build_args: Vec::new(),
        resolved: Resolved::Unknown,
        windows: false,
    };
    let (text, buildkit) = match text.strip_suffix("# buildkit") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let bare = arguments::first_word(text);
    if let Some(&(_, kind)) = InstructionKind::WORDS.iter().find(|(word, _)| *word == bare.0) {
        if kind == InstructionKind::Run {
            return run(bare.1, true);
        }
        return Origin {
            kind,
            text: bare.1,
            resolved: if buildkit { Resolved::Yes } else { Resolved::Unknown },
            ..other
        };
    }
    if text.starts_with('|') {
        return run(text, false);
    }
    // The exec form of a RUN without its word, as JSON or as Go prints a list.
    if arguments::exec_form(text).is_some_and(|words| words.iter().any(|word| !word.is_empty())) {
        return run(text, false);
    }
    let list = text.trim_end().strip_prefix('[').and_then(|list| list.strip_suffix(']'));
    if let Some(list) = list.filter(|list| behind_shell(list).is_some()) {
        return run(list, false);
    }
    let Some((behind, _)) = behind_shell(text) else {
        return if is_exec_form_run(text) { run(text, false) } else { other };
    };
    let Some(nop) = text.get(behind..).unwrap_or_default().trim_start().strip_prefix("#(nop)") else {
        return run(text, false);
    };
    // The classic builder writes two blanks where it has resolved the words, buildah one.
    let resolved = if nop.starts_with("  ") { Resolved::Yes } else { Resolved::No };
    let (word, rest) = arguments::first_word(nop);
    match InstructionKind::WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
        Some(&(_, kind)) => Origin { kind, text: rest, resolved, ..other },
        None => other,
    }
}

/// A `RUN` from its build arguments on; `counted`: BuildKit, whose count is one of names.
fn run(text: &str, counted: bool) -> Origin<'_> {
    let text = text.trim();
    let (build_args, command) = text
        .strip_prefix('|')
        .and_then(|text| text.split_once(' '))
        .and_then(|(count, rest)| Some(build_args(rest, count.parse().ok()?, counted)))
        .unwrap_or((Vec::new(), text));
    let (behind, windows) = behind_shell(command).unwrap_or((0, false));
    let script = command.get(behind..).unwrap_or_default();
    Origin {
        kind: InstructionKind::Run,
        text: if !windows && quotes_script(script) { command } else { script },
        build_args,
        resolved: Resolved::Unknown,
        windows,
    }
}

/// Tells the arguments of `|count NAME=value ... command` from the command. Values may hold blanks and shells; `count`
/// is one of names (BuildKit, classic) or one of words (buildah).
fn build_args(text: &str, count: usize, counted: bool) -> (Vec<(String, String)>, &str) {
    let mut names = 0;
    let mut exact = None;
    let mut enough = None;
    let mut first = None;
    let mut behind_names = None;
    for (words, (at, word)) in arguments::blank_separated(text).enumerate() {
        // Nothing before the count is reached can be the command, unless the count is wrong.
        let fits = names == count || (!counted && words == count);
        if exact.is_none() && (fits || first.is_none() || enough.is_none()) && behind_shell_at(text, at) {
            first = first.or(Some(at));
            exact = exact.or(fits.then_some(at));
            enough = enough.or((names >= count).then_some(at));
        }
        if names == count || (!counted && words == count) {
            behind_names = behind_names.or(Some(at));
        }
        names += usize::from(arguments::starts_pair(word, false));
        if exact.is_some() {
            break;
        }
    }
    let at = exact.or(enough).or(first).or(behind_names).unwrap_or(text.len());
    let (list, command) = text.split_at_checked(at).unwrap_or((text, ""));
    let pairs = if count == 1 && list.contains('=') {
        list.trim_end().split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect()
    } else {
        arguments::resolved_pairs(list.trim_end(), false)
            .into_iter()
            .map(|(name, value)| (name, value.unwrap_or_default()))
            .collect()
    };
    (pairs, command)
}

fn behind_shell_at(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|rest| behind_shell(rest).is_some())
}

/// Where the script begins in `/bin/sh -c SCRIPT`, `/bin/bash -o pipefail -c SCRIPT`, `cmd /S /C SCRIPT`, and whether
/// the shell is one of Windows; `None` when `text` does not begin like that.
fn behind_shell(text: &str) -> Option<(usize, bool)> {
    let mut words = arguments::blank_separated(text).take(12);
    let (_, mut program) = words.next()?;
    if matches!(base_name(program), "env" | "busybox") {
        (_, program) = words.next()?;
    }
    let name = base_name(program).to_ascii_lowercase();
    let windows = match name.trim_end_matches(".exe") {
        "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "mksh" | "fish" => false,
        "cmd" | "powershell" | "pwsh" => true,
        _ => return None,
    };
    let mut takes_value = false;
    for (at, word) in words {
        let lower = word.to_ascii_lowercase();
        let is_last = if windows {
            matches!(lower.as_str(), "/c" | "-c" | "-command")
        } else {
            word.starts_with('-') && !word.starts_with("--") && word.contains('c')
        };
        if is_last {
            // One blank belongs to the mark; more are the text's own.
            return Some(((at + word.len() + 1).min(text.len()), windows));
        }
        let option = word.starts_with(['-', '+']) || (windows && word.starts_with('/'));
        if !option && !takes_value {
            return None;
        }
        takes_value = option && (windows || word.ends_with(['o', 'O']));
    }
    None
}

/// Whether what stands behind `sh -c` is quoted like the script of a command that somebody wrote, which some builders keep
/// word for word. A builder's mark stands before bare text, which may begin with a quoted program, but hardly with a
/// quoted script.
fn quotes_script(text: &str) -> bool {
    let mut text = text.trim_start();
    // More options of the shell: `bash -c -l "…"`. A builder's mark has none behind its `-c`.
    while let Some((option, rest)) = text.split_once(' ')
        && option.len() > 1
        && option.strip_prefix('-').is_some_and(|letters| letters.bytes().all(|byte| byte.is_ascii_alphabetic()))
    {
        text = rest.trim_start();
    }
    if !text.starts_with(['"', '\'']) && !text.starts_with("$'") && !text.starts_with("$\"") {
        return false;
    }
    Command::list(text)
        .first()
        .and_then(|command| command.words.first())
        .is_some_and(|word| word.text.contains([' ', '\t', '\n', ';', '|', '&', '<', '>', '(']))
}

fn base_name(program: &str) -> &str {
    program.rsplit(['/', '\\']).next().unwrap_or(program)
}

/// Whether a text without any mark is the exec form of RUN as the classic builder writes it (`install -d /x`), or a
/// command that was committed: a program with arguments that look like some. Other builders' words are not.
fn is_exec_form_run(text: &str) -> bool {
    let (program, rest) = arguments::first_word(text);
    let name = base_name(program);
    let like_program = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._+-".contains(&byte));
    let shell = matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh");
    let builder = BUILDERS.contains(&name) || ["jib", "nix", "bazel"].iter().any(|prefix| name.starts_with(prefix));
    let like_arguments =
        program.starts_with('/') || USUAL.contains(&name) || rest.split(' ').any(|word| word.starts_with(['-', '/']));
    like_program && !builder && !rest.is_empty() && like_arguments && !(shell && rest.starts_with('-'))
}
