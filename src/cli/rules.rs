//! `rules list`, `rules check`, `explain`.

use super::args::{ExplainArgs, ListArgs, ListFormat};
use super::{Exit, Problem, looking, to_stdout};
use crate::model::{RuleInfo, visible_str};
use crate::policy::{find_rules, outside_code};
use std::io::{self, Write};
use std::path::Path;

/// `plimsoll rules list`.
pub(super) fn list(args: &ListArgs) -> Result<Exit, Problem> {
    let rules = looking::Rules::read(args.rules.as_deref())?.infos();
    to_stdout(0, |out| match args.output {
        ListFormat::Terminal => table(&rules, out),
        ListFormat::Json => crate::report::json::write(&crate::report::json::rules(&rules), out),
    })
}

/// `plimsoll rules check DIR`: 0 when all is well, 1 when rules have problems.
pub(super) fn check(directory: &Path) -> Result<Exit, Problem> {
    let checked = looking::check_rules(directory)?;
    let exit = u8::from(!checked.problems.is_empty());
    to_stdout(exit, |out| {
        for problem in &checked.problems {
            writeln!(out, "{}", visible_str(problem))?;
        }
        let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        writeln!(out, "{}, {}", count(checked.rules, "rule"), count(checked.problems.len(), "problem"))
    })
}

/// `plimsoll explain RULE`: the page of each rule that the word names, or why no rule answers to it.
pub(super) fn explain(args: &ExplainArgs) -> Result<Exit, Problem> {
    let rules = looking::Rules::read(args.rules.as_deref())?.infos();
    let found = find_rules(&rules, &args.rule)?;
    to_stdout(0, |out| {
        if let Some(outside) = outside_code(&args.rule).filter(|_| found.is_empty()) {
            writeln!(out, "# {}\n\n`{}` · of Dockle, no rule\n\n{}", outside.title, outside.code, outside.why)?;
        }
        for (index, rule) in found.into_iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            for line in looking::page(rule).lines() {
                writeln!(out, "{}", visible_str(line))?;
            }
        }
        Ok(())
    })
}

/// One line a rule, in columns.
fn table(rules: &[RuleInfo], out: &mut dyn Write) -> io::Result<()> {
    let mut rows = vec![["RULE", "GROUP", "SEVERITY", "LEVEL", "ALIASES"].map(str::to_owned)];
    rows.extend(rules.iter().map(|rule| {
        let aliases = rule.aliases.join(", ");
        [rule.name.clone(), rule.group.to_string(), rule.severity.to_string(), rule.level.to_string(), aliases]
            .map(|cell| visible_str(&cell).into_owned())
    }));
    let mut widths = [0; 5];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}
