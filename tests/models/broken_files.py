#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes hostile, broken and merely unusual model files, and what a reader is to make of each.

    broken_files.py --out DIR

DIR/manifest.json lists {"file", "expect", "why"}. `refused`: one clear sentence, no crash, nothing
opened. `opens`: the graph can be read; what is wrong in it, if anything, is a finding. `either`: a
matter of the reader's limits, but never a crash. Files are relative to DIR.
"""

import argparse
import gzip
import json
from pathlib import Path

from onnx import TensorProto

import odd_models
import wrong_layers
from tiny_models import image, model, node, one_conv, small_network, value, weights

CASES = []


def case(file, expect, why):
    """Registers a function that returns the file's bytes or its ModelProto."""

    def register(make):
        CASES.append((file, expect, why, make))
        return make

    return register


# Not ONNX at all.

BLOBS = {
    "empty.onnx": (b"", "an empty file"),
    "text.onnx": (b"This is a text, not a network.\n" * 20, "a text file"),
    "json.onnx": (b'{"layers": [{"name": "conv1"}]}\n', "a JSON file"),
    "zeros.onnx": (bytes(4096), "nothing but zero bytes"),
    "png.onnx": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a picture with another name"),
    "varint_without_end.onnx": (b"\x08" + b"\xff" * 64, "a number that never ends"),
    "length_beyond_end.onnx": (b"\x3a\xff\xff\xff\xff\x07abc", "2 GB announced, 3 bytes there"),
    "only_a_version.onnx": (b"\x08\x07", "an IR version and nothing else"),
}
for blob_name, (blob, blob_why) in BLOBS.items():
    case(blob_name, "refused", blob_why)(lambda blob=blob: blob)


@case("gzipped.onnx", "refused", "a valid model, compressed")
def gzipped():
    return gzip.compress(small_network().SerializeToString(), mtime=0)


@case("nested_if_20.onnx", "opens", "If in If, 20 levels deep, as one opaque node")
def nested_20():
    return nested_ifs(20)


@case("nested_if_200.onnx", "either", "If in If, 200 levels deep: beyond protobuf's default limit")
def nested_200():
    return nested_ifs(200)


@case("nested_if_5000.onnx", "either", "If in If, 5,000 levels deep: a recursive reader overflows")
def nested_5000():
    return nested_ifs(5000)


def varint(number):
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(encoded) + bytes([number])


def field(number, payload):
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def nested_ifs(levels):
    """The encoding is written by hand: protobuf itself refuses to write nests this deep."""
    innermost = node("Constant", [], value=weights("inner", 1)).SerializeToString()
    result = field(12, value("result", [1]).SerializeToString())
    leaf = graph = field(1, innermost) + field(2, b"leaf") + result
    for _ in range(levels):
        branches = b"".join(
            # AttributeProto: name, a graph, type GRAPH.
            field(5, field(1, name) + field(6, body) + b"\xa0\x01\x05")
            for name, body in ((b"then_branch", graph), (b"else_branch", leaf))
        )
        conditional = field(1, b"image") + field(2, b"result") + field(4, b"If") + branches
        graph = field(1, conditional) + field(2, b"nest") + result
    graph += field(11, value("image", [1], TensorProto.BOOL).SerializeToString())
    return b"\x08\x07" + field(7, graph) + field(8, b"\x10\x0d")


# Cut short.

for percent in (0.1, 1, 10, 50, 90, 99.9):

    @case(f"truncated_{percent}_percent.onnx", "refused", f"{percent} % of a valid model")
    def truncated(percent=percent):
        whole = small_network().SerializeToString()
        return whole[: max(1, int(len(whole) * percent / 100))]


# Graphs that are no graphs.


@case("cyclic.onnx", "refused", "two nodes that wait for each other")
def cyclic():
    nodes = [
        node("Add", ["image", "b"], ["a"]),
        node("Sigmoid", ["a"], ["b"]),
        node("Relu", ["b"]),
    ]
    return model(nodes)


@case("own_input.onnx", "refused", "a node that reads its own output")
def own_input():
    return model([node("Add", ["image", "result"])])


@case("duplicate_values.onnx", "refused", "two nodes that write the same value")
def duplicate_values():
    return model([node("Relu", ["image"]), node("Sigmoid", ["image"])])


@case("output_named_as_input.onnx", "refused", "a node that writes the graph's input")
def output_named_as_input():
    return model([node("Relu", ["image"], ["image"])], outputs=[image()])


@case("duplicate_inputs.onnx", "refused", "two graph inputs of one name")
def duplicate_inputs():
    return model([node("Relu", ["image"])], inputs=[image(), image()])


@case("duplicate_initializers.onnx", "refused", "two weights of one name")
def duplicate_initializers():
    made = one_conv()
    made.graph.initializer.append(weights("weight", 8, 3, 5, 5))
    return made


@case("missing_input.onnx", "refused", "a node reads a value that nobody produces")
def missing_input():
    return model([node("Add", ["image", "nowhere"])])


@case("missing_weight.onnx", "refused", "a convolution whose weight is not in the file")
def missing_weight():
    return model([node("Conv", ["image", "weight"])])


@case("missing_output.onnx", "refused", "a graph output that nobody produces")
def missing_output():
    return model([node("Relu", ["image"])], outputs=[value("nowhere")])


@case("no_opset.onnx", "either", "a model that imports no opset, as only IR versions 1 and 2 may")
def no_opset():
    made = small_network()
    del made.opset_import[:]
    return made


# Weights that are not what they say.


def conv_with_tensor(change):
    made = one_conv()
    change(made.graph.initializer[0])
    return made


def set_dims(*dims):
    def change(tensor):
        tensor.dims[:] = dims

    return change


BAD_TENSORS = {
    "raw_data_too_short.onnx": (set_dims(4, 3, 30, 30), "fewer bytes than the dimensions say"),
    "raw_data_too_long.onnx": (set_dims(2, 3, 3, 3), "more bytes than the dimensions say"),
    "raw_data_odd.onnx": (
        lambda t: setattr(t, "raw_data", t.raw_data[:-1]),
        "not a whole number of floats",
    ),
    "no_data.onnx": (lambda t: t.ClearField("raw_data"), "a weight without any data"),
    "huge_dims.onnx": (set_dims(2**31, 2**31, 3, 3), "a product of dimensions beyond 64 bits"),
    "wrapping_dims.onnx": (
        set_dims(2**62, 4, 3, 36),
        "a product of dimensions that wraps around",
    ),
    "negative_dims.onnx": (set_dims(-4, -3, 3, 3), "negative dimensions with a positive product"),
    "unknown_type.onnx": (
        lambda t: setattr(t, "data_type", 99),
        "an element type that does not exist",
    ),
    "undefined_type.onnx": (lambda t: setattr(t, "data_type", 0), "element type UNDEFINED"),
}
for tensor_file, (tensor_change, tensor_why) in BAD_TENSORS.items():
    case(tensor_file, "refused", tensor_why)(lambda change=tensor_change: conv_with_tensor(change))


# Weights in other files. `inside.bin` has 432 bytes; `outside.bin` lies above the model's folder.


def at(location, **more):
    """External data at this path, with `offset` and `length` as text, as files have them."""
    return {"location": location, **more}


INSIDE = "inside.bin"
EXTERNAL = {
    "good": ("opens", at(INSIDE, offset="0", length="432"), "all as it should be"),
    "no_range": ("opens", at(INSIDE), "neither offset nor length: the whole file"),
    "escaping": ("refused", at("../outside.bin"), "a path out of the model's folder"),
    "escaping_later": ("refused", at("x/../../outside.bin"), "a path that leaves it later on"),
    "absolute": ("refused", at("/etc/hostname"), "an absolute path"),
    "device": ("refused", at("/dev/zero"), "an absolute path to a device without end"),
    "folder": ("refused", at("."), "a folder instead of a file"),
    "missing": ("refused", at("absent.bin"), "a data file that is not there"),
    "no_location": ("refused", {"offset": "0"}, "external data without a location"),
    "past_end": ("refused", at(INSIDE, offset="4096"), "an offset past the end"),
    "too_long": ("refused", at(INSIDE, length=str(2**62)), "2^62 bytes asked of a small file"),
    "too_short": ("refused", at(INSIDE, length="8"), "fewer bytes than the dimensions say"),
    "negative": ("refused", at(INSIDE, offset="-4"), "a negative offset"),
    "wrapping": ("refused", at(INSIDE, offset=str(2**64 - 16)), "offset + length wraps around"),
    "no_number": ("refused", at(INSIDE, offset="twelve"), "an offset that is no number"),
}


def conv_with_external(entries):
    def change(tensor):
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, text in entries.items():
            tensor.external_data.add(key=key, value=text)

    return conv_with_tensor(change)


for external_file, (external_expect, entries, external_why) in EXTERNAL.items():
    register = case(f"external/{external_file}.onnx", external_expect, external_why)
    register(lambda entries=entries: conv_with_external(entries))


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    folder = parser.parse_args().out

    weight_bytes = one_conv().graph.initializer[0].raw_data
    write(folder / "external" / "inside.bin", weight_bytes)
    write(folder / "outside.bin", weight_bytes)
    rows = []
    for file, expect, why, make in CASES + wrong_layers.CASES + odd_models.CASES:
        write(folder / file, make())
        rows.append({"file": file, "expect": expect, "why": why})
    (folder / "manifest.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(f"{len(rows)} files in {folder}")


if __name__ == "__main__":
    main()
