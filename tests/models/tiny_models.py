# SPDX-License-Identifier: GPL-3.0-or-later
"""Smallest ONNX models to break: one image of 1 x 3 x 16 x 16, one or a few nodes."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SIDE = 16


def weights(name, *shape):
    values = np.random.RandomState(7).normal(0, 0.3, shape).astype(np.float32)
    return numpy_helper.from_array(values, name)


def integers(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def floats(name, *values):
    return numpy_helper.from_array(np.array(values, np.float32), name)


def value(name, shape=None, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def image(*shape):
    return value("image", list(shape) or [1, 3, SIDE, SIDE])


def model(nodes, initializers=(), inputs=None, outputs=None, opset=13, domains=(), **fields):
    """A ModelProto from image to result, unless inputs and outputs are given; never checked."""
    inputs = [image()] if inputs is None else inputs
    outputs = [value("result")] if outputs is None else outputs
    graph = helper.make_graph(list(nodes), "tiny", inputs, outputs, list(initializers))
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(name, 1) for name in domains]
    made = helper.make_model(graph, opset_imports=opsets, producer_name="broken_files", **fields)
    made.ir_version = 7
    return made


def node(kind, inputs, outputs=("result",), **attributes):
    name = f"{kind} to {outputs[0]}"
    return helper.make_node(kind, list(inputs), list(outputs), name, **attributes)


def conv_then(kind, extra=(), initializers=(), **attributes):
    """A 3x3 convolution to 4 channels, then one node of the given kind."""
    nodes = [
        helper.make_node("Conv", ["image", "weight"], ["map"], "conv", pads=[1, 1, 1, 1]),
        node(kind, ["map", *extra], **attributes),
    ]
    return model(nodes, [weights("weight", 4, 3, 3, 3), *initializers])


def one_conv(shape=(4, 3, 3, 3), **attributes):
    """One convolution with these weights and attributes, right or wrong."""
    return model([node("Conv", ["image", "weight"], **attributes)], [weights("weight", *shape)])


def small_network():
    """Conv, Relu, global pooling, Flatten, Gemm: a whole and valid model."""
    nodes = [
        helper.make_node("Conv", ["image", "conv.weight"], ["map"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["map"], ["positive"], "relu"),
        helper.make_node("GlobalAveragePool", ["positive"], ["point"], "pool"),
        helper.make_node("Flatten", ["point"], ["vector"], "flatten"),
        helper.make_node("Gemm", ["vector", "fc.weight", "fc.bias"], ["result"], "fc", transB=1),
    ]
    tensors = [
        weights("conv.weight", 4, 3, 3, 3),
        weights("fc.weight", 5, 4),
        weights("fc.bias", 5),
    ]
    return model(nodes, tensors, outputs=[value("result", [1, 5])])
