//! Runs the program, with an eye on its time and memory where the system can tell.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a run did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code; 124 when it hung.
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Peak memory that no run may pass, in kB.
const MEMORY: f64 = 300.0 * 1024.0;
/// Seconds of work that no run may pass.
const WORK: f64 = 10.0;
/// Seconds after which a run hangs: it may share the machine with many.
const HANGS: &str = "60";

impl Ran {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// The report, of `-o json`.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn gaps(&self) -> Vec<String> {
        let report = self.json();
        let images = report["images"].as_array().unwrap();
        let gaps = images.iter().flat_map(|image| image["gaps"].as_array().unwrap());
        gaps.map(|gap| gap["reason"].as_str().unwrap().to_owned()).collect()
    }

    /// What is wrong with the way it ended, whatever it was given: anything but an answer with a reason.
    pub(crate) fn disorder(&self) -> Option<String> {
        let lines: Vec<&str> = self.stderr.lines().collect();
        let errors = lines.iter().filter(|line| line.starts_with("error: ")).count();
        let told = lines.iter().all(|line| ["error: ", "help: "].iter().any(|start| line.starts_with(start)));
        if !told || self.stderr.chars().any(|c| c.is_control() && c != '\n') {
            return Some(format!("it says {:?}", self.stderr));
        }
        match self.code {
            2 if errors != 1 => Some(format!("{errors} errors: {:?}", self.stderr)),
            0 | 1 | 3 if errors != 0 => Some(format!("exit {} with an error: {:?}", self.code, self.stderr)),
            3 if self.gaps().is_empty() => Some("exit 3 without a gap".to_owned()),
            0 if !self.gaps().is_empty() => Some(format!("exit 0 with gaps {:?}", self.gaps())),
            0..=3 => None,
            code => Some(format!("exit {code}: {:?}", self.stderr)),
        }
    }
}

/// Runs the program with `args` and nothing on standard input.
pub(crate) fn plimsoll<S: AsRef<OsStr>>(args: &[S]) -> Ran {
    plimsoll_on(args, None)
}

/// Runs the program with `args` and a file on standard input. Fails where a run is killed, takes too long or too much
/// memory.
pub(crate) fn plimsoll_on<S: AsRef<OsStr>>(args: &[S], stdin: Option<&Path>) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let usage = folder.path().join("usage");
    let program = env!("CARGO_BIN_EXE_plimsoll");
    let mut command = if Path::new("/usr/bin/time").exists() && Path::new("/usr/bin/timeout").exists() {
        let mut command = Command::new("/usr/bin/timeout");
        command.args(["-k", "1", HANGS, "/usr/bin/time", "-q", "-f", "%M %U %S", "-o"]).arg(&usage).arg(program);
        command
    } else {
        Command::new(program)
    };
    let stdin = stdin.map_or_else(Stdio::null, |path| File::open(path).unwrap().into());
    let output = command.args(args).stdin(stdin).env_clear().output().unwrap();
    let shown = || args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect::<Vec<_>>().join(" ");
    let code = output.status.code().unwrap_or_else(|| panic!("{}: killed", shown()));
    assert_ne!(code, 124, "{}: hangs", shown());
    match fs::read_to_string(&usage) {
        Ok(usage) => {
            let numbers: Vec<f64> = usage.split_whitespace().map(|word| word.parse().unwrap()).collect();
            assert!(numbers[0] < MEMORY, "{}: {} kB of memory", shown(), numbers[0]);
            assert!(numbers[1] + numbers[2] < WORK, "{}: {} s", shown(), numbers[1] + numbers[2]);
        }
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
    }
    Ran { code, stdout: output.stdout, stderr: String::from_utf8(output.stderr).unwrap() }
}
