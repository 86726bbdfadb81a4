#!/usr/bin/env python3
"""Writes state_dict/NAME.txt for the networks named: every tensor of torchvision's model, a line each, as
"key dims", in its order. Counters of batch normalisation (num_batches_tracked) carry nothing and are left out.

    python3 tests/zoo/list_state_dict.py resnet18 vgg11_bn
"""
import pathlib
import sys

import torchvision

folder = pathlib.Path(__file__).parent / "state_dict"
folder.mkdir(exist_ok=True)
for name in sys.argv[1:]:
    tensors = getattr(torchvision.models, name)(weights=None).state_dict()
    lines = [f"{key} {'x'.join(map(str, tensor.shape))}" for key, tensor in tensors.items() if not key.endswith("num_batches_tracked")]
    (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
