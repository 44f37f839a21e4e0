//! OCI layouts, folders and archives (OCI image-spec "image-layout.md"): from `index.json` over nested indexes to the
//! one manifest that is meant, every document verified before it is believed. `urls` are never followed.

use super::Choice;
use super::blob::Promise;
use super::error::{Trouble, cut};
use super::opened::{Identity, Layer, Opened};
use super::select::{self, Leaf};
use super::store::Store;
use super::unpack;
use crate::image::{
    Descriptor, Digest, Document, DocumentKind, Json, LayerKind, Manifest, Notes, artifact, document_kind,
    image_config, layer_kind,
};
use crate::model::Limits;
use std::collections::{BTreeMap, BTreeSet};

const INDEX: &str = "index.json";

/// Roots of a broken index that are tried one by one.
const SINGLY: usize = 32;

/// All manifests and indexes read for one image together, as a multiple of the limit for one.
const DOCUMENTS: u64 = 16;

/// Opens the image of a layout that `choice` means, or its only one.
pub(super) fn open(store: Store, source: String, choice: &Choice, limits: &Limits) -> Result<Opened, Trouble> {
    let mut notes = Vec::new();
    check_version(&store, limits, &mut notes)?;
    let roots = select::roots(read_index(&store, limits, &mut notes)?, choice.tag.as_deref())?;
    let leaves = leaves(&store, &roots, limits, &mut notes)?;
    let leaf = select::platform(leaves, choice, &mut notes, |leaf| {
        let manifest = manifest(&store, &leaf.descriptor, limits, &mut Vec::new())?;
        config_platform(&store, &manifest, limits)
    })?;

    let manifest = manifest(&store, &leaf.descriptor, limits, &mut notes)?;
    must_be_image(&manifest, &leaf.descriptor)?;
    let object = format!("config {}", manifest.config.digest);
    let config = store.verified("config", &manifest.config, "config", limits.config, limits)?;
    let layers = manifest.layers.iter().enumerate();
    let layers = layers.map(|(index, layer)| find_layer(&store, index, layer, limits, &mut notes));
    let layers = layers.collect::<Result<Vec<_>, _>>()?;
    let mut annotations = leaf.descriptor.annotations.clone();
    annotations.extend(manifest.annotations);
    let identity = Identity {
        source,
        names: roots.iter().filter_map(select::name).map(str::to_owned).collect(),
        manifest_digest: Some(leaf.descriptor.digest),
        platform: leaf.descriptor.platform,
        wanted: choice.platform.clone(),
        host: choice.platform.is_none().then(|| choice.host.clone()),
        annotations,
        notes,
    };
    Opened::assemble(store, identity, &object, (manifest.config.digest, &config), layers, limits)
}

/// The configs that a layout leads to under one of `names`, or at all where it knows none of them, with the annotations
/// of their manifests. What is not there is passed over, and what is broken when something else is not.
pub(super) fn configs(
    store: &Store,
    names: &[String],
    limits: &Limits,
) -> Result<BTreeMap<Digest, BTreeMap<String, String>>, Trouble> {
    let mut roots = read_index(store, limits, &mut Vec::new())?;
    let is_named = |root: &Descriptor| names.iter().any(|name| select::is_called(root, None, name));
    if roots.iter().any(is_named) {
        roots.retain(is_named);
    }
    roots.retain(|root| is_here(store, root, limits));
    let read = |roots: &[Descriptor]| -> Result<Vec<_>, Trouble> {
        let leaves = leaves(store, roots, limits, &mut Vec::new())?.into_iter().filter(|leaf| leaf.here);
        let read = leaves.map(|leaf| manifest(store, &leaf.descriptor, limits, &mut Vec::new()));
        read.map(|manifest| manifest.map(|it| (it.config.digest, it.annotations))).collect()
    };
    let whole = read(&roots);
    let singly = || roots.iter().take(SINGLY).filter_map(|root| read(std::slice::from_ref(root)).ok()).flatten();
    match whole {
        Ok(configs) => Ok(configs.into_iter().collect()),
        Err(trouble) => Some(singly().collect::<BTreeMap<_, _>>()).filter(|found| !found.is_empty()).ok_or(trouble),
    }
}

/// Oddities of a document as sentences.
pub(super) fn sentences(object: &str, oddities: Notes) -> Vec<String> {
    oddities.into_list().into_iter().map(|(pointer, what)| format!("{object}: {pointer}: {what}")).collect()
}

fn is_here(store: &Store, descriptor: &Descriptor, limits: &Limits) -> bool {
    store.blob(&descriptor.digest, limits).is_ok_and(|place| place.is_some())
}

/// Checks `oci-layout`: a missing one is noted, another version is an error.
fn check_version(store: &Store, limits: &Limits, notes: &mut Vec<String>) -> Result<(), Trouble> {
    let object = "oci-layout";
    let Some(place) = store.find(object, limits)? else {
        notes.push("the layout has no file oci-layout; strict tools refuse it".to_owned());
        return Ok(());
    };
    let bytes = store.read(object, &place, "manifest", limits.manifest)?;
    let document = Json::parse(&bytes, limits.json_depth).map_err(|what| Trouble::broken(object, what))?;
    // Go keeps the last of several.
    match document.fields("imageLayoutVersion").map(|(_, value)| value).last() {
        Some(Json::String(version)) if version == "1.0.0" => Ok(()),
        Some(Json::String(version)) => {
            Err(Trouble::broken(object, format!("version '{}' is not supported, only 1.0.0", cut(version, 40))))
        }
        _ => Err(Trouble::broken(object, "no imageLayoutVersion")),
    }
}

fn read_index(store: &Store, limits: &Limits, notes: &mut Vec<String>) -> Result<Vec<Descriptor>, Trouble> {
    let place = store.find(INDEX, limits)?.ok_or_else(|| Trouble::broken(INDEX, "missing"))?;
    let bytes = store.read(INDEX, &place, "manifest", limits.manifest)?;
    let mut oddities = Notes::default();
    let document = Document::parse(&bytes, "", limits, &mut oddities).map_err(|what| Trouble::broken(INDEX, what))?;
    notes.extend(sentences(INDEX, oddities));
    match document {
        Document::Index(index) if index.manifests.is_empty() => Err(Trouble::broken(INDEX, "lists no image")),
        Document::Index(index) => Ok(index.manifests),
        Document::Manifest(_) => Err(Trouble::broken(INDEX, "is an image manifest, not an index")),
    }
}

/// The image manifests under `roots`, breadth first, each once. Attestations and other artifacts are left out; errors
/// when nothing else is there. Nested indexes are visited once each.
fn leaves(store: &Store, roots: &[Descriptor], limits: &Limits, notes: &mut Vec<String>) -> Result<Vec<Leaf>, Trouble> {
    let limit = |what: &str, limit, bound: u64| Trouble::Limit { object: format!("{INDEX}: {what}"), limit, bound };
    let mut queue: Vec<(Descriptor, usize)> = roots.iter().map(|root| (root.clone(), 0)).collect();
    let (mut leaves, mut visited) = (Vec::<Leaf>::new(), BTreeSet::new());
    let mut bytes = 0u64;
    let mut other = None;
    let mut at = 0;
    while let Some((descriptor, depth)) = queue.get(at).cloned() {
        at += 1;
        if queue.len() > limits.descriptors {
            return Err(limit("descriptors", "descriptors", limits.descriptors as u64));
        }
        if let Some(what) = select::is_beside_image(&descriptor) {
            other.get_or_insert(what);
            continue;
        }
        let kind = document_kind(descriptor.media_type.as_ref());
        if matches!(kind, DocumentKind::Index | DocumentKind::Unlabelled) {
            bytes += descriptor.size.min(limits.manifest);
        }
        if bytes > DOCUMENTS * limits.manifest {
            return Err(limit("bytes of all documents", "manifest", DOCUMENTS * limits.manifest));
        }
        let is_index = match kind {
            DocumentKind::Index => true,
            DocumentKind::Manifest => false,
            DocumentKind::Unlabelled => {
                matches!(document(store, &descriptor, limits, &mut Vec::new())?, Document::Index(_))
            }
            DocumentKind::Schema1 => {
                other.get_or_insert_with(|| "a manifest of schema 1, which is not supported".to_owned());
                continue;
            }
            DocumentKind::Other => {
                other.get_or_insert_with(|| artifact(descriptor.media_type.as_ref()));
                continue;
            }
        };
        if !is_index {
            let here = is_here(store, &descriptor, limits);
            if !leaves.iter().any(|leaf| {
                leaf.descriptor.digest == descriptor.digest && leaf.descriptor.platform == descriptor.platform
            }) {
                leaves.push(Leaf { descriptor, here });
            }
            continue;
        }
        if depth == limits.index_depth {
            return Err(limit("depth of nested indexes", "index_depth", limits.index_depth as u64));
        }
        if visited.insert(descriptor.digest.clone())
            && let Document::Index(index) = document(store, &descriptor, limits, notes)?
        {
            queue.extend(index.manifests.into_iter().map(|inner| (inner, depth + 1)));
        }
    }
    if leaves.is_empty() {
        let what = other.map_or_else(|| "lists no image".to_owned(), |what| format!("no container image, but {what}"));
        return Err(Trouble::broken(INDEX, what));
    }
    Ok(leaves)
}

/// A manifest or index, verified.
fn document(
    store: &Store,
    descriptor: &Descriptor,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Result<Document, Trouble> {
    let bytes = store.verified("manifest", descriptor, "manifest", limits.manifest, limits)?;
    let object = format!("manifest {}", descriptor.digest);
    let mut oddities = Notes::default();
    let document = Document::parse(&bytes, descriptor.media_type.as_ref(), limits, &mut oddities);
    let document = document.map_err(|what| Trouble::broken(&*object, what))?;
    notes.extend(sentences(&object, oddities));
    Ok(document)
}

fn manifest(
    store: &Store,
    descriptor: &Descriptor,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Result<Manifest, Trouble> {
    match document(store, descriptor, limits, notes)? {
        Document::Manifest(manifest) => Ok(*manifest),
        Document::Index(_) => {
            Err(Trouble::broken(format!("manifest {}", descriptor.digest), "is an image index, not an image manifest"))
        }
    }
}

/// The platform that the config of a manifest names.
fn config_platform(store: &Store, manifest: &Manifest, limits: &Limits) -> Result<crate::image::Platform, Trouble> {
    let bytes = store.verified("config", &manifest.config, "config", limits.config, limits)?;
    let config = crate::image::ImageConfig::parse(&bytes, limits);
    Ok(config.map_err(|what| Trouble::broken(format!("config {}", manifest.config.digest), what))?.platform)
}

/// Refuses artifacts, which travel as manifests too.
fn must_be_image(manifest: &Manifest, descriptor: &Descriptor) -> Result<(), Trouble> {
    let not_image = |what: String| {
        Err(Trouble::broken(format!("manifest {}", descriptor.digest), format!("not a container image, but {what}")))
    };
    if let Err(what) = image_config(manifest.config.media_type.as_ref()) {
        return not_image(what);
    }
    if !manifest.artifact_type.is_empty() && image_config(&manifest.artifact_type).is_err() {
        return not_image(artifact(&manifest.artifact_type));
    }
    Ok(())
}

fn find_layer(
    store: &Store,
    index: usize,
    layer: &Descriptor,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Result<Layer, Trouble> {
    let name = format!("blob {}", layer.digest);
    let media_type = layer.media_type.as_ref();
    let kind = layer_kind(media_type).map_err(|what| {
        Trouble::broken(format!("layer {index} {}", layer.digest), format!("no image layer, but {what}"))
    })?;
    let promise = Promise { digest: layer.digest.clone(), size: Some(layer.size) };
    // One layer that is not there takes nothing from the rest.
    let found = store.blob(&layer.digest, limits).and_then(|found| {
        let Some(place) = found else { return Ok(None) };
        let head = store.head(&name, &place)?;
        Ok(Some((place, head)))
    });
    let place = match (kind, found) {
        (LayerKind::Encrypted, _) => Err("encrypted".to_owned()),
        (LayerKind::Foreign, Ok(None)) => {
            Err("foreign, and its blob is not here; it is not fetched from elsewhere".to_owned())
        }
        (_, Ok(None)) => Err("blob is missing".to_owned()),
        (_, Err(why)) => Err(why.to_string()),
        (kind, Ok(Some((place, head)))) => {
            note_label(index, media_type, kind, &head, notes);
            Ok(place)
        }
    };
    Ok(Layer { name, place, promise: Some(promise) })
}

/// Notes a media type that says another compression than the blob has. The blob is right.
fn note_label(index: usize, media_type: &str, kind: LayerKind, head: &[u8], notes: &mut Vec<String>) {
    if kind == LayerKind::Unlabelled {
        notes.push(format!("layer {index} has no media type"));
        return;
    }
    let says = ["gzip", "zstd"].into_iter().find(|name| media_type.ends_with(name));
    let is = unpack::compression(head);
    if says != is {
        let is = is.unwrap_or("not compressed");
        notes.push(format!("layer {index} is labelled {} but is {is}", cut(media_type, 100)));
    }
}
