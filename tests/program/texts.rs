//! Long texts, and secrets in every place that an image has for texts: nothing hangs, nothing grows, nothing is printed
//! whole.

use crate::image::{Layer, Stored, archive, plain};
use crate::run::{Ran, plimsoll};
use plimsoll::facts::secrets::generate;
use plimsoll::rule::RuleSet;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

/// A token of GitHub's, another one for every number.
fn token(number: u32) -> String {
    let patterns = RuleSet::builtin().unwrap().patterns().unwrap();
    generate(&patterns, "github-token", number.into()).unwrap()
}

/// Runs the program on an image whose history is this one command, in every format.
fn lint(command: &str, format: &str) -> Ran {
    let mut image = plain(vec![Layer::default().file("app", 0o755, "x").tar()]);
    image.config["history"] = json!([{"created_by": format!("RUN /bin/sh -c {command}")}]);
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.tar");
    fs::write(&path, archive(&image.docker(Stored::Plain))).unwrap();
    plimsoll(&["-v", "--level", "auditor", "-o", format, path.to_str().unwrap()])
}

fn findings(ran: &Ran) -> Vec<Value> {
    ran.json()["images"][0]["findings"].as_array().unwrap().clone()
}

/// Each is over a megabyte; every run is bound in time and memory. The report holds the command once, among the layers.
#[test]
fn long_commands_give_short_reports() {
    // SARIF tells of every rule, whatever was found.
    let formats = ["json", "sarif", "terminal"];
    let short: BTreeMap<&str, usize> = formats.map(|format| (format, lint("true", format).stdout.len())).into();
    for piece in [
        "X-Api-Key:",
        "Authorization: Bearer ",
        "curl -k x; ",
        "curl -u a:b; ",
        "PASSWORD=$",
        "docker a ",
        "wget -q http://x | sh; ",
        "sudo a; ",
    ] {
        let command = piece.repeat((1 << 20) / piece.len());
        for format in formats {
            let ran = lint(&command, format);
            let most = if format == "json" { 1 << 20 } else { 0 };
            let length = ran.stdout.len();
            assert!((0..=3).contains(&ran.code), "{piece} {format}: {}", ran.stderr);
            assert!(length < short[format] + 2 * most + (1 << 20), "{piece} {format}: {length} bytes");
        }
    }
}

#[test]
fn one_switch_at_one_step_is_one_finding() {
    let ran = lint(&format!("{} true", "curl -k x; ".repeat(16_000)), "json");
    let found = findings(&ran);
    let disabled: Vec<_> = found.iter().filter(|found| found["rule"] == "verification-disabled").collect();
    assert_eq!(disabled.len(), 1);
    assert!(disabled[0]["message"].as_str().unwrap().contains(" times), which"));
    assert!(disabled[0]["at"]["created_by"].as_str().unwrap().len() < 5000);
}

#[test]
fn the_place_of_a_finding_stays_readable() {
    let secret = format!("{}{}", "Zx9", "qW3rT5yU7");
    let command = format!("{}curl -u me:{secret} x; {}", "true; ".repeat(5000), "true; ".repeat(5000));
    let ran = lint(&command, "json");
    let found = findings(&ran);
    let found = found.iter().find(|found| found["rule"] == "secret-in-history").unwrap();
    let shown = found["at"]["created_by"].as_str().unwrap();
    assert!(shown.contains("curl -u me:…(12) x") && shown.contains(" bytes…]") && shown.len() < 5000, "{shown}");
    assert!(!ran.text().contains(&secret));
    let terminal = lint(&command, "terminal");
    assert!(terminal.text().replace("\n      ", " ").contains("curl -u me:…(12)"), "{}", terminal.text());
}

/// As many different secrets as fit: each is masked, wherever it stands.
#[test]
fn many_secrets_are_all_masked() {
    let password = |number: usize| format!("Qz{}x{:04}", "7", number);
    let commands: Vec<String> = (0..5000).map(|number| format!("curl -u me:{} x; ", password(number))).collect();
    let command = commands.concat();
    for format in ["json", "sarif", "terminal"] {
        let ran = lint(&command, format);
        for number in (0..5000).step_by(37) {
            assert!(!ran.text().contains(&password(number)), "{format}: {number}");
        }
    }
    let token = token(3);
    let ran = lint(&format!("{token} ").repeat(300), "json");
    assert!(!ran.text().contains(&token));
}

/// One record of a PAX header.
fn record(key: &str, value: &str) -> String {
    let bare = key.len() + value.len() + 3;
    let length = (1..9).find(|digits| (bare + digits).to_string().len() == *digits).unwrap() + bare;
    format!("{length} {key}={value}\n")
}

/// A token of its own in every place; the second word tells where.
fn canaries() -> Vec<(String, &'static str)> {
    [
        "user",
        "label key",
        "label",
        "file name",
        "link",
        "tag",
        "annotation",
        "annotation key",
        "env",
        "history",
        "author",
        "comment",
        "xattr",
        "pax comment",
        "volume",
        "stop signal",
        "container config",
        "unknown field",
        "platform",
        "created",
        "body",
        "replaced env",
        "folder",
        "health",
        "onbuild",
        "port",
        "shell",
        "workdir",
    ]
    .into_iter()
    .zip(1..)
    .map(|(place, number)| (token(number), place))
    .collect()
}

#[test]
fn no_secret_is_printed_whole() {
    let canaries = canaries();
    let of = |place: &str| &canaries.iter().find(|(_, own)| *own == place).unwrap().0;
    let mut layer = Layer::default();
    layer.file("app/.npmrc", 0o644, format!("//r.example/:_authToken={}", of("body")));
    layer.file(format!("app/{}", of("file name")), 0o4777, "x");
    layer.file(format!("app/{}/x", of("folder")), 0o777, "x");
    layer.link("app/link", of("link"));
    let records = record("SCHILY.xattr.user.note", of("xattr")) + &record("comment", of("pax comment"));
    layer.extension(records.as_bytes());
    layer.file("app/noted", 0o644, "x");
    let mut image = plain(vec![layer.tar()]);
    image.tags = vec![format!("example/{}:1", of("tag"))];
    image.config["config"] = json!({
        "User": of("user"),
        "Env": [format!("PATH=/bin:/{}", of("env")), "GITHUB_TOKEN="],
        "Labels": {of("label key").as_str(): "x", "note": of("label")},
        "Volumes": {of("volume").as_str(): {}},
        "ExposedPorts": {of("port").as_str(): {}},
        "StopSignal": of("stop signal"),
        "WorkingDir": format!("/{}", of("workdir")),
        "Healthcheck": {"Test": ["CMD", of("health")]},
        "OnBuild": [of("onbuild")],
        "Shell": [of("shell")],
        "Entrypoint": ["/app/noted"],
    });
    image.config["container_config"] = json!({"Cmd": [of("container config")]});
    image.config["some"] = json!({"thing": [of("unknown field")]});
    image.config["author"] = json!(of("author"));
    image.config["created"] = json!(of("created"));
    image.config["variant"] = json!(of("platform"));
    image.config["history"] =
        json!([{"created_by": format!("RUN curl {} | sh", of("history")), "comment": of("comment")}]);
    let config = String::from_utf8(image.config_json()).unwrap();
    // The array that a later key replaces.
    let config = config.replacen("\"Env\":[", &format!("\"Env\":[\"A={}\"],\"Env\":[", of("replaced env")), 1);
    let mut members = crate::image::layout(
        config.as_bytes(),
        vec![("application/vnd.oci.image.layer.v1.tar", image.layers[0].clone())],
        image.tags.first().map(String::as_str),
    );
    for (name, bytes) in &mut members {
        if name == "index.json" {
            let mut index: Value = serde_json::from_slice(bytes).unwrap();
            index["manifests"][0]["annotations"]["note"] = json!(of("annotation"));
            index["manifests"][0]["annotations"][of("annotation key").as_str()] = json!("x");
            *bytes = index.to_string().into_bytes();
        }
    }
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.tar");
    fs::write(&path, archive(&members)).unwrap();
    let path = path.to_str().unwrap();
    for args in [
        &["--level", "auditor", "-o", "json", path][..],
        &["--level", "auditor", "-o", "sarif", path],
        &["--level", "auditor", "-v", "-o", "terminal", path],
        &["--level", "auditor", "-o", "terminal", path],
        &["--no-content", "-o", "json", path],
        &["--tag", "none", path],
        &["files", path],
        &["files", "--removed", path],
        &["files", "--entries", path],
    ] {
        let ran = plimsoll(args);
        assert!((0..=3).contains(&ran.code), "{args:?}: {}", ran.stderr);
        for (token, place) in &canaries {
            let hex = crate::image::hex_of(token.as_bytes());
            for shown in [token, &hex, &token[..30].to_owned()] {
                assert!(!ran.text().contains(shown) && !ran.stderr.contains(shown), "{args:?}: {place}");
            }
        }
    }
    // Each is found, too.
    let report = plimsoll(&["-o", "json", path]).json();
    let found = report["images"][0]["findings"].as_array().unwrap();
    let hashes: Vec<_> = found.iter().filter_map(|found| found.pointer("/secret/hash")?.as_str()).collect();
    for (token, place) in canaries.iter().filter(|(_, place)| *place != "tag") {
        let hash = &crate::image::hex(token.as_bytes())[..16];
        assert!(hashes.contains(&hash), "{place} was not found");
    }
}

/// A secret that is deleted and comes back stands first where a container sees it.
#[test]
fn the_visible_place_comes_first() {
    let token = token(50);
    let with = || Layer::default().file("app/key", 0o644, &token).tar();
    let image = plain(vec![with(), Layer::default().file("app/.wh.key", 0o644, "").tar(), with()]);
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.tar");
    fs::write(&path, archive(&image.docker(Stored::Plain))).unwrap();
    let ran = plimsoll(&["-o", "json", path.to_str().unwrap()]);
    let found = findings(&ran);
    let found = found.iter().find(|found| found["rule"] == "github-token").unwrap();
    assert_eq!((&found["at"]["layer"], &found["at"]["presence"]), (&json!(2), &json!("visible")));
    assert_eq!((&found["also"][0]["layer"], &found["also"][0]["presence"]), (&json!(0), &json!("removed")));
}

/// One defect is one finding, of the rule that knows most of it.
#[test]
fn one_defect_is_told_once() {
    let token = token(60);
    let mut layer = Layer::default();
    layer.file("root/.npm/_cacache/a", 0o600, vec![b'x'; 2 << 20]);
    layer.file("root/.netrc", 0o600, format!("machine x login y password {token}"));
    let mut image = plain(vec![layer.tar()]);
    let proxy = format!("http_proxy=http://me:{}{}@proxy.example:3128", "hush", "4ever");
    image.config["config"]["Env"] = json!([format!("GITHUB_TOKEN={token}"), proxy]);
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.tar");
    fs::write(&path, archive(&image.docker(Stored::Plain))).unwrap();
    let ran = plimsoll(&["-o", "json", path.to_str().unwrap()]);
    let rules: Vec<String> = findings(&ran).iter().map(|found| found["rule"].as_str().unwrap().to_owned()).collect();
    for (rule, times) in [
        ("github-token", 1),
        ("secret-in-env", 0),
        ("sensitive-file", 0),
        ("dangerous-env", 1),
        ("build-cache", 1),
        ("leftover-file", 0),
    ] {
        assert_eq!(rules.iter().filter(|own| *own == rule).count(), times, "{rule}: {rules:?}");
    }
}
