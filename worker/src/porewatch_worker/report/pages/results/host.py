"""Reads that are no finding: those of the host, and those that fit nothing in the bundle."""

from __future__ import annotations

from porewatch.domain.calls.evidence import SampleScreen
from porewatch.domain.calls.host_and_unassigned import (
    HostScreen,
    Unknowns,
)
from porewatch.domain.results.report import Report
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import (
    Block,
    Cell,
    Column,
    Prose,
    Section,
    Table,
)
from porewatch_worker.report.parts.i18n import say


def host(report: Report) -> Section:
    """How much of each sample was the animal itself, and what was given to it."""
    table = Table(
        caption=say("host.caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.host_reads"), number=True, width=1.2),
            Column(say("head.host_share"), number=True, width=1.2),
            Column(say("head.host_bases"), number=True, width=1.2),
            Column(say("head.identity"), number=True, width=1.0),
            Column(say("head.rrna"), number=True, width=1.2),
            Column(say("head.host_doubt"), number=True, width=1.6),
            Column(say("head.host_taken"), number=True, width=1.6),
        ),
        rows=tuple(_host_row(screen) for screen in report.screens),
        empty=say("samples.no_reads"),
    )
    return Section("host", say("host.title"), (Prose(say("host.what")), table))


def _host_row(screen: SampleScreen) -> tuple[Cell, ...]:
    a = screen.account
    taken = sum(t.evidence.host_better for t in screen.targets)
    return (
        Cell(screen.sample),
        Cell(numbers.count(a.host)),
        Cell(numbers.share(a.host, a.passed)),
        Cell(numbers.bases(screen.host_bases) if screen.host_bases else numbers.NOTHING),
        *_fit(screen.host),
        Cell(numbers.count(taken)),
    )


def _fit(fit: HostScreen | None) -> tuple[Cell, ...]:
    """Identity of the removed reads, their ribosomal RNA, and those that were tested in full."""
    if fit is None:
        return (Cell(numbers.NOTHING),) * 3
    return (
        Cell(numbers.NOTHING if fit.identity is None else numbers.share(fit.identity, 1)),
        Cell(numbers.count(fit.rrna_reads), note=numbers.share(fit.rrna_reads, fit.reads)),
        Cell(
            numbers.count(fit.tested_in_full),
            note=say("host.let_go", n=numbers.count(fit.let_go)) if fit.let_go else "",
        ),
    )


def unknowns(report: Report) -> Section:
    """Reads that fit nothing in the bundle: leads, never calls."""
    table = Table(
        caption=say("unknowns.caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.reads"), number=True),
            Column(say("head.share_passed"), number=True, width=1.4),
            Column(say("head.bases"), number=True),
            Column(say("head.mean_length"), number=True),
            Column(say("head.complex"), number=True, width=1.2),
            Column(say("head.recurring"), number=True, width=1.8),
        ),
        rows=tuple(_unknown_row(screen) for screen in report.screens),
        empty=say("samples.no_reads"),
    )
    blocks: tuple[Block, ...] = (Prose(say("unknowns.what")), table, _leads(report))
    return Section("unknowns", say("unknowns.title"), blocks)


def _leads(report: Report) -> Table:
    """Leads on the unassigned reads from broader sketches, if any."""
    with_unknowns = [
        (screen.sample, screen.unknowns) for screen in report.screens if screen.unknowns
    ]
    searched = sorted({file for _, unknown in with_unknowns for file in unknown.searched})
    rows = tuple(
        (
            Cell(sample),
            Cell(lead.name, note=lead.source),
            Cell(numbers.count(lead.shared_words)),
            Cell(numbers.share(lead.containment, 1)),
        )
        for sample, unknown in with_unknowns
        for lead in unknown.leads
    )
    return Table(
        caption=say("unknowns.leads", files=", ".join(searched)),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.lead"), width=3.0),
            Column(say("head.shared_words"), number=True, width=1.2),
            Column(say("head.containment"), number=True, width=1.4),
        ),
        rows=rows,
        empty=say("unknowns.no_leads") if searched else say("unknowns.not_searched"),
    )


def _unknown_row(screen: SampleScreen) -> tuple[Cell, ...]:
    n, b = screen.account.unassigned, screen.unassigned_bases
    return (
        Cell(screen.sample),
        Cell(numbers.count(n)),
        Cell(numbers.share(n, screen.account.passed)),
        Cell(numbers.bases(b) if b else numbers.NOTHING),
        Cell(f"{numbers.count(round(b / n))} b" if n and b else numbers.NOTHING),
        *_sketch(screen.unknowns),
    )


def _sketch(unknowns: Unknowns | None) -> tuple[Cell, ...]:
    """Share of complex sequence, and recurring sequence with its depth."""
    if unknowns is None or not unknowns.reads:
        return (Cell(numbers.NOTHING),) * 2
    share = unknowns.complex_share
    again = numbers.bases(unknowns.recurring_bases) if unknowns.recurring_words else "0"
    depth = unknowns.recurring_depth
    return (
        Cell(numbers.NOTHING if share is None else numbers.share(share, 1)),
        Cell(again, note="" if depth is None else say("unknowns.depth", n=numbers.figure(depth))),
    )
