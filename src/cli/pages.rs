//! What the command line says of itself, for a shell and for man(1). Looks at no image.

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::{Exit, Problem, to_stdout};
use clap::CommandFactory as _;

/// `plimsoll completions SHELL`: a script for the shell to read.
pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "plimsoll", &mut script);
    to_stdout(0, |out| out.write_all(&script))
}

/// `plimsoll man [COMMAND]`: the manual page of the program, or of one of its commands, which the program's names.
pub(super) fn man(args: &ManArgs) -> Result<Exit, Problem> {
    let mut program = Cli::command();
    program.build();
    let page = match &args.command {
        None => program,
        Some(name) => {
            let shown: Vec<_> = program.get_subcommands().filter(|command| !command.is_hide_set()).collect();
            let Some(command) = shown.iter().find(|command| command.get_name() == name) else {
                let known: Vec<&str> = shown.iter().map(|command| command.get_name()).collect();
                return Err(Problem::new(format!("no command '{name}'")).help(format!("one of {}", known.join(", "))));
            };
            clap::Command::clone(command)
        }
    };
    let source = concat!("plimsoll ", env!("CARGO_PKG_VERSION"));
    to_stdout(0, |out| clap_mangen::Man::new(page).source(source).render(out))
}
