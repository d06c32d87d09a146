"""What could have been seen in this run, with its limits, and what could not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from porewatch.domain.calls.findings import Call, Finding, Outcome
from porewatch.domain.calls.panel import PanelEntry, umbrellas
from porewatch.domain.results.report import Report
from porewatch_worker.report.pages.first_sentence import SEVERITIES, blindness, screened_members
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Prose,
    Section,
    Table,
)
from porewatch_worker.report.parts.i18n import member, named, say, sentences
from porewatch_worker.report.parts.i18n import unit as unit_name
from porewatch_worker.report.parts.tones import SEVERITY_TONE

SHARED_BY = 3


def could_be_seen(report: Report) -> Section:
    """LOD95 of what valid samples were screened for without a find: the value of a `no`."""
    return Section(
        "seen",
        say("seen.title"),
        (
            Table(
                caption=say("seen.caption"),
                columns=(
                    Column(say("head.severity"), width=0.9),
                    Column(say("head.screened"), number=True, width=0.9),
                    Column(say("head.not_detected"), number=True, width=1.1),
                    Column(say("head.median_lod"), number=True, width=1.8),
                    Column(say("head.best"), number=True, width=1.7),
                    Column(say("head.worst"), number=True, width=1.7),
                ),
                rows=tuple(_lod_rows(report)),
                empty=say("seen.none"),
            ),
        ),
    )


def _lod_rows(report: Report) -> Iterable[tuple[Cell, ...]]:
    """A row for each severity and unit; groups are left out, their members are counted."""
    valid = {o.sample for o in report.outcomes if o.outcome is not Outcome.NOT_REPORTABLE}
    subjects = report.subjects & valid
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
                Cell(named("severity", severity.value), tone=SEVERITY_TONE[severity.value]),
                Cell(numbers.count(len({f.code for f in mine}))),
                Cell(numbers.count(len(values))),
                *(_lod_cells(values, unit) if unit else _no_lod(values)),
            )


def _no_lod(values: Sequence[tuple[float, Finding]]) -> tuple[Cell, ...]:
    blank = Cell(numbers.NOTHING)
    return (Cell(say("number.none")) if values else blank, blank, blank)


def _lod_cells(values: Sequence[tuple[float, Finding]], unit: str) -> tuple[Cell, ...]:
    ordered = sorted(values, key=lambda pair: (pair[0], pair[1].code, pair[1].sample))
    ends = (
        Cell(numbers.figure(value), note=say("seen.which", code=f.code, sample=f.sample))
        for value, f in (ordered[0], ordered[-1])
    )
    middle = numbers.figure(median(value for value, _ in ordered))
    return (Cell(f"{middle}{numbers.GAP}{unit_name(unit)}"), *ends)


def could_not_be_seen(report: Report, *, listed: bool = True) -> Section:
    """Every row without a result in this run, or with a partial one, and why. `listed`: the whole
    panel is in the same document, with names and reasons."""
    unseen: dict[str, list[PanelEntry]] = defaultdict(list)
    groups, screened = umbrellas(report.panel), screened_members(report.findings, report.panel)
    why = {f.code: f for f in report.findings}
    for entry in report.panel:
        if entry.code in groups:
            unseen["unseen.group"].append(entry)
        elif entry.code not in screened:
            unseen[f"unseen.{blindness(entry, why.get(entry.code))}"].append(entry)
        elif entry.status == "partly":
            unseen["unseen.partly"].append(entry)
    lines = [
        say(
            "unseen.line",
            what=say(key),
            rows=numbers.plural(len(entries), "row"),
            names=_names(entries, listed=listed),
        )
        for key, entries in unseen.items()
    ]
    lines += _common_remarks(report)
    block: Block = Bullets(tuple(lines)) if lines else Prose(say("unseen.none"))
    return Section("unseen", say("unseen.title"), (block,))


def _common_remarks(report: Report) -> list[str]:
    """Remarks that many absent members share, such as RNA genomes in a DNA sample, once each."""
    by_remark: dict[str, set[str]] = defaultdict(set)
    for f in report.findings:
        if f.call is Call.NOT_DETECTED and f.remarks:
            by_remark[sentences(f.remarks)].add(f.code)
    return [
        say("unseen.shared", members=numbers.plural(len(codes), "member"), remark=remark)
        for remark, codes in sorted(by_remark.items())
        if len(codes) >= SHARED_BY
    ]


def _names(entries: Sequence[PanelEntry], *, listed: bool) -> str:
    if len(entries) <= 6:
        return say("name.joint").join(
            say("unseen.name", code=e.code, name=member(e.code, e.name)) for e in entries
        )
    if not listed:
        return say("name.joint").join(e.code for e in entries)
    codes = say("name.joint").join(e.code for e in entries[:24])
    if len(entries) > 24:
        codes = say("list.and_more", shown=codes, more=len(entries) - 24)
    return say("unseen.codes", codes=codes)
