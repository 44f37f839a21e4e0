//! Every bound on foreign bytes, in one place. A limit that is hit is a [`Gap`](super::Gap) or an error that names it.

/// Upper bounds for reading one image. All sizes in bytes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// A PAX header, GNU long name or sparse map in a tar (Go's archive/tar allows 1 MiB).
    pub extension_header: u64,
    /// `manifest.json` of a docker archive, an OCI index or manifest.
    pub manifest: u64,
    /// An image config.
    pub config: u64,
    /// Nesting of JSON that is kept; what lies deeper must be JSON, and is left out.
    pub json_depth: usize,
    /// Layers of one image.
    pub layers: usize,
    /// Descriptors looked at while choosing an image from nested indexes.
    pub descriptors: usize,
    /// Nesting of indexes.
    pub index_depth: usize,
    /// Entries of one layer: the rest of its tar is not walked.
    pub entries: usize,
    /// What the entries of all layers may cost together, by an estimate of memory: [`crate::layer::LayerEntries::cost`].
    pub entries_held: u64,
    /// Directories of all layers that have no entry of their own, only something below them.
    pub implied: usize,
    /// Decompressed bytes of all layers together.
    pub decompressed: u64,
    /// A path or link target (`PATH_MAX` of Linux).
    pub path: usize,
    /// Symbolic links followed for one path (as Linux does).
    pub symlinks: usize,
    /// A file body that a rule asks to see whole.
    pub body: u64,
    /// All file bodies held at once, for one image, and some bytes for each; when more are wanted, none is held.
    pub bodies: u64,
    /// What packages and the paths they own may cost together, by an estimate of memory.
    pub packages: u64,
    /// The beginnings of executables held at once, for one image, and some bytes for each.
    pub heads: u64,
    /// PAX records that say nothing of a file, held for the search for secrets, for one image; when there are more,
    /// none is searched.
    pub records: u64,
    /// Zeros in holes of sparse files that are hashed for one layer; files with more have no digest.
    pub hole_hashed: u64,
    /// A line of an account file.
    pub line: usize,
    /// log2 of the largest zstd window.
    pub zstd_window_log: u32,
    /// Members of the outer archive.
    pub members: usize,
    /// Standard input and compressed archives spooled to a temporary file.
    pub spool: u64,
    /// Findings of one rule; the rest is one Gap with the count.
    pub findings_per_rule: usize,
    /// Entries of the config's history.
    pub history: usize,
    /// Bytes unpacked from one file: each level of nesting counts.
    pub unpacked_file: u64,
    /// Bytes unpacked from one file that need no more of it than its magic.
    pub unpacked_least: u64,
    /// Beyond those, bytes unpacked from each byte of the file.
    pub unpacked_ratio: u64,
    /// Bytes unpacked from all files; each layer has its share by its stored size, and no less than `unpacked_least`.
    pub unpacked_image: u64,
    /// Stored bytes of layers, the smallest first, whose diff ids are computed although their blob's digest was checked.
    pub diff_ids: u64,
    /// Members of all archives inside one file.
    pub archive_members: u64,
    /// Nesting inside one file: a compression counts as an archive does.
    pub archive_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            extension_header: 1 << 20,
            manifest: 4 << 20,
            config: 8 << 20,
            json_depth: 128,
            layers: 1024,
            descriptors: 1000,
            index_depth: 4,
            entries: 1_200_000,
            entries_held: 200 << 20,
            implied: 250_000,
            decompressed: 64 << 30,
            path: 4096,
            symlinks: 40,
            body: 1 << 20,
            bodies: 160 << 20,
            packages: 64 << 20,
            heads: 24 << 20,
            records: 16 << 20,
            hole_hashed: 256 << 20,
            line: 1 << 20,
            zstd_window_log: 27,
            members: 100_000,
            spool: 64 << 30,
            findings_per_rule: 1000,
            history: 10_000,
            unpacked_file: 4 << 30,
            unpacked_least: 32 << 20,
            unpacked_ratio: 100,
            unpacked_image: 32 << 30,
            diff_ids: 16 << 20,
            archive_members: 500_000,
            archive_depth: 10,
        }
    }
}
