# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ONNX tests share: the real `fovea` program, ONNX Runtime through tests/models/ort/run.mjs, and
where the exported models are.

Every script takes --fovea PROGRAM and --build FOLDER. FOVEA_TEST_MODELS, FOVEA_TEST_ORT and
FOVEA_TEST_OUT say where the exported models, onnxruntime-node and room for files are; without them
FOLDER/models, FOLDER/ort and FOLDER/test-out. A part that is missing skips the test with a sentence.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SKIPPED = 77  # ctest's SKIP_RETURN_CODE
BOUND = 1e-4  # largest |difference| / largest |output| between a network and its rewritten self
ROOT = Path(__file__).resolve().parents[2]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def folder_from(variable, fallback):
    return Path(os.environ.get(variable) or fallback).resolve()


class Harness:
    def __init__(self, doc, add_options=lambda parser: None):
        parser = argparse.ArgumentParser(description=doc.strip().splitlines()[0])
        parser.add_argument("--fovea", type=Path, required=True)
        parser.add_argument("--build", type=Path, required=True)
        add_options(parser)
        self.options = parser.parse_args()
        self.program = self.options.fovea.resolve()
        self.model_folder = folder_from("FOVEA_TEST_MODELS", self.options.build / "models")
        self.ort_folder = folder_from("FOVEA_TEST_ORT", self.options.build / "ort")
        self.networks_folder = folder_from("FOVEA_TEST_NETWORKS", self.options.build / "networks")
        self.broken_folder = folder_from("FOVEA_TEST_BROKEN", self.options.build / "broken")
        room = folder_from("FOVEA_TEST_OUT", self.options.build / "test-out")
        room.mkdir(parents=True, exist_ok=True)
        self.scratch = Path(tempfile.mkdtemp(prefix=f"{Path(sys.argv[0]).stem}-", dir=room))
        self.failures = []

    # Models

    def models(self):
        """Every exported model, small files first."""
        found = sorted(self.model_folder.glob("*.onnx"), key=lambda path: (path.stat().st_size, path.name))
        if not found:
            skip(f"no exported models in {self.model_folder}; tests/models/export_torchvision.py makes them")
        wanted = getattr(self.options, "only", None)
        return [path for path in found if not wanted or path.stem in wanted]

    # The program under test

    def fovea(self, *arguments, seconds=300):
        """Runs fovea; a crash or a hang is a failure in any test."""
        words = [str(word) for word in arguments]
        try:
            result = subprocess.run(
                [str(self.program), *words], capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            self.fail(f"fovea {' '.join(words)}: no end within {seconds} s")
            return Result(124, "", "")
        text = [stream.decode(errors="replace") for stream in (result.stdout, result.stderr)]
        if result.returncode < 0 or result.returncode > 3:
            self.fail(f"fovea {' '.join(words)}: crashed ({result.returncode}) {text[1][-400:]}")
        return Result(result.returncode, *text)

    def expect_done(self, *arguments):
        """Whether fovea exits 0; where not, that is a failure with what it said."""
        result = self.fovea(*arguments)
        if result.code != 0:
            self.fail(f"fovea {' '.join(map(str, arguments))}: exit code {result.code}: {result.err.strip()[-400:]}")
        return result.code == 0

    def analysis(self, *arguments):
        """fovea analyze ... --json, or None after a failure."""
        result = self.fovea("analyze", *arguments, "--json")
        if result.code != 0:
            self.fail(f"fovea analyze {' '.join(map(str, arguments))}: exit code {result.code}: {result.err.strip()[-400:]}")
            return None
        return json.loads(result.out)

    # ONNX Runtime

    def require_ort(self):
        if not shutil.which("node"):
            skip("node is not installed")
        if not (self.ort_folder / "node_modules" / "onnxruntime-node").is_dir():
            skip(f"onnxruntime-node is not installed in {self.ort_folder}")

    def run_ort(self, jobs, seconds=300):
        """{id: result} of run.mjs (its header describes jobs and results), all in one process."""
        if not jobs:
            return {}
        jobs_file, report = self.scratch / "jobs.json", self.scratch / "report.json"
        jobs_file.write_text(json.dumps(jobs))
        report.unlink(missing_ok=True)
        command = ["node", ROOT / "tests/models/ort/run.mjs", "--modules", self.ort_folder, "--jobs", jobs_file]
        command += ["--report", report, "--seconds", seconds]
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if result.returncode or not report.exists():
            self.fail(f"run.mjs: exit code {result.returncode}: {result.stderr[-400:]}")
            return {}
        return {entry["id"]: entry for entry in json.loads(report.read_text())}

    # Results

    def fail(self, sentence):
        self.failures.append(sentence)
        print(f"FAIL {sentence}", flush=True)

    def expect(self, condition, sentence):
        if not condition:
            self.fail(sentence)
        return condition

    def finish(self, checked):
        shutil.rmtree(self.scratch, ignore_errors=True)
        if not checked:
            print("nothing was checked")
            sys.exit(1)
        print(f"{checked} checked, {len(self.failures)} failures")
        sys.exit(1 if self.failures else 0)


def descendants(pid):
    """The process and all below it."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                pass
    return found


def kill_all(pid):
    """SIGKILL to the process and all below it, the youngest first."""
    for one in reversed(descendants(pid)):
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def is_refusal(self):
        """Exit code 2, nothing on stdout, one sentence on stderr."""
        lines = self.err.strip().splitlines()
        return self.code == 2 and not self.out and len(lines) == 1 and len(lines[0]) > 10


def add_only(parser):
    parser.add_argument("--only", nargs="*", metavar="MODEL", help="file stems; default: every exported model")


def in_parallel(function, items, workers=2):
    """Results in the items' order; the work itself is done by child processes."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))
