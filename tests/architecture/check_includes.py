#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds every #include of core/ and app/ against the rooms that CMake declared.

    check_includes.py SOURCE_ROOT ROOMS.txt | check_includes.py --self-test

A line of ROOMS.txt is "NAME PATH uses=a,b links=x::y,z::w". A file belongs to the room with the longest
PATH that contains it; it may include its own room and those its room declares directly. A main.cpp that
is in no room is a program's thin main: it may include the rooms below its own folder.
"""

import re
import sys
from pathlib import Path

from sources import CODE, expect_self_test, files_under, finish, made_up_tree

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)

# (headers, whose they are, folders that may include them)
OUTSIDE = [
    (re.compile(r"^(onnx|google/protobuf)/"), "ONNX and protobuf", ("core/io/onnx",)),
    (re.compile(r"(^|/)qcustomplot\.h$", re.I), "QCustomPlot", ("app/studio/charts",)),
    (re.compile(r"^(Qt[A-Z]\w*/)?Q[A-Z]\w*$|^Qt[A-Z]\w*$|^q[a-z]+\.h$"), "Qt", ("app/studio",)),
    (re.compile(r"^(graphviz/|gvc\.h|cgraph\.h)"), "Graphviz", ("app/studio",)),
    (re.compile(r"^(torch|ATen|c10|caffe2)/"), "LibTorch", ("core/train",)),
    (re.compile(r"^(gtest|gmock|benchmark)/"), "test libraries", ()),
]
# Headers of libraries that any room may use that links them.
BY_LINK = [
    (re.compile(r"^nlohmann/"), "nlohmann_json::nlohmann_json"),
    (re.compile(r"^xxhash\.h$"), "xxhash::headers"),
    (re.compile(r"^turbojpeg\.h$"), "TurboJPEG::turbojpeg"),
    (re.compile(r"^png\.h$"), "PNG::PNG"),
    (re.compile(r"^zlib\.h$"), "ZLIB::ZLIB"),
]


class Room:
    def __init__(self, line):
        self.name, self.path, uses, links = line.split(" ")
        self.uses = set(filter(None, uses.removeprefix("uses=").split(",")))
        self.links = set(filter(None, links.removeprefix("links=").split(",")))


def read_rooms(path):
    return [Room(line) for line in path.read_text().splitlines() if line.strip()]


def main_room(path, rooms):
    """The room that a program's main stands for, or None."""
    folder, _, name = path.rpartition("/")
    below = [room for room in rooms if is_inside(room.path, folder)]
    if name != "main.cpp" or not below:
        return None
    room = Room(f"main {path} uses= links=")
    room.uses = {other.name for other in below}
    return room


def is_inside(path, folder):
    return path == folder or path.startswith(folder + "/")


def room_of(path, rooms):
    holders = [room for room in rooms if is_inside(path, room.path)]
    return max(holders, key=lambda room: len(room.path), default=None)


def judge_own(header, room, rooms):
    """A sentence on an include of one of our own headers, or None."""
    target = room_of(header, rooms)
    if target is None:
        return "is in no declared room"
    if target is not room and target.name not in room.uses:
        return f"is in room '{target.name}', which room '{room.name}' does not declare"
    return None


def judge_outside(header, source, room):
    if header != "qcustomplot.h" or not is_inside(source, "app/studio/charts"):
        for pattern, owner, folders in OUTSIDE:
            if pattern.search(header) and not any(is_inside(source, folder) for folder in folders):
                return f"belongs to {owner}, allowed in {' and '.join(folders) or 'tests only'}"
    for pattern, target in BY_LINK:
        if pattern.search(header) and target not in room.links:
            return f"needs {target}, which room '{room.name}' does not link"
    return None


def judge(source, text, room, rooms, root):
    for quote, header in INCLUDE.findall(text):
        if header.startswith(("core/", "app/", "tests/")):
            verdict = judge_own(header, room, rooms)
        elif quote == '"' and not header.endswith(".moc") and (root / source).parent.joinpath(header).exists():
            verdict = "is not included from the repository root"
        else:
            verdict = judge_outside(header, source, room)
        if verdict:
            yield f"{source}: {header} {verdict}"


def violations_in(root, rooms):
    found, sources = [], files_under(root, ("core", "app"), CODE)
    for path in sources:
        source = path.as_posix()
        room = room_of(source, rooms) or main_room(source, rooms)
        if room is None:
            found.append(f"{source}: is in no declared room")
            continue
        found += judge(source, (root / path).read_text(errors="replace"), room, rooms, root)
    return found, len(sources)


MADE_UP_ROOMS = """\
base core/base uses= links=
graph core/graph uses=base links=xxhash::headers
io_onnx core/io/onnx uses=base,graph links=ONNX::onnx_proto
analysis core/analysis uses=graph links=
charts app/studio/charts uses=analysis links=Qt6::Widgets
window app/studio/window uses=charts links=Qt6::Widgets
"""
MADE_UP = {
    "rooms.txt": MADE_UP_ROOMS,
    "core/base/a.cpp": '#include "core/base/a.h"\n#include "core/graph/g.h"\n#include <vector>\n',
    "core/base/a.h": "#include <QString>\n#include <xxhash.h>\n",
    "core/graph/g.h": '#include "core/base/a.h"\n#include <xxhash.h>\n',
    "core/graph/g.cpp": '#include "g.h"\n#include <onnx/onnx_pb.h>\n',
    "core/io/onnx/i.cpp": '#include "core/graph/g.h"\n  #  include <onnx/onnx_pb.h>\n#include <nlohmann/json.hpp>\n',
    "core/analysis/r.cpp": '#include "core/base/a.h"\n#include "core/graph/g.h"\n#include <torch/torch.h>\n',
    "core/orphan/o.cpp": "int x;\n",
    "app/studio/charts/c.cpp": "#include <qcustomplot.h>\n#include <QWidget>\n#include <QtWidgets/QWidget>\n",
    "app/studio/window/w.cpp": '#include <qcustomplot.h>\n#include "core/nowhere/n.h"\n',
    "app/studio/main.cpp": '#include "app/studio/window/w.h"\n#include "core/graph/g.h"\n#include <QString>\n',
    "core/main.cpp": '#include "core/graph/g.h"\n',
}
EXPECTED = [
    "core/base/a.cpp: core/graph/g.h is in room 'graph', which room 'base' does not declare",
    "core/base/a.h: QString belongs to Qt, allowed in app/studio",
    "core/base/a.h: xxhash.h needs xxhash::headers, which room 'base' does not link",
    "core/graph/g.cpp: g.h is not included from the repository root",
    "core/graph/g.cpp: onnx/onnx_pb.h belongs to ONNX and protobuf, allowed in core/io/onnx",
    "core/io/onnx/i.cpp: nlohmann/json.hpp needs nlohmann_json::nlohmann_json, which room 'io_onnx' does not link",
    "core/analysis/r.cpp: core/base/a.h is in room 'base', which room 'analysis' does not declare",
    "core/analysis/r.cpp: torch/torch.h belongs to LibTorch, allowed in core/train",
    "core/orphan/o.cpp: is in no declared room",
    "app/studio/window/w.cpp: qcustomplot.h belongs to QCustomPlot, allowed in app/studio/charts",
    "app/studio/window/w.cpp: core/nowhere/n.h is in no declared room",
    "app/studio/main.cpp: core/graph/g.h is in room 'graph', which room 'main' does not declare",
]


def self_test():
    with made_up_tree(MADE_UP) as folder:
        root = Path(folder)
        found, _ = violations_in(root, read_rooms(root / "rooms.txt"))
    expect_self_test("includes", found, EXPECTED)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    rooms = read_rooms(Path(sys.argv[2]))
    if not rooms:
        sys.exit("no rooms are declared")
    finish("includes", *violations_in(Path(sys.argv[1]), rooms))


if __name__ == "__main__":
    main()
