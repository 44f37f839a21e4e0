//! Users and groups as the image's own files give them.

mod parse;
mod resolve;

pub use resolve::ResolvedUser;

use super::LayerFacts;
use super::file::File;
use crate::layer::Tree;
use crate::model::{ImagePath, Limits, Location, Presence};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// The account files of the image.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// Lines of /etc/passwd that libc takes for a user, in order.
    pub users: Vec<User>,
    /// Lines of /etc/group, the same.
    pub groups: Vec<Group>,
    /// Lines of /etc/shadow, then of BSD's /etc/master.passwd.
    pub shadow: Vec<ShadowEntry>,
    /// Lines with a password that containers do not see, though the image ships them: versions of /etc/shadow, /etc/passwd and
    /// /etc/master.passwd that later layers overwrite or remove, and the backups /etc/shadow- and /etc/passwd-.
    pub hidden: Vec<ShadowEntry>,
    /// Whether /etc/passwd, /etc/group, /etc/shadow exist and were read.
    pub has_passwd: bool,
    /// See `has_passwd`.
    pub has_group: bool,
    /// See `has_passwd`; also with /etc/master.passwd alone.
    pub has_shadow: bool,
    /// Lines that are no account (too few fields, no number, NIS), at most a hundred a file: place and sentence.
    pub problems: Vec<(Location, String)>,
    /// What was not read: a file whose bytes are not held, a line longer than the limit, lines beyond the limit.
    pub gaps: Vec<(Location, String)>,
    /// Bytes of /etc/passwd and /etc/group, which runtimes read in their own way.
    pub(crate) raw: RawAccounts,
    /// Row numbers sorted for lookups; made at the first one.
    pub(crate) index: OnceLock<Index>,
}

/// The account files' bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawAccounts {
    passwd: Option<Arc<[u8]>>,
    group: Option<Arc<[u8]>>,
    /// Whether /etc/passwd is there and its bytes are not.
    passwd_unread: bool,
    /// Longest line taken, bytes; 0 before anything is read.
    line: usize,
}

/// Row numbers in the order of a key; among equal keys in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    users_by_name: Vec<u32>,
    users_by_id: Vec<u32>,
    groups_by_name: Vec<u32>,
    groups_by_id: Vec<u32>,
    shadow_by_name: Vec<u32>,
}

/// A line of /etc/passwd (passwd(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Second field: `x`, a hash, or empty.
    pub password: String,
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell; empty means /bin/sh.
    pub shell: String,
    /// Where the line stands.
    pub at: Location,
}

/// A line of /etc/group (group(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Group id.
    pub gid: u32,
    /// Members by name, primary ones not included.
    pub members: Vec<String>,
    /// Where the line stands.
    pub at: Location,
}

/// A line of /etc/shadow (shadow(5)). The hash itself is not kept in findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowEntry {
    /// Login name.
    pub name: String,
    /// Second field.
    pub password: String,
    /// Where the line stands.
    pub at: Location,
}

impl Accounts {
    /// Reads the account files that a container sees, symbolic links followed. Never fails: what cannot be read is in
    /// `gaps`.
    #[must_use]
    pub fn read(tree: &Tree, layers: &[LayerFacts], limits: &Limits) -> Self {
        let mut accounts = Self { raw: RawAccounts { line: limits.line, ..RawAccounts::default() }, ..Self::default() };
        let mut file = |path: &str| -> Option<(Arc<[u8]>, Location)> {
            match File::read(tree, layers, &ImagePath::from(path)) {
                File::Missing => None,
                File::NotHeld { at } => {
                    accounts.gaps.push((at, format!("{path}: was not read")));
                    None
                }
                File::Held { bytes, at, cut } => {
                    accounts.gaps.extend(cut.map(|why| (at.clone(), why)));
                    Some((bytes, at))
                }
            }
        };
        let passwd = file("/etc/passwd");
        let group = file("/etc/group");
        let shadows = [file("/etc/shadow"), file("/etc/master.passwd")];
        accounts.has_passwd = passwd.is_some();
        accounts.has_group = group.is_some();
        accounts.has_shadow = shadows.iter().any(Option::is_some);
        accounts.raw.passwd_unread = passwd.is_none() && tree.resolve(&ImagePath::from("/etc/passwd")).is_ok();
        if let Some((bytes, at)) = passwd {
            accounts.users = accounts.rows(&bytes, &at, limits, parse::user);
            accounts.raw.passwd = Some(bytes);
        }
        if let Some((bytes, at)) = group {
            accounts.groups = accounts.rows(&bytes, &at, limits, parse::group);
            accounts.raw.group = Some(bytes);
        }
        for (bytes, at) in shadows.into_iter().flatten() {
            let rows = accounts.rows(&bytes, &at, limits, parse::shadow);
            accounts.shadow.extend(rows);
        }
        accounts.hidden = hidden(tree, layers, limits, &mut accounts.gaps);
        accounts
    }

    fn rows<Row>(&mut self, bytes: &[u8], at: &Location, limits: &Limits, read: parse::ReadLine<Row>) -> Vec<Row> {
        let parsed = parse::rows(bytes, at, limits.line, read);
        self.problems.extend(parsed.problems);
        self.gaps.extend(parsed.gaps);
        parsed.rows
    }

    /// The first user of that name, as getpwnam(3) finds it.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&User> {
        first(&self.users, &self.index().users_by_name, |user| user.name.as_str(), name)
    }

    /// The first user with that id.
    #[must_use]
    pub fn user_by_id(&self, uid: u32) -> Option<&User> {
        first(&self.users, &self.index().users_by_id, |user| user.uid, uid)
    }

    /// The first group of that name.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&Group> {
        first(&self.groups, &self.index().groups_by_name, |group| group.name.as_str(), name)
    }

    /// The first group with that id.
    #[must_use]
    pub fn group_by_id(&self, gid: u32) -> Option<&Group> {
        first(&self.groups, &self.index().groups_by_id, |group| group.gid, gid)
    }

    /// The first shadow line of that name.
    #[must_use]
    pub fn shadow_of(&self, name: &str) -> Option<&ShadowEntry> {
        first(&self.shadow, &self.index().shadow_by_name, |entry| entry.name.as_str(), name)
    }

    /// Names of all users of `group`, those whose primary group it is included. Goes through all users.
    #[must_use]
    pub fn members<'a>(&'a self, group: &'a Group) -> BTreeSet<&'a str> {
        let primary = self.users.iter().filter(|user| user.gid == group.gid).map(|user| user.name.as_str());
        group.members.iter().map(String::as_str).chain(primary).collect()
    }

    /// Who the image config's `User` (`name|uid[:group|gid]`) is, as runc, containerd, moby and podman find it. Reads
    /// the files anew, as they do.
    #[must_use]
    pub fn resolve_user(&self, user: &str) -> ResolvedUser {
        resolve::resolve(&self.raw, user)
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index {
            users_by_name: sorted(&self.users, |user| user.name.as_str()),
            users_by_id: sorted(&self.users, |user| user.uid),
            groups_by_name: sorted(&self.groups, |group| group.name.as_str()),
            groups_by_id: sorted(&self.groups, |group| group.gid),
            shadow_by_name: sorted(&self.shadow, |entry| entry.name.as_str()),
        })
    }
}

/// See [`Accounts::hidden`].
fn hidden(tree: &Tree, layers: &[LayerFacts], limits: &Limits, gaps: &mut Vec<(Location, String)>) -> Vec<ShadowEntry> {
    const FILES: &[&str] = &["/etc/shadow", "/etc/passwd", "/etc/master.passwd"];
    const BACKUPS: &[&str] = &["/etc/shadow-", "/etc/passwd-"];
    let is = |files: &[&str], path: &ImagePath| files.iter().any(|file| path.as_bytes() == file.as_bytes());
    let mut found = Vec::new();
    for (index, layer) in (0..).zip(layers) {
        for body in &layer.bodies {
            let Some(path) = layer.entries.get(body.entry).map(|record| record.path()) else { continue };
            let presence = tree.presence(index, body.entry);
            let read = presence == Presence::Visible && is(FILES, &path);
            if read || !is(FILES, &path) && !is(BACKUPS, &path) {
                continue;
            }
            if !body.whole && is(FILES, &path) {
                let at = Location::file(path.clone(), index).with_presence(presence);
                gaps.push((at, format!("{path}: only its first {} bytes were read", body.bytes.len())));
            }
            let at = Location::file(path, index).with_presence(presence);
            let rows = parse::rows(&body.bytes, &at, limits.line, parse::shadow).rows;
            // The shortest hash there is, DES-crypt's, has 13 characters.
            found.extend(
                rows.into_iter().filter(|row| row.password.len() >= 13 && !row.password.starts_with(['!', '*'])),
            );
        }
    }
    found
}

fn sorted<'a, Row, Key: Ord>(rows: &'a [Row], key: impl Fn(&'a Row) -> Key) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows.len()).map_while(|row| u32::try_from(row).ok()).collect();
    order.sort_by_key(|&row| key(&rows[row as usize]));
    order
}

/// The first row of `rows` with this key.
fn first<'a, Row, Key: Ord>(
    rows: &'a [Row],
    order: &[u32],
    key: impl Fn(&'a Row) -> Key,
    want: Key,
) -> Option<&'a Row> {
    let at = order.partition_point(|&row| rows.get(row as usize).is_some_and(|row| key(row) < want));
    rows.get(*order.get(at)? as usize).filter(|row| key(row) == want)
}

#[cfg(test)]
mod tests;
