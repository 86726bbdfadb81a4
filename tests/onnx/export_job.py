#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exported job trains with torchrun on two processes, goes on after a kill, and Fovea opens what it wrote.

A run that is killed without warning and started again ends with the same weights and the same metrics as one that
nobody disturbed. Schedules equal Fovea's; pictures are read from CIFAR's binary files, IDX files and class folders; a
signal ends a run between two steps.
"""

import gzip
import importlib.util
import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

from harness import Harness, kill_all, skip

PATTERNS = "patterns:classes=4,size=16,images=512,validation=128,noise=0.02,clutter=0,pattern=11,place=centre,jitter=0"
NETWORK = "zoo:resnet20,classes=4,size=16"
RECIPE = ["epochs=2", "batch-size=32", "workers=1", "log-interval=4", "lr=0.1", "warmup-epochs=0.5", "checkpoint-interval=5",
          "model-ema=true", "model-ema-decay=0.8", "clip-grad=5", "crop-pad=1", "hflip=0"]
SECONDS = 120
# torchrun of PyTorch 1.13 cannot say "redirect nothing" on Python 3.11.
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--redirects", "1", "--tee", "1"]


def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1"}


def free_port():
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(folder, processes=2):
    command = TORCHRUN + ["--log_dir", str(folder) + ".logs", "--master_port", str(free_port())] if processes > 1 else [sys.executable]
    log = open(str(folder) + ".out", "ab")
    return subprocess.Popen(command + [str(folder / "train.py")], env=environment(), stdout=log, stderr=log,
                            stdin=subprocess.DEVNULL, start_new_session=True)


def run(harness, folder, processes=2):
    process = start(folder, processes)
    try:
        code = process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        kill_all(process.pid)
        code = "no end"
    text = Path(str(folder) + ".out").read_text(errors="replace")
    return harness.expect(code == 0, f"{folder.name}: {code}: {text[-600:]}")


def lines_of(folder):
    path = folder / "metrics.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def wait_for_step(harness, folder, process, step):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        if any(line["step"] >= step for line in lines_of(folder)):
            return True
        time.sleep(0.01)
    return harness.expect(False, f"{folder.name}: never came to step {step}: {Path(str(folder) + '.out').read_text()[-600:]}")


def write_job(harness, name, model, data, options):
    folder = harness.scratch / name
    command = [harness.options.write_job, model, folder, data, *options]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    harness.expect(result.returncode == 0, f"{name}: {result.stderr}")
    return folder, [float(line) for line in result.stdout.split()]


def imported(folder, name):
    spec = importlib.util.spec_from_file_location(f"job_{name}", folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def same_tensors(torch, first, second):
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def check_two_processes(harness):
    import torch

    whole, _ = write_job(harness, "whole", NETWORK, PATTERNS, RECIPE)
    broken, _ = write_job(harness, "broken", NETWORK, PATTERNS, RECIPE)
    if not run(harness, whole):
        return
    process = start(broken)
    if not wait_for_step(harness, broken, process, 20):
        return
    kill_all(process.pid)
    process.wait()
    killed_at = max(line["step"] for line in lines_of(broken))
    harness.expect(json.loads((broken / "run.json").read_text())["state"] == "running" and killed_at < 32, "it was over before it was killed")
    with open(broken / "metrics.jsonl", "a") as file:
        file.write('{"kind": "step", "epo')  # as a write that was cut
    if not run(harness, broken):
        return
    harness.expect("Goes on from epoch" in (broken / "log.txt").read_text(), "it began anew after the kill")

    kept = ("kind", "epoch", "step", "lr", "train_loss", "eval_loss", "eval_top1", "eval_top5")
    first, second = ([{key: line.get(key) for key in kept} for line in lines_of(folder)] for folder in (whole, broken))
    harness.expect(first == second, f"metrics differ after a kill: {first[-1]} and {second[-1]}")
    epochs = [line for line in first if line["kind"] == "epoch"]
    harness.expect([line["step"] for line in epochs] == [16, 32] and len(first) == 10, f"lines: {[line['step'] for line in first]}")
    print("loss", ", ".join(f"{line['train_loss']:.3f}" for line in first if line["kind"] == "step"))
    harness.expect(epochs[1]["train_loss"] < 0.8 * epochs[0]["train_loss"], f"the loss did not fall: {epochs}")

    model = imported(broken, "model")
    for name in ("last", "best"):
        weights = [model.read_safetensors(folder / f"{name}.safetensors") for folder in (whole, broken)]
        harness.expect(same_tensors(torch, *weights), f"{name}.safetensors differs after a kill")
        model.load(broken / f"{name}.safetensors")
    harness.expect(len(list(broken.glob("last-*.state.safetensors"))) == 1, "old states were left")
    info = json.loads((broken / "run.json").read_text())
    harness.expect(info["state"] == "done" and len(info["classes"]) == 4, f"run.json: {info}")
    report = harness.analysis(broken)
    harness.expect(report and report["summary"]["parameters"] == sum(t.numel() for t in model.Network().parameters()),
                   "the run does not open as its network")
    check_opened(harness, broken, model)
    before = lines_of(broken)
    harness.expect(run(harness, broken, 1) and lines_of(broken) == before, "a run that is done does not stay as it is")


def check_opened(harness, folder, model):
    """The weights that Fovea writes from the run are those of its best checkpoint."""
    import torch

    source = harness.scratch / "opened.py"
    if harness.expect_done("convert", folder, source):
        ours = model.read_safetensors(source.with_suffix(".safetensors"))
        theirs = model.read_safetensors(folder / "best.safetensors")
        counters = [key for key in theirs if key.endswith("num_batches_tracked")]
        for tensors in (ours, theirs):
            for key in counters:
                tensors.pop(key)
        harness.expect(same_tensors(torch, ours, theirs), "Fovea opens other weights than the best")


def check_schedules(harness):
    settings = (["sched=cosine", "warmup-epochs=1.5"], ["sched=step", "decay-epochs=1.5", "decay-rate=0.3"], ["sched=constant"],
                ["sched=onecycle", "warmup-epochs=1"], ["sched=onecycle", "epochs=1", "max-steps=2"], ["max-steps=20", "min-lr=1"])
    train = None
    for number, options in enumerate(settings):
        folder, rates = write_job(harness, f"schedule{number}", "zoo:lenet5", "patterns", ["epochs=5", *options])
        train = train or imported(folder, "train")
        recipe = json.loads((folder / "recipe.json").read_text())
        ours = [train.learning_rate(recipe, step, 7) for step in range(train.total_steps(recipe, 7))]
        same = len(ours) == len(rates) and all(abs(a - b) <= 1e-12 * max(a, b) for a, b in zip(ours, rates))
        harness.expect(same and len(rates) > 1, f"learning rates of {options} differ: {ours[:9]} and {rates[:9]}")


def write_cifar(folder):
    """Each class its own brightness."""
    folder.mkdir()
    for name, count in (("data_batch_1.bin", 60), ("test_batch.bin", 20)):
        rows = [bytes([i % 10]) + bytes([25 * (i % 10) + j % 7 for j in range(3072)]) for i in range(count)]
        (folder / name).write_bytes(b"".join(rows))


def write_idx(folder):
    folder.mkdir()
    pixels = bytes(i % 256 for i in range(30 * 12 * 10))
    with gzip.open(folder / "train-images-idx3-ubyte.gz", "wb") as file:
        file.write(struct.pack(">IIII", 0x803, 30, 12, 10) + pixels)
    (folder / "train-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, 30) + bytes(i % 3 for i in range(30)))


def write_pictures(folder):
    from PIL import Image

    for number, name in enumerate(("ant", "bee")):
        (folder / "train" / name).mkdir(parents=True)
        (folder / "val" / name).mkdir(parents=True)
        for i in range(4):
            Image.new("RGB", (20 + i, 14), (200 * number, 10, 30)).save(folder / "train" / name / f"{i}.png")
        Image.new("L", (9, 9), 90).save(folder / "val" / name / "grey.jpg")


def check_sources(harness, folder):
    import torch

    images = imported(folder, "images")
    cifar, idx, pictures = (harness.scratch / name for name in ("cifar", "idx", "pictures"))
    write_cifar(cifar)
    write_idx(idx)
    write_pictures(pictures)
    train, held = images.open_data(str(cifar), 0.2, 1)
    harness.expect((len(train), len(held), len(train.classes), train.label(13)) == (60, 20, 10, 3), "CIFAR is not read right")
    harness.expect(train.image(3)[2, 1, 0] == 75 + (2048 + 32) % 7, "CIFAR's pixels are not in place")
    train, held = images.open_data(str(idx), 0.2, 1)
    harness.expect((len(train), len(held), train.classes) == (24, 6, ["0", "1", "2"]), "IDX files are not read right")
    train, held = images.open_data(str(pictures), 0.2, 1)
    harness.expect((len(train), len(held), train.classes, train.label(5)) == (8, 2, ["ant", "bee"], 1), "folders are not read right")
    generated, _ = images.open_data("patterns", 0.2, 1)
    made = torch.cat([generated.image(i).flatten() for i in range(3)]).int()
    expected = torch.tensor(list((folder / "pixels.bin").read_bytes()), dtype=torch.int32)
    harness.expect(len(made) == len(expected) and (made - expected).abs().max() <= 1, "generated images are not Fovea's")
    recipe = json.loads((folder / "recipe.json").read_text())
    recipe.update(scale_min=0.3, ratio_min=0.75, ratio_max=1.3)
    preprocessing = {"resize": 0, "order": "rgb", "mean": [0.5, 0.5, 0.5], "deviation": [0.5, 0.5, 0.5]}
    for augmented in (None, recipe):
        value, label = images.Samples(train, (3, 8, 8), preprocessing, augmented)[5]
        wanted = torch.tensor([200, 10, 30])[:, None, None] / 255 * 2 - 1
        harness.expect(value.shape == (3, 8, 8) and label == 1 and torch.allclose(value, wanted.expand(3, 8, 8), atol=1e-4), "a picture's numbers are wrong")
    value, _ = images.Samples(held, (3, 8, 8), {**preprocessing, "resize": 16})[0]
    harness.expect(torch.allclose(value, torch.full((3, 8, 8), 90 / 255 * 2 - 1), atol=0.02), "a grey picture's numbers are wrong")
    check_broken(harness, images, pictures, preprocessing)
    try:
        images.open_data(str(harness.scratch / "none"), 0.2, 1)
        harness.fail("a folder that is not there was opened")
    except images.DataError:
        pass
    return cifar


def check_broken(harness, images, pictures, preprocessing):
    """A file that is no image is named; the next in the epoch's order takes its place in training, nothing in evaluation."""
    import torch

    (pictures / "train" / "bee" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    train, _ = images.open_data(str(pictures), 0.2, 1)
    samples = images.Samples(train, (3, 8, 8), preprocessing)
    order, batches = [6, 0, 1, 5, 2, 7, 3, 4], []
    for whole in (images.WholeSamples(samples, order), images.WholeSamples(samples)):
        loader = torch.utils.data.DataLoader(whole, batch_sampler=[[3, 5], [5], [6, 7]], collate_fn=whole.together, num_workers=1)
        batches.append(list(loader))
    labels = [[None if inputs is None else labels.tolist() for inputs, labels, _ in some] for some in batches]
    harness.expect(labels == [[[0, 1], [1], [0, 1]], [[0], None, [1, 1]]], f"labels around a broken image: {labels}")
    said = [[text for _, _, texts in some for text in texts] for some in batches]
    harness.expect(list(map(len, said)) == [1, 1] and all("1.png' cannot be read" in text for text in sum(said, [])),
                   f"a broken image is not named: {said}")


def check_one_process(harness, cifar):
    """Every other setting, frozen layers, a stop by a signal and an early end."""
    import torch

    folder, _ = write_job(harness, "alone", "zoo:resnet20,size=32", cifar,
                          ["opt=adamw", "lr=0.001", "epochs=40", "batch-size=12", "workers=1", "log-interval=1", "sched=step",
                           "layer-decay=0.9", "freeze=layer1.0.bn1", "smoothing=0.1", "mixup=0.2", "cutmix=1", "patience=2", "scale-min=0.5",
                           "ratio-min=0.8", "ratio-max=1.2", "channels-last=true", "amp=true", "weight-decay=0.05"])
    process = start(folder, 1)
    if wait_for_step(harness, folder, process, 2):
        process.send_signal(signal.SIGTERM)
        harness.expect(process.wait(SECONDS) == 0, f"a stopped run: {Path(str(folder) + '.out').read_text()[-600:]}")
        info = json.loads((folder / "run.json").read_text())
        harness.expect(info["state"] == "stopped", f"a stopped run says {info['state']}: {info['reason']}")
    if not run(harness, folder, 1):
        return
    info = json.loads((folder / "run.json").read_text())
    harness.expect(info["state"] == "done" and info["reason"].startswith("No better top-1 in 2 epochs"), f"patience: {info['reason']}")
    model = imported(folder, "model")
    before, after = (model.read_safetensors(folder / name) for name in ("model.safetensors", "last.safetensors"))
    frozen = json.loads((folder / "job.json").read_text())["frozen"]
    harness.expect(len(frozen) == 10 and all(torch.equal(before[key], after[key]) for key in frozen), "a frozen layer changed")
    harness.expect(not torch.equal(before["layer1.0.conv2.weight"], after["layer1.0.conv2.weight"]), "the next layer did not learn")
    steps = [line["step"] for line in lines_of(folder) if line["kind"] == "step"]
    harness.expect(steps == list(range(1, len(steps) + 1)), f"steps: {steps}")
    bad, _ = write_job(harness, "bad", NETWORK, "nowhere", RECIPE)
    process = start(bad, 1)
    harness.expect(process.wait(SECONDS) == 2 and json.loads((bad / "run.json").read_text())["state"] == "failed",
                   "data that is not there is no failure")


def main():
    harness = Harness(__doc__, lambda parser: parser.add_argument("--write-job", required=True))
    try:
        import torch
        import torch.distributed
    except ImportError:
        skip("python3-torch is not installed")
    check_schedules(harness)
    cifar = check_sources(harness, harness.scratch / "schedule0")
    check_two_processes(harness)
    check_one_process(harness, cifar)
    harness.finish("two jobs of two processes, one of one")


if __name__ == "__main__":
    main()
