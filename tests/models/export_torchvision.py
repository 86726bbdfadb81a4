#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports torchvision CNNs as a user would (torch.onnx.export, opset 13), with sane random weights.

    export_torchvision.py --out DIR [--cache] [NAME ...]

NAME is a torchvision model, optionally with a variant: NAME+preserve keeps the norms
(training=PRESERVE), NAME+dynamic leaves batch, height and width open. DIR/NAME.onnx,
DIR/NAME.preserve.onnx and DIR/NAME.dynamic.onnx are written, each with a NAME.truth.json
beside it that lists PyTorch's own layers and shapes. Without names: the default list.
"""

import argparse
import hashlib
import json
import os
import sys
import time
import warnings
import zlib
from pathlib import Path

import torch
import torchvision

from layer_truth import truth_of
from sane_weights import prepare

OPSET = 13
TRUTH_SIDES = (64, 160, 288)
SEGMENTATION = ("fcn_", "deeplabv3_", "lraspp_")
# Those that other work waits for come first.
DEFAULT = """
    resnet18 vgg16 shufflenet_v2_x1_0 mobilenet_v3_small convnext_tiny efficientnet_b0 fcn_resnet50
    alexnet resnet50 googlenet inception_v3 densenet121 squeezenet1_1 mobilenet_v2 mnasnet1_0
    regnet_y_400mf
    resnet18+preserve mobilenet_v2+preserve mobilenet_v3_small+preserve efficientnet_b0+preserve
    shufflenet_v2_x1_0+preserve densenet121+preserve
    resnet18+dynamic shufflenet_v2_x1_0+dynamic fcn_resnet50+dynamic mobilenet_v3_small+dynamic
""".split()


def side_of(name):
    """Side of the square input image in pixels."""
    return 299 if name == "inception_v3" else 224


def is_segmentation(name):
    return name.startswith(SEGMENTATION)


def untrained(name):
    """The torchvision module without downloads and without slow initial draws."""
    if is_segmentation(name):
        model = torchvision.models.get_model(name, weights=None, weights_backbone=None)
        whole_forward = model.forward
        # A wrapper module would put a prefix before every name in the file.
        model.forward = lambda image: whole_forward(image)["out"]
        return model
    options = {}
    if name in ("googlenet", "inception_v3"):
        options = {"aux_logits": False, "init_weights": False}
    return torchvision.models.get_model(name, weights=None, **options)


def ready_model(name):
    """The same weights for the same name on every run, in eval mode."""
    torch.manual_seed(zlib.crc32(name.encode()))
    return prepare(untrained(name), side_of(name))


def export_options(name, variant):
    if variant == "preserve":
        return {"training": torch.onnx.TrainingMode.PRESERVE}
    if variant == "dynamic":
        open_axes = {0: "batch", 2: "height", 3: "width"}
        output_axes = open_axes if is_segmentation(name) else {0: "batch"}
        return {"dynamic_axes": {"input": open_axes, "output": output_axes}}
    return {}


def write_whole(path, write):
    """Lets write(temporary path) make the file, then renames it: readers never see half a file."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def export(model, name, variant, path):
    image = torch.rand(1, 3, side_of(name), side_of(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            image,
            str(path),
            opset_version=OPSET,
            input_names=["input"],
            output_names=["output"],
            **export_options(name, variant),
        )


def recipe_stamp():
    """Changes with these scripts and with the versions that the files depend on."""
    digest = hashlib.sha256(f"{torch.__version__} {torchvision.__version__}".encode())
    folder = Path(__file__).resolve().parent
    for script in ("export_torchvision.py", "layer_truth.py", "sane_weights.py"):
        digest.update((folder / script).read_bytes())
    return digest.hexdigest()


class Target:
    """One file to make: NAME or NAME+VARIANT."""

    def __init__(self, request, folder):
        self.name, _, self.variant = request.partition("+")
        if self.variant not in ("", "preserve", "dynamic"):
            sys.exit(f"{request}: unknown variant; use NAME, NAME+preserve or NAME+dynamic")
        stem = ".".join(filter(None, (self.name, self.variant)))
        self.model_path = folder / f"{stem}.onnx"
        self.truth_path = folder / f"{stem}.truth.json"
        self.stamp_path = folder / f"{stem}.stamp"

    def is_fresh(self, stamp):
        paths = (self.model_path, self.truth_path, self.stamp_path)
        return all(path.exists() for path in paths) and self.stamp_path.read_text() == stamp

    def make(self, model, truth, stamp):
        self.stamp_path.unlink(missing_ok=True)
        write_whole(self.model_path, lambda path: export(model, self.name, self.variant, path))
        write_whole(self.truth_path, lambda path: path.write_text(json.dumps(truth)))
        write_whole(self.stamp_path, lambda path: path.write_text(stamp))


def by_name(targets):
    """Variants of one model share its weights and its truth, so they are made together."""
    groups = {}
    for target in targets:
        groups.setdefault(target.name, []).append(target)
    return groups


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--cache", action="store_true", help="keep files made by the same scripts")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    stamp = recipe_stamp()
    targets = [Target(request, arguments.out) for request in arguments.names or DEFAULT]
    if arguments.cache:
        targets = [target for target in targets if not target.is_fresh(stamp)]
    for name, group in by_name(targets).items():
        start = time.monotonic()
        model = ready_model(name)
        truth = truth_of(model, name, {*TRUTH_SIDES, side_of(name)})
        for target in group:
            target.make(model, truth, stamp)
        files = " ".join(target.model_path.name for target in group)
        print(f"{files}: {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
