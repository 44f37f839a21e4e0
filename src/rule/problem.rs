//! What is wrong with rules: their form, and whether their examples behave. The looking at an example's image is the
//! caller's, so that the real pipeline can be used without being known here.

use super::checks::CHECKS;
use super::example::{ExampleImage, Generate};
use super::page::{Example, Expected};
use super::{Rule, RuleSet};
use crate::facts::Facts;
use std::fmt;

/// Something wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// The line from 1; 0 when it is about the whole file.
    pub line: u32,
    /// One sentence.
    pub what: String,
}

/// Looks at an example's image: facts through a real scan, or why there are none.
pub type Look<'a> = dyn Fn(&ExampleImage) -> Result<Facts, String> + 'a;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.what)
        } else {
            write!(f, "{}:{}: {}", self.file, self.line, self.what)
        }
    }
}

impl RuleSet {
    /// What the form of the rules lacks: title, summary, fix, references, examples of both kinds. With the built-in
    /// rules, also checks of the table that no rule names.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.rules().iter().flat_map(form).collect();
        if self.rules().iter().any(|rule| rule.builtin) {
            for (name, _) in CHECKS {
                if !self.rules().iter().any(|rule| rule.check.as_deref() == Some(name)) {
                    let file = "src/rule/checks/mod.rs".to_owned();
                    problems.push(Problem { file, line: 0, what: format!("check '{name}': no rule names it") });
                }
            }
        }
        problems
    }
}

/// The form of one rule.
fn form(rule: &Rule) -> Vec<Problem> {
    let info = &rule.info;
    let counts = |expected: Expected| rule.examples.iter().any(|example| example.expected == expected);
    let is_release = {
        let parts: Vec<&str> = info.since.split('.').collect();
        parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let asked = [
        (!is_kebab(&info.name), 1, "name: not kebab-case"),
        (info.references.is_empty(), 1, "references: none"),
        (info.references.iter().any(|text| text.trim().is_empty()), 1, "references: an empty one"),
        (info.aliases.iter().any(|text| text.trim().is_empty()), 1, "aliases: an empty one"),
        (!is_release, 1, "since: not a release such as 0.1.0"),
        (info.title.is_empty(), rule.title_line.max(1), "no title: a line '# ...' below the head"),
        (info.title.ends_with('.'), rule.title_line, "the title ends in a full stop"),
        (info.summary.is_empty(), rule.title_line, "no paragraph below the title"),
        (info.fix.is_empty(), rule.title_line, "no section '## How to fix', or an empty one"),
        (!counts(Expected::Finds), rule.title_line, "no example that it finds: a block ```toml finds"),
        (!counts(Expected::Clean), rule.title_line, "no example that is clean: a block ```toml clean"),
    ];
    asked.into_iter().filter(|(wrong, ..)| *wrong).map(|(_, line, what)| rule.problem(line, what.to_owned())).collect()
}

fn is_kebab(name: &str) -> bool {
    name.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9')))
}

/// Runs every rule over its own examples. `generate` makes the texts that no file may hold (see [`Generate`]).
#[must_use]
pub fn check_examples(rules: &RuleSet, generate: &Generate<'_>, look: &Look<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rule in rules.rules() {
        for example in &rule.examples {
            if let Err((line, what)) = check_example(rule, example, generate, look) {
                problems.push(rule.problem(example.line + line, what));
            }
        }
    }
    problems
}

/// The error is a line of the example, from 0, and a sentence.
fn check_example(
    rule: &Rule,
    example: &Example,
    generate: &Generate<'_>,
    look: &Look<'_>,
) -> Result<(), (u32, String)> {
    let image = ExampleImage::read(&example.text, generate)?;
    let facts = look(&image).map_err(|what| (0, format!("this example cannot be scanned: {what}")))?;
    let mut rule = rule.clone();
    rule.set_params(&image.params).map_err(|what| (0, what))?;
    let (findings, gaps) = rule.run(&facts, usize::MAX);
    match (example.expected, findings.first()) {
        (Expected::Finds, None) => {
            let gap = gaps.first().map_or(String::new(), |gap| format!(" (gap: {})", gap.reason));
            Err((0, format!("the rule finds nothing in this example{gap}")))
        }
        (Expected::Clean, Some(found)) => Err((0, format!("the rule finds '{}' in this example", found.message))),
        (Expected::Finds, Some(_)) => match &image.says {
            Some(says) if !findings.iter().any(|finding| finding.message.contains(says)) => {
                let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
                Err((0, format!("no message has '{says}'; the rule says '{}'", messages.join("', '"))))
            }
            _ => Ok(()),
        },
        (Expected::Clean, None) if image.says.is_some() => Err((0, "says: in a clean example".to_owned())),
        (Expected::Clean, None) => Ok(()),
    }
}
