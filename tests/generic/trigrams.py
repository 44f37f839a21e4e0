#!/usr/bin/env python3
"""Writes the table of letter triples that tells words from chance.

    tests/generic/trigrams.py FOLDER... > src/facts/secrets/generic/trigrams.txt

Counts, in text files of unpacked packages, how often a letter follows two others within a word (names in code count as
the words that they are made of, and every word counts at most 50 times, so that what packages repeat does not rule).
A line per pair of letters before, a character per letter behind (a to z, then the end of the word): how many bits the
letter surprises by, in steps of a fourth of a bit, as the letters `0` to `o`.
"""
import math
import os
import re
import sys
from collections import Counter

FILES, BYTES, MOST = 20000, 200_000, 50
WORD = re.compile(rb"[A-Z]?[a-z]{2,20}|[A-Z]{3,20}")


def words(folders):
    counts = Counter()
    paths = sorted(os.path.join(base, name) for folder in folders for base, _, names in os.walk(folder) for name in names)
    for path in paths[:: max(1, len(paths) // FILES)]:
        try:
            with open(path, "rb") as file:
                text = file.read(BYTES)
        except OSError:
            continue
        if b"\0" not in text[:8192]:
            # Long runs are data, not words.
            text = re.sub(rb"[A-Za-z0-9+/=]{40,}", b" ", text)
            counts.update(word.lower().decode() for word in WORD.findall(text))
    return counts


def main():
    pairs, triples, singles = Counter(), Counter(), Counter()
    for word, count in words(sys.argv[1:]).items():
        if count < 3:
            continue
        weight = min(count, MOST)
        text = "{{" + word + "{"
        for at in range(2, len(text)):
            triples[text[at - 2 : at + 1]] += weight
            pairs[text[at - 1 : at + 1]] += weight
            singles[text[at]] += weight
    letters = "abcdefghijklmnopqrstuvwxyz{"
    total = sum(singles.values())
    before2 = Counter()
    before1 = Counter()
    for triple, count in triples.items():
        before2[triple[:2]] += count
    for pair, count in pairs.items():
        before1[pair[0]] += count
    for first in letters:
        for second in letters:
            line = ""
            for third in letters:
                one = singles[third] / total
                two = (pairs[second + third] + 20 * one) / (before1[second] + 20)
                three = (triples[first + second + third] + 10 * two) / (before2[first + second] + 10)
                line += chr(48 + min(63, round(-4 * math.log2(three))))
            print(line)


if __name__ == "__main__":
    main()
