//! Credentials: the content scan's hits told as findings. Those in variables, commands and history stand in
//! `secrets/written.rs`, files that are suspicious by their names in `secrets/sensitive.rs`, the keys that packages make
//! in `secrets/generated.rs`.

mod configs;
mod generated;
mod sensitive;
mod written;

pub use configs::{password_hash_in_file, secret_in_config_file};
pub use generated::{generated_at_install, ssh_host_key};
pub use sensitive::{has_sensitive_name, sensitive_file};
pub use written::{secret_in_command, secret_in_env, secret_in_history};

use super::quote::{quote, shown};
use crate::facts::secrets::GENERIC;
use crate::facts::{AFTER_THE_END, Facts, Hit, Provenance};
use crate::model::{Confidence, ImagePath, LayerIndex, Location, Presence, SecretInfo, Severity};
use crate::rule::Sink;
use std::collections::BTreeMap;

/// Folders whose files show how a thing is used or tested.
const SHOWCASES: &[&str] = &[
    "test",
    "tests",
    "testing",
    "testdata",
    "test-data",
    "test_data",
    "testsuite",
    "test-suite",
    "__tests__",
    "fixture",
    "fixtures",
    "example",
    "examples",
    "sample",
    "samples",
    "spec",
    "specs",
    "doc",
    "docs",
    "demo",
    "demos",
    "man",
    "mock",
    "mocks",
    "molecule",
    "tutorial",
    "tutorials",
];

/// Words that names of such files hold, between marks: `settings.sample.py`, `testing_utils.py`.
const SHOWN: &[&str] = &["test", "tests", "testing", "example", "examples", "sample", "samples", "mock", "mocks"];

/// What documents are called, whatever ends them: `README`, `CHANGES.txt`.
const DOCUMENTS: &[&str] = &["readme", "changes", "changelog", "news"];

/// What Python packages say of themselves holds their README.
const METADATA: &[&[u8]] = &[b"METADATA", b"PKG-INFO"];

/// A place of a secret, graded.
struct Place {
    at: Location,
    severity: Severity,
    confidence: Confidence,
    secret: SecretInfo,
    /// What its structure and its surroundings tell.
    about: Vec<String>,
}

/// Tells what the content scan and the metadata say under the rule `name`: one finding a secret, with all its places.
pub fn in_files(facts: &Facts, name: &str, title: &str, sink: &mut Sink) {
    let mut secrets: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (layer, index) in facts.layers.iter().zip(0..) {
        for hit in layer.hits.iter().filter(|hit| hit.rule == name) {
            if name == GENERIC && configs::holds(facts, index, hit) {
                continue;
            }
            let own = name == "private-key"
                && layer.entries.get(hit.entry).is_some_and(|record| generated::is_of_own_kind(&record.path()));
            if !own {
                secrets.entry(hit.secret.hash.clone()).or_default().push(of_hit(facts, index, hit));
            }
        }
    }
    for told in facts.told.iter().filter(|told| told.rule == name) {
        secrets.entry(told.secret.hash.clone()).or_default().push(Place {
            at: told.at.clone(),
            severity: told.severity,
            confidence: told.confidence,
            secret: told.secret.clone(),
            about: Some(&told.detail).filter(|detail| !detail.is_empty()).cloned().into_iter().collect(),
        });
    }
    let what = title.strip_suffix(" in the image").unwrap_or(title);
    for (hash, mut places) in secrets {
        // A place that a container sees stands before one that was deleted.
        places.sort_by(|a, b| (b.severity, is_hidden(&a.at), &a.at).cmp(&(a.severity, is_hidden(&b.at), &b.at)));
        places.dedup_by(|a, b| a.at == b.at);
        let rest = places.split_off(1);
        let Some(first) = places.pop() else { continue };
        let about = if first.about.is_empty() { String::new() } else { format!(", {}", first.about.join(", ")) };
        let more = match rest.len() {
            0 => String::new(),
            1 => ", and in one other place".to_owned(),
            count => format!(", and in {count} other places"),
        };
        let message = format!("{what} ({}{about}) {}{more}", first.secret.redacted, place(facts, &first.at));
        let found = sink.find(first.at, hash, message);
        found.also = rest.into_iter().map(|place| place.at).collect();
        found.severity = Some(first.severity);
        found.confidence = Some(first.confidence);
        found.secret = Some(first.secret);
    }
}

fn is_hidden(at: &Location) -> bool {
    matches!(at, Location::File { presence: Presence::Removed { .. } | Presence::Overwritten { .. }, .. })
}

/// A hit with what its file tells: whose it is, and what it is for.
fn of_hit(facts: &Facts, layer: LayerIndex, hit: &Hit) -> Place {
    let mut at = facts.at_entry(layer, hit.entry);
    let (mut severity, mut confidence) = (hit.severity, hit.confidence);
    let mut about: Vec<String> = Some(&hit.detail).filter(|detail| !detail.is_empty()).cloned().into_iter().collect();
    if let Location::File { path, line, column, inside, .. } = &mut at {
        inside.clone_from(&hit.inside);
        *line = (hit.line > 0).then_some(hit.line);
        *column = (hit.column > 0).then_some(hit.column);
        let key = hit.is_key_or_password();
        let origin = Some(Origin::of(facts, layer, hit.entry, &hit.secret.hash))
            .filter(|_| hit.public_in_packages)
            .unwrap_or_default();
        about.extend(origin.says);
        if let Some(most) = origin.most {
            (severity, confidence) = (severity.min(most), Confidence::Low);
        } else if hit.may_test_its_program() {
            (severity, confidence) = (severity.min(Severity::Low), Confidence::Low);
            about.push("inside a program, probably for its own tests".to_owned());
        } else if is_showcase(path) || hit.inside.iter().any(|member| is_showcase(&ImagePath::from(&**member))) {
            let most = if key { Severity::Low } else { lower(severity).max(Severity::Medium) };
            severity = severity.min(most);
            about.push("among tests or examples".to_owned());
        }
    }
    Place { at, severity, confidence, secret: hit.secret.clone(), about }
}

/// What it means for a secret that its file comes from a package: everybody can read what a package ships.
#[derive(Default)]
struct Origin {
    /// No worse than this.
    most: Option<Severity>,
    says: Option<String>,
}

impl Origin {
    fn of(facts: &Facts, layer: LayerIndex, entry: u32, secret: &str) -> Self {
        let at = facts.at_entry(layer, entry);
        let (most, says) = match facts.provenance(layer, entry, secret) {
            Provenance::Own => return Self::default(),
            Provenance::Shipped(name) => (Some(Severity::Info), format!("shipped by package {}", quote(name))),
            // What came first and gave way to another version was probably the package's, too.
            Provenance::Changed(name) if is_hidden(&at) && is_first(facts, layer, &at) => {
                (Some(Severity::Low), format!("in a file that package {} ships today with other content", quote(name)))
            }
            Provenance::Changed(name) => (None, format!("in a file of package {} that was changed", quote(name))),
            Provenance::Unknown(name) if is_first(facts, layer, &at) => {
                (Some(Severity::Low), format!("in a file of package {}, which gives no sum of it", quote(name)))
            }
            Provenance::NotCompared(name) => {
                (None, format!("in a file of package {}, not compared with its sum", quote(name)))
            }
            Provenance::Unknown(name) => (None, format!("in place of a file of package {}", quote(name))),
        };
        Self { most, says: Some(says) }
    }
}

/// Whether no layer below `layer` has a file there: a package's own file lies where it was installed first, and what
/// replaces it may be anybody's.
fn is_first(facts: &Facts, layer: LayerIndex, at: &Location) -> bool {
    let Location::File { path, .. } = at else { return false };
    facts.tree.first_layer(path).is_none_or(|first| first >= layer)
}

/// Whether `path` lies where tests, examples and documentation lie.
pub(super) fn is_showcase(path: &ImagePath) -> bool {
    let name = path.file_name();
    let folder = path.parent().is_some_and(|parent| {
        parent.components().any(|part| SHOWCASES.iter().any(|known| part.eq_ignore_ascii_case(known.as_bytes())))
    });
    let text = String::from_utf8_lossy(name).to_ascii_lowercase();
    let stem = text.split('.').next().unwrap_or_default();
    let host = ["example.com", "example.org", "example.net"].iter().any(|host| text.contains(host));
    let mut words = text.split(['.', '_', '-']).filter(|_| !host);
    folder
        || [".md", ".rst", ".adoc"].iter().any(|end| text.ends_with(end))
        // What has no more than a word is called so, and shows nothing: `/app/test`.
        || (text.contains(['.', '_', '-']) && words.any(|word| SHOWN.contains(&word)))
        || text.contains(".spec.")
        || DOCUMENTS.contains(&stem)
        || METADATA.contains(&name)
}

/// One step less, `low` at the least.
fn lower(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium | Severity::Low => Severity::Low,
        Severity::Info => Severity::Info,
    }
}

/// A place as part of a sentence.
pub(super) fn place(facts: &Facts, at: &Location) -> String {
    match at {
        Location::File { path, layer, presence, .. } => match presence {
            Presence::Visible => format!("in {}", shown(path)),
            Presence::Removed { by } if by == layer && path.as_bytes() == AFTER_THE_END.as_bytes() => {
                format!("behind the end of layer {layer}'s archive, where no container sees it")
            }
            Presence::Removed { by } if by == layer && path.file_name().starts_with(b".wh.") => {
                format!("in the body of the whiteout {} of layer {layer}, which no container sees", shown(path))
            }
            Presence::Removed { by } => {
                format!("in {}, which layer {by} deleted: it still ships in layer {layer}", shown(path))
            }
            Presence::Overwritten { by } => {
                format!("in {}, which layer {by} replaced: it still ships in layer {layer}", shown(path))
            }
        },
        Location::Config { pointer } => {
            let index = pointer.strip_prefix("/config/Env/").and_then(|index| index.parse::<usize>().ok());
            let entry = index.and_then(|index| facts.config.config.env.get(index));
            match entry.and_then(|entry| entry.split_once('=')) {
                Some((name, _)) => format!("in variable {}", quote(name)),
                None => format!("in the image config at {}", quote(pointer)),
            }
        }
        Location::History { step, .. } => format!("in step {step} of the build history"),
        Location::Annotation { key } => format!("in annotation {}", quote(key)),
        Location::Image => "in the image".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_tests_and_examples_lie() {
        for path in [
            "/usr/share/doc/x/examples/key.pem",
            "/go/src/tls/example_test.go",
            "/x/Tests/a",
            "/srv/README.md",
            "/a/b.spec.ts",
            "/a/testing_utils.py",
            "/a/settings.sample.py",
            "/a/.env.example",
            "/s/a-1.0.dist-info/METADATA",
            "/s/README",
        ] {
            assert!(is_showcase(&ImagePath::from(path)), "{path}");
        }
        for path in [
            "/app/latest/key.pem",
            "/etc/ssl/private/key.pem",
            "/test",
            "/app/contest.key",
            "/opt/docserver/a",
            "/app/tester.py",
            "/app/history_token",
            "/etc/metadata.json",
            "/etc/ssl/private/example.com.key",
        ] {
            assert!(!is_showcase(&ImagePath::from(path)), "{path}");
        }
    }

    #[test]
    fn what_nobody_deleted_is_not_said_to_be_deleted() {
        let of = |path: &str, by| {
            let at = Location::file(ImagePath::from(path), 1).with_presence(Presence::Removed { by });
            place(&Facts::default(), &at)
        };
        assert_eq!(of(AFTER_THE_END, 1), "behind the end of layer 1's archive, where no container sees it");
        assert_eq!(of("/d/.wh.x", 1), "in the body of the whiteout /d/.wh.x of layer 1, which no container sees");
        assert!(of("/d/x", 2).ends_with("which layer 2 deleted: it still ships in layer 1"));
    }

    #[test]
    fn one_secret_in_two_places_is_one_finding() {
        let secret = SecretInfo { kind: "github-token".into(), redacted: "ghp_…(40)".into(), hash: "00".into() };
        let told = |pointer: &str, severity| crate::facts::secrets::Told {
            at: Location::config(pointer),
            rule: "github-token".into(),
            secret: secret.clone(),
            severity,
            confidence: Confidence::High,
            detail: "checksum valid".into(),
            range: 0..0,
        };
        let told = vec![told("/author", Severity::Low), told("/config/Cmd/0", Severity::Critical)];
        let facts = Facts { told, ..Facts::default() };
        let mut sink = Sink::default();
        in_files(&facts, "github-token", "GitHub token in the image", &mut sink);
        let [found] = &sink.found[..] else { panic!("{:?}", sink.found) };
        assert_eq!(
            found.message,
            "GitHub token (ghp_…(40), checksum valid) in the image config at '/config/Cmd/0', and in one other place"
        );
        assert_eq!((found.severity, &found.also[..]), (Some(Severity::Critical), &[Location::config("/author")][..]));
    }
}
