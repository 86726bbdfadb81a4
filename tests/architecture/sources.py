# SPDX-License-Identifier: GPL-3.0-or-later
"""What the architecture tests share: the source files, and how a test proves that it can fail."""

import sys
import tempfile
from pathlib import Path

CODE = (".h", ".hpp", ".cpp", ".cc", ".inl", ".in")
TEXT = CODE + (".py", ".mjs", ".js", ".txt", ".cmake", ".md", ".json", ".yml", ".xml", ".desktop", ".svg", ".sh", ".qrc", "")
SKIPPED = {".git", "node_modules", "__pycache__", "fovea-out"}


def is_skipped(part):
    return part in SKIPPED or part == "build" or part.startswith("build-")


def files_under(root, folders, suffixes):
    """Paths relative to root, sorted; build folders and downloads are no sources."""
    found = []
    for folder in folders:
        for path in (root / folder).rglob("*"):
            relative = path.relative_to(root)
            if path.is_file() and path.suffix in suffixes and not any(map(is_skipped, relative.parts)):
                found.append(relative)
    return sorted(found)


def made_up_tree(files):
    """A temporary folder holding {path: text}; used as a context manager."""
    folder = tempfile.TemporaryDirectory(prefix="fovea-tree-")
    for name, text in files.items():
        path = Path(folder.name) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def expect_self_test(name, found, expected):
    """Leaves with 1 unless exactly the planted violations were found."""
    if sorted(found) == sorted(expected):
        print(f"self-test: all {len(expected)} planted violations of '{name}' were found, nothing else")
        return
    print(f"self-test of '{name}' failed.\n  expected: {sorted(expected)}\n  found:    {sorted(found)}")
    sys.exit(1)


def finish(what, violations, count):
    for violation in violations:
        print(violation)
    if not count:
        sys.exit(f"{what}: nothing was checked")
    print(f"{what}: {count} checked, {len(violations)} violations")
    sys.exit(1 if violations else 0)
