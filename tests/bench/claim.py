#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the claim to the test: does a refined network learn more than the original, at equal parameters?

    claim.py --fovea PROGRAM [--quick] [--seeds N] [--jobs N] [--budget MINUTES] [--out FILE.json [--go-on]]
    claim.py --show FILE.json | --self-test

Trains originals and refined networks on the built-in generator, with the same images, epochs, recipe and
seeds, and three controls. Every constant below was committed before the run that README.md shows. What counts is the
top-1 of the last epoch on images that were never trained on, so nothing is selected by it. Trainings that
do not fit into the budget are listed as left out; the file is written again after every training, and with --go-on
those that it holds under the same constants are not made again.
"""

import argparse
import datetime
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# The data: all that is not named here is the generator's own default (10 classes, 32 px, a pattern of 13 px).
# These are the third setting: the second with 11 epochs instead of 5 (at 108 px still 5), because the second run's curves
# were still rising when it ended, with other seeds, and committed before its run. The first (seed 2211, clutter 3, SGD at
# 0.05, batch 32, 4 epochs) was committed before the first run, which was given up after 25 of 39 trainings: nearly all
# were at chance, `needs_none` in half of its own. Then clutter, optimiser, rate and batch were chosen among eight settings by `needs_none`'s original alone, with
# three seeds that no run uses; the epochs were raised by one; and all was committed before the second run (seed 2212).
# claim/first_run_abandoned.json, claim/second_run.json and claim/third_run.json hold what was measured.
PATTERNS = "patterns:images={images},validation={validation},clutter=1,seed=2213"
FULL = {"images": 3000, "validation": 1000, "epochs": 11, "large_epochs": 5}
QUICK = {"images": 2800, "validation": 500, "epochs": 5}
# The recipe of every training; --preset quick is one cycle without augmentation.
RECIPE = ("--preset", "quick", "--opt", "adamw", "--lr", "0.003", "--batch-size", "16", "--workers", "1", "--device", "cpu")
SEEDS = (31, 32, 33, 34, 35)
SIDE = 32
LARGE_SIDE = 108  # above the residual network's i_min of 107
LIMITS = ("--max-macs", "16x", "--min-params", "1.0x")
MARGIN = 5.0  # points of top-1; where no gain is predicted, one that is surely smaller counts as none

# Two-sided 95 % points of Student's t by degrees of freedom.
STUDENT_T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def narrow_head(graph):
    """VGG's head of two 4096-wide layers on a 7x7 map becomes one on the mean over space, 64 wide, without dropout."""
    for node in graph["nodes"]:
        attributes = node["attrs"]
        if node["kind"] == "AdaptiveAvgPool2d":
            attributes["output_size"] = [1, 1]
        if node["kind"] == "Dropout":
            attributes["p"] = 0.0
        if attributes.get("out_features") == 4096:
            attributes["out_features"] = 64


def relax_second_stage(graph):
    """The stride of the second stage from 2 to 1, in its convolution and its shortcut."""
    for node in graph["nodes"]:
        if node["name"] == "layer2.0.conv1":
            node["attrs"]["stride"] = [1, 1]
        if node["name"] == "layer2.0.shortcut.slice":
            node["attrs"]["step"] = [1, 1]


# Networks: of the zoo, with an edit of the graph before and, as `plan`, the proposal of `fovea refine` or an edit.
# Plans are the best listed within LIMITS that leave no unproductive layer and (vgg) move a pooling, (residual)
# change nothing but the stem.
NETWORKS = {
    "vgg": {"model": "vgg11_bn,classes=10,width=0.125", "edit": narrow_head, "plan": "841e62ef76d0"},
    "residual": {"model": "resnet18,classes=10,width=0.25,depth=0.5", "plan": "dd11a780d8a2"},
    "family": {"model": "mobilenet_v3_small,classes=10,width=0.5", "plan": "a24b827c66ca"},
    "needs_none": {"model": "resnet20,classes=10,width=0.5", "plan": relax_second_stage},
}

# Rows: two arms each. An arm is (network, "original" | "refined", side, "epochs" | "macs" to spend).
ROWS = (
    {"key": "vgg", "title": "VGG-11, poolings moved and removed", "expect": "gain"},
    {"key": "residual", "title": "ResNet-18 of one block a stage, stem relaxed", "expect": "gain"},
    {"key": "family", "title": "MobileNetV3-small, early strides relaxed", "expect": "gain"},
    {"key": "needs_none", "title": "control: ResNet-20, which needs none, a stride relaxed all the same", "expect": "none"},
    {"key": "large_side", "title": f"control: the same ResNet-18 and stem, images enlarged to {LARGE_SIDE} px", "expect": "none"},
    {"key": "macs_vgg", "title": "control: VGG-11 refined against the original at the refined one's MACs", "expect": "gain"},
    {"key": "macs_residual", "title": "control: ResNet-18 refined against the original at its MACs", "expect": "gain"},
    {"key": "macs_family", "title": "control: MobileNetV3-small refined against the original at its MACs", "expect": "gain"},
)
MAIN = ("vgg", "residual", "family")
NOTES = (
    "Trained: top-1 in % of the last epoch on {validation} images never trained on; {images} images, batch 16.",
    "A network that needs none: fovea refine offers it nothing, so it gets what the refinements do elsewhere, an early",
    "stride relaxed: more MACs and a finer map, but no layer to make productive. If that gained as much, MACs would be why.",
    f"The side where theory predicts no gain: the same images, enlarged to {LARGE_SIDE} px; there every layer of the original is",
    "productive already. The original at the refined one's MACs: the same schedule over as many more epochs, rounded up.",
    f"Interval: 95 %, Student's t, of the paired differences. 'No gain' is shown where it ends below {MARGIN:g} points.",
)


def arms_of(key):
    if key == "large_side":
        return ("residual", "original", LARGE_SIDE, "epochs"), ("residual", "refined", LARGE_SIDE, "epochs")
    if key.startswith("macs_"):
        return (key[5:], "original", SIDE, "macs"), (key[5:], "refined", SIDE, "epochs")
    return (key, "original", SIDE, "epochs"), (key, "refined", SIDE, "epochs")


def arm_name(arm, seed):
    return "/".join(map(str, (*arm, seed)))


# Statistics


def interval(differences):
    """(mean, half the width of the 95 % interval, or None for fewer than two)."""
    mean = statistics.fmean(differences)
    if len(differences) < 2:
        return mean, None
    deviation = statistics.stdev(differences)
    return mean, STUDENT_T[len(differences) - 1] * deviation / math.sqrt(len(differences))


def verdict(expect, mean, half):
    """What the interval says of the theory; a single seed has none."""
    if half is None:
        return "one seed: no interval"
    low, high = mean - half, mean + half
    if expect == "gain":
        if low > 0:
            return "as the theory says: a gain"
        return "AGAINST THE THEORY: a loss" if high < 0 else "UNDECIDED: zero lies in the interval"
    if low > 0:
        return "AGAINST THE THEORY: a gain where none is predicted"
    return "as the theory says: no gain" if high <= MARGIN else "UNDECIDED: a gain cannot be excluded"


def spread(values):
    return f"{statistics.fmean(values):.1f}" + (f" +- {statistics.stdev(values):.1f}" if len(values) > 1 else "")


# Networks


class Failed(Exception):
    pass


def tell(program, *arguments):
    result = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        raise Failed(f"fovea {' '.join(map(str, arguments))}: exit code {result.returncode}: {result.stderr.strip()}")
    return result.stdout


def edited(source, edit, target):
    graph = json.loads(source.read_text())
    edit(graph)
    target.write_text(json.dumps(graph))


def make_networks(program, folder, name):
    """Writes original and refined; returns their files."""
    network = NETWORKS[name]
    original, refined = folder / f"{name}-original.fovea", folder / f"{name}-refined.fovea"
    tell(program, "convert", f"zoo:{network['model']}", original, "--size", SIDE)
    if "edit" in network:
        edited(original, network["edit"], original)
    if callable(network["plan"]):
        edited(original, network["plan"], refined)
    else:
        tell(program, "refine", original, "--size", SIDE, *LIMITS, "--apply", network["plan"], "-o", refined)
    return original, refined


def facts(program, path, side):
    report = json.loads(tell(program, "analyze", path, "--size", side, "--json"))
    errors = [issue["message"] for issue in report["issues"] if issue["severity"] == "error"]
    if errors:
        raise Failed(f"{path.name} at {side}: {errors[0]}")
    summary = report["summary"]
    return {"i_min": summary["i_min"][0], "parameters": summary["parameters"], "macs": summary["macs"],
            **{word: summary["verdicts"][word] for word in ("productive", "critical", "partial", "unproductive")}}


def demand(condition, sentence):
    if not condition:
        raise Failed(sentence)


def check_premises(program, folder, networks):
    """What the comparison rests on, held against what Fovea says of these very files."""
    for name, network in networks.items():
        before, after = network["facts"][f"original@{SIDE}"], network["facts"][f"refined@{SIDE}"]
        demand(before["parameters"] == after["parameters"],
               f"{name}: {before['parameters']} parameters before and {after['parameters']} after")
        if name == "needs_none":
            offered = json.loads(tell(program, "refine", folder / network["original"], "--size", SIDE, "--json"))["plans"]
            demand(not offered, f"{name}: fovea refine offers {len(offered)} plans")
            demand(all(f["productive"] and not f["critical"] + f["unproductive"] + f["partial"] for f in (before, after)),
                   f"{name}: not every layer is productive")
        else:
            demand(before["unproductive"] > 0 and after["unproductive"] == 0, f"{name}: the plan rescues no layer")
    large = [networks["residual"]["facts"].get(f"{which}@{LARGE_SIDE}") for which in ("original", "refined")]
    for side in filter(None, large):
        demand(side["i_min"] < LARGE_SIDE and not side["critical"] + side["unproductive"] + side["partial"],
               f"residual at {LARGE_SIDE}: not every layer is productive")


def prepare(program, folder, keys):
    networks = {}
    for arm in [arm for key in keys for arm in arms_of(key)]:
        name, which, side, _ = arm
        if name not in networks:
            original, refined = make_networks(program, folder, name)
            diff = json.loads(tell(program, "diff", original, refined, "--size", SIDE, "--json"))
            networks[name] = {"model": NETWORKS[name]["model"], "original": original.name, "refined": refined.name,
                              "changes": diff["changes"], "facts": {}}
        networks[name]["facts"].setdefault(f"{which}@{side}", facts(program, folder / networks[name][which], side))
    check_premises(program, folder, networks)
    return networks


# Trainings


class Bench:
    def __init__(self, options, scale):
        self.options, self.scale = options, scale
        self.program = options.fovea.resolve()
        self.folder = Path(tempfile.mkdtemp(prefix="fovea-claim-"))
        self.deadline = time.monotonic() + 60 * options.budget if options.budget else math.inf
        self.lock = threading.Lock()
        keys = MAIN if options.quick else [row["key"] for row in ROWS]
        seeds = SEEDS[: options.seeds]
        self.result = {
            "schema": "fovea.claim/1", "quick": options.quick, "began": datetime.datetime.now().isoformat(timespec="minutes"),
            "processors": os.cpu_count(), "jobs": options.jobs, "load": [os.getloadavg()[0]], "minutes": 0,
            "scale": scale, "seeds": list(seeds), "data": PATTERNS.format(**scale), "recipe": list(RECIPE),
            "rows": list(keys), "networks": prepare(self.program, self.folder, keys), "trainings": {}, "left_out": [],
        }
        self.before = 0
        if options.go_on and options.out and options.out.exists():
            self.take_up(json.loads(options.out.read_text()))
        self.plan = list(dict.fromkeys((arm, seed) for key in keys for seed in seeds for arm in arms_of(key)))
        self.began = time.monotonic()

    def take_up(self, earlier):
        """Keeps an earlier run's trainings; where it was made under other constants, nothing is mixed."""
        for key in ("schema", "quick", "scale", "seeds", "data", "recipe", "rows", "networks"):
            mine, its = ({name: network["facts"] for name, network in result[key].items()} if key == "networks" else result[key]
                         for result in (json.loads(json.dumps(self.result)), earlier))
            demand(mine == its, f"{self.options.out} was made with another '{key}': name another file")
        for key in ("began", "trainings", "libtorch"):
            self.result[key] = earlier.get(key, self.result.get(key))
        self.before = earlier["minutes"]

    def epochs(self, arm):
        name, _, side, spend = arm
        if spend == "epochs":
            return self.scale["large_epochs" if side == LARGE_SIDE else "epochs"]
        cost = self.result["networks"][name]["facts"]
        ratio = cost[f"refined@{side}"]["macs"] / cost[f"original@{side}"]["macs"]
        return math.ceil(self.scale["epochs"] * ratio)

    def train(self, arm, seed):
        """The training's record, or None where the budget ended first."""
        name, which, side, _ = arm
        run = self.folder / arm_name(arm, seed).replace("/", "-")
        epochs = self.epochs(arm)
        command = [self.program, "train", self.folder / self.result["networks"][name][which], "--size", side, "--data",
                   self.result["data"], "-o", run, *RECIPE, "--epochs", epochs, "--seed", seed, "--json"]
        left = self.deadline - time.monotonic()
        if left <= 0:
            return None
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        try:
            _, said = process.communicate(timeout=None if left == math.inf else left)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            process.communicate()
            return None
        if process.returncode != 0:
            raise Failed(f"{arm_name(arm, seed)}: exit code {process.returncode}: {said.strip()[-300:]}")
        return self.record(arm, seed, run, epochs)

    def record(self, arm, seed, run, epochs):
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        ends = [line for line in lines if line["kind"] == "epoch"]
        demand(len(ends) == epochs, f"{arm_name(arm, seed)}: {len(ends)} of {epochs} epochs")
        per_image = self.result["networks"][arm[0]]["facts"][f"{arm[1]}@{arm[2]}"]["macs"]
        self.result.setdefault("libtorch", json.loads((run / "run.json").read_text())["libtorch"])
        return {"top1": 100 * ends[-1]["eval_top1"], "train_loss": ends[-1]["train_loss"], "epochs": epochs,
                "seconds": ends[-1]["seconds"], "forward_macs": per_image * self.scale["images"] * epochs,
                "curve": [round(100 * line["eval_top1"], 1) for line in ends]}

    def one(self, job):
        arm, seed = job
        name = arm_name(arm, seed)
        if name in self.result["trainings"]:
            return
        record = self.train(arm, seed)
        with self.lock:
            self.result["minutes"] = round(self.before + (time.monotonic() - self.began) / 60, 1)
            if record is None:
                self.result["left_out"].append(name)
            else:
                self.result["trainings"][name] = record
                print(f"{self.result['minutes']:5.1f} min  {name:42} top-1 {record['top1']:5.1f} %  {record['seconds']:4.0f} s",
                      file=sys.stderr, flush=True)
            self.write()

    def write(self):
        self.result["load"] = [self.result["load"][0], os.getloadavg()[0]]
        if self.options.out:
            beside = self.options.out.with_name(self.options.out.name + ".part")
            beside.write_text(json.dumps(self.result, indent=1) + "\n")
            os.replace(beside, self.options.out)

    def run(self):
        with ThreadPoolExecutor(self.options.jobs) as pool:
            for done in [pool.submit(self.one, job) for job in self.plan]:
                try:
                    done.result()
                except Failed:
                    self.deadline = -math.inf  # what still waits is left out
                    raise
        self.write()
        return self.result


# The table


def row_of(result, row):
    """(seeds, top-1 of the first arm, of the second) where both arms were trained."""
    first, second = arms_of(row["key"])
    trained = result["trainings"]
    pairs = [(seed, trained.get(arm_name(first, seed)), trained.get(arm_name(second, seed))) for seed in result["seeds"]]
    whole = [(seed, a["top1"], b["top1"]) for seed, a, b in pairs if a and b]
    return tuple(zip(*whole)) if whole else ((), (), ())


def show_row(result, row):
    seeds, first, second = row_of(result, row)
    lines = ["", row["title"]]
    if not seeds:
        return lines + ["  not measured"]
    arms = arms_of(row["key"])
    for arm, values in zip(arms, (first, second)):
        now = result["networks"][arm[0]]["facts"][f"{arm[1]}@{arm[2]}"]
        record = result["trainings"][arm_name(arm, seeds[0])]
        label = f"{arm[1]}, {record['epochs']} epochs"
        lines.append(f"  {label:21} {'  '.join(f'{value:5.1f}' for value in values)}   {spread(values):>12}   "
                     f"i_min {now['i_min']:3}, layers {now['productive']}/{now['critical']}/{now['unproductive']}, "
                     f"{now['parameters']:,} parameters, {now['macs'] / 1e6:.1f} M MACs, "
                     f"{3 * record['forward_macs'] / 1e12:.2f} T spent")
    differences = [b - a for a, b in zip(first, second)]
    mean, half = interval(differences)
    within = "" if half is None else f" [{mean - half:+.1f}, {mean + half:+.1f}]"
    lines.append(f"  {'difference':21} {'  '.join(f'{value:+5.1f}' for value in differences)}   {mean:+.1f}{within}")
    lines.append(f"  {verdict(row['expect'], mean, half)}")
    return lines


def show(result):
    date, load = result["began"].replace("T", " "), result["load"]
    lines = [f"The claim, put to the test: {date}, {result['processors']} cores, {result['jobs']} trainings at once, LibTorch "
             f"{result.get('libtorch', 'unknown')}, load {load[0]:.1f} to {load[-1]:.1f}, {result['minutes']:.0f} minutes",
             f"seeds {', '.join(map(str, result['seeds']))}; per seed, mean +- deviation; layers productive/critical/unproductive; "
             "spent: 3 x forward MACs"]
    for row in ROWS:
        if row["key"] in result["rows"]:
            lines += show_row(result, row)
    lines += ["", *(note.format(**result["scale"]) for note in NOTES)]
    if result["left_out"]:
        lines += ["", f"LEFT OUT, the budget ended first: {', '.join(sorted(result['left_out']))}"]
    return "\n".join(lines)


# Self-test


def self_test():
    mean, half = interval([1.0, 2.0, 3.0])
    cases = [
        (round(mean, 6), 2.0),
        (round(half, 3), 2.484),  # 4.303 * 1 / sqrt(3)
        (interval([7.0]), (7.0, None)),
        (verdict("gain", 5, 4.9), "as the theory says: a gain"),
        (verdict("gain", -5, 4.9), "AGAINST THE THEORY: a loss"),
        (verdict("gain", 5, 5.1), "UNDECIDED: zero lies in the interval"),
        (verdict("none", 5, 4.9), "AGAINST THE THEORY: a gain where none is predicted"),
        (verdict("none", 1, 4), "as the theory says: no gain"),
        (verdict("none", -9, 4), "as the theory says: no gain"),
        (verdict("none", 1, 4.1), "UNDECIDED: a gain cannot be excluded"),
        (verdict("gain", 50, None), "one seed: no interval"),
        (spread([1.0, 2.0, 3.0]), "2.0 +- 1.0"),
        (arms_of("macs_vgg")[0], ("vgg", "original", SIDE, "macs")),
        (len(SEEDS) - 1 in STUDENT_T, True),
    ]
    made_up = {"seeds": [1, 2], "trainings": {"vgg/original/32/epochs/1": {"top1": 10.0}, "vgg/refined/32/epochs/1": {"top1": 30.0},
                                             "vgg/original/32/epochs/2": {"top1": 11.0}}}
    cases.append((row_of(made_up, ROWS[0]), ((1,), (10.0,), (30.0,))))  # a seed with one arm is no pair
    wrong = [f"got {got!r}, expected {expected!r}" for got, expected in cases if got != expected]
    print("\n".join(wrong) or f"{len(cases)} checks hold")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fovea", type=Path)
    parser.add_argument("--quick", action="store_true", help="one seed, the three main cases, fewer images: 2 minutes on 2 cores")
    parser.add_argument("--seeds", type=int, choices=range(1, len(SEEDS) + 1), help="3, with --quick 1")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at once, one thread each")
    parser.add_argument("--budget", type=float, help="minutes after which it stops and says what was left out")
    parser.add_argument("--out", type=Path, help="JSON with every training")
    parser.add_argument("--go-on", action="store_true", help="keep the trainings that --out holds already")
    parser.add_argument("--show", type=Path, help="the table of a file that --out wrote")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        sys.exit(self_test())
    if options.show:
        print(show(json.loads(options.show.read_text())))
        return
    if not options.fovea:
        parser.error("--fovea PROGRAM is needed")
    options.seeds = options.seeds or (1 if options.quick else 3)
    try:
        print(show(Bench(options, QUICK if options.quick else FULL).run()))
    except Failed as failure:
        print(f"claim.py: {failure}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
