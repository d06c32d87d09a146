"""An A/C recombinant: PERV-A up to a breakpoint in env, PERV-C from there on.

The types differ by a third there, insertions and deletions included, so the breakpoint is a
position where both have the same 11 bases, searched outwards from the intended one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from porewatch_worker.simulate.edits import diverge, to_bytes
from porewatch_worker.simulate.genomes import Genome

SHARED = 11
DRIFT = 60
"""By how much the position may differ between the two types, by insertions and deletions."""


def recombinant(left: Genome, right: Genome, share: float, seed: int) -> Genome:
    """Cut at that share of env (0.1 to 0.6: its surface part), 1 % away from both types."""
    a, c = _same_place(left, right, share)
    codes = np.concatenate([left.codes[:a], right.codes[c:]])
    rng = np.random.default_rng(seed)
    return replace(left, name=f"{left.name}/{right.name}", codes=diverge(codes, 0.01, rng))


def _same_place(left: Genome, right: Genome, share: float) -> tuple[int, int]:
    (a_low, a_high), (c_low, _) = _env(left), _env(right)
    middle = round(share * (a_high - a_low))
    one, other = to_bytes(left.codes), to_bytes(right.codes)
    for step in range(2 * (a_high - a_low)):
        offset = middle + (step // 2 if step % 2 else -step // 2)
        stretch = one[a_low + offset : a_low + offset + SHARED]
        start = max(0, c_low + offset - DRIFT)
        found = other.find(stretch, start, c_low + offset + DRIFT)
        if len(stretch) == SHARED and found >= 0:
            return a_low + offset, found
    raise ValueError(f"{left.name} and {right.name} share no {SHARED} bases of env")


def _env(genome: Genome) -> tuple[int, int]:
    low, high = genome.features.removeprefix("env:").split("..")
    return int(low) - 1, int(high)
