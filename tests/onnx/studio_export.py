#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the studio's main test exported runs in ONNX Runtime, and the command line's analysis of it equals
what the window showed."""

import json

from harness import Harness, folder_from


def main():
    harness = Harness(__doc__)
    exported = folder_from("FOVEA_TEST_OUT", harness.options.build) / "studio_export.onnx"
    if not harness.expect(exported.exists(), f"{exported.name} is not there; studio.main_window makes it"):
        harness.finish(1)
    shown = json.loads(exported.with_name(f"{exported.name}.shown.json").read_text())
    report = harness.analysis(exported)
    if report:
        told = {name: report["summary"]["verdicts"][name] for name in shown}
        harness.expect(told == shown, f"the command line says {told}, the window showed {shown}")
        harness.require_ort()
        job = {"id": "export", "a": str(exported), "seed": 3, "shape": report["input"]["shape"]}
        job["expect_shape"] = report["outputs"][0]["shape"]
        result = harness.run_ort([job]).get("export", {"ok": False, "error": "no result"})
        harness.expect(result["ok"], f"ONNX Runtime: {result['error']}")
        print(f"verdicts {told}, output {result.get('shape')}")
    harness.finish(1)


if __name__ == "__main__":
    main()
