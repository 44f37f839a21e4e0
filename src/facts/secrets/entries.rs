//! Typed secrets in what a layer says of its files: names, link targets, attributes, PAX records. The bodies are searched
//! elsewhere.

use super::Hit;
use super::pattern::Patterns;
use crate::layer::LayerEntries;
use crate::model::{SecretInfo, visible, visible_str};
use std::collections::HashSet;

/// Bytes that are searched at a time.
const CHUNK: usize = 1 << 20;

/// What a text says of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Name,
    Link,
    /// Its name or its value.
    Attribute(Vec<u8>),
    Record,
}

/// Texts one after another, with a NUL between them, and whose they are.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// Begin, entry, what; in order.
    texts: Vec<(usize, u32, What)>,
}

/// Every typed secret in the names, targets and attributes of `entries` and in `records`: (entry, text). A folder's name
/// is told once, not for every file in it. The hits have no line.
#[must_use]
pub fn in_entries(entries: &LayerEntries, records: &[(u32, Box<[u8]>)], patterns: &Patterns) -> Vec<Hit> {
    let mut search = Search { patterns, chunk: Chunk::default(), seen: HashSet::new(), hits: Vec::new() };
    for record in entries.iter() {
        search.add(record.index, What::Name, record.name);
        search.add(record.index, What::Link, record.link);
        for (name, value) in record.xattrs() {
            search.add(record.index, What::Attribute(name.to_vec()), name);
            search.add(record.index, What::Attribute(name.to_vec()), value);
        }
    }
    for (entry, text) in records {
        search.add(*entry, What::Record, text);
    }
    search.look();
    search.hits
}

struct Search<'a> {
    patterns: &'a Patterns,
    chunk: Chunk,
    /// Hashes of what was found.
    seen: HashSet<String>,
    hits: Vec<Hit>,
}

impl Search<'_> {
    fn add(&mut self, entry: u32, what: What, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.chunk.texts.push((self.chunk.bytes.len(), entry, what));
        self.chunk.bytes.extend_from_slice(text);
        self.chunk.bytes.push(0);
        if self.chunk.bytes.len() >= CHUNK {
            self.look();
        }
    }

    fn look(&mut self) {
        let Chunk { bytes, texts } = std::mem::take(&mut self.chunk);
        for find in self.patterns.scan_some(&bytes) {
            let (start, end) = (find.start as usize, (find.start + find.length) as usize);
            let at = texts.partition_point(|(begin, ..)| *begin <= start);
            let Some((_, entry, what)) = at.checked_sub(1).and_then(|at| texts.get(at)) else { continue };
            let rest = bytes.get(end..).unwrap_or_default();
            let ends = memchr::memchr(0, rest).unwrap_or(rest.len());
            let folder = *what == What::Name && rest[..ends].contains(&b'/') && rest[..ends] != *b"/";
            if !self.seen.insert(find.hash.clone()) && folder {
                continue;
            }
            let place = match what {
                What::Name => "in its name".to_owned(),
                What::Link => "in the target of the link".to_owned(),
                What::Attribute(name) => format!("in the attribute '{}'", visible_str(&visible(name))),
                What::Record => "in a PAX record".to_owned(),
            };
            let rule = self.patterns.rules()[usize::from(find.rule)].name.clone();
            let about: Vec<String> = [find.detail, place].into_iter().filter(|part| !part.is_empty()).collect();
            self.hits.push(Hit {
                entry: *entry,
                inside: Vec::new(),
                offset: 0,
                line: 0,
                column: 0,
                secret: SecretInfo { kind: rule.clone(), redacted: find.redacted, hash: find.hash },
                rule,
                severity: find.severity,
                confidence: find.confidence,
                detail: about.join(", "),
                program: false,
                public_in_packages: false,
            });
        }
    }
}
