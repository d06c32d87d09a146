"""The list, row by row, with what this run can say about each: computed, never ticked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from porewatch.domain.calls.findings import Call, Finding
from porewatch.domain.calls.panel import PanelEntry
from porewatch.domain.results.report import Report
from porewatch_worker.report.pages.matrix import anchor
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Block, Cell, Column, Section, Table
from porewatch_worker.report.parts.i18n import clauses, member, named, noted, say, sentences
from porewatch_worker.report.parts.i18n import unit as unit_name
from porewatch_worker.report.parts.tones import CALL_TONE, SEVERITY_TONE


def the_list(report: Report) -> Section:
    """Every row of the panel with its result in this run: computed, never ticked. Rows that were
    not screened are many in most runs: they are folded on a screen, and short on paper."""
    by_code: dict[str, list[Finding]] = defaultdict(list)
    for f in report.findings:
        by_code[f.code].append(f)
    blind = [e for e in report.panel if _result(by_code[e.code]) is Call.NOT_SCREENED]
    units = {f.lod95.unit for f in report.findings if f.lod95 and f.lod95.value is not None}
    unit = units.pop() if len(units) == 1 else ""
    table = Table(
        caption=say(
            "list.caption_in" if unit else "list.caption",
            name=noted(report.provenance.panel),
            version=report.provenance.panel_version,
            rows=numbers.plural(len(report.panel), "row"),
            samples=numbers.plural(len(report.samples), "sample_or_control"),
            unit=unit_name(unit),
        ),
        columns=(
            Column(say("head.code"), width=1.33),
            Column(say("head.name"), width=2.9),
            Column(say("head.kind"), width=0.9),
            Column(say("head.severity"), width=0.85),
            Column(say("head.result"), width=1.5),
            Column(say("head.where"), width=3.4),
            Column(say("head.lod"), number=True, width=1.0),
        ),
        rows=tuple(
            _list_row(entry, by_code[entry.code], unit)
            for entry in report.panel
            if _result(by_code[entry.code]) is not Call.NOT_SCREENED
        ),
        empty=say("list.none_screened"),
    )
    folded = (_not_screened(blind, by_code),) if blind else ()
    return Section("list", say("list.title"), (table, *_extras(report)), folded)


def _result(mine: Sequence[Finding]) -> Call:
    """The first call, in the order of `Call`, that any sample has; not screened without one."""
    calls = {f.call for f in mine}
    return next((call for call in Call if call in calls), Call.NOT_SCREENED)


def _not_screened(entries: Sequence[PanelEntry], by_code: dict[str, list[Finding]]) -> Section:
    table = Table(
        caption=say("list.unscreened_caption"),
        columns=(
            Column(say("head.code"), width=1.2),
            Column(say("head.name"), width=3.4),
            Column(say("head.kind"), width=1.0),
            Column(say("head.severity"), width=0.9),
            Column(say("head.reasons"), width=4.0),
        ),
        rows=tuple(
            (
                Cell(entry.code, anchor=anchor("list", entry.code)),
                _name(entry),
                Cell(named("category", entry.category)),
                Cell(
                    named("severity", entry.severity.value),
                    tone=SEVERITY_TONE[entry.severity.value],
                ),
                Cell(_why(entry, by_code[entry.code]) or say("list.no_result")),
            )
            for entry in entries
        ),
    )
    title = say("list.unscreened", rows=numbers.plural(len(entries), "row"))
    return Section("list-unscreened", title, (table,), folded=True)


def _extras(report: Report) -> tuple[Block, ...]:
    """Targets that the bundle holds and the list does not name."""
    listed = {entry.code for entry in report.panel}
    by_code: dict[str, list[Finding]] = defaultdict(list)
    for f in report.findings:
        if f.code not in listed:
            by_code[f.code].append(f)
    if not by_code:
        return ()
    rows = []
    for code, mine in by_code.items():
        by_call = {call: [f for f in mine if f.call is call] for call in Call}
        result = _result(mine)
        rows.append(
            (
                Cell(code),
                Cell(member(code, mine[0].name)),
                Cell(named("call", result.value), tone=CALL_TONE[result]),
                Cell(_calls_by_sample(by_call)),
                _lods(by_call[Call.NOT_DETECTED], ""),
            )
        )
    return (
        Table(
            caption=say("list.extras"),
            columns=(
                Column(say("head.code"), width=1.6),
                Column(say("head.name"), width=2.4),
                Column(say("head.result"), width=1.3),
                Column(say("head.where"), width=3.2),
                Column(say("head.lod"), number=True, width=1.8),
            ),
            rows=tuple(rows),
        ),
    )


def _list_row(entry: PanelEntry, mine: Sequence[Finding], unit: str) -> tuple[Cell, ...]:
    by_call = {call: [f for f in mine if f.call is call] for call in Call}
    result = _result(mine)
    return (
        Cell(entry.code, anchor=anchor("list", entry.code)),
        _name(entry),
        Cell(named("category", entry.category)),
        Cell(named("severity", entry.severity.value), tone=SEVERITY_TONE[entry.severity.value]),
        Cell(named("call", result.value), tone=CALL_TONE[result]),
        Cell(_calls_by_sample(by_call), note=_why(entry, mine)),
        _lods(by_call[Call.NOT_DETECTED], unit),
    )


def _name(entry: PanelEntry) -> Cell:
    special = say("list.special") if entry.special_management else ""
    return Cell(member(entry.code, entry.name), note=special)


def _why(entry: PanelEntry, mine: Sequence[Finding]) -> str:
    """What restricts the answer: as the list has it, else as the findings have it."""
    quiet = [f for f in mine if f.call in (Call.NOT_SCREENED, Call.NOT_DETECTED)]
    remarks = list(dict.fromkeys(sentences(f.remarks) for f in quiet if f.remarks))
    rules = list(dict.fromkeys(clauses(f.why) for f in quiet if f.call is Call.NOT_SCREENED))
    return noted(entry.status_reason) or say("list.joint").join(remarks[:2] or rules[:2])


def _calls_by_sample(by_call: dict[Call, list[Finding]]) -> str:
    """`detected in a, b; not detected in 3`: names where it matters, numbers elsewhere."""
    parts = []
    for call in (Call.DETECTED, Call.INDETERMINATE):
        names = [f.sample for f in by_call[call]]
        if names:
            shown = say("name.joint").join(names[:4])
            if len(names) > 4:
                shown = say("list.and_more", shown=shown, more=len(names) - 4)
            parts.append(say("list.call_in", call=named("call", call.value), where=shown))
    for call in (Call.ENDOGENOUS, Call.NOT_DETECTED, Call.NOT_SCREENED):
        if by_call[call]:
            many = numbers.count(len(by_call[call]))
            parts.append(say("list.call_count", call=named("call", call.value), n=many))
    return say("list.joint").join(parts)


def _lods(absent: Sequence[Finding], common: str) -> Cell:
    values = [f.lod95 for f in absent if f.lod95 is not None and f.lod95.value is not None]
    if not values:
        return Cell(say("number.none") if absent else numbers.NOTHING)
    unit = values[0].unit
    ordered = sorted(q.value for q in values if q.value is not None and q.unit == unit)
    low, high = numbers.figure(ordered[0]), numbers.figure(ordered[-1])
    spread = low if low == high else say("number.range", low=low, high=high)
    return Cell(spread, note="" if common else unit_name(unit))
