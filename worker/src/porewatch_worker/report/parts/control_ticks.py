"""Controls as ticks: what each was to show, what it showed, and whether that is enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from porewatch.domain.calls.evidence import SampleScreen
from porewatch.domain.calls.findings import (
    Call,
    Outcome,
    SampleOutcome,
)
from porewatch.domain.calls.release_policy import ReleasePolicy
from porewatch.domain.results.report import Report
from porewatch.domain.runs import Sample, SampleRole
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Bullets, Cell, Column, Table
from porewatch_worker.report.parts.i18n import named, say, texts_of
from porewatch_worker.report.parts.i18n import unit as unit_name
from porewatch_worker.report.parts.tones import OUTCOME_TONE, role_name
from porewatch_worker.science.amounts.spike import spike_of
from porewatch_worker.science.call.remarks import shown_code
from porewatch_worker.science.release.policies import release_policies

MOST_REASONS, MOST_NAMES = 6, 4
WORST_FIRST = tuple(reversed(Outcome))


def control_ticks(report: Report) -> Table:
    """A row for each control and one for the spike-ins, failing ones first."""
    outcomes = {o.sample: o for o in report.outcomes}
    controls = [s for s in report.samples if s.role is not SampleRole.SAMPLE]
    controls.sort(key=lambda s: WORST_FIRST.index(report.outcome_of(s.name)))
    return Table(
        caption=say("ticks.caption"),
        columns=(
            Column(say("head.control"), width=1.5),
            Column(say("head.result"), width=1.3),
            Column(say("ticks.seen"), width=3.2),
            Column(say("head.reasons"), width=2.6),
        ),
        rows=(
            *(_control(report, s, outcomes.get(s.name)) for s in controls),
            *_absent(report),
            *_spikes(report),
        ),
        empty=say("ticks.none"),
    )


def _control(report: Report, control: Sample, outcome: SampleOutcome | None) -> tuple[Cell, ...]:
    result = report.outcome_of(control.name)
    why = texts_of(outcome.why) if outcome else ()
    return (
        Cell(control.name, note=role_name(control.role)),
        Cell(say(f"ticks.{result.value}"), tone=OUTCOME_TONE[result]),
        Cell(say("list.joint").join(_numbers(report, control))),
        Cell(say("list.joint").join(why) or numbers.NOTHING),
    )


def _numbers(report: Report, control: Sample) -> Iterator[str]:
    screen = next((s for s in report.screens if s.sample == control.name), None)
    yield numbers.many(screen.account.passed if screen else 0, "read_passed")
    seen = _detected(report, control)
    if control.role is SampleRole.POSITIVE_CONTROL:
        named_codes = say("name.joint").join(_expected(report, control))
        yield say("ticks.expected", codes=named_codes or say("ticks.not_stated"))
    yield say("ticks.detected", codes=say("name.joint").join(seen) or say("word.none"))
    if recovery := report.spike_recovery.get(control.name):
        yield say("ticks.recovery", share=numbers.quantity(recovery))


def _expected(report: Report, control: Sample) -> tuple[str, ...]:
    """By the sheet, or by the policy."""
    policy = _policy(report)
    return control.expected_codes or (policy.expected_codes if policy else ())


def _policy(report: Report) -> ReleasePolicy | None:
    """The policy of the run, if this version has it."""
    name = report.release.policy if report.release else ""
    return next((p for p in release_policies().policies if p.name == name), None)


def _detected(report: Report, control: Sample) -> list[str]:
    reads = {
        f.code: (shown_code(f.code, f.name), f.evidence.reads if f.evidence else 0)
        for f in report.findings
        if f.sample == control.name and f.call is Call.DETECTED
    }
    groups = {e.code for e in report.panel if e.members}
    return [
        say("ticks.code", code=code, reads=numbers.many(n, "read"))
        for key, (code, n) in reads.items()
        if key not in groups
    ]


def _absent(report: Report) -> Iterator[tuple[Cell, ...]]:
    there = {s.role for s in report.samples}
    for role in (SampleRole.NO_TEMPLATE_CONTROL, SampleRole.POSITIVE_CONTROL):
        if role not in there:
            blank = Cell(numbers.NOTHING)
            yield Cell(role_name(role)), Cell(say("ticks.absent"), tone="warn"), blank, blank


def _spikes(report: Report) -> Iterator[tuple[Cell, ...]]:
    """One row for all samples with a spike-in, by the reads that the policy requires."""
    subjects = report.subjects
    spiked = {s.name for s in report.samples if s.spike_copies and s.name in subjects}
    if not spiked:
        return
    least = _least_spike(report)
    reads = {s.sample: _spike_reads(s) for s in report.screens if s.sample in spiked}
    missed = [name for name in sorted(spiked) if reads.get(name, 0) < least]
    enough = say(
        "ticks.of_samples",
        n=numbers.count(len(spiked) - len(missed)),
        all=numbers.many(len(spiked), "sample"),
        least=numbers.many(least, "read"),
    )
    spread = _spread(report, spiked)
    yield (
        Cell(say("ticks.spike")),
        _passed(not missed),
        Cell(say("list.joint").join(part for part in (enough, spread) if part)),
        Cell(say("ticks.missed", samples=_some(missed)) if missed else numbers.NOTHING),
    )


def _passed(passed: bool) -> Cell:
    outcome = Outcome.REPORTABLE if passed else Outcome.NOT_REPORTABLE
    return Cell(say(f"ticks.{outcome.value}"), tone=OUTCOME_TONE[outcome])


def _least_spike(report: Report) -> int:
    policy = _policy(report)
    least = policy.min_spike_reads if policy else None
    return least or report.provenance.parameters.min_spike_reads


def _spike_reads(screen: SampleScreen) -> int:
    spike = spike_of(screen)
    return spike.evidence.reads if spike else 0


def _spread(report: Report, spiked: set[str]) -> str:
    found = [q for name, q in report.spike_recovery.items() if name in spiked]
    values = sorted(q.value for q in found if q.value is not None)
    if not values:
        return ""
    ends = say("number.range", low=numbers.figure(values[0]), high=numbers.figure(values[-1]))
    return f"{ends} {unit_name(found[0].unit)}"


def _some(samples: list[str]) -> str:
    shown = say("name.joint").join(samples[:MOST_NAMES])
    more = len(samples) - MOST_NAMES
    return say("list.and_more", shown=shown, more=more) if more > 0 else shown


def reasons(report: Report) -> Bullets | None:
    """Why samples are not plainly reportable, worst first, each reason once with its samples."""
    by_reason: dict[tuple[Outcome, str], list[str]] = defaultdict(list)
    subjects = report.subjects
    for o in report.outcomes:
        if o.sample in subjects and o.outcome is not Outcome.REPORTABLE:
            for reason in texts_of(o.why):
                by_reason[o.outcome, reason].append(o.sample)
    order = sorted(by_reason, key=lambda k: (WORST_FIRST.index(k[0]), -len(by_reason[k]), k[1]))
    lines = [_line(*key, by_reason[key]) for key in order[:MOST_REASONS]]
    if len(order) > MOST_REASONS:
        lines.append(say("ticks.more_reasons", n=len(order) - MOST_REASONS))
    return Bullets(tuple(lines)) if lines else None


def _line(outcome: Outcome, reason: str, samples: list[str]) -> str:
    what = named("outcome", outcome.value)
    return say("ticks.reason", outcome=what, samples=_some(samples), why=reason)
