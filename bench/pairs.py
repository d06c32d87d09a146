"""Side by side in one run: ours, theirs, ours, theirs, ...; the ratio is taken pair by pair.

Machines drift; a ratio of neighbours drifts less than two numbers taken apart.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """One comparison. Seconds are medians of wall time; `ratio` is theirs / ours, so more is
    better for us."""

    what: str
    ours: float
    theirs: float
    ratio: float
    lowest: float
    highest: float
    peer: str
    note: str = ""


def compare(
    what: str,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    *,
    peer: str,
    pairs: int = 5,
    note: str = "",
) -> Pair:
    """Run both `pairs` times in turn after one warm-up each. Each call answers its seconds."""
    ours(), theirs()
    taken = [(ours(), theirs()) for _ in range(pairs)]
    ratios = [their / our for our, their in taken]
    return Pair(
        what=what,
        ours=statistics.median(our for our, _ in taken),
        theirs=statistics.median(their for _, their in taken),
        ratio=statistics.median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        peer=peer,
        note=note,
    )


def wall(command: list[str] | str, *, cwd: str | None = None) -> float:
    """Seconds of a whole command (a string goes through the shell). Its failure is ours."""
    start = time.perf_counter()
    done = subprocess.run(
        command, shell=isinstance(command, str), cwd=cwd, capture_output=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.decode(errors='replace')[-500:]}")
    return seconds


def peak_memory(command: list[str], env: dict[str, str] | None = None) -> int:
    """Peak resident memory of one command, bytes (from the kernel's accounting of that child)."""
    pid = os.posix_spawn(command[0], command, {**os.environ, **(env or {})}, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ])  # fmt: skip
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{command} ended with status {status}")
    return _bytes(usage)


def _bytes(usage: resource.struct_rusage) -> int:
    return usage.ru_maxrss * 1024  # Linux counts in KiB
