//! Images in memory for the tests of this floor: layers of files, folded into a tree.

use super::{Body, LayerFacts};
use crate::layer::{Entry, Tree};
use crate::model::Limits;
use std::sync::Arc;

/// One file of a test image.
pub(super) struct Made {
    entry: Entry,
    body: Option<Vec<u8>>,
}

/// A regular file with mode 0644.
pub(super) fn file(path: &str, body: impl AsRef<[u8]>) -> Made {
    let body = body.as_ref().to_vec();
    let entry = Entry { name: path.into(), type_flag: b'0', size: body.len() as u64, mode: 0o644, ..Entry::default() };
    Made { entry, body: Some(body) }
}

/// A regular file with mode 0755.
pub(super) fn program(path: &str, body: impl AsRef<[u8]>) -> Made {
    file(path, body).mode(0o755)
}

/// A directory with mode 0755.
pub(super) fn dir(path: &str) -> Made {
    Made { entry: Entry { name: path.into(), type_flag: b'5', mode: 0o755, ..Entry::default() }, body: None }
}

/// A symbolic link.
pub(super) fn link(path: &str, target: &str) -> Made {
    let (name, link) = (path.into(), target.into());
    Made { entry: Entry { name, link, type_flag: b'2', mode: 0o777, ..Entry::default() }, body: None }
}

/// A hard link.
pub(super) fn hard_link(path: &str, target: &str) -> Made {
    let (name, link) = (path.into(), target.into());
    Made { entry: Entry { name, link, type_flag: b'1', mode: 0o755, ..Entry::default() }, body: None }
}

impl Made {
    pub(super) fn mode(mut self, mode: i64) -> Self {
        self.entry.mode = mode;
        self
    }

    /// Without its bytes, as a file that nobody asked to hold.
    pub(super) fn not_held(mut self) -> Self {
        self.body = None;
        self
    }
}

/// The tree and facts of these layers; every body is held whole, and as a head where the file is executable.
pub(super) fn image(layers: Vec<Vec<Made>>) -> (Tree, Vec<LayerFacts>) {
    let facts: Vec<LayerFacts> = layers.into_iter().map(layer).collect();
    let entries: Vec<_> = facts.iter().map(|facts| &facts.entries).collect();
    let (tree, _) = Tree::fold(&entries, &Limits::default());
    (tree, facts)
}

fn layer(files: Vec<Made>) -> LayerFacts {
    let mut facts = LayerFacts::default();
    for made in files {
        let entry = u32::try_from(facts.entries.len()).expect("small");
        assert!(facts.entries.push(&made.entry));
        let Some(bytes) = made.body else { continue };
        let body = Body { entry, bytes: Arc::from(bytes), whole: true };
        if made.entry.mode & 0o111 != 0 {
            facts.heads.push(body.clone());
        }
        facts.bodies.push(body);
    }
    facts
}
