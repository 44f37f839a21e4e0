//! `[match.file]`: files by path, name, type, mode, owner, size and content; those that later layers hid as well.

use super::super::lines::lines;
use super::words::{Globs, Pattern, Template, Words, shown};
use crate::facts::{Body, EntryKind, Facts};
use crate::model::{ImagePath, Location};
use crate::rule::Sink;
use serde::de::{Deserialize, Deserializer, Error};

/// Every condition that is given must hold.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::rule) struct FileMatch {
    /// Over the whole path.
    #[serde(default)]
    path: Globs,
    /// Over the last component.
    #[serde(default)]
    name: Globs,
    /// Below one of these directories.
    #[serde(default)]
    under: Directories,
    /// Below none of these.
    #[serde(default)]
    not_under: Directories,
    /// Over the whole path: never these.
    #[serde(default)]
    except: Globs,
    /// Regular files when not given.
    #[serde(default)]
    kind: Kinds,
    /// One of these bits at least.
    mode_any: Option<Mode>,
    /// All of these bits.
    mode_all: Option<Mode>,
    /// None of these bits.
    mode_none: Option<Mode>,
    /// User id.
    owner: Option<u32>,
    /// Group id.
    group: Option<u32>,
    /// Bytes.
    #[serde(default)]
    min_size: u64,
    /// Whether a package owns it.
    packaged: Option<bool>,
    /// In the file's bytes, when they are held.
    content: Option<Pattern>,
    #[serde(default)]
    presence: Seen,
    /// One finding for all of them.
    #[serde(default)]
    together: bool,
    message: Template,
}

#[derive(Clone, Debug, Default)]
struct Directories(Vec<ImagePath>);

#[derive(Clone, Copy, Debug)]
struct Mode(u32);

#[derive(Clone, Debug)]
struct Kinds(Vec<Kind>);

#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    File,
    Dir,
    Symlink,
    Char,
    Block,
    Fifo,
}

/// Which files are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Seen {
    /// Those that a container sees.
    #[default]
    Visible,
    /// Those that a layer holds and a container does not see, deleted or overwritten.
    Removed,
    Any,
}

/// A file, of the tree or hidden.
struct Candidate<'a> {
    name: &'a [u8],
    kind: EntryKind,
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
}

/// Files that one finding tells of.
#[derive(Default)]
struct Together {
    /// The first [`PLACES`].
    places: Vec<Location>,
    count: u64,
    /// Bytes.
    size: u64,
}

/// Places that one finding names.
const PLACES: usize = 1000;

impl FileMatch {
    pub(super) fn validate(&self) -> Result<(), String> {
        if self.kind.0.is_empty() {
            return Err("kind: an empty list".to_owned());
        }
        let narrow = self.path.is_given()
            || self.name.is_given()
            || !self.under.0.is_empty()
            || self.mode_any.is_some()
            || self.mode_all.is_some()
            || !self.kind.0.contains(&Kind::File);
        if !narrow {
            return Err("give path, name, under, mode_any or mode_all".to_owned());
        }
        if self.together && self.content.is_some() {
            return Err("together and content: one of the two".to_owned());
        }
        self.message.validate(if self.together {
            &["path", "name", "count", "size"]
        } else {
            &["path", "name", "mode", "owner", "group", "size"]
        })
    }

    pub(super) fn run(&self, facts: &Facts, sink: &mut Sink) {
        let mut all = Together::default();
        if self.presence != Seen::Removed {
            for node in facts.tree.iter() {
                let candidate = Candidate {
                    name: node.name(),
                    kind: node.kind(),
                    mode: node.mode(),
                    uid: node.uid(),
                    gid: node.gid(),
                    size: node.size(),
                };
                if self.fits(&candidate) {
                    let path = node.path();
                    if self.fits_path(&path, facts) {
                        self.say(&path, &candidate, facts.at(node), facts.body_of(node), &mut all, sink);
                    }
                }
            }
        }
        if self.presence != Seen::Visible {
            for hidden in facts.tree.hidden() {
                let Some(layer) = facts.layers.get(hidden.layer as usize) else { continue };
                let Some(record) = layer.entries.get(hidden.entry) else { continue };
                let candidate = Candidate {
                    name: hidden.path.file_name(),
                    kind: record.kind(),
                    mode: record.mode,
                    uid: record.uid,
                    gid: record.gid,
                    size: record.size,
                };
                if self.fits(&candidate) && self.fits_path(&hidden.path, facts) {
                    let at = Location::file(hidden.path.clone(), hidden.layer).with_presence(hidden.presence);
                    self.say(&hidden.path, &candidate, at, layer.body(hidden.entry), &mut all, sink);
                }
            }
        }
        if self.together {
            self.say_together(all, sink);
        }
    }

    /// The cheap conditions, which need no path.
    fn fits(&self, file: &Candidate<'_>) -> bool {
        self.kind.0.iter().any(|kind| kind.is(file.kind))
            && self.mode_any.is_none_or(|bits| file.mode & bits.0 != 0)
            && self.mode_all.is_none_or(|bits| file.mode & bits.0 == bits.0)
            && self.mode_none.is_none_or(|bits| file.mode & bits.0 == 0)
            && self.owner.is_none_or(|uid| file.uid == uid)
            && self.group.is_none_or(|gid| file.gid == gid)
            && file.size >= self.min_size
            && self.name.matches(file.name, true)
    }

    fn fits_path(&self, path: &ImagePath, facts: &Facts) -> bool {
        (self.under.0.is_empty() || self.under.hold(path))
            && !self.not_under.hold(path)
            && self.path.matches(path.as_bytes(), true)
            && !self.except.matches(path.as_bytes(), false)
            && self.packaged.is_none_or(|packaged| facts.packages.owner(path).is_some() == packaged)
    }

    fn say(
        &self,
        path: &ImagePath,
        file: &Candidate<'_>,
        at: Location,
        body: Option<&Body>,
        all: &mut Together,
        sink: &mut Sink,
    ) {
        if self.together {
            all.add(at, file.size);
            return;
        }
        let message = self.message.render(&[
            ("path", &path.display()),
            ("name", &shown(file.name)),
            ("mode", &format!("{:04o}", file.mode)),
            ("owner", &file.uid.to_string()),
            ("group", &file.gid.to_string()),
            ("size", &file.size.to_string()),
        ]);
        let Some(content) = &self.content else {
            sink.find(at, path.display(), message);
            return;
        };
        match body {
            None if file.size == 0 => {}
            None => sink.gap(at, format!("'{path}': its content is not held, so no rule can read it")),
            Some(body) => {
                let (mut line, mut counted, mut last) = (1, 0, 0);
                for place in content.places(&body.bytes) {
                    line += body.bytes.get(counted..place).map_or(0, lines);
                    counted = place;
                    if line != last {
                        sink.find(at.clone().at_line(line), path.display(), message.clone());
                    }
                    last = line;
                }
                if !body.whole {
                    sink.gap(at, format!("'{path}': only its first {} bytes were read", body.bytes.len()));
                }
            }
        }
    }

    /// One finding at the first place; the message tells how many, and how many bytes.
    fn say_together(&self, mut all: Together, sink: &mut Sink) {
        all.places.sort();
        let mut places = all.places.into_iter();
        let Some(first) = places.next() else { return };
        let Location::File { path, .. } = &first else { return };
        let path = path.clone();
        let message = self.message.render(&[
            ("path", &path.display()),
            ("name", &shown(path.file_name())),
            ("count", &all.count.to_string()),
            ("size", &all.size.to_string()),
        ]);
        sink.find(first, path.display(), message).also = places.collect();
    }
}

impl Together {
    fn add(&mut self, at: Location, size: u64) {
        self.count += 1;
        self.size = self.size.saturating_add(size);
        if self.places.len() < PLACES {
            self.places.push(at);
        }
    }
}

impl Directories {
    fn hold(&self, path: &ImagePath) -> bool {
        self.0.iter().any(|directory| path.is_within(directory) && path != directory)
    }
}

impl Kind {
    fn is(self, kind: EntryKind) -> bool {
        match self {
            Self::File => matches!(kind, EntryKind::File | EntryKind::HardLink),
            Self::Dir => kind == EntryKind::Dir,
            Self::Symlink => kind == EntryKind::Symlink,
            Self::Char => kind == EntryKind::Char,
            Self::Block => kind == EntryKind::Block,
            Self::Fifo => kind == EntryKind::Fifo,
        }
    }
}

impl Default for Kinds {
    fn default() -> Self {
        Self(vec![Kind::File])
    }
}

impl<'de> Deserialize<'de> for Kinds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |word: &String| Kind::deserialize(serde::de::value::StrDeserializer::<D::Error>::new(word));
        Words::deserialize(deserializer)?.0.iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl<'de> Deserialize<'de> for Directories {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Words::deserialize(deserializer)?.0;
        match words.iter().find(|word| !word.starts_with('/')) {
            Some(word) => Err(D::Error::custom(format!("directory '{word}': does not begin with /"))),
            None => Ok(Self(words.iter().map(|word| ImagePath::from(word.as_str())).collect())),
        }
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match u32::from_str_radix(&text, 8) {
            Ok(bits @ 1..=0o7777) => Ok(Self(bits)),
            _ => Err(D::Error::custom(format!("mode '{text}': not octal digits up to 7777"))),
        }
    }
}
