//! The command line as people type it.

use crate::model::{Level, Severity};
use crate::policy::nearest;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Lint container images: root users, sudo, setuid files, leaked secrets and what else makes a container a poor ship.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(override_usage = "plimsoll [OPTIONS] IMAGE...\n       plimsoll COMMAND ...")]
#[command(
    after_help = "Exit codes: 0 nothing at or above --fail-on; 1 the gate failed; 2 could not lint; 3 linted in \
    part.\nA file whose name is a command is written ./files."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub lint: LintArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List what is inside an image, as JSON lines
    Files(FilesArgs),
    /// List rules, or check rules of your own
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
    },
    /// Show a rule's page: what it finds, why, and how to fix it
    Explain(ExplainArgs),
    /// Print the JSON schema of an output
    Schema {
        /// Which
        #[arg(value_name = "OUTPUT")]
        kind: SchemaKind,
    },
    /// Print a script that completes commands and options in a shell
    Completions(CompletionsArgs),
    /// Print the manual page, for man(1)
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The page of this command
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SchemaKind {
    /// The report of `-o json`
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// List every rule with severity, level and aliases
    List(ListArgs),
    /// Check the rules of a directory: their form, and whether their examples behave
    Check {
        /// A directory of GROUP/NAME.md files
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// How to list them
    #[arg(short, long, value_name = "FORMAT", default_value = "terminal")]
    pub output: ListFormat,
    /// Rules of your own, beside the built-in ones
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    Terminal,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Name or alias
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// Rules of your own, beside the built-in ones
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
}

/// How an image is opened.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct OpenArgs {
    /// Which platform of an image that has several [default: this machine's, on Linux]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Option<String>,
    /// Which image of an archive or layout that has several
    #[arg(long, value_name = "REF")]
    pub tag: Option<String>,
    /// Compute every diff id, also those of large layers whose blobs have a digest
    #[arg(long)]
    pub check_diff_ids: bool,
    /// Threads to work with [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub threads: Option<NonZeroUsize>,
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "expected a whole number from 1 up")
}

#[derive(Debug, Args)]
pub(super) struct FilesArgs {
    /// A file, a directory, `-`, or a transport such as docker-archive:PATH, oci:DIR, oci-archive:PATH
    #[arg(value_name = "IMAGE")]
    pub image: OsString,
    /// List what each layer's tar holds, before anything is merged
    #[arg(long)]
    pub entries: bool,
    /// Add what later layers deleted or replaced
    #[arg(long, conflicts_with = "entries")]
    pub removed: bool,
    #[command(flatten)]
    pub open: OpenArgs,
}

#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// A file, a directory, `-`, or a transport such as docker-archive:PATH, oci:DIR, oci-archive:PATH
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<OsString>,
    /// Report as terminal, json or sarif, to standard output or a file; may be repeated
    #[arg(short, long = "output", value_name = "FORMAT[=PATH]", value_parser = parse_output)]
    pub outputs: Vec<OutputArg>,
    /// Exit with 1 at findings this severe or worse: critical, high, medium, low, info, never
    #[arg(long, value_name = "SEVERITY", default_value = "high", value_parser = parse_fail_on, hide_possible_values = true)]
    pub fail_on: FailOn,
    /// Whom to report for: regular, pedantic, auditor
    #[arg(long, value_name = "LEVEL", default_value = "regular", value_parser = parse_level)]
    pub level: Level,
    /// Set a rule's findings aside (name or alias); may be repeated
    #[arg(long, value_name = "RULE")]
    pub ignore: Vec<String>,
    /// Hear only this rule or group; may be repeated
    #[arg(long, value_name = "RULE|GROUP")]
    pub only: Vec<String>,
    /// Rules of your own, beside the built-in ones
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    #[command(flatten)]
    pub open: OpenArgs,
    /// Do not search the contents of files for secrets; a gap says so. Layers are read all the same
    #[arg(long)]
    pub no_content: bool,
    /// Read no configuration file; there is none to read yet
    #[arg(long)]
    pub no_config: bool,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Say nothing but findings and gaps
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show all places, what was set aside, notes and references
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

/// `--fail-on`; a type of its own, because clap takes an `Option` for an option that may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FailOn(pub Option<Severity>);

/// A report and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutputArg {
    pub format: Format,
    /// `None` is standard output.
    pub path: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Terminal,
    Json,
    Sarif,
}

impl Format {
    const ALL: [(&str, Self); 3] = [("terminal", Self::Terminal), ("json", Self::Json), ("sarif", Self::Sarif)];
    /// Formats whose names are taken, and which are not built yet.
    const LATER: [&str; 6] = ["junit", "checkstyle", "gitlab", "github", "markdown", "html"];
}

fn parse_output(text: &str) -> Result<OutputArg, String> {
    let (name, path) = match text.split_once('=') {
        Some((_, "")) => return Err("no path after '='".to_owned()),
        Some((name, "-")) => (name, None),
        Some((name, path)) => (name, Some(PathBuf::from(path))),
        None => (text, None),
    };
    if Format::LATER.contains(&name) {
        return Err(format!("format '{name}': not yet built; write json or sarif"));
    }
    let format = Format::ALL.into_iter().find(|(known, _)| *known == name);
    let (_, format) = format.ok_or_else(|| unknown("format", name, Format::ALL.map(|(known, _)| known).as_slice()))?;
    Ok(OutputArg { format, path })
}

fn parse_fail_on(text: &str) -> Result<FailOn, String> {
    if text == "never" {
        return Ok(FailOn(None));
    }
    let names = Severity::ALL.map(Severity::name);
    let known: Vec<&str> = names.iter().copied().chain(["never"]).collect();
    text.parse().map(|severity| FailOn(Some(severity))).map_err(|()| unknown("severity", text, &known))
}

fn parse_level(text: &str) -> Result<Level, String> {
    let levels = [Level::Regular, Level::Pedantic, Level::Auditor];
    let found = levels.into_iter().find(|level| level.name() == text);
    found.ok_or_else(|| unknown("level", text, &levels.map(Level::name)))
}

fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let list = format!("one of {}", known.join(", "));
    match nearest(word, known.iter().copied()).first() {
        Some(near) => format!("no {what} '{word}'; did you mean {near}? It is {list}"),
        None => format!("no {what} '{word}'; it is {list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(args: &[&str]) -> Vec<OsString> {
        Cli::try_parse_from(std::iter::once(&"plimsoll").chain(args)).expect("valid").lint.images
    }

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_command_is_one_only_in_front() {
        assert_eq!(images(&["./files"]), ["./files"]);
        assert_eq!(images(&["app.tar", "files", "rules"]), ["app.tar", "files", "rules"]);
        assert_eq!(images(&["-q", "-o", "json", "-"]), ["-"]);
        let cli = Cli::try_parse_from(["plimsoll", "files", "app.tar"]).expect("valid");
        assert!(matches!(cli.command, Some(Command::Files(_))));
        assert!(Cli::try_parse_from(["plimsoll"]).is_err());
        assert!(Cli::try_parse_from(["plimsoll", "files"]).is_err());
    }

    #[test]
    fn outputs() {
        let to = |format, path: Option<&str>| Ok(OutputArg { format, path: path.map(PathBuf::from) });
        assert_eq!(parse_output("json"), to(Format::Json, None));
        assert_eq!(parse_output("sarif=a=b.sarif"), to(Format::Sarif, Some("a=b.sarif")));
        assert_eq!(parse_output("terminal=-"), to(Format::Terminal, None));
        assert!(parse_output("json=").is_err());
        assert!(parse_output("junit=x.xml").is_err_and(|error| error.contains("not yet built")));
        assert_eq!(
            parse_output("jsn").expect_err("unknown"),
            "no format 'jsn'; did you mean json? It is one of terminal, json, sarif"
        );
    }

    #[test]
    fn gates() {
        assert_eq!(parse_fail_on("never"), Ok(FailOn(None)));
        assert_eq!(parse_fail_on("info"), Ok(FailOn(Some(Severity::Info))));
        assert!(parse_fail_on("High").is_err());
    }
}
