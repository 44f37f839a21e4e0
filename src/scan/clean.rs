//! The last look at what a scan says before anybody reads it: secrets masked in every text, long texts cut. One place for
//! all rules, so that none has to remember it. Judges nothing.

use crate::facts::secrets::{Masked, Redactor};
use crate::model::{Finding, Gap, ImagePath, Location, Outcome, STEP_TEXT, SecretInfo, StepText, cut_middle, push_hex};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Bytes of a message.
const MESSAGE: usize = 2000;

/// Bytes of one argument in a message: what has no blank in it.
const WORD: usize = 300;

/// Bytes of a pointer, a key or a target. Part of fingerprints: a change makes every long target a new one.
const NAME: usize = 1000;

/// Bytes of a path (`PATH_MAX` of Linux).
const PATH: usize = 4096;

/// Bytes of build steps that all places together show at some length; then each shows [`SHORT`].
const STEPS: usize = 16 << 20;

/// Bytes of a build step among a finding's other places.
const SHORT: usize = 256;

/// Masks and cuts every text of `outcome`.
pub(super) fn clean(outcome: &mut Outcome, redactor: &Redactor<'_>) {
    let mut cleaner = Cleaner { redactor, steps: BTreeMap::new(), shown: 0 };
    let Outcome { findings, gaps, notes } = outcome;
    for finding in findings {
        // Named one by one, so that a new text has to be thought of here.
        let Finding { rule: _, severity: _, confidence: _, message, at, also, origin: _, target, secret } = finding;
        cleaner.location(at, STEP_TEXT);
        for at in also {
            cleaner.location(at, SHORT);
        }
        *message = cleaner.sentence(message);
        *target = cleaner.target(target);
        if let Some(SecretInfo { kind: _, redacted: _, hash: _ }) = secret {
            // Made to be shown.
        }
    }
    for Gap { at, reason } in gaps.iter_mut().chain(notes) {
        cleaner.location(at, SHORT);
        *reason = cleaner.sentence(reason);
    }
}

struct Cleaner<'a> {
    redactor: &'a Redactor<'a>,
    /// Steps that were masked already.
    steps: BTreeMap<u32, (Masked, StepText)>,
    /// Bytes of steps that are shown so far.
    shown: usize,
}

impl Cleaner<'_> {
    fn location(&mut self, at: &mut Location, most: usize) {
        match at {
            Location::Image => {}
            Location::Config { pointer } => *pointer = self.name(pointer),
            Location::Annotation { key } => *key = self.name(key),
            Location::File { path, layer: _, presence: _, line: _, column: _, inside } => {
                let clean = self.redactor.redact_bytes(path.as_bytes());
                if clean != path.as_bytes() || clean.len() > PATH {
                    let text = ImagePath::clamp(&clean).display().into_owned();
                    *path = ImagePath::clamp(cut_middle(&text, PATH).as_bytes());
                }
                for member in inside {
                    *member = self.name(member);
                }
            }
            Location::History { step, layer: _, created_by } => {
                let (masked, whole) = self.steps.entry(*step).or_insert_with(|| {
                    let masked = self.redactor.masked(created_by.as_str());
                    let whole = StepText::from(masked.text.as_str());
                    (masked, whole)
                });
                let most = if self.shown < STEPS { most } else { SHORT };
                *created_by = whole.clone().at(masked.place(created_by.place())).excerpt(most);
                self.shown += created_by.as_str().len();
            }
        }
    }

    fn name(&self, name: &str) -> String {
        cut_middle(&self.redactor.redact_name(name), NAME).into_owned()
    }

    /// A message or reason: its long words cut, then the whole.
    fn sentence(&self, text: &str) -> String {
        let clean = self.redactor.redact(text);
        if clean.len() <= WORD {
            return clean;
        }
        let words: Vec<_> = clean.split(' ').map(|word| cut_middle(word, WORD)).collect();
        cut_middle(&words.join(" "), MESSAGE).into_owned()
    }

    /// A target that is masked or cut says so with a hash of what it was: two different ones stay two.
    fn target(&self, target: &str) -> String {
        let clean = self.name(target);
        if clean == target {
            return clean;
        }
        let mut out = format!("{clean}#");
        push_hex(&mut out, &Sha256::digest(target)[..8]);
        out
    }
}
