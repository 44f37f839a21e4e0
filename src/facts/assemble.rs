//! Puts the facts of one image together from its description and the facts of its layers.

use super::secrets::{self, Patterns};
use super::{Accounts, Body, Distribution, Facts, LayerFacts, Packages, Start};
use crate::image::{History, ImageConfig, Platform};
use crate::layer::{LayerEntries, Tree};
use crate::model::{LayerIndex, Limits, Location};

/// What is known of an image before any layer is read.
#[derive(Clone, Debug, Default)]
pub struct Described {
    /// Its tags.
    pub names: Vec<String>,
    /// Its platform.
    pub platform: Platform,
    /// Its config.
    pub config: ImageConfig,
    /// Annotations of manifest and index, sorted by key.
    pub annotations: Vec<(String, String)>,
}

impl Facts {
    /// The facts of an image; and what runtimes read differently, by layer.
    #[must_use]
    pub fn assemble(
        described: Described,
        layers: Vec<LayerFacts>,
        patterns: &Patterns,
        limits: &Limits,
    ) -> (Self, Vec<(LayerIndex, String)>) {
        let Described { names, platform, config, annotations } = described;
        let history = History::read(&config, layers.len());
        let entries: Vec<&LayerEntries> = layers.iter().map(|layer| &layer.entries).collect();
        // Both go over every entry, and neither needs the other.
        let ((tree, mut notes), configs) =
            rayon::join(|| Tree::fold(&entries, limits), || layers.iter().map(configs).collect());
        notes.extend(super::capability::malformed(&tree));
        let accounts = Accounts::read(&tree, &layers, limits);
        let packages = Packages::read(&tree, &layers, limits);
        let start = Start::read(&config, &tree, &layers, &accounts);
        let distribution = Distribution::read(&tree, &layers);
        let mut gaps: Vec<(Location, String)> = accounts.gaps.iter().chain(&packages.gaps).cloned().collect();
        let mut incomplete: Vec<String> = (0..)
            .zip(&layers)
            .filter(|(_, layer)| layer.gaps.iter().any(|(entry, _)| entry.is_none()))
            .map(|(index, _): (u32, _)| format!("layer {index} was not read wholly"))
            .collect();
        if tree.left_out() > 0 {
            let limit = limits.implied;
            let why =
                format!("{} entries were left out: more than {limit} directories without an entry", tree.left_out());
            incomplete.push(why.clone());
            gaps.push((Location::Image, why));
        }
        let credentials = history.steps.iter().map(|step| secrets::credentials(&step.entry.created_by)).collect();
        let (told, cut) = secrets::metadata(&config, &history, &annotations, patterns);
        if cut > 0 {
            let reason = format!("{cut} more secrets in the image's metadata are masked, and not told one by one");
            gaps.push((Location::Image, reason));
        }
        let facts = Self {
            names,
            platform,
            config,
            annotations,
            history,
            layers,
            tree,
            accounts,
            packages,
            credentials,
            configs,
            told,
            distribution,
            start,
            incomplete,
            gaps,
        };
        (facts, notes)
    }
}

/// What the held files of a layer that keep credentials hold.
fn configs(layer: &LayerFacts) -> Vec<secrets::ConfigFile> {
    let read = |body: &Body| {
        let record = layer.entries.get(body.entry)?;
        secrets::in_config_file(body.entry, record.name, &body.bytes, body.whole)
    };
    layer.bodies.iter().filter_map(read).collect()
}
