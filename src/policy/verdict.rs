//! Outcomes of all images to one verdict. Nothing is dropped but what the user does not hear; what is set aside stays,
//! with its reason.

use super::{Policy, fingerprints};
use crate::model::{Finding, Gap, Outcome, RuleInfo, Severity};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// A finding and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What was found.
    pub finding: Finding,
    /// See [`super::fingerprint`].
    pub fingerprint: String,
    /// Why it does not count; `None` when it does.
    pub suppressed: Option<SetAside>,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// By what.
    pub by: Suppression,
    /// In the user's words.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Option<Date>,
}

/// What sets findings aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suppression {
    /// `--ignore`.
    Ignore,
    /// A waiver for this finding.
    Waiver,
    /// It was there before.
    Baseline,
}

impl Suppression {
    /// The word of the interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Waiver => "waiver",
            Self::Baseline => "baseline",
        }
    }
}

/// What is said of one image after the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// In the order of the outcome.
    pub findings: Vec<Judged>,
    /// What was not looked at.
    pub gaps: Vec<Gap>,
    /// Oddities.
    pub notes: Vec<Gap>,
}

impl Decision {
    /// The findings that count.
    pub fn counted(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|judged| judged.suppressed.is_none()).map(|judged| &judged.finding)
    }
}

/// What the pipeline is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// 0, 1, 2 or 3; see `docs/outputs.md`.
    pub exit: u8,
    /// As in the policy.
    pub fail_on: Option<Severity>,
    /// Findings that count and are at or above `fail_on`.
    pub failing: usize,
}

impl Verdict {
    /// The verdict on `images`; `failed` of those asked for could not be looked at.
    #[must_use]
    pub fn on(images: &[&Decision], failed: usize, fail_on: Option<Severity>) -> Self {
        let fails = |finding: &&Finding| fail_on.is_some_and(|bar| finding.severity >= bar);
        let failing = images.iter().flat_map(|image| image.counted()).filter(fails).count();
        let exit = match () {
            () if failed > 0 => 2,
            () if failing > 0 => 1,
            () if images.iter().any(|image| !image.gaps.is_empty()) => 3,
            () => 0,
        };
        Self { exit, fail_on, failing }
    }
}

/// Applies `policy` to what a scan found. `rules` are those that ran; findings of rules that the user does not hear are
/// dropped, findings of ignored ones set aside while their ignore holds on `today`.
#[must_use]
pub fn decide(outcome: Outcome, rules: &[RuleInfo], policy: &Policy, today: Date) -> Decision {
    let unheard: BTreeSet<&str> =
        rules.iter().filter(|rule| !policy.hears(rule)).map(|rule| rule.name.as_str()).collect();
    let mut findings = outcome.findings;
    findings.retain(|finding| !unheard.contains(&*finding.rule));
    let fingerprints = fingerprints(&findings);
    let findings = findings
        .into_iter()
        .zip(fingerprints)
        .map(|(finding, fingerprint)| {
            let suppressed = set_aside(&finding, policy, today);
            Judged { finding, fingerprint, suppressed }
        })
        .collect();
    Decision { findings, gaps: outcome.gaps, notes: outcome.notes }
}

/// The first reason why `finding` does not count. Waivers and baselines join here.
fn set_aside(finding: &Finding, policy: &Policy, today: Date) -> Option<SetAside> {
    policy
        .ignore
        .iter()
        .find(|ignore| *ignore.rule == *finding.rule && ignore.until.is_none_or(|day| today <= day))
        .map(|ignore| SetAside { by: Suppression::Ignore, reason: ignore.reason.clone(), until: ignore.until })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{Confidence, Group, ImagePath, Level, Location, Origin};
    use crate::policy::Ignore;
    use crate::policy::tests::rule;
    use jiff::civil::date;

    /// A finding for tests.
    pub(crate) fn finding(rule: &str, target: &str, layer: u32) -> Finding {
        Finding {
            rule: rule.into(),
            severity: Severity::High,
            confidence: Confidence::High,
            message: format!("'{target}' is bad"),
            at: Location::file(ImagePath::from(target), layer),
            also: Vec::new(),
            origin: Origin::Own,
            target: target.to_owned(),
            secret: None,
        }
    }

    fn found(severities: &[Severity], gaps: usize) -> Decision {
        let findings = severities
            .iter()
            .map(|&severity| Judged {
                finding: Finding { severity, ..finding("r", "/x", 0) },
                fingerprint: String::new(),
                suppressed: None,
            })
            .collect();
        let gap = Gap { at: Location::Image, reason: "not read".to_owned() };
        Decision { findings, gaps: vec![gap; gaps], notes: Vec::new() }
    }

    #[test]
    fn exit_codes_in_their_order() {
        use Severity::{High, Low, Medium};
        let exit = |images: &[Decision], failed, bar| Verdict::on(&images.iter().collect::<Vec<_>>(), failed, bar).exit;
        assert_eq!(exit(&[], 0, Some(High)), 0);
        assert_eq!(exit(&[found(&[Medium, Low], 0)], 0, Some(High)), 0);
        assert_eq!(exit(&[found(&[Medium], 0)], 0, Some(Medium)), 1);
        assert_eq!(exit(&[found(&[Medium], 1)], 0, Some(High)), 3);
        assert_eq!(exit(&[found(&[High], 1)], 0, Some(High)), 1);
        assert_eq!(exit(&[found(&[High], 1)], 0, None), 3);
        assert_eq!(exit(&[found(&[High], 0)], 0, None), 0);
        assert_eq!(exit(&[found(&[High], 1)], 1, Some(High)), 2);
        assert_eq!(exit(&[found(&[], 0), found(&[High], 0)], 0, Some(High)), 1);
        assert_eq!(exit(&[], 1, None), 2);
    }

    #[test]
    fn what_is_set_aside_stays_and_does_not_fail() {
        let rules = [rule("a", Group::Config, Level::Regular, &[]), rule("b", Group::Config, Level::Auditor, &[])];
        let ignore = Ignore { rule: "a".to_owned(), reason: "known".to_owned(), until: Some(date(2026, 6, 30)) };
        let policy = Policy { fail_on: Some(Severity::High), ignore: vec![ignore], ..Policy::default() };
        let outcome = Outcome { findings: vec![finding("a", "/x", 0), finding("b", "/y", 0)], ..Outcome::default() };

        let decision = decide(outcome.clone(), &rules, &policy, date(2026, 6, 30));
        assert_eq!(decision.findings.len(), 1, "b is for auditors");
        let aside = decision.findings[0].suppressed.as_ref().expect("set aside");
        assert_eq!(
            (aside.by, aside.reason.as_str(), aside.until),
            (Suppression::Ignore, "known", Some(date(2026, 6, 30)))
        );
        assert_eq!(Verdict::on(&[&decision], 0, policy.fail_on).exit, 0);

        let later = decide(outcome, &rules, &policy, date(2026, 7, 1));
        assert_eq!(later.findings[0].suppressed, None);
        assert_eq!(Verdict::on(&[&later], 0, policy.fail_on), Verdict { exit: 1, fail_on: policy.fail_on, failing: 1 });
    }
}
