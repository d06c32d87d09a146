"""What could have been seen in this run, with its limits, and what could not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from porewatch.domain.findings import Call, Finding, Outcome
from porewatch.domain.panel import PanelEntry
from porewatch.domain.report import Report
from porewatch.domain.runs import SampleRole
from porewatch_worker.report import numbers
from porewatch_worker.report.decision import (
    SEVERITIES,
    blindness,
    screened_members,
    umbrellas,
)
from porewatch_worker.report.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Prose,
    Section,
    Table,
)
from porewatch_worker.report.front import SEVERITY_TONE

SHARED_BY = 3


def could_be_seen(report: Report) -> Section:
    """LOD95 of what valid samples were screened for without a find: the value of a `no`."""
    return Section(
        "seen",
        "What could have been seen",
        (
            Table(
                caption="Limit of detection (LOD95) in this run of what was not detected in "
                "valid samples; a member counts once for each sample",
                columns=(
                    Column("Severity", width=0.9),
                    Column("Screened", number=True, width=0.9),
                    Column("Not detected", number=True, width=1.1),
                    Column("Median LOD95", number=True, width=1.8),
                    Column("Best", number=True, width=1.7),
                    Column("Worst", number=True, width=1.7),
                ),
                rows=tuple(_lod_rows(report)),
                empty="No valid sample was screened: no limit of detection can be stated.",
            ),
        ),
    )


def _lod_rows(report: Report) -> Iterable[tuple[Cell, ...]]:
    """A row for each severity and unit; groups are left out, their members are counted."""
    valid = {o.sample for o in report.outcomes if o.outcome is not Outcome.INVALID}
    subjects = {s.name for s in report.samples if s.role is SampleRole.SAMPLE} & valid
    groups = umbrellas(report.panel)
    for severity in SEVERITIES:
        mine = [
            f
            for f in report.findings
            if f.severity is severity
            and f.sample in subjects
            and f.call is not Call.NOT_SCREENED
            and f.code not in groups
        ]
        by_unit: dict[str, list[tuple[float, Finding]]] = defaultdict(list)
        for f in mine:
            if f.call is Call.NOT_DETECTED:
                lod = f.lod95.value if f.lod95 else None
                unit = f.lod95.unit if f.lod95 and lod is not None else ""
                by_unit[unit].append((lod or 0.0, f))
        if mine and not by_unit:
            by_unit[""] = []
        for unit, values in sorted(by_unit.items()):
            yield (
                Cell(severity.value, tone=SEVERITY_TONE[severity.value]),
                Cell(numbers.count(len({f.code for f in mine}))),
                Cell(numbers.count(len(values))),
                *(_lod_cells(values, unit) if unit else _no_lod(values)),
            )


def _no_lod(values: Sequence[tuple[float, Finding]]) -> tuple[Cell, ...]:
    blank = Cell(numbers.NOTHING)
    return (Cell("not computable") if values else blank, blank, blank)


def _lod_cells(values: Sequence[tuple[float, Finding]], unit: str) -> tuple[Cell, ...]:
    ordered = sorted(values, key=lambda pair: (pair[0], pair[1].code, pair[1].sample))
    ends = (
        Cell(numbers.figure(value), note=f"{f.code} in {f.sample}")
        for value, f in (ordered[0], ordered[-1])
    )
    middle = numbers.figure(median(value for value, _ in ordered))
    return (Cell(f"{middle}{numbers.GAP}{unit}"), *ends)


def could_not_be_seen(report: Report) -> Section:
    """Every row that no result of this run speaks about, or speaks about with care, and why."""
    groups: dict[str, list[PanelEntry]] = defaultdict(list)
    screened = screened_members(report.findings, report.panel)
    rules = {f.code: f.rule for f in report.findings}
    for entry in report.panel:
        if entry.code in umbrellas(report.panel):
            groups["Names of groups, judged by their members"].append(entry)
        elif entry.code not in screened:
            why = blindness(entry, rules[entry.code])
            groups[f"{why[:1].upper()}{why[1:]}"].append(entry)
        elif entry.status == "partly":
            groups["Seen in part only"].append(entry)
    said = [
        f"{heading} ({numbers.plural(len(entries), 'row')}): {_names(entries)}."
        for heading, entries in groups.items()
    ]
    said += _common_remarks(report)
    block: Block = Bullets(tuple(said)) if said else Prose("Every row of the list was screened.")
    return Section("unseen", "What could not be seen", (block,))


def _common_remarks(report: Report) -> list[str]:
    """Remarks that many absent members share, such as RNA genomes in a DNA sample, told once."""
    by_remark: dict[str, set[str]] = defaultdict(set)
    for f in report.findings:
        if f.call is Call.NOT_DETECTED and f.remark:
            by_remark[f.remark].add(f.code)
    return [
        f"{numbers.plural(len(codes), 'member')}: {remark}"
        for remark, codes in sorted(by_remark.items())
        if len(codes) >= SHARED_BY
    ]


def _names(entries: Sequence[PanelEntry]) -> str:
    if len(entries) <= 6:
        return ", ".join(f"{e.code} ({e.name})" for e in entries)
    codes = ", ".join(e.code for e in entries[:24])
    more = f" and {len(entries) - 24} more" if len(entries) > 24 else ""
    return f"{codes}{more}; names and reasons under The list"
