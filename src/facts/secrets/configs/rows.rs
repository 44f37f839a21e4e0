//! The table of configuration files: by what names they go, how they are written, which keys hold a credential, what it
//! opens. A new file is a row, and no code.

mod clients;
mod clouds;
mod frameworks;
mod servers;

use super::row::Row;

/// The rows, part by part. A file is read by the first that names it.
pub(super) const ROWS: [&[Row]; 4] = [clients::ROWS, clouds::ROWS, frameworks::ROWS, servers::ROWS];
