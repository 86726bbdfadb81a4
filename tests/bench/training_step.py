#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A training step of fovea-engine against Python's PyTorch of the same version, and what training costs besides.

    training_step.py --bin FOLDER [--threads N] [--rounds N]

Both sides run the same network from the same weights (the source that `fovea convert` writes), on the same kind of
batch, with as many threads: forward, cross-entropy, backward, SGD with Nesterov's momentum and weight decay. Each
lives in one process, and the two take turns, so that whatever else the machine does falls on both; a turn of each gives a
ratio of medians, and the figure is the median of those. The engine's own overhead is what a step of a whole `fovea train` takes longer than
the same step alone: reading and preparing images, metrics, progress.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Zoo name, side, batch: large convolutions, small ones, depthwise ones with squeeze and excitation, many tensors.
NETWORKS = (("resnet18,classes=10", 64, 16), ("resnet20,classes=10", 32, 32),
            ("mobilenet_v3_small,classes=10", 96, 16), ("densenet121,classes=10", 32, 8))
STEPS = 6  # of each side, each time it is its turn
ROUNDS = 5
OVERHEAD_STEPS = 60


def peer():
    """Python's side: for each line, a network's source and a batch, then a line of seconds for each further one."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    network = optimiser = images = labels = None
    for line in sys.stdin:
        task = json.loads(line)
        if "source" in task:
            spec = importlib.util.spec_from_file_location("network", task["source"])
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            network = module.load(Path(task["source"]).with_suffix(".safetensors")).train()
            groups = [[p for p in network.parameters() if (p.dim() > 1) == decays] for decays in (True, False)]
            optimiser = torch.optim.SGD([{"params": groups[0], "weight_decay": 1e-4}, {"params": groups[1]}], lr=1e-3,
                                        momentum=0.9, nesterov=True)
            images = torch.randn(task["batch"], 3, task["side"], task["side"])
            labels = torch.arange(task["batch"]) % 10
        seconds = []
        for _ in range(task["steps"] + 1):
            began = time.perf_counter()
            optimiser.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(network(images), labels)
            loss.backward()
            optimiser.step()
            loss.item()
            seconds.append(time.perf_counter() - began)
        print(json.dumps(seconds[1:]), flush=True)  # the first one warms up, as the engine's does


class Peer:
    def __init__(self, environment):
        self.process = subprocess.Popen([sys.executable, "-B", __file__, "--peer"], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def steps(self, **task):
        self.process.stdin.write(json.dumps({"steps": STEPS, **task}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Engine:
    def __init__(self, program, environment):
        self.process = subprocess.Popen([str(program)], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, method, params):
        """The reply and the notifications before it."""
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
        self.process.stdin.flush()
        told = []
        while True:
            message = json.loads(self.process.stdout.readline())
            if "id" not in message:
                told.append(message)
            elif "error" in message:
                raise RuntimeError(f"{method}: {message['error']['message']}")
            else:
                return message["result"], told

    def steps(self, batch):
        return self.ask("cost", {"batch": batch, "repeats": STEPS, "training": True})[0]["seconds"]

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def loaded(engine, program, name, side, folder):
    """The network in the engine and as PyTorch source, whose path is returned."""
    document, source = folder / "network.fovea", folder / "network.py"
    for arguments in (("convert", f"zoo:{name}", document, "--size", side), ("convert", document, source)):
        subprocess.run([str(program), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    graph = json.loads(document.read_text())
    weights = [str(document.parent / graph["weights"])] if graph.get("weights") else [str(source.with_suffix(".safetensors"))]
    engine.ask("load", {"graph": graph, "weights": weights})
    return source


def trained_step(engine, side, batch, folder):
    """Seconds a step of a training on generated images takes; median over spans of ten steps."""
    data = f"patterns:size=32,images={batch * OVERHEAD_STEPS},validation=32"
    recipe = {"epochs": 1, "lr": 0.001, "batch_size": batch, "log_interval": 10, "workers": 1, "hflip": 0.0}
    _, told = engine.ask("train", {"run": str(folder / "run"), "data": data, "recipe": recipe})
    lines = [message["params"] for message in told if message["method"] == "metrics" and message["params"]["kind"] == "step"]
    spans = [(b["seconds"] - a["seconds"]) / (b["step"] - a["step"]) for a, b in zip(lines, lines[1:])]
    return statistics.median(spans)


def measure(programs, threads, rounds):
    """For each network (name, side, batch, (seconds of the engine, of PyTorch) in each round, training's own share)."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    for name, side, batch in NETWORKS:
        with tempfile.TemporaryDirectory() as scratch:
            engine, other = Engine(programs / "fovea-engine", environment), Peer(environment)
            source = loaded(engine, programs / "fovea", name, side, Path(scratch))
            engine.steps(batch)
            other.steps(source=str(source), batch=batch, side=side)
            turns = []
            for turn in range(rounds):
                seconds = {}
                for who in (engine, other) if turn % 2 == 0 else (other, engine):
                    seconds[who] = statistics.median(who.steps(batch=batch))
                turns.append((seconds[engine], seconds[other]))
            other.end()
            # The workers that prepare images need a processor of their own.
            alone = Engine(programs / "fovea-engine", {**environment, "OMP_NUM_THREADS": str(max(1, threads - 1))})
            loaded(alone, programs / "fovea", name, side, Path(scratch))
            before = alone.steps(batch) + alone.steps(batch)
            inside = trained_step(alone, side, batch, Path(scratch))
            bare = statistics.median(before + alone.steps(batch) + alone.steps(batch))
            engine.end()
            alone.end()
            yield name, side, batch, turns, inside / bare - 1


def rows(programs, threads=None, rounds=ROUNDS):
    """(what, value, figure, note): time ratios and shares, where less is better."""
    out = []
    for name, side, batch, turns, overhead in measure(programs, threads or os.cpu_count(), rounds):
        what = f"{name.partition(',')[0]} at {side}, batch {batch}"
        mine, theirs = (statistics.median(side) for side in zip(*turns))
        note = f"{mine * 1e3:.1f} ms against {theirs * 1e3:.1f} ms"
        ratio = statistics.median(own / other for own, other in turns)
        out.append((f"training step, PyTorch's is 1: {what}", ratio, 1.03, note))
        out.append((f"training's own share of a step: {what}", overhead, 0.05, ""))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return peer()
    for what, value, figure, note in rows(options.bin.resolve(), options.threads, options.rounds):
        print(f"{what:72} {value:7.3f}  {figure:5.2f}{' OVER' if value > figure else '     '}  {note}")


if __name__ == "__main__":
    main()
