//! Finds a program as execvp(3) and runtimes do, and says what speaks against starting it.

use super::elf::{self, Elf};
use crate::facts::{Accounts, LayerFacts, ResolvedUser};
use crate::layer::{EntryKind, Node, Tree, Unresolved};
use crate::model::{ImagePath, visible};
use std::fmt;

/// PATH when the image's Env has none: what Docker and containerd set.
pub(super) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Bytes of a `#!` line that Linux reads.
const SCRIPT_LINE: usize = 256;

/// Directories of PATH that are searched.
const MOST_DIRECTORIES: usize = 256;

/// What the image holds.
#[derive(Clone, Copy)]
pub(super) struct Image<'a> {
    pub(super) tree: &'a Tree,
    pub(super) layers: &'a [LayerFacts],
    pub(super) accounts: &'a Accounts,
}

/// From where and as whom a program is looked for.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) path: String,
    pub(super) directory: ImagePath,
    pub(super) user: ResolvedUser,
    /// The image's architecture (GOARCH); empty when it is not known.
    pub(super) architecture: String,
    /// Whether nothing unknown has run before, so that what is not there now will not be there then.
    pub(super) certain: bool,
}

/// What a program's first bytes tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// An ELF file.
    Elf {
        /// Its architecture by Go's name, such as `amd64`.
        machine: String,
        /// The dynamic loader; `None` for a static program, or when it cannot be told.
        interpreter: Option<String>,
    },
    /// A script with a `#!` line.
    Script {
        /// The interpreter.
        interpreter: String,
        /// All that stands behind it, as one argument.
        argument: Option<String>,
    },
    /// Something else.
    Other,
    /// Its bytes are not held, or it is not there.
    #[default]
    Unknown,
}

/// Why a program will not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is nowhere in PATH.
    NotInPath,
    /// Nothing is at this path, which may be where a link leads.
    NotFound(ImagePath),
    /// A link of the program's name leads to a place where nothing is.
    Dangling {
        /// The link.
        link: ImagePath,
        /// Where nothing is.
        target: ImagePath,
    },
    /// Too many symbolic links.
    Loop,
    /// This is no regular file.
    NotAFile(ImagePath),
    /// This file has no execute bit.
    NotExecutable(ImagePath),
    /// This file or directory forbids it to this user.
    Forbidden {
        /// What forbids it.
        path: ImagePath,
        /// Whom.
        uid: u32,
    },
    /// A relative element of PATH found it, which Go's os/exec (and so runc) refuses.
    FoundRelative,
    /// Built for another machine than the image.
    WrongArchitecture {
        /// The program's, by Go's name.
        found: String,
        /// The image's.
        wanted: String,
    },
    /// The ELF loader or the script's interpreter is not there.
    MissingInterpreter(String),
    /// Neither ELF nor `#!`: Linux refuses it, and only a shell would run it.
    NoFormat,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInPath => f.write_str("is nowhere in PATH"),
            Self::NotFound(path) => write!(f, "{path} does not exist"),
            Self::Dangling { link, target } => write!(f, "{link} is a link to {target}, which does not exist"),
            Self::Loop => f.write_str("is behind too many symbolic links"),
            Self::NotAFile(path) => write!(f, "{path} is no regular file"),
            Self::NotExecutable(path) => write!(f, "{path} has no execute bit"),
            Self::Forbidden { path, uid } => write!(f, "{path} may not be used by uid {uid}"),
            Self::FoundRelative => f.write_str("is found by a relative element of PATH, which runc refuses"),
            Self::WrongArchitecture { found, wanted } => write!(f, "is built for {found}, the image is for {wanted}"),
            Self::MissingInterpreter(name) if name.ends_with('\r') => {
                let name = name.trim_end();
                write!(f, "its interpreter {name} is not found: the first line ends with a carriage return")
            }
            Self::MissingInterpreter(name) => write!(f, "its interpreter {name} does not exist"),
            Self::NoFormat => f.write_str("is neither an ELF file nor begins with #!"),
        }
    }
}

/// A program looked for.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) path: Option<ImagePath>,
    pub(super) named: Option<ImagePath>,
    pub(super) content: Content,
    pub(super) trouble: Option<Trouble>,
}

impl Image<'_> {
    /// Looks for the program `name`: through PATH, or from the working directory when it has a slash. The first
    /// executable file wins, as in execvp(3).
    pub(super) fn look(&self, name: &str, around: &Surroundings) -> Found {
        let mut found = self.search(name, around);
        if !around.certain
            && matches!(found.trouble, Some(Trouble::NotFound(_) | Trouble::Dangling { .. } | Trouble::NotInPath))
        {
            found.trouble = None;
        }
        found
    }

    fn search(&self, name: &str, around: &Surroundings) -> Found {
        if name.is_empty() {
            return Found { trouble: Some(Trouble::NotInPath), ..Found::default() };
        }
        if name.contains('/') {
            return self.judge(around.directory.join(name.as_bytes()), around);
        }
        let mut second_best: Option<Found> = None;
        for element in around.path.split(':').take(MOST_DIRECTORIES) {
            let candidate = around.directory.join(element.as_bytes()).join(name.as_bytes());
            let mut found = self.judge(candidate, around);
            match found.trouble {
                Some(Trouble::NotFound(_) | Trouble::NotAFile(_) | Trouble::Loop) => {}
                Some(Trouble::NotExecutable(_) | Trouble::Forbidden { .. } | Trouble::Dangling { .. }) => {
                    second_best.get_or_insert(found);
                }
                None if !element.starts_with('/') => {
                    found.trouble = Some(Trouble::FoundRelative);
                    return found;
                }
                _ => return found,
            }
        }
        second_best.unwrap_or(Found { trouble: Some(Trouble::NotInPath), ..Found::default() })
    }

    /// A file that is read, not executed: a shell's script. No execute bit is asked for.
    pub(super) fn script(&self, name: &str, around: &Surroundings) -> Found {
        let mut found = self.judge(around.directory.join(name.as_bytes()), around);
        if matches!(found.trouble, Some(Trouble::NotFound(_) | Trouble::Dangling { .. })) && !name.contains('/') {
            let by_path = self.look(name, around);
            if by_path.path.is_some() {
                found = by_path;
            }
        }
        let matters = |trouble: &Trouble| {
            matches!(trouble, Trouble::NotFound(_) | Trouble::Dangling { .. } | Trouble::Loop | Trouble::NotAFile(_))
        };
        found.trouble = found.trouble.filter(|trouble| around.certain && matters(trouble));
        found
    }

    fn judge(&self, named: ImagePath, around: &Surroundings) -> Found {
        let mut found = Found { named: Some(named.clone()), ..Found::default() };
        let node = match self.tree.resolve(&named) {
            Ok(node) => node,
            Err(why) => {
                found.trouble = Some(match why {
                    Unresolved::Missing(path) => match self.link_at(&named) {
                        Some((link, target)) => Trouble::Dangling { link, target },
                        None => Trouble::NotFound(path),
                    },
                    Unresolved::NotADirectory(path) => Trouble::NotAFile(path),
                    Unresolved::Loop => Trouble::Loop,
                });
                return found;
            }
        };
        found.path = Some(node.path());
        found.content = self.content(node);
        found.trouble = self
            .access(node, &named, &around.user)
            .or_else(|| wrong_architecture(&found.content, &around.architecture))
            .or_else(|| self.missing_interpreter(&found.content, around));
        found
    }

    /// The symbolic link that stands at `path`, links of the directories above it followed, and where it points.
    fn link_at(&self, path: &ImagePath) -> Option<(ImagePath, ImagePath)> {
        let directory = self.tree.resolve(&path.parent()?).ok()?;
        let link = directory.children().find(|child| child.name() == path.file_name())?;
        (link.kind() == EntryKind::Symlink).then(|| (link.path(), directory.path().join(link.link())))
    }

    /// What file type and permission bits forbid.
    fn access(&self, node: Node<'_>, named: &ImagePath, user: &ResolvedUser) -> Option<Trouble> {
        if node.kind() != EntryKind::File {
            return Some(Trouble::NotAFile(node.path()));
        }
        if node.mode() & 0o111 == 0 {
            return Some(Trouble::NotExecutable(node.path()));
        }
        let (Some(uid), Some(gid)) = (user.uid, user.gid) else { return None };
        let may = |node: Node<'_>| {
            let mine = if node.uid() == uid {
                0o100
            } else if node.gid() == gid || user.groups.contains(&node.gid()) {
                0o010
            } else {
                0o001
            };
            // An access control list may say otherwise; nobody's program hangs on that here.
            node.mode() & mine != 0 || node.xattrs().iter().any(|(key, _)| *key == b"system.posix_acl_access")
        };
        if uid == 0 {
            return None;
        }
        let forbidden = |node: Node<'_>| Trouble::Forbidden { path: node.path(), uid };
        for path in [named, &node.path()] {
            let mut above = path.parent();
            while let Some(directory) = above {
                // A directory that no layer has an entry for is made with mode 0755.
                match self.tree.resolve(&directory) {
                    Ok(node) if node.layer().is_some() && !may(node) => return Some(forbidden(node)),
                    _ => above = directory.parent(),
                }
            }
        }
        (!may(node)).then(|| forbidden(node))
    }

    fn content(&self, node: Node<'_>) -> Content {
        let Some((layer, entry)) = node.content() else { return Content::Unknown };
        let Some(facts) = self.layers.get(layer as usize) else { return Content::Unknown };
        let Some(head) = facts.head(entry).or_else(|| facts.body(entry)) else {
            return if node.kind() == EntryKind::File && node.size() == 0 { Content::Other } else { Content::Unknown };
        };
        let text = |bytes: &[u8]| visible(bytes).into_owned();
        if let Some(elf) = Elf::read(&head.bytes) {
            let machine = elf::machine_name(elf.machine);
            return Content::Elf { machine, interpreter: elf.interpreter.map(|name| text(&name)) };
        }
        match script_line(&head.bytes) {
            Some((interpreter, argument)) => {
                Content::Script { interpreter: text(interpreter), argument: argument.map(text) }
            }
            None => Content::Other,
        }
    }

    fn missing_interpreter(&self, content: &Content, around: &Surroundings) -> Option<Trouble> {
        let (name, argument) = match content {
            Content::Elf { interpreter: Some(name), .. } => (name, None),
            Content::Script { interpreter, argument } => (interpreter, argument.as_deref()),
            _ => return None,
        };
        let missing = |name: &str| Some(Trouble::MissingInterpreter(name.to_owned()));
        if self.tree.resolve(&around.directory.join(name.as_bytes())).is_err() {
            return missing(name);
        }
        // `#!/usr/bin/env NAME` and `#!/usr/bin/env -S NAME ...`.
        let words = argument.filter(|_| name.ends_with("/env"))?;
        let mut words = words.strip_prefix("-S").unwrap_or(words).split_ascii_whitespace();
        let next = words.find(|word| !word.contains('=') && !word.starts_with('-'))?;
        let whole = argument.filter(|argument| argument.ends_with('\r')).unwrap_or(next);
        let is_there = |name: &str| {
            let places = around.path.split(':').take(MOST_DIRECTORIES);
            let mut places = places.map(|place| around.directory.join(place.as_bytes()).join(name.as_bytes()));
            places.any(|place| self.tree.resolve(&place).is_ok())
        };
        if is_there(whole) { None } else { missing(whole) }
    }

    /// Whether two paths lead to the same file, by links of either kind.
    pub(super) fn same_file(&self, a: &ImagePath, b: &ImagePath) -> bool {
        let content = |path: &ImagePath| self.tree.resolve(path).ok().and_then(|node| node.content());
        content(a).is_some_and(|a| content(b) == Some(a))
    }
}

fn wrong_architecture(content: &Content, architecture: &str) -> Option<Trouble> {
    let Content::Elf { machine, .. } = content else { return None };
    let runs = elf::machines(architecture);
    let fits = runs.is_empty() || runs.iter().any(|&runs| elf::machine_name(runs) == *machine);
    (!fits).then(|| Trouble::WrongArchitecture { found: machine.clone(), wanted: architecture.to_owned() })
}

/// The interpreter of a `#!` line and the one argument behind it, as Linux reads them (binfmt_script): blanks around
/// both go, a carriage return does not.
fn script_line(bytes: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let line = bytes.get(..SCRIPT_LINE).unwrap_or(bytes).strip_prefix(b"#!")?;
    let line = &line[..memchr::memchr2(b'\n', 0, line).unwrap_or(line.len())];
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let from = line.iter().position(|byte| !is_blank(byte))?;
    let to = line.iter().rposition(|byte| !is_blank(byte))? + 1;
    let line = line.get(from..to)?;
    let Some(blank) = line.iter().position(is_blank) else { return Some((line, None)) };
    let argument = line[blank..].iter().position(|byte| !is_blank(byte)).map(|skip| &line[blank + skip..]);
    Some((&line[..blank], argument))
}
