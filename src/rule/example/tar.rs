//! An example image as bytes: the config as builders write it, each layer as a tar with PAX records.

use super::{ExampleEntry, ExampleImage, ExampleKind};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::io;
use tar::{Builder, EntryType, Header};

impl ExampleImage {
    /// The image config. `layers` are the tars of [`ExampleImage::layer_tars`], whose digests it holds.
    #[must_use]
    pub fn config_json(&self, layers: &[Vec<u8>]) -> Vec<u8> {
        let mut platform = self.platform.split('/');
        let mut part = || platform.next().unwrap_or_default();
        let config = &self.config;
        let keys = |names: &[String]| {
            let keys: Map<String, Value> = names.iter().map(|name| (name.clone(), json!({}))).collect();
            (!keys.is_empty()).then_some(keys)
        };
        let list = |words: &Vec<String>| (!words.is_empty()).then(|| words.clone());
        let text = |text: &String| (!text.is_empty()).then(|| text.clone());
        let history: Vec<Value> = self
            .history
            .iter()
            .map(|step| {
                without_nulls(json!({
                    "created": text(&self.created),
                    "created_by": step.created_by,
                    "comment": text(&step.comment),
                    "empty_layer": step.empty_layer.then_some(true),
                }))
            })
            .collect();
        let whole = without_nulls(json!({
            "os": part(),
            "architecture": part(),
            "variant": text(&part().to_owned()),
            "created": text(&self.created),
            "config": without_nulls(json!({
                "User": config.user,
                "Env": list(&config.env),
                "Entrypoint": list(&config.entrypoint),
                "Cmd": list(&config.cmd),
                "WorkingDir": text(&config.workdir),
                "Volumes": keys(&config.volumes),
                "ExposedPorts": keys(&config.exposed_ports),
                "Labels": (!config.labels.is_empty()).then_some(&config.labels),
                "Healthcheck": list(&config.healthcheck).map(|test| json!({ "Test": test })),
                "StopSignal": text(&config.stop_signal),
                "Shell": list(&config.shell),
                "OnBuild": list(&config.onbuild),
            })),
            "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|layer| digest(layer)).collect::<Vec<_>>() },
            "history": history,
        }));
        whole.to_string().into_bytes()
    }

    /// The layers as uncompressed tars. Errors with a sentence when a name does not fit a tar.
    pub fn layer_tars(&self) -> Result<Vec<Vec<u8>>, String> {
        self.layers.iter().map(|entries| layer_tar(entries)).collect()
    }
}

fn layer_tar(entries: &[ExampleEntry]) -> Result<Vec<u8>, String> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        append(&mut builder, entry).map_err(|error| format!("'{}': {error}", entry.name))?;
    }
    builder.into_inner().map_err(|error| error.to_string())
}

fn append(builder: &mut Builder<Vec<u8>>, entry: &ExampleEntry) -> io::Result<()> {
    if !entry.xattrs.is_empty() {
        let keyed: Vec<(String, &[u8])> =
            entry.xattrs.iter().map(|(key, value)| (format!("SCHILY.xattr.{key}"), value.as_slice())).collect();
        builder.append_pax_extensions(keyed.iter().map(|(key, value)| (key.as_str(), *value)))?;
    }
    let mut header = Header::new_gnu();
    header.set_mode(entry.mode);
    header.set_uid(entry.uid);
    header.set_gid(entry.gid);
    header.set_mtime(entry.mtime);
    header.set_size(0);
    let mut empty = |builder: &mut Builder<Vec<u8>>, kind: EntryType, name: &str| {
        header.set_entry_type(kind);
        builder.append_data(&mut header, name, io::empty())
    };
    let name = entry.name.as_str();
    let directory = format!("{name}/");
    match &entry.kind {
        ExampleKind::File(bytes) => {
            header.set_entry_type(EntryType::Regular);
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, bytes.as_slice())
        }
        ExampleKind::Dir => empty(builder, EntryType::Directory, &directory),
        ExampleKind::Opaque => {
            empty(builder, EntryType::Directory, &directory)?;
            empty(builder, EntryType::Regular, &format!("{directory}.wh..wh..opq"))
        }
        ExampleKind::Removed => {
            let (parent, last) = name.rsplit_once('/').map_or(("", name), |(parent, last)| (parent, last));
            let slash = if parent.is_empty() { "" } else { "/" };
            empty(builder, EntryType::Regular, &format!("{parent}{slash}.wh.{last}"))
        }
        ExampleKind::Fifo => empty(builder, EntryType::Fifo, name),
        ExampleKind::Char(major, minor) | ExampleKind::Block(major, minor) => {
            let is_char = matches!(entry.kind, ExampleKind::Char(..));
            header.set_entry_type(if is_char { EntryType::Char } else { EntryType::Block });
            header.set_device_major(*major)?;
            header.set_device_minor(*minor)?;
            builder.append_data(&mut header, name, io::empty())
        }
        ExampleKind::Symlink(target) => {
            header.set_entry_type(EntryType::Symlink);
            builder.append_link(&mut header, name, target)
        }
        ExampleKind::HardLink(target) => {
            header.set_entry_type(EntryType::Link);
            builder.append_link(&mut header, name, target)
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    crate::model::push_hex(&mut text, &Sha256::digest(bytes));
    text
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, value| !value.is_null());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_tar_holds_what_the_text_says() {
        let text = "[[layer]]\n\"/d/\" = { mode = 0o1777 }\n\"/d/f\" = { content = 'hi', uid = 7, mode = 0o4755, \
                    xattr = { 'security.capability' = '0102' } }\n\"/d/s\" = { link = '/f' }\n\"/h\" = { hardlink = '/d/f' }\n\
                    \"/d/x/old\" = { remove = true }\n\"/o\" = { opaque = true }\n\"/n\" = { device = 'char 1:3' }\n";
        let image = ExampleImage::read(text, &|_| None).expect("well formed");
        let layers = image.layer_tars().expect("fits");
        let mut archive = tar::Archive::new(layers[0].as_slice());
        let mut seen = Vec::new();
        for entry in archive.entries().expect("a tar") {
            let mut entry = entry.expect("an entry");
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = entry.header().entry_type().as_byte() as char;
            let mode = entry.header().mode().expect("octal");
            let xattrs = entry.pax_extensions().expect("records").map_or(0, Iterator::count);
            let mut body = String::new();
            entry.read_to_string(&mut body).expect("text");
            seen.push((name, kind, mode, xattrs, body));
        }
        let row = |name: &str, kind, mode, xattrs, body: &str| (name.to_owned(), kind, mode, xattrs, body.to_owned());
        assert_eq!(
            seen,
            [
                row("d/", '5', 0o1777, 0, ""),
                row("d/f", '0', 0o4755, 1, "hi"),
                row("d/s", '2', 0o777, 0, ""),
                row("h", '1', 0o644, 0, ""),
                row("d/x/.wh.old", '0', 0o644, 0, ""),
                row("o/", '5', 0o755, 0, ""),
                row("o/.wh..wh..opq", '0', 0o755, 0, ""),
                row("n", '3', 0o644, 0, ""),
            ]
        );
    }

    #[test]
    fn the_config_is_an_image_config() {
        let image = ExampleImage::read("config.user = ''\n[[layer]]\n\"/a\" = ''\n", &|_| None).expect("well formed");
        let layers = image.layer_tars().expect("fits");
        let config: Value = serde_json::from_slice(&image.config_json(&layers)).expect("JSON");
        assert_eq!(config["config"]["User"], "");
        assert_eq!(config["os"], "linux");
        assert_eq!(config["rootfs"]["diff_ids"].as_array().map(Vec::len), Some(1));
        assert_eq!(config["history"].as_array().map(Vec::len), Some(1));
        assert_eq!(config["config"]["Cmd"], json!(["/app"]));
    }
}
