//! What a rule may ask of an image. Facts of a layer depend on that layer alone.

mod accounts;
mod assemble;
mod budget;
mod capability;
mod content;
mod distribution;
mod file;
mod gather;
mod interest;
mod layer;
mod packages;
mod powerful;
pub mod secrets;
mod start;
#[cfg(test)]
mod testing;

pub use accounts::{Accounts, Group, ResolvedUser, ShadowEntry, User};
pub use assemble::Described;
pub use budget::Budget;
pub use capability::FileCapabilities;
pub use content::{Summing, Sums};
pub use distribution::Distribution;
pub use gather::Gather;
pub use interest::{HEAD, head, wanted};
pub use layer::{Body, LayerFacts, Met};
pub use packages::{Package, PackageSystem, Packages, Provenance};
pub use powerful::is_powerful;
pub use secrets::{CARRY, Extent, Finds, Hit, Patterns};
pub use start::{Content, Role, ShellForm, ShellKind, Start, StartProgram, Trouble, UserDrop};

/// What facts are made of, for those who ask them.
pub use crate::image::{
    Command, Digest, Effective, Expansion, HistoryEntry, ImageConfig, Instruction, InstructionKind, Step, Way, Word,
};
pub use crate::layer::{EntryKind, Node, Record};

use crate::image::{History, Platform};
use crate::layer::Tree;
use crate::model::{ImagePath, LayerIndex, Location, Presence, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// Stands for the path of bytes that no file has: those behind the end of a layer's archive.
pub const AFTER_THE_END: &str = "/(after the end of the layer's archive)";

/// Everything that is known of one image.
#[derive(Debug, Default)]
pub struct Facts {
    /// Its tags.
    pub names: Vec<String>,
    /// Its platform.
    pub platform: Platform,
    /// Its config.
    pub config: ImageConfig,
    /// Annotations of manifest and index, sorted by key.
    pub annotations: Vec<(String, String)>,
    /// History with instructions and layers.
    pub history: History,
    /// What each layer holds.
    pub layers: Vec<LayerFacts>,
    /// The tree that a container would see.
    pub tree: Tree,
    /// Users and groups.
    pub accounts: Accounts,
    /// Installed packages.
    pub packages: Packages,
    /// Credentials without a type in the `created_by` of each step of the history.
    pub credentials: Vec<Vec<secrets::Credential>>,
    /// For each layer, what files that keep credentials hold, by entry.
    pub configs: Vec<Vec<secrets::ConfigFile>>,
    /// Typed secrets in config, history and annotations.
    pub told: Vec<secrets::Told>,
    /// What os-release says; `None` when there is none.
    pub distribution: Option<Distribution>,
    /// What runs as PID 1, as far as it can be told without reading scripts.
    pub start: Start,
    /// Why file facts are incomplete (a layer that could not be read, `--no-content`): checks that would pass for want
    /// of evidence say so instead.
    pub incomplete: Vec<String>,
    /// What files that these facts stand on could not be read: place and sentence.
    pub gaps: Vec<(Location, String)>,
}

impl Facts {
    /// The body of the visible file at `path` (symbolic links followed), when it is one of those that are held.
    #[must_use]
    pub fn body(&self, path: &ImagePath) -> Option<&Body> {
        self.body_of(self.tree.resolve(path).ok()?)
    }

    /// The body of `node`, when it is one of those that are held.
    #[must_use]
    pub fn body_of(&self, node: Node<'_>) -> Option<&Body> {
        let (layer, entry) = node.content()?;
        self.layers.get(layer as usize)?.body(entry)
    }

    /// The SHA-256 of the bytes of `node`, when it was computed: for files with the setuid or setgid bit and for programs
    /// that do whatever they are told ([`is_powerful`]).
    #[must_use]
    pub fn digest_of(&self, node: Node<'_>) -> Option<&[u8; 32]> {
        let (layer, entry) = node.content()?;
        self.layers.get(layer as usize)?.digest(entry)
    }

    /// Where `node` stands.
    #[must_use]
    pub fn at(&self, node: Node<'_>) -> Location {
        Location::file(node.path(), node.layer().unwrap_or(0))
    }

    /// Where the content of entry `entry` of `layer` stands: by a name that a container sees if there is one, else by its
    /// own with its presence. What follows the end of a layer's tar ([`LayerFacts::TRAILING`]) has a name that says so.
    #[must_use]
    pub fn at_entry(&self, layer: LayerIndex, entry: u32) -> Location {
        if entry == LayerFacts::TRAILING {
            let hidden = Presence::Removed { by: layer };
            return Location::file(ImagePath::from(AFTER_THE_END), layer).with_presence(hidden);
        }
        let path = self
            .layers
            .get(layer as usize)
            .and_then(|facts| facts.entries.get(entry))
            .map_or_else(ImagePath::root, |record| record.path());
        let (path, presence) = self.tree.place(layer, entry, path);
        Location::file(path, layer).with_presence(presence)
    }

    /// Where the content of `entry` of `layer` comes from, as far as packages tell. What Python compiled comes from where
    /// its source does, if that holds the `secret` (a hash of it), too.
    #[must_use]
    pub fn provenance(&self, layer: LayerIndex, entry: u32, secret: &str) -> Provenance<'_> {
        let Location::File { path, .. } = self.at_entry(layer, entry) else { return Provenance::Own };
        let of = |path: &ImagePath, layer: LayerIndex, entry: u32| {
            let facts = self.layers.get(layer as usize);
            self.packages.provenance(path, facts.and_then(|facts| facts.sums(entry)))
        };
        let compiled = || {
            let source = python_source(&path)?;
            let (layer, entry) = self.tree.get(&source)?.content()?;
            let hits = &self.layers.get(layer as usize)?.hits;
            let holds = hits.iter().any(|hit| hit.entry == entry && hit.secret.hash == secret);
            holds.then(|| of(&source, layer, entry))
        };
        match of(&path, layer, entry) {
            Provenance::Own => compiled().unwrap_or(Provenance::Own),
            known => known,
        }
    }

    /// Entries by layer whose content is to be compared with what a package says of it, and has no sums yet.
    #[must_use]
    pub fn without_sums(&self) -> BTreeMap<LayerIndex, BTreeSet<u32>> {
        let mut wanted: BTreeMap<LayerIndex, BTreeSet<u32>> = BTreeMap::new();
        for (facts, layer) in self.layers.iter().zip(0..) {
            // What is low as it is, or taken for a program's own test, is graded without.
            let graded = |hit: &Hit| hit.severity <= Severity::Low || hit.may_test_its_program();
            let unknown = |hit: &Hit| hit.public_in_packages && facts.sums(hit.entry).is_none() && !graded(hit);
            for hit in facts.hits.iter().filter(|hit| unknown(hit)) {
                if let Location::File { path, .. } = self.at_entry(layer, hit.entry)
                    && self.packages.has_sum(&path)
                {
                    wanted.entry(layer).or_default().insert(hit.entry);
                }
            }
        }
        wanted
    }
}

/// The Python source that the file at `path` was compiled from: packages own the source, their scripts compile it.
fn python_source(path: &ImagePath) -> Option<ImagePath> {
    let cache = path.parent().filter(|folder| folder.file_name() == b"__pycache__")?;
    let module = path.file_name().strip_suffix(b".pyc")?.split(|&byte| byte == b'.').next()?;
    Some(cache.parent()?.join(&[module, b".py"].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_python_belongs_to_its_source() {
        let of = |path: &str| python_source(&ImagePath::from(path)).map(|source| source.display().into_owned());
        assert_eq!(of("/a/__pycache__/keys.cpython-311.opt-1.pyc").as_deref(), Some("/a/keys.py"));
        assert_eq!(of("/a/__pycache__/keys.pem"), None);
        assert_eq!(of("/a/keys.cpython-311.pyc"), None);
    }
}
