//! An image that is held in memory: the examples of rules, and tests.

use super::{Image, LayerInfo, Source, StoredLayer};
use crate::image::{Digest, ImageConfig};
use crate::model::Limits;
use sha2::{Digest as _, Sha256};
use std::io;

/// An image whose config and layers are bytes in memory.
#[derive(Debug)]
pub struct MemorySource {
    image: Image,
    layers: Vec<Vec<u8>>,
}

impl MemorySource {
    /// An image called `name` with these tags, config and stored layers. Fails as a source does at a config that cannot
    /// be read.
    pub fn new(
        name: &str,
        names: Vec<String>,
        annotations: Vec<(String, String)>,
        config: &[u8],
        layers: Vec<Vec<u8>>,
        limits: &Limits,
    ) -> Result<Self, String> {
        let config_digest = Digest::sha256(&Sha256::digest(config).into());
        let config = ImageConfig::parse(config, limits)?;
        let infos = layers
            .iter()
            .enumerate()
            .map(|(index, bytes)| LayerInfo {
                digest: None,
                diff_id: config.diff_ids.get(index).cloned(),
                size: bytes.len() as u64,
                unreadable: None,
            })
            .collect();
        let image = Image {
            source: name.to_owned(),
            names,
            manifest_digest: None,
            config_digest,
            platform: config.platform.clone(),
            config,
            layers: infos,
            annotations,
            notes: Vec::new(),
            gaps: Vec::new(),
        };
        Ok(Self { image, layers })
    }
}

/// Bytes in memory are what they are.
impl StoredLayer for &[u8] {}

impl Source for MemorySource {
    fn image(&self) -> &Image {
        &self.image
    }

    fn layer(&self, index: usize) -> io::Result<Box<dyn StoredLayer + '_>> {
        let bytes = self.layers.get(index).ok_or_else(|| io::Error::other(format!("layer {index}: no such layer")))?;
        Ok(Box::new(bytes.as_slice()))
    }
}
