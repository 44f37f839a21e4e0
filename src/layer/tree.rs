//! Folds layers into the tree that a container would see. Knows paths and layers; reads no bytes and judges nothing.
//!
//! The tree is the one that overlayfs shows of unpacked layers, the default of Docker, containerd and Podman. Where
//! other runtimes show something else, or refuse the layer, a note says so.

mod fold;
mod notes;
mod store;
mod way;

#[cfg(test)]
mod tests;

use super::entry::xattrs;
use super::{EntryKind, LayerEntries};
use crate::model::{ImagePath, LayerIndex, Limits, Presence};
use fold::{Fold, Folded};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use store::{File, MARK, NONE, ROOT, Store};

/// The merged tree, and what later layers hid.
#[derive(Clone, Debug)]
pub struct Tree {
    store: Store,
    /// Slots that hold something, in the order of their paths.
    order: Vec<u32>,
    /// For each layer and entry the file that it made or named.
    files: Vec<Box<[u32]>>,
    /// Where files stand that are seen by a name which their own entry does not tell: the first in the order of paths.
    names: BTreeMap<u32, u32>,
    /// What became of names that are not their file's only one, by layer and entry.
    gone: BTreeMap<(LayerIndex, u32), Presence>,
    hidden: Vec<Hidden>,
    left_out: u64,
    symlinks: usize,
}

/// A path of the tree. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    tree: &'a Tree,
    id: u32,
}

/// A name of a file that a layer holds and a container does not see. The content may be seen by another name:
/// [`Tree::is_seen`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// Its path.
    pub path: ImagePath,
    /// The layer that holds it.
    pub layer: LayerIndex,
    /// Its entry in that layer.
    pub entry: u32,
    /// Never [`Presence::Visible`].
    pub presence: Presence,
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// Nothing at this path.
    Missing(ImagePath),
    /// This one is no directory.
    NotADirectory(ImagePath),
    /// More symbolic links than the limit.
    Loop,
}

impl Tree {
    /// Folds layers from the base up. The notes tell what runtimes read differently: (layer, sentence), at most one a
    /// kind and layer with a count.
    #[must_use]
    pub fn fold(layers: &[&LayerEntries], limits: &Limits) -> (Self, Vec<(LayerIndex, String)>) {
        let mut fold = Fold::new(limits);
        for entries in layers {
            fold.layer(entries);
        }
        let Folded { store, notes, files, named, gone, left_out } = fold.finish();
        let (order, hidden) = (Vec::new(), Vec::new());
        let mut tree =
            Self { store, order, files, names: BTreeMap::new(), gone, hidden, left_out, symlinks: limits.symlinks };
        tree.store.shrink();
        tree.sort_children();
        tree.order = tree.by_path();
        for slot in tree.order.iter().filter(|slot| named.contains_key(slot)) {
            tree.names.entry(tree.store.slots[*slot as usize].file).or_insert(*slot);
        }
        tree.hidden = tree.all_hidden(layers);
        (tree, notes.sentences())
    }

    /// What stands at `path`, symbolic links not followed.
    #[must_use]
    pub fn get(&self, path: &ImagePath) -> Option<Node<'_>> {
        let slot = self.slot(path)?;
        self.store.file(slot)?;
        Some(self.node(slot))
    }

    /// The first layer that has an entry for `path`, symbolic links not followed, whatever became of it.
    #[must_use]
    pub fn first_layer(&self, path: &ImagePath) -> Option<LayerIndex> {
        self.store.first_layer(self.slot(path)?)
    }

    fn slot(&self, path: &ImagePath) -> Option<u32> {
        path.components().try_fold(ROOT, |directory, name| self.store.find(directory, name))
    }

    /// What `path` leads to, all symbolic links followed inside the image.
    pub fn resolve(&self, path: &ImagePath) -> Result<Node<'_>, Unresolved> {
        let mut steps = way::LINK_STEPS;
        self.store.resolve(path, self.symlinks, &mut steps).map(|slot| self.node(slot))
    }

    /// All paths in the order of their bytes, the root left out.
    pub fn iter(&self) -> impl Iterator<Item = Node<'_>> {
        self.order.iter().map(|&slot| self.node(slot))
    }

    /// What later entries hid: names of files, hard and symbolic links, by layer and entry. Whiteouts that carry a body
    /// are among them, hidden by their own layer.
    #[must_use]
    pub fn hidden(&self) -> &[Hidden] {
        &self.hidden
    }

    /// How many entries are not in the tree because more directories than [`Limits::implied`] would have had to be made.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether a container sees what `entry` of `layer` made by the name that it gave, and who hid it otherwise. A
    /// whiteout counts as removed by its own layer; an entry that makes nothing because runtimes refuse it, as visible.
    #[must_use]
    pub fn presence(&self, layer: LayerIndex, entry: u32) -> Presence {
        match self.file_id(layer, entry) {
            MARK => Presence::Removed { by: layer },
            id => match self.gone.get(&(layer, entry)) {
                Some(gone) => *gone,
                None => self.store.files.get(id as usize).map_or(Presence::Visible, |file| file.presence),
            },
        }
    }

    /// Whether a container sees the content of `entry` of `layer` by any name.
    #[must_use]
    pub fn is_seen(&self, layer: LayerIndex, entry: u32) -> bool {
        self.store.files.get(self.file_id(layer, entry) as usize).is_some_and(|file| file.names > 0)
    }

    /// Where the content of `entry` of `layer`, whose own name is `path`, is to be told (a directory always by its own
    /// name): by its own when a container
    /// sees it there, else by the first name by which it does, else by its own with who hid it.
    #[must_use]
    pub fn place(&self, layer: LayerIndex, entry: u32, path: ImagePath) -> (ImagePath, Presence) {
        let id = self.file_id(layer, entry);
        if self.is_seen(layer, entry) {
            if self.get(&path).is_some_and(|node| self.store.slots[node.id as usize].file == id) {
                return (path, Presence::Visible);
            }
            if let Some(&slot) = self.names.get(&id) {
                return (self.store.path(slot), Presence::Visible);
            }
        }
        let presence = self.presence(layer, entry);
        (path, presence)
    }

    fn file_id(&self, layer: LayerIndex, entry: u32) -> u32 {
        self.files.get(layer as usize).and_then(|files| files.get(entry as usize)).copied().unwrap_or(NONE)
    }

    fn node(&self, id: u32) -> Node<'_> {
        Node { tree: self, id }
    }

    /// Drops children that hold nothing and puts the others in the order of their names.
    fn sort_children(&mut self) {
        for slot in 0..u32::try_from(self.store.slots.len()).unwrap_or(NONE) {
            let mut children: Vec<u32> =
                self.store.children(slot).filter(|&id| self.store.file(id).is_some()).collect();
            children.sort_unstable_by(|&a, &b| self.store.name(a).cmp(self.store.name(b)));
            self.store.set_children(slot, &children);
        }
    }

    /// All slots but the root in the order of their whole paths, in which `/a-b` comes between `/a` and `/a/b`: so a
    /// directory's children take the place of its name with a slash.
    fn by_path(&self) -> Vec<u32> {
        #[derive(Clone, Copy, PartialEq)]
        enum Step {
            Itself(u32),
            Children(u32),
        }
        let with_slash = |step: &Step| match *step {
            Step::Itself(slot) => (self.store.name(slot), &b""[..]),
            Step::Children(slot) => (self.store.name(slot), &b"/"[..]),
        };
        let compare = |a: &Step, b: &Step| -> Ordering {
            let ((a, a_slash), (b, b_slash)) = (with_slash(a), with_slash(b));
            a.iter().chain(a_slash).cmp(b.iter().chain(b_slash))
        };
        let mut order = Vec::new();
        let mut todo = vec![Step::Children(ROOT)];
        while let Some(step) = todo.pop() {
            match step {
                Step::Itself(slot) => order.push(slot),
                Step::Children(slot) => {
                    let start = todo.len();
                    for child in self.store.children(slot) {
                        todo.push(Step::Itself(child));
                        if self.store.slots[child as usize].child != NONE {
                            todo.push(Step::Children(child));
                        }
                    }
                    todo[start..].sort_unstable_by(|a, b| compare(b, a));
                }
            }
        }
        order
    }

    fn all_hidden(&self, layers: &[&LayerEntries]) -> Vec<Hidden> {
        let mut hidden = Vec::new();
        for (layer, entries) in (0..).zip(layers) {
            for record in entries.iter() {
                let presence = self.presence(layer, record.index);
                let is_file = match record.kind() {
                    EntryKind::File => self.file_id(layer, record.index) != MARK || record.size > 0,
                    EntryKind::HardLink | EntryKind::Symlink => self.file_id(layer, record.index) != MARK,
                    _ => false,
                };
                if is_file && presence != Presence::Visible {
                    hidden.push(Hidden { path: record.path(), layer, entry: record.index, presence });
                }
            }
        }
        hidden
    }
}

impl Default for Tree {
    /// The tree of no layers.
    fn default() -> Self {
        Self::fold(&[], &Limits::default()).0
    }
}

impl<'a> Node<'a> {
    /// Its path.
    #[must_use]
    pub fn path(&self) -> ImagePath {
        self.tree.store.path(self.id)
    }

    /// Whether its path has one of `names` as a component above the last one.
    #[must_use]
    pub fn is_below_any(&self, names: &[&[u8]]) -> bool {
        self.tree.store.above(self.id).any(|directory| names.contains(&self.tree.store.name(directory)))
    }

    /// The last component of its path.
    #[must_use]
    pub fn name(&self) -> &'a [u8] {
        self.tree.store.name(self.id)
    }

    /// Its type; a hard link is the file that it is.
    #[must_use]
    pub fn kind(&self) -> EntryKind {
        EntryKind::of(self.file().type_flag)
    }

    /// Permission bits, 12 of them.
    #[must_use]
    pub fn mode(&self) -> u32 {
        u32::from(self.file().mode)
    }

    /// Owner.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.file().uid
    }

    /// Owning group.
    #[must_use]
    pub fn gid(&self) -> u32 {
        self.file().gid
    }

    /// Size of a regular file in bytes; 0 for others.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.file().size
    }

    /// A symbolic link's target; empty for others.
    #[must_use]
    pub fn link(&self) -> &'a [u8] {
        self.tree.store.link(self.file())
    }

    /// Extended attributes.
    #[must_use]
    pub fn xattrs(&self) -> Vec<(&'a [u8], &'a [u8])> {
        xattrs(self.tree.store.xattrs(self.file())).collect()
    }

    /// The layer whose entry decided type, owner and mode; `None` for a directory that no layer has an entry for.
    #[must_use]
    pub fn layer(&self) -> Option<LayerIndex> {
        Some(self.file().layer).filter(|&layer| layer != NONE)
    }

    /// The layer and entry that hold the body (for a hard link those of the file that it links to).
    #[must_use]
    pub fn content(&self) -> Option<(LayerIndex, u32)> {
        Some(self.file().content).filter(|&(layer, _)| layer != NONE)
    }

    /// How many names it has in the tree.
    #[must_use]
    pub fn links(&self) -> u32 {
        self.file().names
    }

    /// What lies in this directory, by name; empty for others.
    pub fn children(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let tree = self.tree;
        tree.store.children(self.id).map(|id| tree.node(id))
    }

    fn file(&self) -> &'a File {
        self.tree.store.file(self.id).expect("nodes are made of slots that hold something")
    }
}
