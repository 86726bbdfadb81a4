# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways in which valid ONNX files differ from tidy ones. Each changes a ModelProto in place.

Only `shuffled order` breaks a rule of ONNX (nodes are to be sorted); readers cope with it anyway.
"""

from onnx import TensorProto, helper, numpy_helper, shape_inference


def unnamed_nodes(model, rng):
    for node in model.graph.node:
        if rng.random() < 0.8:
            node.ClearField("name")


def identity_nodes(model, rng):
    """Puts an Identity behind one to three values."""
    graph = model.graph
    for index in range(rng.randint(1, 3)):
        kept = {output.name for output in graph.output}
        candidates = [
            (place, node.output[0])
            for place, node in enumerate(graph.node)
            if node.output[0] not in kept
        ]
        if not candidates:
            return
        place, value = rng.choice(candidates)
        renamed = f"same_{index}_{value}"
        for node in graph.node:
            for slot, name in enumerate(node.input):
                if name == value:
                    node.input[slot] = renamed
        identity = helper.make_node("Identity", [value], [renamed])
        nodes = list(graph.node)
        replace_nodes(graph, nodes[: place + 1] + [identity] + nodes[place + 1 :])


def constants_as_nodes(model, rng):
    """Moves half of the initializers into Constant nodes."""
    graph = model.graph
    listed = {value.name for value in graph.input}
    moved = [t for t in graph.initializer if t.name not in listed and rng.random() < 0.5]
    constants = [helper.make_node("Constant", [], [tensor.name], value=tensor) for tensor in moved]
    for tensor in moved:
        graph.initializer.remove(tensor)
    replace_nodes(graph, constants + list(graph.node))


def initializers_as_inputs(model, _rng):
    """Also lists every initializer as a graph input, as files of IR version 3 must."""
    graph = model.graph
    listed = {value.name for value in graph.input}
    for tensor in graph.initializer:
        if tensor.name not in listed:
            value = helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            graph.input.append(value)
    model.ir_version = 3


def typed_data(model, _rng):
    """float_data and int64_data instead of raw_data."""
    for tensor in model.graph.initializer:
        if tensor.data_type in (TensorProto.FLOAT, TensorProto.INT64):
            values = numpy_helper.to_array(tensor).flatten().tolist()
            tensor.CopyFrom(helper.make_tensor(tensor.name, tensor.data_type, tensor.dims, values))


def unused_initializer(model, _rng):
    model.graph.initializer.append(helper.make_tensor("never_read", TensorProto.FLOAT, [2], [1, 2]))


def shapes_of_all_values(model, _rng):
    inferred = shape_inference.infer_shapes(model)
    del model.graph.value_info[:]
    model.graph.value_info.extend(inferred.graph.value_info)


def documentation(model, _rng):
    model.doc_string = "Documentation of the model, with a line\nbreak and 'quotes'."
    model.graph.doc_string = "Documentation of the graph"
    model.graph.node[0].doc_string = "Documentation of a node"
    model.metadata_props.add(key="made by", value="a test")


def unusual_order(model, rng):
    """Another topological order of the nodes: valid, but unlike the order of execution."""
    graph = model.graph
    waiting = list(graph.node)
    missing = {name for node in waiting for name in node.output}
    ordered = []
    while waiting:
        ready = [node for node in waiting if missing.isdisjoint(node.input)]
        node = rng.choice(ready)
        waiting.remove(node)
        missing -= set(node.output)
        ordered.append(node)
    replace_nodes(graph, ordered)


def shuffled_order(model, rng):
    """Nodes in no order at all; the first one moves in any case."""
    nodes = list(model.graph.node)
    rng.shuffle(nodes)
    if len(nodes) > 1 and not set(nodes[0].input) & {
        name for node in nodes for name in node.output
    }:
        nodes.append(nodes.pop(0))
    replace_nodes(model.graph, nodes)


def replace_nodes(graph, nodes):
    copies = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)


# In the order in which they are applied.
ODDITIES = {
    "identity nodes": identity_nodes,
    "typed data": typed_data,
    "constants as nodes": constants_as_nodes,
    "unused initializer": unused_initializer,
    "initializers as inputs": initializers_as_inputs,
    "shapes of all values": shapes_of_all_values,
    "unnamed nodes": unnamed_nodes,
    "documentation": documentation,
    "unusual order": unusual_order,
}


def draw_oddities(rng, likelihood):
    """Names of oddities, each with the given likelihood; one file in twenty is truly shuffled."""
    names = [name for name in ODDITIES if rng.random() < likelihood]
    if rng.random() < 0.05:
        names.append("shuffled order")
    return names


def apply_oddities(model, names, rng):
    for name in names:
        change = shuffled_order if name == "shuffled order" else ODDITIES[name]
        change(model, rng)
