//! Where in an image a thing stands.

use super::{ImagePath, StepText};

/// Counts the layers of an image from its base, starting at 0.
pub type LayerIndex = u32;

/// Whether a container sees a file, and if not, which layer hid it. A hidden file still ships in its layer's blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Presence {
    /// The container sees it.
    Visible,
    /// A whiteout in layer `by` deleted it.
    Removed {
        /// The layer with the whiteout.
        by: LayerIndex,
    },
    /// Layer `by` put something else at the same path (also within one layer).
    Overwritten {
        /// The layer with the newer entry.
        by: LayerIndex,
    },
}

/// A place in an image. The order (image, config, history, file, annotation, then by place) is the order of reports.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Location {
    /// The image as a whole.
    Image,
    /// A value of the image config, by JSON pointer (RFC 6901) such as `/config/User`.
    Config {
        /// The pointer.
        pointer: String,
    },
    /// An entry of the config's history.
    History {
        /// Counts from 0 in `history`.
        step: u32,
        /// The layer it made; `None` when it made none or the history does not fit the layers.
        layer: Option<LayerIndex>,
        /// Its `created_by`, and where in it; secrets redacted and the rest cut to a few KiB once a scan is over.
        created_by: StepText,
    },
    /// A file of one layer.
    File {
        /// Its path.
        path: ImagePath,
        /// The layer that holds it.
        layer: LayerIndex,
        /// Whether a container sees it.
        presence: Presence,
        /// Line from 1, where one is known.
        line: Option<u32>,
        /// Column from 1 in characters, where one is known.
        column: Option<u32>,
        /// Members of archives inside the file, outermost first.
        inside: Vec<String>,
    },
    /// A manifest or index annotation.
    Annotation {
        /// Its key.
        key: String,
    },
}

impl Location {
    /// A config location by pointer.
    #[must_use]
    pub fn config(pointer: impl Into<String>) -> Self {
        Self::Config { pointer: pointer.into() }
    }

    /// A whole visible file.
    #[must_use]
    pub fn file(path: ImagePath, layer: LayerIndex) -> Self {
        Self::File { path, layer, presence: Presence::Visible, line: None, column: None, inside: Vec::new() }
    }

    /// The same place at `line` (from 1) when it is a file; unchanged otherwise.
    #[must_use]
    pub fn at_line(mut self, number: u32) -> Self {
        if let Self::File { line, .. } = &mut self {
            *line = Some(number);
        }
        self
    }

    /// The same place with another presence when it is a file; unchanged otherwise.
    #[must_use]
    pub fn with_presence(mut self, now: Presence) -> Self {
        if let Self::File { presence, .. } = &mut self {
            *presence = now;
        }
        self
    }

    /// The layer this place belongs to, when it belongs to one.
    #[must_use]
    pub fn layer(&self) -> Option<LayerIndex> {
        match self {
            Self::File { layer, .. } => Some(*layer),
            Self::History { layer, .. } => *layer,
            Self::Image | Self::Config { .. } | Self::Annotation { .. } => None,
        }
    }
}
