//! Folds layers, as overlayfs shows what runtimes unpack: whiteouts hide lower layers only, whatever their place in the
//! tar; symbolic links are followed on the way to an entry only when the same layer made them. Each node is entered,
//! hidden and cleared at most once a layer, so that the whole costs what the entries cost.

use super::notes::{Note, Notes};
use super::store::{File, MARK, NONE, ROOT, Store};
use super::way::{LINK_STEPS, Way};
use crate::layer::{EntryKind, LayerEntries, Record};
use crate::model::{ImagePath, LayerIndex, Limits, Presence};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const WHITEOUT: &[u8] = b".wh.";
/// AUFS' own files; all but the opaque marker mean nothing.
const RESERVED: &[u8] = b".wh..wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
/// The longest file name on Linux.
const NAME_MAX: usize = 255;

/// The tree while layers are laid on it.
pub(super) struct Fold<'l> {
    store: Store,
    notes: Notes,
    /// For each layer and entry the file it is a name of; [`NONE`] or [`MARK`] when it makes none.
    files: Vec<Box<[u32]>>,
    /// The layer and entry that put a file where it stands, for the names that its own entry does not tell: all names
    /// of a file with several, and those that lie behind a symbolic link.
    named: BTreeMap<u32, (LayerIndex, u32)>,
    /// What became of such names when they went, by layer and entry.
    gone: BTreeMap<(LayerIndex, u32), Presence>,
    limits: &'l Limits,
    layer: LayerIndex,
    marks: Vec<Marks>,
    /// What following links may still cost, for all layers.
    link_steps: usize,
    /// Directories without an entry of their own that may still be made, for all layers.
    implied_left: usize,
    /// Entries left out because no more could be made.
    left_out: u64,
    /// The directory entered last, while it stands: most entries follow one of the same directory.
    recent: Option<(ImagePath, u32)>,
    /// Whether symbolic links were followed to the directory entered last.
    through_link: bool,
    /// Whiteouts of this layer, by entry, that a directory of the same layer takes back.
    undone: BTreeSet<u32>,
}

/// What is left of a fold when all layers are laid; its fields are the fold's.
pub(super) struct Folded {
    pub(super) store: Store,
    pub(super) notes: Notes,
    pub(super) files: Vec<Box<[u32]>>,
    pub(super) named: BTreeMap<u32, (LayerIndex, u32)>,
    pub(super) gone: BTreeMap<(LayerIndex, u32), Presence>,
    pub(super) left_out: u64,
}

/// What happened to a slot, as the last layer in which it did.
#[derive(Clone, Copy)]
struct Marks {
    /// The layer has it in its own tree, by an entry or as the parent of one.
    touched: LayerIndex,
    /// The layer has an entry for it.
    made: LayerIndex,
    /// The layer hides what lower layers have below it.
    cleared: LayerIndex,
    /// The layer deletes the directory that lower layers have here.
    deleted: LayerIndex,
    /// Whether it stands in its parent's list of children.
    listed: bool,
}

/// Whiteouts behind which the layer makes a directory of the same name: unpacked for overlayfs, the directory takes the
/// whiteout's place, and what lower layers have in it shows again.
fn undone_whiteouts(entries: &LayerEntries) -> BTreeSet<u32> {
    let mut whiteouts: HashMap<ImagePath, Vec<u32>> = HashMap::new();
    let marked = memchr::memmem::Finder::new(WHITEOUT);
    for record in entries.iter().filter(|record| marked.find(record.name).is_some()) {
        let path = record.path();
        let name = path.file_name();
        let hidden = name.strip_prefix(WHITEOUT).filter(|hidden| !name.starts_with(RESERVED) && !hidden.is_empty());
        if let (Some(hidden), Some(parent)) = (hidden, path.parent()) {
            whiteouts.entry(parent.join(hidden)).or_default().push(record.index);
        }
    }
    let mut undone = BTreeSet::new();
    if whiteouts.is_empty() {
        return undone;
    }
    for record in entries.iter().filter(|record| record.kind() == EntryKind::Dir) {
        let path = record.path();
        if whiteouts.get(&path).and_then(|all| all.last()).is_some_and(|&last| last < record.index) {
            undone.extend(whiteouts.remove(&path).unwrap_or_default());
        }
    }
    undone
}

impl<'l> Fold<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        let root = Marks { listed: true, ..Marks::NEW };
        Self {
            store: Store::new(),
            notes: Notes::default(),
            files: Vec::new(),
            named: BTreeMap::new(),
            gone: BTreeMap::new(),
            limits,
            layer: 0,
            marks: vec![root],
            link_steps: LINK_STEPS,
            implied_left: limits.implied,
            left_out: 0,
            recent: None,
            through_link: false,
            undone: BTreeSet::new(),
        }
    }

    /// Lays the next layer on top.
    pub(super) fn layer(&mut self, entries: &LayerEntries) {
        self.undone = undone_whiteouts(entries);
        let files = entries.iter().map(|record| self.entry(&record).unwrap_or(NONE)).collect();
        self.files.push(files);
        self.layer += 1;
        self.recent = None;
    }

    /// All layers are laid.
    pub(super) fn finish(self) -> Folded {
        let Self { store, notes, files, named, gone, left_out, .. } = self;
        Folded { store, notes, files, named, gone, left_out }
    }

    /// Applies one entry; the file that it is a name of, or [`MARK`].
    fn entry(&mut self, record: &Record<'_>) -> Option<u32> {
        let path = record.path();
        let ignored = match record.kind() {
            EntryKind::Other(b'g') => return None,
            EntryKind::Other(_) => Some(Note::UnknownType),
            EntryKind::Symlink if record.link.is_empty() => Some(Note::EmptySymlink),
            _ if self.too_long(&path) || record.link.len() > self.limits.path => Some(Note::NameTooLong),
            kind if path.is_root() && kind != EntryKind::Dir => Some(Note::RootNotADirectory),
            _ => None,
        };
        if let Some(note) = ignored {
            self.note(note, &path);
            return None;
        }
        if escapes(record.name) {
            self.note(Note::Escapes, &path);
        }
        if record.xattrs().any(|(key, _)| key.starts_with(b"trusted.overlay.") || key.starts_with(b"user.overlay.")) {
            self.note(Note::OverlayAttribute, &path);
        }
        let Some(parent) = path.parent() else { return self.directory_entry(ROOT, record, &path) };
        let name = path.file_name();
        if path.components().next().is_some_and(|top| top.starts_with(RESERVED))
            && (name, &parent) != (OPAQUE, &ImagePath::root())
        {
            return Some(MARK);
        }
        let directory = self.enter(&parent, &path)?;
        match name.strip_prefix(WHITEOUT) {
            Some(_) if name == OPAQUE => self.opaque(directory, &path),
            Some(_) if name.starts_with(RESERVED) => {}
            Some(b"" | b"." | b"..") => self.note(Note::BadWhiteout, &path),
            Some(_) if self.undone.contains(&record.index) => self.note(Note::WhiteoutThenDirectory, &path),
            Some(hidden) => self.whiteout(directory, hidden, &path),
            None if record.overlay_whiteout => {
                self.note(Note::DeviceWhiteout, &path);
                if let Some(slot) = self.live(directory, name) {
                    self.release(slot, Presence::Removed { by: self.layer });
                }
            }
            None => return self.place(directory, name, record, &path),
        }
        Some(MARK)
    }

    /// Hides what lower layers have in `directory`.
    fn opaque(&mut self, directory: u32, path: &ImagePath) {
        if directory != ROOT {
            if self.clear(directory) {
                self.note(Note::OpaqueAfterOwn, path);
            }
        } else if self.layer > 0 {
            self.note(Note::RootOpaque, path);
        }
    }

    /// Hides what lower layers have as `name` in `directory`.
    fn whiteout(&mut self, directory: u32, name: &[u8], path: &ImagePath) {
        let Some(slot) = self.live(directory, name) else { return };
        if self.touched(slot) {
            self.note(Note::WhiteoutOfOwn, path);
            if self.store.kind(slot) == Some(EntryKind::Dir) {
                self.forget_lower_owner(slot);
                self.clear(slot);
            }
            return;
        }
        if self.store.kind(slot) == Some(EntryKind::Dir) {
            self.marks[slot as usize].deleted = self.layer;
        }
        self.release(slot, Presence::Removed { by: self.layer });
    }

    /// Puts an entry into `directory`; the file that it is a name of.
    fn place(&mut self, directory: u32, name: &[u8], record: &Record<'_>, path: &ImagePath) -> Option<u32> {
        let there = self.live(directory, name);
        if record.kind() == EntryKind::HardLink {
            return self.hard_link(directory, name, there, record, path);
        }
        let slot = self.slot(directory, name, path)?;
        if record.kind() == EntryKind::Dir {
            return self.directory_entry(slot, record, path);
        }
        let file = self.store.file_of(record, self.layer);
        let made = self.make(slot, file, path);
        if made.is_some() && self.through_link {
            self.named.insert(slot, (self.layer, record.index));
        }
        made
    }

    /// A directory lies over a directory, with its own owner and mode and the other's children; over anything else it
    /// lies alone.
    fn directory_entry(&mut self, slot: u32, record: &Record<'_>, path: &ImagePath) -> Option<u32> {
        if self.store.kind(slot) != Some(EntryKind::Dir) {
            if self.marks[slot as usize].deleted == self.layer {
                self.note(Note::WhiteoutThenDirectory, path);
            }
            let file = self.store.file_of(record, self.layer);
            return self.make(slot, file, path);
        }
        let Some(mut file) = self.store.file_of(record, self.layer) else {
            self.note(Note::TextFull, path);
            return None;
        };
        self.note_duplicate(slot, path);
        let id = self.store.slots[slot as usize].file;
        file.names = self.store.files[id as usize].names;
        self.store.files[id as usize] = file;
        self.mark_made(slot);
        Some(id)
    }

    /// A further name for a file. Owner and mode of the last header hold for all names, as in a real file system.
    fn hard_link(
        &mut self,
        directory: u32,
        name: &[u8],
        there: Option<u32>,
        record: &Record<'_>,
        path: &ImagePath,
    ) -> Option<u32> {
        let target = self.target(record).filter(|&target| {
            self.store.kind(target) != Some(EntryKind::Dir) && !there.is_some_and(|there| self.is_within(target, there))
        });
        let Some(target) = target else {
            self.note(Note::BadHardLink, path);
            return None;
        };
        if !self.touched(target) {
            self.note(Note::LowerHardLink, path);
        }
        let slot = self.slot(directory, name, path)?;
        let id = self.store.slots[target as usize].file;
        let file = &mut self.store.files[id as usize];
        file.names += 1;
        self.named.entry(target).or_insert(file.content);
        if (u32::from(file.mode) ^ record.mode) & 0o6000 != 0 {
            self.note(Note::HardLinkChangesMode, path);
        }
        if self.store.set_owner(id, record, self.layer).is_none() {
            self.note(Note::TextFull, path);
        }
        self.note_duplicate(slot, path);
        self.release(slot, Presence::Overwritten { by: self.layer });
        self.store.slots[slot as usize].file = id;
        self.named.insert(slot, (self.layer, record.index));
        self.mark_made(slot);
        Some(id)
    }

    /// Gives `slot` a new file in the place of what stands there.
    fn make(&mut self, slot: u32, file: Option<File>, path: &ImagePath) -> Option<u32> {
        let Some(file) = file else {
            self.note(Note::TextFull, path);
            return None;
        };
        self.note_duplicate(slot, path);
        self.release(slot, Presence::Overwritten { by: self.layer });
        let id = self.store.add(file);
        self.store.slots[slot as usize].file = id;
        self.mark_made(slot);
        Some(id)
    }

    /// The directory `parent` of the entry at `path`, as the layer's unpacking finds or makes it; `None` below a file of
    /// this layer.
    fn enter(&mut self, parent: &ImagePath, path: &ImagePath) -> Option<u32> {
        if let Some((recent, directory)) = &self.recent
            && recent == parent
        {
            return Some(*directory);
        }
        let mut directory = ROOT;
        let mut way = Way::new(parent.as_bytes(), self.limits.symlinks);
        let mut odd = None;
        self.touch(ROOT);
        while let Some(name) = way.next_component() {
            directory = match name {
                b"." => directory,
                b".." => self.store.slots[directory as usize].parent,
                _ => {
                    let slot = self.slot(directory, name, path)?;
                    match self.store.kind(slot) {
                        Some(EntryKind::Dir) => {}
                        Some(EntryKind::Symlink) if self.touched(slot) => {
                            let Some(absolute) = way.follow(self.store.link_of(slot), &mut self.link_steps) else {
                                self.note(Note::ParentNotADirectory, path);
                                return None;
                            };
                            directory = if absolute { ROOT } else { directory };
                            continue;
                        }
                        Some(_) if self.touched(slot) => {
                            self.note(Note::ParentNotADirectory, path);
                            return None;
                        }
                        there => {
                            let Some(left) = self.implied_left.checked_sub(1) else {
                                self.left_out += 1;
                                return None;
                            };
                            self.implied_left = left;
                            odd = odd.or(self.oddity(slot, there, way.has_followed()));
                            self.release(slot, Presence::Overwritten { by: self.layer });
                            self.store.slots[slot as usize].file = self.store.add(File::implied());
                        }
                    }
                    self.touch(slot);
                    slot
                }
            };
        }
        if let Some(note) = odd {
            self.note(note, path);
        }
        // Links may lead farther down than any name reaches.
        if way.has_followed() && self.store.depth_of(directory) > self.limits.path {
            self.note(Note::NameTooLong, path);
            return None;
        }
        self.recent = Some((parent.clone(), directory));
        self.through_link = way.has_followed();
        Some(directory)
    }

    /// What is odd about a directory without an entry in `slot`, where `there` stands.
    fn oddity(&self, slot: u32, there: Option<EntryKind>, through_link: bool) -> Option<Note> {
        match there {
            Some(EntryKind::Symlink) => Some(Note::OverLowerLink),
            Some(_) => Some(Note::UnderLowerFile),
            None if self.marks[slot as usize].deleted == self.layer => Some(Note::BelowDeleted),
            None => through_link.then_some(Note::ThroughOwnLink),
        }
    }

    /// Takes everything away that stands in `slot` and below it.
    fn release(&mut self, slot: u32, presence: Presence) {
        let mut todo = vec![slot];
        while let Some(slot) = todo.pop() {
            let Some(file) = self.store.files.get_mut(self.store.slots[slot as usize].file as usize) else { continue };
            file.names -= 1;
            if file.names == 0 {
                file.presence = presence;
            }
            if let Some(name) = self.named.remove(&slot) {
                self.gone.insert(name, presence);
            }
            self.recent = None;
            self.store.slots[slot as usize].file = NONE;
            let below = todo.len();
            todo.extend(self.store.children(slot));
            self.store.set_children(slot, &[]);
            todo[below..].iter().for_each(|&child| self.marks[child as usize].listed = false);
        }
    }

    /// Takes away what lower layers have below `directory`. What this layer has there stays, and directories on the way
    /// to it lose the owner that a lower layer gave them; says whether there are such.
    fn clear(&mut self, directory: u32) -> bool {
        let mut todo = vec![directory];
        let mut filled = false;
        while let Some(directory) = todo.pop() {
            if std::mem::replace(&mut self.marks[directory as usize].cleared, self.layer) == self.layer {
                continue;
            }
            let (own, lower): (Vec<u32>, Vec<u32>) = self
                .store
                .children(directory)
                .partition(|&child| self.touched(child) && self.store.file(child).is_some());
            self.store.set_children(directory, &own);
            for child in lower {
                self.release(child, Presence::Removed { by: self.layer });
                self.marks[child as usize].listed = false;
            }
            for child in own {
                if self.store.kind(child) == Some(EntryKind::Dir) {
                    filled |= self.forget_lower_owner(child);
                    todo.push(child);
                }
            }
        }
        filled
    }

    /// Makes a directory that this layer has no entry for one that no layer has an entry for; says whether it is such.
    fn forget_lower_owner(&mut self, slot: u32) -> bool {
        if self.marks[slot as usize].made == self.layer {
            return false;
        }
        let id = self.store.slots[slot as usize].file;
        self.store.files[id as usize].names -= 1;
        self.store.files[id as usize].presence = Presence::Removed { by: self.layer };
        self.store.slots[slot as usize].file = self.store.add(File::implied());
        true
    }

    /// What a hard link names. Kernels follow links on the way to it, but not at its end.
    fn target(&mut self, record: &Record<'_>) -> Option<u32> {
        let path = ImagePath::clamp(record.link);
        let directory = self.store.resolve(&path.parent()?, self.limits.symlinks, &mut self.link_steps).ok()?;
        self.live(directory, path.file_name())
    }

    /// The slot of `name` in `directory`, listed there; made when there is none.
    fn slot(&mut self, directory: u32, name: &[u8], path: &ImagePath) -> Option<u32> {
        let Some(slot) = self.store.find(directory, name).or_else(|| self.store.insert(directory, name)) else {
            self.note(Note::TextFull, path);
            return None;
        };
        self.marks.resize(self.store.slots.len(), Marks::NEW);
        if !std::mem::replace(&mut self.marks[slot as usize].listed, true) {
            self.store.slots[slot as usize].next = self.store.slots[directory as usize].child;
            self.store.slots[directory as usize].child = slot;
        }
        Some(slot)
    }

    /// The slot of `name` in `directory` when something stands there.
    fn live(&self, directory: u32, name: &[u8]) -> Option<u32> {
        self.store.find(directory, name).filter(|&slot| self.store.file(slot).is_some())
    }

    fn is_within(&self, slot: u32, directory: u32) -> bool {
        let parent = |&slot: &u32| (slot != ROOT).then(|| self.store.slots[slot as usize].parent);
        std::iter::successors(Some(slot), parent).any(|ancestor| ancestor == directory)
    }

    fn touched(&self, slot: u32) -> bool {
        self.marks[slot as usize].touched == self.layer
    }

    fn touch(&mut self, slot: u32) {
        self.marks[slot as usize].touched = self.layer;
    }

    fn mark_made(&mut self, slot: u32) {
        self.touch(slot);
        self.marks[slot as usize].made = self.layer;
        self.store.entered(slot, self.layer);
    }

    fn too_long(&self, path: &ImagePath) -> bool {
        let length = path.as_bytes().len();
        length > self.limits.path || (length > NAME_MAX && path.components().any(|name| name.len() > NAME_MAX))
    }

    fn note_duplicate(&mut self, slot: u32, path: &ImagePath) {
        if self.marks[slot as usize].made == self.layer && self.store.file(slot).is_some() {
            self.note(Note::Duplicate, path);
        }
    }

    fn note(&mut self, note: Note, path: &ImagePath) {
        self.notes.add(self.layer, note, path);
    }
}

impl Marks {
    const NEW: Self = Self { touched: NONE, made: NONE, cleared: NONE, deleted: NONE, listed: false };
}

/// Whether `name` climbs above the directory it starts from.
fn escapes(name: &[u8]) -> bool {
    let mut depth = 0_i64;
    name.split(|&byte| byte == b'/').any(|part| {
        depth += match part {
            b"" | b"." => 0,
            b".." => -1,
            _ => 1,
        };
        depth < 0
    })
}
