//! The user's will: what is heard, what is set aside, what fails. Outcome to Verdict. Knows rules by name only, no facts
//! and no files; the day is a value.

mod fingerprint;
mod names;
mod verdict;

pub use fingerprint::{fingerprint, fingerprints};
pub use names::{OutsideCode, UnknownRule, find_rules, nearest, outside_code};
pub use verdict::{Decision, Judged, SetAside, Suppression, Verdict, decide};

use crate::model::{Group, Level, RuleInfo, Severity};
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::str::FromStr;

/// What the user wants to hear and what shall fail. Names in it are rules' own names, never aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// A finding at or above it fails; `None` is "never".
    pub fail_on: Option<Severity>,
    /// Rules above it are not heard, unless `only` names them.
    pub level: Level,
    /// Rules whose findings are set aside.
    pub ignore: Vec<Ignore>,
    /// When given, nothing else is heard.
    pub only: Option<Only>,
}

/// A rule whose findings are set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The rule's name.
    pub rule: String,
    /// Why, for the report.
    pub reason: String,
    /// The last day on which it holds; `None` is for ever.
    pub until: Option<Date>,
}

/// The rules that alone are heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// Whole groups, as far as `level` lets their rules through.
    pub groups: Vec<Group>,
    /// Rules by name, whatever their level: who names a rule wants it.
    pub rules: BTreeSet<String>,
}

impl Policy {
    /// Sets aside the findings of each rule in `words` (names or aliases). Errors with the first word that is no rule; an
    /// [`outside_code`] sets nothing aside.
    pub fn ignoring(mut self, words: &[String], rules: &[RuleInfo]) -> Result<Self, UnknownRule> {
        for word in words {
            for rule in find_rules(rules, word)? {
                self.ignore.push(Ignore { rule: rule.name.clone(), reason: format!("--ignore {word}"), until: None });
            }
        }
        Ok(self)
    }

    /// Hears only `words` (groups, names or aliases of rules); all when there are none. Errors with the first word that
    /// is neither.
    pub fn hearing_only(mut self, words: &[String], rules: &[RuleInfo]) -> Result<Self, UnknownRule> {
        if words.is_empty() {
            return Ok(self);
        }
        let mut only = Only::default();
        for word in words {
            if let Ok(group) = Group::from_str(word) {
                only.groups.push(group);
            } else {
                let found = find_rules(rules, word).map_err(UnknownRule::or_group)?;
                only.rules.extend(found.into_iter().map(|rule| rule.name.clone()));
            }
        }
        self.only = Some(only);
        Ok(self)
    }

    /// Whether findings of `rule` are heard at all. An ignored rule is heard and set aside.
    #[must_use]
    pub fn hears(&self, rule: &RuleInfo) -> bool {
        match &self.only {
            Some(only) if only.rules.contains(&rule.name) => true,
            Some(only) if !only.groups.contains(&rule.group) => false,
            _ => rule.level <= self.level,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::Confidence;

    /// A rule for tests.
    pub(crate) fn rule(name: &str, group: Group, level: Level, aliases: &[&str]) -> RuleInfo {
        RuleInfo {
            name: name.to_owned(),
            group,
            severity: Severity::High,
            confidence: Confidence::High,
            level,
            aliases: aliases.iter().map(ToString::to_string).collect(),
            references: Vec::new(),
            since: "0.1.0".to_owned(),
            title: format!("Title of {name}"),
            summary: format!("Why {name} matters."),
            fix: "Mend it.".to_owned(),
            page: format!("# Title of {name}\n\nWhy {name} matters.\n\n## How to fix\n\nMend it.\n"),
        }
    }

    fn rules() -> Vec<RuleInfo> {
        vec![
            rule("runs-as-root", Group::Identity, Level::Regular, &["CIS-DI-0001"]),
            rule("setuid-file", Group::Privilege, Level::Regular, &["CIS-DI-0008"]),
            rule("setgid-file", Group::Privilege, Level::Pedantic, &["CIS-DI-0008"]),
            rule("no-healthcheck", Group::Config, Level::Pedantic, &[]),
            rule("no-labels", Group::Config, Level::Auditor, &[]),
        ]
    }

    fn heard(policy: &Policy) -> Vec<String> {
        rules().into_iter().filter(|rule| policy.hears(rule)).map(|rule| rule.name).collect()
    }

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn levels_include_the_ones_below() {
        let at = |level| heard(&Policy { level, ..Policy::default() });
        assert_eq!(at(Level::Regular), ["runs-as-root", "setuid-file"]);
        assert_eq!(at(Level::Pedantic), ["runs-as-root", "setuid-file", "setgid-file", "no-healthcheck"]);
        assert_eq!(at(Level::Auditor).len(), 5);
    }

    #[test]
    fn only_a_group_keeps_the_level_and_only_a_rule_does_not() {
        let only = |list: &[&str]| heard(&Policy::default().hearing_only(&words(list), &rules()).expect("known"));
        assert_eq!(only(&[]), ["runs-as-root", "setuid-file"]);
        assert_eq!(only(&["config"]), [""; 0]);
        assert_eq!(only(&["no-labels", "cis-di-0008"]), ["setuid-file", "setgid-file", "no-labels"]);
        assert_eq!(only(&["identity"]), ["runs-as-root"]);
    }

    #[test]
    fn codes_that_name_nothing_in_an_image_are_known() {
        let ignoring = Policy::default().ignoring(&words(&["CIS-DI-0005", "cis-di-0001"]), &rules()).expect("known");
        let ignored: Vec<&str> = ignoring.ignore.iter().map(|ignore| &*ignore.rule).collect();
        assert_eq!(ignored, ["runs-as-root"]);
        let only = |list: &[&str]| heard(&Policy::default().hearing_only(&words(list), &rules()).expect("known"));
        assert_eq!(only(&["cis-di-0005"]), [""; 0]);
        assert_eq!(only(&["CIS-DI-0005", "runs-as-root"]), ["runs-as-root"]);
        assert!(Policy::default().ignoring(&words(&["CIS-DI-0004"]), &rules()).is_err());
    }

    #[test]
    fn unknown_names_are_errors_with_a_suggestion() {
        let error = Policy::default().ignoring(&words(&["setuid-flie"]), &rules()).expect_err("unknown");
        assert_eq!(error.to_string(), "no rule 'setuid-flie'");
        assert_eq!(error.advice(), "did you mean setuid-file or setgid-file? 'plimsoll rules list' shows all rules");
        let error = Policy::default().hearing_only(&words(&["idenity"]), &rules()).expect_err("unknown");
        assert_eq!(error.to_string(), "no rule or group 'idenity'");
        assert!(error.advice().starts_with("did you mean identity?"), "{}", error.advice());
    }
}
