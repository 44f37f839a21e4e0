#!/usr/bin/env python3
"""Chooses the lines of the labelled set from the candidates that the scanner sees in unpacked packages.

    PLIMSOLL_CORPUS=FOLDER cargo test --test generic candidates -- --ignored --nocapture | tests/generic/collect.py > lines.tsv

README.md beside this file says what the columns are and how the labels came about.
"""
import hashlib
import re
import sys

NEGATIVES, TEMPLATES = 2600, 700
# What tells that nobody takes the value for a credential.
SAID = re.compile(r"exampl|sampl|dummy|fake|test|mock|demo|place|your|chang|todo|xxx|redact|insert|replac|default|foo|bar|baz"
                  r"|pass|pwd|secret|token|key|cred|auth|user|admin|some|string|value|name|my|1234|abc|qwe|none|null|type", re.I)
LETTERS = str.maketrans("01345@$7", "oieasast")
PARTS = re.compile(r"[A-Za-z][a-z]+\d{0,2}[A-Z][a-z]{2,}")
NAMED = re.compile(r"^[A-Za-z_$@&!~.-][A-Za-z_.$:-]*[0-9]?$")


def order(*parts):
    """A place in an order of no meaning, the same each time."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def source(path):
    """Package and folder, without versions."""
    parts = path.split("/")
    at = next(i for i, part in enumerate(parts) if part in ("Debian", "PyPI", "npm"))
    package = re.split(r"[_-]\d", parts[at + 1])[0]
    return package + "/" + "/".join(parts[at + 2 : -1])[-60:]


def kind(features):
    return next((f[4:].lower() for f in features if f in
                 ("NamePassword", "NameSecret", "NameToken", "NameKey", "NameAuth", "NameUrl")), "auth")


def unsure(value, features):
    """Whether the value may be one that somebody uses: such lines make no negatives."""
    mixed = bool({"AllClasses", "LettersDigits", "HardMark", "WordDigitsMark", "HexOther", "HexOfHash", "Uuid", "Base64Padded"} & features)
    chance = bool({"HumanMean5", "HumanMeanMore", "MachineMean5", "MachineMeanMore"} & features) and len(value) > 6
    code = bool({"BareSpaced", "BareDotted", "Blanks", "TemplateMarks", "Version", "PathLike", "DateLike", "CamelName", "SnakeName",
                 "DottedName", "CapitalName"} & features) or "\\u" in value.lower() or bool(PARTS.search(value) and not chance)
    if code or "example" in value.lower():
        return False
    # In long values of chance a word is one as well.
    return (chance and len(value) > 15) or bool({"HexOfHash", "Uuid", "HexOther", "Base64Padded"} & features) or (
        (mixed or chance) and not SAID.search(value) and not SAID.search(value.translate(LETTERS)) and not NAMED.match(value))


def main():
    negatives, templates = [], []
    seen = {}
    rows = [row.rstrip("\n").split("\t") for row in sys.stdin]
    rows = [row for row in rows if len(row) == 8 and "detect_secrets" not in row[0]]
    rows.sort(key=lambda row: order(row[0], row[1], row[4]))
    for path, number, score, name, value, at, line, features in rows:
        features, at, place = set(features.split()), int(at), source(path)
        shown = line.encode("utf-8", "replace")
        # `at` counts bytes; long lines are cut around the value.
        before, after = shown[:at], shown[at + len(value.encode()):]
        if shown[at : at + len(value.encode())].decode("utf-8", "replace") != value or b"{{V}}" in shown:
            continue
        before, after = before[-140:].decode("utf-8", "ignore"), after[:60].decode("utf-8", "ignore")
        group = kind(features)
        literal = "Bare" not in features or bool({"BareTight", "ByElement", "ByMember", "ByUrl"} & features) or (
            "ByColon" in features and "AloneOnLine" in features and not NAMED.match(value))
        # What repeats counts a few times.
        keys = [(("value", value.lower()), 2), (("line", before + value), 1), (("place", place), 14),
                (("package", place.split("/")[0]), 420), (("name", name.lower(), literal), 25)]
        # What the model before took for a credential, and is none, is worth more than one more of what it knows.
        hard = float(score) >= 0.3 and "BareSpaced" not in features
        if any(seen.get(key, 0) >= most for key, most in (keys[:2] if hard else keys)):
            continue
        for key, _ in keys:
            seen[key] = seen.get(key, 0) + 1
        # A literal's line may carry any other value: some of them are templates.
        fits = literal and group != "auth" and not {"ByCompare", "Blanks", "LongLine", "CommentLine"} & features and (
            "BareTight" not in features or re.match(r"\s*(export |set |ENV )?$", before.replace(name + "=", "")))
        if not hard and fits and order(line)[0] in "0123456" and len(templates) < TEMPLATES:
            human = group in ("password", "url") or (group == "secret" and order(line)[1] in "012345")
            classes = "human|typed|strong" if human else "hex|base62|base64|base64url|base36|prefixed"
            templates.append(("1", group, classes, place, before + "{{V}}" + after))
        elif not unsure(value, features) and (hard or len(negatives) < NEGATIVES):
            negatives.append(("0", group, "-", place, before + value + after))
    for row in sorted(negatives + templates):
        print("\t".join(row))


if __name__ == "__main__":
    main()
