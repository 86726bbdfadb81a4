#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that are known layers in other clothes, or rare: each stands between two 3x3 convolutions. Nothing is
unknown, the kind and the field behind it are right, and what Fovea writes from its own records computes the same in
ONNX Runtime with the same shapes.
"""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import BOUND, Harness

RANDOM = numpy.random.default_rng(0)
MS = "com.microsoft"
CASES = []


def weight(*dims):
    return (RANDOM.random(dims, dtype=numpy.float32) - 0.4) / 4


def int8(*dims):
    return RANDOM.integers(-90, 120, dims, dtype=numpy.int8)


def ints(*values):
    return numpy.array(values, numpy.int64)


def real(value):
    return numpy.array(value, numpy.float32)


def node(kind, inputs, outputs, domain="", **attributes):
    outputs = [outputs] if isinstance(outputs, str) else outputs
    return helper.make_node(kind, inputs, outputs, outputs[0], domain=domain or None, **attributes)


def case(name, kinds, nodes, tensors=None, field=5, opset=13, channels=4, parameters=None, macs=None, same=True):
    """`nodes` lead from map "a" of 1x4x12x16 to map "b"; kinds: those of the layers between. `same`: whether what is
    written computes the same; None: ONNX Runtime has lost the operator, so only what is written runs."""
    CASES.append((name, kinds, nodes, tensors or {}, field, opset, channels, parameters, macs, same))


def pointwise(kind, expected=None, opset=13, domain="", same=True, **attributes):
    case(f"{domain}{kind}", [expected or kind], [node(kind, ["a"], "b", domain, **attributes)], opset=opset, same=same)


SCALES = {"s": real(0.05), "zu": numpy.array(128, numpy.uint8), "zi": numpy.array(0, numpy.int8), "ws": real(0.01)}
QUANTIZE = node("QuantizeLinear", ["a", "s", "zu"], "q")


def between(nodes, source="r"):
    return [QUANTIZE, *nodes, node("DequantizeLinear", [source, "s", "zu"], "b")]


def define():
    for kind in ("Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Atanh"):
        bounded = [node("Tanh", ["a"], "t"), node(kind, ["t"], "b")]
        case(kind, ["Tanh", kind], bounded)
    pointwise("Shrink", lambd=0.1, bias=0.05)
    pointwise("ThresholdedRelu", "Threshold", alpha=0.1)
    pointwise("HardSwish", "Hardswish", opset=14)
    pointwise("Affine", same=None, alpha=0.5, beta=0.1)
    pointwise("ScaledTanh", same=None, alpha=0.5, beta=0.7)
    pointwise("ParametricSoftplus", same=None, alpha=0.5, beta=0.7)
    pointwise("ImageScaler", same=None, scale=0.5, bias=[0.1, 0.2, 0.3, 0.4])
    pointwise("MeanVarianceNormalization", "MeanVarianceNorm", axes=[0, 2, 3])
    pointwise("LpNormalization", "Normalize", axis=1)
    pointwise("Hardmax", axis=1)
    pointwise("QuickGelu", "QuickGELU", domain=MS, alpha=1.702)
    pointwise("Gelu", "GELU", domain=MS)
    pointwise("FastGelu", "GELU", domain=MS)
    pointwise("Gelu", "GELU", opset=20, approximate="tanh")
    case("Cast", ["Cast", "Cast"], [node("Cast", ["a"], "t", to=TensorProto.DOUBLE), node("Cast", ["t"], "b", to=TensorProto.FLOAT)])
    case("Cast to whole numbers", ["Mul", "Cast", "Cast"],
         [node("Mul", ["a", "hundred"], "m"), node("Cast", ["m"], "t", to=TensorProto.INT32), node("Cast", ["t"], "b", to=TensorProto.FLOAT)], {"hundred": real(100)})
    case("comparisons, logic, Where", ["Greater", "Less", "And", "Not", "Where"],
         [node("Greater", ["a", "low"], "g"), node("Less", ["a", "high"], "l"), node("And", ["g", "l"], "i"), node("Not", ["i"], "o"), node("Where", ["o", "a", "high"], "b")],
         {"low": real(-0.1), "high": real(0.1)})
    case("Equal, Or, Xor", ["Equal", "Equal", "Or", "Xor", "Cast"],
         [node("Equal", ["a", "low"], "g"), node("Equal", ["a", "a"], "l"), node("Or", ["g", "l"], "i"), node("Xor", ["i", "g"], "o"), node("Cast", ["o"], "b", to=1)], {"low": real(0)})
    case("IsNaN", ["IsNaN", "Cast"], [node("IsNaN", ["a"], "n"), node("Cast", ["n"], "b", to=1)])
    case("Mod", ["Mod"], [node("Mod", ["a", "low"], "b", fmod=1)], {"low": real(0.3)})
    case("Sum and Mean of several", ["ReLU", "Add", "Average"], [node("Relu", ["a"], "r"), node("Sum", ["a", "r", "a"], "s"), node("Mean", ["a", "s", "r"], "b")])
    case("Min and Max with bounds", ["Maximum", "Minimum"], [node("Max", ["a", "low"], "m"), node("Min", ["m", "high"], "b")], {"low": real(-0.2), "high": real(0.2)},
         parameters=3 * 4 * 9 + 4 * 4 * 9)
    case("a scalar behind a window is a parameter", ["Mul"], [node("Mul", ["a", "gain"], "b")], {"gain": real(0.7)}, parameters=3 * 4 * 9 + 4 * 4 * 9 + 1)
    case("PRelu by channel", ["PReLU"], [node("PRelu", ["a", "slope"], "b")], {"slope": weight(4, 1, 1)})
    case("CumSum over channels", ["CumSum"], [node("CumSum", ["a", "axis"], "b")], {"axis": numpy.array(1, numpy.int32)})
    case("ArgMax over channels", ["ArgMax", "Cast"], [node("ArgMax", ["a"], "m", axis=1), node("Cast", ["m"], "b", to=1)], channels=1)
    case("TopK over channels", ["TopK"], [node("TopK", ["a", "k"], ["b", "places"], axis=1)], {"k": ints(3)}, channels=3)
    case("channels gathered in another order", ["IndexSelect"], [node("Gather", ["a", "order"], "b", axis=1)], {"order": ints(2, 0, 3, 1)})
    case("every second column gathered", ["IndexSelect"], [node("Gather", ["a", "order"], "b", axis=3)], {"order": ints(*range(0, 16, 2))}, field=(5, 7))
    for kind, name in (("ReduceL1", "L1Norm"), ("ReduceLogSumExp", "LogSumExp"), ("ReduceProd", "Prod"), ("ReduceSumSquare", "SumSquare")):
        case(kind, [name], [node(kind, ["a"], "b", axes=[1])], channels=1)
    case("ReduceLogSum", ["ReLU", "Add", "LogSum"], [node("Relu", ["a"], "r"), node("Add", ["r", "one"], "p"), node("ReduceLogSum", ["p"], "b", axes=[1])], {"one": real(1)}, channels=1)
    case("LpPool", ["LPPool2d"], [node("LpPool", ["a"], "b", kernel_shape=[2, 2], strides=[2, 2], p=2)], field=8)
    case("GlobalLpPool in a gate", ["Norm", "Sigmoid", "Mul"], [node("GlobalLpPool", ["a"], "g", p=2), node("Sigmoid", ["g"], "s"), node("Mul", ["a", "s"], "b")])
    case("Trilu that keeps all", ["Trilu"], [node("Trilu", ["a", "k"], "b", upper=1)], {"k": numpy.array(-40, numpy.int64)}, opset=14)
    case("Crop", ["Slice"], [node("Crop", ["a"], "b", border=[1, 2, 3, 0])], same=None)
    case("Crop with a size", ["Slice"], [node("Crop", ["a"], "b", border=[1, 2, 0, 0], scale=[6, 8])], same=None)
    case("InstanceNormalization", ["InstanceNorm2d"], [node("InstanceNormalization", ["a", "g", "h"], "b")], {"g": weight(4), "h": weight(4)})
    case("Einsum as a 1x1 convolution", ["Einsum"], [node("Einsum", ["a", "m"], "b", equation="nchw,oc->nohw")], {"m": weight(4, 4)},
         parameters=3 * 4 * 9 + 4 * 4 * 9 + 16, macs=12 * 16 * (3 * 4 * 9 + 4 * 4 * 9 + 16))
    case("Einsum as a scale", ["Einsum"], [node("Einsum", ["a", "m"], "b", equation="nchw,c->nchw")], {"m": weight(4)}, macs=12 * 16 * (3 * 4 * 9 + 4 * 4 * 9))
    case("Einsum as a product of maps", ["ReLU", "Einsum"], [node("Relu", ["a"], "r"), node("Einsum", ["a", "r"], "b", equation="nchw,nchw->nchw")])
    # Quantised
    case("QuantizeLinear, DequantizeLinear", ["QuantizeLinear", "DequantizeLinear"], [QUANTIZE, node("DequantizeLinear", ["q", "s", "zu"], "b")], SCALES)
    case("QLinearConv", ["QuantizeLinear", "Conv2d", "DequantizeLinear"], between([node("QLinearConv", ["q", "s", "zu", "w8", "ws", "zi", "s", "zu", "b32"], "r", pads=[1, 1, 1, 1], strides=[2, 2])]),
         {**SCALES, "w8": int8(4, 4, 3, 3), "b32": numpy.array([1, 2, 3, 4], numpy.int32)}, field=9, parameters=3 * 4 * 9 + 4 * 4 * 9 * 2 + 4)
    case("ConvInteger", ["DynamicQuantizeLinear", "Conv2d", "Cast", "Mul", "Mul"],
         [node("DynamicQuantizeLinear", ["a"], ["q", "qs", "qz"]), node("ConvInteger", ["q", "w8", "qz", "zi"], "r", pads=[1, 1, 1, 1]), node("Cast", ["r"], "f", to=1),
          node("Mul", ["qs", "ws"], "p"), node("Mul", ["f", "p"], "b")], {**SCALES, "w8": int8(4, 4, 3, 3)}, field=7, parameters=3 * 4 * 9 + 4 * 4 * 9 * 2)
    plain = {"QLinearAdd": "Add", "QLinearMul": "Mul"}
    for kind, name in plain.items():
        case(kind, ["QuantizeLinear", name, "DequantizeLinear"], between([node(kind, ["q", "s", "zu", "q", "s", "zu", "s", "zu"], "r", MS)]), SCALES)
    case("QLinearConcat", ["QuantizeLinear", "Concat", "DequantizeLinear"], between([node("QLinearConcat", ["s", "zu", "q", "s", "zu", "q", "s", "zu"], "r", MS, axis=1)]), SCALES, channels=8)
    case("QLinearLeakyRelu", ["QuantizeLinear", "LeakyReLU", "DequantizeLinear"], between([node("QLinearLeakyRelu", ["q", "s", "zu", "s", "zu"], "r", MS, alpha=0.1)]), SCALES)
    case("QLinearSigmoid", ["QuantizeLinear", "Sigmoid", "DequantizeLinear"], between([node("QLinearSigmoid", ["q", "s", "zu", "s", "zu"], "r", MS)]), SCALES)
    case("QLinearAveragePool", ["QuantizeLinear", "AvgPool2d", "DequantizeLinear"],
         between([node("QLinearAveragePool", ["q", "s", "zu", "s", "zu"], "r", MS, kernel_shape=[2, 2], strides=[2, 2])]), SCALES, field=8)
    case("QLinearGlobalAveragePool in a gate", ["QuantizeLinear", "AdaptiveAvgPool2d", "DequantizeLinear", "Mul"],
         [QUANTIZE, node("QLinearGlobalAveragePool", ["q", "s", "zu", "s", "zu"], "r", MS), node("DequantizeLinear", ["r", "s", "zu"], "g"), node("Mul", ["a", "g"], "b")], SCALES)
    # Fused
    case("FusedConv", ["Conv2d"], [node("FusedConv", ["a", "w", "c"], "b", MS, activation="Relu", pads=[1, 1, 1, 1])], {"w": weight(4, 4, 3, 3), "c": weight(4)}, field=7)
    turned = [node("Transpose", ["a"], "t", perm=[0, 2, 3, 1])]
    back = [node("Transpose", ["u"], "b", perm=[0, 3, 1, 2])]
    case("FusedMatMul", ["Permute", "Linear", "Permute"], [*turned, node("FusedMatMul", ["t", "m"], "u", MS, alpha=0.5, transB=1), *back], {"m": weight(4, 4)})
    case("MatMulInteger", ["Permute", "DynamicQuantizeLinear", "Linear", "Cast", "Permute"],
         [*turned, node("DynamicQuantizeLinear", ["t"], ["q", "qs", "qz"]), node("MatMulInteger", ["q", "m8", "qz", "zi"], "r"), node("Cast", ["r"], "u", to=1), *back], {**SCALES, "m8": int8(4, 4)})
    case("BiasGelu", ["Permute", "BiasGELU", "Permute"], [*turned, node("BiasGelu", ["t", "v"], "u", MS), *back], {"v": weight(4)}, parameters=3 * 4 * 9 + 4 * 4 * 9 + 4)
    case("noise", ["RandomLike", "Mul", "Add"], [node("RandomNormalLike", ["a"], "n", seed=3.0), node("Mul", ["n", "nil"], "o"), node("Add", ["a", "o"], "b")], {"nil": real(0)})
    case("unread outputs", ["BatchNorm2d"], [node("BatchNormalization", ["a", "v", "w", "m", "u"], ["b", "mean", "var"], training_mode=1)],
         {"v": weight(4), "w": weight(4), "m": weight(4), "u": numpy.ones(4, numpy.float32)}, opset=14, same=False)


def model_of(nodes, tensors, opset, channels):
    first, last = weight(4, 3, 3, 3), weight(4, channels, 3, 3)
    all_nodes = [node("Conv", ["x", "first"], "a", pads=[1, 1, 1, 1]), *nodes, node("Conv", ["b", "last"], "y", pads=[1, 1, 1, 1])]
    given = [numpy_helper.from_array(value, name) for name, value in {"first": first, "last": last, **tensors}.items()]
    graph = helper.make_graph(all_nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 12, 16])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], given)
    imports = [helper.make_opsetid("", opset)]
    if any(one.domain == MS for one in nodes):
        imports.append(helper.make_opsetid(MS, 1))
    model = helper.make_model(graph, opset_imports=imports)
    model.ir_version = 7
    return model


def check(harness, row, folder, jobs):
    name, kinds, nodes, tensors, field, opset, channels, parameters, macs, same = row
    path = folder / f"{len(jobs)}.onnx"
    onnx.save(model_of(nodes, tensors, opset, channels), path)
    report = harness.analysis(path)
    if report is None:
        return
    layers = report["layers"]
    harness.expect([layer["kind"] for layer in layers[1:-1]] == kinds, f"{name}: read as {[layer['kind'] for layer in layers[1:-1]]}, not {kinds}")
    unknown = [issue["message"] for issue in report["issues"] if issue["code"] == "unknown-layer"]
    harness.expect(not unknown, f"{name}: {unknown}")
    wanted = list(field) if isinstance(field, tuple) else [field, field]
    harness.expect(layers[-1]["rf_max"] == wanted, f"{name}: field {layers[-1]['rf_max']}, not {wanted}")
    harness.expect(report["summary"]["complete"], f"{name}: not complete")
    if parameters is not None:
        harness.expect(report["summary"]["parameters"] == parameters, f"{name}: {report['summary']['parameters']} parameters, not {parameters}")
    if macs is not None:
        harness.expect(report["summary"]["macs"] == macs, f"{name}: {report['summary']['macs']} MACs, not {macs}")
    copy = path.with_suffix(".own.onnx")
    if harness.expect_done("convert", path, copy, "--no-origin"):
        files = {"a": str(copy)} if same is None else {"a": str(path), "b": str(copy)}
        jobs.append({"id": str(len(jobs)), **files, "seed": 5, "expect_shape": report["outputs"][0]["shape"], "name": name, "same": same})


def main():
    harness = Harness(__doc__)
    define()
    jobs = []
    for row in CASES:
        check(harness, row, harness.scratch, jobs)
    checked = len(CASES)
    names = {job["id"]: (job.pop("name"), job.pop("same")) for job in jobs}
    harness.require_ort()
    for index, result in harness.run_ort(jobs).items():
        name, same = names[index]
        if harness.expect(result["ok"], f"{name}: {result['error']}") and same:
            harness.expect(result["ratio"] <= BOUND, f"{name}: own records differ by {result['ratio']:.2e}")
    harness.finish(checked)


if __name__ == "__main__":
    main()
