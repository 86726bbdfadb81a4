#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for networks whose outputs are maps run in ONNX Runtime, and leave every output as large as it was.

U-Net, FCN, DeepLabV3 and a feature pyramid of the zoo, narrow, at a side that their fields exceed and for every wish;
once with the output stride fixed, which then no plan changes.
"""

import json

from harness import Harness

NETWORKS = {
    "unet": "zoo:unet,width=0.25,size=64",
    "fcn_resnet50": "zoo:fcn_resnet50,width=0.25,size=64",
    "deeplabv3_resnet50": "zoo:deeplabv3_resnet50,width=0.25,size=64",
    "fpn_resnet50": "zoo:fpn_resnet50,width=0.25,size=64",
}
REQUESTS = (("--want", "accuracy"), ("--want", "efficiency"), ("--want", "balance", "--output-stride", "keep"))


def output_stride(report):
    """Pixels between units of the coarsest map."""
    jumps = [max(layer["jump"]) for layer in report["layers"] if layer["jump"]]
    return max(jump for jump in jumps if not isinstance(jump, str))


def check(harness, name, model, request):
    before = harness.analysis(model)
    shapes = [output["shape"] for output in before["outputs"]]
    result = harness.fovea("refine", model, *request, "--all", "-o", harness.scratch / f"{name}-{{id}}.onnx", "--json")
    if not harness.expect(result.code in (0, 1), f"{name}: refine {request}: {result.err}"):
        return 0
    jobs = []
    for plan in json.loads(result.out)["plans"]:
        if any(edit["attribute"] == "shape" for edit in plan["edits"]):
            continue
        label = f"{name} {' '.join(request)}: {plan['title']}"
        path = harness.scratch / f"{name}-{plan['id']}.onnx"
        after = harness.analysis(path)
        harness.expect(after["summary"] == plan["after"], f"{label}: the file has another summary")
        if "keep" in request:
            strides = output_stride(before), output_stride(after)
            harness.expect(strides[0] == strides[1], f"{label}: output stride {strides[0]} becomes {strides[1]}")
        jobs.append({"id": label, "a": str(path), "shape": before["input"]["shape"], "expect_shapes": shapes})
    for label, ran in harness.run_ort(jobs).items():
        harness.expect(ran["ok"], f"{label}: {ran['error']}")
    for path in harness.scratch.glob(f"{name}-*"):
        path.unlink()
    print(f"{name} {' '.join(request)}: {len(jobs)} plans, outputs {shapes}", flush=True)
    return len(jobs)


def main():
    harness = Harness(__doc__)
    harness.require_ort()
    checked = 0
    for name, model in NETWORKS.items():
        of_network = sum(check(harness, name, model, request) for request in REQUESTS)
        harness.expect(of_network > 0, f"{name}: no plan was made")
        checked += of_network
    harness.finish(checked)


if __name__ == "__main__":
    main()
