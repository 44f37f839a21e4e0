//! Who runs, and who could log in: the image's user and its account files. Reads no file itself.

use super::quote::{listed, quote};
use crate::facts::{Facts, User};
use crate::model::{ImagePath, Location, Severity};
use crate::rule::{Params, Sink};
use std::collections::{BTreeMap, BTreeSet};

/// Process 1 has uid 0: `User` is empty, says 0, or names an account that has it.
pub fn runs_as_root(facts: &Facts, _: &Params, sink: &mut Sink) {
    if facts.start.uid != Some(0) {
        return;
    }
    let user = facts.config.config.user.as_str();
    let name = user.split(':').next().unwrap_or_default();
    let why = if user.is_empty() {
        "User is empty".to_owned()
    } else if name == "root" || name.is_empty() || number(name).is_some() {
        format!("User is '{user}'")
    } else {
        format!("User is '{user}', and /etc/passwd gives '{name}' uid 0")
    };
    // What replaces itself by the program leaves no root behind; su and sudo stay.
    let drop = facts.start.drops.as_ref().filter(|drop| !matches!(drop.by.as_str(), "su" | "sudo" | "runuser"));
    if let Some(drop) = drop.filter(|drop| drop.uid.is_some_and(|uid| uid != 0)) {
        let (by, to) = (quote(&drop.by), quote(&drop.to));
        let message = format!("the container starts as root and {by} drops to {to}: write USER {to} instead ({why})");
        sink.find(user_setting(), "User", message).severity = Some(Severity::Medium);
        return;
    }
    sink.find(user_setting(), "User", format!("process 1 runs as root: {why}"));
}

/// The primary group is root's though the user is not; silent where the parameter `openshift` says that this is wanted.
pub fn root_group(facts: &Facts, params: &Params, sink: &mut Sink) {
    let wanted = params.get("openshift").and_then(toml::Value::as_bool) == Some(true);
    let (Some(uid), Some(0)) = (facts.start.uid.filter(|uid| *uid != 0), facts.start.gid) else { return };
    if wanted {
        return;
    }
    let (_, group) = user_and_group(&facts.config.config.user);
    let why = match () {
        () if !group.is_empty() => format!("USER names the group {}", quote(group)),
        () if facts.start.user.name.is_some() => "/etc/passwd gives the user the group 0".to_owned(),
        () => "USER names no group, and /etc/passwd does not know the user".to_owned(),
    };
    let message = format!(
        "uid {uid} runs in the group root, which may use all that is open to that group: {why}: write USER {uid}:{uid}"
    );
    sink.find(user_setting(), "group", message);
}

/// `USER` is a name: Kubernetes' `runAsNonRoot` cannot look it up and refuses the container.
pub fn user_not_numeric(facts: &Facts, _: &Params, sink: &mut Sink) {
    let written = &facts.config.config.user;
    let (user, _) = user_and_group(written);
    if user.is_empty() || number(user).is_some() {
        return;
    }
    let resolved = facts.accounts.resolve_user(written);
    let advice = match (resolved.uid, resolved.gid) {
        (Some(0), _) => return, // root by another name: runs-as-root says it
        (Some(uid), Some(gid)) => format!("write USER {uid}:{gid}, the numbers behind it"),
        (Some(uid), None) => format!("write USER {uid}, the number behind it"),
        (None, _) if is_read(facts) => return, // user-unknown says it
        (None, _) => "write USER with a number, such as 10001:10001".to_owned(),
    };
    let message = format!("USER {} is a name, which Kubernetes cannot verify to be non-root: {advice}", quote(user));
    sink.find(user_setting(), user, message);
}

/// `USER` names a user or group that the image's own files do not hold, or a number that no runtime takes.
pub fn user_unknown(facts: &Facts, _: &Params, sink: &mut Sink) {
    let (user, group) = user_and_group(&facts.config.config.user);
    let accounts = &facts.accounts;
    let unread = !is_read(facts);
    let as_user = accounts.resolve_user(user);
    let as_group = accounts.resolve_user(&format!("0:{group}"));
    let parts = [
        (user, "user", "/etc/passwd", as_user.uid, as_user.out_of_range),
        (group, "group", "/etc/group", as_group.gid, as_group.out_of_range),
    ];
    for (name, what, file, id, out_of_range) in parts {
        if name.is_empty() || id.is_some() {
            continue;
        }
        let shown = quote(name);
        let message = if number(name).is_some() {
            format!("{what} id {shown} in USER is out of range: runtimes take 0 to 2147483647")
        } else if out_of_range {
            format!(
                "{file} gives the {what} {shown} of USER a number that no runtime takes: 0 to 2147483647 are possible"
            )
        } else if unread {
            sink.gap(user_setting(), format!("{what} {shown} of USER: {file} was not read wholly"));
            continue;
        } else {
            format!(
                "USER names the {what} {shown}, which {file} does not hold, so that the container cannot start: create it \
                 in the Dockerfile or write a number"
            )
        };
        sink.find(user_setting(), name, message);
    }
}

/// Whether the account files were read wholly, so that who is not in them does not exist.
fn is_read(facts: &Facts) -> bool {
    facts.incomplete.is_empty() && facts.accounts.gaps.is_empty()
}

/// The image's uid is below the parameter `minimum`; silent until that is set.
pub fn uid_below_minimum(facts: &Facts, params: &Params, sink: &mut Sink) {
    let Some(minimum) = params.get("minimum").and_then(toml::Value::as_integer) else {
        return;
    };
    if let Some(uid) = facts.start.uid.filter(|uid| i64::from(*uid) < minimum) {
        let message =
            format!("runs as uid {uid}, below the minimum of {minimum}: write USER with a uid from {minimum}");
        sink.find(user_setting(), "user", message);
    }
}

/// An account that anybody can enter without a password.
pub fn empty_password(facts: &Facts, _: &Params, sink: &mut Sink) {
    let mut open: BTreeMap<&str, Vec<&Location>> = BTreeMap::new();
    for (name, password, at) in passwords(facts) {
        let enters = facts.accounts.user(name).is_none_or(can_log_in);
        if password.is_empty() && enters {
            open.entry(name).or_default().push(at);
        }
    }
    for (name, places) in open {
        let message = format!("user {} has an empty password: lock it with passwd -l, or delete the user", quote(name));
        sink.find(places[0].clone(), name, message).also = places[1..].iter().map(|&at| at.clone()).collect();
    }
}

/// An account beside root with uid 0.
pub fn second_root_account(facts: &Facts, _: &Params, sink: &mut Sink) {
    for user in facts.accounts.users.iter().filter(|user| user.uid == 0 && user.name != "root") {
        let message =
            format!("user {} has uid 0 and so is root by another name: give it a uid of its own", quote(&user.name));
        sink.find(user.at.clone(), &*user.name, message);
    }
}

/// Two users with one uid, or one name on two lines. Who shares uid 0 with root is left to `second-root-account`.
pub fn duplicate_uid(facts: &Facts, _: &Params, sink: &mut Sink) {
    let lines = facts.accounts.users.iter().map(|user| (user.uid, &*user.name, &user.at));
    duplicates("uid", "user", lines, sink);
}

/// Two groups with one gid, or one name on two lines.
pub fn duplicate_gid(facts: &Facts, _: &Params, sink: &mut Sink) {
    let lines = facts.accounts.groups.iter().map(|group| (group.gid, &*group.name, &group.at));
    duplicates("gid", "group", lines, sink);
}

fn duplicates<'a>(id: &str, what: &str, lines: impl Iterator<Item = (u32, &'a str, &'a Location)>, sink: &mut Sink) {
    let mut by_id: BTreeMap<u32, Vec<(&str, &Location)>> = BTreeMap::new();
    let mut by_name: BTreeMap<&str, Vec<(u32, &Location)>> = BTreeMap::new();
    for (number, name, at) in lines {
        if (id, number) != ("uid", 0) || name == "root" {
            by_id.entry(number).or_default().push((name, at));
        }
        by_name.entry(name).or_default().push((number, at));
    }
    for (number, holders) in by_id.iter().filter(|(_, holders)| holders.len() > 1) {
        let mut seen = BTreeSet::new();
        let names: Vec<&str> = holders.iter().map(|(name, _)| *name).filter(|name| seen.insert(*name)).collect();
        let message = if names.len() == 1 {
            format!("{what} {} stands on {} lines: delete all but one", quote(names[0]), holders.len())
        } else {
            let all = listed(names.iter().copied(), 5);
            format!("{id} {number} belongs to {all}, who share each other's files: give each a {id} of its own")
        };
        sink.find(holders[1].1.clone(), format!("{id} {number}"), message).also = all_but_second(holders);
    }
    for (name, holders) in by_name {
        let distinct: BTreeSet<u32> = holders.iter().map(|(number, _)| *number).collect();
        if distinct.len() > 1 {
            let message = format!(
                "{what} {} stands on {} lines with different {id}s, of which logins use the first: delete the others",
                quote(name),
                holders.len()
            );
            sink.find(holders[1].1.clone(), name, message).also = all_but_second(&holders);
        }
    }
}

fn all_but_second<T>(holders: &[(T, &Location)]) -> Vec<Location> {
    holders.iter().enumerate().filter(|(index, _)| *index != 1).map(|(_, (_, at))| (*at).clone()).collect()
}

/// An account with a password in the image, the same in every container. Weak ones are left to `weak-password-hash`.
pub fn password_set(facts: &Facts, _: &Params, sink: &mut Sink) {
    for (name, hash, at) in hidden_hashes(facts).filter(|(_, hash, _)| !hash.weak) {
        let message = format!(
            "user {} had a password ({}) that the image still ships, for everybody to try to crack: {REBUILD}",
            quote(name),
            hash.name
        );
        sink.find(at.clone(), name, message);
    }
    for (name, hash, at) in hashes(facts).filter(|(_, hash, _)| !hash.weak) {
        let message = format!(
            "user {} has a password ({}) that everybody who can pull the image can try to crack: lock it with passwd -l",
            quote(name),
            hash.name
        );
        sink.find(at.clone(), name, message);
    }
}

/// A password whose hash is quickly reversed.
pub fn weak_password_hash(facts: &Facts, _: &Params, sink: &mut Sink) {
    for (name, hash, at) in hidden_hashes(facts).filter(|(_, hash, _)| hash.weak) {
        let message = format!(
            "user {} had a password that the image still ships, hashed with {}, which is cracked in minutes: {REBUILD}",
            quote(name),
            hash.name
        );
        sink.find(at.clone(), name, message);
    }
    for (name, hash, at) in hashes(facts).filter(|(_, hash, _)| hash.weak) {
        let message = format!(
            "the password of user {} is hashed with {}, which is cracked in minutes: lock the account with passwd -l, or hash \
             with yescrypt",
            quote(name),
            hash.name
        );
        sink.find(at.clone(), name, message);
    }
}

/// An account of the system that has a shell to log in with.
pub fn login_shell_for_system_user(facts: &Facts, _: &Params, sink: &mut Sink) {
    let first_person = first_regular_uid(facts);
    for user in &facts.accounts.users {
        if user.uid != 0 && user.uid < first_person && can_log_in(user) {
            let shell = if user.shell.is_empty() { "/bin/sh" } else { &user.shell };
            let message = format!(
                "system user {} (uid {}) has the login shell {}: set it to /usr/sbin/nologin",
                quote(&user.name),
                user.uid,
                quote(shell)
            );
            sink.find(user.at.clone(), &*user.name, message);
        }
    }
}

/// The first uid of people, as `UID_MIN` of /etc/login.defs says it; 1000 without one.
pub(super) fn first_regular_uid(facts: &Facts) -> u32 {
    let text = facts.body(&ImagePath::from("/etc/login.defs")).map(|body| String::from_utf8_lossy(&body.bytes));
    let setting = text.as_deref().unwrap_or("").lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == "UID_MIN").then(|| words.next()?.parse().ok())?
    });
    setting.unwrap_or(1000)
}

/// Whether the user's shell lets anybody in. An empty one is /bin/sh (passwd(5)).
pub(super) fn can_log_in(user: &User) -> bool {
    let shell = user.shell.rsplit('/').next().unwrap_or("");
    !matches!(shell, "nologin" | "false" | "true" | "sync" | "halt" | "shutdown" | "null")
}

/// `User` of the config as its two parts; either may be empty.
pub(super) fn user_and_group(user: &str) -> (&str, &str) {
    user.split_once(':').unwrap_or((user, ""))
}

/// The id that runtimes read from a part of `User` (Go's `strconv.Atoi`); `None` for a name.
fn number(part: &str) -> Option<i64> {
    let digits = part.strip_prefix(['+', '-']).unwrap_or(part);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| part.parse().unwrap_or(i64::MAX))
}

fn user_setting() -> Location {
    Location::config("/config/User")
}

/// Every password field that a login would read: user, field, place. Of several lines with one name in a file the first
/// counts, as getpwnam(3) has it.
fn passwords(facts: &Facts) -> impl Iterator<Item = (&str, &str, &Location)> {
    let users = facts.accounts.users.iter().map(|user| (&*user.name, &*user.password, &user.at));
    let shadow = facts.accounts.shadow.iter().map(|entry| (&*entry.name, &*entry.password, &entry.at));
    let mut seen = BTreeSet::new();
    shadow.chain(users).filter(move |(name, _, at)| {
        let file = match at {
            Location::File { path, .. } => path.as_bytes(),
            _ => b"",
        };
        seen.insert((file, *name))
    })
}

fn hashes(facts: &Facts) -> impl Iterator<Item = (&str, Hash, &Location)> {
    passwords(facts).filter_map(|(name, password, at)| Some((name, Hash::of(password)?, at)))
}

/// What helps against a hash that only a layer holds.
const REBUILD: &str = "rebuild without the step that set it, and change it wherever else it is used";

/// Hashes in hidden versions and backups of the account files, each once; those that a container sees as well left out.
fn hidden_hashes(facts: &Facts) -> impl Iterator<Item = (&str, Hash, &Location)> {
    let mut seen: BTreeSet<(&str, &str)> = passwords(facts).map(|(name, password, _)| (name, password)).collect();
    let hidden = facts.accounts.hidden.iter().filter(move |entry| seen.insert((&entry.name, &entry.password)));
    hidden.filter_map(|entry| Some((&*entry.name, Hash::of(&entry.password)?, &entry.at)))
}

/// A kind of password hash (crypt(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hash {
    name: &'static str,
    weak: bool,
}

/// By the prefix of the password field.
const KINDS: &[(&str, &str, bool)] = &[
    ("$y$", "yescrypt", false),
    ("$gy$", "gost-yescrypt", false),
    ("$7$", "scrypt", false),
    ("$2a$", "bcrypt", false),
    ("$2b$", "bcrypt", false),
    ("$2x$", "bcrypt", false),
    ("$2y$", "bcrypt", false),
    ("$5$", "SHA-256-crypt", false),
    ("$6$", "SHA-512-crypt", false),
    ("$sha1$", "SHA-1-crypt", true),
    ("$md5", "SunMD5", true),
    ("$1$", "MD5-crypt", true),
    ("$3$", "NT hash", true),
];

impl Hash {
    /// What the second field of a passwd or shadow line holds; `None` for a locked account, `x`, an empty field and
    /// anything else that no password can match.
    fn of(field: &str) -> Option<Self> {
        if let Some((_, name, weak)) = KINDS.iter().find(|(prefix, _, _)| field.starts_with(prefix)) {
            return Some(Self { name, weak: *weak });
        }
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/'));
        match field.len() {
            13 if digits(field) => Some(Self { name: "DES-crypt", weak: true }),
            20 if field.starts_with('_') && digits(&field[1..]) => Some(Self { name: "BSDi DES-crypt", weak: true }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_runtimes_read_them() {
        assert_eq!(
            ["0", "00", "+5", "-1", "app", "", "0x1", "1a"].map(number),
            [Some(0), Some(0), Some(5), Some(-1), None, None, None, None]
        );
        assert_eq!(number("99999999999999999999"), Some(i64::MAX));
    }

    #[test]
    fn hashes_by_their_shape() {
        let kind = |field: &str| Hash::of(field).map(|hash| (hash.name, hash.weak));
        let hash = |prefix: &str| format!("{prefix}salt${}", "a".repeat(22));
        assert_eq!(kind(&hash("$6$")), Some(("SHA-512-crypt", false)));
        assert_eq!(kind(&hash("$1$")), Some(("MD5-crypt", true)));
        assert_eq!(kind(&"a".repeat(13)), Some(("DES-crypt", true)));
        assert_eq!(kind(&format!("_{}", "a".repeat(19))), Some(("BSDi DES-crypt", true)));
        for locked in ["", "x", "*", "!", "!!", "!*", "*LK*", "NP", "*************", &format!("!{}", hash("$6$"))] {
            assert_eq!(kind(locked), None, "{locked}");
        }
    }
}
