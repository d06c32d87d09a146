"""PERV reads of one sample in one unit, added up: whole numbers and short lists only."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from porewatch.domain.calls.perv import (
    JunctionRead,
    OrfCount,
    PervScreen,
    PervTypeCount,
)
from porewatch_worker.science.read.perv_reads import PervRead
from porewatch_worker.science.read.placement import LocusHit

MOST = 10_000
"""Distinct starts and junction reads kept, the smallest first: the same in any order of units."""

_SUMS = ("reads", "bases", "squares", "host_alike", "with_host_flank", "at_ends", "full_length",
         "env_reads", "env_bases", "untyped", "apart", "locus_reads")  # fmt: skip

Junction = tuple[str, str, int, int, int, int]


@dataclass
class PervCounts:
    """Numbers by name (`sums`, and by type and frame), starts by type, junction reads, tiles."""

    sums: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    frames: Counter[str] = field(default_factory=Counter)
    tiles: Counter[str] = field(default_factory=Counter)
    starts: dict[str, list[int]] = field(default_factory=dict)
    junctions: list[Junction] = field(default_factory=list)

    def take(self, read: PervRead) -> None:
        """Count one PERV read."""
        self.sums.update(
            reads=1,
            bases=read.bases,
            squares=read.bases**2,
            host_alike=int(read.host_alike),
            with_host_flank=int(read.flanked),
            at_ends=int(read.at_end),
            full_length=int(read.full_length),
            apart=int(read.apart),
        )
        for name, whole in (read.frames or {}).items():
            self.frames.update({f"{name} spanning": 1, f"{name} whole": int(whole)})
        if read.env:
            self._take_env(read)
        for j in read.junctions:
            self.junctions.append((j.left, j.right, j.low, j.high, j.first, j.last))

    def _take_env(self, read: PervRead) -> None:
        if read.env is None:
            return
        kind, bases = read.env.kind, read.env.bases
        untyped = kind is None and not read.env.changes
        self.sums.update(env_reads=1, env_bases=bases, untyped=int(untyped))
        if kind:
            self.types.update({f"{kind} reads": 1, f"{kind} bases": bases})
            self.types.update({f"{kind} squares": bases**2})
            self.starts.setdefault(kind, []).append(read.start)

    def take_locus(self, hit: LocusHit) -> None:
        """Count one host read at a single-copy locus."""
        self.sums.update(
            locus_reads=1, locus_milli=hit.milli, locus_milli_squares=hit.milli * hit.milli
        )
        self.tiles[hit.tile] += 1

    def add(self, other: PervCounts) -> None:
        """Add another unit; the order does not matter."""
        for name in ("sums", "types", "frames", "tiles"):
            getattr(self, name).update(getattr(other, name))
        for kind, places in other.starts.items():
            self.starts[kind] = heapq.nsmallest(MOST, {*self.starts.get(kind, ()), *places})
        self.junctions = heapq.nsmallest(MOST, [*self.junctions, *other.junctions])

    def screen(self, tiles: int) -> PervScreen:
        """The totals; `tiles` is how many thousand-base tiles the single-copy loci have."""
        s = self.sums
        return PervScreen(
            **{name: s[name] for name in _SUMS},
            types={k: self._type(k) for k in sorted({n.split()[0] for n in self.types})},
            orfs={k: self._orf(k) for k in sorted({name.split()[0] for name in self.frames})},
            junctions=tuple(
                JunctionRead(left=a, right=b, low=c, high=d, first=e, last=f)
                for a, b, c, d, e, f in sorted(self.junctions)
            ),
            locus_weight=s["locus_milli"] / 1000,
            locus_squares=s["locus_milli_squares"] / 1_000_000,
            locus_dispersion=dispersion(self.tiles, tiles),
        )

    def _type(self, kind: str) -> PervTypeCount:
        return PervTypeCount(
            reads=self.types[f"{kind} reads"],
            starts=len(set(self.starts.get(kind, ()))),
            env_bases=self.types[f"{kind} bases"],
            env_squares=self.types[f"{kind} squares"],
        )

    def _orf(self, name: str) -> OrfCount:
        return OrfCount(
            spanning=self.frames[f"{name} spanning"], whole=self.frames[f"{name} whole"]
        )


def dispersion(tiles: Counter[str], number: int) -> float | None:
    """Variance over mean of reads a tile (1 for Poisson counts); None with fewer than 10 tiles or
    fewer reads than tiles / 5."""
    total = sum(tiles.values())
    if number < 10 or total < number / 5:
        return None
    mean = total / number
    squares = sum((n - mean) ** 2 for n in tiles.values()) + (number - len(tiles)) * mean**2
    return round(squares / (number - 1) / mean, 4)


def from_plain(found: dict[str, Any]) -> PervCounts:
    """The counts again, from `vars` of them that went through JSON."""
    counters = {n: Counter(found[n]) for n in ("sums", "types", "frames", "tiles")}
    junctions: list[Junction] = [(a, b, c, d, e, f) for a, b, c, d, e, f in found["junctions"]]
    return PervCounts(**counters, starts=dict(found["starts"]), junctions=junctions)
