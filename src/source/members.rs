//! The members of an outer archive: where each lies in the file. Reads headers only, by position, and sees the members
//! that Go's archive/tar sees, as the tools that load images do. Layers are not walked here.

mod reader;

pub(super) use reader::checksum_fits;

use super::error::{Trouble, cut};
use crate::model::{Limits, visible};
use reader::{Member, Reader, limit};
use std::collections::BTreeMap;
use std::fs::File;

/// Bytes of all member names together: what bounds the memory of an index.
const NAMES: usize = 16 << 20;

/// The members of an archive by name. The last of a name wins.
#[derive(Debug, Default)]
pub(super) struct Members {
    by_name: BTreeMap<Box<[u8]>, Member>,
    /// A name that several members have (not all of them folders), and how many such members there are.
    pub(super) repeated: Option<(String, usize)>,
    /// Why the archive could not be read up to its end: what members stand behind that is not known.
    pub(super) damage: Option<Trouble>,
    /// What there is to say of bytes behind the end of the archive, where no runtime looks for members.
    pub(super) behind: Option<Trouble>,
}

impl Members {
    /// Reads all headers of the archive `file` of `size` bytes. What is damaged ends the list, with a word that names
    /// the offset; a last member that is cut off is listed with the size it should have. Errors at a limit.
    pub(super) fn index(file: &File, size: u64, limits: &Limits) -> Result<Self, Trouble> {
        let mut members = Self::default();
        let mut names = 0;
        let mut reader = Reader { file, size, at: 0, limits, cut: None };
        loop {
            let (name, member) = match reader.next() {
                Ok(Some(next)) => next,
                Ok(None) => break,
                Err(limit @ Trouble::Limit { .. }) => return Err(limit),
                Err(damage) => {
                    members.damage = Some(damage);
                    break;
                }
            };
            let Some(name) = clean(&name, b"") else { continue };
            names += name.len();
            if members.by_name.len() >= limits.members {
                return Err(limit("members", limits.members as u64));
            }
            if names > NAMES {
                return Err(limit("names of all members, in bytes", NAMES as u64));
            }
            let folder = member == Member::Folder;
            let shown = members.by_name.get(&*name).filter(|old| !(folder && **old == Member::Folder));
            if shown.is_some() {
                let first = || (cut(&visible(&name), 200), 0);
                members.repeated.get_or_insert_with(first).1 += 1;
            }
            members.by_name.insert(name, member);
        }
        members.damage = members.damage.or(reader.cut.take());
        members.behind = if members.damage.is_none() { reader.behind_the_end() } else { None };
        Ok(members)
    }

    /// The cleaned names, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.by_name.keys().map(|name| &**name)
    }

    /// Whether there is a member of this clean name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name.as_bytes())
    }

    /// Offset and size of the file `name`, links inside the archive followed; `None` when there is no such member.
    pub(super) fn find(&self, name: &str, limits: &Limits) -> Result<Option<(u64, u64)>, Trouble> {
        let object = || format!("member '{}'", cut(name, 200));
        let broken = |what: &str| Err(Trouble::broken(object(), what));
        if name.starts_with('/') {
            return broken("an absolute path leads out of the archive");
        }
        let Some(mut path) = clean(name.as_bytes(), b"") else { return broken("leads out of the archive") };
        for _ in 0..=limits.symlinks {
            let (target, hard) = match self.by_name.get(&path) {
                None if *path == *clean(name.as_bytes(), b"").unwrap_or_default() => return Ok(None),
                None => return broken(&format!("a link to '{}', which is not in the archive", visible(&path))),
                Some(Member::File { offset, size }) => return Ok(Some((*offset, *size))),
                Some(Member::Folder) => return broken("a folder, not a file"),
                Some(Member::Other(what)) => return broken(&format!("{what}, not a file")),
                Some(Member::Link { target, hard }) => (target, *hard),
            };
            let folder = path.iter().rposition(|byte| *byte == b'/').map_or(&b""[..], |end| &path[..end]);
            let next = if hard {
                clean(target, b"")
            } else if target.starts_with(b"/") {
                None
            } else {
                clean(target, folder)
            };
            let Some(next) = next else {
                return broken(&format!("a link to '{}', which leads out of the archive", visible(target)));
            };
            path = next;
        }
        broken(&format!("a loop of links, or more than {} of them", limits.symlinks))
    }
}

/// `name`, read in `folder`, without empty and `.` components; `None` when `..` leads out of the archive.
fn clean(name: &[u8], folder: &[u8]) -> Option<Box<[u8]>> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in folder.split(|byte| *byte == b'/').chain(name.split(|byte| *byte == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join(&b'/').into_boxed_slice())
}

#[cfg(test)]
mod tests {
    use super::reader::PADDING;
    use super::*;
    use std::io::Write;

    /// A header with its checksum, then the body.
    fn entry(kind: u8, name: &str, link: &str, size: u64, body: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.as_mut_bytes()[156] = kind;
        header.set_size(size);
        header.set_cksum();
        let mut out = header.as_bytes().to_vec();
        out.extend_from_slice(body);
        out.resize(out.len().next_multiple_of(512), 0);
        out
    }

    fn index(parts: &[Vec<u8>]) -> Result<Members, Trouble> {
        let bytes = parts.concat();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        Members::index(&file, bytes.len() as u64, &Limits::default())
    }

    fn find(members: &Members, name: &str) -> Result<Option<u64>, String> {
        members
            .find(name, &Limits::default())
            .map(|found| found.map(|(_, size)| size))
            .map_err(|error| error.to_string())
    }

    fn damage(members: &Members) -> String {
        members.damage.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    #[test]
    fn header_only_types_have_no_body() {
        for kind in *b"123456" {
            let members = index(&[entry(kind, "x", "y", 512, b""), entry(b'0', "hidden", "", 1, b"h")]).unwrap();
            assert_eq!(find(&members, "hidden"), Ok(Some(1)));
        }
    }

    #[test]
    fn pax_applies_to_the_next_member_and_the_last_record_wins() {
        let pax = b"10 path=a\n10 path=b\n10 size=3\n";
        let members = index(&[
            entry(b'x', "p", "", pax.len() as u64, pax),
            entry(b'0', "n", "", 0, b"abc"),
            entry(b'0', "m", "", 1, b"x"),
        ])
        .unwrap();
        assert_eq!(find(&members, "b"), Ok(Some(3)));
        assert_eq!(find(&members, "./m"), Ok(Some(1)));
        assert_eq!(find(&members, "a"), Ok(None));
        assert_eq!(find(&members, "n"), Ok(None));
        for bad in [&b"9 path=\0x\n"[..], b"99 path=a\n", b"5 x\n", b"11 size=-1\n"] {
            let members = index(&[entry(b'x', "p", "", bad.len() as u64, bad)]).unwrap();
            assert_eq!(damage(&members), "archive: bad PAX header at byte 0");
        }
    }

    #[test]
    fn links_stay_inside() {
        let file = entry(b'0', "a/layer.tar", "", 1, b"x");
        let members = index(&[
            file,
            entry(b'2', "b/layer.tar", "../a/layer.tar", 0, b""),
            entry(b'1', "c/layer.tar", "a/layer.tar", 0, b""),
            entry(b'2', "host", "../../etc/passwd", 0, b""),
            entry(b'2', "abs", "/etc/passwd", 0, b""),
            entry(b'2', "loop", "loop", 0, b""),
            entry(b'2', "gone", "nothing", 0, b""),
            entry(b'5', "dir/", "", 0, b""),
            entry(b'6', "fifo", "", 0, b""),
        ])
        .unwrap();
        assert_eq!(find(&members, "b/layer.tar"), Ok(Some(1)));
        assert_eq!(find(&members, "./c//layer.tar"), Ok(Some(1)));
        for (name, what) in [
            ("host", "a link to '../../etc/passwd', which leads out of the archive"),
            ("abs", "a link to '/etc/passwd', which leads out of the archive"),
            ("loop", "a loop of links, or more than 40 of them"),
            ("gone", "a link to 'nothing', which is not in the archive"),
            ("dir", "a folder, not a file"),
            ("fifo", "a named pipe, not a file"),
            ("../x", "leads out of the archive"),
            ("/a/layer.tar", "an absolute path leads out of the archive"),
        ] {
            assert_eq!(find(&members, name), Err(format!("member '{name}': {what}")));
        }
    }

    #[test]
    fn damage_names_its_offset() {
        let whole = entry(b'0', "a", "", 600, &[7; 600]);
        for (bytes, what) in [
            (whole[..1000].to_vec(), "archive: truncated: the member at byte 0 ends at byte 1112, the archive at 1000"),
            (whole[..100].to_vec(), "archive: ends in the middle of a header at byte 100"),
            ([whole.clone(), vec![1; 512]].concat(), "archive: no tar header at byte 1536"),
            ([vec![0; 512], whole.clone()].concat(), "archive: one block of zeros, then more at byte 512"),
        ] {
            // What stands before it is there all the same.
            let before = entry(b'0', "before", "", 1, b"x");
            let moved = index(&[before, bytes.clone()]).unwrap();
            assert_eq!(find(&moved, "before"), Ok(Some(1)));
            assert!(moved.damage.is_some());
            assert_eq!(damage(&index(&[bytes]).unwrap()), what);
        }
        let cut = index(&[whole[..1000].to_vec()]).unwrap();
        assert_eq!(find(&cut, "a"), Ok(Some(600)), "the size that it should have");
        let padding_missing = index(&[whole[..1112].to_vec()]).unwrap();
        assert_eq!((find(&padding_missing, "a"), damage(&padding_missing)), (Ok(Some(600)), String::new()));
    }

    #[test]
    fn what_stands_behind_the_end() {
        let whole = entry(b'0', "a", "", 1, b"x");
        let behind = |padding: usize, rest: &[u8]| {
            let members = index(&[whole.clone(), vec![0; padding], rest.to_vec()]).unwrap();
            assert_eq!(damage(&members), "");
            members.behind.map(|trouble| trouble.to_string())
        };
        let zeros = usize::try_from(PADDING).unwrap();
        for padding in [0, 512, 1024, 10240, 1024 + zeros] {
            assert_eq!(behind(padding, b""), None);
        }
        let says =
            |more: usize| Some(format!("archive: ends at byte 2048, and {more} more bytes stand behind its end"));
        assert_eq!(behind(1024, &whole), says(1024));
        assert_eq!(behind(1024, b"\n"), says(1));
        assert_eq!(behind(1024 + 70_000, b"x"), says(70_001));
        assert_eq!(behind(1025 + zeros, b""), says(zeros + 1), "nobody looks further");
    }

    #[test]
    fn the_last_of_a_name_wins() {
        let members = index(&[entry(b'0', "a", "", 1, b"x"), entry(b'0', "./a", "", 2, b"xy")]).unwrap();
        assert_eq!(find(&members, "a"), Ok(Some(2)));
        assert_eq!(members.repeated, Some(("a".to_owned(), 1)));
    }

    #[test]
    fn bounded() {
        let limits = Limits { members: 2, ..Limits::default() };
        let bytes = [entry(b'0', "a", "", 0, b""), entry(b'0', "b", "", 0, b""), entry(b'0', "c", "", 0, b"")].concat();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let error = Members::index(&file, bytes.len() as u64, &limits).unwrap_err();
        assert_eq!(error.to_string(), "archive: members: more than the limit of 2 (members)");
        let error = index(&[entry(b'L', "x", "", 2 << 20, b"")]).unwrap_err();
        assert!(error.to_string().contains("(extension_header)"));
    }
}
