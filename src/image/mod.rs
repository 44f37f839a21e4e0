//! Pure parsing of what describes an image: digests, references, manifests, indexes, config, history. No I/O.

mod config;
mod digest;
mod history;
mod instruction;
mod json;
mod manifest;
mod media;
mod platform;
mod reference;
mod shell;

pub use config::{ContainerConfig, Healthcheck, HistoryEntry, ImageConfig};
pub use digest::Digest;
pub use history::{History, Step};
pub use instruction::{Instruction, InstructionKind};
pub use json::{Field, Json, Notes, Text, Way};
pub use manifest::{ArchivedImage, Descriptor, Document, Index, Manifest};
pub use media::{DocumentKind, LayerKind, artifact, document_kind, image_config, layer_kind};
pub use platform::Platform;
pub use reference::{Reference, Transport};
pub use shell::{Command, Effective, Expansion, Opened, Word, closing_mark};
