"""`python -m tests.coverage_by_folder [TEST ...]`: the share of each folder's lines that tests run.

There is no threshold: a line that ran is not a line that is tested (`tests/mutants` asks that).
Functions that run in processes of the embedded AWS and the worker's child processes do not count.
Default: all tests that need neither the embedded AWS nor a browser.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
SOURCES = ("layers/common/python/porewatch", "worker/src", "cli/src", "local/src", "functions")
TESTS = ("tests/unit", "tests/functional", "tests/worker", "tests/cli", "tests/simulator")
QUICK = "not slow and not cloud and not web"


class Covered(NamedTuple):
    """Lines of code: how many there are, and how many ran."""

    lines: int
    ran: int

    @property
    def share(self) -> float:
        """From 0 to 1; 1 where there are no lines."""
        return self.ran / self.lines if self.lines else 1.0


def by_folder(files: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, Covered]:
    """`files` as `coverage json` writes them, summed by the folder each lies in, in order."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, file in files.items():
        total = sums[str(Path(name).parent)]
        total[0] += file["summary"]["num_statements"]
        total[1] += file["summary"]["covered_lines"]
    return {folder: Covered(*total) for folder, total in sorted(sums.items()) if total[0]}


def measured(tests: Iterable[str], data: Path) -> dict[str, Covered]:
    """Run these tests and read what they covered. Raises CalledProcessError when one fails."""
    coverage = [sys.executable, "-m", "coverage"]
    environment = {**os.environ, "COVERAGE_FILE": str(data / "data"), "COVERAGE_CORE": "sysmon"}
    run = [*coverage, "run", f"--source={','.join(SOURCES)}", "-m", "pytest", "-p", "no:xdist"]
    subprocess.run([*run, "-m", QUICK, *tests], cwd=ROOT, env=environment, check=True)
    written = data / "coverage.json"
    subprocess.run(
        [*coverage, "json", "-q", "-o", str(written)], cwd=ROOT, env=environment, check=True
    )
    return by_folder(json.loads(written.read_text())["files"])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = measured(sys.argv[1:] or TESTS, Path(folder))
    table = Table("Folder", "Lines", "Ran", "Share", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, covered in found.items():
        table.add_row(name, f"{covered.lines:,}", f"{covered.ran:,}", f"{covered.share:.0%}")
    Console().print(table)


if __name__ == "__main__":
    main()
