#!/usr/bin/env python3
"""Fits the weights of the model for generic assignments; plain Python.

    cargo test --test generic features -- --ignored --nocapture | tests/generic/fit.py > weights.txt
    mv weights.txt src/facts/secrets/generic/weights.txt

Logistic regression on the half of the labelled set that is for fitting, with a pull towards zero (`RIDGE`), by Adam in
a fixed order: the same set gives the same weights. Both labels weigh the same in sum. Tells on stderr how the held-out half does.
"""
import math
import random
import sys

RIDGE, STEPS, RATE, BATCH = 0.0015, 220, 0.03, 64


def main():
    samples = {"fitted": [], "held": []}
    for row in sys.stdin:
        if row.startswith("SAMPLE\t"):
            _, label, half, _, features, _ = row.rstrip("\n").split("\t", 5)
            samples[half].append((int(label), ["Bias", *features.split()]))
    fitted = samples["fitted"]
    positives = sum(label for label, _ in fitted)
    share = {1: len(fitted) / 2 / positives, 0: len(fitted) / 2 / (len(fitted) - positives)}
    names = sorted({name for _, features in fitted for name in features})
    weights, first, second = ({name: 0.0 for name in names} for _ in range(3))
    chance, step = random.Random(1), 0
    for epoch in range(STEPS):
        chance.shuffle(fitted)
        rate = RATE * (1 - epoch / STEPS)
        for at in range(0, len(fitted), BATCH):
            slope, batch = {}, fitted[at : at + BATCH]
            for label, features in batch:
                score = 1 / (1 + math.exp(-sum(weights[name] for name in features)))
                error = (score - label) * share[label] / len(batch)
                for name in features:
                    slope[name] = slope.get(name, 0.0) + error
            step += 1
            for name, value in slope.items():
                if name != "Bias":
                    value += RIDGE * weights[name]
                first[name] = 0.9 * first[name] + 0.1 * value
                second[name] = 0.999 * second[name] + 0.001 * value * value
                scaled = math.sqrt(second[name] / (1 - 0.999**min(step, 5000))) + 1e-8
                weights[name] -= rate * first[name] / scaled
    for name in ["Bias"] + [name for name in names if name != "Bias"]:
        print(f"{name} {weights[name]:.3f}")
    for half in samples:
        for least in (0.3, 0.5, 0.7, 0.8, 0.9, 0.95):
            found = wrong = missed = 0
            for label, features in samples[half]:
                hit = 1 / (1 + math.exp(-sum(weights.get(name, 0.0) for name in features))) >= least
                found, wrong, missed = found + (label and hit), wrong + (hit and not label), missed + (label and not hit)
            print(f"{half} {least}: precision {found / max(1, found + wrong):.3f} recall {found / max(1, found + missed):.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()
