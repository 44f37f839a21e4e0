//! What a person writes to name an image: a path, `-`, or a transport as skopeo writes it. Looks at no file.

use std::ffi::{OsStr, OsString};
use std::fmt;

/// Where an image is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// How to get there.
    pub transport: Transport,
    /// The path, or the name where the transport has names; never empty. `-` is standard input.
    pub path: OsString,
    /// What follows the path behind a colon: a tag, a whole name, `@N` or a digest.
    pub tag: Option<String>,
}

/// How an image is reached (containers-transports(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// No transport is written: a path, recognised by content.
    Path,
    /// `docker-archive:PATH[:REF]`.
    DockerArchive,
    /// `oci:DIR[:TAG]`.
    Oci,
    /// `oci-archive:PATH[:TAG]`.
    OciArchive,
    /// `dir:FOLDER`, skopeo's own layout; an error says what to do.
    Dir,
    /// `docker://HOST/NAME`: a registry.
    Registry,
    /// `docker-daemon:NAME`.
    DockerDaemon,
    /// `podman:NAME`.
    Podman,
    /// `containers-storage:NAME`.
    ContainersStorage,
}

const TRANSPORTS: &[(&str, Transport)] = &[
    ("docker-archive:", Transport::DockerArchive),
    ("oci-archive:", Transport::OciArchive),
    ("oci:", Transport::Oci),
    ("dir:", Transport::Dir),
    ("docker://", Transport::Registry),
    ("docker-daemon:", Transport::DockerDaemon),
    ("podman:", Transport::Podman),
    ("containers-storage:", Transport::ContainersStorage),
];

impl Transport {
    /// What is written in front of the path; empty for a bare path.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        TRANSPORTS.iter().find(|(_, transport)| *transport == self).map_or("", |(prefix, _)| prefix)
    }

    /// Whether what follows is a path on this machine.
    #[must_use]
    pub fn is_file(self) -> bool {
        matches!(self, Self::Path | Self::DockerArchive | Self::Oci | Self::OciArchive | Self::Dir)
    }
}

impl Reference {
    /// Reads a reference. The path of a transport ends at its first colon, as in skopeo; a bare path may have any.
    /// Errors with a sentence when there is no path.
    pub fn parse(text: impl AsRef<OsStr>) -> Result<Self, String> {
        let text = text.as_ref();
        let bytes = text.as_encoded_bytes();
        let found = TRANSPORTS.iter().find(|(prefix, _)| bytes.starts_with(prefix.as_bytes()));
        let (prefix, transport) = found.map_or(("", Transport::Path), |(prefix, transport)| (*prefix, *transport));
        let rest = &bytes[prefix.len()..];
        let colon = match transport {
            Transport::DockerArchive | Transport::Oci | Transport::OciArchive => rest.iter().position(|&b| b == b':'),
            _ => None,
        };
        let end = colon.unwrap_or(rest.len());
        if end == 0 {
            let text = text.to_string_lossy();
            return Err(format!("reference '{}': no path", crate::model::visible_str(&text)));
        }
        let tag = colon.map(|at| String::from_utf8_lossy(&rest[at + 1..]).into_owned()).filter(|tag| !tag.is_empty());
        Ok(Self { transport, path: slice(text, prefix.len(), prefix.len() + end), tag })
    }

    /// Whether this is standard input.
    #[must_use]
    pub fn is_stdin(&self) -> bool {
        self.transport.is_file() && self.path == "-"
    }

    /// Whether the path could be meant as the name of an image in a registry: lower-case words between `/`, with a tag
    /// or digest. What ends as an archive does is meant as a file.
    #[must_use]
    pub fn looks_like_name(&self) -> bool {
        let text = self.path.to_string_lossy();
        let repository = text.split(['@', ':']).next().unwrap_or_default();
        let is_word = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        };
        let archive = [".tar", ".tgz", ".gz", ".zst", ".oci"].iter().any(|ending| text.ends_with(ending));
        self.transport == Transport::Path && !archive && repository.split('/').all(is_word)
    }
}

/// A part of `text` cut at ASCII characters.
fn slice(text: &OsStr, start: usize, end: usize) -> OsString {
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(&text.as_bytes()[start..end]).to_owned()
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.transport.prefix(), crate::model::visible(self.path.as_encoded_bytes()))?;
        self.tag.as_ref().map_or(Ok(()), |tag| write!(f, ":{tag}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_as_skopeo_writes_them() {
        for (text, transport, path, tag) in [
            ("app.tar", Transport::Path, "app.tar", None),
            ("a:b.tar", Transport::Path, "a:b.tar", None),
            ("-", Transport::Path, "-", None),
            ("docker-archive:a.tar", Transport::DockerArchive, "a.tar", None),
            ("docker-archive:a.tar:h/x:1", Transport::DockerArchive, "a.tar", Some("h/x:1")),
            ("docker-archive:a.tar:@1", Transport::DockerArchive, "a.tar", Some("@1")),
            ("oci:dir:1.0", Transport::Oci, "dir", Some("1.0")),
            ("oci:dir:", Transport::Oci, "dir", None),
            ("oci-archive:/x/a.tar:t", Transport::OciArchive, "/x/a.tar", Some("t")),
            ("docker://h:5000/x:1", Transport::Registry, "h:5000/x:1", None),
            ("docker-daemon:x:1", Transport::DockerDaemon, "x:1", None),
            ("dir:a:b", Transport::Dir, "a:b", None),
            ("./oci:dir", Transport::Path, "./oci:dir", None),
        ] {
            let read = Reference::parse(text).unwrap();
            assert_eq!((read.transport, read.path.to_str(), read.tag.as_deref()), (transport, Some(path), tag));
        }
        for bad in ["", "oci:", "docker-archive::x", "docker://"] {
            assert!(Reference::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_a_registry() {
        for (text, is_name) in [
            ("nginx", true),
            ("nginx:1.27", true),
            ("h.example:5000/a/b@sha256:00", true),
            ("app.tar", false),
            ("app.tar.d", true),
            ("./app", false),
            ("/app", false),
            ("../app", false),
            ("App.tar", false),
            ("a b", false),
        ] {
            assert_eq!(Reference::parse(text).unwrap().looks_like_name(), is_name, "{text}");
        }
    }
}
