//! What a package ships is public: a key in a file that has the sum its package gives is told as information, one in a
//! changed file as what it is. A service's token is a leak whoever ships it.

use super::faults::Linter;
use super::image::{Layer, Made, hex_of as hex};
use plimsoll::facts::Sums;
use plimsoll::facts::secrets::generate;
use plimsoll::model::{Finding, Limits, Location, Severity};
use plimsoll::source::{Image, MemorySource, Source, StoredLayer};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

const STATUS: &str = "Package: keys\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n";

fn base64(bytes: &[u8], digits: &[u8; 64]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            text.push(char::from(digits[(word >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

const PLAIN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn findings(linter: &Linter, layers: Vec<Vec<u8>>) -> Vec<Finding> {
    read(linter, layers).0
}

/// The findings, and how often a layer was read.
fn read(linter: &Linter, layers: Vec<Vec<u8>>) -> (Vec<Finding>, usize) {
    let image = Made { config: json!({}), tags: Vec::new(), layers };
    let config = image.config_json();
    let inner = MemorySource::new("keys", Vec::new(), Vec::new(), &config, image.layers, &Limits::default()).unwrap();
    let source = Counting { inner, reads: AtomicUsize::new(0) };
    let outcome = linter.lint(&source);
    assert!(outcome.gaps.is_empty(), "{:?}", outcome.gaps);
    (outcome.findings, source.reads.into_inner())
}

/// Counts how often a layer is read.
struct Counting {
    inner: MemorySource,
    reads: AtomicUsize,
}

impl Source for Counting {
    fn image(&self) -> &Image {
        self.inner.image()
    }

    fn layer(&self, index: usize) -> std::io::Result<Box<dyn StoredLayer + '_>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.layer(index)
    }
}

/// The severity and the message of what is told of the file at `path` under `rule`.
fn told(findings: &[Finding], rule: &str, path: &str) -> (Severity, String) {
    let at = |at: &Location| matches!(at, Location::File { path: found, .. } if found.as_bytes() == path.as_bytes());
    let found: Vec<_> = findings.iter().filter(|found| *found.rule == *rule && at(&found.at)).collect();
    let [found] = found[..] else { panic!("{rule} at {path}: {found:?}") };
    (found.severity, found.message.clone())
}

/// A key of its own for each seed.
fn key(linter: &Linter, seed: u64) -> String {
    generate(&linter.patterns, "private-key/ec", seed).unwrap()
}

#[test]
fn a_key_in_a_file_as_its_package_ships_it_is_public() {
    let linter = Linter::new();
    let key = |seed| key(&linter, seed);
    // One that ends in another block than it begins, so that its layer is read again.
    let large = format!("{}{}", "-\n".repeat(200_000), key(1));
    let sums = |text: &str| hex(&Sums::of(text.as_bytes()).md5);
    let list = "/usr/share/keys/a\n/usr/share/keys/large\n/usr/share/keys/changed\n/usr/share/keys/unsummed\n/etc/keys/key\n/lib/keys/merged\n";
    let md5sums = format!(
        "{}  usr/share/keys/a\n{}  usr/share/keys/large\n{}  usr/share/keys/changed\n{}  lib/keys/merged\n",
        sums(&key(2)),
        sums(&large),
        sums("something else"),
        sums(&key(7)),
    );
    let status = format!("{STATUS}Conffiles:\n /etc/keys/key {}\nDescription: x\n\n", sums(&key(5)));
    let token = generate(&linter.patterns, "github-token", 1).unwrap();
    let mut base = Layer::default();
    base.file("var/lib/dpkg/status", 0o644, status)
        .file("var/lib/dpkg/info/keys.list", 0o644, list)
        .file("var/lib/dpkg/info/keys.md5sums", 0o644, md5sums)
        .file("usr/share/keys/a", 0o644, key(2))
        .file("usr/share/keys/large", 0o644, large)
        .file("usr/share/keys/changed", 0o644, key(3))
        .file("usr/share/keys/unsummed", 0o644, key(4))
        .file("etc/keys/key", 0o644, key(5))
        .file("usr/lib/keys/merged", 0o644, key(7))
        .link("lib", "usr/lib")
        .file("srv/own", 0o644, key(6));
    let found = findings(&linter, vec![base.tar()]);
    let told = |path: &str| told(&found, "private-key", path);
    for path in ["/usr/share/keys/a", "/usr/share/keys/large", "/etc/keys/key", "/usr/lib/keys/merged"] {
        let (severity, message) = told(path);
        assert_eq!(severity, Severity::Info, "{path}: {message}");
        assert!(message.contains("shipped by package 'keys'"), "{message}");
    }
    let (severity, message) = told("/usr/share/keys/changed");
    assert_eq!(severity, told("/srv/own").0, "{message}");
    assert!(message.contains("in a file of package 'keys' that was changed"), "{message}");
    let (severity, message) = told("/usr/share/keys/unsummed");
    assert_eq!(severity, Severity::Low, "{message}");

    // A token is one even where a package ships it so; a value that only its name makes a secret is none.
    let named = generate(&linter.patterns, "datadog-key/0", 1).unwrap();
    let list = "/usr/share/keys/token\n/usr/share/keys/named\n/usr/share/keys/other\n";
    let md5sums = format!(
        "{}  usr/share/keys/token\n{}  usr/share/keys/named\n{}  usr/share/keys/other\n",
        sums(&token),
        sums(&named),
        sums("something else"),
    );
    let mut own = Layer::default();
    own.file("var/lib/dpkg/status", 0o644, format!("{STATUS}\n"))
        .file("var/lib/dpkg/info/keys.list", 0o644, list)
        .file("var/lib/dpkg/info/keys.md5sums", 0o644, md5sums)
        .file("usr/share/keys/token", 0o644, token)
        .file("usr/share/keys/named", 0o644, named)
        .file("usr/share/keys/other", 0o644, generate(&linter.patterns, "datadog-key/0", 2).unwrap());
    let found = findings(&linter, vec![own.tar()]);
    let of = |path: &str| self::told(&found, "datadog-key", path).0;
    assert_eq!((of("/usr/share/keys/named"), of("/usr/share/keys/other")), (Severity::Info, Severity::High));
    let (severity, message) = self::told(&found, "github-token", "/usr/share/keys/token");
    assert!(severity >= Severity::High && !message.contains("shipped"), "{message}");
}

#[test]
fn what_lies_in_place_of_a_packages_file_is_not_the_packages() {
    let linter = Linter::new();
    let sum = hex(&Sums::of(key(&linter, 1).as_bytes()).md5);
    let mut base = Layer::default();
    base.file("var/lib/dpkg/status", 0o644, format!("{STATUS}\n"))
        .file("var/lib/dpkg/info/keys.list", 0o644, "/usr/share/keys/a\n/usr/share/keys/b\n")
        .file("var/lib/dpkg/info/keys.md5sums", 0o644, format!("{sum}  usr/share/keys/a\n"))
        .file("usr/share/keys/a", 0o644, key(&linter, 1))
        .file("usr/share/keys/b", 0o644, "nothing");
    let mut above = Layer::default();
    above.file("usr/share/keys/a", 0o644, key(&linter, 2)).file("usr/share/keys/b", 0o644, key(&linter, 3));
    let found = findings(&linter, vec![base.tar(), above.tar()]);
    let own = findings(&linter, vec![Layer::default().file("srv/own", 0o644, key(&linter, 9)).tar()]);
    let full = told(&own, "private-key", "/srv/own").0;
    let of = |layer: u32, path: &str| {
        let at = |at: &Location| matches!(at, Location::File { path: found, layer: its, .. } if found.as_bytes() == path.as_bytes() && *its == layer);
        let found: Vec<_> = found.iter().filter(|found| *found.rule == *"private-key" && at(&found.at)).collect();
        assert_eq!(found.len(), 1, "{path} of layer {layer}");
        found[0].severity
    };
    assert_eq!(of(0, "/usr/share/keys/a"), Severity::Info);
    assert_eq!(of(1, "/usr/share/keys/a"), full);
    assert_eq!(of(1, "/usr/share/keys/b"), full);
}

#[test]
fn other_packages_give_other_sums() {
    let linter = Linter::new();
    let key = |seed| key(&linter, seed);
    let site = "usr/local/lib/python3.12/site-packages";
    let record = |seed: u64| base64(&Sums::of(key(seed).as_bytes()).sha256, URL);
    let apk = format!(
        "P:keys\nV:1\nA:x86_64\nF:etc/keys\nR:a\nZ:Q1{}=\nR:b\nZ:Q1{}=\n\n",
        base64(&Sums::of(key(1).as_bytes()).sha1, PLAIN),
        base64(&Sums::of(key(99).as_bytes()).sha1, PLAIN),
    );
    let mut layer = Layer::default();
    layer
        .file("lib/apk/db/installed", 0o644, apk)
        .file("etc/keys/a", 0o644, key(1))
        .file("etc/keys/b", 0o644, key(2))
        .file(
            format!("{site}/keys-1.0.dist-info/RECORD"),
            0o644,
            format!("keys/a.py,sha256={},1\nkeys/b.py,sha256={},1\nkeys/c.py,,\n", record(3), record(99)),
        )
        .file(format!("{site}/keys/a.py"), 0o644, key(3))
        .file(format!("{site}/keys/__pycache__/a.cpython-312.pyc"), 0o644, key(3))
        .file(format!("{site}/keys/__pycache__/b.cpython-312.pyc"), 0o644, key(5))
        .file(format!("{site}/keys/b.py"), 0o644, key(4))
        .file(format!("{site}/other.py"), 0o644, key(6));
    let found = findings(&linter, vec![layer.tar()]);
    let of = |path: &str| told(&found, "private-key", path).0;
    assert_eq!(of("/etc/keys/a"), Severity::Info);
    // The worst of a secret's places grades it: this one lies in the source and in what was compiled from it.
    assert_eq!(of(&format!("/{site}/keys/__pycache__/a.cpython-312.pyc")), Severity::Info);
    let full = of(&format!("/{site}/other.py"));
    assert_eq!(of(&format!("/{site}/keys/__pycache__/b.cpython-312.pyc")), full);
    assert!(full >= Severity::High);
    assert_eq!(of("/etc/keys/b"), full);
    assert_eq!(of(&format!("/{site}/keys/b.py")), full);
}

/// Whether a file is cut by a block's end must not matter: neither for what is told nor for how often its layer is read.
#[test]
fn files_of_usual_size_are_compared_as_they_stream_by() {
    let linter = Linter::new();
    let text = |size: u64| format!("{}{}", "-\n".repeat(1000 * size as usize), key(&linter, size));
    let texts: Vec<String> = (1..60).map(text).collect();
    let named = |file: usize| format!("usr/share/keys/{file}");
    let sum = |(file, text): (usize, &String)| format!("{}  {}\n", hex(&Sums::of(text.as_bytes()).md5), named(file));
    let with = |low: &str| {
        let md5sums: String = texts.iter().chain([&low.to_owned()]).enumerate().map(sum).collect();
        let list: Vec<String> = (0..=texts.len()).map(|file| format!("/{}", named(file))).collect();
        let mut layer = Layer::default();
        layer
            .file("var/lib/dpkg/status", 0o644, format!("{STATUS}\n"))
            .file("var/lib/dpkg/info/keys.list", 0o644, list.join("\n"))
            .file("var/lib/dpkg/info/keys.md5sums", 0o644, md5sums);
        for (file, text) in texts.iter().map(String::as_str).chain([low]).enumerate() {
            layer.file(named(file), 0o644, text);
        }
        read(&linter, vec![layer.tar()])
    };
    let (found, reads) = with("");
    assert_eq!(reads, 1);
    for file in 0..texts.len() {
        assert_eq!(told(&found, "private-key", &format!("/{}", named(file))).0, Severity::Info, "{file}");
    }
    // For what is low as it is no layer is read twice.
    let password = "MxR7qvT2zLk9";
    let (found, reads) = with(&format!("{}# password = \"{password}\"\n", "-\n".repeat(200_000)));
    let (severity, message) = told(&found, "generic-credential", &format!("/{}", named(texts.len())));
    assert_eq!((reads, severity), (1, Severity::Low), "{message}");
    assert!(message.contains("in a file of package 'keys', not compared with its sum"), "{message}");
}
