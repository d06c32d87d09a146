"""What was found, and whether controls allow a statement; texts and tones that all pages share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from porewatch.domain.calls.evidence import Evidence
from porewatch.domain.calls.findings import Call, Finding, Outcome, Quantity, SampleOutcome
from porewatch.domain.calls.panel import umbrellas
from porewatch.domain.results.report import Report
from porewatch.domain.runs import SampleRole
from porewatch_worker.report.pages.first_sentence import by_weight
from porewatch_worker.report.pages.matrix import FROM, finding_anchor, matrix
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.control_ticks import control_ticks, reasons
from porewatch_worker.report.parts.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Prose,
    Section,
    Table,
)
from porewatch_worker.report.parts.i18n import clauses, member, named, say, sentences, texts_of
from porewatch_worker.report.parts.i18n import unit as unit_name
from porewatch_worker.report.parts.tones import CALL_TONE, OUTCOME_TONE, SEVERITY_TONE, role_name
from porewatch_worker.science.call.remarks import shown_code

PER_ML = "copies/mL"
ON_FIRST_PAGE = 8


def finding_columns() -> tuple[Column, ...]:
    return (
        Column(say("head.sample"), width=1.25),
        Column(say("head.member"), width=2.05),
        Column(say("head.call"), width=1.2),
        Column(say("head.severity"), width=0.9),
        Column(say("head.reads"), number=True, width=0.9),
        Column(say("head.breadth"), number=True, width=1.15),
        Column(say("head.depth"), number=True, width=1.0),
        Column(say("head.identity"), number=True, width=0.9),
        Column(say("head.load"), number=True, width=1.9),
    )


def positive(report: Report) -> list[Finding]:
    """What was found: samples before controls, detected first, then by severity."""
    subjects, groups = report.subjects, umbrellas(report.panel)
    some = [
        f
        for f in report.findings
        if f.call in (Call.DETECTED, Call.INDETERMINATE) and f.code not in groups
    ]
    return sorted(by_weight(some), key=lambda f: f.sample not in subjects)


def found(report: Report) -> Section:
    """What was found. From some samples on a matrix, where no detection is left out."""
    rows = positive(report)
    if len(report.samples) >= FROM and rows:
        return Section("found", say("found.title"), tuple(matrix(report, rows)))
    return found_in_few(report)


def found_in_few(report: Report) -> Section:
    """What was found as a table, finding by finding."""
    rows = positive(report)
    shown = rows[: max(ON_FIRST_PAGE, sum(f.call is Call.DETECTED for f in rows))]
    blocks: list[Block] = [findings_table(report, shown, say("found.caption"))]
    remarks: dict[tuple[str, str], list[str]] = defaultdict(list)
    for f in shown:
        if f.remarks:
            remarks[shown_code(f.code, f.name), sentences(f.remarks)].append(f.sample)
    if remarks:
        items = (
            say("found.remark", code=code, samples=say("name.joint").join(where), what=what)
            for (code, what), where in remarks.items()
        )
        blocks.append(Bullets(tuple(items)))
    if len(rows) > len(shown):
        blocks.append(Prose(say("found.more", shown=len(shown), all=numbers.count(len(rows)))))
    return Section("found", say("found.title"), tuple(blocks))


def findings_table(
    report: Report, rows: Sequence[Finding], caption: str, *, anchored: bool = False
) -> Table:
    """Findings as rows. `anchored`: they are what links to findings lead to (once a page)."""
    return Table(
        caption=caption,
        columns=finding_columns(),
        rows=tuple(_finding_row(report, f, anchored=anchored) for f in rows),
        empty=say("found.none")
        if any(f.call is not Call.NOT_SCREENED for f in report.findings)
        else say("found.not_screened"),
    )


def _finding_row(report: Report, f: Finding, *, anchored: bool) -> tuple[Cell, ...]:
    e = f.evidence
    role = next((s.role for s in report.samples if s.name == f.sample), SampleRole.SAMPLE)
    notes = [] if role is SampleRole.SAMPLE else [role_name(role)]
    if report.outcome_of(f.sample) is Outcome.NOT_REPORTABLE:
        notes.append(say("outcome.not_reportable"))
    blank = Cell(numbers.NOTHING)
    return (
        Cell(
            f.sample,
            note=say("name.joint").join(notes),
            anchor=finding_anchor(report, f) if anchored else "",
        ),
        Cell(shown_code(f.code, f.name), note=member(f.code, f.name)),
        Cell(named("call", f.call.value), tone=CALL_TONE[f.call]),
        Cell(named("severity", f.severity.value), tone=SEVERITY_TONE[f.severity.value]),
        _reads(e) if e else blank,
        Cell(
            numbers.share(e.breadth, 1),
            note=say("found.of", all=numbers.share(e.expected_breadth, 1)),
        )
        if e
        else blank,
        Cell(f"{numbers.figure(e.mean_depth)}{numbers.GAP}×") if e else blank,
        Cell(numbers.share(e.identity, 1)) if e else blank,
        _load(f.quantities),
    )


def _reads(e: Evidence) -> Cell:
    """Reads and starts; where the host explains all of them, how many those are."""
    if not e.reads and e.host_better:
        return Cell("0", note=say("found.in_host", n=numbers.count(e.host_better)))
    return Cell(numbers.count(e.reads), note=numbers.plural(e.distinct_starts, "start_short"))


def _load(quantities: Sequence[Quantity]) -> Cell:
    if not quantities:
        return Cell(numbers.NOTHING)
    first = next((q for q in quantities if q.unit == PER_ML), quantities[0])
    return Cell(numbers.quantity(first), note=numbers.interval(first) or clauses(first.remarks))


def controls(report: Report) -> Section:
    """Controls as ticks; then why samples are not plainly reportable, or all outcomes of a few."""
    blocks: list[Block] = [control_ticks(report)]
    if len(report.samples) >= FROM:
        blocks += [why] if (why := reasons(report)) else []
        return Section("controls", say("controls.title"), tuple(blocks))
    return Section("controls", say("controls.title"), (*blocks, outcomes_table(report)))


def outcomes_table(report: Report) -> Table:
    """All outcomes, controls first, worst first."""
    rows = sorted(
        (_outcome_row(report, outcome) for outcome in report.outcomes),
        key=lambda pair: pair[0],
    )
    return Table(
        caption=say("controls.caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.role"), width=1.4),
            Column(say("head.outcome"), width=1.6),
            Column(recovery_head(report), width=2.3),
            Column(say("head.reasons"), width=2.6),
        ),
        rows=tuple(row for _, row in rows),
        empty=say("controls.none"),
    )


def _outcome_row(
    report: Report, outcome: SampleOutcome
) -> tuple[tuple[int, int, str], tuple[Cell, ...]]:
    role = next((s.role for s in report.samples if s.name == outcome.sample), SampleRole.SAMPLE)
    order = (role is SampleRole.SAMPLE, -list(Outcome).index(outcome.outcome), outcome.sample)
    return order, (
        Cell(outcome.sample),
        Cell(role_name(role)),
        Cell(named("outcome", outcome.outcome.value), tone=OUTCOME_TONE[outcome.outcome]),
        recovery_cell(report, outcome.sample),
        Cell(reasons_of(outcome) or numbers.NOTHING),
    )


def reasons_of(outcome: SampleOutcome) -> str:
    return say("list.joint").join(texts_of(outcome.why))


def recovery_head(report: Report) -> str:
    """The column's head, with the unit when all recoveries share it."""
    units = {q.unit for q in report.spike_recovery.values()}
    unit = unit_name(units.pop()) if len(units) == 1 else ""
    return say("head.recovery_in", unit=unit) if unit else say("head.recovery_interval")


def recovery_cell(report: Report, sample: str) -> Cell:
    recovery = report.spike_recovery.get(sample)
    if recovery is None:
        return Cell(numbers.NOTHING)
    alone = len({q.unit for q in report.spike_recovery.values()}) == 1
    shown = numbers.quantity(recovery)
    if alone and recovery.value is not None:
        shown = numbers.figure(recovery.value)
    spread = numbers.interval(recovery)
    inside = f" ({spread.replace(' ', numbers.GAP)})" if spread else ""
    return Cell(shown + inside, note=clauses(recovery.remarks))
