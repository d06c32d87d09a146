"""Analysis of one PERV read: type by env, junctions, host flanks, whole reading frames.

A read is PERV when a genome with a PERV type fits it best of the panel, and the host not much
better (its own copies fit about as well). It is turned onto the strand of the genome and mapped
again to every PERV genome, each alone and with a scoring that extends through envelopes 35 % apart
instead of clipping them. The strain with most matches represents its type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mappy

from porewatch.domain.calls.perv import JunctionRead
from porewatch.domain.calls.references import Contig
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.read.perv_env_type import (
    LEAST_ENV,
    Change,
    EnvVerdict,
    judge_env,
)
from porewatch_worker.science.read.placement import (
    PervHit,
    Segment,
)
from porewatch_worker.science.sequence.base_alignment import (
    MatchLine,
    match_line,
)
from porewatch_worker.science.sequence.homologous import (
    Columns,
    columns,
    hub_of,
)

SCORING = (2, 2, 4, 2, 24, 1)
"""match, mismatch, gap open and extend (twice: short and long gaps). Two thirds of matches suffice
to go on; minimap2's own map-ont (2, 4, 4, 2, 24, 1) needs three quarters."""

END = 60
"""A host flank within so many bases of the genome's end is that of an integrated copy."""

FULL = 0.95


@dataclass(frozen=True)
class PervRead:
    """One read. `bases`: of the provirus under it. `start`: its first aligned base there."""

    bases: int
    host_alike: bool
    flanked: bool
    at_end: bool
    full_length: bool
    start: int
    env: EnvVerdict | None = None
    junctions: tuple[JunctionRead, ...] = ()
    apart: bool = False
    frames: Mapping[str, bool] | None = None


class PervReader:
    """Looks at PERV reads of one bundle. Shared by all threads."""

    def __init__(
        self,
        contigs: Iterable[Contig],
        sequence_of: Callable[[str], str],
        parameters: ScreeningParameters,
    ) -> None:
        """`contigs`: of the bundle, others than PERV are passed over; `sequence_of` a contig."""
        self._parameters = parameters
        self._contigs = {c.name: c for c in contigs if c.perv_type}
        self._aligners = {
            name: mappy.Aligner(seq=sequence_of(name), preset="map-ont", scoring=SCORING)
            for name, contig in self._contigs.items()
            if contig.features
        }

        self._columns = _columns(self._contigs.values())

    @property
    def types_by_env(self) -> tuple[str, ...]:
        """Types that env can distinguish here: at least two have env coordinates, else none."""
        kinds = {c.perv_type for c in self._contigs.values() if c.perv_type and "env" in c.features}
        return tuple(sorted(kinds)) if len(kinds) > 1 else ()

    def analyse(self, sequence: str, hit: PervHit, buffer: Any) -> PervRead:
        """Everything about one read. `buffer` is this thread's mappy.ThreadBuffer."""
        segments = hit.candidate.segments
        contig = self._contigs[segments[0].contig]
        first = min(segments, key=lambda s: s.read_start)
        spans = [s.end - s.start for s in segments]
        shown = PervRead(
            bases=sum(spans),
            host_alike=hit.host_alike,
            flanked=bool(hit.host_parts),
            at_end=any(self._ends(part, segments) for part in hit.host_parts),
            full_length=max(spans) >= FULL * contig.length,
            start=2 * first.start if first.strand > 0 else 2 * first.end + 1,
        )
        if not any(self._over_feature(s) for s in segments):
            return shown
        return self._with_env(shown, _forward(sequence, segments), contig, buffer)

    def _with_env(self, shown: PervRead, forward: str, contig: Contig, buffer: Any) -> PervRead:
        lines = {
            name: match_line(len(forward), list(aligner.map(forward, buf=buffer, cs=True)))
            for name, aligner in self._aligners.items()
        }
        best = self._best_strains(lines)
        env = None
        if self.types_by_env:
            verdict = judge_env(
                {k: lines[name] for k, name in best.items()},
                {k: self._contigs[name].features["env"] for k, name in best.items()},
                self._parameters.perv_margin,
                self._parameters.perv_lead,
                {k: self._columns[n] for k, n in best.items() if n in self._columns},
            )
            env = verdict if verdict.bases >= LEAST_ENV else None
        changes = env.changes if env else ()
        apart = any(not c.homologous for c in changes)
        return PervRead(
            **{
                **vars(shown),
                "env": env,
                "apart": apart,
                "junctions": () if apart else self._junctions(changes, best, lines),
                "frames": self._frames(contig, lines.get(contig.name)),
            }
        )

    def _best_strains(self, lines: Mapping[str, MatchLine]) -> dict[str, str]:
        """Type -> the contig with env on which most bases match."""
        best: dict[str, str] = {}
        for name, line in lines.items():
            kind = self._contigs[name].perv_type
            if kind and "env" in self._contigs[name].features:
                there = best.get(kind)
                if there is None or line.matched > lines[there].matched:
                    best[kind] = name
        return best

    def _junctions(
        self, changes: Sequence[Change], best: Mapping[str, str], lines: Mapping[str, MatchLine]
    ) -> tuple[JunctionRead, ...]:
        found = []
        for change in changes:
            name = best[change.left]
            first, last = lines[name].span
            begin = self._contigs[name].features["env"][0]
            found.append(
                JunctionRead(
                    left=change.left,
                    right=change.right,
                    low=change.low,
                    high=change.high,
                    first=first - begin,
                    last=last - begin,
                )
            )
        return tuple(found)

    def _frames(self, contig: Contig, line: MatchLine | None) -> dict[str, bool]:
        """Reading frames that the read spans -> no gap of 20 bases or more in it."""
        if line is None:
            return {}
        low, high = line.span
        return {
            name: not any(a < end and b > start for a, b in line.gaps)
            for name, (start, end) in contig.features.items()
            if low <= start and high >= end
        }

    def _over_feature(self, segment: Segment) -> bool:
        places = self._contigs[segment.contig].features.values()
        return any(min(segment.end, b) - max(segment.start, a) >= LEAST_ENV for a, b in places)

    def _ends(self, part: tuple[int, int], segments: Sequence[Segment]) -> bool:
        """Whether this host part of the read adjoins an end of the provirus."""
        before = min(
            segments, key=lambda s: min(abs(s.read_start - part[1]), abs(part[0] - s.read_end))
        )
        ahead = abs(before.read_start - part[1]) <= abs(part[0] - before.read_end)
        at_start = ahead == (before.strand > 0)
        length = self._contigs[before.contig].length
        return before.start <= END if at_start else before.end >= length - END


def _forward(sequence: str, segments: Sequence[Segment]) -> str:
    """The read on the strand of the provirus, by its longest hit."""
    longest = max(segments, key=lambda s: (s.end - s.start, -s.read_start))
    return sequence if longest.strand > 0 else str(mappy.revcomp(sequence))


def _columns(contigs: Iterable[Contig]) -> dict[str, Columns]:
    """How the envs are aligned, by contig; empty where the bundle does not hold it."""
    there = [c for c in contigs if c.env_blocks]
    hub = hub_of(there)
    if hub is None:
        return {}
    sizes = {c.name: c.features["env"][1] - c.features["env"][0] for c in there}
    return {c.name: columns(c.env_blocks, sizes[hub.name], sizes[c.name]) for c in there}
