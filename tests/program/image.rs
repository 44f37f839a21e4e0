//! Builds an image in memory and writes it in every form that tools write.

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// An image: its config without `rootfs`, its tags, and its layers as plain tars.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) config: Value,
    pub(crate) tags: Vec<String>,
    pub(crate) layers: Vec<Vec<u8>>,
}

/// How a blob is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Plain,
    Gzip,
    Zstd,
}

impl Stored {
    pub(crate) fn store(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain => bytes.to_vec(),
            Self::Gzip => {
                let mut encoder = GzBuilder::new().write(Vec::new(), Compression::fast());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Self::Zstd => zstd::encode_all(bytes, 1).unwrap(),
        }
    }

    pub(crate) fn layer_type(self) -> &'static str {
        match self {
            Self::Plain => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

/// Names and bytes, in the order of an archive.
pub(crate) type Members = Vec<(String, Vec<u8>)>;

impl Made {
    pub(crate) fn config_json(&self) -> Vec<u8> {
        let ids: Vec<_> = self.layers.iter().map(|layer| format!("sha256:{}", hex(layer))).collect();
        self.config_promising(&ids)
    }

    /// The config, with these diff ids.
    pub(crate) fn config_promising(&self, ids: &[String]) -> Vec<u8> {
        let mut config = self.config.clone();
        config["rootfs"] = json!({"type": "layers", "diff_ids": ids});
        config.to_string().into_bytes()
    }

    /// As `docker save` writes it, manifest last.
    pub(crate) fn docker(&self, stored: Stored) -> Members {
        let config = self.config_json();
        let config_name = format!("{}.json", hex(&config));
        let mut members: Members = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            members.push((format!("{index}/layer.tar"), stored.store(layer)));
        }
        let names: Vec<_> = members.iter().map(|(name, _)| name).collect();
        let manifest = json!([{"Config": config_name, "RepoTags": self.tags, "Layers": names}]);
        members.push((config_name, config));
        members.push(("manifest.json".to_owned(), manifest.to_string().into_bytes()));
        members
    }

    /// An OCI layout.
    pub(crate) fn oci(&self, stored: Stored) -> Members {
        let layers = self.layers.iter().map(|layer| (stored.layer_type(), stored.store(layer))).collect();
        layout(&self.config_json(), layers, self.tags.first().map(String::as_str))
    }

    /// As Docker 25 and later write it: an OCI layout that has a manifest.json too.
    pub(crate) fn hybrid(&self, stored: Stored) -> Members {
        let mut members = self.oci(stored);
        let blob = |bytes: &[u8]| format!("blobs/sha256/{}", hex(bytes));
        let layers: Vec<_> = self.layers.iter().map(|layer| blob(&stored.store(layer))).collect();
        let manifest = json!([{"Config": blob(&self.config_json()), "RepoTags": self.tags, "Layers": layers}]);
        members.push(("manifest.json".to_owned(), manifest.to_string().into_bytes()));
        members
    }
}

/// An OCI layout over a config and stored layers with their media types, tagged as Docker does.
pub(crate) fn layout(config: &[u8], layers: Vec<(&str, Vec<u8>)>, tag: Option<&str>) -> Members {
    let mut members: Members = vec![("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())];
    let mut blob = |media_type: &str, bytes: Vec<u8>| {
        let digest = hex(&bytes);
        let descriptor = json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len()});
        members.push((format!("blobs/sha256/{digest}"), bytes));
        descriptor
    };
    let config = blob("application/vnd.oci.image.config.v1+json", config.to_vec());
    let layers: Vec<_> = layers.into_iter().map(|(media_type, bytes)| blob(media_type, bytes)).collect();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers});
    let mut manifest = blob(media_type, manifest.to_string().into_bytes());
    if let Some(tag) = tag {
        let short = tag.rsplit_once(':').map_or(tag, |(_, short)| short);
        manifest["annotations"] = json!({"io.containerd.image.name": tag, "org.opencontainers.image.ref.name": short});
    }
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    members.push(("index.json".to_owned(), index.to_string().into_bytes()));
    members.sort();
    members.dedup();
    members
}

/// An archive of these members.
pub(crate) fn archive(members: &Members) -> Vec<u8> {
    let mut layer = Layer::default();
    for (name, bytes) in members {
        layer.file(name, 0o644, bytes);
    }
    layer.tar()
}

/// A folder of these members.
pub(crate) fn folder(members: &Members, at: &Path) {
    for (name, bytes) in members {
        let path = at.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A layer that is being written.
#[derive(Default)]
pub(crate) struct Layer(Vec<u8>);

impl Layer {
    pub(crate) fn file(&mut self, name: impl AsRef<[u8]>, mode: u32, body: impl AsRef<[u8]>) -> &mut Self {
        self.entry(name.as_ref(), tar::EntryType::Regular, mode, b"", body.as_ref())
    }

    pub(crate) fn dir(&mut self, name: &str, mode: u32) -> &mut Self {
        self.entry(name.as_bytes(), tar::EntryType::Directory, mode, b"", b"")
    }

    pub(crate) fn link(&mut self, name: &str, target: &str) -> &mut Self {
        self.entry(name.as_bytes(), tar::EntryType::Symlink, 0o777, target.as_bytes(), b"")
    }

    pub(crate) fn hard_link(&mut self, name: &str, target: &str) -> &mut Self {
        self.entry(name.as_bytes(), tar::EntryType::Link, 0o644, target.as_bytes(), b"")
    }

    fn entry(&mut self, name: &[u8], kind: tar::EntryType, mode: u32, link: &[u8], body: &[u8]) -> &mut Self {
        let mut header = tar::Header::new_ustar();
        let fields = header.as_mut_bytes();
        fields[..name.len()].copy_from_slice(name);
        fields[157..157 + link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(body.len() as u64);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(body);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// A PAX header for the entry that follows.
    pub(crate) fn extension(&mut self, records: &[u8]) -> &mut Self {
        self.entry(b"PaxHeaders/0", tar::EntryType::XHeader, 0o644, b"", records)
    }

    pub(crate) fn tar(&self) -> Vec<u8> {
        [self.0.as_slice(), &[0; 1024]].concat()
    }
}

/// The sha256 of `bytes` in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    hex_of(&Sha256::digest(bytes))
}

pub(crate) fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// An image of these layers that no rule but those of the config says anything about.
pub(crate) fn plain(layers: Vec<Vec<u8>>) -> Made {
    let config = json!({"os": "linux", "architecture": "amd64", "config": {"User": "10001:10001"}});
    Made { config, tags: vec!["example/app:1.0".to_owned()], layers }
}
