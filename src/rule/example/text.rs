//! The example language as serde reads it, and what one entry of it means.

use super::{ExampleConfig, ExampleEntry, ExampleKind, ExampleStep, Generate};
use crate::rule::Params;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// Bytes of a file that `size` makes.
const SIZE: u64 = 64 << 20;

/// 2026-01-01, the modification time of everything that does not say otherwise.
const MTIME: u64 = 1_767_225_600;

/// The whole text.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Image {
    #[serde(default)]
    pub names: Vec<String>,
    #[serde(default = "platform")]
    pub platform: String,
    #[serde(default = "created")]
    pub created: String,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    #[serde(default)]
    pub config: ExampleConfig,
    pub history: Option<Vec<ExampleStep>>,
    /// The spans of the paths give the order of the text, which a TOML table does not keep.
    #[serde(default)]
    pub layer: Vec<BTreeMap<toml::Spanned<String>, Entry>>,
    #[serde(default)]
    pub params: Params,
    pub says: Option<String>,
}

/// Content, or a table.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub(super) struct Entry {
    content: Option<String>,
    base64: Option<String>,
    generate: Option<String>,
    size: Option<u64>,
    dir: bool,
    opaque: bool,
    link: Option<String>,
    hardlink: Option<String>,
    device: Option<String>,
    fifo: bool,
    remove: bool,
    mode: Option<Mode>,
    uid: u64,
    gid: u64,
    mtime: Option<u64>,
    xattr: BTreeMap<String, String>,
}

/// `0o4755` or `"4755"`.
#[derive(Clone, Copy, serde::Deserialize)]
#[serde(try_from = "toml::Value")]
struct Mode(u32);

fn platform() -> String {
    "linux/amd64".to_owned()
}

fn created() -> String {
    "2026-01-01T00:00:00Z".to_owned()
}

impl Entry {
    /// What this says about `path`.
    pub(super) fn read(self, path: &str, generate: &Generate<'_>) -> Result<ExampleEntry, String> {
        let mut kinds = Vec::new();
        if let Some(text) = &self.content {
            kinds.push(ExampleKind::File(filled(text, generate)?.into_bytes()));
        }
        if let Some(text) = &self.base64 {
            kinds.push(ExampleKind::File(unbase64(text).ok_or("base64: not base64")?));
        }
        if let Some(name) = &self.generate {
            kinds.push(ExampleKind::File(generated(name, generate)?.into_bytes()));
        }
        if let Some(size) = self.size {
            if size > SIZE {
                return Err(format!("size: over {SIZE} bytes"));
            }
            kinds.push(ExampleKind::File(vec![0; size as usize]));
        }
        if self.opaque {
            kinds.push(ExampleKind::Opaque);
        } else if self.dir {
            kinds.push(ExampleKind::Dir);
        }
        kinds.extend(self.link.map(ExampleKind::Symlink));
        kinds.extend(self.hardlink.map(|target| ExampleKind::HardLink(target.trim_start_matches('/').to_owned())));
        if let Some(device) = &self.device {
            kinds.push(device_of(device).ok_or("device: not 'char MAJOR:MINOR' or 'block MAJOR:MINOR'")?);
        }
        if self.fifo {
            kinds.push(ExampleKind::Fifo);
        }
        if self.remove {
            kinds.push(ExampleKind::Removed);
        }
        if kinds.len() > 1 {
            return Err("more than one of content, base64, generate, size, dir, link, hardlink, ...".to_owned());
        }
        let otherwise = if path.ends_with('/') { ExampleKind::Dir } else { ExampleKind::File(Vec::new()) };
        let kind = kinds.pop().unwrap_or(otherwise);
        let usual = match kind {
            ExampleKind::Dir | ExampleKind::Opaque => 0o755,
            ExampleKind::Symlink(_) => 0o777,
            _ => 0o644,
        };
        let mut xattrs = Vec::new();
        for (key, value) in &self.xattr {
            let value = unhex(value).ok_or_else(|| format!("xattr '{key}': not hex"))?;
            xattrs.push((key.clone(), value));
        }
        let name = match path.trim_matches('/') {
            "" if kind == ExampleKind::Dir && path == "/" => ".",
            "" => return Err("not a path below /".to_owned()),
            name => name,
        };
        Ok(ExampleEntry {
            name: name.to_owned(),
            kind,
            mode: self.mode.map_or(usual, |mode| mode.0),
            uid: self.uid,
            gid: self.gid,
            mtime: self.mtime.unwrap_or(MTIME),
            xattrs,
        })
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentOrTable;
        impl<'de> Visitor<'de> for ContentOrTable {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file's content or a table such as { mode = 0o755 }")
            }

            fn visit_str<E: Error>(self, content: &str) -> Result<Entry, E> {
                Ok(Entry { content: Some(content.to_owned()), ..Entry::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Entry, A::Error> {
                // The derived function, which `remote` keeps from being this very trait.
                Entry::deserialize(MapAccessDeserializer::new(table))
            }
        }
        deserializer.deserialize_any(ContentOrTable)
    }
}

impl TryFrom<toml::Value> for Mode {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let bits = match &value {
            toml::Value::Integer(bits) => u32::try_from(*bits).ok(),
            toml::Value::String(digits) => u32::from_str_radix(digits, 8).ok(),
            _ => None,
        };
        bits.filter(|bits| *bits <= 0o7777)
            .map(Self)
            .ok_or_else(|| format!("mode {value}: neither 0o755 nor \"755\", up to 7777"))
    }
}

/// `text` with every `{{generate:NAME}}` replaced.
pub(super) fn filled(text: &str, generate: &Generate<'_>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{generate:") {
        let (name, after) = after.split_once("}}").ok_or("a {{generate: without its }}")?;
        out.push_str(before);
        out.push_str(&generated(name, generate)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn generated(name: &str, generate: &Generate<'_>) -> Result<String, String> {
    generate(name).ok_or_else(|| format!("generate '{name}': nobody knows how"))
}

fn device_of(text: &str) -> Option<ExampleKind> {
    let (kind, numbers) = text.split_once(' ')?;
    let (major, minor) = numbers.split_once(':')?;
    let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
    match kind {
        "char" => Some(ExampleKind::Char(major, minor)),
        "block" => Some(ExampleKind::Block(major, minor)),
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| Some(c.to_digit(16)? as u8)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Standard base64 (RFC 4648, section 4); line breaks and padding may stand or be left out.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_from_text() {
        assert_eq!(unbase64("aGVsbG8gd29ybGQ=").as_deref(), Some(&b"hello world"[..]));
        assert_eq!(unbase64("/+8").as_deref(), Some(&[0xff, 0xef][..]));
        assert_eq!(unhex("01fF").as_deref(), Some(&[1, 255][..]));
        assert_eq!(unhex("0"), None);
        assert_eq!(device_of("char 1:3"), Some(ExampleKind::Char(1, 3)));
    }
}
