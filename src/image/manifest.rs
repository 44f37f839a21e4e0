//! Manifests and indexes (OCI image-spec "manifest.md", "image-index.md"; Docker manifest v2 schema 2) and the
//! `manifest.json` of a docker archive, read with Go's semantics and then checked strictly. Follows no descriptor.

use super::media::{DocumentKind, document_kind};
use super::{Digest, Field, Json, Notes, Platform};
use crate::model::Limits;
use oci_spec::image::MediaType;
use std::collections::BTreeMap;

/// What a manifest blob holds.
#[derive(Clone, Debug)]
pub enum Document {
    /// A list of manifests.
    Index(Index),
    /// One image.
    Manifest(Box<Manifest>),
}

/// An OCI index or a Docker manifest list.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// In order.
    pub manifests: Vec<Descriptor>,
}

/// An OCI image manifest or a Docker manifest v2 schema 2.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Leads to the config.
    pub config: Descriptor,
    /// From the base up; no more than `limits.layers`.
    pub layers: Vec<Descriptor>,
    /// `annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `artifactType`; empty for an image.
    pub artifact_type: String,
}

/// Names a blob and says what it is (OCI image-spec, "descriptor.md"). `urls` and `data` are not even read.
#[derive(Clone, Debug)]
pub struct Descriptor {
    /// `mediaType`; may be empty.
    pub media_type: MediaType,
    /// `digest`.
    pub digest: Digest,
    /// `size` in bytes.
    pub size: u64,
    /// `platform`, when given.
    pub platform: Option<Platform>,
    /// `annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `artifactType`; empty for an image.
    pub artifact_type: String,
}

/// One image of a docker archive's `manifest.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchivedImage {
    /// Member that holds the config.
    pub config: String,
    /// `RepoTags`; none when null.
    pub tags: Vec<String>,
    /// Members that hold the layers, from the base up.
    pub layers: Vec<String>,
}

impl Document {
    /// Reads a manifest or index that a descriptor calls `promised` (empty: anything). Oddities go to `notes`. Errors
    /// when it is no such document, says it is another, could be read as both (CVE-2021-41190), is of schema 1, or a
    /// used field is of another type.
    pub fn parse(bytes: &[u8], promised: &str, limits: &Limits, notes: &mut Notes) -> Result<Self, String> {
        let document = Json::parse(bytes, limits.json_depth)?;
        if !matches!(document, Json::Object(_)) {
            return Err(format!("expected an object, got {}", document.kind()));
        }
        let root = Field::root(&document);
        let kind = document_kind(&root.field("mediaType", notes)?.string()?.unwrap_or_default());
        let promise = document_kind(promised);
        match root.field("schemaVersion", notes)?.integer()? {
            Some(2) => {}
            Some(1) => return Err("schemaVersion 1 is not supported".to_owned()),
            None => notes.add("/schemaVersion", "missing"),
            Some(other) => return Err(format!("schemaVersion is {other}, expected 2")),
        }
        let is_index = root.field("manifests", notes)?.is_set();
        let is_manifest = root.field("config", notes)?.is_set() || root.field("layers", notes)?.is_set();
        if is_index && is_manifest {
            return Err("both an index and a manifest: has manifests and config or layers".to_owned());
        }
        let shape = match (is_index, is_manifest) {
            (true, _) => DocumentKind::Index,
            (_, true) => DocumentKind::Manifest,
            _ if promise != DocumentKind::Unlabelled => promise,
            _ => kind,
        };
        for (says, what) in [(promise, "its descriptor"), (kind, "its mediaType")] {
            if says != DocumentKind::Unlabelled && says != shape {
                return Err(format!("is {shape}, but {what} says {says}"));
            }
        }
        match shape {
            DocumentKind::Index => Ok(Self::Index(Index::read(&root, notes)?)),
            DocumentKind::Manifest => Ok(Self::Manifest(Box::new(Manifest::read(&root, limits, notes)?))),
            other => Err(format!("is {other}, not an image manifest")),
        }
    }
}

impl Index {
    fn read(root: &Field, notes: &mut Notes) -> Result<Self, String> {
        let manifests = root.field("manifests", notes)?.elements()?.unwrap_or_default();
        let manifests = manifests.iter().map(|field| Descriptor::read(field, notes)).collect::<Result<_, _>>()?;
        Ok(Self { manifests })
    }
}

impl Manifest {
    fn read(root: &Field, limits: &Limits, notes: &mut Notes) -> Result<Self, String> {
        let layers = root.field("layers", notes)?.elements()?.unwrap_or_default();
        at_most(layers.len(), limits)?;
        Ok(Self {
            config: Descriptor::read(&root.field("config", notes)?, notes)?,
            layers: layers.iter().map(|field| Descriptor::read(field, notes)).collect::<Result<_, _>>()?,
            annotations: root.field("annotations", notes)?.text_map()?,
            artifact_type: text(root, "artifactType", notes)?,
        })
    }
}

impl Descriptor {
    fn read(field: &Field, notes: &mut Notes) -> Result<Self, String> {
        let size = field.field("size", notes)?;
        let bytes = size.integer()?.unwrap_or_default();
        let digest = field.field("digest", notes)?;
        let digest_text = digest.string()?.unwrap_or_default();
        let platform = field.field("platform", notes)?;
        Ok(Self {
            media_type: MediaType::from(text(field, "mediaType", notes)?.as_str()),
            digest: Digest::parse(&digest_text).map_err(|trouble| format!("{}: {trouble}", digest.pointer()))?,
            size: u64::try_from(bytes).map_err(|_| format!("{}: {bytes} is negative", size.pointer()))?,
            platform: platform
                .is_set()
                .then(|| {
                    Ok::<_, String>(Platform::named(
                        &text(&platform, "os", notes)?,
                        &text(&platform, "architecture", notes)?,
                        &text(&platform, "variant", notes)?,
                    ))
                })
                .transpose()?,
            annotations: field.field("annotations", notes)?.text_map()?,
            artifact_type: text(field, "artifactType", notes)?,
        })
    }
}

impl ArchivedImage {
    /// Reads `manifest.json`: at least one image. Errors when there is none or a used field is of another type.
    pub fn parse_all(bytes: &[u8], limits: &Limits, notes: &mut Notes) -> Result<Vec<Self>, String> {
        let document = Json::parse(bytes, limits.json_depth)?;
        if !matches!(document, Json::Array(_) | Json::Null) {
            return Err(format!("expected an array of images, got {}", document.kind()));
        }
        let images = Field::root(&document).elements()?.unwrap_or_default();
        if images.is_empty() {
            return Err("lists no image".to_owned());
        }
        images.iter().map(|field| Self::read(field, limits, notes)).collect()
    }

    fn read(field: &Field, limits: &Limits, notes: &mut Notes) -> Result<Self, String> {
        let layers = field.field("Layers", notes)?.strings()?.unwrap_or_default();
        at_most(layers.len(), limits)?;
        Ok(Self {
            config: text(field, "Config", notes)?,
            tags: field.field("RepoTags", notes)?.strings()?.unwrap_or_default(),
            layers,
        })
    }
}

fn text(object: &Field, name: &str, notes: &mut Notes) -> Result<String, String> {
    Ok(object.field(name, notes)?.string()?.unwrap_or_default())
}

fn at_most(layers: usize, limits: &Limits) -> Result<(), String> {
    if layers > limits.layers {
        return Err(format!("{layers} layers, more than the limit of {} (layers)", limits.layers));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

    fn parse(text: &str, promised: &str) -> Result<Document, String> {
        let text = text.replace("HEX", HEX);
        Document::parse(text.as_bytes(), promised, &Limits::default(), &mut Notes::default())
    }

    #[test]
    fn a_manifest_with_go_keys() {
        let text = r#"{"SCHEMAVERSION":2,"Config":{"digest":"sha256:HEX","size":3},
            "layers":[{"mediaType":"x","Digest":"sha256:HEX","size":7,"urls":[7],"platform":{"os":"linux"}}]}"#;
        let Document::Manifest(manifest) = parse(text, "").unwrap() else { panic!("no manifest") };
        assert_eq!((manifest.config.size, manifest.layers[0].size), (3, 7));
        assert_eq!(manifest.layers[0].platform.as_ref().map(|platform| platform.os.as_str()), Some("linux"));
    }

    #[test]
    fn what_is_refused() {
        let config = r#""config":{"digest":"sha256:HEX","size":3}"#;
        let index = "application/vnd.oci.image.index.v1+json";
        for (text, promised, error) in [
            ("[]", "", "expected an object, got an array"),
            ("{}", "", "is an unlabelled document, not an image manifest"),
            (r#"{"schemaVersion":1,"fsLayers":[]}"#, "", "schemaVersion 1 is not supported"),
            (
                &format!(r#"{{"schemaVersion":2,{config},"Manifests":[]}}"#),
                "",
                "both an index and a manifest: has manifests and config or layers",
            ),
            (
                &format!(r#"{{"schemaVersion":2,{config}}}"#),
                index,
                "is an image manifest, but its descriptor says an image index",
            ),
            (
                &format!(r#"{{"schemaVersion":2,"mediaType":"{index}",{config}}}"#),
                "",
                "is an image manifest, but its mediaType says an image index",
            ),
            (
                r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:HEX","size":-1}]}"#,
                "",
                "/manifests/0/size: -1 is negative",
            ),
            (
                r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:../x","size":1}]}"#,
                "",
                "/manifests/0/digest: digest 'sha256:../x': not 64 lower-case hex digits",
            ),
            (r#"{"schemaVersion":2,"manifests":[null]}"#, "", "/manifests/0/digest: digest '': not sha256 or sha512"),
        ] {
            assert_eq!(parse(text, promised).map(|_| ()), Err(error.to_owned()), "{text}");
        }
    }

    #[test]
    fn images_of_a_docker_archive() {
        let parse = |text: &str| {
            let limits = Limits { layers: 2, ..Limits::default() };
            ArchivedImage::parse_all(text.as_bytes(), &limits, &mut Notes::default())
        };
        let read =
            parse(r#"[{"config":"c.json","RepoTags":null,"Layers":["a","b"]},{"Config":"d","RepoTags":["x:1"]}]"#);
        let read = read.unwrap();
        assert_eq!((read[0].config.as_str(), read[0].tags.len(), read[0].layers.len()), ("c.json", 0, 2));
        assert_eq!(read[1].tags, ["x:1"]);
        for (text, error) in [
            ("null", "lists no image"),
            ("[]", "lists no image"),
            ("{}", "expected an array of images, got an object"),
            (r#"[{"Layers":["a","b","c"]}]"#, "3 layers, more than the limit of 2 (layers)"),
            (r#"[{"Layers":"a"}]"#, "/0/Layers: expected an array of strings, got a string"),
        ] {
            assert_eq!(parse(text), Err(error.to_owned()), "{text}");
        }
    }
}
