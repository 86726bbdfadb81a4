"""Labelled images for train.py, as Fovea reads them: generated patterns, CIFAR's binary files, IDX files, class folders.

Every random decision comes from a stream that a seed and a place name (epoch, image, purpose), so it does not depend
on the number of processes or on restarts, and an image is augmented as Fovea augments it.
"""

import gzip
import math
import os
import struct

import torch
import torch.nn.functional as F

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
SPLIT, SHUFFLE, AUGMENT = 0x5711, 0x5BF, 0xA06  # purposes
ENDINGS = (".jpg", ".jpeg", ".png", ".bmp")
MAX_DEPTH = 16  # of folders inside a class


class DataError(Exception):
    """One sentence for the user."""


class BrokenImage(Exception):
    """Which image cannot be read, and why."""


def mixed(z):
    z = ((z ^ (z >> 30)) * MIX[0]) & MASK
    z = ((z ^ (z >> 27)) * MIX[1]) & MASK
    return z ^ (z >> 31)


class Stream:
    """SplitMix64 (Steele, Lea, Flood 2014), named by a seed and a place."""

    def __init__(self, seed, *place):
        self.state = mixed((seed + GOLDEN * (len(place) + 1)) & MASK)
        for part in place:
            self.state = mixed((self.state * GOLDEN + mixed((part + GOLDEN) & MASK)) & MASK)

    def next(self):
        self.state = (self.state + GOLDEN) & MASK
        return mixed(self.state)

    def uniform(self, low=0.0, high=1.0):
        return low + (high - low) * ((self.next() >> 11) * 2.0**-53)

    def below(self, bound):
        surplus = (1 << 64) % bound
        while True:
            value = self.next()
            if value >= surplus:
                return value % bound

    def normal(self):
        radius = math.sqrt(-2 * math.log(1 - self.uniform()))
        return radius * math.cos(2 * math.pi * self.uniform())

    def gamma(self, shape):  # Marsaglia and Tsang 2000
        if shape < 1:
            larger = self.gamma(shape + 1)
            return larger * (1 - self.uniform()) ** (1 / shape)
        d = shape - 1 / 3
        c = 1 / math.sqrt(9 * d)
        while True:
            x = self.normal()
            root = 1 + c * x
            if root > 0 and math.log(1 - self.uniform()) < 0.5 * x * x + d * (1 - root**3 + math.log(root**3)):
                return d * root**3

    def beta(self, a, b):
        x, y = self.gamma(a), self.gamma(b)
        if x + y > 0:
            return x / (x + y)
        return 1.0 if self.uniform() * (a + b) < a else 0.0


def shuffled(size, seed, epoch):
    order, stream = list(range(size)), Stream(seed, epoch, SHUFFLE)
    for i in range(size, 1, -1):
        j = stream.below(i)
        order[i - 1], order[j] = order[j], order[i - 1]
    return order


# Sources: len(), classes, label(index), image(index) as a byte tensor [channels, height, width].


class Bytes:
    """Images that lie in memory."""

    def __init__(self, images, labels, classes):
        self.images, self.labels, self.classes = images, labels, classes

    def __len__(self):
        return len(self.labels)

    def label(self, index):
        return int(self.labels[index])

    def image(self, index):
        return self.images[index]


class Subset:
    def __init__(self, whole, indices):
        self.whole, self.indices, self.classes = whole, indices, whole.classes

    def __len__(self):
        return len(self.indices)

    def label(self, index):
        return self.whole.label(self.indices[index])

    def image(self, index):
        return self.whole.image(self.indices[index])


class Folder:
    def __init__(self, files, classes):
        try:
            import PIL.Image  # noqa: F401
        except ImportError:
            raise DataError("Reading image files needs Pillow (python3-pil).") from None
        self.files, self.classes = files, classes

    def __len__(self):
        return len(self.files)

    def label(self, index):
        return self.files[index][1]

    def image(self, index):
        from PIL import Image, ImageOps

        path = self.files[index][0]
        if not os.path.isfile(path):  # such as a pipe, which would be waited for
            raise BrokenImage(f"'{path}' is no file.")
        try:
            with Image.open(path) as file:
                picture = ImageOps.exif_transpose(file)
                if picture.mode.startswith("I"):
                    # 16 bits of grey: the upper 8, as Pillow itself reads colours.
                    flat = torch.frombuffer(bytearray(picture.convert("I").tobytes()), dtype=torch.int32)
                    flat = (flat >> 8).to(torch.uint8)
                else:
                    picture = picture.convert("L" if picture.mode in ("L", "1") else "RGB")
                    flat = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
        except Exception as error:  # of many kinds, struct.error of a broken EXIF among them
            raise BrokenImage(f"'{path}' cannot be read: {error}") from None
        return flat.reshape(picture.height, picture.width, -1).permute(2, 0, 1)


class Patterns:
    """Fovea's built-in generator: the class is which bar (- | / \\) stands in which corner of a square."""

    ORDERS = ((0, 1, 2, 3), (0, 3, 2, 1), (0, 2, 1, 3), (0, 3, 1, 2), (0, 1, 3, 2), (0, 2, 3, 1))
    DEFAULTS = {"classes": 10, "size": 32, "pattern": 13, "mark": 5, "place": "anywhere", "clutter": 3, "jitter": 1,
                "noise": 0.05, "images": 5000, "validation": 1000, "seed": 0}

    def __init__(self, options, part):
        self.options, self.part = options, part
        self.classes = ["".join("-|/\\"[bar] for bar in self.arrangement(label)) for label in range(options["classes"])]
        self.bars = [self.bar(options["mark"], orientation) for orientation in range(4)]
        # What one process made serves all processes and epochs.
        size, count = options["size"], len(self)
        self.made = None
        if count * size * size <= 1 << 30:
            self.made = torch.zeros(count, 1, size, size, dtype=torch.uint8).share_memory_()
            self.done = torch.zeros(count, dtype=torch.bool).share_memory_()

    @classmethod
    def parse(cls, source):
        options = dict(cls.DEFAULTS)
        for item in filter(None, source.partition(":")[2].split(",")):
            key, equals, value = item.partition("=")
            if not equals or key not in options:
                raise DataError(f"patterns: '{item}' is none of {', '.join(options)} with a value.")
            try:
                options[key] = type(options[key])(value)
            except ValueError:
                raise DataError(f"patterns: {key} must be a number, but is '{value}'.") from None
        return options

    def __len__(self):
        return self.options["validation" if self.part else "images"]

    def label(self, index):
        return index % self.options["classes"]

    def image(self, index):
        if self.made is None:
            return self.make(index)
        if not self.done[index]:
            self.made[index] = self.make(index)
            self.done[index] = True
        return self.made[index]

    @classmethod
    def arrangement(cls, label):
        order = cls.ORDERS[label // 4 % 6]
        return [order[(i + label % 4) % 4] for i in range(4)]

    @staticmethod
    def bar(mark, orientation):
        """How much of each pixel of its square a bar covers."""
        middle, half, diagonal = (mark - 1) / 2, max(0.7, mark / 8), math.sqrt(0.5)
        across = ((1, 0), (0, 1), (diagonal, diagonal), (diagonal, -diagonal))[orientation]
        ink = [[0.0] * mark for _ in range(mark)]
        for y in range(mark):
            for x in range(mark):
                dy, dx = y - middle, x - middle
                distance = abs(dy * across[0] + dx * across[1])
                ink[y][x] = min(max(half + 0.5 - distance, 0), 1) * min(max(middle + 1 - math.hypot(dy, dx), 0), 1)
        total = sum(map(sum, ink))
        return torch.tensor(ink) * (2 * half * (mark - 1) / total)

    def marks(self, label, stream):
        size, pattern, mark = (self.options[key] for key in ("size", "pattern", "mark"))
        jitter, place = self.options["jitter"], self.options["place"]

        def shaken(at, last):
            return min(max(at + stream.below(2 * jitter + 1) - jitter, 0), last)

        room, far, last = size - pattern, pattern - mark, size - mark
        if place in ("centre", "center"):
            top, left = shaken(room // 2, room), shaken(room // 2, room)
        elif place == "corners":
            corner = stream.below(4)
            top, left = (room if corner & 1 else 0), (room if corner & 2 else 0)
        else:
            top, left = stream.below(room + 1), stream.below(room + 1)
        out = []
        for bar, (y, x) in zip(self.arrangement(label), ((0, 0), (0, far), (far, far), (far, 0))):
            out.append((bar, shaken(top + y, last), shaken(left + x, last)))
        for _ in range(self.options["clutter"]):
            bar = stream.below(4)
            for _ in range(20):
                y, x = stream.below(last + 1), stream.below(last + 1)
                if not any(abs(y - other[1]) <= mark and abs(x - other[2]) <= mark for other in out):
                    out.append((bar, y, x))
                    break
        return out

    def make(self, index):
        stream = Stream(self.options["seed"], self.part, index)
        size, mark = self.options["size"], self.options["mark"]
        ink = torch.zeros(size, size)
        for bar, top, left in self.marks(self.label(index), stream):
            part = ink[top : top + mark, left : left + mark]
            part.copy_(torch.maximum(part, self.bars[bar]))
        ground = stream.uniform(0.4, 0.6)
        contrast = stream.uniform(0.2, 0.4) * (1 if stream.below(2) else -1)
        value = ground + contrast * ink
        if self.options["noise"] > 0:
            value = value + self.options["noise"] * quick_normal(stream, size * size).reshape(size, size)
        return (value.clamp(0, 1) * 255 + 0.5).to(torch.uint8)[None]


def signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def quick_normal(stream, count):
    """The stream's next numbers, each as the sum of its eight bytes: nearly normal, with deviation 1."""
    z = torch.arange(1, count + 1, dtype=torch.int64) * signed(GOLDEN) + signed(stream.state)
    z = (z ^ ((z >> 30) & ((1 << 34) - 1))) * signed(MIX[0])
    z = (z ^ ((z >> 27) & ((1 << 37) - 1))) * signed(MIX[1])
    z = z ^ ((z >> 31) & ((1 << 33) - 1))
    total = sum((z >> shift) & 0xFF for shift in range(0, 64, 8))
    return (total - 1020).float() / 209.0188


def open_cifar(folder):
    forms = [("batches.meta.txt", 1, 10, "cifar-10-batches-bin", [f"data_batch_{i}.bin" for i in range(1, 6)], "test_batch.bin"),
             ("fine_label_names.txt", 2, 100, "cifar-100-binary", ["train.bin"], "test.bin")]
    for names, labels, count, inner, train, test in forms:
        for place in (folder, os.path.join(folder, inner)):
            if not os.path.isfile(os.path.join(place, train[0])):
                continue
            classes = [str(i) for i in range(count)]
            if os.path.isfile(os.path.join(place, names)):
                with open(os.path.join(place, names), encoding="utf-8") as file:
                    for i, name in enumerate(line for line in map(str.strip, file) if line):
                        classes[i : i + 1] = [name] if i < count else []

            def part(files):
                data = b""
                for name in files:
                    if os.path.isfile(os.path.join(place, name)):
                        with open(os.path.join(place, name), "rb") as file:
                            data += file.read()
                if not data:
                    return None
                records = torch.frombuffer(bytearray(data), dtype=torch.uint8)
                if len(records) % (labels + 3072):
                    raise DataError(f"The files in '{place}' are no whole records of {labels + 3072} bytes.")
                records = records.reshape(-1, labels + 3072)
                return Bytes(records[:, labels:].reshape(-1, 3, 32, 32), records[:, labels - 1].tolist(), classes)

            return part(train), part([test])
    return None


def read_idx(path, rank):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rb") as file:
        data = file.read()
    head = 4 + 4 * rank
    if len(data) < head or struct.unpack(">I", data[:4])[0] != 0x800 + rank:
        raise DataError(f"'{path}' is no IDX file of bytes with {rank} sizes.")
    sizes = struct.unpack(f">{rank}I", data[4:head])
    if len(data) - head != math.prod(sizes):
        raise DataError(f"'{path}' should hold {math.prod(sizes)} bytes, but holds {len(data) - head}.")
    return torch.frombuffer(bytearray(data[head:]), dtype=torch.uint8).reshape(sizes)


def open_idx(folder):
    found = sorted(name for name in os.listdir(folder) if "train-images" in name and "idx3" in name)
    if not found:
        return None

    def existing(name):
        plain = name[:-3] if name.endswith(".gz") else name
        return next((path for path in (os.path.join(folder, plain), os.path.join(folder, plain + ".gz")) if os.path.isfile(path)), None)

    def part(name):
        images, labels = existing(name), existing(name.replace("images", "labels").replace("idx3", "idx1"))
        return images and labels and (read_idx(images, 3)[:, None], read_idx(labels, 1).tolist())

    train = part(found[0])
    held = part(found[0].replace("train", "t10k")) or part(found[0].replace("train", "test"))
    if not train:
        raise DataError(f"'{found[0]}' has no labels beside it.")
    classes = [str(i) for i in range(1 + max(train[1] + (held[1] if held else [])))]
    return Bytes(*train, classes), Bytes(*held, classes) if held else None


def entries_of(folder):
    """Names in Fovea's order, that of their bytes; hidden files are those of file managers."""
    try:
        return sorted((name for name in os.listdir(folder) if not name.startswith(".")), key=os.fsencode)
    except OSError as error:
        raise DataError(f"The folder '{folder}' could not be read: {error.strerror}.") from None


def is_image_name(name):
    return name.lower().endswith(ENDINGS)


def images_below(folder, seen, depth=0):
    """Folder by folder, which decides what is held out. Follows links to folders, but no folder twice."""
    real, out = os.path.realpath(folder), []
    if depth > MAX_DEPTH or real in seen:
        return out
    seen.add(real)
    for name in entries_of(folder):
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            out += images_below(path, seen, depth + 1)
        elif is_image_name(name):
            out.append(path)
    return out


def classes_in(root):
    """{class: its images}, of class folders that have some."""
    out = {}
    for name in entries_of(root):
        path = os.path.join(root, name)
        files = images_below(path, {os.path.realpath(root)}) if os.path.isdir(path) else []
        if files:
            out[name] = files
    return out


def is_parted(folder):
    """Whether train/ holds class folders; with images in it, it is a class of that name."""
    train = os.path.join(folder, "train")
    if not os.path.isdir(train):
        return False
    return not any(map(is_image_name, entries_of(train))) or bool(classes_in(train))


def open_folder(folder):
    parted = is_parted(folder)
    root = os.path.join(folder, "train") if parted else folder

    def dataset(classes, files):
        unknown = [name for name in files if name not in classes]
        if unknown:
            raise DataError(f"'{unknown[0]}' is a class that the training images do not have.")
        return Folder([(path, classes.index(name)) for name in files for path in files[name]], classes)

    train = classes_in(root)
    if not train:
        return None
    classes = list(train)
    for name in ("val", "valid", "validation", "test") if parted else ():
        if os.path.isdir(os.path.join(folder, name)):
            held = classes_in(os.path.join(folder, name))
            if held:
                return dataset(classes, train), dataset(classes, held)
    return dataset(classes, train), None


def split_by_class(whole, share, seed):
    """The same share of every class; a class keeps at least one image to train on."""
    by_class = [[] for _ in whole.classes]
    for i in range(len(whole)):
        by_class[whole.label(i)].append(i)
    train, validation = [], []
    for number, indices in enumerate(by_class):
        stream = Stream(seed, SPLIT, number)
        for i in range(len(indices), 1, -1):
            j = stream.below(i)
            indices[i - 1], indices[j] = indices[j], indices[i - 1]
        held = math.floor(len(indices) * share + 0.5)
        if share > 0 and len(indices) > 1:
            held = min(max(held, 1), len(indices) - 1)
        held = min(held, max(len(indices) - 1, 0))
        validation += indices[:held]
        train += indices[held:]
    return Subset(whole, sorted(train)), Subset(whole, sorted(validation))


def open_data(source, share, seed):
    """(train, validation) of a folder or of "patterns[:key=value,...]"."""
    if source == "patterns" or source.startswith("patterns:"):
        options = Patterns.parse(source)
        return Patterns(options, 0), Patterns(options, 1)
    if not os.path.isdir(source):
        raise DataError(f"'{source}' is no folder of images; give another with --data.")
    for opened in (open_cifar, open_idx, open_folder):
        parts = opened(source)
        if parts:
            train, validation = parts
            return (train, validation) if validation else split_by_class(train, share, seed)
    raise DataError(f"'{source}' holds neither a folder of images for each class nor files of CIFAR or MNIST.")


# From an image to the network's input.


class Samples(torch.utils.data.Dataset):
    """(input, label) of an index; with `recipe`, augmented as in the epoch that set_epoch() names."""

    def __init__(self, source, shape, preprocessing, recipe=None):
        self.source, self.recipe, self.epoch = source, recipe, 0
        self.channels, self.height, self.width = shape
        self.resize = preprocessing.get("resize", 0)
        self.backwards = preprocessing.get("order", "rgb") == "bgr"
        self.mean = self.numbers(preprocessing.get("mean", [0.0]))
        self.deviation = self.numbers(preprocessing.get("deviation", [1.0]))

    def numbers(self, values):
        if len(values) != self.channels:
            if len(set(values)) != 1:
                raise DataError(f"The preprocessing has {len(values)} numbers, but the network reads {self.channels} channels.")
            values = values[:1] * self.channels
        return torch.tensor(values)[:, None, None]

    def __len__(self):
        return len(self.source)

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __getitem__(self, index):
        image = self.source.image(index)
        if image.shape[0] == 3 and self.channels == 1:
            weights = torch.tensor([19595, 38470, 7471])[:, None, None]
            image = ((image.long() * weights).sum(0, keepdim=True) + 0x8000 >> 16).to(torch.uint8)
        if image.shape[0] == 3 and self.backwards:
            image = image.flip(0)
        image = self.frame(image, index).expand(self.channels, -1, -1)
        return (image / 255 - self.mean) / self.deviation, self.source.label(index)

    def frame(self, image, index):
        """The network's side of the image, as float values from 0 to 255."""
        recipe = self.recipe
        if recipe is None:
            return self.placed(image, 0, None)
        stream = Stream(recipe["seed"], self.epoch, index, AUGMENT)
        share = stream.uniform(recipe["scale_min"], recipe["scale_max"])
        mirrored = stream.uniform() < recipe["hflip"]
        if (recipe["scale_min"], recipe["scale_max"], recipe["ratio_min"], recipe["ratio_max"]) != (1, 1, 1, 1):
            out = scaled(self.random_part(image, share, stream), self.height, self.width)
        else:
            out = self.placed(image, recipe["crop_pad"], stream)
        return out.flip(2) if mirrored else out

    def placed(self, image, pad, stream):
        """Resized, then cut out of the middle, or out of a random place of the padded image."""
        height, width = image.shape[1:]
        if not self.resize:
            image = scaled(image, self.height, self.width)
        elif height <= width:
            image = scaled(image, self.resize, max(1, self.resize * width // height))
        else:
            image = scaled(image, max(1, self.resize * height // width), self.resize)

        def start(size, part):
            room = size + 2 * pad - part
            return stream.below(room + 1) - pad if pad and room > 0 else round((size - part) / 2)

        top, left = start(image.shape[1], self.height), start(image.shape[2], self.width)
        return F.pad(image, (-left, left + self.width - image.shape[2], -top, top + self.height - image.shape[1]))

    def random_part(self, image, share, stream):
        """A part of the image of a random area and ratio of width to height, as torchvision's RandomResizedCrop."""
        recipe, (height, width) = self.recipe, image.shape[1:]
        low, high = recipe["ratio_min"], recipe["ratio_max"]
        for tries in range(10):
            if tries:
                share = stream.uniform(recipe["scale_min"], recipe["scale_max"])
            area, ratio = share * height * width, math.exp(stream.uniform(math.log(low), math.log(high)))
            w, h = math.floor(math.sqrt(area * ratio) + 0.5), math.floor(math.sqrt(area / ratio) + 0.5)
            if 0 < w <= width and 0 < h <= height:
                top, left = stream.below(height - h + 1), stream.below(width - w + 1)
                return image[:, top : top + h, left : left + w]
        h = min(max(math.floor(width / low + 0.5), 1), height) if width / height < low else height
        w = min(max(math.floor(height * high + 0.5), 1), width) if width / height > high else width
        top, left = (height - h) // 2, (width - w) // 2
        return image[:, top : top + h, left : left + w]


def scaled(image, height, width):
    image = image.float()
    if tuple(image.shape[1:]) == (height, width):
        return image
    return F.interpolate(image[None], (height, width), mode="bilinear", align_corners=False, antialias=True)[0].round().clamp(0, 255)


class WholeSamples(torch.utils.data.Dataset):
    """Samples without those that cannot be read. With an epoch's `order`, which is for training, the next whole one in
    it takes the place of a broken one; otherwise that is left out, so that no image counts twice."""

    def __init__(self, samples, order=None):
        self.samples, self.order, self.broken = samples, order, set()

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, place):
        """((input, label) or None, what is said of broken images)."""
        said = []
        for step in range(len(self) if self.order else 1):
            index = self.order[(place + step) % len(self)] if self.order else place
            if index in self.broken:
                continue
            try:
                return self.samples[index], said
            except BrokenImage as error:
                self.broken.add(index)
                said.append(str(error))
        return None, said

    @staticmethod
    def together(parts):
        """A batch of them: (inputs, labels, what is said); inputs are None where no image of it is whole."""
        whole = [sample for sample, _ in parts if sample is not None]
        said = [text for _, broken in parts for text in broken]
        return (*(torch.utils.data.default_collate(whole) if whole else (None, None)), said)
