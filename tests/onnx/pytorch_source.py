#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Fovea writes as PyTorch source loads its weights strictly and computes what ONNX Runtime computes.

Built-in networks and one of every way to set every layer kind (whose ONNX is Fovea's own export), exported models and
random networks: each becomes NAME.py and
NAME.safetensors, runs in eval mode and in double precision on the very image that run.mjs draws from a seed, and its
outputs go into an ONNX file of constants that run.mjs compares with the model. Its parameters are those that Fovea
counts, it learns in train mode, and torchvision's own classes load the same weights.
"""

import importlib.util
import json
import subprocess
import sys

import onnx
from engine_runs import drawn, write_constants
from harness import BOUND, Harness, add_only, skip

SEED = 11
ZOO = {
    "lenet5": 32, "resnet20": 32, "vgg11_bn": 224, "resnet18": 64, "resnext50_32x4d": 64, "densenet121": 64, "googlenet": 96,
    "inception_v3": 128, "squeezenet1_1": 64, "mobilenet_v2": 64, "mobilenet_v3_small": 64, "shufflenet_v2_x0_5": 64,
    "efficientnet_b0": 64, "regnet_y_400mf": 64, "convnext_tiny": 64, "nasnet_a_mobile": 96, "unet": 64,
    "deeplabv3_resnet50": 72, "fpn_resnet50": 100,
}
# Ways to set a kind that ONNX Runtime cannot answer: what it gives is no number, or it refuses the padding. These are
# written and run all the same.
UNFIT = ("Log_0", "Pow_0", "Sqrt_0", "MaxPool2d_2")
# Those that torchvision builds with the same names of tensors, norms' counters of batches included.
IN_TORCHVISION = ("resnet18", "densenet121", "mobilenet_v2", "efficientnet_b0", "convnext_tiny")


def imported(path, name):
    spec = importlib.util.spec_from_file_location(f"network_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def opaque_layers(harness, model):
    report = harness.analysis(model)
    return report is None or any(layer["kind"] == "opaque" for layer in report["layers"]), report


class Checks:
    def __init__(self, harness):
        self.harness = harness
        self.jobs = []
        self.refused = 0

    def add(self, name, model, source_model=None):
        """Converts `source_model` (by default `model`), runs what came out and compares it with `model`, an ONNX file.
        Weights that `source_model` lacks are made from their names, so they are the same in both."""
        import torch

        harness = self.harness
        source = harness.scratch / f"n{len(self.jobs)}.py"
        source_model = source_model or model
        opaque, report = opaque_layers(harness, source_model)
        if opaque:
            refusal = harness.fovea("convert", source_model, source)
            harness.expect(refusal.is_refusal(), f"{name}: holds layers that nobody knows, but {refusal.err or 'was written'}")
            self.refused += 1
            return
        if not harness.expect_done("convert", source_model, source):
            return
        module = imported(source, len(self.jobs))
        network = module.load(source.with_suffix(".safetensors"))
        trainable = sum(tensor.numel() for tensor in network.parameters() if tensor.requires_grad)
        harness.expect(trainable == report["summary"]["parameters"],
                       f"{name}: {trainable} parameters, but Fovea counts {report['summary']['parameters']}")
        proto = onnx.load(str(model), load_external_data=False)
        weights = {tensor.name for tensor in proto.graph.initializer}
        order = [value.name for value in proto.graph.input if value.name not in weights]
        images = {key: drawn(module.INPUTS[key], SEED + 7919 * order.index(key)) for key in module.INPUTS}
        with torch.no_grad():
            outputs = network.double().eval()(*(torch.from_numpy(image).double() for image in images.values()))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        named = {value.name: output.float().numpy() for value, output in zip(proto.graph.output, outputs)}
        if not harness.expect(len(outputs) == len(proto.graph.output), f"{name}: {len(outputs)} outputs"):
            return
        if name in UNFIT:
            return
        constants = harness.scratch / f"n{len(self.jobs)}.constants.onnx"
        write_constants(model, named, constants)
        self.jobs.append({"id": name, "a": str(model), "b": str(constants), "seed": SEED, "shape": list(images[order[0]].shape)})
        source.with_suffix(".safetensors").unlink()

    def finish(self):
        harness = self.harness
        results = harness.run_ort(self.jobs)
        for name, result in results.items():
            if harness.expect(result["ok"], f"{name}: {result['error']}"):
                print(f"{name}: largest |difference| / largest |output| {result['ratio']:.1e}")
                harness.expect(result["ratio"] <= BOUND, f"{name}: {result['ratio']:.1e} is above {BOUND:.0e}")
        # An image that differs must be noticed: the comparison itself can fail.
        other = harness.run_ort([{**self.jobs[0], "id": "other", "seed": SEED + 1}])["other"]
        harness.expect(other["ok"] and other["ratio"] > BOUND, "another image gave the same output")
        if self.refused:
            print(f"{self.refused} networks hold layers that nobody knows and were refused")


def add_kinds(harness, checks):
    folder = harness.scratch / "kinds"
    subprocess.run([harness.options.kinds, folder], check=True)
    for document in sorted(folder.glob("*.fovea")):
        model = document.with_suffix(".onnx")
        result = harness.fovea("convert", document, model)
        if result.is_refusal():  # what ONNX has no word for is tested against LibTorch alone
            print(f"{document.stem}: {result.err.strip()}")
            harness.expect_done("convert", document, harness.scratch / "unwritten.py")
        elif harness.expect(result.code == 0, f"{document.stem}: {result.err}"):
            checks.add(document.stem, model, document)


def check_training(harness):
    """One step in train mode: every parameter gets a gradient, and norms take in the batch."""
    import torch

    source = harness.scratch / "trained.py"
    if not harness.expect_done("convert", "zoo:resnet18,size=32,classes=5", source):
        return
    network = imported(source, "trained").load(source.with_suffix(".safetensors")).train()
    before = network.bn1.running_mean.clone()
    torch.nn.functional.cross_entropy(network(torch.rand(4, 3, 32, 32)), torch.arange(4)).backward()
    silent = [name for name, tensor in network.named_parameters() if tensor.grad is None or not tensor.grad.abs().sum() > 0]
    harness.expect(not silent, f"parameters without a gradient: {silent[:5]}")
    harness.expect(network.bn1.num_batches_tracked == 1 and not torch.equal(before, network.bn1.running_mean),
                   "a norm in train mode did not take in the batch")


def check_torchvision(harness):
    try:
        import torchvision
    except ImportError:
        print("torchvision is not installed: its classes were not tried")
        return
    for name in IN_TORCHVISION:
        source = harness.scratch / f"{name}.py"
        if not harness.expect_done("convert", f"zoo:{name}", source):
            continue
        tensors = imported(source, name).read_safetensors(source.with_suffix(".safetensors"))
        try:
            torchvision.models.__dict__[name](weights=None).load_state_dict(tensors, strict=True)
        except RuntimeError as error:
            harness.fail(f"{name}: torchvision's class does not take the weights: {str(error)[:300]}")


def main():
    def add_options(parser):
        add_only(parser)
        parser.add_argument("--kinds", help="program that writes a document for each way to set each layer kind")
        parser.add_argument("--count", type=int, default=40, help="random networks")

    harness = Harness(__doc__, add_options)
    try:
        import torch
    except ImportError:
        skip("python3-torch is not installed")
    torch.set_num_threads(2)
    harness.require_ort()
    wanted = harness.options.only
    checks = Checks(harness)
    for name, side in ZOO.items():
        if not wanted or name in wanted:
            model = harness.scratch / f"{name}.onnx"
            if harness.expect_done("convert", f"zoo:{name},size={side}", model):
                checks.add(f"zoo:{name}", model)
    if harness.options.kinds and not wanted:
        add_kinds(harness, checks)
    for model in harness.models():
        if not wanted or model.stem in wanted:
            checks.add(model.stem, model)
    manifest = harness.networks_folder / "manifest.json"
    if manifest.exists() and not wanted:
        for entry in json.loads(manifest.read_text())[: harness.options.count]:
            checks.add(entry["file"], harness.networks_folder / entry["file"])
    checks.finish()
    if not wanted:
        check_training(harness)
        check_torchvision(harness)
    harness.finish(len(checks.jobs))


if __name__ == "__main__":
    sys.exit(main())
