//! Typed tokens in what is no file: variables, commands, labels, history, annotations.

use super::finds::Find;
use super::pattern::Patterns;
use crate::image::{History, ImageConfig};
use crate::model::{Confidence, Location, SecretInfo, Severity};

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
}

/// Every typed secret in config, history and annotations, in the order of the places. The history's locations hold the
/// text as written: mask it before it leaves.
#[must_use]
pub fn metadata(
    config: &ImageConfig,
    history: &History,
    annotations: &[(String, String)],
    patterns: &Patterns,
) -> Vec<Told> {
    let mut texts: Vec<(Location, &str)> = Vec::new();
    let mut add = |pointer: String, text| texts.push((Location::config(pointer), text));
    let container = &config.config;
    for (index, entry) in container.env.iter().enumerate() {
        add(format!("/config/Env/{index}"), entry);
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
            add(format!("/config/{name}/{index}"), text);
        }
    }
    for (key, value) in &container.labels {
        // RFC 6901 escapes
        add(format!("/config/Labels/{}", key.replace('~', "~0").replace('/', "~1")), value);
    }
    for (name, text) in [("User", &container.user), ("WorkingDir", &container.working_dir)] {
        add(format!("/config/{name}"), text);
    }
    if let Some(author) = &config.author {
        add("/author".to_owned(), author);
    }
    for step in &history.steps {
        for text in [Some(&step.entry.created_by), step.entry.comment.as_ref(), step.entry.author.as_ref()] {
            texts.extend(text.map(|text| (step.location(), text.as_str())));
        }
    }
    for (key, value) in annotations {
        texts.push((Location::Annotation { key: key.clone() }, value));
    }
    texts
        .into_iter()
        .flat_map(|(at, text)| patterns.scan_text(text.as_bytes()).into_iter().map(move |find| (at.clone(), find)))
        .map(|(at, find)| told(at, find, patterns))
        .collect()
}

fn told(at: Location, find: Find, patterns: &Patterns) -> Told {
    let rule = patterns.rules()[usize::from(find.rule)].name.clone();
    Told {
        at,
        secret: SecretInfo { kind: rule.clone(), redacted: find.redacted, hash: find.hash },
        rule,
        severity: find.severity,
        confidence: find.confidence,
        detail: find.detail,
    }
}
