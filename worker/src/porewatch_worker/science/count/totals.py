"""Units added up: one running total per sample, and the SampleScreen it ends as."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from porewatch.domain.calls.evidence import QualityControl, ReadAccount, SampleScreen
from porewatch.domain.calls.host_and_unassigned import HostScreen
from porewatch.domain.calls.perv import PervScreen
from porewatch.domain.calls.references import (
    Contig,
    ContigRole,
)
from porewatch.domain.stage.quarantine import QUARANTINED
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.reads.summary import phred
from porewatch_worker.science.count.distance import own_identity
from porewatch_worker.science.count.evidence import TargetTotals
from porewatch_worker.science.count.histograms import (
    length_histogram,
    length_statistics,
    quality_histogram,
    yield_points,
)
from porewatch_worker.science.count.unassigned import Sketches
from porewatch_worker.science.count.units import (
    BILLION,
    UNASSIGNED,
    SampleCounts,
    UnitCounts,
    add,
)

_ROLES = tuple(ContigRole)


class RunTotals:
    """All samples of a run. Memory grows with samples and targets, not with reads."""

    def __init__(
        self, contigs: Iterable[Contig], parameters: ScreeningParameters | None = None
    ) -> None:
        self._near_distance = (parameters or ScreeningParameters()).near_distance
        self._contigs: dict[str, list[Contig]] = {}
        self._has_perv, self._locus_tiles = False, 0
        for contig in contigs:
            if contig.role is not ContigRole.HOST:
                self._contigs.setdefault(contig.target, []).append(contig)
            self._has_perv |= contig.perv_type is not None
            self._locus_tiles += sum(-(-(b - a) // 1000) for a, b in contig.single_copy)
        self._sums: dict[str, SampleCounts] = {}
        self._targets: dict[str, dict[str, TargetTotals]] = {}
        self.unlisted: Counter[str] = Counter()

    def add(self, unit: UnitCounts) -> None:
        """Add one unit; their order does not matter."""
        self.unlisted.update(unit.unlisted)
        for name, counts in unit.samples.items():
            targets = self._targets.setdefault(name, {})
            for target, found in counts.targets.items():
                if target not in targets:
                    targets[target] = TargetTotals(self._contigs[target])
                targets[target].add(found)
            counts.targets = {}
            add(self._sums.setdefault(name, SampleCounts()), counts)

    def screens(
        self,
        samples: Sequence[str],
        sketches: Sketches | None = None,
        *,
        only: Collection[str] | None = None,
    ) -> tuple[SampleScreen, ...]:
        """One screen for each sample named, also for those without any read. `only`: with the
        evidence of these targets and no others."""
        minutes = [m for sums in self._sums.values() for m in sums.minute_reads]
        origin = min(minutes, default=None)
        return tuple(self._screen(name, origin, sketches, only) for name in samples)

    def _screen(
        self,
        name: str,
        origin: int | None,
        sketches: Sketches | None,
        only: Collection[str] | None,
    ) -> SampleScreen:
        sums = self._sums.get(name, SampleCounts())
        there = sorted(self._targets.get(name, {}).items())
        results = [t.result(code) for code, t in there if only is None or code in only]
        screen = SampleScreen(
            sample=name,
            account=_account(sums),
            quality=_quality(sums, origin),
            host_bases=sums.role_bases[ContigRole.HOST.value],
            unassigned_bases=sums.role_bases[UNASSIGNED],
            targets=tuple(sorted(results, key=lambda r: (_ROLES.index(r.role), r.target))),
            perv=self._perv(sums) if self._has_perv else None,
            host=_host(sums),
            unknowns=sums.unknown.summary(_passed(sums), sketches),
        )
        return self._with_near(screen)

    def _with_near(self, screen: SampleScreen) -> SampleScreen:
        """Near reads are evaluated only now: the rate of sequencing errors needs the whole
        screen."""
        own, totals = own_identity(screen), self._targets.get(screen.sample, {})
        targets = []
        for found in screen.targets:
            near = None
            if found.role is ContigRole.PANEL:
                near = totals[found.target].near(found, own, self._near_distance)
            evidence = found.evidence.model_copy(update={"near": near})
            targets.append(found.model_copy(update={"evidence": evidence}))
        return screen.model_copy(update={"targets": tuple(targets)})

    def _perv(self, sums: SampleCounts) -> PervScreen:
        return sums.perv.screen(self._locus_tiles)


def _account(sums: SampleCounts) -> ReadAccount:
    roles = sums.roles
    return ReadAccount(
        total=sums.total,
        filtered=dict(sorted(sums.filtered.items())),
        filtered_bases=dict(sorted(sums.filtered_bases.items())),
        host=roles[ContigRole.HOST.value],
        panel=roles[ContigRole.PANEL.value],
        spike=roles[ContigRole.SPIKE.value],
        decoy=roles[ContigRole.DECOY.value],
        unassigned=roles[UNASSIGNED],
        split=sums.split,
        demultiplexed=sums.demultiplexed,
        barcodes_told=dict(sorted(sums.barcodes_told.items())),
    )


def _passed(sums: SampleCounts) -> int:
    return sums.total - sum(sums.filtered.values())


def _host(sums: SampleCounts) -> HostScreen:
    counts = sums.host
    return HostScreen(
        reads=sums.roles[ContigRole.HOST.value],
        bases=sums.role_bases[ContigRole.HOST.value],
        identity=round(counts.matched / counts.block, 4) if counts.block else None,
        identities={str(cent): n for cent, n in sorted(counts.identities.items())},
        rrna_reads=counts.rrna_reads,
        rrna_bases=counts.rrna_bases,
        tested_in_full=counts.in_full,
        let_go=counts.let_go,
    )


def _quality(sums: SampleCounts, origin: int | None) -> QualityControl:
    mean, median, n50, longest = length_statistics(sums.lengths)
    bases = sum(length * reads for length, reads in sums.lengths.items())
    known = sums.total - sums.filtered[QUARANTINED]  # of a lost read nothing is known
    quality = phred(sums.error_billionths / BILLION / known) if known else None
    return QualityControl(
        reads=sums.total,
        bases=bases,
        passed_reads=_passed(sums),
        passed_bases=sums.passed_bases,
        mean_length=round(mean, 3),
        median_length=median,
        n50=n50,
        longest=longest,
        mean_quality=None if quality is None else round(quality, 3),
        gc_fraction=round(sums.gc / bases, 4) if bases else None,
        adapter_trimmed_reads=sums.trimmed,
        kinds=dict(sorted(sums.kinds.items())),
        lengths=length_histogram(sums.lengths),
        qualities=quality_histogram(sums.quality_reads, sums.quality_bases),
        yield_over_time=yield_points(sums.minute_reads, sums.minute_bases, origin),
    )
