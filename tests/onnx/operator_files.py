#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""ONNX's own operator tests (Debian's libonnx-testdata) open, or are refused with one sentence; none
crashes or hangs. A file that opens is also written back, with the same nodes.
"""

from collections import Counter
from pathlib import Path

from harness import Harness, in_parallel, skip
from same_file import differences

DATA = Path("/usr/share/libonnx-testdata/data")
SECONDS = 60
AT_LEAST = 500  # files; fewer would mean that the package changed its layout


def add_options(parser):
    parser.add_argument("--data", type=Path, default=DATA)


def try_file(harness, path, data):
    """What became of it: analysed, opened (no image input), or refused."""
    label = str(path.relative_to(data).parent)
    result = harness.fovea("analyze", path, "--json", seconds=SECONDS)
    if result.code == 3 or (result.code == 2 and not result.is_refusal()):
        harness.fail(f"{label}: exit code {result.code}: {result.out[:200]}{result.err[-300:]}")
        return "failed"
    if result.code != 0:
        return "refused"
    copy = harness.scratch / f"{path.parent.name}-{abs(hash(label))}.onnx"
    written = harness.fovea("convert", path, copy, seconds=SECONDS)
    if written.code != 0:
        harness.fail(f"{label}: opens, but cannot be written: {written.err[-300:]}")
        return "failed"
    for difference in differences(path, copy):
        harness.fail(f"{label}: unedited, yet {difference}")
    copy.unlink()
    return "analysed"


def main():
    harness = Harness(__doc__, add_options)
    data = harness.options.data
    files = sorted(data.rglob("model.onnx"))
    if not files:
        skip(f"no ONNX operator tests in {data}; the package libonnx-testdata has them")
    harness.expect(data != DATA or len(files) >= AT_LEAST, f"only {len(files)} files in {data}")
    outcomes = Counter(in_parallel(lambda path: try_file(harness, path, data), files))
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
    harness.finish(len(files))


if __name__ == "__main__":
    main()
