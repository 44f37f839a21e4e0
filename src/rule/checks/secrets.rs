//! Credentials: the content scan's hits told as findings, and those in variables, commands and history. Which files are
//! suspicious by their names stands in `secrets/sensitive.rs`.

mod sensitive;

pub use sensitive::{has_sensitive_name, sensitive_file};

use super::config::{has_password, is_proxy};
use super::quote::{quote, shown};
use crate::facts::secrets::{
    Credential, credential_info, credentials, is_placeholder, is_secret_name, is_secret_value,
};
use crate::facts::{Facts, Hit};
use crate::image::{InstructionKind, Way};
use crate::model::{Confidence, ImagePath, LayerIndex, Location, Presence, SecretInfo, Severity};
use crate::rule::{Params, Sink};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

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
    "mock",
    "mocks",
];

/// The key of a certificate that nobody vouches for and nobody trusts, made wherever the package is installed.
const SNAKEOIL: &[u8] = b"/etc/ssl/private/ssl-cert-snakeoil.key";

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
            secrets.entry(hit.secret.hash.clone()).or_default().push(of_hit(facts, index, hit));
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
        // Keys of tests and examples lie in clean images by the dozen; tokens do not, whoever ships them.
        let key = matches!(&*hit.rule, "private-key" | "gcp-service-account");
        let owner = facts.packages.owner(path).or_else(|| facts.packages.owner(&source_of(path)?));
        let owner = owner.filter(|_| key && is_first(facts, layer, path));
        if let Some(package) = owner {
            (severity, confidence) = (Severity::Info, Confidence::Low);
            about.push(format!("shipped by package {}", quote(&package.name)));
        } else if key && path.as_bytes() == SNAKEOIL {
            severity = severity.min(Severity::Low);
            about.push("the stand-in that Debian's package 'ssl-cert' makes".to_owned());
        } else if key && hit.program {
            (severity, confidence) = (severity.min(Severity::Low), Confidence::Low);
            about.push("inside a program, probably for its own tests".to_owned());
        } else if is_showcase(path) || hit.inside.iter().any(|member| is_showcase(&ImagePath::from(&**member))) {
            severity = if key { severity.min(Severity::Low) } else { lower(severity) };
            about.push("among tests or examples".to_owned());
        }
    }
    Place { at, severity, confidence, secret: hit.secret.clone(), about }
}

/// The Python source that the file at `path` was compiled from: packages own the source, their scripts compile it.
fn source_of(path: &ImagePath) -> Option<ImagePath> {
    let cache = path.parent().filter(|folder| folder.file_name() == b"__pycache__")?;
    let module = path.file_name().strip_suffix(b".pyc")?.split(|&byte| byte == b'.').next()?;
    Some(cache.parent()?.join(&[module, b".py"].concat()))
}

/// Whether no layer below `layer` has a file at `path`: a package's own file lies where it was installed first, and
/// what replaces it may be anybody's.
fn is_first(facts: &Facts, layer: LayerIndex, path: &ImagePath) -> bool {
    let name = path.file_name();
    let below = facts.layers.iter().take(layer as usize).flat_map(|facts| facts.entries.iter());
    !below.filter(|record| record.name.ends_with(name)).any(|record| record.path() == *path)
}

/// Whether `path` lies where tests, examples and documentation lie.
pub(super) fn is_showcase(path: &ImagePath) -> bool {
    let name = path.file_name();
    let folder = path.parent().is_some_and(|parent| {
        parent.components().any(|part| SHOWCASES.iter().any(|known| part.eq_ignore_ascii_case(known.as_bytes())))
    });
    let text = String::from_utf8_lossy(name);
    let stem = text.split('.').next().unwrap_or_default();
    folder
        || [".md", ".rst", ".adoc"].iter().any(|end| text.ends_with(end))
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || text.contains(".test.")
        || text.contains(".spec.")
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

/// A variable of the config holds a credential.
pub fn secret_in_env(facts: &Facts, _: &Params, sink: &mut Sink) {
    let (steps, typed) = (given(facts), Typed::of(facts));
    for (index, entry) in facts.config.config.env.iter().enumerate() {
        let Some((name, value)) = entry.split_once('=') else { continue };
        let at = Location::config(format!("/config/Env/{index}"));
        let before = entry.len() - value.len();
        if is_secret_name(name) && is_secret_value(name, value) {
            if typed.tells(&at, &(before..entry.len())) {
                continue;
            }
            let message = format!(
                "variable {} holds a credential ({}): whoever pulls the image reads it",
                quote(name),
                credential_info(value).redacted
            );
            let also = steps.get(&(name, value)).cloned().unwrap_or_default();
            say(sink, at, name, message, value).also = also;
            continue;
        }
        // A proxy's password is what dangerous-env tells.
        if is_proxy(name) && has_password(value) {
            continue;
        }
        for found in credentials(value) {
            let secret = &value[found.range()];
            if typed.tells(&at, &(before + found.at.0..before + found.at.1)) {
                continue;
            }
            let message = format!(
                "variable {} holds a credential for {} ({}): whoever pulls the image reads it",
                quote(name),
                quote(&found.name),
                credential_info(secret).redacted
            );
            say(sink, at.clone(), name, message, secret);
        }
    }
}

/// What the build's steps give to variables of the config, and where.
fn given(facts: &Facts) -> HashMap<(&str, &str), Vec<Location>> {
    let env = variables(facts);
    let mut given: HashMap<(&str, &str), Vec<Location>> = HashMap::new();
    for (step, credentials) in facts.history.steps.iter().zip(&facts.credentials) {
        let text = &*step.entry.created_by;
        for found in credentials {
            if let Some((name, _)) = env.get_key_value(found.name.as_str()) {
                given.entry((*name, &text[found.range()])).or_default().push(step.location_at(found.at.0));
            }
        }
    }
    given
}

/// The variables of the config with their last values, which count.
fn variables(facts: &Facts) -> HashMap<&str, &str> {
    facts.config.config.env.iter().filter_map(|entry| entry.split_once('=')).collect()
}

/// Where in texts typed secrets stand that rules of their own tell of: one secret, one finding.
struct Typed<'a>(HashMap<&'a Location, Vec<&'a Range<usize>>>);

impl<'a> Typed<'a> {
    fn of(facts: &'a Facts) -> Self {
        let mut places: HashMap<&Location, Vec<&Range<usize>>> = HashMap::new();
        for told in facts.told.iter().filter(|told| !told.range.is_empty()) {
            places.entry(&told.at).or_default().push(&told.range);
        }
        Self(places)
    }

    /// Whether little but typed secrets stands in `range` of the text at `at`.
    fn tells(&self, at: &Location, range: &Range<usize>) -> bool {
        // Those of one text come in order and apart.
        let Some(ranges) = self.0.get(at) else { return false };
        let first = ranges.partition_point(|typed| typed.end <= range.start);
        let inside = ranges[first..].iter().take_while(|typed| typed.start < range.end);
        let covered: usize = inside.map(|typed| typed.end.min(range.end) - typed.start.max(range.start)).sum();
        covered > 0 && range.len() - covered < REST
    }
}

/// Bytes beside a typed secret that are no secret of their own.
const REST: usize = 8;

/// The history shows a credential: an ENV, a build argument, a command's option, a header, a URL.
pub fn secret_in_history(facts: &Facts, _: &Params, sink: &mut Sink) {
    let (variables, typed) = (variables(facts), Typed::of(facts));
    let mut places: BTreeMap<(&str, &str), Vec<Location>> = BTreeMap::new();
    let comments =
        facts.history.steps.iter().map(|step| credentials(step.entry.comment.as_deref().unwrap_or_default()));
    let comments: Vec<Vec<Credential>> = comments.collect();
    for ((step, in_text), in_comment) in facts.history.steps.iter().zip(&facts.credentials).zip(&comments) {
        let env = step.instruction.kind == InstructionKind::Env;
        let here = step.location();
        // A comment stands at its step, without a place of its own.
        let comment = (step.entry.comment.as_deref().unwrap_or_default(), in_comment, false);
        for (text, credentials, told) in [(&*step.entry.created_by, in_text, true), comment] {
            for found in credentials {
                let value = &text[found.range()];
                // What the config still holds is told there, a typed secret by its own rule.
                if env && variables.get(found.name.as_str()) == Some(&value)
                    || told && typed.tells(&here, &found.range())
                {
                    continue;
                }
                let at = step.location_at(if told { found.at.0 } else { 0 });
                let places = places.entry((&found.name, value)).or_default();
                if places.last() != Some(&at) {
                    places.push(at);
                }
            }
        }
    }
    for ((name, value), mut at) in places {
        let also = at.split_off(1);
        let Some(first) = at.pop() else { continue };
        let message = format!(
            "the build history shows a credential for {} ({}): it ships with the image, and deleting files does not help",
            quote(name),
            credential_info(value).redacted
        );
        say(sink, first, name, message, value).also = also;
    }
}

/// The command, the health check, a label, an annotation or another text of the metadata holds a credential.
pub fn secret_in_command(facts: &Facts, _: &Params, sink: &mut Sink) {
    let container = &facts.config.config;
    let empty = Vec::new();
    let lists = [
        ("Entrypoint", container.entrypoint.as_ref().unwrap_or(&empty)),
        ("Cmd", container.cmd.as_ref().unwrap_or(&empty)),
        ("Healthcheck/Test", container.healthcheck.as_ref().map_or(&empty, |check| &check.test)),
        ("OnBuild", &container.on_build),
    ];
    let mut teller = Teller { typed: Typed::of(facts), told: HashSet::new(), sink };
    for (name, words) in lists {
        // An option and its value may be two words; which one holds the value is found again by its place.
        let line = words.join(" ");
        let ends = words.iter().scan(0, |end, word| {
            *end += word.len() + 1;
            Some(*end)
        });
        let ends: Vec<usize> = ends.collect();
        for found in credentials(&line) {
            let index = ends.partition_point(|end| *end <= found.at.0);
            let begin = index.checked_sub(1).map_or(0, |before| ends[before]);
            teller.tell(Location::config(format!("/config/{name}/{index}")), "image config", &line, &found, begin);
        }
    }
    for (key, value) in &container.labels {
        let at = Location::config(format!("/config/Labels/{}", key.replace('~', "~0").replace('/', "~1")));
        teller.pair("image config", &at, Some(key), value);
    }
    for (key, value) in &facts.annotations {
        let at = Location::Annotation { key: key.clone() };
        teller.pair("annotations", &at, Some(key), value);
        teller.pair("annotations", &at, None, key);
    }
    // What the rest of the document repeats of the variables and the history is told there.
    let mut known: HashSet<&str> = HashSet::new();
    for (step, credentials) in facts.history.steps.iter().zip(&facts.credentials) {
        known.extend(credentials.iter().map(|found| &step.entry.created_by[found.range()]));
    }
    for text in &container.env {
        known.extend(credentials(text).iter().map(|found| &text[found.range()]));
        known.extend(text.split_once('=').map(|(_, value)| value));
    }
    facts.config.document.texts(|text| {
        let elsewhere = [&["config", "Env"][..], &["config", "Entrypoint"], &["config", "Cmd"], &["config", "OnBuild"]]
            .into_iter()
            .chain([&["config", "Healthcheck", "Test"][..], &["history"]])
            .any(|keys| text.is_in(keys));
        let name = match text.way.last() {
            Some(Way::Key(name)) if !text.is_key => Some(*name),
            _ => None,
        };
        if elsewhere || known.contains(text.text) {
            return;
        }
        if has_credential(name, text.text)
            && !credentials(text.text).iter().any(|found| known.contains(&text.text[found.range()]))
        {
            teller.pair("image config", &Location::config(text.pointer()), name, text.text);
        }
    });
}

fn has_credential(name: Option<&str>, text: &str) -> bool {
    name.is_some_and(|name| is_secret_name(name) && is_secret_value(name, text)) || !credentials(text).is_empty()
}

/// Tells the credentials of texts, none of them twice for one place.
struct Teller<'a, 'b> {
    typed: Typed<'a>,
    /// Place, name and value.
    told: HashSet<(Location, String, String)>,
    sink: &'b mut Sink,
}

impl Teller<'_, '_> {
    /// The credentials of `text`, or the whole of it when it is the value of a name that promises one.
    fn pair(&mut self, what: &str, at: &Location, name: Option<&str>, text: &str) {
        if let Some(name) = name.filter(|name| is_secret_name(name) && is_secret_value(name, text)) {
            let whole = Credential { at: (0, text.len()), name: name.to_owned() };
            self.tell(at.clone(), what, text, &whole, 0);
            return;
        }
        for found in credentials(text) {
            self.tell(at.clone(), what, text, &found, 0);
        }
    }

    /// One credential of `text`, of which the text at `at` begins at byte `begin`.
    fn tell(&mut self, at: Location, what: &str, text: &str, found: &Credential, begin: usize) {
        let value = &text[found.range()];
        let range = found.at.0.saturating_sub(begin)..found.at.1.saturating_sub(begin);
        if self.typed.tells(&at, &range) || !self.told.insert((at.clone(), found.name.clone(), value.to_owned())) {
            return;
        }
        let message =
            format!("the {what} shows a credential for {} ({})", quote(&found.name), credential_info(value).redacted);
        let message = if what == "annotations" { message.replacen("shows", "show", 1) } else { message };
        say(self.sink, at, &found.name, message, value);
    }
}

/// A finding about a credential; what stands for nothing in particular is low.
fn say<'a>(sink: &'a mut Sink, at: Location, name: &str, message: String, value: &str) -> &'a mut crate::rule::Found {
    let found = sink.find(at, name, message);
    found.secret = Some(credential_info(value));
    if is_placeholder(value) {
        found.severity = Some(Severity::Low);
        found.confidence = Some(Confidence::Low);
    }
    found
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
        ] {
            assert!(is_showcase(&ImagePath::from(path)), "{path}");
        }
        for path in ["/app/latest/key.pem", "/etc/ssl/private/key.pem", "/test", "/app/contest.key", "/opt/docserver/a"]
        {
            assert!(!is_showcase(&ImagePath::from(path)), "{path}");
        }
    }

    #[test]
    fn compiled_python_belongs_to_its_source() {
        let of = |path: &str| source_of(&ImagePath::from(path)).map(|source| source.display().into_owned());
        assert_eq!(of("/a/__pycache__/keys.cpython-311.opt-1.pyc").as_deref(), Some("/a/keys.py"));
        assert_eq!(of("/a/__pycache__/keys.pem"), None);
        assert_eq!(of("/a/keys.cpython-311.pyc"), None);
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
