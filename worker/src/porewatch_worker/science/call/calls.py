"""Calls and their rules: one Finding for every row of the panel and every sample.

A detection needs all of: enough reads of the target alone, enough distinct starts, reads spread
over the genome as chance would spread them, evidence outside repeats, reads no further from the
target than a strain would be, more than barcode crossover from another sample explains, and more
than ten times what the no-template control shows. A target with reads that misses one of these is
indeterminate, and the rule names it. One number is never enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from porewatch.domain.calls.evidence import (
    Evidence,
    SampleScreen,
    ScreenResult,
    TargetResult,
)
from porewatch.domain.calls.findings import Call, Finding, PervResult, Quantity
from porewatch.domain.calls.panel import EXTRA, Panel, PanelEntry, Severity
from porewatch.domain.calls.references import Contig
from porewatch.domain.reasons.reason import Code, Reason, Reasons, because, panel_note
from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.stage.read_limits import for_sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.amounts.lod import lod95
from porewatch_worker.science.amounts.quantity import quantities
from porewatch_worker.science.amounts.required_reads import required_reads
from porewatch_worker.science.call.endogenous import as_inherited, copies_of, inherited
from porewatch_worker.science.call.panel_groups import umbrella
from porewatch_worker.science.call.perv_calls import by_env, recombinant_finding
from porewatch_worker.science.call.relatives import a_relative
from porewatch_worker.science.call.remarks import remarks_on, shown_name
from porewatch_worker.science.call.unread import NOTHING, ToCome
from porewatch_worker.science.count.evidence import best_set
from porewatch_worker.science.intervals import gamma_cdf

PROVIRUS = "provirus"
"""Genome type of endogenous viruses: reads that fit the host can never show their absence."""


@dataclass(frozen=True)
class Run:
    """All that a call rests on."""

    screen: ScreenResult
    samples: Sequence[Sample]
    panel: Panel
    contigs: Mapping[str, tuple[Contig, ...]]
    host_length: int
    parameters: ScreeningParameters
    perv: Mapping[str, PervResult] = field(default_factory=dict)
    to_come: ToCome = NOTHING

    def results(self, code: str) -> Iterator[tuple[str, SampleScreen, TargetResult]]:
        """This target in every sample that has anything of it."""
        return iter(self._by_target.get(code, ()))

    @cached_property
    def _by_target(self) -> dict[str, list[tuple[str, SampleScreen, TargetResult]]]:
        found: dict[str, list[tuple[str, SampleScreen, TargetResult]]] = {}
        for screen in self.screen.samples:
            for result in screen.targets:
                found.setdefault(result.target, []).append((screen.sample, screen, result))
        return found

    @cached_property
    def _by_name(self) -> dict[str, Sample]:
        return {s.name: s for s in self.samples}

    def blank_for(self, name: str, sample: str) -> bool:
        """Whether `name` is a no-template control that applies to `sample`. None applies to another
        control: two with the same contamination would explain each other, and no alarm would be
        raised."""
        there = self._by_name
        roles = there[name].role, there[sample].role
        blank = roles[0] is SampleRole.NO_TEMPLATE_CONTROL and roles[0] is not roles[1]
        return blank and there[name].governs(there[sample])

    def beside(self, code: str, screen: SampleScreen) -> tuple[int, list[float]]:
        """Reads of a target in all other samples; those of its no-template controls, scaled."""
        others = [found for found in self.results(code) if found[0] != screen.sample]
        controls = [
            r.evidence.reads * max(1.0, screen.quality.passed_reads / s.quality.passed_reads)
            for name, s, r in others
            if self.blank_for(name, screen.sample) and r.evidence.reads
        ]
        return sum(r.evidence.reads for _, _, r in others), controls


def call_all(run: Run) -> tuple[Finding, ...]:
    """Findings by sample, rows in panel order, then targets that are not on the panel."""
    screens = {s.sample: s for s in run.screen.samples}
    listed = {e.code for e in run.panel.entries}
    extra = [_extra(code) for code in sorted(set(run.contigs) - listed)]
    rows = (*run.panel.entries, *extra)
    findings = []
    for sample in run.samples:
        there: dict[str, Finding] = {}
        for entry in sorted(rows, key=lambda e: bool(e.members)):
            if entry.members:
                there[entry.code] = umbrella(entry, sample, there)
            else:
                there[entry.code] = _member(entry, sample, screens[sample.name], run)
        findings += [there[entry.code] for entry in rows]
        if sample.name in run.perv and (extra_row := recombinant_finding(run.perv[sample.name])):
            findings.append(extra_row)
    return tuple(findings)


def _extra(code: str) -> PanelEntry:
    """A row for a target that the bundle screens for and no list names."""
    return PanelEntry(
        code=code, name=code.removeprefix(EXTRA), category="virus", severity=Severity.LOW,
        source="not on the list; screened because the bundle holds it",
    )  # fmt: skip


def _member(entry: PanelEntry, sample: Sample, screen: SampleScreen, run: Run) -> Finding:
    name = shown_name(entry, run.contigs.get(entry.code, ()), run.screen.synthetic)
    blind = _cannot_be_seen(entry, screen, run)
    if blind:
        return Finding(
            sample=sample.name, code=entry.code, name=name, severity=entry.severity,
            call=Call.NOT_SCREENED, why=(blind,), remarks=panel_note(entry.status_reason),
        )  # fmt: skip
    result = next((t for t in screen.targets if t.target == entry.code), None)
    perv = run.perv.get(sample.name)
    if env := by_env(entry.code, result, perv):
        call, reasons = env
    else:
        call, reasons = _judge(entry, result, screen, run)
    if inherited(entry, sample, run.panel):
        judged = call, reasons
        call, reasons = as_inherited(entry, judged, result, screen, sample=sample, perv=perv)
    best = best_set(run.contigs[entry.code], {})
    length = result.genome_length if result else sum(c.length for c in best)
    limit, own = None, for_sample(run.parameters, sample)
    if call not in (Call.DETECTED, Call.ENDOGENOUS):
        k = required_reads(*run.beside(entry.code, screen), own)
        limit = lod95(length, screen, sample, run.host_length, own, genome=entry.genome, reads=k)
    amounts: tuple[Quantity, ...] = ()
    if result and result.evidence.reads:
        amounts = quantities(result, screen, sample, run.host_length, genome=entry.genome, p=own)
    if call is Call.ENDOGENOUS and (copies := copies_of(entry.code, perv)):
        amounts = (copies, *amounts)
    return Finding(
        sample=sample.name,
        code=entry.code,
        name=name,
        severity=entry.severity,
        call=call,
        why=reasons,
        evidence=result.evidence if result else None,
        quantities=amounts,
        lod95=limit,
        remarks=tuple(remarks_on(entry, result, sample, call)),
    )


def _cannot_be_seen(entry: PanelEntry, screen: SampleScreen, run: Run) -> Reason | None:
    if entry.status == "not_by_sequencing":
        return because(Code.NOT_BY_SEQUENCING)
    if entry.code not in run.contigs:
        return because(Code.NO_SEQUENCE)
    if not screen.quality.passed_reads:
        return because(Code.NO_PASSED_READ)
    return None


def _judge(
    entry: PanelEntry, result: TargetResult | None, screen: SampleScreen, run: Run
) -> tuple[Call, Reasons]:
    """The call and why."""
    if result is None:
        return Call.NOT_DETECTED, (because(Code.NO_READ),)
    e = result.evidence
    among_members = _shared_with_members(e, run)
    if not e.reads and among_members:
        return Call.INDETERMINATE, (because(Code.SHARED, reads=among_members),)
    if not e.reads and e.host_better and PROVIRUS in entry.genome:
        return Call.INDETERMINATE, (because(Code.HOST_COPIES, reads=e.host_better),)
    if not e.reads:
        return Call.NOT_DETECTED, (because(Code.HOST),)
    if failed := tuple(_failures(entry.code, result, screen, run)):
        return Call.INDETERMINATE, failed
    met = because(
        Code.SUPPORTED, reads=e.reads, starts=e.distinct_starts, regions=e.regions,
        breadth=e.breadth, expected=e.expected_breadth, identity=e.identity,
    )  # fmt: skip
    return Call.DETECTED, (met,)


def _failures(code: str, result: TargetResult, screen: SampleScreen, run: Run) -> Iterator[Reason]:
    e, p = result.evidence, run.parameters
    if e.reads < p.detected_min_reads:
        yield because(Code.FEW_READS, reads=e.reads, needed=p.detected_min_reads)
    if e.distinct_starts < p.detected_min_starts:
        yield because(Code.FEW_STARTS, starts=e.distinct_starts, needed=p.detected_min_starts)
    if e.regions < p.many_regions and e.breadth < p.min_spread * e.expected_breadth:
        yield because(
            Code.PILED_UP, regions=e.regions, breadth=e.breadth, expected=e.expected_breadth
        )
    if e.median_mapq == 0 and len(run.contigs[code]) == 1:
        yield because(Code.REPEATS)
    if e.own_reads == 0:
        yield because(Code.JOINED_ONLY, reads=e.reads)
    if far := a_relative(result, screen, p):
        yield far
    yield from _elsewhere(code, result, screen, run)


def _elsewhere(code: str, result: TargetResult, screen: SampleScreen, run: Run) -> Iterator[Reason]:
    """Explanations by other samples of the run: barcode crossover, and the control."""
    e, p = result.evidence, run.parameters
    others = [(n, s, r.evidence.reads) for n, s, r in run.results(code) if n != screen.sample]
    theirs = sum(reads for _, _, reads in others)
    if theirs and crossed_over(e.reads, theirs, p):
        most = max(others, key=lambda other: other[2])[0]
        yield because(Code.CROSSOVER, reads=e.reads, elsewhere=theirs, sample=most)
    for name, other, reads in others:
        if run.blank_for(name, screen.sample) and reads:
            scale = screen.quality.passed_reads / other.quality.passed_reads
            if like_the_blank(e.reads, reads * scale, reads, p):
                yield because(Code.IN_CONTROL, reads=e.reads, elsewhere=reads, control=name)
    if not run.to_come.ended:
        yield from _not_settled(result, screen, run, {name: reads for name, _, reads in others})


def crossed_over(reads: float, theirs: float, p: ScreeningParameters) -> bool:
    """Whether barcode crossover from `theirs` reads in other samples explains `reads`."""
    return gamma_cdf(reads, p.crossover * theirs) >= p.crossover_chance


def like_the_blank(reads: int, scaled: float, blank: float, p: ScreeningParameters) -> bool:
    """Whether a no-template control explains `reads`: with its `blank` reads, or with those
    `scaled` to the sample's size when that is more."""
    return reads <= p.control_factor * max(blank, scaled)


def _not_settled(
    result: TargetResult, screen: SampleScreen, run: Run, seen: Mapping[str, int]
) -> Iterator[Reason]:
    """What reads not looked at yet may still explain (only while the run goes on)."""
    e = result.evidence
    margin, p = run.to_come.nearer(e.reads), run.parameters
    nearer = {"far_distance": p.far_distance - margin, "near_distance": p.near_distance - margin}
    if a_relative(result, screen, p.model_copy(update=nearer)):
        yield because(Code.MAY_BE_RELATIVE)
    others = [s for s in run.screen.samples if s.sample != screen.sample]
    there = {s.sample: seen.get(s.sample, 0) for s in others}
    most = {name: n + run.to_come.most(name, n) for name, n in there.items()}
    if crossed_over(e.reads, sum(most.values()), run.parameters):
        yield because(Code.MAY_BE_CROSSOVER)
    for other in others:
        if not run.blank_for(other.sample, screen.sample):
            continue
        # What the blank holds at its end, against what is in the sample already.
        if like_the_blank(e.reads, 0.0, most[other.sample], run.parameters):
            yield because(Code.MAY_BE_IN_CONTROL, control=other.sample)


def _shared_with_members(e: Evidence, run: Run) -> int:
    return sum(n for names, n in e.shared_with.items() if set(names.split("|")) <= set(run.contigs))
