//! One image with a token in every place where images have carried one: each is found, at its place, with what became of
//! its file. A token has a checksum that fits, is made here and is another one in each case.

use super::image::{Layer, Stored, archive, hex, layout, plain};
use super::packing::{Zip, bz2, cpio, deb, gz, lz4, rpm, tar, xz, zip, zst};
use super::run::plimsoll;
use super::same::{self, Compared};
use plimsoll::facts::secrets::{Patterns, generate};
use plimsoll::rule::RuleSet;
use serde_json::{Value, json};
use std::io::Read as _;

/// What has to be told of a token.
struct Expected {
    case: String,
    token: String,
    /// Of the finding's place, as far as it is known.
    at: Value,
    /// Parts of the message.
    says: Vec<String>,
}

/// The image that is being made, and what it holds.
struct Matrix {
    patterns: Patterns,
    layers: Vec<Layer>,
    config: Value,
    expected: Vec<Expected>,
}

impl Matrix {
    fn new() -> Self {
        let patterns = RuleSet::builtin().unwrap().patterns().unwrap();
        let layers = (0..3).map(|_| Layer::default()).collect();
        Self { patterns, layers, config: json!({}), expected: Vec::new() }
    }

    /// A new token, that has to be told so.
    fn token(&mut self, case: impl Into<String>, at: Value, says: &[&str]) -> String {
        let number = 7000 + self.expected.len() as u64;
        let token = generate(&self.patterns, "github-token", number).unwrap();
        let says = says.iter().map(ToString::to_string).collect();
        self.expected.push(Expected { case: case.into(), token: token.clone(), at, says });
        token
    }

    /// A file of the lowest layer that containers see, made of a token: its members that the token is in, its line in
    /// the innermost, and what the message says beside that.
    fn file(
        &mut self,
        case: &str,
        path: &str,
        (inside, line): (&[&str], Option<u32>),
        says: &str,
        make: impl FnOnce(&str) -> Vec<u8>,
    ) {
        let at = json!({
            "kind": "file", "path": format!("/{path}"), "layer": 0, "line": line, "inside": inside, "presence": "visible",
            "removed_by": null,
        });
        let token = self.token(case, at, &[&format!("in /{path}"), says]);
        self.layers[0].file(path, 0o644, make(&token));
    }
}

/// Makes a file of a token.
type Make<'a> = &'a dyn Fn(&str) -> Vec<u8>;

/// A text with the token in its second line.
fn text(token: &str) -> Vec<u8> {
    format!("# settings\ntoken = {token}\n").into_bytes()
}

const TEXT: (&[&str], Option<u32>) = (&[], Some(2));

/// The token in files of the lowest layer, as it is written.
fn plainly(matrix: &mut Matrix) {
    for (case, path) in [
        ("plain", "app/settings.conf"),
        ("without an extension", "srv/settings"),
        ("site-packages", "usr/lib/python3.12/site-packages/tool/settings.py"),
        ("node_modules", "app/node_modules/tool/lib/index.js"),
        ("vendor", "app/vendor/tool/client.go"),
        ("tests", "app/tests/client_test.py"),
        ("docs", "usr/share/doc/tool/README.md"),
        ("a shell's history", "root/.bash_history"),
        ("a temporary file", "tmp/build.log"),
        ("a file of Git", "app/.git/config"),
    ] {
        matrix.file(case, path, TEXT, "", text);
    }
    // Edges of the blocks in which streams are read.
    for (case, edge) in [("across 64 KiB", 1usize << 16), ("across 256 KiB", 1 << 18), ("across 1 MiB", 1 << 20)] {
        let lines = |length: usize| b"a line of text that says nothing\n".repeat(length / 33 + 1)[..length].to_vec();
        let line = (edge - 28).div_ceil(33) as u32;
        let path = format!("var/edge/{edge}");
        matrix.file(case, &path, (&[], Some(line + 1)), "", |token| {
            let before = lines(edge - 28);
            [&before[..], b"\ntoken =", token.as_bytes(), b"\n", &lines(5000)].concat()
        });
    }
    matrix.file("in 60 MB", "var/log/large.log", (&[], Some(800_001)), "", |token| {
        let line = [&[b'-'; 59][..], b"\n"].concat();
        let (before, behind) = (line.repeat(800_000), line.repeat(200_000));
        [&before[..], token.as_bytes(), b"\n", &behind].concat()
    });
    matrix.file("in a line of 1.5 MB", "app/bundle.js", (&[], Some(2)), "", |token| {
        let code = "f(a,1);".repeat(107_000);
        format!("\"use strict\";\n{code}g(\"{token}\");{code}\n").into_bytes()
    });
    let binary: (&[&str], Option<u32>) = (&[], None);
    matrix.file("ELF", "usr/bin/tool", binary, "", |token| {
        [&b"\x7fELF\x02\x01\x01\0"[..], &[0; 600], b"%s: \0", token.as_bytes(), b"\0usage\0", &[7; 900]].concat()
    });
    matrix.file("pyc", "app/__pycache__/settings.cpython-312.pyc", binary, "", |token| {
        [&b"\xcb\x0d\x0d\x0a\0\0\0\0abcdefgh\xe3\0\0\0\0z"[..], &[token.len() as u8], token.as_bytes(), b"N\xe9"]
            .concat()
    });
    matrix.file("a Java class", "app/Settings.class", binary, "", |token| {
        [&b"\xca\xfe\xba\xbe\0\0\0\x34\0\x10\x01\0"[..], &[token.len() as u8], token.as_bytes(), b"\x01\0\x04Code"]
            .concat()
    });
    matrix.file("sqlite", "var/lib/app.db", binary, "", |token| database(&["short", token]));
}

/// A database with these rows.
fn database(rows: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch("PRAGMA page_size=1024; CREATE TABLE settings (value TEXT);").unwrap();
    for row in rows {
        database.execute("INSERT INTO settings VALUES (?1)", [row]).unwrap();
    }
    drop(database);
    std::fs::read(&path).unwrap()
}

/// The token in archives and compressed files.
fn packed(matrix: &mut Matrix) {
    type Pack = fn(Vec<u8>) -> Vec<u8>;
    let cases: [(&str, &str, Pack); 6] = [
        ("gz", "app/a.gz", |bytes| gz(&bytes)),
        ("xz", "app/a.xz", |bytes| xz(&bytes)),
        ("bz2", "app/a.bz2", |bytes| bz2(&bytes)),
        ("zstd", "app/a.zst", |bytes| zst(&bytes)),
        ("lz4", "app/a.lz4", |bytes| lz4(&bytes)),
        ("gz in gz", "app/twice", |bytes| gz(&gz(&bytes))),
    ];
    for (case, path, pack) in cases {
        matrix.file(case, path, TEXT, "", |token| pack(text(token)));
    }
    let pair = |token: &str| [("etc/other", b"other\n".to_vec()), ("etc/app.conf", text(token))];
    let member = "etc/app.conf";
    let one = |token: &str| zip(Zip::Deflated, &pair(token));
    let jar: &[&str] = &["BOOT-INF/lib/inner.jar", member];
    let cases: [(&str, &str, &[&str], Make); 13] = [
        ("tar", "a/a.tar", &[member], &|token| tar(&pair(token))),
        ("tar.gz", "a/a.tgz", &[member], &|token| gz(&tar(&pair(token)))),
        ("zip", "a/a.zip", &[member], &one),
        ("a zip that stores", "a/b.zip", &[member], &|token| zip(Zip::Stored, &pair(token))),
        ("a zip that was streamed", "a/c.zip", &[member], &|token| zip(Zip::Streamed, &pair(token))),
        ("a streamed zip that stores", "a/d.zip", &[member], &|token| zip(Zip::StreamedStored, &pair(token))),
        ("jar", "a/a.jar", &[member], &one),
        ("jar in jar", "a/b.jar", jar, &|token| zip(Zip::Stored, &[("BOOT-INF/lib/inner.jar", one(token))])),
        ("zip in zip", "a/e.zip", &["e.zip", member], &|token| zip(Zip::Deflated, &[("e.zip", one(token))])),
        ("deb", "a/a.deb", &["data.tar.xz", member], &|token| deb(&[("data.tar.xz", xz(&tar(&pair(token))))])),
        ("rpm", "a/a.rpm", &[member], &|token| rpm(&zst(&cpio(&pair(token))))),
        ("apk", "a/a.apk", &[member], &|token| {
            [gz(&tar(&[("x", b"sign".to_vec())])[..1024]), gz(&tar(&pair(token)))].concat()
        }),
        ("cpio", "a/a.cpio", &[member], &|token| cpio(&pair(token))),
    ];
    for (case, path, inside, pack) in cases {
        matrix.file(case, path, (inside, Some(2)), "", pack);
    }
    matrix.file("sqlite, over two pages", "var/lib/long.db", (&["page 2"], Some(1)), "", |token| {
        // Where a page ends depends on how long the row is.
        let row = |before: usize| format!("{}{token}{}", "-".repeat(before), "-".repeat(1800 - before));
        let mut databases = (700..900).step_by(10).map(|before| database(&[&row(before)]));
        databases.find(|bytes| memchr::memmem::find(bytes, token.as_bytes()).is_none()).unwrap()
    });
}

/// The token in other writings.
fn written(matrix: &mut Matrix) {
    let line = |token: &str| format!("GITHUB_TOKEN={token} for the robot\n");
    let escaped = |mark: &'static str, end: &'static str| {
        move |token: &str| format!("t: {}", token.replacen('_', &format!("{mark}5f{end}"), 1))
    };
    let wide = |token: &str| -> Vec<u16> { format!("\u{feff}token={token}\r\n").encode_utf16().collect() };
    let cases: [(&str, &str, &str, Make); 9] = [
        ("base64", "w/a.yaml", "in base64", &|token| {
            format!("data: {}\n", base64(line(token).as_bytes())).into_bytes()
        }),
        ("base64 twice", "w/b.yaml", "in base64 twice", &|token| {
            base64(base64(line(token).as_bytes()).as_bytes()).into_bytes()
        }),
        ("hex", "w/c", "in hex", &|token| format!("x {}\n", super::image::hex_of(line(token).as_bytes())).into_bytes()),
        ("percent", "w/d", "in escapes", &|token| escaped("%", "")(token).into_bytes()),
        ("escapes with \\u", "w/e", "in escapes", &|token| escaped("\\u00", "")(token).into_bytes()),
        ("escapes with \\x", "w/f", "in escapes", &|token| escaped("\\x", "")(token).into_bytes()),
        ("HTML's references", "w/g", "in escapes", &|token| token.replacen('_', "&#95;", 1).into_bytes()),
        ("UTF-16, little end", "w/h", "in UTF-16", &|token| {
            wide(token).iter().flat_map(|unit| unit.to_le_bytes()).collect()
        }),
        ("UTF-16, big end", "w/i", "in UTF-16", &|token| {
            wide(token).iter().flat_map(|unit| unit.to_be_bytes()).collect()
        }),
    ];
    for (case, path, says, write) in cases {
        let line = (!case.starts_with("UTF")).then_some(1);
        matrix.file(case, path, (&[], line), says, write);
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let three = |bytes: &[u8]| {
        let word = bytes.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - bytes.len()));
        (0..4)
            .map(|at| if at > bytes.len() { '=' } else { char::from(DIGITS[(word >> (18 - 6 * at)) as usize & 63]) })
            .collect::<String>()
    };
    bytes.chunks(3).map(three).collect()
}

/// The token in what a layer says of its files, and in files that later layers hide.
fn layered(matrix: &mut Matrix) {
    let at = |path: &str, layer: u32, presence: &str, by: Option<u32>| json!({"kind": "file", "path": path, "layer": layer, "presence": presence, "removed_by": by});
    // Deleted, overwritten, and below a folder that was deleted or replaced.
    for (case, path, presence, says) in [
        ("deleted", "gone/a", "removed", "in /gone/a, which layer 1 deleted: it still ships in layer 0"),
        ("overwritten", "gone/b", "overwritten", "in /gone/b, which layer 1 replaced: it still ships in layer 0"),
        ("an opaque folder", "opaque/c", "removed", "in /opaque/c, which layer 1 deleted: it still ships in layer 0"),
        ("a deleted folder", "folder/d", "removed", "in /folder/d, which layer 1 deleted: it still ships in layer 0"),
        ("a folder that became a file", "turned/e", "overwritten", "in /turned/e, which layer 1 replaced"),
    ] {
        let token = matrix.token(case, at(&format!("/{path}"), 0, presence, Some(1)), &[says]);
        matrix.layers[0].file(path, 0o644, text(&token));
    }
    matrix.layers[1].file("gone/.wh.a", 0o644, b"").file("gone/b", 0o644, b"nothing\n").dir("opaque", 0o755);
    matrix.layers[1].file("opaque/.wh..wh..opq", 0o644, b"").file(".wh.folder", 0o644, b"").file("turned", 0o644, b"x");
    // Each layer is stored in another way.
    let token = matrix.token("a layer in zstd", at("/second/a", 1, "visible", None), &["in /second/a"]);
    matrix.layers[1].file("second/a", 0o644, text(&token));
    let token = matrix.token(
        "deleted from a layer in zstd",
        at("/second/b", 1, "removed", Some(2)),
        &["which layer 2 deleted"],
    );
    matrix.layers[1].file("second/b", 0o644, text(&token));
    matrix.layers[2].file("second/.wh.b", 0o644, b"");
    let token = matrix.token("a plain layer", at("/third/a", 2, "visible", None), &["in /third/a"]);
    matrix.layers[2].file("third/a", 0o644, text(&token));
    // Names and links.
    let token = matrix.token("a hard link", at("/linked/z", 0, "visible", None), &["in /linked/z"]);
    matrix.layers[0].file("linked/a", 0o644, text(&token)).hard_link("linked/z", "linked/a");
    matrix.layers[1].file("linked/.wh.a", 0o644, b"");
    let token =
        matrix.token("a symbolic link's target", at("/linked/s", 0, "visible", None), &["in the target of the link"]);
    matrix.layers[0].link("linked/s", &format!("/run/{token}"));
    let token =
        matrix.token("a file's name", json!({"kind": "file", "layer": 0, "presence": "visible"}), &["in its name"]);
    matrix.layers[0].file(format!("named/{token}"), 0o644, b"x");
    let token = matrix.token("xattr", at("/noted/a", 0, "visible", None), &["in the attribute 'user.note'"]);
    let record = format!("SCHILY.xattr.user.note={token}\n");
    // The length counts its own digits and the space.
    let length = record.len() + 3;
    matrix.layers[0].extension(format!("{length} {record}").as_bytes()).file("noted/a", 0o644, b"x");
}

/// The token in the config, the history and the annotations; gives the annotation's.
fn described(matrix: &mut Matrix) -> String {
    let config = |pointer: &str| json!({"kind": "config", "pointer": pointer});
    let env = matrix.token("ENV", config("/config/Env/1"), &["in variable 'GITHUB_TOKEN'"]);
    let of = |matrix: &mut Matrix, case: &str, pointer: &str| {
        matrix.token(case, config(pointer), &["in the image config at"])
    };
    let label = of(matrix, "label", "/config/Labels/org.example.note");
    let cmd = of(matrix, "Cmd", "/config/Cmd/1");
    let entrypoint = of(matrix, "Entrypoint", "/config/Entrypoint/2");
    let health = of(matrix, "Healthcheck", "/config/Healthcheck/Test/1");
    let build = of(matrix, "OnBuild", "/config/OnBuild/0");
    let shell = of(matrix, "Shell", "/config/Shell/1");
    let user = of(matrix, "User", "/config/User");
    let folder = of(matrix, "WorkingDir", "/config/WorkingDir");
    let author = of(matrix, "author", "/author");
    let unknown = of(matrix, "a field that nothing reads", "/x-notes/0");
    let step = |matrix: &mut Matrix, case: &str, number: u32| {
        let says = format!("in step {number} of the build history");
        matrix.token(case, json!({"kind": "history", "step": number}), &[&says])
    };
    let steps = [
        json!({"created_by": format!("ARG TOKEN={}", step(matrix, "ARG", 0)), "empty_layer": true}),
        json!({"created_by": format!("|1 TOKEN={} /bin/sh -c make", step(matrix, "a build argument of RUN", 1))}),
        json!({"created_by": format!("RUN /bin/sh -c curl -H 'X-Key: {}' https://a.net/ # buildkit", step(matrix, "RUN", 2))}),
        json!({"created_by": "COPY . /app", "comment": step(matrix, "comment", 3)}),
        json!({"created_by": "CMD [\"x\"]", "author": step(matrix, "a step's author", 4), "empty_layer": true}),
    ];
    matrix.config = json!({
        "os": "linux", "architecture": "amd64", "author": author, "history": steps, "x-notes": [unknown],
        "config": {
            "Env": ["PATH=/bin", format!("GITHUB_TOKEN={env}")], "Labels": {"org.example.note": label},
            "Cmd": ["--token", cmd], "Entrypoint": ["/app/run", "-k", entrypoint], "User": user, "WorkingDir": format!("/{folder}"),
            "Healthcheck": {"Test": ["CMD-SHELL", format!("curl -H 'T: {health}' localhost")]},
            "OnBuild": [format!("RUN use {build}")], "Shell": ["/bin/sh", shell],
        },
    });
    matrix.token(
        "annotation",
        json!({"kind": "annotation", "key": "org.example.note"}),
        &["in annotation 'org.example.note'"],
    )
}

/// The matrix as an image, and what it holds.
fn image() -> (Vec<u8>, Vec<Expected>) {
    let mut matrix = Matrix::new();
    plainly(&mut matrix);
    packed(&mut matrix);
    written(&mut matrix);
    layered(&mut matrix);
    let note = described(&mut matrix);
    let layers = matrix.layers.iter().map(Layer::tar).collect();
    let mut made = plain(layers);
    made.config = matrix.config;
    let stored = [Stored::Gzip, Stored::Zstd, Stored::Plain];
    let blobs = made.layers.iter().zip(stored).map(|(layer, how)| (how.layer_type(), how.store(layer))).collect();
    let mut members = layout(&made.config_json(), blobs, Some("example/app:1.0"));
    for (_, bytes) in members.iter_mut().filter(|(name, _)| name == "index.json") {
        let mut index: Value = serde_json::from_slice(bytes).unwrap();
        index["manifests"][0]["annotations"]["org.example.note"] = json!(note);
        *bytes = index.to_string().into_bytes();
    }
    (archive(&members), matrix.expected)
}

/// What is wrong with what was found of a token.
fn wrong(expected: &Expected, findings: &[Value]) -> Option<String> {
    let hash = &hex(expected.token.as_bytes())[..16];
    let found: Vec<&Value> = findings.iter().filter(|found| found["secret"]["hash"] == *hash).collect();
    let [found] = found[..] else { return Some(format!("{} findings", found.len())) };
    let message = found["message"].as_str().unwrap_or_default();
    let severe = ["medium", "high", "critical"].iter().any(|severity| found["severity"] == *severity);
    let placed = expected.at.as_object().unwrap().iter().all(|(key, value)| found["at"][key] == *value);
    let said = expected.says.iter().all(|part| message.contains(part.as_str()));
    let proved = found["rule"] == "github-token" && message.contains("checksum valid");
    let other = found["also"].as_array().is_some_and(|also| !also.is_empty());
    (!severe || !placed || !said || !proved || other)
        .then(|| format!("{found:#}\n   expected {} and {:?}", expected.at, expected.says))
}

#[test]
fn a_token_is_found_in_every_place() {
    let (image, expected) = image();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("matrix.tar");
    std::fs::write(&path, image).unwrap();
    let ran = plimsoll(&["-o", "json", "--fail-on", "never", path.to_str().unwrap()]);
    let report = ran.json();
    assert_eq!(report["images"][0]["gaps"], json!([]), "{}", ran.stderr);
    let findings = report["images"][0]["findings"].as_array().unwrap();
    let wrong = expected.iter().filter_map(|case| Some(format!("{}: {}", case.case, wrong(case, findings)?)));
    let wrong: Vec<String> = wrong.collect();
    assert!(expected.len() >= 60, "{} cases", expected.len());
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), expected.len(), wrong.join("\n"));
    for case in &expected {
        assert!(!ran.text().contains(&case.token), "{}: shown", case.case);
    }
}

#[test]
fn the_fast_way_finds_what_the_slow_one_does_in_every_file() {
    let mut matrix = Matrix::new();
    plainly(&mut matrix);
    packed(&mut matrix);
    written(&mut matrix);
    layered(&mut matrix);
    let mut compared = Compared::default();
    for layer in &matrix.layers {
        let tar = layer.tar();
        for entry in tar::Archive::new(&tar[..]).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut file = Vec::new();
            entry.read_to_end(&mut file).unwrap();
            // Of what is very long, the part around its token.
            let token = file.len() * 4 / 5;
            let part = if file.len() > 8 << 20 { token - (1 << 17)..token + (1 << 17) } else { 0..file.len() };
            let same = same::compare(&matrix.patterns, &file[part]);
            compared = compared.and(same.unwrap_or_else(|what| panic!("{name}: {what}")));
        }
    }
    assert!(compared.hits >= 30 && compared.members >= 30, "{compared:?}");
}
