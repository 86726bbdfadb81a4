#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refinements that add layers, on exporters' files in ONNX Runtime: skips around blocks change nothing before they
are trained, and networks that are cut, repeated in earlier stages and widened run.
"""

import json

from harness import BOUND, Harness, add_only

# Model, side, and which moves are made.
CASES = (
    ("mobilenet_v3_small.preserve", 96, "skip"),
    ("efficientnet_b0", 96, "skip"),
    ("efficientnet_b0.preserve", 96, "skip"),
    ("resnet18", 32, "spread"),
    ("resnet18.preserve", 32, "spread"),
    ("mobilenet_v2.preserve", 64, "spread"),
    ("efficientnet_b0.preserve", 96, "spread"),
)


def moves_of(harness, model, side):
    result = harness.fovea("refine", model, "--size", side, "--moves", "--json")
    return json.loads(result.out)["plans"] if harness.expect(result.code == 0, f"{model.stem}: {result.err}") else []


def ops(move):
    return {edit["op"] for edit in move["edits"]}


def applied(harness, model, side, move):
    out = harness.scratch / f"{model.stem}.{side}.{move['id']}.onnx"
    harness.expect_done("refine", model, "--size", side, "--apply", move["id"], "-o", out)
    return out


def jobs_of(harness, model, side, what):
    """(title, files): two whose functions are the same, or one that runs."""
    moves = moves_of(harness, model, side)
    if what == "skip":
        unchanged = harness.scratch / f"{model.stem}.{side}.onnx"
        harness.expect_done("convert", model, unchanged, "--size", side)
        skips = [move for move in moves if ops(move) == {"add"} and "skip" in move["title"]]
        return [(move["title"], (unchanged, applied(harness, model, side, move))) for move in skips[:2]]
    spread = [move for move in moves if move["title"].startswith("Shorter and wider")]
    return [(move["title"], (applied(harness, model, side, move),)) for move in spread]


def main():
    harness = Harness(__doc__, add_only)
    harness.require_ort()
    models = {path.stem: path for path in harness.models()}
    checked = 0
    for name, side, what in CASES:
        if not harness.expect(name in models, f"{name}.onnx is missing"):
            continue
        found = jobs_of(harness, models[name], side, what)
        harness.expect(found, f"{name} at {side}: no such move ({what})")
        jobs = [
            {"id": str(index), **dict(zip("ab", map(str, files))), "seed": 5, "shape": [1, 3, side, side]}
            for index, (_, files) in enumerate(found)
        ]
        for index, result in harness.run_ort(jobs).items():
            title, files = found[int(index)]
            checked += 1
            if harness.expect(result["ok"], f"{name}: {title}: {result['error']}") and len(files) == 2:
                harness.expect(result["ratio"] <= BOUND, f"{name}: {title}: outputs differ by {result['ratio']:.2e}")
            print(f"{name} at {side}: {title}", flush=True)
        for file in {file for _, files in found for file in files}:
            file.unlink(missing_ok=True)
    harness.finish(checked)


if __name__ == "__main__":
    main()
