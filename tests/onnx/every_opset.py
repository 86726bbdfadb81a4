#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every layer kind, written from Fovea's own records at every opset from 7 to 21, runs in ONNX Runtime and computes
what it computes at opset 17; with open sizes it does so at another size and batch too.

Kinds that come from files alone, because they keep what the file called them or read whole numbers, are read from files
that this test makes (opset_files.py) and written by `fovea convert --opset`.

What an opset cannot say is refused in a sentence and stands in opset_gaps.txt, as `NETWORK OPSETS: SENTENCE`; kinds that
are never written stand there as `KIND never: REASON`. The list is exact: a line too many fails as well. Files are held
against ONNX's own checker and shape inference where the installed python3-onnx knows their opset.
"""

import json
import subprocess
import sys
from pathlib import Path

from harness import BOUND, ROOT, Harness
from opset_files import opset_files

USUAL = 17
OPSETS = range(7, 22)
OPEN_OPSETS = {*range(7, 14), 18, 21}  # at which something is written in another form than before
GAPS = ROOT / "tests/onnx/opset_gaps.txt"
SEED = 3
# What they compute is no number at some places, which ONNX Runtime's output cannot be compared by.
NO_NUMBERS = {"Log_0", "Sqrt_0", "Pow_0"}


def ranges(numbers):
    """7, 8, 9, 12 as "7-9,12"."""
    parts = []
    for number in sorted(numbers):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def gaps_of(said):
    """The lines that opset_gaps.txt should hold."""
    found = {}
    for entry in said["refused"]:
        name = entry["name"] + (" (sizes open)" if entry["open"] else "")
        why = entry["why"].replace(f"opset {entry['opset']}:", "opset N:").replace(f"is of opset {entry['opset']}.", "is of opset N.")
        found.setdefault((name, why), []).append(entry["opset"])
    return {f"{name} {ranges(opsets)}: {why}" for (name, why), opsets in found.items()}


def committed():
    lines = [line for line in GAPS.read_text().splitlines() if line and not line.startswith("#")]
    never = {line.split()[0] for line in lines if line.split()[1] == "never:"}
    return {line for line in lines if line.split()[1] != "never:"}, never


def write_files(harness, folder, said):
    """The files of opset_files.py at every opset; what is refused goes into `said`. Returns the jobs against them, and
    the kinds that they hold."""
    import onnx
    jobs, kinds = [], set()
    for name, model in opset_files():
        given = folder / f"{name}.given.onnx"
        onnx.save(model, str(given))
        report = json.loads(harness.fovea("analyze", given, "--json").out)
        kinds |= {row["kind"] for row in report["layers"]}
        for opset in OPSETS:
            out = folder / f"{name}.{opset}.onnx"
            written = harness.fovea("convert", "--no-origin", "--opset", str(opset), given, out)
            if written.code:
                why = written.err.strip().removeprefix("fovea: ").strip()
                said["refused"].append({"name": name, "opset": opset, "open": False, "why": why})
            else:
                jobs.append({"id": out.name, "a": str(given), "b": str(out), "seed": SEED, "shape": None})
    return jobs, kinds


def check_list(harness, said, kinds):
    wanted, never = committed()
    found = gaps_of(said)
    for line in sorted(found - wanted):
        harness.fail(f"not in {GAPS.name}: {line}")
    for line in sorted(wanted - found):
        harness.fail(f"in {GAPS.name}, but written: {line}")
    without = set(said["without"]) - kinds
    harness.expect(without == never, f"kinds without a network {sorted(without)}, of which the list names {sorted(never)}")


def check_forms(harness, folder):
    """ONNX's own checker and strict shape inference."""
    try:
        import onnx
    except ImportError:
        print("python3-onnx is not installed: its checker was not asked")
        return
    newest = onnx.defs.onnx_opset_version()
    for path in sorted(folder.glob("*[0-9].onnx")):
        model = onnx.load(str(path))
        if model.opset_import[0].version > newest or any(item.domain for item in model.opset_import):
            continue
        try:
            onnx.checker.check_model(model, full_check=True)
        except Exception as error:
            harness.fail(f"{path.name}: {str(error).strip()[:300]}")
        least = onnx.helper.find_min_ir_version_for([model.opset_import[0]])
        harness.expect(model.ir_version == max(least, 4), f"{path.name}: version {model.ir_version} of the format")


def jobs_of(said, folder):
    """One job a file: against the usual opset, and with open sizes against the same network at the larger size."""
    jobs = []
    for network in said["networks"]:
        name = network["name"]
        for opset in OPSETS:
            for against, kind, shape in ((f"{name}.{USUAL}", "", None), (f"{name}.larger", ".open", network["larger"])):
                a, b = folder / f"{against}.onnx", folder / f"{name}{kind}.{opset}.onnx"
                if kind and opset not in OPEN_OPSETS:
                    continue
                if a.exists() and b.exists():
                    jobs.append({"id": b.name, "a": str(a), "b": str(b), "seed": SEED, "shape": shape})
    return jobs


def check_bounds(harness, results):
    for name, result in results.items():
        if not harness.expect(result["ok"], f"{name}: {result['error']}"):
            continue
        harness.expect(result["ratio"] <= BOUND, f"{name}: differs by {result['ratio']:.1e} of the largest output")


def main():
    harness = Harness(__doc__, lambda parser: parser.add_argument("--opsets", type=Path, required=True))
    harness.require_ort()
    folder = harness.scratch / "opsets"
    result = subprocess.run([harness.options.opsets, folder], capture_output=True, text=True)
    if result.returncode:
        harness.fail(f"write_opsets: exit code {result.returncode}: {result.stderr[-400:]}")
        harness.finish(1)
    said = json.loads(result.stdout)
    files, kinds = write_files(harness, folder, said)
    check_list(harness, said, kinds)
    check_forms(harness, folder)
    jobs = jobs_of(said, folder) + files
    known = [job for job in jobs if job["id"].split(".")[0] not in NO_NUMBERS]
    check_bounds(harness, harness.run_ort(known, seconds=20))
    harness.finish(len(jobs))


if __name__ == "__main__":
    sys.exit(main())
