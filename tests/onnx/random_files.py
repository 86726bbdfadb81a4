#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The invariant of semantics.md as a property of random networks (idioms.py), at five sizes each.

At every size either the report has an error finding, or the file written at that size runs in ONNX Runtime with the
shapes of the report. And an error is owed its proof: where ONNX Runtime runs the same network with symbolic height and
width, an error is a defect, unless the file holds a tensor of fixed length where the twin computes one. Both twins are
asked: the file with the numbers of its size, and the one that computes them from Shape. At the own size the fields of
all window layers are measured by half-spaces of pixels: within what is reported, equal where nothing hides it.

The seed stands in every message; `--seed S --count 1 --keep` repeats one and leaves its files. `--idioms` draws
networks of one idiom each at every opset instead, which finds the smallest network with a fault.
"""

import argparse
import shutil
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from harness import Harness, in_parallel
from idioms import IDIOMS
from invariant import Runner

MOST_ERRORS = 0.02  # of the sizes at which the twin runs


def add_options(parser):
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--idioms", nargs="*", metavar="IDIOM", help="networks of one idiom each; without names: all")
    parser.add_argument("--opsets", type=int, nargs="*", default=list(range(7, 22)), help="with --idioms")
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("--classes", type=Path, help="writes every class of failure, with its smallest network")


def cases_of(options):
    if options.idioms is None:
        return [(seed, {}) for seed in range(options.seed, options.seed + options.count)]
    return [(options.seed + 100 * opset + at, {"only": [name], "opset": opset, "half": False})
            for name in options.idioms or IDIOMS for opset in options.opsets for at in range(2)]


def print_idioms(cases):
    totals = defaultdict(Counter)
    for case in cases:
        for name in set(case.used):
            totals[name].update(case.pairs)
    print(f"{'idiom':22}{'pairs':>7}{'twin runs':>11}{'error':>7}{'owed':>6}{'unknown':>9}{'approximate':>13}")
    for name in sorted(totals):
        count = totals[name]
        print(f"{name:22}{count['all']:7}{count['twin runs']:11}{count['error']:7}{count['error, yet the twin runs']:6}"
              f"{count['unknown']:9}{count['approximate']:13}")
    whole = Counter()
    for case in cases:
        whole.update(case.pairs)
    print(f"all: {dict(whole)}")
    return whole


def classes_of(cases):
    """{(kind, what it says without numbers and names): cases}, for a list with one network each."""
    found = defaultdict(list)
    for case in cases:
        for kind, sentence in case.faults:
            found[kind].append((len(case.used), case, sentence))
    return found


def write_classes(cases, target):
    lines = []
    for kind, entries in sorted(classes_of(cases).items(), key=lambda item: -len(item[1])):
        entries.sort(key=lambda entry: (entry[0], entry[1].seed))
        seen = Counter(name for _, case, _ in entries for name in set(case.used))
        lines.append(f"## {kind}: {len(entries)} ({', '.join(f'{name} {count}' for name, count in seen.most_common(6))})")
        shown = set()
        for _, case, sentence in entries:
            key = tuple(case.used)
            if key not in shown and len(shown) < 12:
                shown.add(key)
                lines.append(f"- {case.label()}: {sentence}")
    target.write_text("\n".join(lines) + "\n")


def main():
    harness = Harness(__doc__, add_options)
    harness.require_ort()
    runner = Runner(harness)
    cases = cases_of(harness.options)
    print(f"seeds {cases[0][0]} to {cases[-1][0]}, {len(cases)} networks", flush=True)
    began = time.monotonic()
    done = in_parallel(lambda case: runner.run(*case), cases)
    for case in done:
        kinds = set()
        for kind, sentence in case.faults:
            if kind in kinds:
                continue  # one line for a kind of fault and network
            if kind.startswith("error "):  # their share is what is judged
                print(f"owed {case.label()}: {kind}: {sentence}")
            else:
                harness.fail(f"{case.label()}: {kind}: {sentence}")
            kinds.add(kind)
    whole = print_idioms(done)
    ran = whole["twin runs"]
    share = whole["error, yet the twin runs"] / max(1, ran)
    print(f"errors where the twin runs: {100 * share:.1f} % of {ran}; {time.monotonic() - began:.0f} s")
    harness.expect(share < MOST_ERRORS, f"errors where the twin runs: {100 * share:.1f} %, at most {100 * MOST_ERRORS:.0f} %")
    if harness.options.classes:
        write_classes(done, harness.options.classes)
    runner.stop()
    if harness.options.keep:
        print(f"files are in {harness.scratch}")
        sys.exit(1 if harness.failures else 0)
    shutil.rmtree(harness.scratch, ignore_errors=True)
    harness.finish(len(done))


if __name__ == "__main__":
    main()
