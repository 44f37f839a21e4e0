//! Credentials where no container sees a file by the entry's own name: each is found, and its place is told as it is.

use super::image::{Layer, Stored, archive, plain};
use super::run::plimsoll;
use serde_json::{Value, json};

/// A key that no provider gave out; the file that holds it.
fn credential(which: char) -> Vec<u8> {
    format!("key = {}{which}3EGWTX7ZPLM5RKD\n", ["AK", "IA"].concat()).into_bytes()
}

/// Where the keys of an image of these layers are, in the order of the report.
fn places(layers: Vec<Vec<u8>>, stored: Stored, threads: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tar");
    std::fs::write(&path, archive(&plain(layers).docker(stored))).unwrap();
    let args = ["-o", "json", "--fail-on", "never", "--threads", threads].map(std::ffi::OsStr::new);
    let ran = plimsoll(&[&args[..], &[path.as_os_str()]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report = ran.json();
    let findings = report["images"][0]["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["rule"] == "aws-access-key").map(|finding| finding["at"].clone()).collect()
}

fn place(path: &str, layer: u32, line: u32, removed: Option<u32>) -> Value {
    let presence = if removed.is_some() { "removed" } else { "visible" };
    json!({
        "kind": "file", "path": path, "layer": layer, "line": line, "column": 7, "inside": [],
        "presence": presence, "removed_by": removed,
    })
}

#[test]
fn a_file_is_told_by_the_name_that_a_container_sees() {
    let base = Layer::default()
        .file("a", 0o644, credential('A'))
        .hard_link("z", "a")
        .file("b", 0o644, credential('B'))
        .hard_link("y", "b")
        .file("c", 0o644, credential('C'))
        .hard_link("x", "c")
        .tar();
    let marks = ["", ".wh.a", ".wh.y", ".wh.c", ".wh.x"];
    let upper = marks[1..].iter().fold(Layer::default(), |mut layer, name| {
        layer.file(name, 0o644, b"");
        layer
    });
    let found = places(vec![base, upper.tar()], Stored::Plain, "2");
    assert_eq!(found, [place("/b", 0, 1, None), place("/c", 0, 1, Some(1)), place("/z", 0, 1, None)]);
}

#[test]
fn a_whiteout_with_a_body_is_searched_and_not_visible() {
    let upper = Layer::default().file("d/.wh.x", 0o644, credential('D')).tar();
    let base = Layer::default().file("d/x", 0o644, b"x").tar();
    assert_eq!(places(vec![base, upper], Stored::Gzip, "1"), [place("/d/.wh.x", 1, 1, Some(1))]);
}

#[test]
fn what_follows_the_end_of_a_layer_is_searched() {
    let concatenated = Layer::default().file("late", 0o644, credential('E')).tar();
    let padding = |zeros: usize| vec![0; zeros];
    let base = Layer::default().file("x", 0o644, b"x").tar();
    for zeros in [0, 100, 300 << 10] {
        let mut far = [b"text\n".repeat(70_000), credential('F')].concat();
        far.pop();
        for (tail, line) in [(far, 70_001), (concatenated.clone(), 1)] {
            let layer = [base.clone(), padding(zeros), tail].concat();
            for threads in ["1", "8"] {
                let found = places(vec![layer.clone()], Stored::Plain, threads);
                let [found] = &found[..] else { panic!("{zeros}, {line}: {found:?}") };
                assert_eq!(found["path"], "/(after the end of the layer's archive)");
                assert_eq!((&found["presence"], &found["removed_by"]), (&json!("removed"), &json!(0)));
                if line > 1 {
                    assert_eq!(found["line"], line);
                }
            }
        }
    }
}
