# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files of kinds that only files bring: recurrent layers, whole numbers, ONNX Runtime's own operators."""

import numpy
from onnx import TensorProto, helper

from ort_session import make_model

IMAGE = ("x", [1, 3, 12, 16])
STEM = {"stem_w": numpy.linspace(-0.3, 0.4, 4 * 3 * 9, dtype=numpy.float32).reshape(4, 3, 3, 3)}


def stem(out="s", name="stem"):
    return helper.make_node("Conv", ["x", "stem_w"], [out], name, kernel_shape=[3, 3], pads=[1] * 4)


def small(*dims):
    """Numbers that differ, of both signs."""
    count = int(numpy.prod(dims))
    return (numpy.sin(numpy.arange(1, count + 1)) * 0.3).astype(numpy.float32).reshape(dims)


def network(nodes, output, tensors=(), opset=17, element=TensorProto.FLOAT, domains=()):
    return make_model([stem(), *nodes], [IMAGE], [(output, None, element)], {**STEM, **dict(tensors)}, opset, domains=domains)


def to_rows():
    """[16, 1, 4]: the columns of the map as a sequence."""
    return [helper.make_node("ReduceMean", ["s"], ["mean"], "mean", axes=[2], keepdims=0),
            helper.make_node("Transpose", ["mean"], ["steps"], "steps", perm=[2, 0, 1])]


def to_tokens():
    """[1, 192, 4]: the positions of the map, features last."""
    return [helper.make_node("Reshape", ["s", "flat"], ["rows"], "rows"),
            helper.make_node("Transpose", ["rows"], ["t"], "tokens", perm=[0, 2, 1])]


def recurrent(kind, gates, both=False, last=False, **attrs):
    ways = 2 if both else 1
    outputs = ["seq"] if not last else ["", "state"]
    tensors = {"w": small(ways, gates * 5, 4), "r": small(ways, gates * 5, 5), "b": small(ways, 2 * gates * 5)}
    node = helper.make_node(kind, ["steps", "w", "r", "b"], outputs, kind.lower(), hidden_size=5,
                            direction="bidirectional" if both else "forward", **attrs)
    return network([*to_rows(), node], outputs[-1], tensors)


def quantised(element, zero, axis=None, opset=17):
    scales = numpy.float32(0.05) if axis is None else numpy.array([0.05, 0.04, 0.03, 0.06], numpy.float32)
    zeros = numpy.array(zero, element) if axis is None else numpy.full(4, zero, element)
    along = {} if axis is None else {"axis": axis}
    return network([helper.make_node("QuantizeLinear", ["s", "scale", "zero"], ["q"], "quantise", **along),
                    helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"], "dequantise", **along),
                    helper.make_node("Relu", ["d"], ["y"], "relu")], "y", {"scale": scales, "zero": zeros}, opset)


def bitwise(kind):
    return network([helper.make_node("Cast", ["s"], ["i"], "whole", to=TensorProto.INT32),
                    helper.make_node(kind, ["i", "i"] if kind != "BitwiseNot" else ["i"], ["j"], "bits"),
                    helper.make_node("Cast", ["j"], ["y"], "real", to=TensorProto.FLOAT)], "y", opset=18)


def own(kind, inputs, tensors, **attrs):
    return network([*to_tokens(), helper.make_node(kind, inputs, ["y"], kind.lower(), domain="com.microsoft", **attrs)], "y",
                   {"flat": numpy.array([1, 4, -1], numpy.int64), **tensors}, domains=[("com.microsoft", 1)])


def opset_files():
    yield "LSTM_0", recurrent("LSTM", 4)
    yield "LSTM_1", recurrent("LSTM", 4, both=True, last=True)
    yield "GRU_0", recurrent("GRU", 3, linear_before_reset=1)
    yield "GRU_1", recurrent("GRU", 3, both=True)
    yield "RNN_0", recurrent("RNN", 1)
    yield "MeanVarianceNorm_0", network([helper.make_node("MeanVarianceNormalization", ["s"], ["y"], "mvn", axes=[0, 2, 3])], "y")
    yield "Embedding_0", network([helper.make_node("ArgMax", ["s"], ["i"], "best", axis=1),
                                  helper.make_node("Gather", ["table", "i"], ["y"], "embed")], "y", {"table": small(4, 6)})
    for number, kind in enumerate(("BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot")):
        yield f"Bitwise_{number}", bitwise(kind)
    yield "QuantizeLinear_0", quantised(numpy.uint8, 128)
    yield "QuantizeLinear_1", quantised(numpy.int8, 3)
    yield "QuantizeLinear_2", quantised(numpy.int8, 0, axis=1)
    yield "DynamicQuantizeLinear_0", network(
        [helper.make_node("DynamicQuantizeLinear", ["s"], ["q", "scale", "zero"], "quantise"),
         helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"], "dequantise")], "y", opset=11)
    yield "BiasGELU_0", own("BiasGelu", ["t", "b"], {"b": small(4)})
    yield "FusedMatMul_0", own("FusedMatMul", ["t", "t"], {}, transB=1, alpha=0.5)
    yield "SkipLayerNorm_0", own("SkipLayerNormalization", ["t", "t", "g", "b"], {"g": small(4), "b": small(4)})
    yield "MultiheadAttention_0", own("MultiHeadAttention", ["t", "t", "t"], {}, num_heads=2)
