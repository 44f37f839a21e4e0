//! Files as they lie in the layers, whatever a container sees of them: names are compared by component, without making a
//! path of each.

use crate::facts::{EntryKind, LayerFacts, Record};
use crate::model::ImagePath;

/// A regular file of a layer below some directory.
pub struct Shipped<'a> {
    /// Its entry.
    pub record: Record<'a>,
    /// Its name from that directory on.
    pub inside: Vec<u8>,
}

/// The regular files of a layer; whiteouts are marks, not files.
pub fn files(layer: &LayerFacts) -> impl Iterator<Item = Record<'_>> {
    let is_mark = |name: &[u8]| name.rsplit(|&b| b == b'/').next().is_some_and(|last| last.starts_with(b".wh."));
    layer.entries.iter().filter(move |record| record.kind() == EntryKind::File && !is_mark(record.name))
}

/// The regular files of a layer below `directory` (without leading slash).
pub fn shipped_under<'a>(layer: &'a LayerFacts, directory: &'a str) -> impl Iterator<Item = Shipped<'a>> {
    files(layer).filter_map(move |record| {
        let inside = components(record.name).strip(directory)?;
        (!inside.is_empty()).then_some(Shipped { record, inside })
    })
}

/// A raw name seen as its components: empty ones and `.` left out. Names with `..` are as written: none of these rules
/// needs them exact, and the merged tree has them clamped.
#[derive(Clone, Copy)]
pub struct Components<'a>(&'a [u8]);

/// The components of a raw name or path.
pub fn components(name: &[u8]) -> Components<'_> {
    Components(name)
}

impl<'a> Components<'a> {
    fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        self.0.split(|&b| b == b'/').filter(|part| !matches!(*part, b"" | b"."))
    }

    /// What follows `directory`, joined by slashes; `None` when this lies elsewhere.
    pub fn strip(self, directory: &str) -> Option<Vec<u8>> {
        let mut parts = self.iter();
        directory.split('/').all(|wanted| parts.next() == Some(wanted.as_bytes())).then(|| join(parts))
    }

    /// Whether this lies below `directory`.
    pub fn is_below(self, directory: &str) -> bool {
        let mut parts = self.iter();
        directory.split('/').all(|wanted| parts.next() == Some(wanted.as_bytes())) && parts.next().is_some()
    }

    /// Whether the components of `inside` follow each other somewhere in this, with something behind them.
    pub fn contains_within(self, inside: &str) -> bool {
        // A byte search first: most names do not have it.
        if memchr::memmem::find(self.0, inside.as_bytes()).is_none() {
            return false;
        }
        let parts: Vec<&[u8]> = self.iter().collect();
        let wanted: Vec<&[u8]> = inside.split('/').map(str::as_bytes).collect();
        parts.windows(wanted.len() + 1).any(|window| window[..wanted.len()] == wanted[..])
    }

    /// Whether any component is one of `names`.
    pub fn has_any(self, names: &[&[u8]]) -> bool {
        self.iter().any(|part| names.contains(&part))
    }

    /// Cut behind the first component that is one of `names`: up to it, and what follows.
    pub fn split_at_any(self, names: &[&[u8]]) -> Option<(Vec<u8>, Vec<u8>)> {
        if !self.has_any(names) {
            return None;
        }
        let parts: Vec<&[u8]> = self.iter().collect();
        let at = parts.iter().position(|part| names.contains(part))?;
        Some((join(parts[..=at].iter().copied()), join(parts[at + 1..].iter().copied())))
    }
}

/// Folders whose files come from packages of a language; a name alone says little there.
const LIBRARIES: &[&str] = &["node_modules", "site-packages", "dist-packages", "gems", "vendor"];

/// Whether the file came with a library of a language.
pub fn is_in_library(path: &ImagePath) -> bool {
    path.components().any(|part| LIBRARIES.iter().any(|known| part == known.as_bytes()))
}

fn join<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    parts.collect::<Vec<_>>().join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn names_by_component() {
        assert!(components(b"./var//lib/apt/lists/x").is_below("var/lib/apt/lists"));
        assert!(!components(b"var/lib/apt/lists").is_below("var/lib/apt/lists"));
        assert!(!components(b"var/lib/apt/listsx/y").is_below("var/lib/apt/lists"));
        assert!(components(b"home/node/.npm/_cacache/a").contains_within(".npm/_cacache"));
        assert!(!components(b"home/x.npm/_cacache/a").contains_within(".npm/_cacache"));
        assert_eq!(
            components(b"app/.git/refs/heads").split_at_any(&[b".git"]),
            Some((b"app/.git".to_vec(), b"refs/heads".to_vec()))
        );
    }
}
