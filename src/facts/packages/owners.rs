//! Who owns which path, compactly: sorted paths in one text, directories resolved through the tree.

use crate::layer::{EntryKind, Tree};
use crate::model::ImagePath;
use foldhash::HashMap;

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

/// Bytes that a path costs beside its text, and a directory that was not met before.
const ROW_COST: usize = 16;
const DIRECTORY_COST: usize = 128;

/// Collects owners in any order.
pub(super) struct OwnersBuilder<'a> {
    tree: &'a Tree,
    owners: Owners,
    /// Directories as packages write them, and where they really are.
    directories: HashMap<Vec<u8>, ImagePath>,
}

impl<'a> OwnersBuilder<'a> {
    pub(super) fn new(tree: &'a Tree) -> Self {
        Self { tree, owners: Owners::default(), directories: HashMap::default() }
    }

    /// Notes that `package` owns `name`; names beyond 4 GiB of text are left out. What it costs, bytes.
    pub(super) fn add(&mut self, name: &[u8], package: u32) -> usize {
        let mut cost = ROW_COST;
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
                cost += DIRECTORY_COST + directory.len() + 2 * real.as_bytes().len();
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
        cost + length
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
    // Most are there.
    if let Ok(node) = tree.resolve(written) {
        return node.path();
    }
    let whole = written.as_bytes();
    let ends: Vec<usize> = memchr::memchr_iter(b'/', whole).collect();
    // What leads to something leads through directories, so that the longest such is found by halves.
    let resolve = |end: usize| tree.resolve(&ImagePath::clamp(&whole[..end]));
    let there = ends.partition_point(|&end| resolve(end).is_ok());
    let Some(&end) = there.checked_sub(1).and_then(|last| ends.get(last)) else { return written.clone() };
    resolve(end).map_or_else(|_| written.clone(), |node| node.path().join(&whole[end + 1..]))
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
        let whole = path.as_bytes();
        memchr::memrchr_iter(b'/', whole).filter(|end| *end > 0).find_map(|end| {
            let (directory, rest) = whole.split_at(end);
            let at = self.aliases.binary_search_by(|(written, _)| written.as_bytes().cmp(directory)).ok()?;
            Some(self.aliases.get(at)?.1.join(rest.get(1..)?))
        })
    }
}
