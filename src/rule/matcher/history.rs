//! `[match.history]`: instructions of the build, and the commands that a RUN ran.

use super::words::{Pattern, Template, Words};
use crate::facts::{Command, Effective, Facts, Instruction, InstructionKind, Step};
use crate::rule::Sink;
use std::collections::BTreeSet;

/// Every condition that is given must hold. With `program`, `argument` or `without` each command is asked, otherwise
/// the instruction.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::rule) struct HistoryMatch {
    /// Dockerfile words; `RUN` when not given.
    #[serde(default = "run")]
    instruction: Words,
    /// In the instruction's text behind the word.
    text: Option<Pattern>,
    /// In a source of `ADD` or `COPY`.
    source: Option<Pattern>,
    /// In the program's base name.
    program: Option<Pattern>,
    /// Each in an argument of the command.
    #[serde(default)]
    argument: Vec<Pattern>,
    /// In no argument of the command.
    without: Option<Pattern>,
    message: Template,
}

/// Dockerfile words as rule files write them.
const WORDS: &[(&str, InstructionKind)] = &[
    ("ADD", InstructionKind::Add),
    ("ARG", InstructionKind::Arg),
    ("CMD", InstructionKind::Cmd),
    ("COPY", InstructionKind::Copy),
    ("ENTRYPOINT", InstructionKind::Entrypoint),
    ("ENV", InstructionKind::Env),
    ("EXPOSE", InstructionKind::Expose),
    ("HEALTHCHECK", InstructionKind::Healthcheck),
    ("LABEL", InstructionKind::Label),
    ("MAINTAINER", InstructionKind::Maintainer),
    ("ONBUILD", InstructionKind::OnBuild),
    ("RUN", InstructionKind::Run),
    ("SHELL", InstructionKind::Shell),
    ("STOPSIGNAL", InstructionKind::StopSignal),
    ("USER", InstructionKind::User),
    ("VOLUME", InstructionKind::Volume),
    ("WORKDIR", InstructionKind::Workdir),
];

fn run() -> Words {
    Words(vec!["RUN".to_owned()])
}

impl HistoryMatch {
    pub(super) fn validate(&self) -> Result<(), String> {
        if self.instruction.0.is_empty() {
            return Err("instruction: an empty list".to_owned());
        }
        if let Some(word) = self.instruction.0.iter().find(|word| kind_of(word).is_none()) {
            return Err(format!("instruction '{word}': no word of a Dockerfile in capitals"));
        }
        self.message.validate(if self.asks_commands() {
            &["instruction", "program"]
        } else {
            &["instruction", "source"]
        })
    }

    pub(super) fn run(&self, facts: &Facts, sink: &mut Sink) {
        for step in &facts.history.steps {
            let instruction = &step.instruction;
            let wanted = self.instruction.0.iter().find(|word| kind_of(word) == Some(instruction.kind));
            let Some(word) = wanted else { continue };
            if self.text.as_ref().is_some_and(|pattern| !pattern.matches(instruction.text.as_bytes())) {
                continue;
            }
            let source = match &self.source {
                None => "",
                Some(pattern) => match sources(instruction).iter().find(|source| pattern.matches(source.as_bytes())) {
                    Some(source) => source.as_str(),
                    None => continue,
                },
            };
            if !self.asks_commands() {
                self.say(step, word, "", source, sink);
                continue;
            }
            // One finding a program of the step, however often it is run.
            let programs: BTreeSet<&str> =
                instruction.commands.iter().filter_map(|command| self.fits(command)).collect();
            for program in programs {
                self.say(step, word, program, source, sink);
            }
        }
    }

    fn asks_commands(&self) -> bool {
        self.program.is_some() || !self.argument.is_empty() || self.without.is_some()
    }

    /// The program of `command`, behind its wrappers, when the command fits.
    fn fits<'a>(&self, command: &'a Command) -> Option<&'a str> {
        let Effective { program, arguments, .. } = command.effective()?;
        let some = |pattern: &Pattern| arguments.iter().any(|argument| pattern.matches(argument.text.as_bytes()));
        let fits = self.program.as_ref().is_none_or(|pattern| pattern.matches(program.as_bytes()))
            && self.argument.iter().all(some)
            && !self.without.as_ref().is_some_and(some);
        fits.then_some(program)
    }

    fn say(&self, step: &Step, word: &str, program: &str, source: &str, sink: &mut Sink) {
        let message = self.message.render(&[("instruction", word), ("program", program), ("source", source)]);
        let target = [word, program, source].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        sink.find(step.location(), target, message);
    }
}

fn kind_of(word: &str) -> Option<InstructionKind> {
    WORDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
}

/// The operands but the last, which is the destination.
fn sources(instruction: &Instruction) -> &[String] {
    instruction.operands.split_last().map_or(&[], |(_, sources)| sources)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{HistoryEntry, Word};

    fn command(line: &str) -> Command {
        let word = |text: &str| Word { text: text.to_owned(), expands: false, quoted: false };
        Command { words: line.split(' ').map(word).collect(), ..Command::default() }
    }

    /// A step with these commands; `kind` and `operands` for other instructions.
    fn step(kind: InstructionKind, text: &str, operands: &[&str], commands: &[&str]) -> Step {
        let instruction = Instruction {
            kind,
            text: text.to_owned(),
            operands: operands.iter().map(|word| (*word).to_owned()).collect(),
            commands: commands.iter().map(|line| command(line)).collect(),
            ..Instruction::read("")
        };
        Step { index: 0, layer: None, entry: HistoryEntry::default(), instruction }
    }

    fn says(matcher: &str, step: Step) -> Vec<String> {
        let matcher: HistoryMatch = toml::from_str(matcher).expect("well formed");
        matcher.validate().expect("whole");
        let mut facts = Facts::default();
        facts.history.steps.push(step);
        let mut sink = Sink::default();
        matcher.run(&facts, &mut sink);
        sink.found.into_iter().map(|found| format!("{} [{}]", found.message, found.target)).collect()
    }

    #[test]
    fn commands_are_asked_one_by_one_and_told_once() {
        let upgrade =
            "program = '^apt(-get)?$'\nargument = ['^upgrade$']\nwithout = '^--dry-run$'\nmessage = '{program}'";
        let run = |commands: &[&str]| says(upgrade, step(InstructionKind::Run, "", &[], commands));
        assert_eq!(run(&["apt-get update", "apt-get -y upgrade"]), ["apt-get [RUN apt-get]"]);
        assert_eq!(run(&["sudo -E A=b /usr/bin/apt upgrade", "env apt upgrade"]).len(), 1);
        assert!(
            run(&["apt-get update", "echo upgrade", "apt-get upgrade --dry-run", "echo apt-get upgrade"]).is_empty()
        );
        assert!(run(&["sudo", "env A=b", ""]).is_empty());
        assert!(says(upgrade, step(InstructionKind::Cmd, "", &[], &["apt upgrade"])).is_empty());
    }

    #[test]
    fn instructions_are_asked_whole() {
        let remote = "instruction = ['ADD', 'COPY']\nsource = '^https?://'\nmessage = '{instruction} {source}'";
        let add = |operands: &[&str]| says(remote, step(InstructionKind::Add, "", operands, &[]));
        assert_eq!(add(&["a", "https://x/y", "/opt/"]), ["ADD https://x/y [ADD https://x/y]"]);
        assert!(add(&["a", "https://destination"]).is_empty());
        assert!(add(&[]).is_empty());
        let text = "instruction = 'USER'\ntext = '^root$'\nmessage = '{instruction}'";
        assert_eq!(says(text, step(InstructionKind::User, "root", &[], &[])), ["USER [USER]"]);
        assert!(says(text, step(InstructionKind::User, "app", &[], &[])).is_empty());
    }
}
