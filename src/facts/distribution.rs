//! Which distribution the image is, as os-release(5) tells. Knows no dates.

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
    /// Reads /etc/os-release, else /usr/lib/os-release. `None` when the image has neither, or its bytes are not held.
    #[must_use]
    pub fn read(tree: &Tree, layers: &[LayerFacts]) -> Option<Self> {
        ["/etc/os-release", "/usr/lib/os-release"].into_iter().find_map(|path| {
            match File::read(tree, layers, &ImagePath::from(path)) {
                File::Held { bytes, at, .. } => Some(Self::parse(&bytes, at)),
                File::Missing | File::NotHeld { .. } => None,
            }
        })
    }

    fn parse(bytes: &[u8], at: Location) -> Self {
        let empty = String::new;
        let mut this = Self {
            id: "linux".to_owned(),
            id_like: Vec::new(),
            version_id: empty(),
            codename: empty(),
            variant_id: empty(),
            pretty_name: empty(),
            support_end: empty(),
            at: at.clone(),
        };
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
