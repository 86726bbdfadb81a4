#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of onnx.runtime can fail: altering one weight tensor by 10 % exceeds its bound.

All tensors of the smallest model, a sample of every other one; the file is the one that fovea exported
from its own records, so that a tensor it never wrote would be noticed too.
"""

import random
import zlib

import numpy
import onnx
from harness import BOUND, Harness, add_only
from onnx import numpy_helper

WHOLE_MODEL = "resnet18"  # every tensor of this one
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
FEW_ABOVE = 200e6  # bytes: fewer tensors of files that are slow to write
ROOM = 600e6  # bytes of altered files at a time


def weight_tensors(graph, all_of_them):
    """Float initializers that a layer multiplies with; with all_of_them biases and norms too."""
    read = {name for node in graph.node if all_of_them or node.op_type in WEIGHTED for name in node.input[1:]}
    floats = [t for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT and t.name in read]
    return floats if all_of_them else [tensor for tensor in floats if len(tensor.dims) >= 2]


def sample(model, tensors):
    if model.stem == WHOLE_MODEL:
        return tensors
    count = 2 if model.stat().st_size > FEW_ABOVE else 4
    draw = random.Random(zlib.crc32(model.stem.encode()))
    return draw.sample(tensors, min(count, len(tensors)))


def write_altered(proto, tensor, path):
    """The whole model with this tensor 10 % larger; the tensor in memory is as before afterwards."""
    values = numpy_helper.to_array(tensor)
    kept = onnx.TensorProto()
    kept.CopyFrom(tensor)
    tensor.CopyFrom(numpy_helper.from_array((values * numpy.float32(1.1)).astype(numpy.float32), tensor.name))
    path.write_bytes(proto.SerializeToString())
    tensor.CopyFrom(kept)


def ratios_of(harness, model, proto, tensors):
    """{name: effect on the output}, for as many altered files at once as there is room for."""
    room = max(1, int(ROOM // model.stat().st_size))
    ratios = {}
    for start in range(0, len(tensors), room):
        some = tensors[start : start + room]
        paths = [harness.scratch / f"altered-{index}.onnx" for index in range(len(some))]
        for tensor, path in zip(some, paths):
            write_altered(proto, tensor, path)
        jobs = [{"id": t.name, "a": str(model), "b": str(path), "seed": 11} for t, path in zip(some, paths)]
        for name, result in harness.run_ort(jobs).items():
            if harness.expect(result["ok"], f"{model.stem}: {name}: {result['error']}"):
                ratios[name] = result["ratio"]
    return ratios


def check(harness, model):
    exported = harness.scratch / "exported.onnx"
    if not harness.expect_done("convert", "--no-origin", model, exported):
        return 0
    proto = onnx.load(str(exported))
    tensors = sample(model, weight_tensors(proto.graph, model.stem == WHOLE_MODEL))
    harness.expect(tensors, f"{model.stem}: no weight tensor found in the exported file")
    ratios = ratios_of(harness, model, proto, tensors)
    for name, ratio in ratios.items():
        harness.expect(ratio > BOUND, f"{model.stem}: '{name}' altered by 10 % changes the output by {ratio:.2e} only")
    if ratios:
        least = min(ratios, key=ratios.get)
        print(f"{model.stem}: {len(ratios)} tensors, least effect {ratios[least]:.2e} ('{least}')", flush=True)
    return len(ratios)


def main():
    harness = Harness(__doc__, add_only)
    harness.require_ort()
    # A variant has the weights of its model.
    models = [model for model in harness.models() if "." not in model.stem or harness.options.only]
    harness.finish(sum(check(harness, model) for model in models))


if __name__ == "__main__":
    main()
