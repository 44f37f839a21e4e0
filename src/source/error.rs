//! Why an image cannot be opened, in one line that names the thing first.

use crate::image::Transport;
use crate::model::{cut_end, system_says, visible_str};
use std::fmt;

/// An image could not be opened. Shown as one line: the image as the person named it, the object inside it, the
/// trouble. Foreign text in it is escaped and cut.
#[derive(Clone, Debug)]
pub struct SourceError {
    /// The image as given.
    pub source: String,
    /// What is wrong with it.
    pub trouble: Trouble,
}

/// What is wrong with an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is nothing at the path.
    Missing {
        /// Whether the text could be meant as the name of an image in a registry.
        name: bool,
    },
    /// A registry or a daemon.
    Remote {
        /// `skopeo copy ... oci-archive:image.tar`, as it would be for this image.
        advice: String,
    },
    /// An image of another kind than its transport says.
    OtherKind {
        /// What it is, with its article.
        is: &'static str,
        /// The transport that was written, with its colon.
        written: &'static str,
        /// How it is named.
        advice: String,
    },
    /// Something else than an image.
    NotAnImage {
        /// What it looks like, with its article.
        looks_like: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// A part of the image is missing, damaged or contradicts another part.
    Broken {
        /// `member 'x'`, `blob sha256:...`, `index.json`.
        object: String,
        /// What is wrong with it.
        what: String,
    },
    /// A bound of [`Limits`](crate::model::Limits) is passed.
    Limit {
        /// What is too large.
        object: String,
        /// The field of `Limits`.
        limit: &'static str,
        /// Its value.
        bound: u64,
    },
    /// There are several images and none was chosen.
    Several {
        /// Their tags, or digests where there are none.
        choices: Vec<String>,
    },
    /// There are images, but not the one asked for.
    NoSuch {
        /// `tag 'x'` or `platform linux/arm64`.
        wanted: String,
        /// What there is instead.
        choices: Vec<String>,
    },
    /// The operating system refused.
    Io {
        /// What was being read; empty for the image itself.
        object: String,
        /// What the system says.
        what: String,
    },
}

/// Characters of an error line; foreign text may be megabytes.
const LONGEST: usize = 2000;
/// Choices listed before the rest is counted.
const MOST: usize = 20;

impl Trouble {
    /// A damaged part.
    pub(super) fn broken(object: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Broken { object: object.into(), what: what.into() }
    }

    /// A refusal of the operating system.
    pub(super) fn io(object: impl Into<String>, error: &std::io::Error) -> Self {
        Self::Io { object: object.into(), what: system_says(error) }
    }
}

impl SourceError {
    /// What the person can do, where that is known; one line.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        let text = match &self.trouble {
            Trouble::Missing { name: true } => format!(
                "for an image in a registry: {}; for one that Docker holds: {}; then lint image.tar",
                save(Transport::Registry, &self.source),
                save(Transport::DockerDaemon, &self.source)
            ),
            Trouble::Remote { advice } | Trouble::OtherKind { advice, .. } => advice.clone(),
            Trouble::NotAnImage { advice, .. } => (*advice).to_owned(),
            Trouble::Several { .. } => "choose one with --tag".to_owned(),
            Trouble::NoSuch { wanted, .. } if wanted.starts_with("tag") => "choose one with --tag".to_owned(),
            Trouble::NoSuch { .. } => "choose one with --platform".to_owned(),
            _ => return None,
        };
        (!text.is_empty()).then(|| visible_str(&text).into_owned())
    }
}

/// The command that writes the image `name` of a registry or daemon into image.tar.
pub(super) fn save(transport: Transport, name: &str) -> String {
    match transport {
        Transport::DockerDaemon => format!("docker save {name} -o image.tar"),
        Transport::Podman => format!("podman save {name} -o image.tar"),
        Transport::ContainersStorage => format!("skopeo copy containers-storage:{name} oci-archive:image.tar"),
        _ => format!("skopeo copy docker://{name} oci-archive:image.tar"),
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name: false } => write!(f, "no such file or folder"),
            Self::Missing { name: true } => {
                write!(f, "no such file or folder, and images of a registry or daemon are not supported yet")
            }
            Self::Remote { .. } => write!(f, "images of a registry or daemon are not supported yet"),
            Self::OtherKind { is, written, .. } => write!(f, "is {is}, which {written} does not name"),
            Self::NotAnImage { looks_like, .. } => write!(f, "not a container image: looks like {looks_like}"),
            Self::Limit { object, limit, bound } => write!(f, "{object}: more than the limit of {bound} ({limit})"),
            Self::Several { choices } => write!(f, "holds several images: {}", list(choices)),
            Self::NoSuch { wanted, choices } if choices.is_empty() => write!(f, "{wanted}: not in the image"),
            Self::NoSuch { wanted, choices } => write!(f, "{wanted}: not there; there is {}", list(choices)),
            Self::Io { object, what } if object.is_empty() => write!(f, "{what}"),
            Self::Broken { object, what } | Self::Io { object, what } => write!(f, "{object}: {what}"),
        }
    }
}

fn list(choices: &[String]) -> String {
    let text = choices.iter().take(MOST).map(|choice| cut(choice, 200)).collect::<Vec<_>>().join(", ");
    match choices.len().saturating_sub(MOST) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// At most `most` characters of `text`.
pub(super) fn cut(text: &str, most: usize) -> String {
    cut_end(text, most).into_owned()
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = format!("{}: {}", self.source, self.trouble);
        f.write_str(&cut(&visible_str(&line), LONGEST))
    }
}

impl std::error::Error for SourceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bounded_line() {
        let choices = (0..30).map(|i| format!("x\u{1b}[2J\n{i}:{}", "y/".repeat(500))).collect();
        let error = SourceError { source: "a\nb.tar".to_owned(), trouble: Trouble::Several { choices } };
        let line = error.to_string();
        assert!(line.starts_with("a\\u{a}b.tar: holds several images: x\\u{1b}[2J\\u{a}0:y"), "{line}");
        assert!(!line.contains('\n') && line.chars().count() <= LONGEST + 1);
    }
}
