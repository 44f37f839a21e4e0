//! Credentials in the files that clients, servers and frameworks keep them in: one finding a secret, with all its places.
//! What the files hold is a fact; grading by where they lie and joining is done here.

use super::super::quote::quote;
use super::{Origin, is_showcase, lower, place};
use crate::facts::secrets::{ConfigFile, Configured, Form, GENERIC};
use crate::facts::{Facts, Hit};
use crate::model::{Confidence, LayerIndex, Location, Presence, SecretInfo, Severity};
use crate::rule::{Params, Sink};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A configuration file holds a credential that opens something as it stands there.
pub fn secret_in_config_file(facts: &Facts, _: &Params, sink: &mut Sink) {
    tell(facts, |form| form != Form::Hash, sink);
}

/// A file holds the hash of a password.
pub fn password_hash_in_file(facts: &Facts, _: &Params, sink: &mut Sink) {
    tell(facts, |form| form == Form::Hash, sink);
}

/// What is known of what the file at entry `entry` of `layer` says, when it is one that keeps credentials.
pub(super) fn of_entry(facts: &Facts, layer: LayerIndex, entry: u32) -> Option<&ConfigFile> {
    let configs = facts.configs.get(layer as usize)?;
    configs.binary_search_by_key(&entry, |config| config.entry).ok().and_then(|at| configs.get(at))
}

/// What the table calls the keys of AWS, of which a rule of its own tells both halves.
const AWS: &str = "a key of AWS";

/// A place of a credential, graded.
struct Place<'a> {
    at: Location,
    severity: Severity,
    found: &'a Configured,
    about: String,
}

fn tell(facts: &Facts, wanted: impl Fn(Form) -> bool, sink: &mut Sink) {
    let mut secrets: BTreeMap<&str, Vec<Place<'_>>> = BTreeMap::new();
    for (configs, index) in facts.configs.iter().zip(0..) {
        for config in configs {
            for found in config.secrets.iter().filter(|found| wanted(found.form)) {
                if !is_typed(facts, index, config.entry, found) {
                    secrets.entry(&found.secret.hash).or_default().push(graded(facts, index, config.entry, found));
                }
            }
        }
    }
    for (hash, mut places) in secrets {
        let rank = |place: &Place<'_>| (Reverse(place.severity), is_hidden(&place.at));
        places.sort_by(|a, b| (rank(a), &a.at).cmp(&(rank(b), &b.at)));
        places.dedup_by(|a, b| a.at == b.at);
        let rest = places.split_off(1);
        let Some(first) = places.pop() else { continue };
        let more = match rest.len() {
            0 => String::new(),
            1 => ", and in one other place".to_owned(),
            count => format!(", and in {count} other places"),
        };
        let Place { at, severity, found, about } = first;
        let SecretInfo { redacted, .. } = &found.secret;
        // Where the whole file is the credential, there is none.
        let key = if found.key.is_empty() { String::new() } else { format!(" under {}", quote(&found.key)) };
        let message = format!("{} ({redacted}{about}){key} {}{more}", found.what, place(facts, &at));
        let told = sink.find(at, hash, message);
        told.also = rest.into_iter().map(|place| place.at).collect();
        told.severity = Some(severity);
        told.confidence = Some(found.confidence);
        told.secret = Some(found.secret.clone());
    }
}

fn is_hidden(at: &Location) -> bool {
    matches!(at, Location::File { presence: Presence::Removed { .. } | Presence::Overwritten { .. }, .. })
}

/// Whether a reader of configuration files tells what `hit`, a credential without a type, tells.
pub(super) fn holds(facts: &Facts, layer: LayerIndex, hit: &Hit) -> bool {
    let same = |found: &Configured| {
        let begins = usize::try_from(hit.offset).is_ok_and(|offset| found.at.contains(&offset));
        found.secret.hash == hit.secret.hash || begins
    };
    of_entry(facts, layer, hit.entry).is_some_and(|config| config.secrets.iter().any(same))
}

/// Whether a rule about a type of secret tells the same bytes.
fn is_typed(facts: &Facts, layer: LayerIndex, entry: u32, found: &Configured) -> bool {
    let Some(layer) = facts.layers.get(layer as usize) else { return false };
    let first = layer.hits.partition_point(|hit| hit.entry < entry);
    let mut hits = layer.hits.iter().skip(first).take_while(|hit| hit.entry == entry);
    hits.any(|hit| {
        if hit.rule == GENERIC {
            return false;
        }
        let begins = usize::try_from(hit.offset).is_ok_and(|offset| found.at.contains(&offset));
        // The second half of a pair.
        let beside = hit.detail.contains("beside it") && hit.line.abs_diff(found.line) <= 2;
        hit.secret.hash == found.secret.hash || begins || beside && found.what == AWS
    })
}

fn graded<'a>(facts: &Facts, layer: LayerIndex, entry: u32, found: &'a Configured) -> Place<'a> {
    let mut at = facts.at_entry(layer, entry);
    let mut severity = found.severity;
    let about = match found.form {
        Form::Clear | Form::Hash => "",
        Form::Obscured => ", hidden in a way that everybody can undo",
        Form::Encrypted => ", encrypted with a key that lies elsewhere",
    };
    let mut about = about.to_owned();
    if let Location::File { path, line, column, .. } = &mut at {
        *line = Some(found.line);
        *column = Some(found.column);
        if is_showcase(path) {
            severity = lower(severity);
            ", among tests or examples".clone_into(&mut about);
        }
        if found.confidence != Confidence::High && crate::rule::checks::shipped::is_in_library(path) {
            severity = severity.min(Severity::Low);
        }
    }
    let origin = Origin::of(facts, layer, entry, &found.secret.hash);
    if let Some(says) = origin.says {
        about = format!("{about}, {says}");
    }
    severity = origin.most.map_or(severity, |most| severity.min(most));
    Place { at, severity, found, about }
}
