#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes random CNNs as ONNX files: even seeds by onnx.helper, odd seeds by torch.onnx.export.

    random_networks.py --out DIR --count N --seed S [--check MODULES [--report FILE]]

Writes DIR/net_SEED.onnx for the seeds S .. S+N-1 and DIR/manifest.json, a list of {"file", "seed",
"maker", "family", "opset", "oddities", "input", "output", "shuffled", "external"}: shapes as lists,
with `shuffled` where the nodes are in no order. --check runs every file in ONNX Runtime;
MODULES is the folder whose node_modules has onnxruntime-node. Exit code 1 where one fails.
"""

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

import onnx
from onnx.external_data_helper import set_external_data

import helper_networks
import torch_networks
from file_oddities import apply_oddities, draw_oddities
from onnx_net import NAME_STYLES

RUNNER = Path(__file__).resolve().parent / "ort" / "run.mjs"


def made_by_helper(rng, seed):
    """Returns (model, manifest fields)."""
    family = rng.choice(list(helper_networks.FAMILIES))
    style = rng.choice(list(NAME_STYLES))
    shares = rng.random() < 0.15
    extra_output = rng.random() < 0.15
    net, image = helper_networks.helper_network(
        seed, family, rng.randint(11, 17), style, shares, extra_output
    )
    batch = 1 if net.batch_is_baked or rng.random() < 0.5 else rng.choice(["N", "batch_size"])
    traits = {"shared weights": shares, "several outputs": extra_output, "open batch": batch != 1}
    row = {
        "maker": "helper",
        "family": family,
        "oddities": [f"{style} names"] + [name for name, holds in traits.items() if holds],
        "input": image.shape,
        "output": net.outputs[0][1],
    }
    return net.model(image, batch), row


def made_by_torch(rng, seed):
    family = rng.choice(list(torch_networks.FAMILIES))
    model, input_shape, output_shape = torch_networks.torch_network(seed, family)
    row = {"maker": "torch", "family": family, "oddities": []}
    return model, {**row, "input": input_shape, "output": output_shape}


def move_weights_out(model, file, one_file):
    """Weights of 128 bytes or more go to FILE.data, or to FILE.0.bin, FILE.1.bin, ... each."""
    for index, tensor in enumerate(model.graph.initializer):
        if len(tensor.raw_data) >= 128:
            set_external_data(tensor, f"{file}.data" if one_file else f"{file}.{index}.bin")


def write_model(model, path, external, one_file):
    # onnx.save would append to what an earlier run left.
    for leftover in path.parent.glob(f"{path.name}.*"):
        leftover.unlink()
    if external:
        move_weights_out(model, path.name, one_file)
    onnx.save(model, str(path))


def make(seed, folder):
    """Writes one network; returns its manifest row."""
    rng = random.Random(f"network {seed}")
    model, row = (made_by_torch if seed % 2 else made_by_helper)(rng, seed)
    names = draw_oddities(rng, 0.2 if row["maker"] == "helper" else 0.07)
    apply_oddities(model, names, rng)
    external = "typed data" not in names and rng.random() < 0.1
    path = folder / f"net_{seed}.onnx"
    opset = model.opset_import[0].version
    write_model(model, path, external, one_file=rng.random() < 0.5)
    shuffled = "shuffled order" in names
    if not shuffled:
        onnx.checker.check_model(str(path))
    row["oddities"] += names + ["external data"] * external
    return {
        "file": path.name,
        "seed": seed,
        **row,
        "opset": opset,
        "shuffled": shuffled,
        "external": external,
    }


def run_in_onnxruntime(rows, folder, modules, report):
    """Runs all files; returns the number of failures among those with sorted nodes."""
    jobs = [
        {
            "id": row["file"],
            "a": str(folder / row["file"]),
            "seed": row["seed"],
            "shape": row["input"],
            "expect_shape": row["output"],
        }
        for row in rows
    ]
    command = ["node", str(RUNNER), "--modules", str(modules), "--report", str(report)]
    subprocess.run(
        command, input=json.dumps(jobs), text=True, stdout=subprocess.DEVNULL, check=True
    )
    failures = 0
    for row, result in zip(rows, json.loads(report.read_text())):
        if not result["ok"]:
            failures += not row["shuffled"]
            origin = f"{row['maker']} {row['family']}, {row['oddities']}"
            print(f"{row['file']} ({origin}): {result['error']}")
    print(f"{len(rows) - failures} of {len(rows)} run in ONNX Runtime or are shuffled")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=int, default=500, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--check", type=Path, metavar="MODULES")
    parser.add_argument("--report", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    rows = []
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        rows.append(make(seed, arguments.out))
        print(f"seed {seed}: {rows[-1]['maker']} {rows[-1]['family']}")
    (arguments.out / "manifest.json").write_text(json.dumps(rows, indent=1) + "\n")
    if arguments.check:
        report = arguments.report or arguments.out / "onnxruntime.json"
        sys.exit(run_in_onnxruntime(rows, arguments.out, arguments.check, report) > 0)


if __name__ == "__main__":
    main()
