//! How the image was built, by its own account.

mod fetched;
mod programs;
mod verification;

pub use verification::verification_disabled;

use super::manager::{Task, asked};
use super::quote::quote;
use crate::facts::{Command, Facts, Instruction, InstructionKind, Step};
use crate::model::{Severity, visible_str};
use crate::rule::{Params, Sink};
use fetched::Run;

/// An `ADD` of something that `COPY` would have copied.
pub fn add_instead_of_copy(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in steps(facts, InstructionKind::Add) {
        let Some((destination, sources)) = step.instruction.operands.split_last() else { continue };
        if is_base_root(step, destination) || sources.iter().any(|source| is_remote(source)) {
            continue;
        }
        let text = format!("ADD {}", step.instruction.operands.join(" "));
        let message = format!("'{}' where COPY would do", visible_str(&text));
        let found = sink.find(step.location(), text, message);
        if !sources.is_empty() && sources.iter().all(|source| is_archive(source)) {
            found.severity = Some(Severity::Info);
        }
    }
}

/// An `ADD` of a URL or repository without a checksum.
pub fn remote_add(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in steps(facts, InstructionKind::Add) {
        if step.instruction.flags.iter().any(|flag| flag.starts_with("--checksum=")) {
            continue;
        }
        let sources = step.instruction.operands.split_last().map_or(&[][..], |(_, sources)| sources);
        for source in sources.iter().filter(|source| is_remote(source)) {
            // A commit pins a repository as a checksum pins a file.
            if source
                .rsplit_once('#')
                .is_some_and(|(_, rev)| rev.len() >= 40 && rev.bytes().all(|b| b.is_ascii_hexdigit()))
            {
                continue;
            }
            if Instruction::is_fetched_hash(source) {
                let destination = step.instruction.operands.last().map_or("", String::as_str);
                let message = format!("ADD fetches {} from a URL without --checksum", quote(destination));
                sink.find(step.location(), destination, message);
                continue;
            }
            let shown = without_credentials(source);
            let message = format!("ADD fetches '{}' without --checksum", visible_str(&shown));
            sink.find(step.location(), shown, message);
        }
    }
}

/// Package lists refreshed in a step that does not use them.
pub fn update_alone(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in steps(facts, InstructionKind::Run) {
        let tasks: Vec<_> = step.instruction.commands.iter().filter_map(asked).collect();
        let uses = |task| matches!(task, Task::Install | Task::Fetch | Task::UpgradeAll | Task::UpgradeSome);
        if tasks.iter().any(|asked| uses(asked.task)) || may_install_after(&step.instruction.commands) {
            continue;
        }
        if let Some(refresh) = tasks.iter().find(|asked| asked.task == Task::Refresh) {
            let program = refresh.as_written();
            let message = format!("{program} stands in a step of its own: the cache keeps the lists while they age");
            sink.find(step.location(), program, message);
        }
    }
}

/// Programs that install no package of the distribution, whatever they are told.
const NO_INSTALLERS: &[&str] = &[
    "",
    ":",
    "[",
    "[[",
    "add-apt-repository",
    "apk",
    "apt",
    "apt-cache",
    "apt-get",
    "apt-key",
    "apt-mark",
    "aptitude",
    "awk",
    "break",
    "cat",
    "cd",
    "chmod",
    "chown",
    "continue",
    "cp",
    "curl",
    "date",
    "declare",
    "dnf",
    "dnf5",
    "dpkg",
    "echo",
    "exit",
    "export",
    "false",
    "find",
    "gpg",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "id",
    "install",
    "ldconfig",
    "ln",
    "local",
    "ls",
    "microdnf",
    "mkdir",
    "mv",
    "pacman",
    "printf",
    "pwd",
    "readonly",
    "return",
    "rm",
    "rmdir",
    "sed",
    "set",
    "sha256sum",
    "shift",
    "shopt",
    "sleep",
    "sort",
    "tail",
    "tar",
    "tdnf",
    "tee",
    "test",
    "touch",
    "tr",
    "trap",
    "true",
    "umask",
    "uname",
    "unset",
    "unzip",
    "useradd",
    "groupadd",
    "adduser",
    "addgroup",
    "usermod",
    "wait",
    "wc",
    "wget",
    "xargs",
    "yum",
    "zypper",
    "emerge",
    "dpkg-reconfigure",
    "update-ca-certificates",
];

/// Whether a program runs behind the last refresh that may install from the lists: a script, a build, another tool's
/// installer. What it does cannot be seen here.
fn may_install_after(commands: &[Command]) -> bool {
    let refresh = commands.iter().rposition(|command| asked(command).is_some_and(|asked| asked.task == Task::Refresh));
    let behind = refresh.and_then(|at| commands.get(at + 1..)).unwrap_or_default();
    let programs = behind.iter().filter_map(Command::effective).map(|effective| effective.program);
    programs.into_iter().any(|program| !NO_INSTALLERS.contains(&program))
}

/// Something fetched from the network and run without a check.
pub fn pipe_to_shell(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in steps(facts, InstructionKind::Run) {
        let Some(Run { fetcher, by, file }) = fetched::run(&step.instruction.commands) else { continue };
        let (target, how) = match (&by, &file) {
            (Some(by), Some(file)) => (by, format!("{fetcher} fetches {}, which {by} runs unverified", quote(file))),
            (None, Some(file)) => (file, format!("{fetcher} fetches {}, which is started unverified", quote(file))),
            (Some(by), None) => (by, format!("{fetcher} feeds {by}")),
            (None, None) => continue,
        };
        let target = format!("{fetcher} | {target}");
        sink.find(step.location(), target, format!("{how}: whatever the server sends is run"));
    }
}

fn steps(facts: &Facts, kind: InstructionKind) -> impl Iterator<Item = &Step> {
    facts.history.steps.iter().filter(move |step| step.instruction.kind == kind)
}

/// The root file system that a base image begins with: the first thing added to `/`.
fn is_base_root(step: &Step, destination: &str) -> bool {
    step.index == 0 && destination == "/"
}

fn is_remote(source: &str) -> bool {
    ["http://", "https://", "git://", "ftp://", "ssh://", "git@"].iter().any(|scheme| source.starts_with(scheme))
        || Instruction::is_fetched_hash(source)
}

fn is_archive(source: &str) -> bool {
    [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst"]
        .iter()
        .any(|ending| source.to_ascii_lowercase().ends_with(ending))
}

/// A URL without user and password.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{}", &rest[authority.len()..]),
        None => url.to_owned(),
    }
}
