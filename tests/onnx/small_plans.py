#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every plan and single change of small networks does what it says, as random_plans.py has it.

One network for each way in which the file of a plan was once another network than the plan: weights in a Constant
node that layers share, a crop to the size of another map, sizes in ceil mode, a padding before a pooling, a layer
norm in several nodes behind layers that can be cut, a shortcut that keeps every second unit.
"""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import Harness
from random_plans import Network, add_options, run_files

RANDOM = numpy.random.default_rng(0)


def weight(*dims):
    return RANDOM.standard_normal(dims, dtype=numpy.float32)


def ints(*values):
    return numpy.array(values, numpy.int64)


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs, [output], output, **attributes)


def convolution(source, kernel, output, size=3, stride=1, padding=None):
    padding = size // 2 if padding is None else padding
    return node("Conv", [source, kernel], output, kernel_shape=[size] * 2, strides=[stride] * 2, pads=[padding] * 4)


def shared_weights():
    constant = helper.make_node("Constant", [], ["w"], "w", value=numpy_helper.from_array(weight(3, 3, 5, 5)))
    nodes = [constant, convolution("x", "w", "a", 5), node("Relu", ["a"], "b"), convolution("b", "w", "c", 5),
             node("Relu", ["c"], "d"), convolution("d", "v", "e", 5, 2), node("GlobalAveragePool", ["e"], "y")]
    return nodes, {"v": weight(3, 3, 5, 5)}, [1, 3, 12, 12], [1, 3, 1, 1]


def cropped():
    """Up again and cropped to the height and then to the width of the map before, as PyTorch writes it."""
    nodes = [convolution("x", "v", "a"), convolution("a", "w", "down", stride=2)]
    nodes += [node("Resize", ["down", "", "scales"], "up", mode="nearest", nearest_mode="floor",
                   coordinate_transformation_mode="asymmetric")]
    source = "up"
    for axis, name in ((2, "tall"), (3, "wide")):
        nodes += [node("Shape", ["a"], f"{name}_shape"), node("Gather", [f"{name}_shape", f"axis{axis}"], f"{name}_size"),
                  node("Unsqueeze", [f"{name}_size", "first"], f"{name}_end"),
                  node("Slice", [source, "first", f"{name}_end", f"list{axis}"], name)]
        source = name
    nodes += [node("Concat", ["a", "wide"], "joined", axis=1), node("GlobalAveragePool", ["joined"], "y")]
    tensors = {"v": weight(4, 3, 3, 3), "w": weight(4, 4, 3, 3), "scales": numpy.array([1, 1, 2, 2], numpy.float32),
               "first": ints(0), "axis2": numpy.array(2), "axis3": numpy.array(3), "list2": ints(2), "list3": ints(3)}
    return nodes, tensors, [1, 3, 59, 26], [1, 8, 1, 1]


def grouped():
    """A group norm in several nodes behind a pooling in ceil mode that is padded at its end."""
    nodes = [convolution("x", "v", "a", stride=2),
             node("AveragePool", ["a"], "b", kernel_shape=[3, 2], strides=[2, 2], pads=[0, 0, 1, 1], ceil_mode=1),
             node("Reshape", ["b", "groups"], "c"), node("InstanceNormalization", ["c", "ones", "zeros"], "d"),
             node("Reshape", ["d", "back"], "e"), node("Mul", ["e", "scale"], "f"), node("Add", ["f", "offset"], "g"),
             convolution("g", "w", "h", 5), node("GlobalAveragePool", ["h"], "y")]
    tensors = {"v": weight(8, 3, 3, 3), "w": weight(8, 8, 5, 5), "groups": ints(0, 2, -1), "back": ints(1, 8, 12, 12),
               "ones": numpy.ones(2, numpy.float32), "zeros": numpy.zeros(2, numpy.float32),
               "scale": weight(8, 1, 1), "offset": weight(8, 1, 1)}
    return nodes, tensors, [1, 3, 46, 46], [1, 8, 1, 1]


def padded():
    nodes = [convolution("x", "v", "a"), node("Relu", ["a"], "b"), node("Pad", ["b", "pads"], "c"),
             convolution("c", "w", "d", 5, padding=0), node("MaxPool", ["d"], "e", kernel_shape=[2, 2], strides=[2, 2]),
             convolution("e", "u", "f"), node("GlobalAveragePool", ["f"], "y")]
    tensors = {"v": weight(4, 3, 3, 3), "w": weight(4, 4, 5, 5), "u": weight(4, 4, 3, 3),
               "pads": ints(0, 0, 2, 2, 0, 0, 2, 2)}
    return nodes, tensors, [1, 3, 40, 40], [1, 4, 1, 1]


def normalised():
    nodes = [convolution("x", "v", "a", 7), convolution("a", "w", "b", stride=2), convolution("b", "u", "c", 5, 2),
             node("Transpose", ["c"], "d", perm=[0, 2, 3, 1]), node("ReduceMean", ["d"], "mean", axes=[-1]),
             node("Sub", ["d", "mean"], "e"), node("Pow", ["e", "two"], "f"), node("ReduceMean", ["f"], "g", axes=[-1]),
             node("Add", ["g", "eps"], "h"), node("Sqrt", ["h"], "i"), node("Div", ["e", "i"], "j"),
             node("Mul", ["j", "scale"], "k"), node("Add", ["k", "offset"], "l"),
             node("Transpose", ["l"], "m", perm=[0, 3, 1, 2]), node("GlobalAveragePool", ["m"], "n"),
             node("Flatten", ["n"], "o"), node("Gemm", ["o", "head"], "y", transB=1)]
    constants = [helper.make_node("Constant", [], [name], name, value=numpy_helper.from_array(numpy.float32(value)))
                 for name, value in (("two", 2), ("eps", 1e-5))]
    tensors = {"v": weight(8, 3, 7, 7), "w": weight(8, 8, 3, 3), "u": weight(16, 8, 5, 5), "scale": weight(16),
               "offset": weight(16), "head": weight(10, 16)}
    return constants + nodes, tensors, [1, 3, 12, 12], [1, 10]


def thinned():
    """A shortcut that keeps every second unit and pads its channels, as networks for CIFAR-10 have it."""
    nodes = [convolution("x", "v", "a"), node("Relu", ["a"], "b"), convolution("b", "w", "c", 5, 2),
             node("Slice", ["b", "first", "last", "axes", "steps"], "d"), node("Pad", ["d", "pads"], "e"),
             node("Add", ["c", "e"], "f"), convolution("f", "u", "g", 5), convolution("g", "t", "h", 5),
             node("GlobalAveragePool", ["h"], "y")]
    tensors = {"v": weight(4, 3, 3, 3), "w": weight(8, 4, 5, 5), "u": weight(8, 8, 5, 5), "t": weight(8, 8, 5, 5),
               "first": ints(0, 0), "last": ints(2**63 - 1, 2**63 - 1), "axes": ints(2, 3), "steps": ints(2, 2),
               "pads": ints(0, 2, 0, 0, 0, 2, 0, 0)}
    return nodes, tensors, [1, 3, 12, 12], [1, 8, 1, 1]


NETWORKS = {make.__name__: make for make in (shared_weights, cropped, grouped, padded, normalised, thinned)}


def row_of(folder, seed, name):
    """What random_plans.py reads of a network, after its file was written."""
    nodes, tensors, shape, output = NETWORKS[name]()
    values = [helper.make_tensor_value_info(value, TensorProto.FLOAT, dims) for value, dims in (("x", shape), ("y", output))]
    graph = helper.make_graph(nodes, name, values[:1], values[1:],
                              [numpy_helper.from_array(numpy.asarray(tensor), key) for key, tensor in tensors.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
    return {"file": f"{name}.onnx", "seed": seed, "maker": "small", "family": name, "oddities": [], "input": shape,
            "output": output, "shuffled": False, "external": False}


def main():
    harness = Harness(__doc__, add_options)
    harness.require_ort()
    harness.networks_folder = harness.scratch / "networks"
    harness.networks_folder.mkdir()
    networks = []
    for seed, name in enumerate(NETWORKS):
        network = Network(harness, row_of(harness.networks_folder, seed, name), moves=None).check()
        harness.expect(sum(network.counts.values()) > 0, f"{name}: neither plans nor single changes")
        print(f"{name}: {network.counts['plans']} plans, {network.counts['moves']} single changes", flush=True)
        networks.append(network)
    harness.finish(run_files(harness, networks))


if __name__ == "__main__":
    main()
