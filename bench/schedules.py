"""How fast the simulated compute world plays whole runs with crashes, losses and reorderings."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from bench.material import REPOSITORY
from bench.pairs import Pair

SCHEDULES = 200


def measure(folder: Path, pairs: int) -> list[Pair]:
    """Raises RuntimeError when a schedule broke a rule."""
    done = subprocess.run(
        [sys.executable, "-m", "simulator", "--schedules", str(SCHEDULES)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    rate_match = re.search(r"([\d.]+) schedules/s", done.stdout)
    if done.returncode or rate_match is None:
        raise RuntimeError(f"simulator: {done.stdout[-300:]} {done.stderr[-300:]}")
    rate = float(rate_match[1])
    note = f"{rate:.1f} schedules a second, {SCHEDULES} played"
    return [Pair("a simulated run under random faults", 1 / rate, 0, 0, 0, 0, "", note)]
