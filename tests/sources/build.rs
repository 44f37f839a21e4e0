//! Builds docker archives and OCI layouts, whole ones, for tests to damage.

use plimsoll::image::Platform;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// The sha256 of `bytes` in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A tar of files.
pub(crate) fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Tar::default();
    for (name, bytes) in files {
        tar.file(name, bytes);
    }
    tar.finish()
}

#[derive(Default)]
pub(crate) struct Tar(pub(crate) Vec<u8>);

impl Tar {
    pub(crate) fn entry(&mut self, kind: tar::EntryType, name: &str, link: &str, bytes: &[u8]) -> &mut Self {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn file(&mut self, name: &str, bytes: &[u8]) -> &mut Self {
        self.entry(tar::EntryType::Regular, name, "", bytes)
    }

    pub(crate) fn finish(&mut self) -> Vec<u8> {
        [self.0.as_slice(), &[0; 1024]].concat()
    }
}

pub(crate) fn layers() -> [Vec<u8>; 2] {
    [tar_of(&[("etc/passwd", b"root:x:0:0::/:/bin/sh\n")]), tar_of(&[("app", b"#!/bin/sh\n")])]
}

pub(crate) fn config_of(platform: &Platform, diff_ids: &[Vec<u8>]) -> Vec<u8> {
    let diff_ids: Vec<_> = diff_ids.iter().map(|layer| format!("sha256:{}", hex(layer))).collect();
    let history: Vec<_> = diff_ids.iter().map(|_| json!({"created_by": "x"})).collect();
    let mut config = json!({"os": platform.os, "architecture": platform.architecture, "config": {"User": "app"},
        "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history});
    if !platform.variant.is_empty() {
        config["variant"] = json!(platform.variant);
    }
    config.to_string().into_bytes()
}

pub(crate) fn config() -> Vec<u8> {
    config_of(&Platform::linux("amd64"), &layers())
}

/// The members of a classic docker archive.
pub(crate) fn classic(tags: &Value) -> Tar {
    let [one, two] = layers();
    let manifest = json!([{"Config": "c.json", "RepoTags": tags, "Layers": ["0/layer.tar", "1/layer.tar"]}]);
    let mut tar = Tar::default();
    tar.file("0/layer.tar", &one).file("1/layer.tar", &two).file("c.json", &config());
    tar.file("manifest.json", manifest.to_string().as_bytes());
    tar
}

/// An OCI layout in a folder.
pub(crate) struct Layout {
    folder: TempDir,
    pub(crate) roots: Vec<Value>,
}

impl Layout {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
        fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { folder, roots: Vec::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn blob_path(&self, descriptor: &Value) -> PathBuf {
        let digest = descriptor["digest"].as_str().unwrap().replace(':', "/");
        self.path().join("blobs").join(digest)
    }

    /// Stores a blob; gives its descriptor.
    pub(crate) fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let descriptor =
            json!({"mediaType": media_type, "digest": format!("sha256:{}", hex(bytes)), "size": bytes.len()});
        fs::write(self.blob_path(&descriptor), bytes).unwrap();
        descriptor
    }

    pub(crate) fn json(&self, media_type: &str, document: &Value) -> Value {
        self.blob(media_type, document.to_string().as_bytes())
    }

    /// A manifest over these layers.
    pub(crate) fn manifest(&self, config: &[u8], layers: &[Value]) -> Value {
        let config = self.blob(CONFIG, config);
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        self.json(MANIFEST, &manifest)
    }

    /// A plain image for a platform, which its descriptor names too; `seed` makes it another image.
    pub(crate) fn image(&self, platform: &str, seed: &str) -> Value {
        let platform = Platform::parse(platform).unwrap();
        let layer = tar_of(&[("seed", seed.as_bytes())]);
        let blob = self.blob(LAYER, &layer);
        let mut descriptor = self.manifest(&config_of(&platform, &[layer]), &[blob]);
        descriptor["platform"] = json!({"os": platform.os, "architecture": platform.architecture});
        if !platform.variant.is_empty() {
            descriptor["platform"]["variant"] = json!(platform.variant);
        }
        descriptor
    }

    pub(crate) fn root(&mut self, descriptor: Value) -> &mut Self {
        self.roots.push(descriptor);
        self.write_index();
        self
    }

    pub(crate) fn tagged(&mut self, mut descriptor: Value, tag: &str) -> &mut Self {
        descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
        self.root(descriptor)
    }

    pub(crate) fn write_index(&self) {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.roots});
        fs::write(self.path().join("index.json"), index.to_string()).unwrap();
    }

    /// The same as an archive, as `tar -C folder -cf x .` makes it.
    pub(crate) fn archive(&self) -> Vec<u8> {
        let mut tar = Tar::default();
        tar.entry(tar::EntryType::Directory, "./", "", b"");
        for name in ["index.json", "oci-layout"] {
            tar.file(&format!("./{name}"), &fs::read(self.path().join(name)).unwrap());
        }
        let mut blobs: Vec<_> =
            fs::read_dir(self.path().join("blobs/sha256")).unwrap().map(|it| it.unwrap().path()).collect();
        blobs.sort();
        for blob in blobs {
            let name = format!("./blobs/sha256/{}", blob.file_name().unwrap().to_str().unwrap());
            tar.file(&name, &fs::read(&blob).unwrap());
        }
        tar.finish()
    }
}

pub(crate) fn layout() -> Layout {
    let mut layout = Layout::new();
    let blobs = layers().map(|layer| layout.blob(LAYER, &layer));
    let manifest = layout.manifest(&config(), &blobs);
    layout.tagged(manifest, "1.0");
    layout
}
