# SPDX-License-Identifier: GPL-3.0-or-later
"""Random CNNs written in PyTorch and exported by torch.onnx.export, in any of its ways."""

import io
import random
import warnings

import onnx
import torch
from torch import nn
from torch.nn import functional as F

from sane_weights import (
    BATCH_NORMS,
    draw_faint_biases,
    draw_norms_and_scales,
    strengthen_faint_weights,
)

ACTIVATIONS = [
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.Sigmoid, nn.Hardsigmoid,
    nn.Hardswish, nn.SiLU, nn.Mish, nn.GELU, nn.Tanh, nn.Hardtanh, nn.Softplus, nn.Softsign,
]  # fmt: skip


def activation(rng, channels):
    kind = rng.choice(ACTIVATIONS)
    return nn.PReLU(rng.choice([1, channels])) if kind is nn.PReLU else kind()


class ChannelsLastNorm(nn.LayerNorm):
    """LayerNorm over the channels of a map."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def norm(rng, channels):
    # Rare: torch writes local response norm as a 3-D pooling among shape arithmetic and If nodes.
    if rng.random() < 0.01:
        return nn.LocalResponseNorm(3)
    kind = rng.choice(["batch"] * 6 + ["instance", "group", "layer"])
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    if kind == "group":
        return nn.GroupNorm(rng.choice([g for g in (1, 2, 4) if channels % g == 0]), channels)
    if kind == "layer":
        return ChannelsLastNorm(channels)
    return nn.BatchNorm2d(channels)


def conv(rng, inputs, outputs, kernel=3, stride=1, groups=1, mode="zeros"):
    """Square or not; keeps the size at stride 1."""
    kernels = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    dilation = rng.choice([1, 1, 1, 2]) if stride == 1 else 1
    padding = tuple(dilation * (k - 1) // 2 for k in kernels)
    return nn.Conv2d(
        inputs, outputs, kernels, stride, padding, dilation, groups, rng.random() < 0.5, mode
    )


def conv_norm_act(rng, inputs, outputs, kernel=3, stride=1, groups=1, mode="zeros"):
    convolution = conv(rng, inputs, outputs, kernel, stride, groups, mode)
    return nn.Sequential(convolution, norm(rng, outputs), activation(rng, outputs))


def pooling(rng):
    kernel = rng.choice([2, 3, (2, 3)])
    # Padding with ceil_mode: torch and ONNX's shape inference can disagree about the size.
    padding, ceil_mode = rng.choice([(0, False), (0, True), (1, False)])
    if rng.random() < 0.5:
        return nn.MaxPool2d(kernel, 2, padding, ceil_mode=ceil_mode)
    return nn.AvgPool2d(kernel, 2, padding, ceil_mode, count_include_pad=rng.random() < 0.5)


class Residual(nn.Module):
    def __init__(self, rng, channels):
        super().__init__()
        outputs = rng.choice([channels, 8, 12])
        stride = rng.choice([1, 2]) if outputs != channels else 1
        self.inner = nn.Sequential(
            conv_norm_act(rng, channels, outputs, 3, stride),
            conv(rng, outputs, outputs),
            norm(rng, outputs),
        )
        self.shortcut = nn.Conv2d(channels, outputs, 1, stride) if outputs != channels else None
        self.last = activation(rng, outputs)
        self.channels = outputs

    def forward(self, x):
        return self.last(self.inner(x) + (self.shortcut(x) if self.shortcut else x))


class Dense(nn.Module):
    def __init__(self, rng, channels):
        super().__init__()
        counts = [channels + 4 * index for index in range(3)]
        self.layers = nn.ModuleList(conv_norm_act(rng, count, 4) for count in counts)
        self.channels = channels + 12

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x


class Inception(nn.Module):
    def __init__(self, rng, channels):
        super().__init__()
        self.branches = nn.ModuleList([
            conv_norm_act(rng, channels, 4, 1),
            nn.Sequential(
                conv_norm_act(rng, channels, 4, 1),
                conv_norm_act(rng, 4, 4, (1, 7)),
                conv_norm_act(rng, 4, 6, (7, 1)),
            ),
            nn.Sequential(nn.AvgPool2d(3, 1, 1), conv_norm_act(rng, channels, 4, 1)),
        ])  # fmt: skip
        self.channels = 14

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class Gated(nn.Module):
    """Depthwise convolution, squeeze and excitation, residual."""

    def __init__(self, rng, channels):
        super().__init__()
        self.depthwise = conv_norm_act(rng, channels, channels, 5, groups=channels)
        self.squeeze = nn.AdaptiveAvgPool2d(1) if rng.random() < 0.5 else None
        self.reduce = nn.Conv2d(channels, 4, 1)
        self.expand = nn.Conv2d(4, channels, 1)
        self.gate = rng.choice([nn.Sigmoid, nn.Hardsigmoid])()
        self.channels = channels

    def forward(self, x):
        inner = self.depthwise(x)
        point = self.squeeze(inner) if self.squeeze else inner.mean((2, 3), keepdim=True)
        return x + inner * self.gate(self.expand(F.relu(self.reduce(point))))


class Shuffled(nn.Module):
    """Chunk, one half convolved, channel shuffle by views."""

    def __init__(self, rng, channels):
        super().__init__()
        self.even = nn.Conv2d(channels, channels + channels % 2, 1)
        self.changed = conv_norm_act(rng, self.even.out_channels // 2, self.even.out_channels // 2)
        self.channels = self.even.out_channels

    def forward(self, x):
        first, second = self.even(x).chunk(2, 1)
        x = torch.cat([first, self.changed(second)], 1)
        count, channels, height, width = x.shape
        x = x.view(count, 2, channels // 2, height, width).transpose(1, 2).contiguous()
        return x.view(count, channels, height, width)


class Uneven(nn.Module):
    """Branches of different depth and dilation, padded on one side, cropped to fit."""

    def __init__(self, rng, channels):
        super().__init__()
        self.short = nn.Conv2d(channels, 6, (2, 3), padding=(1, 1))
        self.long = nn.Sequential(
            nn.ZeroPad2d((2, 0, 0, 2)), nn.Conv2d(channels, 6, 3), activation(rng, 6),
            nn.Conv2d(6, 6, (5, 3), padding=(4, 2), dilation=2),
        )  # fmt: skip
        self.down = nn.Conv2d(
            6, 8, 3, rng.choice([(1, 2), (2, 1), 1]), rng.choice([1, (1, 2), (2, 1)])
        )
        self.channels = 8

    def forward(self, x):
        return self.down(F.relu(self.short(x)[:, :, 1:, :] * torch.sigmoid(self.long(x))))


class Decoder(nn.Module):
    """Down by two, up again by one of four ways, and a skip connection."""

    def __init__(self, rng, channels):
        super().__init__()
        self.down = conv_norm_act(rng, channels, 8, 3, 2)
        self.way = rng.choice(["transposed", "scale", "size", "shuffle"])
        self.mode = rng.choice(["nearest", "bilinear"])
        self.grow = {
            "transposed": nn.ConvTranspose2d(8, 8, 4, 2, 1),
            "shuffle": nn.Sequential(nn.Conv2d(8, 32, 1), nn.PixelShuffle(2)),
        }.get(self.way)
        self.channels = channels + 8

    def up(self, low, skip):
        if self.grow:
            return self.grow(low)
        if self.way == "scale":
            return F.interpolate(low, scale_factor=2.0, mode=self.mode)
        return F.interpolate(low, size=skip.shape[2:], mode=self.mode)

    def forward(self, x):
        low = self.up(self.down(x), x)[:, :, : x.shape[2], : x.shape[3]]
        return torch.cat([x, low], 1)


class Plain(nn.Sequential):
    """Halves the map by a stride or a pooling, or not at all."""

    def __init__(self, rng, channels):
        outputs = rng.choice([6, 8, 16])
        way = rng.choice(["stride", "pooling", "none"])
        stride = 2 if way == "stride" else 1
        layers = [
            conv_norm_act(rng, channels, outputs, rng.choice([3, 5]), stride),
            nn.Dropout(0.2),
        ]
        super().__init__(*layers, *([pooling(rng)] if way == "pooling" else []))
        self.channels = outputs


FAMILIES = {
    "plain": Plain,
    "residual": Residual,
    "dense": Dense,
    "inception": Inception,
    "gated": Gated,
    "shuffled": Shuffled,
    "uneven": Uneven,
    "decoder": Decoder,
}


class Network(nn.Module):
    """A stem, the family's block among others, and a head."""

    def __init__(self, rng, family, channels, height, width):
        super().__init__()
        self.image_shape = (1, channels, height, width)
        stride = rng.choice([1, 2]) if min(height, width) >= 40 else 1
        mode = rng.choice(["zeros", "zeros", "reflect", "replicate"])
        self.stem = conv_norm_act(rng, channels, 8, rng.choice([3, 5, 7]), stride, mode=mode)
        names = [family] + [rng.choice(list(FAMILIES)) for _ in range(rng.randint(0, 1))]
        rng.shuffle(names)
        self.blocks = nn.Sequential()
        channels = 8
        for index, name in enumerate(names):
            block = FAMILIES[name](rng, channels)
            self.blocks.add_module(f"{name}{index}", block)
            channels = block.channels
        self.head = rng.choice(["pool", "mean", "flatten", "reshape", "map"])
        with torch.no_grad():
            flat = self.eval().blocks(self.stem(torch.zeros(self.image_shape)))[0].numel()
        self.needs_size = self.head in ("flatten", "reshape")
        self.score = nn.Linear(flat if self.needs_size else channels, 10)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        if self.head == "map":
            return F.softmax(x, 1) if x.shape[1] % 2 else x
        # Without an activation the mean of a map behind an instance norm is its bias alone.
        if self.head == "pool":
            x = torch.flatten(F.adaptive_avg_pool2d(F.relu(x), 1), 1)
        elif self.head == "mean":
            x = F.relu(x).mean([2, 3])
        else:
            x = x.flatten(1) if self.head == "flatten" else x.reshape(x.shape[0], -1)
        return self.score(x)


def centre_filters(model):
    """Filters without mean: the image's own pattern then outweighs its mean brightness."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.weight[0].numel() > 1:
            with torch.no_grad():
                module.weight.sub_(module.weight.mean(dim=(1, 2, 3), keepdim=True))


def draw_batch_statistics(model):
    for module in model.modules():
        if isinstance(module, BATCH_NORMS):
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)


def export_options(rng, network):
    """One of the ways of calling torch.onnx.export; open sizes only where no layer fixes them."""
    modes = [torch.onnx.TrainingMode.EVAL, torch.onnx.TrainingMode.PRESERVE]
    axes = rng.choice([{}, {}, {0: "batch"}, {0: "batch", 2: "height", 3: "width"}])
    if network.needs_size and 2 in axes:
        axes = {}
    names = rng.choice([{"input_names": ["image"], "output_names": ["scores"]}, {}])
    if axes:
        names = {"input_names": ["image"], "dynamic_axes": {"image": axes}}
    return {
        "training": rng.choice(modes),
        "opset_version": rng.randint(11, 17),
        "do_constant_folding": rng.random() < 0.8,
        "keep_initializers_as_inputs": rng.random() < 0.1,
        **names,
    }


def exported(network, image, options):
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, image, buffer, **options)
    return onnx.load_from_string(buffer.getvalue())


def torch_network(seed, family):
    """Returns (ModelProto, input shape, output shape)."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    height, width = (rng.randint(16, 64) for _ in range(2))
    network = Network(rng, family, rng.choice([1, 3, 3, 4]), height, width)
    draw_norms_and_scales(network)
    centre_filters(network)
    strengthen_faint_weights(network)
    draw_faint_biases(network)
    draw_batch_statistics(network)
    image = torch.rand(network.image_shape)
    with torch.no_grad():
        output_shape = list(network.eval()(image).shape)
    options = export_options(rng, network)
    try:
        model = exported(network, image, options)
    except torch.onnx.errors.OnnxExporterError:
        # Some layers cannot be exported with open sizes or without folding.
        model = exported(network, image, {"opset_version": options["opset_version"]})
    return model, list(image.shape), output_shape
