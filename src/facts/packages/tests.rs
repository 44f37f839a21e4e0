use super::*;
use crate::facts::testing::{Made, dir, file, image, link};
use rusqlite::Connection;

fn read(files: Vec<Made>) -> Packages {
    let (tree, layers) = image(vec![files]);
    Packages::read(&tree, &layers, &Limits::default())
}

fn owner<'a>(packages: &'a Packages, path: &str) -> Option<&'a str> {
    packages.owner(&ImagePath::from(path)).map(|package| package.name.as_str())
}

fn names(packages: &Packages) -> Vec<(&str, &str)> {
    packages.installed.iter().map(|package| (package.name.as_str(), package.version.as_str())).collect()
}

const STATUS: &str = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.2\n\n\
    Package: coreutils\nStatus: install ok installed\nDescription: tools\n Package: not this\n .\nArchitecture: amd64\nVersion: 9.1-1\n\n\n\
    Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\
    Package: zlib1g\nStatus: install ok half-configured\nArchitecture: i386\nVersion: 1:1.2";

#[test]
fn dpkg_with_lists() {
    let packages = read(vec![
        dir("usr/bin"),
        dir("usr/lib"),
        link("bin", "usr/bin"),
        link("lib", "/usr/lib"),
        file("usr/bin/ls", "x"),
        file("var/lib/dpkg/status", STATUS),
        file("var/lib/dpkg/info/coreutils.list", "/.\n/bin\n/bin/ls\n/usr/bin/env\n/usr/share/doc/a b"),
        file("var/lib/dpkg/info/zlib1g:amd64.list", "/lib/x86_64/libz.so.1\n"),
        file("var/lib/dpkg/info/zlib1g:i386.list", "/lib/i386/libz.so.1\n"),
        file("var/lib/dpkg/info/gone.list", "/usr/bin/gone\n"),
    ]);
    assert_eq!(names(&packages), [("coreutils", "9.1-1"), ("zlib1g", "1:1.2"), ("zlib1g", "1:1.2")]);
    for (path, want) in [
        ("/usr/bin/ls", Some("coreutils")),
        ("/bin/ls", Some("coreutils")),
        ("/usr/bin/env", Some("coreutils")),
        ("/bin/env", Some("coreutils")),
        ("/usr/share/doc/a b", Some("coreutils")),
        ("/usr/lib/x86_64/libz.so.1", Some("zlib1g")),
        ("/lib/x86_64/libz.so.1", Some("zlib1g")),
        ("/usr/bin/gone", None),
        ("/usr/bin/l", None),
        ("/srv/bin/ls", None),
    ] {
        assert_eq!(owner(&packages, path), want, "{path}");
    }
    let i386 = packages.owner(&ImagePath::from("/usr/lib/i386/libz.so.1")).unwrap();
    assert_eq!(i386.architecture, "i386");
    let status = Location::file(ImagePath::from("/var/lib/dpkg/status"), 0);
    assert_eq!(packages.package("coreutils").unwrap().at, status.at_line(6));
    assert!(packages.gaps.is_empty());
}

#[test]
fn distroless() {
    let packages = read(vec![
        file("var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12\nArchitecture: amd64\n"),
        file("var/lib/dpkg/status.d/base.md5sums", "0123  etc/debian_version\n4567  usr/share/a b\n"),
        file("var/lib/dpkg/status.d/bGliYw==", "Package: libc6\nVersion: 2.36\n"),
    ]);
    assert_eq!(names(&packages), [("base-files", "12"), ("libc6", "2.36")]);
    assert_eq!(owner(&packages, "/etc/debian_version"), Some("base-files"));
    assert_eq!(owner(&packages, "/usr/share/a b"), Some("base-files"));
}

#[test]
fn apk_in_both_places() {
    let installed = "C:Q1abc=\nP:busybox\nV:1.36\nA:x86_64\nF:bin\nR:busybox\na:0:0:755\nR:sh\nF:\nR:init\n\n\
                     P:musl\nV:1.2\nF:lib\nR:libc.so\n";
    for at in ["lib/apk/db/installed", "usr/lib/apk/db/installed"] {
        let packages = read(vec![file(at, installed)]);
        assert_eq!(names(&packages), [("busybox", "1.36"), ("musl", "1.2")], "{at}");
        assert_eq!(owner(&packages, "/bin/sh"), Some("busybox"));
        assert_eq!(owner(&packages, "/init"), Some("busybox"));
        assert_eq!(owner(&packages, "/lib/libc.so"), Some("musl"));
    }
    let merged = read(vec![dir("usr/lib"), link("lib", "usr/lib"), file("usr/lib/apk/db/installed", installed)]);
    assert_eq!(names(&merged).len(), 2);
    assert_eq!(owner(&merged, "/usr/lib/libc.so"), Some("musl"));
}

/// A header blob: tags with their type, count and data.
fn header(tags: &[(u32, u32, u32, Vec<u8>)]) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, kind, count, bytes) in tags {
        while *kind == 4 && data.len() % 4 != 0 {
            data.push(0);
        }
        for word in [*tag, *kind, data.len() as u32, *count] {
            index.extend_from_slice(&word.to_be_bytes());
        }
        data.extend_from_slice(bytes);
    }
    let mut blob = (tags.len() as u32).to_be_bytes().to_vec();
    blob.extend_from_slice(&(data.len() as u32).to_be_bytes());
    blob.extend_from_slice(&index);
    blob.extend_from_slice(&data);
    blob
}

fn text(tag: u32, value: &str) -> (u32, u32, u32, Vec<u8>) {
    (tag, 6, 1, [value.as_bytes(), b"\0"].concat())
}

fn texts(tag: u32, values: &[&str]) -> (u32, u32, u32, Vec<u8>) {
    let data = values.iter().flat_map(|value| [value.as_bytes(), b"\0"].concat()).collect();
    (tag, 8, values.len() as u32, data)
}

fn numbers(tag: u32, values: &[u32]) -> (u32, u32, u32, Vec<u8>) {
    (tag, 4, values.len() as u32, values.iter().flat_map(|value| value.to_be_bytes()).collect())
}

fn rpmdb(blobs: &[Vec<u8>]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rpmdb.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        .unwrap();
    for blob in blobs {
        connection.execute("INSERT INTO Packages(blob) VALUES (?1)", [blob]).unwrap();
    }
    drop(connection);
    std::fs::read(&path).unwrap()
}

fn bash() -> Vec<u8> {
    let many: Vec<String> = (0..2000).map(|number| format!("doc{number}")).collect();
    let mut bases = vec!["bash", "sh"];
    bases.extend(many.iter().map(String::as_str));
    let mut places = vec![0, 0];
    places.extend(many.iter().map(|_| 1));
    header(&[
        text(1000, "bash"),
        text(1001, "5.1.8"),
        text(1002, "9.el9"),
        numbers(1003, &[2]),
        text(1022, "x86_64"),
        numbers(1116, &places),
        texts(1117, &bases),
        texts(1118, &["/usr/bin/", "/usr/share/doc/bash/"]),
    ])
}

#[test]
fn rpm_in_sqlite() {
    let plain = header(&[text(1000, "setup"), text(1001, "2.13"), text(1002, "1")]);
    let db = rpmdb(&[bash(), plain, b"nonsense".to_vec()]);
    for place in ["var/lib/rpm", "usr/lib/sysimage/rpm"] {
        let packages = read(vec![
            dir("usr/bin"),
            link("bin", "usr/bin"),
            file(&format!("{place}/rpmdb.sqlite"), &db),
            file(&format!("{place}/Packages"), "left behind"),
        ]);
        assert_eq!(names(&packages), [("bash", "2:5.1.8-9.el9"), ("setup", "2.13-1")]);
        assert_eq!(owner(&packages, "/bin/sh"), Some("bash"));
        assert_eq!(owner(&packages, "/usr/share/doc/bash/doc1999"), Some("bash"));
        assert_eq!(packages.installed[0].architecture, "x86_64");
        assert_eq!(packages.gaps.len(), 1, "{:?}", packages.gaps);
        assert!(packages.gaps[0].1.contains("1 records"));
    }
}

#[test]
fn what_is_not_read_is_a_gap() {
    for (files, words) in [
        (vec![file("var/lib/rpm/Packages", "x")], "Berkeley"),
        (vec![file("usr/lib/sysimage/rpm/Packages.db", "x")], "ndb"),
        (vec![file("var/lib/rpm/rpmdb.sqlite", "x")], "no SQLite database"),
        (vec![file("var/lib/dpkg/status", "x").not_held()], "was not read"),
        (vec![file("lib/apk/db/installed", "x").not_held()], "was not read"),
    ] {
        let packages = read(files);
        assert_eq!(packages.gaps.len(), 1, "{:?}", packages.gaps);
        assert!(packages.gaps[0].1.contains(words), "{:?}", packages.gaps);
    }
}

#[test]
fn too_much_is_cut_and_said() {
    let (tree, layers) = image(vec![vec![file("lib/apk/db/installed", "P:a\nF:x\nR:y\nR:z\n")]]);
    let limits = Limits { packages: 700, ..Limits::default() };
    let packages = Packages::read(&tree, &layers, &limits);
    assert_eq!(owner(&packages, "/x/y"), Some("a"));
    assert_eq!(owner(&packages, "/x/z"), None);
    assert_eq!(packages.gaps.len(), 1);

    // A long directory that many files share costs with each of them.
    let files: Vec<String> = (0..40_000).map(|n| format!("R:{n}")).collect();
    let (long, longer) = ("d".repeat(4000), "d".repeat(5000));
    let apk = format!("P:a\nF:{long}\n{}\nP:b\nF:{longer}\nR:x\nP:c\nF:c\nR:x\n", files.join("\n"));
    let (tree, layers) = image(vec![vec![file("lib/apk/db/installed", apk)]]);
    let packages = Packages::read(&tree, &layers, &Limits::default());
    assert_eq!(packages.gaps.len(), 1, "{:?}", packages.gaps);
    let packages = Packages::read(&tree, &layers, &Limits { packages: 1 << 30, ..Limits::default() });
    assert_eq!((packages.gaps.len(), packages.installed.len()), (0, 3));
    assert_eq!(owner(&packages, "/c/x"), Some("c"));
}

#[test]
fn a_directory_is_real_as_far_as_it_is_there() {
    let list = "P:a\nF:bin/x/y/z\nR:f\nF:loop/x/y\nR:f\nF:bin/no/../d\nR:f\n";
    let (tree, layers) = image(vec![vec![
        file("usr/bin/x/there", ""),
        link("bin", "usr/bin"),
        link("loop", "loop"),
        file("lib/apk/db/installed", list),
    ]]);
    let packages = Packages::read(&tree, &layers, &Limits::default());
    for path in ["/usr/bin/x/y/z/f", "/bin/x/y/z/f", "/loop/x/y/f", "/usr/bin/d/f"] {
        assert_eq!(owner(&packages, path), Some("a"), "{path}");
    }
}

#[test]
fn headers_of_any_bytes_do_no_harm() {
    let good = bash();
    for cut in (0..good.len()).step_by(53) {
        let _ = header::Header::open(&good[..cut]);
    }
    for at in 0..200 {
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        if let Some(header) = header::Header::open(&bad) {
            assert!(header.files().map_or(0, Iterator::count) <= bad.len());
            let _ = (header.name(), header.version(), header.architecture());
        }
    }
}
