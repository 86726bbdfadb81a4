#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which ONNX resizes an image: the engine, the PyTorch source and Fovea's own export compute what ONNX
Runtime does."""

import importlib.util
import itertools
import json
import subprocess

import numpy
import onnx
from engine_runs import SEED, drawn, run_engine, write_constants
from harness import BOUND, Harness
from onnx import TensorProto, helper, numpy_helper

COORDINATES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
SCALES = ((2.0, 2.0), (3.0, 1.0), (1.5, 2.5), (0.5, 0.5))
SHAPE = (1, 3, 6, 8)


def cases():
    for coordinates, scales in itertools.product(COORDINATES, SCALES):
        for rounding in ROUNDINGS:
            yield {"mode": "nearest", "nearest_mode": rounding}, coordinates, scales
        yield {"mode": "linear"}, coordinates, scales
        yield {"mode": "cubic"}, coordinates, scales


def write_model(path, attributes, coordinates, scales):
    node = helper.make_node("Resize", ["image", "", "scales"], ["out"], coordinate_transformation_mode=coordinates, **attributes)
    shape = [int(size * scale) for size, scale in zip(SHAPE, (1, 1, *scales))]
    graph = helper.make_graph(
        [node], "resize", [helper.make_tensor_value_info("image", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(numpy.array([1, 1, *scales], numpy.float32), "scales")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), str(path))


def run_source(harness, model):
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
        return {"out": network(torch.from_numpy(drawn(SHAPE, SEED))).numpy()}


def main():
    harness = Harness(__doc__, lambda parser: parser.add_argument("--engine", required=True))
    harness.require_ort()
    engine = subprocess.Popen([harness.options.engine], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    jobs, what = [], {}
    for number, (attributes, coordinates, scales) in enumerate(cases()):
        model = harness.scratch / f"m{number}.onnx"
        write_model(model, attributes, coordinates, scales)
        made = {"engine": None, "source": None}
        try:
            ran = run_engine(harness, engine, model, False)
            made = {"engine": ran and ran[0], "source": run_source(harness, model)}
        except (RuntimeError, KeyError, json.JSONDecodeError) as error:
            harness.fail(f"{attributes} {coordinates} {scales}: {error!r}")
        own = harness.scratch / f"m{number}.own.onnx"
        files = {"export": own} if harness.expect_done("convert", model, own, "--no-origin") else {}
        for name, outputs in made.items():
            if outputs:
                files[name] = harness.scratch / f"m{number}.{name}.onnx"
                write_constants(model, outputs, files[name])
        for name, file in files.items():
            job = f"{' '.join(attributes.values())} {coordinates} {scales} {name}"
            jobs.append({"id": job, "a": str(model), "b": str(file), "seed": SEED, "shape": list(SHAPE)})
    engine.stdin.close()
    for name, result in harness.run_ort(jobs).items():
        if harness.expect(result["ok"], f"{name}: {result['error']}"):
            harness.expect(result["ratio"] <= BOUND, f"{name}: {result['ratio']:.1e}")
    harness.finish(len(jobs))


if __name__ == "__main__":
    main()
