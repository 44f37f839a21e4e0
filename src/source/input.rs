//! From what a person names to bytes that can be read by position: opens paths, spools standard input and pipes, and
//! takes off an outer compression. Knows no image format.

use super::error::Trouble;
use super::unpack::{Unpack, compression};
use super::{guess, members};
use crate::model::Limits;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Where the bytes of an image are.
#[derive(Debug)]
pub(super) enum Input {
    /// A tar archive, uncompressed.
    Archive {
        file: File,
        /// In bytes.
        size: u64,
        /// Why it is not all there, when reading it up to its end failed.
        damage: Option<Trouble>,
        /// What stands behind its compressed data and is no part of it; a sentence.
        behind: Option<String>,
    },
    /// A folder.
    Folder(PathBuf),
}

const CHUNK: usize = 256 * 1024;

impl Input {
    /// Opens a path, which may be a pipe.
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self, Trouble> {
        let kind = std::fs::metadata(path).map_err(|error| Trouble::io("", &error))?;
        if kind.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let what = match kind.file_type() {
            kind if kind.is_char_device() || kind.is_block_device() => "a device",
            kind if kind.is_socket() => "a socket",
            _ => {
                let file = File::open(path).map_err(|error| Trouble::io("", &error))?;
                return Self::archive(file, limits);
            }
        };
        Err(Trouble::NotAnImage { looks_like: what.to_owned(), advice: "" })
    }

    /// Takes standard input; spools it when it is not a file.
    pub(super) fn stdin(limits: &Limits) -> Result<Self, Trouble> {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            let advice = "pipe an image into it: docker save NAME | plimsoll -";
            return Err(Trouble::NotAnImage { looks_like: "a terminal".to_owned(), advice });
        }
        let own = stdin.as_fd().try_clone_to_owned().map_err(|error| Trouble::io("", &error))?;
        Self::archive(File::from(own), limits)
    }

    fn archive(mut file: File, limits: &Limits) -> Result<Self, Trouble> {
        let meta = file.metadata().map_err(|error| Trouble::io("", &error))?;
        if meta.is_dir() {
            return Err(Trouble::NotAnImage { looks_like: "a folder".to_owned(), advice: "name it as a path" });
        }
        let by_position = meta.is_file() && file.stream_position().is_ok_and(|at| at == 0);
        let mut head = Vec::new();
        let at_head = |error: io::Error| Trouble::io("", &error);
        Read::by_ref(&mut file).take(guess::HEAD as u64).read_to_end(&mut head).map_err(at_head)?;
        if by_position && compression(&head).is_none() {
            must_be_tar(&head, None)?;
            return Ok(Self::Archive { file, size: meta.len(), damage: None, behind: None });
        }
        let stream = BufReader::with_capacity(CHUNK, io::Cursor::new(head.clone()).chain(file));
        match compression(&head) {
            None => spool(stream, None, limits),
            Some(name) => {
                let mut unpack = Unpack::new(stream, name, limits);
                let mut input = spool(&mut unpack, Some(name), limits)?;
                if let Self::Archive { behind, .. } = &mut input {
                    *behind = unpack.behind();
                }
                Ok(input)
            }
        }
    }
}

/// Writes what `from` gives into an unnamed temporary file, no more than `limits.spool` bytes, once it turns out to
/// begin like a tar. What was read before an error is kept, and the error with it.
fn spool(mut from: impl Read, compressed: Option<&'static str>, limits: &Limits) -> Result<Input, Trouble> {
    let failed = |error: io::Error| match compressed {
        Some(name) => Trouble::broken(format!("{name} around the archive"), error.to_string()),
        None => Trouble::io("", &error),
    };
    let mut head = Vec::new();
    let mut damage = from.by_ref().take(guess::HEAD as u64).read_to_end(&mut head).err().map(failed);
    must_be_tar(&head, compressed).map_err(|what| damage.clone().unwrap_or(what))?;
    let full = |error: io::Error| Trouble::io("temporary file", &error);
    let mut file = tempfile::tempfile().map_err(full)?;
    file.write_all(&head).map_err(full)?;
    let mut size = head.len() as u64;
    let mut chunk = vec![0; CHUNK];
    while damage.is_none() {
        let read = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                damage = Some(failed(error));
                break;
            }
        };
        size += read as u64;
        if size > limits.spool {
            let object = compressed.map_or("input", |_| "decompressed archive").to_owned();
            return Err(Trouble::Limit { object, limit: "spool", bound: limits.spool });
        }
        file.write_all(&chunk[..read]).map_err(full)?;
    }
    Ok(Input::Archive { file, size, damage, behind: None })
}

/// Refuses what does not begin with a tar header or the zeros that end one.
fn must_be_tar(head: &[u8], compressed: Option<&str>) -> Result<(), Trouble> {
    let first = head.first_chunk::<512>();
    let tar = first.is_some_and(members::checksum_fits);
    let empty = head.len() >= 1024 && head[..1024].iter().all(|byte| *byte == 0);
    if tar {
        return Ok(());
    }
    let (looks_like, advice) = match (compression(head), compressed) {
        _ if empty => ("an empty tar archive".to_owned(), ""),
        (Some(inner), Some(outer)) => (format!("{inner} inside {outer}"), "decompress it once"),
        _ => guess::file(head),
    };
    let looks_like = match compressed {
        Some(outer) if compression(head).is_none() => format!("{looks_like} inside {outer}"),
        _ => looks_like,
    };
    Err(Trouble::NotAnImage { looks_like, advice })
}
