//! An opened image: what every kind of source ends in. Joins a config with its layers and checks that they fit.

use super::blob::{BlobReader, Promise};
use super::error::Trouble;
use super::store::{Place, Store};
use super::{Image, LayerInfo, Source, StoredLayer};
use crate::image::{Digest, ImageConfig, Platform};
use crate::model::{Limits, system_says};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

/// An image in an archive or a folder.
#[derive(Debug)]
pub(super) struct Opened {
    image: Image,
    store: Store,
    layers: Vec<Layer>,
}

/// A layer as it lies in the store.
#[derive(Debug)]
pub(super) struct Layer {
    /// What errors call it: `blob sha256:...`, `member 'x'`.
    pub(super) name: String,
    /// Where its bytes are, or why they cannot be read.
    pub(super) place: Result<Place, String>,
    /// What its bytes must be, where something says so.
    pub(super) promise: Option<Promise>,
}

/// What a kind of source knows of an image besides config and layers.
#[derive(Debug, Default)]
pub(super) struct Identity {
    pub(super) source: String,
    pub(super) names: Vec<String>,
    pub(super) manifest_digest: Option<Digest>,
    /// What the index says, for a config that is silent.
    pub(super) platform: Option<Platform>,
    /// What the person asked for; another is not taken for it.
    pub(super) wanted: Option<Platform>,
    /// The platform of this machine, where the person asked for none.
    pub(super) host: Option<Platform>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) notes: Vec<String>,
}

impl Opened {
    /// Puts an image together. `config` is verified; `object` is what errors call it. Errors when it is no config or
    /// promises another number of layers.
    pub(super) fn assemble(
        store: Store,
        identity: Identity,
        object: &str,
        config: (Digest, &[u8]),
        layers: Vec<Layer>,
        limits: &Limits,
    ) -> Result<Self, Trouble> {
        let (config_digest, bytes) = config;
        let config = ImageConfig::parse(bytes, limits).map_err(|what| Trouble::broken(object, what))?;
        if config.diff_ids.len() != layers.len() {
            let what =
                format!("promises {} layers (rootfs.diff_ids), the image has {}", config.diff_ids.len(), layers.len());
            return Err(Trouble::broken(object, what));
        }
        let mut notes = identity.notes;
        let platform = platform(&config, identity.platform, &mut notes);
        if let Some(wanted) = identity.wanted.filter(|wanted| wanted.fit(&platform).is_none()) {
            let wanted = format!("platform {wanted}");
            return Err(Trouble::NoSuch { wanted, choices: vec![platform.to_string()] });
        }
        history(&config, layers.len(), &mut notes);
        notes.extend(identity.host.and_then(|host| foreign(&platform, &host)));
        notes.extend(store.unread());
        let mut gaps = store.gaps();
        if platform.os != "linux" && !platform.os.is_empty() {
            gaps.push(format!("the image is for {platform}: its files are not examined as those of that system"));
        }
        let infos = layers.iter().zip(&config.diff_ids).map(|(layer, diff_id)| LayerInfo {
            digest: layer.promise.as_ref().map(|promise| promise.digest.clone()),
            diff_id: Some(diff_id.clone()),
            size: layer.place.as_ref().map_or(0, |place| place.size),
            unreadable: layer.place.as_ref().err().cloned(),
        });
        let mut names = identity.names;
        names.sort_unstable();
        names.dedup();
        let image = Image {
            source: identity.source,
            names,
            manifest_digest: identity.manifest_digest,
            config_digest,
            platform,
            layers: infos.collect(),
            annotations: identity.annotations.into_iter().collect(),
            config,
            notes,
            gaps,
        };
        Ok(Self { image, store, layers })
    }
}

/// The config's platform, filled up by what the index says.
fn platform(config: &ImageConfig, index: Option<Platform>, notes: &mut Vec<String>) -> Platform {
    let mut platform = config.platform.clone();
    let Some(index) = index.filter(|index| !index.is_unknown()) else {
        if platform.os.is_empty() || platform.architecture.is_empty() {
            notes.push("the config does not say for which platform the image is".to_owned());
        }
        return platform;
    };
    for (ours, theirs) in [
        (&mut platform.os, index.os.clone()),
        (&mut platform.architecture, index.architecture.clone()),
        (&mut platform.variant, index.variant.clone()),
    ] {
        if ours.is_empty() {
            *ours = theirs;
        }
    }
    if platform.os != index.os || index.fit(&platform).is_none() {
        notes.push(format!("the index says {index}, the config {platform}"));
    }
    platform
}

/// What there is to say of a Linux image that this machine cannot run, and that nobody asked for by its platform.
fn foreign(platform: &Platform, host: &Platform) -> Option<String> {
    let known = platform.os == "linux" && !platform.architecture.is_empty() && !host.architecture.is_empty();
    let says = || format!("the only image is for {platform}, and was taken though this machine is {host}");
    (known && host.os == "linux" && host.fit(platform).is_none()).then(says)
}

/// Says when the history cannot be laid beside the layers.
fn history(config: &ImageConfig, layers: usize, notes: &mut Vec<String>) {
    let filled = config.history.iter().filter(|entry| !entry.empty_layer).count();
    if filled == layers {
        return;
    }
    notes.push(if config.history.is_empty() {
        "the config has no history: which step made which layer is not known".to_owned()
    } else {
        format!("the history has {filled} steps with a layer, the image {layers}: which step made which is not known")
    });
}

impl Source for Opened {
    fn image(&self) -> &Image {
        &self.image
    }

    fn layer(&self, index: usize) -> io::Result<Box<dyn StoredLayer + '_>> {
        let no_such = || io::Error::new(ErrorKind::NotFound, format!("layer {index}: the image has no such layer"));
        let layer = self.layers.get(index).ok_or_else(no_such)?;
        let place = layer.place.as_ref().map_err(|why| io::Error::new(ErrorKind::Unsupported, why.clone()))?;
        let open = self.store.open(place);
        let named = |error: io::Error| format!("{}: {}", layer.name, system_says(&error));
        let extent = open.map_err(|error| io::Error::new(error.kind(), named(error)))?;
        Ok(Box::new(BlobReader::new(extent, layer.name.clone(), layer.promise.clone())))
    }
}
