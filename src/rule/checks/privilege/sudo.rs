//! sudo and doas: whether the image holds them, and whom their configuration lets pass without a password.

use super::super::quote::{listed, quote, shown};
use super::files::is_dangerous;
use super::sudoers::{Grant, Scope, Sudoers};
use crate::facts::{Facts, User};
use crate::layer::{EntryKind, Node};
use crate::model::{ImagePath, Location, Severity};
use crate::rule::{Params, Sink};

/// Names under which sudo and doas are installed.
const PROGRAMS: &[&str] = &["sudo", "sudo.ws", "sudo-rs", "doas", "opendoas"];

/// sudo or doas is in the image, and works.
pub fn sudo_installed(facts: &Facts, _: &Params, sink: &mut Sink) {
    for node in facts.tree.iter().filter(|&node| is_sudo(node)) {
        let path = node.path();
        let works = is_setuid_root(node);
        if !works && (facts.packages.owner(&path).is_none() || !is_among_programs(&path)) {
            continue; // a stand-in or a start script of that name gives nobody anything
        }
        let fault =
            if works { "lets users become root" } else { "is installed, though without the setuid bit that it needs" };
        let message = format!(
            "{} {fault}: remove its package, and start what must drop rights with USER, gosu or setpriv",
            shown(&path)
        );
        let found = sink.find(facts.at(node), path.display(), message);
        if !works {
            found.severity = Some(Severity::Low);
        }
    }
}

fn is_sudo(node: Node<'_>) -> bool {
    node.kind() == EntryKind::File
        && PROGRAMS.iter().any(|name| name.as_bytes() == node.name())
        && node.mode() & 0o111 != 0
}

/// Whether `path` lies where programs lie, unlike `/etc/init.d/sudo`.
fn is_among_programs(path: &ImagePath) -> bool {
    path.parent().is_some_and(|folder| matches!(folder.file_name(), b"bin" | b"sbin"))
}

fn is_setuid_root(node: Node<'_>) -> bool {
    node.mode() & 0o4000 != 0 && node.uid() == 0
}

/// sudoers and doas.conf entries that ask no password.
pub fn sudoers_nopasswd(facts: &Facts, _: &Params, sink: &mut Sink) {
    let runtime = Runtime::of(facts);
    let files = sudoers_files(facts, sink);
    let mut all = Sudoers::default();
    for (_, sudoers) in &files {
        all.adopt(sudoers);
    }
    let mut say = Say { runtime: &runtime, sink, inert: !is_installed(facts, "sudo") };
    let mut users_of_all: Vec<String> = Vec::new();
    let mut settings: Vec<(&Location, &Scope, bool, u32)> = Vec::new();
    for (at, sudoers) in &files {
        settings.extend(sudoers.authenticate.iter().map(|(scope, asks, line)| (at, scope, *asks, *line)));
        for grant in &sudoers.grants {
            let users = all.expand(&grant.users);
            if !grant.without_password.is_empty() {
                let commands = all.expand(&grant.without_password);
                say.grant(at.clone().at_line(grant.line), &users, &commands, becomes_root(&all, grant));
            }
            users_of_all.extend(users);
        }
    }
    users_of_all.sort();
    users_of_all.dedup();
    for (index, (at, scope, _, line)) in settings.iter().enumerate().filter(|(_, (_, _, asks, _))| !asks) {
        // The last of several settings holds.
        if settings[index..].iter().any(|(_, later, asks, _)| later == scope && *asks) {
            continue;
        }
        let users = match scope {
            Scope::Users(users) => all.expand(users),
            Scope::All | Scope::Other => users_of_all.clone(),
        };
        say.defaults((*at).clone().at_line(*line), &users);
    }
    let inert = !is_installed(facts, "doas") && !is_installed(facts, "opendoas");
    doas(facts, &mut Say { runtime: &runtime, sink, inert });
}

/// Whether a program whose name begins so is there, and works.
fn is_installed(facts: &Facts, name: &str) -> bool {
    let fits = |node: &Node<'_>| node.name().starts_with(name.as_bytes()) && is_sudo(*node) && is_setuid_root(*node);
    facts.tree.iter().any(|node| fits(&node))
}

fn becomes_root(all: &Sudoers, grant: &Grant) -> bool {
    let targets = all.expand(&grant.run_as);
    targets.is_empty() || targets.iter().any(|target| matches!(&**target, "root" | "ALL" | "#0"))
}

/// /etc/sudoers and what it includes, in the order that sudo reads them. Without /etc/sudoers those of /etc/sudoers.d,
/// which the file of a package would include.
fn sudoers_files(facts: &Facts, sink: &mut Sink) -> Vec<(Location, Sudoers)> {
    let mut out: Vec<(Location, Sudoers)> = Vec::new();
    let first = facts.tree.resolve(&ImagePath::from("/etc/sudoers")).ok();
    let mut todo: Vec<Node<'_>> = match first {
        Some(node) => vec![node],
        None => drop_ins(facts, &ImagePath::from("/etc/sudoers.d")),
    };
    todo.reverse();
    while let Some(node) = todo.pop().filter(|_| out.len() < 1000) {
        let Some(body) = facts.body_of(node) else {
            if node.size() > 0 {
                sink.gap(facts.at(node), format!("{}: sudo rules in it were not read", shown(&node.path())));
            }
            continue;
        };
        if !body.whole {
            let reason =
                format!("{}: only {} bytes of its sudo rules were read", shown(&node.path()), body.bytes.len());
            sink.gap(facts.at(node), reason);
        }
        let sudoers = Sudoers::read(&String::from_utf8_lossy(&body.bytes));
        let mut more: Vec<Node<'_>> = Vec::new();
        for include in &sudoers.includes {
            let path = node.path().parent().unwrap_or_else(ImagePath::root).join(include.path.as_bytes());
            if include.directory {
                more.extend(drop_ins(facts, &path));
            } else {
                more.extend(facts.tree.resolve(&path).ok());
            }
        }
        todo.extend(more.into_iter().rev());
        out.push((facts.at(node), sudoers));
    }
    out
}

/// Files of an included directory; those with a dot in their name or a tilde at its end are passed over (sudoers(5)).
fn drop_ins<'a>(facts: &'a Facts, directory: &ImagePath) -> Vec<Node<'a>> {
    let Ok(directory) = facts.tree.resolve(directory) else {
        return Vec::new();
    };
    let mut nodes: Vec<Node<'a>> =
        directory.children().filter(|child| !child.name().contains(&b'.') && !child.name().ends_with(b"~")).collect();
    nodes.sort_by_key(Node::name);
    nodes
        .into_iter()
        .filter_map(|node| facts.tree.resolve(&node.path()).ok())
        .filter(|node| node.kind() == EntryKind::File)
        .collect()
}

/// doas.conf(5): `permit nopass user`, `permit nopass :group`.
fn doas(facts: &Facts, say: &mut Say<'_>) {
    let Ok(node) = facts.tree.resolve(&ImagePath::from("/etc/doas.conf")) else {
        return;
    };
    let Some(body) = facts.body_of(node) else {
        return;
    };
    for (line, number) in String::from_utf8_lossy(&body.bytes).lines().zip(1u32..) {
        let mut words = line.split('#').next().unwrap_or("").split_whitespace();
        if words.next() != Some("permit") {
            continue;
        }
        let (mut asks, mut in_environment, mut who) = (true, false, None);
        for word in words.by_ref() {
            match word {
                "nopass" => asks = false,
                "persist" | "keepenv" | "nolog" => {}
                "setenv" | "{" => in_environment = true,
                "}" => in_environment = false,
                _ if in_environment && word.ends_with('}') => in_environment = false,
                _ if in_environment => {}
                _ => {
                    who = Some(word.trim_matches('"'));
                    break;
                }
            }
        }
        let rest: Vec<&str> = words.collect();
        let after = |word: &str| rest.iter().position(|known| *known == word).and_then(|at| rest.get(at + 1)).copied();
        if let (false, Some(who)) = (asks, who) {
            let users = [who.strip_prefix(':').map_or_else(|| who.to_owned(), |group| format!("%{group}"))];
            let commands = [after("cmd").unwrap_or("ALL").to_owned()];
            let root = after("as").is_none_or(|user| user == "root");
            say.grant(facts.at(node).at_line(number), &users, &commands, root);
        }
    }
}

/// The user that containers run as, with its names and groups.
struct Runtime<'a> {
    uid: Option<u32>,
    users: Vec<&'a User>,
    groups: Vec<(&'a str, u32)>,
}

impl<'a> Runtime<'a> {
    fn of(facts: &'a Facts) -> Self {
        let uid = facts.start.uid;
        let users: Vec<&User> = facts.accounts.users.iter().filter(|user| Some(user.uid) == uid).collect();
        let holds = |group: &crate::facts::Group| {
            facts.start.gid == Some(group.gid)
                || users.iter().any(|user| user.gid == group.gid || group.members.contains(&user.name))
        };
        let groups = facts.accounts.groups.iter().filter(|group| holds(group)).map(|g| (&*g.name, g.gid)).collect();
        Self { uid, users, groups }
    }

    /// Whether a sudoers list is about this user; the last word that fits decides. Root gains nothing and is never meant.
    fn is_in(&self, list: &[String]) -> bool {
        let fits = |word: &str| match word.strip_prefix('%') {
            Some(group) => self
                .groups
                .iter()
                .any(|(name, gid)| *name == group || group.strip_prefix('#') == Some(&gid.to_string())),
            None => {
                word == "ALL"
                    || self
                        .users
                        .iter()
                        .any(|user| user.name == word || word.strip_prefix('#') == Some(&user.uid.to_string()))
            }
        };
        let decides = list.iter().rev().find(|word| fits(word.trim_start_matches('!')));
        self.uid.is_some_and(|uid| uid != 0) && decides.is_some_and(|word| !word.starts_with('!'))
    }
}

/// Says findings about entries that ask no password.
struct Say<'a> {
    runtime: &'a Runtime<'a>,
    sink: &'a mut Sink,
    /// The program that reads the entries is not in the image.
    inert: bool,
}

impl Say<'_> {
    fn grant(&mut self, at: Location, users: &[String], commands: &[String], root: bool) {
        let who: Vec<&str> =
            users.iter().map(|user| &**user).filter(|user| !user.starts_with('!') && *user != "root").collect();
        if who.is_empty() {
            return;
        }
        let everything = commands.iter().any(|command| allows_everything(command));
        let what =
            if everything { "any command".to_owned() } else { listed(commands.iter().map(|command| &**command), 3) };
        let target = if root { "as root" } else { "as another user" };
        let message = format!("{} may run {what} {target} without a password: delete the entry", whom(&who));
        let severity = match (root, everything && self.reaches(users)) {
            (true, true) => Severity::Critical,
            (true, false) => Severity::High,
            (false, _) => Severity::Medium,
        };
        self.say(at, &who, message, severity);
    }

    fn defaults(&mut self, at: Location, users: &[String]) {
        let who: Vec<&str> =
            users.iter().map(|user| &**user).filter(|user| !user.starts_with('!') && *user != "root").collect();
        if who.is_empty() {
            return;
        }
        let message = format!("!authenticate lets {} use sudo without a password: delete the setting", whom(&who));
        let severity = if self.reaches(users) { Severity::Critical } else { Severity::High };
        self.say(at, &who, message, severity);
    }

    fn reaches(&self, users: &[String]) -> bool {
        self.runtime.is_in(users) || users.iter().any(|user| user == "ALL")
    }

    fn say(&mut self, at: Location, who: &[&str], mut message: String, severity: Severity) {
        if self.inert {
            message.push_str(" (the program that reads it is not in the image)");
        }
        let found = self.sink.find(at, who.join(","), message);
        found.severity = Some(if self.inert { severity.min(Severity::Medium) } else { severity });
    }
}

/// `ALL`, or a program without fixed arguments that does whatever it is told.
fn allows_everything(command: &str) -> bool {
    let name = command.rsplit('/').next().unwrap_or("");
    command == "ALL" || command.starts_with('/') && is_dangerous(name.as_bytes())
}

fn whom(users: &[&str]) -> String {
    match users {
        _ if users.contains(&"ALL") => "everybody".to_owned(),
        [one] => match one.strip_prefix('%') {
            Some(group) => format!("everybody in the group {}", quote(group)),
            None => format!("user {}", quote(one)),
        },
        many => listed(many.iter().copied(), 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Group;

    /// The severity of an entry for `users` in an image that runs as `app` (uid 1000, groups app and wheel).
    fn severity(users: &[&str], commands: &[&str], root: bool, inert: bool) -> Option<Severity> {
        let at = Location::Image;
        let user = |name: &str, uid| User {
            name: name.to_owned(),
            password: "x".to_owned(),
            uid,
            gid: uid,
            home: String::new(),
            shell: String::new(),
            at: at.clone(),
        };
        let group = |name: &str, gid, members: &[&str]| Group {
            name: name.to_owned(),
            gid,
            members: members.iter().map(|&member| member.to_owned()).collect(),
            at: at.clone(),
        };
        let mut facts = Facts::default();
        facts.accounts.users = vec![user("root", 0), user("app", 1000), user("other", 1001)];
        facts.accounts.groups =
            vec![group("app", 1000, &[]), group("wheel", 10, &["app"]), group("dev", 20, &["other"])];
        facts.start.uid = Some(1000);
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let mut sink = Sink::default();
        Say { runtime: &Runtime::of(&facts), sink: &mut sink, inert }.grant(at, &owned(users), &owned(commands), root);
        sink.found.first().map(|found| found.severity.expect("always graded"))
    }

    #[test]
    fn graded_by_whom_it_reaches() {
        for (users, expected) in [
            (&["app"][..], Severity::Critical),
            (&["ALL"], Severity::Critical),
            (&["#1000"], Severity::Critical),
            (&["%wheel"], Severity::Critical),
            (&["%#10"], Severity::Critical),
            (&["other", "app"], Severity::Critical),
            (&["other"], Severity::High),
            (&["%dev"], Severity::High),
            (&["%wheel", "!app"], Severity::High),
        ] {
            assert_eq!(severity(users, &["ALL"], true, false), Some(expected), "{users:?}");
        }
        assert_eq!(severity(&["root"], &["ALL"], true, false), None);
        assert_eq!(severity(&["!app"], &["ALL"], true, false), None);
    }

    #[test]
    fn graded_by_what_it_allows() {
        for (commands, expected) in [
            (&["/usr/bin/systemctl restart app"][..], Severity::High),
            (&["/bin/bash"], Severity::Critical),
            (&["/usr/bin/a", "/usr/bin/python3.11"], Severity::Critical),
            (&["/usr/bin/vim /etc/motd"], Severity::High),
        ] {
            assert_eq!(severity(&["app"], commands, true, false), Some(expected), "{commands:?}");
        }
        assert_eq!(severity(&["app"], &["ALL"], false, false), Some(Severity::Medium));
        assert_eq!(severity(&["app"], &["ALL"], true, true), Some(Severity::Medium));
    }
}
