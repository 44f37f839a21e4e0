//! `plimsoll IMAGE...`: looks at each image, applies the policy, writes the reports.

use super::args::{Cli, Format, LintArgs};
use super::progress::Progress;
use super::{Exit, Problem, TROUBLE, looking, output};
use crate::model::{RuleInfo, visible};
use crate::policy::{Decision, Policy, Verdict, decide, outside_code};
use crate::report::{Failure, ImageReport, Report};
use clap::CommandFactory as _;
use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::path::Path;

/// Lints the images that `args` name. One that cannot be looked at takes nothing from the others.
pub(super) fn run(args: &LintArgs) -> Result<Exit, Problem> {
    if args.images.iter().filter(|image| looking::is_stdin(image)).count() > 1 {
        return Err(Problem::new("standard input: named twice, and it can be read once").help("name '-' once"));
    }
    // What stands behind a command's name is meant for the command.
    if let Some(first) = args.images.first().filter(|first| !Path::new(first).exists())
        && let Some(problem) = late_command(first)
    {
        return Err(problem);
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
            Err(problem) => {
                let problem = match late_command(reference) {
                    // A folder of that name says itself why it is no image.
                    Some(late) if Path::new(reference).exists() => Problem { advice: late.advice, ..problem },
                    Some(late) => late,
                    None => problem,
                };
                problems.push((shown.into_owned(), problem));
            }
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

/// What to say when `reference` is the name of a command, which stands behind options that are not its own.
fn late_command(reference: &OsStr) -> Option<Problem> {
    let name = reference.to_str()?;
    let is_command = name == "help" || Cli::command().get_subcommands().any(|command| command.get_name() == name);
    is_command.then(|| {
        Problem::new(format!("{name}: no such file or folder, and a command only when it comes first"))
            .help(format!("write 'plimsoll {name} …', its options behind it"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_behind_options_is_no_image() {
        for name in ["rules", "files", "explain", "schema", "help"] {
            let problem = late_command(OsStr::new(name)).expect(name);
            assert!(problem.message.ends_with("a command only when it comes first"), "{}", problem.message);
        }
        for name in ["./rules", "app.tar", "Rules", ""] {
            assert_eq!(late_command(OsStr::new(name)), None, "{name}");
        }
    }

    #[test]
    fn threads_are_one_or_more() {
        use clap::Parser as _;
        let says = |number: &str| {
            Cli::try_parse_from(["plimsoll", "--threads", number, "a.tar"]).map(|cli| cli.lint.open.threads)
        };
        assert!(says("2").is_ok_and(|threads| threads.is_some_and(|threads| threads.get() == 2)));
        for number in ["0", "-1", "x", "1.5"] {
            let error = says(number).expect_err(number).to_string();
            assert!(number.starts_with('-') || error.contains("expected a whole number from 1 up"), "{error}");
        }
    }
}
