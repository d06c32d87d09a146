"""Assignment of one read: panel first, then host. Pure; one `ReadAssigner` is shared by all
threads.

1. Map the read to panel, spike-ins and decoys together. A hit counts when its block, without masked
   reference and low-complexity parts of the read, is at least `min_block` and its identity at least
   `min_identity`. No mapping-quality cut: two strains of one species share every read.
2. Add up the matched bases of each target's best contig (hits that do not overlap on the read) and
   compare targets, never strains.
3. Ties (within TIE matched bases, what one miscalled base can move): a spike or a decoy wins over a
   panel member; panel members that tie share the read, and it counts for none of them alone.
4. A read of the panel is compared with the host on the same bases of the read: the host wins when
   it matches as many. Parts outside the panel's hits that map to the host are host flank.
5. A read without panel hit is host when its first `host_prefix` bases are: at least `host_share` of
   them, at `host_identity` or more. A doubtful fit there is decided by the whole read: it is host
   when the host covers `host_share` of it; else it is unassigned (it may be an unlisted virus,
   beside host, or resembling it). Bases of the prefix in a single-copy locus measure the host's
   depth; those on ribosomal RNA are counted separately.
6. In any case a read that a PERV genome fits best of all targets is passed on as PERV, unless the
   host fits it far better (then it is a distant relative in the host's genome).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from porewatch.domain.calls.references import (
    Contig,
    ContigRole,
)
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.read.placement import (
    Candidate,
    HostFit,
    LocusHit,
    PervHit,
    Placement,
    Segment,
)
from porewatch_worker.science.sequence.complexity import complex_bases
from porewatch_worker.science.sequence.conserved import named_rrna

TIE = 1
ALIKE = 0.95
"""A strain on which a read matches at least this share of its best is covered by it as well."""
HOST = "host"
PERV_LIKE = 0.85
"""Share of the host's matches that PERV must reach: the host's own copies differ by some per cent,
its other retroviruses (class E, 25 % and more) by far more."""


class ReadAssigner:
    """Places reads against one bundle."""

    def __init__(
        self,
        panel_aligner: Any,
        host_aligner: Any,
        contigs: Mapping[str, Contig],
        parameters: ScreeningParameters,
    ) -> None:
        self._panel = panel_aligner
        self._host = host_aligner
        self._contigs = contigs
        self._parameters = parameters
        self._masks = {
            name: ([a for a, _ in c.masked], c.masked) for name, c in contigs.items() if c.masked
        }
        self._loci = {name: c.single_copy for name, c in contigs.items() if c.single_copy}
        self._rrna = rrna_intervals(contigs.values())

    @property
    def min_block(self) -> int:
        """Bases of an alignment that counts."""
        return self._parameters.min_block

    def place(self, sequence: str, buffer: Any) -> Placement:
        """The verdict on a read. `buffer` is this thread's mappy.ThreadBuffer."""
        candidates = self._candidates(sequence, buffer)
        if not candidates:
            return self._test_host(sequence, buffer)
        best = max(c.matched for c in candidates)
        level = [c for c in candidates if c.matched >= best - TIE]
        members = tuple(c.target for c in level if c.role is ContigRole.PANEL)
        others = [c for c in level if c.role is not ContigRole.PANEL]
        if others:
            names = tuple(c.target for c in others)
            return Placement(others[0].role, others[0], tied=members, tied_with=names)
        return self._against_host(sequence, level, buffer)

    def _against_host(self, sequence: str, level: Sequence[Candidate], buffer: Any) -> Placement:
        first = level[0]
        names = tuple(c.target for c in level)
        host = self._host_matches_under(first.segments, sequence, buffer)
        perv = self._perv(first, host, sequence, buffer)
        if host >= first.matched - TIE:
            fit = self._fit(self._host_hits(sequence[: self._parameters.host_prefix], buffer))
            if host > first.matched + TIE:
                return Placement(ContigRole.HOST, host_better=first.target, perv=perv, fit=fit)
            return Placement(ContigRole.HOST, tied=names, tied_with=(HOST,), perv=perv, fit=fit)
        parts = perv.host_parts if perv else self._host_parts(first, sequence, buffer)
        shared = names if len(names) > 1 else ()
        flank = self._host_bases(parts, sequence, buffer)
        return Placement(
            ContigRole.PANEL, first, shared, shared, host_flank=bool(parts), flank_bases=flank,
            perv=perv,
        )  # fmt: skip

    def _perv(self, first: Candidate, host: int, sequence: str, buffer: Any) -> PervHit | None:
        contig = self._contigs[first.segments[0].contig]
        if contig.perv_type is None or first.matched < PERV_LIKE * host:
            return None
        parts = self._host_parts(first, sequence, buffer)
        return PervHit(first, host >= first.matched - TIE, parts)

    def _host_parts(
        self, found: Candidate, sequence: str, buffer: Any
    ) -> tuple[tuple[int, int], ...]:
        """Parts of the read outside the candidate's hits that map to the host."""
        least = self._parameters.min_block
        return tuple(
            (a, b)
            for a, b in _outside(found.segments, len(sequence))
            if b - a >= least and self._host_matches(sequence[a:b], buffer) >= least
        )

    def _host_bases(self, parts: Iterable[tuple[int, int]], sequence: str, buffer: Any) -> int:
        """Bases of these parts of the read in accepted hits of the host."""
        hits = (hit for a, b in parts for hit in self._host_hits(sequence[a:b], buffer))
        return sum(hit.q_en - hit.q_st for hit in hits)

    def _test_host(self, sequence: str, buffer: Any) -> Placement:
        prefix = sequence[: self._parameters.host_prefix]
        hits = self._host_hits(prefix, buffer)
        if not hits:
            return Placement(None)
        fit, locus = self._fit(hits), self._locus(hits, len(prefix))
        sure = fit.matched >= self._parameters.host_identity * fit.block
        if sure and self._covers(hits, len(prefix)):
            return Placement(ContigRole.HOST, locus=locus, fit=fit)
        whole = hits if len(prefix) == len(sequence) else self._host_hits(sequence, buffer)
        if self._covers(whole, len(sequence)):
            fit = replace(self._fit(whole), in_full=True)
            return Placement(ContigRole.HOST, locus=locus, fit=fit)
        return Placement(None, fit=replace(fit, in_full=True))

    def _covers(self, hits: Sequence[Any], length: int) -> bool:
        covered = sum(h.q_en - h.q_st for h in hits)
        return bool(covered >= self._parameters.host_share * length)

    def _fit(self, hits: Sequence[Any]) -> HostFit:
        """How the host fits, of hits that do not overlap."""
        on_rrna = any(
            min(h.r_en, b) - max(h.r_st, a) >= self._parameters.min_block
            for h in hits
            for a, b in self._rrna.get(h.ctg, ())
        )
        return HostFit(sum(h.mlen for h in hits), sum(h.blen for h in hits), on_rrna)

    def _locus(self, hits: Sequence[Any], length: int) -> LocusHit | None:
        for hit in hits:
            for a, b in self._loci.get(hit.ctg, ()):
                low, high = max(a, hit.r_st), min(b, hit.r_en)
                if low < high:
                    share = min(1.0, (high - low) / length)
                    return LocusHit(f"{hit.ctg}:{(low + high) // 2000}", round(1000 * share))
        return None

    def _host_matches(self, sequence: str, buffer: Any) -> int:
        """Matched bases of the host's accepted hits that do not overlap on the read."""
        return sum(h.mlen for h in self._host_hits(sequence, buffer))

    def _host_matches_under(self, segments: Sequence[Segment], sequence: str, buffer: Any) -> int:
        """The host's matched bases on the bases of the read that the segments cover: of a host hit
        that reaches further (host between two pieces of virus), only that share counts."""
        start, end = min(s.read_start for s in segments), max(s.read_end for s in segments)
        total = 0.0
        for hit in self._host_hits(sequence[start:end], buffer):
            a, b = hit.q_st + start, hit.q_en + start
            under = sum(max(0, min(b, s.read_end) - max(a, s.read_start)) for s in segments)
            total += hit.mlen * min(1.0, under / (b - a))
        return round(total)

    def _host_hits(self, sequence: str, buffer: Any) -> list[Any]:
        return _apart([h for h in self._host.map(sequence, buf=buffer) if self._long_and_like(h)])

    def _long_and_like(self, hit: Any) -> bool:
        p = self._parameters
        return bool(hit.blen >= p.min_block and hit.mlen >= p.min_identity * hit.blen)

    def _candidates(self, sequence: str, buffer: Any) -> list[Candidate]:
        """Each target's best contig, best first; equal ones in the order of their names."""
        by_contig: dict[str, list[Segment]] = {}
        for hit in self._panel.map(sequence, buf=buffer):
            if self._long_and_like(hit) and (segment := self._segment(sequence, hit)):
                by_contig.setdefault(hit.ctg, []).append(segment)
        by_target: dict[str, list[Candidate]] = {}
        for name in sorted(by_contig):
            contig = self._contigs[name]
            found = Candidate(contig.target, contig.role, tuple(_apart(by_contig[name])))
            by_target.setdefault(contig.target, []).append(found)
        best = [_best_strain(strains) for strains in by_target.values()]
        return sorted(best, key=lambda c: (-c.matched, c.target))

    def _segment(self, sequence: str, hit: Any) -> Segment | None:
        """The hit as evidence; None when too little of it is complex and outside the mask."""
        least = self._parameters.min_block
        evidence = hit.r_en - hit.r_st - self.masked_bases(hit.ctg, hit.r_st, hit.r_en)
        if evidence < min(least, hit.r_en - hit.r_st):
            return None
        span = hit.q_en - hit.q_st
        if complex_bases(sequence[hit.q_st : hit.q_en]) < min(least, span):
            return None
        return Segment(
            contig=hit.ctg,
            strand=hit.strand,
            start=hit.r_st,
            end=hit.r_en,
            read_start=hit.q_st,
            read_end=hit.q_en,
            matched=hit.mlen,
            block=hit.blen,
            mapq=hit.mapq,
            evidence=evidence,
        )

    def masked_bases(self, contig: str, start: int, end: int) -> int:
        """Bases of [start, end) inside masked regions."""
        if contig not in self._masks:
            return 0
        starts, intervals = self._masks[contig]
        total = 0
        for a, b in intervals[max(0, bisect_right(starts, start) - 1) :]:
            if a >= end:
                break
            total += max(0, min(b, end) - max(a, start))
        return total


def rrna_intervals(contigs: Iterable[Contig]) -> dict[str, tuple[tuple[int, int], ...]]:
    """Ribosomal RNA of the host: features named so, else whole contigs titled so."""
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    for contig in contigs:
        if contig.role is not ContigRole.HOST:
            continue
        if spans := named_rrna(contig):
            found[contig.name] = spans
    return found


def _outside(segments: Sequence[Segment], length: int) -> Iterator[tuple[int, int]]:
    """The parts of the read before, between and after the segments."""
    end = 0
    for segment in sorted(segments, key=lambda s: s.read_start):
        yield end, segment.read_start
        end = max(end, segment.read_end)
    yield end, length


def _best_strain(strains: Sequence[Candidate]) -> Candidate:
    """The first of those with most matched bases, with what the others show."""
    best = max(strains, key=lambda c: c.matched)
    alike = (c for c in strains if c is not best and c.matched >= ALIKE * best.matched)
    return replace(best, alike=tuple(s for c in alike for s in c.segments))


def _apart(hits: Sequence[Any]) -> list[Any]:
    """The hits that do not overlap on the read by more than a tenth, most matched bases first."""
    chosen: list[tuple[int, int, Any]] = []
    for hit in sorted(hits, key=_rank):
        a, b = _on_read(hit)
        if all(min(b, d) - max(a, c) <= (b - a) / 10 for c, d, _ in chosen):
            chosen.append((a, b, hit))
    return [hit for _, _, hit in chosen]


def _on_read(hit: Any) -> tuple[int, int]:
    if isinstance(hit, Segment):
        return hit.read_start, hit.read_end
    return hit.q_st, hit.q_en


def _rank(hit: Any) -> tuple[int, int, int]:
    if isinstance(hit, Segment):
        return -hit.matched, hit.read_start, hit.start
    return -hit.mlen, hit.q_st, hit.r_st
