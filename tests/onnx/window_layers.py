#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Window layers and resizes as files of every opset write them: at each size the map is as large as ONNX Runtime makes it,
and Fovea's own export and the PyTorch source compute what ONNX Runtime does."""

import importlib.util
import itertools

import numpy
import onnx
import onnx.numpy_helper
from engine_runs import SEED, drawn
from harness import BOUND, Harness
from onnx import TensorProto, helper

SIZES = ((20, 26), (23, 31), (16, 17))  # the first is the file's own


class Case:
    """A file: nodes from "x", a map of 4 channels behind a convolution of stride 2, to "y"."""

    def __init__(self, name, nodes, initializers=(), opset=13, symbolic=True, sizes=SIZES, tensors=None, original_runs=True):
        self.name, self.nodes, self.opset, self.symbolic, self.sizes = name, nodes, opset, symbolic, sizes
        self.initializers = dict(initializers)
        self.tensors = tensors or {}
        self.original_runs = original_runs  # in ONNX Runtime

    def write(self, path):
        random = numpy.random.default_rng(5)
        stem = helper.make_node("Conv", ["image", "w0"], ["x"], name="stem", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        weights = {"w0": (4, 3, 3, 3), **self.tensors}
        tensors = [onnx.numpy_helper.from_array(random.uniform(-1, 1, shape).astype(numpy.float32), name) for name, shape in weights.items()]
        tensors += [onnx.numpy_helper.from_array(numpy.asarray(value), name) for name, value in self.initializers.items()]
        shape = [1, 3, "height", "width"] if self.symbolic else [1, 3, *self.sizes[0]]
        graph = helper.make_graph([stem, *self.nodes], "window_layers", [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], tensors)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8 if self.opset > 15 else 7), str(path))


def node(kind, inputs=("x",), outputs=("y",), **attributes):
    return helper.make_node(kind, list(inputs), list(outputs), name=outputs[0], **attributes)


def same_padding():
    for pad, (kernel, stride) in itertools.product(("SAME_UPPER", "SAME_LOWER"), (((3, 3), (2, 2)), ((5, 3), (1, 3)), ((2, 4), (2, 1)), ((1, 2), (3, 3)))):
        words = {"auto_pad": pad, "kernel_shape": kernel, "strides": stride}
        text = f"{pad} {kernel} {stride}"
        yield Case(f"conv {text}", [node("Conv", ("x", "w"), **words)], tensors={"w": (2, 4, *kernel)})
        if kernel[0] >= stride[0]:
            yield Case(f"max pool {text}", [node("MaxPool", **words)])
            yield Case(f"average pool {text}", [node("AveragePool", **words)], symbolic=False)
        yield Case(f"transposed {text}", [node("ConvTranspose", ("x", "w"), **words)], tensors={"w": (4, 2, *kernel)})
    for pad in ("SAME_UPPER", "SAME_LOWER"):  # that ONNX Runtime takes as numbers only
        yield Case(f"dilated {pad}", [node("Conv", ("x", "w"), auto_pad=pad, kernel_shape=[3, 3], dilations=[2, 1], strides=[1, 2])], tensors={"w": (2, 4, 3, 3)},
                   symbolic=False, original_runs=False)
        yield Case(f"pooling that skips {pad}", [node("MaxPool", auto_pad=pad, kernel_shape=[2, 1], strides=[3, 3])], symbolic=False, original_runs=False)
    yield Case("valid", [node("Conv", ("x", "w"), auto_pad="VALID", kernel_shape=[3, 3])], tensors={"w": (2, 4, 3, 3)})


def output_shapes():
    for shape, more in (((20, 26), {}), ((19, 25), {"auto_pad": "SAME_UPPER"}), ((22, 28), {}), ((21, 27), {"output_padding": [1, 1]})):
        words = {"kernel_shape": [3, 3], "strides": [2, 2], "output_shape": shape, **more}
        yield Case(f"output_shape {shape} {more}", [node("ConvTranspose", ("x", "w"), **words)], tensors={"w": (4, 2, 3, 3)}, symbolic=False, sizes=((20, 26), (21, 26)))


def poolings():
    yield Case("indices and unpooling", [
        node("MaxPool", outputs=("p", "i"), kernel_shape=[2, 2], strides=[2, 2]),
        node("MaxUnpool", ("p", "i"), ("y",), kernel_shape=[2, 2], strides=[2, 2])], sizes=((20, 28), (24, 32)))
    for kernel, stride, pads in (((3, 3), (2, 2), (1, 1, 1, 1)), ((2, 3), (2, 3), (0, 1, 0, 0))):
        yield Case(f"unpooling to a stated size {kernel}", [
            node("MaxPool", outputs=("p", "i"), kernel_shape=kernel, strides=stride, pads=pads),
            node("MaxUnpool", ("p", "i", "s"), ("y",), kernel_shape=kernel, strides=stride, pads=pads)],
            {"s": numpy.array([1, 4, 10, 13], numpy.int64)}, symbolic=False)
    for opset in (8, 9, 11, 13):
        yield Case(f"global along the height, opset {opset}", [node("MaxPool", kernel_shape=[10, 2], strides=[10, 2])], opset=opset, symbolic=False)
        yield Case(f"global along the width, opset {opset}", [node("AveragePool", kernel_shape=[3, 13], strides=[2, 1], pads=[1, 0, 1, 0])], opset=opset, symbolic=False)
    zero = numpy.array(0, numpy.float32)
    pads = numpy.array([0, 0, 1, 0, 0, 0, 1, 1], numpy.int64)
    for kind, more in (("MaxPool", {}), ("AveragePool", {"count_include_pad": 1}), ("AveragePool", {})):
        yield Case(f"padded {kind} in ceil mode {more}", [node("Relu", outputs=("r",)), node("Pad", ("r", "pads", "zero"), ("q",)),
                                                          node(kind, ("q",), kernel_shape=[2, 3], strides=[2, 2], ceil_mode=1, **more)], {"pads": pads, "zero": zero},
                   sizes=((20, 26), (22, 28), (18, 24), (23, 31)))
    for kind in ("MaxPool", "AveragePool"):
        yield Case(f"{kind} over channels", [node("Transpose", outputs=("t",), perm=[0, 2, 3, 1]), node(kind, ("t",), ("q",), kernel_shape=[1, 2], strides=[1, 2]),
                                             node("Transpose", ("q",), perm=[0, 3, 1, 2])])
        yield Case(f"{kind} over one axis", [node("ReduceMean", outputs=("m",), axes=[2], keepdims=0),
                                             node(kind, ("m",), kernel_shape=[3], strides=[2], pads=[1, 0], ceil_mode=1)])


def one_axis():
    yield Case("conv over one axis", [node("ReduceMean", outputs=("m",), axes=[2], keepdims=0),
                                      node("Conv", ("m", "w"), kernel_shape=[3], strides=[2], auto_pad="SAME_UPPER")], tensors={"w": (5, 4, 3)})
    yield Case("gate over channels", [node("GlobalAveragePool", outputs=("g",)), node("Squeeze", ("g", "axes"), ("q",)), node("Transpose", ("q",), ("t",), perm=[0, 2, 1]),
                                      node("Conv", ("t", "w"), ("c",), kernel_shape=[3], pads=[1, 1]), node("Transpose", ("c",), ("u",), perm=[0, 2, 1]),
                                      node("Unsqueeze", ("u", "axes"), ("v",)), node("Sigmoid", ("v",), ("e",)), node("Mul", ("x", "e"))],
               {"axes": numpy.array([3], numpy.int64)}, tensors={"w": (1, 1, 3)})


def flattening():
    for opset in (11, 12):
        for kind, axis in itertools.product(("Softmax", "LogSoftmax"), (1, 2, 3)):
            yield Case(f"{kind} over axis {axis}, opset {opset}", [node(kind, axis=axis)], opset=opset)
        yield Case(f"Softmax of a pooled map, opset {opset}", [node("GlobalAveragePool", outputs=("g",)), node("Softmax", ("g",), axis=1)], opset=opset)
    yield Case("dropout with its mask", [node("Dropout", outputs=("y", "mask"))], opset=12)
    yield Case("dropout with its mask, opset 7", [node("Dropout", outputs=("y", "mask"))], opset=7)


def resizes():
    two = numpy.array([1, 1, 2, 2], numpy.float32)
    for opset, mode in itertools.product((7, 8), ("nearest", "linear")):
        yield Case(f"Upsample-{opset} {mode}", [node("Upsample", mode=mode, scales=[1.0, 1.0, 2.0, 3.0])], opset=opset)
    for scales in (two, numpy.array([1, 1, 1.5, 2.5], numpy.float32)):
        for mode in ("nearest", "linear"):
            yield Case(f"Upsample-9 {mode} {scales[2:]}", [node("Upsample", ("x", "s"), mode=mode)], {"s": scales}, opset=9)
    for scales in (two, numpy.array([1, 1, 0.5, 0.6], numpy.float32), numpy.array([1, 1, 0.41, 1.7], numpy.float32)):
        for mode in ("nearest", "linear"):
            yield Case(f"Resize-10 {mode} {scales[2:]}", [node("Resize", ("x", "s"), mode=mode)], {"s": scales}, opset=10)
        for opset, mode, coordinates in itertools.product((11, 13, 19), ("nearest", "linear", "cubic"), ("half_pixel", "asymmetric", "align_corners", "tf_half_pixel_for_nn", "half_pixel_symmetric")):
            if (coordinates == "tf_half_pixel_for_nn" and opset != 11) or (coordinates == "half_pixel_symmetric" and opset < 19):
                continue
            none = {"none": numpy.zeros(0, numpy.float32)} if opset < 13 else {}
            yield Case(f"Resize-{opset} {mode} {coordinates} {scales[2:]}",
                       [node("Resize", ("x", "none" if none else "", "s"), mode=mode, coordinate_transformation_mode=coordinates)], {"s": scales, **none}, opset=opset)
    half = numpy.array([0.5, 0.4], numpy.float32)
    for mode in ("linear", "cubic"):
        yield Case(f"antialiased {mode}", [node("Resize", ("x", "", "s"), mode=mode, antialias=1, axes=[2, 3])], {"s": half}, opset=18)
    yield Case("axes", [node("Resize", ("x", "", "s"), mode="linear", axes=[3, 2])], {"s": numpy.array([2, 3], numpy.float32)}, opset=18)
    for policy in ("not_larger", "not_smaller"):
        yield Case(policy, [node("Resize", ("x", "", "", "t"), mode="linear", axes=[2, 3], keep_aspect_ratio_policy=policy)], {"t": numpy.array([30, 30], numpy.int64)}, opset=18,
                   symbolic=False)


def run_source(harness, model, shape):
    """What the PyTorch module that Fovea writes makes of the image."""
    import torch

    source = harness.scratch / f"{model.stem}.py"
    if not harness.expect_done("convert", model, source):
        return None
    spec = importlib.util.spec_from_file_location(f"network_{model.stem}", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.load(source.with_suffix(".safetensors")).eval()
    with torch.no_grad():
        made = network(torch.from_numpy(drawn(shape, SEED)))
        return (made[0] if isinstance(made, tuple) else made).numpy()


def write_constant(path, value):
    """A file whose output is `value`, to be compared in ONNX Runtime."""
    tensor = onnx.numpy_helper.from_array(value, "value")
    graph = helper.make_graph([helper.make_node("Identity", ["value"], ["y"])], "constant", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "h", "w"])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(value.shape))], [tensor])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), str(path))


def shape_of(analysis):
    return analysis["outputs"][0]["shape"]


def check_case(harness, number, case, jobs, expected):
    model = original = harness.scratch / f"m{number}.onnx"
    case.write(model)
    for size in case.sizes:
        side = f"{size[0]}x{size[1]}"
        analysis = harness.analysis(model, "--size", side)
        if not analysis:
            continue
        harness.expect(not analysis["summary"]["verdicts"]["unknown"] and all(layer["kind"] != "opaque" for layer in analysis["layers"]), f"{case.name}: a layer is unknown")
        errors = [issue["message"] for issue in analysis["issues"] if issue["severity"] == "error"]
        if not harness.expect(not errors, f"{case.name} at {side}: {errors}"):
            continue
        there = model
        if not case.original_runs or (not case.symbolic and size != case.sizes[0]):
            there = harness.scratch / f"m{number}.{side}.onnx"
            if not harness.expect_done("convert", model, there, "--size", side):
                continue
        if size == case.sizes[0]:
            original = there
        job = {"id": f"{case.name} at {side}", "a": str(there), "seed": SEED, "shape": [1, 3, *size]}
        expected[job["id"]] = shape_of(analysis)
        jobs.append(job)
    own = harness.scratch / f"m{number}.own.onnx"
    shape = [1, 3, *case.sizes[0]]
    opset = max(17, onnx.load(str(model)).opset_import[0].version)  # what is new in 18 has no form before it
    if harness.expect_done("convert", model, own, "--no-origin", "--opset", str(opset)):
        jobs.append({"id": f"{case.name}: own export", "a": str(original), "b": str(own), "seed": SEED, "shape": shape})
    there = model
    if case.symbolic:  # the source is that of one size
        there = harness.scratch / f"m{number}.sized.onnx"
        Case(case.name, case.nodes, case.initializers, case.opset, False, case.sizes, case.tensors).write(there)
    try:
        made = run_source(harness, there, shape)
    except Exception as error:  # whatever a file's source does wrong
        harness.fail(f"{case.name}: source: {error!r}")
        return
    if made is not None:
        constant = harness.scratch / f"m{number}.source.onnx"
        write_constant(constant, made)
        jobs.append({"id": f"{case.name}: source", "a": str(original), "b": str(constant), "seed": SEED, "shape": shape})


def main():
    harness = Harness(__doc__, lambda parser: parser.add_argument("--only", default=""))
    harness.require_ort()
    jobs, expected = [], {}
    groups = (same_padding(), output_shapes(), poolings(), one_axis(), flattening(), resizes())
    for number, case in enumerate(itertools.chain(*groups)):
        if harness.options.only in case.name:
            check_case(harness, number, case, jobs, expected)
    for name, result in harness.run_ort(jobs).items():
        if not harness.expect(result["ok"], f"{name}: {result['error']}"):
            continue
        if name in expected:
            harness.expect(result["shape"] == expected[name], f"{name}: {expected[name]}, ONNX Runtime {result['shape']}")
        else:
            harness.expect(result["ratio"] is not None and result["ratio"] <= BOUND, f"{name}: differs by {result['ratio']}")
    harness.finish(len(jobs))


if __name__ == "__main__":
    main()
