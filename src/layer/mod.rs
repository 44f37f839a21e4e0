//! A layer: any `Read` to blocks, blocks to tar entries, entries of all layers to the tree a container would see.

mod decompress;
mod entry;
mod tar;
mod tree;

pub use decompress::{Compression, DecodeError, DecodeKind, Decoder, Watch};
pub use entry::{Entry, EntryKind, LayerEntries, Record};
pub use tar::{TarEnd, TarError, TarTrouble, TarWalk, Visit, WalkError, walk};
pub use tree::{Hidden, Node, Tree, Unresolved};
