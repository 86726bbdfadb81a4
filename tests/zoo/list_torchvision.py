#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes FOLDER/NAME.txt for every network of torchvision that the zoo has, without auxiliary heads:

    parameters N
    tensor KEY DIMS     each tensor of its state_dict but the counters of batch normalisation (num_batches_tracked)
    layer PATH DIMS ... each convolution, normalisation, linear layer, dropout and pooling module in the order in which
                        forward calls them, with its output for an image of its own side, without the batch, and its
                        settings

    tests/zoo/list_torchvision.py --out FOLDER
"""
import argparse
import pathlib
import warnings

import torch
import torchvision
from torchvision.models import detection, segmentation

PLAIN = """
    alexnet vgg11 vgg13 vgg16 vgg19 vgg11_bn vgg13_bn vgg16_bn vgg19_bn resnet18 resnet34 resnet50 resnet101 resnet152
    resnext50_32x4d wide_resnet50_2 densenet121 densenet161 densenet169 densenet201 squeezenet1_0 squeezenet1_1
    mobilenet_v2 mobilenet_v3_small mobilenet_v3_large mnasnet0_5 mnasnet0_75 mnasnet1_0 mnasnet1_3
    shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0
    efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_b5 efficientnet_b6
    efficientnet_b7 efficientnet_v2_s efficientnet_v2_m efficientnet_v2_l
    regnet_x_400mf regnet_x_800mf regnet_x_1_6gf regnet_x_3_2gf regnet_x_8gf regnet_x_16gf regnet_x_32gf
    regnet_y_400mf regnet_y_800mf regnet_y_1_6gf regnet_y_3_2gf regnet_y_8gf regnet_y_16gf regnet_y_32gf
    convnext_tiny convnext_small convnext_base convnext_large
""".split()


def pyramid():
    return detection.backbone_utils.resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=torch.nn.BatchNorm2d, trainable_layers=5)


def makers():
    models = torchvision.models
    out = {name: lambda make=getattr(models, name): make(weights=None) for name in PLAIN}
    for name in ("googlenet", "inception_v3"):
        out[name] = lambda make=getattr(models, name): make(weights=None, aux_logits=False, init_weights=False)
    for name in ("fcn_resnet50", "deeplabv3_resnet50"):
        out[name] = lambda make=getattr(segmentation, name): make(weights=None, weights_backbone=None)
    out["fpn_resnet50"] = pyramid
    # Parameters that both sides have, in the zoo's writing.
    out["mobilenet_v2,width=0.35,classes=10"] = lambda: models.mobilenet_v2(width_mult=0.35, num_classes=10)
    out["mobilenet_v3_large,width=0.75"] = lambda: models.mobilenet_v3_large(width_mult=0.75)
    out["resnet50,output_stride=16"] = lambda: models.resnet50(replace_stride_with_dilation=[False, False, True])
    out["resnet101,output_stride=8"] = lambda: models.resnet101(replace_stride_with_dilation=[False, True, True])
    return out


def without_filling():
    """Values are not looked at; filling them would take most of the time."""
    for name in [name for name in dir(torch.nn.init) if name.endswith("_") and not name.startswith("_")]:
        setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)


LAYERS = (torch.nn.Conv2d, torch.nn.BatchNorm2d, torch.nn.Linear, torch.nn.MaxPool2d, torch.nn.AvgPool2d,
          torch.nn.Dropout)
SIDES = {"inception_v3": 299, "fcn_resnet50": 520, "deeplabv3_resnet50": 520, "fpn_resnet50": 800,
         "efficientnet_b1": 240, "efficientnet_b2": 260, "efficientnet_b3": 300, "efficientnet_b4": 380,
         "efficientnet_b5": 456, "efficientnet_b6": 528, "efficientnet_b7": 600, "efficientnet_v2_s": 384,
         "efficientnet_v2_m": 480, "efficientnet_v2_l": 480}


def dims(tensor):
    return "x".join(map(str, tensor))


def pair(value):
    return dims(value if isinstance(value, tuple) else (value, value))


def settings(module):
    if isinstance(module, torch.nn.BatchNorm2d):
        return f" eps={module.eps:g} momentum={module.momentum:g}"
    if isinstance(module, torch.nn.Linear):
        return ""
    if isinstance(module, torch.nn.Dropout):
        return f" p={module.p:g}"
    out = f" k={pair(module.kernel_size)} s={pair(module.stride)} p={pair(module.padding)}"
    if isinstance(module, torch.nn.Conv2d):
        return out + f" d={pair(module.dilation)} g={module.groups}"
    return out + f" ceil={int(module.ceil_mode)}"


def calls(model, side):
    """Shapes only: on the meta device nothing is computed."""
    lines = []
    for path, module in model.named_modules():
        if isinstance(module, LAYERS):
            module.register_forward_hook(
                lambda layer, _, out, path=path: lines.append(f"layer {path} {dims(out.shape[1:])}{settings(layer)}"))
    model.eval().to("meta")(torch.empty(1, 3, side, side, device="meta"))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    without_filling()
    for name, make in makers().items():
        model = make()
        lines = [f"parameters {sum(p.numel() for p in model.parameters())}"]
        lines += [f"tensor {key} {dims(tensor.shape)}" for key, tensor in model.state_dict().items()
                  if not key.endswith("num_batches_tracked")]
        lines += calls(model, SIDES.get(name, 224))
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
        print(name, len(lines))


if __name__ == "__main__":
    main()
