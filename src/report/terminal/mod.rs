//! The report for people: grouped by rule, worst first, each with its place and its fix; one line when all is well.
//! Every text that is not ours passes [`visible_str`] on its way out, so no byte below 0x20 but our own newlines leaves.

mod page;

use super::place::{count, words};
use super::{ImageReport, Render, Report, markdown};
use crate::model::{Confidence, Finding, Gap, Location, RuleInfo, Severity, visible_str};
use crate::policy::{Judged, Verdict};
use page::Page;
use std::fmt::Write as _;
use std::io;

/// Findings of one rule that are shown before the rest is counted.
const FINDINGS_SHOWN: usize = 5;
/// Findings of severity info of one rule that are shown when there are more.
const INFO_SHOWN: usize = 2;
/// Files that are named in the line about the rest.
const FILES_NAMED: usize = 12;
/// Other places of one finding, likewise.
const ALSO_SHOWN: usize = 2;
/// Gaps and notes, likewise.
const GAPS_SHOWN: usize = 10;

/// Writes the report for people, for 80 columns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    /// Whether to colour.
    pub color: bool,
    /// Findings and gaps only; nothing at all when there are none.
    pub quiet: bool,
    /// All places, what was set aside, notes, aliases and references.
    pub verbose: bool,
}

impl Render for Terminal {
    fn render(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        let mut page = Page::new(out, self.color);
        for (index, image) in report.images.iter().enumerate() {
            let silent = self.is_silent(image);
            if index > 0 && !silent {
                page.blank()?;
            }
            if !silent {
                self.image(report, image, &mut page)?;
            }
            if !self.quiet {
                summary(report, image, &mut page)?;
            }
        }
        Ok(())
    }
}

impl Terminal {
    /// Whether nothing is to be said of `image` but its summary.
    fn is_silent(self, image: &ImageReport) -> bool {
        let decision = &image.decision;
        let aside = self.verbose && (!decision.findings.is_empty() || !decision.notes.is_empty());
        decision.counted().next().is_none() && decision.gaps.is_empty() && !aside
    }

    fn image(self, report: &Report, image: &ImageReport, page: &mut Page<'_>) -> io::Result<()> {
        page.heading(&title(image))?;
        let counted: Vec<&Judged> =
            image.decision.findings.iter().filter(|judged| judged.suppressed.is_none()).collect();
        for group in by_rule(&counted) {
            page.blank()?;
            self.rule(report, &group, page)?;
        }
        let aside: Vec<&Judged> = image.decision.findings.iter().filter(|judged| judged.suppressed.is_some()).collect();
        if self.verbose && !aside.is_empty() {
            page.blank()?;
            page.heading("Set aside")?;
            for judged in aside {
                let why = judged.suppressed.as_ref().map_or("", |aside| aside.reason.as_str());
                page.item("", &format!("{}: {} ({why})", judged.finding.rule, judged.finding.message), 2)?;
            }
        }
        self.gaps("Not looked at", &image.decision.gaps, page)?;
        if self.verbose {
            self.gaps("Notes", &image.decision.notes, page)?;
        }
        page.blank()
    }

    /// One rule: its head, its findings, its fix.
    fn rule(self, report: &Report, findings: &[&Finding], page: &mut Page<'_>) -> io::Result<()> {
        let Some(worst) = findings.first() else { return Ok(()) };
        let info = report.rules.iter().find(|rule| *rule.name == *worst.rule);
        page.rule(worst.severity, &worst.rule, info.map_or("", |rule| rule.title.as_str()))?;
        let shown = if self.verbose { findings.len() } else { shown_of(findings) };
        for finding in findings.iter().take(shown) {
            self.finding(finding, worst.severity, page)?;
        }
        let rest = findings.get(shown..).unwrap_or_default();
        if !rest.is_empty() {
            page.dim(&folded(rest, worst.severity), 2)?;
        }
        // What is told for the record alone asks for nothing.
        let for_the_record = worst.severity == Severity::Info && worst.confidence == Confidence::Low;
        if let Some(info) = info.filter(|_| self.verbose || !for_the_record) {
            self.about(info, page)?;
        }
        Ok(())
    }

    fn finding(self, finding: &Finding, usual: Severity, page: &mut Page<'_>) -> io::Result<()> {
        let severity = if finding.severity == usual { String::new() } else { format!("{}: ", finding.severity) };
        page.item("", &format!("{severity}{}", finding.message), 2)?;
        page.item("at", &words(&finding.at), 4)?;
        let shown = if self.verbose { finding.also.len() } else { ALSO_SHOWN };
        for place in finding.also.iter().take(shown) {
            page.item("also", &words(place), 4)?;
        }
        if finding.also.len() > shown {
            let more = count(finding.also.len() - shown, "more place");
            page.dim(&format!("and {more}; -v shows all"), 4)?;
        }
        Ok(())
    }

    /// The fix, and with -v what else the rule is called and where it is from.
    fn about(self, info: &RuleInfo, page: &mut Page<'_>) -> io::Result<()> {
        let (text, code) = markdown::opening(&info.fix);
        if !text.is_empty() || !code.is_empty() {
            page.item("fix:", text.first().map_or("write", String::as_str), 2)?;
            for line in text.iter().skip(1) {
                page.item("", line, 7)?;
            }
            page.code(&code, 7)?;
        }
        if self.verbose {
            for (label, list) in [("aliases:", &info.aliases), ("see:", &info.references)] {
                if !list.is_empty() {
                    page.item(label, &list.join(", "), 2)?;
                }
            }
        }
        Ok(())
    }

    fn gaps(self, heading: &str, gaps: &[Gap], page: &mut Page<'_>) -> io::Result<()> {
        if gaps.is_empty() {
            return Ok(());
        }
        page.blank()?;
        page.heading(heading)?;
        let shown = if self.verbose { gaps.len() } else { GAPS_SHOWN };
        for gap in gaps.iter().take(shown) {
            page.item("", &gap.reason, 2)?;
            if gap.at != Location::Image {
                page.item("at", &words(&gap.at), 4)?;
            }
        }
        if gaps.len() > shown {
            page.dim(&format!("and {} more; -v shows all", gaps.len() - shown), 2)?;
        }
        Ok(())
    }
}

/// How many findings of one rule, worst first, are shown in full: a list of the usual (a distribution's own setuid
/// programs) shall not bury what stands out.
fn shown_of(findings: &[&Finding]) -> usize {
    let info = findings.iter().filter(|finding| finding.severity == Severity::Info).count();
    let loud = findings.len() - info;
    let info = match info {
        0..=INFO_SHOWN => info,
        _ if loud == 0 => 1,
        _ => 0,
    };
    FINDINGS_SHOWN.min(loud + info)
}

/// The findings that are not shown, as one line: how many, how bad, in which files.
fn folded(rest: &[&Finding], usual: Severity) -> String {
    let mut text = format!("and {} more", rest.len());
    if let Some(worst) = rest.first().filter(|worst| worst.severity != usual) {
        let all = rest.iter().all(|finding| finding.severity == worst.severity);
        let _ = write!(text, " at {}{}", worst.severity, if all { "" } else { " and below" });
    }
    let mut files: Vec<String> = Vec::new();
    for finding in rest {
        if let Location::File { path, .. } = &finding.at {
            let path = path.display().to_string();
            if !files.contains(&path) {
                files.push(path);
            }
        }
    }
    if !files.is_empty() {
        let more = files.len().saturating_sub(FILES_NAMED);
        files.truncate(FILES_NAMED);
        let _ = write!(text, ", in {}", files.join(", "));
        if more > 0 {
            let _ = write!(text, " and {}", count(more, "other file"));
        }
    }
    text.push_str("; -v shows all");
    text
}

/// The findings of each rule together, in the order of each rule's worst.
fn by_rule<'a>(findings: &[&'a Judged]) -> Vec<Vec<&'a Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut place: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    for judged in findings {
        let finding = &judged.finding;
        let index = *place.entry(&finding.rule).or_insert(groups.len());
        match groups.get_mut(index) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

/// The image's source, first name and platform.
fn title(image: &ImageReport) -> String {
    let mut text = visible_str(&image.source).into_owned();
    let more = image.names.len().saturating_sub(1);
    let names = image
        .names
        .first()
        .map(|name| if more == 0 { name.clone() } else { format!("{name} and {}", count(more, "other name")) });
    let about: Vec<String> = names.into_iter().chain([image.platform.to_string()]).collect();
    text.push_str(" (");
    text.push_str(&visible_str(&about.join(", ")));
    text.push(')');
    text
}

/// The one line that says how it went.
fn summary(report: &Report, image: &ImageReport, page: &mut Page<'_>) -> io::Result<()> {
    let decision = &image.decision;
    let mut parts: Vec<(Option<Severity>, String)> = Vec::new();
    for severity in Severity::ALL {
        let number = decision.counted().filter(|finding| finding.severity == severity).count();
        if number > 0 {
            parts.push((Some(severity), format!("{number} {severity}")));
        }
    }
    if parts.is_empty() {
        parts.push((None, if decision.gaps.is_empty() { "clean" } else { "nothing found" }.to_owned()));
    }
    let aside = decision.findings.len() - decision.counted().count();
    if aside > 0 {
        parts.push((None, format!("{aside} set aside")));
    }
    if !decision.gaps.is_empty() {
        parts.push((None, format!("{} (not all was looked at)", count(decision.gaps.len(), "gap"))));
    }
    if let Some(bar) = report.verdict.fail_on {
        let verdict = Verdict::on(&[decision], 0, Some(bar));
        if verdict.failing > 0 {
            parts.push((None, format!("fails at {bar}")));
        }
    }
    page.summary(&image.source, &parts, &count(report.rules.len(), "rule"))
}
