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
import json
import random
import shutil
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

import onnx

from harness import Harness, in_parallel
from idioms import IDIOMS, draw
from ort_session import Positive, Runtime, dims_of, half_spaces, image_recipe, show_every_value
from written import errors_of, output_faults, shape_faults, short, without_path

MOST_ERRORS = 0.02  # of the sizes at which the twin runs
SIZES = 5


def add_options(parser):
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--idioms", nargs="*", metavar="IDIOM", help="networks of one idiom each; without names: all")
    parser.add_argument("--opsets", type=int, nargs="*", default=list(range(7, 22)), help="with --idioms")
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("--classes", type=Path, help="writes every class of failure, with its smallest network")


def sizes_of(seed, own):
    """The own size and others: larger, smaller, not square, odd."""
    chooser = random.Random(seed * 31 + 7)
    others = [(8 * chooser.randint(2, 9), 8 * chooser.randint(2, 9)), (16 * chooser.randint(1, 5),) * 2,
              (chooser.randint(17, 70), chooser.randint(17, 70)), (own[0], own[1] + chooser.choice([8, 16, 3])),
              (own[0] + chooser.choice([2, 4, 8]), own[1])]
    return list(dict.fromkeys([own, *others]))[:SIZES]


class Case:
    """One network in both twins, and everything that was found wrong with it."""

    def __init__(self, runner, seed, **how):
        self.runner, self.harness, self.seed, self.how = runner, runner.harness, seed, how
        self.faults = []  # (kind, sentence)
        self.pairs = Counter()
        self.files, self.nets = {}, {}
        for form, open_sides in (("fixed", False), ("open", True)):
            net, self.used = draw(seed, open_sides=open_sides, **how)
            self.nets[form] = net
            path = self.harness.scratch / f"net_{seed}_{'_'.join(how.get('only') or [])}{net.opset}.{form}.onnx"
            onnx.save(net.model(), str(path))
            self.files[form] = path
        self.net = self.nets["fixed"]
        self.axes = (1, 2) if self.net.layout == "NHWC" else (2, 3)

    def label(self):
        return f"seed {self.seed} (opset {self.net.opset}, {self.net.layout}{', half' if self.net.half else ''}: {', '.join(self.used)})"

    def fault(self, kind, sentence, form, side):
        self.faults.append((kind, f"{form} at {side[0]}x{side[1]}: {short(without_path(sentence), 300)}"))

    def shape(self, side):
        return [1, 3, *side] if self.net.layout == "NCHW" else [1, *side, 3]

    def feeds(self, side):
        return {"image": image_recipe(self.shape(side), "float16" if self.net.half else "float32", seed=9)}

    def run(self):
        for side in sizes_of(self.seed, self.net.size):
            twin = self.runner.ask(model=str(self.files["open"]), runs=[self.feeds(side)])
            for form, path in self.files.items():
                self.at(form, path, side, twin)
        self.fields()
        if not self.runner.keep:
            for path in self.files.values():
                path.unlink()
        return self

    def at(self, form, path, side, twin):
        words = ("--size", f"{side[0]}x{side[1]}")
        result = self.harness.fovea("analyze", path, *words, "--json")
        self.pairs["all"] += 1
        report = json.loads(result.out) if result.code == 0 else None
        errors = errors_of(report) if report else [{"code": f"exit code {result.code}", "layer": "", "message": result.err.strip()}]
        if report:
            self.note_unknown(report, form, side)
        self.pairs["twin runs"] += bool(twin["ok"])
        if errors:
            self.pairs["error"] += 1
            exempt = form == "fixed" and self.net.hosts_fixed_length and errors[0]["code"] == "size-frozen"
            if twin["ok"] and not exempt:
                self.pairs["error, yet the twin runs"] += 1
                self.fault(f"error '{errors[0]['code']}', yet the twin runs", f"{errors[0]['layer']}: {errors[0]['message']}", form, side)
        else:
            self.written(form, path, side, words, report)

    def note_unknown(self, report, form, side):
        unknown = [row for row in report["layers"] if row["kind"] == "opaque" or row["verdict"] == "unknown"]
        self.pairs["unknown"] += bool(unknown)
        self.pairs["approximate"] += any(row["approximate"] for row in report["layers"])
        if unknown and side == self.net.size:
            row = unknown[0]
            self.fault(f"unknown {row.get('onnx_op') or row['kind']}", f"{len(unknown)} layers, first '{row['name']}'", form, side)

    def written(self, form, path, side, words, report):
        out = path.with_suffix(f".{words[1]}.onnx")
        result = self.harness.fovea("convert", path, out, *words)
        if result.code:
            return self.fault("no error finding, yet not written", result.err, form, side)
        model = onnx.load(str(out))
        dims = dims_of(model.graph.input[0])
        if [dims[axis] for axis in self.axes] != list(side):
            self.fault("written with another input", str(dims), form, side)
        answer = self.runner.ask(model=str(out), runs=[self.feeds(side)])
        if not answer["ok"]:
            self.fault("written, does not run", answer["error"], form, side)
        else:
            for sentence in output_faults(report, answer["shapes"])[:1]:
                self.fault("output shape", sentence, form, side)
            self.row_shapes(model, out, report, form, side)
        if not self.runner.keep:
            out.unlink()
        return None

    def row_shapes(self, model, out, report, form, side):
        onnx.save(show_every_value(model), str(out))
        answer = self.runner.ask(model=str(out), runs=[self.feeds(side)])
        if not answer["ok"]:
            return self.fault("with every value shown, does not run", answer["error"], form, side)
        faults, _ = shape_faults(model, report, answer["shapes"])
        for sentence in faults[:1]:
            self.fault("row shape", f"{sentence} ({len(faults)} rows)", form, side)
        return None

    # Fields, at the own size

    def fields(self):
        if self.net.half:
            return
        side = self.net.size
        result = self.harness.fovea("analyze", self.files["fixed"], "--json")
        if result.code:
            return
        rows = {row["name"]: row for row in json.loads(result.out)["layers"]}
        layers = {name: x for name, x in self.net.window_nodes.items() if not x.hides and name in rows}
        extents = self.measured({x.name for x in layers.values()}, side)
        if extents is None:
            return
        for name, x in layers.items():
            for sentence in field_faults(rows[name], x, extents[x.name], side):
                self.fault("field", f"'{name}' {sentence}", "fixed", side)
            self.pairs["fields"] += 1

    def measured(self, values, side):
        """{value: for each axis the [begin, end) of every unit}, from half-spaces at every pixel."""
        if not values:
            return None
        path = self.files["fixed"].with_suffix(".positive.onnx")
        onnx.save(show_every_value(Positive(self.net.model()).model, values), str(path))
        shape = self.shape(side)
        runs, cuts = [{"image": image_recipe(shape, fill=0)}], []
        for axis in (0, 1):
            for start in range(1, side[axis]):
                for later, recipe in zip((True, False), half_spaces(shape, self.axes[axis], start, 1e4)):
                    runs.append({"image": recipe})
                    cuts.append((axis, start, later))
        answer = self.runner.ask(model=str(path), runs=runs, profile={value: [2, 3] for value in values})
        if not self.runner.keep:
            path.unlink()
        if not answer["ok"]:
            self.fault("not measured", answer["error"], "fixed", side)
            return None
        found = {}
        for value in values:
            spans = [[[0, length] for _ in range(answer["shapes"][value][2 + axis])] for axis, length in enumerate(side)]
            for (axis, start, later), profile in zip(cuts, answer["profiles"]):
                for unit, changed in enumerate(profile[value][axis]):
                    if changed == "1":
                        continue
                    span = spans[axis][unit]
                    if later:  # nothing from `start` on is read
                        span[1] = min(span[1], start)
                    else:
                        span[0] = max(span[0], start)
            found[value] = spans
        return found


def number(jump):
    if isinstance(jump, str):
        top, bottom = jump.split("/")
        return int(top) / int(bottom)
    return jump


def field_faults(row, x, spans, side):
    """What is measured of each axis against one row of the report."""
    if row["rf_max"] is None:
        yield "has no field"
        return
    for axis, name in enumerate("hw"):
        extent, start, jump = row["rf_max"][axis], row["start"][axis], number(row["jump"][axis])
        inside = [end - begin for begin, end in spans[axis] if begin > 0 and end < side[axis]]
        largest = max(inside, default=0)
        if x.seams:
            continue  # the numbers hold away from seams; which units those are is the report's to say
        if largest > extent:
            yield f"reads {largest} px along {name}, reported {extent}"
        elif x.uniform and not row["approximate"]:
            for unit, (begin, end) in enumerate(spans[axis]):
                low, high = max(0, start + unit * jump), min(side[axis], start + unit * jump + extent)
                if begin < end and (begin < low or end > high):
                    yield f"unit {unit} reads {name} {begin} to {end}, reported {low:g} to {high:g}"
                    break
                if x.exact and start + unit * jump >= 0 and start + unit * jump + extent <= side[axis] and (begin, end) != (low, high):
                    yield f"unit {unit} reads {name} {begin} to {end} only, reported {low:g} to {high:g}"
                    break
        elif x.exact and inside and len(inside) > 4 and largest < extent and not row["approximate"]:
            yield f"reads {largest} px along {name} only, reported {extent}"


class Runner:
    def __init__(self, harness):
        self.harness, self.keep = harness, harness.options.keep
        self.local = threading.local()
        self.runtimes = []
        self.lock = threading.Lock()

    def ask(self, **job):
        """One ONNX Runtime for each of the threads that prepare its jobs."""
        if not hasattr(self.local, "runtime"):
            self.local.runtime = Runtime(self.harness.ort_folder, threads=1, seconds=60)
            with self.lock:
                self.runtimes.append(self.local.runtime)
        return self.local.runtime.ask(**job)

    def run(self, seed, how):
        return Case(self, seed, **how).run()


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
                lines.append(f"- {case.label()} {case.how or ''}: {sentence}")
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
            if kind not in kinds:  # one line for a kind of fault and network
                harness.fail(f"{case.label()}: {kind}: {sentence}")
            kinds.add(kind)
    whole = print_idioms(done)
    ran = whole["twin runs"]
    share = whole["error, yet the twin runs"] / max(1, ran)
    print(f"errors where the twin runs: {100 * share:.1f} % of {ran}; {time.monotonic() - began:.0f} s")
    harness.expect(share < MOST_ERRORS, f"errors where the twin runs: {100 * share:.1f} %, at most {100 * MOST_ERRORS:.0f} %")
    if harness.options.classes:
        write_classes(done, harness.options.classes)
    for runtime in runner.runtimes:
        runtime.stop()
    if harness.options.keep:
        print(f"files are in {harness.scratch}")
        sys.exit(1 if harness.failures else 0)
    shutil.rmtree(harness.scratch, ignore_errors=True)
    harness.finish(len(done))


if __name__ == "__main__":
    main()
