//! Names of the command line that are taken, and not built yet: each is answered with what to do instead. The parser
//! does not know them, so that no help, page or completion offers them.

use super::Problem;
use std::ffi::OsString;

/// The words that a command line begins with; what to do instead.
const COMMANDS: &[(&[&str], &str)] = &[
    (&["inspect"], "'plimsoll -o json IMAGE' has layers and user; an image file of that name is written ./inspect"),
    (
        &["diff"],
        "compare the fingerprints that 'plimsoll -o json' writes; an image file of that name is written ./diff",
    ),
    (&["schema", "config"], "there is no plimsoll.toml; options say what there is to say"),
];

/// An option; what to do instead.
const OPTIONS: &[(&str, &str)] = &[
    ("--config", "options say what there is to say, such as --ignore and --fail-on"),
    ("--dockerfile", "the history of the image has its steps: leave it out"),
];

/// The answer to `args` (without the program's name) when they ask for what is not built yet.
pub(super) fn asked(args: &[OsString]) -> Option<Problem> {
    let begins = |words: &[&str]| args.len() >= words.len() && args.iter().zip(words).all(|(arg, word)| arg == word);
    let command = COMMANDS.iter().find(|(words, _)| begins(words)).map(|(words, advice)| (words.join(" "), *advice));
    let given = |arg: &OsString| {
        let name = arg.to_str()?.split('=').next()?;
        OPTIONS.iter().find(|(option, _)| *option == name).map(|(option, advice)| ((*option).to_owned(), *advice))
    };
    let option = || args.iter().take_while(|arg| *arg != "--").find_map(given);
    let (name, advice) = command.or_else(option)?;
    Some(Problem::new(format!("{name}: not yet built; {advice}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken() {
        let says = |line: &str| {
            let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            asked(&args).map(|problem| problem.message.split("; ").next().unwrap_or_default().to_owned())
        };
        for (line, name) in [
            ("inspect", "inspect"),
            ("diff --help", "diff"),
            ("schema config", "schema config"),
            ("--config=x app.tar", "--config"),
            ("app.tar --dockerfile Dockerfile", "--dockerfile"),
        ] {
            assert_eq!(says(line), Some(format!("{name}: not yet built")), "{line}");
        }
        for line in ["", "./inspect", "app.tar inspect", "schema json", "schema", "-- --config", "--no-content x"] {
            assert_eq!(says(line), None, "{line}");
        }
    }

    #[test]
    fn the_parser_does_not_know_them() {
        use clap::CommandFactory as _;
        let program = super::super::args::Cli::command();
        assert!(
            OPTIONS.iter().all(|(option, _)| program.get_arguments().all(|arg| arg.get_long() != Some(&option[2..])))
        );
        assert!(COMMANDS.iter().all(|(words, _)| words.len() > 1 || program.find_subcommand(words[0]).is_none()));
    }
}
