#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every exported model, written back unedited, is the same network in ONNX Runtime.

Once with its original nodes (then nodes and initializers are also identical in the file) and once with
every layer from Fovea's own records. Two different inputs must differ by at least 1 % of the largest
output, so that the comparison means something.
"""

from harness import BOUND, Harness, add_only
from same_file import differences

INPUTS_DIFFER_AT_LEAST = 0.01


def written_forms(harness, model):
    """{form: path} of the files that fovea could write."""
    forms = {"origin": (), "records": ("--no-origin",)}
    paths = {}
    for form, options in forms.items():
        path = harness.scratch / f"{model.stem}.{form}.onnx"
        if harness.expect_done("convert", *options, model, path):
            paths[form] = path
    return paths


def judge(harness, model, results):
    texts = []
    for form, result in results.items():
        if not harness.expect(result["ok"], f"{model.stem}: {form}: {result['error']}"):
            continue
        ratio = result["ratio"]
        texts.append(f"{form} {ratio:.2e}")
        if form == "two inputs":
            harness.expect(ratio >= INPUTS_DIFFER_AT_LEAST, f"{model.stem}: two inputs differ by {ratio:.2e} only")
        else:
            harness.expect(ratio <= BOUND, f"{model.stem}: {form}: outputs differ by {ratio:.2e}, bound {BOUND:.0e}")
    return ", ".join(texts)


def check(harness, model):
    paths = written_forms(harness, model)
    if "origin" in paths:
        for difference in differences(model, paths["origin"]):
            harness.fail(f"{model.stem}: unedited, yet {difference}")
    jobs = [{"id": form, "a": str(model), "b": str(path), "seed": 11} for form, path in paths.items()]
    jobs.append({"id": "two inputs", "a": str(model), "seed": 11, "inputs_differ": True})
    print(f"{model.stem}: {judge(harness, model, harness.run_ort(jobs))}", flush=True)
    for path in harness.scratch.glob(f"{model.stem}.*"):
        path.unlink()


def main():
    harness = Harness(__doc__, add_only)
    harness.require_ort()
    models = harness.models()
    for model in models:
        check(harness, model)
    harness.finish(len(models))


if __name__ == "__main__":
    main()
