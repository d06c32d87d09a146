"""The verdict while the run goes on: the report's own rule over the totals of finished units.

Units are added up as they finish (on resume those of the checkpoint first). When a severe target,
or PERV of an alarming kind, has reads enough in a sample, the findings of just these rows are
called by `call_all`, over all samples' totals and with what the rest of the run may still bring
against them (`to_come`). Every alarm is raised once; after the last unit nothing is to come, so
what the report will call is raised at the latest then. What the sample's species inherits is judged
only then: copies per genome are settled by the whole run, and a few early
units show either too high by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import PervResult
from porewatch.domain.calls.panel import Panel
from porewatch.domain.calls.references import (
    BundleManifest,
    Contig,
    ContigRole,
)
from porewatch.domain.runs import InputFile, Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.call.calls import (
    Run,
    call_all,
)
from porewatch_worker.science.call.endogenous import inherited
from porewatch_worker.science.call.perv import perv_references, perv_results
from porewatch_worker.science.call.perv_alarm import AC, ALARM_PAIR, ALARM_TYPE
from porewatch_worker.science.call.remarks import PERV
from porewatch_worker.science.call.unread import (
    NOTHING,
    ToCome,
    Unread,
)
from porewatch_worker.science.count.perv_counts import PervCounts
from porewatch_worker.science.count.totals import RunTotals
from porewatch_worker.science.count.unassigned import UnknownCounts
from porewatch_worker.science.count.units import UnitCounts, unit_from_bytes
from porewatch_worker.suspicions.alarms import alarms, grave_codes

TYPE_C = f"{PERV}{ALARM_TYPE}"


class RunningVerdict:
    """Totals of one stage's units and the alarms that they have raised. `goes_on`: more files than
    these will come."""

    def __init__(
        self,
        *,
        bundle: BundleManifest,
        bundle_sha256: str,
        panel: Panel,
        files: Sequence[InputFile],
        samples: Sequence[Sample],
        parameters: ScreeningParameters,
        goes_on: bool = False,
    ) -> None:
        self._bundle, self._sha256, self._panel = bundle, bundle_sha256, panel
        self._samples, self._parameters = tuple(samples), parameters
        self._contigs = _by_target(bundle.contigs)
        references = perv_references(bundle)
        self._by_env = references is not None and ALARM_TYPE in references.types_by_env
        self._grave = grave_codes(panel) & set(self._contigs)
        spikes = {c.target for c in bundle.contigs if c.role is ContigRole.SPIKE}
        self._counted = self._grave | spikes
        self._spikes = frozenset(spikes)
        self._totals = RunTotals(bundle.contigs)
        self._inherited = {
            (s.name, e.code) for e in panel.entries for s in samples if inherited(e, s, panel)
        }
        self._unread = Unread(files, samples, goes_on=goes_on)
        self._ended = False
        self._of_perv = {c.target for c in bundle.contigs if c.perv_type} | {TYPE_C, AC}
        self._reads: Counter[tuple[str, str]] = Counter()
        self._types_by_env = references.types_by_env if references else ()
        self._typed: Counter[tuple[str, str]] = Counter()
        self._joins: Counter[str] = Counter()
        self._raised: set[tuple[str, str]] = set()

    def take(self, content: bytes) -> None:
        """Add a finished unit; their order does not matter."""
        self.take_counts(unit_from_bytes(content))

    def take_counts(self, unit: UnitCounts) -> None:
        """The same, of counts that are not packed."""
        self._unread.take(unit)
        for name, counts in unit.samples.items():
            counts.targets = {t: c for t, c in counts.targets.items() if t in self._counted}
            counts.unknown = UnknownCounts()
            for target, found in counts.targets.items():
                self._reads[name, target] += found.reads
            self._count_perv(name, counts.perv)
        self._totals.add(unit)

    def end(self) -> None:
        """Every unit was taken: nothing is to come."""
        self._ended = True

    def alarms(self) -> Iterator[Alarm]:
        """Alarms that are met now and were not raised before."""
        codes = self._candidates()
        if not codes:
            return
        for alarm in self._met(codes):
            if (alarm.sample, alarm.code) not in self._raised | self._not_yet():
                self._raised.add((alarm.sample, alarm.code))
                yield alarm

    def severe_reads(self) -> dict[tuple[str, str], int]:
        """Reads so far of what may alarm before the run is whole, by (sample, code)."""
        found = Counter({k: n for k, n in self._reads.items() if k[1] in self._grave})
        if self._by_env:
            found = Counter({k: n for k, n in found.items() if k[1] != TYPE_C})
            found |= Counter(
                {k: n for k, n in self._typed.items() if k[1] in {*self._grave, TYPE_C}}
            )
            found |= Counter({(sample, AC): n for sample, n in self._joins.items()})
        return {pair: n for pair, n in found.items() if n and pair not in self._inherited}

    def _count_perv(self, sample: str, perv: PervCounts) -> None:
        for kind in self._types_by_env:
            self._typed[sample, f"{PERV}{kind}"] += perv.types[f"{kind} reads"]
        self._joins[sample] += sum({j[0], j[1]} == ALARM_PAIR for j in perv.junctions)

    def _candidates(self) -> frozenset[str]:
        """Codes with reads enough in a sample for which they were not raised."""
        p = self._parameters
        enough = {
            (sample, code)
            for (sample, code), reads in self._reads.items()
            if code in self._grave and reads >= p.detected_min_reads
        }
        if self._by_env:  # reads of type C's backbone determine no type
            enough = {found for found in enough if found[1] != TYPE_C}
            typed = {found for found, n in self._typed.items() if n >= p.detected_min_reads}
            enough |= {found for found in typed if found[1] in {*self._grave, TYPE_C}}
            enough |= {(s, AC) for s, n in self._joins.items() if n >= p.perv_junction_reads}
        return frozenset(code for _, code in enough - self._raised - self._not_yet())

    def _not_yet(self) -> set[tuple[str, str]]:
        """(sample, code) of what only the whole run can judge."""
        return set() if self._ended else self._inherited

    def _met(self, codes: Collection[str]) -> tuple[Alarm, ...]:
        names = [sample.name for sample in self._samples]
        screen = ScreenResult(
            bundle=self._bundle.ref,
            bundle_sha256=self._sha256,
            synthetic=self._bundle.synthetic,
            samples=self._totals.screens(names, only={*codes, *self._spikes}),
        )
        to_come = NOTHING if self._ended else self._unread.to_come()
        perv = self._perv(codes, screen, to_come)
        rows = tuple(entry for entry in self._panel.entries if entry.code in codes)
        run = Run(
            screen=screen,
            samples=self._samples,
            panel=self._panel.model_copy(update={"entries": rows}),
            contigs={code: self._contigs[code] for code in codes if code in self._contigs},
            host_length=self._bundle.host_bases,
            parameters=self._parameters,
            perv={result.sample: result for result in perv},
            to_come=to_come,
        )
        return alarms(call_all(run), self._samples, self._panel, perv)

    def _perv(
        self, codes: Collection[str], screen: ScreenResult, to_come: ToCome
    ) -> tuple[PervResult, ...]:
        if not self._of_perv & {*codes}:
            return ()
        return perv_results(screen, self._samples, self._bundle, self._parameters, to_come)


def _by_target(contigs: Sequence[Contig]) -> Mapping[str, tuple[Contig, ...]]:
    found: dict[str, tuple[Contig, ...]] = {}
    for contig in contigs:
        if contig.role is ContigRole.PANEL:
            found[contig.target] = (*found.get(contig.target, ()), contig)
    return found
