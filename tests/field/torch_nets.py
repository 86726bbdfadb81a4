# SPDX-License-Identifier: GPL-3.0-or-later
"""Further instances of the kinds in README.md, as PyTorch's own exporter writes them, with positive kernels.

MAKERS: {name: (module, marks)}. Marks are those of idioms.Map: what is measured of the layers' fields."""

import io
import threading
import warnings

import onnx
import torch
from torch import nn
from torch.nn import functional as F

from twin_nets import Map


def conv(inputs, outputs, kernel=3, stride=1, **options):
    padding = options.pop("padding", kernel // 2)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False, **options)


def net(*layers):
    return nn.Sequential(conv(3, 8), nn.ReLU(), *layers, conv(8, 8))


class Lambda(nn.Module):
    def __init__(self, function, *parts):
        super().__init__()
        self.function, self.parts = function, nn.ModuleList(parts)

    def forward(self, x):
        return self.function(x, *self.parts)


def space_to_depth(x, inner):
    n, c, h, w = x.shape
    x = x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(n, c * 4, h // 2, w // 2)
    return inner(x)


def squeeze_gate(x, inner):
    y = inner(F.adaptive_avg_pool2d(x, 1).flatten(1)).view(x.shape[0], x.shape[1], 1, 1)
    return x * torch.sigmoid(y).expand_as(x)


def eca(x, inner):
    y = F.adaptive_avg_pool2d(x, 1).squeeze(-1).transpose(-1, -2)
    y = torch.sigmoid(inner(y).transpose(-1, -2).unsqueeze(-1))
    return x * y.expand_as(x)


def strip_attention(x, inner):
    """Strips of two rows joined along the width, as strip attention and strip convolutions lay them."""
    top, bottom = torch.chunk(x, 2, dim=2)
    return torch.cat([inner(top), inner(bottom)], dim=2)


def to_batch(x, inner):
    n, c, h, w = x.shape
    y = x.view(n, c, h // 2, 2, w // 2, 2).permute(3, 5, 0, 1, 2, 4).reshape(4 * n, c, h // 2, w // 2)
    y = inner(y)
    return y.view(2, 2, n, c, h // 2, w // 2).permute(2, 3, 4, 0, 5, 1).reshape(n, c, h, w)


def windows(x, inner):
    n, c, h, w = x.shape
    y = x.view(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1).reshape(-1, 16, c)
    y = inner(y)
    return y.view(n, h // 4, w // 4, 4, 4, c).permute(0, 5, 1, 3, 2, 4).reshape(n, c, h, w)


def tokens(x, inner, token):
    n, c, h, w = x.shape
    y = torch.cat([token.weight.view(1, 1, -1).expand(n, -1, -1), x.flatten(2).transpose(1, 2)], dim=1)
    return inner(y)[:, 1:].transpose(1, 2).reshape(n, c, h, w)


def standardised(x, inner):
    weight = inner.weight
    weight = weight / (weight.flatten(1).mean(1).view(-1, 1, 1, 1) + 1e-5)
    return F.conv2d(x, weight, None, 1, 1)


def from_constants(x):
    pads = torch.cat([torch.full((2,), 1, dtype=torch.int64), torch.full((2,), 1, dtype=torch.int64)])
    return F.pad(x, [int(value) for value in pads])


def coordinates(x, inner):
    n, _, h, w = x.shape
    y = torch.linspace(0, 0, h).view(1, 1, h, 1).expand(n, 1, h, w)
    z = torch.linspace(0, 0, w).view(1, 1, 1, w).expand(n, 1, h, w)
    return inner(torch.cat([x, y, z], 1))


class Twice(nn.Module):
    """A head that two levels share."""

    def __init__(self):
        super().__init__()
        self.stem, self.down, self.head = conv(3, 8), conv(8, 8, stride=2), conv(8, 8)

    def forward(self, x):
        high = torch.relu(self.stem(x))
        low = torch.relu(self.down(high))
        return self.head(high), self.head(low)


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.cnn = nn.Sequential(conv(3, 8), nn.ReLU(), nn.MaxPool2d(2), conv(8, 8))
        self.rnn = kind(8, 6, bidirectional=True)
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        y = self.cnn(x).mean(2).permute(2, 0, 1)
        return self.fc(self.rnn(y)[0])


def weight_normed():
    return nn.utils.weight_norm(conv(8, 8))


LAST = {"image_last": True}
SEAM = {"seams": True, "exact": False, "uniform": False}
UP = {"uniform": False, "exact": False}

MAKERS = {
    "pixel_unshuffle": (lambda: net(nn.PixelUnshuffle(2), conv(32, 8)), {}),
    "space_to_depth": (lambda: net(Lambda(space_to_depth, conv(32, 8))), {}),
    "channels_last": (lambda: Lambda(lambda x, body: body(x.permute(0, 3, 1, 2)), net(nn.MaxPool2d(2))), LAST),
    "channels_last_both": (lambda: Lambda(lambda x, body: body(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1),
                                          net(conv(8, 8, 5, 2))), LAST),
    "circular": (lambda: net(nn.Conv2d(8, 8, 3, 1, 1, bias=False, padding_mode="circular")), SEAM),
    "roll": (lambda: net(Lambda(lambda x: torch.roll(x, (-2, -2), (2, 3)))), SEAM),
    "strips": (lambda: net(Lambda(strip_attention, conv(8, 8))), SEAM),
    "gate": (lambda: net(Lambda(squeeze_gate, nn.Sequential(nn.Linear(8, 2, False), nn.ReLU(), nn.Linear(2, 8, False)))), {}),
    "eca": (lambda: net(Lambda(eca, nn.Conv1d(1, 1, 3, 1, 1, bias=False))), {}),
    "weight_norm": (lambda: net(weight_normed()), {}),
    "standardised": (lambda: net(Lambda(standardised, conv(8, 8))), {}),
    "to_batch": (lambda: net(Lambda(to_batch, conv(8, 8))), {"batch": True}),
    "windows": (lambda: net(Lambda(windows, nn.Linear(8, 8, False))), {}),
    "tokens": (lambda: net(Lambda(tokens, nn.Linear(8, 8, False), nn.Embedding(1, 8))), {}),
    "exchanged": (lambda: net(Lambda(lambda x, inner: inner(x.transpose(2, 3)).transpose(2, 3), conv(8, 8, stride=(2, 1)))),
                  {"batch": True}),
    "transposed": (lambda: net(nn.ConvTranspose2d(8, 8, 4, 2, 1, bias=False)), UP),
    "nearest": (lambda: net(nn.Upsample(scale_factor=2)), UP),
    "linear": (lambda: net(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)), UP),
    "to_size": (lambda: Lambda(lambda x, body, down: F.interpolate(down(body(x)), x.shape[2:], mode="bilinear"), net(),
                               conv(8, 8, stride=2)), UP),
    "one_axis": (lambda: Lambda(lambda x, body, head: head(body(x).mean(2).transpose(1, 2)), net(nn.MaxPool2d(2)),
                                nn.Linear(8, 5, False)), {}),
    "pads": (lambda: net(Lambda(from_constants), conv(8, 8, padding=0)), {}),
    "shared_head": (Twice, {}),
    "lstm": (lambda: Recurrent(nn.LSTM), {}),
    "gru": (lambda: Recurrent(nn.GRU), {}),
}


EXPORTER = threading.Lock()  # PyTorch's exporter keeps its state in globals


class Exported:
    """What invariant.Case asks of a network, of a file that PyTorch wrote."""

    def __init__(self, name, opset, open_sides=False, size=(32, 40)):
        maker, marks = MAKERS[name]
        torch.manual_seed(3)
        module = maker().eval()
        for tensor in module.parameters():
            tensor.data = (tensor.data.abs() + 0.01) / max(1, tensor[0].numel())
        self.opset, self.size, self.half, self.channels = opset, size, False, 3
        self.layout = "NHWC" if marks.get("image_last") else "NCHW"
        self.hosts_fixed_length = False
        image = torch.rand(1, *size, 3) if self.layout == "NHWC" else torch.rand(1, 3, *size)
        self.proto = export(module, image, opset, open_sides, self.layout)
        flags = {key: value for key, value in marks.items() if key in ("exact", "uniform", "hides", "seams")}
        self.window_nodes = {}
        for node in self.proto.graph.node:
            spans = next((list(attribute.ints) for attribute in node.attribute if attribute.name == "kernel_shape"), [])
            if len(spans) == 2 and not marks.get("batch"):
                self.window_nodes[node.name] = Map(node.output[0], 0, 0, 0, **flags)

    def model(self):
        return self.proto


def export(module, image, opset, open_sides, layout):
    target = io.BytesIO()
    axes = {1: "h", 2: "w"} if layout == "NHWC" else {2: "h", 3: "w"}
    with EXPORTER, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, image, target, opset_version=opset, input_names=["image"],
                          dynamic_axes={"image": axes} if open_sides else None)
    return onnx.load_model_from_string(target.getvalue())
