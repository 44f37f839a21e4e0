//! Typed tokens in what is no file: every text of the config, keys among them, and the annotations.

use super::finds::Find;
use super::pattern::Patterns;
use crate::image::{History, ImageConfig, Text, Way};
use crate::model::{Confidence, Location, SecretInfo, Severity};
use std::collections::HashSet;
use std::ops::Range;

/// A typed secret in the image's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Where.
    pub at: Location,
    /// The rule that names this type.
    pub rule: String,
    /// What may be said about it.
    pub secret: SecretInfo,
    /// As [`Hit::severity`](super::Hit::severity).
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// What the structure told; may be empty.
    pub detail: String,
    /// Its bytes in the text at the place, in order and apart from others there; empty when it stands in another text
    /// beside that (a step's comment, a key).
    pub range: Range<usize>,
}

/// Every typed secret in the config's document, the history and the annotations, in the order of the places; one that
/// stands in a place twice, once; and how many beyond `MOST` were left out. The history's locations hold the text as written: mask it before it leaves.
#[must_use]
pub fn metadata(
    config: &ImageConfig,
    history: &History,
    annotations: &[(String, String)],
    patterns: &Patterns,
) -> (Vec<Told>, usize) {
    let mut search = Search { patterns, told: Vec::new(), seen: HashSet::new(), cut: 0 };
    let container = &config.config;
    for (index, entry) in container.env.iter().enumerate() {
        search.text(entry, true, |_| Location::config(format!("/config/Env/{index}")));
    }
    let health = container.healthcheck.as_ref().map(|check| &check.test);
    let lists = [
        ("Entrypoint", container.entrypoint.as_ref()),
        ("Cmd", container.cmd.as_ref()),
        ("Healthcheck/Test", health),
        ("OnBuild", Some(&container.on_build)),
        ("Shell", container.shell.as_ref()),
    ];
    for (name, list) in lists {
        for (index, text) in list.into_iter().flatten().enumerate() {
            search.text(text, true, |_| Location::config(format!("/config/{name}/{index}")));
        }
    }
    for (key, value) in &container.labels {
        // RFC 6901 escapes
        let key = key.replace('~', "~0").replace('/', "~1");
        search.text(value, true, |_| Location::config(format!("/config/Labels/{key}")));
    }
    for (name, text) in [("User", &container.user), ("WorkingDir", &container.working_dir)] {
        search.text(text, true, |_| Location::config(format!("/config/{name}")));
    }
    for step in &history.steps {
        let entry = &step.entry;
        search.text(&entry.created_by, true, |place| step.location_at(place));
        for text in [entry.comment.as_ref(), entry.author.as_ref()].into_iter().flatten() {
            search.text(text, false, |_| step.location());
        }
    }
    // Everything else that the document holds: fields that nothing reads, keys, what later keys replaced.
    config.document.texts(|text| {
        let step = match text.way {
            [Way::Key(key), Way::Index(index), ..] if key.eq_ignore_ascii_case("history") => history.steps.get(*index),
            _ => None,
        };
        search.text(text.text, false, |_| match step {
            Some(step) => step.location(),
            None => Location::config(pointer(&text)),
        });
    });
    for (key, value) in annotations {
        for text in [value, key] {
            search.text(text, std::ptr::eq(text, value), |_| Location::Annotation { key: key.clone() });
        }
    }
    (search.told, search.cut)
}

/// Secrets of one image's metadata that are told of.
const MOST: usize = 50_000;

/// Texts that are searched, and what was found in them.
struct Search<'a> {
    patterns: &'a Patterns,
    told: Vec<Told>,
    seen: HashSet<(Location, String)>,
    /// How many were found and not kept.
    cut: usize,
}

impl Search<'_> {
    /// Searches `text`; `at` gives the location of a byte of it. `first` tells that it is the text of that place, and not
    /// another one beside it.
    fn text(&mut self, text: &str, first: bool, at: impl Fn(usize) -> Location) {
        let patterns = self.patterns;
        patterns.each_in_text(text.as_bytes(), |find| {
            let at = at(find.start as usize);
            if self.told.len() >= MOST {
                self.cut += 1;
                return;
            }
            if !self.seen.insert((at.clone(), find.hash.clone())) && !first {
                return;
            }
            let range = if first { find.start as usize..(find.start + find.length) as usize } else { 0..0 };
            self.told.push(told(at, range, find, patterns));
        });
    }
}

/// The fields that are known, as they are written; Go reads them in any case.
const FIELDS: &[&str] =
    &["config", "Env", "Entrypoint", "Cmd", "Healthcheck", "Test", "OnBuild", "Shell", "Labels", "User", "WorkingDir"];

/// The pointer to a text, known fields as they are written.
fn pointer(text: &Text<'_, '_>) -> String {
    let mut way = text.way.to_vec();
    for step in way.iter_mut().take(3) {
        let Way::Key(key) = step else { break };
        match FIELDS.iter().find(|field| field.eq_ignore_ascii_case(key)) {
            Some(field) => *key = field,
            None => break,
        }
        if *key == "Labels" {
            break;
        }
    }
    Text { way: &way, ..*text }.pointer()
}

fn told(at: Location, range: Range<usize>, find: Find, patterns: &Patterns) -> Told {
    let rule = patterns.rules()[usize::from(find.rule)].name.clone();
    Told {
        at,
        secret: SecretInfo { kind: rule.clone(), redacted: find.redacted, hash: find.hash },
        rule,
        severity: find.severity,
        confidence: find.confidence,
        detail: find.detail,
        range,
    }
}
