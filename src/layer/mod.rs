//! A layer: any `Read` to blocks, blocks to tar entries, entries of all layers to the tree a container would see; and
//! archives inside its files to their members.

mod decompress;
mod entry;
mod tar;
mod tree;
mod unpack;

pub use decompress::{Compression, DecodeError, DecodeKind, Decoder, Input, Watch};
pub use entry::{Entry, EntryKind, LayerEntries, Record};
pub use tar::{TarEnd, TarError, TarTrouble, TarWalk, Visit, WalkError, walk};
pub use tree::{Hidden, Node, Tree, Unresolved};
pub use unpack::{Format, Held, Members, Memory, Opened, Stored};
