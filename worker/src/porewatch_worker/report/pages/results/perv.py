"""The PERV page: alarms, copies, types by env, host flanks, junctions, reading frames.

It is there only when the bundle has PERV.
"""

from __future__ import annotations

from collections.abc import Iterable

from porewatch.domain.calls.findings import Call, JunctionSite, PervResult, PervType, Quantity
from porewatch.domain.calls.panel import PanelEntry, umbrellas
from porewatch.domain.reasons.reason import Reason
from porewatch.domain.results.report import Report
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
from porewatch_worker.report.parts.i18n import clauses, named, say, text_of
from porewatch_worker.report.parts.tones import CALL_TONE
from porewatch_worker.science.call.remarks import PERV, shown_code

MOST_SITES = 12


def perv(report: Report) -> tuple[Section, ...]:
    """One section, or none."""
    results, inherited = report.perv, _inherited(report)
    if not results:
        alone = Section("perv", say("perv.title"), (inherited,))
        return (alone,) if inherited.rows else ()
    blocks: list[Block] = [Prose(what_it_is(report.panel))]
    if any(r.synthetic for r in results):
        blocks.append(Prose(say("perv.surrogates"), tone="warn"))
    alarms = tuple(_of(r, alarm) for r in results for alarm in r.alarm_reasons)
    if alarms:
        blocks += [Prose(say("perv.alarm"), tone="bad"), Bullets(alarms)]
    else:
        blocks.append(Prose(say("perv.no_alarm"), tone="good"))
    blocks += [
        *((inherited,) if inherited.rows else ()),
        _reads(results),
        _types(results),
        _junctions(results),
        _frames(results),
        Prose(say("perv.orfs")),
    ]
    limits = tuple(dict.fromkeys(_whole(r, limit) for r in results for limit in r.limit_reasons))
    if limits:
        blocks.append(Bullets(limits))
    return (Section("perv", say("perv.title"), tuple(blocks)),)


def what_it_is(panel: Iterable[PanelEntry]) -> str:
    """Which rows the panel calls endogenous, and in which species; the others raise an alarm."""
    rows = [row for row in panel if row.code.startswith(PERV) and not row.members]
    species = dict.fromkeys(row.endogenous_in for row in rows if row.endogenous_in)
    if not species:
        return say("perv.what")
    lines = [
        say("perv.endogenous", codes=_codes(rows, of), species=say("name.joint").join(of))
        for of in species
    ]
    lines += [say("perv.alarming", codes=alarming)] if (alarming := _codes(rows, ())) else []
    return say("sentence.joint").join((*lines, say("perv.what")))


def _codes(rows: Iterable[PanelEntry], of: tuple[str, ...]) -> str:
    return say("name.joint").join(row.code for row in rows if row.endogenous_in == of)


def _inherited(report: Report) -> Table:
    """What the host's genome carries, with its copies; these rows are no findings."""
    rows = (f for f in report.findings if f.call is Call.ENDOGENOUS)
    groups = umbrellas(report.panel)
    return Table(
        caption=say("perv.inherited"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.member"), width=1.6),
            Column(say("head.call"), width=1.6),
            Column(say("head.rule"), width=3.6),
        ),
        rows=tuple(
            (
                Cell(f.sample),
                Cell(shown_code(f.code, f.name)),
                Cell(named("call", f.call.value), tone=CALL_TONE[f.call]),
                Cell(clauses(f.why)),
            )
            for f in rows
            if f.code not in groups
        ),
    )


def _whole(result: PervResult, limit: Reason) -> str:
    return say("sentence.whole", said=_of(result, limit))


def _of(result: PervResult, reason: Reason) -> str:
    return say("perv.of_sample", sample=result.sample, what=text_of(reason))


def _reads(results: tuple[PervResult, ...]) -> Table:
    return Table(
        caption=say("perv.reads"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.perv_reads"), number=True, width=1.2),
            Column(say("head.flank"), number=True, width=1.4),
            Column(say("head.no_flank"), number=True),
            Column(say("head.whole_provirus"), number=True, width=1.1),
            Column(say("head.copies_diploid"), number=True, width=2.2),
        ),
        rows=tuple(_reads_row(r) for r in results),
    )


def _reads_row(r: PervResult) -> tuple[Cell, ...]:
    c = r.counted
    elsewhere = c.with_host_flank - c.at_ends
    return (
        Cell(r.sample, note=r.material.upper()),
        Cell(numbers.count(c.reads), note=say("perv.host_alike", n=numbers.count(c.host_alike))),
        Cell(
            numbers.count(c.with_host_flank),
            note=say("perv.not_at_end", n=numbers.count(elsewhere)) if elsewhere else "",
        ),
        Cell(numbers.count(c.without_host_flank)),
        Cell(numbers.count(c.full_length)),
        _copies(r.copies),
    )


def _copies(amount: Quantity | None) -> Cell:
    if amount is None:
        return Cell(numbers.NOTHING)
    if amount.value is None:
        return Cell(numbers.interval(amount) or numbers.NOTHING, note=clauses(amount.remarks))
    spread = numbers.interval(amount)
    how = say("list.joint").join(part for part in (spread, clauses(amount.how)) if part)
    return Cell(numbers.figure(amount.value), note=how)


def _types(results: tuple[PervResult, ...]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for r in results:
        rows += [_type_row(r, t) for t in r.types]
        if r.counted.env_reads:
            undecided = (
                Cell(r.sample),
                Cell(say("perv.untyped")),
                Cell(numbers.count(r.counted.untyped)),
            )
            rows.append((*undecided, Cell(numbers.NOTHING), Cell(numbers.NOTHING)))
    return Table(
        caption=say("perv.types"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.type"), width=1.4),
            Column(say("head.env_reads"), number=True),
            Column(say("head.starts"), number=True),
            Column(say("head.copies_diploid"), number=True, width=2.2),
        ),
        rows=tuple(rows),
        empty=say("perv.no_env"),
    )


def _type_row(r: PervResult, t: PervType) -> tuple[Cell, ...]:
    return (
        Cell(r.sample),
        Cell(t.name),
        Cell(numbers.count(t.counted.reads)),
        Cell(numbers.count(t.counted.starts)),
        _copies(t.copies),
    )


def _junctions(results: tuple[PervResult, ...]) -> Table:
    found = [(r, s) for r in results for s in r.sites]
    seen = say("list.joint").join(
        say("perv.of_sample", sample=r.sample, what=numbers.share(r.smallest_share, 1))
        for r in results
        if r.smallest_share
    )
    many = len(found) > MOST_SITES
    return Table(
        caption=say(
            "perv.junctions_first" if many else "perv.junctions", shown=MOST_SITES, all=len(found)
        ),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.types")),
            Column(say("head.breakpoint"), number=True, width=1.4),
            Column(say("head.reads"), number=True, width=0.8),
            Column(say("head.molecules"), number=True, width=0.9),
            Column(say("head.result"), width=2.6),
        ),
        rows=tuple(_site_row(r, s) for r, s in found[:MOST_SITES]),
        empty=say("perv.no_junction_seen" if seen else "perv.no_junction", seen=seen),
    )


def _site_row(r: PervResult, s: JunctionSite) -> tuple[Cell, ...]:
    return (
        Cell(r.sample),
        Cell(say("perv.pair", left=s.left, right=s.right), note="SYNTHETIC" if r.synthetic else ""),
        Cell(say("number.range", low=numbers.count(s.low), high=numbers.count(s.high))),
        Cell(numbers.count(s.reads)),
        Cell(numbers.count(s.molecules)),
        Cell(named("call", s.call.value), note=clauses(s.why), tone=CALL_TONE[s.call]),
    )


def _frames(results: tuple[PervResult, ...]) -> Table:
    rows = tuple(
        (
            Cell(r.sample),
            Cell(name),
            Cell(numbers.count(orf.spanning)),
            Cell(numbers.count(orf.whole), note=numbers.share(orf.whole, orf.spanning)),
        )
        for r in results
        for name, orf in r.counted.orfs.items()
    )
    return Table(
        caption=say("perv.frames"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.frame")),
            Column(say("head.spanning"), number=True),
            Column(say("head.no_gap"), number=True),
        ),
        rows=rows,
        empty=say("perv.no_frame"),
    )
