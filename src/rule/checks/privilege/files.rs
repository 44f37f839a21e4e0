//! Files whose bits or capabilities give rights: setuid, setgid, file capabilities, and what everybody may write.

use super::super::quote::{listed, quote, shown};
use super::sudo::working_sudo;
use crate::facts::{EntryKind, Facts, FileCapabilities, Node, is_powerful};
use crate::model::{ImagePath, Location, Severity};
use crate::rule::{Params, Sink};
use std::collections::{BTreeMap, BTreeSet};

/// Setuid and setgid programs of distributions' base packages, which do one guarded thing.
const WELL_KNOWN: &[&str] = &[
    "at",
    "bbsuid",
    "bsd-write",
    "chage",
    "chfn",
    "chsh",
    "crontab",
    "dbus-daemon-launch-helper",
    "dotlockfile",
    "expiry",
    "fusermount",
    "fusermount3",
    "gpasswd",
    "grub2-set-bootflag",
    "locate",
    "mlocate",
    "mount",
    "mount.nfs",
    "newgidmap",
    "newgrp",
    "newuidmap",
    "pam_extrausers_chkpwd",
    "pam_timestamp_check",
    "passwd",
    "ping",
    "ping4",
    "ping6",
    "plocate",
    "polkit-agent-helper-1",
    "sg",
    "ssh-agent",
    "ssh-keysign",
    "su",
    "umount",
    "unix_chkpwd",
    "unix_chkpwd2",
    "usernetctl",
    "utempter",
    "wall",
    "write",
    "write.ul",
];

fn is_well_known(node: Node<'_>) -> bool {
    WELL_KNOWN.iter().any(|name| name.as_bytes() == node.name())
}

/// Visible files with the setuid or setgid bit.
fn raised(facts: &Facts) -> impl Iterator<Item = Node<'_>> {
    facts.tree.iter().filter(|node| node.mode() & 0o6000 != 0 && node.kind() == EntryKind::File)
}

/// `setuid root`, `setgid mail (gid 8)`.
fn bits(facts: &Facts, node: Node<'_>) -> String {
    let user =
        || facts.accounts.user_by_id(node.uid()).map_or_else(|| format!("uid {}", node.uid()), |u| u.name.clone());
    let group = || {
        let found = facts.accounts.groups.iter().find(|group| group.gid == node.gid());
        found.map_or_else(|| format!("gid {}", node.gid()), |group| group.name.clone())
    };
    let name =
        |id: u32, name: String| if id == 0 { "root".to_owned() } else { crate::model::visible_str(&name).into_owned() };
    match (node.mode() & 0o4000 != 0, node.mode() & 0o2000 != 0) {
        (true, true) => format!("setuid {} and setgid {}", name(node.uid(), user()), name(node.gid(), group())),
        (true, false) => format!("setuid {}", name(node.uid(), user())),
        _ => format!("setgid {}", name(node.gid(), group())),
    }
}

/// Setuid and setgid files that a container sees; those of base packages as a fact, others as a fault. What
/// `setuid-dangerous` tells is left to it. sudo is a fact of this list: that it lets users become root is another rule's,
/// which may be set aside without this.
pub fn setuid_file(facts: &Facts, _: &Params, sink: &mut Sink) {
    let originals = originals(facts);
    let sudo = working_sudo(facts);
    for node in raised(facts).filter(|&node| danger(facts, node, &originals).is_none()) {
        let path = node.path();
        let owner = facts.packages.owner(&path);
        let known = is_well_known(node);
        let runs = node.mode() & 0o111 != 0;
        let packages = &facts.packages;
        let severity = match owner {
            _ if !runs || sudo.contains(&path) => Some(Severity::Info),
            _ if !known => None,
            Some(_) => Some(Severity::Info),
            // Where no package tells its files nobody can say whose this one is.
            None if packages.tells_files() => None,
            None if !packages.installed.is_empty() || !packages.gaps.is_empty() => Some(Severity::Info),
            // A distribution whose database is of another kind.
            None => facts.distribution.as_ref().map(|_| Severity::Low),
        };
        let whose = match owner {
            Some(package) => format!(" (of package {})", quote(&package.name)),
            None if !packages.tells_files() => String::new(),
            None => " (of no package)".to_owned(),
        };
        let bit = if node.mode() & 0o4000 == 0 {
            "g-s"
        } else if node.mode() & 0o2000 == 0 {
            "u-s"
        } else {
            "ug-s"
        };
        let shown = shown(&path);
        let message = format!("{shown}{whose} is {}: clear the bit with chmod {bit} {shown}", bits(facts, node));
        sink.find(facts.at(node), path.display(), message).severity = severity;
    }
}

/// Setuid and setgid files that hand over their rights: by what they are, or because others may rewrite them.
pub fn setuid_dangerous(facts: &Facts, _: &Params, sink: &mut Sink) {
    let originals = originals(facts);
    for node in raised(facts) {
        let Some(why) = danger(facts, node, &originals) else { continue };
        let path = node.path();
        let shown = shown(&path);
        let message = format!("{shown} is {} and {why}: clear the bit with chmod ug-s {shown}", bits(facts, node));
        let found = sink.find(facts.at(node), path.display(), message);
        if node.mode() & 0o4000 == 0 || node.uid() != 0 {
            found.severity = Some(Severity::Medium); // not root's rights, but somebody's
        }
    }
}

/// Why the bits of this file give its rights away; `None` when they do not.
fn danger(facts: &Facts, node: Node<'_>, originals: &BTreeMap<[u8; 32], ImagePath>) -> Option<String> {
    if node.mode() & 0o111 == 0 {
        return None;
    }
    if is_powerful(node.name()) {
        return Some("runs whatever it is told to with those rights".to_owned());
    }
    // A package may ship one binary under two names, of which it guards one (Alpine's bbsuid).
    let guarded = is_well_known(node) && facts.packages.owner(&node.path()).is_some();
    let original = facts.digest_of(node).and_then(|digest| originals.get(digest));
    if let Some(original) = original.filter(|_| !guarded) {
        return Some(format!("is a copy of {}, which runs whatever it is told to with those rights", shown(original)));
    }
    let open = node.mode() & 0o002 != 0 || node.mode() & 0o020 != 0 && node.gid() != 0;
    open.then(|| "may be rewritten by others than root".to_owned())
}

/// The programs of every layer that do whatever they are told, by the digest of their bytes; a copy under another name is
/// no tamer, even where the original is gone.
fn originals(facts: &Facts) -> BTreeMap<[u8; 32], ImagePath> {
    let mut found = BTreeMap::new();
    for layer in &facts.layers {
        for (entry, digest) in &layer.digests {
            let path = layer.entries.get(*entry).map(|record| record.path());
            if let Some(path) = path.filter(|path| is_powerful(path.file_name())) {
                found.entry(*digest).or_insert(path);
            }
        }
    }
    // Hard links have names of their own. Every file is asked: most are of another size than any that has the bits.
    let sizes: BTreeSet<u64> = raised(facts).map(|node| node.size()).collect();
    let is_program =
        |node: &Node<'_>| sizes.contains(&node.size()) && node.kind() == EntryKind::File && is_powerful(node.name());
    for node in facts.tree.iter().filter(is_program) {
        if let Some(digest) = facts.digest_of(node) {
            found.entry(*digest).or_insert_with(|| node.path());
        }
    }
    found
}

/// Programs for which a capability is the tamer form of setuid: name, capability.
const TAME: &[(&str, &str)] = &[
    ("arping", "cap_net_raw"),
    ("clockdiff", "cap_net_raw"),
    ("fping", "cap_net_raw"),
    ("mtr-packet", "cap_net_raw"),
    ("newgidmap", "cap_setgid"),
    ("newuidmap", "cap_setuid"),
    ("ping", "cap_net_raw"),
    ("ping4", "cap_net_raw"),
    ("ping6", "cap_net_raw"),
    ("rcp", "cap_net_bind_service"),
    ("traceroute6", "cap_net_raw"),
];

/// Files with capabilities, decoded. What does not decode is a note of the facts; the kernel refuses to run such a file.
fn capable(facts: &Facts) -> impl Iterator<Item = (Node<'_>, FileCapabilities)> {
    facts.tree.iter().filter_map(|node| Some((node, FileCapabilities::of(node)?.ok()?)))
}

/// Whether the file at `path` may bind low ports by its own capabilities.
pub(in crate::rule::checks) fn may_bind_low_ports(facts: &Facts, path: &ImagePath) -> bool {
    let bind = |caps: &FileCapabilities| caps.permits("cap_net_bind_service");
    capable(facts).any(|(node, caps)| bind(&caps) && node.path() == *path)
}

/// Files with capabilities, graded by what these allow.
pub fn file_capability(facts: &Facts, _: &Params, sink: &mut Sink) {
    for (node, caps) in capable(facts) {
        let path = node.path();
        let shown = shown(&path);
        if caps.permitted == 0 && caps.inheritable == 0 {
            continue;
        }
        let dangerous = caps.dangerous();
        let tame =
            TAME.iter().any(|(name, only)| name.as_bytes() == node.name() && dangerous.iter().all(|cap| cap == only));
        let severity = match &dangerous[..] {
            _ if caps.permitted == 0 => Severity::Low, // kept only from a starter that has them
            [] if caps.text().starts_with("cap_net_bind_service+") => Severity::Info,
            [] => Severity::Medium,
            _ if tame => Severity::Info,
            _ => Severity::High,
        };
        let power = match &dangerous[..] {
            [] => String::new(),
            _ if tame => ", which it is known to use".to_owned(),
            [one] if one == "cap_net_raw" => ", and cap_net_raw reads and forges packets".to_owned(),
            [one] => format!(", and {one} is close to root"),
            many => format!(", and {} are close to root", many.join(", ")),
        };
        let message = format!("{shown} has {}{power}: remove it with setcap -r {shown}", caps.text());
        sink.find(facts.at(node), path.display(), message).severity = Some(severity);
    }
}

/// Files that everybody may rewrite. Those below a directory that everybody may write are one finding for the directory.
pub fn world_writable_file(facts: &Facts, _: &Params, sink: &mut Sink) {
    let mut below: BTreeMap<ImagePath, Vec<Location>> = BTreeMap::new();
    let open = facts.tree.iter().filter(|node| node.kind() == EntryKind::File && node.mode() & 0o002 != 0);
    for node in open.filter(|node| node.layer().is_some()) {
        let path = node.path();
        match surroundings(facts, &path) {
            Surroundings::OutOfReach | Surroundings::Scratch => {}
            // The sticky bit keeps others from deleting a file, not from writing into it.
            Surroundings::Open(top) | Surroundings::Shared(top) => below.entry(top).or_default().push(facts.at(node)),
            Surroundings::Plain => {
                let shown = shown(&path);
                let message = format!("{shown} may be rewritten by every user: chmod o-w {shown}");
                sink.find(facts.at(node), path.display(), message);
            }
        }
    }
    for (top, mut files) in below {
        let count = files.len();
        let first = files.remove(0);
        let shown = shown(&top);
        let message = match count {
            1 => format!("a file below {shown} may be rewritten by every user: chmod -R o-w {shown}"),
            _ => format!("{count} files below {shown} may be rewritten by every user: chmod -R o-w {shown}"),
        };
        sink.find(first, format!("{top}/**"), message).also = files;
    }
}

/// Directories in which everybody may replace anything: writable, and without the sticky bit. Those inside one another are
/// one finding.
pub fn world_writable_directory(facts: &Facts, _: &Params, sink: &mut Sink) {
    let mut tops: BTreeMap<ImagePath, Vec<Location>> = BTreeMap::new();
    let root = facts.tree.get(&ImagePath::root());
    for node in root.into_iter().chain(facts.tree.iter()).filter(|&node| is_open_directory(node)) {
        let path = node.path();
        match surroundings(facts, &path) {
            Surroundings::OutOfReach | Surroundings::Scratch => {}
            Surroundings::Open(top) => tops.entry(top).or_default().push(facts.at(node)),
            Surroundings::Shared(_) | Surroundings::Plain => tops.entry(path).or_default().insert(0, facts.at(node)),
        }
    }
    let volumes: Vec<ImagePath> = facts.config.config.volumes.iter().map(|volume| ImagePath::from(&**volume)).collect();
    for (top, mut places) in tops {
        let at = places.remove(0);
        let more = match places.len() {
            0 => String::new(),
            1 => " (and one directory below it)".to_owned(),
            count => format!(" (and {count} directories below it)"),
        };
        let shown = shown(&top);
        let message = format!(
            "in {shown}{more} every user may replace and delete what others put there: give it to the user who needs it \
             with chown, and chmod o-w"
        );
        let found = sink.find(at, top.display(), message);
        found.also = places;
        if volumes.iter().any(|volume| top.is_within(volume)) {
            found.severity = Some(Severity::Low); // what is mounted there brings its own permissions
        }
    }
}

fn is_open_directory(node: Node<'_>) -> bool {
    node.kind() == EntryKind::Dir && node.mode() & 0o1002 == 0o002 && node.layer().is_some()
}

/// What the directories above a path make of its own bits.
enum Surroundings {
    /// A directory above lets only its owner or group in.
    OutOfReach,
    /// In /tmp or its like, or in one of the kernel's file systems.
    Scratch,
    /// Below this directory, the topmost in which everybody may replace anything.
    Open(ImagePath),
    /// Below this one, the topmost in which everybody may add files, and delete none of others (the sticky bit).
    Shared(ImagePath),
    /// Nothing of these.
    Plain,
}

/// Directories for what may be lost at any time: nothing of the application is to lie there.
const SCRATCH: &[&str] = &["/tmp", "/var/tmp", "/usr/tmp", "/run", "/var/run", "/var/lock"];

fn surroundings(facts: &Facts, path: &ImagePath) -> Surroundings {
    let (mut open, mut shared) = (None, None);
    let mut above = path.parent();
    if ["/dev", "/proc", "/sys"].iter().any(|special| path.is_within(&ImagePath::from(*special))) {
        return Surroundings::Scratch;
    }
    while let Some(directory) = above.filter(|directory| !directory.is_root()) {
        if let Some(node) = facts.tree.get(&directory).filter(|node| node.layer().is_some()) {
            match node.mode() & 0o1003 {
                mode if mode & 0o001 == 0 => return Surroundings::OutOfReach,
                0o1003 if SCRATCH.iter().any(|scratch| directory.is_within(&ImagePath::from(*scratch))) => {
                    return Surroundings::Scratch;
                }
                0o1003 => shared = Some(directory.clone()),
                0o0003 => open = Some(directory.clone()),
                _ => {}
            }
        }
        above = directory.parent();
    }
    open.map(Surroundings::Open).or(shared.map(Surroundings::Shared)).unwrap_or(Surroundings::Plain)
}

/// Directories of `PATH`-like lists in which others than root may put files; see `config.rs`.
pub(in crate::rule::checks) fn open_to_others(facts: &Facts, path: &ImagePath) -> Option<String> {
    let mut nearest = Some(path.clone());
    while let Some(directory) = nearest {
        if let Some(node) = facts.tree.get(&directory).filter(|node| node.layer().is_some()) {
            if node.mode() & 0o002 != 0 {
                return Some(format!("every user may write to {}", shown(&directory)));
            }
            let user = facts.accounts.user_by_id(node.uid()).map(|user| user.name.clone());
            let name = user.unwrap_or_else(|| node.uid().to_string());
            return (node.uid() != 0 && node.mode() & 0o200 != 0)
                .then(|| format!("user {} may write to {}", listed(std::iter::once(&*name), 1), shown(&directory)));
        }
        nearest = directory.parent();
    }
    None
}
