//! Which commands of a step empty a directory, and whether one is mounted so that nothing stays in the layer. Reads words;
//! sees no files.

use crate::facts::{Command, Instruction};

/// Whether a `--mount` of the step covers `directory`: what is written there goes elsewhere.
pub(super) fn is_mounted(instruction: &Instruction, directory: &str) -> bool {
    let mounts = instruction.flags.iter().filter_map(|flag| flag.strip_prefix("--mount="));
    mounts.flat_map(|mount| mount.split(',')).any(|field| {
        let (name, value) = field.trim_matches('"').split_once('=').unwrap_or_default();
        matches!(name, "target" | "dst" | "destination") && is_or_holds(value, directory)
    })
}

/// The places of the commands that delete all of `directory`'s contents, by itself or with a directory above it.
pub(super) fn removed(commands: &[Command], directory: &str) -> impl Iterator<Item = usize> {
    let mut working = String::new();
    let mut found = Vec::new();
    for (at, command) in commands.iter().enumerate() {
        let Some(effective) = command.effective() else { continue };
        let mut words = effective.arguments.iter().map(|word| word.text.as_str());
        let deletes = match effective.program {
            "cd" | "pushd" => {
                let to = words.find(|word| !word.starts_with('-')).unwrap_or_default();
                working = from(&working, to);
                continue;
            }
            "rm" => true,
            "find" => words.clone().any(|word| word == "-delete" || word == "rm"),
            _ => false,
        };
        if deletes && words.flat_map(braces).any(|word| is_or_holds(&from(&working, &word), directory)) {
            found.push(at);
        }
    }
    found.into_iter()
}

/// `path` as seen from `working`; at most as long as Linux' `PATH_MAX`.
fn from(working: &str, path: &str) -> String {
    let whole = if path.starts_with('/') || working.is_empty() { path.to_owned() } else { format!("{working}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." && parts.pop().is_some() {
            continue;
        }
        parts.push(part);
    }
    let joined = format!("{}{}", if whole.starts_with('/') { "/" } else { "" }, parts.join("/"));
    if joined.len() > 4096 { String::new() } else { joined }
}

/// Whether the shell pattern `word` names `directory`, all that is in it, or a directory above it; not the root.
fn is_or_holds(word: &str, directory: &str) -> bool {
    let Some(word) = word.strip_prefix('/') else { return false };
    let mut parts: Vec<&str> = word.split('/').filter(|part| !part.is_empty()).collect();
    let places: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    // A last part of `*` is what is in a directory.
    if parts.len() > 1 && parts.last().is_some_and(|last| last.bytes().all(|byte| byte == b'*')) {
        parts.pop();
    }
    !parts.is_empty() && parts.len() <= places.len() && parts.iter().zip(&places).all(|(part, place)| fits(part, place))
}

/// Whether a part of a path fits a pattern of `*` and `?`.
fn fits(pattern: &str, part: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let same = |piece: &str, text: &str| {
        piece.len() == text.len() && piece.bytes().zip(text.bytes()).all(|(p, t)| p == b'?' || p == t)
    };
    let mut rest = match part.get(..first.len()) {
        Some(head) if same(first, head) => &part[first.len()..],
        _ => return false,
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let place = (0..=rest.len().saturating_sub(piece.len()))
            .find(|&at| rest.get(at..at + piece.len()).is_some_and(|text| same(piece, text)));
        let Some(place) = place else { return false };
        rest = rest.get(place + piece.len()..).unwrap_or_default();
    }
    rest.len().checked_sub(last.len()).and_then(|at| rest.get(at..)).is_some_and(|tail| same(last, tail))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_empties_a_directory() {
        let empties = |line: &str| removed(&Command::split(line), "/var/lib/apt/lists").next().is_some();
        for line in [
            "rm -rf /var/lib/apt/lists/*",
            "rm -rf /var/lib/apt/lists",
            "rm -rf /var/lib/apt/",
            "rm -rf /var/*/apt/lists/*",
            "rm -rf /var/l*b/a?t/lists/*",
            "rm -rf /var/{cache,lib}/apt/*",
            "rm -rf /tmp/* /var/lib/apt/lists/**",
            "cd /var/lib/apt/lists && rm -rf *",
            "cd /var/lib/apt/lists; rm -rf ./*",
            "cd /var/lib/apt && rm -rf lists",
            "cd /var/cache && rm -rf ../lib/apt/lists/*",
            "(cd /var/lib && cd apt && rm -rf lists/*)",
            "find /var/lib/apt/lists -type f -delete",
            "cd /var/lib/apt/lists && find . -mindepth 1 -delete",
            "bash -c 'rm -rf /var/lib/apt/lists/*'",
        ] {
            assert!(empties(line), "{line}");
        }
        for line in [
            "rm -rf /var/lib/apt/lists/partial",
            "rm -rf /var/lib/apt/lists/*.gz",
            "rm -rf /var/*/dpkg/lists/*",
            "rm -rf *",
            "cd /tmp && rm -rf *",
            "cd /var/lib/apt/lists && cd /tmp && rm -rf *",
            "rm -rf /var/lib/apt/list",
            "rm -rf /var/?/apt/lists",
            "ls /var/lib/apt/lists",
            "rm -rf /",
        ] {
            assert!(!empties(line), "{line}");
        }
    }

    #[test]
    fn mounts_cover() {
        let covers = |flag: &str| {
            let line = format!("/bin/sh -c {flag} apt-get update");
            is_mounted(&Instruction::read(&line), "/var/lib/apt/lists")
        };
        assert!(covers("--mount=type=cache,target=/var/lib/apt/lists,sharing=locked"));
        assert!(covers("--mount=type=cache,dst=/var/lib/apt/ --network=none"));
        assert!(covers("--mount=type=cache,target=/root/.cache --mount=type=tmpfs,destination=/var/lib"));
        assert!(!covers("--mount=type=cache,target=/var/cache/apt"));
        assert!(!covers("--mount=type=cache,target=/var/lib/apt/lists/partial"));
        assert!(!covers(""));
    }
}
