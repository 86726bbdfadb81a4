#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A training run that is killed (SIGKILL) again and again, and resumed each time, equals one that nobody disturbed.

Equal means: last and best weights and the optimiser's state byte for byte, and every line of metrics but its timings.
Each of the runs is killed at moments drawn from its seed, among them while the engine starts, and on purpose in the
middle of a checkpoint; each life has another number of workers.

The same where the disk is full: no file may grow beyond a size that a checkpoint needs, the run ends with a sentence
that names the file, and it goes on from its last checkpoint once there is room.
"""

import json
import os
import random
import resource
import signal
import subprocess
import time
from pathlib import Path

from harness import Harness, kill_all

NETWORK = "zoo:resnet20,classes=4,size=16"
DATA = "patterns:classes=4,size=16,images=1536,validation=64,noise=0.02,clutter=0,pattern=11,place=centre,jitter=0"
# Everything that keeps state from step to step: moments, averages, early stopping, both mixings, dropped lines.
RECIPE = ["--preset", "scratch", "--opt", "adamw", "--lr", "0.002", "--epochs", "3", "--batch-size", "16", "--mixup", "0.2",
          "--cutmix", "0.5", "--smoothing", "0.1", "--clip-grad", "1", "--warmup-epochs", "1", "--model-ema",
          "--model-ema-decay", "0.9", "--patience", "3", "--log-interval", "5", "--hflip", "0"]
TIMINGS = ("seconds", "images_per_second", "memory")
SECONDS = 300
FILES = ("last.safetensors", "best.safetensors")


def allow_files_of(most):
    """In the child: longer writes fail as on a full disk, instead of ending the program."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


class Life:
    """One process of `fovea train` and its engine; `most`: bytes that a file of theirs may have."""

    def __init__(self, harness, arguments, most=None):
        environment = {**os.environ, "FOVEA_ENGINE": str(harness.options.engine.resolve()), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen([str(harness.program), "train", *map(str, arguments)], env=environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, preexec_fn=most and (lambda: allow_files_of(most)))

    def ended(self):
        return self.process.poll() is not None

    def kill(self):
        """Whether it had not ended before. Both programs are gone when this returns."""
        alive = not self.ended()
        kill_all(self.process.pid)
        self.process.communicate()
        return alive and self.process.returncode == -signal.SIGKILL

    def finish(self):
        try:
            text, _ = self.process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return "no end", ""
        return self.process.returncode, text


def half_written(run):
    return {name for name in (os.listdir(run) if run.is_dir() else []) if ".safetensors." in name}


def arguments_for(run, interval, workers):
    """Of the run's next life: it is resumed where it had begun."""
    recipe = run / "recipe.json"
    if not (run / "run.json").exists():
        return [NETWORK, "--data", DATA, *RECIPE, "--checkpoint-interval", interval, "--workers", workers, "-o", run]
    settings = json.loads(recipe.read_text())
    settings["workers"] = workers
    recipe.write_text(json.dumps(settings))
    return [run, "--resume"]


def metrics_of(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in TIMINGS} for line in lines]


def state_of(run):
    """The one state file's bytes, without the seconds that the run took."""
    files = [path for path in run.iterdir() if path.name.endswith(".state.safetensors")]
    if len(files) != 1:
        return f"{len(files)} state files"
    data = files[0].read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    begin, end = header["position/numbers"]["data_offsets"]
    seconds = 8 + length + begin + 8  # the second of four doubles
    return files[0].name, data[:seconds] + data[seconds + 8:]


def disturbed(harness, name, interval, kills, seed):
    """A run that is killed `kills` times and then left alone. (folder, how many kills hit a half written file)"""
    run = harness.scratch / name
    chance = random.Random(seed)
    hit = done = lives = 0
    while done < kills:
        lives += 1
        before = half_written(run)
        life = Life(harness, arguments_for(run, interval, 1 + lives % 3))
        aimed = done % 2 == 1  # every other kill waits for a checkpoint that is being written
        until = time.monotonic() + chance.uniform(0.02, 1.2)
        while not life.ended() and time.monotonic() < until:
            time.sleep(0.001)
        while aimed and not life.ended() and not half_written(run) - before:
            pass
        if not life.kill():
            break  # it had come to its end
        done += 1
        hit += bool(half_written(run) - before)
    code, text = Life(harness, arguments_for(run, interval, 2)).finish()
    harness.expect(code == 0, f"{name}: exit code {code} after {done} kills: {text[-400:]}")
    harness.expect(not half_written(run), f"{name}: half written files are left: {half_written(run)}")
    return run, done, hit


def filled(harness, name, room_from_the_start):
    """A run that meets a full disk, at its first checkpoint or after some, and is resumed where there is room."""
    run = harness.scratch / name
    if room_from_the_start:
        life = Life(harness, arguments_for(run, 5, 2))
        while not life.ended() and not (run / "last.safetensors").exists():
            time.sleep(0.002)
        life.kill()
    before = (run / "last.safetensors").read_bytes() if room_from_the_start else None
    code, text = Life(harness, arguments_for(run, 5, 2), most=200_000).finish()
    lines = text.strip().splitlines()
    harness.expect(code in (2, 3), f"{name}: exit code {code} on a full disk: {text[-400:]}")
    harness.expect(bool(lines) and lines[-1].startswith("fovea: ") and str(run) in lines[-1] and "File too large" in lines[-1],
                   f"{name}: a full disk is told as {lines[-1:]}")
    after = (run / "last.safetensors").read_bytes() if room_from_the_start else None
    harness.expect(before == after, f"{name}: the last checkpoint was lost")
    harness.expect(not half_written(run), f"{name}: half written files are left: {half_written(run)}")
    code, text = Life(harness, arguments_for(run, 5, 1)).finish()
    harness.expect(code == 0, f"{name}: exit code {code} once there was room: {text[-400:]}")
    print(f"{name}: {lines[-1:]}", flush=True)
    return run


def expect_same(harness, name, run, whole):
    for file in FILES:
        harness.expect((run / file).read_bytes() == (whole / file).read_bytes(), f"{name}: {file} is another")
    harness.expect(state_of(run) == state_of(whole), f"{name}: another state")
    harness.expect(metrics_of(run) == metrics_of(whole), f"{name}: other metrics")


def main():
    harness = Harness(__doc__, lambda parser: parser.add_argument("--engine", type=Path, required=True))
    whole = harness.scratch / "whole"
    code, text = Life(harness, arguments_for(whole, 1, 2)).finish()
    if not harness.expect(code == 0, f"whole: exit code {code}: {text[-400:]}"):
        harness.finish(0)
    # Checkpoints at every step, so that most kills fall close to one; and at the ends of epochs alone.
    kills = hits = 0
    for name, interval, count in (("every step", 1, 14), ("every seventh", 7, 6), ("epochs", 0, 2)):
        run, done, hit = disturbed(harness, name, interval, count, seed=count)
        kills, hits = kills + done, hits + hit
        expect_same(harness, name, run, whole)
        print(f"{name}: {done} kills, {hit} in the middle of a file", flush=True)
    for name, room in (("full from the start", False), ("full after a while", True)):
        expect_same(harness, name, filled(harness, name, room), whole)
    harness.expect(kills >= 20, f"only {kills} kills")
    harness.expect(hits >= 3, f"only {hits} kills hit a file that was being written")
    harness.finish(kills)


if __name__ == "__main__":
    main()
