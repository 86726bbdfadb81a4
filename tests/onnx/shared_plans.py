#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every plan and single change of networks that call layers several times changes all calls or none.

Siamese towers of two images (with batch norms, residual blocks, poolings before and behind the first shared layer), a
head that two maps share, a layer that follows itself. Of each file that is written
- nodes that read one kernel and had the same settings have the same settings still;
- ONNX Runtime runs it with the shapes that the analysis foretells;
- of a siamese network the distance stays symmetric, and that of an image to itself is what it was.
"""

import json
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import BOUND, Harness

WANTS = ("productive", "balance", "efficiency")
RANDOM = numpy.random.default_rng(7)


class Net:
    """Nodes and tensors; a tensor is made where its name is first asked for."""

    def __init__(self):
        self.nodes, self.tensors = [], {}

    def weight(self, name, *dims):
        if name not in self.tensors:
            scale = 1 / numpy.sqrt(numpy.prod(dims[1:]) if len(dims) > 1 else 1)
            self.tensors[name] = (scale * RANDOM.standard_normal(dims)).astype(numpy.float32)
        return name

    def add(self, kind, inputs, **attributes):
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def conv(self, source, kernel, channels, out, size=3, stride=1, dilation=1):
        inputs = [source, self.weight(f"{kernel}.weight", out, channels, size, size), self.weight(f"{kernel}.bias", out)]
        padding = dilation * (size // 2)
        return self.add("Conv", inputs, kernel_shape=[size] * 2, strides=[stride] * 2, pads=[padding] * 4,
                        dilations=[dilation] * 2)

    def norm(self, source, name, channels):
        roles = [self.weight(f"{name}.{role}", channels) for role in ("weight", "bias", "mean")]
        self.tensors.setdefault(f"{name}.var", numpy.ones(channels, numpy.float32))
        return self.add("BatchNormalization", [source, *roles, f"{name}.var"])

    def relu(self, source):
        return self.add("Relu", [source])

    def pool(self, source, kind="MaxPool"):
        return self.add(kind, [source], kernel_shape=[2, 2], strides=[2, 2])

    def linear(self, source, name, features, out):
        inputs = [source, self.weight(f"{name}.weight", out, features), self.weight(f"{name}.bias", out)]
        return self.add("Gemm", inputs, transB=1)

    def embedding(self, source):
        return self.add("Flatten", [self.add("GlobalAveragePool", [source])])

    def distance(self, first, second, features):
        return self.linear(self.add("Abs", [self.add("Sub", [first, second])]), "score", features, 1)

    def file(self, path, inputs, outputs):
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in inputs.items()]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in outputs.items()]
        tensors = [numpy_helper.from_array(tensor, name) for name, tensor in self.tensors.items()]
        graph = helper.make_graph(self.nodes, path.stem, values, results, tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())
        return path


def siamese(path, tower, features, side):
    net = Net()
    embeddings = [tower(net, image) for image in ("left", "right")]
    score = net.distance(*embeddings, features)
    dims = [1, 3, side, side]
    return net.file(path, {"left": dims, "right": dims}, {score: [1, 1]})


def plain_tower(net, image):
    at = net.relu(net.conv(image, "a", 3, 8, 5, 2))
    at = net.pool(net.relu(net.conv(at, "b", 8, 16)))
    return net.embedding(net.relu(net.conv(at, "c", 16, 16)))


def residual_tower(net, image):
    at = net.pool(image, "AveragePool")
    at = net.relu(net.norm(net.conv(at, "stem", 3, 8, 7, 2), "stem.norm", 8))
    for block, channels, out, stride in (("one", 8, 8, 1), ("two", 8, 16, 2), ("three", 16, 16, 1)):
        way = net.relu(net.norm(net.conv(at, f"{block}.a", channels, out, 3, stride), f"{block}.na", out))
        way = net.norm(net.conv(way, f"{block}.b", out, out), f"{block}.nb", out)
        skip = at if channels == out else net.conv(at, f"{block}.skip", channels, out, 1, stride)
        at = net.relu(net.add("Add", [way, skip]))
    return net.linear(net.embedding(at), "embed", 16, 8)


def norms_apart_tower(net, image):
    """Each tower normalises by itself, so only the convolutions are shared."""
    at = net.relu(net.norm(net.conv(image, "a", 3, 8, 5, 2), f"{image}.norm", 8))
    at = net.pool(net.relu(net.conv(at, "b", 8, 8, 5)))
    return net.embedding(net.relu(net.conv(at, "c", 8, 8, 5)))


def shared_head(path, side):
    net = Net()
    fine = net.relu(net.conv("image", "a", 3, 8, 7, 2))
    coarse = net.relu(net.conv(net.relu(net.conv(fine, "b", 8, 8, 5, 2)), "d", 8, 8, 5))
    outputs = {}
    for source, stride in ((fine, 2), (coarse, 4)):
        at = net.relu(net.conv(net.relu(net.conv(source, "head.0", 8, 8, 5)), "head.1", 8, 8, 5))
        outputs[net.conv(at, "head.2", 8, 4)] = [1, 4, side // stride, side // stride]
    return net.file(path, {"image": [1, 3, side, side]}, outputs)


def recurring(path, side):
    net = Net()
    at = net.relu(net.conv("image", "a", 3, 8, 5, 2))
    for _ in range(3):
        at = net.relu(net.conv(at, "again", 8, 8, 5))
    return net.file(path, {"image": [1, 3, side, side]}, {net.linear(net.embedding(at), "fc", 8, 4): [1, 4]})


SIAMESE = {"plain": (plain_tower, 16, (16, 64)), "residual": (residual_tower, 8, (32, 128)),
           "norms_apart": (norms_apart_tower, 8, (24, 96))}
OTHERS = {"shared_head": (shared_head, (16, 96)), "recurring": (recurring, (16, 96))}


def settings_of(path):
    """[(kernel, settings)] of the nodes that read a kernel, in the file's order."""
    nodes = (node for node in onnx.load(str(path)).graph.node if node.op_type in ("Conv", "Gemm"))
    return [(node.input[1], sorted((a.name, str(helper.get_attribute_value(a))) for a in node.attribute)) for node in nodes]


def readers_of(path):
    out = {}
    for kernel, settings in settings_of(path):
        out.setdefault(kernel, []).append(settings)
    return out


def rewired(path, suffix, names):
    """The same network with its inputs read as `names` says."""
    model = onnx.load(str(path))
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = names.get(name, name)
    out = path.with_suffix(f".{suffix}.onnx")
    onnx.save(model, str(out))
    return out


def changes_of(harness, source, want):
    seen = {}
    for options in (("--want", want), ("--moves",)):
        pattern = source.with_suffix(f".{want}{len(seen)}.{{id}}.onnx")
        result = harness.fovea("refine", source, *options, "--min-params", "0.01x", "--max-params", "2x", "--all", "-o", pattern,
                               "--json")
        if result.code not in (0, 1):
            harness.fail(f"{source.name}: refine {options}: {result.err}")
            continue
        listed = json.loads(result.out)
        for plan, output in zip(listed["plans"], listed["outputs"]):
            if harness.expect(output["output"], f"{source.name}: {plan['title']}: {output['error']}"):
                seen.setdefault(plan["id"], (plan, Path(output["output"])))
    return seen.values()


def check(harness, source, is_siamese, jobs):
    shared = {kernel: len(calls) for kernel, calls in readers_of(source).items() if len(calls) > 1}
    report = harness.analysis(source)
    told = sum(issue["code"] == "weights-shared" for issue in report["issues"])
    harness.expect(told == len(shared), f"{source.name}: {told} layers are said to be shared, not {len(shared)}")
    count = 0
    for want in WANTS:
        for plan, path in changes_of(harness, source, want):
            label = f"{source.name}, {want}: {plan['id']} ({plan['title']})"
            for kernel, calls in readers_of(path).items():
                harness.expect(kernel not in shared or all(call == calls[0] for call in calls),
                               f"{label}: calls of {kernel} differ: {calls}")
            count += 1
            report = harness.analysis(path)
            if report is None:
                continue
            jobs.append(({"id": label, "a": str(path), "expect_shapes": [out["shape"] for out in report["outputs"]]}, None))
            if not is_siamese or any(edit["attribute"] == "shape" for edit in plan["edits"]):
                continue
            swapped = rewired(path, "swapped", {"left": "right", "right": "left"})
            jobs.append(({"id": f"{label}: d(a,b) = d(b,a)", "a": str(path), "b": str(swapped)}, BOUND))
            same, before = (rewired(of, "same", {"right": "left"}) for of in (path, source))
            jobs.append(({"id": f"{label}: d(a,a)", "a": str(before), "b": str(same)}, BOUND))
    print(f"{source.name}: {count} changes", flush=True)
    harness.expect(count > 0, f"{source.name}: no changes")


def main():
    harness = Harness(__doc__)
    harness.require_ort()
    jobs = []
    for name, (tower, features, sides) in SIAMESE.items():
        for side in sides:
            source = siamese(harness.scratch / f"{name}{side}.onnx", tower, features, side)
            check(harness, source, tower is not norms_apart_tower, jobs)
    for name, (make, sides) in OTHERS.items():
        for side in sides:
            check(harness, make(harness.scratch / f"{name}{side}.onnx", side), False, jobs)
    results = harness.run_ort([job for job, _ in jobs])
    for job, bound in jobs:
        result = results.get(job["id"])
        if harness.expect(result and result["ok"], f"{job['id']}: {result and result['error']}") and bound is not None:
            harness.expect(result["ratio"] <= bound, f"{job['id']}: differs by {result['ratio']}")
    harness.finish(len(jobs))


if __name__ == "__main__":
    main()
