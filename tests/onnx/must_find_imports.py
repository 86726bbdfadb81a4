#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the planner must find (tests/refine/must_find_test.cpp), on files: `fovea refine FILE.onnx --size N`.

Files come from torch.onnx.export: torchvision's networks, with the weights a module is born with, and
MobileNetV1 written below. No PyTorch module of NASNet-A is at hand, so its file is `fovea convert zoo:...`.
Exporters fold norms and name layers their own way; so plans are told by their numbers, never by a name. The plan that
was looked for is applied, and the file that is written has to have the numbers that the plan foretold.
A file is gone as soon as it was looked at: the largest has 575 MB.
"""

import json
import sys
from collections import Counter, namedtuple

from harness import ROOT, Harness, skip

sys.path.insert(0, str(ROOT / "tests/models"))

# The field is too large at `side`. `most_macs`: the authors' variant, and half a unit of the last digit they give; 0
# where they have none at this side.
TooLarge = namedtuple("TooLarge", "side most_macs")
# Nothing needs to be done at `side`.
Suited = namedtuple("Suited", "side")
# The stem can be relaxed with its kernel kept; i_min of the file and of that plan. The first plan does what that one
# does for the fields, and is no dearer.
PatchStem = namedtuple("PatchStem", "side i_min relaxed")
# The field is too small: i_max of the file, the least that the first plan reaches, its most MACs.
TooSmall = namedtuple("TooSmall", "side i_max least most_macs")
# A stem for small images is among the plans, with this i_min. It slices a tensor, so others come before it; the first
# plan wastes no more layers.
SmallSide = namedtuple("SmallSide", "side i_min")

ACTIONS = ("copied", "sliced", "padded", "new", "dropped")  # what becomes of a tensor

NETWORKS = {
    "mobilenet_v1": [TooLarge(224, 1351.5e6)],
    "mobilenet_v3_small": [TooLarge(224, 166.5e6)],
    "mobilenet_v3_large": [TooLarge(224, 355.5e6)],
    "mnasnet0_5": [TooLarge(224, 217.5e6)],
    "mnasnet0_75": [TooLarge(224, 0)],
    "mnasnet1_0": [TooLarge(224, 689.5e6)],
    "mnasnet1_3": [TooLarge(224, 1125.5e6)],
    "nasnet_a_mobile": [TooLarge(225, 2261.5e6)],
    "efficientnet_b0": [TooLarge(224, 894.5e6)],
    "efficientnet_b1": [TooLarge(240, 1582.5e6)],
    "efficientnet_b2": [TooLarge(260, 2344.5e6)],
    "efficientnet_b3": [Suited(300), TooLarge(224, 0)],
    "efficientnet_b4": [Suited(380), TooLarge(224, 0)],
    "efficientnet_b5": [Suited(456), TooLarge(224, 0)],
    "efficientnet_b6": [Suited(528), TooLarge(224, 0)],
    "efficientnet_b7": [Suited(600), TooLarge(224, 0)],
    "vgg19": [TooLarge(224, 51.55e9)],
    "vgg11": [TooSmall(224, 150, 190, 4.15e9)],
    "convnext_tiny": [PatchStem(192, 224, 114)],
    "resnet18": [SmallSide(32, 35), SmallSide(16, 35)],
    "resnet50": [Suited(224)],
}
# (channels, stride) of each depthwise separable block: arXiv 1704.04861, table 1.
MOBILENET_V1 = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + 5 * [(512, 1)] + [(1024, 2), (1024, 1)]


def mobilenet_v1():
    from torch import nn

    def conv(inputs, outputs, kernel, stride=1, groups=1):
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]

    layers, inputs = conv(3, 32, 3, 2), 32
    for outputs, stride in MOBILENET_V1:
        layers += conv(inputs, inputs, 3, stride, inputs) + conv(inputs, outputs, 1)
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 1000))


def write_file(harness, name, path):
    """Whether the network was written."""
    if name == "nasnet_a_mobile":
        return harness.expect_done("convert", "zoo:nasnet_a_mobile,size=225", path)
    from export_torchvision import export, untrained
    from torchvision.models import get_model

    if name == "mobilenet_v1":
        model = mobilenet_v1()
    else:
        model = get_model(name, weights=None, init_weights=False) if name.startswith("vgg") else untrained(name)
    export(model.eval(), name, "", path)
    return True


def brief(plan):
    after, weights = plan["after"], plan["weights"]
    verdicts = {name: count for name, count in after["verdicts"].items() if count}
    return (f"'{plan['title']}': i_min {after['i_min']}, i_max {after['i_max']}, {after['macs']} MACs, "
            f"{after['parameters']} parameters ({weights['copied']['parameters']} copied), {verdicts}")


def wasted(summary):
    return summary["verdicts"]["unproductive"] + summary["verdicts"]["partial"]


def reaches(plan, side):
    return max(plan["after"]["i_min"]) <= side and wasted(plan["after"]) == 0


def keeps_parameters(plan):
    """Every tensor goes over as it is."""
    changed = sum(plan["weights"][action]["tensors"] for action in ACTIONS[1:])
    count = plan["before"]["parameters"]
    return plan["after"]["parameters"] == count == plan["weights"]["copied"]["parameters"] and changed == 0


def changes(plan):
    """What its edits do, without the layers' names."""
    return Counter((edit["op"], edit["attribute"], edit["from"], edit["to"]) for edit in plan["edits"]
                   if edit["op"] == "set") + Counter(edit["op"] for edit in plan["edits"] if edit["op"] != "set")


def first_that_does(plans, wanted):
    return next((plan for plan in plans if changes(plan) == Counter(wanted)), None)


class Looked:
    """What `fovea refine` says of one network at one side, and what is expected of it."""

    def __init__(self, harness, label, said):
        self.harness, self.label = harness, label
        self.before, self.plans = said["before"], said["plans"]

    def expect(self, condition, sentence):
        return self.harness.expect(condition, f"{self.label}: {sentence}")

    def first_plan(self):
        self.expect(self.plans, f"no plan; before: {self.before}")
        return self.plans[0] if self.plans else None

    def first_unless(self, plan, what):
        """The first plan; where that is another one than `plan`, its place is printed."""
        first = self.plans[0]
        if plan is not first:
            print(f"{self.label}: {what} is plan {self.plans.index(plan) + 1}, the first is {brief(first)}")
        return first

    def too_large(self, wish):
        self.expect(max(self.before["i_min"]) > wish.side, f"i_min {self.before['i_min']} is within the side")
        plan = self.first_plan()
        if not plan:
            return None
        self.expect(reaches(plan, wish.side), f"the first plan leaves layers unproductive: {brief(plan)}")
        self.expect(keeps_parameters(plan), f"the first plan changes parameters: {brief(plan)}, {plan['weights']}")
        self.expect(plan["edits"][0]["attribute"] != "shape", f"the first plan changes the side: {brief(plan)}")
        self.expect(not wish.most_macs or plan["after"]["macs"] <= wish.most_macs,
                    f"the first plan is dearer than {wish.most_macs:.0f} MACs: {brief(plan)}")
        return plan

    def suited(self, wish):
        self.expect(max(self.before["i_min"]) <= wish.side, f"i_min {self.before['i_min']} exceeds the side")
        self.expect(not self.plans, f"{len(self.plans)} plans where nothing needs to be done")
        return None

    def patch_stem(self, wish):
        plan = first_that_does(self.plans, [("set", "padding", "0x0x0x0", "1x1x1x1"), ("set", "stride", "4x4", "2x2")])
        self.expect(self.before["i_min"] == [wish.i_min] * 2, f"i_min {self.before['i_min']}, expected {wish.i_min}")
        if not self.expect(plan, f"the relaxed stem is not among {[brief(other) for other in self.plans]}"):
            return None
        self.expect(len({edit["layer"] for edit in plan["edits"]}) == 1, f"more than the stem changes: {brief(plan)}")
        first = self.first_unless(plan, "the relaxed stem")
        self.expect(reaches(first, wish.side) and keeps_parameters(first), f"the first plan: {brief(first)}")
        self.expect(first["after"]["macs"] <= plan["after"]["macs"], f"the first plan is dearer: {brief(first)}")
        self.expect(reaches(plan, wish.side) and keeps_parameters(plan), f"the relaxed stem: {brief(plan)}")
        self.expect(plan["after"]["i_min"] == [wish.relaxed] * 2, f"expected i_min {wish.relaxed}: {brief(plan)}")
        return plan

    def too_small(self, wish):
        self.expect(self.before["i_max"] == [wish.i_max] * 2, f"i_max {self.before['i_max']}, expected {wish.i_max}")
        plan = self.first_plan()
        if not plan:
            return None
        self.expect(min(plan["after"]["i_max"]) >= wish.least and reaches(plan, wish.side),
                    f"the first plan's field is not what was asked for: {brief(plan)}")
        self.expect(plan["after"]["macs"] <= wish.most_macs, f"dearer than {wish.most_macs:.0f} MACs: {brief(plan)}")
        self.expect(keeps_parameters(plan), f"the first plan changes parameters: {brief(plan)}, {plan['weights']}")
        return plan

    def small_side(self, wish):
        plan = first_that_does(self.plans, [("set", "kernel_size", "7x7", "3x3"),
                                            ("set", "padding", "3x3x3x3", "1x1x1x1"),
                                            ("set", "stride", "2x2", "1x1"), "remove"])
        if not self.expect(plan, f"the stem for small images is not among {[brief(other) for other in self.plans]}"):
            return None
        self.expect(plan["after"]["i_min"] == [wish.i_min] * 2, f"expected i_min {wish.i_min}: {brief(plan)}")
        first = self.first_unless(plan, "the stem for small images")
        self.expect(wasted(first["after"]) <= wasted(plan["after"]), f"the first plan wastes more: {brief(first)}")
        tensors = {action: plan["weights"][action]["tensors"] for action in ACTIONS if plan["weights"][action]["tensors"]}
        self.expect(set(tensors) == {"copied", "sliced"} and tensors["sliced"] == 1, f"tensors {tensors}: {brief(plan)}")
        return plan


JUDGES = {TooLarge: Looked.too_large, Suited: Looked.suited, PatchStem: Looked.patch_stem,
          TooSmall: Looked.too_small, SmallSide: Looked.small_side}


def check_written(harness, label, path, side, plan):
    """The network that the plan makes, written and read back, is the one it foretold."""
    written = path.with_suffix(".refined.onnx")
    if harness.expect_done("refine", path, "--size", side, "--apply", plan["id"], "-o", written):
        report = harness.analysis(written)
        harness.expect(report is None or report["summary"] == plan["after"],
                       f"{label}: '{plan['title']}' foretold {plan['after']}, the file has {report and report['summary']}")
    written.unlink(missing_ok=True)


def look(harness, name, path, wish):
    label = f"{name} at {wish.side}"
    result = harness.fovea("refine", path, "--size", wish.side, "--json")
    if not harness.expect(result.code == 0, f"{label}: exit code {result.code}: {result.err or result.out}"):
        return
    plan = JUDGES[type(wish)](Looked(harness, label, json.loads(result.out)), wish)
    print(f"{label}: {brief(plan) if plan else 'no plan'}", flush=True)
    if plan:
        check_written(harness, label, path, wish.side, plan)
    if isinstance(wish, Suited):
        said = harness.fovea("refine", path, "--size", wish.side).out
        harness.expect(said.startswith("Nothing to do"), f"{label}: says '{said.strip()[:200]}'")


def main():
    harness = Harness(__doc__, lambda parser: parser.add_argument("--only", nargs="*", metavar="NETWORK"))
    try:
        import torchvision  # noqa: F401
    except ImportError:
        skip("torchvision is not installed")
    names = [name for name in NETWORKS if not harness.options.only or name in harness.options.only]
    looked = 0
    for name in names:
        path = harness.scratch / f"{name}.onnx"
        if write_file(harness, name, path):
            for wish in NETWORKS[name]:
                look(harness, name, path, wish)
                looked += 1
        path.unlink(missing_ok=True)
    harness.finish(looked)


if __name__ == "__main__":
    main()
