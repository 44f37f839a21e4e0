//! Writes what fuzzing begins with: keys of every format, tokens, lines of config files, archives; into the folder that
//! `PLIMSOLL_SEEDS` names, a folder a target.

use crate::packing::{Zip, bz2, cpio, deb, gz, lz4, rpm, tar, xz, zip, zst};
use plimsoll::facts::secrets::generate;
use plimsoll::rule::RuleSet;
use std::path::PathBuf;

pub(crate) fn write() {
    let Some(folder) = std::env::var_os("PLIMSOLL_SEEDS").map(PathBuf::from) else { return };
    let patterns = RuleSet::builtin().expect("rules").patterns().expect("secrets");
    let write = |target: &str, name: &str, head: &[u8], bytes: &[u8]| {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(name), [head, bytes].concat()).expect("a file");
    };
    for kind in ["", "/pkcs8", "/ec", "/openssh", "/pgp", "/jwk", "/putty", "/openvpn", "/encrypted"] {
        let Some(key) = generate(&patterns, &format!("private-key{kind}"), 5) else { continue };
        let name = kind.trim_start_matches('/');
        write("keys", &format!("text-{name}"), b"\x07", key.as_bytes());
        write("keys", &format!("bytes-{name}"), b"\x07", &from_base64(&key));
        write("keys", &format!("escaped-{name}"), b"\x07", key.replace('\n', "\\n").as_bytes());
        write("search", &format!("key-{name}"), b"\x01\x02\x07\x01", key.as_bytes());
    }
    let texts = [
        "password = 'xV7-qK2mPz4w'\n",
        "{\"user\": \"x\", \"password\": \"xV7-qK2mPz4w\"}",
        "machine example.net login x password xV7-qK2mPz4w\n",
        "<password>xV7-qK2mPz4w</password>\n",
        "db: 'postgres://x:xV7-qK2mPz4w@db.shop.net/x'\n",
        "curl -u x:xV7-qK2mPz4w -H \"Authorization: Bearer xV7-qK2mPz4w\" https://shop.net",
        "//registry.shop.net/:_authToken=xV7-qK2mPz4w\n",
        "[section]\nkey: value\npassword=xV7-qK2mPz4w ; note\n",
        "x: |\n  password: xV7-qK2mPz4w\n- a: &b {c: \"d\"}\n",
        "root:$6$saltsalt$xV7qK2mPz4wxV7qK2mPz4w:19000:0:99999:7:::\n",
        "{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{\"Env\":[\"TOKEN=xV7-qK2mPz4w\"],\"Cmd\":[\"a\"],\"Labels\":{\"a\":\"b\"}},\
         \"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},\"history\":[{\"created_by\":\"RUN |1 TOKEN=xV7-qK2mPz4w /bin/sh -c x\"}]}",
        "token=%67%68%70&#95;\\u0041\\x41 dG9rZW49Z2hwX3RoaXMgaXMgdGV4dCBhbmQgbW9yZSB0ZXh0IGluIGJhc2U2NCB0aGF0IGlzIGxvbmc=\n",
        "746f6b656e3d6768705f74686973206973207465787420616e64206d6f72652074657874\n",
        "t\0o\0k\0e\0n\0=\0g\0h\0p\0_\0a\0b\0c\0d\0e\0f\0g\0h\0i\0",
    ];
    for (number, text) in texts.iter().enumerate() {
        for what in 0..4u8 {
            write("texts", &format!("{number}-{what}"), &[what, number as u8 * 17], text.as_bytes());
            write("search", &format!("{number}-{what}"), &[what * 60, 128, 9, what], text.as_bytes());
        }
    }
    for (number, rule) in patterns.rules().iter().enumerate() {
        if let Some(token) = generate(&patterns, &rule.name, 3) {
            write("search", &rule.name, &[number as u8, 120, 3, 1], format!("TOKEN=\"{token}\"\n").as_bytes());
        }
    }
    let token = generate(&patterns, "github-token", 3).expect("a token");
    let text = || format!("# settings\ntoken={token}\n").into_bytes();
    let pair = || vec![("a/other", b"other\n".to_vec()), ("a/b.conf", text())];
    let inner = || zip(Zip::Deflated, &pair());
    for (name, bytes) in [
        ("gz", gz(&text())),
        ("bz2", bz2(&text())),
        ("xz", xz(&text())),
        ("zst", zst(&text())),
        ("lz4", lz4(&text())),
        ("tar", tar(&pair())),
        ("tgz", gz(&tar(&pair()))),
        ("zip", inner()),
        ("stored.zip", zip(Zip::Stored, &pair())),
        ("streamed.zip", zip(Zip::Streamed, &pair())),
        ("streamed-stored.zip", zip(Zip::StreamedStored, &pair())),
        ("jar", zip(Zip::Stored, &[("lib/i.jar", inner()), ("x", text())])),
        ("deb", deb(&[("control.tar.gz", gz(&tar(&pair()))), ("data.tar.xz", xz(&tar(&pair())))])),
        ("cpio", cpio(&pair())),
        ("rpm", rpm(&zst(&cpio(&pair())))),
        ("two", [tar(&pair()), gz(&text())].concat()),
    ] {
        write("archives", name, b"\x10", &bytes);
    }
}

/// The bytes that a PEM block's lines stand for.
fn from_base64(pem: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = pem.lines().filter(|line| !line.starts_with('-')).flat_map(str::bytes);
    let (mut out, mut word, mut bits) = (Vec::new(), 0u32, 0);
    for digit in text.filter_map(|byte| DIGITS.iter().position(|known| *known == byte)) {
        word = word << 6 | digit as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
        }
    }
    out
}
