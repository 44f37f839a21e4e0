//! Which file bodies are held: the small files that facts and rules read. Everything else streams by.

use super::secrets;
use crate::layer::Entry;
use crate::model::{ImagePath, Limits};
use foldhash::HashMap;
use std::sync::LazyLock;

/// How a row of the table names files.
#[derive(Clone, Copy, Debug)]
enum Files {
    /// This very path.
    At(&'static str),
    /// Every file with this base name, wherever it lies.
    Named(&'static str),
    /// Every file directly in this directory or below it.
    Under(&'static str),
    /// Every file directly in this directory whose name ends so.
    Ending(&'static str, &'static str),
}
use Files::{At, Ending, Named, Under};

/// What it means that only the beginning of a file is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Who reads the file says so. A file that is called like it and that nobody reads is nothing to tell of.
    Said,
    /// A gap: facts stand on the file.
    Gap,
    /// A note: only its keys and values are asked for, and the search for typed secrets sees all of it.
    Note,
}
use Cut::{Gap, Note, Said};

/// The table: which files, how many bytes of each (0: the limit of [`Limits::body`]), and what a cut means.
const BODIES: &[(Files, u64, Cut)] = &[
    // accounts; by name, since /etc/passwd may be a link into a store of immutable files
    (At("/etc/passwd"), 16 << 20, Said),
    (At("/etc/group"), 16 << 20, Said),
    (At("/etc/shadow"), 16 << 20, Said),
    (Named("passwd"), 256 << 10, Said),
    (Named("group"), 256 << 10, Said),
    (Named("shadow"), 256 << 10, Said),
    (At("/etc/gshadow"), 0, Gap),
    (At("/etc/master.passwd"), 0, Said),
    (At("/etc/shadow-"), 0, Gap),
    (At("/etc/passwd-"), 0, Gap),
    // what is to show that a file with a credential's name holds one
    (Named("id_rsa"), 32 << 10, Note),
    (Named("id_dsa"), 32 << 10, Note),
    (Named("id_ecdsa"), 32 << 10, Note),
    (Named("id_ed25519"), 32 << 10, Note),
    (Named(".pgpass"), 64 << 10, Note),
    (Named(".my.cnf"), 64 << 10, Note),
    (At("/root/.kube/config"), 64 << 10, Note),
    (Named("sudoers"), 0, Said),
    (Under("/etc/sudoers.d"), 0, Said),
    (Under("/usr/etc/sudoers.d"), 0, Said),
    (At("/etc/doas.conf"), 0, Gap),
    (At("/usr/local/etc/doas.conf"), 0, Gap),
    (Ending("/etc/doas.d", ".conf"), 0, Gap),
    (Under("/etc/pam.d"), 64 << 10, Gap),
    (At("/etc/login.defs"), 0, Gap),
    // distribution and packages
    (Named("os-release"), 64 << 10, Gap),
    (Under("/usr/lib/os.release.d"), 64 << 10, Gap),
    (At("/etc/lsb-release"), 4 << 10, Said),
    (At("/etc/centos-release"), 4 << 10, Said),
    (At("/etc/redhat-release"), 4 << 10, Said),
    (At("/etc/fedora-release"), 4 << 10, Said),
    (At("/etc/oracle-release"), 4 << 10, Said),
    (At("/etc/system-release"), 4 << 10, Said),
    (At("/etc/alpine-release"), 4 << 10, Said),
    (At("/etc/debian_version"), 4 << 10, Said),
    (At("/var/lib/dpkg/status"), 24 << 20, Said),
    (Under("/var/lib/dpkg/status.d"), 0, Said),
    (Ending("/var/lib/dpkg/info", ".list"), 8 << 20, Gap),
    (Ending("/var/lib/dpkg/info", ".md5sums"), 8 << 20, Gap),
    (Ending("/var/lib/dpkg/info", ".conffiles"), 64 << 10, Gap),
    (Named("RECORD"), 4 << 20, Said),
    (At("/lib/apk/db/installed"), 24 << 20, Said),
    (At("/usr/lib/apk/db/installed"), 24 << 20, Said),
    (At("/var/lib/rpm/rpmdb.sqlite"), 96 << 20, Said),
    (At("/usr/lib/sysimage/rpm/rpmdb.sqlite"), 96 << 20, Said),
    (At("/usr/share/rpm/rpmdb.sqlite"), 96 << 20, Said),
    (Under("/etc/apt"), 64 << 10, Gap),
    (Under("/etc/yum.repos.d"), 64 << 10, Gap),
    (Under("/etc/zypp/repos.d"), 64 << 10, Gap),
    (At("/etc/yum.conf"), 64 << 10, Gap),
    (At("/etc/dnf/dnf.conf"), 64 << 10, Gap),
    (At("/etc/apk/repositories"), 0, Gap),
    // clients that switch checks off; what they and others hold of credentials is in a table of its own
    (Named(".wgetrc"), 64 << 10, Note),
    (At("/etc/wgetrc"), 64 << 10, Note),
    (Named(".curlrc"), 64 << 10, Note),
    (Named(".gitconfig"), 64 << 10, Note),
    (At("/etc/gitconfig"), 64 << 10, Note),
    (Named("curlrc"), 64 << 10, Note),
    (Named(".gemrc"), 64 << 10, Note),
    (At("/etc/gemrc"), 64 << 10, Note),
    (At("/etc/pacman.conf"), 64 << 10, Note),
    (Ending("/etc/pacman.d", ".conf"), 64 << 10, Note),
    (At("/etc/tdnf/tdnf.conf"), 64 << 10, Gap),
    (At("/etc/zypp/zypp.conf"), 64 << 10, Gap),
    (Named("credentials"), 64 << 10, Note),
    (Under("/run/secrets/kubernetes.io"), 64 << 10, Gap),
    (Under("/var/run/secrets/kubernetes.io"), 64 << 10, Gap),
    // what packages make for themselves
    (At("/etc/mysql/debian.cnf"), 64 << 10, Gap),
    (At("/etc/bind/rndc.key"), 64 << 10, Gap),
    (At("/etc/rndc.key"), 64 << 10, Gap),
];

/// Numbers of rows by what has to stand in a path, since every path of an image is asked for: a base name, or the first
/// component.
#[derive(Default)]
struct Index {
    named: HashMap<&'static [u8], Vec<usize>>,
    within: HashMap<&'static [u8], Vec<usize>>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index::default();
    for (number, (files, ..)) in BODIES.iter().enumerate() {
        let rows = match files {
            Named(name) => index.named.entry(name.as_bytes()),
            At(path) | Under(path) | Ending(path, _) => index.within.entry(first_component(path.as_bytes())),
        };
        rows.or_default().push(number);
    }
    index
});

fn first_component(path: &[u8]) -> &[u8] {
    path.split(|&byte| byte == b'/').find(|part| !part.is_empty()).unwrap_or_default()
}

/// Bytes of the beginning of every executable file that are looked at. Go's linker puts the name of the ELF interpreter
/// at the end of the first page, so less would not do; [`head`] says how many of them are worth keeping.
pub const HEAD: u64 = 4096;

/// Bytes kept of a script's beginning (Linux reads 256 for a `#!` line).
const SCRIPT_HEAD: usize = 256;

/// The part of a file's first [`HEAD`] bytes that facts read: a script's first line, an ELF header with its program
/// headers and interpreter, some bytes of anything else.
#[must_use]
pub fn head(bytes: &[u8]) -> &[u8] {
    let length = super::start::elf_head_length(bytes).unwrap_or(SCRIPT_HEAD);
    bytes.get(..length).unwrap_or(bytes)
}

/// How many bytes of the file at `path` are wanted; `None` when it may stream by.
#[must_use]
pub fn wanted(path: &ImagePath, limits: &Limits) -> Option<u64> {
    held(path, limits).map(|(most, _)| most)
}

/// The same, with what it means when the file is longer.
pub(super) fn held(path: &ImagePath, limits: &Limits) -> Option<(u64, Cut)> {
    let whole = path.as_bytes();
    let name = path.file_name();
    let config = || secrets::is_config_file(path).then_some((secrets::CONFIG_HELD, Note));
    let hits = |number: &&usize| {
        BODIES.get(**number).is_some_and(|(files, ..)| match files {
            At(at) => whole == at.as_bytes(),
            Named(named) => name == named.as_bytes(),
            Under(directory) => {
                whole.strip_prefix(directory.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'))
            }
            Ending(directory, end) => {
                let above = whole.strip_suffix(name).and_then(|above| above.strip_suffix(b"/"));
                above == Some(directory.as_bytes()) && name.ends_with(end.as_bytes())
            }
        })
    };
    let rows = [INDEX.named.get(name), INDEX.within.get(first_component(whole))];
    let first = rows.into_iter().flatten().flatten().filter(hits).min();
    let most = first.and_then(|number| BODIES.get(*number)).map(|(_, most, cut)| (*most, *cut));
    most.map(|(most, cut)| (if most == 0 { limits.body } else { most }, cut)).or_else(config)
}

/// Largest file, in bytes, that is held because of what it says.
pub(super) const GUESSED: u64 = 64 << 10;

/// Bytes held so, for one layer.
pub(super) const GUESSES: u64 = 1 << 20;

/// Whether a file may hold rules for sudo wherever it lies: `@include` names any path, and the file that names it may stand
/// in another layer. sudo takes only files that are root's and that nobody else may write. Where distributions keep their
/// own files it is not looked for, and a program is none; when such a file is included, that is a gap.
pub(super) fn may_be_included(path: &ImagePath, entry: &Entry) -> bool {
    const OTHERS: &[&str] = &["/usr", "/lib", "/lib64", "/var", "/dev", "/proc", "/sys", "/boot"];
    const ALSO: &[&str] = &["/usr/local", "/usr/etc"];
    let is_within = |directories: &[&str]| {
        directories.iter().any(|directory| {
            path.as_bytes().strip_prefix(directory.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'))
        })
    };
    (1..=GUESSED).contains(&entry.size)
        && entry.uid == 0
        && entry.mode & 0o113 == 0
        && (!is_within(OTHERS) || is_within(ALSO))
}

/// Whether a text has a line of sudoers(5) that gives something, or leads to one.
pub(super) fn reads_like_sudoers(text: &[u8]) -> bool {
    const WORDS: &[&str] = &["NOPASSWD", "ALL", "_Alias", "Defaults", "include"];
    let holds = |word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
    memchr::memchr(0, text).is_none() && WORDS.iter().any(|word| holds(word)) && text.split(|&b| b == b'\n').any(gives)
}

fn gives(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let first = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let rest = line.get(first.len()..).unwrap_or_default().trim_ascii_start();
    match first {
        b"User_Alias" | b"Runas_Alias" | b"Cmnd_Alias" | b"Cmd_Alias" | b"@include" | b"@includedir"
        | b"#includedir" => true,
        // The preprocessor of C begins its lines the same way.
        b"#include" => rest.starts_with(b"/") || rest.starts_with(b"\"/"),
        _ if first.starts_with(b"Defaults") => memchr::memmem::find(line, b"authenticate")
            .or_else(|| memchr::memmem::find(line, b"exempt_group"))
            .is_some(),
        // `users hosts = commands`
        _ => {
            let end = memchr::memchr(b'=', rest).unwrap_or(0);
            let (hosts, commands) = (rest.get(..end).unwrap_or_default(), rest.get(end..).unwrap_or_default());
            let is_comment = first.starts_with(b"#") && !first.get(1).is_some_and(u8::is_ascii_digit);
            let names_all = hosts.trim_ascii().ends_with(b"ALL");
            !is_comment && end > 0 && (names_all || memchr::memmem::find(commands, b"NOPASSWD").is_some())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sudoers_by_what_they_say() {
        for text in [
            "# more\nbob ALL=NOPASSWD: ALL\n",
            "%wheel\tALL = (ALL) ALL",
            "#1000 web = (root) NOPASSWD: /bin/a",
            "User_Alias A = b",
            "@includedir /opt/d",
            "#include /etc/more",
            "Defaults:app !authenticate",
        ] {
            assert!(reads_like_sudoers(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "Defaults to 5 = ALL",
            "#include <stdio.h>\n#include \"a.h\"",
            "INSTALL=x",
            "ALL=x",
            "# bob ALL=NOPASSWD: ALL",
            "A NOPASSWD\n",
            "bob ALL=NOPASSWD: ALL\0",
        ] {
            assert!(!reads_like_sudoers(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn only_what_the_table_names() {
        let limits = Limits::default();
        let wants = |path: &str| wanted(&ImagePath::from(path), &limits);
        assert_eq!(wants("etc/passwd"), Some(16 << 20));
        assert_eq!(wants("/nix/store/x/etc/passwd"), Some(256 << 10));
        assert_eq!(wants("/srv/etc/passwd-"), None);
        assert_eq!(wants("/etc/shadow-"), Some(limits.body));
        assert_eq!(wants("/usr/etc/sudoers"), Some(limits.body));
        assert_eq!(wants("/var/lib/dpkg/info/bash.list"), Some(8 << 20));
        assert_eq!(wants("/var/lib/dpkg/info/bash.postinst"), None);
        assert_eq!(wants("/var/lib/dpkg/info/x/bash.list"), None);
        assert_eq!(wants("/var/lib/dpkg/infobash.list"), None);
        assert_eq!(wants("/home/app/.npmrc"), Some(secrets::CONFIG_HELD));
        assert_eq!(wants("/home/app/.npmrc.d/x"), None);
        assert_eq!(wants("/etc/sudoers.d/app"), Some(limits.body));
        assert_eq!(wants("/etc/sudoers.d"), None);
        assert_eq!(wants("/etc/doas.d/app.conf"), Some(limits.body));
        assert_eq!(wants("/etc/doas.d/app.txt"), None);
        assert_eq!(wants("/etc/sudoers.dx/app"), None);
    }
}
