#!/usr/bin/env python3
"""Counts false alarms and misses on the clean corpus that fetch.py unpacked.

    cargo build --release
    cargo run --release --example corpus-secrets -- 300 1 >secrets.jsonl
    tests/corpus/measure.py target/release/plimsoll DIR secrets.jsonl [SEED]

Three images are made and linted: the packages as loose files, a layer for each registry; the root folder with its
databases of packages; and the loose files again with the secrets planted at places chosen by SEED. Alarms are findings of
the rules about secrets; a secret counts as found when a finding at medium or above points at its file and line.
"""

import collections
import hashlib
import io
import json
import os
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile

LEVELS = ["info", "low", "medium", "high", "critical"]
FORMS = ["{}", "export TOKEN={}", 'token = "{}"', "  token: {}", '  "token": "{}",', "# {}", "//{}", "<token>{}</token>"]


def files(folder):
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield pathlib.Path(top, name)


def is_text(path):
    if path.is_symlink() or not path.is_file() or not 200 <= path.stat().st_size <= 4 << 20:
        return False
    with open(path, "rb") as file:
        return b"\0" not in file.read(8 << 10)


def choose(folders, secrets, seed):
    """Which secret stands in which file, and before which line."""
    numbers = random.Random(seed)
    texts = [path for folder in folders for path in files(folder) if is_text(path)]
    chosen = numbers.sample(texts, len(secrets))
    planted = {}
    for path, secret in zip(chosen, secrets):
        lines = path.read_bytes().split(b"\n")
        line = numbers.randrange(len(lines))
        many = "\n" in secret["text"] or " " in secret["text"] or "=" in secret["text"]
        form = "{}" if many else numbers.choice(FORMS)
        planted[path] = (line, form.format(secret["text"]).encode(), secret["rule"])
    return planted


def add_layer(archive, number, folder, planted, temporary):
    """Writes a folder as a layer; its bytes of content, and its diff id."""
    size = 0
    with tempfile.NamedTemporaryFile(dir=temporary) as file:
        with tarfile.open(fileobj=file, mode="w") as layer:
            for path in files(folder):
                member = layer.gettarinfo(path, arcname=str(path.relative_to(folder)))
                member.uid = member.gid = 0
                member.mode &= 0o755
                if not member.isreg():
                    layer.addfile(member)
                    continue
                data = path.read_bytes()
                if path in planted:
                    line, text, _ = planted[path]
                    lines = data.split(b"\n")
                    data = b"\n".join([*lines[:line], text, *lines[line:]])
                member.type, member.linkname, member.size = tarfile.REGTYPE, "", len(data)
                size += len(data)
                layer.addfile(member, io.BytesIO(data))
        file.flush()
        archive.add(file.name, arcname=f"{number}/layer.tar")
        digest = hashlib.file_digest(open(file.name, "rb"), "sha256").hexdigest()
    return size, f"sha256:{digest}"


def lint(plimsoll, folders, planted, temporary):
    """The findings about secrets in an image of `folders`, and its bytes."""
    size = 0
    with tempfile.NamedTemporaryFile(dir=temporary, suffix=".tar") as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            names, ids = [], []
            for number, folder in enumerate(folders):
                more, digest = add_layer(archive, number, folder, planted, temporary)
                size += more
                ids.append(digest)
                names.append(f"{number}/layer.tar")
            config = json.dumps({"os": "linux", "architecture": "amd64", "config": {}, "rootfs": {"type": "layers", "diff_ids": ids}})
            manifest = json.dumps([{"Config": "config.json", "RepoTags": ["corpus:1"], "Layers": names}])
            for name, text in [("config.json", config), ("manifest.json", manifest)]:
                member = tarfile.TarInfo(name)
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        file.flush()
        run = subprocess.run([plimsoll, "-o", "json", file.name], stdout=subprocess.PIPE)
    report = json.loads(run.stdout)
    [image] = report["images"]
    return [found for found in image["findings"] if found["group"] == "secrets"], size


def counts(findings, size):
    of = lambda level: sum(LEVELS.index(found["severity"]) >= LEVELS.index(level) for found in findings)
    return {level: (of(level), round(of(level) / (size / 1e9), 2)) for level in ("medium", "high")}


def tell(what, findings, size):
    for level, (count, rate) in counts(findings, size).items():
        print(f"{what}: {count} alarms at {level} and above, {rate} a GB")
    for found in findings:
        if LEVELS.index(found["severity"]) >= LEVELS.index("medium"):
            print(f"    {found['severity']:8} {found['rule']}: {found['message']}")


def places(found):
    for at in [found["at"], *found.get("also", [])]:
        if at["kind"] == "file":
            yield at["layer"], at["path"], at.get("line")


def main():
    plimsoll, corpus, secrets = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    secrets = [json.loads(line) for line in open(secrets)]
    folders = [corpus / "loose" / name for name in ("Debian", "PyPI", "npm")]
    clean, size = lint(plimsoll, folders, {}, corpus)
    tell(f"loose files, {size / 1e9:.2f} GB", clean, size)
    as_image, size = lint(plimsoll, [corpus / "root"], {}, corpus)
    tell(f"as an image, {size / 1e9:.2f} GB", as_image, size)
    planted = choose(folders, secrets, seed)
    found, _ = lint(plimsoll, folders, planted, corpus)
    told = {}
    for finding in found:
        for layer, path, line in places(finding):
            told.setdefault((layer, path), []).append((line, finding))
    missed = collections.Counter()
    hits = 0
    for path, (line, text, rule) in sorted(planted.items()):
        layer = next(number for number, folder in enumerate(folders) if folder in path.parents)
        where = (layer, "/" + str(path.relative_to(folders[layer])))
        rows = range(line + 1, line + 2 + text.count(b"\n"))
        here = [finding for row, finding in told.get(where, []) if row in rows]
        if any(LEVELS.index(finding["severity"]) >= LEVELS.index("medium") for finding in here):
            hits += 1
        else:
            missed[rule] += 1
            print(f"    missed: {rule} at {where[1]}:{line + 1}: {[finding['severity'] for finding in here]}")
    print(f"planted: {hits} of {len(planted)} found at medium and above, {100 * hits / len(planted):.1f} %")


if __name__ == "__main__":
    main()
