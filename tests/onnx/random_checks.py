#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random networks (tests/models/random_networks.py) open, are analysed, and written back are the same
network in ONNX Runtime: with their original nodes and from Fovea's own records.

The seeds stand in the file names (net_SEED.onnx) and in every message; `--seed S --count 1` repeats one.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import onnx
from harness import BOUND, Harness, in_parallel, skip
from same_file import differences

SECONDS = 60


def add_options(parser):
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None, help="only seeds from this one on")
    parser.add_argument("--verbose", action=argparse.BooleanOptionalAction, default=False)


def read_rows(harness):
    manifest = harness.networks_folder / "manifest.json"
    if not manifest.exists():
        skip(f"no random networks in {harness.networks_folder}; tests/models/random_networks.py makes them")
    rows = json.loads(manifest.read_text())
    first = harness.options.seed
    rows = [row for row in rows if first is None or row["seed"] >= first][: harness.options.count]
    if first is None:
        harness.expect(len(rows) == harness.options.count, f"{len(rows)} networks, asked for {harness.options.count}")
    return rows


def sorted_copy(path, target):
    """ONNX Runtime refuses nodes that stand before what they read; readers of ONNX need not."""
    model = onnx.load(str(path), load_external_data=False)
    waiting = list(model.graph.node)
    known = {""} | {value.name for value in model.graph.input} | {t.name for t in model.graph.initializer}
    placed = []
    while waiting:
        ready = [node for node in waiting if all(name in known for name in node.input)]
        if not ready:
            break
        for node in ready:
            placed.append(node)
            known.update(node.output)
        waiting = [node for node in waiting if node not in ready]
    del model.graph.node[:]
    model.graph.node.extend(placed + waiting)
    target.write_bytes(model.SerializeToString())
    return target


def describe(row):
    traits = ", ".join(row["oddities"])
    return f"seed {row['seed']} ({row['maker']} {row['family']}{'; ' + traits if traits else ''})"


def write_forms(harness, row):
    """ONNX Runtime jobs of one network, after its import, analysis and both exports; [] after a failure."""
    source = harness.networks_folder / row["file"]
    stem, label = Path(row["file"]).stem, describe(row)
    side = "x".join(map(str, row["input"][2:]))  # files may leave it open
    report = harness.analysis(source, "--size", side)
    origin, records = (harness.scratch / f"{stem}.{form}.onnx" for form in ("origin", "records"))
    written = harness.expect_done("convert", source, origin) & harness.expect_done("convert", "--no-origin", source, records)
    if report is None or not written:
        return []
    shape = report["outputs"][0]["shape"]
    harness.expect(shape == row["output"], f"{label}: output {shape}, expected {row['output']}")
    for difference in differences(source, origin):
        harness.fail(f"{label}: unedited, yet {difference}")
    first = source
    if row["shuffled"]:
        # Beside the original, so that external data is found.
        first = sorted_copy(source, harness.networks_folder / f"{stem}.sorted")
        origin = sorted_copy(origin, harness.scratch / f"{stem}.origin.sorted.onnx")
    common = {"a": str(first), "seed": row["seed"], "shape": row["input"], "expect_shape": row["output"]}
    jobs = [{"id": f"{stem} {form}", "b": str(path), **common} for form, path in (("origin", origin), ("records", records))]
    return jobs


def judge(harness, row, results):
    """The worse ratio of both forms; None unless both ran."""
    ratios = []
    for form in ("origin", "records"):
        result = results.get(f"{Path(row['file']).stem} {form}")
        if result is None:
            continue
        if harness.expect(result["ok"], f"{describe(row)}: {form}: {result['error']}"):
            ratios.append(result["ratio"])
            harness.expect(result["ratio"] <= BOUND, f"{describe(row)}: {form}: outputs differ by {result['ratio']:.2e}")
    return max(ratios) if len(ratios) == 2 else None


def main():
    harness = Harness(__doc__, add_options)
    harness.require_ort()
    rows = read_rows(harness)
    print(f"seeds {rows[0]['seed']} to {rows[-1]['seed']}", flush=True)
    jobs = [job for jobs in in_parallel(lambda row: write_forms(harness, row), rows) for job in jobs]
    results = harness.run_ort(jobs, SECONDS)
    ratios = {row["seed"]: judge(harness, row, results) for row in rows}
    for leftover in harness.networks_folder.glob("*.sorted"):
        leftover.unlink()
    if harness.options.verbose:
        for seed, ratio in ratios.items():
            print(f"seed {seed}: {ratio if ratio is None else f'{ratio:.2e}'}")
    held = {seed: ratio for seed, ratio in ratios.items() if ratio is not None and ratio <= BOUND}
    print(f"families: {dict(Counter(row['family'] for row in rows))}")
    if held:
        worst = max(held, key=held.get)
        print(f"{len(held)} of {len(rows)} networks hold, largest difference {held[worst]:.2e} (seed {worst})")
    harness.finish(len(rows))


if __name__ == "__main__":
    main()
