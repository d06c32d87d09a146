"""Samples, where their reads went, and the quality of what was read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from porewatch.domain.calls.evidence import ReadAccount, SampleScreen
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.results.report import Report
from porewatch_worker.report.pages.first_page import (
    reasons_of,
    recovery_cell,
)
from porewatch_worker.report.pages.matrix import anchor
from porewatch_worker.report.parts import (
    numbers,
    plots,
)
from porewatch_worker.report.parts.document import (
    Block,
    Cell,
    Column,
    Figure,
    Figures,
    Prose,
    Section,
    Table,
)
from porewatch_worker.report.parts.i18n import (
    named,
    say,
)
from porewatch_worker.report.parts.tones import (
    OUTCOME_TONE,
    role_name,
)

OPEN_SAMPLES = 8
BARS_IN_ONE_FIGURE = 24
BARS_IN_EACH = 20
"""Where one figure does not hold all: two of these fit on a page."""
T = TypeVar("T")


def samples(report: Report) -> Section:
    outcomes = {o.sample: o for o in report.outcomes}
    rows = []
    for number, s in enumerate(report.samples):
        outcome = outcomes.get(s.name)
        verdict = outcome.outcome if outcome else Outcome.NOT_REPORTABLE
        rows.append(
            (
                Cell(s.name, anchor=anchor("sample", str(number))),
                Cell(s.barcode or numbers.NOTHING),
                Cell(role_name(s.role), note=s.material.upper()),
                Cell(
                    say("word.unknown")
                    if s.volume_ml is None
                    else f"{numbers.figure(s.volume_ml)}{numbers.GAP}mL"
                ),
                Cell(
                    say("word.none") if s.spike_copies is None else numbers.figure(s.spike_copies)
                ),
                recovery_cell(report, s.name),
                Cell(named("outcome", verdict.value), tone=OUTCOME_TONE[verdict]),
                Cell((reasons_of(outcome) if outcome else "") or numbers.NOTHING),
            )
        )
    table = Table(
        caption=say("samples.caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.barcode"), width=1.15),
            Column(say("head.role"), width=1.3),
            Column(say("head.plasma"), number=True, width=0.8),
            Column(say("head.spike"), number=True, width=1.1),
            Column(say("head.recovery"), width=1.8),
            Column(say("head.outcome"), width=1.5),
            Column(say("head.reasons"), width=1.9),
        ),
        rows=tuple(rows),
    )
    return Section("samples", say("samples.title"), (table,))


def accounting(report: Report) -> Section:
    named = [(screen.sample, screen.account) for screen in report.screens]
    parts = _chunks(named, len(named) if len(named) <= BARS_IN_ONE_FIGURE else BARS_IN_EACH)
    figures = tuple(
        Figures((_account_figure(part, last=i == len(parts)),)) for i, part in enumerate(parts, 1)
    )
    return Section("accounting", say("accounting.title"), (*figures, _equation(report)))


def _account_figure(part: Sequence[tuple[str, ReadAccount]], *, last: bool) -> Figure:
    alt = say("accounting.alt")
    return Figure(
        svg=plots.accounts(part, label=alt),
        caption=say("accounting.figure") if last else "",
        alt=alt,
    )


def _of_no_sample(barcode: str, reads: int) -> tuple[Cell, ...]:
    """Reads that no sample claims are filtered, all of them: the run's reads add up as well."""
    return (
        Cell(say("accounting.no_sample"), note=barcode),
        Cell(numbers.count(reads)),
        Cell(numbers.count(reads), note=say("accounting.stray")),
        *(Cell("0") for _ in range(3)),
        Cell(say("word.yes"), tone="good"),
    )


def _equation(report: Report) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for screen in report.screens:
        a = screen.account
        filtered = sum(a.filtered.values())
        reasons = say("name.joint").join(
            f"{named('filter', k)} {numbers.count(n)}" for k, n in sorted(a.filtered.items())
        )
        kinds = (("panel", a.panel), ("spike", a.spike), ("decoy", a.decoy))
        split = say("name.joint").join(
            f"{say(f'where.{name}')} {numbers.count(n)}" for name, n in kinds
        )
        rows.append(
            (
                Cell(screen.sample),
                Cell(
                    numbers.count(a.total),
                    note=say(
                        "accounting.split",
                        files=numbers.count(a.total - a.split),
                        split=numbers.count(a.split),
                    )
                    if a.split
                    else "",
                ),
                Cell(numbers.count(filtered), note=reasons),
                Cell(numbers.count(a.host), note=numbers.share(a.host, a.total)),
                Cell(numbers.count(a.assigned), note=split),
                Cell(numbers.count(a.unassigned), note=numbers.share(a.unassigned, a.total)),
                Cell(say("word.yes"), tone="good")
                if a.balanced
                else Cell(say("word.no"), tone="bad"),
            )
        )
    rows += [
        _of_no_sample(barcode, reads) for barcode, reads in sorted(report.unlisted_barcodes.items())
    ]
    return Table(
        caption=say("accounting.caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.reads_in"), number=True, width=1.2),
            Column(say("head.filtered"), number=True, width=1.9),
            Column(say("head.plus_host"), number=True),
            Column(say("head.assigned"), number=True, width=2.5),
            Column(say("head.unassigned"), number=True, width=1.1),
            Column(say("head.balances"), width=0.8),
        ),
        rows=tuple(rows),
        empty=say("samples.no_reads"),
    )


def quality(report: Report) -> Section:
    rows = tuple(_quality_row(screen) for screen in report.screens)
    table = Table(
        caption=say("quality.caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.reads"), number=True),
            Column(say("head.bases"), number=True),
            Column(say("head.passed"), number=True, width=1.2),
            Column(say("head.mean_length"), number=True),
            Column(say("head.n50"), number=True),
            Column(say("head.longest"), number=True),
            Column(say("head.mean_quality"), number=True),
            Column(say("head.gc"), number=True, width=0.8),
        ),
        rows=rows,
        empty=say("samples.no_reads"),
    )
    parts = tuple(
        Section(
            f"quality-{i}",
            say("quality.part", sample=screen.sample),
            (_quality_plots(screen),),
            folded=i > OPEN_SAMPLES,
        )
        for i, screen in enumerate(report.screens, 1)
    )
    return Section("quality", say("quality.title"), (table,), parts)


def _quality_row(screen: SampleScreen) -> tuple[Cell, ...]:
    q = screen.quality
    passed = numbers.share(q.passed_reads, q.reads)
    trimmed = say("quality.trimmed", n=numbers.count(q.adapter_trimmed_reads))
    return (
        Cell(screen.sample),
        Cell(numbers.count(q.reads), note=trimmed if q.adapter_trimmed_reads else ""),
        Cell(numbers.bases(q.bases)),
        Cell(numbers.count(q.passed_reads), note=f"{passed}, {numbers.bases(q.passed_bases)}"),
        Cell(f"{numbers.count(round(q.mean_length))} b" if q.reads else numbers.NOTHING),
        Cell(f"{numbers.count(q.n50)} b" if q.reads else numbers.NOTHING),
        Cell(f"{numbers.count(q.longest)} b" if q.reads else numbers.NOTHING),
        Cell(numbers.NOTHING if q.mean_quality is None else f"Q {q.mean_quality:.1f}"),
        Cell(numbers.NOTHING if q.gc_fraction is None else numbers.share(q.gc_fraction, 1)),
    )


def _quality_plots(screen: SampleScreen) -> Block:
    q, name = screen.quality, screen.sample
    if not q.reads:
        return Prose(say("quality.no_reads"))
    lengths = say("quality.lengths", name=name, median=numbers.count(round(q.median_length)))
    qualities = say("quality.qualities", name=name)
    total = say("quality.yield", name=name, bases=numbers.bases(q.bases))
    return Figures(
        (
            Figure(
                plots.histogram(
                    q.lengths,
                    title=say("head.reads"),
                    x_title=say("plot.length"),
                    label=lengths,
                ),
                say("quality.length_caption", n50=numbers.count(q.n50)),
                lengths,
            ),
            Figure(
                plots.histogram(
                    q.qualities,
                    title=say("head.reads"),
                    x_title=say("plot.quality"),
                    label=qualities,
                ),
                say("quality.quality_caption"),
                qualities,
            ),
            Figure(
                plots.yield_over_time(q.yield_over_time, label=total),
                say("quality.yield_caption"),
                total,
            ),
        )
    )


def _chunks(rows: Sequence[T], size: int) -> list[Sequence[T]]:
    return [rows[i : i + size] for i in range(0, len(rows), max(1, size))]
