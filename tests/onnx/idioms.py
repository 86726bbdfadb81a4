# SPDX-License-Identifier: GPL-3.0-or-later
"""What exporters write between layers, each as a function of a net and a map (twin_nets.py), and networks drawn of them.

An idiom raises NotPossible where its opset, layout or size does not have it."""

import random
from dataclasses import replace

import numpy
from onnx import TensorProto, numpy_helper

from twin_nets import END, FLOAT, HALF, INT64, Net, NotPossible, conv_length

# Idioms: (net, map) -> map, or None where it ends in an output of its own

IDIOMS = {}


def idiom(function):
    IDIOMS[function.__name__] = function
    return function


@idiom
def same_window(net, x):
    """SAME padding of convolutions and poolings, as TensorFlow's exporters leave it."""
    auto = net.rng.choice(["SAME_UPPER", "SAME_UPPER", "SAME_LOWER"])
    k = net.rng.choice([(3, 3), (2, 2), (5, 5), (4, 3), (1, 3)])
    s = net.rng.choice([(1, 1), (2, 2), (2, 1), (3, 2)])
    if net.rng.random() < 0.6:
        return net.act(net.conv(x, None, k, s, auto=auto))
    kind = net.rng.choice(["MaxPool", "AveragePool"])
    k = [max(length, stride) for length, stride in zip(k, s)]  # ONNX Runtime refuses what would be negative padding
    return net.window(kind, x, [x.name], x.c, -(-x.h // s[0]), -(-x.w // s[1]), auto_pad=auto, kernel_shape=k, strides=s)


@idiom
def plain_window(net, x):
    k = net.rng.choice([(3, 3), (5, 5), (1, 7), (7, 1), (2, 2), (4, 4)])
    s = net.rng.choice([(1, 1), (2, 2), (1, 2)])
    d = net.rng.choice([(1, 1), (1, 1), (2, 2), (1, 3)])
    pads = [net.rng.randint(0, (length - 1) * step) for length, step in zip(k, d)] + \
           [net.rng.randint(0, (length - 1) * step) for length, step in zip(k, d)]
    return net.act(net.conv(x, None, k, s, d, pads))


@idiom
def grouped(net, x):
    if net.rng.random() < 0.6:
        return net.act(net.conv(x, x.c, group=x.c, s=net.rng.choice([(1, 1), (2, 2)])))
    groups = 2 if x.c % 2 == 0 else 1
    return net.conv(x, 4 * groups, group=groups)


@idiom
def ceil_pool(net, x):
    """Poolings in ceil mode whose last window starts inside the map."""
    net.need(10)
    k, s = net.rng.choice([((3, 3), (2, 2)), ((2, 2), (2, 2)), ((3, 3), (3, 3)), ((2, 3), (1, 2))])
    kind = net.rng.choice(["MaxPool", "AveragePool"])
    pad = net.rng.choice([0, 0, 1]) if min(k) > 2 else 0
    sides = []
    for length, kernel, stride in zip((x.h, x.w), k, s):
        steps = -(-(length + 2 * pad - kernel) // stride)
        if length + 2 * pad < kernel:
            raise NotPossible
        sides.append(steps + 1 - (steps * stride >= length + pad))
    return net.window(kind, x, [x.name], x.c, *sides, kernel_shape=k, strides=s, pads=[pad] * 4, ceil_mode=1)


@idiom
def plain_pool(net, x):
    kind = net.rng.choice(["MaxPool", "AveragePool"])
    k, s, pad = net.rng.choice([((2, 2), (2, 2), 0), ((3, 3), (2, 2), 1), ((3, 3), (1, 1), 1), ((5, 5), (1, 1), 2)])
    sides = [conv_length(length, kernel, stride, 1, 2 * pad) for length, kernel, stride in zip((x.h, x.w), k, s)]
    include = net.rng.choice([0, 1]) if kind == "AveragePool" else None
    return net.window(kind, x, [x.name], x.c, *sides, kernel_shape=k, strides=s, pads=[pad] * 4, count_include_pad=include)


@idiom
def zero_pad_pool(net, x):
    """A zero Pad before a pooling, as PyTorch 1.2 and Keras write it."""
    padded = net.pad(x.name, [0, 0, 0, 0, 0, 0, 1, 1])
    k = net.rng.choice([2, 3])
    sides = [conv_length(length, k, 2, 1, 1) for length in (x.h, x.w)]
    return net.window(net.rng.choice(["MaxPool", "AveragePool"]), x, [padded], x.c, *sides, kernel_shape=[k, k], strides=[2, 2])


def lowered(net, x):
    """Halved where what makes it larger again would make it too large."""
    return net.act(net.conv(x, s=(2, 2))) if max(x.h, x.w) > 24 else x


@idiom
def transposed(net, x):
    x = lowered(net, x)
    k, s, p = net.rng.choice([(2, 2, 0), (4, 2, 1), (3, 2, 1), (3, 1, 1), (3, 3, 0)])
    extra = net.rng.choice([0, 1]) if s > 1 and k == 3 and p == 1 else 0
    c = net.rng.choice([4, 6])
    weight = net.tensor(net.numbers.uniform(0.5, 1.5, (x.c, c, k, k)) / (x.c * k), "kernel")
    sides = [(length - 1) * s - 2 * p + k + extra for length in (x.h, x.w)]
    if max(sides) > 80:
        raise NotPossible
    return net.window("ConvTranspose", replace(x, even=True, uniform=False), [x.name, weight], c, *sides, kernel_shape=[k, k],
                      strides=[s, s], pads=[p] * 4, output_padding=[extra] * 2 if extra else None)


@idiom
def transposed_same(net, x):
    x = lowered(net, x)
    k, s = net.rng.choice([(3, 2), (4, 2), (5, 2), (3, 1)])
    c = 4
    if max(x.h, x.w) * s > 80:
        raise NotPossible
    weight = net.tensor(net.numbers.uniform(0.5, 1.5, (x.c, c, k, k)) / (x.c * k), "kernel")
    return net.window("ConvTranspose", replace(x, even=True, uniform=False), [x.name, weight], c, x.h * s, x.w * s,
                      kernel_shape=[k, k], strides=[s, s], auto_pad=net.rng.choice(["SAME_UPPER", "SAME_LOWER"]))


def resized(net, x, sizes=None, scales=None, mode="nearest", coordinates="asymmetric"):
    """The form of the opset: Upsample to 9, Resize 10, Resize from 11."""
    if net.opset < 9:
        if sizes:
            raise NotPossible
        if net.opset < 7:
            raise NotPossible
        return net.op("Upsample", x.name, scales=[1.0, 1.0, *map(float, scales)], mode=mode)
    if net.opset <= 10:
        if sizes and not net.open_sides:
            scales = [length.number / own for length, own in zip(sizes, (x.h, x.w))]
        elif sizes:
            lengths = [net.op("Cast", length.tensor(), to=FLOAT) for length in sizes]
            owns = [net.op("Cast", net.side(x, axis).tensor(), to=FLOAT) for axis in (2, 3)]
            ratios = [net.op("Div", a, b) for a, b in zip(lengths, owns)]
            one = net.factors(1, 1)
            return net.op("Upsample" if net.opset == 9 else "Resize", x.name, net.op("Concat", one, *ratios, axis=0), mode=mode)
        values = net.factors(1, 1, *scales)
        return net.op("Upsample" if net.opset == 9 else "Resize", x.name, values, mode=mode)
    how = {"mode": mode, "coordinate_transformation_mode": coordinates}
    if mode == "nearest":
        how["nearest_mode"] = "floor"
    empty = "" if net.opset >= 13 else net.factors()
    if scales:
        return net.op("Resize", x.name, empty, net.factors(1, 1, *scales), **how)
    return net.op("Resize", x.name, empty, empty, net.shape(1, x.c, *sizes), **how)


def after_resize(x, name, h, w, mode):
    if max(h, w) > 80:
        raise NotPossible
    return replace(x, name=name, h=h, w=w, uniform=False, exact=x.exact and mode == "nearest", hides=x.hides or mode == "cubic")


def draw_mode(net):
    if net.half:
        return "nearest", "asymmetric"
    if net.opset < 11:
        return net.rng.choice(["nearest", "linear"]), "asymmetric"
    mode = net.rng.choice(["nearest", "nearest", "linear", "linear", "cubic"])
    coordinates = net.rng.choice(["asymmetric", "half_pixel", "pytorch_half_pixel"]) if mode != "nearest" else "asymmetric"
    return mode, coordinates


@idiom
def upsample_by_scale(net, x):
    x = lowered(net, x)
    mode, coordinates = draw_mode(net)
    factor = net.rng.choice([2, 2, 3])
    name = resized(net, x, scales=[factor, factor], mode=mode, coordinates=coordinates)
    return after_resize(x, name, x.h * factor, x.w * factor, mode)


@idiom
def upsample_by_size(net, x):
    """Sizes that the exporter computed: twice the map's own."""
    net.need(9)
    x = lowered(net, x)
    mode, coordinates = draw_mode(net)
    sizes = [net.side(x, axis) * 2 for axis in (2, 3)]
    name = resized(net, x, sizes=sizes, mode=mode, coordinates=coordinates)
    return after_resize(x, name, x.h * 2, x.w * 2, mode)


@idiom
def pyramid(net, x):
    """Down, and up again to the size of the map before, added or joined to it."""
    net.need(9)
    mode = net.rng.choice(["nearest", "linear"]) if not net.half else "nearest"
    low = net.act(net.conv(x, x.c, s=(2, 2)))
    name = resized(net, low, sizes=[net.side(x, 2), net.side(x, 3)], mode=mode)
    up = after_resize(low, name, x.h, x.w, mode)
    return joined(net, x, replace(up, exact=False), net.rng.choice(["Add", "Concat"]))


def joined(net, a, b, how):
    if how == "Concat":
        out = replace(a, name=net.op("Concat", a.name, b.name, axis=1), c=a.c + b.c, even=False)
    else:
        if a.c != b.c:
            raise NotPossible
        out = replace(a, name=net.op(how, a.name, b.name), even=a.even and b.even)
    return out.marked(b)


@idiom
def residual(net, x):
    inner = net.conv(net.block(x, x.c), x.c, bias=False)
    return net.act(joined(net, x, inner, "Add"))


@idiom
def resize_to_image(net, x):
    """A segmentation head: back to the image's own sides, as an output."""
    net.need(10 if x.h > net.size[0] or x.w > net.size[1] else 9)  # Upsample refuses to make smaller
    sides = [net.dim("image", axis - (net.layout == "NHWC"), length) for axis, length in zip((2, 3), net.size)]
    score = net.conv(x, 4, (1, 1))
    name = resized(net, score, sizes=sides, mode="linear" if not net.half else "nearest",
                   coordinates="asymmetric" if net.opset < 11 else "half_pixel")
    net.out(after_resize(replace(score, even=True), name, *net.size, "linear"))
    return x


@idiom
def global_head(net, x):
    """Pooling to 1x1 in the many forms, flattened in as many, and a linear layer."""
    how = net.rng.choice(["GlobalAveragePool", "mean", "mean flat", "kernel", "GlobalMaxPool"])
    if how == "mean flat":
        flat = net.mean(x.name, [2, 3], 0)
    else:
        if how == "mean":
            pooled = net.mean(x.name, [2, 3], 1)
        elif how == "kernel" and not net.open_sides and max(x.h, x.w) < 12:
            pooled = net.op("AveragePool", x.name, kernel_shape=[x.h, x.w])
        else:
            pooled = net.op("GlobalAveragePool" if how in ("mean", "kernel") else how, x.name)
        flatten = net.rng.choice(["Flatten", "reshape", "squeeze", "computed"])
        if flatten == "Flatten":
            flat = net.op("Flatten", pooled, axis=1)
        elif flatten == "squeeze":
            flat = net.squeeze(pooled, [2, 3])
        elif flatten == "reshape":
            flat = net.reshape(pooled, net.rng.choice([1, -1, 0]), x.c)
        else:
            flat = net.reshape(pooled, net.dim(pooled, 0, 1), -1)
    weight = net.tensor(net.numbers.uniform(0.5, 1.5, (10, x.c)) / x.c, "matrix")
    bias = net.tensor(numpy.zeros(10, numpy.float32))
    net.outputs.append((net.op("Gemm", flat, weight, bias, transB=1), 2))
    return x


@idiom
def ssd_head(net, x):
    """Anchors of two maps, channels last, one after the other."""
    anchors, classes = 2, 3

    def rows(source):
        score = net.conv(source, anchors * classes)
        last = net.op("Transpose", score.name, perm=[0, 2, 3, 1])
        if net.rng.random() < 0.5:
            return net.reshape(last, 1, -1, classes)
        count = net.side(score, 2) * net.side(score, 3) * anchors
        return net.reshape(last, 1, count, classes)

    first = rows(x)
    low = net.act(net.conv(x, s=(2, 2)))
    second = rows(low)
    joined_rows = net.op("Concat", first, second, axis=1)
    net.out((net.softmax(joined_rows), 3))
    return x


@idiom
def se_gate(net, x):
    """Squeeze and excitation: by convolutions or linear layers, with or without the expansion spelt out."""
    c, inner = x.c, 2
    pooled = net.op("GlobalAveragePool", x.name) if net.rng.random() < 0.5 else net.mean(x.name, [2, 3], 1)
    if net.rng.random() < 0.5:
        hidden = net.op("Relu", net.op("Conv", pooled, net.kernel(inner, c, 1, 1)))
        gate = net.op("Conv", hidden, net.kernel(c, inner, 1, 1))
    else:
        flat = net.reshape(pooled, net.rng.choice([1, 0, -1]), c)
        hidden = net.op("Relu", net.op("MatMul", flat, net.matrix(c, inner)))
        gate = net.op("MatMul", hidden, net.matrix(inner, c))
        gate = net.reshape(gate, 1, c, 1, 1) if net.rng.random() < 0.5 else net.unsqueeze(gate, [2, 3])
    gate = net.op("HardSigmoid" if net.rng.random() < 0.3 and not net.half else "Sigmoid", gate)
    if net.rng.random() < 0.5 and net.opset >= 8:
        whole = net.op("Shape", x.name) if net.open_sides else net.ints([1, c, x.h, x.w])
        gate = net.op("Expand", gate, whole)
    return replace(x, name=net.op("Mul", *net.rng.sample([x.name, gate], 2)))


@idiom
def eca_gate(net, x):
    """A 1-D convolution over channels in a gate."""
    pooled = net.op("GlobalAveragePool", x.name)
    row = net.op("Transpose", net.squeeze(pooled, [3]), perm=[0, 2, 1])
    mixed = net.op("Conv", row, net.kernel(1, 1, 3), kernel_shape=[3], pads=[1, 1])
    gate = net.op("Sigmoid", net.unsqueeze(net.op("Transpose", mixed, perm=[0, 2, 1]), [3]))
    if net.rng.random() < 0.5 and net.opset >= 8:
        gate = net.op("Expand", gate, net.op("Shape", x.name) if net.open_sides else net.ints([1, x.c, x.h, x.w]))
    return replace(x, name=net.op("Mul", x.name, gate))


def even_sides(x, factor):
    if x.h % factor or x.w % factor or min(x.h, x.w) < 2 * factor:
        raise NotPossible


@idiom
def space_to_depth(net, x):
    """Focus, SpaceToDepth, or reshape, transpose, reshape in both channel orders."""
    even_sides(x, 2)
    how = net.rng.choice(["slices", "operator", "dcr", "crd"])
    h, w = x.h // 2, x.w // 2
    out = replace(x, c=4 * x.c, h=h, w=w, even=False)
    if how == "slices":
        net.need(10)
        parts = [net.slice(x.name, [y, z], [END, END], [2, 3], [2, 2]) for z in (0, 1) for y in (0, 1)]
        return mixed(net, replace(out, name=net.op("Concat", *parts, axis=1)))
    if how == "operator":
        return mixed(net, replace(out, name=net.op("SpaceToDepth", x.name, blocksize=2)))
    height, width = net.side(x, 2), net.side(x, 3)
    cut = net.reshape(x.name, 1, x.c, height // 2, 2, width // 2, 2)
    turned = net.op("Transpose", cut, perm=[0, 3, 5, 1, 2, 4] if how == "dcr" else [0, 1, 3, 5, 2, 4])
    return mixed(net, replace(out, name=net.reshape(turned, 1, 4 * x.c, height // 2, width // 2)))


def mixed(net, x):
    """A convolution that reads all channels, so that the next idioms are measured whole."""
    return net.conv(x, net.rng.choice([4, 6, 8]), net.rng.choice([(1, 1), (3, 3)]))


@idiom
def depth_to_space(net, x):
    x = net.conv(lowered(net, x), 8, (1, 1))
    if max(x.h, x.w) > 40:
        raise NotPossible
    how = net.rng.choice(["operator", "reshape"])
    out = replace(x, c=2, h=2 * x.h, w=2 * x.w, uniform=False)
    if how == "operator":
        mode = net.rng.choice(["DCR", "CRD"]) if net.opset >= 11 else None
        return replace(out, name=net.op("DepthToSpace", x.name, blocksize=2, mode=mode))
    height, width = net.side(x, 2), net.side(x, 3)
    cut = net.reshape(x.name, 1, 2, 2, 2, height, width)
    turned = net.op("Transpose", cut, perm=[0, 1, 4, 2, 5, 3])
    return replace(out, name=net.reshape(turned, 1, 2, height * 2, width * 2))


@idiom
def space_to_batch(net, x):
    """Phases folded into the batch around a convolution: the dilation that it stands for."""
    even_sides(x, 2)
    height, width = net.side(x, 2), net.side(x, 3)
    cut = net.reshape(x.name, 1, x.c, height // 2, 2, width // 2, 2)
    folded = net.reshape(net.op("Transpose", cut, perm=[3, 5, 0, 1, 2, 4]), 4, x.c, height // 2, width // 2)
    inner = net.conv(replace(x, name=folded, h=x.h // 2, w=x.w // 2, exact=False, uniform=False), x.c)
    net.window_nodes.popitem()  # its units stand in four phases
    back = net.reshape(inner.name, 2, 2, 1, x.c, height // 2, width // 2)
    back = net.op("Transpose", back, perm=[2, 3, 4, 0, 5, 1])
    return replace(x, name=net.reshape(back, 1, x.c, height, width), even=True)


@idiom
def windows(net, x):
    """Partitioned into windows of 4x4 units, a linear layer in each, and put together again."""
    even_sides(x, 4)
    height, width = net.side(x, 2), net.side(x, 3)
    cut = net.reshape(x.name, 1, x.c, height // 4, 4, width // 4, 4)
    rows = net.reshape(net.op("Transpose", cut, perm=[0, 2, 4, 3, 5, 1]), -1, 16, x.c)
    rows = net.op("MatMul", rows, net.matrix(x.c, x.c))
    back = net.reshape(rows, 1, height // 4, width // 4, 4, 4, x.c)
    back = net.op("Transpose", back, perm=[0, 5, 1, 3, 2, 4])
    return replace(x, name=net.reshape(back, 1, x.c, height, width), even=True)


@idiom
def class_token(net, x):
    """Positions in a row, one token in front, a linear layer, and the positions taken out again."""
    net.need(10)
    height, width = net.side(x, 2), net.side(x, 3)
    row = net.reshape(x.name, 1, x.c, height * width if net.rng.random() < 0.5 else -1)
    row = net.op("Transpose", row, perm=[0, 2, 1])
    token = net.tensor(numpy.zeros((1, 1, x.c), numpy.float32), "token")
    both = net.op("Concat", token, row, axis=1)
    both = net.op("MatMul", both, net.matrix(x.c, x.c))
    if net.rng.random() < 0.5:
        net.out((net.op("Gather", both, net.tensor(numpy.array(0, numpy.int64)), axis=1), 2))
    count = height * width + 1
    taken = net.slice(both, [1], [END if net.rng.random() < 0.5 else count], [1])
    back = net.op("Transpose", taken, perm=[0, 2, 1])
    return replace(x, name=net.reshape(back, 1, x.c, height, width), even=True)


@idiom
def linear_per_position(net, x):
    c = net.rng.choice([4, 8])
    last = net.op("Transpose", x.name, perm=[0, 2, 3, 1])
    done = net.op("MatMul", last, net.matrix(x.c, c))
    return replace(x, name=net.op("Transpose", done, perm=[0, 3, 1, 2]), c=c, even=True)


@idiom
def attention(net, x):
    """Over positions: everything is read. The map is multiplied by itself, so finite paths stay visible."""
    height, width = net.side(x, 2), net.side(x, 3)
    row = net.op("Transpose", net.reshape(x.name, 1, x.c, -1), perm=[0, 2, 1])
    q, k, v = (net.op("MatMul", row, net.matrix(x.c, x.c)) for _ in range(3))
    weights = net.softmax(net.op("MatMul", q, net.op("Transpose", k, perm=[0, 2, 1])))
    read = net.op("Transpose", net.op("MatMul", weights, v), perm=[0, 2, 1])
    back = net.reshape(read, 1, x.c, height, width)
    return replace(x, name=net.op("Mul", x.name, back))


def seam(x, **changed):
    return replace(x, seams=True, exact=False, uniform=False, **changed)


@idiom
def circular(net, x):
    """Padding by what stands at the other side."""
    net.need(10)
    p = net.rng.choice([1, 2])
    name = x.name
    for axis in (2, 3):
        first = net.slice(name, [-p], [END], [axis])
        last = net.slice(name, [0], [p], [axis])
        name = net.op("Concat", first, name, last, axis=axis)
    padded = seam(x, name=name, h=x.h + 2 * p, w=x.w + 2 * p)
    k = 2 * p + 1
    return net.conv(padded, None, (k, k), net.rng.choice([(1, 1), (2, 2)]), pads=[0] * 4)


@idiom
def roll(net, x):
    net.need(10)
    by = net.rng.choice([1, 2, 3])
    name = x.name
    for axis, length in ((2, x.h), (3, x.w)):
        if length <= by + 1:
            raise NotPossible
        end = END if net.rng.random() < 0.5 else length
        if end != END:
            end = net.dim(name, axis, length)
        tail = net.slice(name, [-by], [end], [axis])
        head = net.slice(name, [0], [-by], [axis])
        name = net.op("Concat", tail, head, axis=axis)
    return seam(x, name=name)


@idiom
def strips(net, x):
    """Cut in two along the height, each half through a convolution, and joined again."""
    if x.h % 2 or x.h < 6:
        raise NotPossible
    half = net.side(x, 2) // 2
    if net.rng.random() < 0.5 and net.opset >= 10:
        parts = [net.slice(x.name, [0], [half], [2]), net.slice(x.name, [half], [END], [2])]
    elif net.opset >= 18:
        parts = net.op("Split", x.name, outputs=2, axis=2, num_outputs=2)
    elif net.opset >= 13 and net.open_sides:
        parts = net.op("Split", x.name, net.shape(half, half), outputs=2, axis=2)
    elif net.open_sides:
        parts = net.op("Split", x.name, outputs=2, axis=2)
    else:
        parts = net.split(x.name, [half.number] * 2, 2)
    made = []
    for part in parts:
        made.append(net.conv(seam(x, name=part, h=x.h // 2), 4, (3, 3)))
    return replace(made[0], name=net.op("Concat", *(part.name for part in made), axis=2), h=x.h, even=True)


@idiom
def split_channels(net, x):
    """Halves of the channels, one through a convolution, joined again."""
    if x.c % 2:
        x = net.conv(x, 4, (1, 1))
    if net.rng.random() < 0.5:
        a, b = net.split(x.name, [x.c // 2] * 2, 1)
    else:
        a = net.slice(x.name, [0], [x.c // 2], [1])
        b = net.slice(x.name, [x.c // 2], [x.c if net.rng.random() < 0.5 else END], [1])
    left, right = (replace(x, name=name, c=x.c // 2, exact=x.exact and x.even) for name in (a, b))
    return joined(net, left, net.block(right, x.c // 2), "Concat")


@idiom
def channel_shuffle(net, x):
    if x.c % 2:
        x = net.conv(x, 4, (1, 1))
    height, width = net.side(x, 2), net.side(x, 3)
    if net.rng.random() < 0.6 or net.opset < 8:
        cut = net.reshape(x.name, 1, 2, x.c // 2, height, width)
        turned = net.op("Transpose", cut, perm=[0, 2, 1, 3, 4])
        return replace(x, name=net.reshape(turned, 1, x.c, height, width))
    # As mmpose's exporter folds it: h*w in one dimension, halves gathered.
    cut = net.reshape(x.name, x.c // 2, 2, height * width)
    turned = net.op("Transpose", cut, perm=[1, 0, 2])
    whole = net.reshape(turned, 2, -1, x.c // 2, height, width)
    halves = [net.op("Gather", whole, net.tensor(numpy.array(at, numpy.int64)), axis=0) for at in (0, 1)]
    left, right = (replace(x, name=name, c=x.c // 2, exact=x.exact and x.even) for name in halves)
    return joined(net, left, net.block(right, x.c // 2), "Concat")


@idiom
def text_head(net, x):
    """The height pooled away and squeezed, the width as a sequence: CRNN."""
    if net.rng.random() < 0.5 and not net.open_sides and x.h < 12:
        pooled = net.op("AveragePool", x.name, kernel_shape=[x.h, 1])
    else:
        pooled = net.mean(x.name, [2], 1)
    row = net.op("Transpose", net.squeeze(pooled, [2]), perm=[2, 0, 1])
    net.out((net.op("MatMul", row, net.matrix(x.c, 5)), 3))
    return x


@idiom
def recurrent_head(net, x):
    pooled = net.squeeze(net.mean(x.name, [2], 1), [2])
    row = net.op("Transpose", pooled, perm=[2, 0, 1])
    hidden = 4
    weights = [net.tensor(net.numbers.uniform(0, 0.3, dims)) for dims in ((1, 4 * hidden, x.c), (1, 4 * hidden, hidden))]
    if net.half:
        raise NotPossible
    y = net.op("LSTM", row, *weights, outputs=3, hidden_size=hidden)[0]
    net.out((net.squeeze(y, [1]), 3))
    return x


@idiom
def casts(net, x):
    """To another type of numbers and back, on the way of the image."""
    other = net.rng.choice([HALF, TensorProto.DOUBLE, FLOAT])
    own = HALF if net.half else FLOAT
    there = net.op("Cast", x.name, to=other)
    back = net.op("Cast", net.op("Identity", there), to=own)
    return replace(x, name=back, hides=x.hides or other == HALF)


@idiom
def quantised(net, x):
    """Quantised and dequantised around a convolution whose weights are int8."""
    net.need(10)
    if net.half:
        raise NotPossible
    scale, zero = net.tensor(numpy.float32(0.05)), net.tensor(numpy.array(0, numpy.uint8))
    name = net.op("DequantizeLinear", net.op("QuantizeLinear", x.name, scale, zero), scale, zero)
    kernel = net.tensor(net.numbers.integers(1, 100, (4, x.c, 3, 3)).astype(numpy.int8), "kernel")
    per_channel = net.opset >= 13 and net.rng.random() < 0.5
    weight_scale = net.tensor(numpy.full(4, 0.001, numpy.float32)) if per_channel else net.tensor(numpy.float32(0.001))
    weight_zero = net.tensor(numpy.zeros(4, numpy.int8)) if per_channel else net.tensor(numpy.array(0, numpy.int8))
    weight = net.op("DequantizeLinear", kernel, weight_scale, weight_zero, **({"axis": 0} if per_channel else {}))
    return net.conv(replace(x, name=name, hides=True), 4, weight=weight)


@idiom
def integer_convolution(net, x):
    """DynamicQuantizeLinear and ConvInteger, as ONNX Runtime's dynamic quantisation writes them."""
    net.need(11)
    if net.half:
        raise NotPossible
    y, scale, zero = net.op("DynamicQuantizeLinear", x.name, outputs=3)
    kernel = net.tensor(net.numbers.integers(1, 100, (4, x.c, 3, 3)).astype(numpy.uint8), "kernel")
    made = net.window("ConvInteger", replace(x, hides=True), [y, kernel, zero, net.tensor(numpy.array(0, numpy.uint8))],
                      4, x.h, x.w, kernel_shape=[3, 3], pads=[1] * 4)
    real = net.op("Cast", made.name, to=FLOAT)
    return replace(made, name=net.op("Mul", real, net.op("Mul", scale, net.tensor(numpy.float32(0.001)))), even=True)


@idiom
def computed_weights(net, x):
    """Kernels behind arithmetic: standardised, normalised, turned, cast, scaled, filled."""
    c = 4
    how = net.rng.choice(["scaled", "turned", "reshaped", "cast", "filled", "normalised", "standardised"])
    if how == "filled":
        net.need(9)
        value = numpy_helper.from_array(numpy.array([0.1], numpy.float16 if net.half else numpy.float32))
        weight = net.op("ConstantOfShape", net.ints([c, x.c, 3, 3]), value=value)
    elif how == "turned":
        weight = net.op("Transpose", net.kernel(3, 3, x.c, c), perm=[3, 2, 0, 1])
    elif how == "reshaped":
        weight = net.op("Reshape", net.kernel(c, x.c * 9), net.ints([c, x.c, 3, -1]))
    elif how == "cast":
        weight = net.op("Cast", net.op("Cast", net.kernel(c, x.c, 3, 3), to=TensorProto.DOUBLE), to=HALF if net.half else FLOAT)
    else:
        kernel = net.kernel(c, x.c, 3, 3)
        if how == "scaled":
            weight = net.op("Mul", kernel, net.tensor(numpy.full((c, 1, 1, 1), 0.5, numpy.float32)))
        elif how == "normalised":
            length = net.op("Sqrt", net.sum(net.op("Mul", kernel, kernel), [1, 2, 3]))
            weight = net.op("Div", kernel, length)
        else:
            weight = net.op("Sub", kernel, net.mean(kernel, [1, 2, 3]))
            x = replace(x, hides=True)
    return net.conv(x, c, weight=weight)


@idiom
def shared_weights(net, x):
    x = net.conv(x, 4, (1, 1))
    weight = net.kernel(4, 4, 3, 3)
    x = net.act(net.conv(x, 4, weight=weight))
    return net.conv(x, 4, weight=weight)


@idiom
def max_unpool(net, x):
    """SegNet: the pooling's indices bring the map back to its size."""
    net.need(9)
    even_sides(x, 2)
    if net.half:
        raise NotPossible
    value, indices = net.op("MaxPool", x.name, outputs=2, name=net.fresh("maxpool"), kernel_shape=[2, 2], strides=[2, 2])
    low = replace(x, name=value, h=x.h // 2, w=x.w // 2)
    low = net.conv(low, x.c)
    name = net.op("MaxUnpool", low.name, indices, kernel_shape=[2, 2], strides=[2, 2])
    # Which unit of four it is depends on the values: measured within only.
    return net.conv(replace(low, name=name, h=x.h, w=x.w, exact=False, uniform=False), 4)


@idiom
def constant_pads(net, x):
    """Pads that are put together from constants, as PyTorch writes them from opset 11 on."""
    p = net.rng.choice([1, 2])
    mode = net.rng.choice(["constant", "reflect", "edge"]) if not net.half else "constant"
    if net.opset < 11:
        name = net.pad(x.name, [0, 0, p, p, 0, 0, p, p], mode)
    else:
        zeros = net.op("ConstantOfShape", net.ints([4]), value=numpy_helper.from_array(numpy.zeros(1, numpy.int64)))
        halves = net.op("Concat", net.ints([p, p, p, p]), zeros, axis=0)
        rows = net.op("Reshape", halves, net.ints([-1, 2]))
        turned = net.op("Transpose", net.slice(rows, [-1], [-END], [0], [-1]), perm=[1, 0])
        pads = net.op("Cast", net.op("Reshape", turned, net.ints([-1])), to=INT64)
        name = net.op("Pad", x.name, pads, mode=mode)
    exact = x.exact and mode == "constant"
    padded = replace(x, name=name, h=x.h + 2 * p, w=x.w + 2 * p, exact=exact, uniform=x.uniform and mode == "constant",
                     hides=x.hides or mode != "constant")
    return net.conv(padded, None, (2 * p + 1,) * 2, pads=[0] * 4)


@idiom
def normed(net, x):
    """Instance and group norm by reshape, layer norm over channels in several nodes."""
    how = net.rng.choice(["instance", "group", "layer"])
    if net.half:
        raise NotPossible
    out = replace(x, hides=True)
    if how == "instance":
        ones, zeros = (net.tensor(numpy.full(x.c, value, numpy.float32)) for value in (1, 0))
        return replace(out, name=net.op("InstanceNormalization", x.name, ones, zeros))
    if how == "group" and x.c % 2 == 0:
        ones, zeros = (net.tensor(numpy.full(2, value, numpy.float32)) for value in (1, 0))
        rows = net.reshape(x.name, 0, 2, -1)
        done = net.op("InstanceNormalization", rows, ones, zeros)
        return replace(out, name=net.reshape(done, 1, x.c, net.side(x, 2), net.side(x, 3)))
    last = net.op("Transpose", x.name, perm=[0, 2, 3, 1])
    centred = net.op("Sub", last, net.mean(last, [-1]))
    square = net.op("Pow", centred, net.tensor(numpy.float32(2)))
    root = net.op("Sqrt", net.op("Add", net.mean(square, [-1]), net.tensor(numpy.float32(1e-5))))
    done = net.op("Mul", net.op("Div", centred, root), net.tensor(numpy.ones(x.c, numpy.float32)))
    return replace(out, name=net.op("Transpose", done, perm=[0, 3, 1, 2]))


@idiom
def exchanged(net, x):
    """Height and width exchanged around a convolution."""
    turned = net.op("Transpose", x.name, perm=[0, 1, 3, 2])
    k = net.rng.choice([(3, 3), (5, 1), (1, 5)])
    inner = net.conv(replace(x, name=turned, h=x.w, w=x.h), 4, k)
    net.window_nodes.popitem()
    return replace(inner, name=net.op("Transpose", inner.name, perm=[0, 1, 3, 2]), h=inner.w, w=inner.h)


@idiom
def coordinates(net, x):
    """Two channels that say where a unit is: computed in the twin, a tensor of fixed length in the file."""
    net.need(11)
    if net.half:
        raise NotPossible
    net.hosts_fixed_length = True
    maps = []
    for axis, length in ((2, x.h), (3, x.w)):
        if net.open_sides:
            count = net.squeeze(net.side(x, axis).tensor(), [0])
            zero, one = (net.tensor(numpy.array(value, numpy.int64)) for value in (0, 1))
            line = net.op("Cast", net.op("Range", zero, count, one), to=FLOAT)
            shape = [1, 1, 1, 1]
            shape[axis] = -1
            line = net.reshape(line, *shape)
            zeros = net.op("ConstantOfShape", net.shape(1, 1, net.side(x, 2), net.side(x, 3)),
                           value=numpy_helper.from_array(numpy.zeros(1, numpy.float32)))
            maps.append(net.op("Mul", net.op("Add", zeros, line), net.tensor(numpy.float32(0))))
        else:
            maps.append(net.tensor(numpy.zeros((1, 1, x.h, x.w), numpy.float32), "grid"))
    return net.conv(replace(x, name=net.op("Concat", x.name, *maps, axis=1), c=x.c + 2), 4)


@idiom
def nearest_by_expand(net, x):
    """Nearest upsampling as Reshape, Expand or Tile, Reshape."""
    net.need(8)
    x = lowered(net, x)
    height, width = net.side(x, 2), net.side(x, 3)
    cut = net.reshape(x.name, 1, x.c, height, 1, width, 1)
    if net.rng.random() < 0.5:
        wide = net.op("Expand", cut, net.shape(1, x.c, height, 2, width, 2))
    else:
        wide = net.op("Tile", cut, net.ints([1, 1, 1, 2, 1, 2]))
    name = net.reshape(wide, 1, x.c, height * 2, width * 2)
    return replace(x, name=name, h=2 * x.h, w=2 * x.w, uniform=False)


@idiom
def cropped(net, x):
    """U-Net without padding: the skip is cropped to the map that was convolved."""
    net.need(10)
    inner = net.conv(net.conv(x, 4, pads=[0] * 4), 4, pads=[0] * 4)
    if min(inner.h, inner.w) < 2:
        raise NotPossible
    name = x.name
    how = net.rng.choice(["negative", "centred"])
    for axis in (2, 3):
        if how == "negative":
            name = net.slice(name, [2], [-2], [axis])
        else:
            begin = (net.side(x, axis) - net.side(inner, axis)) // 2
            name = net.slice(name, [begin], [begin + net.side(inner, axis)], [axis])
    return joined(net, replace(x, name=name, h=inner.h, w=inner.w), inner, "Concat")


@idiom
def subsampled(net, x):
    """Every second unit by a slice with a step."""
    net.need(10)
    if min(x.h, x.w) < 4:
        raise NotPossible
    name = net.slice(x.name, [0, 0], [END, END], [2, 3], [2, 2])
    return replace(x, name=name, h=-(-x.h // 2), w=-(-x.w // 2))


@idiom
def preprocessing(net, x):
    """Scaled by a scalar or by one number for each channel, in the graph."""
    value = numpy.float32(0.5) if net.rng.random() < 0.5 else numpy.full((x.c, 1, 1), 0.5, numpy.float32)
    return replace(x, name=net.op("Mul", x.name, net.tensor(value, constant=net.rng.random() < 0.5)))


@idiom
def dropout(net, x):
    """Dropout with its mask, Identity, a Cast to the same type: nothing."""
    if net.opset >= 12:
        name = net.op("Dropout", x.name, outputs=net.rng.choice([1, 2]))
    else:
        name = net.op("Dropout", x.name, outputs=net.rng.choice([1, 2]), ratio=0.5)
    return replace(x, name=name[0] if isinstance(name, list) else name)


@idiom
def pool_over_channels(net, x):
    """A pooling whose axes are permuted so that it runs over channels."""
    last = net.op("Transpose", x.name, perm=[0, 2, 3, 1])
    pooled = net.op("MaxPool", last, kernel_shape=[1, 3], strides=[1, 1], pads=[0, 1, 0, 1])
    return replace(x, name=net.op("Transpose", pooled, perm=[0, 3, 1, 2]))


@idiom
def fixed_head(net, x):
    """Flattened as it is, with its positions, into a linear layer: no other size runs."""
    x = lowered(net, lowered(net, x))
    if x.h * x.w * x.c > 4000:
        raise NotPossible
    flat = net.op("Flatten", x.name, axis=1)
    net.outputs.append((net.op("MatMul", flat, net.matrix(x.h * x.w * x.c, 3)), 2))
    return x


@idiom
def coordinate_gate(net, x):
    """A gate that pools one axis away and goes along the other. A product hides what a gate reads."""
    name = net.mean(x.name, [2], 1)
    gate = net.op("Sigmoid", net.op("Conv", name, net.kernel(x.c, x.c, 1, 3), kernel_shape=[1, 3], pads=[0, 1, 0, 1]))
    return replace(x, name=net.op("Mul", x.name, gate), exact=False)


ENDS = ("global_head", "ssd_head", "text_head", "recurrent_head", "resize_to_image", "fixed_head")


def draw(seed, opset=None, open_sides=False, only=None, layout=None, size=None, length=None, half=None):
    """(net, names of its idioms) of a seed; the same network for both twins."""
    chooser = random.Random(seed * 7919 + 1)
    opset_drawn = chooser.randint(7, 21)
    layout_drawn = "NHWC" if chooser.random() < 0.3 else "NCHW"
    size_drawn = (chooser.choice([24, 32, 40, 48]), chooser.choice([24, 32, 40, 48]))
    half_drawn = chooser.random() < 0.04
    net = Net(seed, opset or opset_drawn, open_sides, layout or layout_drawn, size or size_drawn,
              half=half_drawn if half is None else half)
    names = [name for name in IDIOMS if name not in ENDS]
    used, x = [], net.start
    if chooser.random() < 0.2:
        x = preprocessing(net, x)
        used.append("preprocessing")
    x = net.block(x)
    if only:
        steps = list(only)
    else:
        steps = [chooser.choice(names) for _ in range(length or chooser.randint(2, 4))]
        steps += [chooser.choice(ENDS)] if chooser.random() < 0.4 else []
    for name in steps:
        state = (len(net.nodes), dict(net.tensors), list(net.outputs), dict(net.window_nodes), net.rng.getstate(),
                 net.numbers.bit_generator.state, net.count, net.hosts_fixed_length)
        try:
            made = IDIOMS[name](net, x)
            if max(made.h, made.w) > 64 or min(made.h, made.w) < 3:
                raise NotPossible
            x = made
            used.append(name)
        except NotPossible:
            del net.nodes[state[0]:]
            net.tensors, net.outputs, net.window_nodes = state[1], state[2], state[3]
            net.rng.setstate(state[4])
            net.numbers.bit_generator.state = state[5]
            net.count, net.hosts_fixed_length = state[6], state[7]
    x = net.conv(x, 4)
    net.out(x)
    return net, used
