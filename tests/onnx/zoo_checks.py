#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A built-in network, torchvision's export of it, and Fovea's own export read back are the same.

Torchvision's: convolutions, poolings and linear layers have the same windows, shapes, fields, verdicts and
MACs, in the same order, and the networks the same bounds. Parameters differ by the norms that the exporter
folded, and an adaptive pooling to more than 1x1 is a fixed one in the file. Fovea's own differs in nothing.
"""

import json

from harness import Harness, add_only, in_parallel

LISTED = ("Conv2d", "ConvTranspose2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "Linear")
WINDOW = ("kernel", "stride", "padding", "dilation", "groups")
FIELDS = ("jump", "rf_min", "rf_max", "start", "unbounded", "approximate", "verdict", "covers_map")
COMPARED = ("kind", *WINDOW, "in_shape", "out_shape", *FIELDS, "macs")
BOUNDS = ("i_min", "i_min_productive", "i_min_rfa", "i_max", "macs")
SIDES = (64, 160, 288)
# Beside every network of the list.
OWN = ("unet,padding=0,size=572",)


def listed(report):
    return [layer for layer in report["layers"] if layer["kind"] in LISTED]


def is_adaptive(layer):
    return layer["kind"] == "AdaptiveAvgPool2d" and layer["out_shape"][2:] not in ([1, 1], [])


def differences(mine, theirs, keys):
    return {key: (mine[key], theirs[key]) for key in keys if mine[key] != theirs[key]}


def compare_layers(harness, where, zoo, file):
    ours, theirs = listed(zoo), listed(file)
    if not harness.expect(len(ours) == len(theirs), f"{where}: {len(theirs)} layers in the file, {len(ours)} in the zoo"):
        return
    for mine, other in zip(ours, theirs):
        if is_adaptive(mine):
            harness.expect(other["kind"] == "AvgPool2d", f"{where}: '{mine['name']}' is {other['kind']} in the file")
            continue
        wrong = differences(mine, other, COMPARED)
        harness.expect(not wrong, f"{where}: '{mine['name']}' (zoo, file): {wrong}")


def norm_parameters(report):
    return sum(layer["parameters"] for layer in report["layers"] if layer["kind"] == "BatchNorm2d")


def compare_summaries(harness, where, zoo, file):
    wrong = differences(zoo["summary"], file["summary"], BOUNDS)
    for verdict in ("productive", "critical", "partial", "unproductive", "unknown"):
        if zoo["summary"]["verdicts"][verdict] != file["summary"]["verdicts"][verdict]:
            wrong[verdict] = (zoo["summary"]["verdicts"][verdict], file["summary"]["verdicts"][verdict])
    harness.expect(not wrong, f"{where}: summaries (zoo, file): {wrong}")
    # A folded norm leaves a bias: half of its parameters stay.
    folded = (norm_parameters(zoo) - norm_parameters(file)) // 2
    expected, found = zoo["summary"]["parameters"] - folded, file["summary"]["parameters"]
    harness.expect(found == expected, f"{where}: {found} parameters in the file, expected {expected}")
    noted = any(issue["code"] == "norms-folded" for issue in file["issues"])
    harness.expect(noted == (folded > 0), f"{where}: {folded} parameters folded, said so: {noted}")


def check_export(harness, path, names):
    name, _, variant = path.stem.partition(".")
    if not harness.expect(name in names, f"{path.name}: there is no built-in network '{name}'"):
        return
    for side in SIDES if variant == "dynamic" else (None,):
        size = ("--size", side) if side else ()
        file = harness.analysis(path, *size)
        if not file:
            return
        height, width = file["input"]["shape"][2:]
        zoo = harness.analysis(f"zoo:{name},size={height}x{width}")
        where = f"{path.name} at {height}x{width}"
        compare_layers(harness, where, zoo, file)
        compare_summaries(harness, where, zoo, file)


def without_numbers(report):
    """Everything that is the network's own: not what the file was called or that it has no weights yet."""
    return {key: report[key] for key in ("inputs", "outputs", "summary", "layers", "issues")}


def check_own(harness, spec):
    # Narrow, so that files stay small; widths change no field.
    model, path = f"zoo:{spec},width=0.25", harness.scratch / "own.onnx"
    if not harness.expect_done("convert", model, path):
        return
    mine, read = harness.analysis(model), harness.analysis(path)
    path.unlink()
    if not mine or not read:
        return
    mine, read = without_numbers(mine), without_numbers(read)
    for key in mine:
        if key != "layers":
            harness.expect(mine[key] == read[key], f"{spec}: {key} {json.dumps(read[key])[:300]} in the file, {json.dumps(mine[key])[:300]}")
    harness.expect(len(mine["layers"]) == len(read["layers"]), f"{spec}: {len(read['layers'])} layers in the file, {len(mine['layers'])}")
    for ours, theirs in zip(mine["layers"], read["layers"]):
        wrong = differences(ours, theirs, ours)
        harness.expect(not wrong, f"{spec}: '{ours['name']}' (zoo, file): {wrong}")


def main():
    harness = Harness(__doc__, add_only)
    listing = harness.fovea("zoo", "list", "--json")
    names = [network["name"] for network in json.loads(listing.out)["networks"]]
    models = harness.models()
    harness.expect(len(names) > 70, f"only {len(names)} built-in networks")
    in_parallel(lambda path: check_export(harness, path, names), models)
    for spec in (*names, *OWN):
        check_own(harness, spec)
    harness.finish(f"{len(models)} exports and {len(names) + len(OWN)} networks")


if __name__ == "__main__":
    main()
