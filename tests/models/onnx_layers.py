# SPDX-License-Identifier: GPL-3.0-or-later
"""Activations and norms on an OnnxNet, whole or in the pieces that exporters write."""

import numpy as np


def clip(net, x_name, low, high):
    bounds = ["" if bound is None else net.tensor(np.float32(bound)) for bound in (low, high)]
    return net.op("Clip", x_name, *bounds)


def hard_swish(net, x_name):
    form = net.rng.choice(["gate", "clip", "clip and factor"] + ["whole"] * (net.opset >= 14))
    if form == "whole":
        return net.op("HardSwish", x_name)
    if form == "gate":
        return net.op("Mul", x_name, net.op("HardSigmoid", x_name, alpha=1 / 6, beta=0.5))
    clipped = clip(net, net.op("Add", x_name, net.tensor(np.float32(3))), 0, 6)
    if form == "clip":
        return net.op("Div", net.op("Mul", x_name, clipped), net.tensor(np.float32(6)))
    return net.op("Mul", x_name, net.op("Mul", clipped, net.tensor(np.float32(1 / 6))))


def gelu(net, x_name):
    half = net.tensor(np.float32(0.5))
    one = net.tensor(np.float32(1))
    if net.rng.random() < 0.7:
        inner = net.op("Erf", net.op("Div", x_name, net.tensor(np.float32(2**0.5))))
    else:
        cube = net.op("Pow", x_name, net.tensor(np.float32(3)))
        cubic = net.op("Mul", cube, net.tensor(np.float32(0.044715)))
        inner = net.op("Add", x_name, cubic)
        inner = net.op("Tanh", net.op("Mul", inner, net.tensor(np.float32((2 / np.pi) ** 0.5))))
    return net.op("Mul", net.op("Mul", x_name, net.op("Add", inner, one)), half)


def prelu(net, x):
    slopes = net.uniform(0.05, 0.4, *net.rng.choice([(1,), (x.channels, 1, 1)]))
    return net.op("PRelu", x.name, slopes)


ACTIVATIONS = {
    "Relu": lambda net, x: net.op("Relu", x.name),
    "LeakyRelu": lambda net, x: net.op("LeakyRelu", x.name, alpha=net.rng.choice([None, 0.2])),
    "PRelu": prelu,
    "Elu": lambda net, x: net.op("Elu", x.name),
    "Selu": lambda net, x: net.op("Selu", x.name),
    "Sigmoid": lambda net, x: net.op("Sigmoid", x.name),
    "HardSigmoid": lambda net, x: net.op("HardSigmoid", x.name),
    "HardSwish": lambda net, x: hard_swish(net, x.name),
    "SiLU": lambda net, x: net.op("Mul", x.name, net.op("Sigmoid", x.name)),
    "Mish": lambda net, x: net.op("Mul", x.name, net.op("Tanh", net.op("Softplus", x.name))),
    "GELU": lambda net, x: gelu(net, x.name),
    "ReLU6": lambda net, x: clip(net, x.name, 0, 6),
    "Clip": lambda net, x: clip(net, x.name, *net.rng.choice([(-1, None), (None, 6), (-0.5, 6)])),
    "Tanh": lambda net, x: net.op("Tanh", x.name),
    "Softplus": lambda net, x: net.op("Softplus", x.name),
}


def activation(net, x, kind=None):
    return net.like(x, ACTIVATIONS[kind or net.rng.choice(list(ACTIVATIONS))](net, x))


def batch_norm(net, x):
    statistics = [
        net.uniform(low, high, x.channels)
        for low, high in ((0.5, 1.5), (-0.5, 0.5), (-0.3, 0.3), (0.5, 1.5))
    ]
    epsilon = net.rng.choice([None, 1e-3])
    return net.op("BatchNormalization", x.name, *statistics, epsilon=epsilon)


def instance_norm(net, x):
    scale, shift = net.uniform(0.5, 1.5, x.channels), net.uniform(-0.5, 0.5, x.channels)
    return net.op("InstanceNormalization", x.name, scale, shift, epsilon=1e-5)


def group_norm(net, x):
    """As torch writes it: instance norm over [0, groups, -1], back to a baked shape, affine."""
    groups = net.rng.choice([g for g in (1, 2, 4, 8) if x.channels % g == 0])
    flat = net.reshape(x.name, [0, groups, -1])
    ones, zeros = net.tensor(np.ones(groups)), net.tensor(np.zeros(groups))
    normed = net.op("InstanceNormalization", flat, ones, zeros, epsilon=1e-5)
    back = net.reshape(normed, x.shape)
    net.size_is_baked = net.batch_is_baked = True
    scaled = net.op("Mul", back, net.uniform(0.5, 1.5, x.channels, 1, 1))
    return net.op("Add", scaled, net.uniform(-0.5, 0.5, x.channels, 1, 1))


def layer_norm(net, x):
    """Over channels, channels last, in torch's nine pieces (ReduceMean ... Add)."""
    last = net.op("Transpose", x.name, perm=[0, 2, 3, 1])
    centred = net.op("Sub", last, net.op("ReduceMean", last, axes=[-1], keepdims=1))
    square = net.op("Pow", centred, net.tensor(np.float32(2)))
    variance = net.op("ReduceMean", square, axes=[-1], keepdims=1)
    deviation = net.op("Sqrt", net.op("Add", variance, net.tensor(np.float32(1e-5))))
    normed = net.op("Div", centred, deviation)
    scaled = net.op("Mul", normed, net.uniform(0.5, 1.5, x.channels))
    shifted = net.op("Add", scaled, net.uniform(-0.5, 0.5, x.channels))
    return net.op("Transpose", shifted, perm=[0, 3, 1, 2])


def local_response_norm(net, x):
    return net.op("LRN", x.name, size=net.rng.choice([3, 5]), alpha=1e-3, beta=0.75, bias=1.0)


NORMS = {
    "BatchNormalization": batch_norm,
    "InstanceNormalization": instance_norm,
    "GroupNorm": group_norm,
    "LayerNorm": layer_norm,
    "LRN": local_response_norm,
}
NEEDS_PIXELS = ("InstanceNormalization", "GroupNorm")


def norm(net, x):
    """Batch norm half of the time; norms over the map only where it has pixels to compare."""
    kinds = [kind for kind in NORMS if x.height * x.width >= 9 or kind not in NEEDS_PIXELS]
    if x.channels < 4:
        kinds.remove("LayerNorm")
    kind = "BatchNormalization" if net.rng.random() < 0.5 else net.rng.choice(kinds)
    return net.like(x, NORMS[kind](net, x))
