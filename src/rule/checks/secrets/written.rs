//! Credentials that somebody wrote into the image's metadata: its variables, its history, its commands and labels.

use crate::facts::secrets::{
    Credential, credential_info, credentials, is_placeholder, is_secret_name, is_secret_value,
};
use crate::facts::{Facts, InstructionKind, Way};
use crate::model::{Confidence, Location, Severity};
use crate::rule::checks::config::{has_password, is_proxy};
use crate::rule::checks::quote::quote;
use crate::rule::{Params, Sink};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

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

/// The words as one line that a shell reads as they are, byte for byte as long: what a shell would take for more than a
/// letter is only a letter in a word of an exec form. A word with blanks may be a script.
fn as_shell(words: &[String]) -> String {
    let plain = |word: &String| {
        let is_script = word.contains(|c: char| c.is_ascii_whitespace());
        if is_script { word.clone() } else { word.replace(['<', '>', '#', '|', '&', ';', '(', ')', '`'], "_") }
    };
    words.iter().map(plain).collect::<Vec<_>>().join(" ")
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
        for found in credentials(&as_shell(words)) {
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
