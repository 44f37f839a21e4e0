//! `plimsoll IMAGE...`: looks at each image, applies the policy, writes the reports.

use super::args::{Format, LintArgs};
use super::progress::Progress;
use super::{Exit, Problem, TROUBLE, looking, output};
use crate::model::{RuleInfo, visible};
use crate::policy::{Decision, Policy, Verdict, decide, outside_code};
use crate::report::{Failure, ImageReport, Report};
use std::io::IsTerminal as _;

/// Lints the images that `args` name. One that cannot be looked at takes nothing from the others.
pub(super) fn run(args: &LintArgs) -> Result<Exit, Problem> {
    if args.images.iter().filter(|image| looking::is_stdin(image)).count() > 1 {
        return Err(Problem::new("standard input: named twice, and it can be read once").help("name '-' once"));
    }
    let plan = output::plan(&args.outputs)?;
    let set = looking::Rules::read(args.rules.as_deref())?;
    let rules = set.infos();
    let policy = Policy { fail_on: args.fail_on.0, level: args.level, ..Policy::default() }
        .ignoring(&args.ignore, &rules)?
        .hearing_only(&args.only, &rules)?;
    for outside in args.only.iter().filter(|_| !args.quiet).filter_map(|word| outside_code(word)) {
        Problem::new(format!("{} names nothing in an image", outside.code)).help(outside.why).note();
    }
    let today = jiff::Zoned::now().date();

    // On a terminal, a report for a program would mix with the spinner.
    let machine = plan.iter().any(|output| output.path.is_none() && output.format != Format::Terminal);
    let progress = Progress::new(!(args.quiet || machine && std::io::stdout().is_terminal()));
    let mut images: Vec<ImageReport> = Vec::new();
    let mut problems: Vec<(String, Problem)> = Vec::new();
    for reference in &args.images {
        let shown = visible(reference.as_encoded_bytes());
        progress.say(&format!("reading {shown}"));
        let wanted = |rule: &RuleInfo| policy.hears(rule);
        match looking::look(reference, &args.open, !args.no_content, &set, progress.read(), &wanted) {
            Ok(looked) => {
                let decision = decide(looked.outcome, &rules, &policy, today);
                images.push(ImageReport { decision, ..looked.image });
            }
            Err(problem) => problems.push((shown.into_owned(), problem)),
        }
    }
    progress.clear();

    let decisions: Vec<&Decision> = images.iter().map(|image| &image.decision).collect();
    let verdict = Verdict::on(&decisions, problems.len(), policy.fail_on);
    let report = Report {
        tool: set.tool(),
        rules: rules.into_iter().filter(|rule| policy.hears(rule)).collect(),
        errors: problems
            .iter()
            .map(|(source, problem)| Failure { source: source.clone(), message: problem.message.clone() })
            .collect(),
        images,
        verdict,
    };
    let unwritten = output::write(&report, &plan, args);
    for problem in problems.iter().map(|(_, problem)| problem).chain(&unwritten) {
        problem.print();
    }
    Ok(if unwritten.is_empty() { verdict.exit } else { TROUBLE })
}
