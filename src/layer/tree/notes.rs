//! Where runtimes read a layer differently, or refuse it: one sentence a kind and layer, with a count and the first
//! path.

use crate::model::{ImagePath, LayerIndex, cut_end};
use std::collections::BTreeMap;

/// Characters of a path that a sentence shows.
const PATH_SHOWN: usize = 120;

/// What is ambiguous or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Note {
    UnknownType,
    NameTooLong,
    RootNotADirectory,
    ParentNotADirectory,
    EmptySymlink,
    BadHardLink,
    BadWhiteout,
    TextFull,
    WhiteoutOfOwn,
    OpaqueAfterOwn,
    WhiteoutThenDirectory,
    RootOpaque,
    OverLowerLink,
    UnderLowerFile,
    ThroughOwnLink,
    LowerHardLink,
    HardLinkChangesMode,
    Duplicate,
    DeviceWhiteout,
    OverlayAttribute,
    Escapes,
}

/// Counts with the first path of each kind and layer.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<(LayerIndex, Note), (u64, ImagePath)>);

impl Notes {
    /// Counts one more.
    pub(super) fn add(&mut self, layer: LayerIndex, note: Note, path: &ImagePath) {
        self.0.entry((layer, note)).or_insert_with(|| (0, path.clone())).0 += 1;
    }

    /// By layer, then kind.
    pub(super) fn sentences(self) -> Vec<(LayerIndex, String)> {
        self.0.into_iter().map(|((layer, note), (count, path))| (layer, note.sentence(count, &path))).collect()
    }
}

impl Note {
    fn sentence(self, count: u64, first: &ImagePath) -> String {
        let (what, so) = self.words();
        let entries = if count == 1 { "entry" } else { "entries" };
        let such = if count == 1 { "" } else { "first " };
        format!("{count} {entries} {what} ({such}{}): {so}", shorten(&first.display()))
    }

    /// What such entries do, and what follows.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::UnknownType => ("of an unknown type", "runtimes refuse this layer; ignored here"),
            Self::NameTooLong => {
                ("with a name or path longer than Linux allows", "runtimes refuse this layer; ignored here")
            }
            Self::RootNotADirectory => {
                ("that would replace the root directory", "runtimes refuse this layer; ignored here")
            }
            Self::ParentNotADirectory => (
                "below a file of the same layer or through a loop of links",
                "runtimes refuse this layer; ignored here",
            ),
            Self::EmptySymlink => ("with an empty symbolic link", "runtimes refuse this layer; ignored here"),
            Self::BadHardLink => {
                ("linking to nothing that can be linked", "runtimes refuse this layer or drop the link; ignored here")
            }
            Self::BadWhiteout => (
                "naming a whiteout of nothing, `.` or `..`",
                "some runtimes refuse it, others delete the directory; ignored here",
            ),
            Self::TextFull => ("beyond 4 GiB of names", "ignored here"),
            Self::WhiteoutOfOwn => (
                "deleting what the same layer adds",
                "a whiteout is for lower layers, so the addition stays here; some runtimes delete it, others refuse the layer",
            ),
            Self::OpaqueAfterOwn => (
                "making opaque what the same layer has filled by then",
                "what the layer adds stays here; some runtimes delete it in directories without an entry of their own",
            ),
            Self::WhiteoutThenDirectory => (
                "making again a directory that the same layer deletes",
                "the lower files show again, as with overlayfs; other runtimes hide them or refuse the layer",
            ),
            Self::RootOpaque => {
                ("making the root opaque", "ignored, as with overlayfs; other runtimes hide all lower layers")
            }
            Self::OverLowerLink => (
                "below a symbolic link of a lower layer",
                "a real directory takes the link's place, as with overlayfs; other runtimes follow the link",
            ),
            Self::UnderLowerFile => (
                "below a file of a lower layer",
                "a directory takes the file's place, as with overlayfs; other runtimes refuse the layer",
            ),
            Self::ThroughOwnLink => (
                "below a symbolic link to something that the layer does not hold",
                "made at the link's target inside the image; some runtimes refuse the layer",
            ),
            Self::LowerHardLink => {
                ("linking to a file of a lower layer", "linked here; with overlayfs runtimes refuse the layer")
            }
            Self::HardLinkChangesMode => {
                ("linking with other setuid or setgid bits than the file has", "the last one counts, for all names")
            }
            Self::Duplicate => {
                ("naming a path that the layer has already", "the last one counts here; some runtimes refuse the layer")
            }
            Self::DeviceWhiteout => (
                "being a character device 0:0",
                "it deletes the path, as with overlayfs; other runtimes make the device",
            ),
            Self::OverlayAttribute => ("with attributes of overlayfs", "ignored here; some runtimes obey them"),
            Self::Escapes => (
                "leaving the root with `..`",
                "read as if the root were its own parent; some runtimes refuse the layer",
            ),
        }
    }
}

/// A path of at most some hundred characters.
fn shorten(path: &str) -> String {
    cut_end(path, PATH_SHOWN).into_owned()
}
