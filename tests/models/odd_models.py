# SPDX-License-Identifier: GPL-3.0-or-later
"""Unusual models that open all the same: little in them, operators unknown, types and opsets rare.

CASES lists (file, expected reaction, why, function that returns the ModelProto).
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tiny_models import (
    floats,
    image,
    integers,
    model,
    node,
    small_network,
    value,
    weights,
)

CASES = []


def opens(file, why):
    """Registers a function that returns the file's ModelProto."""

    def register(make):
        CASES.append((f"{file}.onnx", "opens", why, make))
        return make

    return register


# Little or nothing in the graph.


@opens("no_nodes", "a graph that hands its input through")
def no_nodes():
    return model([], outputs=[image()])


@opens("no_inputs", "a graph that only makes a constant")
def no_inputs():
    return model([node("Constant", [], value=weights("made", 1, 3, 4, 4))], inputs=[])


@opens("no_outputs", "a graph without outputs")
def no_outputs():
    return model([node("Relu", ["image"])], outputs=[])


@opens("dead_nodes", "nodes whose result nobody reads")
def dead_nodes():
    return model([node("Sigmoid", ["image"], ["unread"]), node("Relu", ["image"])])


# Operators that Fovea need not know.


@opens("custom_domain", "an operator of somebody's own domain, with attributes of many types")
def custom_domain():
    attributes = {"depth": 3, "ratio": 0.5, "mode": "wild", "table": weights("table", 2, 2)}
    nodes = [
        node("Conv", ["image", "weight"], ["map"]),
        node("Swirl", ["map"], domain="com.example", **attributes),
    ]
    return model(nodes, [weights("weight", 4, 3, 3, 3)], domains=["com.example"])


@opens("custom_domain_undeclared", "an operator of a domain that the file does not import")
def custom_domain_undeclared():
    return model([node("Swirl", ["image"], domain="com.example")])


@opens("unknown_operator", "an operator that ONNX does not have")
def unknown_operator():
    return model([node("Relu", ["image"], ["map"]), node("Rlu", ["map"])])


@opens("same_name_other_domain", "a Conv of another domain: not a convolution")
def same_name_other_domain():
    domain = "com.example"
    made = node("Conv", ["image", "weight"], domain=domain)
    return model([made], [weights("weight", 4, 3, 3, 3)], domains=[domain])


def branch(name, kind):
    made = helper.make_node(kind, ["image"], [f"{name}_out"])
    return helper.make_graph([made], name, [], [value(f"{name}_out")])


@opens("if", "If: two branches that read a value from outside")
def conditional():
    inputs = [image(), value("condition", [], TensorProto.BOOL)]
    branches = {"then_branch": branch("yes", "Relu"), "else_branch": branch("no", "Sigmoid")}
    return model([node("If", ["condition"], **branches)], inputs=inputs)


@opens("loop", "Loop: a body that runs 3 times")
def loop():
    body_inputs = [value("step", [], 7), value("go", [], 9), value("state")]
    body_nodes = [
        helper.make_node("Relu", ["state"], ["state_out"]),
        helper.make_node("Identity", ["go"], ["go_out"]),
    ]
    outputs = [value("go_out", [], TensorProto.BOOL), value("state_out")]
    body = helper.make_graph(body_nodes, "body", body_inputs, outputs)
    count = numpy_helper.from_array(np.array(3, np.int64), "count")
    return model([node("Loop", ["count", "", "image"], body=body)], [count])


@opens("local_function", "a node that is a function of the model itself (IR version 8)")
def local_function():
    inner = helper.make_node("Relu", ["x"], ["y"])
    opset = helper.make_opsetid("", 13)
    function = helper.make_function("own", "Twist", ["x"], ["y"], [inner], [opset])
    made = model([node("Twist", ["image"], domain="own")], domains=["own"])
    made.functions.append(function)
    made.ir_version = 8
    return made


@opens("quantized", "a quantized convolution")
def quantized():
    scale, zero = floats("scale", 0.1), numpy_helper.from_array(np.zeros(1, np.uint8), "zero")
    weight = numpy_helper.from_array(np.ones((4, 3, 3, 3), np.uint8), "weight")
    nodes = [
        node("QuantizeLinear", ["image", "scale", "zero"], ["quantized"]),
        node(
            "QLinearConv",
            ["quantized", "scale", "zero", "weight", "scale", "zero", "scale", "zero"],
            ["out"],
        ),
        node("DequantizeLinear", ["out", "scale", "zero"]),
    ]
    return model(nodes, [scale, zero, weight])


@opens("string_tensors", "a tensor of strings")
def string_tensors():
    labels = helper.make_tensor("labels", TensorProto.STRING, [2], [b"cat", b"\xff\xfe"])
    nodes = [node("Identity", ["labels"], ["names"]), node("Relu", ["image"])]
    text = value("names", [2], TensorProto.STRING)
    return model(nodes, [labels], outputs=[value("result"), text])


@opens("sparse_weight", "a weight kept as a sparse tensor")
def sparse_weight():
    made = model([node("Conv", ["image", "weight"])])
    indices = integers("weight_indices", 0, 5, 9)
    sparse = helper.make_sparse_tensor(weights("weight", 3), indices, [4, 3, 3, 3])
    made.graph.sparse_initializer.append(sparse)
    return made


@opens("half_precision", "weights and image of float16")
def half_precision():
    half = numpy_helper.from_array(np.full((4, 3, 3, 3), 0.1, np.float16), "weight")
    kind = TensorProto.FLOAT16
    inputs, outputs = [value("image", [1, 3, 16, 16], kind)], [value("result", None, kind)]
    return model([node("Conv", ["image", "weight"])], [half], inputs, outputs)


# Unusual but right.


@opens("conv_1d", "a 1-D convolution")
def conv_1d():
    return model(
        [node("Conv", ["image", "weight"])], [weights("weight", 4, 3, 5)], [image(1, 3, 100)]
    )


@opens("conv_3d", "a 3-D convolution")
def conv_3d():
    tensor = weights("weight", 4, 3, 3, 3, 3)
    return model([node("Conv", ["image", "weight"])], [tensor], [image(1, 3, 8, 16, 16)])


@opens("weight_as_input", "a convolution whose weight comes at run time")
def weight_as_input():
    return model(
        [node("Conv", ["image", "weight"])], inputs=[image(), value("weight", [4, 3, 3, 3])]
    )


@opens("reshape_at_run_time", "a Reshape to a shape that is an input")
def reshape_at_run_time():
    inputs = [image(), value("shape", [2], TensorProto.INT64)]
    return model([node("Reshape", ["image", "shape"])], inputs=inputs)


@opens("two_images", "two inputs of rank 4")
def two_images():
    return model(
        [node("Add", ["image", "second"])], inputs=[image(), value("second", [1, 3, 16, 16])]
    )


@opens("repeated_node_names", "two nodes of one name")
def repeated_node_names():
    made = model([node("Relu", ["image"], ["map"]), node("Relu", ["map"])])
    for twin in made.graph.node:
        twin.name = "twin"
    return made


@opens("strange_names", "names with a line break, a quote, a zero byte, an emoji, 100,000 letters")
def strange_names():
    names = ["line\nbreak", 'quote"\\', "zero\0byte", "🦴/\u202e", "n" * 100_000]
    values = ["image", *names, "result"]
    return model([node("Relu", [a], [b]) for a, b in zip(values, values[1:])])


@opens("old_opset", "opset 7: BatchNormalization with `spatial`, Upsample with scales as attribute")
def old_opset():
    norm_inputs = ["map", *"abcd"]
    nodes = [
        node("Conv", ["image", "weight"], ["map"]),
        node("BatchNormalization", norm_inputs, ["normed"], spatial=1),
        node("Upsample", ["normed"], mode="nearest", scales=[1.0, 1.0, 2.0, 2.0]),
    ]
    tensors = [weights("weight", 4, 3, 3, 3), *[floats(name, 1, 1, 1, 1) for name in "abcd"]]
    return model(nodes, tensors, opset=7)


@opens("new_opset", "opset 18: axes of ReduceMean as an input, Split by num_outputs")
def new_opset():
    nodes = [
        node("Conv", ["image", "weight"], ["map"]),
        node("Split", ["map"], ["first", "second"], axis=1, num_outputs=2),
        node("Add", ["first", "second"], ["sum"]),
        node("ReduceMean", ["sum", "axes"], keepdims=0),
    ]
    return model(nodes, [weights("weight", 4, 3, 3, 3), integers("axes", 2, 3)], opset=18)


@opens("newest_opset", "opset 21: GroupNormalization, an average pooling with dilations")
def newest_opset():
    nodes = [
        node("Conv", ["image", "weight"], ["map"]),
        node("GroupNormalization", ["map", "scale", "shift"], ["normed"], num_groups=2),
        node("AveragePool", ["normed"], kernel_shape=[2, 2], dilations=[2, 2]),
    ]
    tensors = [weights("weight", 4, 3, 3, 3), weights("scale", 4), weights("shift", 4)]
    made = model(nodes, tensors, opset=21)
    made.ir_version = 10
    return made


@opens("future_opset", "an opset and an IR version that do not exist yet")
def future_opset():
    made = small_network()
    made.opset_import[0].version = 9999
    made.ir_version = 9999
    return made
