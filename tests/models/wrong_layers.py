# SPDX-License-Identifier: GPL-3.0-or-later
"""Models with wrong layers or impossible sizes. Their graph can be read: they open, with findings.

CASES lists (file, expected reaction, why, function that returns the ModelProto).
"""

import math

from tiny_models import (
    conv_then,
    floats,
    integers,
    model,
    node,
    one_conv,
    small_network,
    value,
    weights,
)

CASES = []


def opens(file, why):
    """Registers a function that returns the file's ModelProto."""

    def register(make):
        CASES.append((f"{file}.onnx", "opens", why, make))
        return make

    return register


WRONG_CONVS = {
    "kernel_larger_than_map": ({"shape": (4, 3, 31, 31)}, "a 31x31 kernel on a 16x16 map"),
    "zero_stride": ({"strides": [0, 0]}, "stride 0"),
    "negative_stride": ({"strides": [-1, -1]}, "stride -1"),
    "huge_stride": ({"strides": [2**62, 2**62]}, "stride 2^62"),
    "zero_kernel": ({"kernel_shape": [0, 0]}, "kernel_shape 0x0 with 3x3 weights"),
    "negative_kernel": ({"kernel_shape": [-3, -3]}, "kernel_shape -3x-3"),
    "huge_kernel": ({"kernel_shape": [2**62, 2**62]}, "kernel_shape 2^62 with 3x3 weights"),
    "kernel_unlike_weights": ({"kernel_shape": [5, 5]}, "kernel_shape 5x5 with 3x3 weights"),
    "zero_dilation": ({"dilations": [0, 0]}, "dilation 0"),
    "huge_dilation": ({"dilations": [2**62, 2**62]}, "dilation 2^62: the extent overflows"),
    "negative_pads": ({"pads": [-1, -1, -1, -1]}, "negative padding crops"),
    "huge_pads": ({"pads": [2**62] * 4}, "padding 2^62: the size overflows"),
    "two_pads": ({"pads": [1, 1]}, "two pads where a 2-D convolution has four"),
    "one_stride": ({"strides": [2]}, "one stride where a 2-D convolution has two"),
    "zero_group": ({"group": 0}, "group 0"),
    "negative_group": ({"group": -1}, "group -1"),
    "group_not_dividing": ({"group": 2}, "group 2 on 3 channels"),
    "unlike_channels": ({"shape": (4, 7, 3, 3)}, "weights for 7 channels on an image of 3"),
    "weights_of_rank_2": ({"shape": (4, 3)}, "weights without a kernel"),
    "unknown_auto_pad": ({"auto_pad": "SAME_SIDEWAYS"}, "an auto_pad that does not exist"),
    "strides_as_text": ({"strides": "two"}, "a string where integers belong"),
    "strides_as_floats": ({"strides": [2.0, 2.0]}, "floats where integers belong"),
    "unknown_attribute": ({"frobnicate": 3}, "an attribute that convolutions do not have"),
}
for conv_file, (conv_arguments, conv_why) in WRONG_CONVS.items():
    opens(conv_file, conv_why)(lambda arguments=conv_arguments: one_conv(**arguments))


def then(kind, *extra, **attributes):
    """Delays conv_then; extra inputs are initializers."""
    return lambda: conv_then(kind, [tensor.name for tensor in extra], extra, **attributes)


WRONG_LAYERS = {
    "pool_zero_kernel": (then("MaxPool", kernel_shape=[0, 0]), "a pooling with kernel 0x0"),
    "pool_zero_stride": (
        then("MaxPool", kernel_shape=[2, 2], strides=[0, 0]),
        "a pooling with stride 0",
    ),
    "pool_without_kernel": (then("AveragePool"), "a pooling without the kernel it must have"),
    "pool_huge_kernel": (
        then("AveragePool", kernel_shape=[2**62, 2**62]),
        "a pooling with kernel 2^62",
    ),
    "transposed_huge": (
        then("ConvTranspose", weights("wt", 4, 2, 2, 2), strides=[2**61, 2**61]),
        "a transposed convolution whose size overflows",
    ),
    "resize_by_zero": (then("Resize", floats("roi"), floats("scales", 1, 1, 0, 0)), "scale 0"),
    "resize_by_nan": (
        then("Resize", floats("roi"), floats("scales", 1, 1, math.nan, math.inf)),
        "scales NaN and infinity",
    ),
    "resize_by_much": (
        then("Resize", floats("roi"), floats("scales", 1, 1, 1e30, 1e30)),
        "scale 1e30: the size overflows",
    ),
    "reshape_impossible": (
        then("Reshape", integers("shape", 1, 7, -1)),
        "1,024 elements in rows of 7",
    ),
    "reshape_two_unknown": (then("Reshape", integers("shape", -1, -1)), "two -1 in a shape"),
    "reshape_huge": (
        then("Reshape", integers("shape", 2**62, 2**62)),
        "a shape whose product overflows",
    ),
    "transpose_twice_the_same": (
        then("Transpose", perm=[0, 1, 1, 3]),
        "a permutation that is none",
    ),
    "transpose_out_of_range": (then("Transpose", perm=[0, 1, 2, 9]), "an axis that does not exist"),
    "concat_axis": (
        then("Concat", weights("other", 1, 4, 16, 16), axis=17),
        "an axis that does not exist",
    ),
    "concat_unlike": (then("Concat", weights("other", 1, 4, 5, 5), axis=1), "maps of unlike size"),
    "add_unlike": (then("Add", weights("other", 1, 4, 5, 5)), "maps that cannot be broadcast"),
    "slice_zero_step": (
        then(
            "Slice",
            integers("from", 0),
            integers("to", 4),
            integers("axis", 2),
            integers("step", 0),
        ),
        "step 0",
    ),
    "slice_extremes": (
        then(
            "Slice", integers("from", -(2**63)), integers("to", 2**63 - 1), integers("axis", 2)
        ),
        "bounds at the ends of 64 bits, as exporters write them",
    ),
    "pad_negative": (
        then("Pad", integers("pads", 0, 0, -20, -20, 0, 0, 0, 0)),
        "more cropped than there is",
    ),
    "split_not_adding_up": (then("Split", integers("sizes", 3, 3)), "3 + 3 of 4 rows"),
    "depth_to_space_zero": (then("DepthToSpace", blocksize=0), "block size 0"),
    "flatten_axis": (then("Flatten", axis=-99), "an axis that does not exist"),
    "gemm_on_a_map": (
        then("Gemm", weights("matrix", 4, 4)),
        "a matrix product with a map of rank 4",
    ),
    "reduce_no_axis": (then("ReduceMean", axes=[]), "an empty list of axes"),
    "softmax_axis": (then("Softmax", axis=12), "an axis that does not exist"),
    "norm_unlike": (
        then("BatchNormalization", *[weights(name, 9) for name in "abcd"]),
        "a norm for 9 channels on a map of 4",
    ),
    "prelu_unlike": (
        then("PRelu", weights("slope", 9, 1, 1)),
        "slopes for 9 channels on a map of 4",
    ),
}
for layer_file, (make_layer, layer_why) in WRONG_LAYERS.items():
    opens(layer_file, layer_why)(make_layer)


@opens("conv_without_weight", "a convolution with one input only")
def conv_without_weight():
    return model([node("Conv", ["image"])])


@opens("conv_empty_weight_name", "a convolution whose weight is left out as an optional input")
def conv_empty_weight_name():
    return model([node("Conv", ["image", ""])])


@opens("constant_without_value", "a Constant that holds nothing")
def constant_without_value():
    return model([node("Constant", [], ["nothing"]), node("Add", ["image", "nothing"])])


# Sizes of the input.

INPUT_SHAPES = {
    "huge_input": ([1, 3, 2**40, 2**40], "sizes whose product overflows"),
    "largest_input": ([1, 3, 2**63 - 1, 2**63 - 1], "the largest sizes there are"),
    "zero_input": ([1, 3, 0, 0], "an image without pixels"),
    "negative_input": ([-1, 3, -1, -1], "-1 for open dimensions, as some exporters write"),
    "open_input": (["n", "c", "h", "w"], "every dimension open"),
    "rank_0_input": ([], "a scalar for an image"),
}
for shape_file, (input_shape, shape_why) in INPUT_SHAPES.items():

    @opens(shape_file, shape_why)
    def with_input_shape(shape=input_shape):
        made = small_network()
        made.graph.input[0].CopyFrom(value("image", shape))
        return made


@opens("input_without_type", "an input with a name only")
def input_without_type():
    made = small_network()
    made.graph.input[0].ClearField("type")
    return made
