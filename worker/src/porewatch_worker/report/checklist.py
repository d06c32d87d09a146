"""The list, row by row, with what this run can say about each: computed, never ticked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from porewatch.domain.findings import (
    Call,
    Finding,
)
from porewatch.domain.panel import PanelEntry
from porewatch.domain.report import Report
from porewatch_worker.report import colour, numbers
from porewatch_worker.report.document import (
    Block,
    Cell,
    Column,
    Section,
    Table,
)
from porewatch_worker.report.front import (
    CALL_TONE,
    SEVERITY_TONE,
    words,
)


def the_list(report: Report) -> Section:
    """Every row of the list with what this run can say about it: computed, never ticked."""
    by_code: dict[str, list[Finding]] = defaultdict(list)
    for f in report.findings:
        by_code[f.code].append(f)
    units = {f.lod95.unit for f in report.findings if f.lod95 and f.lod95.value is not None}
    unit = units.pop() if len(units) == 1 else ""
    table = Table(
        caption=f"{report.provenance.panel}, version {report.provenance.panel_version}: "
        f"{numbers.plural(len(report.panel), 'row')}, "
        f"{numbers.plural(len(report.samples), 'sample or control', 'samples and controls')}; "
        f"LOD95 {f'in {unit} ' if unit else ''}where not detected",
        columns=(
            Column("Code", width=1.2),
            Column("Name", width=2.6),
            Column("Kind", width=0.9),
            Column("Severity", width=0.85),
            Column("Result", width=1.3),
            Column("Where", width=3.0),
            Column("LOD95", number=True, width=1.1),
        ),
        rows=tuple(_list_row(entry, by_code[entry.code], unit) for entry in report.panel),
    )
    return Section("list", "The list", (table, *_extras(report)))


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
        result = next(call for call in Call if by_call[call])
        rows.append(
            (
                Cell(code, swatch=colour.taxon(code)),
                Cell(mine[0].name),
                Cell(words(result.value), tone=CALL_TONE[result]),
                Cell(_calls_by_sample(by_call)),
                _lods(by_call[Call.NOT_DETECTED], ""),
            )
        )
    return (
        Table(
            caption="Screened because the bundle holds it, although the list does not name it",
            columns=(
                Column("Code", width=1.6),
                Column("Name", width=2.4),
                Column("Result", width=1.3),
                Column("Where", width=3.2),
                Column("LOD95", number=True, width=1.8),
            ),
            rows=tuple(rows),
        ),
    )


def _list_row(entry: PanelEntry, mine: Sequence[Finding], unit: str) -> tuple[Cell, ...]:
    by_call = {call: [f for f in mine if f.call is call] for call in Call}
    result = next((call for call in Call if by_call[call]), Call.NOT_SCREENED)
    return (
        Cell(entry.code, swatch=colour.taxon(entry.code)),
        Cell(entry.name, note="special management" if entry.special_management else ""),
        Cell(entry.category),
        Cell(entry.severity.value, tone=SEVERITY_TONE[entry.severity.value]),
        Cell(words(result.value), tone=CALL_TONE[result]),
        _where(entry, by_call),
        _lods(by_call[Call.NOT_DETECTED], unit),
    )


def _where(entry: PanelEntry, by_call: dict[Call, list[Finding]]) -> Cell:
    quiet = (*by_call[Call.NOT_SCREENED], *by_call[Call.NOT_DETECTED])
    remarks = list(dict.fromkeys(f.remark for f in quiet if f.remark))
    rules = list(dict.fromkeys(f.rule for f in by_call[Call.NOT_SCREENED]))
    why = entry.status_reason or "; ".join(remarks[:2] or rules[:2])
    return Cell(_calls_by_sample(by_call) or "no result", note=why)


def _calls_by_sample(by_call: dict[Call, list[Finding]]) -> str:
    """`detected in a, b; not detected in 3`: names where it matters, numbers elsewhere."""
    parts = []
    for call in (Call.DETECTED, Call.INDETERMINATE):
        names = [f.sample for f in by_call[call]]
        if names:
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            parts.append(f"{words(call.value)} in {', '.join(names[:4])}{more}")
    for call in (Call.NOT_DETECTED, Call.NOT_SCREENED):
        if by_call[call]:
            parts.append(f"{words(call.value)} in {numbers.count(len(by_call[call]))}")
    return "; ".join(parts)


def _lods(absent: Sequence[Finding], common: str) -> Cell:
    values = [f.lod95 for f in absent if f.lod95 is not None and f.lod95.value is not None]
    if not values:
        return Cell("not computable" if absent else numbers.NOTHING)
    unit = values[0].unit
    ordered = sorted(q.value for q in values if q.value is not None and q.unit == unit)
    low, high = numbers.figure(ordered[0]), numbers.figure(ordered[-1])
    return Cell(low if low == high else f"{low} to {high}", note="" if common else unit)
