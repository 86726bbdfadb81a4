#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a refinement every exported model still runs in ONNX Runtime, with the expected output shape.

`fovea refine MODEL --size 64 --auto -o OUT.onnx`; where the model's head fixes its side, at that side.
"""

import json

from harness import Harness, add_only

SIDE = 64


def truth_of(model):
    return json.loads(model.with_name(f"{model.stem}.truth.json").read_text())


def fits(harness, model, side):
    """Whether every output has a known shape at this side."""
    report = harness.analysis(model, "--size", side)
    return bool(report) and all(None not in output["shape"] for output in report["outputs"])


def expected_shape(truth, image):
    """The classes stay; a segmentation's map is as large as its image."""
    side, at_side = next((side, entry) for side, entry in truth["sides"].items() if "output" in entry)
    batch, channels, *space = at_side["output"]
    return [batch, channels] + ([image[2], image[3]] if space == [int(side)] * 2 else space)


def check(harness, model):
    refined = harness.scratch / f"{model.stem}.refined.onnx"
    size = ("--size", SIDE) if fits(harness, model, SIDE) else ()
    result = harness.fovea("refine", model, *size, "--auto", "-o", refined)
    if result.code == 1 and not size:
        print(f"{model.stem}: its head fixes its side, where nothing helps: {result.out.strip()}", flush=True)
        return
    if not harness.expect(result.code == 0, f"{model.stem}: refine: exit code {result.code}: {result.err or result.out}"):
        return
    before, after = harness.analysis(model, *size), harness.analysis(refined)
    if before is None or after is None:
        return
    image = after["input"]["shape"]
    job = {"id": model.stem, "a": str(refined), "seed": 11, "shape": image}
    job["expect_shape"] = expected_shape(truth_of(model), image)
    result = harness.run_ort([job]).get(model.stem)
    if result:
        harness.expect(result["ok"], f"{model.stem}: refined: {result['error']}")
        border = [report["summary"]["verdicts"]["unproductive"] for report in (before, after)]
        i_min = [report["summary"]["i_min"][0] for report in (before, after)]
        print(f"{model.stem}: image {'x'.join(map(str, image))}, output {result['shape']}, "
              f"i_min {i_min[0]} -> {i_min[1]}, unproductive {border[0]} -> {border[1]}", flush=True)
    refined.unlink(missing_ok=True)


def main():
    harness = Harness(__doc__, add_only)
    harness.require_ort()
    models = harness.models()
    for model in models:
        check(harness, model)
    harness.finish(len(models))


if __name__ == "__main__":
    main()
