#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of README.md have the values that stand there, and so have further instances of each of their kinds.

Right values come from README.md (gradients, arithmetic by hand), from ONNX Runtime (shapes, outputs, whether a file
runs), from counted.py (MACs) and from half-spaces of pixels (fields), never from Fovea. Every check has a name; one that
fails is printed on a line.

`--only KIND...` runs these kinds (the first word of a check's name).
"""

import json
import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "onnx"))

from counted import attributes_of  # noqa: E402
from harness import Harness, in_parallel, skip  # noqa: E402
from idioms import draw  # noqa: E402
from invariant import Runner  # noqa: E402
from ort_session import dims_of, make_model, true_inputs  # noqa: E402

try:
    import torch  # noqa: F401
except ImportError:
    skip("python3-torch is not installed")

from checks import BOUND, Checks  # noqa: E402

KINDS = {}


def kind(function):
    KINDS[function.__name__] = function
    return function


def codes(report):
    return {issue["code"] for issue in report["issues"]} if report else set()


# The files of README.md, and more of their kinds


@kind
def s2d(c):
    for name in ("s2d", "s2d_dyn"):
        path = c.file(name)
        side = "64" if name == "s2d_dyn" else None
        report = c.numbers(f"{name}", path, side, i_max=20)
        c.row(f"{name}.conv1", report, "/conv1/Conv", jump=[4, 4], rf_max=[12, 12], start=[-4, -4])
        c.known(name, report)
    report = c.report(c.file("s2d_dyn"), "128")
    c.row("s2d_dyn.conv1-128", report, "/conv1/Conv", out_shape=[1, 16, 32, 32])
    c.at_size("s2d_dyn.128", c.file("s2d_dyn"), "128", must_run=True)
    c.at_size("s2d_dyn.96x160", c.file("s2d_dyn"), "96x160", must_run=True)
    c.at_size("s2d.128", c.file("s2d"), "128")
    c.box("s2d.box", c.file("s2d"), "/conv1/Conv")
    c.box("s2d.box2", c.file("s2d"), "/conv2/Conv")
    c.macs("s2d", c.file("s2d"))
    c.drawn("space_to_depth", 8, 13, 21, seeds=(0, 1, 2))
    c.drawn("depth_to_space", 9, 14)
    c.exported("pixel_unshuffle", 11, 16)
    c.exported("space_to_depth", 9, 13)


@kind
def crnn(c):
    path = c.file("crnn")
    c.at_size("file.64x100", path, "64x100", must_run=False)
    c.at_size("file.48x100", path, "48x100", must_run=False)
    c.at_size("file.32x200", path, "32x200", must_run=True)
    c.known("file", c.report(path))
    c.plans_run("file.plans", path)
    c.plans_run("file.plans-32x160", path, "32x160")
    c.own_records("file", path)
    c.drawn("text_head", 8, 13, 19)
    c.drawn("recurrent_head", 9, 13, 18)
    c.exported("lstm", 11, 14)
    c.exported("gru", 9, 14)
    c.exported("one_axis", 13)


def both_inputs(c, path, seeds):
    recipes = c.feeds(path)
    return {name: {**recipe, "seed": seed} for (name, recipe), seed in zip(recipes.items(), seeds)}


def distance(c, path, *seeds):
    answer = c.runner.ask(model=str(path), runs=[both_inputs(c, path, seeds)], save=["y"])
    return numpy.array(answer["values"]["y"]) if answer["ok"] else None


@kind
def siamese(c):
    path = c.file("siamese")
    before = distance(c, path, 4, 4)
    wrong, unequal = [], []
    tried = c.plan_files(path, "32") + c.plan_files(path)
    for plan, out in tried:
        same, there, back = (distance(c, out, *seeds) if out.exists() else None for seeds in ((4, 4), (4, 9), (9, 4)))
        if same is None or numpy.abs(same - before).max() > 1e-5:
            wrong.append(plan["title"])
        if there is None or numpy.abs(there - back).max() > 1e-5:
            unequal.append(plan["title"])
    c.check("file.offered", bool(tried), "no plan at 32 and at the own size")
    c.check("file.same-image", not wrong, f"{len(wrong)} of {len(tried)} plans, first '{wrong[0] if wrong else ''}'")
    c.check("file.both-ways", not unequal, f"{len(unequal)} of {len(tried)} plans, first '{unequal[0] if unequal else ''}'")
    c.equal("file.parameters", c.report(path)["summary"]["parameters"], 1216 + 4640 + 9248 + 264 + 9)
    out = c.converted(path, "siamese-96.onnx", "--size", "96")
    sides = [dims_of(value)[2:] for value in true_inputs(onnx.load(str(out)))] if out else []
    c.equal("file.both-inputs", sides, [[96, 96], [96, 96]])
    c.at_size("file.at-48x80", path, "48x80", must_run=True)
    c.drawn("shared_weights", 8, 13, 20)
    c.exported("shared_head", 11, 16)
    twins(c, "head", *shared_head(13))
    twins(c, "head-9", *shared_head(9))


def shared_head(opset):
    """A head that two levels of a pyramid share, its convolutions called from each."""
    random = numpy.random.default_rng(2)

    def kernel(*dims):
        return random.uniform(0.01, 0.1, dims).astype(numpy.float32)

    def conv(source, weight, out, k=3, s=1):
        return helper.make_node("Conv", [source, weight], [out], out, kernel_shape=[k] * 2, pads=[k // 2] * 4, strides=[s] * 2)

    nodes = [conv("x", "w1", "a", s=2), conv("a", "w2", "b", s=2)]
    for level in "ab":
        nodes += [conv(level, "head1", f"{level}1", 5), helper.make_node("Relu", [f"{level}1"], [f"{level}r"], f"{level}r"),
                  conv(f"{level}r", "head2", f"{level}2")]
    tensors = {"w1": kernel(8, 3, 3, 3), "w2": kernel(8, 8, 3, 3), "head1": kernel(8, 8, 5, 5), "head2": kernel(4, 8, 3, 3)}
    model = make_model(nodes, [("x", [1, 3, 32, 32])], [("a2", [1, 4, 16, 16]), ("b2", [1, 4, 8, 8])], tensors, opset)
    return model, sum(tensor.size for tensor in tensors.values())


def twins(c, name, model, parameters):
    """After any plan, nodes that read the same kernel have the same settings, and parameters are counted once."""
    path = c.save(name, model)
    c.numbers(name, path, parameters=parameters)
    wrong, tried = [], [*c.plan_files(path, "16"), *c.plan_files(path)]
    for plan, out in tried:
        settings = {}
        for node in onnx.load(str(out)).graph.node if out.exists() else ():
            if node.op_type == "Conv":
                settings.setdefault(node.input[1], []).append(attributes_of(node))
        if any(one != calls[0] for calls in settings.values() for one in calls):
            wrong.append(plan["title"])
    c.check(f"{name}.twins", not wrong,
            f"{len(wrong)} of {len(tried)} plans change one call alone, first '{wrong[0] if wrong else ''}'")


def alike(report):
    """Of two reports what must be the same in whatever layout the file is."""
    keys = ("kind", "kernel", "stride", "padding", "dilation", "jump", "rf_min", "rf_max", "start", "verdict", "macs")
    rows = [[row[key] for key in keys] for row in report["layers"] if row["kind"] not in ("Permute", "Identity")]
    judged = {verdict: count for verdict, count in report["summary"]["verdicts"].items() if verdict != "not_applicable"}
    return report["input"]["shape"], {**report["summary"], "verdicts": judged}, rows


@kind
def layout(c):
    """perm_nhwc.onnx, perm_nchw.onnx and nhwc.onnx: an image with channels last."""
    reports = {}
    for name, said in (("perm_nhwc", "NHWC"), ("perm_nchw", "NCHW")):
        path = c.file(name)
        report = reports[name] = c.report(path)
        c.equal(f"{name}.shape", report["input"]["shape"], [1, 3, 64, 64])
        c.equal(f"{name}.layout", report["input"].get("layout"), said)
        c.equal(f"{name}.productive", report["summary"]["verdicts"]["productive"], 4)
        c.numbers(f"{name}.32", path, "32", parameters=4740, macs=356416)
        for side in ("32", "96x64"):
            c.at_size(f"{name}.at-{side}", path, side, must_run=True)
        c.macs(name, path)
    c.check("perm.same-report", alike(reports["perm_nhwc"]) == alike(reports["perm_nchw"]), "the two reports differ")
    c.box("perm_nhwc.box", c.file("perm_nhwc"), "/c3/Conv", axes=(1, 2))
    path = c.file("nhwc")
    report = c.report(path)
    c.row("nhwc.conv1", report, "model/conv1/Conv2D", padding=[0, 0, 1, 1])
    c.equal("nhwc.shape", report["input"]["shape"], [1, 3, 96, 96])
    c.own_records("nhwc", path)
    source(c, "nhwc.source", path)
    for side in ("64", "97x65"):
        c.at_size(f"nhwc.at-{side}", path, side, must_run=True)
    c.plans_run("nhwc.plans", path)
    c.plans_run("perm_nhwc.plans", c.file("perm_nhwc"), "32")
    for opset, seed in ((8, 1), (11, 2), (13, 3), (18, 4)):
        same_in_both(c, f"twins-{opset}", opset, seed)
    c.drawn("same_window", 8, 13, 19, layouts=("NHWC",), seeds=(0, 1))
    c.drawn("residual", 7, 12, 21, layouts=("NHWC",))
    c.drawn("cropped", 12, layouts=("NHWC",))
    c.exported("channels_last", 9, 13)
    c.exported("channels_last_both", 11, 16)


def same_in_both(c, name, opset, seed):
    """The same network with channels first and last has the same report."""
    reports = []
    for said in ("NCHW", "NHWC"):
        built, _ = draw(9000 + seed, opset=opset, layout=said, only=["plain_window", "residual", "plain_pool"], half=False,
                        size=(40, 48))
        reports.append(c.report(c.save(f"{name}-{said}", built.model())))
    c.check(name, all(reports) and alike(reports[0]) == alike(reports[1]), "channels first and last have different reports")


def source(c, name, path):
    """PyTorch source computes what the file does."""
    import importlib.util

    import torch
    out = c.converted(path, f"{name.replace('.', '_')}.py")
    if not out:
        return c.check(name, False, "was not written")
    spec = importlib.util.spec_from_file_location(f"written_{name.replace('.', '_')}", out)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    recipes, images = {}, []
    for value in true_inputs(onnx.load(str(path))):
        dims = [dim if isinstance(dim, int) else 1 for dim in dims_of(value)]
        values = numpy.random.default_rng(1).random(dims, numpy.float32)
        recipes[value.name] = {"type": "float32", "shape": dims, "values": values.ravel().tolist()}
        images.append(torch.from_numpy(values))
    with torch.no_grad():
        made = module.load(out.with_suffix(".safetensors")).eval()(*images)
    first = onnx.load(str(path)).graph.output[0].name
    answer = c.runner.ask(model=str(path), runs=[recipes], save=[first])
    right = numpy.array(answer["values"][first])
    made = (made[0] if isinstance(made, tuple) else made).numpy().ravel()
    return c.check(name, made.shape == right.shape and numpy.abs(made - right).max() <= BOUND * numpy.abs(right).max(),
                   "computes something else")


@kind
def same(c):
    """upper_dyn.onnx and same_upper.onnx: SAME padding at other sizes, of transposed convolutions too."""
    path = c.file("upper_dyn")
    for side, last in ((65, 9), (63, 8), (50, 7), (64, 8), (49, 7)):
        report = c.report(path, str(side))
        c.equal(f"upper_dyn.{side}", report["outputs"][0]["shape"] if report else None, [1, 4, last, last])
        c.at_size(f"upper_dyn.at-{side}", path, str(side), must_run=True)
    c.check("upper_dyn.not-square", c.harness.fovea("analyze", path, "--size", "64x48").code == 2,
            "one symbol for both sides, yet 64x48 is taken")
    c.own_records("upper_dyn", path, side="65")
    path = c.file("same_upper")
    report = c.report(path)
    c.row("same_upper.up", report, "up", kind="ConvTranspose2d", out_shape=[1, 1, 6, 6], macs=162)
    c.own_records("same_upper", path)
    for side in ("12", "7x9"):
        c.at_size(f"same_upper.at-{side}", path, side, must_run=True)
    c.drawn("same_window", 7, 12, 20, seeds=(0, 1, 2))
    c.drawn("transposed_same", 7, 11, 20, seeds=(0, 1))
    c.drawn("transposed", 8, 15)
    for opset in (7, 13, 21):
        output_shape(c, opset)


def output_shape(c, opset):
    """A transposed convolution whose output_shape is given: padding follows, the odd pixel as ONNX Runtime lays it."""
    random = numpy.random.default_rng(4)
    tensors = {"w": random.uniform(0.1, 1, (3, 4, 4, 4)).astype(numpy.float32),
               "v": random.uniform(0.1, 1, (4, 4, 3, 3)).astype(numpy.float32)}
    for auto in ("NOTSET", "SAME_UPPER", "SAME_LOWER"):
        nodes = [helper.make_node("ConvTranspose", ["x", "w"], ["a"], "up", kernel_shape=[4, 4], strides=[2, 2],
                                  output_shape=[17, 17], auto_pad=auto),
                 helper.make_node("Conv", ["a", "v"], ["y"], "last", kernel_shape=[3, 3], pads=[1] * 4)]
        path = c.save(f"output_shape-{auto}-{opset}", make_model(nodes, [("x", [1, 3, 8, 8])], [("y", [1, 4, 17, 17])],
                                                                 tensors, opset))
        name = f"output_shape.{auto}-{opset}"
        c.known(name, c.report(path))
        c.box(f"{name}.box", path, "up")
        c.at_size(f"{name}.9", path, "9")
        c.own_records(name, path)


@kind
def const_dyn(c):
    path = c.file("const_dyn")
    c.at_size("file.48", path, "48", must_run=True)
    c.at_size("file.40x72", path, "40x72", must_run=True)
    c.known("file", c.report(path))
    out = c.converted(path, "const-48.onnx", "--size", "48")
    c.same("file.outputs-48", path, out, "48")
    for idiom, opsets in (("coordinates", (11, 17)), ("class_token", (10, 16)), ("nearest_by_expand", (9, 14)),
                          ("attention", (8, 20))):
        c.drawn(idiom, *opsets)
    c.drawn("channel_shuffle", 7, 13, seeds=(0, 1))
    c.drawn("ssd_head", 9, 13, 20)
    c.drawn("cropped", 11, 17, seeds=(0, 1))
    for opset in (9, 13, 20):
        stored_anchors(c, opset)


def stored_anchors(c, opset):
    """A detector with as many stored anchors as it has positions: at twice the side only a coarser map fits them."""
    widths = {"w0": (8, 3, 3, 3), "w1": (8, 8, 3, 3), "w2": (8, 8, 3, 3), "wb": (4, 8, 1, 1), "wc": (2, 8, 1, 1)}
    tensors = {name: numpy.full(dims, 0.05, numpy.float32) for name, dims in widths.items()}
    tensors |= {"anchors": numpy.ones((1, 64, 4), numpy.float32), "fours": numpy.array([1, -1, 4], numpy.int64),
                "twos": numpy.array([1, -1, 2], numpy.int64)}
    nodes = [helper.make_node("Conv", [source, weight], [out], out, kernel_shape=[k, k], pads=[k // 2] * 4, strides=[step] * 2)
             for source, weight, out, k, step in (("x", "w0", "a", 3, 2), ("a", "w1", "b", 3, 2), ("b", "w2", "c", 3, 1),
                                                  ("c", "wb", "boxmap", 1, 1), ("c", "wc", "classmap", 1, 1))]
    for source, rows, out in (("boxmap", "fours", "boxes"), ("classmap", "twos", "classes")):
        nodes += [helper.make_node("Transpose", [source], [f"{out}_last"], f"{out}_turned", perm=[0, 2, 3, 1]),
                  helper.make_node("Reshape", [f"{out}_last", rows], [out], f"{out}_rows")]
    nodes.append(helper.make_node("Mul", ["boxes", "anchors"], ["y"], "scaled"))
    path = c.save(f"anchors-{opset}", make_model(nodes, [("x", [1, 3, 32, 32])],
                                                 [("y", [1, 64, 4]), ("classes", [1, 64, 2])], tensors, opset))
    name = f"anchors-{opset}"
    c.at_size(f"{name}.64", path, "64", must_run=False)
    c.plans_run(f"{name}.plans", path, "64")
    tried = c.plan_files(path, "64")
    rows = [[out["shape"][1] for out in c.report(written, "64")["outputs"]] for _, written in tried]
    c.check(f"{name}.rows", bool(rows) and all(row == [64, 64] for row in rows), f"plans give {rows} rows, 64 fit the anchors")


@kind
def circular(c):
    path = c.file("circular")
    report = c.numbers("file", path, i_max=9)
    for layer, extent in (("/0/Conv", 3), ("/2/Conv", 5), ("/4/Conv", 9)):
        c.row(f"file{layer.replace('/', '-')}", report, layer, rf_max=[extent] * 2, rf_min=[extent] * 2, approximate=True)
    c.check("file.seam", sum(issue["code"] == "seam" for issue in report["issues"]) == 1,
            f"findings {sorted(codes(report))}, one is 'seam'")
    c.box("file.box", path, "/4/Conv", at=[8, 8])
    for side in ("48", "40x56"):
        c.at_size(f"file.at-{side}", path, side, must_run=True)
    c.drawn("circular", 10, 14, 20, seeds=(0, 1))
    c.drawn("roll", 10, 13, 18, seeds=(0, 1))
    c.drawn("strips", 8, 13, 19, seeds=(0, 1))
    for name in ("circular", "roll", "strips"):
        c.exported(name, 11, 16)
    joined_parts(c)


def joined_parts(c):
    """Maps joined along the width for an output: no seam, as no window layer follows."""
    tensors = {"w": numpy.full((4, 3, 3, 3), 0.1, numpy.float32), "v": numpy.full((4, 3, 5, 5), 0.1, numpy.float32)}
    nodes = [helper.make_node("Conv", ["x", name], [out], out, kernel_shape=[k] * 2, pads=[k // 2] * 4)
             for name, out, k in (("w", "a", 3), ("v", "b", 5))]
    nodes.append(helper.make_node("Concat", ["a", "b"], ["y"], "joined", axis=3))
    report = c.report(c.save("joined", make_model(nodes, [("x", [1, 3, 16, 16])], [("y", [1, 4, 16, 32])], tensors, 13)))
    c.check("joined.no-seam", "seam" not in codes(report), "a seam without a window layer behind it")
    c.row("joined", report, "joined", rf_max=[5, 5], out_shape=[1, 4, 16, 32])


@kind
def video(c):
    path = c.file("video")
    report = c.numbers("file", path, macs=4129280)
    c.check("file.finding", "no-image-input" in codes(report), f"findings {sorted(codes(report))}")
    c.check("file.input", bool(report) and report["input"] is None and report["summary"]["i_max"] is None, f"{report['input']}")
    c.macs("file", path)
    for opset in (8, 13, 21):
        frames(c, opset, 4)
        frames(c, opset, 6, last=True)
    c.drawn("space_to_batch", 9, 13, 20)
    c.drawn("windows", 8, 14, 20)
    c.exported("to_batch", 11, 16)
    c.exported("windows", 9, 14)


def frames(c, opset, number, last=False):
    """Frames folded into the batch, through a network, and back: cost counts every frame."""
    name = f"frames-{number}-{opset}{'-last' if last else ''}"
    tensors = {"w": numpy.full((8, 3, 3, 3), 0.1, numpy.float32), "fc": numpy.full((8, 4), 0.1, numpy.float32),
               "fold": numpy.array([-1, 3, 32, 32], numpy.int64), "back": numpy.array([1, number, 4], numpy.int64)}
    dims = [1, number, 32, 32, 3] if last else [1, number, 3, 32, 32]
    nodes = [helper.make_node("Transpose", ["x"], ["t"], "turn", perm=[0, 1, 4, 2, 3])] if last else []
    nodes += [helper.make_node("Reshape", ["t" if last else "x", "fold"], ["f"], "fold_node"),
              helper.make_node("Conv", ["f", "w"], ["a"], "conv", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]),
              helper.make_node("GlobalAveragePool", ["a"], ["g"], "gap"), helper.make_node("Flatten", ["g"], ["h"], "flat"),
              helper.make_node("MatMul", ["h", "fc"], ["l"], "fc_node"),
              helper.make_node("Reshape", ["l", "back"], ["y"], "back_node")]
    path = c.save(name, make_model(nodes, [("x", dims)], [("y", [1, number, 4])], tensors, opset))
    c.numbers(name, path, macs=number * (16 * 16 * 8 * 27 + 32))
    c.macs(f"{name}.counted", path)


@kind
def resize(c):
    for name, start in (("resize10", -1), ("upsample9", -1)):
        path = c.file(name)
        c.row(f"{name}.up", c.report(path), "up", start=[start, start])
        # Odd units: an even one lies upon a unit of the input, and the next, which counts as read too, has the weight 0.
        c.box(f"{name}.box", path, "up", at=[1, 1])
        c.box(f"{name}.middle", path, "up", at=[21, 23])
        c.own_records(name, path, 9 if name == "upsample9" else 10, 11, 13, 21)
        for side in ("96", "40x72"):
            c.at_size(f"{name}.at-{side}", path, side, must_run=True)
        c.plans_run(f"{name}.plans", path)
    c.drawn("upsample_by_scale", 7, 8, 9, 10, 11, 13, 19, seeds=(0, 1))
    c.drawn("upsample_by_size", 9, 10, 11, 13, 20, seeds=(0, 1))
    c.drawn("pyramid", 9, 10, 12, 18)
    c.drawn("resize_to_image", 10, 13, 19)
    for name in ("nearest", "linear", "to_size"):
        c.exported(name, 9, 11, 13)


@kind
def gate(c):
    """se_op13.onnx and eca.onnx."""
    path = c.file("se_op13")
    report = c.numbers("se", path, i_max=15, macs=3982080)
    c.known("se", report)
    c.check("se.plan", not any("to 3" in plan["title"] and "Side" in plan["title"] for plan in c.plans(path, "32")),
            "a plan 'Side from 32 to 3'")
    c.macs("se", path)
    c.plans_run("se.plans", path)
    path = c.file("eca")
    report = c.numbers("eca", path, i_max=7, macs=1032304)
    c.known("eca", report)
    c.row("eca.gate", report, "/2/conv/Conv", rf_max=None, verdict="not_applicable")
    c.macs("eca", path)
    for name in ("se_op13", "eca"):
        for side in ("96", "48x80"):
            c.at_size(f"{name}.at-{side}", c.file(name), side, must_run=True)
    c.drawn("se_gate", 7, 8, 13, 20, seeds=(0, 1, 2))
    c.drawn("eca_gate", 7, 11, 17)
    c.drawn("coordinate_gate", 9, 18)
    c.exported("gate", 11, 15)
    c.exported("eca", 11, 16)


@kind
def quantised(c):
    path = c.file("qdq")
    report = c.numbers("qdq", path, i_max=11, macs=749568, parameters=4688)
    c.known("qdq", report)
    c.macs("qdq", path)
    for side in ("64", "40x24"):
        c.at_size(f"qdq.at-{side}", path, side, must_run=True)
    c.plans_run("qdq.plans", path)
    c.own_records("qdq", path)
    c.drawn("quantised", 10, 13, 19)
    c.drawn("integer_convolution", 11, 13, 20)
    for opset in (10, 13, 20):
        by_integers(c, opset)


def by_integers(c, opset):
    """QLinearConv and QLinearMatMul, padded with the zero point."""
    random = numpy.random.default_rng(6)
    scale, zero = numpy.float32(0.02), numpy.array(128, numpy.uint8)
    tensors = {"s": scale, "z": zero, "ws": numpy.float32(0.01), "wz": numpy.array(0, numpy.int8),
               "w": random.integers(-60, 60, (8, 3, 3, 3)).astype(numpy.int8),
               "v": random.integers(-60, 60, (8, 8, 5, 5)).astype(numpy.int8)}
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], "q"),
             helper.make_node("QLinearConv", ["q", "s", "z", "w", "ws", "wz", "s", "z"], ["a"], "conv1", kernel_shape=[3, 3],
                              pads=[1] * 4, strides=[2, 2]),
             helper.make_node("MaxPool", ["a"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2]) if opset >= 12 else
             helper.make_node("Identity", ["a"], ["p"], "pool"),
             helper.make_node("QLinearConv", ["p", "s", "z", "v", "ws", "wz", "s", "z"], ["d"], "conv2", kernel_shape=[5, 5],
                              pads=[2] * 4),
             helper.make_node("DequantizeLinear", ["d", "s", "z"], ["y"], "dq")]
    path = c.save(f"qlinear-{opset}", make_model(nodes, [("x", [1, 3, 32, 32])], [("y", [1, 8, None, None])], tensors, opset))
    name = f"qlinear-{opset}"
    # Field: 3 px at jump 2, the pooling adds 1*2 and doubles the jump, then 4 units more.
    report = c.numbers(name, path, i_max=3 + 2 + 4 * 4 if opset >= 12 else 3 + 4 * 2,
                       parameters=8 * 27 + 8 * 8 * 25)
    c.known(name, report)
    c.macs(name, path)
    for side in ("48", "24x40"):
        c.at_size(f"{name}.at-{side}", path, side, must_run=True)
    c.plans_run(f"{name}.plans", path)


@kind
def weights(c):
    """ws.onnx, and weights behind Cast, Dequantize, weight norm, filled ones and a part of a large table."""
    path = c.file("ws")
    report = c.numbers("ws", path, i_max=27, parameters=16404, macs=5947520)
    c.known("ws", report)
    c.macs("ws", path)
    for side in ("96", "40x56"):
        c.at_size(f"ws.at-{side}", path, side, must_run=True)
    c.plans_run("ws.plans", path)
    c.own_records("ws", path)
    c.drawn("computed_weights", 8, 9, 11, 13, 18, 21, layouts=("NCHW",), seeds=tuple(range(6)))
    c.exported("weight_norm", 9, 13)
    c.exported("standardised", 11, 16)
    for opset in (8, 13, 18):
        large_tables(c, opset)


def large_tables(c, opset):
    """Kernels cut out of one table of more than 65,536 elements, and anchors of as many behind the head."""
    random = numpy.random.default_rng(7)
    table = random.uniform(0.001, 0.01, (96, 64, 3, 3)).astype(numpy.float32)
    tensors = {"table": table, "w0": numpy.full((64, 3, 3, 3), 0.05, numpy.float32),
               "anchors": random.random((1, 70000, 1), numpy.float32),
               "flat": numpy.array([1, -1, 1], numpy.int64), "sizes": numpy.array([64, 32], numpy.int64)}
    cut = helper.make_node("Split", ["table", "sizes"] if opset >= 13 else ["table"], ["w1", "w2"], "cut", axis=0,
                           **({} if opset >= 13 else {"split": [64, 32]}))
    conv = [helper.make_node("Conv", [source, weight], [out], out, kernel_shape=[3, 3], pads=[1] * 4)
            for source, weight, out in (("x", "w0", "a"), ("a", "w1", "b"), ("b", "w2", "d"))]
    nodes = [cut, *conv, helper.make_node("GlobalAveragePool", ["d"], ["g"], "gap"),
             helper.make_node("Reshape", ["g", "flat"], ["r"], "rows"),
             helper.make_node("ReduceMax", ["r"], ["m"], "most", axes=[1], keepdims=1) if opset < 18 else
             helper.make_node("ReduceMax", ["r"], ["m"], "most", keepdims=1),
             helper.make_node("Mul", ["anchors", "m"], ["y"], "scaled")]
    path = c.save(f"tables-{opset}", make_model(nodes, [("x", [1, 3, 16, 16])], [("y", [1, 70000, 1])], tensors, opset))
    name = f"tables-{opset}"
    c.known(name, c.numbers(name, path, i_max=7, macs=16 * 16 * 9 * (3 * 64 + 64 * 64 + 64 * 32)))
    c.at_size(f"{name}.24", path, "24", must_run=True)
    c.plans_run(f"{name}.plans", path)


@kind
def segnet(c):
    path = c.file("segnet")
    report = c.report(path)
    c.row("file.pool1", report, "pool1", kind="MaxPool2d")
    c.row("file.enc2", report, "enc2", rf_max=[8, 8])
    c.known("file", report)
    shrinks = []
    tried = c.plan_files(path) + c.plan_files(path, "32")
    for plan, out in tried:
        after = c.report(out) if out.exists() else None
        if not after or after["outputs"][0]["shape"][2:] != after["input"]["shape"][2:]:
            shrinks.append(plan["title"])
    c.check("file.output", not shrinks,
            f"{len(shrinks)} of {len(tried)} plans shrink the output, first '{shrinks[0] if shrinks else ''}'")
    c.plans_run("file.plans", path)
    for side in ("96", "32x48"):
        c.at_size(f"file.at-{side}", path, side, must_run=True)
    c.macs("file", path)
    c.drawn("max_unpool", 9, 11, 13, 20)


@kind
def autoencoder(c):
    path = c.file("ae")
    report = c.report(path)
    c.check("file.covers", "kernel-covers-map" not in codes(report),
            "'kernel-covers-map' for a transposed 4x4 of stride 2 on 4x4")
    c.known("file", report)
    c.macs("file", path)
    c.plans_run("file.plans", path)
    for opset, (k, s, length), right in ((9, (4, 2, 2), True), (13, (4, 4, 2), False), (13, (3, 1, 3), True),
                                         (20, (2, 2, 1), True), (20, (5, 2, 4), False)):
        # ceil(e / s) units are read: covered where that is the whole map.
        tensors = {"w": numpy.full((4, 3, 3, 3), 0.1, numpy.float32), "v": numpy.full((4, 4, k, k), 0.1, numpy.float32)}
        nodes = [helper.make_node("Conv", ["x", "w"], ["a"], "conv", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]),
                 helper.make_node("ConvTranspose", ["a", "v"], ["y"], "up", kernel_shape=[k, k], strides=[s, s])]
        made = make_model(nodes, [("x", [1, 3, 2 * length, 2 * length])], [("y", [1, 4, None, None])], tensors, opset)
        path = c.save(f"up-{k}-{s}-{length}-{opset}", made)
        c.row(f"up-{k}-{s}-{length}-{opset}", c.report(path), "up", covers_map=right)


# Further kinds without a file


@kind
def casts(c):
    c.drawn("casts", 7, 9, 13, 16, 21, seeds=(0, 1))
    c.drawn("dropout", 7, 10, 13, 20, seeds=(0, 1))
    for opset in (9, 13, 19):
        half = {"opset": opset, "half": True, "only": ["residual", "plain_pool"]}
        nets = [draw(7700 + opset, open_sides=open_sides, layout="NCHW", **half)[0] for open_sides in (False, True)]
        c.case(f"half-{opset}", *nets)


@kind
def functions(c):
    """ONNX local functions are inlined: convolution, norm and activation as one node."""
    for opset in (15, 17, 21):
        body = [helper.make_node("Conv", ["X", "W"], ["c"], "conv", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]),
                helper.make_node("Relu", ["c"], ["Y"], "relu")]
        function = helper.make_function("here", "ConvRelu", ["X", "W"], ["Y"], body, [helper.make_opsetid("", opset)])
        nodes = [helper.make_node("ConvRelu", [source, weight], [out], out, domain="here")
                 for source, weight, out in (("x", "w1", "a"), ("a", "w2", "y"))]
        tensors = {"w1": numpy.full((8, 3, 3, 3), 0.1, numpy.float32), "w2": numpy.full((4, 8, 3, 3), 0.1, numpy.float32)}
        model = make_model(nodes, [("x", [1, 3, 32, 32])], [("y", [1, 4, 8, 8])], tensors, opset, 8 if opset < 19 else 10,
                           [("here", 1)], [function])
        path = c.save(f"functions-{opset}", model)
        name = f"inlined-{opset}"
        report = c.numbers(name, path, i_max=7, parameters=216 + 288, macs=16 * 16 * 216 + 8 * 8 * 288)
        c.known(name, report)
        c.at_size(f"{name}.48", path, "48", must_run=True)
        c.plans_run(f"{name}.plans", path)
        c.own_records(name, path)


@kind
def axes(c):
    """Height and width exchanged; space to batch; a pooling over channels."""
    c.drawn("exchanged", 7, 13, 20, seeds=(0, 1, 2))
    c.drawn("space_to_batch", 8, 14, 21)
    c.drawn("pool_over_channels", 8, 16)
    c.exported("exchanged", 11, 16)
    for opset in (8, 13, 20):
        turned(c, opset)


def turned(c, opset):
    """A 5x1 kernel of a map turned by a quarter extends over the image's width; stride likewise."""
    tensors = {"w": numpy.full((4, 3, 5, 1), 0.1, numpy.float32), "v": numpy.full((4, 4, 3, 3), 0.1, numpy.float32)}
    nodes = [helper.make_node("Transpose", ["x"], ["t"], "turn", perm=[0, 1, 3, 2]),
             helper.make_node("Conv", ["t", "w"], ["a"], "tall", kernel_shape=[5, 1], pads=[2, 0, 2, 0], strides=[2, 1]),
             helper.make_node("Transpose", ["a"], ["b"], "back", perm=[0, 1, 3, 2]),
             helper.make_node("Conv", ["b", "v"], ["y"], "last", kernel_shape=[3, 3], pads=[1] * 4)]
    path = c.save(f"turned-{opset}", make_model(nodes, [("x", [1, 3, 32, 48])], [("y", [1, 4, 32, 24])], tensors, opset))
    report = c.numbers(f"turned-{opset}", path, i_max=[3, 9])
    c.row(f"turned-{opset}.last", report, "last", jump=[1, 2], rf_max=[3, 9], start=[-1, -4])
    c.row(f"turned-{opset}.tall", report, "tall", jump=[1, 2], rf_max=[1, 5], start=[0, -2])
    c.box(f"turned-{opset}.box", path, "last")
    c.at_size(f"turned-{opset}.40x32", path, "40x32", must_run=True)


@kind
def settings(c):
    """Scalars as initializers are settings, no parameters, and so is one number for each channel before the first layer."""
    for opset in (7, 13, 21):
        tensors = {"by": numpy.float32(127.5), "less": numpy.ones((1,), numpy.float32),
                   "mean": numpy.full((3, 1, 1), 0.5, numpy.float32),
                   "w": numpy.full((8, 3, 3, 3), 0.1, numpy.float32), "v": numpy.full((4, 8, 3, 3), 0.1, numpy.float32)}
        nodes = [helper.make_node("Div", ["x", "by"], ["a"], "scale"), helper.make_node("Sub", ["a", "less"], ["b"], "shift"),
                 helper.make_node("Sub", ["b", "mean"], ["c"], "mean_node"),
                 helper.make_node("Conv", ["c", "w"], ["d"], "conv1", kernel_shape=[3, 3], pads=[1] * 4),
                 helper.make_node("Conv", ["d", "v"], ["y"], "conv2", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2])]
        path = c.save(f"scalars-{opset}", make_model(nodes, [("x", [1, 3, 32, 32])], [("y", [1, 4, 16, 16])], tensors, opset))
        c.numbers(f"scalars-{opset}", path, parameters=216 + 288, i_max=5, macs=32 * 32 * 216 + 16 * 16 * 288)
        c.own_records(f"scalars-{opset}", path)
        # What stands behind the arithmetic can be named as the image.
        report = c.report(path, None, "--input", "c")
        c.equal(f"inner-{opset}", [report["input"]["name"], report["summary"]["i_max"]] if report else None, ["c", [5, 5]])
        refusal = c.harness.fovea("analyze", path, "--input", "c", "--size", "64")
        c.check(f"inner-{opset}.no-size", refusal.is_refusal(), f"exit code {refusal.code}, {refusal.err}")
    c.drawn("preprocessing", 8, 13, 20, seeds=(0, 1))


@kind
def tokens(c):
    c.drawn("class_token", 10, 13, 20, seeds=(0, 1, 2))
    c.drawn("linear_per_position", 8, 15)
    c.exported("tokens", 11, 14)
    c.drawn("windows", 9, 13, 18, seeds=(0, 1))
    c.exported("windows", 11, 16)


@kind
def one_axis(c):
    """A pooling that is global along one axis."""
    c.drawn("text_head", 9, 12, 20, seeds=(0, 1, 2))
    c.drawn("coordinate_gate", 8, 13)
    c.exported("one_axis", 11, 16)
    for opset in (7, 13, 20):
        tensors = {"w": numpy.full((4, 3, 3, 3), 0.1, numpy.float32), "v": numpy.full((4, 4, 1, 3), 0.1, numpy.float32)}
        nodes = [helper.make_node("Conv", ["x", "w"], ["a"], "conv", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]),
                 helper.make_node("AveragePool", ["a"], ["b"], "pool", kernel_shape=[16, 1]),
                 helper.make_node("Conv", ["b", "v"], ["y"], "row", kernel_shape=[1, 3], pads=[0, 1, 0, 1])]
        path = c.save(f"rows-{opset}", make_model(nodes, [("x", [1, 3, 32, 64])], [("y", [1, 4, 1, 32])], tensors, opset))
        report = c.report(path)
        row = next(row for row in report["layers"] if row["name"] == "row")
        c.check(f"rows-{opset}.outside", row["rf_max"] is None or row["rf_max"][0] is None or row["unbounded"],
                f"'row' has the field {row['rf_max']}")
        # Written at another height its kernel becomes that map's side.
        c.at_size(f"rows-{opset}.48x64", path, "48x64", must_run=True)
        c.at_size(f"rows-{opset}.32x96", path, "32x96", must_run=True)
        # The height is the file's, the width is open: own records can say a window as long as the map is high.
        path = c.save(f"open-{opset}", make_model(nodes, [("x", [1, 3, 32, "wide"])], [("y", [1, 4, 1, "w"])], tensors, opset))
        c.own_records(f"open-{opset}", path, opset, side="32x80")


@kind
def pads(c):
    """Pads built from Split and Concat of constants."""
    c.drawn("constant_pads", 8, 11, 13, 19, seeds=(0, 1, 2))
    c.drawn("zero_pad_pool", 7, 11, 20, seeds=(0, 1))
    c.drawn("ceil_pool", 10, 14, 21, seeds=(0, 1))
    c.exported("pads", 11, 13)
    for opset in (11, 13, 18):
        tensors = {"whole": numpy.array([0, 0, 1, 1, 0, 0, 2, 2], numpy.int64), "sizes": numpy.array([4, 4], numpy.int64),
                   "w": numpy.full((4, 3, 4, 4), 0.1, numpy.float32)}
        cut = helper.make_node("Split", ["whole", "sizes"] if opset >= 13 else ["whole"], ["front", "rear"], "cut", axis=0,
                               **({} if opset >= 13 else {"split": [4, 4]}))
        nodes = [cut, helper.make_node("Concat", ["front", "rear"], ["pads"], "join", axis=0),
                 helper.make_node("Pad", ["x", "pads"], ["p"], "pad"),
                 helper.make_node("Conv", ["p", "w"], ["y"], "conv", kernel_shape=[4, 4])]
        path = c.save(f"split-{opset}", make_model(nodes, [("x", [1, 3, 24, 24])], [("y", [1, 4, 24, 24])], tensors, opset))
        report = c.report(path)
        c.known(f"split-{opset}", report)
        c.row(f"split-{opset}.conv", report, "conv", start=[-1, -1], rf_max=[4, 4], out_shape=[1, 4, 24, 24])
        c.at_size(f"split-{opset}.40", path, "40", must_run=True)


@kind
def unknown(c):
    """What is unknown: told once, and nothing is concluded from the rest. A tail behind the extractor fails no check."""
    for opset in (16, 20):
        name, path = f"way-{opset}", c.save(f"way-{opset}", sampled(opset, 24))
        report = c.report(path)
        told = [issue for issue in report["issues"] if issue["code"] == "unknown-layer"]
        c.check(f"{name}.told-once", len(told) == 1 and told[0]["layer"] == "warp", f"findings {sorted(codes(report))}")
        c.equal(f"{name}.complete", report["summary"].get("complete"), False)
        c.equal(f"{name}.border", report["summary"]["border_layer"], None)
        grid = 24 * 24 * 2  # stored, and read by the layer that is unknown
        c.equal(f"{name}.parameters", report["summary"]["parameters"], 8 * 27 + 4 * 72 + grid)
        c.row(f"{name}.before", report, "conv1", verdict="productive", out_shape=[1, 8, 24, 24])
        c.row(f"{name}.behind", report, "conv2", verdict="unknown", out_shape=[1, 4, 24, 24])
        c.equal(f"{name}.fail-on", c.harness.fovea("analyze", path, "--fail-on", "unproductive").code, 1)
        # A plan may change the first convolution as long as its map stays; where none is left, the exit code says so.
        for side in ("2", "24"):
            result = c.harness.fovea("refine", path, "--size", side, "--json")
            plans = json.loads(result.out)["plans"] if result.out else []
            wrong = [plan["title"] for plan in plans for edit in plan["edits"]
                     if edit["layer"] != "conv1" or edit["attribute"] == "stride" or edit["op"] != "set"]
            c.check(f"{name}.plans-{side}", not wrong and result.code in (0, 1), f"'{wrong[0] if wrong else result.err}'")
        c.check(f"{name}.said", "Nothing" not in c.harness.fovea("refine", path).out, "says that there is nothing to do")
        stated = c.report(path, None, "--reach", "op:GridSample=same")
        c.equal(f"{name}.stated", stated["summary"]["i_max"] if stated else None, [5, 5])
        name, path = f"tail-{opset}", c.save(f"tail-{opset}", sorted_scores(opset))
        c.equal(f"{name}.fail-on", c.harness.fovea("analyze", path, "--fail-on", "unproductive").code, 0)
        c.numbers(name, path, i_max=5)
        c.plans_run(f"{name}.plans", path, "16")
    for side in (24, 40):
        c.at_size(f"way.{side}", c.save(f"way-{side}", sampled(16, side)), str(side), must_run=True)


def sampled(opset, side):
    """Sampled by data between two convolutions; the file states the shape behind it."""
    tensors = {"w": numpy.full((8, 3, 3, 3), 0.1, numpy.float32), "v": numpy.full((4, 8, 3, 3), 0.1, numpy.float32),
               "grid": numpy.zeros((1, side, side, 2), numpy.float32)}
    nodes = [helper.make_node("Conv", ["x", "w"], ["a"], "conv1", kernel_shape=[3, 3], pads=[1] * 4),
             helper.make_node("GridSample", ["a", "grid"], ["b"], "warp"),
             helper.make_node("Conv", ["b", "v"], ["y"], "conv2", kernel_shape=[3, 3], pads=[1] * 4)]
    maps = [("x", [1, 3, side, side])], [("y", [1, 4, side, side])]
    return make_model(nodes, *maps, tensors, opset, 8 if opset < 19 else 10, infos=[("b", [1, 8, side, side])])


def sorted_scores(opset):
    """The best scores behind a global pooling: a tail that reads data."""
    tensors = {"w": numpy.full((8, 3, 3, 3), 0.1, numpy.float32), "v": numpy.full((8, 8, 3, 3), 0.1, numpy.float32),
               "k": numpy.array([3], numpy.int64)}
    nodes = [helper.make_node("Conv", ["x", "w"], ["a"], "conv1", kernel_shape=[3, 3], pads=[1] * 4),
             helper.make_node("Conv", ["a", "v"], ["b"], "conv2", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]),
             helper.make_node("GlobalAveragePool", ["b"], ["g"], "gap"), helper.make_node("Flatten", ["g"], ["f"], "flat"),
             helper.make_node("TopK", ["f", "k"], ["y", "at"], "best")]
    outputs = [("y", [1, 3]), ("at", [1, 3], TensorProto.INT64)]
    return make_model(nodes, [("x", [1, 3, 32, 32])], outputs, tensors, opset, 8 if opset < 19 else 10)


@kind
def stored_outputs(c):
    """A tensor of the file that is an output too is written once."""
    for opset in (9, 13, 20):
        tensors = {"w": numpy.full((4, 3, 3, 3), 0.1, numpy.float32),
                   "anchors": numpy.arange(8, dtype=numpy.float32).reshape(2, 4)}
        nodes = [helper.make_node("Conv", ["x", "w"], ["y"], "conv", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2])]
        outputs = [("y", [1, 4, 16, 16]), ("anchors", [2, 4])]
        path = c.save(f"stored-{opset}", make_model(nodes, [("x", [1, 3, 32, 32])], outputs, tensors, opset))
        c.numbers(f"stored-{opset}", path, i_max=3)
        c.own_records(f"stored-{opset}", path)
        c.at_size(f"stored-{opset}.48", path, "48", must_run=True)
        c.plans_run(f"stored-{opset}.plans", path)


@kind
def groups(c):
    """DenseNet as PyTorch 1.2 names it: nodes without names, values by number, weights by module."""
    for name, opset, blocks in (("densenet", 9, (3, 4)), ("densenet-10", 10, (6,))):
        model, wanted = densenet(opset, blocks)
        report = c.report(c.save(name, model))
        rows = report["layers"] if report else []
        if not c.equal(f"{name}.layers", len(rows), len(model.graph.node)):
            continue
        wrong = [f"'{row['name']}' is in {row['group']}, right is {right}" for row, right in zip(rows, wanted)
                 if right and not (row["group"] or "").startswith(right)]
        c.check(f"{name}.members", not wrong, f"{len(wrong)} layers: {wrong[0] if wrong else ''}")
        cycle = cycle_of(model, [row["group"] or "" for row in rows])
        c.check(f"{name}.no-cycle", not cycle, f"groups {cycle} read each other")


def densenet(opset, blocks):
    """The graph, and for each node the group that it must lie in: that of its weights, and what lies between."""
    random = numpy.random.default_rng(1)
    nodes, tensors, wanted, made = [], {}, [], iter(map(str, range(500, 2000)))

    def add(op, inputs, group, **attributes):
        out = next(made)
        nodes.append(helper.make_node(op, inputs, [out], **attributes))
        wanted.append(group)
        return out

    def norm(source, channels, path, group):
        names = [f"{path}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
        for tensor, value in zip(names, (1, 0, 0, 1)):
            tensors[tensor] = numpy.full(channels, value, numpy.float32)
        return add("BatchNormalization", [source, *names], group)

    def conv(source, inputs, outputs, kernel, path, group, stride=1):
        tensors[f"{path}.weight"] = random.random((outputs, inputs, kernel, kernel), numpy.float32)
        return add("Conv", [source, f"{path}.weight"], group, kernel_shape=[kernel] * 2, pads=[kernel // 2] * 4,
                   strides=[stride] * 2)

    x, channels = conv("image", 3, 8, 7, "features.conv0", "features", 2), 8
    x = add("Relu", [norm(x, channels, "features.norm0", "features")], "features")
    x = add("MaxPool", [x], "features", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for number, depth in enumerate(blocks, 1):
        parts = [x]
        block = f"features.denseblock{number}"
        for layer in range(1, depth + 1):
            group = f"{block}.denselayer{layer}"
            y = add("Concat", parts, block, axis=1) if len(parts) > 1 else parts[0]
            y = add("Relu", [norm(y, channels, f"{group}.norm1", group)], group)
            y = conv(y, channels, 8, 1, f"{group}.conv1", group)
            y = add("Relu", [norm(y, 8, f"{group}.norm2", group)], group)
            parts.append(conv(y, 8, 4, 3, f"{group}.conv2", group))
            channels += 4
        x = add("Concat", parts, "features", axis=1)
        if number < len(blocks):
            group = f"features.transition{number}"
            x = add("Relu", [norm(x, channels, f"{group}.norm", group)], group)
            x = add("AveragePool", [conv(x, channels, channels // 2, 1, f"{group}.conv", group)], None, kernel_shape=[2, 2],
                    strides=[2, 2])
            channels //= 2
    x = add("Relu", [norm(x, channels, "features.norm5", "features")], None)
    x = add("Flatten", [add("GlobalAveragePool", [x], None)], None)
    tensors["classifier.weight"] = random.random((10, channels), numpy.float32)
    tensors["classifier.bias"] = numpy.zeros(10, numpy.float32)
    x = add("Gemm", [x, "classifier.weight", "classifier.bias"], None, transB=1)
    return make_model(nodes, [("image", [1, 3, 64, 64])], [(x, [1, 10])], tensors, opset, 4), wanted


def cycle_of(model, groups):
    """Two groups, neither inside the other, each of which reads the other; at every depth of nesting."""
    maker = {out: at for at, node in enumerate(model.graph.node) for out in node.output}
    deepest = max(group.count(".") for group in groups) + 1
    for depth in range(1, deepest + 1):
        cut = [".".join(group.split(".")[:depth]) for group in groups]
        reads = {}
        for at, node in enumerate(model.graph.node):
            for name in node.input:
                if name in maker and cut[at] and cut[maker[name]] and cut[at] != cut[maker[name]]:
                    a, b = cut[at], cut[maker[name]]
                    if not a.startswith(b) and not b.startswith(a):
                        reads.setdefault(a, set()).add(b)
        for start in reads:
            seen, waiting = set(), list(reads[start])
            while waiting:
                here = waiting.pop()
                if here == start:
                    return f"{start} and another"
                if here not in seen:
                    seen.add(here)
                    waiting += reads.get(here, ())
    return None


# Results


def run_kind(runner, name):
    checks = Checks(runner, name)
    try:
        KINDS[name](checks)
    except Exception as error:  # a check that cannot go on is a failure of its kind, not of the others
        import traceback
        place = traceback.extract_tb(error.__traceback__)[-1]
        checks.failed[f"{name}.goes-on"] = f"{type(error).__name__}: {error} (line {place.lineno} of {Path(place.filename).name})"
    return checks


def add_options(parser):
    parser.add_argument("--only", nargs="*", choices=sorted(KINDS), metavar="KIND", help=", ".join(sorted(KINDS)))
    parser.add_argument("--keep", action="store_true", help="leaves the files that were made")


def main():
    harness = Harness(__doc__, add_options)
    harness.require_ort()
    runner = Runner(harness)
    wanted = harness.options.only or list(KINDS)
    done = in_parallel(lambda name: run_kind(runner, name), wanted)
    runner.stop()
    passed = 0
    for checks in done:
        passed += len(checks.passed)
        for name, text in checks.failed.items():
            harness.fail(f"{name}: {text}")
        print(f"{checks.kind}: {len(checks.passed)} right, {len(checks.failed)} wrong", flush=True)
    if harness.options.keep:
        print(f"files are in {harness.scratch}")
        sys.exit(1 if harness.failures else 0)
    harness.finish(passed + len(harness.failures))


if __name__ == "__main__":
    main()
