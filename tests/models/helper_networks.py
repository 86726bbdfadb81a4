# SPDX-License-Identifier: GPL-3.0-or-later
"""Random CNNs written straight through onnx.helper: blocks, families and heads."""

from onnx_layers import activation, norm
from onnx_net import Map, OnnxNet

SMALLEST = 4  # pixels: below this no block shrinks the map any further


def channel_count(net):
    return net.rng.choice([4, 6, 8, 12, 16, 24])


def pair(net, values):
    """The same value for both axes, or now and then two."""
    first = net.rng.choice(values)
    return (first, net.rng.choice(values) if net.rng.random() < 0.3 else first)


def stride_for(net, x, wanted=2):
    return tuple(wanted if size > 2 * SMALLEST else 1 for size in (x.height, x.width))


def conv_norm_act(net, x, channels, kernel=(3, 3), stride=(1, 1), group=1):
    """Convolution, norm and activation in one of the usual orders."""
    order = net.rng.choice(["conv norm act", "conv norm act", "conv act", "norm act conv"])
    for step in order.split():
        if step == "conv":
            x = net.same_conv(x, channels, kernel, stride, group=group)
        else:
            x = norm(net, x) if step == "norm" else activation(net, x)
    return x


def pooled(net, x):
    """Max or average pooling with any of its attributes, where the map is large enough."""
    if min(x.height, x.width) < 2 * SMALLEST:
        return x
    kernel = pair(net, [2, 3])
    stride = pair(net, [1, 2, 2])
    pads = tuple(net.rng.randint(0, kernel[axis] // 2) for axis in (0, 1, 0, 1))
    if net.rng.random() < 0.5:
        return net.pool(x, "MaxPool", kernel, stride, pads, net.rng.randint(0, 1))
    include = net.rng.choice([None, 0, 1])
    return net.pool(x, "AveragePool", kernel, stride, pads, net.rng.randint(0, 1), include)


def plain(net, x):
    stride = stride_for(net, x, net.rng.choice([1, 2]))
    x = conv_norm_act(net, x, channel_count(net), pair(net, [1, 3, 5]), stride)
    return pooled(net, x) if net.rng.random() < 0.4 else x


def residual(net, x):
    """Basic or bottleneck; the shortcut is the input itself or a projection."""
    projects = net.rng.random() < 0.5
    channels = channel_count(net) if projects else x.channels
    stride = stride_for(net, x) if projects and net.rng.random() < 0.6 else (1, 1)
    if net.rng.random() < 0.5:
        inner = conv_norm_act(net, x, channels, (3, 3), stride)
        inner = norm(net, net.same_conv(inner, channels))
    else:
        inner = conv_norm_act(net, x, max(2, channels // 2), (1, 1))
        inner = conv_norm_act(net, inner, inner.channels, (3, 3), stride)
        inner = norm(net, net.same_conv(inner, channels, (1, 1)))
    shortcut = norm(net, net.same_conv(x, channels, (1, 1), stride)) if projects else x
    x = net.add(inner, shortcut)
    return activation(net, x) if net.rng.random() < 0.7 else x


def dense(net, x):
    """Every layer sees all maps before it; a transition thins and may shrink them."""
    maps = [x]
    for _ in range(net.rng.randint(2, 4)):
        seen = net.concat(maps) if len(maps) > 1 else x
        maps.append(net.same_conv(activation(net, norm(net, seen)), 4))
    x = net.same_conv(net.concat(maps), channel_count(net), (1, 1))
    return pooled(net, x)


def inception(net, x):
    """Parallel branches, one of them 1x7 then 7x1, one behind a pooling that keeps the size."""
    long_side = net.rng.choice([3, 5, 7])
    factorized = net.same_conv(x, 4, (1, 1))
    factorized = conv_norm_act(net, factorized, 4, (1, long_side))
    factorized = conv_norm_act(net, factorized, 6, (long_side, 1))
    branches = [
        conv_norm_act(net, x, 4, (1, 1)),
        conv_norm_act(net, conv_norm_act(net, x, 4, (1, 1)), 6, (3, 3)),
        factorized,
    ]
    if net.rng.random() < 0.7:
        kind = net.rng.choice(["MaxPool", "AveragePool"])
        flat = net.pool(x, kind, (3, 3), (1, 1), (1, 1, 1, 1))
        branches.append(net.same_conv(flat, 4, (1, 1)))
    net.rng.shuffle(branches)
    return net.concat(branches)


def gate(net, x):
    """Squeeze and excitation: x times a per-channel factor in [0, 1]."""
    if net.rng.random() < 0.5:
        squeezed = net.op("GlobalAveragePool", x.name)
    else:
        squeezed = net.op("ReduceMean", x.name, axes=[2, 3], keepdims=1)
    hidden = net.conv(Map(squeezed, x.channels, 1, 1), max(2, x.channels // 4), (1, 1))
    hidden = net.conv(activation(net, hidden, net.rng.choice(["Relu", "SiLU"])), x.channels, (1, 1))
    factor = activation(net, hidden, net.rng.choice(["Sigmoid", "HardSigmoid"]))
    first, second = net.rng.sample([x.name, factor.name], 2)
    return net.like(x, net.op("Mul", first, second))


def gated(net, x):
    """Inverted residual with a depthwise convolution and a gate."""
    stride = net.rng.choice([(1, 1), stride_for(net, x)])
    inner = conv_norm_act(net, x, 2 * x.channels, (1, 1)) if x.channels <= 12 else x
    inner = conv_norm_act(
        net, inner, inner.channels, pair(net, [3, 5]), stride, group=inner.channels
    )
    inner = norm(net, net.same_conv(gate(net, inner), x.channels, (1, 1)))
    return net.add(x, inner) if stride == (1, 1) else inner


def shifted_conv(net, x, channels):
    """Keeps the size, but all padding may sit on one side; even kernels and dilation occur."""
    kernel = pair(net, [2, 3, 4, 5])
    dilation = pair(net, [1, 1, 2])
    spans = [dilation[axis] * (kernel[axis] - 1) for axis in (0, 1)]
    begins = [net.rng.randint(0, span) for span in spans]
    ends = [span - begin for span, begin in zip(spans, begins)]
    return net.conv(x, channels, kernel, (1, 1), dilation, (*begins, *ends))


def uneven(net, x):
    """Branches of different depth with shifted padding, then a stride that may differ by axis."""
    channels = net.rng.choice([4, 6, 8])
    branches = []
    for depth in net.rng.sample([1, 2, 3], 2):
        branch = x
        for _ in range(depth):
            branch = activation(net, shifted_conv(net, branch, channels))
        branches.append(branch)
    x = net.add(*branches) if net.rng.random() < 0.5 else net.concat(branches)
    if min(x.height, x.width) <= 2 * SMALLEST:
        return x
    if net.rng.random() < 0.3:
        return net.auto_pad_conv(x, channels, pair(net, [2, 3, 4]), pair(net, [1, 2]))
    pads = tuple(net.rng.randint(0, 2) for _ in range(4))
    return net.conv(
        x, channels, pair(net, [2, 3, 4]), net.rng.choice([(1, 2), (2, 1), (2, 3)]), pads=pads
    )


def channel_shuffle(net, x, groups):
    net.size_is_baked = net.batch_is_baked = True
    size = [x.height, x.width]
    apart = net.reshape(x.name, [1, groups, x.channels // groups, *size])
    swapped = net.op("Transpose", apart, perm=[0, 2, 1, 3, 4])
    return net.like(x, net.reshape(swapped, [1, net.rng.choice([-1, x.channels]), *size]))


def shuffled(net, x):
    """Halves by Split or Slice, one half convolved, then a channel shuffle."""
    if x.channels % 2:
        x = net.same_conv(x, x.channels + 1, (1, 1))
    half = x.channels // 2
    if net.rng.random() < 0.5:
        first, second = net.split(x, [half, half])
    else:
        names = [net.slice(x, [start], [start + half], [1]) for start in (0, half)]
        first, second = (Map(name, half, x.height, x.width) for name in names)
    x = net.concat([first, conv_norm_act(net, second, half)])
    return channel_shuffle(net, x, 2)


def padded(net, x):
    """A Pad node before a convolution without padding."""
    if min(x.height, x.width) < 3:
        return x
    mode = net.rng.choice(["constant", "reflect", "edge"])
    top, left, bottom, right = (net.rng.randint(0, 2) for _ in range(4))
    pads = net.tensor([0, 0, top, left, 0, 0, bottom, right], "pads")
    name = net.op("Pad", x.name, pads, mode=mode)
    wide = Map(name, x.channels, x.height + top + bottom, x.width + left + right)
    return net.conv(wide, channel_count(net), (3, 3))


def transposed(net, x):
    """ConvTranspose with stride 2: kernel 2 to 4, output padding where it is allowed."""
    kernel = net.rng.choice([2, 3, 4])
    pad = net.rng.randint(0, (kernel - 1) // 2)
    extra = net.rng.choice([0, 1])
    channels = channel_count(net)
    shape = (x.channels, channels, kernel, kernel)
    weights = net.tensor(net.numbers.normal(0, x.channels**-0.5, shape), "weight")
    name = net.op(
        "ConvTranspose", x.name, weights,
        kernel_shape=[kernel, kernel], strides=[2, 2], pads=[pad] * 4,
        output_padding=[extra, extra] if extra else None,
    )  # fmt: skip
    grown = [2 * (size - 1) - 2 * pad + kernel + extra for size in (x.height, x.width)]
    return Map(name, channels, *grown)


def resized(net, x):
    """Resize by scales or by sizes, nearest or linear."""
    mode = net.rng.choice(["nearest", "linear"])
    coordinates = net.rng.choice(["half_pixel", "asymmetric", "align_corners"])
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates}
    grown = Map("", x.channels, 2 * x.height, 2 * x.width)
    empty = net.tensor(net.numbers.uniform(0, 1, 0), "roi") if net.opset < 13 else ""
    if net.rng.random() < 0.5:
        grown.name = net.op("Resize", x.name, empty, net.tensor([1.0, 1.0, 2.0, 2.0]), **attributes)
    else:
        net.size_is_baked = net.batch_is_baked = True
        no_scales = net.tensor(net.numbers.uniform(0, 1, 0), "scales") if net.opset < 13 else ""
        grown.name = net.op(
            "Resize", x.name, empty, no_scales, net.tensor(grown.shape), **attributes
        )
    return grown


def pixel_shuffled(net, x):
    x = net.same_conv(x, 4 * net.rng.choice([2, 4, 6]), (3, 3))
    name = net.op("DepthToSpace", x.name, blocksize=2, mode=net.rng.choice(["DCR", "CRD"]))
    return Map(name, x.channels // 4, 2 * x.height, 2 * x.width)


def cropped(net, x, height, width):
    """A Slice to the size of a skip connection, where the grown map is larger."""
    if (x.height, x.width) == (height, width):
        return x
    return Map(net.slice(x, [0, 0], [height, width], [2, 3]), x.channels, height, width)


def fitted(net, x, like):
    """Pads zeros at the end and crops until x has the height and width of the other map."""
    missing = [max(0, like.height - x.height), max(0, like.width - x.width)]
    if any(missing):
        name = net.op("Pad", x.name, net.tensor([0, 0, 0, 0, 0, 0, *missing], "pads"))
        x = Map(name, x.channels, x.height + missing[0], x.width + missing[1])
    return cropped(net, x, like.height, like.width)


def decoder(net, x):
    """Down, up again, and a skip connection across."""
    skip = conv_norm_act(net, x, channel_count(net))
    low = conv_norm_act(net, skip, channel_count(net), (3, 3), stride_for(net, skip))
    low = net.rng.choice([transposed, resized, pixel_shuffled])(net, low)
    low = fitted(net, low, skip)
    if net.rng.random() < 0.5:
        return net.concat([skip, low])
    return net.add(skip, net.same_conv(low, skip.channels, (1, 1)))


FAMILIES = {
    "plain": plain,
    "residual": residual,
    "dense": dense,
    "inception": inception,
    "gated": gated,
    "uneven": uneven,
    "shuffled": shuffled,
    "padded": padded,
    "decoder": decoder,
}


def pooled_vector(net, x):
    """1 x channels, by one of the global poolings."""
    form = net.rng.choice(["average", "max", "mean", "mean kept"])
    if form == "mean":
        return net.op("ReduceMean", x.name, axes=[2, 3], keepdims=0)
    if form == "mean kept":
        point = net.op("ReduceMean", x.name, axes=[-2, -1], keepdims=1)
    else:
        point = net.op("GlobalAveragePool" if form == "average" else "GlobalMaxPool", x.name)
    if net.rng.random() < 0.3:
        return net.squeeze(point, [2, 3])
    return flat_vector(net, point, x.channels)


def flat_vector(net, name, count):
    """1 x count, by Flatten or by one of the Reshapes that people write."""
    form = net.rng.choice(["Flatten", [0, -1], [1, -1], [-1, count]])
    if form == "Flatten":
        return net.op("Flatten", name, axis=net.rng.choice([None, 1]))
    net.batch_is_baked |= form[0] == 1
    return net.reshape(name, form)


def dense_layer(net, name, inputs, outputs):
    """Gemm (weights either way round) or MatMul and Add."""
    bias = net.uniform(-0.3, 0.3, outputs)
    weights = net.numbers.normal(0, inputs**-0.5, (inputs, outputs))
    form = net.rng.choice(["Gemm", "Gemm transposed", "MatMul"])
    if form == "MatMul":
        return net.op("Add", net.op("MatMul", name, net.tensor(weights, "weight")), bias)
    if form == "Gemm":
        return net.op("Gemm", name, net.tensor(weights, "weight"), bias)
    return net.op("Gemm", name, net.tensor(weights.T.copy(), "weight"), bias, transB=1)


def head(net, x):
    """Ends the network; returns (value name, shape)."""
    form = net.rng.choice(["pooled", "pooled", "flat", "map", "hidden"])
    if form == "map":
        x = net.same_conv(x, 3, (1, 1))
        return x.name, x.shape
    count = x.channels
    if form == "flat" and x.channels * x.height * x.width <= 6000:
        count = x.channels * x.height * x.width
        net.size_is_baked = True
        vector = flat_vector(net, x.name, count)
    else:
        # Without an activation the mean of a map behind an instance norm is its bias alone.
        unbounded = net.rng.choice(["Relu", "LeakyRelu", "SiLU", "Softplus"])
        vector = pooled_vector(net, activation(net, x, unbounded))
    if form == "hidden":
        vector, count = net.op("Relu", dense_layer(net, vector, count, 16)), 16
    scores = dense_layer(net, vector, count, 10)
    if net.rng.random() < 0.2:
        scores = net.op("Softmax", scores, axis=net.rng.choice([1, -1]))
    return scores, [1, 10]


def helper_network(seed, family, opset, name_style, share_weights, extra_output):
    """Returns (OnnxNet, input Map); the family's block twice, among random others."""
    net = OnnxNet(seed, opset, name_style, share_weights)
    height, width = (net.rng.randint(16, 64) for _ in range(2))
    if net.rng.random() < 0.5:
        width = height
    name = net.rng.choice(["input", "x", "image:0"])
    image = x = Map(name, net.rng.choice([1, 3, 3, 4]), height, width)
    if family != "plain" or net.rng.random() < 0.5:
        stride = stride_for(net, x, net.rng.choice([1, 2]))
        x = conv_norm_act(net, x, channel_count(net), pair(net, [3, 5, 7]), stride)
    others = [net.rng.choice(list(FAMILIES)) for _ in range(net.rng.randint(0, 1))]
    blocks = [family, family] + others
    net.rng.shuffle(blocks)
    for block in blocks:
        x = FAMILIES[block](net, x)
    if extra_output:
        net.outputs.append((x.name, x.shape))
    net.outputs.insert(0, head(net, x))
    return net, image
