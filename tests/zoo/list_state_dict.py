#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes FOLDER/NAME.txt for every network of torchvision that the zoo has: each tensor of its state_dict, without
auxiliary heads, a line each, as "key dims", and the number of parameters. Counters of batch normalisation
(num_batches_tracked) carry nothing and are left out.

    tests/zoo/list_state_dict.py --out FOLDER
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
    out = {name: lambda make=getattr(torchvision.models, name): make(weights=None) for name in PLAIN}
    for name in ("googlenet", "inception_v3"):
        out[name] = lambda make=getattr(torchvision.models, name): make(weights=None, aux_logits=False, init_weights=False)
    for name in ("fcn_resnet50", "deeplabv3_resnet50"):
        out[name] = lambda make=getattr(segmentation, name): make(weights=None, weights_backbone=None)
    out["fpn_resnet50"] = pyramid
    # Parameters that both sides have, in the zoo's writing.
    out["mobilenet_v2,width=0.35,classes=10"] = lambda: torchvision.models.mobilenet_v2(width_mult=0.35, num_classes=10)
    out["mobilenet_v3_large,width=0.75"] = lambda: torchvision.models.mobilenet_v3_large(width_mult=0.75)
    return out


def without_filling():
    """Values are not looked at; filling them would take most of the time."""
    for name in [name for name in dir(torch.nn.init) if name.endswith("_") and not name.startswith("_")]:
        setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    without_filling()
    for name, make in makers().items():
        model = make()
        lines = [f"{key} {'x'.join(map(str, tensor.shape))}" for key, tensor in model.state_dict().items()
                 if not key.endswith("num_batches_tracked")]
        lines.append(f"parameters {sum(p.numel() for p in model.parameters())}")
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
        print(name, len(lines) - 1)


if __name__ == "__main__":
    main()
