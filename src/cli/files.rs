//! `files`: what is inside an image, as JSON lines.

use super::args::FilesArgs;
use super::{Exit, Problem, looking};
use crate::report::files::{write_entry, write_file};
use std::io::{self, Write as _};

/// `plimsoll files`: 0, or 3 when something could not be read.
pub(super) fn run(args: &FilesArgs) -> Result<Exit, Problem> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let told = if args.entries {
        looking::entries(&args.image, &args.open, &mut |row| write_entry(row, &mut out))?
    } else {
        looking::files(&args.image, &args.open, args.removed, &mut |row| write_file(row, &mut out))?
    };
    match told.and_then(|exit| out.flush().map(|()| exit)) {
        Ok(exit) => Ok(exit),
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            let _ = out.into_parts();
            Ok(0)
        }
        Err(error) => {
            let _ = out.into_parts();
            Err(Problem::io("standard output", &error))
        }
    }
}
