//! Tar, as Go's archive/tar reads it: that is what container runtimes see, so it decides what is in a layer. A push
//! parser without I/O; no body is held and nothing is allocated from a size that a header claims.

mod error;
mod header;
mod notes;
mod pax;
mod sparse;
mod walk;

pub use error::{TarError, TarTrouble, WalkError};
pub(super) use header::is_header;
pub use walk::{TarEnd, TarWalk, Visit, walk};
