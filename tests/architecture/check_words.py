#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Greps for words that must not stand in sources.

    check_words.py families|paths SOURCE_ROOT | check_words.py families|paths --self-test

families: no .cpp or .h of core/ and app/ outside core/zoo names a family of networks: what Fovea does
for one network it does for every network.
paths: no file names a path of the machine it was written on.
"""

import re
import sys
from pathlib import Path

from sources import CODE, TEXT, expect_self_test, files_under, finish, made_up_tree

FAMILIES = re.compile(
    r"(?<!s)vgg|resnest|res2net|convnext|inception|deep_?lab|yolo|torchvision|dpn\d|(?<!e)xception|fcn(?!tl)"
    r"|(res|dense|mobile|efficient|goog_?le|squeeze|shuffle|mnas|reg|nas|alex|ghost|hr|dark)_?nex?t(?!work)"
    r"|(?<![a-z])(le|se|sk|u)_?net(?!work)|(?-i:(?<=[a-z])UNet)|(?<![a-z])fpn(?![a-z])|aspp|(?<![a-z])mb_?conv|tf_?slim",
    re.IGNORECASE,
)
# Words of the trade that hold the letters of a family.
INNOCENT = re.compile(r"subnet|internet|ethernet|dlfcn", re.IGNORECASE)
PATHS = re.compile(r"/(home|root|Users)/\w+|/work/(?!flow)\w+|/tmp/\w[\w-]*/\w|/var/tmp/\w|/opt/wheels")


def without_innocent(line):
    return INNOCENT.sub(" ", line)


def family_violations(root):
    sources = [path for path in files_under(root, ("core", "app"), CODE) if path.parts[:2] != ("core", "zoo")]
    found = []
    for path in sources:
        for number, line in enumerate((root / path).read_text(errors="replace").splitlines(), 1):
            hit = FAMILIES.search(without_innocent(line))
            if hit:
                found.append(f"{path.as_posix()}:{number}: names '{hit[0]}'")
    return found, len(sources)


def path_violations(root):
    sources = [path for path in files_under(root, (".",), TEXT) if path.parts != ("tests", "architecture", "check_words.py")]
    found = []
    for path in sources:
        for number, line in enumerate((root / path).read_text(errors="replace").splitlines(), 1):
            hit = PATHS.search(line)
            if hit:
                found.append(f"{path.as_posix()}:{number}: names the path '{hit[0]}'")
    return found, len(sources)


CHECKS = {"families": family_violations, "paths": path_violations}
SELF_TESTS = {
    "families": (
        {
            "core/zoo/table.cpp": "// VGG16\n",
            "core/ops/a.cpp": "int x;\n// as ResNet-50 has it\nauto resNextBlock = 1;\n",
            "core/ops/b.h": "// the internet, a subnet, an exception, reset(next), the whole network, QSvgGenerator\n#include <fcntl.h>\n",
            "app/cli/c.cpp": 'say("use mobilenet_v2");\nbool isUNet;\n',
            "app/studio/d.cpp": "const auto k = loadInceptionHead();\nif (name == \"fpn_out\") return; // thumbConverter, offset\n",
            "tests/t.cpp": "// densenet\n",
        },
        [
            "core/ops/a.cpp:2: names 'ResNet'",
            "core/ops/a.cpp:3: names 'resNext'",
            "app/cli/c.cpp:1: names 'mobilenet'",
            "app/cli/c.cpp:2: names 'UNet'",
            "app/studio/d.cpp:1: names 'Inception'",
            "app/studio/d.cpp:2: names 'fpn'",
        ],
    ),
    "paths": (
        {
            "core/a.cpp": 'open("' + "/ho" + 'me/ada/model.onnx");\n// a/b, 1/2\n',
            "README.md": "see " + "/wo" + "rk/shared\nthe workflow\n",
            "build/x.cpp": "/ho" + "me/ada\n",
            "packaging/run": "cp x " + "/tm" + "p/ada/x\n",
        },
        [
            "core/a.cpp:1: names the path '/home/ada'",
            "README.md:1: names the path '/work/shared'",
            "packaging/run:1: names the path '/tmp/ada/x'",
        ],
    ),
}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in CHECKS:
        sys.exit(__doc__)
    name = sys.argv[1]
    if sys.argv[2] != "--self-test":
        finish(name, *CHECKS[name](Path(sys.argv[2])))
    tree, expected = SELF_TESTS[name]
    with made_up_tree(tree) as folder:
        found, _ = CHECKS[name](Path(folder))
    expect_self_test(name, found, expected)


if __name__ == "__main__":
    main()
