"""Samples by members found anywhere: every verdict of a run of many samples on one page.

A cell is marked by shape and letter, never by colour alone, and links to its finding. In a sample
that is not reportable a finding is in brackets, and an absence is no statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from porewatch.domain.calls.findings import (
    Call,
    Finding,
    Outcome,
)
from porewatch.domain.calls.standing import FOUND, Standing, standing
from porewatch.domain.results.report import Report
from porewatch.domain.runs import Sample, SampleRole
from porewatch_worker.report.pages.first_sentence import by_weight
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import (
    Block,
    Cell,
    Column,
    Prose,
    Table,
)
from porewatch_worker.report.parts.i18n import (
    named,
    say,
)
from porewatch_worker.report.parts.tones import (
    CALL_TONE,
    OUTCOME_TONE,
    role_name,
)
from porewatch_worker.science.call.remarks import shown_code

FROM = 4
"""Samples and controls from which on a run gets a matrix."""
MOST_ROWS, MOST_MEMBERS, SIDE_BY_SIDE = 30, 20, 8


def anchor(kind: str, *names: str) -> str:
    """An id that HTML and PDF can link to."""
    return "-".join((kind, *(re.sub(r"[^A-Za-z0-9_]", "_", name) for name in names)))


def finding_anchor(report: Report, f: Finding) -> str:
    """Of a finding's row: samples by number, since names may differ by a sign that ids lack."""
    number = next(i for i, s in enumerate(report.samples) if s.name == f.sample)
    return anchor("row", str(number), f.code)


def matrix(report: Report, found: Sequence[Finding]) -> list[Block]:
    """The tables, a legend, and what they leave out. `found`: findings of single members."""
    members = list(dict.fromkeys(f.code for f in by_weight(found)))
    shown = members[: max(MOST_MEMBERS, _detected(found))]
    rows = _rows(report, {f.sample for f in found})
    parts = [shown[i : i + SIDE_BY_SIDE] for i in range(0, len(shown), SIDE_BY_SIDE)]
    blocks: list[Block] = [_table(report, rows, part) for part in parts]
    blocks.append(Prose(say("matrix.legend")))
    if len(members) > len(shown):
        blocks.append(Prose(say("matrix.members_left", n=len(members) - len(shown))))
    if left := [s for s in report.samples if s not in rows]:
        blocks.append(Prose(say("matrix.samples_left", samples=numbers.many(len(left), "sample"))))
    return blocks


def _detected(found: Sequence[Finding]) -> int:
    """Members that are detected somewhere: none of them is left out."""
    return len({f.code for f in found if f.call is Call.DETECTED})


def _rows(report: Report, there: set[str]) -> list[Sample]:
    """Samples before controls; in a large run only those with a finding or a failure."""
    ordered = sorted(report.samples, key=lambda s: s.role is not SampleRole.SAMPLE)
    if len(ordered) <= MOST_ROWS:
        return ordered
    bad = {o.sample for o in report.outcomes if o.outcome is Outcome.NOT_REPORTABLE}
    return [s for s in ordered if s.name in there | bad]


def _table(report: Report, rows: Sequence[Sample], codes: Sequence[str]) -> Table:
    calls = {(f.sample, f.code): f for f in report.findings}
    names = {f.code: f.name for f in report.findings if f.code in codes}
    heads = (Column(shown_code(code, names[code]), width=1.0) for code in codes)
    return Table(
        caption=say("matrix.caption"),
        columns=(
            Column(say("head.sample"), width=1.7),
            Column(say("head.outcome"), width=2.1),
            *heads,
        ),
        rows=tuple(tuple(_row(report, sample, codes, calls)) for sample in rows),
        grid=True,
    )


def _row(
    report: Report, sample: Sample, codes: Sequence[str], calls: dict[tuple[str, str], Finding]
) -> Iterator[Cell]:
    outcome = report.outcome_of(sample.name)
    yield Cell(
        sample.name,
        note="" if sample.role is SampleRole.SAMPLE else role_name(sample.role),
        link=anchor("sample", str(report.samples.index(sample))),
    )
    yield Cell(named("outcome", outcome.value), tone=OUTCOME_TONE[outcome])
    for code in codes:
        yield _cell(report, sample, calls.get((sample.name, code)), outcome)


def _cell(report: Report, sample: Sample, f: Finding | None, outcome: Outcome) -> Cell:
    place = anchor("sample", str(report.samples.index(sample)))
    if f is None:
        return Cell(numbers.NOTHING, link=place)
    void = outcome is Outcome.NOT_REPORTABLE
    call = named("call", f.call.value)
    label = say("matrix.cell", code=shown_code(f.code, f.name), sample=f.sample, call=call)
    stands = standing(f.call, outcome)
    if stands in FOUND:
        mark = say(f"matrix.{f.call.value}")
        text = say("matrix.in_brackets", mark=mark) if void else mark
        tone = CALL_TONE[f.call]
        return Cell(text, tone=tone, link=finding_anchor(report, f), label=label, hatched=void)
    if stands is Standing.NOT_REPORTABLE:
        label = say("matrix.cell", code=shown_code(f.code, f.name), sample=f.sample,
                    call=named("outcome", outcome.value))  # fmt: skip
        return Cell(say("matrix.not_reportable"), link=place, label=label, hatched=True)
    listed = f.code in {entry.code for entry in report.panel}
    link = anchor("list", f.code) if listed else place
    return Cell(say(f"matrix.{f.call.value}"), link=link, label=label)
