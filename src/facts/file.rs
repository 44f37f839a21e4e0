//! The body of a visible file, where the layers hold it. Reads nothing itself.

use super::LayerFacts;
use crate::layer::{EntryKind, Node, Tree};
use crate::model::{ImagePath, Location};
use std::sync::Arc;

/// What is known of the bytes of a file.
pub(super) enum File {
    /// A container sees no regular file there.
    Missing,
    /// Its bytes, all or the first ones.
    Held {
        /// The bytes.
        bytes: Arc<[u8]>,
        /// Where it really lies, symbolic links followed.
        at: Location,
        /// What is missing, when `bytes` is not the whole file.
        cut: Option<String>,
    },
    /// It is there, and its bytes are not.
    NotHeld {
        /// Where it really lies.
        at: Location,
    },
}

impl File {
    /// The file that `path` leads to, symbolic links followed.
    pub(super) fn read(tree: &Tree, layers: &[LayerFacts], path: &ImagePath) -> Self {
        tree.resolve(path).map_or(Self::Missing, |node| Self::of(node, layers))
    }

    /// The file at `node`.
    pub(super) fn of(node: Node<'_>, layers: &[LayerFacts]) -> Self {
        if node.kind() != EntryKind::File {
            return Self::Missing;
        }
        let Some((layer, entry)) = node.content() else { return Self::Missing };
        let at = Location::file(node.path(), layer);
        let body = layers.get(layer as usize).and_then(|facts| facts.body(entry));
        match body {
            Some(body) => {
                let cut = (!body.whole)
                    .then(|| format!("{}: only {} of {} bytes were read", node.path(), body.bytes.len(), node.size()));
                Self::Held { bytes: Arc::clone(&body.bytes), at, cut }
            }
            None if node.size() == 0 => Self::Held { bytes: Arc::from([]), at, cut: None },
            None => Self::NotHeld { at },
        }
    }
}

/// Lines of `bytes` with their numbers from 1, the line feed cut off; the last one needs none.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = bytes;
    let mut number = 0u32;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        number = number.saturating_add(1);
        Some((number, line))
    })
}
