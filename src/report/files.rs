//! The lines of `plimsoll files` and `plimsoll files --entries`, from rows. How rows come about is not known here.

use super::escape::{hex, hex_unless_utf8, write_line};
use crate::model::{ImagePath, LayerIndex, visible};
use serde::Serialize;
use serde_json::{Map, Value};
use std::io;

/// A path of the tree that a container would see, or one that it would not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRow {
    /// Where.
    pub path: ImagePath,
    /// What.
    pub kind: FileKind,
    /// Permission bits, 12 of them.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Owning group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Link target; `None` for what is no link.
    pub link: Option<Vec<u8>>,
    /// The layer that it comes from; `None` for a directory that no layer has an entry for.
    pub layer: Option<LayerIndex>,
    /// Of the body, where there is one and it was read.
    pub sha256: Option<[u8; 32]>,
    /// By name.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// The layer that deleted or replaced it; `None` when a container sees it.
    pub removed_by: Option<LayerIndex>,
}

impl FileRow {
    /// Shows `change` every text in it that comes from outside.
    pub fn each_text(&mut self, mut change: impl FnMut(&mut Vec<u8>)) {
        let mut path = self.path.as_bytes().to_vec();
        change(&mut path);
        if path != self.path.as_bytes() {
            self.path = ImagePath::clamp(&path);
        }
        self.link.iter_mut().for_each(&mut change);
        for (name, value) in &mut self.xattrs {
            change(name);
            change(value);
        }
    }
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// A regular file, whatever made it.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A hard link that no file stands behind (among what was removed).
    Hardlink,
    /// A character device.
    Char,
    /// A block device.
    Block,
    /// A named pipe.
    Fifo,
}

/// A line of `files --entries`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryRow {
    /// An entry of a layer's tar, as its header has it.
    Entry {
        /// The layer.
        layer: LayerIndex,
        /// Counts from 0 in the layer.
        entry: u32,
        /// As the header gives it.
        name: Vec<u8>,
        /// The type flag.
        type_flag: u8,
        /// Size of the body in bytes.
        size: u64,
        /// As the header has it.
        mode: i64,
        /// As the header has it.
        uid: i64,
        /// As the header has it.
        gid: i64,
        /// Link target; empty when there is none.
        link: Vec<u8>,
        /// Of the body, where there is one.
        sha256: Option<[u8; 32]>,
    },
    /// The layer ended in an error.
    Error {
        /// The layer.
        layer: LayerIndex,
        /// What went wrong.
        error: String,
    },
}

/// Writes one line for `row`.
pub fn write_file(row: &FileRow, out: &mut dyn io::Write) -> io::Result<()> {
    let mut line = Map::new();
    put_text(&mut line, "path", row.path.as_bytes());
    line.insert("type".into(), serde_json::to_value(row.kind)?);
    line.insert("mode".into(), format!("{:04o}", row.mode & 0o7777).into());
    line.insert("uid".into(), row.uid.into());
    line.insert("gid".into(), row.gid.into());
    line.insert("size".into(), row.size.into());
    if let Some(link) = &row.link {
        put_text(&mut line, "link", link);
    }
    line.insert("layer".into(), row.layer.into());
    if let Some(sha256) = &row.sha256 {
        line.insert("sha256".into(), hex(sha256).into());
    }
    if !row.xattrs.is_empty() {
        let xattrs: Map<String, Value> =
            row.xattrs.iter().map(|(name, value)| (visible(name).into_owned(), hex(value).into())).collect();
        line.insert("xattrs".into(), xattrs.into());
    }
    if let Some(by) = row.removed_by {
        line.insert("removed_by".into(), by.into());
    }
    write_line(&line, out)
}

/// Writes one line for `row`.
pub fn write_entry(row: &EntryRow, out: &mut dyn io::Write) -> io::Result<()> {
    let mut line = Map::new();
    match row {
        EntryRow::Entry { layer, entry, name, type_flag, size, mode, uid, gid, link, sha256 } => {
            line.insert("layer".into(), (*layer).into());
            line.insert("entry".into(), (*entry).into());
            put_text(&mut line, "name", name);
            line.insert("type".into(), visible(&[*type_flag]).into());
            line.insert("size".into(), (*size).into());
            line.insert("mode".into(), (*mode).into());
            line.insert("uid".into(), (*uid).into());
            line.insert("gid".into(), (*gid).into());
            if !link.is_empty() {
                put_text(&mut line, "link", link);
            }
            if let Some(sha256) = sha256 {
                line.insert("sha256".into(), hex(sha256).into());
            }
        }
        EntryRow::Error { layer, error } => {
            line.insert("layer".into(), (*layer).into());
            line.insert("error".into(), error.as_str().into());
        }
    }
    write_line(&line, out)
}

/// `bytes` as text under `key`, with their hex under `key_bytes` when the text cannot stand for them.
fn put_text(line: &mut Map<String, Value>, key: &str, bytes: &[u8]) {
    line.insert(key.into(), visible(bytes).into());
    if let Some(hex) = hex_unless_utf8(bytes) {
        line.insert(format!("{key}_bytes"), hex.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> FileRow {
        FileRow {
            path: ImagePath::from("/etc/passwd"),
            kind: FileKind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: 3,
            link: None,
            layer: Some(0),
            sha256: None,
            xattrs: Vec::new(),
            removed_by: None,
        }
    }

    fn line(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("a vector takes all");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_file_is_a_line() {
        assert_eq!(
            line(|out| write_file(&row(), out)),
            "{\"path\":\"/etc/passwd\",\"type\":\"file\",\"mode\":\"0644\",\"uid\":0,\"gid\":0,\"size\":3,\"layer\":0}\n"
        );
        let full = FileRow {
            path: ImagePath::clamp(b"a\xff\n"),
            kind: FileKind::Symlink,
            mode: 0o104_755,
            link: Some(b"\xfe".to_vec()),
            sha256: Some([0xab; 32]),
            xattrs: vec![(b"security.capability".to_vec(), vec![1, 0])],
            removed_by: Some(2),
            layer: None,
            ..row()
        };
        let text = line(|out| write_file(&full, out));
        assert_eq!(text.lines().count(), 1);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let expected = serde_json::json!({
            "path": "/a\\xff\n", "path_bytes": "2f61ff0a", "type": "symlink", "mode": "4755", "uid": 0, "gid": 0,
            "size": 3, "link": "\\xfe", "link_bytes": "fe", "layer": null, "sha256": "ab".repeat(32),
            "xattrs": { "security.capability": "0100" }, "removed_by": 2
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn an_entry_is_a_line() {
        let entry = EntryRow::Entry {
            layer: 0,
            entry: 17,
            name: b"./a".to_vec(),
            type_flag: b'0',
            size: 10,
            mode: 420,
            uid: -1,
            gid: 0,
            link: Vec::new(),
            sha256: None,
        };
        assert_eq!(
            line(|out| write_entry(&entry, out)),
            "{\"layer\":0,\"entry\":17,\"name\":\"./a\",\"type\":\"0\",\"size\":10,\"mode\":420,\"uid\":-1,\"gid\":0}\n"
        );
        let error = EntryRow::Error { layer: 1, error: "unexpected end".to_owned() };
        assert_eq!(line(|out| write_entry(&error, out)), "{\"layer\":1,\"error\":\"unexpected end\"}\n");
    }
}
