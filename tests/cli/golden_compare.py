#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`fovea analyze MODEL --json` against ground truth, layer by layer and in execution order.

Usage: golden_compare.py FOVEA [MODEL...]   (MODEL: the stem of a golden file; default: all that exist)

Compares every exported model in the folder FOVEA_TEST_MODELS for which the golden folder (FOVEA_GOLDEN,
default tests/golden) has a file, and every built-in network of a golden name. Prints every difference;
exits with 1 where there is one, 77 (skipped) where there was nothing to compare.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AXES = ("h", "w")
# Exported with a fixed kernel, so zoo and file differ there (README of the golden files).
GLOBAL = ("global_avgpool", "adaptive_avgpool")
# Built-in networks whose table has another name.
BUILT_IN = {"nasnetamobile": "nasnet_a_mobile"}
LABELS = {"unproductive": "unproductive", "partially_unproductive": "partial", "critical_not_unproductive": "critical"}
FOVEA_KINDS = {"Conv2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "Linear"}


class Comparison:
    def __init__(self, fovea):
        self.fovea = fovea
        self.differences = 0
        self.compared = 0

    def differ(self, where, what, mine, golden):
        if mine != golden:
            self.differences += 1
            print(f"{where}: {what} is {mine}, golden {golden}")

    def analyze(self, model, side=None):
        size = ["--size", str(side)] if side else []
        run = subprocess.run([self.fovea, "analyze", str(model), "--json", *size], capture_output=True, text=True)
        if run.returncode != 0:
            self.differ(f"{model}", "exit code", f"{run.returncode} ({run.stderr.strip()})", 0)
            return None
        return json.loads(run.stdout)

    def rows(self, where, report, golden):
        """Pairs of a reported and a golden layer, without the poolings that see everything."""
        mine = [layer for layer in report["layers"] if layer["kind"] in FOVEA_KINDS]
        if len(mine) != len(golden["layers"]):
            self.differ(where, "number of convolutions, poolings and linear layers", len(mine), len(golden["layers"]))
            return []
        return [(a, b) for a, b in zip(mine, golden["layers"]) if b["kind"] not in GLOBAL]

    def layer(self, where, mine, golden):
        where = f"{where} {mine['name']} ({golden['name']})"
        both = lambda key: None if golden["h"]["jump"] is None else [golden[axis][key] for axis in AXES]
        if golden["kind"] != "linear":
            self.differ(where, "kernel", mine["kernel"], golden["kernel"])
            self.differ(where, "stride", mine["stride"], golden["stride"])
            self.differ(where, "dilation", mine["dilation"], golden["dilation"])
            self.differ(where, "output", mine["out_shape"] and mine["out_shape"][2:], golden["out_size"])
        self.differ(where, "jump", mine["jump"], both("jump"))
        self.differ(where, "rf_min", mine["rf_min"], both("rf_min"))
        self.differ(where, "rf_max", mine["rf_max"], both("rf_max_finite"))
        self.differ(where, "start", mine["start"], both("offset"))
        if golden["macs"] is not None and golden["kind"] in ("conv", "dwconv", "linear"):
            self.differ(where, "macs", mine["macs"], golden["macs"])

    def summary(self, where, report, golden):
        axes = [golden["summary"][axis] for axis in AXES]
        expected = {
            "i_min": [axis["I_min_expansion"] for axis in axes],
            "i_min_productive": [axis["I_min_productive"] for axis in axes],
            "i_min_rfa": [max(axis["I_min_expansion"], axis["kernel_bound_jump_out"]) for axis in axes],
            "i_max": [axis["I_max"] for axis in axes],
        }
        for key, value in expected.items():
            self.differ(where, key, report["summary"][key], value)
        self.differ(where, "macs", report["summary"]["macs"], golden["macs_at_table_resolution"])

    def verdicts(self, where, model, golden, side, labels):
        report = self.analyze(model, side)
        if report is None:
            return
        bad = {name: verdict for key, verdict in LABELS.items() for name in labels[key]}
        for mine, truth in self.rows(f"{where} at {side}", report, golden):
            if truth["kind"] == "linear" or max(truth["kernel"]) == 1 or truth["h"]["jump"] is None:
                expected = "not_applicable"
            else:
                expected = bad.get(truth["name"], "productive")
            self.differ(f"{where} at {side} {mine['name']} ({truth['name']})", "verdict", mine["verdict"], expected)

    def model(self, model, golden):
        where = str(model if str(model).startswith("zoo:") else Path(model).stem)
        report = self.analyze(model, golden["table_resolution"])
        if report is None:
            return
        self.compared += 1
        for mine, truth in self.rows(where, report, golden):
            self.layer(where, mine, truth)
        self.summary(where, report, golden)
        for side, labels in golden["labels"].items():
            self.verdicts(where, model, golden, int(side), labels)


def zoo_names(fovea):
    run = subprocess.run([fovea, "zoo", "list", "--json"], capture_output=True, text=True, check=True)
    return {network["name"] for network in json.loads(run.stdout)["networks"]}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    comparison = Comparison(sys.argv[1])
    golden_folder = Path(os.environ.get("FOVEA_GOLDEN", ROOT / "tests" / "golden"))
    models = os.environ.get("FOVEA_TEST_MODELS")
    zoo = zoo_names(sys.argv[1])
    for path in sorted(golden_folder.glob("*.json")):
        if len(sys.argv) > 2 and path.stem not in sys.argv[2:]:
            continue
        golden = json.loads(path.read_text())
        for exported in sorted(Path(models).glob(f"{path.stem}*.onnx")) if models else []:
            if exported.name.split(".")[0] == path.stem:
                comparison.model(exported, golden)
        name = BUILT_IN.get(path.stem, path.stem)
        if name in zoo:
            comparison.model(f"zoo:{name}", golden)
    print(f"{comparison.compared} models compared, {comparison.differences} differences")
    if comparison.compared == 0:
        sys.exit(77)
    sys.exit(1 if comparison.differences else 0)


if __name__ == "__main__":
    main()
