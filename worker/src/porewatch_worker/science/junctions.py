"""Recombinants and chimeras told apart: a recombinant's junction recurs, a chimera's scatters.

Every cell of an animal, and every copy of a virus, breaks at the same base; two molecules that met
in the tube break anywhere in env. So junction reads of one pair of types (in order) are gathered
where their breakpoint intervals overlap, and a place counts as recombinant when it has

1. READS junction reads from as many distinct molecules (first and last aligned base differ), and
2. more of them than junction reads elsewhere explain: those give a place of its width, anywhere in
   env, so many reads (Poisson) with a chance below UNLIKELY.
"""

from __future__ import annotations

from collections.abc import Sequence

from porewatch.domain.findings import Call, JunctionSite
from porewatch.domain.perv import JunctionRead
from porewatch_worker.science.intervals import gamma_cdf, gamma_quantile

READS = 3
UNLIKELY = 0.001
PAD = 15
"""Bases by which a read error beside the breakpoint moves its interval."""

SAME_MOLECULE = 10
"""Molecules whose ends both lie within so many bases may be copies of one."""

SIDE = 70
"""Bases of surface env that a type needs on its side of the breakpoint (20 matches at 30 %)."""

FOUND = 0.8
"""Share of reads over a breakpoint, with SIDE on each side, that show it; measured at R9 error."""


def sites(reads: Sequence[JunctionRead], env_length: int) -> tuple[JunctionSite, ...]:
    """Every place with a junction read, most reads first. `env_length` in bases."""
    found: list[JunctionSite] = []
    for pair in sorted({(r.left, r.right) for r in reads}):
        mine = [r for r in reads if (r.left, r.right) == pair]
        rest = mine
        while rest:
            here = _densest(rest)
            rest = [r for r in rest if r not in here]
            found.append(_site(here, len(mine), env_length))
    return tuple(sorted(found, key=lambda s: (-s.reads, s.left, s.right, s.low)))


def smallest_share(env_reads: int, env_bases: int, env_length: int) -> float | None:
    """The share of PERV copies that a recombinant needs to give READS junction reads with a chance
    of 95 %: m95 / (FOUND x reads that pass a given breakpoint with SIDE on each side), where
    P(READS, m95) = 0.95. None when that is more than all of them."""
    passing = (env_bases - 2 * SIDE * env_reads) / env_length if env_length else 0.0
    if passing <= 0:
        return None
    share = gamma_quantile(0.95, READS) / (FOUND * passing)
    return share if share <= 1 else None


def _densest(reads: Sequence[JunctionRead]) -> list[JunctionRead]:
    """The reads whose padded intervals hold the point that most of them hold."""
    points = sorted({r.low - PAD for r in reads})
    best: list[JunctionRead] = []
    for point in points:
        here = [r for r in reads if r.low - PAD <= point < r.high + PAD]
        if len(here) > len(best):
            best = here
    return best


def _site(here: Sequence[JunctionRead], of_pair: int, env_length: int) -> JunctionSite:
    low, high = _common([(r.low, r.high) for r in here])
    molecules = len({(r.first // SAME_MOLECULE, r.last // SAME_MOLECULE) for r in here})
    width = 2 * PAD + high - low
    places = max(1.0, env_length / width)
    stray = (of_pair - len(here)) / places
    chance = min(1.0, places * gamma_cdf(len(here), stray)) if stray else 0.0
    call, rule = _judge(len(here), molecules, of_pair, chance)
    return JunctionSite(
        left=here[0].left, right=here[0].right, low=low + 1, high=high,
        reads=len(here), molecules=molecules, call=call, rule=rule,
    )  # fmt: skip


def _judge(reads: int, molecules: int, of_pair: int, chance: float) -> tuple[Call, str]:
    told = f"{reads} junction read{'' if reads == 1 else 's'} from {molecules} molecule"
    told += f"{'' if molecules == 1 else 's'} at one place"
    if chance >= UNLIKELY:
        return Call.INDETERMINATE, f"{told}, as the {of_pair - reads} elsewhere lead to expect"
    if min(reads, molecules) < READS:
        return Call.INDETERMINATE, f"{told}, {READS} of each needed"
    return Call.DETECTED, told


def _common(intervals: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """What most of the intervals share: median low to median high, at least one base."""
    lows, highs = sorted(a for a, _ in intervals), sorted(b for _, b in intervals)
    low, high = lows[len(lows) // 2], highs[len(highs) // 2]
    return (low, high) if low < high else (min(low, high - 1), max(low, high - 1) + 1)
