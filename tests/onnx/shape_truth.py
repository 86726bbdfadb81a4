#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes that an exporter baked into a file do not survive import: at 64, 160 and 288 every convolution,
linear layer and pooling has the shape that PyTorch's own module gives (NAME.truth.json).

Layers are matched by order, as names of functional calls are lost in files. Convolutions and linear
layers must be the same list; PyTorch's pooling modules must be found in order among Fovea's poolings,
which also hold the functional ones. An adaptive pooling to more than 1x1 is written by the exporter as a
pooling with a fixed kernel: at other sides than the file's own, layers from there on are not compared.
"""

import json

from harness import Harness, add_only

SIDES = (64, 160, 288)
EXACT = ("Conv2d", "ConvTranspose2d", "Linear")
POOLS = ("MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "AdaptiveMaxPool2d")


def is_fixed_by_file(layer):
    return layer["kind"].startswith("Adaptive") and layer["out_shape"][2:] != [1, 1]


def truth_layers(entry, own_side):
    layers = entry["layers"]
    if own_side:
        return layers, True
    end = next((i for i, layer in enumerate(layers) if is_fixed_by_file(layer)), len(layers))
    return layers[:end], end == len(layers)


def plain_shape(shape):
    """Without axes of 1, and channels first: a linear layer per position may be told either way."""
    return sorted(size for size in shape[1:] if size != 1) if shape and None not in shape else shape


def exact_rows(layers):
    return [(layer["name"], layer["kind"], layer["out_shape"]) for layer in layers if layer["kind"] in EXACT]


def same_layer(ours, theirs):
    if ours[1] == theirs[1] == "Linear" or ours[1] != theirs[1]:
        kinds_fit = {ours[1], theirs[1]} <= {"Linear", "Conv2d"}
        return kinds_fit and plain_shape(ours[2]) == plain_shape(theirs[2])
    return ours[2] == theirs[2]


def compare_exact(harness, where, ours, theirs, whole):
    harness.expect(
        len(ours) == len(theirs) or (not whole and len(ours) > len(theirs)),
        f"{where}: {len(ours)} convolutions and linear layers, PyTorch has {len(theirs)}",
    )
    for mine, truth in zip(ours, theirs):
        if not same_layer(mine, truth):
            harness.fail(f"{where}: '{mine[0]}' {mine[1]} {mine[2]}, PyTorch's '{truth[0]}' {truth[1]} {truth[2]}")
            return


def pool_rows(layers):
    """A global pooling is told with or without its two axes of 1."""
    return [(layer["name"], layer["out_shape"]) for layer in layers if layer["kind"] in POOLS]


def padded(shape):
    return shape + [1] * (4 - len(shape))


def compare_pools(harness, where, ours, theirs):
    rest = iter(ours)
    for name, shape in theirs:
        if not any(None not in mine and padded(mine) == shape for _, mine in rest):
            harness.fail(f"{where}: PyTorch's '{name}' {shape} is not among the poolings {ours}")
            return


def compare_outputs(harness, where, report, entry):
    ours = report["outputs"][0]["shape"]
    harness.expect(ours == entry["output"], f"{where}: output {ours}, PyTorch's {entry['output']}")


def check_side(harness, model, truth, side, own_side):
    where = f"{model.stem} at {side}"
    report = harness.analysis(model, "--size", side)
    entry = truth["sides"][str(side)]
    if report is None or "error" in entry:
        harness.expect(report is not None, f"{where}: no analysis")
        return 0
    theirs, whole = truth_layers(entry, side == own_side)
    compare_exact(harness, where, exact_rows(report["layers"]), exact_rows(theirs), whole)
    compare_pools(harness, where, pool_rows(report["layers"]), pool_rows(theirs))
    if whole:
        compare_outputs(harness, where, report, entry)
    return sum(layer["kind"] in EXACT + POOLS for layer in theirs)


def check(harness, model):
    truth = json.loads(model.with_name(f"{model.stem}.truth.json").read_text())
    own_side = max(int(side) for side in truth["sides"] if int(side) not in SIDES)
    counts = [check_side(harness, model, truth, side, own_side) for side in (*SIDES, own_side)]
    print(f"{model.stem}: {counts} layers compared", flush=True)
    return sum(counts)


def main():
    harness = Harness(__doc__, add_only)
    harness.finish(sum(check(harness, model) for model in harness.models()))


if __name__ == "__main__":
    main()
