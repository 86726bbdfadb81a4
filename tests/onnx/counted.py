# SPDX-License-Identifier: GPL-3.0-or-later
"""Multiply-accumulates of an ONNX file, counted apart from Fovea: the nodes as the file has them, the shapes as ONNX
Runtime made them. Convolutions and products with something that was stored; at batch 1."""

import math

import onnx
from onnx import helper

# Operators whose results are stored numbers when what they read is.
RECURRENT = ("LSTM", "GRU", "RNN")


def attributes_of(node):
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def stored_values(graph):
    """Names of values that are made from stored tensors alone."""
    stored, before = {tensor.name for tensor in graph.initializer}, -1
    while len(stored) > before:  # nodes need not stand in the order in which they run
        before = len(stored)
        for node in graph.node:
            if node.op_type not in RECURRENT and all(not name or name in stored for name in node.input):
                stored.update(node.output)
    return stored


def of_convolution(node, image, kernel, out):
    groups = attributes_of(node).get("group", 1)
    if node.op_type == "ConvTranspose":
        return math.prod(image) * kernel[1] * math.prod(kernel[2:])
    del groups  # kernel[1] is already input channels by groups
    return math.prod(out) * kernel[1] * math.prod(kernel[2:])


def count(model, shapes):
    """(MACs of layers, MACs of products of two activations). `shapes`: {value: dims} of one run at batch 1."""
    graph = model.graph
    stored = stored_values(graph)
    known = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            known[node.output[0]] = list(node.attribute[0].t.dims)
    known.update(shapes)
    layers = products = 0
    for node in graph.node:
        kind, inputs = node.op_type, list(node.input)
        if kind in ("Conv", "ConvTranspose", "ConvInteger", "FusedConv"):
            layers += of_convolution(node, known[inputs[0]], known[inputs[1]], known[node.output[0]])
        elif kind == "QLinearConv":
            layers += of_convolution(node, known[inputs[0]], known[inputs[3]], known[node.output[0]])
        elif kind in ("MatMul", "Gemm", "MatMulInteger"):
            a = known[inputs[0]]
            length = a[0] if kind == "Gemm" and attributes_of(node).get("transA") else a[-1]
            here = math.prod(known[node.output[0]]) * length
            is_layer = inputs[0] in stored or inputs[1] in stored
            if inputs[0] in stored and inputs[1] in stored:
                continue
            layers, products = layers + here * is_layer, products + here * (not is_layer)
    return layers, products


def load(path):
    return onnx.load(str(path))
