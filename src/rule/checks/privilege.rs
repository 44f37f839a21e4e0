//! Ways to more rights than one was given, in accounts, history and config. What files and their bits allow stands in
//! `privilege/files.rs`, the sudo configuration in `privilege/sudo.rs`.

mod aliases;
mod doas;
mod files;
mod sudo;
mod sudoers;

pub use files::{file_capability, setuid_dangerous, setuid_file, world_writable_directory, world_writable_file};
pub(super) use files::{may_bind_low_ports, open_to_others};
use sudo::has_rule_for_group;
pub use sudo::{sudo_installed, sudoers_nopasswd};

use super::identity::{can_log_in, user_and_group};
use super::quote::{quote, shown};
use crate::facts::{Command, EntryKind, Facts, Group, User};
use crate::model::{ImagePath, Location, Severity};
use crate::rule::{Params, Sink};
use std::collections::{BTreeMap, BTreeSet};

/// A RUN step runs sudo or doas. Its arguments are not shown: they may hold a secret.
pub fn sudo_in_build(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in &facts.history.steps {
        let mut effective = step.instruction.commands.iter().filter_map(Command::effective);
        if let Some(found) = effective.find(|effective| effective.uses_sudo) {
            let message = format!(
                "a RUN step runs {} through sudo: write USER root before the step and the application's user after it, \
                 and leave sudo out of the image",
                quote(found.program)
            );
            sink.find(step.location(), format!("sudo {}", found.program), message);
        }
    }
}

/// Groups whose members are root in all but name, or read what others may not: name, what they can do, how bad.
const GROUPS: &[(&str, &str, Severity)] = &[
    ("sudo", SUDO, Severity::Medium),
    ("wheel", SUDO, Severity::Medium),
    ("admin", SUDO, Severity::Medium),
    ("docker", "rules the host wherever the Docker socket is mounted", Severity::Medium),
    ("podman", "rules the host wherever the Podman socket is mounted", Severity::Medium),
    ("lxd", "rules the host wherever the LXD socket is mounted", Severity::Medium),
    ("incus-admin", "rules the host wherever the Incus socket is mounted", Severity::Medium),
    ("libvirt", "rules the machines of libvirt", Severity::Medium),
    ("disk", "reads and writes block devices past all file permissions", Severity::Medium),
    ("shadow", "reads the password hashes of /etc/shadow", Severity::Medium),
    ("gshadow", "reads the password hashes of /etc/gshadow", Severity::Medium),
    ("kmem", "reads the memory of the kernel", Severity::Medium),
    ("adm", "reads the system's logs", Severity::Low),
    ("systemd-journal", "reads the system's logs", Severity::Low),
    ("root", "reads and writes what is open to the group root", Severity::Info),
];

/// What the rules of sudo and doas give a group, not the group itself.
const SUDO: &str = "runs commands as root through sudo or doas";

/// A privileged group of the image: all lines of /etc/group with its name.
struct Privileged<'a> {
    name: &'static str,
    power: &'static str,
    severity: Severity,
    lines: Vec<&'a Group>,
}

impl<'a> Privileged<'a> {
    fn all(facts: &'a Facts) -> impl Iterator<Item = Self> {
        GROUPS.iter().filter_map(|&(name, power, severity)| {
            let lines: Vec<&Group> = facts.accounts.groups.iter().filter(|group| group.name == name).collect();
            (!lines.is_empty()).then(|| Self { name, power, severity, lines }.configured(facts))
        })
    }

    /// The groups of administrators are worth what sudo and doas are told about them.
    fn configured(mut self, facts: &Facts) -> Self {
        if self.power == SUDO {
            let numbers = self.lines.iter().map(|group| format!("%#{}", group.gid));
            let words: Vec<String> = numbers.chain([format!("%{}", self.name)]).collect();
            if has_rule_for_group(facts, &words) == Some(false) {
                self.power = "becomes root as soon as sudo or doas come with their usual rules";
                self.severity = Severity::Info;
            }
        }
        self
    }

    /// Members by name, with the line that makes them one.
    fn members(&self, facts: &'a Facts) -> BTreeMap<&'a str, &'a Location> {
        let mut members = BTreeMap::new();
        for &group in &self.lines {
            for name in &group.members {
                members.entry(&**name).or_insert(&group.at);
            }
        }
        let gids: BTreeSet<u32> = self.lines.iter().map(|group| group.gid).filter(|gid| *gid != 0).collect();
        for user in facts.accounts.users.iter().filter(|user| gids.contains(&user.gid)) {
            members.entry(&*user.name).or_insert(&user.at);
        }
        members
    }
}

/// Accounts that belong to a group which amounts to root.
pub fn privileged_group_member(facts: &Facts, _: &Params, sink: &mut Sink) {
    for group in Privileged::all(facts) {
        for (name, at) in group.members(facts) {
            let Some(user) = facts.accounts.user(name) else {
                continue; // a member who does not exist
            };
            let runs = is_image_user(facts, user);
            if user.uid == 0 || !(runs || is_person(user)) {
                continue;
            }
            let who = if runs { "the image's user" } else { "user" };
            let message = format!(
                "{who} {} is in the group {}, which {}: take it out with gpasswd -d",
                quote(name),
                quote(group.name),
                group.power
            );
            let found = sink.find(at.clone(), format!("{name} in {}", group.name), message);
            let stock = is_stock_ubuntu(user) && !runs;
            found.severity = Some(if stock { group.severity.min(Severity::Low) } else { group.severity });
        }
        config_group(facts, &group, sink);
    }
}

/// `USER app:docker` gives a group that no account file tells of.
fn config_group(facts: &Facts, privileged: &Privileged<'_>, sink: &mut Sink) {
    let (user, group) = user_and_group(&facts.config.config.user);
    let gid = group.parse::<u32>().ok();
    let named = privileged.lines.iter().find(|known| known.name == group || gid == Some(known.gid));
    let Some(named) = named.filter(|named| named.gid != 0 && facts.start.uid != Some(0)) else {
        return;
    };
    let member = facts.accounts.user(user).is_some_and(|user| user.gid == named.gid)
        || named.members.iter().any(|member| member == user);
    if !member {
        let Privileged { name, power, severity, .. } = privileged;
        let message = format!("USER gives the container the group {}, which {power}: name another", quote(name));
        let at = Location::config("/config/User");
        sink.find(at, format!("USER in {name}"), message).severity = Some(*severity);
    }
}

/// Whether containers run as this user.
fn is_image_user(facts: &Facts, user: &User) -> bool {
    facts.start.uid == Some(user.uid) || user_and_group(&facts.config.config.user).0 == user.name
}

/// Somebody who could log in. The static accounts of distributions (below 100) come with odd groups and no way in.
fn is_person(user: &User) -> bool {
    user.uid >= 100 && can_log_in(user)
}

/// The user that Ubuntu's own images bring since 24.04.
fn is_stock_ubuntu(user: &User) -> bool {
    user.name == "ubuntu" && user.uid == 1000
}

/// su asks every user for root's password instead of a chosen group.
pub fn su_unrestricted(facts: &Facts, _: &Params, sink: &mut Sink) {
    let su = facts.tree.iter().filter(|node| node.name() == b"su" && node.kind() == EntryKind::File);
    for node in su.filter(|node| node.mode() & 0o4111 > 0o4000 && node.uid() == 0) {
        let pam = facts.body(&ImagePath::from("/etc/pam.d/su")).map(|body| String::from_utf8_lossy(&body.bytes));
        let restricted = pam.as_deref().unwrap_or("").lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some("auth")
                && line.contains("pam_wheel.so")
                && !matches!(words.next(), Some("sufficient" | "optional"))
        });
        if !restricted {
            let message = format!(
                "{} lets every user try root's password: remove it, or require pam_wheel.so in /etc/pam.d/su",
                shown(&node.path())
            );
            sink.find(facts.at(node), node.path().display(), message);
        }
    }
}

/// Sockets whose owner rules the host: base name, what it belongs to.
const SOCKETS: &[(&str, &str)] = &[
    ("docker.sock", "Docker"),
    ("docker-cli.sock", "Docker"),
    ("containerd.sock", "containerd"),
    ("containerd.sock.ttrpc", "containerd"),
    ("podman.sock", "Podman"),
    ("crio.sock", "CRI-O"),
    ("cri-dockerd.sock", "Docker"),
    ("dockershim.sock", "Docker"),
    ("buildkitd.sock", "BuildKit"),
];

/// Variables that point a client to its daemon.
const SOCKET_VARIABLES: &[(&str, &str)] = &[
    ("DOCKER_HOST", "Docker"),
    ("CONTAINER_HOST", "Podman"),
    ("CONTAINERD_ADDRESS", "containerd"),
    ("CONTAINER_RUNTIME_ENDPOINT", "the container runtime"),
    ("BUILDKIT_HOST", "BuildKit"),
];

/// The image expects the control socket of a container engine.
pub fn container_socket(facts: &Facts, _: &Params, sink: &mut Sink) {
    let config = &facts.config.config;
    let advice = "whoever holds it is root on the host: reach the engine over an API that grants only what is needed";
    for volume in &config.volumes {
        if let Some(engine) = socket_in(volume) {
            let message = format!("VOLUME {} is the control socket of {engine}; {advice}", quote(volume));
            sink.find(Location::config(pointer("/config/Volumes", volume)), volume, message);
        }
    }
    for (index, entry) in config.env.iter().enumerate() {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        let by_name = SOCKET_VARIABLES.iter().find(|(variable, _)| *variable == name);
        let local = value.starts_with("unix:") || value.starts_with('/') || value.starts_with("npipe:");
        if let Some(engine) = by_name.filter(|_| local).map(|(_, engine)| *engine).or_else(|| socket_in(value)) {
            let message = format!("ENV {} points to the control socket of {engine}; {advice}", quote(name));
            sink.find(Location::config(format!("/config/Env/{index}")), name, message);
        }
    }
    for (key, words) in [("Entrypoint", &config.entrypoint), ("Cmd", &config.cmd)] {
        for (index, word) in words.iter().flatten().enumerate() {
            if let Some(engine) = socket_in(word) {
                let message = format!("{} names the control socket of {engine}; {advice}", key.to_uppercase());
                sink.find(Location::config(format!("/config/{key}/{index}")), key, message);
            }
        }
    }
    for node in facts.tree.iter() {
        let target = if node.kind() == EntryKind::Symlink { base_name(node.link()) } else { b"" };
        let engine = SOCKETS.iter().find(|(name, _)| [node.name(), target].contains(&name.as_bytes()));
        if let Some((_, engine)) = engine.filter(|_| node.kind() != EntryKind::Dir) {
            let message = format!("{} stands for the control socket of {engine}; {advice}", shown(&node.path()));
            sink.find(facts.at(node), node.path().display(), message);
        }
    }
}

/// The engine whose socket `text` names as a path.
fn socket_in(text: &str) -> Option<&'static str> {
    let named = |name: &str| {
        text.match_indices(name).any(|(start, _)| {
            let after = text[start + name.len()..].chars().next();
            text[..start].ends_with('/') && !after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        })
    };
    SOCKETS.iter().find(|(name, _)| named(name)).map(|(_, engine)| *engine)
}

fn base_name(link: &[u8]) -> &[u8] {
    link.rsplit(|&b| b == b'/').next().unwrap_or(b"")
}

/// `parent/key` as a JSON pointer (RFC 6901).
fn pointer(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_by_whole_name() {
        assert_eq!(socket_in("unix:///var/run/docker.sock"), Some("Docker"));
        assert_eq!(socket_in("--host=/run/containerd/containerd.sock,x"), Some("containerd"));
        for other in ["/run/docker.sock.md", "/run/mydocker.sock", "docker.sock", "/run/mysqld/mysqld.sock", ""] {
            assert_eq!(socket_in(other), None, "{other}");
        }
    }
}
