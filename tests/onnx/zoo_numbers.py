#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A built-in network computes what torchvision's does: with the same tensors, the same numbers.

The zoo's network is exported by Fovea, its tensors are replaced by those of torchvision's model key by key, and
ONNX Runtime runs it beside torchvision's own export on the same images.
"""

import sys
import warnings

import onnx
from onnx import numpy_helper

from harness import BOUND, ROOT, Harness, add_only

sys.path.insert(0, str(ROOT / "tests/models"))

# One of each way of building, with a side that keeps the run short; adaptive poolings need the usual one.
NETWORKS = {
    "alexnet": 224, "vgg11_bn": 224, "googlenet": 96, "inception_v3": 128, "resnet18": 96,
    "resnet50,output_stride=8": 96, "resnext50_32x4d": 96, "wide_resnet50_2": 96, "densenet121": 96,
    "squeezenet1_1": 96, "mobilenet_v2": 96, "mobilenet_v2,width=0.5,classes=10": 96,
    "mobilenet_v3_small": 96, "mobilenet_v3_large": 96, "mnasnet0_5": 96, "shufflenet_v2_x0_5": 96,
    "efficientnet_b0": 96, "efficientnet_b2": 96, "efficientnet_v2_s": 96, "regnet_x_400mf": 96, "regnet_y_400mf": 96,
    "convnext_tiny": 96, "fcn_resnet50": 104, "deeplabv3_resnet50": 104, "fpn_resnet50": 100,
}


def special_models():
    """What export_torchvision.py does not make by name."""
    import torch
    import torchvision
    from torchvision.models import detection

    def pyramid():
        model = detection.backbone_utils.resnet_fpn_backbone(
            backbone_name="resnet50", weights=None, norm_layer=torch.nn.BatchNorm2d, trainable_layers=5)
        levels = model.forward
        model.forward = lambda image: tuple(levels(image).values())
        return model

    return {
        "fpn_resnet50": pyramid,
        "resnet50,output_stride=8": lambda: torchvision.models.resnet50(replace_stride_with_dilation=[False, True, True]),
        "mobilenet_v2,width=0.5,classes=10": lambda: torchvision.models.mobilenet_v2(width_mult=0.5, num_classes=10),
    }


def write_theirs(name, side, path):
    """Torchvision's model as a file; returns its tensors by key."""
    import torch
    from export_torchvision import untrained
    from sane_weights import prepare

    torch.manual_seed(3)
    model = special_models()[name]() if name in special_models() else untrained(name)
    prepare(model, side)
    outputs = [f"p{level}" for level in range(2, 7)] if name == "fpn_resnet50" else ["output"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, torch.rand(1, 3, side, side), str(path), opset_version=13, input_names=["input"],
                          output_names=outputs)
    return {key: tensor.numpy() for key, tensor in model.state_dict().items() if not key.endswith("num_batches_tracked")}


def write_ours(harness, name, side, tensors, path):
    """The zoo's network with these tensors; whether it has all of them and no others."""
    if not harness.expect_done("convert", f"zoo:{name},size={side}", path):
        return False
    proto = onnx.load(str(path))
    left = dict(tensors)
    for initializer in proto.graph.initializer:
        values = left.pop(initializer.name, None)
        if values is not None:
            same = harness.expect(list(initializer.dims) == list(values.shape), f"{name}: '{initializer.name}' is {list(initializer.dims)}")
            if same:
                initializer.CopyFrom(numpy_helper.from_array(values, initializer.name))
        elif "/" not in initializer.name:  # constants of a layer have names of their own
            harness.fail(f"{name}: torchvision has no tensor '{initializer.name}'")
    harness.expect(not left, f"{name}: tensors without a place: {sorted(left)[:5]}")
    onnx.save(proto, str(path))
    return not left


def main():
    harness = Harness(__doc__, add_only)
    harness.require_ort()
    done = 0
    for name, side in NETWORKS.items():
        if harness.options.only and name not in harness.options.only:
            continue
        theirs, ours = harness.scratch / "theirs.onnx", harness.scratch / "ours.onnx"
        tensors = write_theirs(name, side, theirs)
        if not write_ours(harness, name, side, tensors, ours):
            continue
        result = harness.run_ort([{"id": name, "a": str(theirs), "b": str(ours), "seed": 5}]).get(name)
        if not result or not harness.expect(result["ok"], f"{name}: {result and result['error']}"):
            continue
        harness.expect(result["ratio"] < BOUND, f"{name}: outputs differ by {result['ratio']:.2e}")
        print(f"{name}: {result['ratio']:.1e}", flush=True)
        done += 1
    harness.finish(done and f"{done} networks")


if __name__ == "__main__":
    main()
