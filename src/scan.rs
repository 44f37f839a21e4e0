//! Joins source, facts and rules: reads an opened image once and says what was found. Knows no configuration.

mod clean;
mod compare;
mod hash;
mod layers;
mod sha256;
mod stream;
mod unpack;

pub use layers::{diff_ids_checked, read_layers};
pub use stream::Reading;

use crate::facts::secrets::{Patterns, Redactor};
use crate::facts::{Described, Facts};
use crate::model::{Gap, LayerIndex, Limits, Location, Outcome, RuleInfo};
use crate::rule::{ExampleImage, RuleSet};
use crate::source::{Image, MemorySource, Source};
use std::sync::atomic::AtomicU64;

/// What is known of an image after a scan.
#[derive(Debug)]
pub struct Scan<'a> {
    /// Its facts, secrets and all: what leaves them for a reader passes the redactor.
    pub facts: Facts,
    /// What was found, sorted; secrets masked, long texts cut.
    pub outcome: Outcome,
    /// Masks the image's secrets in any text.
    pub redactor: Redactor<'a>,
}

/// Reads every layer of `source` once, runs the `rules` that are `wanted`, and sorts what they say.
#[must_use]
pub fn scan<'a>(
    source: &dyn Source,
    rules: &RuleSet,
    wanted: &(dyn Fn(&RuleInfo) -> bool + Sync),
    reading: Reading<'a>,
) -> Scan<'a> {
    let (facts, mut outcome) = gather(source, reading);
    if !reading.content {
        let reason = "file contents were not searched for secrets (--no-content)".to_owned();
        outcome.gaps.push(Gap { at: Location::Image, reason });
    }
    let (findings, gaps) = rules.run(&facts, wanted, reading.limits);
    outcome.findings = findings;
    outcome.gaps.extend(gaps);
    let redactor = Redactor::of_image(&facts.config, &facts.annotations, reading.patterns);
    clean::clean(&mut outcome, &redactor);
    outcome.sort();
    Scan { facts, outcome, redactor }
}

/// The facts of an image, and what reading it could not see or found odd.
#[must_use]
pub fn gather(source: &dyn Source, reading: Reading<'_>) -> (Facts, Outcome) {
    let image = source.image();
    let layers = read_layers(source, reading);
    let described = Described {
        names: image.names.clone(),
        platform: image.platform.clone(),
        config: image.config.clone(),
        annotations: image.annotations.clone(),
    };
    let (mut facts, notes) = Facts::assemble(described, layers, reading.patterns, reading.limits);
    compare::sum_the_rest(&mut facts, source, reading);
    let mut outcome = Outcome::default();
    say_of_source(image, &mut outcome);
    for (index, layer) in (0..).zip(&facts.layers) {
        for (entry, reason) in &layer.gaps {
            let gap = match entry {
                Some(entry) => Gap { at: facts.at_entry(index, *entry), reason: reason.clone() },
                None => of_layer(image, &facts, index, reason),
            };
            outcome.gaps.push(gap);
        }
        let remark = |(entry, note): &(u32, String)| Gap { at: facts.at_entry(index, *entry), reason: note.clone() };
        outcome.notes.extend(layer.remarks.iter().map(remark));
        outcome.notes.extend(layer.notes.iter().map(|note| of_layer(image, &facts, index, note)));
    }
    if facts.history.cut {
        let reason = "the history is too long: its later steps were read by their first word only".to_owned();
        outcome.gaps.push(Gap { at: Location::Image, reason });
    }
    outcome.notes.extend(notes.iter().map(|(index, note)| of_layer(image, &facts, *index, note)));
    outcome.gaps.extend(facts.gaps.iter().map(|(at, reason)| Gap { at: at.clone(), reason: reason.clone() }));
    outcome.sort();
    (facts, outcome)
}

/// The facts of a rule's example, read as any other image is.
pub fn look_at_example(example: &ExampleImage, patterns: &Patterns) -> Result<Facts, String> {
    let limits = Limits::default();
    let layers = example.layer_tars()?;
    let config = example.config_json(&layers);
    let annotations = example.annotations.clone().into_iter().collect();
    let source = MemorySource::new("example", example.names.clone(), annotations, &config, layers, &limits)?;
    let progress = AtomicU64::new(0);
    let reading =
        Reading { limits: &limits, threads: 1, patterns, content: true, hash_files: false, progress: &progress };
    Ok(gather(&source, reading).0)
}

fn say_of_source(image: &Image, outcome: &mut Outcome) {
    let at_image = |reason: &String| Gap { at: Location::Image, reason: reason.clone() };
    outcome.gaps.extend(image.gaps.iter().map(at_image));
    outcome.notes.extend(image.notes.iter().map(at_image));
    outcome.notes.extend(
        image.config.notes.iter().map(|(pointer, note)| Gap { at: Location::config(pointer), reason: note.clone() }),
    );
}

/// A sentence about a layer as a whole, at the history step that made it where that is known.
fn of_layer(image: &Image, facts: &Facts, index: LayerIndex, reason: &str) -> Gap {
    let name = image.layers.get(index as usize).and_then(|layer| layer.digest.as_ref().or(layer.diff_id.as_ref()));
    let reason = match name {
        Some(digest) => format!("layer {index} ({digest}): {reason}"),
        None => format!("layer {index}: {reason}"),
    };
    Gap { at: facts.history.of_layer(index).map_or(Location::Image, crate::image::Step::location), reason }
}
