//! sudo and doas: whether the image holds them, and whom their configuration lets pass without a password.

use super::super::quote::{listed, quote, shown};
use super::aliases::{Aliases, Word};
use super::doas::permits;
use super::sudoers::{Kind, Scope, Sudoers};
use crate::facts::{EntryKind, Facts, FileCapabilities, Node, User, is_powerful};
use crate::model::{ImagePath, Location, Severity};
use crate::rule::{Params, Sink};
use std::collections::{BTreeMap, BTreeSet};

/// Names under which sudo and doas are installed.
const PROGRAMS: &[&str] = &["sudo", "sudo.ws", "sudo-rs", "doas", "opendoas"];

/// sudo or doas is in the image, and works.
pub fn sudo_installed(facts: &Facts, _: &Params, sink: &mut Sink) {
    let linked = linked_by_name(facts);
    let is_linked = |node: Node<'_>| !linked.is_empty() && linked.contains_key(&node.path());
    for node in facts.tree.iter().filter(|&node| is_sudo(node) || is_linked(node)) {
        let path = node.path();
        let works = raises(node);
        if !works && (facts.packages.owner(&path).is_none() || !is_among_programs(&path)) {
            continue; // a stand-in or a start script of that name gives nobody anything
        }
        let fault =
            if works { "lets users become root" } else { "is installed, though without the setuid bit that it needs" };
        let name = linked.get(&path).map_or_else(String::new, |link| format!(", to which {} leads,", shown(link)));
        let message = format!(
            "{}{name} {fault}: remove its package, and start what must drop rights with USER, gosu or setpriv",
            shown(&path)
        );
        let found = sink.find(facts.at(node), path.display(), message);
        if !works {
            found.severity = Some(Severity::Low);
        }
    }
}

/// Files that `sudo-installed` tells of for their bits or capabilities.
pub(super) fn working_sudo(facts: &Facts) -> BTreeSet<ImagePath> {
    let by_name = facts.tree.iter().filter(|&node| is_sudo(node) && raises(node)).map(|node| node.path());
    by_name.chain(linked_by_name(facts).into_keys()).collect()
}

/// Working programs of another name to which a link by the name of sudo or doas leads, with the first such link.
fn linked_by_name(facts: &Facts) -> BTreeMap<ImagePath, ImagePath> {
    let mut found = BTreeMap::new();
    for link in facts.tree.iter().filter(|node| node.kind() == EntryKind::Symlink && has_name(*node)) {
        let path = link.path();
        let real = facts.tree.resolve(&path).ok().filter(|real| real.kind() == EntryKind::File && !has_name(*real));
        if let Some(real) = real.filter(|&real| raises(real) && is_among_programs(&path)) {
            found.entry(real.path()).or_insert(path);
        }
    }
    found
}

fn has_name(node: Node<'_>) -> bool {
    PROGRAMS.iter().any(|name| name.as_bytes() == node.name())
}

fn is_sudo(node: Node<'_>) -> bool {
    node.kind() == EntryKind::File && has_name(node) && node.mode() & 0o111 != 0
}

/// Whether `path` lies where programs lie, unlike `/etc/init.d/sudo`.
fn is_among_programs(path: &ImagePath) -> bool {
    path.parent().is_some_and(|folder| matches!(folder.file_name(), b"bin" | b"sbin"))
}

/// Whether the program gets root's rights, by its setuid bit or by a capability to change its user.
fn raises(node: Node<'_>) -> bool {
    let setuid = node.mode() & 0o4000 != 0 && node.uid() == 0;
    setuid || node.mode() & 0o111 != 0 && may_change_user(node)
}

fn may_change_user(node: Node<'_>) -> bool {
    const CAP_SETUID: u64 = 1 << 7;
    let capabilities = FileCapabilities::of(node).and_then(Result::ok);
    capabilities.is_some_and(|found| found.permitted & CAP_SETUID != 0)
}

/// sudoers and doas.conf entries that ask no password.
pub fn sudoers_nopasswd(facts: &Facts, _: &Params, sink: &mut Sink) {
    let runtime = Runtime::of(facts);
    let files = sudoers_files(facts, sink);
    let mut aliases = Aliases::of(files.iter().map(|(_, sudoers)| sudoers));
    let mut say = Say { runtime: &runtime, sink, inert: !is_installed(facts, "sudo") };
    let mut granted: BTreeSet<Word<'_>> = BTreeSet::new();
    let mut asking: BTreeMap<&Scope, Setting<bool>> = BTreeMap::new();
    let mut exempt: Setting<&str> = Setting::default();
    for (at, sudoers) in &files {
        for (scope, asks, line) in &sudoers.authenticate {
            asking.entry(scope).or_default().set(*asks, at.clone().at_line(*line));
        }
        for (group, line) in &sudoers.exempt {
            exempt.set(group, at.clone().at_line(*line));
        }
        for grant in &sudoers.grants {
            let users = aliases.expand(Kind::User, &grant.users);
            if !grant.without_password.is_empty() {
                let commands = aliases.expand(Kind::Command, &grant.without_password);
                let root = becomes_root(&aliases.expand(Kind::RunAs, &grant.run_as));
                say.grant(at.clone().at_line(grant.line), &users, &commands, root);
            }
            granted.extend(users.into_iter().filter(|_| grant.allows));
        }
    }
    let granted: Vec<Word<'_>> = granted.into_iter().collect();
    for (scope, setting) in asking.into_iter().filter(|(_, setting)| setting.value == Some(false)) {
        match scope {
            Scope::Users(users) => say.defaults(setting, &aliases.expand(Kind::User, users)),
            Scope::All | Scope::Other(_) => say.defaults(setting, &granted),
        }
    }
    if let Some(group) = exempt.value.filter(|group| !group.is_empty() && granted.iter().any(is_somebody)) {
        say.exempt(group, exempt);
    }
    for name in aliases.cut() {
        let reason =
            format!("the alias {} of the sudo rules was not replaced everywhere: it holds too much", quote(name));
        sink.gap(files.first().map_or(Location::Image, |(at, _)| at.clone()), reason);
    }
    let inert = !is_installed(facts, "doas") && !is_installed(facts, "opendoas");
    let mut say = Say { runtime: &runtime, sink, inert };
    for permit in permits(facts).into_iter().filter(|permit| permit.asks_nothing) {
        let commands = [Word::of(permit.command.as_deref().unwrap_or("ALL"))];
        say.grant(permit.at, &[Word::of(&permit.who)], &commands, permit.root);
    }
}

/// Whether the working sudo or doas of the image has a rule that names this group; `None` where rules were not read.
pub(super) fn has_rule_for_group(facts: &Facts, names: &[String]) -> Option<bool> {
    let is_one = |word: &Word<'_>| !word.excluded && names.iter().any(|name| name == word.name);
    if (is_installed(facts, "doas") || is_installed(facts, "opendoas"))
        && permits(facts).iter().any(|permit| is_one(&Word::of(&permit.who)))
    {
        return Some(true);
    }
    if !is_installed(facts, "sudo") {
        return Some(false);
    }
    let mut unread = Sink::default();
    let files = sudoers_files(facts, &mut unread);
    let mut aliases = Aliases::of(files.iter().map(|(_, sudoers)| sudoers));
    let mut grants = files.iter().flat_map(|(_, sudoers)| &sudoers.grants);
    if grants.any(|grant| grant.allows && aliases.expand(Kind::User, &grant.users).iter().any(is_one)) {
        return Some(true);
    }
    (unread.gaps.is_empty() && aliases.cut().next().is_none()).then_some(false)
}

/// A setting of `Defaults`: the last value holds.
#[derive(Default)]
struct Setting<T> {
    value: Option<T>,
    at: Vec<Location>,
}

impl<T: PartialEq> Setting<T> {
    fn set(&mut self, value: T, at: Location) {
        if self.value.as_ref() != Some(&value) {
            self.at.clear();
        }
        self.value = Some(value);
        self.at.push(at);
    }
}

/// Whether a word gives anything to anybody but root.
fn is_somebody(word: &Word<'_>) -> bool {
    !word.excluded && !matches!(word.name, "root" | "#0")
}

/// Whether a program whose name begins so is there, and works.
fn is_installed(facts: &Facts, name: &str) -> bool {
    let fits = |node: &Node<'_>| node.name().starts_with(name.as_bytes()) && is_sudo(*node) && raises(*node);
    let linked = || linked_by_name(facts).into_values().any(|link| link.file_name().starts_with(name.as_bytes()));
    facts.tree.iter().any(|node| fits(&node)) || linked()
}

fn becomes_root(targets: &[Word<'_>]) -> bool {
    let decides = targets.iter().rev().find(|word| matches!(word.name, "root" | "ALL" | "#0"));
    targets.is_empty() || decides.is_some_and(|word| !word.excluded)
}

/// /etc/sudoers and what it includes, in the order that sudo reads them. Without /etc/sudoers those of /etc/sudoers.d,
/// which the file of a package would include.
fn sudoers_files(facts: &Facts, sink: &mut Sink) -> Vec<(Location, Sudoers)> {
    let mut out: Vec<(Location, Sudoers)> = Vec::new();
    // openSUSE keeps its own in /usr/etc, which one in /etc replaces.
    let places = ["/etc/sudoers", "/usr/etc/sudoers"];
    let first = places.iter().find_map(|path| facts.tree.resolve(&ImagePath::from(*path)).ok());
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
            if include.path.contains("%h") {
                let reason = format!("{}: the name of the host decides what is included", quote(&include.path));
                sink.gap(facts.at(node), reason);
                continue;
            }
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

/// The user that containers run as: the words of a sudoers list that mean it. Root gains nothing and is never meant.
struct Runtime {
    words: BTreeSet<String>,
}

impl Runtime {
    fn of(facts: &Facts) -> Self {
        let Some(uid) = facts.start.uid.filter(|uid| *uid != 0) else {
            return Self { words: BTreeSet::new() };
        };
        let users: Vec<&User> = facts.accounts.users.iter().filter(|user| user.uid == uid).collect();
        let names: BTreeSet<&str> = users.iter().map(|user| &*user.name).collect();
        let gids: BTreeSet<u32> = users.iter().map(|user| user.gid).chain(facts.start.gid).collect();
        let mut words: BTreeSet<String> = names.iter().map(|&name| name.to_owned()).collect();
        words.extend(["ALL".to_owned(), format!("#{uid}")]);
        for group in &facts.accounts.groups {
            if gids.contains(&group.gid) || group.members.iter().any(|member| names.contains(&**member)) {
                words.extend([format!("%{}", group.name), format!("%#{}", group.gid)]);
            }
        }
        Self { words }
    }

    /// Whether a sudoers list is about this user; the last word that fits decides.
    fn is_in(&self, list: &[Word<'_>]) -> bool {
        let decides = list.iter().rev().find(|word| self.words.contains(word.name));
        decides.is_some_and(|word| !word.excluded)
    }
}

/// Says findings about entries that ask no password.
struct Say<'a> {
    runtime: &'a Runtime,
    sink: &'a mut Sink,
    /// The program that reads the entries is not in the image.
    inert: bool,
}

/// Names that a finding is known by.
const MOST_NAMES: usize = 50;

impl Say<'_> {
    fn grant(&mut self, at: Location, users: &[Word<'_>], commands: &[Word<'_>], root: bool) {
        let who: Vec<&str> = users.iter().filter(|word| is_somebody(word)).map(|word| word.name).collect();
        if who.is_empty() {
            return;
        }
        // The last word that fits decides: nothing before `!ALL` is allowed.
        let from =
            commands.iter().rposition(|command| command.excluded && command.name == "ALL").map_or(0, |at| at + 1);
        let allowed = || commands[from..].iter().filter(|command| !command.excluded).map(|command| command.name);
        if allowed().next().is_none() {
            return;
        }
        let everything = allowed().any(allows_everything);
        let what = if everything { "any command".to_owned() } else { listed(allowed(), 3) };
        let target = if root { "as root" } else { "as another user" };
        let message = format!("{} may run {what} {target} without a password: delete the entry", whom(&who));
        let severity = match (root, everything && self.reaches(users)) {
            (true, true) => Severity::Critical,
            (true, false) => Severity::High,
            (false, _) => Severity::Medium,
        };
        self.say(vec![at], &who, message, severity);
    }

    fn defaults(&mut self, setting: Setting<bool>, users: &[Word<'_>]) {
        let who: Vec<&str> = users.iter().filter(|word| is_somebody(word)).map(|word| word.name).collect();
        if who.is_empty() {
            return;
        }
        let message = format!("!authenticate lets {} use sudo without a password: delete the setting", whom(&who));
        let severity = if self.reaches(users) { Severity::Critical } else { Severity::High };
        self.say(setting.at, &who, message, severity);
    }

    fn exempt(&mut self, group: &str, setting: Setting<&str>) {
        let word = format!("%{group}");
        let message = format!(
            "exempt_group lets {} use sudo without a password: delete the setting",
            whom(std::slice::from_ref(&&*word))
        );
        let severity = if self.reaches(&[Word::of(&word)]) { Severity::Critical } else { Severity::High };
        self.say(setting.at, &[&word], message, severity);
    }

    fn reaches(&self, users: &[Word<'_>]) -> bool {
        self.runtime.is_in(users) || users.iter().any(|word| word.name == "ALL" && !word.excluded)
    }

    /// Says a finding at the last of these places.
    fn say(&mut self, mut places: Vec<Location>, who: &[&str], mut message: String, severity: Severity) {
        if self.inert {
            message.push_str(" (the program that reads it is not in the image)");
        }
        let at = places.pop().unwrap_or(Location::Image);
        let target = who.get(..MOST_NAMES).unwrap_or(who).join(",");
        let found = self.sink.find(at, target, message);
        found.also = places;
        found.severity = Some(if self.inert { severity.min(Severity::Medium) } else { severity });
    }
}

/// `ALL`, or a program without fixed arguments that does whatever it is told.
fn allows_everything(command: &str) -> bool {
    let name = command.rsplit('/').next().unwrap_or("");
    let is_program = command.starts_with('/') || !command.contains('/'); // doas takes names as well
    command == "ALL" || is_program && is_powerful(name.as_bytes())
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
    fn severity(users: &[&'static str], commands: &[&'static str], root: bool, inert: bool) -> Option<Severity> {
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
        let words = |words: &[&'static str]| words.iter().map(|&word| Word::of(word)).collect::<Vec<_>>();
        let mut sink = Sink::default();
        Say { runtime: &Runtime::of(&facts), sink: &mut sink, inert }.grant(at, &words(users), &words(commands), root);
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
