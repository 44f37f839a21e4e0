//! Chooses the one image that is meant: first among the names of a layout, then among platforms. Reads no blob itself.

use super::Choice;
use super::error::{Trouble, cut};
use crate::image::{Descriptor, Platform, artifact, image_config};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "io.containerd.image.name";
const TAG: &str = oci_spec::image::ANNOTATION_REF_NAME;
const REFERENCE: &str = "vnd.docker.reference.type";

/// Images without platform in an index whose configs are read to learn it.
const SILENT: usize = 32;

/// A manifest that an index leads to.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) descriptor: Descriptor,
    /// Whether its blob is in the store; partial layouts are common.
    pub(super) here: bool,
}

/// The name of a descriptor in `index.json`: the whole one where there is one, else the tag.
pub(super) fn name(root: &Descriptor) -> Option<&str> {
    let named = |key: &str| root.annotations.get(key).map(String::as_str).filter(|name| !name.is_empty());
    named(NAME).or_else(|| named(TAG))
}

/// What a descriptor leads to when that stands beside images: an attestation, a signature, another artifact.
pub(super) fn is_beside_image(descriptor: &Descriptor) -> Option<String> {
    if descriptor.annotations.contains_key(REFERENCE) {
        return Some("an attestation".to_owned());
    }
    if descriptor.platform.as_ref().is_some_and(|it| it.os == "unknown" && it.architecture == "unknown") {
        return Some("an attestation (platform unknown/unknown)".to_owned());
    }
    let kind = &descriptor.artifact_type;
    (!kind.is_empty() && image_config(kind).is_err()).then(|| artifact(kind))
}

/// The descriptors of `index.json` that belong to the image `tag`, or to the only image there is. Errors with the names
/// when there are several, or none is called so.
pub(super) fn roots(all: Vec<Descriptor>, tag: Option<&str>) -> Result<Vec<Descriptor>, Trouble> {
    let mut seen = BTreeSet::new();
    let all: Vec<_> = all
        .into_iter()
        .filter(|root| seen.insert((root.digest.clone(), root.platform.clone(), name(root).map(str::to_owned))))
        .collect();
    // Only what is no image: the caller says what it is.
    if all.iter().all(|root| is_beside_image(root).is_some()) {
        return Ok(all);
    }
    let all: Vec<_> = all.into_iter().filter(|root| is_beside_image(root).is_none()).collect();
    let chosen: Vec<_> = match tag {
        None => all.iter().collect(),
        Some(tag) => {
            all.iter().enumerate().filter(|(index, root)| is_called(root, Some(*index), tag)).map(|it| it.1).collect()
        }
    };
    if chosen.is_empty() {
        let wanted = format!("tag '{}'", cut(tag.unwrap_or_default(), 200));
        return Err(Trouble::NoSuch { wanted, choices: choices(&all) });
    }
    // One image may have several names: they lead to the same digests.
    let mut images: BTreeMap<Option<&str>, BTreeSet<&str>> = BTreeMap::new();
    for root in &chosen {
        images.entry(name(root)).or_default().insert(root.digest.as_str());
    }
    if images.values().collect::<BTreeSet<_>>().len() > 1 {
        return Err(Trouble::Several { choices: choices(chosen) });
    }
    Ok(chosen.into_iter().cloned().collect())
}

/// Whether `tag` names this descriptor: by name, by digest, or as `@N` by its place.
pub(super) fn is_called(root: &Descriptor, place: Option<usize>, tag: &str) -> bool {
    let named = |key: &str| root.annotations.get(key).is_some_and(|name| same_name(name, tag));
    named(NAME)
        || named(TAG)
        || root.digest.as_str() == tag
        || place.is_some_and(|place| tag.strip_prefix('@') == Some(&*place.to_string()))
}

/// The names of images, digests where there is none; sorted.
fn choices<'a>(roots: impl IntoIterator<Item = &'a Descriptor>) -> Vec<String> {
    let names = roots.into_iter().map(|root| name(root).unwrap_or(root.digest.as_str()).to_owned());
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The manifest for the platform that is wanted; a single one is taken whatever its platform. `look` finds the platform
/// of a leaf whose descriptor does not say.
pub(super) fn platform(
    leaves: Vec<Leaf>,
    choice: &Choice,
    notes: &mut Vec<String>,
    look: impl Fn(&Leaf) -> Result<Platform, Trouble>,
) -> Result<Leaf, Trouble> {
    let wanted = choice.platform.as_ref().unwrap_or(&choice.host);
    let absent = leaves.iter().filter(|leaf| !leaf.here).count();
    let mut leaves = leaves;
    if absent < leaves.len() {
        leaves.retain(|leaf| leaf.here);
        if absent > 0 {
            notes.push(format!("{absent} images of the index are not in the layout"));
        }
    }
    let digests: BTreeSet<_> = leaves.iter().map(|leaf| leaf.descriptor.digest.clone()).collect();
    if digests.len() == 1 {
        // The same image may be offered for several platforms: the nearest descriptor describes it.
        leaves.sort_by_key(|leaf| leaf.descriptor.platform.as_ref().and_then(|it| wanted.fit(it)).unwrap_or(u32::MAX));
        leaves.truncate(1);
    }
    if let [only] = &leaves[..] {
        return Ok(only.clone());
    }
    let is_silent = |leaf: &&Leaf| leaf.descriptor.platform.as_ref().is_none_or(Platform::is_unknown);
    if leaves.iter().filter(is_silent).count() > SILENT {
        return Err(Trouble::Several { choices: choices(leaves.iter().map(|leaf| &leaf.descriptor)) });
    }
    let mut offers = Vec::new();
    for leaf in leaves {
        let known = leaf.descriptor.platform.clone().filter(|platform| !platform.is_unknown());
        let platform = match known {
            Some(platform) => platform,
            None => look(&leaf)?,
        };
        offers.push((wanted.fit(&platform), platform, leaf));
    }
    let Some(best) = offers.iter().filter_map(|(fit, ..)| *fit).min() else {
        let names: BTreeSet<_> = offers.iter().map(|(_, platform, _)| platform.to_string()).collect();
        let wanted = format!("platform {wanted}");
        return Err(Trouble::NoSuch { wanted, choices: names.into_iter().collect() });
    };
    offers.retain(|(fit, ..)| *fit == Some(best));
    if let [(.., leaf)] = &offers[..] {
        return Ok(leaf.clone());
    }
    let names = offers.iter().map(|(_, platform, leaf)| format!("{} ({platform})", leaf.descriptor.digest));
    Err(Trouble::Several { choices: names.collect() })
}

/// Whether two names of an image are the same but for what Docker leaves out of them.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    let long = |name: &str| {
        let name = name.strip_prefix("docker.io/").unwrap_or(name);
        let name = name.strip_prefix("library/").unwrap_or(name);
        let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains([':', '@']));
        if has_tag { name.to_owned() } else { format!("{name}:latest") }
    };
    one == other || long(one) == long(other)
}
