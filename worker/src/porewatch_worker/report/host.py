"""Reads that are no finding: those of the host, and those that fit nothing in the bundle."""

from __future__ import annotations

from porewatch.domain.findings import SampleScreen
from porewatch.domain.report import Report
from porewatch_worker.report import numbers
from porewatch_worker.report.document import Cell, Column, Prose, Section, Table
from porewatch_worker.report.speech import say


def host(report: Report) -> Section:
    """How much of each sample was the animal itself, and what was given to it."""
    table = Table(
        caption=say("host.caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.host_reads"), number=True, width=1.2),
            Column(say("head.host_share"), number=True, width=1.2),
            Column(say("head.host_bases"), number=True, width=1.2),
            Column(say("head.host_taken"), number=True, width=2.0),
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
        Cell(numbers.share(a.host, a.total - sum(a.filtered.values()))),
        Cell(numbers.bases(screen.host_bases) if screen.host_bases else numbers.NOTHING),
        Cell(numbers.count(taken)),
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
        ),
        rows=tuple(_unknown_row(screen) for screen in report.screens),
        empty=say("samples.no_reads"),
    )
    return Section("unknowns", say("unknowns.title"), (Prose(say("unknowns.what")), table))


def _unknown_row(screen: SampleScreen) -> tuple[Cell, ...]:
    n, b = screen.account.unassigned, screen.unassigned_bases
    passed = screen.account.total - sum(screen.account.filtered.values())
    return (
        Cell(screen.sample),
        Cell(numbers.count(n)),
        Cell(numbers.share(n, passed)),
        Cell(numbers.bases(b) if b else numbers.NOTHING),
        Cell(f"{numbers.count(round(b / n))} b" if n and b else numbers.NOTHING),
    )
