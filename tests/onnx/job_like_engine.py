#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exported job trains as Fovea's own engine does: from the same weights, on the same images, with the same losses.

Among the networks are one that ends in a softmax behind another output, and one with frozen dropout and norms; among
the images nested folders, links, 16 bits of grey and of colours, broken files and pipes. Cutmix's boxes are the engine's.
And the job refuses images of other classes, settings that the command line does not take and files that are cut, gives
TensorBoard the tags of the engine's event files, and opens with the weights that it starts from.
"""

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys

from harness import Harness, skip

PATTERNS = "patterns:classes=4,size=16,images=208,validation=64,noise=0.02,clutter=0,pattern=11,place=centre,jitter=0"
# Lines that span two epochs; every image as it is.
RECIPE = ["--epochs", "2", "--log-interval", "4", "--warmup-epochs", "0", "--workers", "1",
          "--hflip", "0", "--crop-pad", "0", "--scale-min", "1", "--scale-max", "1", "--ratio-min", "1", "--ratio-max", "1",
          "--mixup", "0", "--cutmix", "0", "--no-model-ema", "--no-amp", "--device", "cpu", "--no-unfold-norms"]
BOUND = 1e-3  # relative


def lines_of(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def train(folder, *words, script=None, **environment):
    command = [sys.executable, "-B", *(script or [str(folder / "train.py")]), "--device", "cpu", *map(str, words)]
    return subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1", **environment}, capture_output=True, text=True, timeout=300)


def expect_refused(harness, job, words, sentence, **environment):
    """Exit code 2 and one sentence that begins like this, which run.json then gives as its reason."""
    result = train(job, *words, **environment)
    said = result.stderr.strip().splitlines()
    refused = result.returncode == 2 and len(said) == 1 and said[0].startswith(f"train.py: {sentence}")
    if harness.expect(refused, f"'{sentence}': exit code {result.returncode}, {result.stderr[-300:]}"):
        info = json.loads((job / "run.json").read_text())
        harness.expect((info["state"], f"train.py: {info['reason']}") == ("failed", said[0]),
                       f"'{sentence}': run.json says {info['state']}, {info['reason']}")


def export(harness, name, model, data, *options, batch=32, rate=0.002):
    folder = harness.scratch / name
    recipe = [word for word in RECIPE if word not in ("--device", "cpu")]
    harness.expect_done("train", model, "--data", data, *recipe, "--batch-size", batch, "--lr", rate, *options, "--export-job", folder)
    return folder


def imported(folder, name):
    spec = importlib.util.spec_from_file_location(f"{folder.name}_{name}", folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def near(first, second):
    return abs(first - second) <= BOUND * abs(second)


def compare(harness, name, model, data, *options, batch=32, rate=0.002):
    """The job's folder, after every line of its metrics was held against the engine's."""
    job, run = export(harness, f"{name}_job", model, data, *options, batch=batch, rate=rate), harness.scratch / f"{name}_engine"
    harness.expect_done("train", model, "--data", data, *RECIPE, "--batch-size", batch, "--lr", rate, *options, "-o", run)
    result = train(job)
    if not harness.expect(result.returncode == 0, f"{name}: {result.stderr[-400:]}"):
        return job
    ours, theirs = lines_of(job), lines_of(run)
    places = [[(line["kind"], line["epoch"], line["step"]) for line in lines] for lines in (ours, theirs)]
    if harness.expect(places[0] == places[1], f"{name}: lines {places[0]}, but the engine has {places[1]}"):
        for mine, wanted in zip(ours, theirs):
            for key in ("train_loss", "eval_loss"):
                if key in wanted:
                    harness.expect(near(mine[key], wanted[key]),
                                   f"{name}: {key} at step {wanted['step']} is {mine[key]}, the engine's {wanted[key]}")
            if "eval_top1" in wanted:
                harness.expect(mine["eval_top1"] == wanted["eval_top1"], f"{name}: top-1 {mine['eval_top1']}, the engine's {wanted['eval_top1']}")
        texts = [[line for line in (folder / "log.txt").read_text().splitlines() if "Epoch" in line] for folder in (job, run)]
        harness.expect([line.split("Epoch ")[1][:6] for line in texts[0]] == [line.split("Epoch ")[1][:6] for line in texts[1]],
                       f"{name}: epochs are counted as {texts[0]}, the engine's as {texts[1]}")
    return job


def softmax_network(harness):
    """Two outputs: a map, and the classifier's probabilities."""
    import torch
    from torch import nn

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.map, self.head = nn.Conv2d(3, 8, 5, stride=2), nn.Conv2d(8, 1, 1), nn.Linear(8, 4)

        def forward(self, x):
            x = torch.relu(self.stem(x))
            return self.map(x), torch.softmax(self.head(x.mean((2, 3))), 1)

    torch.manual_seed(1)
    path = harness.scratch / "two.onnx"
    torch.onnx.export(Two().eval(), torch.zeros(1, 3, 16, 16), str(path), output_names=["map", "classes"])
    return path


def dropout_network(harness):
    """Dropout between two convolutions, as an exporter writes it for inference."""
    import onnx
    import torch
    from torch import nn

    torch.manual_seed(2)
    network = nn.Sequential(nn.Conv2d(3, 16, 5, stride=2), nn.ReLU(), nn.Dropout(0.5), nn.Conv2d(16, 8, 3), nn.Flatten(), nn.Linear(128, 4))
    path = harness.scratch / "dropout.onnx"
    torch.onnx.export(network, torch.zeros(1, 3, 16, 16), str(path), training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)
    model = onnx.load(path)
    for node in model.graph.node:
        if node.op_type == "Dropout":
            del node.input[2:], node.output[1:]  # whether it drops, and what it dropped
    onnx.save(model, path)
    return path


def write_nested(folder):
    """Names whose order is another one by path than by text, links among them, 16 bits of grey or of colours each."""
    import struct
    import zlib

    import numpy
    from PIL import Image

    stream = random.Random(5)
    for number, name in enumerate(("bus", "tram")):
        for part in ("a/x", "a b", "a.b", ""):
            (folder / name / part).mkdir(parents=True, exist_ok=True)
            for i in range(6):
                level = 20000 + 25000 * number
                pixels = numpy.array([[level + stream.randrange(-9000, 9000) for _ in range(16)] for _ in range(16)], numpy.uint16)
                path = folder / name / part / f"{i}.png"
                if i % 2:  # which Pillow reads, but does not write
                    rows = numpy.stack([pixels, pixels // 2, pixels // 3], 2).astype(">u2")
                    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
                    chunks = (b"IHDR", struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0)), (b"IDAT", packed), (b"IEND", b"")
                    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
                        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks))
                else:
                    Image.fromarray(pixels).save(path)
    (folder / "bus" / "linked").symlink_to(folder / "tram" / "a b", target_is_directory=True)
    (folder / "bus" / "circle").symlink_to(folder / "bus", target_is_directory=True)
    (folder / "bus" / "out").symlink_to(folder, target_is_directory=True)


SPOILED = ("bus/a/x/2.png", "bus/a b/pipe.jpg", "tram/1.png", "tram/3.png", "tram/a.b/1.png", "tram/pipe.jpg")


def spoil(folder):
    """Files that are no images, and pipes that nobody writes to."""
    for name in SPOILED:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name) if "pipe" in name else (folder / name).write_bytes(b"\x89PNG\r\n\x1a\nnothing more")


def check_broken_images(harness, model, nested):
    """What takes the place of a broken image is what the engine takes; each is named, and none is waited for."""
    spoiled = harness.scratch / "spoiled"
    shutil.copytree(nested, spoiled, symlinks=True)
    spoil(spoiled)
    job = compare(harness, "spoiled", model, spoiled, batch=8, rate=0.0002)
    named = sorted(line.split("'")[1] for line in (job / "log.txt").read_text().splitlines() if "Broken image " in line)
    wanted = sorted(str(spoiled / name) for name in SPOILED)
    harness.expect(named == wanted, f"broken images: {named} are named, not {wanted}")


def check_no_images(harness, job):
    """Where no image can be read at all, one sentence says why."""
    hollow, no_pillow = harness.scratch / "hollow", harness.scratch / "no_pillow"
    for name in ("bus", "tram"):
        (hollow / name).mkdir(parents=True)
        for i in range(10):
            (hollow / name / f"{i}.png").write_bytes(b"")
    (no_pillow / "PIL").mkdir(parents=True)
    (no_pillow / "PIL" / "__init__.py").write_text("raise ImportError('no Pillow')")
    expect_refused(harness, job, ["--fresh", "--data", hollow], "None of the 16 images to train on can be read; the first: '")
    expect_refused(harness, job, ["--fresh"], "Reading image files needs Pillow (python3-pil).", PYTHONPATH=str(no_pillow))


def check_pixels(harness, job, folder):
    import torch
    from PIL import Image

    images = imported(job, "images")
    values = [0, 128, 129, 256, 257, 385, 386, 32767, 32768, 65406, 65407, 65535]
    path = folder.parent / "deep.png"
    Image.frombytes("I;16", (len(values), 1), b"".join(value.to_bytes(2, "little") for value in values)).save(path)
    read = images.Folder([(str(path), 0)], ["one"]).image(0)
    wanted = [value >> 8 for value in values]
    harness.expect(torch.equal(read, torch.tensor([[wanted]], dtype=torch.uint8)), f"16 bits of grey: {read.flatten().tolist()}, not {wanted}")


def check_class_called_train(harness, job, folder):
    classes = folder.parent / "vehicles"
    for name in ("bus", "car", "train"):
        shutil.copytree(folder / "tram" / "a", classes / name)
        (classes / name / "x" / "1.png").rename(classes / name / "1.png")
        shutil.rmtree(classes / name / "x")
    train, _ = imported(job, "images").open_data(str(classes), 0, 0)
    harness.expect((train.classes, len(train)) == (["bus", "car", "train"], 3), f"a class called train: {train.classes}, {len(train)} images")


def check_other_data(harness, job, folder):
    """A job that is done says so of every data but its own."""
    def expect_refused(words, sentence):
        before = json.loads((job / "run.json").read_text())["classes"]
        result = train(job, *words)
        harness.expect(result.returncode == 2 and result.stderr.strip().splitlines() == [f"train.py: {sentence}"],
                       f"{words}: exit code {result.returncode}, {result.stderr[-300:]}")
        harness.expect(json.loads((job / "run.json").read_text())["classes"] == before, "the classes of run.json changed")

    fewer, renamed, shorter = (harness.scratch / name for name in ("fewer", "renamed", "shorter"))
    for place in (fewer, renamed, shorter):
        shutil.copytree(folder, place, symlinks=True)
    shutil.rmtree(fewer / "tram")
    (renamed / "tram").rename(renamed / "van")
    (shorter / "tram" / "1.png").unlink()
    for more in ([], ["--fresh"]):
        expect_refused(["--data", fewer, *more], f"'{fewer}' has 1 classes, but the job is for 2.")
        expect_refused(["--data", renamed, *more], f"'{renamed}' has the class 'van' where the job has 'tram'.")
    images = json.loads((job / "run.json").read_text())["images"]
    short = imported(job, "images").open_data(str(shorter), 0.2, 0)
    expect_refused(["--data", shorter], f"'{shorter}' has {len(short[0])} images to train on and {len(short[1])} to validate instead of "
                                        f"{images[0]} images to train on and {images[1]} to validate, which the run began with; "
                                        "--fresh starts anew.")
    result = train(job, "--data", shorter, "--fresh")
    harness.expect(result.returncode == 0, f"fewer images from anew: {result.stderr[-300:]}")


def check_recipe(harness, job, network):
    """Settings that somebody wrote by hand are held to what the command line takes."""
    script, recipe = imported(job, "train"), json.loads((job / "recipe.json").read_text())
    harness.expect(script.RECIPE.keys() == recipe.keys(), f"settings without a check: {script.RECIPE.keys() ^ recipe.keys()}")

    def refusal(field, value):
        try:
            script.check("recipe.json", {**recipe, field: value}, script.RECIPE)
        except script.JobError as error:
            return str(error)
        return ""

    def comparable(text):
        return [float(word) if any(map(str.isdigit, word)) else word for word in text.split(" must be ")[-1].split(", but ")[0].split()]

    for field, wanted in script.RECIPE.items():
        wrong = [[], None, "adam"]
        if wanted in (bool, str):
            harness.expect(isinstance(recipe[field], wanted), f"{field} is no {wanted}")
            wrong = [[], None, 1]
        else:
            option = "--" + field.replace("_", "-")
            theirs = harness.fovea("train", network, "--data", PATTERNS, option, "adam", "--export-job", harness.scratch / "none").err
            harness.expect(comparable(refusal(field, "adam")) == comparable(theirs), f"{field}: {refusal(field, 'adam')}, but {theirs}")
            if wanted[0] in (int, float):
                low, high = wanted[1:]
                wrong += [True, float("nan"), low - 1, high + 1, str(high), *([low + 0.5] if wanted[0] is int else [])]
                harness.expect(not refusal(field, low) and not refusal(field, high), f"{field}: {refusal(field, low)}{refusal(field, high)}")
        for value in wrong:
            harness.expect(f"'{field}' must be" in refusal(field, value), f"{field} may be {value!r}: '{refusal(field, value)}'")
    place = job / "recipe.json"
    for change, sentence in (({"opt": "adam"}, "'opt' must be one of sgd, adamw, but is \"adam\"."),
                             ({"lr": "0.005"}, "'lr' must be a number from 0 to 1000, but is \"0.005\"."),
                             ({"epochs": None}, "'epochs' must be a whole number from 1 to 1000000, but is missing."),
                             ({"scale_min": 0.9, "scale_max": 0.5}, "'scale_min' must not be above 'scale_max'."),
                             ({"ratio_min": 2, "ratio_max": 1}, "'ratio_min' must not be above 'ratio_max'."),
                             ({"warmup_epochs": 10**6}, "'warmup_epochs' must be below 'epochs'."),
                             ({"opt": "sgd", "nesterov": True, "momentum": 0}, "Nesterov's momentum needs a momentum: set 'momentum' "
                                                                               "above 0, or 'nesterov' to false."),
                             ({"crop_pad": 4, "scale_min": 0.5}, "'crop_pad' is for crops of the image's own size: set 'scale_min', "
                                                                 "'scale_max', 'ratio_min' and 'ratio_max' to 1, or 'crop_pad' to 0.")):
        place.write_text(json.dumps({key: value for key, value in {**recipe, **change}.items() if value is not None}))
        expect_refused(harness, job, [], f"'{place}': {sentence}")
    place.write_text(json.dumps({**recipe, "opt": "adamw"}))
    expect_refused(harness, job, [], f"'{next(job.glob('last-*.state.safetensors'))}' is of another 'opt'")
    place.write_text(json.dumps(recipe))


def check_broken_files(harness, job):
    """One sentence names a file that is cut or missing, and says what to do; what is whole goes on as if nothing had been."""
    import struct

    anew, again = "--fresh starts anew.", "export the job again."
    (state,) = job.glob("last-*.state.safetensors")
    last, info = job / "last.safetensors", job / "run.json"
    before = last.read_bytes()
    for path, contents, remedy in ((last, b"", anew), (last, before[:100], anew), (last, before[:-4], anew),
                                   (last, struct.pack("<Q", 1 << 62), anew), (state, None, anew), (state, b"{}", anew),
                                   (job / "model.safetensors", None, again), (job / "job.json", b"{}", "but is missing."),
                                   (job / "recipe.json", b'{"epochs": ', again), (info, b'{"name"', again), (info, None, again)):
        whole = path.read_bytes()
        path.unlink()
        if contents is not None:
            path.write_bytes(contents)
        result = train(job)
        said = result.stderr.strip().splitlines()
        told = result.returncode == 2 and len(said) == 1 and said[0].startswith(f"train.py: '{path}'") and said[0].endswith(remedy)
        harness.expect(told, f"{path.name} of {contents and contents[:20]}: exit code {result.returncode}, {result.stderr[-300:]}")
        if path == info:
            harness.expect((path.read_bytes() if path.exists() else None) == contents, "a run.json that cannot be read was written over")
        else:
            noted = json.loads(info.read_text())
            harness.expect((noted["state"], f"train.py: {noted['reason']}") == ("failed", said[-1]),
                           f"{path.name}: run.json says {noted['state']}, {noted['reason']}")
        path.write_bytes(whole)
    harness.expect(train(job).returncode == 0 and json.loads(info.read_text())["state"] == "done", "with its files back the run is not done")
    last.write_bytes(b"")
    harness.expect(train(job, "--fresh").returncode == 0 and len(last.read_bytes()) == len(before), "it does not start anew")


def check_head(harness, network):
    """A head of another size than the data's is no network for it."""
    job = export(harness, "head", network, PATTERNS)
    info = json.loads((job / "run.json").read_text())
    info.update(classes=[], data=PATTERNS.replace("classes=4", "classes=3"))
    (job / "run.json").write_text(json.dumps(info))
    result = train(job)
    harness.expect(result.returncode == 2 and "has 4 outputs, but the data has 3 classes" in result.stderr, f"a larger head: {result.stderr[-300:]}")


def check_average(harness, job):
    """The decay of step t is at most (1 + t) / (10 + t)."""
    import torch

    script, network = imported(job, "train"), torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    average, wanted = script.Average(network, 0.3), 0.0
    for step, decay in enumerate((1 / 10, 2 / 11, 3 / 12, 0.3, 0.3)):
        torch.nn.init.constant_(network.weight, step + 1.0)
        average.take(network, step)
        wanted = decay * wanted + (1 - decay) * (step + 1)
        harness.expect(near(average.network.weight.item(), wanted), f"the average of step {step} is {average.network.weight.item()}, not {wanted}")


class Told:
    """Draws what it was told instead of random numbers."""

    def __init__(self, own, *middle):
        self.own, self.middle = own, list(middle)

    def uniform(self):
        return 0.0

    def beta(self, a, b):
        return self.own

    def below(self, bound):
        return self.middle.pop(0)


def check_boxes(harness, job):
    """Cutmix pastes the box that the engine and timm paste: of every size, around every centre, cut off at the edges."""
    import torch

    script, recipe = imported(job, "train"), {"mixup": 0, "cutmix": 1, "mixup_prob": 1}
    for height, width in ((16, 11), (20, 7), (1, 5)):
        images = torch.stack([torch.zeros(1, height, width), torch.ones(1, height, width)])
        for own in (0.0, 0.0625, 0.3, 0.5, 0.77, 1 - (5.5 / 16) ** 2, 0.999):  # the last but one: rows 8 to 11 around 10 of 16
            halves = [int(length * (1 - own) ** 0.5) // 2 for length in (height, width)]
            for y in range(height):
                for x in range(width):
                    mixed, labels, share = script.mixed_batch(images, torch.tensor([0, 1]), recipe, Told(own, y, x))
                    wanted = [[float(y - halves[0] <= row < y + halves[0] and x - halves[1] <= column < x + halves[1])
                               for column in range(width)] for row in range(height)]
                    pasted = mixed[0, 0].tolist() == wanted and (mixed[1, 0] == 1 - mixed[0, 0]).all()
                    kept = 1 - sum(map(sum, wanted)) / (height * width)
                    if not harness.expect(pasted and labels.tolist() == [1, 0] and abs(share - kept) < 1e-9,
                                          f"cutmix at {y}, {x} of {height} x {width}, own share {own}: another box than that of {1 - kept}"):
                        return


BOARD = """
import json, runpy, sys, types
said = []
class SummaryWriter:
    def __init__(self, folder, purge_step=None): said.append(["purge", purge_step])
    def add_scalar(self, tag, value, step): said.append([tag, step])
    def flush(self): pass
board = types.ModuleType("torch.utils.tensorboard")
board.SummaryWriter = SummaryWriter
sys.modules[board.__name__] = board
script, out = sys.argv[1:3]
sys.argv = [script, *sys.argv[3:]]
try:
    runpy.run_path(script, run_name="__main__")
finally:
    json.dump(said, open(out, "w"))
"""


def check_board(harness, network):
    job, out = export(harness, "board", network, PATTERNS, "--tensorboard"), harness.scratch / "said.json"
    plain, epoch = ["lr", "images_per_second"], ["epoch/eval_loss", "epoch/eval_top1", "epoch/eval_top5"]
    both = [sorted([*plain, "step/train_loss"]), sorted([*plain, "epoch/train_loss", *epoch])]

    def expect_said(purge, steps):
        result = train(job, script=["-c", BOARD, str(job / "train.py"), str(out)])
        said = json.loads(out.read_text()) if harness.expect(result.returncode == 0, f"TensorBoard: {result.stderr[-300:]}") else [[]]
        harness.expect(said[0] == ["purge", purge], f"event files: {said[0]} instead of step {purge}")
        lines = {4: both[0], 6: both[1], 8: both[0], 12: sorted(both[0] + both[1]), 16: both[0], 18: both[1]}
        tags = [sorted(tag for tag, at in said[1:] if at == step) for step in steps]
        harness.expect(tags == [lines[step] for step in steps], f"tags: {tags}")

    expect_said(None, [4, 6, 8, 12])
    recipe = json.loads((job / "recipe.json").read_text())
    (job / "recipe.json").write_text(json.dumps({**recipe, "epochs": 3}))
    expect_said(13, [16, 18])


def check_start(harness, network):
    """Before it has begun, a job opens with the weights that it starts from."""
    job = export(harness, "start", network, PATTERNS)
    if harness.expect_done("convert", job, harness.scratch / "start.py"):
        model = imported(job, "model")
        ours, theirs = (model.read_safetensors(path) for path in (harness.scratch / "start.safetensors", job / "model.safetensors"))
        harness.expect(all((ours[key] == theirs[key]).all() for key in theirs), "the job opens with other weights than its own")


def main():
    harness = Harness(__doc__, lambda parser: parser.add_argument("--engine", required=True))
    try:
        import torch  # noqa: F401
    except ImportError:
        skip("python3-torch is not installed")
    os.environ.update(FOVEA_ENGINE=str(os.path.abspath(harness.options.engine)), OMP_NUM_THREADS="1")
    plain = "zoo:resnet20,classes=4,size=16"
    job = compare(harness, "plain", plain, PATTERNS)
    compare(harness, "softmax", softmax_network(harness), PATTERNS)
    compare(harness, "frozen", dropout_network(harness), PATTERNS, "--freeze", "/2/Dropout")
    nested = harness.scratch / "nested"
    write_nested(nested)
    folder_job = compare(harness, "nested", plain, nested, batch=8, rate=0.0002)
    check_broken_images(harness, plain, nested)
    check_pixels(harness, job, nested)
    check_class_called_train(harness, job, nested)
    check_other_data(harness, folder_job, nested)
    check_no_images(harness, folder_job)
    check_recipe(harness, job, plain)
    check_broken_files(harness, job)
    check_head(harness, plain)
    check_average(harness, job)
    check_boxes(harness, job)
    check_board(harness, plain)
    check_start(harness, plain)
    harness.finish("five jobs against the engine")


if __name__ == "__main__":
    main()
