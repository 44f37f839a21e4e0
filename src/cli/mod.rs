//! Arguments, progress, exit codes; nothing else knows of them.

mod args;
mod files;
mod later;
mod lint;
mod looking;
mod output;
mod pages;
mod problem;
mod progress;
mod rules;

use args::{Cli, Command, RulesCommand, SchemaKind};
use clap::Parser as _;
use problem::Problem;
use std::ffi::OsString;
use std::io::{self, Write};

/// An exit code.
type Exit = u8;

/// Could not lint: no such file, not an image, wrong use.
const TROUBLE: Exit = 2;

/// Runs the program; returns its exit code.
#[must_use]
pub fn run() -> u8 {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(problem) = later::asked(&args) {
        problem.print();
        return TROUBLE;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // A reader that went away is no reason to complain.
            let _ = usage.print();
            return if usage.use_stderr() { TROUBLE } else { 0 };
        }
    };
    let result = match &cli.command {
        None => lint::run(&cli.lint),
        Some(Command::Files(args)) => files::run(args),
        Some(Command::Rules { command: RulesCommand::List(args) }) => rules::list(args),
        Some(Command::Rules { command: RulesCommand::Check { directory } }) => rules::check(directory),
        Some(Command::Explain(args)) => rules::explain(args),
        Some(Command::Schema { kind: SchemaKind::Json }) => schema(),
        Some(Command::Completions(args)) => pages::completions(args),
        Some(Command::Man(args)) => pages::man(args),
    };
    result.unwrap_or_else(|problem| {
        problem.print();
        TROUBLE
    })
}

fn schema() -> Result<Exit, Problem> {
    to_stdout(0, |out| crate::report::json::write(&crate::report::json::schema(), out))
}

/// Lets `write` write to standard output; the answer is `exit`. A reader that went away (`| head`) ends the writing, not
/// the program: no error, the same exit code.
fn to_stdout(exit: Exit, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Exit, Problem> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(exit),
        Err(error) => {
            // What is left in the buffer would be tried again.
            let _ = out.into_parts();
            if error.kind() == io::ErrorKind::BrokenPipe {
                Ok(exit)
            } else {
                Err(Problem::io("standard output", &error))
            }
        }
    }
}
