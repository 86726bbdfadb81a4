#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`fovea analyze MODEL.onnx --json` equals tests/golden: fields, bounds, counts and verdicts.

Layers are matched by order: golden lists convolutions, poolings and linear layers as they run. Verdicts
are compared at 64, 160, 288 and the model's own side where golden has labels or the fields to derive
them from (semantics.md: unproductive where in_min >= side and rf_min > side on an axis).
"""

import json
import os
from pathlib import Path

from harness import ROOT, Harness, add_only

SIDES = (64, 160, 288)
KINDS = {
    "conv": ("Conv2d",), "dwconv": ("Conv2d",), "maxpool": ("MaxPool2d",), "avgpool": ("AvgPool2d",),
    "linear": ("Linear", "Conv2d"), "global_avgpool": ("AdaptiveAvgPool2d",),
    "adaptive_avgpool": ("AvgPool2d", "AdaptiveAvgPool2d"),
}
WINDOWS = ("conv", "dwconv", "maxpool", "avgpool")
AXES = (("h", 0), ("w", 1))


def judged_layers(report):
    wanted = {kind for kinds in KINDS.values() for kind in kinds}
    return [layer for layer in report["layers"] if layer["kind"] in wanted]


def expected_field(layer):
    """{key: [h, w]} as contract.md names them; None where golden has no finite path."""
    def both(key):
        values = [layer[axis][key] for axis, _ in AXES]
        return None if None in values else values
    fields = {"jump": both("jump"), "rf_max": both("rf_max_finite"), "start": both("offset")}
    fields["rf_min"] = None if fields["jump"] is None else both("rf_min")
    return fields


def is_window(layer):
    return layer["kind"] in WINDOWS and max(layer["kernel"]) > 1 and layer["h"]["jump"] is not None


def expected_verdict(layer, side):
    if not is_window(layer):
        return "not_applicable"
    seen = [layer[a]["rf_min_in"] >= side and layer[a]["rf_min"] > side for a, _ in AXES]
    if all(seen):
        return "unproductive"
    if any(seen):
        return "partial"
    return "critical" if any(layer[a]["rf_min"] > side for a, _ in AXES) else "productive"


def from_labels(golden, side):
    """{name: verdict} where golden has labels for this side, to hold the derivation above against."""
    labels = golden["labels"].get(str(side))
    names = {"unproductive": "unproductive", "partially_unproductive": "partial", "critical_not_unproductive": "critical"}
    return labels and {name: names[key] for key in names for name in labels[key]}


def compare_fields(harness, where, mine, truth):
    for key, expected in expected_field(truth).items():
        harness.expect(
            mine[key] == expected,
            f"{where}: '{mine['name']}' ({truth['name']}) {key} {mine[key]}, golden {expected}",
        )


def match(harness, where, layers, golden):
    rows = judged_layers({"layers": layers})
    truths = golden["layers"]
    if not harness.expect(len(rows) == len(truths), f"{where}: {len(rows)} layers to judge, golden {len(truths)}"):
        return []
    for mine, truth in zip(rows, truths):
        if mine["kind"] not in KINDS[truth["kind"]]:
            harness.fail(f"{where}: '{mine['name']}' is {mine['kind']}, golden '{truth['name']}' {truth['kind']}")
            return []
    return list(zip(rows, truths))


def compare_verdicts(harness, where, pairs, golden, side):
    labels = from_labels(golden, side)
    for mine, truth in pairs:
        if truth["kind"] == "adaptive_avgpool":
            continue  # a pooling with a fixed kernel in the file
        expected = expected_verdict(truth, side)
        if labels is not None and is_window(truth):
            assert labels.get(truth["name"], "productive") == expected, (where, truth["name"])
        harness.expect(
            mine["verdict"] == expected,
            f"{where}: '{mine['name']}' ({truth['name']}) is {mine['verdict']}, golden {expected}",
        )


def has_fixed_pooling(golden):
    return any(layer["kind"] == "adaptive_avgpool" for layer in golden["layers"])


def compare_bounds(harness, where, summary, golden):
    truth = [golden["summary"][axis] for axis, _ in AXES]
    expected = {
        "i_min": [axis["I_min_expansion"] for axis in truth],
        "i_min_productive": [axis["I_min_productive"] for axis in truth],
        "i_min_rfa": [max(axis["I_min_expansion"], axis["kernel_bound_jump_out"]) for axis in truth],
        "i_max": [axis["I_max"] for axis in truth],
    }
    for key, value in expected.items():
        harness.expect(summary[key] == value, f"{where}: {key} {summary[key]}, golden {value}")


def compare_counts(harness, where, report, golden):
    """Norms that the exporter folded into convolutions took parameters with them."""
    folded = any(issue["code"].startswith("norms-folded") for issue in report["issues"])
    mine, truth = report["summary"], golden
    harness.expect(
        mine["macs"] == truth["macs_at_table_resolution"],
        f"{where}: {mine['macs']} MACs, golden {truth['macs_at_table_resolution']}",
    )
    if not folded:
        harness.expect(mine["parameters"] == truth["params"], f"{where}: {mine['parameters']} parameters, golden {truth['params']}")


def check(harness, model, golden):
    own = golden["table_resolution"]
    compared = 0
    for side in dict.fromkeys((own, *SIDES)):
        where = f"{model.stem} at {side}"
        report = harness.analysis(model, "--size", side)
        pairs = match(harness, where, report["layers"], golden) if report else []
        for mine, truth in pairs:
            if truth["kind"] != "adaptive_avgpool":
                compare_fields(harness, where, mine, truth)
        compare_verdicts(harness, where, pairs, golden, side)
        if report and side == own:
            compare_counts(harness, where, report, golden)
        if report and not has_fixed_pooling(golden):
            compare_bounds(harness, where, report["summary"], golden)
        compared += len(pairs)
    print(f"{model.stem}: {compared} layers compared", flush=True)
    return compared


def main():
    harness = Harness(__doc__, add_only)
    folder = Path(os.environ.get("FOVEA_GOLDEN") or ROOT / "tests/golden")
    compared = 0
    for model in harness.models():
        path = folder / f"{model.stem.split('.')[0]}.json"
        if path.exists():
            compared += check(harness, model, json.loads(path.read_text()))
        else:
            print(f"{model.stem}: no golden file")
    harness.finish(compared)


if __name__ == "__main__":
    main()
