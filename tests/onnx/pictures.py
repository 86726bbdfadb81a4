#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that `fovea render` writes: the same to the byte from process to process, and whole or not at all."""

import struct

from harness import Harness

HARNESS = Harness(__doc__)


def render(model, name, *options):
    path = HARNESS.scratch / name
    result = HARNESS.fovea("render", model, "-o", path, *options)
    return result, path


def twice(model, *options):
    pictures = []
    for number in range(3):
        result, path = render(model, f"{number}.svg", *options)
        HARNESS.expect(result.code == 0, f"{model}: exit code {result.code}: {result.err.strip()}")
        pictures.append(path.read_bytes() if path.exists() else b"")
    HARNESS.expect(len(set(pictures)) == 1 and pictures[0], f"{model}: three runs drew {len(set(pictures))} pictures")


def png_size(path):
    head = path.read_bytes()[:24]
    return struct.unpack(">II", head[16:24])


def whole(model, at_least):
    result, path = render(model, "whole.png")
    if HARNESS.expect(result.code == 0, f"{model}: exit code {result.code}: {result.err.strip()}"):
        width, height = png_size(path)
        HARNESS.expect(width >= at_least[0] and height >= at_least[1], f"{model}: {width} x {height} px is no readable picture")


def refused(model):
    result, path = render(model, "refused.png")
    HARNESS.expect(result.is_refusal() and ".svg" in result.err, f"{model}: exit code {result.code}: {result.err.strip()}")
    HARNESS.expect(not path.exists(), f"{model}: a picture was written")
    result, path = render(model, "instead.svg")
    HARNESS.expect(result.code == 0 and path.exists(), f"{model}: no SVG: {result.err.strip()}")


# Networks in whose layouts Graphviz once went through groups in the order of addresses.
for name in ("googlenet", "inception_v3", "mobilenet_v2"):
    twice(f"zoo:{name}")
twice("zoo:resnet18", "--view", "chart", "--size", "64")
whole("zoo:resnet50", (500, 15_000))
refused("zoo:efficientnet_b7")
HARNESS.finish(6)
