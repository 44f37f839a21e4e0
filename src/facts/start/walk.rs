//! Follows argv from program to program: through shims, shells' `-c` texts and changes of user, up to what stays.

use super::look::{DEFAULT_PATH, Found, Image, Surroundings};
use super::shell::{self, Item, Joint, ShellForm, ShellKind};
use super::shim::{self, Shim, Taken};
use super::{Argument, CMD, Content, Role, Start, StartProgram, Trouble, UserDrop};
use crate::image::{Command, ImageConfig, Word};
use crate::model::{ImagePath, Location};
use std::collections::BTreeMap;

/// Programs on the way; a longer one is cut with a gap.
const MOST_PROGRAMS: usize = 32;

/// Bytes that the expansion of one word may give.
const MOST_EXPANDED: usize = 64 << 10;

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "rbash"];

/// Variables that a runtime or a shell sets, whatever the image says.
const SET_AT_START: &[&str] = &["HOME", "HOSTNAME", "PWD", "OLDPWD", "TERM", "IFS", "PPID", "UID", "EUID", "RANDOM"];

/// The way so far.
struct Walk<'a> {
    image: Image<'a>,
    around: Surroundings,
    env: BTreeMap<String, String>,
    /// The next word names an applet of this program of many names.
    applet_of: Option<String>,
    start: &'a mut Start,
}

/// What follows the words at hand.
enum Next {
    /// These words are run.
    Words(Vec<Argument>),
    /// This is where it ends.
    End,
}

pub(super) fn walk(start: &mut Start, words: Vec<Argument>, config: &ImageConfig, image: Image<'_>) {
    let around = surroundings(start, config, image);
    let env = config.config.env.iter().filter_map(|pair| pair.split_once('='));
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut walk = Walk { image, around, env, applet_of: None, start };
    let mut words = words;
    while !words.is_empty() {
        if walk.start.programs.len() >= MOST_PROGRAMS {
            let why = format!("more than {MOST_PROGRAMS} programs on the way: not followed further");
            walk.start.gaps.push((Location::config(words[0].from), why));
            return;
        }
        match walk.step(&words) {
            Next::Words(next) => words = next,
            Next::End => return,
        }
    }
}

/// The shell form that stands in `Cmd` and that a script may run.
pub(super) fn possible_shell_form(config: &ImageConfig, image: Image<'_>) -> Option<ShellForm> {
    let mut start = Start::default();
    let cmd = config.config.cmd.as_deref()?.iter();
    let words: Vec<Argument> = cmd.map(|text| Argument::new(text, CMD)).collect();
    walk(&mut start, words, config, image);
    start.shell_form.map(|form| ShellForm { certain: false, ..form })
}

fn surroundings(start: &Start, config: &ImageConfig, image: Image<'_>) -> Surroundings {
    let working = ImagePath::from(config.config.working_dir.as_str());
    Surroundings {
        path: config.config.env_value("PATH").unwrap_or(DEFAULT_PATH).to_owned(),
        directory: image.tree.resolve(&working).map_or(working, |node| node.path()),
        user: start.user.clone(),
        architecture: config.platform.architecture.clone(),
        certain: true,
    }
}

/// The name by which tables know the program: as written, or that of the file a link leads to, unless that is a
/// program of many names.
fn base_name(written: &str, found: &Found) -> String {
    let base = written.rsplit('/').next().unwrap_or(written);
    let known = |name: &str| shim::find(name).is_some() || SHELLS.contains(&name) || name == "su";
    let real = found.path.as_ref().map(|path| String::from_utf8_lossy(path.file_name()).into_owned());
    match real {
        Some(real) if !known(base) && known(&real) && real != "busybox" && real != "toybox" => real,
        _ => base.to_owned(),
    }
}

impl Walk<'_> {
    /// Looks at the program that `words` name, and finds what it runs.
    fn step(&mut self, words: &[Argument]) -> Next {
        let Some((first, arguments)) = words.split_first() else { return Next::End };
        if !first.known {
            return self.stop(first, format!("the program is {}, which is not known: not followed", first.text));
        }
        let file = self.applet_of.take().unwrap_or_else(|| first.text.clone());
        let found = self.image.look(&file, &self.around);
        let base = base_name(&first.text, &found);
        let shim = shim::find(&base).and_then(|shim| Some((shim, shim.take(arguments)?)));
        let is_shell = SHELLS.contains(&base.as_str());
        let role = match &shim {
            Some((shim, _)) => shim.role,
            None if is_shell => Role::Shell,
            None if matches!(found.content, Content::Script { .. }) => Role::Script,
            None => Role::Program,
        };
        let shell_path = found.path.clone();
        self.note(words, found, role);
        if let Some((shim, taken)) = shim {
            return self.behind_shim(&base, shim, &taken, first, arguments);
        }
        match base.as_str() {
            "su" | "runuser" => self.behind_su(&base, first, arguments),
            _ if is_shell => self.behind_shell(first, shell_path, arguments),
            _ => Next::End,
        }
    }

    fn note(&mut self, words: &[Argument], found: Found, role: Role) {
        let Some((first, arguments)) = words.split_first() else { return };
        let is_first = self.start.programs.is_empty();
        let Found { path, named, content, mut trouble } = found;
        // Only the runtime's own exec is sure to refuse it: execvp(3) and shells hand such a file to /bin/sh.
        if trouble.is_none() && is_first && content == Content::Other {
            trouble = Some(Trouble::NoFormat);
        }
        self.start.programs.push(StartProgram {
            name: first.text.clone(),
            arguments: arguments.iter().map(|argument| argument.text.clone()).collect(),
            path,
            named,
            role,
            content,
            trouble,
            at: Location::config(first.from),
        });
    }

    fn stop(&mut self, at: &Argument, why: impl Into<String>) -> Next {
        self.start.gaps.push((Location::config(at.from), why.into()));
        Next::End
    }

    fn behind_shim(
        &mut self,
        base: &str,
        shim: &Shim,
        taken: &Taken,
        first: &Argument,
        arguments: &[Argument],
    ) -> Next {
        for (name, value) in &taken.assignments {
            self.assign(name, value);
        }
        match base {
            "env" => {
                if taken.has(&["i", "ignore-environment"]) {
                    self.env = taken.assignments.iter().cloned().collect();
                    self.around.path = self.env.get("PATH").cloned().unwrap_or_else(|| "/bin:/usr/bin".to_owned());
                }
                if let Some(directory) = taken.value(&["C", "chdir"]) {
                    self.change_directory(directory);
                }
            }
            "chroot" if taken.operands.first().is_some_and(|root| !ImagePath::from(root.as_str()).is_root()) => {
                return self.stop(first, "chroot into another root: not followed");
            }
            _ => {}
        }
        if let Some(user) = shim.new_user(taken) {
            // `#1000` is sudo's and `:1000` chpst's way to write a number.
            self.change_user(base, user.trim_start_matches(['#', ':']), first);
        } else if matches!(base, "sudo" | "doas") {
            self.around.user = self.image.accounts.resolve_user("0");
        }
        let rest = arguments.get(taken.rest..).unwrap_or_default();
        if let Some(text) = taken.value(&["S", "split-string"]).filter(|_| base == "env") {
            let split = Command::split(text).into_iter().next().unwrap_or_default();
            let assigned = split.assignments.iter().map(|(name, value)| (name.clone(), value.text.clone()));
            for (name, value) in assigned.collect::<Vec<_>>() {
                self.assign(&name, &value);
            }
            let words = split.words.into_iter().map(|word| Argument::new(word.text, first.from));
            return Next::Words(words.chain(rest.iter().cloned()).collect());
        }
        if matches!(base, "busybox" | "toybox") {
            self.applet_of = Some(first.text.clone());
        }
        Next::Words(rest.to_vec())
    }

    /// `su [OPTIONS] [-] [USER] [ARGUMENTS]`: options may stand anywhere, and the arguments go to a shell.
    fn behind_su(&mut self, base: &str, first: &Argument, arguments: &[Argument]) -> Next {
        let mut user = None;
        let mut shell = None;
        let mut script = None;
        let mut rest = Vec::new();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let text = word.text.as_str();
            let mut value = |short: char, long: &str| -> Option<Argument> {
                if let Some(value) = text.strip_prefix("--") {
                    let (name, value) = value.split_once('=').map_or((value, None), |(name, v)| (name, Some(v)));
                    let own = value.map(|value| Argument::new(value, word.from));
                    return if name == long { own.or_else(|| words.next().cloned()) } else { None };
                }
                let letters = text.strip_prefix('-')?;
                let at = letters.find(short)?;
                let value = &letters[at + 1..];
                if value.is_empty() { words.next().cloned() } else { Some(Argument::new(value, word.from)) }
            };
            if text == "--" || text == "-" || text == "-l" {
            } else if !text.starts_with('-') {
                if user.is_none() {
                    user = Some(text.to_owned());
                } else {
                    rest.push(word.clone());
                }
            } else if let Some(value) = value('c', "command") {
                script = Some(value);
            } else if let Some(value) = value('s', "shell") {
                shell = Some(value.text);
            } else {
                let _ = value('g', "group").or_else(|| value('G', "supp-group"));
            }
        }
        let user = user.unwrap_or_else(|| "root".to_owned());
        self.change_user(base, &user, first);
        let login = self.image.accounts.user(&user).map(|user| user.shell.clone());
        let shell = shell.or(login).filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".to_owned());
        let mut words = vec![Argument::new(shell, first.from)];
        if let Some(script) = script {
            words.push(Argument::new("-c", first.from));
            words.push(script);
        }
        words.extend(rest);
        Next::Words(words)
    }

    /// `sh [OPTIONS] -c TEXT [NAME [ARGUMENTS]]`, `sh [OPTIONS] SCRIPT [ARGUMENTS]`.
    fn behind_shell(&mut self, first: &Argument, path: Option<ImagePath>, arguments: &[Argument]) -> Next {
        let mut at = 0;
        let mut by_text = false;
        while let Some(word) = arguments.get(at).map(|argument| argument.text.as_str()) {
            if word == "--" || word == "-" {
                at += 1;
                break;
            }
            if !word.starts_with(['-', '+']) {
                break;
            }
            let long = word.starts_with("--");
            by_text |= !long && word.starts_with('-') && word.contains('c');
            let takes = matches!(word, "--rcfile" | "--init-file") || (!long && word.ends_with(['o', 'O']));
            at += 1 + usize::from(takes);
        }
        let Some(operand) = arguments.get(at) else { return Next::End };
        let rest = arguments.get(at + 1..).unwrap_or_default();
        if !by_text {
            let script = self.image.script(&operand.text, &self.around);
            self.note(arguments.get(at..).unwrap_or_default(), script, Role::Script);
            return Next::End;
        }
        let kind = self.shell_kind(path.as_ref());
        let form = ShellForm {
            shell: first.text.clone(),
            shell_path: path,
            kind,
            text: operand.text.clone(),
            hands_over: shell::hands_over(kind, &operand.text),
            passes_on: shell::passed_on(&operand.text),
            certain: true,
            at: Location::config(operand.from),
        };
        self.start.shell_form.get_or_insert(form);
        self.behind_text(operand, rest)
    }

    fn shell_kind(&self, path: Option<&ImagePath>) -> ShellKind {
        let Some(path) = path else { return ShellKind::Other };
        let of_name = |name: &[u8]| match name {
            b"bash" | b"rbash" => ShellKind::Bash,
            b"busybox" | b"ash" => ShellKind::Busybox,
            b"dash" => ShellKind::Dash,
            _ => ShellKind::Other,
        };
        let kind = of_name(path.file_name());
        if kind != ShellKind::Other {
            return kind;
        }
        // `sh` may be a hard link.
        let others = ["busybox", "bash", "dash"].into_iter().flat_map(|name| {
            ["/bin", "/usr/bin", "/usr/local/bin", "/sbin"].map(|place| ImagePath::from(place).join(name.as_bytes()))
        });
        let same = others.into_iter().find(|other| self.image.same_file(path, other));
        same.map_or(kind, |other| of_name(other.file_name()))
    }

    /// Which command of a shell's text stays: the first `exec`, else the last that is a program. What stands before it
    /// is taken to end, the directory and variables it sets to hold.
    fn behind_text(&mut self, text: &Argument, arguments: &[Argument]) -> Next {
        if text.text.contains("<<") {
            return self.stop(text, "a shell text with a here-document: not followed");
        }
        let items = shell::items(&text.text);
        let Some((stays, mut command)) = staying(&items) else {
            return self.stop(text, "a shell text that is no plain list of commands: not followed");
        };
        for item in items.iter().take(stays) {
            match item.pipeline().as_slice() {
                [command] if !item.compound => self.set(command, arguments),
                _ => self.around.certain = false,
            }
        }
        for (name, value) in std::mem::take(&mut command.assignments) {
            if let Some(value) = self.expand(&value, arguments) {
                self.assign(&name, &value.join(" "));
            }
        }
        let mut words: Vec<Argument> = Vec::new();
        for word in &command.words {
            match self.expand(word, arguments) {
                Some(texts) => words.extend(texts.into_iter().map(|word| Argument::new(word, text.from))),
                None => words.push(Argument { known: false, ..Argument::new(&word.text, text.from) }),
            }
        }
        while let Some(builtin) = words.first().map(|word| word.text.as_str()) {
            let skip = match builtin {
                "command" | "builtin" => 1 + usize::from(words.get(1).is_some_and(|word| word.text == "-p")),
                "exec" => exec_options(&words),
                _ => break,
            };
            words.drain(..skip.min(words.len()));
        }
        Next::Words(words)
    }

    /// What a command before the one that stays sets.
    fn set(&mut self, command: &Command, arguments: &[Argument]) {
        let known: Option<Vec<Vec<String>>> = command.words.iter().map(|word| self.expand(word, arguments)).collect();
        // What is not known, and a program that runs before, may change what is where.
        self.around.certain &= known.is_some() && (command.words.is_empty() || shell::is_builtin(command));
        let words = known.unwrap_or_default().concat();
        match words.first().map(String::as_str) {
            None => {
                for (name, value) in &command.assignments {
                    if let Some(value) = self.expand(value, arguments) {
                        self.assign(name, &value.join(" "));
                    }
                }
            }
            Some("cd") => {
                let to = words.iter().skip(1).find(|word| !word.starts_with('-'));
                if let Some(to) = to.cloned() {
                    self.change_directory(&to);
                }
            }
            Some("export") => {
                for (name, value) in words.iter().skip(1).filter_map(|word| word.split_once('=')) {
                    self.assign(name, value);
                }
            }
            Some("." | "source" | "eval") => self.around.certain = false,
            Some(_) => {}
        }
    }

    fn assign(&mut self, name: &str, value: &str) {
        if name == "PATH" {
            value.clone_into(&mut self.around.path);
        }
        self.env.insert(name.to_owned(), value.to_owned());
    }

    fn change_directory(&mut self, to: &str) {
        let to = self.around.directory.join(to.as_bytes());
        self.around.directory = self.image.tree.resolve(&to).map_or(to, |node| node.path());
    }

    fn change_user(&mut self, by: &str, to: &str, at: &Argument) {
        self.around.user = self.image.accounts.resolve_user(to);
        self.start.drops = Some(UserDrop {
            by: by.to_owned(),
            to: to.to_owned(),
            uid: self.around.user.uid,
            at: Location::config(at.from),
        });
    }

    /// The words that a word becomes with the image's variables; `None` when that cannot be known.
    fn expand(&self, word: &Word, arguments: &[Argument]) -> Option<Vec<String>> {
        let text = word.text.as_str();
        if !word.expands {
            return Some(vec![text.to_owned()]);
        }
        // Arguments behind the text begin with $0.
        let positional = arguments.get(1..).unwrap_or_default();
        if matches!(text, "$@" | "${@}" | "$*" | "${*}") {
            return Some(positional.iter().map(|argument| argument.text.clone()).collect());
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(dollar) = rest.find(['$', '`']) {
            out.push_str(&rest[..dollar]);
            let (name, default, tail) = variable(rest.get(dollar..)?.strip_prefix('$')?)?;
            let value = match name.parse::<usize>() {
                Ok(number) => arguments.get(number).map(|argument| argument.text.as_str()),
                Err(_) if SET_AT_START.contains(&name) && !self.env.contains_key(name) => return None,
                Err(_) => self.env.get(name).map(String::as_str),
            };
            out.push_str(value.filter(|value| !value.is_empty()).or(default).unwrap_or_default());
            rest = tail;
            if out.len() > MOST_EXPANDED {
                return None;
            }
        }
        out.push_str(rest);
        Some(if word.quoted { vec![out] } else { out.split_ascii_whitespace().map(str::to_owned).collect() })
    }
}

/// The item that stays, and its command.
fn staying(items: &[Item<'_>]) -> Option<(usize, Command)> {
    let mut last: Option<(usize, Command)> = None;
    for (index, item) in items.iter().enumerate() {
        if item.compound {
            last = None;
            continue;
        }
        if item.background {
            continue;
        }
        let pipeline = item.pipeline();
        let Some(command) = pipeline.first() else { continue };
        let words = shell::bare(&command.words);
        if words.first().is_some_and(|word| word.text == "exec") {
            if words.len() > 1 && pipeline.len() == 1 {
                return Some((index, command.clone()));
            }
            continue;
        }
        // What stands behind `||` runs when the one before has failed.
        let is_fallback = item.joint == Joint::Or && last.is_some();
        if !command.words.is_empty() && !shell::is_builtin(command) && !is_fallback {
            last = Some((index, command.clone()));
        }
    }
    last
}

/// Words of `exec` and its options: `-c`, `-l`, `-a NAME`.
fn exec_options(words: &[Argument]) -> usize {
    let mut at = 1;
    while let Some(option) = words.get(at).map(|word| word.text.as_str()).filter(|word| word.starts_with('-')) {
        at += 1 + usize::from(option.ends_with('a'));
        if option == "--" {
            break;
        }
    }
    at
}

/// Name, default and what follows, behind a `$`: `NAME`, `{NAME}`, `{NAME:-DEFAULT}`, a digit. `None` for all else.
fn variable(text: &str) -> Option<(&str, Option<&str>, &str)> {
    if let Some(braced) = text.strip_prefix('{') {
        let (inner, tail) = braced.split_once('}')?;
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let (name, operator) = inner.split_at(end);
        let default = match operator {
            "" => None,
            _ => Some(operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'))?),
        };
        let plain = default.is_none_or(|default| !default.contains(['$', '`']));
        return (plain && is_parameter(name)).then_some((name, default, tail));
    }
    let digit = text.bytes().next()?.is_ascii_digit();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, tail) = text.split_at(if digit { 1 } else { end });
    is_parameter(name).then_some((name, None, tail))
}

fn is_parameter(name: &str) -> bool {
    shell::is_name(name) || (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
}
