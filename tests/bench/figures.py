#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what the contract gives figures for and prints a table: what, measured, figure, ratio.

    figures.py --bin FOLDER --models FOLDER [--repetitions N] [--json FILE]

FOLDER/fovea-bench measures inside the library; `fovea` and `fovea-studio` are measured as whole
processes (median of N runs after one that warms the disk cache; peak memory is the kernel's
ru_maxrss). A row whose program, model or part is missing says so instead of a number.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import training_step

LIBRARY_MODELS = ("resnet50", "densenet121", "efficientnet_b7")
# Seconds that the peer needs for its own propagation, as the contract states them.
PEER_SECONDS = {"densenet121": 1.2, "efficientnet_b7": 3.4}
SECONDS = 60  # a process that takes longer is ended and counts as not measured
IMPORTS = 31
PEER_PROCESS = (5.1, 476e6)  # rfa_toolbox on resnet50: seconds, bytes


class Row:
    """value and figure in base units; unit 's', 'B', '' for a share, or 'x' and '/s' (where more is better)."""

    def __init__(self, what, value, figure, unit, note=""):
        self.what, self.value, self.figure, self.unit, self.note = what, value, figure, unit, note

    def ratio(self):
        if self.value is None or self.figure is None:
            return None
        return self.figure / self.value if self.unit in ("x", "/s") else self.value / self.figure

    def cells(self):
        if self.value is None:
            return [self.what, "not measured", show(self.figure, self.unit), "", self.note]
        ratio = self.ratio()
        mark = "" if ratio is None else f"{ratio:.2f}{' OVER' if ratio > 1 else ''}"
        return [self.what, show(self.value, self.unit), show(self.figure, self.unit), mark, self.note]


def show(value, unit):
    if value is None:
        return "-"
    if unit == "B":
        return f"{value / 1e6:.1f} MB"
    if unit in ("x", "/s"):
        return f"{value:,.0f} {unit}".replace(" /s", "/s")
    if not unit:
        return f"{value:.3f}"
    for size, name in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value / 1e-9:.3g} ns"


def run_measured(command, environment=None, line=None):
    """(seconds, peak bytes) of one process with its children that is told `line`; None where it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    )
    process.stdin.write((line or "").encode())
    process.stdin.close()
    watch = threading.Timer(SECONDS, process.kill)
    watch.start()
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    watch.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        name = " ".join([Path(command[0]).name, *map(str, command[1:2])])
        print(f"{name}: exit code {process.returncode} {said.decode()[-200:]}", file=sys.stderr)
        return None
    return seconds, usage.ru_maxrss * 1024


def whole_process(command, repetitions, environment=None, line=None):
    """(median seconds, median peak bytes), or (None, None)."""
    if not Path(command[0]).exists() or run_measured(command, environment, line) is None:
        return None, None
    runs = [run_measured(command, environment, line) for _ in range(repetitions)]
    if None in runs:
        return None, None
    return statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs)


def library_results(program, models):
    """{name: benchmark} with medians over repetitions."""
    found = [f"{name}={models / name}.onnx" for name in LIBRARY_MODELS if (models / f"{name}.onnx").exists()]
    environment = {**os.environ, "FOVEA_BENCH_MODELS": ":".join(found)}
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run(
            [str(program), f"--benchmark_out={report.name}", "--benchmark_out_format=json",
             "--benchmark_repetitions=5", "--benchmark_report_aggregates_only=true", "--benchmark_min_time=0.1"],
            env=environment, check=True, stdout=subprocess.DEVNULL,
        )
        benchmarks = json.loads(Path(report.name).read_text())["benchmarks"]
    return {b["run_name"]: b for b in benchmarks if b.get("aggregate_name") == "median"}


def seconds_of(benchmark):
    return benchmark["cpu_time"] * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}[benchmark["time_unit"]]


def per_layer(results, name):
    benchmark = results.get(name)
    return benchmark and seconds_of(benchmark) / benchmark["layers"]


def library_rows(program, models):
    if not program.exists():
        return [Row("library benchmarks", None, None, "s", "fovea-bench is not built")]
    results = library_results(program, models)
    rows = []
    for part, title, figure in (("fields", "fields on a prepared graph, a layer", 200e-9), ("report", "Graph to Report, a layer", 1e-6)):
        for name in ("efficientnet_b7", "chain/1000", "chain/10000", "chain/100000"):
            if any(key.startswith(part) for key in results):
                rows.append(Row(f"{title}, {name}", per_layer(results, f"{part}/{name}"), figure, "s"))
    for name, peer in PEER_SECONDS.items():
        benchmark = results.get(f"fields/{name}")
        factor = benchmark and peer / seconds_of(benchmark)
        rows.append(Row(f"rfa_toolbox's propagation, {name}", factor, 10000, "x", f"its {peer} s as the contract states"))
    moves = results.get("moves/efficientnet_b7")
    rows.append(Row("single moves listed, efficientnet_b7", moves and seconds_of(moves), 60e-3, "s"))
    for name in LIBRARY_MODELS:
        search = results.get(f"proposals_at_64/{name}")
        rows.append(Row(f"plan search at 64, {name}", search and seconds_of(search), 1, "s"))
    return rows + data_rows(results)


def data_rows(results):
    rows = []
    for name, what, images in (
        ("jpeg_64", "64x64 JPEG, padded crop", 5000),
        ("crops_224", "500x375 JPEG, random crop to 224", 300),
        ("evaluation_224", "500x375 JPEG, evaluated at 224", 300),
        ("patterns_64", "64x64 generated image", 5000),
    ):
        benchmark = results.get(f"data/{name}")
        rate = benchmark and 1 / seconds_of(benchmark)
        rows.append(Row(f"images a second and core: {what}", rate, images, "/s"))
    return rows


def process_rows(programs, models, repetitions):
    model = models / "resnet50.onnx"
    seconds, peak = whole_process([programs / "fovea", "analyze", model], repetitions) if model.exists() else (None, None)
    rows = [Row("fovea analyze resnet50.onnx, process", seconds, 25e-3, "s"), Row("the same, peak memory", peak, 40e6, "B")]
    for what, mine, peer, figure in (("time", seconds, PEER_PROCESS[0], 5.1 / 25e-3), ("memory", peak, PEER_PROCESS[1], 476 / 40)):
        rows.append(Row(f"the same, rfa_toolbox's {what}", mine and peer / mine, figure, "x", "its figures as the contract states"))
    return rows


def import_rows(programs, models, older):
    """`fovea analyze` of imported files against an older program, run in turn: the median of the ratios of neighbours."""
    rows = []
    for name in ("resnet50", "efficientnet_b7"):
        ratios = []
        for _ in range(IMPORTS):
            pair = [run_measured([program, "analyze", models / f"{name}.onnx"]) for program in (programs / "fovea", older)]
            if None in pair:
                break
            ratios.append(pair[0][0] / pair[1][0])
        value = statistics.median(ratios) if len(ratios) == IMPORTS else None
        rows.append(Row(f"import of {name}.onnx, against {older}", value, 1, "", "whole processes, run in turn"))
    return rows


def first_picture(programs, model, repetitions):
    """Seconds and peak bytes of the studio that opens, draws its window once into a file and ends."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": folder, "XDG_RUNTIME_DIR": folder}
        command = [programs / "fovea-studio", model, "--screenshot", Path(folder) / "window.png", "--screenshot-after", "0"]
        return whole_process(command, repetitions, environment)


def studio_rows(programs, models, repetitions):
    seconds, small_peak = first_picture(programs, "zoo:example", repetitions)
    note = "whole process on the offscreen platform, with writing the PNG"
    rows = [Row("studio start to first picture, zoo:example", seconds, 0.3, "s", note)]
    model = models / "resnet152.onnx"
    seconds, peak = first_picture(programs, model, repetitions) if model.exists() else (None, None)
    rows.append(Row("resnet152.onnx opened in a new studio", seconds, 0.3 + 0.15, "s", "start and opening: 0.3 s + 0.15 s"))
    more = peak - small_peak if peak and small_peak else None
    rows.append(Row("the same, peak memory above zoo:example's", more, 60e6, "B", "resident, with mapped file pages"))
    return rows


def engine_rows(programs, repetitions):
    hello = '{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":1}}\n'
    seconds, _ = whole_process([programs / "fovea-engine"], repetitions, line=hello)
    return [Row("engine start to ready", seconds, 0.7, "s", "whole process that says hello and ends")]


def training_rows(programs):
    return [Row(what, value, figure, "", note) for what, value, figure, note in training_step.rows(programs)]


def print_table(rows):
    table = [["what", "measured", "figure", "ratio", ""]] + [row.cells() for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(4)]
    for line in table:
        left, *numbers = line[:4]
        cells = [left.ljust(widths[0])] + [text.rjust(width) for text, width in zip(numbers, widths[1:])]
        print("  ".join(cells + [line[4]]).rstrip())
    print("\nratio: measured / figure, for factors and rates figure / measured; above 1 the figure is missed.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--against", type=Path, metavar="FOVEA", help="an older program, for the time of an import")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    rows = library_rows(arguments.bin / "fovea-bench", arguments.models)
    rows += import_rows(arguments.bin, arguments.models, arguments.against.resolve()) if arguments.against else []
    rows += process_rows(arguments.bin, arguments.models, arguments.repetitions)
    rows += studio_rows(arguments.bin, arguments.models, arguments.repetitions)
    rows += engine_rows(arguments.bin, arguments.repetitions)
    rows += training_rows(arguments.bin)
    print_table(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps([{**vars(row), "ratio": row.ratio()} for row in rows], indent=1) + "\n")
    measured = [row for row in rows if row.value is not None]
    sys.exit(0 if measured else 1)


if __name__ == "__main__":
    main()
