#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the libraries that the programs need, their own and those of their libraries.

    check_libraries.py [--optional PROGRAM]... [--own PROGRAM=REGEX]... [--needs PROGRAM=REGEX]...
                       PROGRAM=REGEX... | check_libraries.py --self-test

Fails where a PROGRAM loads a library that matches REGEX, or is missing and not --optional. `ldd` gives the
closure, so that a forbidden library cannot hide behind another one. --own looks only at what the program itself
asks for (LibTorch brings libraries of its own), and --needs fails where no library of those matches.
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


def own_libraries(program):
    """The NEEDED entries of the program's dynamic section."""
    result = subprocess.run(["readelf", "-d", str(program)], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"readelf {program} failed: {result.stderr.strip()}")
    return re.findall(r"\(NEEDED\).*\[(.+)\]", result.stdout)


def violations_of(program, pattern, libraries):
    return [f"{program.name} loads {name}" for name in libraries if re.search(pattern, Path(name).name)]


def self_test():
    """The interpreter that runs this loads libc and no libtorch."""
    program = Path(sys.executable).resolve()
    libraries = needed_libraries(program)
    found = violations_of(program, r"^libc\.so|^libtorch", libraries)
    found += violations_of(program, r"^libc\.so|^libtorch", own_libraries(program))
    expect_self_test("libraries", found, [f"{program.name} loads libc.so.6"] * 2)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--optional", type=Path, action="append", default=[])
    parser.add_argument("--own", action="append", default=[], metavar="PROGRAM=REGEX")
    parser.add_argument("--needs", action="append", default=[], metavar="PROGRAM=REGEX")
    parser.add_argument("rules", nargs="+", metavar="PROGRAM=REGEX")
    arguments = parser.parse_args()
    failed = False
    checks = [(rule, needed_libraries, True) for rule in arguments.rules]
    checks += [(rule, own_libraries, True) for rule in arguments.own]
    checks += [(rule, own_libraries, False) for rule in arguments.needs]
    for rule, libraries_of, forbidden in checks:
        name, _, pattern = rule.partition("=")
        program = Path(name)
        if not program.exists():
            failed |= program not in arguments.optional
            print(f"{program.name} is not built{'' if program not in arguments.optional else ' (optional)'}")
            continue
        failed |= not judge(program, pattern, libraries_of(program), forbidden)
    sys.exit(1 if failed else 0)


def judge(program, pattern, libraries, forbidden):
    found = violations_of(program, pattern, libraries)
    if not forbidden:
        print(f"{program.name} {'needs' if found else 'lacks'} {pattern}")
        return bool(found)
    print("\n".join(found) or f"{program.name}: {len(libraries)} libraries, none matches {pattern}")
    return not found


if __name__ == "__main__":
    main()
