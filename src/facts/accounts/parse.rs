//! Account files line by line, as libc takes them: what it skips is skipped, and said.

use super::{Group, ShadowEntry, User};
use crate::facts::file::lines;
use crate::model::{Location, visible};

/// Accounts read from one file; far more than any real one has, and a bound on what a hostile one costs.
const MOST_ROWS: usize = 1 << 16;

/// Names in lists of one file, such as a group's members; the same.
const MOST_NAMES: usize = 1 << 18;

/// Problems told of one file.
const MOST_PROBLEMS: usize = 100;

/// Reads the fields of one line; an error says what is wrong with it.
pub(super) type ReadLine<Row> = fn(&[&[u8]], &Location, u32) -> Result<Row, &'static str>;

/// What one file gave.
pub(super) struct Parsed<Row> {
    pub(super) rows: Vec<Row>,
    pub(super) problems: Vec<(Location, String)>,
    pub(super) gaps: Vec<(Location, String)>,
}

/// All rows of a file. Blank lines and comments are skipped in silence, lines that are no account with a problem,
/// lines longer than `longest` and rows beyond a bound with a gap.
pub(super) fn rows<Row>(bytes: &[u8], at: &Location, longest: usize, read: ReadLine<Row>) -> Parsed<Row> {
    let mut parsed = Parsed { rows: Vec::new(), problems: Vec::new(), gaps: Vec::new() };
    let mut beyond = 0usize;
    let mut names = 0usize;
    let mut carriage_returns = false;
    for (number, whole) in lines(bytes) {
        let place = || at.clone().at_line(number);
        if whole.len() > longest {
            let why = format!("line of {} bytes: longer than {longest}, not read", whole.len());
            if parsed.gaps.len() < MOST_PROBLEMS {
                parsed.gaps.push((place(), why));
            }
            continue;
        }
        carriage_returns |= whole.ends_with(b"\r");
        let line = whole.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        names += memchr::memchr_iter(b',', line).count();
        if parsed.rows.len() >= MOST_ROWS || names > MOST_NAMES {
            beyond += 1;
            continue;
        }
        let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').take(12).collect();
        let row = if line.contains(&0) {
            Err("a NUL byte in the line: no account")
        } else if line.starts_with(b"+") || line.starts_with(b"-") {
            Err("an NIS line: what it includes is not in the image")
        } else {
            read(&fields, at, number)
        };
        match row {
            Ok(row) => parsed.rows.push(row),
            Err(why) if parsed.problems.len() < MOST_PROBLEMS => parsed.problems.push((place(), why.to_owned())),
            Err(_) => {}
        }
    }
    if beyond > 0 {
        parsed.gaps.push((
            at.clone(),
            format!(
                "{beyond} more lines: only the first {MOST_ROWS} accounts and {MOST_NAMES} names in lists were read"
            ),
        ));
    }
    if carriage_returns {
        parsed.problems.push((at.clone(), "lines end with a carriage return: it belongs to the last field".to_owned()));
    }
    parsed
}

pub(super) fn user(fields: &[&[u8]], at: &Location, line: u32) -> Result<User, &'static str> {
    let [name, password, uid, gid, rest @ ..] = fields else { return Err(FEW) };
    Ok(User {
        name: named(name)?,
        password: text(password),
        uid: id(uid)?,
        gid: id(gid)?,
        home: rest.get(1).map_or_else(String::new, |home| text(home)),
        shell: rest.get(2).map_or_else(String::new, |shell| text(shell)),
        at: at.clone().at_line(line),
    })
}

pub(super) fn group(fields: &[&[u8]], at: &Location, line: u32) -> Result<Group, &'static str> {
    let [name, _, gid, rest @ ..] = fields else { return Err(FEW) };
    let members = rest.first().into_iter().flat_map(|members| members.split(|&byte| byte == b','));
    Ok(Group {
        name: named(name)?,
        gid: id(gid)?,
        members: members.map(<[u8]>::trim_ascii).filter(|name| !name.is_empty()).map(text).collect(),
        at: at.clone().at_line(line),
    })
}

pub(super) fn shadow(fields: &[&[u8]], at: &Location, line: u32) -> Result<ShadowEntry, &'static str> {
    let [name, password, ..] = fields else { return Err(FEW) };
    Ok(ShadowEntry { name: named(name)?, password: text(password), at: at.clone().at_line(line) })
}

const FEW: &str = "too few fields: no account";

fn named(name: &[u8]) -> Result<String, &'static str> {
    if name.is_empty() { Err("an empty name: no account") } else { Ok(text(name)) }
}

fn id(field: &[u8]) -> Result<u32, &'static str> {
    let digits = field.strip_prefix(b"+").unwrap_or(field);
    let number = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number.and_then(|digits| digits.parse().ok()).ok_or("an id that is no number of 32 bits: no account")
}

fn text(field: &[u8]) -> String {
    visible(field).into_owned()
}
