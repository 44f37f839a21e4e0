//! What is in the image and should not be: measured in bytes that lie in a layer, not guessed from words.

mod caches;
mod programs;

pub use caches::build_cache;
pub use programs::{compiler_left, debugger_left, package_manager_left, shell_left};

use super::manager::{Manager, Task, asked};
use super::secrets::has_sensitive_name;
use super::shipped::{Shipped, components, files, shipped_under};
use crate::facts::{Command, EntryKind, Facts, InstructionKind, Step};
use crate::model::{Confidence, ImagePath, Location, Presence, Severity};
use crate::rule::{Params, Sink};
use caches::is_in_cache;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Lists of apt in a layer, or left by a build step that no layer speaks for.
pub fn apt_lists(facts: &Facts, _: &Params, sink: &mut Sink) {
    let is_list = |shipped: &Shipped<'_>| {
        let inside = &shipped.inside;
        inside != b"lock" && !inside.starts_with(b"partial/") && !inside.starts_with(b"auxfiles/")
    };
    in_layers(facts, "var/lib/apt/lists", is_list, "package lists of apt", sink);
    for step in unproved(facts) {
        let commands = &step.instruction.commands;
        let fetched = commands.iter().rposition(|command| {
            asked(command).is_some_and(|asked| asked.manager == Manager::Apt && asked.task == Task::Refresh)
        });
        let Some(fetched) = fetched else { continue };
        let cleaned = commands[fetched..].iter().any(|command| {
            removes(command, "/var/lib/apt/lists")
                || asked(command).is_some_and(|asked| asked.manager == Manager::Apt && asked.task == Task::Clean)
        });
        if !cleaned {
            let message = "the step fetches package lists of apt and does not remove them";
            sink.find(step.location(), "/var/lib/apt/lists", message).confidence = Some(Confidence::Low);
        }
    }
}

/// The cache of apk in a layer, or left by a build step that no layer speaks for.
pub fn apk_cache(facts: &Facts, _: &Params, sink: &mut Sink) {
    in_layers(facts, "var/cache/apk", |_| true, "package cache of apk", sink);
    for step in unproved(facts) {
        let commands = &step.instruction.commands;
        let kept = commands.iter().rposition(|command| {
            asked(command).is_some_and(|asked| {
                asked.manager == Manager::Apk
                    && matches!(asked.task, Task::Install | Task::Refresh)
                    && !asked.arguments.iter().any(|word| word.text == "--no-cache")
            })
        });
        let Some(kept) = kept else { continue };
        if !commands[kept..].iter().any(|command| removes(command, "/var/cache/apk")) {
            let message = "apk runs without --no-cache and leaves its index";
            sink.find(step.location(), "/var/cache/apk", message).confidence = Some(Confidence::Low);
        }
    }
}

/// Data of a version control system, also where a later layer deleted it.
pub fn vcs_directory(facts: &Facts, _: &Params, sink: &mut Sink) {
    let mut repositories: BTreeMap<(ImagePath, u32), (u32, bool)> = BTreeMap::new();
    for (index, layer) in (0..).zip(&facts.layers) {
        for record in files(layer) {
            let Some((directory, inside)) = components(record.name).split_at_any(&[b".git", b".svn", b".hg", b".bzr"])
            else {
                continue;
            };
            let vendored = components(&directory).has_any(&[b"vendor", b"node_modules", b"third_party"]);
            if vendored || inside.is_empty() {
                continue;
            }
            let tells = [
                &b"HEAD"[..],
                b"objects",
                b"refs",
                b"packed-refs",
                b"config",
                b"logs",
                b"wc.db",
                b"store",
                b"pristine",
            ];
            let first = inside.split(|&b| b == b'/').next().unwrap_or_default();
            let repository = repositories.entry((ImagePath::clamp(&directory), index)).or_insert((record.index, false));
            repository.1 |= tells.contains(&first);
        }
    }
    let mut seen = BTreeSet::new();
    for ((directory, layer), (entry, tells)) in repositories {
        if facts.packages.owner(&directory).is_some() || !seen.insert(directory.clone()) {
            continue;
        }
        let at = match facts.at_entry(layer, entry) {
            Location::File { presence, .. } => Location::file(directory.clone(), layer).with_presence(presence),
            other => other,
        };
        let hidden = match &at {
            Location::File { presence: Presence::Removed { by }, .. } => {
                format!("; layer {by} deletes it, and it still ships")
            }
            _ => String::new(),
        };
        let message = format!("repository data lies in '{directory}'{hidden}");
        let found = sink.find(at, directory.display(), message);
        if !tells {
            found.severity = Some(Severity::Low);
        }
    }
}

/// Names of files that belong to a build or a developer, and what each is.
const LEFTOVERS: &[(&str, &str)] = &[
    ("Dockerfile", "a build file"),
    ("Containerfile", "a build file"),
    (".dockerignore", "a build file"),
    ("docker-compose.yml", "a compose file"),
    ("docker-compose.yaml", "a compose file"),
    ("docker-compose.override.yml", "a compose file"),
    ("compose.yaml", "a compose file"),
    (".gitlab-ci.yml", "a CI configuration"),
    (".travis.yml", "a CI configuration"),
    (".drone.yml", "a CI configuration"),
    ("Jenkinsfile", "a CI configuration"),
    ("azure-pipelines.yml", "a CI configuration"),
    ("bitbucket-pipelines.yml", "a CI configuration"),
    ("cloudbuild.yaml", "a CI configuration"),
    ("Vagrantfile", "a developer's machine"),
    ("terraform.tfstate", "the state of an infrastructure, often with credentials"),
    ("terraform.tfstate.backup", "the state of an infrastructure, often with credentials"),
    (".bash_history", "a shell's history"),
    (".ash_history", "a shell's history"),
    (".zsh_history", "a shell's history"),
    (".mysql_history", "a client's history"),
    (".psql_history", "a client's history"),
    (".python_history", "a client's history"),
    (".vimrc", "an editor's settings"),
    (".viminfo", "an editor's history"),
    (".DS_Store", "a file manager's data"),
    ("npm-debug.log", "a log of the build"),
];

/// Directories of the same kind; they count when they hold a file.
const LEFTOVER_DIRECTORIES: &[(&[u8], &str)] = &[
    (b".aws", "a cloud tool's folder"),
    (b".azure", "a cloud tool's folder"),
    (b".gcp", "a cloud tool's folder"),
    (b".github", "a CI configuration"),
    (b".circleci", "a CI configuration"),
    (b".terraform", "an infrastructure tool's folder"),
    (b".vagrant", "a developer's machine"),
    (b".vscode", "an editor's folder"),
    (b".idea", "an editor's folder"),
    (b".cache", "a cache"),
    (b".npm", "a cache"),
];

/// Where packages and modules bring such files as part of themselves.
const BROUGHT: &[&[u8]] = &[b"node_modules", b"vendor", b"site-packages", b"dist-packages", b"gems", b"third_party"];

/// Files of the build or of a developer's machine that a container sees.
pub fn leftover_file(facts: &Facts, _: &Params, sink: &mut Sink) {
    let folders: Vec<&[u8]> = LEFTOVER_DIRECTORIES.iter().map(|(name, _)| *name).collect();
    let leftovers: HashMap<&[u8], &str> = LEFTOVERS.iter().map(|(name, what)| (name.as_bytes(), *what)).collect();
    let mut directories = BTreeSet::new();
    for node in facts.tree.iter().filter(|node| node.kind() == EntryKind::File) {
        let name = node.name();
        let known = leftovers.get(name).copied();
        let state = || name.ends_with(b".tfstate").then_some("the state of an infrastructure, often with credentials");
        let variant = || {
            name.starts_with(b"Dockerfile.")
                && ![&b".md"[..], b".rst", b".txt", b".html"].iter().any(|ending| name.ends_with(ending))
        };
        let what = known.or_else(state).or_else(|| variant().then_some("a build file"));
        if what.is_none() && !node.is_below_any(&folders) {
            continue;
        }
        let path = node.path();
        let parts = components(path.as_bytes());
        let inside = parts.split_at_any(&folders);
        if parts.has_any(BROUGHT)
            || parts.is_below("usr/share")
            || parts.is_below("usr/lib")
            || facts.packages.owner(&path).is_some()
        {
            continue;
        }
        // A file that holds credentials is told by sensitive-file, what build tools keep by build-cache.
        if (has_sensitive_name(&path) && inside.is_none()) || is_in_cache(path.as_bytes()) {
            continue;
        }
        if let Some((directory, _)) = inside.filter(|(_, rest)| !rest.is_empty()) {
            let directory = ImagePath::clamp(&directory);
            if directories.insert(directory.clone()) {
                let what = LEFTOVER_DIRECTORIES
                    .iter()
                    .find(|(known, _)| *known == directory.file_name())
                    .map_or("", |(_, what)| what);
                let message = format!("'{directory}' is {what}");
                let found = sink.find(
                    Location::file(directory.clone(), node.layer().unwrap_or(0)),
                    directory.display(),
                    message,
                );
                if what == "a cache" {
                    found.severity = Some(Severity::Info);
                }
            }
        } else if let Some(what) = what {
            sink.find(facts.at(node), path.display(), format!("'{path}' is {what}"));
        }
    }
}

/// Bytes that later layers hide.
pub fn wasted_bytes(facts: &Facts, params: &Params, sink: &mut Sink) {
    let minimum = number(params, "minimum_bytes");
    let mut wasted: Vec<(u64, u32, u32)> = Vec::new();
    // What another name still shows is not wasted.
    for hidden in facts.tree.hidden().iter().filter(|hidden| !facts.tree.is_seen(hidden.layer, hidden.entry)) {
        let record = facts.layers.get(hidden.layer as usize).and_then(|layer| layer.entries.get(hidden.entry));
        if let Some(record) = record.filter(|record| record.kind() == EntryKind::File && record.size > 0) {
            wasted.push((record.size, hidden.layer, hidden.entry));
        }
    }
    let total: u64 = wasted.iter().map(|(bytes, ..)| bytes).sum();
    if total < minimum || total == 0 {
        return;
    }
    let mut by_layer: BTreeMap<u32, u64> = BTreeMap::new();
    for (bytes, layer, _) in &wasted {
        *by_layer.entry(*layer).or_default() += bytes;
    }
    let layers: Vec<String> =
        by_layer.iter().map(|(layer, bytes)| format!("{} in layer {layer}", size(*bytes))).collect();
    wasted.sort_by_key(|(bytes, layer, entry)| (std::cmp::Reverse(*bytes), *layer, *entry));
    let message = match &layers[..] {
        [layer] => format!("{layer} ship in files that later layers hide"),
        _ => format!("{} ship in files that later layers hide: {}", size(total), layers.join(", ")),
    };
    let found = sink.find(Location::Image, "hidden bytes", message);
    found.also = wasted.iter().take(10).map(|(_, layer, entry)| facts.at_entry(*layer, *entry)).collect();
}

/// More layers than a limit.
pub fn too_many_layers(facts: &Facts, params: &Params, sink: &mut Sink) {
    let maximum = number(params, "maximum");
    let count = facts.layers.len();
    if count as u64 > maximum {
        sink.find(Location::Image, "layers", format!("the image has {count} layers, more than {maximum}"));
    }
}

/// Databases of installed packages, as names in a layer.
const DATABASES: &[&str] = &["var/lib/dpkg", "lib/apk/db", "usr/lib/apk/db", "var/lib/rpm", "usr/lib/sysimage/rpm"];

/// A package's file that a layer changed without touching the package database.
pub fn modified_package_file(facts: &Facts, _: &Params, sink: &mut Sink) {
    let managed: Vec<bool> = facts
        .layers
        .iter()
        .map(|layer| {
            layer
                .entries
                .iter()
                .any(|record| DATABASES.iter().any(|database| components(record.name).is_below(database)))
        })
        .collect();
    for hidden in facts.tree.hidden() {
        let Presence::Overwritten { by } = hidden.presence else { continue };
        if by == hidden.layer || managed.get(by as usize).copied().unwrap_or(true) {
            continue;
        }
        if hidden.path.is_within(&ImagePath::from("/etc")) {
            continue;
        }
        let (Some(owner), Some(now)) = (facts.packages.owner(&hidden.path), facts.tree.get(&hidden.path)) else {
            continue;
        };
        let record =
            |layer: u32, entry: u32| facts.layers.get(layer as usize).and_then(|facts| facts.entries.get(entry));
        let (Some(before), Some(after)) =
            (record(hidden.layer, hidden.entry), now.content().and_then(|(layer, entry)| record(layer, entry)))
        else {
            continue;
        };
        // A chmod or chown copies the file as it is.
        if now.kind() != EntryKind::File || (before.size == after.size && before.mtime == after.mtime) {
            continue;
        }
        let path = &hidden.path;
        let message = format!("'{path}' of package {} was changed without its package manager", owner.name);
        sink.find(facts.at(now), path.display(), message);
    }
}

/// Files below a directory that lie in a layer: one finding a layer.
fn in_layers(facts: &Facts, directory: &str, counts: impl Fn(&Shipped<'_>) -> bool, what: &str, sink: &mut Sink) {
    for (index, layer) in (0..).zip(&facts.layers) {
        let (mut files, mut bytes, mut first) = (0u64, 0u64, None);
        for shipped in shipped_under(layer, directory).filter(|shipped| counts(shipped)) {
            files += 1;
            bytes += shipped.record.size;
            first = first.or(Some(shipped.record.index));
        }
        let Some(first) = first else { continue };
        let at = match facts.at_entry(index, first) {
            Location::File { presence, .. } => {
                Location::file(ImagePath::from(directory), index).with_presence(presence)
            }
            other => other,
        };
        let hidden = match &at {
            Location::File { presence: Presence::Removed { by }, .. } => {
                format!("; layer {by} deletes them, and they still ship")
            }
            _ => String::new(),
        };
        let message = format!("{} of {what} lie in layer {index}{hidden}", size(bytes.max(files)));
        sink.find(at, format!("/{directory}"), message);
    }
}

/// Build steps whose layer cannot be asked: the history does not fit the layers, or it says that a command which must
/// have written files wrote none.
fn unproved(facts: &Facts) -> impl Iterator<Item = &Step> {
    facts.history.steps.iter().filter(|step| step.instruction.kind == InstructionKind::Run && step.layer.is_none())
}

/// Whether a command deletes all of `directory`'s contents, by itself or with a directory above it.
fn removes(command: &Command, directory: &str) -> bool {
    let Some(effective) = command.effective() else { return false };
    let words = || effective.arguments.iter().map(|word| word.text.as_str());
    let deletes = match effective.program {
        "rm" => true,
        "find" => words().any(|word| word == "-delete" || word == "rm"),
        _ => false,
    };
    deletes
        && words().flat_map(braces).any(|word| {
            let bare = word.trim_end_matches('*').trim_end_matches('/');
            bare.len() > 1 && directory.strip_prefix(bare).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

/// `a{b,c}d` as `abd`, `acd`; one pair of braces after the other, at most 64 words.
fn braces(word: &str) -> Vec<String> {
    let mut open = vec![word.to_owned()];
    let mut done = Vec::new();
    while let Some(word) = open.pop() {
        let parts = word.find('{').and_then(|start| {
            let end = start + word[start..].find('}')?;
            word[start..end].contains(',').then_some((start, end))
        });
        match parts {
            Some((start, end)) if open.len() + done.len() < 64 => {
                for choice in word[start + 1..end].split(',') {
                    open.push(format!("{}{choice}{}", &word[..start], &word[end + 1..]));
                }
            }
            _ => done.push(word),
        }
    }
    done
}

fn number(params: &Params, name: &str) -> u64 {
    params.get(name).and_then(toml::Value::as_integer).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// Bytes for people: decimal units, one digit behind the point.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes / 100 % 10),
        1_000_000..1_000_000_000 => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10),
    }
}
