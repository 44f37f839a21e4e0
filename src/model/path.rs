//! A path inside an image. Bytes, because names in a layer are bytes; clean, so that nobody has to check again.

use super::escape::visible;
use std::borrow::Cow;
use std::fmt;

/// An absolute path in an image without empty, `.` or `..` components. `/` is the root. Not necessarily UTF-8.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImagePath(Box<[u8]>);

impl ImagePath {
    /// The root directory.
    #[must_use]
    pub fn root() -> Self {
        Self(Box::from(&b"/"[..]))
    }

    /// Reads a name as container runtimes do: relative names start at the root, empty and `.` components vanish, and
    /// `..` never leaves the root.
    #[must_use]
    pub fn clamp(name: &[u8]) -> Self {
        let mut out: Vec<u8> = Vec::with_capacity(name.len() + 1);
        for part in name.split(|&b| b == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    let cut = out.iter().rposition(|&b| b == b'/').unwrap_or(0);
                    out.truncate(cut);
                }
                _ => {
                    out.push(b'/');
                    out.extend_from_slice(part);
                }
            }
        }
        if out.is_empty() {
            out.push(b'/');
        }
        Self(out.into_boxed_slice())
    }

    /// `name` read from this directory: absolute names from the root, others from here; see [`ImagePath::clamp`].
    #[must_use]
    pub fn join(&self, name: &[u8]) -> Self {
        if name.first() == Some(&b'/') {
            return Self::clamp(name);
        }
        let mut whole = self.0.to_vec();
        whole.push(b'/');
        whole.extend_from_slice(name);
        Self::clamp(&whole)
    }

    /// The whole path, beginning with `/`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is `/`.
    #[must_use]
    pub fn is_root(&self) -> bool {
        *self.0 == *b"/"
    }

    /// The last component; empty for the root.
    #[must_use]
    pub fn file_name(&self) -> &[u8] {
        let start = self.0.iter().rposition(|&b| b == b'/').map_or(0, |i| i + 1);
        &self.0[start..]
    }

    /// The directory that holds this path; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let cut = self.0.iter().rposition(|&b| b == b'/').unwrap_or(0);
        Some(if cut == 0 { Self::root() } else { Self(Box::from(&self.0[..cut])) })
    }

    /// The components from the root down.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&b| b == b'/').filter(|part| !part.is_empty())
    }

    /// Whether this path lies in `directory` or is it.
    #[must_use]
    pub fn is_within(&self, directory: &Self) -> bool {
        directory.is_root() || self.0.strip_prefix(&*directory.0).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// The path as text, foreign bytes as `\xHH`.
    #[must_use]
    pub fn display(&self) -> Cow<'_, str> {
        visible(&self.0)
    }
}

impl From<&str> for ImagePath {
    fn from(name: &str) -> Self {
        Self::clamp(name.as_bytes())
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display())
    }
}

impl fmt::Debug for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_clamped_to_the_root() {
        for (name, path) in [
            ("", "/"),
            (".", "/"),
            ("..", "/"),
            ("../../etc/passwd", "/etc/passwd"),
            ("./a//b/", "/a/b"),
            ("a/../../b", "/b"),
            ("/x/./y/../z", "/x/z"),
        ] {
            assert_eq!(ImagePath::from(name), ImagePath(Box::from(path.as_bytes())), "{name}");
        }
    }

    #[test]
    fn parts() {
        let path = ImagePath::from("/usr/bin/sudo");
        assert_eq!(path.file_name(), b"sudo");
        assert_eq!(path.parent(), Some(ImagePath::from("/usr/bin")));
        assert_eq!(ImagePath::from("/usr").parent(), Some(ImagePath::root()));
        assert_eq!(ImagePath::root().parent(), None);
        assert!(path.is_within(&ImagePath::from("/usr")));
        assert!(!path.is_within(&ImagePath::from("/us")));
        assert_eq!(ImagePath::from("/a/b").join(b"../c"), ImagePath::from("/a/c"));
        assert_eq!(ImagePath::from("/a/b").join(b"/c"), ImagePath::from("/c"));
    }
}
