#!/usr/bin/env python3
"""Fetches the packages of a list and unpacks them, for the clean corpus: what distributions and registries ship.

    tests/corpus/fetch.py LIST DIR

LIST names one file a line below the heads "# Debian", "# PyPI" and "# npm". DIR gets:

    packages/   the files as fetched
    loose/      each unpacked into a folder of its own, without databases of packages
    root/       a root folder as an image has it: Debian packages with dpkg's database, wheels in site-packages with their
                RECORD, npm packages in node_modules

A version that its registry no longer has is replaced by the newest one, and told. Needs apt-get, dpkg-deb, pip and npm.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import urllib.parse
import zipfile

SITE = "usr/local/lib/python3.11/site-packages"
MODULES = "usr/local/lib/node_modules"


def run(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def newest(folder, before):
    """The one file that a fetch left in `folder`."""
    new = sorted(set(os.listdir(folder)) - before)
    return new[0] if new else None


def fetch(commands, folder, name):
    """The first command that brings a file; the file's name."""
    for command in commands:
        before = set(os.listdir(folder))
        if run(*command, cwd=folder).returncode == 0 and (got := newest(folder, before)):
            if command is not commands[0]:
                print(f"{name}: replaced by {got}")
            return got
    print(f"{name}: cannot be fetched")
    return None


def debian(name):
    package, version, _ = urllib.parse.unquote(name).rsplit("_", 2)
    return [["apt-get", "download", f"{package}={version}"], ["apt-get", "download", package]]


def pypi(name):
    package, version = name.split("-")[:2]
    pip = ["pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version=3.11"]
    return [[*pip, f"{package}=={version}"], [*pip, package]]


# Names of packages with a scope, which the names of their files write without marks.
SCOPES = {
    "aws-sdk-client-s3": "@aws-sdk/client-s3",
    "babel-core": "@babel/core",
    "google-cloud-storage": "@google-cloud/storage",
    "octokit-webhooks": "@octokit/webhooks",
    "slack-web-api": "@slack/web-api",
}


def npm(name):
    package, version = re.fullmatch(r"(.+?)-(\d.*)\.tgz", name).groups()
    package = SCOPES.get(package, package)
    return [["npm", "pack", "--silent", f"{package}@{version}"], ["npm", "pack", "--silent", package]]


REGISTRIES = {"Debian": debian, "PyPI": pypi, "npm": npm}


def read_list(path):
    registry = None
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith("# "):
            registry = line[2:].strip()
        elif line.strip() and registry in REGISTRIES:
            yield registry, line.strip()


def unpack(file, folder):
    folder.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", file, folder], check=True)
    elif file.suffix == ".whl":
        zipfile.ZipFile(file).extractall(folder)
    else:
        with tarfile.open(file) as archive:
            archive.extractall(folder, filter="tar")


def install_debian(file, root):
    """As dpkg does, without scripts: files, the list, the sums, the entry in the status file."""
    unpack(file, root)
    info = root / "var/lib/dpkg/info"
    info.mkdir(parents=True, exist_ok=True)
    control = root / "control.tmp"
    subprocess.run(["dpkg-deb", "-e", file, control], check=True)
    fields = (control / "control").read_text().rstrip("\n")
    package = re.search(r"^Package: (.*)$", fields, re.M).group(1)
    same = "Multi-Arch: same" in fields
    name = f"{package}:{re.search('^Architecture: (.*)$', fields, re.M).group(1)}" if same else package
    for part in ("md5sums", "conffiles"):
        if (control / part).exists():
            shutil.copy(control / part, info / f"{name}.{part}")
    paths = subprocess.run(["dpkg-deb", "--fsys-tarfile", file], stdout=subprocess.PIPE, check=True).stdout
    listed = subprocess.run(["tar", "-t"], input=paths, stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")
    lines = [line.rstrip("/").removeprefix(".") or "/." for line in listed.splitlines()]
    (info / f"{name}.list").write_text("".join(f"{line}\n" for line in lines))
    head, rest = fields.split("\n", 1)
    with open(root / "var/lib/dpkg/status", "a") as status:
        status.write(f"{head}\nStatus: install ok installed\n{rest}\n\n")
    shutil.rmtree(control)


def install_npm(file, root):
    folder = root / MODULES / re.sub(r"-\d.*", "", file.name)
    with tarfile.open(file) as archive:
        for member in archive.getmembers():
            member.name = member.name.split("/", 1)[1] if "/" in member.name else member.name
            archive.extract(member, folder, filter="tar")


def main():
    listed, target = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    packages = target / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    for registry, name in read_list(listed):
        folder = packages / f"{registry} {urllib.parse.unquote(name).replace('/', '_')}"
        folder.mkdir(exist_ok=True)
        got = newest(folder, set()) or fetch(REGISTRIES[registry](name), folder, name)
        if got is None:
            continue
        file = folder / got
        loose = target / "loose" / registry / got
        if loose.exists():
            continue
        unpack(file, loose)
        if registry == "Debian":
            install_debian(file, target / "root")
        elif registry == "PyPI":
            unpack(file, target / "root" / SITE)
        else:
            install_npm(file, target / "root")


if __name__ == "__main__":
    main()
