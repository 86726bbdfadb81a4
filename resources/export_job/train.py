"""Trains the network of this folder: torchrun --nproc_per_node=N train.py

model.py is the network, model.safetensors what it starts from, recipe.json how, run.json on what. Started again, it goes
on from the last checkpoint. The folder is a run as Fovea keeps it: metrics.jsonl, last.safetensors and its
last-STEP.state.safetensors, best.safetensors, log.txt; `fovea analyze FOLDER` opens it.
"""

import argparse
import copy
import itertools
import json
import math
import os
import resource
import signal
import struct
import sys
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)

import images  # noqa: E402
import model as network_source  # noqa: E402

MIXING, DROPOUT = 0x317, 0xD20  # purposes of random streams
BOARD = ("lr", "images_per_second", "train_loss", "eval_loss", "eval_top1", "eval_top5")  # what TensorBoard shows

# What stands in the files: {field: ...}, [of each] or [first, second], (one of these texts), (kind, least, most).
SHARE, RATE = (float, 0, 1), (float, 0, 1000)
AREA, RATIO = (float, 0.01, 1), (float, 0.1, 10)
RECIPE = {
    "opt": ("sgd", "adamw"), "lr": RATE, "momentum": (float, 0, 0.99999), "nesterov": bool, "beta1": (float, 0, 0.99999),
    "beta2": (float, 0, 0.9999999), "opt_eps": (float, 1e-16, 1), "weight_decay": (float, 0, 10),
    "clip_grad": (float, 0, 10**9), "layer_decay": (float, 0.001, 1), "freeze": str,
    "sched": ("cosine", "step", "constant", "onecycle"), "epochs": (int, 1, 10**6), "warmup_epochs": (float, 0, 10**6),
    "warmup_lr": RATE, "min_lr": RATE, "decay_epochs": (float, 0.001, 10**6), "decay_rate": (float, 1e-6, 1),
    "max_steps": (int, 0, 10**9), "batch_size": (int, 1, 65536), "val_split": (float, 0.001, 0.9), "hflip": SHARE,
    "scale_min": AREA, "scale_max": AREA, "ratio_min": RATIO, "ratio_max": RATIO, "crop_pad": (int, 0, 512),
    "workers": (int, 0, 256), "smoothing": (float, 0, 0.999), "mixup": (float, 0, 100), "cutmix": (float, 0, 100),
    "mixup_prob": SHARE, "mixup_switch_prob": SHARE, "model_ema": bool, "model_ema_decay": (float, 0, 0.9999999),
    "amp": bool, "channels_last": bool, "unfold_norms": bool, "patience": (int, 0, 10**6), "seed": (int, 0, 9 * 10**15),
    "log_interval": (int, 1, 10**6), "checkpoint_interval": (int, 0, 10**9), "tensorboard": bool,
}
JOB = {
    "classifier": {"method": ("forward", "logits")}, "layers": [{"keys": [str], "decayed": [str], "depth": (int, 0, 10**6)}],
    "frozen": [str], "frozen_norms": [str],
    "layout": tuple(map("".join, itertools.permutations("NCHW"))),
    "preprocessing": {"resize": (int, 0, 65536), "order": ("rgb", "bgr"), "mean": [(float, -(10**6), 10**6)],
                      "deviation": [(float, 1e-6, 10**6)]},
}
INFO = {"data": str, "size": [(int, 1, 10**6)] * 2, "classes": [str], "images": [(int, 0, 10**12)] * 2}


class JobError(Exception):
    """One sentence for the user."""


def in_folder(name):
    return os.path.join(FOLDER, name)


# Files. A reader never sees half of one: each is written beside its place, flushed to the disk and renamed.


def write_atomically(name, *parts):
    path = in_folder(name)
    with open(path + ".tmp", "wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".tmp", path)
    folder = os.open(FOLDER, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def read(name, reader, remedy):
    """What reader(path) gives; a file that is not there, or is cut or broken, is one sentence with what to do."""
    try:
        return reader(in_folder(name))
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
    except Exception as error:  # whatever a broken file leads to
        why = f"is broken ({' '.join(str(error).split())[:200] or type(error).__name__})"
    raise JobError(f"'{in_folder(name)}' {why}; {remedy}.")


def check(name, value, wanted, field=""):
    """JobError where a value of the file is not what its table says."""
    if isinstance(wanted, type):
        fits, must = isinstance(value, wanted), {bool: "true or false", str: "a text"}[wanted]
    elif isinstance(wanted, dict):
        fits, must = isinstance(value, dict), "an object"
    elif isinstance(wanted, list):
        fits = isinstance(value, list) and len(wanted) in (1, len(value))
        must = f"a list of {len(wanted)}" if len(wanted) > 1 else "a list"
    elif isinstance(wanted[0], str):
        fits, must = value in wanted, "one of " + ", ".join(wanted)
    else:
        kind, least, most = wanted
        fits = type(value) in (int, kind) and least <= value <= most
        must = f"a {'whole ' if kind is int else ''}number from {least} to {most}"
    if not fits:
        now = "missing" if value is None else json.dumps(value)[:80]
        raise JobError(f"'{in_folder(name)}': {repr(field) if field else 'it'} must be {must}, but is {now}.")
    if isinstance(wanted, dict):
        for key, part in wanted.items():
            check(name, value.get(key), part, f"{field}.{key}" if field else key)
    elif isinstance(wanted, list):
        for i, part in enumerate(value):
            check(name, part, wanted[i % len(wanted)], f"{field}[{i}]")


def read_json(name, wanted):
    def parsed(path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    value = read(name, parsed, "put it right, or export the job again")
    check(name, value, wanted)
    return value


def read_recipe():
    recipe = read_json("recipe.json", RECIPE)
    crops_otherwise = any(recipe[key] != 1 for key in ("scale_min", "scale_max", "ratio_min", "ratio_max"))
    for wrong, sentence in (
            (recipe["scale_min"] > recipe["scale_max"], "'scale_min' must not be above 'scale_max'"),
            (recipe["ratio_min"] > recipe["ratio_max"], "'ratio_min' must not be above 'ratio_max'"),
            (recipe["crop_pad"] > 0 and crops_otherwise, "'crop_pad' is for crops of the image's own size: set 'scale_min', "
                                                         "'scale_max', 'ratio_min' and 'ratio_max' to 1, or 'crop_pad' to 0"),
            (recipe["nesterov"] and recipe["opt"] == "sgd" and recipe["momentum"] == 0,
             "Nesterov's momentum needs a momentum: set 'momentum' above 0, or 'nesterov' to false"),
            (recipe["warmup_epochs"] >= recipe["epochs"], "'warmup_epochs' must be below 'epochs'")):
        if wrong:
            raise JobError(f"'{in_folder('recipe.json')}': {sentence}.")
    return recipe


def write_json(name, value):
    write_atomically(name, (json.dumps(value) + "\n").encode())


def write_safetensors(name, tensors, metadata):
    types = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
             torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
             torch.bool: "BOOL"}
    header, parts, offset = {"__metadata__": metadata}, [], 0
    # Wide types first keeps every tensor aligned to its own size.
    for key, tensor in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        flat = tensor.detach().cpu().contiguous()
        data = bytes(flat.flatten().view(torch.uint8).numpy()) if flat.numel() else b""
        header[key] = {"dtype": types[flat.dtype], "shape": list(flat.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    write_atomically(name, struct.pack("<Q", len(text)), text, *parts)


def read_place(path):
    """What a checkpoint says of itself: (name of its state file, where the run stood)."""
    with open(path, "rb") as file:
        metadata = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))["__metadata__"]
    return metadata["state"], json.loads(metadata["where"])


def note_failure(reason):
    """In run.json, unless that is what is broken: then it stays as it is."""
    try:
        info = read_json("run.json", INFO)
    except JobError:
        return
    write_json("run.json", {**info, "state": "failed", "reason": reason})


# Processes


class Ranks:
    """The processes that train together; one alone without torchrun."""

    def __init__(self, wanted):
        self.rank, self.count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        cuda = torch.cuda.is_available() if wanted == "auto" else wanted == "cuda"
        self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
        if cuda:
            torch.cuda.set_device(self.device)
        if self.count > 1:
            dist.init_process_group("nccl" if cuda else "gloo")

    def sum(self, tensor):
        if self.count > 1:
            dist.all_reduce(tensor)
        return tensor

    def share_buffers(self, network):
        """Those of the first process, which also saves them, become everybody's."""
        for buffer in network.buffers() if self.count > 1 else ():
            dist.broadcast(buffer, 0)

    def leave(self):
        if self.count > 1:
            dist.barrier()
            dist.destroy_process_group()


# Schedule: the learning rate at every step.


def total_steps(recipe, per_epoch):
    steps = recipe["epochs"] * per_epoch
    return min(recipe["max_steps"], steps) if recipe["max_steps"] > 0 else steps


def cosine(start, end, share):
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


def one_cycle(lr, step, rise, total):
    top, last, start = rise - 1, total - 1, lr / 25
    if step <= top:
        return cosine(start, lr, step / top if top > 0 else 1)
    return cosine(lr, start / 1e4, min((step - top) / (last - top), 1) if last > top else 1)


def learning_rate(recipe, step, per_epoch):
    total, lr = total_steps(recipe, per_epoch), recipe["lr"]
    warm = min(recipe["warmup_epochs"] * per_epoch, total)
    if recipe["sched"] == "onecycle":
        return one_cycle(lr, step, warm if warm > 0 else 0.3 * total, total)
    if step < warm:
        return recipe["warmup_lr"] + (lr - recipe["warmup_lr"]) * step / warm
    if recipe["sched"] == "step":
        return lr * recipe["decay_rate"] ** math.floor((step - warm) / (recipe["decay_epochs"] * per_epoch))
    if recipe["sched"] == "constant" or total <= warm:
        return lr
    return cosine(lr, min(recipe["min_lr"], lr), min((step - warm) / (total - warm), 1))


# Parameters


def optimiser_for(network, recipe, job):
    """One group for each pair of weight decay and share of the learning rate; frozen parameters take no part."""
    depth = {key: layer["depth"] for layer in job["layers"] for key in layer["keys"]}
    deepest = max((layer["depth"] for layer in job["layers"]), default=0)
    decayed = {key for layer in job["layers"] for key in layer["decayed"]}
    groups = {}
    for name, tensor in network.named_parameters():
        if tensor.requires_grad:
            decay = recipe["weight_decay"] if name in decayed else 0.0
            share = recipe["layer_decay"] ** (deepest - depth.get(name, 0))
            groups.setdefault((decay, share), []).append(tensor)
    if not groups:
        raise JobError("Every parameter is frozen, so there is nothing to train.")
    groups = [{"params": tensors, "weight_decay": decay, "share": share} for (decay, share), tensors in groups.items()]
    if recipe["opt"] == "adamw":
        return torch.optim.AdamW(groups, lr=recipe["lr"], betas=(recipe["beta1"], recipe["beta2"]), eps=recipe["opt_eps"])
    return torch.optim.SGD(groups, lr=recipe["lr"], momentum=recipe["momentum"],
                           nesterov=recipe["nesterov"] and recipe["momentum"] > 0)


OPTIMISER_FIELDS = {"sgd": {"momentum_buffer"}, "adamw": {"step", "exp_avg", "exp_avg_sq"}}  # of a parameter's state


def optimiser_tensors(optimiser, network):
    names = {tensor: name for name, tensor in network.named_parameters()}
    out = {}
    for tensor, state in optimiser.state.items():
        for key, value in state.items():
            if value is not None:
                out[f"optimizer.{names[tensor]}.{key}"] = value if torch.is_tensor(value) else torch.tensor(float(value))
    return out


def restore_optimiser(optimiser, network, tensors):
    parameters = dict(network.named_parameters())
    for key, value in tensors.items():
        family, _, rest = key.partition(".")
        name, _, field = rest.rpartition(".")
        if family == "optimizer":
            kept = value.clone() if value.dim() == 0 else value.to(parameters[name].device, copy=True)
            optimiser.state[parameters[name]][field] = kept


class Average:
    """A moving average of all weights and statistics, which follows faster while it is young."""

    def __init__(self, network, decay):
        self.network, self.decay = copy.deepcopy(network).eval(), decay
        for tensor in self.network.parameters():
            tensor.requires_grad_(False)

    @torch.no_grad()
    def take(self, network, step):
        decay = min(self.decay, (1 + step) / (10 + step))
        for mine, theirs in zip(self.network.state_dict().values(), network.state_dict().values()):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)


# Loss


def span(length, share, middle):
    """Where a box of this share of the length begins and ends; what would stand out is cut off."""
    half = int(length * share) // 2
    return max(middle - half, 0), min(middle + half, length)


def mixed_batch(inputs, labels, recipe, stream):
    """Mixup (arXiv 1710.09412) or cutmix (arXiv 1905.04899): (inputs, other labels, share of the own label)."""
    both = recipe["mixup"] > 0 and recipe["cutmix"] > 0
    if recipe["mixup"] <= 0 and recipe["cutmix"] <= 0 or stream.uniform() >= recipe["mixup_prob"]:
        return inputs, labels, 1.0
    cut = recipe["cutmix"] > 0 and (not both or stream.uniform() < recipe["mixup_switch_prob"])
    alpha = recipe["cutmix"] if cut else recipe["mixup"]
    own = stream.beta(alpha, alpha)
    other = inputs.flip(0)
    if not cut:
        return inputs * own + other * (1 - own), labels.flip(0), own
    height, width = inputs.shape[2:]
    side = math.sqrt(1 - own)
    (top, bottom), (left, right) = (span(length, side, stream.below(length)) for length in (height, width))
    inputs = inputs.clone()
    inputs[:, :, top:bottom, left:right] = other[:, :, top:bottom, left:right]
    return inputs, labels.flip(0), 1 - (bottom - top) * (right - left) / (height * width)


def loss_of(outputs, labels, other, own, smoothing):
    outputs = outputs.float()
    loss = F.cross_entropy(outputs, labels, label_smoothing=smoothing)
    if own == 1:
        return loss
    return own * loss + (1 - own) * F.cross_entropy(outputs, other, label_smoothing=smoothing)


class Classifier(torch.nn.Module):
    """Images to logits, [n, classes]; DistributedDataParallel runs no other method than forward()."""

    def __init__(self, network, method, layout):
        super().__init__()
        self.network, self.method = network, method
        self.order = ["NCHW".index(letter) for letter in layout]

    def forward(self, inputs):
        return getattr(self.network, self.method)(inputs.permute(self.order)).flatten(1)


def number(value):
    return value if math.isfinite(value) else None


class Run:
    def __init__(self, options):
        self.recipe, self.job = read_recipe(), read_json("job.json", JOB)
        self.info = read_json("run.json", INFO)
        self.ranks = Ranks(options.device)
        self.first = self.ranks.rank == 0
        self.stopping = False
        self.checkpoint_at = None
        self.broken = {}  # in the order in which they were met
        torch.manual_seed(self.recipe["seed"])
        goes_on = not options.fresh and os.path.exists(in_folder("last.safetensors"))
        self.open_data(options.data or self.info["data"], goes_on)
        self.build()
        self.where = {"epoch": 0, "step": 0, "best_top1": -1.0, "best_epoch": -1, "since_best": 0, "seconds": 0.0,
                      "step_loss": 0.0, "step_count": 0, "epoch_loss": 0.0, "epoch_count": 0}
        if goes_on:
            self.resume()
        elif self.first:
            for name in ("last.safetensors", "best.safetensors"):
                if os.path.exists(in_folder(name)):
                    os.unlink(in_folder(name))
            self.keep_metrics()

    # What it trains, on what

    def open_data(self, source, goes_on):
        recipe = self.recipe
        place = source
        if not source.startswith("patterns") and not os.path.isabs(source) and not os.path.isdir(source):
            place = in_folder(source)
        train, validation = images.open_data(place, recipe["val_split"], recipe["seed"])
        counts = [len(train), len(validation)]
        self.check_same_data(place, train.classes, counts if goes_on else None)
        (shape,) = network_source.INPUTS.values() if len(network_source.INPUTS) == 1 else (None,)
        channels = shape[self.job["layout"].index("C")] if shape is not None and len(shape) == 4 else 0
        if channels not in (1, 3):
            raise JobError("Training needs a network with one input, an image of 1 or 3 channels.")
        shape = (channels, *self.info["size"])
        preprocessing = self.job["preprocessing"]
        self.train_samples = images.Samples(train, shape, preprocessing, recipe)
        self.held_samples = images.Samples(validation, shape, preprocessing)
        self.shape, self.classes = shape, train.classes
        self.info.update(data=source, classes=train.classes, images=counts)
        self.batch = min(recipe["batch_size"], len(train) // self.ranks.count * self.ranks.count)
        if self.batch % self.ranks.count or not self.batch:
            raise JobError(f"A batch of {recipe['batch_size']} images cannot be shared evenly by {self.ranks.count} processes.")
        self.per_epoch = max(1, len(train) // self.batch)
        processors = len(os.sched_getaffinity(0)) // self.ranks.count - 1
        self.workers = recipe["workers"] or max(1, processors)

    def check_same_data(self, place, classes, counts):
        """Otherwise labels would mean other classes, and images that were trained on would validate."""
        known, images_known = self.info["classes"] or classes, self.info["images"]
        if len(classes) != len(known):
            raise JobError(f"'{place}' has {len(classes)} classes, but the job is for {len(known)}.")
        for name, wanted in zip(classes, known):
            if name != wanted:
                raise JobError(f"'{place}' has the class '{name}' where the job has '{wanted}'.")
        if counts and any(images_known) and counts != images_known:
            now, before = (f"{of[0]} images to train on and {of[1]} to validate" for of in (counts, images_known))
            raise JobError(f"'{place}' has {now} instead of {before}, which the run began with; --fresh starts anew.")

    def build(self):
        device = self.ranks.device
        network = read("model.safetensors", network_source.load, "export the job again").to(device)
        self.layout = torch.channels_last if self.recipe["channels_last"] else torch.contiguous_format
        network = network.to(memory_format=self.layout)
        for key in self.job["frozen"]:
            if key in dict(network.named_parameters()):
                network.get_parameter(key).requires_grad_(False)
        self.network = network
        self.optimiser = optimiser_for(network, self.recipe, self.job)
        self.average = Average(network, self.recipe["model_ema_decay"]) if self.recipe["model_ema"] else None
        self.amp = self.recipe["amp"] and device.type == "cuda"
        self.parallel = self.classifier(network)
        unused = self.unused_parameters()
        if self.ranks.count > 1:
            ids = [device.index] if device.type == "cuda" else None
            self.parallel = DistributedDataParallel(self.parallel, device_ids=ids, find_unused_parameters=unused)

    def classifier(self, network):
        return Classifier(network, self.job["classifier"]["method"], self.job["layout"])

    def unused_parameters(self):
        """Whether some parameter has no part in the logits; DistributedDataParallel has to know."""
        image = torch.zeros(1, *self.shape, device=self.ranks.device)
        outputs = self.parallel.eval()(image)
        if outputs.shape[1] != len(self.classes):
            raise JobError(f"The network has {outputs.shape[1]} outputs, but the data has {len(self.classes)} classes.")
        learned = [tensor for tensor in self.network.parameters() if tensor.requires_grad]
        return any(part is None for part in torch.autograd.grad(outputs.sum(), learned, allow_unused=True))

    # Where it stands

    def resume(self):
        def load(path):
            self.network.load_state_dict(network_source.read_safetensors(path), strict=True)

        remedy, prefix = "--fresh starts anew", "ema."
        state, where = read("last.safetensors", read_place, remedy)
        self.where.update(where)
        read("last.safetensors", load, remedy)
        tensors = read(state, network_source.read_safetensors, remedy)
        average = {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
        fields = {key.rpartition(".")[2] for key in tensors if key.startswith("optimizer.")}
        if not fields <= OPTIMISER_FIELDS[self.recipe["opt"]] or self.average and not average:
            raise JobError(f"'{in_folder(state)}' is of another 'opt' or 'model_ema' than recipe.json has now; {remedy}.")
        restore_optimiser(self.optimiser, self.network, tensors)
        if self.average:
            self.average.network.load_state_dict(average, strict=True)
        self.checkpoint_at = (self.where["epoch"], self.where["step"])
        if self.first:
            self.keep_metrics()
            self.log(f"Goes on from epoch {self.where['epoch'] + 1}, step {self.where['step']}.")

    def keep_metrics(self):
        """Lines behind the checkpoint are written again, and the end of an epoch that had not been counted yet."""

        def is_kept(line):
            if not line["step"] or line["step"] > self.where["step"]:
                return False
            return line["kind"] == "step" or line["epoch"] < self.where["epoch"]

        kept = []
        if os.path.exists(in_folder("metrics.jsonl")):
            with open(in_folder("metrics.jsonl"), encoding="utf-8", errors="replace") as file:
                for line in file:
                    try:
                        if line.endswith("\n") and is_kept(json.loads(line)):
                            kept.append(line)
                    except (ValueError, KeyError, TypeError):
                        pass
        write_atomically("metrics.jsonl", "".join(kept).encode())

    def save(self):
        where = self.where
        self.ranks.share_buffers(self.network)
        if self.first and self.checkpoint_at != (where["epoch"], where["step"]):
            state = f"last-{where['step']}.state.safetensors"
            tensors = optimiser_tensors(self.optimiser, self.network)
            if self.average:
                tensors.update({f"ema.{key}": value for key, value in self.average.network.state_dict().items()})
            place = {"format": "pt", "state": state, "where": json.dumps(where)}
            write_safetensors(state, tensors, place)
            write_safetensors("last.safetensors", self.network.state_dict(), place)
            for name in os.listdir(FOLDER):
                if name.startswith("last-") and name.endswith(".state.safetensors") and name != state:
                    os.unlink(in_folder(name))
        self.checkpoint_at = (where["epoch"], where["step"])

    def note(self, state, reason):
        if self.first:
            self.info.update(state=state, reason=reason, device=str(self.ranks.device), libtorch=torch.__version__,
                             threads=torch.get_num_threads())
            write_json("run.json", self.info)

    def log(self, text):
        if self.first:
            print(text, flush=True)
            with open(in_folder("log.txt"), "a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def report(self, kind, lr, loss, rate, held=None):
        if self.ranks.device.type == "cuda":
            memory = torch.cuda.max_memory_allocated()
        else:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        line = {"kind": kind, "epoch": self.where["epoch"], "step": self.where["step"], "lr": lr, "train_loss": number(loss)}
        if held:
            line.update(eval_loss=number(held[0]), eval_top1=held[1], eval_top5=held[2])
        line.update(images_per_second=rate, seconds=self.seconds(), memory=memory)
        if self.first:
            with open(in_folder("metrics.jsonl"), "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            self.board(kind, line)

    def board(self, kind, line):
        if not self.recipe["tensorboard"]:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self.recipe["tensorboard"] = False
            self.log("TensorBoard is not installed, so no event files are written.")
            return
        writer = self.writer = getattr(self, "writer", None) or SummaryWriter(FOLDER, purge_step=self.began_at + 1 if self.began_at else None)
        for key in BOARD:
            if line.get(key) is not None:
                writer.add_scalar(f"{kind}/{key}" if "_loss" in key or "_top" in key else key, line[key], line["step"])
        writer.flush()

    def seconds(self):
        return self.where["seconds"] + time.monotonic() - self.began

    # Training

    def batches(self, samples, places, order=None):
        whole = images.WholeSamples(samples, order)
        loader = torch.utils.data.DataLoader(whole, batch_sampler=places, num_workers=self.workers, collate_fn=whole.together)
        for inputs, labels, said in loader:
            if inputs is None and order:
                first = next(iter(said or self.broken))
                raise JobError(f"None of the {len(samples)} images to train on can be read; the first: {first}")
            for text in said:
                self.name_broken(text)
            if inputs is None:
                continue
            inputs = inputs.to(self.ranks.device, memory_format=self.layout)
            yield inputs, labels.to(self.ranks.device)

    def name_broken(self, text):
        """Once each, on standard error of the process that met it, and in the log where that is the first one."""
        if text in self.broken:
            return
        self.broken[text] = True
        self.log(f"Broken image {len(self.broken)}: {text}") if self.first else print(text, file=sys.stderr)

    def train_epoch(self):
        """Whether it came to the epoch's end, or to the last step of all."""
        where, recipe, ranks = self.where, self.recipe, self.ranks
        epoch, batch = where["epoch"], self.batch
        order = images.shuffled(len(self.train_samples), recipe["seed"], epoch)
        self.train_samples.set_epoch(epoch)
        self.parallel.train()
        for path in self.job["frozen_norms"]:
            self.network.get_submodule(path).eval()
        total, share = total_steps(recipe, self.per_epoch), batch // ranks.count
        done = where["step"] - epoch * self.per_epoch
        # Every process takes its share of each batch, so the batches do not depend on how many there are.
        starts = [s * batch + ranks.rank * share for s in range(done, self.per_epoch)]
        sums = torch.zeros(2, dtype=torch.float64, device=ranks.device)
        clock, reported_at = time.monotonic(), where["step"]
        for inputs, labels in self.batches(self.train_samples, [range(at, at + share) for at in starts], order):
            step = where["step"]
            torch.manual_seed(images.Stream(recipe["seed"], step, ranks.rank, DROPOUT).next() >> 1)
            lr = learning_rate(recipe, step, self.per_epoch)
            for group in self.optimiser.param_groups:
                group["lr"] = lr * group["share"]
            loss = self.step(inputs, labels, images.Stream(recipe["seed"], step, ranks.rank, MIXING))
            sums += ranks.sum(torch.stack([loss.detach().double() / ranks.count,
                                           torch.tensor(float(self.stopping), dtype=torch.float64, device=ranks.device)]))
            where["step"] += 1
            where["step_count"] += 1
            where["epoch_count"] += 1
            logs = where["step"] % recipe["log_interval"] == 0
            saves = recipe["checkpoint_interval"] > 0 and where["step"] % recipe["checkpoint_interval"] == 0
            if logs or saves or ranks.device.type == "cpu" or where["step"] >= total:
                stop = self.take(sums)
                if logs:
                    now = time.monotonic()
                    mean = where["step_loss"] / where["step_count"]
                    self.report("step", lr, mean, (where["step"] - reported_at) * batch / max(now - clock, 1e-9))
                    where.update(step_loss=0.0, step_count=0)
                    clock, reported_at = now, where["step"]
                if not math.isfinite(where["epoch_loss"]):
                    raise JobError(f"The loss was infinite or no number at step {where['step']}; a smaller learning rate may help.")
                if stop:
                    return False
            if where["step"] >= total:
                break
            if saves and where["step"] % self.per_epoch:
                self.save_now()
        self.take(sums)
        return True

    def take(self, sums):
        """Adds up the losses since the last time; whether somebody was asked to stop."""
        loss, stop = sums.tolist()
        sums.zero_()
        self.where["step_loss"] += loss
        self.where["epoch_loss"] += loss
        return stop > 0

    def step(self, inputs, labels, stream):
        recipe = self.recipe
        inputs, other, own = mixed_batch(inputs, labels, recipe, stream)
        with torch.autocast(self.ranks.device.type, dtype=torch.bfloat16, enabled=self.amp):
            outputs = self.parallel(inputs)
        loss = loss_of(outputs, labels, other, own, recipe["smoothing"])
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if recipe["clip_grad"] > 0:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe["clip_grad"])
        self.optimiser.step()
        if self.average:
            self.average.take(self.network, self.where["step"])
        return loss

    @torch.no_grad()
    def evaluate(self):
        """(loss, top-1, top-5) of the validation images."""
        network, ranks = self.average.network if self.average else self.network, self.ranks
        ranks.share_buffers(network)
        classifier = self.classifier(network).eval()
        mine = list(range(ranks.rank, len(self.held_samples), ranks.count))
        share = max(1, self.batch // ranks.count)
        sums = torch.zeros(4, dtype=torch.float64, device=ranks.device)
        for inputs, labels in self.batches(self.held_samples, [mine[i : i + share] for i in range(0, len(mine), share)]):
            with torch.autocast(ranks.device.type, dtype=torch.bfloat16, enabled=self.amp):
                outputs = classifier(inputs).float()
            hits = outputs.topk(min(5, outputs.shape[1])).indices == labels[:, None]
            loss = F.cross_entropy(outputs, labels, reduction="sum")
            sums += torch.stack([loss.double(), hits[:, 0].sum().double(), hits.sum().double(),
                                 torch.tensor(float(len(labels)), dtype=torch.float64, device=ranks.device)])
        loss, top1, top5, count = ranks.sum(sums).tolist()
        if not count:
            raise JobError(f"None of the {len(self.held_samples)} images to validate on can be read.")
        return loss / count, top1 / count, top5 / count

    def save_now(self):
        now = time.monotonic()
        self.where["seconds"] += now - self.began
        self.began = now
        self.save()

    def end_epoch(self, rate):
        """Evaluates and saves; a reason to stop early, or an empty one."""
        where, recipe = self.where, self.recipe
        held = self.evaluate()
        lr = learning_rate(recipe, max(where["step"] - 1, 0), self.per_epoch)
        loss = where["epoch_loss"] / max(where["epoch_count"], 1)
        self.report("epoch", lr, loss, rate, held)
        self.log(f"Epoch {where['epoch'] + 1} of {recipe['epochs']}: training loss {loss:.4f}, validation loss {held[0]:.4f}, "
                 f"top-1 {100 * held[1]:.2f} %, top-5 {100 * held[2]:.2f} %.")
        better = held[1] > where["best_top1"]
        if better:
            where.update(best_top1=held[1], best_epoch=where["epoch"], since_best=0)
            network = self.average.network if self.average else self.network
            if self.first:
                write_safetensors("best.safetensors", network.state_dict(),
                                  {"format": "pt", "epoch": str(where["epoch"]), "step": str(where["step"]), "top1": str(held[1])})
        else:
            where["since_best"] += 1
        where.update(epoch=where["epoch"] + 1, epoch_loss=0.0, epoch_count=0)
        self.save_now()
        return self.early()

    def early(self):
        where, patience = self.where, self.recipe["patience"]
        if patience and where["since_best"] >= patience:
            return (f"No better top-1 in {patience} epochs than {100 * where['best_top1']:.2f} % in epoch {where['best_epoch'] + 1}.")
        return ""

    def go(self):
        """The state that it ends in, and why."""
        where, total = self.where, total_steps(self.recipe, self.per_epoch)
        self.began, self.began_at = time.monotonic(), where["step"]
        self.note("running", "")
        reason = self.early()
        while where["step"] < total and not reason:
            clock, step = time.monotonic(), where["step"]
            if not self.train_epoch():
                self.save_now()
                return "stopped", f"Stopped at step {where['step']} of {total}; started again it goes on there."
            reason = self.end_epoch((where["step"] - step) * self.batch / max(time.monotonic() - clock, 1e-9))
        return "done", reason or f"All {where['step']} steps of {where['epoch']} epochs are done."


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="where the images are; default: what run.json says")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--fresh", action="store_true", help="start anew instead of going on from the last checkpoint")
    options = parser.parse_args()
    first = int(os.environ.get("RANK", 0)) == 0
    try:
        run = Run(options)
        for number_of_signal in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number_of_signal, lambda *_: setattr(run, "stopping", True))
        state, reason = run.go()
    except (JobError, images.DataError) as error:
        if first:
            print(f"train.py: {error}", file=sys.stderr)
            note_failure(str(error))
        sys.exit(2)
    except Exception as error:
        if first:
            note_failure(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        raise
    run.note(state, reason)
    run.log(reason)
    run.ranks.leave()


if __name__ == "__main__":
    main()
