//! The records of a PAX extended header: `length key=value`, the last of a key wins, an empty value takes nothing.

use super::error::TarTrouble;
use super::header::decimal;
use crate::layer::Entry;
use std::collections::BTreeMap;

/// GNU's keys for sparse files.
pub(super) mod key {
    pub(in super::super) const MAJOR: &str = "GNU.sparse.major";
    pub(in super::super) const MINOR: &str = "GNU.sparse.minor";
    pub(in super::super) const MAP: &str = "GNU.sparse.map";
    pub(in super::super) const NAME: &str = "GNU.sparse.name";
    pub(in super::super) const BLOCKS: &str = "GNU.sparse.numblocks";
    pub(in super::super) const SIZE: &str = "GNU.sparse.size";
    pub(in super::super) const REAL_SIZE: &str = "GNU.sparse.realsize";
    pub(super) const OFFSET: &str = "GNU.sparse.offset";
    pub(super) const BYTES: &str = "GNU.sparse.numbytes";
}

const XATTR: &[u8] = b"SCHILY.xattr.";

/// What [`Records::apply`] puts into an entry, and what sparse files are made of.
fn is_applied(key: &[u8]) -> bool {
    const KEYS: [&[u8]; 8] = [b"path", b"linkpath", b"size", b"uid", b"gid", b"mtime", b"atime", b"ctime"];
    KEYS.contains(&key) || key.starts_with(XATTR) || key.starts_with(b"GNU.sparse.")
}

/// Parsed records.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    last: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Values that a later record of the same key replaced.
    replaced: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Records {
    /// Reads the body of an extended header. The repeated offsets and lengths of sparse format 0.0 become the map of
    /// format 0.1.
    pub(super) fn parse(mut body: &[u8]) -> Result<Self, TarTrouble> {
        let mut records = BTreeMap::new();
        let mut replaced = Vec::new();
        let mut map: Vec<&[u8]> = Vec::new();
        while !body.is_empty() {
            let (key, value, rest) = record(body).ok_or(TarTrouble::PaxRecord)?;
            body = rest;
            if key == key::OFFSET.as_bytes() || key == key::BYTES.as_bytes() {
                let due = if map.len().is_multiple_of(2) { key::OFFSET } else { key::BYTES };
                if key != due.as_bytes() || value.contains(&b',') {
                    return Err(TarTrouble::SparseMap("offsets and lengths do not alternate"));
                }
                map.push(value);
            } else {
                let before = records.insert(key.to_vec(), value.to_vec());
                replaced.extend(before.filter(|before| *before != value).map(|before| (key.to_vec(), before)));
            }
        }
        if !map.is_empty() {
            records.insert(key::MAP.into(), map.join(&b','));
        }
        Ok(Self { last: records, replaced })
    }

    /// The value of `key`, empty when there is none.
    pub(super) fn get(&self, key: &str) -> &[u8] {
        self.last.get(key.as_bytes()).map_or(&[], Vec::as_slice)
    }

    /// Puts what the records say into `entry` and `size`.
    pub(super) fn apply(&self, entry: &mut Entry, size: &mut i64) -> Result<(), TarTrouble> {
        for (text, key) in [(&mut entry.name, "path"), (&mut entry.link, "linkpath")] {
            if !self.get(key).is_empty() {
                text.clear();
                text.extend_from_slice(self.get(key));
            }
        }
        for (number, key) in [(&mut entry.uid, "uid"), (&mut entry.gid, "gid"), (size, "size")] {
            if !self.get(key).is_empty() {
                *number = decimal(self.get(key)).ok_or(TarTrouble::PaxValue(key))?;
            }
        }
        for key in ["atime", "ctime", "mtime"] {
            if !self.get(key).is_empty() {
                let seconds = seconds(self.get(key)).ok_or(TarTrouble::PaxValue(key))?;
                if key == "mtime" {
                    entry.mtime = seconds;
                }
            }
        }
        let xattrs =
            self.last.range(XATTR.to_vec()..).map_while(|(key, value)| Some((key.strip_prefix(XATTR)?, value)));
        entry
            .xattrs
            .extend(xattrs.filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key.to_vec(), value.clone())));
        entry.records = self.others();
        Ok(())
    }

    /// The records that say nothing of a file.
    pub(super) fn others(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let others = self.last.iter().filter(|(key, _)| !is_applied(key));
        let others = others.map(|(key, value)| (key.clone(), value.clone()));
        others.chain(self.replaced.iter().cloned()).collect()
    }
}

/// The first record of `body` (key, value) and what follows it.
fn record(body: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = memchr::memchr(b' ', body)?;
    let length = usize::try_from(decimal(&body[..space])?).ok()?;
    if length < 5 || length > body.len() || length <= space + 1 || body[length - 1] != b'\n' {
        return None;
    }
    let line = &body[space + 1..length - 1];
    let equals = memchr::memchr(b'=', line)?;
    let (key, value) = (&line[..equals], &line[equals + 1..]);
    let clean = match key {
        b"" => false,
        b"path" | b"linkpath" | b"uname" | b"gname" => !value.contains(&0),
        _ => !key.contains(&0),
    };
    clean.then_some((key, value, &body[length..]))
}

/// Whole seconds of a decimal time, rounded down; a fraction is digits or nothing and counts to the nanosecond.
fn seconds(time: &[u8]) -> Option<i64> {
    let dot = memchr::memchr(b'.', time).unwrap_or(time.len());
    let whole = decimal(&time[..dot])?;
    let fraction = time.get(dot + 1..).unwrap_or(&[]);
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let below = time[0] == b'-' && fraction.iter().take(9).any(|&digit| digit != b'0');
    Some(whole.wrapping_sub(i64::from(below)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: &str, value: &str) -> Vec<u8> {
        let bare = key.len() + value.len() + 3;
        let length = (1..9).find(|digits| (bare + digits).to_string().len() == *digits).expect("some length fits");
        format!("{} {key}={value}\n", bare + length).into_bytes()
    }

    #[test]
    fn last_wins_and_empty_takes_nothing() {
        let body = [line("path", "a"), line("path", "b"), line("uid", "7"), line("uid", "")].concat();
        let mut entry = Entry { name: b"orig".to_vec(), uid: 3, ..Entry::default() };
        Records::parse(&body).expect("well formed").apply(&mut entry, &mut 0).expect("numbers");
        assert_eq!((entry.name.as_slice(), entry.uid), (&b"b"[..], 3));
    }

    #[test]
    fn xattrs_come_sorted_and_without_empty_ones() {
        let body = [line("SCHILY.xattr.user.b", "2"), line("SCHILY.xattr.a", "1"), line("SCHILY.xattr.z", "")].concat();
        let mut entry = Entry::default();
        Records::parse(&body).expect("well formed").apply(&mut entry, &mut 0).expect("numbers");
        assert_eq!(entry.xattrs, [(b"a".to_vec(), b"1".to_vec()), (b"user.b".to_vec(), b"2".to_vec())]);
    }

    #[test]
    fn times_round_down() {
        for (time, value) in [
            ("1.5", Some(1)),
            ("-1.5", Some(-2)),
            ("-0.5", Some(-1)),
            ("-1.000", Some(-1)),
            ("-1.0000000001", Some(-1)),
            ("3.", Some(3)),
            ("3.x", None),
            (".5", None),
            ("", None),
        ] {
            assert_eq!(seconds(time.as_bytes()), value, "{time}");
        }
    }

    #[test]
    fn bad_records_are_refused() {
        for body in
            ["4 a=\n", "6 a=b", "0 a=b\n", "99 a=b\n", "x a=b\n", "6 aab\n", "7 =abc\n", "8 a\0=bc\n", "6a=bc\n"]
        {
            assert!(Records::parse(body.as_bytes()).is_err(), "{body:?}");
        }
    }
}
