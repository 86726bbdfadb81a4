#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""fovea-engine computes what ONNX Runtime computes on exported models, within 1e-4 of the largest output, in double
precision; in single precision within that or, where a network's own rounding is larger, within 3e-4.

So it does on networks that were refined, and with the norms that an exporter folded put back.

Each model is converted to a document, whose graph and weights the engine loads; it runs on the very image that
run.mjs draws from a seed, and its outputs go into an ONNX file of constants that run.mjs compares with the model.
"""

import json
import struct
import subprocess

import numpy
import onnx
from harness import BOUND, Harness, add_only
from onnx import TensorProto, helper, numpy_helper

SEED = 11
SINGLE_BOUND = 3e-4  # a deep network with small outputs loses that much to rounding alone, whoever runs it
UNKNOWN = "opaque"
REFINED = (("resnet18", 32), ("resnet18.preserve", 32), ("mobilenet_v3_small.preserve", 96), ("mobilenet_v2.preserve", 96),
           ("efficientnet_b0", 96), ("densenet121", 64), ("squeezenet1_1", 96))
FOLDED = (("resnet18", 64), ("mobilenet_v3_small", 96), ("mobilenet_v2", 96))
IMAGES = "patterns:size=64,images=48,validation=8"


def drawn(shape, seed):
    """Mulberry32 as tests/models/ort/worker.mjs has it; its state is a counter, so all numbers come at once."""
    u32 = numpy.uint32
    state = (numpy.arange(1, numpy.prod(shape) + 1, dtype=numpy.uint64) * 0x6D2B79F5 + seed).astype(u32)
    mixed = (state ^ (state >> u32(15))) * (state | u32(1))
    mixed = mixed ^ (mixed + (mixed ^ (mixed >> u32(7))) * (mixed | u32(61)))
    return (((mixed ^ (mixed >> u32(14))) >> u32(8)) / numpy.float32(0x1000000)).astype(numpy.float32).reshape(shape)


def write_safetensors(path, arrays):
    header, offset = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in arrays.values()))


def read_safetensors(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    body = data[8 + length :]
    out = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(body[begin:end], dtype={"F32": numpy.float32, "F64": numpy.float64}[entry["dtype"]])
        out[name] = values.astype(numpy.float32).reshape(entry["shape"])
    return out


def ask(engine, method, params):
    engine.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
    engine.stdin.flush()
    reply = json.loads(engine.stdout.readline())
    if "error" in reply:
        raise RuntimeError(f"{method}: {reply['error']['message']}")
    return reply["result"]


def write_constants(model, outputs, path):
    """A model with the inputs of `model` that answers `outputs` whatever it is fed."""
    proto = onnx.load(str(model), load_external_data=False)
    weights = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in weights]
    nodes, values = [], []
    for output in proto.graph.output:
        array = outputs[output.name]
        nodes.append(helper.make_node("Constant", [], [output.name], value=numpy_helper.from_array(array.copy())))
        values.append(helper.make_tensor_value_info(output.name, TensorProto.FLOAT, array.shape))
    graph = helper.make_graph(nodes, "constants", inputs, values)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), str(path))


def run_engine(harness, engine, model, double):
    """The engine's outputs by name and the inputs' shapes, or None after a failure."""
    document = harness.scratch / f"{model.stem}.fovea"
    if not harness.expect_done("convert", model, document):
        return None
    graph = json.loads(document.read_text())
    graph.pop("import", None)
    if any(node["kind"] == UNKNOWN for node in graph["nodes"]):
        print(f"{model.stem}: holds layers that nobody knows; not run")
        return None
    weights = document.parent / graph["weights"]
    loaded = ask(engine, "load", {"graph": graph, "weights": [str(weights)], "double": double})
    harness.expect(loaded["initialised"] == 0, f"{model.stem}: {loaded['initialised']} tensors found no values")
    images = {entry["name"]: drawn(entry["shape"], SEED + 7919 * index) for index, entry in enumerate(loaded["inputs"])}
    inputs, outputs = harness.scratch / "in.safetensors", harness.scratch / "out.safetensors"
    write_safetensors(inputs, images)
    ask(engine, "forward", {"inputs": str(inputs), "outputs": str(outputs)})
    weights.unlink()
    document.unlink()
    return read_safetensors(outputs), [list(image.shape) for image in images.values()]


def refined(harness):
    """The first plan's network of each, as files of their own."""
    files = {path.stem: path for path in harness.models()}
    for name, side in REFINED:
        out = harness.scratch / f"{name} refined at {side}.onnx"
        if name in files and harness.expect_done("refine", files[name], "--size", side, "--auto", "-o", out):
            yield out


def unfolded(harness):
    """Jobs that compare networks with their norms put back with what was imported."""
    files = {path.stem: path for path in harness.models()}
    for name, side in FOLDED:
        if name not in files:
            continue
        out, before = harness.scratch / f"{name} with norms.onnx", harness.scratch / f"{name} at {side}.onnx"
        size = ("--size", side)
        if harness.expect_done("recalibrate", files[name], "--unfold", *size, "--data", IMAGES, "-o", out) and harness.expect_done(
                "convert", files[name], before, *size):
            norms = sum(node.op_type == "BatchNormalization" for node in onnx.load(str(out), load_external_data=False).graph.node)
            harness.expect(norms >= 20, f"{out.stem}: {norms} norms")
            yield {"id": out.stem, "a": str(before), "b": str(out), "seed": SEED, "shape": [1, 3, side, side]}


def main():
    def add_options(parser):
        add_only(parser)
        parser.add_argument("--engine", required=True)

    harness = Harness(__doc__, add_options)
    harness.require_ort()
    engine = subprocess.Popen([harness.options.engine], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    jobs = list(unfolded(harness))
    for model, double in [(model, double) for model in [*harness.models(), *refined(harness)] for double in (False, True)]:
        name = f"{model.stem} {'double' if double else 'single'}"
        try:
            ran = run_engine(harness, engine, model, double)
            if ran:
                constants = harness.scratch / f"{name}.constants.onnx"
                write_constants(model, ran[0], constants)
                jobs.append({"id": name, "a": str(model), "b": str(constants), "seed": SEED, "shape": ran[1][0]})
        except (RuntimeError, KeyError, json.JSONDecodeError) as error:
            harness.fail(f"{name}: {error!r}")
    engine.stdin.close()
    harness.expect(engine.wait(30) == 0, f"fovea-engine ended with {engine.returncode}")
    for name, result in harness.run_ort(jobs).items():
        if harness.expect(result["ok"], f"{name}: {result['error']}"):
            print(f"{name}: largest |difference| / largest |output| {result['ratio']:.1e}")
            bound = SINGLE_BOUND if name.endswith("single") else BOUND
            harness.expect(result["ratio"] <= bound, f"{name}: {result['ratio']:.1e} is above {bound:.0e}")
    # An image that differs must be noticed: the comparison itself can fail.
    if jobs:
        other = harness.run_ort([{**jobs[-1], "id": "other", "seed": SEED + 1}])["other"]
        harness.expect(other["ok"] and other["ratio"] > BOUND, "another image gave the same output")
    harness.finish(len(jobs))


if __name__ == "__main__":
    main()
