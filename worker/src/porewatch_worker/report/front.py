"""What was found, and whether controls allow a statement; words and tones that all pages share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from porewatch.domain.findings import Call, Evidence, Finding, Outcome, Quantity, SampleOutcome
from porewatch.domain.panel import umbrellas
from porewatch.domain.report import Report
from porewatch.domain.runs import SampleRole
from porewatch_worker.report import colour, numbers
from porewatch_worker.report.decision import (
    by_severity,
)
from porewatch_worker.report.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Prose,
    Section,
    Table,
    Tone,
)
from porewatch_worker.report.speech import member, named, retold, say
from porewatch_worker.science.remarks import shown_code

ON_FIRST_PAGE = 8
SEVERITY_TONE: dict[str, Tone] = {
    "critical": "bad",
    "high": "bad",
    "medium": "warn",
    "low": "plain",
}
CALL_TONE: dict[Call, Tone] = {
    Call.DETECTED: "bad",
    Call.INDETERMINATE: "warn",
    Call.ENDOGENOUS: "plain",
    Call.NOT_DETECTED: "good",
    Call.NOT_SCREENED: "plain",
}
OUTCOME_TONE: dict[Outcome, Tone] = {
    Outcome.REPORTABLE: "good",
    Outcome.REPORTABLE_WITH_REMARKS: "warn",
    Outcome.NOT_REPORTABLE: "bad",
}


def finding_columns() -> tuple[Column, ...]:
    return (
        Column(say("head.sample"), width=1.25),
        Column(say("head.member"), width=2.05),
        Column(say("head.severity"), width=0.9),
        Column(say("head.call"), width=1.2),
        Column(say("head.reads"), number=True, width=0.9),
        Column(say("head.breadth"), number=True, width=1.15),
        Column(say("head.depth"), number=True, width=1.0),
        Column(say("head.identity"), number=True, width=0.9),
        Column(say("head.load"), number=True, width=1.9),
    )


def role_name(role: SampleRole) -> str:
    return named("role", role.value)


def positive(report: Report) -> list[Finding]:
    """Detected and indeterminate findings: samples before controls, most severe first."""
    subjects, groups = report.subjects, umbrellas(report.panel)
    some = [
        f
        for f in report.findings
        if f.call in (Call.DETECTED, Call.INDETERMINATE) and f.code not in groups
    ]
    return sorted(by_severity(some), key=lambda f: f.sample not in subjects)


def found(report: Report) -> Section:
    rows = positive(report)
    table = findings_table(report, rows[:ON_FIRST_PAGE], say("found.caption"))
    blocks: list[Block] = [table]
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    for f in rows[:ON_FIRST_PAGE]:
        if f.remark:
            said[shown_code(f.code, f.name), f.remark].append(f.sample)
    if said:
        items = (
            say("found.remark", code=code, samples=say("name.joint").join(where), what=retold(what))
            for (code, what), where in said.items()
        )
        blocks.append(Bullets(tuple(items)))
    if len(rows) > ON_FIRST_PAGE:
        blocks.append(Prose(say("found.more", shown=ON_FIRST_PAGE, all=numbers.count(len(rows)))))
    return Section("found", say("found.title"), tuple(blocks))


def findings_table(report: Report, rows: Sequence[Finding], caption: str) -> Table:
    roles = {sample.name: sample.role for sample in report.samples}
    unreportable = {o.sample for o in report.outcomes if o.outcome is Outcome.NOT_REPORTABLE}
    return Table(
        caption=caption,
        columns=finding_columns(),
        rows=tuple(_finding_row(f, roles[f.sample], f.sample in unreportable) for f in rows),
        empty=say("found.none")
        if any(f.call is not Call.NOT_SCREENED for f in report.findings)
        else say("found.not_screened"),
    )


def _finding_row(f: Finding, role: SampleRole, unreportable: bool) -> tuple[Cell, ...]:
    e = f.evidence
    notes = [] if role is SampleRole.SAMPLE else [role_name(role)]
    notes += [say("outcome.not_reportable")] if unreportable else []
    blank = Cell(numbers.NOTHING)
    return (
        Cell(f.sample, note=say("name.joint").join(notes)),
        Cell(shown_code(f.code, f.name), note=member(f.code, f.name), swatch=colour.taxon(f.code)),
        Cell(named("severity", f.severity.value), tone=SEVERITY_TONE[f.severity.value]),
        Cell(named("call", f.call.value), tone=CALL_TONE[f.call]),
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
    first = next((q for q in quantities if q.unit.startswith("copies/mL")), quantities[0])
    return Cell(numbers.quantity(first), note=numbers.interval(first) or retold(first.remark))


def controls(report: Report) -> Section:
    rows = sorted(
        (_outcome_row(report, outcome) for outcome in report.outcomes),
        key=lambda pair: pair[0],
    )
    table = Table(
        caption=say("controls.caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.role"), width=1.4),
            Column(say("head.outcome"), width=1.6),
            Column(recovery_head(report), width=2.3),
            Column(say("head.reasons"), width=2.6),
        ),
        rows=tuple(row for _, row in rows[:ON_FIRST_PAGE]),
        empty=say("controls.none"),
    )
    blocks: list[Block] = [table]
    if len(rows) > ON_FIRST_PAGE:
        blocks.append(Prose(say("controls.more", n=numbers.count(len(rows) - ON_FIRST_PAGE))))
    return Section("controls", say("controls.title"), tuple(blocks))


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
    return say("list.joint").join(retold(reason) for reason in outcome.reasons)


def recovery_head(report: Report) -> str:
    """The column's head, with the unit when all recoveries share it."""
    units = {q.unit for q in report.spike_recovery.values()}
    unit = retold(units.pop()) if len(units) == 1 else ""
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
    return Cell(shown + inside, note=retold(recovery.remark))
