#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken, hostile and odd files (tests/models/broken_files.py): what must be refused is refused with exit
code 2 and one sentence, what must open opens, and nothing crashes, hangs or eats the machine's memory.
"""

import json
import resource
from collections import Counter

from harness import Harness, in_parallel, skip

SECONDS = 60
MEMORY = 4 << 30  # bytes of address space; no file here needs more


def read_cases(harness):
    manifest = harness.broken_folder / "manifest.json"
    if not manifest.exists():
        skip(f"no broken files in {harness.broken_folder}; tests/models/broken_files.py makes them")
    return json.loads(manifest.read_text())


def fits(expect, result):
    opened = result.code in (0, 1)
    return {"opens": opened, "refused": result.is_refusal(), "either": opened or result.is_refusal()}[expect]


def outcome_text(result):
    return f"exit code {result.code}, said '{(result.err or result.out).strip()[:300]}'"


def try_case(harness, case):
    path = harness.broken_folder / case["file"]
    result = harness.fovea("analyze", path, "--json", seconds=SECONDS)
    label = f"{case['file']} ({case['why']})"
    if not fits(case["expect"], result):
        harness.fail(f"{label}: expected {case['expect']}: {outcome_text(result)}")
    if result.code == 0:
        json.loads(result.out)
        copy = harness.scratch / path.name
        written = harness.fovea("convert", path, copy, seconds=SECONDS)
        harness.expect(
            written.code == 0 or written.is_refusal(), f"{label}: written back: {outcome_text(written)}"
        )
        copy.unlink(missing_ok=True)
    return f"{case['expect']}: exit code {result.code}"


def main():
    harness = Harness(__doc__, lambda parser: parser.add_argument("--no-memory-limit", action="store_true"))
    if not harness.options.no_memory_limit:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    cases = read_cases(harness)
    outcomes = Counter(in_parallel(lambda case: try_case(harness, case), cases))
    print("; ".join(f"{outcome} ({count})" for outcome, count in sorted(outcomes.items())))
    harness.finish(len(cases))


if __name__ == "__main__":
    main()
