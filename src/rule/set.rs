//! All rules of a run: the built-in ones and the user's own. Finds them by name, runs them in parallel.

use super::{Found, Logic, Params, Problem, Rule, Sink};
use crate::facts::Facts;
use crate::facts::secrets::{Patterns, SecretRule};
use crate::model::{Finding, Gap, Group, Limits, Location, Origin, RuleInfo, push_hex};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

/// The files of rules/: (group/name.md, text), sorted.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// Bytes of one rule file.
const RULE_FILE: u64 = 1 << 20;

/// How many times the limit a rule may say, so that the worst can be chosen before the rest is cut.
const KEPT: usize = 10;

/// Values for parameters: rule name to table.
pub type Overrides = BTreeMap<String, Params>;

/// Rules, sorted by name.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

impl RuleSet {
    /// The rules that come with the program. The errors are those of their files; a released program has none.
    pub fn builtin() -> Result<Self, Vec<Problem>> {
        let files = FILES.iter().map(|(path, text)| (format!("rules/{path}"), group_of(path), (*text).to_owned()));
        let mut set = Self { rules: read_all(files.collect())? };
        for rule in &mut set.rules {
            rule.builtin = true;
        }
        set.joined()
    }

    /// The rules of `directory` (`group/name.md`) alone. Other files and folders are left alone.
    pub fn read_dir(directory: &Path) -> Result<Self, Vec<Problem>> {
        Self { rules: read_all(files_of(directory).map_err(|problem| vec![problem])?)? }.joined()
    }

    /// These rules and those of `directory`. A user's rule may use any check of the table; it may not take a name or an
    /// alias that a rule here has.
    pub fn with_dir(mut self, directory: &Path) -> Result<Self, Vec<Problem>> {
        let own = Self::read_dir(directory)?;
        let mut problems = Vec::new();
        for rule in &own.rules {
            for word in std::iter::once(&rule.info.name).chain(&rule.info.aliases) {
                if let Some(taken) = self.find(word).first() {
                    problems.push(rule.problem(1, format!("'{word}' is taken by rule {}", taken.name)));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        self.rules.extend(own.rules);
        self.joined()
    }

    /// These rules with values laid over their parameters. Refuses rules and parameters that do not exist, and values
    /// of another type than the parameter's default.
    pub fn with_params(mut self, overrides: &Overrides) -> Result<Self, String> {
        for (name, values) in overrides {
            let rule = self.rules.iter_mut().find(|rule| rule.info.name == *name);
            rule.ok_or_else(|| format!("rule '{name}': no such rule"))?.set_params(values)?;
        }
        Ok(self)
    }

    /// Sorts, and refuses two rules with one name and an alias that is a rule's name.
    fn joined(mut self) -> Result<Self, Vec<Problem>> {
        self.rules.sort_by(|a, b| (&a.name, &a.file).cmp(&(&b.name, &b.file)));
        let mut problems = Vec::new();
        for pair in self.rules.windows(2) {
            if let [first, second] = pair
                && first.name == second.name
            {
                problems.push(second.problem(1, format!("name '{}' stands in {} too", first.name, first.file)));
            }
        }
        for rule in &self.rules {
            for alias in &rule.info.aliases {
                if self.rules.iter().any(|other| other.info.name.eq_ignore_ascii_case(alias)) {
                    problems.push(rule.problem(1, format!("alias '{alias}' is the name of a rule")));
                }
            }
        }
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    /// The rules, sorted by name.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What reports may say about the rules, sorted by group, then name: the rule index.
    #[must_use]
    pub fn infos(&self) -> Vec<&RuleInfo> {
        let mut infos: Vec<&RuleInfo> = self.rules.iter().map(|rule| &rule.info).collect();
        infos.sort_by_key(|info| info.group);
        infos
    }

    /// The rules that `word` names: one by its name, or all that share an alias. Empty when there is none.
    #[must_use]
    pub fn find(&self, word: &str) -> Vec<&Rule> {
        self.rules.iter().filter(|rule| rule.info.answers_to(word)).collect()
    }

    /// `sha256:` over names and texts of all rules: the same digest, the same rules.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for rule in &self.rules {
            for part in [rule.info.group.name(), &rule.info.name, &rule.text] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        let mut digest = "sha256:".to_owned();
        push_hex(&mut digest, &hash.finalize());
        digest
    }

    /// The `[match.secret]` tables by rule name: what the content scan looks for.
    pub fn secrets(&self) -> impl Iterator<Item = (&Rule, &toml::Table)> {
        self.rules.iter().filter_map(|rule| match &rule.logic {
            Logic::Secret(table) => Some((rule, table)),
            Logic::Match(_) | Logic::Check(_) => None,
        })
    }

    /// Those tables compiled. Errors name the rule whose table cannot be read.
    pub fn patterns(&self) -> Result<Patterns, String> {
        let read = |(rule, table): (&Rule, &toml::Table)| {
            SecretRule::read(&rule.name, rule.info.severity, rule.info.confidence, table)
        };
        Patterns::new(&self.secrets().map(read).collect::<Result<Vec<_>, _>>()?)
    }

    /// Runs the rules that `wanted` lets through, in parallel, and brings what they say into the order of
    /// [`Outcome`](crate::model::Outcome). More than `limits.findings_per_rule` findings of a rule are cut, which is a gap.
    pub fn run(
        &self,
        facts: &Facts,
        wanted: &(dyn Fn(&RuleInfo) -> bool + Sync),
        limits: &Limits,
    ) -> (Vec<Finding>, Vec<Gap>) {
        let said: Vec<(Vec<Finding>, Vec<Gap>)> = self
            .rules
            .par_iter()
            .filter(|rule| wanted(&rule.info))
            .map(|rule| rule.run(facts, limits.findings_per_rule))
            .collect();
        let (findings, gaps): (Vec<_>, Vec<_>) = said.into_iter().unzip();
        let mut findings: Vec<Finding> = findings.into_iter().flatten().collect();
        let mut gaps: Vec<Gap> = gaps.into_iter().flatten().collect();
        // Each rule's findings come sorted, and rules by name: a stable sort is enough.
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        gaps.sort();
        gaps.dedup();
        (findings, gaps)
    }
}

impl Rule {
    /// Runs this rule alone. At most `most` findings, the worst and then the first by place, and at most `most` gaps.
    #[must_use]
    pub fn run(&self, facts: &Facts, most: usize) -> (Vec<Finding>, Vec<Gap>) {
        let mut sink = Sink::bounded(most.saturating_mul(KEPT));
        match &self.logic {
            Logic::Match(matcher) => matcher.run(facts, &mut sink),
            Logic::Check(check) => check(facts, &self.params, &mut sink),
            Logic::Secret(_) => super::checks::secrets::in_files(facts, &self.name, &self.info.title, &mut sink),
        }
        let cut = sink.cut();
        let mut gaps: Vec<Gap> = sink.gaps.into_iter().map(|(at, reason)| Gap { at, reason }).collect();
        let mut findings: Vec<Finding> = sink.found.into_iter().map(|found| self.finding(found, most)).collect();
        findings.sort_by(|a, b| (b.severity, &a.at, &a.message).cmp(&(a.severity, &b.at, &b.message)));
        findings.dedup();
        gaps.sort();
        gaps.dedup();
        let more = [
            ("findings", cut.found + findings.len().saturating_sub(most)),
            ("gaps", cut.gaps + gaps.len().saturating_sub(most)),
        ];
        findings.truncate(most);
        gaps.truncate(most);
        for (word, more) in more.into_iter().filter(|(_, more)| *more > 0) {
            let reason = format!("rule {}: {more} more {word}, cut at the limit of {most} a rule", self.name);
            gaps.push(Gap { at: Location::Image, reason });
        }
        (findings, gaps)
    }

    /// What was found, as a finding of this rule with at most `most` other places.
    fn finding(&self, mut found: Found, most: usize) -> Finding {
        found.also.sort();
        found.also.dedup();
        found.also.truncate(most);
        Finding {
            rule: Arc::clone(&self.name),
            severity: found.severity.unwrap_or(self.info.severity),
            confidence: found.confidence.unwrap_or(self.info.confidence),
            message: found.message,
            at: found.at,
            also: found.also,
            origin: Origin::Unknown,
            target: found.target,
            secret: found.secret,
        }
    }

    /// A problem of this rule's file.
    pub(super) fn problem(&self, line: u32, what: String) -> Problem {
        Problem { file: self.file.clone(), line, what }
    }
}

/// A rule file to read: its name, its group (`Err`: the folder's name), its text.
type RuleFile = (String, Result<Group, String>, String);

fn group_of(path: &str) -> Result<Group, String> {
    let folder = path.split('/').next().unwrap_or_default();
    folder.parse().map_err(|()| folder.to_owned())
}

fn read_all(files: Vec<RuleFile>) -> Result<Vec<Rule>, Vec<Problem>> {
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    for (file, group, text) in files {
        let read = match group {
            Ok(group) => Rule::read(&file, group, &text),
            Err(folder) => {
                let groups = Group::ALL.map(Group::name).join(", ");
                Err(Problem { file, line: 1, what: format!("folder '{folder}' is no group: {groups}") })
            }
        };
        match read {
            Ok(rule) => rules.push(rule),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

/// The rule files of `directory`, sorted.
fn files_of(directory: &Path) -> Result<Vec<RuleFile>, Problem> {
    let mut files = Vec::new();
    for folder in listed(directory)?.iter().filter(|path| path.is_dir()) {
        for path in listed(folder)?.iter().filter(|path| path.extension().is_some_and(|end| end == "md")) {
            let group = group_of(&folder.file_name().unwrap_or_default().to_string_lossy());
            files.push((path.display().to_string(), group, text_of(path)?));
        }
    }
    Ok(files)
}

fn listed(directory: &Path) -> Result<Vec<std::path::PathBuf>, Problem> {
    let read = || -> std::io::Result<Vec<_>> { fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect() };
    let mut paths = read().map_err(|error| unreadable(directory, &error.to_string()))?;
    paths.sort();
    Ok(paths)
}

fn text_of(path: &Path) -> Result<String, Problem> {
    let read = || -> std::io::Result<String> {
        let mut text = String::new();
        fs::File::open(path)?.take(RULE_FILE + 1).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|error| unreadable(path, &error.to_string()))?;
    if text.len() as u64 > RULE_FILE {
        return Err(unreadable(path, &format!("over {RULE_FILE} bytes")));
    }
    Ok(text)
}

fn unreadable(path: &Path, why: &str) -> Problem {
    Problem { file: path.display().to_string(), line: 0, what: why.to_owned() }
}
