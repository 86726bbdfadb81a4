# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds an ONNX CNN node by node with onnx.helper, keeping track of map sizes.

Sizes are pairs (height, width); pads are (top, left, bottom, right) in pixels.
"""

import random
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper, numpy_helper

NAME_STYLES = {
    "torch": "/features/features.{index}/{stem}_output_0",
    "numbers": "{index}",
    "keras": "model/{stem}_{index}/BiasAdd:0",
    "spaces": "{stem} no. {index}",
    "unicode": "слой_{stem}_卷积_{index}",
}


@dataclass
class Map:
    """One feature map: value name, channels, height and width."""

    name: str
    channels: int
    height: int
    width: int

    @property
    def shape(self):
        return [1, self.channels, self.height, self.width]


def conv_size(size, kernel, stride=1, dilation=1, padding=0):
    """Output length along one axis; padding is the sum of both sides. Below 1: does not fit."""
    return (size + padding - dilation * (kernel - 1) - 1) // stride + 1


def ceil_size(size, kernel, stride, begin, end):
    """Output length of a pooling with ceil_mode, or None where runtimes and checkers disagree.

    Runtimes drop a last window that starts in the padding; ONNX's shape inference counted it.
    """
    steps = -(-(size + begin + end - kernel) // stride)
    return steps + 1 if steps * stride < size + begin else None


class OnnxNet:
    """Nodes, initializers and the random state that draws them."""

    def __init__(self, seed, opset, name_style="torch", share_weights=False):
        self.rng = random.Random(seed)
        self.numbers = np.random.RandomState(seed)
        self.opset = opset
        self.name_pattern = NAME_STYLES[name_style]
        self.share_weights = share_weights
        self.shared = {}
        self.nodes = []
        self.initializers = []
        self.outputs = []
        self.size_is_baked = False
        self.batch_is_baked = False
        self.count = 0

    def fresh_name(self, stem):
        self.count += 1
        return self.name_pattern.format(stem=stem, index=self.count)

    def tensor(self, values, stem="constant"):
        """Adds an initializer (float32 or int64 as given) and returns its name."""
        array = np.asarray(values)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        name = self.fresh_name(stem)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def uniform(self, low, high, *shape):
        return self.tensor(self.numbers.uniform(low, high, shape), "uniform")

    def he_weights(self, *shape):
        """Normal weights of variance 2 / fan-in, without mean: the image's own pattern then
        outweighs its mean brightness. A stored tensor again where sharing is on.
        """
        if self.share_weights and shape in self.shared:
            return self.shared[shape]
        deviation = (2 / np.prod(shape[1:])) ** 0.5
        weights = self.numbers.normal(0, deviation, shape)
        if np.prod(shape[1:]) > 1:
            weights -= weights.mean(axis=(1, 2, 3), keepdims=True)
        name = self.tensor(weights, "weight")
        self.shared[shape] = name
        return name

    def op(self, kind, *inputs, outputs=1, **attributes):
        """Adds a node; returns the name of its output, or the list of names."""
        names = [self.fresh_name(kind) for _ in range(outputs)]
        attributes = {key: value for key, value in attributes.items() if value is not None}
        node_name = self.name_pattern.format(stem=kind, index=f"n{self.count}")
        self.nodes.append(helper.make_node(kind, list(inputs), names, node_name, **attributes))
        return names[0] if outputs == 1 else names

    def like(self, x, name):
        return Map(name, x.channels, x.height, x.width)

    def conv(self, x, channels, kernel, stride=(1, 1), dilation=(1, 1), pads=(0, 0, 0, 0), group=1):
        """2-D convolution; attributes that equal their default are left out half of the time."""
        height = conv_size(x.height, kernel[0], stride[0], dilation[0], pads[0] + pads[2])
        width = conv_size(x.width, kernel[1], stride[1], dilation[1], pads[1] + pads[3])
        weights = self.he_weights(channels, x.channels // group, *kernel)
        inputs = [x.name, weights]
        if self.rng.random() < 0.7:
            inputs.append(self.uniform(-0.3, 0.3, channels))
        attributes = {
            "kernel_shape": kernel,
            "strides": stride,
            "dilations": dilation,
            "pads": pads,
            "group": group,
        }
        if self.rng.random() < 0.5:
            defaults = (kernel, (1, 1), (1, 1), (0, 0, 0, 0), 1)
            for key, default in zip(list(attributes), defaults):
                if attributes[key] == default:
                    del attributes[key]
        return Map(self.op("Conv", *inputs, **attributes), channels, height, width)

    def same_conv(self, x, channels, kernel=(3, 3), stride=(1, 1), dilation=(1, 1), group=1):
        """Keeps the size at stride 1; an odd rest of padding goes to a random side."""
        spans = [dilation[axis] * (kernel[axis] - 1) for axis in (0, 1)]
        begins = [span // 2 + (span % 2) * self.rng.randint(0, 1) for span in spans]
        ends = [span - begin for span, begin in zip(spans, begins)]
        return self.conv(x, channels, kernel, stride, dilation, (*begins, *ends), group)

    def auto_pad_conv(self, x, channels, kernel=(3, 3), stride=(1, 1)):
        """Padding by name (SAME_UPPER or SAME_LOWER), as exporters from TensorFlow write it."""
        weights = self.he_weights(channels, x.channels, *kernel)
        mode = self.rng.choice(["SAME_UPPER", "SAME_LOWER"])
        name = self.op("Conv", x.name, weights, auto_pad=mode, strides=stride, kernel_shape=kernel)
        return Map(name, channels, -(-x.height // stride[0]), -(-x.width // stride[1]))

    def pool(self, x, kind, kernel, stride, pads=(0, 0, 0, 0), ceil_mode=0, count_include_pad=None):
        """Max or average pooling; ceil_mode is dropped where its meaning is disputed."""
        height = conv_size(x.height, kernel[0], stride[0], 1, pads[0] + pads[2])
        width = conv_size(x.width, kernel[1], stride[1], 1, pads[1] + pads[3])
        if ceil_mode:
            ceil_height = ceil_size(x.height, kernel[0], stride[0], pads[0], pads[2])
            ceil_width = ceil_size(x.width, kernel[1], stride[1], pads[1], pads[3])
            ceil_mode = ceil_height is not None and ceil_width is not None
            if ceil_mode:
                height, width = ceil_height, ceil_width
        name = self.op(
            kind,
            x.name,
            kernel_shape=kernel,
            strides=stride,
            pads=pads if any(pads) else None,
            ceil_mode=int(ceil_mode) or None,
            count_include_pad=count_include_pad,
        )
        return Map(name, x.channels, height, width)

    def concat(self, maps):
        name = self.op("Concat", *[x.name for x in maps], axis=1)
        return Map(name, sum(x.channels for x in maps), maps[0].height, maps[0].width)

    def add(self, a, b):
        first, second = self.rng.sample([a.name, b.name], 2)
        return self.like(a, self.op("Add", first, second))

    def slice(self, x, starts, ends, axes):
        """Slices with literal bounds; returns the value's name."""
        bounds = [
            self.tensor(np.array(values, np.int64), "bounds") for values in (starts, ends, axes)
        ]
        return self.op("Slice", x.name, *bounds)

    def split(self, x, sizes):
        """Channel split into maps of the given channel counts."""
        if self.opset >= 13:
            split = self.tensor(np.array(sizes, np.int64), "split")
            names = self.op("Split", x.name, split, outputs=len(sizes), axis=1)
        else:
            names = self.op("Split", x.name, outputs=len(sizes), axis=1, split=sizes)
        return [Map(name, size, x.height, x.width) for name, size in zip(names, sizes)]

    def reshape(self, x_name, shape):
        return self.op("Reshape", x_name, self.tensor(np.array(shape, np.int64), "shape"))

    def squeeze(self, x_name, axes):
        if self.opset >= 13:
            return self.op("Squeeze", x_name, self.tensor(np.array(axes, np.int64), "axes"))
        return self.op("Squeeze", x_name, axes=axes)

    def model(self, input_map, batch=1):
        """The ModelProto; batch is a number or the name of an open dimension."""
        shape = [batch, *input_map.shape[1:]]
        image = helper.make_tensor_value_info(input_map.name, TensorProto.FLOAT, shape)
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, *output_shape[1:]])
            for name, output_shape in self.outputs
        ]
        graph = helper.make_graph(self.nodes, "net", [image], outputs, self.initializers)
        opset = helper.make_opsetid("", self.opset)
        model = helper.make_model(graph, opset_imports=[opset], producer_name="random_networks")
        model.ir_version = 7
        return model
