//! Docker archives: `manifest.json` with config and layers as members (Docker image spec v1.2), as Docker 1.10 to 29,
//! podman, skopeo and others write them. Newer ones are OCI layouts at the same time; `manifest.json` then decides, and
//! the index must not contradict it.

use super::Choice;
use super::blob::{Promise, sha256};
use super::error::{Trouble, cut};
use super::oci;
use super::opened::{Identity, Layer, Opened};
use super::select;
use super::store::Store;
use crate::image::{ArchivedImage, Digest, Notes};
use crate::model::Limits;
use std::collections::BTreeMap;

/// Opens the image of a docker archive that `choice` names, or its only one.
pub(super) fn open(store: Store, source: String, choice: &Choice, limits: &Limits) -> Result<Opened, Trouble> {
    let object = "manifest.json";
    let place = store.find(object, limits)?.ok_or_else(|| Trouble::broken(object, "missing"))?;
    let bytes = store.read(object, &place, "manifest", limits.manifest)?;
    let mut oddities = Notes::default();
    let images = ArchivedImage::parse_all(&bytes, limits, &mut oddities);
    let images = images.map_err(|what| Trouble::broken(object, what))?;
    let image = choose(&images, choice.tag.as_deref())?;
    let mut notes = oci::sentences(object, oddities);
    notes.extend(store.repeated());

    let object = format!("config '{}'", cut(&image.config, 200));
    let missing = |object: &str| Trouble::broken(object, "no such member in the archive");
    let place = store.find(&image.config, limits)?.ok_or_else(|| missing(&object))?;
    let config = store.read(&object, &place, "config", limits.config)?;
    let config_digest = sha256(&config);
    if let Some(claimed) = claim(&image.config).filter(|claimed| *claimed != config_digest) {
        return Err(Trouble::broken(object, format!("expected digest {claimed}, got {config_digest}")));
    }
    let annotations = cross_check(&store, image, &object, &config_digest, limits, &mut notes)?;

    let mut layers = Vec::with_capacity(image.layers.len());
    for member in &image.layers {
        let shown = cut(member, 200);
        let place =
            store.find(member, limits).and_then(|found| found.ok_or_else(|| missing(&format!("member '{shown}'"))));
        let promise = member.contains('/').then(|| claim(member)).flatten();
        let promise = promise.map(|digest| Promise { digest, size: None });
        let name = promise.as_ref().map_or_else(|| format!("member '{shown}'"), |it| format!("blob {}", it.digest));
        // One layer that is not there takes nothing from the rest.
        layers.push(Layer { name, place: place.map_err(|why| why.to_string()), promise });
    }
    let identity = Identity {
        source,
        names: image.tags.clone(),
        wanted: choice.platform.clone(),
        host: choice.platform.is_none().then(|| choice.host.clone()),
        annotations,
        notes,
        ..Identity::default()
    };
    Opened::assemble(store, identity, &object, (config_digest, &config), layers, limits)
}

/// The digest that the name of a member claims for its bytes: `blobs/sha256/HEX`, and `HEX.json` of a config.
fn claim(member: &str) -> Option<Digest> {
    let member = member.trim_start_matches("./");
    match member.strip_prefix("blobs/").and_then(|rest| rest.split_once('/')) {
        Some((algorithm, hex)) => {
            Digest::parse(&format!("{algorithm}:{hex}")).ok().filter(|it| it.algorithm() == "sha256")
        }
        None => Digest::parse(&format!("sha256:{}", member.strip_suffix(".json")?)).ok(),
    }
}

/// The image that `tag` names: one of its tags, `@N` by place, or the name of its config; the only one without.
fn choose<'a>(images: &'a [ArchivedImage], tag: Option<&str>) -> Result<&'a ArchivedImage, Trouble> {
    // A tag that several images have chooses none of them.
    let own = |tag: &String| images.iter().filter(|image| image.tags.contains(tag)).count() == 1;
    let names = |(index, image): (usize, &ArchivedImage)| {
        let own: Vec<_> = image.tags.iter().filter(|tag| own(tag)).cloned().collect();
        if own.is_empty() { vec![format!("@{index}")] } else { own }
    };
    let choices = || images.iter().enumerate().flat_map(names).collect::<Vec<_>>();
    let Some(tag) = tag else {
        let [only] = images else { return Err(Trouble::Several { choices: choices() }) };
        return Ok(only);
    };
    let is_it = |(index, image): (usize, &ArchivedImage)| {
        let config = claim(&image.config);
        tag.strip_prefix('@') == Some(&*index.to_string())
            || config.is_some_and(|config| config.as_str() == tag)
            || image.tags.iter().any(|name| select::same_name(name, tag))
    };
    let found: Vec<_> = images.iter().enumerate().filter(|it| is_it(*it)).map(|(_, image)| image).collect();
    match found[..] {
        [only] => Ok(only),
        [] => Err(Trouble::NoSuch { wanted: format!("tag '{}'", cut(tag, 200)), choices: choices() }),
        _ => Err(Trouble::Several { choices: choices() }),
    }
}

/// Looks whether the archive is an OCI layout as well, and whether that leads to the same config: a runtime reads one or
/// the other. Gives the annotations that stand there.
fn cross_check(
    store: &Store,
    image: &ArchivedImage,
    object: &str,
    config: &Digest,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<String, String>, Trouble> {
    if !store.has("index.json") {
        return Ok(BTreeMap::new());
    }
    match oci::configs(store, &image.tags, limits) {
        Err(trouble) => {
            notes.push(format!("the archive has an index.json too, which cannot be followed: {trouble}"));
            Ok(BTreeMap::new())
        }
        Ok(mut configs) => match configs.remove(config) {
            Some(annotations) => Ok(annotations),
            None if configs.is_empty() => Ok(BTreeMap::new()),
            None => {
                let others = configs.keys().map(Digest::as_str).take(3).collect::<Vec<_>>().join(", ");
                let what = format!("manifest.json leads to {config}, but index.json to {others}");
                Err(Trouble::broken(object, what))
            }
        },
    }
}
