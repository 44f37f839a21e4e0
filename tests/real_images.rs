//! Images made from Debian by real tools (`tests/real/build.sh DIR`), linted by the program as a user runs it. Reads DIR
//! from `PLIMSOLL_REAL`; without it every test says so and passes.
//!
//! `tests/real/planted.expected` lists all findings of the planted image, a line each: rule, severity, place;
//! `more.expected` those at medium and above of the images of `tests/real/more.sh`.
//! `PLIMSOLL_UPDATE=1` writes what was found: every line is to be read, and true, before it is committed.

use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[test]
fn the_planted_defects_are_found_and_nothing_else() {
    let Some(images) = images() else { return };
    let mut seen: Vec<String> = findings(&lint(&images.join("planted"), &["--level", "auditor"])).map(line).collect();
    seen.sort();
    compare(&seen, "planted.expected");
}

#[test]
fn images_with_little_wrong_are_told_little() {
    let Some(images) = images().map(|images| images.join("more")) else { return };
    if !images.is_dir() {
        eprintln!("tests/real/more.sh was not run: its images were not linted");
        return;
    }
    let mut seen = Vec::new();
    for image in ["alpine", "distroless", "services"] {
        let report = lint(&images.join(image), &[]);
        assert_eq!(report["images"][0]["gaps"], json!([]), "{image}");
        seen.extend(
            findings(&report).filter(|finding| is_loud(finding)).map(|finding| format!("{image}: {}", line(finding))),
        );
    }
    seen.sort();
    compare(&seen, "more.expected");
}

#[test]
fn a_hardened_image_has_nothing_at_medium_or_above() {
    let Some(images) = images() else { return };
    let report = lint(&images.join("clean"), &[]);
    let loud: Vec<String> = findings(&report).filter(|finding| is_loud(finding)).map(line).collect();
    assert!(loud.is_empty(), "{loud:#?}");
    assert_eq!(report["images"][0]["gaps"], json!([]));
}

#[test]
fn every_door_leads_to_the_same_report() {
    let Some(images) = images() else { return };
    let first = without_container(lint(&images.join("planted"), &[]));
    let mut doors: Vec<PathBuf> =
        std::fs::read_dir(images.join("doors")).expect("doors").map(|door| door.expect("an entry").path()).collect();
    doors.sort();
    assert!(doors.len() >= 5, "{doors:?}");
    for door in doors {
        let report = without_container(lint(&door, &[]));
        assert!(report == first, "{}:\n{}", door.display(), difference(&first, &report));
        if door.is_file() {
            let report = without_container(lint_stdin(&door));
            assert!(report == first, "{} on standard input:\n{}", door.display(), difference(&first, &report));
        }
    }
}

#[test]
fn one_thread_and_eight_write_the_same_bytes() {
    let Some(images) = images() else { return };
    for image in ["planted", "doors/skopeo-docker.tar"] {
        let [one, eight] = ["1", "8"].map(|threads| run(&images.join(image), &["--threads", threads], Stdio::null()));
        assert!(one == eight, "{image}");
    }
}

/// The folder that `build.sh` filled.
fn images() -> Option<PathBuf> {
    let found = std::env::var_os("PLIMSOLL_REAL").map(PathBuf::from);
    if found.is_none() {
        eprintln!("PLIMSOLL_REAL is not set: images by real tools were not linted");
    }
    found
}

fn run(image: &Path, options: &[&str], input: Stdio) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["-o", "json", "--fail-on", "never"])
        .args(options)
        .arg(image)
        .stdin(input)
        .output()
        .expect("plimsoll runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{}: {said}", image.display());
    output.stdout
}

fn lint(image: &Path, options: &[&str]) -> Value {
    serde_json::from_slice(&run(image, options, Stdio::null())).expect("JSON")
}

fn lint_stdin(image: &Path) -> Value {
    let file = File::open(image).expect("an archive");
    serde_json::from_slice(&run(Path::new("-"), &[], file.into())).expect("JSON")
}

fn findings(report: &Value) -> impl Iterator<Item = &Value> {
    report["images"][0]["findings"].as_array().expect("findings").iter()
}

/// Whether a finding is of medium severity or above.
fn is_loud(finding: &Value) -> bool {
    matches!(text(&finding["severity"]), "critical" | "high" | "medium")
}

/// Fails unless `seen` is what the list `name` says.
fn compare(seen: &[String], name: &str) {
    let seen = seen.join("\n") + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real").join(name);
    if std::env::var_os("PLIMSOLL_UPDATE").is_some() {
        std::fs::write(&file, &seen).expect("written");
    }
    let expected = std::fs::read_to_string(&file).expect("a list");
    let missing: Vec<&str> = expected.lines().filter(|line| !seen.lines().any(|seen| seen == *line)).collect();
    let unforeseen: Vec<&str> = seen.lines().filter(|line| !expected.lines().any(|known| known == *line)).collect();
    assert!(seen == expected, "{name}: missing: {missing:#?}\nunforeseen: {unforeseen:#?}");
}

/// `setuid-file medium /usr/local/bin/rootsh layer 1`.
fn line(finding: &Value) -> String {
    let at = &finding["at"];
    let place = match text(&at["kind"]) {
        "file" => {
            let removed = at["removed_by"].as_u64().map_or(String::new(), |by| format!(" removed by {by}"));
            format!("{} layer {}{removed}", text(&at["path"]), at["layer"])
        }
        "config" => text(&at["pointer"]).to_owned(),
        "history" => format!("history {}", at["step"]),
        other => other.to_owned(),
    };
    format!("{} {} {place}", text(&finding["rule"]), text(&finding["severity"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The report without what an archive format and its compression decide: source, names, digests and sizes of blobs.
fn without_container(mut report: Value) -> Value {
    let image = &mut report["images"][0];
    for key in ["source", "names", "manifest_digest"] {
        image[key] = Value::Null;
    }
    for layer in image["layers"].as_array_mut().expect("layers") {
        layer["digest"] = Value::Null;
        layer["size"] = Value::Null;
        // Where the container has no digest of a layer, it is.
        layer["diff_id_checked"] = Value::Null;
    }
    report
}

/// The first lines that differ.
fn difference(a: &Value, b: &Value) -> String {
    let [a, b] = [a, b].map(|value| serde_json::to_string_pretty(value).expect("JSON"));
    let differing = a.lines().zip(b.lines()).filter(|(a, b)| a != b).take(10);
    let lines: Vec<String> = differing.map(|(a, b)| format!("- {a}\n+ {b}")).collect();
    lines.join("\n")
}
