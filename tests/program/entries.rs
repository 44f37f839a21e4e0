//! `files --entries` against Go's archive/tar: the same entries, and an error where Go has one.

use super::conformance;
use super::go::unquote;
use super::image::{Stored, archive, plain};
use super::run::plimsoll;
use rayon::prelude::*;
use serde_json::Value;
use std::fs;

/// The bytes of a name: text, or hex beside it where it is not UTF-8.
fn bytes(row: &Value, key: &str) -> Vec<u8> {
    let Some(hex) = row[format!("{key}_bytes")].as_str() else {
        return row[key].as_str().unwrap_or_default().as_bytes().to_vec();
    };
    let digits: Vec<_> = hex.as_bytes().chunks(2).collect();
    digits.iter().map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn compare(go: &Value, rows: &[Value], code: i32) -> Result<(), String> {
    let (entries, errors): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(|row| row["error"].is_null());
    let broken = !go["err"].is_null();
    if broken == errors.is_empty() || (code == 3) != broken || errors.len() > 1 {
        return Err(format!("Go: {}, here: exit {code}, {errors:?}", go["err"]));
    }
    let expected = go["entries"].as_array().into_iter().flatten();
    if go["n"] != entries.len() {
        return Err(format!("Go: {} entries, here {}", go["n"], entries.len()));
    }
    for (index, (go, row)) in expected.zip(&entries).enumerate() {
        // Long lists are cut: their later entries have less than all fields.
        let partial = !go["name"].as_str().is_some_and(|name| name.starts_with('"'));
        let text = |key: &str| unquote(go[key].as_str().unwrap_or_default());
        let hash = go["sha256"].as_str();
        let same = [
            row["layer"] == 0 && row["entry"] == index,
            text("name") == bytes(row, "name"),
            text("link") == bytes(row, "link"),
            go["type"] == row["type"],
            go["size"].as_i64().unwrap_or_default().max(0) == row["size"].as_i64().unwrap(),
            partial || ["mode", "uid", "gid"].iter().all(|key| go[*key] == row[*key]),
            hash.is_none_or(|hash| {
                row["sha256"].as_str().is_some_and(|ours| ours.starts_with(hash)) || broken_body(go)
            }),
        ];
        if same.contains(&false) {
            return Err(format!("{same:?}\n  Go   {go}\n  here {row}"));
        }
    }
    Ok(())
}

/// An entry without a body has no hash here; Go's is that of nothing.
fn broken_body(go: &Value) -> bool {
    go["sha256"] == "e3b0c44298fc1c14" && go["type"] != "0"
}

#[test]
fn entries_are_those_of_go() {
    let Some(conformance) = conformance() else { return };
    let hostile = conformance.join("hostile");
    let oracle = fs::read_to_string(hostile.join("tar-oracle-go.jsonl")).unwrap();
    let cases: Vec<Value> = oracle.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let place = tempfile::tempdir().unwrap();
    let judged = cases.par_iter().filter_map(|go| {
        let file = go["file"].as_str().unwrap();
        let path = place.path().join(file.replace('/', "-"));
        fs::write(&path, archive(&plain(vec![fs::read(hostile.join(file)).unwrap()]).docker(Stored::Plain))).unwrap();
        let ran = plimsoll(&["files".as_ref(), "--entries".as_ref(), path.as_os_str()]);
        let rows: Vec<Value> = ran.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        compare(go, &rows, ran.code).err().map(|wrong| format!("{file}: {wrong}"))
    });
    let wrong: Vec<String> = judged.collect();
    assert!(cases.len() > 100 && wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
