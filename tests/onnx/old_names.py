#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of files whose nodes have no names: only weights say which module they belong to, as PyTorch up to 1.12 writes it.
"""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import Harness

HARNESS = Harness(__doc__)


class Writer:
    """Nodes without names; values are numbers."""

    def __init__(self):
        self.nodes, self.tensors, self.next = [], [], 100

    def weight(self, name, *dims):
        self.tensors.append(numpy_helper.from_array(numpy.ones(dims, numpy.float32), name))
        return name

    def node(self, kind, inputs, **attributes):
        self.next += 1
        self.nodes.append(helper.make_node(kind, inputs, [str(self.next)], **attributes))
        return str(self.next)

    def convolution(self, source, module, outputs, inputs, size=3):
        return self.node("Conv", [source, self.weight(f"{module}.weight", outputs, inputs, size, size)],
                         kernel_shape=[size] * 2, pads=[size // 2] * 4)

    def norm(self, source, module, channels):
        roles = ("weight", "bias", "running_mean", "running_var")
        return self.node("BatchNormalization", [source] + [self.weight(f"{module}.{role}", channels) for role in roles])

    def relu(self, source):
        return self.node("Relu", [source])

    def layers(self, name, output, shape):
        graph = helper.make_graph(self.nodes, name, [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [1, 3, 32, 32])],
                                  [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)], self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=4)
        path = HARNESS.scratch / f"{name}.onnx"
        onnx.save(model, path)
        analysis = HARNESS.analysis(path)
        return [(layer["kind"], layer["group"]) for layer in analysis["layers"]] if analysis else []


def dense():
    """Two blocks of two dense layers, each layer's maps joined to those before, as torchvision 0.4 has it."""
    out = Writer()
    growth, channels = 4, 8
    x = out.convolution("input.1", "features.conv0", channels, 3)
    x = out.relu(out.norm(x, "features.norm0", channels))
    x = out.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    for block in (1, 2):
        for layer in (1, 2):
            module = f"features.denseblock{block}.denselayer{layer}"
            y = out.convolution(out.relu(out.norm(x, f"{module}.norm1", channels)), f"{module}.conv1", 4 * growth, channels, 1)
            y = out.convolution(out.relu(out.norm(y, f"{module}.norm2", 4 * growth)), f"{module}.conv2", growth, 4 * growth)
            x = out.node("Concat", [x, y], axis=1)
            channels += growth
        if block == 1:
            x = out.convolution(out.relu(out.norm(x, "features.transition1.norm", channels)), "features.transition1.conv", 8, channels, 1)
            x = out.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
            channels = 8
    x = out.relu(out.norm(x, "features.norm5", channels))
    x = out.node("Flatten", [out.node("GlobalAveragePool", [x])])
    x = out.node("Gemm", [x, out.weight("classifier.weight", 10, channels), out.weight("classifier.bias", 10)], transB=1)
    return out.layers("dense", x, [1, 10])


def expected_dense():
    rows = [("Conv2d", "features"), ("BatchNorm2d", "features"), ("ReLU", "features"), ("MaxPool2d", "features")]
    for block in (1, 2):
        for layer in (1, 2):
            module = f"features.denseblock{block}.denselayer{layer}"
            rows += [(kind, module) for kind in ("BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "Concat")]
        if block == 1:
            rows += [(kind, "features.transition1") for kind in ("BatchNorm2d", "ReLU", "Conv2d")] + [("AvgPool2d", "features")]
    return rows + [("BatchNorm2d", "features"), ("ReLU", "features"), ("AdaptiveAvgPool2d", None), ("Flatten", None), ("Linear", None)]


def residual():
    """Two blocks with shortcuts: the sums and what is behind them belong to the blocks."""
    out = Writer()
    x = out.relu(out.convolution("input.1", "conv1", 8, 3))
    for block in (0, 1):
        y = out.relu(out.convolution(x, f"layer1.{block}.conv1", 8, 8))
        x = out.relu(out.node("Add", [out.convolution(y, f"layer1.{block}.conv2", 8, 8), x]))
    return out.layers("residual", x, [1, 8, 32, 32])


def expected_residual():
    block = ("Conv2d", "ReLU", "Conv2d", "Add", "ReLU")
    return [("Conv2d", None), ("ReLU", None)] + [(kind, f"layer1.{number}") for number in (0, 1) for kind in block]


def expected_turns():
    return [("Conv2d", "net"), ("BatchNorm2d", "net"), ("ReLU", "net")] * 3


def turns():
    """Lists of modules that take turns are no parts of the network."""
    out = Writer()
    x, channels = "input.1", 3
    for i in range(3):
        x = out.relu(out.norm(out.convolution(x, f"net.convs.{i}", 8, channels), f"net.norms.{i}", 8))
        channels = 8
    return out.layers("turns", x, [1, 8, 32, 32])


for found, wanted, name in ((dense(), expected_dense(), "dense"), (residual(), expected_residual(), "residual"), (turns(), expected_turns(), "turns")):
    for i, (a, b) in enumerate(zip(found, wanted)):
        HARNESS.expect(a == b, f"{name}: layer {i} is {a} instead of {b}")
    HARNESS.expect(len(found) == len(wanted), f"{name}: {len(found)} layers instead of {len(wanted)}")
HARNESS.finish(3)
