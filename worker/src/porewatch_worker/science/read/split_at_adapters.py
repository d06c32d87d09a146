"""Split reads that hold an adapter or primer in their middle: two molecules read as one.

Ligation, PCR and the rapid kit join molecules, each with its own sequence at the joint
(`kit_sequences.tsv`). The read is cut there and its parts become reads of their own, without the
joint: they are unrelated molecules (host beside virus would look like an integration). First a
cheap search: exact 12-mers of the joints, either strand, in all reads at once; then edlib aligns
the whole sequence around each, with at most one edit in eight bases: with one in five, one random
stretch in 3 Mb passed. Cuts that would leave less than MARGIN bases at an end are left to the
trimming of ends.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

import edlib
import numpy as np

from porewatch_worker.science.read.kits import (
    both_strands,
    kit_sequences,
)
from porewatch_worker.science.reads import Read
from porewatch_worker.science.sequence.kmers import (
    coded,
    numbers_of,
)

JOINTS = both_strands(tuple(k.sequence for k in kit_sequences() if k.joint))
K = 12
MARGIN = 150
ERRORS = 8
_REACH = 12
_HALF = 4**8 - 1
"""The last 8 bases of a k-mer: a table of them is small enough to be looked up for every k-mer."""


def _seeds() -> dict[int, list[tuple[str, int]]]:
    """12-mer -> joints that hold it, and where in them."""
    found: dict[int, list[tuple[str, int]]] = {}
    for joint in JOINTS:
        for place in range(0, len(joint) - K + 1, 5):
            (number,) = numbers_of([joint[place : place + K]])
            found.setdefault(number, []).append((joint, place))
    return found


_SEEDS = _seeds()
_KNOWN = np.zeros(_HALF + 1, dtype=bool)
_KNOWN[[number & _HALF for number in _SEEDS]] = True


def split(reads: Sequence[Read]) -> Iterator[list[Read]]:
    """Each read's parts: one, when there is no adapter inside. Names get `.1`, `.2`, ..."""
    hints = _hints(reads)
    for number, read in enumerate(reads):
        gaps = _joined(_adapters(read.sequence, hints[number])) if number in hints else []
        yield [read] if not gaps else list(_parts(read, gaps))


def _hints(reads: Sequence[Read]) -> dict[int, list[tuple[str, int]]]:
    """Number of the read -> (adapter, where it should begin), for those with a k-mer of one."""
    codes = coded("".join(r.sequence for r in reads).encode(), K)
    starts = list(accumulate((len(r.sequence) for r in reads), initial=0))
    hints: dict[int, list[tuple[str, int]]] = {}
    hits = np.flatnonzero(_KNOWN[codes & np.uint32(_HALF)])
    for place, code in zip(hits.tolist(), codes[hits].tolist(), strict=True):
        for joint, inside in _SEEDS.get(code, ()):
            number = bisect_right(starts, place) - 1
            hints.setdefault(number, []).append((joint, place - starts[number] - inside))
    return hints


def _adapters(sequence: str, hints: list[tuple[str, int]]) -> list[tuple[int, int]]:
    """Half-open intervals of adapters, MARGIN bases or more from either end."""
    found = set()
    for adapter, place in hints:
        start = max(0, place - _REACH)
        window = sequence[start : place + len(adapter) + _REACH]
        hit = edlib.align(adapter, window, mode="HW", task="locations", k=len(adapter) // ERRORS)
        if hit["editDistance"] >= 0:
            first, last = hit["locations"][0]
            found.add((start + first, start + last + 1))
    return sorted(f for f in found if f[0] >= MARGIN and f[1] <= len(sequence) - MARGIN)


def _joined(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Intervals with less than MARGIN bases between them as one: rear and front adapter."""
    joined: list[tuple[int, int]] = []
    for start, end in intervals:
        if joined and start - joined[-1][1] < MARGIN:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _parts(read: Read, gaps: list[tuple[int, int]]) -> Iterator[Read]:
    edges = [0, *(edge for gap in gaps for edge in gap), len(read.sequence)]
    for number, (a, b) in enumerate(zip(edges[::2], edges[1::2], strict=True), start=1):
        yield read._replace(
            id=f"{read.id}.{number}", sequence=read.sequence[a:b], qualities=read.qualities[a:b]
        )
