# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks as exporters write them, in two twins: with the numbers of one size, and computing them from Shape.

A Net draws the same network in both twins (`open_sides`) and at every opset from 7 to 21, channels first or last.
Kernels are positive and nothing is added, so that half-spaces of pixels show every field (ort_session.Positive says
why). What an idiom does to that is kept with each map: `hides` (nothing can be measured behind it), `exact` (what is
measured is all that is reported, not only within it), `uniform` (every unit's field is unit 0's, moved), `seams`.
"""

import random
from dataclasses import dataclass, replace

import numpy
from onnx import TensorProto, helper, numpy_helper

from ort_session import make_model

END = 2**63 - 1
FLOAT, HALF, INT64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64


class NotPossible(Exception):
    """An idiom that this opset, layout or size does not have."""


@dataclass(frozen=True)
class Map:
    """n, c, h, w in that order, whatever the image's layout is."""

    name: str
    c: int
    h: int
    w: int
    exact: bool = True
    even: bool = True  # every channel has the same field
    uniform: bool = True
    hides: bool = False
    seams: bool = False

    def marked(self, other):
        """With what `other` hides as well."""
        return replace(self, exact=self.exact and other.exact, uniform=self.uniform and other.uniform,
                       hides=self.hides or other.hides, seams=self.seams or other.seams)


class Size:
    """A length: its number at the own size and, in the twin with open sides, the value that computes it."""

    def __init__(self, net, number, name=None):
        self.net, self.number, self.name = net, int(number), name

    def tensor(self):
        """Name of a tensor of one element."""
        return self.name if self.name and self.net.open_sides else self.net.ints([self.number])

    def combine(self, other, kind, number):
        other = other if isinstance(other, Size) else Size(self.net, other)
        name = None
        if self.net.open_sides and (self.name or other.name):
            name = self.net.op(kind, self.tensor(), other.tensor())
        return Size(self.net, number(self.number, other.number), name)

    def __add__(self, other):
        return self.combine(other, "Add", lambda a, b: a + b)

    def __sub__(self, other):
        return self.combine(other, "Sub", lambda a, b: a - b)

    def __mul__(self, other):
        return self.combine(other, "Mul", lambda a, b: a * b)

    def __floordiv__(self, other):
        return self.combine(other, "Div", lambda a, b: a // b)


def conv_length(size, kernel, stride, dilation, padding):
    length = (size + padding - dilation * (kernel - 1) - 1) // stride + 1
    if length < 1:
        raise NotPossible
    return length


class Net:
    def __init__(self, seed, opset=13, open_sides=False, layout="NCHW", size=(32, 32), channels=3, half=False):
        self.rng = random.Random(seed)
        self.numbers = numpy.random.default_rng(seed)
        self.seed, self.opset, self.open_sides, self.layout, self.half = seed, opset, open_sides, layout, half
        self.nodes, self.tensors, self.outputs, self.used = [], {}, [], []
        self.extra_inputs, self.functions, self.domains = [], [], []
        self.count = 0
        self.window_nodes = {}  # node name: the map it makes
        self.hosts_fixed_length = False  # a tensor of fixed length stands where the twin computes one
        self.size, self.channels = size, channels
        sides = ("h", "w") if open_sides else size
        dims = [1, channels, *sides] if layout == "NCHW" else [1, *sides, channels]
        self.input = ("image", dims, HALF if half else FLOAT)
        self.start = Map("image", channels, *size)
        if layout == "NHWC":
            self.start = replace(self.start, name=self.op("Transpose", "image", perm=[0, 3, 1, 2]))

    # Names, tensors, nodes

    def fresh(self, stem):
        self.count += 1
        return f"{stem}_{self.count}"

    def tensor(self, values, stem="const", constant=False):
        array = numpy.asarray(values)
        if array.dtype.kind == "f":
            array = array.astype(numpy.float16 if self.half else numpy.float32)
        name = self.fresh(stem)
        if constant:
            value = numpy_helper.from_array(array, name)
            self.nodes.append(helper.make_node("Constant", [], [name], f"{name}_node", value=value))
        else:
            self.tensors[name] = array
        return name

    def factors(self, *values):
        """Float32 whatever the network's type is: a Resize has its scales so."""
        name = self.fresh("factors")
        self.tensors[name] = numpy.array(values, numpy.float32)
        return name

    def ints(self, values):
        return self.tensor(numpy.array(values, numpy.int64), "ints", constant=self.seed % 2 == 0)

    def op(self, kind, *inputs, outputs=1, domain="", name=None, **attributes):
        made = [self.fresh(kind) for _ in range(outputs)]
        attributes = {key: value for key, value in attributes.items() if value is not None}
        node = helper.make_node(kind, list(inputs), made, name or f"{made[0]}_node", domain=domain, **attributes)
        self.nodes.append(node)
        return made[0] if outputs == 1 else made

    def need(self, least, most=21):
        if not least <= self.opset <= most:
            raise NotPossible

    # Sizes

    def side(self, x, axis):
        """A Size: dimension 2 or 3 of a map in nchw, read from its Shape in the twin."""
        number = (x.h, x.w)[axis - 2]
        return self.dim(x.name, axis, number)

    def dim(self, value, axis, number):
        if not self.open_sides:
            return Size(self, number)
        shape = self.op("Shape", value)
        if self.opset >= 10 and self.seed % 3 == 0:
            name = self.op("Slice", shape, self.ints([axis]), self.ints([axis + 1]), self.ints([0]))
        else:
            scalar = self.tensor(numpy.array(axis, numpy.int64), "index")
            name = self.unsqueeze(self.op("Gather", shape, scalar, axis=0), [0])
        return Size(self, number, name)

    def shape(self, *parts):
        """A tensor of lengths; numbers stand as they are."""
        if not self.open_sides or not any(isinstance(part, Size) and part.name for part in parts):
            return self.ints([part.number if isinstance(part, Size) else part for part in parts])
        return self.op("Concat", *(part.tensor() if isinstance(part, Size) else self.ints([part]) for part in parts), axis=0)

    def reshape(self, value, *parts):
        return self.op("Reshape", value, self.shape(*parts))

    # Operators whose form depends on the opset

    def with_axes(self, kind, value, axes, since, **attributes):
        if self.opset >= since:
            return self.op(kind, value, self.ints(axes), **attributes)
        return self.op(kind, value, axes=axes, **attributes)

    def squeeze(self, value, axes):
        return self.with_axes("Squeeze", value, axes, 13)

    def unsqueeze(self, value, axes):
        return self.with_axes("Unsqueeze", value, axes, 13)

    def mean(self, value, axes, keep=1):
        return self.with_axes("ReduceMean", value, axes, 18, keepdims=keep)

    def sum(self, value, axes, keep=1):
        return self.with_axes("ReduceSum", value, axes, 13, keepdims=keep)

    def slice(self, value, starts, ends, axes, steps=None):
        """`starts`, `ends`: numbers or Sizes."""
        if self.opset < 10:
            if steps or any(isinstance(bound, Size) for bound in [*starts, *ends]):
                raise NotPossible
            return self.op("Slice", value, starts=starts, ends=ends, axes=axes)
        inputs = [value, self.shape(*starts), self.shape(*ends), self.ints(axes)]
        return self.op("Slice", *inputs, *([self.ints(steps)] if steps else []))

    def split(self, value, sizes, axis):
        if self.opset >= 13:
            return self.op("Split", value, self.ints(sizes), outputs=len(sizes), axis=axis)
        return self.op("Split", value, outputs=len(sizes), axis=axis, split=sizes)

    def pad(self, value, pads, mode="constant"):
        if self.opset >= 11:
            return self.op("Pad", value, self.ints(pads), mode=mode)
        return self.op("Pad", value, pads=pads, mode=mode)

    def clip(self, value, low, high):
        if self.opset >= 11:
            return self.op("Clip", value, self.tensor(numpy.float32(low)), self.tensor(numpy.float32(high)))
        return self.op("Clip", value, min=float(low), max=float(high))

    def softmax(self, value):
        if self.opset < 13:
            self.need(7)
        return self.op("Softmax", value, axis=-1 if self.opset >= 11 else 2)

    # Kernels

    def kernel(self, *dims, constant=False):
        fan_in = max(1, int(numpy.prod(dims[1:])))
        return self.tensor(self.numbers.uniform(0.5, 1.5, dims) / fan_in, "kernel", constant)

    def matrix(self, rows, columns):
        return self.tensor(self.numbers.uniform(0.5, 1.5, (rows, columns)) / rows, "matrix")

    def window(self, kind, x, inputs, c, h, w, **attributes):
        """A window layer; remembered, as its field is measured."""
        out = replace(x, c=c, h=h, w=w)
        name = self.fresh(kind.lower())
        value = self.op(kind, *inputs, name=name, **attributes)
        out = replace(out, name=value)
        self.window_nodes[name] = out
        return out

    def conv(self, x, c=None, k=(3, 3), s=(1, 1), d=(1, 1), pads=None, group=1, weight=None, auto=None, bias=None):
        c = c or self.rng.choice([4, 6, 8])
        if group > 1:
            c = x.c if group == x.c else c
        weight = weight or self.kernel(c, x.c // group, *k)
        bias = self.rng.random() < 0.3 if bias is None else bias
        inputs = [x.name, weight] + ([self.tensor(numpy.zeros(c, numpy.float32), "bias")] if bias else [])
        attributes = {"kernel_shape": k, "strides": s, "dilations": d if max(d) > 1 else None,
                      "group": group if group > 1 else None}
        if auto:
            h, w = -(-x.h // s[0]), -(-x.w // s[1])
            made = self.window("Conv", x, inputs, c, h, w, auto_pad=auto, **attributes)
        else:
            pads = [(length - 1) * step // 2 for length, step in zip(k, d)] * 2 if pads is None else pads
            h = conv_length(x.h, k[0], s[0], d[0], pads[0] + pads[2])
            w = conv_length(x.w, k[1], s[1], d[1], pads[1] + pads[3])
            made = self.window("Conv", x, inputs, c, h, w, pads=pads, **attributes)
        return replace(made, even=x.even or group == 1)

    def act(self, x):
        kind = self.rng.choice(["Relu", "LeakyRelu", "hard", "PRelu", "clip", "none"])
        if kind == "none":
            return x
        if kind in ("Relu", "LeakyRelu"):
            return replace(x, name=self.op(kind, x.name))
        if kind == "clip":
            return replace(x, name=self.clip(x.name, 0, 6))
        if kind == "PRelu":
            return replace(x, name=self.op("PRelu", x.name, self.tensor(numpy.full((x.c, 1, 1), 0.25, numpy.float32))))
        inner = self.clip(self.op("Add", x.name, self.tensor(numpy.float32(3))), 0, 6)
        return replace(x, name=self.op("Div", self.op("Mul", x.name, inner), self.tensor(numpy.float32(6))))

    def norm(self, x):
        stem = [self.tensor(numpy.full(x.c, value, numpy.float32), "norm") for value in (1, 0, 0, 1)]
        return replace(x, name=self.op("BatchNormalization", x.name, *stem))

    def block(self, x, c=None):
        """Convolution, norm, activation."""
        x = self.conv(x, c, bias=False)
        if self.rng.random() < 0.5:
            x = self.norm(x)
        return self.act(x)

    # The file

    def out(self, x):
        """A map as an output, in the image's layout."""
        if isinstance(x, Map):
            name = self.op("Transpose", x.name, perm=[0, 2, 3, 1]) if self.layout == "NHWC" else self.op("Identity", x.name)
            self.outputs.append((name, 4))
        else:
            self.outputs.append((self.op("Identity", x[0]), x[1]))

    def model(self):
        element = HALF if self.half else FLOAT
        outputs = [(name, [f"o{at}_{axis}" for axis in range(rank)], element) for at, (name, rank) in enumerate(self.outputs)]
        ir = 10 if self.opset >= 20 else 8
        return make_model(self.nodes, [self.input, *self.extra_inputs], outputs, self.tensors, self.opset, ir,
                          self.domains, self.functions)
