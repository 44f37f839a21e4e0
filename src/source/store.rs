//! What an image is kept in: an archive whose members are indexed, or a folder. Finds and opens files by name; nothing
//! outside the archive or folder is ever opened, and nothing that could block.

use super::blob::{self, Extent, Promise};
use super::error::{Trouble, cut};
use super::guess::{self, Guess};
use super::input::Input;
use super::members::Members;
use crate::image::{Descriptor, Digest};
use crate::model::Limits;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `O_NONBLOCK`: a pipe that takes a file's place between look and open must not hang us.
#[cfg(all(target_os = "linux", not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64"))))]
const O_NONBLOCK: i32 = 0o4000;
#[cfg(all(target_os = "linux", any(target_arch = "mips", target_arch = "mips64")))]
const O_NONBLOCK: i32 = 0x80;
#[cfg(all(target_os = "linux", target_arch = "sparc64"))]
const O_NONBLOCK: i32 = 0x4000;
#[cfg(not(target_os = "linux"))]
const O_NONBLOCK: i32 = 0x4;

/// An archive or a folder.
#[derive(Debug)]
pub(super) enum Store {
    Archive {
        file: Arc<File>,
        members: Members,
        /// What stands behind the compressed data and is no part of it; a sentence.
        behind: Option<String>,
    },
    /// Its path without symbolic links.
    Folder(PathBuf),
}

/// A file in a store: checked, not held open when it lies in a folder.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `None` in an archive.
    path: Option<PathBuf>,
    offset: u64,
    /// In bytes, as stored.
    pub(super) size: u64,
}

impl Store {
    pub(super) fn new(input: Input, limits: &Limits) -> Result<Self, Trouble> {
        match input {
            Input::Archive { file, size, damage, behind } => {
                let mut members = Members::index(&file, size, limits)?;
                members.damage = damage.or(members.damage);
                Ok(Self::Archive { file: Arc::new(file), members, behind })
            }
            Input::Folder(path) => {
                // One that cannot be looked into would seem empty.
                let folder = std::fs::read_dir(&path).and_then(|_| path.canonicalize());
                folder.map(Self::Folder).map_err(|error| Trouble::io("", &error))
            }
        }
    }

    pub(super) fn is_folder(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    /// Whether there is anything called `name`, of whatever type.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Archive { members, .. } => members.has(name),
            Self::Folder(root) => root.join(name).symlink_metadata().is_ok(),
        }
    }

    /// What there is to say of an archive with several members of one name.
    pub(super) fn repeated(&self) -> Option<String> {
        let Self::Archive { members, .. } = self else { return None };
        let (name, more) = members.repeated.as_ref()?;
        Some(format!("{more} members of the archive replace earlier ones of the same name, such as '{name}'"))
    }

    /// What there is to say of bytes that no tool reads: those behind an outer compression.
    pub(super) fn unread(&self) -> Option<String> {
        let Self::Archive { behind, .. } = self else { return None };
        behind.clone()
    }

    /// Why an archive could not be read up to its end.
    pub(super) fn damage(&self) -> Option<&Trouble> {
        let Self::Archive { members, .. } = self else { return None };
        members.damage.as_ref()
    }

    /// What of an archive is not looked at; sentences.
    pub(super) fn gaps(&self) -> Vec<String> {
        let Self::Archive { members, .. } = self else { return Vec::new() };
        let unseen = [&members.damage, &members.behind].into_iter().flatten();
        unseen.map(|trouble| format!("{trouble}: what stands there was not looked at")).collect()
    }

    /// The file `name`; `None` when there is none. Errors when it is no regular file or leads out of the store.
    pub(super) fn find(&self, name: &str, limits: &Limits) -> Result<Option<Place>, Trouble> {
        match self {
            Self::Archive { members, .. } => {
                let found = members.find(name, limits)?;
                Ok(found.map(|(offset, size)| Place { path: None, offset, size }))
            }
            Self::Folder(root) => find_file(root, name),
        }
    }

    /// Opens what was found.
    pub(super) fn open(&self, place: &Place) -> io::Result<Extent> {
        let file = match (self, &place.path) {
            (Self::Archive { file, .. }, _) => Arc::clone(file),
            (Self::Folder(_), path) => Arc::new(open_regular(path.as_deref().unwrap_or(Path::new("")))?),
        };
        Ok(Extent { file, offset: place.offset, size: place.size })
    }

    /// The bytes of a small file, no more than `bound` (the field `limit` of `Limits`).
    pub(super) fn read(
        &self,
        object: &str,
        place: &Place,
        limit: &'static str,
        bound: u64,
    ) -> Result<Vec<u8>, Trouble> {
        if place.size > bound {
            return Err(Trouble::Limit { object: object.to_owned(), limit, bound });
        }
        let read = || {
            let extent = self.open(place)?;
            let mut bytes = vec![0; usize::try_from(extent.size).map_err(io::Error::other)?];
            extent.file.read_exact_at(&mut bytes, extent.offset)?;
            Ok(bytes)
        };
        read().map_err(|error: io::Error| match error.kind() {
            ErrorKind::UnexpectedEof => {
                Trouble::broken(object, format!("truncated: not all of its {} bytes", place.size))
            }
            _ => Trouble::io(object, &error),
        })
    }

    /// The first bytes of a file, at most eight.
    pub(super) fn head(&self, object: &str, place: &Place) -> Result<Vec<u8>, Trouble> {
        let start = Place { size: place.size.min(8), ..place.clone() };
        self.read(object, &start, "head", 8)
    }

    /// The blob of a descriptor in an OCI layout, unread; `None` when it is missing.
    pub(super) fn blob(&self, digest: &Digest, limits: &Limits) -> Result<Option<Place>, Trouble> {
        self.find(&format!("blobs/{}/{}", digest.algorithm(), digest.hex()), limits)
    }

    /// The bytes of a small blob, verified.
    pub(super) fn verified(
        &self,
        what: &str,
        descriptor: &Descriptor,
        limit: &'static str,
        bound: u64,
        limits: &Limits,
    ) -> Result<Vec<u8>, Trouble> {
        let object = format!("{what} {}", descriptor.digest);
        let place =
            self.blob(&descriptor.digest, limits)?.ok_or_else(|| Trouble::broken(&*object, "blob is missing"))?;
        if place.size != descriptor.size {
            let what = format!("expected {} bytes, got {}", descriptor.size, place.size);
            return Err(Trouble::broken(object, what));
        }
        let bytes = self.read(&object, &place, limit, bound)?;
        let promise = Promise { digest: descriptor.digest.clone(), size: Some(descriptor.size) };
        blob::check(&promise, &bytes).map_err(|what| Trouble::broken(object, what))?;
        Ok(bytes)
    }

    /// What this looks like when it holds no image.
    pub(super) fn guess(&self) -> Guess {
        match self {
            Self::Archive { members, .. } => guess::names(&members.names(), false),
            Self::Folder(root) => {
                let names = folder_names(root);
                guess::names(&names.iter().map(Vec::as_slice), true)
            }
        }
    }
}

/// The names in a folder and, in its folders, one level deeper; at most 1000, sorted.
fn folder_names(root: &Path) -> Vec<Vec<u8>> {
    let list = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().take(1000);
    let mut names = Vec::new();
    for entry in list(root) {
        let name = entry.file_name();
        names.push(name.as_bytes().to_vec());
        if names.len() < 1000 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let inner = list(&entry.path()).map(|inner| [name.as_bytes(), inner.file_name().as_bytes()].join(&b'/'));
            names.extend(inner);
        }
    }
    names.sort_unstable();
    names
}

/// A regular file in the folder `root`; symbolic links may not leave it.
fn find_file(root: &Path, name: &str) -> Result<Option<Place>, Trouble> {
    let object = format!("file '{}'", cut(name, 200));
    let broken = |what: &str| Err(Trouble::broken(&*object, what));
    let path = match root.join(name).canonicalize() {
        Ok(path) => path,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if root.join(name).symlink_metadata().is_ok() {
                return broken("a symbolic link to nothing");
            }
            return Ok(None);
        }
        Err(error) => return Err(Trouble::io(object, &error)),
    };
    if !path.starts_with(root) {
        return broken("a symbolic link that leads out of the folder");
    }
    let meta = path.symlink_metadata().map_err(|error| Trouble::io(&*object, &error))?;
    if !meta.is_file() {
        return broken(if meta.is_dir() { "a folder, not a file" } else { "not a regular file" });
    }
    Ok(Some(Place { path: Some(path), offset: 0, size: meta.len() }))
}

/// Opens a path that was a regular file a moment ago and must still be the same.
fn open_regular(path: &Path) -> io::Result<File> {
    let before = path.symlink_metadata()?;
    let changed = || io::Error::other("no longer a regular file");
    if !before.is_file() {
        return Err(changed());
    }
    let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path)?;
    let after = file.metadata()?;
    if after.is_file() && (before.dev(), before.ino()) == (after.dev(), after.ino()) {
        Ok(file)
    } else {
        Err(changed())
    }
}
