#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the libraries that the programs need, their own and those of their libraries.

    check_libraries.py [--optional PROGRAM]... PROGRAM=REGEX... | check_libraries.py --self-test

Fails where a PROGRAM loads a library that matches REGEX, or is missing and not --optional. `ldd` gives the
closure, so that a forbidden library cannot hide behind another one.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from sources import expect_self_test


def needed_libraries(program):
    result = subprocess.run(["ldd", str(program)], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"ldd {program} failed: {result.stderr.strip()}")
    return [line.split()[0] for line in result.stdout.splitlines() if line.strip()]


def violations_of(program, pattern, libraries):
    return [f"{program.name} loads {name}" for name in libraries if re.search(pattern, Path(name).name)]


def self_test():
    """The interpreter that runs this loads libc and no libtorch."""
    program = Path(sys.executable).resolve()
    libraries = needed_libraries(program)
    found = violations_of(program, r"^libc\.so|^libtorch", libraries)
    expect_self_test("libraries", found, [f"{program.name} loads libc.so.6"])


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--optional", type=Path, action="append", default=[])
    parser.add_argument("rules", nargs="+", metavar="PROGRAM=REGEX")
    arguments = parser.parse_args()
    failed = False
    for rule in arguments.rules:
        name, _, pattern = rule.partition("=")
        program = Path(name)
        if not program.exists():
            failed |= program not in arguments.optional
            print(f"{program.name} is not built{'' if program not in arguments.optional else ' (optional)'}")
            continue
        libraries = needed_libraries(program)
        violations = violations_of(program, pattern, libraries)
        print("\n".join(violations) or f"{program.name}: {len(libraries)} libraries, none matches {pattern}")
        failed |= bool(violations)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
