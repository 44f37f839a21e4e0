//! Where reports go: which format to which place, in colour or not, and files that are there whole or not at all.

use super::Problem;
use super::args::{Color, Format, LintArgs, OutputArg};
use crate::report::{Render, Report, Sarif, Terminal, json::Json};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

/// The reports to write. Standard output gets the terminal report unless another format was sent there. Two reports to
/// one place are wrong use.
pub(super) fn plan(asked: &[OutputArg]) -> Result<Vec<OutputArg>, Problem> {
    let mut plan = asked.to_vec();
    if asked.iter().all(|output| output.path.is_some() && output.format != Format::Terminal) {
        plan.push(OutputArg { format: Format::Terminal, path: None });
    }
    for (index, output) in plan.iter().enumerate() {
        if plan.iter().take(index).any(|other| other.path == output.path) {
            let place = output.path.as_ref().map_or("standard output".to_owned(), |path| path.display().to_string());
            return Err(Problem::new(format!("--output: two reports to {place}"))
                .help("send all but one to files of their own: -o FORMAT=PATH"));
        }
    }
    Ok(plan)
}

/// Writes `report` as `args` ask. All reports are tried; the problems are those that could not be written.
pub(super) fn write(report: &Report, plan: &[OutputArg], args: &LintArgs) -> Vec<Problem> {
    let mut problems = Vec::new();
    for output in plan {
        // A scan that saw nothing must not close the alerts of the last one.
        if output.format == Format::Sarif && report.images.is_empty() {
            continue;
        }
        let color = output.path.is_none() && colored(args.color);
        let renderer: Box<dyn Render> = match output.format {
            Format::Terminal => Box::new(Terminal { color, quiet: args.quiet, verbose: args.verbose }),
            Format::Json => Box::new(Json),
            Format::Sarif => Box::new(Sarif),
        };
        let written = match &output.path {
            None => super::to_stdout(0, |out| renderer.render(report, out)).map(|_| ()),
            Some(path) => {
                let mut bytes = Vec::new();
                let done = renderer.render(report, &mut bytes).and_then(|()| replace(path, &bytes));
                done.map_err(|error| Problem::io(&path.display().to_string(), &error))
            }
        };
        problems.extend(written.err());
    }
    problems
}

/// Puts `bytes` at `path`: whole or not at all when it is a file. What is no file (a pipe, /dev/stderr) is written to.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = match path.metadata() {
        Ok(metadata) if !metadata.is_file() => {
            return std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
        }
        Ok(metadata) => Some(metadata.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // Through a symbolic link, the file that it leads to.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".plimsoll-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Less the umask, as any new file; a temporary file's 0600 would keep the next step of a pipeline out.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(directory)?;
    file.write_all(bytes)?;
    if let Some(permissions) = before {
        file.as_file().set_permissions(permissions)?;
    }
    file.persist(&path).map(|_| ()).map_err(|error| error.error)
}

/// Whether standard output gets colours: as told, else as no-color.org and CLICOLOR say, else when a person looks.
fn colored(choice: Color) -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR").is_some() => false,
        Color::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        Color::Auto if set("CLICOLOR").is_some_and(|value| value == "0") => false,
        Color::Auto => io::stdout().is_terminal() && set("TERM").is_none_or(|term| term != "dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn to(format: Format, path: Option<&str>) -> OutputArg {
        OutputArg { format, path: path.map(PathBuf::from) }
    }

    #[test]
    fn the_terminal_report_gives_way() {
        let terminal = || to(Format::Terminal, None);
        let json = || to(Format::Json, None);
        let sarif = || to(Format::Sarif, Some("a.sarif"));
        let text = || to(Format::Terminal, Some("a.txt"));
        assert_eq!(plan(&[]).expect("fine"), [terminal()]);
        assert_eq!(plan(&[json()]).expect("fine"), [json()]);
        assert_eq!(plan(&[sarif()]).expect("fine"), [sarif(), terminal()]);
        assert_eq!(plan(&[sarif(), json()]).expect("fine"), [sarif(), json()]);
        assert_eq!(plan(&[text()]).expect("fine"), [text()]);
        assert!(plan(&[json(), terminal()]).is_err());
        assert!(plan(&[sarif(), sarif()]).is_err());
    }

    #[test]
    fn files_are_replaced_whole() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("out.json");
        replace(&path, b"first").expect("written");
        replace(&path, b"2").expect("written");
        assert_eq!(std::fs::read(&path).expect("there"), b"2");
        assert_eq!(std::fs::read_dir(directory.path()).expect("a directory").count(), 1);
        assert!(replace(&directory.path().join("no/such"), b"").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_written_to() {
        use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
        replace(Path::new("/dev/null"), b"x").expect("written");
        assert!(std::fs::metadata("/dev/null").expect("there").file_type().is_char_device());
        let directory = tempfile::tempdir().expect("a directory");
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        std::fs::write(&file, b"old").expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("set");
        std::os::unix::fs::symlink("file", &link).expect("linked");
        replace(&link, b"new").expect("written");
        assert_eq!(std::fs::read(&file).expect("there"), b"new");
        assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o640);
        assert!(link.symlink_metadata().expect("there").is_symlink());
    }
}
