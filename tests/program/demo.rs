//! The small image of the README, `testdata/demo.tar`: a finding of every group. It is written by
//! `cargo test --test program -- --ignored write_demo`, and must be what that writes.

use super::image::{Layer, Made, Stored, archive};
use super::run::plimsoll;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

pub(crate) fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "testdata", "demo.tar"].iter().collect()
}

/// A careless image of a small service.
pub(crate) fn demo() -> Made {
    let base = Layer::default()
        .dir("bin", 0o755)
        .file("bin/sh", 0o755, "\x7fELF stands for a shell\n")
        .file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/srv:/usr/sbin/nologin\n")
        .file("etc/group", 0o644, "root:x:0:\napp:x:1000:\n")
        .file("etc/os-release", 0o644, "ID=debian\nVERSION_ID=\"12\"\n")
        .tar();
    let packages = Layer::default()
        .file("usr/bin/sudo", 0o4755, "\x7fELF stands for sudo\n")
        .file("etc/sudoers.d/app", 0o440, "app ALL=(ALL) NOPASSWD: ALL\n")
        .file("var/lib/apt/lists/example_Packages", 0o644, "Package: example\n")
        .tar();
    let app = Layer::default()
        .file("srv/start.sh", 0o755, "#!/bin/sh\nexec /srv/server\n")
        .file("srv/.git/HEAD", 0o644, "ref: refs/heads/main\n")
        .file("srv/.git/config", 0o644, "[core]\n\tbare = false\n")
        .tar();
    let at = |minute: u32| format!("2026-01-01T00:0{minute}:00Z");
    let step =
        |minute: u32, by: &str| json!({"created": at(minute), "created_by": by, "comment": "buildkit.dockerfile.v0"});
    let metadata = |minute: u32, by: &str| {
        let mut step = step(minute, by);
        step["empty_layer"] = json!(true);
        step
    };
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "created": at(5),
        "config": {
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "DB_PASSWORD=not-a-real-one-Gr0ssbaum"],
            "Entrypoint": ["/bin/sh", "-c", "/srv/start.sh; echo bye"],
            "ExposedPorts": {"22/tcp": {}, "8080/tcp": {}},
            "WorkingDir": "/srv",
        },
        "history": [
            step(0, "ADD rootfs.tar / # buildkit"),
            step(1, "RUN /bin/sh -c apt-get update && apt-get dist-upgrade -y && apt-get install -y sudo # buildkit"),
            metadata(2, "ENV DB_PASSWORD=not-a-real-one-Gr0ssbaum"),
            metadata(2, "EXPOSE [22/tcp 8080/tcp]"),
            step(3, "ADD . /srv # buildkit"),
            metadata(4, "ENTRYPOINT [\"/bin/sh\" \"-c\" \"/srv/start.sh; echo bye\"]"),
        ],
    });
    Made { config, tags: vec!["example/demo:latest".to_owned()], layers: vec![base, packages, app] }
}

fn bytes() -> Vec<u8> {
    archive(&demo().docker(Stored::Plain))
}

#[test]
#[ignore = "writes testdata/demo.tar"]
fn write_demo() {
    fs::write(path(), bytes()).unwrap();
}

#[test]
fn the_demo_is_what_is_written_here() {
    assert!(fs::read(path()).unwrap() == bytes(), "run cargo test --test program -- --ignored write_demo");
    assert!(bytes().len() < 20_000, "{} bytes", bytes().len());
}

#[test]
fn the_demo_shows_every_group() {
    let ran = plimsoll(&["-o".as_ref(), "json".as_ref(), path().as_os_str()]);
    assert_eq!((ran.code, ran.stderr.as_str(), ran.gaps()), (1, "", vec![]));
    let report = ran.json();
    let shown: BTreeSet<&str> =
        report["images"][0]["findings"].as_array().unwrap().iter().filter_map(|it| it["group"].as_str()).collect();
    let folders = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/rules")).unwrap();
    let groups: BTreeSet<String> = folders.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert!(groups.len() > 8);
    assert_eq!(shown, groups.iter().map(String::as_str).collect());
}
