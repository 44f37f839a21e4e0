//! Where images come from. Blobs verify themselves while they are read.

mod blob;
mod docker;
mod error;
mod guess;
mod input;
mod members;
mod memory;
mod oci;
mod opened;
mod select;
mod store;
mod unpack;

pub use blob::{Promised, StoredLayer};
pub use error::{SourceError, Trouble};
pub use memory::MemorySource;

use crate::image::{Digest, ImageConfig, Platform, Reference, Transport};
use crate::model::{Limits, visible};
use input::Input;
use std::io;
use std::path::Path;
use store::Store;

/// An opened image: one manifest, chosen.
pub trait Source: Send + Sync {
    /// What is known of the image before any layer is read.
    fn image(&self) -> &Image;

    /// The stored bytes of layer `index`, from the start; compressed as they lie.
    fn layer(&self, index: usize) -> io::Result<Box<dyn StoredLayer + '_>>;
}

/// What describes an image.
#[derive(Clone, Debug)]
pub struct Image {
    /// As given, normalised with its transport: `docker-archive:app.tar`.
    pub source: String,
    /// Its tags, as far as the source knows them.
    pub names: Vec<String>,
    /// `None` where no manifest exists (docker archive).
    pub manifest_digest: Option<Digest>,
    /// Digest of the config's bytes.
    pub config_digest: Digest,
    /// The parsed config.
    pub config: ImageConfig,
    /// The platform of the config (or of the index's descriptor where the config is silent).
    pub platform: Platform,
    /// From the base up.
    pub layers: Vec<LayerInfo>,
    /// Annotations of manifest and index descriptor, sorted by key.
    pub annotations: Vec<(String, String)>,
    /// What was odd but stopped nothing; sentences.
    pub notes: Vec<String>,
    /// What could not be looked at, besides whole layers; sentences.
    pub gaps: Vec<String>,
}

/// A layer as the manifest lists it.
#[derive(Clone, Debug)]
pub struct LayerInfo {
    /// Digest of the stored blob; `None` where the source has none (docker archive).
    pub digest: Option<Digest>,
    /// What the config promises of the decompressed layer.
    pub diff_id: Option<Digest>,
    /// Bytes as stored.
    pub size: u64,
    /// Why it cannot be read at all (missing, no file, encrypted, foreign and absent), when it cannot.
    pub unreadable: Option<String>,
}

/// Which image is meant where there are several.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The platform asked for.
    pub platform: Option<Platform>,
    /// A tag or whole name, a digest, or `@N` by place; the reference's own comes first.
    pub tag: Option<String>,
    /// The platform of this machine, taken where none is asked for.
    pub host: Platform,
}

/// Opens the image that `reference` names, by content: a docker archive, an OCI layout as folder or tar, either of them
/// compressed with gzip or zstd, from a file, a pipe or standard input. What is not a plain file is spooled to an unnamed
/// temporary file of at most `limits.spool` bytes. Everything but the layers is read and checked. A layer that is not
/// there stands in the list with the reason; an archive that is damaged opens as far as it goes, with a gap.
pub fn open(reference: &Reference, choice: &Choice, limits: &Limits) -> Result<Box<dyn Source>, SourceError> {
    let source = if reference.is_stdin() { "standard input".to_owned() } else { reference.to_string() };
    let fail = |trouble| SourceError { source, trouble };
    let opened = if reference.transport.is_file() {
        open_file(reference, choice, limits)
    } else {
        let name = reference.path.to_string_lossy();
        Err(Trouble::Remote { advice: format!("{}; then lint image.tar", error::save(reference.transport, &name)) })
    };
    Ok(Box::new(opened.map_err(fail)?))
}

fn open_file(reference: &Reference, choice: &Choice, limits: &Limits) -> Result<opened::Opened, Trouble> {
    let mut choice = choice.clone();
    let mut path = reference.path.clone();
    let mut tag = reference.tag.clone();
    if let Some(part) = tag.clone().filter(|_| !Path::new(&path).exists()) {
        // A path with a colon in it is read as skopeo reads it, unless only the whole is there.
        let mut whole = path.clone();
        whole.push(":");
        whole.push(part);
        if Path::new(&whole).exists() {
            (path, tag) = (whole, None);
        }
    }
    let path = Path::new(&path);
    let input = if reference.is_stdin() {
        Input::stdin(limits)?
    } else if path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Err(Trouble::Missing { name: reference.looks_like_name() });
    } else {
        Input::open(path, limits)?
    };
    let store = Store::new(input, limits)?;
    let shown = visible(path.as_os_str().as_encoded_bytes());
    let shown_tag = tag.as_ref().map_or_else(String::new, |tag| format!(":{tag}"));
    if let (Some(named), Some(asked)) = (&tag, &choice.tag)
        && !select::same_name(named, asked)
    {
        return Err(Trouble::broken(
            format!("--tag {}", error::cut(asked, 200)),
            format!("the image is named with '{}': write one of them", error::cut(named, 200)),
        ));
    }
    choice.tag = tag.or(choice.tag);
    let kind = kind(&store, reference.transport);
    let written = reference.transport;
    if let Some((is, transport)) = kind.filter(|(_, transport)| ![Transport::Path, *transport].contains(&written)) {
        let advice = format!("write {}{shown}{shown_tag}, or the path alone", transport.prefix());
        return Err(Trouble::OtherKind { is, written: written.prefix(), advice });
    }
    let damage = store.damage().cloned();
    let opened = match kind {
        None => {
            let (looks_like, advice) = store.guess();
            Err(Trouble::NotAnImage { looks_like, advice })
        }
        Some((_, transport)) => {
            let source = format!("{}{shown}{shown_tag}", transport.prefix());
            match transport {
                Transport::DockerArchive => docker::open(store, source, &choice, limits),
                _ => oci::open(store, source, &choice, limits),
            }
        }
    };
    opened.map_err(|trouble| match (trouble, damage) {
        // What is missing may stand behind the damage.
        (Trouble::NotAnImage { .. }, Some(damage)) => damage,
        (Trouble::Broken { object, what }, Some(damage)) => Trouble::broken(object, format!("{what} ({damage})")),
        (trouble, _) => trouble,
    })
}

/// What an image in `store` is, with its article, and the transport that names it; `None` when there is none. An archive
/// of both kinds is the one that is `wanted`, a docker archive where nothing is said.
fn kind(store: &Store, wanted: Transport) -> Option<(&'static str, Transport)> {
    let is_oci = store.has("index.json") || store.has("oci-layout");
    if store.is_folder() {
        return is_oci.then_some(("an OCI layout in a folder", Transport::Oci));
    }
    let is_docker = store.has("manifest.json");
    if is_docker && !(is_oci && matches!(wanted, Transport::Oci | Transport::OciArchive)) {
        return Some(("a docker archive", Transport::DockerArchive));
    }
    is_oci.then_some(("an OCI archive", Transport::OciArchive))
}
