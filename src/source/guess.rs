//! Names what something that is no image looks like, so that an error can say what to do. Decides nothing else.

use crate::model::push_hex;

/// What a thing looks like, with its article, and what to do about it (empty: nothing to say).
pub(super) type Guess = (String, &'static str);

/// How much of the beginning of a file [`file`] wants to see: an ISO image names itself at 0x8001.
pub(super) const HEAD: usize = 33 * 1024;

const DECOMPRESS: &str = "decompress it first, or compress it with gzip or zstd";
const NOT_SAVED: &str = "write the image with docker save, skopeo copy or buildah push, and lint that file";

/// Offset, bytes there, what it is, what to do.
const MAGICS: &[(usize, &[u8], &str, &str)] = &[
    (0, b"BZh", "a bzip2 file", DECOMPRESS),
    (0, b"\xfd7zXZ\0", "an xz file", DECOMPRESS),
    (0, b"\x04\x22\x4d\x18", "an lz4 file", DECOMPRESS),
    (0, b"\x5d\0\0", "an lzma file", DECOMPRESS),
    (0, b"\x1f\x9d", "a compress (.Z) file", DECOMPRESS),
    (0, b"PK\x03\x04", "a zip file", NOT_SAVED),
    (0, b"PK\x05\x06", "an empty zip file", NOT_SAVED),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip file", NOT_SAVED),
    (0, b"Rar!", "a RAR file", NOT_SAVED),
    (0, b"\x7fELF", "an ELF program", NOT_SAVED),
    (0, b"MZ", "a Windows program", NOT_SAVED),
    (0, b"\0asm", "a WebAssembly module", NOT_SAVED),
    (0, b"!<arch>\n", "an ar archive or Debian package", NOT_SAVED),
    (0, b"\xed\xab\xee\xdb", "an RPM package", NOT_SAVED),
    (0, b"07070", "a cpio archive", NOT_SAVED),
    (0, b"hsqs", "a squashfs file system", NOT_SAVED),
    (32, b"SIF_MAGIC", "a Singularity image", NOT_SAVED),
    (0, b"QFI\xfb", "a QEMU disk image", NOT_SAVED),
    (0, b"KDMV", "a VMware disk image", NOT_SAVED),
    (0, b"vhdxfile", "a VHDX disk image", NOT_SAVED),
    (0, b"conectix", "a VHD disk image", NOT_SAVED),
    (512, b"EFI PART", "a disk image", NOT_SAVED),
    (510, b"\x55\xaa", "a disk image", NOT_SAVED),
    (0x438, b"\x53\xef", "an ext file system", NOT_SAVED),
    (0x400, b"\xe2\xe1\xf5\xe0", "an EROFS file system", NOT_SAVED),
    (0, b"XFSB", "an XFS file system", NOT_SAVED),
    (0x8001, b"CD001", "an ISO image", NOT_SAVED),
    (0, b"SQLite format 3\0", "an SQLite database", NOT_SAVED),
    (0, b"%PDF", "a PDF file", NOT_SAVED),
];

/// What a file that begins with `head` looks like.
pub(super) fn file(head: &[u8]) -> Guess {
    if head.is_empty() {
        return ("an empty file".to_owned(), "");
    }
    let magic = MAGICS.iter().find(|(at, magic, ..)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    if let Some((_, _, what, advice)) = magic {
        return ((*what).to_owned(), advice);
    }
    if head.iter().all(|byte| *byte == 0) {
        return ("a file of zeros".to_owned(), "");
    }
    text(head).unwrap_or_else(|| {
        let mut first = String::new();
        push_hex(&mut first, head.get(..8).unwrap_or(head));
        (format!("an unknown format (first bytes {first})"), NOT_SAVED)
    })
}

fn text(head: &[u8]) -> Option<Guess> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character may be cut at the end of the head.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    if text.contains('\0') {
        return None;
    }
    let has = |word: &str| text.contains(word);
    let starts = |word: &str| text.lines().any(|line| line.trim_start().starts_with(word));
    let (what, advice) = if is_sections(text) {
        ("settings (TOML or INI)", NOT_SAVED)
    } else if text.trim_start().starts_with(['{', '[']) {
        if has("\"imageLayoutVersion\"") || has("\"manifests\"") {
            ("the index of an OCI layout", "name the folder that it lies in")
        } else if has("\"layers\"") || has("\"Layers\"") {
            ("an image manifest without its image", NOT_SAVED)
        } else if has("\"spdxVersion\"") || has("\"bomFormat\"") {
            ("an SBOM", NOT_SAVED)
        } else {
            ("JSON text", NOT_SAVED)
        }
    } else if starts("FROM ") || starts("from ") {
        ("a Dockerfile", "build the image and lint what docker save writes; --dockerfile names its Dockerfile")
    } else if starts("apiVersion:") {
        ("a Kubernetes or Helm file", NOT_SAVED)
    } else if starts("services:") {
        ("a Compose file", NOT_SAVED)
    } else {
        ("text", NOT_SAVED)
    };
    Some((what.to_owned(), advice))
}

/// Whether a text has sections with settings in them: `[name]` or `[[name]]` alone on the first line, then `NAME = …`.
/// In a JSON list a name would be quoted.
fn is_sections(text: &str) -> bool {
    let comment = |line: &&str| !line.is_empty() && !line.starts_with(['#', ';']);
    let mut lines = text.lines().map(str::trim).filter(comment);
    let heads = |line: &str| {
        let name = line.split(['#', ';']).next().unwrap_or_default().trim_end();
        let name = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
        let name = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
        name.trim().starts_with(|c: char| c.is_alphabetic() || c == '_') && !name.contains(',')
    };
    lines.next().is_some_and(heads) && lines.next().is_some_and(|line| heads(line) || line.contains('='))
}

/// Names at the top of a Linux root file system.
const ROOT: &[&str] =
    &["bin", "boot", "dev", "etc", "home", "lib", "lib64", "opt", "proc", "root", "sbin", "sys", "usr", "var"];

/// What an archive or folder that has these names in it looks like.
pub(super) fn names<'a>(names: &(impl Iterator<Item = &'a [u8]> + Clone), is_folder: bool) -> Guess {
    let thing = if is_folder { "a folder" } else { "a tar archive" };
    let any = |test: &dyn Fn(&[u8]) -> bool| names.clone().any(test);
    let ends = |suffix: &[u8]| any(&|name: &[u8]| name.ends_with(suffix));
    let top = |wanted: &[u8]| any(&|name: &[u8]| name.split(|b| *b == b'/').next() == Some(wanted));
    if names.clone().next().is_none() {
        return (format!("an empty {}", thing.trim_start_matches("a ")), NOT_SAVED);
    }
    if is_folder && top(b"manifest.json") {
        let dir = top(b"version");
        return if dir {
            ("a folder of skopeo's dir: transport".to_owned(), "copy it first: skopeo copy dir:FOLDER oci:OTHER")
        } else {
            ("an unpacked docker archive".to_owned(), "pack it again: tar -C FOLDER -cf image.tar .")
        };
    }
    if ends(b"Chart.yaml") {
        return (format!("a Helm chart ({thing} with Chart.yaml)"), "lint the images that the chart names");
    }
    if top(b"repositories") || (ends(b"/layer.tar") && (ends(b"/json") || ends(b"/VERSION"))) {
        return (
            "an image of docker save before Docker 1.10 (no manifest.json)".to_owned(),
            "load it with docker load and save it again",
        );
    }
    if ends(b"/layer.tar") {
        return ("a docker archive without its manifest.json".to_owned(), NOT_SAVED);
    }
    if ends(b"/oci-layout") || ends(b"/index.json") || ends(b"/manifest.json") {
        return (
            format!("{thing} that holds an image in a folder of its own"),
            "name that folder, or pack its contents: tar -C FOLDER -cf image.tar .",
        );
    }
    if top(b"blobs") {
        return (format!("{thing} with the blobs of an OCI layout, without index.json"), NOT_SAVED);
    }
    let roots = ROOT.iter().filter(|root| top(root.as_bytes())).count();
    if top(b".dockerenv") || roots >= 2 || (roots == 1 && !is_folder) {
        return (
            format!("a root file system, as docker export writes it ({thing} without manifest.json or index.json)"),
            "it has no config and no layers: use docker save instead",
        );
    }
    if top(b"Dockerfile") || top(b"Containerfile") {
        return (
            format!("a build context ({thing} with a Dockerfile)"),
            "build the image and lint what docker save writes",
        );
    }
    (format!("{thing} without manifest.json or index.json"), NOT_SAVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_beginning() {
        for (head, what) in [
            (&b""[..], "an empty file"),
            (b"PK\x03\x04xxxx", "a zip file"),
            (b"\x7fELF\x02", "an ELF program"),
            (b"# x\nFROM debian\n", "a Dockerfile"),
            (b"{\"bomFormat\": 1}", "an SBOM"),
            (b"# mine\n[[ignore]]\nrule = \"x\"\n", "settings (TOML or INI)"),
            (b"[a.b] # c\n[a.c]\nx = [1]", "settings (TOML or INI)"),
            (b"[\n  1\n]", "JSON text"),
            (b"[true]", "JSON text"),
            (b"[\"a\",\n\"b=c\"]", "JSON text"),
            (b"hello \xc3", "text"),
            (b"\x01\x02\xff", "an unknown format (first bytes 0102ff)"),
        ] {
            assert_eq!(file(head).0, what);
        }
    }

    #[test]
    fn by_names() {
        let look = |list: &[&str]| names(&list.iter().map(|name| name.as_bytes()), false).0;
        for (list, what) in [
            (&[][..], "an empty tar archive"),
            (&["x/Chart.yaml", "x/values.yaml"], "a Helm chart (a tar archive with Chart.yaml)"),
            (&["repositories", "abc/json"], "an image of docker save before Docker 1.10 (no manifest.json)"),
            (&["img/oci-layout"], "a tar archive that holds an image in a folder of its own"),
            (&["main.rs"], "a tar archive without manifest.json or index.json"),
        ] {
            assert_eq!(look(list), what);
        }
        assert!(look(&["etc/passwd", "bin/x"]).contains("docker export"));
        assert!(look(&[".dockerenv", "a"]).contains("docker export"));
    }
}
