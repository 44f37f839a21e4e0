//! The command line, as transcripts: each `tests/cmd/*.txt` holds commands with what they print and their exit code.
//!
//!     $ plimsoll explain nothing
//!     error: no rule 'nothing'
//!     ? 2
//!
//! Commands run in a folder that holds `demo.tar` of `testdata/`, a root file system `export.tar` and a text `notes.txt`;
//! `< FILE` gives standard input and `| head -N` keeps the first lines. Lines of standard error follow those of standard
//! output, behind a line `stderr:`. The program's version stands as `[VERSION]`, the digest and number of all rules as
//! `[RULES]`. `PLIMSOLL_UPDATE=1 cargo test --test cmd` writes what was seen: read it before it is committed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn transcripts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let update = std::env::var_os("PLIMSOLL_UPDATE").is_some();
    let mut files: Vec<_> = std::fs::read_dir(root.join("tests/cmd"))
        .expect("transcripts")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let place = tempfile::tempdir().expect("a folder");
    furnish(place.path(), root);
    let mut wrong = String::new();
    for file in files {
        let expected = std::fs::read_to_string(&file).expect("UTF-8");
        let seen = replay(&expected, place.path());
        if seen == expected {
            continue;
        }
        if update {
            std::fs::write(&file, seen).expect("written");
        } else {
            let _ = writeln!(wrong, "{}\n{}", file.display(), difference(&expected, &seen));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Puts the files in place that commands name.
fn furnish(place: &Path, root: &Path) {
    std::fs::copy(root.join("testdata/demo.tar"), place.join("demo.tar")).expect("copied");
    std::fs::write(place.join("notes.txt"), "An image must not be a text.\n").expect("written");
    let mut export = tar::Builder::new(std::fs::File::create(place.join("export.tar")).expect("written"));
    for name in ["bin/sh", "etc/passwd", "usr/bin/env", "var/log/messages"] {
        let mut header = tar::Header::new_ustar();
        header.set_size(0);
        export.append_data(&mut header, name, std::io::empty()).expect("written");
    }
    export.finish().expect("written");
}

/// The transcript with every command run anew; comments (`#`) stay.
fn replay(transcript: &str, directory: &Path) -> String {
    let mut out = String::new();
    let mut lines = transcript.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("$ plimsoll") else {
            let comment = line.is_empty() || line.starts_with('#');
            assert!(comment, "neither a command nor a comment: {line}");
            out.push_str(line);
            out.push('\n');
            continue;
        };
        while lines.next_if(|line| !line.starts_with("? ")).is_some() {}
        lines.next();
        let _ = writeln!(out, "{line}");
        out.push_str(&run(&words(command), directory));
    }
    out
}

fn run(line: &[String], directory: &Path) -> String {
    let (line, head) = match line {
        [rest @ .., pipe, head, count] if pipe == "|" && head == "head" => {
            (rest, count.trim_start_matches('-').parse().expect("a number of lines"))
        }
        _ => (line, usize::MAX),
    };
    let (args, stdin) = match line {
        [rest @ .., arrow, file] if arrow == "<" => {
            (rest, std::fs::File::open(directory.join(file)).expect("a file").into())
        }
        _ => (line, Stdio::null()),
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(args).current_dir(directory).stdin(stdin).env_clear();
    let output = command.output().expect("the program starts");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let mut text: String = stdout.split_inclusive('\n').take(head).collect();
    if !output.stderr.is_empty() {
        text.push_str("stderr:\n");
        text.push_str(&String::from_utf8(output.stderr).expect("UTF-8"));
    }
    let _ = writeln!(text, "? {}", output.status.code().map_or("signal".to_owned(), |code| code.to_string()));
    let rules = regex::Regex::new(r#"("rules": "sha256:)[0-9a-f]{64}|( \()[0-9]{2,}( rules\))"#).expect("a pattern");
    let text = rules.replace_all(&text, "$1$2[RULES]$3");
    text.replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
}

/// Words at blanks; single quotes keep blanks.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, piece) in command.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn difference(expected: &str, seen: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), seen.lines().collect());
    let first = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let show = |lines: &[&str], mark: char| {
        lines.iter().skip(first).take(12).map(|line| format!("{mark} {line}")).collect::<Vec<_>>().join("\n")
    };
    format!("first difference in line {}:\n{}\n{}", first + 1, show(&old, '-'), show(&new, '+'))
}

/// Reads one line and goes away, as `| head -1` does.
#[cfg(unix)]
#[test]
fn a_reader_that_leaves_is_no_error() {
    use std::io::Read as _;
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["schema", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
    let status = child.wait().expect("it ends");
    assert_eq!((said.as_str(), status.code()), ("", Some(0)));
}
