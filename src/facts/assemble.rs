//! Puts the facts of one image together from its description and the facts of its layers.

use super::content::Sums;
use super::secrets::{self, Patterns};
use super::{Accounts, Body, Distribution, Facts, LayerFacts, Packages, Start};
use crate::image::{History, ImageConfig, Platform};
use crate::layer::{LayerEntries, Tree};
use crate::model::{ImagePath, LayerIndex, Limits, Location};
use std::collections::BTreeSet;

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
        mut layers: Vec<LayerFacts>,
        patterns: &Patterns,
        limits: &Limits,
    ) -> (Self, Vec<(LayerIndex, String)>) {
        let Described { names, platform, config, annotations } = described;
        let history = History::read(&config, layers.len());
        let entries: Vec<&LayerEntries> = layers.iter().map(|layer| &layer.entries).collect();
        // Both go over every entry, and neither needs the other.
        let ((tree, mut notes), configs): (_, Vec<Vec<secrets::ConfigFile>>) =
            rayon::join(|| Tree::fold(&entries, limits), || layers.iter().map(configs).collect());
        notes.extend(super::capability::malformed(&tree));
        let accounts = Accounts::read(&tree, &layers, limits);
        add_sums_of_bodies(&mut layers, &configs);
        let asked = asked(&tree, &layers, &configs);
        let packages = Packages::read(&tree, &layers, limits).with_sums(&tree, &layers, &asked);
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

/// Sums the held files that hold credentials, and tells of those that hold too many.
fn add_sums_of_bodies(layers: &mut [LayerFacts], configs: &[Vec<secrets::ConfigFile>]) {
    for (layer, configs) in layers.iter_mut().zip(configs) {
        let cut = configs.iter().filter(|config| config.cut);
        layer.gaps.extend(cut.map(|config| (Some(config.entry), secrets::CONFIG_CUT.to_owned())));
        let with_secrets = configs.iter().filter(|config| !config.secrets.is_empty());
        let whole = with_secrets.filter_map(|config| layer.body(config.entry).filter(|body| body.whole));
        let sums: Vec<(u32, Sums)> = whole.map(|body| (body.entry, Sums::of(&body.bytes))).collect();
        layer.add_sums(sums);
    }
}

/// Paths of files with secrets of which it matters whether a package ships them so.
fn asked(tree: &Tree, layers: &[LayerFacts], configs: &[Vec<secrets::ConfigFile>]) -> BTreeSet<ImagePath> {
    let mut asked = BTreeSet::new();
    for (index, (layer, configs)) in (0..).zip(layers.iter().zip(configs)) {
        let hits = layer.hits.iter().filter(|hit| hit.public_in_packages).map(|hit| hit.entry);
        let configs = configs.iter().filter(|config| !config.secrets.is_empty()).map(|config| config.entry);
        let entries: BTreeSet<u32> = hits.chain(configs).collect();
        for entry in entries {
            if let Some(record) = layer.entries.get(entry) {
                let (path, _) = tree.place(index, entry, record.path());
                asked.extend(super::python_source(&path));
                asked.insert(path);
            }
        }
    }
    asked
}
