"""Faults that other services of this kind shipped, planted one at a time: in a copy of the tree a
line is changed as `planted.toml` says, and the named test must fail.

`python -m tests.mutants.planted [NAME ...]` plants them and says what each test did.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from porewatch_local.stack_template.gate import QUIET
from tests.mutants.run import kept_files, put_copy

HERE = Path(__file__).parent
PACKAGES = ("layers/common/python", "worker/src", "cli/src", "local/src")
TESTS_FAILED = 1
"""pytest's exit code; others say that nothing was tested."""


class Fault(NamedTuple):
    """`weakness`: what goes wrong for people; `file`: where `before` stands once, and `after` in
    its place is the fault; `test`: as pytest names it, and it is to fail."""

    name: str
    weakness: str
    file: str
    before: str
    after: str
    test: str


class PlantedNothing(Exception):
    """The line that a fault changes is not there once: the table is out of date."""


def faults(path: Path = HERE / "planted.toml") -> dict[str, Fault]:
    """By their names."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: Fault(name=name, **one) for name, one in table.items()}


def copy_tree(work: Path) -> None:
    """The files of the repository, beside nothing else."""
    for name in kept_files("."):
        put_copy(name, work / name)


def noticed(fault: Fault, work: Path) -> tuple[bool, str]:
    """Whether the test fails on the copy with the fault in it, and what pytest printed. Raises
    PlantedNothing."""
    with planted(fault, work):
        answer = _pytest(fault.test, work)
    return answer.returncode == TESTS_FAILED, answer.stdout


def passes(fault: Fault, work: Path) -> bool:
    """Whether the test passes on the copy as it is: else its failure says nothing."""
    return _pytest(fault.test, work).returncode == 0


@contextmanager
def planted(fault: Fault, work: Path) -> Iterator[None]:
    """With the fault in the copy, and without it afterwards."""
    file = work / fault.file
    text = file.read_text(encoding="utf-8")
    if text.count(fault.before) != 1:
        raise PlantedNothing(f"{fault.name}: {fault.file} has its line {text.count(fault.before)}x")
    file.write_text(text.replace(fault.before, fault.after), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")


def _pytest(test: str, work: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(work / package) for package in PACKAGES)
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", "-qx"]
    return subprocess.run(
        [*command, "-m", "", test],
        cwd=work, env={**os.environ, **QUIET, "PYTHONPATH": path}, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def main() -> int:
    there = faults()
    asked = argparse.ArgumentParser(prog="python -m tests.mutants.planted", description=__doc__)
    asked.add_argument("fault", nargs="*", choices=[*there, []], help="default: all")
    asked.add_argument("--work", type=Path, required=True, help="an empty folder, for the copy")
    options = asked.parse_args()
    copy_tree(options.work)
    missed = 0
    for name in options.fault or there:
        seen, said = noticed(there[name], options.work)
        missed += not seen
        print(f"{'noticed' if seen else 'MISSED '} {name}: {there[name].test}", flush=True)
        if not seen:
            print(said, flush=True)
    print(f"{len(options.fault or there)} faults planted, {missed} of them missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
