//! Who `User` is: the reading of runc, containerd, moby and podman, which take other lines for accounts than libc does.

use super::RawAccounts;
use crate::facts::file::lines;
use crate::model::visible;

/// Ids are at most 2^31 - 1 to runtimes, though Linux has more.
const MOST: i64 = i32::MAX as i64;

/// Supplementary groups kept (Linux' NGROUPS_MAX).
const MOST_GROUPS: usize = 65_536;

/// The outcome of reading `User`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvedUser {
    /// The user's number; `None` when a runtime refuses the user, or it cannot be known.
    pub uid: Option<u32>,
    /// The primary group's number.
    pub gid: Option<u32>,
    /// Supplementary groups in the order of /etc/group; empty when `User` names a group.
    pub groups: Vec<u32>,
    /// The login name, when /etc/passwd has one.
    pub name: Option<String>,
    /// Whether the account files have the user or group, with an id that no runtime takes.
    pub out_of_range: bool,
    /// Why `uid` or `gid` is `None`.
    pub why: Option<String>,
}

/// One half of `User`.
enum Asked<'a> {
    Nothing,
    Number(i64),
    Name(&'a str),
}

/// A line of an account file to a runtime: a missing or strange number is 0.
struct Line<'a> {
    name: &'a [u8],
    fields: Vec<&'a [u8]>,
}

pub(super) fn resolve(files: &RawAccounts, user: &str) -> ResolvedUser {
    let (user, group) = user.split_once(':').unwrap_or((user, ""));
    let mut found = ResolvedUser::default();
    let Ok(asked) = Asked::read(user) else {
        found.why = Some(format!("user {user}: not between 0 and {MOST}"));
        return found;
    };
    // A number is never taken for a name; nothing asked means uid 0, which passwd may give a group.
    let line = files.find(files.passwd.as_deref(), |line| match asked {
        Asked::Nothing => line.number(2) == 0,
        Asked::Number(uid) => line.number(2) == uid,
        Asked::Name(name) => line.name == name.as_bytes(),
    });
    if files.passwd_unread {
        found.uid = if let Asked::Number(uid) = asked { in_range(uid) } else { None };
        found.why = Some(format!("user {user}: /etc/passwd was not read"));
        return found;
    }
    let (uid, gid) = match (&line, &asked) {
        (Some(line), _) => (line.number(2), line.number(3)),
        (None, Asked::Number(uid)) => (*uid, 0),
        (None, Asked::Nothing) => (0, 0),
        (None, Asked::Name(name)) => {
            found.why = Some(match files.passwd {
                Some(_) => format!("user {name}: not in /etc/passwd"),
                None => format!("user {name}: there is no /etc/passwd to find it in"),
            });
            return found;
        }
    };
    found.uid = in_range(uid);
    found.gid = in_range(gid);
    found.out_of_range = found.uid.is_none() || found.gid.is_none();
    if found.out_of_range {
        found.why = Some(format!("user {user}: /etc/passwd gives it an id that is not between 0 and {MOST}"));
    }
    let name = line.map(|line| line.name).filter(|name| !name.is_empty());
    found.name = name.map(|name| visible(name).into_owned());
    if group.is_empty() {
        if let Some(name) = name {
            found.groups = files.groups_of(name);
        }
        return found;
    }
    let asked = Asked::read(group);
    let line = files.find(files.group.as_deref(), |line| match asked {
        Ok(Asked::Number(gid)) => line.number(2) == gid,
        Ok(Asked::Name(name)) => line.name == name.as_bytes(),
        Ok(Asked::Nothing) | Err(()) => false,
    });
    found.out_of_range = found.uid.is_none() || line.as_ref().is_some_and(|line| in_range(line.number(2)).is_none());
    found.gid = match (line, asked) {
        (Some(line), _) => in_range(line.number(2)),
        (None, Ok(Asked::Number(gid))) => in_range(gid),
        (None, _) => None,
    };
    if found.gid.is_none() {
        // The runtime refuses the whole start; the user's number is still what was meant.
        found.why = Some(format!("group {group}: not in /etc/group, and no number between 0 and {MOST}"));
    }
    found
}

impl<'a> Asked<'a> {
    /// As Go's strconv.Atoi: a sign and digits are a number, of any length; all else is a name.
    fn read(text: &'a str) -> Result<Self, ()> {
        match atoi(text.as_bytes()) {
            _ if text.is_empty() => Ok(Self::Nothing),
            None => Ok(Self::Name(text)),
            Some(number) if (0..=MOST).contains(&number) => Ok(Self::Number(number)),
            Some(_) => Err(()),
        }
    }
}

impl Line<'_> {
    fn number(&self, field: usize) -> i64 {
        self.fields.get(field).and_then(|digits| atoi(digits)).unwrap_or(0)
    }
}

impl RawAccounts {
    fn find<'a>(&self, file: Option<&'a [u8]>, matches: impl Fn(&Line<'a>) -> bool) -> Option<Line<'a>> {
        self.lines(file).find(matches)
    }

    fn lines<'a>(&self, file: Option<&'a [u8]>) -> impl Iterator<Item = Line<'a>> + use<'a> {
        let longest = self.line;
        let whole = lines(file.unwrap_or_default()).filter(move |(_, line)| line.len() <= longest);
        whole.map(|(_, line)| line.trim_ascii()).filter(|line| !line.is_empty()).map(|line| {
            let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').take(7).collect();
            Line { name: fields.first().copied().unwrap_or_default(), fields }
        })
    }

    fn groups_of(&self, name: &[u8]) -> Vec<u32> {
        let mut groups: Vec<u32> = Vec::new();
        for line in self.lines(self.group.as_deref()) {
            let members = line.fields.get(3).copied().unwrap_or_default();
            if !line.name.starts_with(b"#") && members.split(|&byte| byte == b',').any(|member| member == name) {
                groups.extend(in_range(line.number(2)));
            }
            if groups.len() >= MOST_GROUPS {
                break;
            }
        }
        groups
    }
}

/// A sign and decimal digits; beyond 64 bits the nearest number there is. `None` for anything else.
fn atoi(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number =
        digits.iter().fold(0i64, |number, digit| number.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(if negative { -number } else { number })
}

fn in_range(id: i64) -> Option<u32> {
    u32::try_from(id).ok().filter(|&id| i64::from(id) <= MOST)
}
