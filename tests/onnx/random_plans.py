#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every plan offered for a random network (tests/models/random_networks.py) does what it says.

At the network's own side and, where its head allows another, at half of it, every plan and a few single changes
are written as files, which are gone as soon as they ran. What is wanted goes by the seed: accuracy, efficiency or
balance. With --plans N it is N plans of each network and side at most, and as few single changes: those whose hash
of seed and id is smallest, so the same on every run. For each file
- a fresh analysis, told a side only where the file leaves it open, gives exactly the summary that was predicted, and
  of every layer what the refined network has itself;
- ONNX Runtime runs it, and all its outputs have the analysed shape: the one before, but for the side of a plain map;
- tensors counted as copied are the same bytes under the same name, sliced ones are the first channels and the
  centre of the kernel, padded ones hold the old ones there and zeros around, dropped ones are gone, new ones are as
  many as said, and the elements in all of them sum up to the parameters that were predicted.
"""

import argparse
import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy
import onnx
from onnx import numpy_helper

from harness import Harness, in_parallel
from random_checks import describe, read_rows, sorted_copy

MOVES = 3  # single changes of each network and side
LEAST_SIDE = 12
BATCH = 50  # networks whose files are there at once
SECONDS = 60
WANTS = ("accuracy", "efficiency", "balance")
LAYER_KEYS = ("kind", "kernel", "stride", "padding", "dilation", "groups", "out_shape", "jump", "rf_min", "rf_max", "start",
              "unbounded", "verdict", "parameters", "macs")
SAME_NUMBERS = ("Identity", "Unsqueeze", "Squeeze", "Reshape")


def add_options(parser):
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None, help="only seeds from this one on")
    parser.add_argument("--plans", type=int, default=None, help="at most so many of a network and side")
    parser.add_argument("--least", type=int, default=0, help="plans that must have been checked, over all networks")
    parser.add_argument("--verbose", action=argparse.BooleanOptionalAction, default=False)


# Tensors in files


class File:
    """Its tensors by name, wherever it keeps them, and whether it leaves its side open."""

    def __init__(self, path):
        graph = onnx.load(str(path), load_external_data=False).graph
        tensors = [(tensor.name, tensor) for tensor in graph.initializer]
        tensors += [(node.output[0], node.attribute[0].t) for node in graph.node
                    if node.op_type == "Constant" and node.attribute[0].name == "value"]
        self.tensors = {name: numpy_helper.to_array(tensor, str(path.parent)) for name, tensor in tensors}
        # The same numbers under another name; twice, for nodes in no order.
        for node in 2 * list(graph.node):
            if node.op_type in SAME_NUMBERS and node.input[0] in self.tensors:
                self.tensors.setdefault(node.output[0], self.tensors[node.input[0]])
        image = next(value for value in graph.input if value.name not in dict(tensors))
        self.is_open = any(dim.dim_value <= 0 for dim in image.type.tensor_type.shape.dim[2:])


def weights_of(document):
    """{name: whether it is a parameter} of the tensors that the layers of a .fovea document own. What such a tensor was
    computed from ("weight.source0") is listed beside it and is no further one."""
    nodes = json.loads(document.read_text())["nodes"]
    return {name: is_parameter(node, role) for node in nodes for role, name in node.get("tensors", {}).items()
            if ".source" not in role}


def is_parameter(node, role):
    """An operand from a Constant node is none: nothing learns it."""
    return node["attrs"].get("learned", False) if role == "other" else not role.startswith("running_")


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def overlap(axis, a, b):
    """Slices of two lengths: channels keep their index, kernels their centre."""
    start = 0 if axis < 2 else abs(a - b) // 2
    length = min(a, b)
    whole, part = slice(0, length), slice(start, start + length)
    return (part, whole) if a > b else (whole, part)


def fits(old, new):
    """Whether `new` is the middle of `old`, or `old` among zeros; further output channels may hold anything."""
    if old.ndim != new.ndim or old.dtype != new.dtype:
        return False
    places = [overlap(axis, a, b) for axis, (a, b) in enumerate(zip(old.shape, new.shape))]
    outside = new.copy()
    outside[old.shape[0]:] = 0
    outside[tuple(there for _, there in places)] = 0
    inside = same(old[tuple(here for here, _ in places)], new[tuple(there for _, there in places)])
    return inside and not outside.any()


def tensor_faults(weights, weights_after, before, after, plan):
    """One sentence for everything that is not as the plan says. `weights`: weights_of() before and after."""
    found, elements = Counter(), Counter()
    # Of layers that the plan adds, those that start at random are new; the others may be either.
    layers = tuple(f"{edit['layer']}." for edit in plan["edits"] if edit["op"] == "add")
    added = [name for name in weights_after if layers and name.startswith(layers)]
    if sum(is_random(after[name]) for name in added) > plan["weights"]["new"]["tensors"]:
        yield "more layers start at random than the plan says"
    for name, is_parameter in weights.items():
        old, new = before[name], after.get(name)
        action = action_of(old, new)
        found[action] += 1
        elements[action] += is_parameter * (old if new is None else new).size
        if action == "copied" and not same(old.ravel(), new.ravel()):
            yield f"'{name}' was altered"
        if action in ("sliced", "padded") and not fits(old, new):
            yield f"'{name}' {list(new.shape)} is not {action} from {list(old.shape)}"
    started = Counter(tensors=len(added), parameters=sum(weights_after[name] * after[name].size for name in added))
    for action in ("padded", "new"):
        started.subtract({"tensors": plan["weights"][action]["tensors"] - found[action],
                          "parameters": plan["weights"][action]["parameters"] - elements[action]})
    if any(started.values()):
        yield f"layers that the plan adds: its counts differ by {dict(started)}"
    for action, total in plan["weights"].items():
        if action in ("kept", "rows"):
            continue
        if action in ("padded", "new") and added:
            continue
        if (found[action], elements[action]) != (total["tensors"], total["parameters"]):
            yield f"{total} {action}, but the file has {found[action]} with {elements[action]} elements"


def is_random(values):
    """Neither zeros nor ones nor the identity."""
    return not numpy.isin(values, (0, 1)).all()


def action_of(old, new):
    if new is None:
        return "dropped"
    if old.squeeze().shape == new.squeeze().shape:  # norms may be written with other axes of length 1
        return "copied"
    return "padded" if any(b > a for a, b in zip(old.shape, new.shape)) else "sliced"


# One network


def selected(changes, seed, most):
    """So many of them, another choice for every seed, the same on every run; None: all."""
    return sorted(changes, key=lambda change: hashlib.sha256(f"{seed} {change['id']}".encode()).digest())[:most]


def side_after(plan, side):
    """HxW: the side in use, or what the plan makes of it."""
    shapes = [edit["to"] for edit in plan["edits"] if edit["attribute"] == "shape"]
    return "x".join(shapes[0].split("x")[2:]) if shapes else side


class Network:
    """`moves`: at most so many single changes of each side; None: all."""

    def __init__(self, harness, row, moves=MOVES):
        self.harness, self.row, self.moves = harness, row, moves
        self.source = harness.networks_folder / row["file"]
        self.tensors = File(self.source).tensors
        self.weights = {}
        self.want = ("--want", WANTS[row["seed"] % len(WANTS)])
        self.jobs, self.counts = [], Counter()

    def fail(self, sentence):
        self.harness.fail(f"{describe(self.row)}: {sentence}")

    def sides(self):
        """HxW with an analysis in which every output has its known shape."""
        height, width = self.row["input"][2:]
        for side in ((height, width), (max(LEAST_SIDE, height // 2), max(LEAST_SIDE, width // 2))):
            text = f"{side[0]}x{side[1]}"
            report = self.harness.analysis(self.source, "--size", text)
            if report and all(output["shape"] and None not in output["shape"] for output in report["outputs"]):
                if not any(issue["severity"] == "error" for issue in report["issues"]):
                    yield text, report

    def listed(self, side, *options):
        result = self.harness.fovea("refine", self.source, "--size", side, *self.want, *options, "--json")
        if result.code not in (0, 1):
            self.fail(f"side {side}: refine {options}: exit code {result.code}: {result.err}")
            return []
        return json.loads(result.out)["plans"]

    def check(self):
        document = self.harness.scratch / f"{self.source.stem}.fovea"
        if not self.harness.expect_done("convert", self.source, document):
            return self
        self.weights = weights_of(document)
        unknown = self.weights.keys() - self.tensors.keys()
        if unknown:
            self.fail(f"weights that are not in the file: {sorted(unknown)}")
            return self
        for side, report in dict(self.sides()).items():
            plans = self.listed(side, "--all", "-o", self.file_of(side, "{id}"))
            self.listed(side, "--all", "-o", self.document_of(side, "{id}"))
            offered = {plan["id"] for plan in plans}
            moves = [move for move in self.listed(side, "--moves") if move["id"] not in offered]
            most = self.harness.options.plans
            for kind, some, most in (("plans", plans, most), ("moves", moves, self.moves if most is None else most)):
                for plan in selected(some, self.row["seed"], most):
                    self.counts[kind] += 1
                    if kind == "plans" or self.apply(side, plan):
                        self.check_plan(side, report, plan)
        return self

    def file_of(self, side, plan_id):
        return self.harness.scratch / f"{self.source.stem}.{side}.{plan_id}.onnx"

    def document_of(self, side, plan_id):
        return self.file_of(side, plan_id).with_suffix(".refined.fovea")

    def apply(self, side, plan):
        command = ("refine", self.source, "--size", side, *self.want, "--apply", plan["id"], "-o")
        return all(self.harness.expect_done(*command, file_of(side, plan["id"])) for file_of in (self.file_of, self.document_of))

    def weights_after(self, written):
        document = written.with_suffix(".fovea")
        return weights_of(document) if self.harness.expect_done("convert", written, document) else {}

    def check_plan(self, side, before, plan):
        label = f"side {side}, {plan['id']} ({plan['title']})"
        written = self.file_of(side, plan["id"])
        file = File(written)
        report = self.harness.analysis(written, *(("--size", side_after(plan, side)) if file.is_open else ()))
        if report is None:
            return
        for name, predicted in plan["after"].items():
            if report["summary"][name] != predicted:
                self.fail(f"{label}: {name} {predicted} was predicted, the file has {report['summary'][name]}")
        self.check_layers(side, plan, label, report)
        for old, new in zip(before["outputs"], report["outputs"]):
            plain_map = len(new["shape"]) == 4 and old["shape"][:2] == new["shape"][:2]
            if old["shape"] != new["shape"] and not plain_map:
                self.fail(f"{label}: output {old['shape']} becomes {new['shape']}")
        for fault in tensor_faults(self.weights, self.weights_after(written), self.tensors, file.tensors, plan):
            self.fail(f"{label}: {fault}")
        self.jobs.append({"id": f"{self.row['seed']} {label}", "a": str(written), "seed": self.row["seed"],
                          "shape": report["input"]["shape"], "expect_shapes": [output["shape"] for output in report["outputs"]]})
        if self.row["shuffled"]:
            sorted_copy(written, written)


    def check_layers(self, side, plan, label, report):
        """Every judged layer as in the refined network itself; files need not keep their names."""
        own = self.harness.analysis(self.document_of(side, plan["id"]))
        if own is None:
            return
        refined, read = judged_layers(own), judged_layers(report)
        self.counts["layers"] += read.total()
        for layer in (refined - read) | (read - refined):
            self.fail(f"{label}: {refined[layer]} layers, but {read[layer]} in the file are {layer}")


def judged_layers(report):
    """How many layers of each kind, window, shape, field and cost."""
    judged = (layer for layer in report["layers"] if layer["verdict"] != "not_applicable")
    return Counter(json.dumps([layer[key] for key in LAYER_KEYS]) for layer in judged)


def run_files(harness, networks):
    """How many of their files ONNX Runtime was given; they are gone afterwards."""
    results = harness.run_ort([job for network in networks for job in network.jobs], SECONDS)
    for network in networks:
        for job in network.jobs:
            result = results.get(job["id"])
            if result and not result["ok"]:
                network.fail(f"{job['id']}: {result['error']}")
        for path in harness.scratch.glob(f"{network.source.stem}.*"):
            path.unlink()
    return len(results)


def main():
    harness = Harness(__doc__, add_options)
    harness.require_ort()
    rows = read_rows(harness)
    print(f"seeds {rows[0]['seed']} to {rows[-1]['seed']}", flush=True)
    networks, ran = [], 0
    for first in range(0, len(rows), BATCH):
        batch = in_parallel(lambda row: Network(harness, row).check(), rows[first:first + BATCH])
        ran += run_files(harness, batch)
        networks += batch
    counts = sum((network.counts for network in networks), Counter())
    with_plans = sum(network.counts["plans"] > 0 for network in networks)
    print(f"{counts['plans']} plans over {with_plans} of {len(rows)} networks, {counts['moves']} single changes, "
          f"{counts['layers']} layers compared")
    harness.expect(counts["plans"] >= harness.options.least, f"{counts['plans']} plans, not {harness.options.least}")
    harness.finish(ran)


if __name__ == "__main__":
    main()
