#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be read is told once, in true words, and nothing is concluded from the rest; what an unknown layer cannot
change is known; functions of a model are read; settings are no parameters.
"""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import BOUND, Harness
from same_file import differences

RANDOM = numpy.random.default_rng(0)


def weight(*dims):
    return (RANDOM.random(dims, dtype=numpy.float32) - 0.4) / 4


def node(kind, inputs, outputs, domain="", **attributes):
    outputs = [outputs] if isinstance(outputs, str) else outputs
    return helper.make_node(kind, inputs, outputs, outputs[0], domain=domain or None, **attributes)


def conv(source, kernel, output, **attributes):
    return node("Conv", [source, kernel], output, pads=[1, 1, 1, 1], **attributes)


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def save(path, nodes, tensors, inputs=None, outputs=None, infos=(), functions=(), opset=16, domains=()):
    given = [numpy_helper.from_array(array, name) for name, array in tensors.items()]
    graph = helper.make_graph(nodes, "g", inputs or [value("x", [1, 3, 32, 32])], outputs or [value("y", None)], given, value_info=list(infos))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), *(helper.make_opsetid(name, 1) for name in domains)], functions=list(functions))
    model.ir_version = 8
    onnx.save(model, path)
    return path


def codes(report, code):
    return [issue for issue in report["issues"] if issue["code"] == code]


def layer(report, name):
    return next(one for one in report["layers"] if one["name"] == name)


W = {"w": weight(3, 3, 3, 3), "v": weight(3, 3, 3, 3)}


def sampling(harness, folder):
    """A sampling by data between convolutions."""
    nodes = [conv("x", "w", "a"), conv("a", "v", "flow"), node("Slice", ["flow", "first", "second", "axis"], "pair"), node("Transpose", ["pair"], "grid", perm=[0, 2, 3, 1]),
             node("GridSample", ["a", "grid"], "s"), conv("s", "w", "b"), node("GlobalAveragePool", ["b"], "pool"), node("Flatten", ["pool"], "y")]
    tensors = {**W, **{name: numpy.array([number], numpy.int64) for name, number in (("first", 0), ("second", 2), ("axis", 1))}}
    path = save(folder / "sampling.onnx", nodes, tensors, outputs=[value("y", [1, 3])], infos=[value("s", [1, 3, 32, 32])])
    report = harness.analysis(path)
    found = codes(report, "unknown-layer")
    harness.expect([issue["layer"] for issue in found] == ["s"], f"sampling: {found}")
    harness.expect(found and found[0]["message"] == "'s': it samples positions that depend on data. The fields of 1 layer behind it are unknown for that.", f"sampling: {found}")
    harness.expect(layer(report, "b")["verdict"] == "unknown" and layer(report, "b")["out_shape"] == [1, 3, 32, 32], f"sampling: {layer(report, 'b')}")
    harness.expect(layer(report, "pool")["unbounded"] and layer(report, "pool")["verdict"] == "not_applicable", "sampling: the pooling behind it is not global")
    harness.expect(report["summary"]["complete"] is False and report["summary"]["macs"] == 3 * 32 * 32 * 81, f"sampling: {report['summary']}")
    harness.expect(not codes(report, "field-smaller-than-input"), "sampling: speaks of the known rest")
    harness.expect(harness.fovea("analyze", path, "--fail-on", "unproductive").code == 1, "sampling: --fail-on passes")
    text = harness.fovea("analyze", path).out
    harness.expect("i_min at least 5 " in text and "i_max at least 5\n" in text, f"sampling: {text[-900:]}")
    for option in ("s=k1", "op:GridSample=same"):
        stated = harness.analysis(path, "--reach", option)
        harness.expect(layer(stated, "b")["rf_max"] == [7, 7] and stated["summary"]["complete"], f"sampling, {option}: {layer(stated, 'b')}")
    doubled = harness.analysis(path, "--reach", "s=up2")
    harness.expect(layer(doubled, "b")["jump"] == ["1/2", "1/2"], f"sampling, up2: {layer(doubled, 'b')}")
    harness.expect(harness.fovea("analyze", path, "--reach", "op:RoiAlign=same").is_refusal(), "a type that is not there is accepted")
    return 1


def computed_weight(harness, folder):
    """A weight that comes from the image is told as such, not as an unknown Conv."""
    nodes = [conv("x", "w", "a"), node("GlobalAveragePool", ["a"], "g"), node("Mul", ["v", "g"], "kernel"), conv("a", "kernel", "b"), node("Relu", ["b"], "y")]
    path = save(folder / "computed.onnx", nodes, W)
    report = harness.analysis(path)
    found = codes(report, "unknown-layer")
    harness.expect(len(found) == 1 and found[0]["message"].startswith("'b': its weight is computed by Mul, which is not followed."), f"computed weight: {found}")
    harness.expect(harness.fovea("analyze", path, "--fail-on", "unproductive").code == 1, "computed weight: --fail-on passes")
    harness.expect(harness.fovea("analyze", path, "--fail-on", "unproductive", "--reach", "b=k3s1p1").code == 0, "computed weight, stated: --fail-on fails")
    return 1


def other_domain(harness, folder):
    """Parameters of a layer of another domain count; two alike are one finding."""
    nodes = [conv("x", "w", "a"), node("Swirl", ["a", "table"], "b", "com.example"), node("Swirl", ["a", "bias"], "c", "com.example"), node("Add", ["b", "c"], "s"), conv("s", "v", "y")]
    path = save(folder / "domain.onnx", nodes, {**W, "table": weight(7, 5), "bias": weight(5)}, domains=["com.example"])
    report = harness.analysis(path)
    found = codes(report, "unknown-layer")
    harness.expect(len(found) == 1 and found[0]["message"] == "'b': operators of the domain 'com.example' such as 'Swirl' are not known; so it is with 1 more of its type. "
                   "The fields of 2 layers behind it are unknown for that.", f"other domain: {found}")
    harness.expect(layer(report, "b")["parameters"] == 35 and report["summary"]["parameters"] == 2 * 81 + 40, f"other domain: {report['summary']}")
    harness.expect(layer(report, "b")["macs"] is None, "other domain: MACs that nobody knows are a number")
    return 1


def tail(harness, folder):
    """Behind the head, control flow and suppression fail no check."""
    then = helper.make_graph([helper.make_node("Relu", ["v4"], ["t"])], "then", [], [value("t", None)])
    other = helper.make_graph([helper.make_node("Sigmoid", ["v4"], ["e"])], "else", [], [value("e", None)])
    nodes = [conv("x", "w", "a"), node("GlobalAveragePool", ["a"], "p"), node("Flatten", ["p"], "v4"), node("ReduceMax", ["v4"], "m", keepdims=0), node("Greater", ["m", "zero"], "c"),
             node("If", ["c"], "i", then_branch=then, else_branch=other), node("TopK", ["i", "k"], ["values", "places"]), node("NonZero", ["values"], "y")]
    path = save(folder / "tail.onnx", nodes, {**W, "zero": numpy.array(0, numpy.float32), "k": numpy.array([2], numpy.int64)}, outputs=[value("y", None, TensorProto.INT64)])
    report = harness.analysis(path)
    harness.expect(not codes(report, "unknown-layer"), f"tail: {codes(report, 'unknown-layer')}")
    harness.expect(harness.fovea("analyze", path, "--fail-on", "unproductive").code == 0, "tail: --fail-on fails")
    return 1


def functions(harness, folder):
    """Functions of the model, one inside the other, with attributes that come from the call."""
    opset = helper.make_opsetid("", 16)
    inner_conv = helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1])
    stride = onnx.AttributeProto(name="strides", ref_attr_name="step", type=onnx.AttributeProto.INTS)
    inner_conv.attribute.append(stride)
    block = helper.make_function("own", "Block", ["x", "w"], ["y"], [inner_conv, helper.make_node("Relu", ["c"], ["y"], "act")], [opset], ["step"])
    calls = [helper.make_node("Block", ["x", "w"], ["m"], "first", domain="own", step=[2, 2]), helper.make_node("Block", ["m", "w"], ["y"], "second", domain="own", step=[1, 1])]
    pair = helper.make_function("own", "Pair", ["x", "w"], ["y"], calls, [opset, helper.make_opsetid("own", 1)])
    nodes = [node("Pair", ["x", "w"], "a", "own"), conv("a", "v", "y")]
    path = save(folder / "functions.onnx", nodes, W, functions=[block, pair], domains=["own"])
    report = harness.analysis(path)
    harness.expect([one["kind"] for one in report["layers"]] == ["Conv2d", "ReLU", "Conv2d", "ReLU", "Conv2d"], f"functions: {[one['kind'] for one in report['layers']]}")
    harness.expect(report["layers"][-1]["rf_max"] == [11, 11] and report["summary"]["parameters"] == 162, f"functions: {report['summary']}")
    copy, own = folder / "functions.copy.onnx", folder / "functions.own.onnx"
    if harness.expect_done("convert", path, copy):
        for difference in differences(path, copy):
            harness.fail(f"functions, unedited: {difference}")
    jobs = []
    if harness.expect_done("convert", path, own, "--no-origin"):
        jobs.append({"id": "functions", "a": str(path), "b": str(own), "seed": 1, "expect_shape": [1, 3, 16, 16]})
    return 1, jobs


def settings(harness, folder):
    """Arithmetic on the image, a clip's bounds and constants are no parameters and no rows."""
    constant = helper.make_node("Constant", [], ["grid"], "grid", value=numpy_helper.from_array(weight(1, 3, 32, 32)))
    nodes = [node("Sub", ["x", "mean"], "s"), node("Div", ["s", "deviation"], "d"), node("Mul", ["d", "scale"], "m"), conv("m", "w", "a"), node("Clip", ["a", "low", "high"], "c"),
             constant, node("Concat", ["c", "grid"], "j", axis=1), conv("j", "wide", "b"), node("Mul", ["b", "gain"], "y")]
    tensors = {**W, "wide": weight(4, 6, 3, 3), "mean": weight(1, 3, 1, 1), "deviation": numpy.full((3, 1, 1), 0.2, numpy.float32), "scale": numpy.array(2, numpy.float32),
               "low": numpy.array(-1, numpy.float32), "high": numpy.array(1, numpy.float32), "gain": weight(4, 1, 1)}
    for kind in (numpy.float32, numpy.float16, numpy.float64):
        cast = {name: array.astype(kind) for name, array in tensors.items()}
        onnx_type = helper.np_dtype_to_tensor_dtype(numpy.dtype(kind)) if hasattr(helper, "np_dtype_to_tensor_dtype") else onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[numpy.dtype(kind)]
        constant.attribute[0].t.CopyFrom(numpy_helper.from_array(weight(1, 3, 32, 32).astype(kind)))
        path = save(folder / "settings.onnx", nodes, cast, inputs=[value("x", [1, 3, 32, 32], onnx_type)], outputs=[value("y", None, onnx_type)])
        report = harness.analysis(path)
        counts = {one["name"]: one["parameters"] for one in report["layers"]}
        harness.expect(counts == {"s": 0, "d": 0, "m": 0, "a": 81, "c": 0, "j": 0, "b": 216, "y": 4}, f"settings, {kind.__name__}: {counts}")
    return 1


def inner_image(harness, folder):
    """A file that decodes first: the decoded map is named as the image."""
    nodes = [node("Unsqueeze", ["bytes", "front"], "u"), node("Cast", ["u"], "f", to=TensorProto.FLOAT), node("Transpose", ["f"], "decoded", perm=[0, 3, 1, 2]), conv("decoded", "w", "a"),
             conv("a", "v", "y", strides=[2, 2])]
    path = save(folder / "inner.onnx", nodes, {**W, "front": numpy.array([0], numpy.int64)}, inputs=[value("bytes", [24, 40, 3], TensorProto.UINT8)])
    report = harness.analysis(path, "--input", "decoded")
    harness.expect(report["input"]["shape"] == [1, 3, 24, 40] and [one["name"] for one in report["layers"]] == ["a", "y"], f"inner image: {report['input']}")
    harness.expect(layer(report, "y")["rf_max"] == [5, 5], f"inner image: {layer(report, 'y')}")
    harness.expect(harness.fovea("analyze", path, "--input", "decoded", "--size", "48").is_refusal(), "inner image: takes a size")
    harness.expect(harness.fovea("analyze", path, "--input", "nobody").is_refusal(), "inner image: nobody is one")
    return 1


def main():
    harness = Harness(__doc__)
    checked, jobs = 0, []
    for check in (sampling, computed_weight, other_domain, tail, functions, settings, inner_image):
        done = check(harness, harness.scratch)
        if isinstance(done, tuple):
            jobs += done[1]
            done = done[0]
        checked += done
    harness.require_ort()
    for name, result in harness.run_ort(jobs).items():
        if harness.expect(result["ok"], f"{name}: {result['error']}"):
            harness.expect(result["ratio"] <= BOUND, f"{name}: own records differ by {result['ratio']:.2e}")
    harness.finish(checked)


if __name__ == "__main__":
    main()
