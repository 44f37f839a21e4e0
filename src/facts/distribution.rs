//! Which distribution the image is, as os-release(5) tells, and the distributions' own files before it. Knows no dates.

use super::LayerFacts;
use super::file::{File, lines};
use crate::layer::Tree;
use crate::model::{ImagePath, Location, visible};

/// Bytes kept of one value.
const LONGEST_VALUE: usize = 4096;

/// What os-release says; values that it does not have are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// `ID`, in lower case by convention; `linux` when it is not there (os-release(5)).
    pub id: String,
    /// `ID_LIKE`, the closest first.
    pub id_like: Vec<String>,
    /// `VERSION_ID`; rolling distributions have none.
    pub version_id: String,
    /// `VERSION_CODENAME`.
    pub codename: String,
    /// `VARIANT_ID`.
    pub variant_id: String,
    /// `PRETTY_NAME`.
    pub pretty_name: String,
    /// `SUPPORT_END`, a date `YYYY-MM-DD` as written.
    pub support_end: String,
    /// The file; of `VERSION_ID`'s line when it has one.
    pub at: Location,
}

impl Distribution {
    /// Reads /etc/os-release, else /usr/lib/os-release, else a file that distributions had before these (about 2014) or
    /// that images cut down to little have kept. `None` when the image has none, or its bytes are not held.
    #[must_use]
    pub fn read(tree: &Tree, layers: &[LayerFacts]) -> Option<Self> {
        let held = |path: &str| match File::read(tree, layers, &ImagePath::from(path)) {
            File::Held { bytes, at, .. } => Some((bytes, at)),
            File::Missing | File::NotHeld { .. } => None,
        };
        let of_today = ["/etc/os-release", "/usr/lib/os-release"].into_iter().find_map(held);
        of_today.map(|(bytes, at)| Self::parse(&bytes, at)).or_else(|| {
            OLDER.iter().find_map(|(path, form)| {
                let (bytes, at) = held(path)?;
                form.parse(&String::from_utf8_lossy(&bytes), at)
            })
        })
    }

    fn unnamed(at: Location) -> Self {
        let empty = String::new;
        Self {
            id: "linux".to_owned(),
            id_like: Vec::new(),
            version_id: empty(),
            codename: empty(),
            variant_id: empty(),
            pretty_name: empty(),
            support_end: empty(),
            at,
        }
    }

    fn parse(bytes: &[u8], at: Location) -> Self {
        let mut this = Self::unnamed(at.clone());
        for (number, line) in lines(bytes) {
            let line = line.trim_ascii();
            let Some(equals) = memchr::memchr(b'=', line) else { continue };
            let value = || unquote(&line[equals + 1..]);
            match &line[..equals] {
                b"ID" => this.id = value(),
                b"ID_LIKE" => this.id_like = value().split_ascii_whitespace().map(str::to_owned).collect(),
                b"VERSION_ID" => {
                    this.version_id = value();
                    this.at = at.clone().at_line(number);
                }
                b"VERSION_CODENAME" => this.codename = value(),
                b"VARIANT_ID" => this.variant_id = value(),
                b"PRETTY_NAME" => this.pretty_name = value(),
                b"SUPPORT_END" => this.support_end = value(),
                _ => {}
            }
        }
        this
    }
}

/// How a file older than os-release names the distribution.
#[derive(Clone, Copy)]
enum Older {
    /// `CentOS release 6.10 (Final)`.
    Sentence,
    /// `DISTRIB_ID=Ubuntu`, of LSB.
    Lsb,
    /// Nothing but the version, of the distribution with this `ID` and name.
    Version(&'static str, &'static str),
}

/// The files, the surest first: Ubuntu has a debian_version that names a Debian to come.
const OLDER: &[(&str, Older)] = &[
    ("/etc/lsb-release", Older::Lsb),
    ("/etc/oracle-release", Older::Sentence),
    ("/etc/centos-release", Older::Sentence),
    ("/etc/fedora-release", Older::Sentence),
    ("/etc/redhat-release", Older::Sentence),
    ("/etc/system-release", Older::Sentence),
    ("/etc/alpine-release", Older::Version("alpine", "Alpine Linux")),
    ("/etc/debian_version", Older::Version("debian", "Debian GNU/Linux")),
];

/// How the sentences begin, and the `ID` that os-release has for them; the longer before the shorter.
const BEGINNINGS: &[(&str, &str)] = &[
    ("AlmaLinux", "almalinux"),
    ("Amazon Linux", "amzn"),
    ("CentOS", "centos"),
    ("Fedora", "fedora"),
    ("Oracle Linux", "ol"),
    ("Red Hat Enterprise Linux", "rhel"),
    ("Rocky Linux", "rocky"),
    ("Scientific Linux", "scientific"),
];

impl Older {
    fn parse(self, text: &str, at: Location) -> Option<Distribution> {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
        let line = line.get(..line.len().min(LONGEST_VALUE))?;
        let (id, version, name) = match self {
            Self::Sentence => {
                let (_, id) = BEGINNINGS.iter().find(|(begins, _)| line.starts_with(begins))?;
                let version = line.split_whitespace().find(|word| is_version(word))?;
                ((*id).to_owned(), version.to_owned(), line.to_owned())
            }
            Self::Lsb => {
                let value = |key: &str| {
                    let line = text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
                    Some(unquote(line.as_bytes()))
                };
                let (id, version) = (value("DISTRIB_ID")?, value("DISTRIB_RELEASE")?);
                let name = value("DISTRIB_DESCRIPTION").unwrap_or_else(|| format!("{id} {version}"));
                (id.to_ascii_lowercase(), version, name)
            }
            Self::Version(id, name) => (id.to_owned(), line.to_owned(), format!("{name} {line}")),
        };
        let visible = |text: String| visible(text.as_bytes()).into_owned();
        is_version(&version).then(|| Distribution {
            id: visible(id),
            version_id: version,
            pretty_name: visible(name),
            ..Distribution::unnamed(at)
        })
    }
}

/// `6.10`, `3.10.9`; not `wheezy/sid`.
fn is_version(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) && word.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// A value as a shell assigns it: single quotes keep all, double quotes keep all but backslashes before `"$\` and a
/// backquote, bare text ends at a blank.
fn unquote(text: &[u8]) -> String {
    let mut out = Vec::new();
    let mut quote = None;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b' ' | b'\t' | b'#' | b';') if byte != b'#' || out.is_empty() => break,
            (Some(open), _) if byte == open => quote = None,
            (None, b'\\') => out.extend(bytes.next()),
            (Some(b'"'), b'\\') => {
                out.push(bytes.next_if(|next| b"\"$`\\".contains(next)).unwrap_or(b'\\'));
            }
            _ => out.push(byte),
        }
        if out.len() >= LONGEST_VALUE {
            break;
        }
    }
    visible(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::{file, image, link};

    #[test]
    fn values_are_unquoted_as_a_shell_does() {
        for (text, value) in [
            ("debian", "debian"),
            ("\"12\"", "12"),
            ("'3.20.1'", "3.20.1"),
            (r#""say \"hi\" \$x \n""#, r#"say "hi" $x \n"#),
            ("'a\\b'", "a\\b"),
            ("9.4 # comment", "9.4"),
            ("\"open", "open"),
            ("", ""),
        ] {
            assert_eq!(unquote(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn files_older_than_os_release() {
        for (path, text, expected) in [
            ("etc/centos-release", "CentOS release 6.10 (Final)\n", Some(("centos", "6.10"))),
            ("etc/redhat-release", "Red Hat Enterprise Linux Server release 6.9 (Santiago)\n", Some(("rhel", "6.9"))),
            ("etc/system-release", "Amazon Linux AMI release 2018.03\n", Some(("amzn", "2018.03"))),
            ("etc/fedora-release", "Fedora release 20 (Heisenbug)\n", Some(("fedora", "20"))),
            ("etc/alpine-release", "\n3.10.9\n", Some(("alpine", "3.10.9"))),
            ("etc/debian_version", "7.11\n", Some(("debian", "7.11"))),
            ("etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=\"12.04\"\n", Some(("ubuntu", "12.04"))),
            ("etc/debian_version", "wheezy/sid\n", None),
            ("etc/alpine-release", "3.22_alpha20250108\n", None),
            ("etc/redhat-release", "Some Linux release 3\n", None),
            ("etc/lsb-release", "LSB_VERSION=1.4\n", None),
            ("etc/debian_version", "", None),
        ] {
            let (tree, layers) = image(vec![vec![file(path, text)]]);
            let found = Distribution::read(&tree, &layers);
            let found = found.as_ref().map(|found| (&*found.id, &*found.version_id));
            assert_eq!(found, expected, "{path} {text}");
        }
        let (tree, layers) = image(vec![vec![
            file("etc/os-release", "ID=debian\nVERSION_ID=13\n"),
            file("etc/centos-release", "CentOS release 6.10 (Final)\n"),
        ]]);
        assert_eq!(Distribution::read(&tree, &layers).unwrap().id, "debian");
    }

    #[test]
    fn the_file_in_etc_wins_and_links_are_followed() {
        let (tree, layers) = image(vec![vec![
            file(
                "usr/lib/os-release",
                "ID=fedora\r\nVERSION_ID=40\r\nID=\"ultramarine\"\r\nSUPPORT_END=2025-05-13\r\n",
            ),
            link("etc/os-release", "../usr/lib/os-release"),
        ]]);
        let found = Distribution::read(&tree, &layers).unwrap();
        assert_eq!((found.id.as_str(), found.version_id.as_str()), ("ultramarine", "40"));
        assert_eq!(found.support_end, "2025-05-13");
        assert_eq!(found.at, Location::file(ImagePath::from("/usr/lib/os-release"), 0).at_line(2));

        let (tree, layers) = image(vec![vec![
            file("etc/os-release", "NAME=\"X\"\n#ID=no\n ID_LIKE='rhel fedora'\n"),
            file("usr/lib/os-release", "ID=never"),
        ]]);
        let found = Distribution::read(&tree, &layers).unwrap();
        assert_eq!((found.id.as_str(), found.id_like.len()), ("linux", 2));

        let (tree, layers) =
            image(vec![vec![link("etc/os-release", "gone"), file("usr/lib/os-release", "ID=wolfi\n")]]);
        assert_eq!(Distribution::read(&tree, &layers).unwrap().id, "wolfi");
        let (tree, layers) = image(vec![vec![]]);
        assert!(Distribution::read(&tree, &layers).is_none());
    }
}
