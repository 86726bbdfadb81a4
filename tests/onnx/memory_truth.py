#!/usr/bin/env python3
"""Holds the memory that Fovea counts for training against what PyTorch's autograd really keeps: every tensor
packed by saved_tensors_hooks during one forward pass in train mode, each storage once, parameters and the
statistics of norms left out. They must be equal byte for byte.

On a CPU PyTorch 1.13 keeps a dropout's noise as numbers; on a GPU it is a mask of one byte, which is what
Fovea counts.
"""
import argparse
import json
import subprocess
import sys

try:
    import torch
    import torchvision
except ImportError as error:
    print(f"skipped: {error}; Debian's packages are python3-torch and python3-torchvision.")
    sys.exit(77)

NETWORKS = ["alexnet", "vgg11", "vgg16_bn", "googlenet", "inception_v3", "resnet18", "resnet50", "resnext50_32x4d", "densenet121",
            "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_large", "mnasnet1_0", "shufflenet_v2_x1_0", "efficientnet_b0",
            "efficientnet_v2_s", "regnet_x_400mf", "regnet_y_400mf", "convnext_tiny"]
BATCH, SIDE = 2, 96
DROPPED = 0.5


def network(name):
    options = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    model = getattr(torchvision.models, name)(weights=None, **options)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p, module.inplace = DROPPED, False
        if type(module).__name__ == "StochasticDepth":
            module.p = 0.0
    return model.train()


def is_noise(tensor):
    return bool(torch.isin(tensor, torch.tensor([0.0, 1 / (1 - DROPPED)])).all())


def is_statistic(tensor):
    """Means and deviations of a norm: Fovea counts maps only."""
    return tensor.dim() < 2 or tensor.numel() == BATCH or (tensor.dim() == 4 and tensor.shape[-1] == 1 and tensor.shape[-2] > 1)


def kept_bytes(model):
    known = {tensor.storage().data_ptr() for tensor in [*model.parameters(), *model.buffers()]}
    kept = {}

    def pack(tensor):
        storage = tensor.storage()
        if not is_statistic(tensor) and storage.data_ptr() not in known:
            noise = tensor.dtype == torch.float32 and tensor.dim() < 5 and is_noise(tensor)
            kept[storage.data_ptr()] = (storage.size() * (1 if noise else tensor.element_size()), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model(torch.rand(BATCH, 3, SIDE, SIDE) + 0.1)
    del output
    return sum(size for size, _ in kept.values())


def counted_bytes(fovea, name):
    command = [fovea, "analyze", f"zoo:{name},size={SIDE}", "--batch", str(BATCH), "--json"]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)["memory"]["training"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fovea", required=True)
    parser.add_argument("--build")
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    wrong = 0
    for name in arguments.networks or NETWORKS:
        real, counted = kept_bytes(network(name)), counted_bytes(arguments.fovea, name)
        wrong += real != counted
        print(f"{name}: PyTorch keeps {real}, Fovea counts {counted}{'' if real == counted else '  <-- differs'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
