//! Where the tree keeps its paths and files: flat arrays and one hash index, some 90 bytes an entry and its name.

use super::Unresolved;
use super::way::Way;
use crate::layer::{EntryKind, Record};
use crate::model::{ImagePath, LayerIndex, Presence};
use foldhash::fast::RandomState;
use std::hash::BuildHasher;

/// No node, no file, no layer.
pub(super) const NONE: u32 = u32::MAX;
/// No file because the entry is a mark: a whiteout, an opaque marker, AUFS' own.
pub(super) const MARK: u32 = u32::MAX - 1;
/// The node of `/`.
pub(super) const ROOT: u32 = 0;

/// A path that some layer names. It stays when its file goes, and may get another.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) parent: u32,
    /// The first child and the next sibling, [`NONE`] at the end.
    pub(super) child: u32,
    pub(super) next: u32,
    /// What stands here; [`NONE`] where nothing does.
    pub(super) file: u32,
    name: u32,
    name_length: u16,
    /// The first layer with an entry for it; [`NEVER`] without one, the last number before it for all later layers.
    first: u16,
}

/// No layer has an entry for a slot.
const NEVER: u16 = u16::MAX;

/// A file, directory, link or device: what an inode is. Hard links are several slots with one of these.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) type_flag: u8,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
    /// The layer whose entry gave owner and mode; [`NONE`] for a directory without an entry.
    pub(super) layer: LayerIndex,
    /// Layer and entry of the body.
    pub(super) content: (LayerIndex, u32),
    /// How many slots it stands in.
    pub(super) names: u32,
    /// Who took its last name. Of a file with several names each has its own; [`super::fold::Fold::gone`] has those.
    pub(super) presence: Presence,
    /// Where in the texts its link target and attributes are, with their lengths before them; [`NONE`] without any.
    text: u32,
}

/// Slots, files, their texts, and the index from (directory, name) to slot.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) slots: Vec<Slot>,
    pub(super) files: Vec<File>,
    text: Vec<u8>,
    /// Open addressing, a power of two, at most three quarters full. Its order never shows.
    index: Vec<u32>,
    hasher: RandomState,
}

impl Store {
    /// Holds the root and nothing else.
    pub(super) fn new() -> Self {
        let mut store = Self {
            slots: Vec::new(),
            files: Vec::new(),
            text: Vec::new(),
            index: vec![NONE; 64],
            hasher: RandomState::default(),
        };
        let file = store.add(File::implied());
        store.slots.push(Slot { file, ..Slot::new(ROOT, 0, 0) });
        store
    }

    /// The slot of `name` in `directory`, whether or not something stands there.
    pub(super) fn find(&self, directory: u32, name: &[u8]) -> Option<u32> {
        let mask = self.index.len() - 1;
        let mut at = self.hash(directory, name) & mask;
        while self.index[at] != NONE {
            let id = self.index[at];
            if self.slots[id as usize].parent == directory && self.name(id) == name && id != ROOT {
                return Some(id);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Makes the slot of `name` (at most 65 535 bytes) in `directory`, which has none. `None` when memory for texts,
    /// 4 GiB, is full.
    pub(super) fn insert(&mut self, directory: u32, name: &[u8]) -> Option<u32> {
        let id = u32::try_from(self.slots.len()).ok().filter(|id| *id != NONE)?;
        let (at, length) = self.keep(name)?;
        self.slots.push(Slot::new(directory, at, u16::try_from(length).ok()?));
        if self.slots.len() * 4 > self.index.len() * 3 {
            self.index = vec![NONE; self.index.len() * 2];
            (1..id).for_each(|id| self.enter(id));
        }
        self.enter(id);
        Some(id)
    }

    /// Adds a file without a name.
    pub(super) fn add(&mut self, file: File) -> u32 {
        self.files.push(file);
        u32::try_from(self.files.len() - 1).unwrap_or(NONE)
    }

    /// The file that `record` of `layer` describes. `None` when memory for texts is full.
    pub(super) fn file_of(&mut self, record: &Record<'_>, layer: LayerIndex) -> Option<File> {
        let kind = record.kind();
        let link = if kind == EntryKind::Symlink { record.link } else { b"" };
        let text = self.keep_texts(link, record.raw_xattrs())?;
        Some(File {
            type_flag: record.type_flag,
            mode: mode(record),
            uid: record.uid,
            gid: record.gid,
            size: if kind == EntryKind::File { record.size } else { 0 },
            layer,
            content: (layer, record.index),
            names: 1,
            presence: Presence::Visible,
            text,
        })
    }

    /// Gives `file` the owner, mode and, when there are any, attributes of `record`. `None` when memory is full.
    pub(super) fn set_owner(&mut self, file: u32, record: &Record<'_>, layer: LayerIndex) -> Option<()> {
        if !record.raw_xattrs().is_empty() {
            let link = self.link(&self.files[file as usize]).to_vec();
            self.files[file as usize].text = self.keep_texts(&link, record.raw_xattrs())?;
        }
        let file = &mut self.files[file as usize];
        (file.mode, file.uid, file.gid, file.layer) = (mode(record), record.uid, record.gid, layer);
        Some(())
    }

    /// The file in `slot`.
    pub(super) fn file(&self, slot: u32) -> Option<&File> {
        self.files.get(self.slots.get(slot as usize)?.file as usize)
    }

    /// The type of what stands in `slot`.
    pub(super) fn kind(&self, slot: u32) -> Option<EntryKind> {
        self.file(slot).map(|file| EntryKind::of(file.type_flag))
    }

    /// The last component of a slot's path; empty for the root.
    pub(super) fn name(&self, slot: u32) -> &[u8] {
        let Slot { name, name_length, .. } = self.slots[slot as usize];
        &self.text[name as usize..name as usize + usize::from(name_length)]
    }

    /// Remembers that `layer`, to which no lower one follows, has an entry for `slot`.
    pub(super) fn entered(&mut self, slot: u32, layer: LayerIndex) {
        let first = &mut self.slots[slot as usize].first;
        *first = (*first).min(u16::try_from(layer).unwrap_or(NEVER).min(NEVER - 1));
    }

    /// The first layer with an entry for `slot`.
    pub(super) fn first_layer(&self, slot: u32) -> Option<LayerIndex> {
        self.slots.get(slot as usize).map(|slot| slot.first).filter(|&first| first != NEVER).map(LayerIndex::from)
    }

    /// A symbolic link's target.
    pub(super) fn link(&self, file: &File) -> &[u8] {
        self.texts(file).0
    }

    /// The target of the symbolic link in `slot`; empty when something else stands there.
    pub(super) fn link_of(&self, slot: u32) -> &[u8] {
        self.file(slot).map_or(&[], |file| self.link(file))
    }

    /// The directories that `slot` lies in, the nearest first, the root left out.
    pub(super) fn above(&self, slot: u32) -> impl Iterator<Item = u32> {
        self.up(slot).skip(1)
    }

    /// `slot` and the directories that it lies in, the root left out.
    fn up(&self, slot: u32) -> impl Iterator<Item = u32> {
        let up = std::iter::successors(Some(slot), |&slot| Some(self.slots[slot as usize].parent));
        up.take_while(|&slot| slot != ROOT)
    }

    /// The path of `slot`.
    pub(super) fn path(&self, slot: u32) -> ImagePath {
        let mut names: Vec<&[u8]> = self.up(slot).map(|slot| self.name(slot)).collect();
        names.reverse();
        ImagePath::clamp(&names.join(&b'/'))
    }

    /// The length of the path of `slot`, bytes.
    pub(super) fn depth_of(&self, slot: u32) -> usize {
        self.up(slot).map(|slot| 1 + self.name(slot).len()).sum()
    }

    /// What `path` leads to, at most `links` symbolic links followed. `steps` is what following may cost; what it did
    /// is taken off.
    pub(super) fn resolve(&self, path: &ImagePath, links: usize, steps: &mut usize) -> Result<u32, Unresolved> {
        let mut at = ROOT;
        let mut way = Way::new(path.as_bytes(), links);
        while let Some(name) = way.next_component() {
            if self.kind(at) != Some(EntryKind::Dir) {
                return Err(Unresolved::NotADirectory(self.path(at)));
            }
            at = match name {
                b"." => at,
                b".." => self.slots[at as usize].parent,
                _ => {
                    let there = self.find(at, name).filter(|&slot| self.file(slot).is_some());
                    let Some(slot) = there else {
                        let mut missing = self.path(at).as_bytes().to_vec();
                        missing.push(b'/');
                        missing.extend_from_slice(name);
                        return Err(Unresolved::Missing(ImagePath::clamp(&missing)));
                    };
                    if self.kind(slot) == Some(EntryKind::Symlink) {
                        let absolute = way.follow(self.link_of(slot), steps).ok_or(Unresolved::Loop)?;
                        if absolute { ROOT } else { at }
                    } else {
                        slot
                    }
                }
            };
        }
        Ok(at)
    }

    /// Extended attributes as [`Record::raw_xattrs`] writes them.
    pub(super) fn xattrs(&self, file: &File) -> &[u8] {
        self.texts(file).1
    }

    /// The children of `slot`, those without a file too.
    pub(super) fn children(&self, slot: u32) -> impl Iterator<Item = u32> {
        let some = |id: u32| (id != NONE).then_some(id);
        let first = self.slots.get(slot as usize).and_then(|slot| some(slot.child));
        std::iter::successors(first, move |&id| some(self.slots[id as usize].next))
    }

    /// Makes `children`, in this order, the children of `slot`.
    pub(super) fn set_children(&mut self, slot: u32, children: &[u32]) {
        self.slots[slot as usize].child = children.first().copied().unwrap_or(NONE);
        for (at, &child) in children.iter().enumerate() {
            self.slots[child as usize].next = children.get(at + 1).copied().unwrap_or(NONE);
        }
    }

    /// Gives back what growing took in advance.
    pub(super) fn shrink(&mut self) {
        self.slots.shrink_to_fit();
        self.files.shrink_to_fit();
        self.text.shrink_to_fit();
    }

    /// Link target and attributes of `file`.
    fn texts(&self, file: &File) -> (&[u8], &[u8]) {
        let found = self.text.get(file.text as usize..).and_then(|text| {
            let (link, text) = text.split_first_chunk::<4>()?;
            let (xattrs, text) = text.split_first_chunk::<4>()?;
            let (link, text) = text.split_at_checked(u32::from_le_bytes(*link) as usize)?;
            Some((link, text.get(..u32::from_le_bytes(*xattrs) as usize)?))
        });
        found.unwrap_or_default()
    }

    fn keep_texts(&mut self, link: &[u8], xattrs: &[u8]) -> Option<u32> {
        if link.is_empty() && xattrs.is_empty() {
            return Some(NONE);
        }
        let lengths = [u32::try_from(link.len()).ok()?.to_le_bytes(), u32::try_from(xattrs.len()).ok()?.to_le_bytes()];
        let (at, _) = self.keep(lengths.as_flattened())?;
        self.keep(link)?;
        self.keep(xattrs)?;
        Some(at)
    }

    fn keep(&mut self, text: &[u8]) -> Option<(u32, u32)> {
        let at = u32::try_from(self.text.len()).ok()?;
        u32::try_from(self.text.len() + text.len()).ok()?;
        self.text.extend_from_slice(text);
        Some((at, u32::try_from(text.len()).ok()?))
    }

    fn enter(&mut self, id: u32) {
        let mask = self.index.len() - 1;
        let mut at = self.hash(self.slots[id as usize].parent, self.name(id)) & mask;
        while self.index[at] != NONE {
            at = (at + 1) & mask;
        }
        self.index[at] = id;
    }

    fn hash(&self, directory: u32, name: &[u8]) -> usize {
        // Nobody can choose names that collide for a seed that is drawn when the program starts.
        // Truncation keeps the low bits, all that the mask uses.
        self.hasher.hash_one((directory, name)) as usize
    }
}

impl Slot {
    fn new(parent: u32, name: u32, name_length: u16) -> Self {
        Self { parent, child: NONE, next: NONE, file: NONE, name, name_length, first: NEVER }
    }
}

impl File {
    /// A directory that no layer has an entry for.
    pub(super) fn implied() -> Self {
        Self {
            type_flag: b'5',
            mode: 0o755,
            uid: 0,
            gid: 0,
            size: 0,
            layer: NONE,
            content: (NONE, NONE),
            names: 1,
            presence: Presence::Visible,
            text: NONE,
        }
    }
}

fn mode(record: &Record<'_>) -> u16 {
    (record.mode & 0o7777) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_costs_what_is_said() {
        assert_eq!((size_of::<Slot>(), size_of::<File>()), (24, 48));
    }

    #[test]
    fn the_index_finds_what_it_holds_while_it_grows() {
        let mut store = Store::new();
        let names: Vec<_> = (0..1000).map(|n| format!("n{n}")).collect();
        let mut directory = ROOT;
        for name in &names {
            let slot = store.insert(directory, name.as_bytes()).expect("memory");
            assert_eq!(store.find(directory, name.as_bytes()), Some(slot));
            assert_eq!(store.find(slot, name.as_bytes()), None);
            directory = if slot.is_multiple_of(10) { slot } else { directory };
        }
        let found = names.iter().filter(|name| (0..1001).any(|slot| store.find(slot, name.as_bytes()).is_some()));
        assert_eq!(found.count(), 1000);
    }
}
