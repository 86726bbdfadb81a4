#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges ctest's JUnit file: failures, and skipped tests that nobody has allowed.

    read_results.py RESULTS.xml --allowed allowed_skips.txt [--ctest-status N]

Prints the names that matter and, last, "N passed, N failed, N skipped". Exit code 1 where a test
failed, or was skipped without standing in the list, or ctest itself failed, or no test ran.
"""

import argparse
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def read_allowed(path):
    """{name: reason}; a line without a reason is an error."""
    allowed = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, reason = line.partition(": ")
        if not reason.strip():
            sys.exit(f"{path.name} line {number}: expected 'NAME: reason', got '{line}'")
        allowed[name.strip()] = reason.strip()
    return allowed


def outcome_of(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed" if case.get("status") == "run" else "failed"


def skip_reason(case):
    skipped = case.find("skipped")
    text = case.findtext("system-out") or ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if "skipped:" in line.lower()] or lines[-1:]
    return said[0] if said else (skipped.get("message", "") if skipped is not None else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--allowed", type=Path, required=True)
    parser.add_argument("--ctest-status", type=int, default=0)
    arguments = parser.parse_args()
    if not arguments.results.exists():
        sys.exit(f"{arguments.results.name} was not written: ctest ran no test.")
    allowed = read_allowed(arguments.allowed)

    names = {"passed": [], "failed": [], "skipped": []}
    refused = []
    for case in ElementTree.parse(arguments.results).getroot().iter("testcase"):
        name, outcome = case.get("name"), outcome_of(case)
        names[outcome].append(name)
        if outcome == "failed":
            print(f"FAILED   {name}")
        elif outcome == "skipped":
            verdict = f"allowed: {allowed[name]}" if name in allowed else "NOT ALLOWED"
            print(f"skipped  {name} ({verdict}): {skip_reason(case)}")
            if name not in allowed:
                refused.append(name)
    if refused:
        print(f"{len(refused)} skipped tests are not in {arguments.allowed.name}.")
    print(", ".join(f"{len(names[kind])} {kind}" for kind in ("passed", "failed", "skipped")))
    sound = names["passed"] and not names["failed"] and not refused
    if sound and arguments.ctest_status:
        print(f"ctest itself exited with {arguments.ctest_status}.", file=sys.stderr)
        sound = False
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
