//! What reports promise: the SARIF that GitHub takes, the JSON of its schema, and that nothing an image holds can steer
//! a terminal, a log or a viewer.

#[path = "shared/sarif_schema.rs"]
mod sarif_schema;

use plimsoll::image::{Digest, Platform};
use plimsoll::model::{
    Confidence, Finding, Gap, Group, ImagePath, Level, Location, Origin, Outcome, Presence, RuleInfo, SecretInfo,
    Severity, is_unsafe,
};
use plimsoll::policy::{Policy, Verdict, decide};
use plimsoll::report::json::{Json, schema};
use plimsoll::report::{Failure, ImageReport, Layer, Render, Report, Sarif, Terminal, Tool, User};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn rule(name: &str, group: Group, severity: Severity) -> RuleInfo {
    RuleInfo {
        name: name.to_owned(),
        group,
        severity,
        confidence: Confidence::High,
        level: Level::Regular,
        aliases: vec!["CIS-DI-0008".to_owned()],
        references: vec!["CIS Docker Benchmark 4.8".to_owned()],
        since: "0.1.0".to_owned(),
        title: format!("Title of {name}"),
        summary: "Whoever runs it becomes its owner.".to_owned(),
        fix: "Take the bit away where the file is made:\n\n```dockerfile\nRUN chmod u-s /usr/bin/sudo\n```\n"
            .to_owned(),
        page: format!("# Title of {name}\n\nWhoever runs it becomes its owner.\n\n## How to fix\n\nTake it away.\n"),
    }
}

fn rules() -> Vec<RuleInfo> {
    vec![
        rule("runs-as-root", Group::Identity, Severity::High),
        rule("setuid-file", Group::Privilege, Severity::Medium),
        rule("token", Group::Secrets, Severity::Critical),
        rule("no-labels", Group::Config, Severity::Info),
    ]
}

fn finding(rule: &str, severity: Severity, at: Location, target: &str) -> Finding {
    Finding {
        rule: rule.into(),
        severity,
        confidence: Confidence::High,
        message: format!("'{target}' is not as it should be"),
        at,
        also: Vec::new(),
        origin: Origin::Own,
        target: target.to_owned(),
        secret: None,
    }
}

fn file(path: &str, layer: u32) -> Location {
    Location::file(ImagePath::from(path), layer)
}

fn setuid(path: &str) -> Finding {
    finding("setuid-file", Severity::Medium, file(path, 1), path)
}

fn digest(byte: u8) -> Digest {
    Digest::sha256(&[byte; 32])
}

fn outcome(findings: Vec<Finding>) -> Outcome {
    let mut outcome = Outcome { findings, ..Outcome::default() };
    outcome.sort();
    outcome
}

fn image(name: Option<&str>, outcome: Outcome, policy: &Policy) -> ImageReport {
    let layer = |index: u32, byte| Layer {
        index,
        digest: None,
        diff_id: Some(digest(byte)),
        diff_id_checked: index == 0,
        size: 1234,
        created_by: Some("COPY . /app # buildkit".to_owned()),
        origin: Origin::Own,
    };
    ImageReport {
        source: "docker-archive:build/app.tar".to_owned(),
        names: name.into_iter().map(str::to_owned).collect(),
        manifest_digest: None,
        config_digest: digest(9),
        platform: Platform { os: "linux".to_owned(), architecture: "arm64".to_owned(), variant: "v8".to_owned() },
        created: Some("2026-01-01T00:00:00Z".to_owned()),
        user: User { config: "app".to_owned(), uid: Some(10001), gid: None },
        layers: vec![layer(0, 1), layer(1, 2)],
        decision: decide(outcome, &rules(), policy, jiff::civil::date(2026, 1, 1)),
    }
}

fn report(images: Vec<ImageReport>, policy: &Policy) -> Report {
    let decisions: Vec<_> = images.iter().map(|image| &image.decision).collect();
    let verdict = Verdict::on(&decisions, 0, policy.fail_on);
    Report {
        tool: Tool { version: "0.1.0".to_owned(), rules_digest: digest(7).to_string() },
        rules: rules(),
        images,
        errors: Vec::new(),
        verdict,
    }
}

fn gate() -> Policy {
    Policy { fail_on: Some(Severity::High), ..Policy::default() }
}

/// Findings of every kind of place, a secret, gaps, notes, and one rule set aside.
fn full() -> Report {
    let policy = gate().ignoring(&["no-labels".to_owned()], &rules()).expect("known");
    let mut token = finding("token", Severity::Critical, file("/app/.env", 1).at_line(3), "app/.env");
    token.at = token.at.with_presence(Presence::Removed { by: 2 });
    token.secret = Some(SecretInfo {
        kind: "github-token".to_owned(),
        redacted: "ghp_…(40)".to_owned(),
        hash: "0123456789abcdef".to_owned(),
    });
    token.also =
        vec![file("/a", 0), Location::History { step: 4, layer: Some(1), created_by: "RUN  curl -H …\n x".into() }];
    let step = Location::History { step: 2, layer: None, created_by: "ADD https://example.org/a /a".into() };
    let mut outcome = outcome(vec![
        finding("runs-as-root", Severity::High, Location::config("/config/User"), "root"),
        setuid("/usr/bin/sudo"),
        setuid("/usr/bin/sudo"),
        Finding { message: "the same file, once more".to_owned(), ..setuid("/usr/bin/sudo") },
        setuid("/opt/a b/#?%:[x]"),
        setuid("/"),
        token,
        finding("setuid-file", Severity::Low, step, "add"),
        finding("runs-as-root", Severity::Low, Location::Annotation { key: "org.example/a".to_owned() }, "a"),
        finding("no-labels", Severity::Info, Location::Image, "labels"),
    ]);
    outcome.gaps = vec![Gap { at: file("/big", 1), reason: "file of 3 GiB: not searched for secrets".to_owned() }];
    outcome.notes = vec![Gap { at: Location::Image, reason: "layer 1: two entries for one path".to_owned() }];
    report(vec![image(Some("registry.example:5000/team/app:1.0"), outcome, &policy)], &policy)
}

fn render(renderer: &dyn Render, report: &Report) -> String {
    let mut out = Vec::new();
    renderer.render(report, &mut out).expect("a vector takes all");
    String::from_utf8(out).expect("UTF-8")
}

fn json(renderer: &dyn Render, report: &Report) -> Value {
    let text = render(renderer, report);
    assert!(text.ends_with("}\n") && text.starts_with('{'), "one object and a final newline");
    serde_json::from_str(&text).expect("JSON")
}

fn valid(schema: &Value, value: &Value) {
    let validator = jsonschema::validator_for(schema).expect("a schema");
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// The SARIF of `report`, judged by the official schema and by what it and other validators let through although GitHub
/// refuses the file for it.
fn sarif(report: &Report) -> Value {
    let log = json(&Sarif, report);
    let official = sarif_schema::official();
    valid(&official, &log);
    judge(&log);
    log
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer} of {value}"))
}

fn judge(log: &Value) {
    let runs = array(log, "runs");
    assert!(runs.len() <= 20, "20 runs at most");
    let mut categories = BTreeSet::new();
    for run in runs {
        let id = text(run, "/automationDetails/id");
        assert!(id.starts_with("plimsoll/") && id.ends_with('/') && !id.contains([':', '@']), "{id}");
        assert!(categories.insert(id), "one category, two runs: {id}");
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
        assert!(run["invocations"][0]["exitCode"].is_u64());

        let rules = array(&run["tool"]["driver"], "rules");
        for rule in rules {
            let properties = &rule["properties"];
            match properties.get("security-severity") {
                Some(score) => {
                    let score: f64 = score.as_str().expect("a text").parse().expect("a number");
                    assert!(score > 0.0 && score <= 10.0);
                }
                None => assert_eq!(text(rule, "/properties/problem.severity"), "recommendation"),
            }
            let tags: BTreeSet<&str> = array(properties, "tags").iter().filter_map(Value::as_str).collect();
            assert_eq!(tags.len(), array(properties, "tags").len(), "tags are unique texts");
            assert!(tags.len() <= 10 && tags.contains("security"), "{tags:?}");
            assert!(["very-high", "high", "medium", "low"].contains(&text(rule, "/properties/precision")));
            assert!(!text(rule, "/id").eq_ignore_ascii_case(text(rule, "/name")));
            for pointer in ["/shortDescription/text", "/fullDescription/text"] {
                assert!(text(rule, pointer).ends_with('.') && text(rule, pointer).chars().count() <= 1024);
            }
            assert!(!text(rule, "/help/text").is_empty() && !text(rule, "/help/markdown").is_empty());
        }

        let results = run["results"].as_array().expect("an array even when clean");
        assert!(results.len() <= 5000);
        let mut seen = BTreeSet::new();
        for result in results {
            assert_eq!(array(result, "locations").len(), 1);
            let uri = text(result, "/locations/0/physicalLocation/artifactLocation/uri");
            assert!(uri.starts_with("container-image/") && !uri.contains("//"), "{uri}");
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b);
            assert!(uri.bytes().all(plain), "{uri}");
            assert!(uri.split('/').all(|part| !matches!(part, "" | "." | "..")), "{uri}");
            let region = &result["locations"][0]["physicalLocation"]["region"];
            for key in ["startLine", "startColumn", "endLine", "endColumn"] {
                assert_eq!(region[key], 1);
            }
            let id = text(result, "/ruleId");
            let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
            assert_eq!(rules[index]["id"], id);
            assert!(result.get("kind").is_none_or(|kind| kind == "fail"));
            assert!(result.get("suppressions").is_none() && result.get("rank").is_none());
            let hash = text(result, "/partialFingerprints/primaryLocationLineHash");
            assert!(seen.insert((id, uri, hash)), "twice: {id} {uri} {hash}");
            assert!(text(result, "/message/text").ends_with('.'));
        }
    }
}

#[test]
fn sarif_is_what_github_takes() {
    let log = sarif(&full());
    let run = &log["runs"][0];
    assert_eq!(run["automationDetails"]["id"], "plimsoll/team/app/linux-arm64-v8/");
    let uris: Vec<&str> = array(run, "results")
        .iter()
        .map(|result| text(result, "/locations/0/physicalLocation/artifactLocation/uri"))
        .collect();
    assert_eq!(
        uris,
        [
            "container-image/team/app/rootfs/app/.env",
            "container-image/team/app/config",
            "container-image/team/app/rootfs",
            "container-image/team/app/rootfs/opt/a%20b/%23%3F%25%3A%5Bx%5D",
            "container-image/team/app/rootfs/usr/bin/sudo",
            "container-image/team/app/rootfs/usr/bin/sudo",
            "container-image/team/app/config",
            "container-image/team/app/history",
        ]
    );
    let said = array(&run["invocations"][0], "toolExecutionNotifications");
    assert_eq!(said.len(), 2, "a gap and a note");
    assert!(text(&said[0], "/message/text").starts_with("not looked at: file of 3 GiB"));
    assert_eq!(run["invocations"][0]["exitCode"], 1);
    assert!(!log.to_string().contains("no-labels is"), "set aside");
}

#[test]
fn sarif_of_a_clean_image_has_no_results() {
    let log = sarif(&report(vec![image(Some("app"), Outcome::default(), &gate())], &gate()));
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(log["runs"][0]["invocations"][0]["exitCode"], 0);
}

#[test]
fn sarif_keeps_its_bounds_and_says_what_it_cut() {
    let many = (0..5010).map(|i| setuid(&format!("/bin/f{i}"))).collect();
    let big = report(vec![image(Some("app"), outcome(many), &gate())], &gate());
    let log = sarif(&big);
    assert_eq!(array(&log["runs"][0], "results").len(), 5000);
    assert!(log["runs"][0]["invocations"][0].to_string().contains("10 results left out"));

    let mut fleet = report((0..25).map(|_| image(Some("app"), Outcome::default(), &gate())).collect(), &gate());
    fleet.errors = vec![Failure { source: "x.tar".to_owned(), message: "x.tar: not an image".to_owned() }];
    let log = sarif(&fleet);
    assert_eq!(array(&log, "runs").len(), 20);
    let said = log["runs"][0]["invocations"][0].to_string();
    assert!(said.contains("5 images left out") && said.contains("not an image"), "{said}");
}

#[test]
fn repositories_carry_no_host_tag_or_digest() {
    let at = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    for (name, repository) in [
        ("alpine", "alpine"),
        ("alpine:3.20", "alpine"),
        ("library/alpine:latest", "library/alpine"),
        ("localhost/app", "app"),
        ("localhost:5000/x:1", "x"),
        ("ghcr.example/a/b:1.0", "a/b"),
        (&format!("host.example:5000/a/b@{at}"), "a/b"),
        ("../..:1", "image"),
        ("a b:1", "a%20b"),
    ] {
        let log = sarif(&report(vec![image(Some(name), outcome(vec![setuid("/x")]), &gate())], &gate()));
        let uri = text(&log["runs"][0]["results"][0], "/locations/0/physicalLocation/artifactLocation/uri");
        assert_eq!(uri, format!("container-image/{repository}/rootfs/x"), "{name}");
    }
    let log = sarif(&report(vec![image(None, outcome(vec![setuid("/x")]), &gate())], &gate()));
    let uri = text(&log["runs"][0]["results"][0], "/locations/0/physicalLocation/artifactLocation/uri");
    assert_eq!(uri, "container-image/app.tar/rootfs/x");
}

#[test]
fn json_follows_its_schema() {
    let full = json(&Json, &full());
    valid(&schema(), &full);
    valid(&schema(), &json(&Json, &report(vec![image(None, Outcome::default(), &gate())], &gate())));
    let mut broken = full.clone();
    broken["images"][0]["findings"][0]["severity"] = "awful".into();
    assert!(!jsonschema::validator_for(&schema()).expect("a schema").is_valid(&broken));

    assert_eq!(full["schema"], "plimsoll.report/1");
    assert_eq!(full["verdict"], serde_json::json!({ "exit": 1, "fail_on": "high", "failing": 2 }));
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&full), ["schema", "tool", "images", "errors", "verdict"]);
    let image = &full["images"][0];
    assert_eq!(
        keys(image),
        [
            "source",
            "names",
            "manifest_digest",
            "config_digest",
            "platform",
            "created",
            "user",
            "layers",
            "findings",
            "gaps",
            "notes",
            "runtime"
        ]
    );
    let layer = ["index", "digest", "diff_id", "diff_id_checked", "size", "created_by", "origin"];
    assert_eq!(keys(&image["layers"][0]), layer);
    assert_eq!(image["runtime"], Value::Null);
    assert_eq!(image["user"], serde_json::json!({ "config": "app", "uid": 10001, "gid": null }));
    let token = &image["findings"][0];
    assert_eq!(
        keys(token),
        [
            "rule",
            "aliases",
            "group",
            "severity",
            "confidence",
            "level",
            "message",
            "at",
            "also",
            "origin",
            "fingerprint",
            "secret",
            "suppressed"
        ]
    );
    assert_eq!(
        token["at"],
        serde_json::json!({ "kind": "file", "path": "/app/.env", "layer": 1, "presence": "removed", "removed_by": 2,
            "line": 3, "column": null, "inside": [] })
    );
    let aside = image["findings"].as_array().expect("an array").last().expect("there");
    assert_eq!(
        aside["suppressed"],
        serde_json::json!({ "by": "ignore", "reason": "--ignore no-labels", "until": null })
    );
    assert!(aside.get("secret").is_none());
    let counts: BTreeMap<String, usize> = array(image, "findings").iter().fold(BTreeMap::new(), |mut counts, found| {
        *counts.entry(text(found, "/fingerprint").to_owned()).or_default() += 1;
        counts
    });
    assert!(counts.values().all(|&count| count == 1), "{counts:?}");
}

#[test]
fn the_terminal_report_reads_well() {
    let expected = "\
docker-archive:build/app.tar (registry.example:5000/team/app:1.0, linux/arm64/v8)

critical  token  Title of token
  'app/.env' is not as it should be
    at /app/.env:3, layer 1, deleted in layer 2
    also /a, layer 0
    also history step 4, layer 1: RUN curl -H … x
  fix: Take the bit away where the file is made:
       RUN chmod u-s /usr/bin/sudo
";
    let shown = render(&Terminal::default(), &full());
    assert!(shown.starts_with(expected), "{shown}");
    assert!(shown.contains("\nNot looked at\n  file of 3 GiB: not searched for secrets\n    at /big, layer 1\n"));
    assert!(shown.ends_with(
        "\n\ndocker-archive:build/app.tar: 1 critical, 1 high, 4 medium, 2 low, 1 set aside, 1 gap (not all was looked \
         at), fails at high (4 rules)\n"
    ));
    assert!(!shown.contains("two entries"), "notes are for -v");
    let verbose = render(&Terminal { verbose: true, ..Terminal::default() }, &full());
    assert!(verbose.contains("Notes\n  layer 1: two entries for one path\n"));
    assert!(verbose.contains("Set aside\n  no-labels: 'labels' is not as it should be (--ignore no-labels)\n"));
    assert!(verbose.contains("  aliases: CIS-DI-0008\n  see: CIS Docker Benchmark 4.8\n"));
}

#[test]
fn many_places_are_folded() {
    let many = (0..17).map(|i| setuid(&format!("/bin/f{i}"))).collect();
    let many = report(vec![image(Some("app"), outcome(many), &gate())], &gate());
    let shown = render(&Terminal::default(), &many);
    assert!(shown.contains("\n  and 12 more, in /bin/f") && shown.contains("; -v shows all\n"), "{shown}");
    let verbose = render(&Terminal { verbose: true, ..Terminal::default() }, &many);
    assert!(verbose.contains("/bin/f16") && !verbose.contains("-v shows"));
}

#[test]
fn the_usual_does_not_bury_what_stands_out() {
    let info = |name: &str| Finding { severity: Severity::Info, ..setuid(name) };
    let mut findings: Vec<Finding> = ["/bin/su", "/bin/mount", "/bin/umount"].map(info).into();
    let of = |findings: Vec<Finding>| report(vec![image(Some("app"), outcome(findings), &gate())], &gate());
    let usual = render(&Terminal::default(), &of(findings.clone()));
    assert!(usual.contains("\n  and 2 more, in /bin/su, /bin/umount; -v shows all\n"), "{usual}");
    findings.push(setuid("/srv/x"));
    let odd = render(&Terminal::default(), &of(findings.clone()));
    assert!(odd.contains("\n  and 3 more at info, in /bin/mount, /bin/su, /bin/umount; -v shows all\n"), "{odd}");
    assert!(odd.contains("at /srv/x, layer") && !odd.contains("at /bin/su"), "{odd}");
    findings.truncate(2);
    let few = render(&Terminal::default(), &of(findings));
    assert!(few.contains("at /bin/su") && few.contains("at /bin/mount"), "{few}");
}

#[test]
fn a_clean_image_is_one_line_or_none() {
    let clean = report(vec![image(Some("app"), Outcome::default(), &gate())], &gate());
    assert_eq!(render(&Terminal::default(), &clean), "docker-archive:build/app.tar: clean (4 rules)\n");
    assert_eq!(render(&Terminal { quiet: true, ..Terminal::default() }, &clean), "");
    let gap = Outcome { gaps: vec![Gap { at: Location::Image, reason: "x".to_owned() }], ..Outcome::default() };
    let partly = report(vec![image(Some("app"), gap, &gate())], &gate());
    assert_eq!(partly.verdict.exit, 3);
    let shown = render(&Terminal { quiet: true, ..Terminal::default() }, &partly);
    assert!(shown.contains("Not looked at\n  x\n"), "{shown}");
}

#[test]
fn colour_is_only_escapes() {
    let plain = render(&Terminal::default(), &full());
    let colored = render(&Terminal { color: true, ..Terminal::default() }, &full());
    assert!(!plain.contains('\u{1b}') && colored.contains("\u{1b}[1m\u{1b}[31mcritical\u{1b}[0m"));
    let mut stripped = String::new();
    let mut pieces = colored.split("\u{1b}[");
    stripped.push_str(pieces.next().expect("one"));
    pieces.for_each(|piece| stripped.push_str(piece.split_once('m').expect("a colour").1));
    assert_eq!(stripped, plain);
}

/// Names and texts that try to be more than text.
const HOSTILE: [&str; 9] = [
    "esc\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}x\u{1b}]52;c;eA==\u{7}",
    "return\rapp.tar: clean (4 rules)",
    "line\napp.tar: clean (4 rules)\nPASS",
    "bidi\u{202e}\u{2066}gnp.exe\u{200b}\u{feff}\u{e0041}",
    "c1\u{9b}31m\u{90}q\u{9c}\u{7f}",
    "<script>alert(1)</script>\"'&",
    "x\n::error::owned\n##vso[task.setvariable variable=a]b",
    "%0A%0D[click](http://evil.example) ![i](x)",
    "{0} {1} `a` | $(id)",
];

fn hostile() -> Report {
    let mut findings = Vec::new();
    for text in HOSTILE {
        let path = ImagePath::clamp(format!("/{text}").as_bytes());
        let at = Location::File {
            path,
            layer: 1,
            presence: Presence::Visible,
            line: None,
            column: None,
            inside: vec![text.to_owned()],
        };
        findings.push(Finding { message: format!("'{text}' is bad"), ..finding("token", Severity::High, at, text) });
        let step = Location::History { step: 1, layer: Some(1), created_by: text.into() };
        findings.push(finding("setuid-file", Severity::High, step, text));
        findings.push(finding("setuid-file", Severity::High, Location::config(format!("/{text}")), text));
        findings.push(finding("setuid-file", Severity::High, Location::Annotation { key: text.to_owned() }, text));
    }
    let foreign = Location::file(ImagePath::clamp(b"/caf\xe9\x9b\xff\n"), 1);
    findings.push(Finding { also: vec![foreign.clone()], ..finding("token", Severity::High, foreign, "café") });
    let mut outcome = outcome(findings);
    outcome.gaps = HOSTILE.iter().map(|text| Gap { at: Location::Image, reason: (*text).to_owned() }).collect();
    outcome.notes.clone_from(&outcome.gaps);
    let mut image = image(Some(HOSTILE[2]), outcome, &gate());
    image.source = format!("docker-archive:{}", HOSTILE[0]);
    image.names.extend(HOSTILE.map(str::to_owned));
    HOSTILE[1].clone_into(&mut image.user.config);
    image.created = Some(HOSTILE[2].to_owned());
    HOSTILE[6].clone_into(&mut image.platform.variant);
    image.layers[0].created_by = Some(HOSTILE[4].to_owned());
    let mut report = report(vec![image], &gate());
    report.errors = vec![Failure { source: HOSTILE[0].to_owned(), message: HOSTILE[2].to_owned() }];
    report
}

#[test]
fn nothing_in_an_image_steers_a_terminal() {
    let report = hostile();
    let tame = |text: &str| {
        assert!(!text.contains(|c| c != '\n' && is_unsafe(c)), "{text:?}");
        for line in text.lines() {
            assert!(!line.starts_with("::") && !line.starts_with("##") && !line.starts_with("PASS"), "{line}");
            assert!(!line.starts_with("app.tar: clean"), "{line}");
        }
    };
    for verbose in [false, true] {
        tame(&render(&Terminal { verbose, ..Terminal::default() }, &report));
    }
    tame(&render(&Json, &report));
    tame(&render(&Sarif, &report));
}

#[test]
fn json_reads_back_what_was_there() {
    let log = json(&Json, &hostile());
    valid(&schema(), &log);
    let image = &log["images"][0];
    let messages: BTreeSet<&str> = array(image, "findings").iter().map(|found| text(found, "/message")).collect();
    let steps: BTreeSet<&str> =
        array(image, "findings").iter().filter_map(|found| found.pointer("/at/created_by")?.as_str()).collect();
    let reasons: BTreeSet<&str> = array(image, "gaps").iter().map(|gap| text(gap, "/reason")).collect();
    for hostile in HOSTILE {
        assert!(messages.contains(format!("'{hostile}' is bad").as_str()), "{hostile:?}");
        assert!(steps.contains(hostile) && reasons.contains(hostile), "{hostile:?}");
    }
    let foreign =
        array(image, "findings").iter().find_map(|found| Some((&found["at"], found["at"].get("path_bytes")?)));
    let (at, bytes) = foreign.expect("a path that is not UTF-8");
    assert_eq!(text(at, "/path"), "/caf\\xe9\\x9b\\xff\n");
    assert_eq!(bytes, "2f636166e99bff0a");
    assert_eq!(image["created"], HOSTILE[2]);
}

#[test]
fn sarif_stays_valid_and_inert() {
    let log = sarif(&hostile());
    for result in array(&log["runs"][0], "results") {
        let message = text(result, "/message/text");
        assert!(!message.contains("](") && !message.contains('\n'), "{message}");
    }
    let messages: BTreeSet<&str> =
        array(&log["runs"][0], "results").iter().map(|result| text(result, "/properties/message")).collect();
    for hostile in HOSTILE {
        assert!(messages.contains(format!("'{hostile}' is bad").as_str()), "{hostile:?}");
    }
}

/// For judging by hand with other validators: `PLIMSOLL_WRITE_SARIF=DIR cargo test --test report`.
#[test]
fn sarif_for_other_judges() {
    let Ok(directory) = std::env::var("PLIMSOLL_WRITE_SARIF") else { return };
    let clean = report(vec![image(Some("app"), Outcome::default(), &gate())], &gate());
    let reports = [("full", full()), ("hostile", hostile()), ("clean", clean)];
    for (name, report) in reports {
        std::fs::write(format!("{directory}/{name}.sarif"), render(&Sarif, &report)).expect("written");
    }
}
