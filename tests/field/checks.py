# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of one kind share (field_checks.py): Fovea's reports and files, ONNX Runtime's answers."""

import json
from pathlib import Path

import onnx

from counted import count
from idioms import draw
from invariant import Case
from ort_session import Positive, dims_of, element_of, image_recipe, show_every_value, true_inputs
from torch_nets import Exported
from written import FieldRuler, errors_of, output_faults, shape_faults, short, value_of_rows, without_path

HERE = Path(__file__).resolve().parent
BOUND = 1e-4  # largest |difference| / largest |output| between a network and its rewritten self


class Checks:
    """Everything that one kind's checks share; `passed` and `failed` hold names."""

    def __init__(self, runner, name):
        self.runner, self.harness, self.kind = runner, runner.harness, name
        self.passed, self.failed = [], {}
        self.folder = self.harness.scratch / name
        self.folder.mkdir()

    def check(self, name, right, text=""):
        name = f"{self.kind}.{name}"
        if right:
            self.passed.append(name)
        else:
            self.failed[name] = short(without_path(text), 300)
        return right

    def equal(self, name, actual, right):
        return self.check(name, actual == right, f"{actual}, right is {right}")

    def file(self, name):
        return HERE / f"{name}.onnx"

    def save(self, name, model):
        path = self.folder / f"{name}.onnx"
        onnx.save(model, str(path))
        return path

    # Fovea

    def report(self, path, side=None, *words):
        size = ("--size", side) if side else ()
        result = self.harness.fovea("analyze", path, *size, *words, "--json")
        return json.loads(result.out) if result.code == 0 else Missing(result.err.strip())

    def converted(self, path, target, *words):
        """The file written, or None; a check of its own where it must be written."""
        out = self.folder / target
        result = self.harness.fovea("convert", *words, path, out)
        return out if result.code == 0 else None

    def plans(self, path, side=None, *words):
        size = ("--size", side) if side else ()
        result = self.harness.fovea("refine", path, *size, *words, "--json")
        return json.loads(result.out)["plans"] if result.code in (0, 1) and result.out else []

    def plan_files(self, path, side=None):
        """(plan, the file written) of every plan offered."""
        plans = self.plans(path, side)
        pattern = self.folder / f"{path.stem}-{side or 'own'}-{{id}}.onnx"
        if plans:
            self.harness.fovea("refine", path, *(("--size", side) if side else ()), "--all", "-o", pattern)
        return [(plan, Path(str(pattern).replace("{id}", plan["id"]))) for plan in plans]

    # ONNX Runtime

    def feeds(self, path, side=None, seed=5):
        """Random images for every input; open axes are 1, or the side given for the last two."""
        recipes = {}
        for value in true_inputs(onnx.load(str(path))):
            dims = [dim if isinstance(dim, int) and dim > 0 else 1 for dim in dims_of(value)]
            if side:
                at = (1, 2) if dims[-1] in (1, 3) and len(dims) == 4 and dims[1] not in (1, 3) else (len(dims) - 2, len(dims) - 1)
                dims[at[0]], dims[at[1]] = [int(length) for length in (side.split("x") if "x" in side else (side, side))]
            recipes[value.name] = image_recipe(dims, element_of(value), seed=seed)
        return recipes

    def runs(self, path, side=None, **job):
        return self.runner.ask(model=str(path), runs=[self.feeds(path, side)], **job)

    def same(self, name, path, other, side=None):
        """Both files compute the same: as they stand where ONNX Runtime's optimisation changes what the other computes,
        as it does where it quantises kernels that lie between quantised maps."""
        if other is None:
            return self.check(name, False, "was not written")
        ratio = self.ratio(path, other, side)
        if not isinstance(ratio, str) and ratio > BOUND and self.runs(other, side, plain=True)["own_ratio"] > BOUND:
            ratio = self.ratio(path, other, side, optimised=False)
        return self.check(name, not isinstance(ratio, str) and ratio <= BOUND, f"{ratio}")

    def ratio(self, path, other, side, **how):
        answer = self.runs(path, side, models=[str(other)], **how)
        return answer["ratios"][0] if answer["ok"] else answer["error"]

    def numbers(self, name, path, side=None, **right):
        """Keys of the summary; i_max and i_min may be one number for both axes."""
        report = self.report(path, side)
        for key, value in right.items():
            found = report["summary"][key] if report else None
            if key.startswith("i_") and isinstance(value, int):
                value = [value, value]
            self.check(f"{name}.{key}", found == value, f"{found}, right is {value} {'' if report else report.said}")
        return report

    def known(self, name, report):
        rows = [row for row in report["layers"] if row["kind"] == "opaque" or row["verdict"] == "unknown"] if report else []
        text = f"{len(rows)} unknown, first '{rows[0]['name']}' ({rows[0].get('onnx_op')})" if rows else str(report)[:200]
        self.check(f"{name}.known", bool(report) and not rows, text)

    def at_size(self, name, path, side, must_run=None):
        """The invariant at one size: an error, or what is written runs with the shapes of the report.
        must_run: True where an error is wrong, False where anything but an error is."""
        report = self.report(path, side)
        errors = [report.said] if not report else [f"{issue['code']}: {issue['message']}" for issue in errors_of(report)]
        if errors:
            return self.check(name, must_run is not True, f"refused at {side}: {errors[0]}")
        if must_run is False:
            return self.check(name, False, f"no error at {side}, where ONNX Runtime runs nothing")
        out = self.converted(path, f"{path.stem}-{side}.onnx", "--size", side)
        if not out:
            return self.check(name, False, f"no error at {side}, yet not written")
        model = onnx.load(str(out))
        shown = self.folder / "shown.onnx"
        onnx.save(show_every_value(model), str(shown))
        plain, answer = self.runs(out, side), self.runs(shown, side)
        if not plain["ok"] or not answer["ok"]:
            return self.check(name, False, f"written at {side}: {plain.get('error') or answer.get('error')}")
        faults = output_faults(report, plain["shapes"]) + shape_faults(onnx.load(str(path)), report, answer["shapes"])[0]
        return self.check(name, not faults, f"at {side}: {faults[0] if faults else ''}")

    def macs(self, name, path):
        """Counted apart, at the file's own size."""
        model = onnx.load(str(path))
        shown = self.folder / "shown.onnx"
        onnx.save(show_every_value(model), str(shown))
        answer = self.runs(shown)
        if not answer["ok"]:
            return self.check(f"{name}.macs", False, answer["error"])
        shapes = {value.name: dims_of(value) for value in true_inputs(model)}
        layers, _ = count(model, {**shapes, **answer["shapes"]})
        report = self.report(path)
        return self.equal(f"{name}.macs", report["summary"]["macs"] if report else None, layers)

    def box(self, name, path, layer, axes=(2, 3), map_axes=(2, 3), at=None):
        """One unit's field, by `fovea field` and by half-spaces of pixels."""
        model = onnx.load(str(path))
        report = self.report(path)
        row = next((row for row in report["layers"] if row["name"] == layer), None) if report else None
        if not row or not row["out_shape"] or None in row["out_shape"]:
            return self.check(name, False, f"'{layer}' has no shape")
        unit = at or [length // 2 for length in row["out_shape"][2:]]
        result = self.harness.fovea("field", path, "--layer", layer, "--unit", f"{unit[0]},{unit[1]}", "--json")
        if result.code:
            return self.check(name, False, result.err)
        value = value_of_rows(model, report)[layer]
        positive = self.folder / "positive.onnx"
        onnx.save(show_every_value(Positive(model).model, {value}), str(positive))
        image = true_inputs(model)[0]
        ruler = FieldRuler(self.runner, positive, image.name, dims_of(image), axes)
        faults = ruler.box_faults(value, map_axes, unit, json.loads(result.out)["box"])
        return self.check(name, not faults, f"box {json.loads(result.out)['box']}: {faults[0] if faults else ''}")

    def plans_run(self, name, path, side=None):
        """Every plan offered is written, has the numbers foretold, loads and runs with the shapes of its report."""
        wrong, tried = [], self.plan_files(path, side)
        for plan, out in tried:
            if not out.exists():
                wrong.append(f"'{plan['title']}' was not written")
                continue
            open_sides = any(not isinstance(dim, int) for dim in dims_of(true_inputs(onnx.load(str(out)))[0])[1:])
            at = side if open_sides else None
            report, answer = self.report(out, at), self.runs(out, at)
            if not report or not answer["ok"]:
                wrong.append(f"'{plan['title']}': {answer.get('error') or report.said}")
            elif report["summary"] != plan["after"]:
                wrong.append(f"'{plan['title']}' foretold {plan['after']}, has {report['summary']}")
            else:
                wrong += [f"'{plan['title']}': {fault}" for fault in output_faults(report, answer["shapes"])]
        self.check(name, not wrong, f"{len(wrong)} of {len(tried)} plans: {wrong[0] if wrong else ''}")
        return tried

    # Networks of idioms.py and torch_nets.py

    def drawn(self, idiom, *opsets, layouts=("NCHW", "NHWC"), seeds=(0,)):
        """Networks of one idiom in both twins hold the invariant at five sizes, all known, fields as measured."""
        for opset in opsets:
            for layout in layouts:
                for seed in seeds:
                    how = {"only": [idiom], "opset": opset, "layout": layout, "half": False}
                    nets = [draw(7000 + 31 * opset + seed, open_sides=open_sides, **how) for open_sides in (False, True)]
                    if idiom in nets[0][1]:
                        self.case(f"{idiom}-{opset}-{layout}{f'-{seed}' if seed else ''}", nets[0][0], nets[1][0])

    def exported(self, name, *opsets):
        for opset in opsets:
            self.case(f"torch-{name}-{opset}", Exported(name, opset), Exported(name, opset, True))

    def case(self, name, fixed, opened):
        case = Case(self.runner, f"{self.kind}-{name}", sum(map(ord, name)), fixed, opened, [name]).run()
        kinds = dict.fromkeys(kind for kind, _ in case.faults)
        text = "; ".join(f"{kind}: {next(said for other, said in case.faults if other == kind)}" for kind in kinds)
        self.check(name, not case.faults, text)

    def own_records(self, name, path, *opsets, side=None):
        self.same(f"{name}.records", path, self.converted(path, f"{path.stem}-records.onnx", "--no-origin"), side)
        for opset in opsets:
            out = self.converted(path, f"{path.stem}-records-{opset}.onnx", "--no-origin", "--opset", str(opset))
            self.same(f"{name}.records-{opset}", path, out, side)
            declared = [item.version for item in onnx.load(str(out)).opset_import if not item.domain] if out else None
            self.equal(f"{name}.declares-{opset}", declared, [opset])

    def row(self, name, report, layer, **right):
        found = next((row for row in report["layers"] if row["name"] == layer), {}) if report else {}
        for key, value in right.items():
            self.equal(f"{name}.{key}", found.get(key), value)


class Missing:
    """No report: false, with what was said."""

    def __init__(self, said):
        self.said = said

    def __bool__(self):
        return False

    def __str__(self):
        return self.said
