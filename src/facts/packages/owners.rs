//! Who owns which path, compactly: sorted paths in one text, directories resolved through the tree.

use crate::layer::{EntryKind, Tree};
use crate::model::ImagePath;
use std::collections::HashMap;

/// Sorted by path; twelve bytes a path and its text.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners {
    text: Vec<u8>,
    rows: Vec<Row>,
    /// Directories whose real place is another, by links: sorted by the first.
    aliases: Vec<(ImagePath, ImagePath)>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    start: u32,
    length: u32,
    package: u32,
}

/// Collects owners in any order.
pub(super) struct OwnersBuilder<'a> {
    tree: &'a Tree,
    owners: Owners,
    /// Directories as packages write them, and where they really are.
    directories: HashMap<Vec<u8>, ImagePath>,
}

impl<'a> OwnersBuilder<'a> {
    pub(super) fn new(tree: &'a Tree) -> Self {
        Self { tree, owners: Owners::default(), directories: HashMap::new() }
    }

    /// Notes that `package` owns `name`; names beyond 4 GiB of text are left out.
    pub(super) fn add(&mut self, name: &[u8], package: u32) {
        let name = name.strip_suffix(b"/").unwrap_or(name);
        let cut = memchr::memrchr(b'/', name).map_or(0, |at| at + 1);
        let (directory, base) = name.split_at(cut);
        let start = self.owners.text.len();
        if matches!(base, b"" | b"." | b"..") {
            self.owners.text.extend_from_slice(ImagePath::clamp(name).as_bytes());
        } else {
            if !self.directories.contains_key(directory) {
                let written = ImagePath::clamp(directory);
                let real = real_directory(self.tree, &written);
                self.directories.insert(directory.to_vec(), real);
            }
            let real = self.directories.get(directory).map_or(&b"/"[..], ImagePath::as_bytes);
            self.owners.text.extend_from_slice(real.strip_suffix(b"/").unwrap_or(real));
            self.owners.text.push(b'/');
            self.owners.text.extend_from_slice(base);
        }
        let length = self.owners.text.len() - start;
        match (u32::try_from(start), u32::try_from(length), u32::try_from(start + length)) {
            (Ok(start), Ok(length), Ok(_)) => self.owners.rows.push(Row { start, length, package }),
            _ => self.owners.text.truncate(start),
        }
    }

    /// Sorts, with packages renumbered; of several owners of a path the first in the new order stays.
    pub(super) fn finish(self, renumber: impl Fn(u32) -> u32) -> Owners {
        let mut owners = self.owners;
        for row in &mut owners.rows {
            row.package = renumber(row.package);
        }
        let text = &owners.text;
        let path = |row: &Row| &text[row.start as usize..(row.start + row.length) as usize];
        owners.rows.sort_unstable_by(|a, b| (path(a), a.package).cmp(&(path(b), b.package)));
        owners.rows.dedup_by(|b, a| path(a) == path(b));
        owners.rows.shrink_to_fit();
        let mut aliases: Vec<(ImagePath, ImagePath)> = Vec::new();
        // The links of the root (/bin, /lib, ...), whether a package writes through them or not.
        for node in self.tree.get(&ImagePath::root()).into_iter().flat_map(|root| root.children()) {
            if node.kind() == EntryKind::Symlink
                && let Ok(target) = self.tree.resolve(&node.path())
            {
                aliases.push((node.path(), target.path()));
            }
        }
        let written = self.directories.into_iter().map(|(written, real)| (ImagePath::clamp(&written), real));
        aliases.extend(written.filter(|(written, real)| written != real));
        aliases.sort_unstable();
        aliases.dedup();
        owners.aliases = aliases;
        owners
    }
}

/// Where `written` really is; what of it the tree does not have stays as written.
fn real_directory(tree: &Tree, written: &ImagePath) -> ImagePath {
    let mut above = written.clone();
    loop {
        if let Ok(node) = tree.resolve(&above) {
            let rest = written.as_bytes().get(above.as_bytes().len()..).unwrap_or_default();
            return node.path().join(rest.strip_prefix(b"/").unwrap_or(rest));
        }
        let Some(parent) = above.parent() else { return written.clone() };
        above = parent;
    }
}

impl Owners {
    /// Whether no package tells a file.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The package that owns `path`.
    pub(super) fn find(&self, path: &ImagePath) -> Option<u32> {
        self.exact(path.as_bytes()).or_else(|| self.exact(self.real(path)?.as_bytes()))
    }

    fn exact(&self, path: &[u8]) -> Option<u32> {
        let of = |row: &Row| self.text.get(row.start as usize..(row.start + row.length) as usize).unwrap_or_default();
        let at = self.rows.binary_search_by(|row| of(row).cmp(path)).ok()?;
        self.rows.get(at).map(|row| row.package)
    }

    /// `path` with its deepest directory that is an alias replaced by the real one.
    fn real(&self, path: &ImagePath) -> Option<ImagePath> {
        let mut above = path.parent();
        while let Some(directory) = above {
            if let Ok(at) = self.aliases.binary_search_by(|(written, _)| written.cmp(&directory)) {
                let rest = path.as_bytes().get(directory.as_bytes().len() + 1..)?;
                return self.aliases.get(at).map(|(_, real)| real.join(rest));
            }
            above = directory.parent();
        }
        None
    }
}
