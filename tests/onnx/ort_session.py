# SPDX-License-Identifier: GPL-3.0-or-later
"""One ONNX Runtime (tests/models/ort/session.mjs, whose header describes jobs and answers) for a whole script, and
copies of files that show every value or have weights that hide nothing."""

import json
import queue
import subprocess
import threading

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import ROOT

TYPES = {TensorProto.FLOAT: "float32", TensorProto.DOUBLE: "float64", TensorProto.FLOAT16: "float16",
         TensorProto.INT64: "int64", TensorProto.INT32: "int32", TensorProto.UINT8: "uint8", TensorProto.INT8: "int8",
         TensorProto.BOOL: "bool", TensorProto.INT16: "int16", TensorProto.UINT16: "uint16"}


class Runtime:
    """Answers one job after the other; where a model ends the process, that job fails and the next has a new one."""

    def __init__(self, modules, threads=2, seconds=300):
        self.command = ["node", str(ROOT / "tests/models/ort/session.mjs"), str(modules), str(threads)]
        self.seconds = seconds
        self.process = None
        self.lines = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, args=(self.process.stdout, self.lines), daemon=True).start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.put(line)
        lines.put(None)

    def ask(self, **job):
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(json.dumps(job, default=str) + "\n")
            self.process.stdin.flush()
            line = self.lines.get(timeout=self.seconds)
        except (BrokenPipeError, queue.Empty):
            line = None
        if line is None:
            self.stop()
            return {"ok": False, "error": "ONNX Runtime died or did not end"}
        return json.loads(line)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None


def image_recipe(shape, element="float32", **how):
    return {"type": element, "shape": list(shape), **how}


def true_inputs(model):
    """Inputs without those that only default an initializer."""
    stored = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in stored]


def dims_of(value):
    return [dim.dim_param or (dim.dim_value if dim.HasField("dim_value") else "?")
            for dim in value.type.tensor_type.shape.dim]


def element_of(value):
    return TYPES.get(value.type.tensor_type.elem_type, "float32")


def show_every_value(model, wanted=None):
    """A copy whose outputs are those of the file and then every value that a node of the main graph makes."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    have = {value.name for value in copy.graph.output}
    for node in copy.graph.node:
        if node.op_type.startswith("Sequence") or node.op_type in ("SplitToSequence",):
            continue
        for name in node.output:
            if name and name not in have and (wanted is None or name in wanted):
                copy.graph.output.append(onnx.ValueInfoProto(name=name))
                have.add(name)
    return copy


def plain(array, values):
    return numpy.asarray(values, dtype=array.dtype).reshape(array.shape)


FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)
KERNELS = {"Conv": (1,), "ConvTranspose": (1,), "Gemm": (1,), "MatMul": (0, 1), "FusedConv": (1,)}


class Positive:
    """Turns a network into one that hides nothing of its fields: kernels positive, everything added zero, everything
    multiplied positive, no rounding. With an image of zeros every map is then zero, and what a half of the image at 1
    reaches is not: sums of positive numbers do not cancel, and float32 holds what becomes small."""

    def __init__(self, model):
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        self.graph = self.model.graph
        self.random = numpy.random.default_rng(5)
        self.find_tensors()
        self.widen()
        self.without_rounding()
        self.find_tensors()
        self.find_sizes()
        for node in self.graph.node:
            self.mend(node)

    def find_tensors(self):
        self.tensors = {tensor.name: tensor for tensor in self.graph.initializer}
        for node in self.graph.node:
            for attribute in node.attribute if node.op_type == "Constant" else ():
                if attribute.name == "value":
                    self.tensors[node.output[0]] = attribute.t

    def widen(self):
        """Half precision would round to zero what float32 still holds."""
        for name, tensor in self.tensors.items():
            if tensor.data_type == TensorProto.FLOAT16:
                self.put(name, numpy_helper.to_array(tensor).astype(numpy.float32))
        for node in self.graph.node:
            for attribute in node.attribute if node.op_type == "Cast" else ():
                if attribute.name == "to" and attribute.i == TensorProto.FLOAT16:
                    attribute.i = TensorProto.FLOAT
        for value in [*self.graph.input, *self.graph.output, *self.graph.value_info]:
            if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
                value.type.tensor_type.elem_type = TensorProto.FLOAT

    def as_float(self, name):
        if name in self.tensors:
            self.put(name, numpy_helper.to_array(self.tensors[name]).astype(numpy.float32))

    def without_rounding(self):
        """Quantised layers become the layers that they stand for."""
        nodes = []
        del self.graph.value_info[:]
        for node in self.graph.node:
            inputs, outputs = list(node.input), list(node.output)
            keep = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
                self.as_float(inputs[0])
                nodes.append(helper.make_node("Identity", inputs[:1], outputs, node.name))
            elif node.op_type == "DynamicQuantizeLinear":
                nodes.append(helper.make_node("Identity", inputs[:1], outputs[:1], node.name))
                nodes += [helper.make_node("Constant", [], [name], value=numpy_helper.from_array(numpy.float32(number)))
                          for name, number in zip(outputs[1:], (1, 0))]
            elif node.op_type in ("ConvInteger", "QLinearConv"):
                data = inputs[:2] if node.op_type == "ConvInteger" else [inputs[0], inputs[3]]
                self.as_float(data[1])
                nodes.append(helper.make_node("Conv", data, outputs, node.name, **keep))
            elif node.op_type in ("MatMulInteger", "QLinearMatMul"):
                data = inputs[:2] if node.op_type == "MatMulInteger" else [inputs[0], inputs[3]]
                for name in data:
                    self.as_float(name)
                nodes.append(helper.make_node("MatMul", data, outputs, node.name))
            else:
                nodes.append(node)
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del self.graph.node[:]
        self.graph.node.extend(copies)

    def floats(self, name):
        tensor = self.tensors.get(name)
        if tensor is None and name in self.identities():
            return self.floats(self.identities()[name])
        return numpy_helper.to_array(tensor) if tensor is not None and tensor.data_type in FLOATS else None

    def identities(self):
        return {node.output[0]: node.input[0] for node in self.graph.node if node.op_type in ("Identity", "Cast")}

    def put(self, name, values):
        while name not in self.tensors:
            name = self.identities()[name]
        self.tensors[name].CopyFrom(numpy_helper.from_array(values, name))

    def kernel(self, name, share):
        array = self.floats(name)
        if array is not None and array.ndim >= 2:
            drawn = self.random.uniform(0.5, 1.5, array.shape) / max(1.0, share(array.shape))
            self.put(name, plain(array, drawn))

    def fill(self, name, number):
        array = self.floats(name)
        if array is not None:
            self.put(name, numpy.full_like(array, number))

    def mend(self, node):
        kind, inputs = node.op_type, list(node.input)
        share = {"ConvTranspose": lambda shape: shape[0], "MatMul": lambda shape: shape[-2], "Gemm": lambda shape: shape[-1]}
        for place in KERNELS.get(kind, ()):
            if place < len(inputs):
                self.kernel(inputs[place], share.get(kind, lambda shape: numpy.prod(shape[1:])))
        if kind in KERNELS and kind != "MatMul" and len(inputs) > 2:
            self.fill(inputs[2], 0)
        elif kind == "BatchNormalization":
            for place, number in ((1, 1), (2, 0), (3, 0), (4, 1)):
                self.fill(inputs[place], number)
        elif kind in ("InstanceNormalization", "GroupNormalization", "LayerNormalization"):
            for place, number in ((1, 1), (2, 0)):
                if place < len(inputs):
                    self.fill(inputs[place], number)
        elif kind in ("Add", "Sub"):
            for name in inputs:
                if not self.stays(node, name):
                    self.fill(name, 0)
        elif kind in ("Mul", "Div") and self.sizes.isdisjoint(inputs):
            for name in inputs:
                array = self.floats(name)
                if array is not None:
                    self.put(name, plain(array, numpy.clip(numpy.abs(array), 0.25, 4)))
        elif kind == "PRelu":
            self.fill(inputs[1], 0.25)
        elif kind == "Pad" and len(inputs) > 2:
            self.fill(inputs[2], 0)
        elif kind == "Sigmoid" and not self.gates(node):
            node.op_type = "Identity"  # what is small is lost beside its 0.5

    def find_sizes(self):
        """What is computed from shapes alone."""
        self.sizes = set()
        for node in self.graph.node:
            computed = [read for read in node.input if read and read not in self.tensors]
            if node.op_type == "Shape" or (computed and self.sizes.issuperset(computed)):
                self.sizes.update(node.output)

    def gates(self, node):
        return any(user.op_type == "Mul" for user in self.graph.node if node.output[0] in user.input)

    def stays(self, node, name):
        """The epsilon below a root, and the 3 of a hard swish, which multiplies by the map again."""
        users = {user.op_type for user in self.graph.node if node.output[0] in user.input}
        array = self.floats(name)
        is_scalar = array is not None and array.size == 1
        return bool(users & {"Sqrt", "Div", "Pow"}) or (is_scalar and "Clip" in users)


def half_spaces(shape, axis, start, value=1.0, element="float32"):
    """Recipes of images that are zero but for the rows from `start` on, and but for those before it."""
    return (image_recipe(shape, element, fill=value, axis=axis, **{"from": start}),
            image_recipe(shape, element, fill=value, axis=axis, **{"from": 0, "to": start}))


def make_model(nodes, inputs, outputs, tensors, opset, ir=None, domains=(), functions=(), infos=()):
    """`inputs`, `outputs`: (name, shape) or (name, shape, type); a tensor may be anything numpy takes."""
    def info(name, shape, element=TensorProto.FLOAT):
        return helper.make_tensor_value_info(name, element, shape)

    stored = [numpy_helper.from_array(numpy.asarray(value), name) for name, value in tensors.items()]
    graph = helper.make_graph(list(nodes), "net", [info(*value) for value in inputs], [info(*value) for value in outputs],
                              stored, value_info=[info(*value) for value in infos])
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(domain, version) for domain, version in domains]
    model = helper.make_model(graph, opset_imports=imports, functions=list(functions))
    model.ir_version = ir or (8 if opset >= 15 else 7)
    return model
