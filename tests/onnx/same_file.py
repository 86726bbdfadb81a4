# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two ONNX files hold the same network, byte by byte where that is promised."""

import hashlib

import onnx
from onnx import numpy_helper


def load(path):
    return onnx.load(str(path), load_external_data=False)


def digest_of(tensor, folder):
    """Of type, shape and values, however the file stores them."""
    if tensor.data_type == onnx.TensorProto.STRING:
        payload = b"\0".join(tensor.string_data)
    else:
        payload = numpy_helper.to_array(tensor, str(folder)).tobytes()
    return tensor.data_type, tuple(tensor.dims), hashlib.sha256(payload).hexdigest()


def contents_of(path):
    """(names and digests of initializers in order, serialized nodes in order, names of inputs, outputs)."""
    graph = load(path).graph
    return {
        "initializers": [(tensor.name, digest_of(tensor, path.parent)) for tensor in graph.initializer],
        "nodes": [node.SerializeToString(deterministic=True) for node in graph.node],
        "inputs": [value.name for value in graph.input],
        "outputs": [value.name for value in graph.output],
    }


def name_of(entry):
    """For messages: an initializer's or a node's name."""
    if isinstance(entry, bytes):
        node = onnx.NodeProto()
        node.ParseFromString(entry)
        return f"{node.op_type} '{node.name or ', '.join(node.output)}'"
    return f"'{entry[0]}'" if isinstance(entry, tuple) else f"'{entry}'"


def differences(before, after):
    """One sentence for each of the four lists that is not the same in both files."""
    first = contents_of(before)
    try:
        second = contents_of(after)
    except FileNotFoundError as error:
        yield f"the external data '{error.filename}' was not written"
        return
    for what, entries in first.items():
        others = second[what]
        if entries == others:
            continue
        if len(entries) != len(others):
            yield f"{len(others)} {what} instead of {len(entries)}"
        elif sorted(entries) == sorted(others):
            yield f"the order of {what} changed"
        else:
            changed = [a for a, b in zip(entries, others) if a != b]
            yield f"{len(changed)} of {len(entries)} {what} changed, first {name_of(changed[0])}"
