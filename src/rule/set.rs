//! All rules of a run: the built-in ones and the user's own. Finds them by name, runs them in parallel.

use super::{Found, Logic, Params, Problem, Rule, Sink};
use crate::facts::Facts;
use crate::facts::secrets::{Patterns, SecretRule};
use crate::model::{Finding, Gap, Group, Limits, Location, Origin, RuleInfo, push_hex, system_says};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
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
        let (rules, problems) = read_all(files.collect());
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut set = Self { rules };
        for rule in &mut set.rules {
            rule.builtin = true;
        }
        set.joined()
    }

    /// The rules of `directory` (`group/name.md`) alone. Other files and folders are left alone.
    pub fn read_dir(directory: &Path) -> Result<Self, Vec<Problem>> {
        let (set, problems) = Self::readable(directory);
        if problems.is_empty() { Ok(set) } else { Err(problems) }
    }

    /// The rules of `directory` that can be read, and all that keeps the others, or all of them, from being used.
    #[must_use]
    pub fn readable(directory: &Path) -> (Self, Vec<Problem>) {
        let (files, mut problems) = files_of(directory);
        let (rules, unread) = read_all(files);
        let set = Self { rules }.sorted();
        problems.extend(unread);
        problems.extend(set.clashes());
        (set, problems)
    }

    /// What keeps these rules from standing beside `others`: names and aliases that those have. A file that is one of
    /// them, to the letter, takes nothing from it.
    #[must_use]
    pub fn taken(&self, others: &Self) -> Vec<Problem> {
        let is_copy = |rule: &Rule| {
            others.rules.iter().any(|other| {
                (&other.info.name, other.info.group, &other.text) == (&rule.info.name, rule.info.group, &rule.text)
            })
        };
        self.rules.iter().filter(|rule| !is_copy(rule)).flat_map(|rule| rule.taken(others)).collect()
    }

    /// These rules and those of `directory`. A user's rule may use any check of the table; it may not take a name or an
    /// alias that a rule here has.
    pub fn with_dir(mut self, directory: &Path) -> Result<Self, Vec<Problem>> {
        let own = Self::read_dir(directory)?;
        let problems: Vec<Problem> = own.rules.iter().flat_map(|rule| rule.taken(&self)).collect();
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
    fn joined(self) -> Result<Self, Vec<Problem>> {
        let set = self.sorted();
        let problems = set.clashes();
        if problems.is_empty() { Ok(set) } else { Err(problems) }
    }

    fn sorted(mut self) -> Self {
        self.rules.sort_by(|a, b| (&a.name, &a.file).cmp(&(&b.name, &b.file)));
        self
    }

    /// Two rules with one name, and aliases that are a rule's name.
    fn clashes(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for pair in self.rules.windows(2) {
            if let [first, second] = pair
                && first.name == second.name
            {
                let line = second.line_of(&second.name);
                problems.push(second.problem(line, format!("name '{}' stands in {} too", first.name, first.file)));
            }
        }
        for rule in &self.rules {
            for alias in &rule.info.aliases {
                if self.rules.iter().any(|other| other.info.name.eq_ignore_ascii_case(alias)) {
                    problems.push(rule.problem(rule.line_of(alias), format!("alias '{alias}' is the name of a rule")));
                }
            }
        }
        problems
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

    /// Its name and aliases that rules of `others` have.
    fn taken(&self, others: &RuleSet) -> Vec<Problem> {
        let words = std::iter::once(&self.info.name).chain(&self.info.aliases);
        let taken = |word: &String| {
            let other = others.find(word).first()?.name.clone();
            Some(self.problem(self.line_of(word), format!("'{word}' is taken by rule {other}")))
        };
        words.filter_map(taken).collect()
    }

    /// The line on which `word` stands in quotes, from 1; the first when there is none.
    fn line_of(&self, word: &str) -> u32 {
        let quoted = [format!("'{word}'"), format!("\"{word}\"")];
        let stands = |line: &str| quoted.iter().any(|quoted| line.contains(quoted));
        self.text.lines().zip(1..).find(|(line, _)| stands(line)).map_or(1, |(_, number)| number)
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

/// The rules that can be read, and why the others cannot.
fn read_all(files: Vec<RuleFile>) -> (Vec<Rule>, Vec<Problem>) {
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    for (file, group, text) in files {
        let read = match group {
            Ok(group) => Rule::read(&file, group, &text),
            Err(folder) => Err(Problem { file, line: 1, what: format!("folder '{folder}' is no group: {}", groups()) }),
        };
        match read {
            Ok(rule) => rules.push(rule),
            Err(problem) => problems.push(problem),
        }
    }
    (rules, problems)
}

fn groups() -> String {
    Group::ALL.map(Group::name).join(", ")
}

/// The rule files of `directory`, sorted, and what is wrong with the folder: files that cannot be read, rules outside a
/// folder of a group, no rule at all.
fn files_of(directory: &Path) -> (Vec<RuleFile>, Vec<Problem>) {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    if !directory.is_dir() {
        return (files, vec![unreadable(directory, "no such directory")]);
    }
    let is_page = |path: &Path| path.extension().is_some_and(|end| end == "md");
    for path in listed(directory, &mut problems) {
        if path.is_dir() {
            let group = group_of(&path.file_name().unwrap_or_default().to_string_lossy());
            for file in listed(&path, &mut problems).into_iter().filter(|path| is_page(path)) {
                match text_of(&file) {
                    Ok(text) => files.push((file.display().to_string(), group.clone(), text)),
                    Err(problem) => problems.push(problem),
                }
            }
        } else if is_page(&path) && text_of(&path).is_ok_and(|text| is_rule(&text)) {
            problems.push(Problem { file: path.display().to_string(), line: 1, what: outside(directory) });
        }
    }
    if files.is_empty() && problems.is_empty() {
        let what = format!("no rules: they lie in folders that are called as their groups are ({})", groups());
        problems.push(unreadable(directory, &what));
    }
    (files, problems)
}

/// Whether a page is meant as a rule, and not to be read by people alone: it begins with a head.
fn is_rule(text: &str) -> bool {
    text.trim_start().starts_with("```toml")
}

/// What there is to say of a rule that lies in `directory` itself.
fn outside(directory: &Path) -> String {
    let own = directory.canonicalize().ok();
    let name = own.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    match name.filter(|name| group_of(name).is_ok()) {
        Some(name) => format!("'{name}' is the folder of a group: name the folder above it"),
        None => format!("a rule lies in a folder that is called as its group is ({})", groups()),
    }
}

/// What lies in `directory`, sorted; nothing and a problem when it cannot be read.
fn listed(directory: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let read = || -> std::io::Result<Vec<_>> { fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect() };
    let mut paths = read().unwrap_or_else(|error| {
        problems.push(unreadable(directory, &system_says(&error)));
        Vec::new()
    });
    paths.sort();
    paths
}

fn text_of(path: &Path) -> Result<String, Problem> {
    let read = || -> std::io::Result<String> {
        let mut text = String::new();
        fs::File::open(path)?.take(RULE_FILE + 1).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|error| unreadable(path, &system_says(&error)))?;
    if text.len() as u64 > RULE_FILE {
        return Err(unreadable(path, &format!("over {RULE_FILE} bytes")));
    }
    Ok(text)
}

fn unreadable(path: &Path, why: &str) -> Problem {
    Problem { file: path.display().to_string(), line: 0, what: why.to_owned() }
}
