//! The config's history, aligned with the layers when it can be.

use super::{HistoryEntry, ImageConfig, Instruction};
use crate::model::{LayerIndex, Location, StepText};
use std::sync::Arc;

/// The history with, for every step, its instruction and its layer.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In order.
    pub steps: Vec<Step>,
    /// Whether the non-empty steps are as many as the layers; when not, no step knows its layer.
    pub aligned: bool,
    /// Whether the history is so long (2 MiB of text or 100,000 commands) that steps further on are read in outline:
    /// kind and text alone.
    pub cut: bool,
}

/// Bytes of `created_by` that are read in full, of all steps together. Words cost many times their text.
const FULL_BYTES: usize = 2 << 20;

/// Commands of all steps together, after which the rest is read in outline.
const FULL_COMMANDS: usize = 100_000;

/// One entry of the history.
#[derive(Clone, Debug)]
pub struct Step {
    /// Counts from 0 in `history`.
    pub index: u32,
    /// The layer it made.
    pub layer: Option<LayerIndex>,
    /// As written.
    pub entry: HistoryEntry,
    /// What `created_by` says.
    pub instruction: Instruction,
}

impl History {
    /// Reads the history of a config whose image has `layers` layers.
    #[must_use]
    pub fn read(config: &ImageConfig, layers: usize) -> Self {
        let filled = config.history.iter().filter(|entry| !entry.empty_layer).count();
        let aligned = filled == layers;
        let mut next: LayerIndex = 0;
        let (mut bytes, mut commands) = (0, 0);
        let mut cut = false;
        let steps = config
            .history
            .iter()
            .zip(0u32..)
            .map(|(entry, index)| {
                let layer = (aligned && !entry.empty_layer).then(|| {
                    next += 1;
                    next - 1
                });
                bytes += entry.created_by.len();
                cut |= bytes > FULL_BYTES || commands > FULL_COMMANDS;
                let read = if cut { Instruction::outline } else { Instruction::read };
                let instruction = read(&entry.created_by);
                commands += instruction.commands.len();
                Step { index, layer, entry: entry.clone(), instruction }
            })
            .collect();
        Self { steps, aligned, cut }
    }

    /// The step that made `layer`.
    #[must_use]
    pub fn of_layer(&self, layer: LayerIndex) -> Option<&Step> {
        self.steps.iter().find(|step| step.layer == Some(layer))
    }
}

impl Step {
    /// Where this step stands.
    #[must_use]
    pub fn location(&self) -> Location {
        self.location_at(0)
    }

    /// Where byte `place` of `created_by` stands.
    #[must_use]
    pub fn location_at(&self, place: usize) -> Location {
        let created_by = StepText::from(Arc::clone(&self.entry.created_by)).at(place);
        Location::History { step: self.index, layer: self.layer, created_by }
    }

    /// Where `words` first stands in `created_by`, or this step when it does not.
    #[must_use]
    pub fn location_of(&self, words: &str) -> Location {
        self.location_at(self.entry.created_by.find(words).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    fn history(entries: &str, layers: usize) -> History {
        let text = format!("{{\"history\":{entries}}}");
        History::read(&ImageConfig::parse(text.as_bytes(), &Limits::default()).unwrap(), layers)
    }

    fn layers(history: &History) -> Vec<Option<LayerIndex>> {
        history.steps.iter().map(|step| step.layer).collect()
    }

    #[test]
    fn filled_steps_are_layers() {
        let read = history(r#"[{"created_by":"a"},{"empty_layer":true},{"created_by":"b"}]"#, 2);
        assert!(read.aligned);
        assert_eq!(layers(&read), [Some(0), None, Some(1)]);
        assert_eq!(read.of_layer(1).map(|step| step.index), Some(2));
        assert!(read.of_layer(2).is_none());
    }

    #[test]
    fn a_history_that_does_not_fit_knows_no_layers() {
        for (entries, layers_of_image) in [
            ("null", 2),
            ("[]", 2),
            (r#"[{"created_by":"a"}]"#, 2),
            ("[{},{},{}]", 2),
            (r#"[{"empty_layer":true}]"#, 2),
            ("[{}]", 0),
        ] {
            let read = history(entries, layers_of_image);
            assert!(!read.aligned, "{entries}");
            assert!(layers(&read).iter().all(Option::is_none), "{entries}");
            assert!(read.of_layer(0).is_none());
        }
        assert!(history("null", 0).aligned);
    }

    #[test]
    fn a_huge_history_is_read_in_outline() {
        let step = format!(r#"{{"created_by":"RUN /bin/sh -c {}"}}"#, "a;".repeat(9_000));
        let read = history(&format!("[{}]", vec![step; 20].join(",")), 20);
        assert!(read.cut);
        assert_eq!(read.steps[0].instruction.commands.len(), 9_000);
        assert!(read.steps[19].instruction.commands.is_empty());
        assert_eq!(read.steps[19].instruction.kind, crate::image::InstructionKind::Run);
        assert!(!history("[{},{}]", 2).cut);
    }
}
