"""The two halves of harvest-test-keys.sh: unpacks packages into one image, and lists the keys that the scan finds in it."""

import bz2, gzip, hashlib, io, json, lzma, pathlib, re, subprocess, sys, tarfile, zipfile

DEEPEST = 4  # archives within archives
LARGEST = 64 << 20  # bytes of a file that is looked at

# A cheap look that spares the image most files: whatever the scan finds has one of these, or begins so.
MARKS = re.compile(
    rb"PRIVATE KEY|LS0tLS1CRUdJTi|PuTTY-User-Key-File|kty|b3BlbnNzaC1rZXktdjE|[Pp]rivate-?[Kk]ey ?=|OpenVPN Static key"
)
BEGINNINGS = (b"\x30\x81", b"\x30\x82", b"\x30\x77", b"\x30\x2e", b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce", b"\x05\x02",
              b"\x94", b"\x95", b"\xc5", b"(11:", b"(21:", b"Key:", b"Created:")


def members(name, data, depth=0):
    """Every file in `data`, archives opened."""
    if depth < DEEPEST:
        try:
            if data[:8] == b"!<arch>\n":
                folder = pathlib.Path(name)
                contents = subprocess.run(["dpkg-deb", "--fsys-tarfile", "/dev/stdin"], input=data, capture_output=True)
                if contents.returncode == 0:
                    yield from members(str(folder / "data.tar"), contents.stdout, depth + 1)
                    return
            for magic, opened in ((b"\x1f\x8b", gzip), (b"BZh", bz2), (b"\xfd7zXZ", lzma)):
                if data.startswith(magic):
                    yield from members(name + ".out", opened.decompress(data), depth)
                    return
            if data[:2] == b"PK" and zipfile.is_zipfile(io.BytesIO(data)):
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    for info in archive.infolist():
                        if not info.is_dir() and info.file_size <= LARGEST:
                            yield from members(f"{name}/{info.filename}", archive.read(info), depth + 1)
                return
            if data[257:262] == b"ustar":
                with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                    for info in archive:
                        if info.isfile() and info.size <= LARGEST:
                            yield from members(f"{name}/{info.name}", archive.extractfile(info).read(), depth + 1)
                return
        except (OSError, EOFError, ValueError, zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, RuntimeError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return
    yield name, data


def unpack(work):
    """Writes images that hold every file that may hold a key, so few in each that no limit of a report cuts any."""
    seen, files, images = set(), [], 0
    for old in work.glob("image-*.tar"):
        old.unlink()
    for package in sorted(path for path in (work / "packages").rglob("*") if path.is_file()):
        for name, data in members(str(package.relative_to(work / "packages")), package.read_bytes()):
            digest = hashlib.sha256(data).digest()
            if digest in seen or not (MARKS.search(data) or data.startswith(BEGINNINGS)):
                continue
            seen.add(digest)
            files.append(data)
            if len(files) == 200:
                write(work / f"image-{images}.tar", files)
                files, images = [], images + 1
    write(work / f"image-{images}.tar", files)
    print(f"{len(seen)} files")


def pack(path, files):
    with tarfile.open(fileobj=path, mode="w") as out:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))


def write(path, files):
    """An image with one layer; names of tests would change nothing, so the files have numbers."""
    layer = io.BytesIO()
    pack(layer, [(f"keys/{number}", data) for number, data in enumerate(files)])
    tar = layer.getvalue()
    config = {"architecture": "amd64", "os": "linux", "config": {},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]}}
    manifest = [{"Config": "config.json", "RepoTags": ["keys:all"], "Layers": ["layer.tar"]}]
    with path.open("wb") as image:
        pack(image, [("manifest.json", json.dumps(manifest).encode()), ("config.json", json.dumps(config).encode()),
                     ("layer.tar", tar)])


def listed(work, root, program):
    """Writes the list: digests of the keys that the program finds in the image, and of their public halves."""
    findings, digests = [], set()
    for image in sorted(work.glob("image-*.tar")):
        command = [program, "--level", "auditor", "--only", "private-key", "-o", "json", str(image)]
        findings += json.loads(subprocess.run(command, stdout=subprocess.PIPE).stdout)["images"][0]["findings"]
    for finding in findings:
        message = finding["message"]
        if "does not parse" in message or "certificates alone" in message:
            continue
        digests.add(finding["secret"]["hash"][:16])
        digests.update(digest[:16] for digest in re.findall(r"public key sha256:([0-9a-f]{64})", message))
    target = root / "src/facts/secrets/keys/known.txt"
    packages = sorted(path.name for path in (work / "packages").glob("*/*"))
    (root / "tests/secrets/test-key-packages.txt").write_text(
        "# The packages that known.txt was made from.\n" + "".join(f"{name}\n" for name in packages))
    target.write_text("# Digests of private keys that everybody has: see known.rs. Made by tests/secrets/harvest-test-keys.sh.\n"
                      + "".join(f"{digest}\n" for digest in sorted(digests)))
    print(f"{len(digests)} digests")


if __name__ == "__main__":
    work = pathlib.Path(sys.argv[2])
    if sys.argv[1] == "unpack":
        unpack(work)
    else:
        listed(work, pathlib.Path(sys.argv[3]), sys.argv[4])
