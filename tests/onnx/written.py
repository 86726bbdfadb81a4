# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparisons of what Fovea reports with what ONNX Runtime makes of the same file, for scripts over many files."""

import math
import re

from ort_session import half_spaces

WINDOWS = ("Conv2d", "ConvTranspose2d", "MaxPool2d", "AvgPool2d", "LPPool2d", "MaxUnpool2d")


def errors_of(report):
    return [issue for issue in report["issues"] if issue["severity"] == "error"]


def value_of_rows(model, report):
    """{row name: value that the row's layer makes}. Rows are named after their node, or after what it makes."""
    by_node, by_value = {}, {}
    for node in model.graph.node:
        if node.name:
            by_node.setdefault(node.name, node.output[0])
        for name in node.output:
            by_value[name] = name
    return {row["name"]: by_node.get(row["name"]) or by_value.get(row["name"]) for row in report["layers"]
            if row["name"] in by_node or row["name"] in by_value}


def moves_axes(model):
    """Whether rows may list an image's axes in another order than the file does."""
    return any(node.op_type == "Transpose" for node in model.graph.node)


def same_shape(row, truth, loose, kind):
    if row is None or None in row:
        return False
    # A row that stands for several nodes has the first one's name, and the last one's shape.
    folded = kind not in WINDOWS and len(row) != len(truth) and math.prod(row) == math.prod(truth)
    return row == truth or (loose and (sorted(row) == sorted(truth) or folded))


def shape_faults(model, report, shapes):
    """One sentence for every row whose shape is not ONNX Runtime's, and how many rows could be held against it.
    `model`: the file that the report is of; `shapes`: of it, or of a file written of it, whose values keep their names."""
    loose, faults, compared = moves_axes(model), [], 0
    values = value_of_rows(model, report)
    for row in report["layers"]:
        truth = shapes.get(values.get(row["name"]))
        if truth is None:
            continue
        compared += 1
        if not same_shape(row["out_shape"], truth, loose, row["kind"]):
            faults.append(f"'{row['name']}' ({row['kind']}) {row['out_shape']}, ONNX Runtime {truth}")
    return faults, compared


def output_faults(report, shapes):
    return [f"output '{out['name']}' {out['shape']}, ONNX Runtime {shapes[out['name']]}" for out in report["outputs"]
            if out["name"] in shapes and out["shape"] != shapes[out["name"]]]


def descendants(model, names):
    """Values that are made from these. Nodes need not stand in the order in which they run."""
    reached, before = set(names), 0
    while len(reached) > before:
        before = len(reached)
        for node in model.graph.node:
            if any(name in reached for name in node.input):
                reached.update(node.output)
    return reached


def on_the_way(model, image):
    """Names of nodes (and of what they make) between the image and a window layer, that layer included."""
    forward = descendants(model, [image])
    windows = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "QLinearConv", "ConvInteger", "FusedConv", "LpPool",
               "MaxUnpool")
    needed, names, before = set(), set(), -1
    while len(needed) > before:
        before = len(needed)
        for node in reversed(model.graph.node):
            is_window = node.op_type in windows and node.input[0] in forward
            if is_window or any(name in needed for name in node.output):
                needed.update(node.input)
                if any(name in forward for name in node.output):
                    names.update([node.name, *node.output])
    return names


class FieldRuler:
    """Where half-spaces of pixels reach, in a copy of a file that hides nothing (ort_session.Positive)."""

    def __init__(self, runtime, path, image, shape, axes, others=None, element="float32"):
        """`axes`: of the file's image, (h, w); `others`: recipes of further inputs."""
        self.runtime, self.path, self.image, self.shape, self.axes = runtime, str(path), image, shape, axes
        self.others, self.element = others or {}, element

    def reached(self, value_axes, cuts):
        """`value_axes`: {value: its axes (h, w)}; `cuts`: [(axis 0 or 1, first index, from there on or before)].
        Returns for each cut {value: string of 0 and 1 along that axis}, or a sentence."""
        base = {self.image: {"type": self.element, "shape": self.shape, "fill": 0}, **self.others}
        runs = [base]
        for axis, start, later in cuts:
            on, before = half_spaces(self.shape, self.axes[axis], start, 1e6, self.element)
            runs.append({**base, self.image: on if later else before})
        answer = self.runtime.ask(model=self.path, runs=runs, profile={name: list(axes) for name, axes in value_axes.items()})
        if not answer["ok"]:
            return answer["error"]
        return [{name: strings[axis] for name, strings in profile.items()}
                for (axis, _, _), profile in zip(cuts, answer["profiles"])]

    def box_faults(self, value, value_axes, unit, box):
        """Holds [top, left, bottom, right) of one unit against what reaches it. Sides outside the image are left out."""
        sides = [self.shape[axis] for axis in self.axes]
        wanted = []
        for axis in (0, 1):
            begin, end, side = box[axis], box[axis + 2], sides[axis]
            if 0 < end < side:
                wanted += [((axis, end, True), False, f"ends before {'hw'[axis]}={end}")]
            if 0 < end <= side:
                wanted += [((axis, end - 1, True), True, f"reads {'hw'[axis]}={end - 1}")]
            if 0 < begin < side:
                wanted += [((axis, begin, False), False, f"begins at {'hw'[axis]}={begin}")]
            if 0 <= begin < side:
                wanted += [((axis, begin + 1, False), True, f"reads {'hw'[axis]}={begin}")]
        found = self.reached({value: value_axes}, [cut for cut, _, _ in wanted])
        if isinstance(found, str):
            return [found]
        if any(unit[cut[0]] >= len(profile[value]) for (cut, _, _), profile in zip(wanted, found)):
            return [f"unit {unit} does not exist in ONNX Runtime"]
        return [f"unit {unit}: {sentence}, which is not so" for (cut, reads, sentence), profile in zip(wanted, found)
                if (profile[value][unit[cut[0]]] == "1") != reads]


def short(text, length=160):
    return re.sub(r"\s+", " ", str(text))[:length]


def without_path(text):
    return re.sub(r"Load model from \S+ failed:\s*", "", str(text))


def name_nodes(model):
    """Gives every node without a name that of what it makes; whether there was one."""
    nameless = [node for node in model.graph.node if not node.name]
    for node in nameless:
        node.name = next(name for name in node.output if name)
    return bool(nameless)
