//! Where the image comes from: its name, distribution, labels and package sources. Knows no registry and no clock.

mod sources;
mod support;

pub use sources::untrusted_package_source;

use super::quote::{listed, quote};
use crate::facts::{EntryKind, Facts};
use crate::model::{ImagePath, Location};
use crate::rule::{Params, Sink};

/// Every name of the image has the tag `latest`.
pub fn latest_tag(facts: &Facts, _: &Params, sink: &mut Sink) {
    let is_latest = |name: &String| name == "latest" || name.ends_with(":latest");
    if let Some(name) = facts.names.first().filter(|_| facts.names.iter().all(is_latest)) {
        let message =
            format!("the image is named {}, which another build takes over: tag it with a version", quote(name));
        sink.find(Location::Image, "latest", message);
    }
}

/// The distribution is no longer supported.
pub fn eol_distribution(facts: &Facts, params: &Params, sink: &mut Sink) {
    let Some(release) = &facts.distribution else {
        return;
    };
    let (id, version) = (&release.id, &release.version_id);
    let extended = params.get("support").and_then(toml::Value::as_str) != Some("regular");
    let said = support::day(&release.support_end);
    let Some(end) = said.or_else(|| support::end_of_support(id, version, extended)) else {
        return;
    };
    // There is no clock here. Today is not before the day of the table, nor before the image was made.
    let created = facts.config.created.as_deref().and_then(support::day).unwrap_or("");
    if end < created.max(support::TABLE_DATE) {
        let named = if release.pretty_name.is_empty() { &format!("{id} {version}") } else { &release.pretty_name };
        let message =
            format!("{} got its last security updates on {end}: build on a release that is supported", quote(named));
        sink.find(release.at.clone(), format!("{id} {version}"), message);
    }
}

/// The older names of the OCI labels (label-schema.org).
const OLDER: &[(&str, &str)] = &[
    ("org.opencontainers.image.created", "org.label-schema.build-date"),
    ("org.opencontainers.image.source", "org.label-schema.vcs-url"),
    ("org.opencontainers.image.revision", "org.label-schema.vcs-ref"),
    ("org.opencontainers.image.version", "org.label-schema.version"),
    ("org.opencontainers.image.vendor", "org.label-schema.vendor"),
    ("org.opencontainers.image.title", "org.label-schema.name"),
    ("org.opencontainers.image.description", "org.label-schema.description"),
    ("org.opencontainers.image.url", "org.label-schema.url"),
    ("org.opencontainers.image.documentation", "org.label-schema.usage"),
];

/// A label that the parameter `required` asks for is missing, or says nothing of use.
pub fn missing_label(facts: &Facts, params: &Params, sink: &mut Sink) {
    let required = params.get("required").and_then(toml::Value::as_array).into_iter().flatten();
    let mut missing: Vec<&str> = Vec::new();
    for key in required.filter_map(toml::Value::as_str) {
        let older = || OLDER.iter().find(|(name, _)| *name == key).and_then(|(_, old)| label(facts, old));
        match label(facts, key).or_else(older) {
            None => missing.push(key),
            Some((at, value)) => {
                if let Some(wrong) = not_of_use(key, value) {
                    sink.find(at, key, format!("label {} holds {wrong}", quote(key)));
                }
            }
        }
    }
    if !missing.is_empty() {
        let all = listed(missing.iter().copied(), 12);
        let what = if missing.len() == 1 { "the label" } else { "the labels" };
        let message = format!("{what} {all} {} missing: add LABEL", if missing.len() == 1 { "is" } else { "are" });
        sink.find(Location::config("/config/Labels"), missing.join(","), message);
    }
}

/// A label of the config or an annotation of the manifest that is not blank.
fn label<'a>(facts: &'a Facts, key: &str) -> Option<(Location, &'a str)> {
    let pointer = || Location::config(format!("/config/Labels/{}", key.replace('~', "~0").replace('/', "~1")));
    let from_config = facts.config.config.labels.get(key).map(|value| (pointer(), &**value));
    let annotation = || facts.annotations.iter().find(|(name, _)| name == key);
    let found =
        from_config.or_else(|| annotation().map(|(_, value)| (Location::Annotation { key: key.to_owned() }, &**value)));
    found.filter(|(_, value)| !value.trim().is_empty())
}

/// What is wrong with the value of a predefined OCI annotation (image-spec, annotations.md).
fn not_of_use(key: &str, value: &str) -> Option<&'static str> {
    let is_url = || {
        let (scheme, rest) = value.split_once("://").unwrap_or(("", ""));
        !rest.is_empty()
            && !scheme.is_empty()
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
    };
    match key.strip_prefix("org.opencontainers.image.")? {
        "created" => value.parse::<jiff::Timestamp>().is_err().then_some("no RFC 3339 time"),
        "url" | "documentation" => (!is_url()).then_some("no URL"),
        "source" => (!is_url() && !value.starts_with("git@")).then_some("no URL"),
        "base.digest" => crate::facts::Digest::parse(value).is_err().then_some("no digest"),
        _ => (value.contains("${") || value.starts_with("$(")).then_some("a variable that the build did not fill in"),
    }
}

/// The base image is named by a tag that moves.
pub fn base_not_pinned(facts: &Facts, _: &Params, sink: &mut Sink) {
    let digest = label(facts, "org.opencontainers.image.base.digest");
    let Some((at, name)) = label(facts, "org.opencontainers.image.base.name") else {
        return; // nobody says what the base was
    };
    if name == "scratch" || name.contains("@sha256:") || name.contains("@sha512:") || digest.is_some() {
        return;
    }
    let message = format!("the base image {} is named without a digest: write FROM name:tag@sha256:…", quote(name));
    sink.find(at, name, message);
}

/// Files that differ from build to build: path, bytes that are harmless.
const CHANGING: &[(&str, &[u64])] = &[
    ("/etc/machine-id", &[0, 14]), // empty, or "uninitialized\n"
    ("/var/cache/ldconfig/aux-cache", &[0]),
    ("/var/lib/systemd/random-seed", &[0]),
    ("/var/lib/urandom/random-seed", &[0]),
    ("/var/log/alternatives.log", &[0]),
    ("/var/log/apt/eipp.log.xz", &[0]),
    ("/var/log/apt/history.log", &[0]),
    ("/var/log/apt/term.log", &[0]),
    ("/var/log/bootstrap.log", &[0]),
    ("/var/log/dnf.log", &[0]),
    ("/var/log/dpkg.log", &[0]),
    ("/var/log/yum.log", &[0]),
];

/// Traces of when and where the image was built, which make every build another image.
pub fn unreproducible(facts: &Facts, _: &Params, sink: &mut Sink) {
    for (path, harmless) in CHANGING {
        let node = facts.tree.get(&ImagePath::from(*path)).filter(|node| node.kind() == EntryKind::File);
        if let Some(node) = node.filter(|node| !harmless.contains(&node.size())) {
            let message = format!("{path} differs from build to build: delete it in the RUN step that makes it");
            sink.find(facts.at(node), *path, message);
        }
    }
    let times: Vec<&str> = facts.history.steps.iter().filter_map(|step| step.entry.created.as_deref()).collect();
    let last = times.last().copied().unwrap_or("");
    // A base image brings its own time; within one build every step would have the same.
    let own = times.iter().rev().filter(|time| support::day(time) == support::day(last));
    if let Some(other) = own.copied().find(|time| **time != *last) {
        let message = format!(
            "steps of one build have times of their own ({} and {}): build with SOURCE_DATE_EPOCH",
            quote(other),
            quote(last)
        );
        sink.find(Location::config("/history"), "history", message);
    }
}

#[cfg(test)]
mod tests {
    use super::not_of_use;

    #[test]
    fn values_of_labels() {
        let wrong = |key: &str, value: &str| not_of_use(&format!("org.opencontainers.image.{key}"), value).is_some();
        assert!(wrong("created", "yesterday") && !wrong("created", "2026-01-01T00:00:00Z"));
        assert!(wrong("source", "me") && !wrong("source", "https://host/repo") && !wrong("source", "git@host:repo"));
        assert!(wrong("version", "${VERSION}") && !wrong("version", "1.0"));
        assert_eq!(not_of_use("com.example.version", "${VERSION}"), None);
    }
}
