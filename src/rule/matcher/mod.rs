//! The `[match]` table of a rule's head: conditions on files, config, history and packages, so that a simple rule needs
//! no code. `docs/rule-format.md` is its reference. Each table that is present looks for itself.

mod config;
mod file;
mod history;
mod package;
mod words;

pub(super) use config::{ConfigMatch, EnvMatch, LabelMatch, PortMatch};
pub(super) use file::FileMatch;
pub(super) use history::HistoryMatch;
pub(super) use package::PackageMatch;
pub(super) use words::Words;

use super::Sink;
use crate::facts::Facts;

/// The tables of one rule.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    pub(super) file: Option<FileMatch>,
    pub(super) config: Option<ConfigMatch>,
    pub(super) label: Option<LabelMatch>,
    pub(super) env: Option<EnvMatch>,
    pub(super) port: Option<PortMatch>,
    pub(super) history: Option<HistoryMatch>,
    pub(super) package: Option<PackageMatch>,
}

impl Matcher {
    /// Says what every table finds. The files of the image are walked once at most.
    pub fn run(&self, facts: &Facts, sink: &mut Sink) {
        if let Some(file) = &self.file {
            file.run(facts, sink);
        }
        if let Some(config) = &self.config {
            config.run(facts, sink);
        }
        if let Some(label) = &self.label {
            label.run(facts, sink);
        }
        if let Some(env) = &self.env {
            env.run(facts, sink);
        }
        if let Some(port) = &self.port {
            port.run(facts, sink);
        }
        if let Some(history) = &self.history {
            history.run(facts, sink);
        }
        if let Some(package) = &self.package {
            package.run(facts, sink);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(
            self,
            Self { file: None, config: None, label: None, env: None, port: None, history: None, package: None }
        )
    }

    /// What the types of the tables cannot say: conditions that are missing or contradict, names that a message may use.
    pub(super) fn validate(&self) -> Result<(), String> {
        let answers = [
            ("file", self.file.as_ref().map(FileMatch::validate)),
            ("config", self.config.as_ref().map(ConfigMatch::validate)),
            ("label", self.label.as_ref().map(LabelMatch::validate)),
            ("env", self.env.as_ref().map(EnvMatch::validate)),
            ("port", self.port.as_ref().map(PortMatch::validate)),
            ("history", self.history.as_ref().map(HistoryMatch::validate)),
            ("package", self.package.as_ref().map(PackageMatch::validate)),
        ];
        for (table, answer) in answers {
            if let Some(Err(what)) = answer {
                return Err(format!("[match.{table}]: {what}"));
            }
        }
        Ok(())
    }
}
