# SPDX-License-Identifier: GPL-3.0-or-later
"""What semantics.md calls the invariant, for one network at several sizes, and its fields (see random_files.py)."""

import json
import random
import threading
from collections import Counter

import onnx

from idioms import draw
from ort_session import Positive, Runtime, dims_of, half_spaces, image_recipe, show_every_value
from written import errors_of, output_faults, shape_faults, short, without_path

SIZES = 5
UNITS = 2  # of a network whose fields are followed one by one


def sizes_of(seed, own):
    """The own size and others: larger, smaller, not square, odd."""
    chooser = random.Random(seed * 31 + 7)
    others = [(8 * chooser.randint(2, 9), 8 * chooser.randint(2, 9)), (16 * chooser.randint(1, 5),) * 2,
              (chooser.randint(17, 70), chooser.randint(17, 70)), (own[0], own[1] + chooser.choice([8, 16, 3])),
              (own[0] + chooser.choice([2, 4, 8]), own[1])]
    return list(dict.fromkeys([own, *others]))[:SIZES]


class Case:
    """One network in both twins, and everything that was found wrong with it.

    A network (idioms.Net, or what has the same attributes) says opset, layout, size, channels, half, window_nodes {name
    of a node: the map it makes}, hosts_fixed_length and model(); its image input is named "image"."""

    def __init__(self, runner, name, seed, fixed, opened, used):
        self.runner, self.harness, self.seed, self.used = runner, runner.harness, seed, used
        self.net = fixed
        self.faults = []  # (kind, sentence)
        self.pairs = Counter()
        self.files = {}
        for form, net in (("fixed", fixed), ("open", opened)):
            if net:
                self.files[form] = self.harness.scratch / f"{name}.{form}.onnx"
                onnx.save(net.model(), str(self.files[form]))
        self.axes = (1, 2) if self.net.layout == "NHWC" else (2, 3)

    def label(self):
        traits = f"opset {self.net.opset}, {self.net.layout}{', half' if self.net.half else ''}"
        return f"seed {self.seed} ({traits}: {', '.join(self.used)})"

    def fault(self, kind, sentence, form, side):
        self.faults.append((kind, f"{form} at {side[0]}x{side[1]}: {short(without_path(sentence), 300)}"))

    def shape(self, side):
        channels = self.net.channels
        return [1, channels, *side] if self.net.layout == "NCHW" else [1, *side, channels]

    def feeds(self, side):
        return {"image": image_recipe(self.shape(side), "float16" if self.net.half else "float32", seed=9)}

    def run(self):
        for side in sizes_of(self.seed, self.net.size):
            twin = self.runner.ask(model=str(self.files.get("open") or self.files["fixed"]), runs=[self.feeds(side)])
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
        refusal = {"code": f"exit code {result.code}", "layer": "", "message": result.err.strip()}
        errors = errors_of(report) if report else [refusal]
        if report:
            self.note_unknown(report, form, side)
        self.pairs["twin runs"] += bool(twin["ok"])
        if errors:
            self.pairs["error"] += 1
            exempt = form == "fixed" and self.net.hosts_fixed_length and errors[0]["code"] == "size-frozen"
            if twin["ok"] and not exempt:
                self.pairs["error, yet the twin runs"] += 1
                self.fault(f"error '{errors[0]['code']}', yet the twin runs",
                           f"{errors[0]['layer']}: {errors[0]['message']}", form, side)
        else:
            self.written(form, path, side, words, report)

    def note_unknown(self, report, form, side):
        unknown = [row for row in report["layers"] if row["kind"] == "opaque" or row["verdict"] == "unknown"]
        self.pairs["unknown"] += bool(unknown)
        self.pairs["approximate"] += any(row["approximate"] for row in report["layers"])
        if unknown and side == self.net.size:
            row = unknown[0]
            what = row.get('onnx_op') or row['kind']
            self.fault(f"unknown {what}", f"{len(unknown)} layers, first '{row['name']}'", form, side)

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
            self.row_shapes(path, model, out, report, form, side)
        if not self.runner.keep:
            out.unlink()
        return None

    def row_shapes(self, path, model, out, report, form, side):
        onnx.save(show_every_value(model), str(out))
        answer = self.runner.ask(model=str(out), runs=[self.feeds(side)])
        if not answer["ok"]:
            return self.fault("with every value shown, does not run", answer["error"], form, side)
        faults, _ = shape_faults(onnx.load(str(path)), report, answer["shapes"])
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
        # Where one unit's field is not another's, moved: one of them, followed by itself.
        for name, x in [(name, x) for name, x in layers.items() if not x.uniform and rows[name]["rf_max"]][-UNITS:]:
            self.unit(name, x, rows[name], extents[x.name], side)

    def unit(self, name, x, row, spans, side):
        at = [random.Random(self.seed).randrange(len(span)) for span in spans]
        result = self.harness.fovea("field", self.files["fixed"], "--layer", name, "--unit", f"{at[0]},{at[1]}", "--json")
        if result.code:
            return self.fault("field of a unit", f"'{name}': {result.err}", "fixed", side)
        if row["unbounded"]:
            return None  # a gate's product hides what the gate reads
        box = json.loads(result.out)["box"]
        for axis, letter in enumerate("hw"):
            low, high = max(0, box[axis]), min(side[axis], box[axis + 2])
            begin, end = spans[axis][at[axis]]
            is_within = begin >= end or (low <= begin and end <= high)
            is_equal = not x.exact or box[axis] < 0 or box[axis + 2] > side[axis] or (begin, end) == (low, high)
            if not is_within or not is_equal:
                self.fault("field of a unit",
                           f"'{name}' unit {at} reads {letter} {begin} to {end}, reported {low} to {high}", "fixed", side)
        return None

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
                is_inside = start + unit * jump >= 0 and start + unit * jump + extent <= side[axis]
                if x.exact and is_inside and (begin, end) != (low, high):
                    yield f"unit {unit} reads {name} {begin} to {end} only, reported {low:g} to {high:g}"
                    break
        elif x.exact and inside and len(inside) > 4 and largest < extent and not row["approximate"]:
            yield f"reads {largest} px along {name} only, reported {extent}"


class Runner:
    """Asks one ONNX Runtime from each thread."""

    def __init__(self, harness):
        self.harness, self.keep = harness, getattr(harness.options, "keep", False)
        self.local = threading.local()
        self.runtimes = []
        self.lock = threading.Lock()

    def ask(self, **job):
        if not hasattr(self.local, "runtime"):
            self.local.runtime = Runtime(self.harness.ort_folder, threads=1, seconds=60)
            with self.lock:
                self.runtimes.append(self.local.runtime)
        return self.local.runtime.ask(**job)

    def run(self, seed, how):
        """A network of idioms.draw."""
        (fixed, used), (opened, _) = (draw(seed, open_sides=open_sides, **how) for open_sides in (False, True))
        name = f"net_{seed}_{'_'.join(how.get('only') or [])}{fixed.opset}"
        return Case(self, name, seed, fixed, opened, used).run()

    def stop(self):
        for runtime in self.runtimes:
            runtime.stop()
