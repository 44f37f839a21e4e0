//! Programs that help an intruder more than the application: compilers, debuggers, package managers, shells.

use crate::facts::{EntryKind, Facts, Node};
use crate::model::ImagePath;
use crate::rule::{Params, Sink};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const COMPILERS: &[&str] = &[
    "gcc",
    "g++",
    "cc",
    "c++",
    "clang",
    "clang++",
    "tcc",
    "gfortran",
    "ghc",
    "go",
    "rustc",
    "cargo",
    "javac",
    "make",
    "gmake",
    "cmake",
    "ninja",
    "ld",
    "ld.bfd",
    "ld.lld",
    "nasm",
    "swiftc",
    "zig",
    "dotnet-sdk",
    "kotlinc",
];
const DEBUGGERS: &[&str] = &[
    "gdb",
    "gdbserver",
    "lldb",
    "strace",
    "ltrace",
    "perf",
    "bpftrace",
    "tcpdump",
    "tshark",
    "wireshark",
    "nmap",
    "masscan",
    "nc",
    "ncat",
    "netcat",
    "nc.openbsd",
    "nc.traditional",
    "socat",
    "telnet",
    "dig",
    "nslookup",
    "hping3",
    "ettercap",
    "delve",
    "dlv",
];
const PACKAGE_MANAGERS: &[&str] = &[
    "apt", "apt-get", "aptitude", "dpkg", "apk", "yum", "dnf", "dnf5", "microdnf", "tdnf", "rpm", "zypper", "pacman",
    "pip", "pip3", "npm", "gem", "conda",
];
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "busybox"];

/// Compilers and linkers that can be run.
pub fn compiler_left(facts: &Facts, _: &Params, sink: &mut Sink) {
    let versioned = |name: &str| {
        let name =
            name.rsplit_once("-linux-gnu-").or_else(|| name.rsplit_once("-linux-musl-")).map_or(name, |(_, tool)| tool);
        let (tool, version) = name.rsplit_once('-').unwrap_or((name, "0"));
        COMPILERS.contains(&name)
            || (COMPILERS.contains(&tool) && version.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    };
    say_programs(facts, versioned, "can be run: build in one stage and run in another", sink);
}

/// Debuggers and network tools that can be run; busybox' applets are not meant.
pub fn debugger_left(facts: &Facts, _: &Params, sink: &mut Sink) {
    say_programs(facts, |name| DEBUGGERS.contains(&name), "can be run: keep them to an image for debugging", sink);
}

/// Package managers that can be run.
pub fn package_manager_left(facts: &Facts, _: &Params, sink: &mut Sink) {
    say_programs(facts, |name| PACKAGE_MANAGERS.contains(&name), "can be run", sink);
}

/// Shells that can be run.
pub fn shell_left(facts: &Facts, _: &Params, sink: &mut Sink) {
    let shells = programs(facts, |name| SHELLS.contains(&name));
    say(facts, shells, "can be run", sink);
}

/// The directories in which programs are looked for.
const PROGRAM_DIRECTORIES: &[&str] = &[
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/go/bin",
    "/usr/lib/go/bin",
    "/usr/local/cargo/bin",
    "/root/.cargo/bin",
    "/opt/bin",
];

/// The executables whose name is wanted, each once, symbolic links followed; applets of busybox left out unless busybox
/// itself is wanted.
fn programs(facts: &Facts, wanted: impl Fn(&str) -> bool) -> BTreeMap<ImagePath, (String, Node<'_>)> {
    let mut found = BTreeMap::new();
    let path = facts.config.config.env_value("PATH").unwrap_or_default();
    let directories: BTreeSet<ImagePath> = PROGRAM_DIRECTORIES
        .iter()
        .copied()
        .chain(path.split(':').filter(|directory| directory.starts_with('/')).take(64))
        .filter_map(|directory| Some(facts.tree.resolve(&ImagePath::from(directory)).ok()?.path()))
        .collect();
    for directory in directories {
        let Some(node) = facts.tree.get(&directory) else { continue };
        for child in node.children() {
            let Ok(name) = std::str::from_utf8(child.name()) else { continue };
            if !wanted(name) {
                continue;
            }
            let Ok(target) = facts.tree.resolve(&child.path()) else { continue };
            if target.kind() == EntryKind::File
                && target.mode() & 0o111 != 0
                && (wanted("busybox") || !is_busybox(facts, target))
            {
                let known = found.entry(target.path()).or_insert_with(|| (name.to_owned(), target));
                // Of several names the one that the file itself bears: gcc, not cc, for x86_64-linux-gnu-gcc-12.
                if is_word_of(name, target) && !is_word_of(&known.0, target) {
                    name.clone_into(&mut known.0);
                }
            }
        }
    }
    found
}

/// Whether `name` is one of the parts between hyphens of the name of `node`.
fn is_word_of(name: &str, node: Node<'_>) -> bool {
    node.name().split(|&byte| byte == b'-').any(|word| word == name.as_bytes())
}

/// Whether a program is busybox or toybox under another name.
fn is_busybox(facts: &Facts, node: Node<'_>) -> bool {
    ["/bin/busybox", "/usr/bin/busybox", "/bin/toybox", "/usr/bin/toybox"].iter().any(|path| {
        facts.tree.resolve(&ImagePath::from(*path)).is_ok_and(|busybox| busybox.content() == node.content())
    })
}

fn say_programs(facts: &Facts, wanted: impl Fn(&str) -> bool, trouble: &str, sink: &mut Sink) {
    say(facts, programs(facts, wanted), trouble, sink);
}

/// One finding for all programs of a kind, with a place for each.
fn say(facts: &Facts, programs: BTreeMap<ImagePath, (String, Node<'_>)>, trouble: &str, sink: &mut Sink) {
    let mut names: Vec<&str> = programs.values().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut places = programs.values().map(|(_, node)| facts.at(*node));
    let Some(at) = places.next() else { return };
    let more = names.len().saturating_sub(6);
    let mut listed = names.iter().take(6).copied().collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(listed, " and {more} more");
    }
    let found = sink.find(at, names.first().copied().unwrap_or_default(), format!("{listed} {trouble}"));
    found.also = places.collect();
}
