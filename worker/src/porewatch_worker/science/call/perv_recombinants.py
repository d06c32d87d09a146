"""Recombinants against chimeras: a recombinant's junction recurs, a chimera's junctions scatter.

Every copy of a recombinant virus breaks at the same base; two molecules joined during library
preparation break anywhere in env. So junction reads of one pair of types (in order) are grouped
where their breakpoint intervals overlap, and a site counts as recombinant when it has

1. `perv_junction_reads` from as many distinct molecules (first and last aligned base differ),
2. more of them than junction reads elsewhere explain: the chance (Poisson) that those give any site
   of its width in env so many reads is below `perv_stray_chance`, and
3. more than barcode crossover from the junction reads of other samples does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from porewatch.domain.calls.findings import (
    Call,
    JunctionSite,
)
from porewatch.domain.calls.perv import JunctionRead
from porewatch.domain.reasons.reason import Code, Reason, Value, because
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.intervals import gamma_cdf, gamma_quantile

PAD = 15
"""Bases by which a read error beside the breakpoint moves its interval."""

SAME_MOLECULE = 10
"""Molecules whose two ends differ by no more bases may be copies of one."""

SIDE = 70
"""Bases of surface env that a type needs on its side of the breakpoint (20 matches at 30 %)."""

FOUND = 0.8
"""Share of reads over a breakpoint, with SIDE on each side, that show it; measured at R9 error."""


@dataclass(frozen=True)
class Frame:
    """What sites are judged by: bases of env, junction reads of a pair (types in order, as `A/C`)
    in other samples of the run, thresholds."""

    env_length: int
    in_others: Mapping[str, float]
    parameters: ScreeningParameters


def sites(reads: Sequence[JunctionRead], frame: Frame) -> tuple[JunctionSite, ...]:
    """Every place with a junction read, most reads first."""
    found: list[JunctionSite] = []
    for pair in sorted({(r.left, r.right) for r in reads}):
        mine = [r for r in reads if (r.left, r.right) == pair]
        rest = mine
        while rest:
            here = _densest(rest)
            rest = [r for r in rest if r not in here]
            found.append(_site(here, len(mine), frame))
    return tuple(sorted(found, key=lambda s: (-s.reads, s.left, s.right, s.low)))


def smallest_share(
    env_reads: int, env_bases: int, env_length: int, parameters: ScreeningParameters
) -> float | None:
    """The share of PERV copies that a recombinant needs to give n = `perv_junction_reads` with a
    chance of 95 %: m95 / (FOUND x reads that pass a given breakpoint with SIDE on each side), where
    P(n, m95) = 0.95. None when that is more than all of them."""
    passing = (env_bases - 2 * SIDE * env_reads) / env_length if env_length else 0.0
    if passing <= 0:
        return None
    share = gamma_quantile(0.95, parameters.perv_junction_reads) / (FOUND * passing)
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


def _site(here: Sequence[JunctionRead], of_pair: int, frame: Frame) -> JunctionSite:
    low, high = _common([(r.low, r.high) for r in here])
    molecules = len({(r.first // SAME_MOLECULE, r.last // SAME_MOLECULE) for r in here})
    site = JunctionSite(
        left=here[0].left, right=here[0].right, low=low + 1, high=high,
        reads=len(here), molecules=molecules, call=Call.DETECTED,
    )  # fmt: skip
    call, why = _judge(site, of_pair - len(here), frame)
    return site.model_copy(update={"call": call, "why": (why,)})


def _judge(site: JunctionSite, elsewhere: int, frame: Frame) -> tuple[Call, Reason]:
    p = frame.parameters
    there: dict[str, Value] = {"reads": site.reads, "molecules": site.molecules}
    if min(site.reads, site.molecules) < p.perv_junction_reads:
        few = because(Code.JUNCTION_FEW, needed=p.perv_junction_reads, **there)
        return Call.INDETERMINATE, few
    places = max(1.0, frame.env_length / (2 * PAD + site.high - site.low + 1))
    stray = elsewhere / places
    if stray and places * gamma_cdf(site.reads, stray) >= p.perv_stray_chance:
        return Call.INDETERMINATE, because(Code.JUNCTION_EXPECTED, elsewhere=elsewhere, **there)
    theirs = frame.in_others.get(f"{site.left}/{site.right}", 0)
    if theirs and gamma_cdf(site.reads, p.crossover * theirs) >= p.crossover_chance:
        return Call.INDETERMINATE, because(Code.JUNCTION_CROSSOVER, elsewhere=theirs, **there)
    return Call.DETECTED, because(Code.JUNCTION_SUPPORTED, **there)


def _common(intervals: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """What most of the intervals share: median low to median high, at least one base."""
    lows, highs = sorted(a for a, _ in intervals), sorted(b for _, b in intervals)
    low, high = lows[len(lows) // 2], highs[len(highs) // 2]
    return (low, high) if low < high else (min(low, high - 1), max(low, high - 1) + 1)
