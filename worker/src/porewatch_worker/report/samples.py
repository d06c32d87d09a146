"""Samples, where their reads went, and the quality of what was read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from porewatch.domain.findings import (
    Outcome,
    ReadAccount,
    SampleScreen,
)
from porewatch.domain.report import Report
from porewatch_worker.report import numbers, plots
from porewatch_worker.report.document import (
    Block,
    Cell,
    Column,
    Figure,
    Figures,
    Prose,
    Section,
    Table,
)
from porewatch_worker.report.front import (
    OUTCOME_TONE,
    recovery_cell,
    role_name,
    words,
)

OPEN_SAMPLES = 8
BARS_IN_ONE_FIGURE = 24
T = TypeVar("T")


def samples(report: Report) -> Section:
    outcomes = {o.sample: o for o in report.outcomes}
    rows = []
    for s in report.samples:
        outcome = outcomes.get(s.name)
        verdict = outcome.outcome if outcome else Outcome.INVALID
        rows.append(
            (
                Cell(s.name),
                Cell(s.barcode or numbers.NOTHING),
                Cell(role_name(s.role), note=s.material.upper()),
                Cell(
                    "unknown"
                    if s.volume_ml is None
                    else f"{numbers.figure(s.volume_ml)}{numbers.GAP}mL"
                ),
                Cell("none" if s.spike_copies is None else numbers.figure(s.spike_copies)),
                recovery_cell(report, s.name),
                Cell(words(verdict.value), tone=OUTCOME_TONE[verdict]),
                Cell("; ".join(outcome.reasons if outcome else ()) or numbers.NOTHING),
            )
        )
    table = Table(
        caption="Samples and controls of this run",
        columns=(
            Column("Sample", width=1.2),
            Column("Barcode"),
            Column("Role", width=1.3),
            Column("Plasma", number=True, width=0.8),
            Column("Spike copies", number=True, width=0.9),
            Column("Recovery", width=2.0),
            Column("Outcome", width=1.5),
            Column("Reasons", width=1.9),
        ),
        rows=tuple(rows),
    )
    return Section("samples", "Samples", (table,))


def accounting(report: Report) -> Section:
    named = [(screen.sample, screen.account) for screen in report.screens]
    parts = _chunks(named, BARS_IN_ONE_FIGURE)
    figures = tuple(
        Figures((_account_figure(part, last=i == len(parts)),)) for i, part in enumerate(parts, 1)
    )
    return Section("accounting", "Where every read went", (*figures, _equation(report)))


def _account_figure(part: Sequence[tuple[str, ReadAccount]], *, last: bool) -> Figure:
    alt = "Shares of reads by sample: filtered, host, panel, spike, decoy, unassigned."
    return Figure(
        svg=plots.accounts(part, label=alt),
        caption="Share of each sample's reads. Shares too small to see are drawn wider than they "
        "are; the table has the numbers."
        if last
        else "",
        alt=alt,
    )


def _of_no_sample(barcode: str, reads: int) -> tuple[Cell, ...]:
    """Reads that no sample claims are filtered, all of them: the run's reads add up as well."""
    return (
        Cell("no sample", note=barcode),
        Cell(numbers.count(reads)),
        Cell(numbers.count(reads), note="barcode of no sample"),
        *(Cell("0") for _ in range(3)),
        Cell("yes", tone="good"),
    )


def _equation(report: Report) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for screen in report.screens:
        a = screen.account
        filtered = sum(a.filtered.values())
        reasons = ", ".join(f"{words(k)} {numbers.count(n)}" for k, n in sorted(a.filtered.items()))
        kinds = (("panel", a.panel), ("spike", a.spike), ("decoy", a.decoy))
        split = ", ".join(f"{name} {numbers.count(n)}" for name, n in kinds)
        rows.append(
            (
                Cell(screen.sample),
                Cell(numbers.count(a.total)),
                Cell(numbers.count(filtered), note=reasons),
                Cell(numbers.count(a.host), note=numbers.share(a.host, a.total)),
                Cell(numbers.count(a.assigned), note=split),
                Cell(numbers.count(a.unassigned), note=numbers.share(a.unassigned, a.total)),
                Cell("yes", tone="good") if a.balanced else Cell("no", tone="bad"),
            )
        )
    rows += [
        _of_no_sample(barcode, reads) for barcode, reads in sorted(report.unlisted_barcodes.items())
    ]
    return Table(
        caption="Reads in = filtered + host + assigned + unassigned",
        columns=(
            Column("Sample", width=1.2),
            Column("Reads in", number=True),
            Column("= Filtered", number=True, width=1.9),
            Column("+ Host", number=True),
            Column("+ Assigned", number=True, width=1.7),
            Column("+ Unassigned", number=True, width=1.1),
            Column("Balances", width=0.8),
        ),
        rows=tuple(rows),
        empty="No sample has reads.",
    )


def quality(report: Report) -> Section:
    rows = tuple(_quality_row(screen) for screen in report.screens)
    table = Table(
        caption="Reads as they came, before filtering; passed = after filtering",
        columns=(
            Column("Sample", width=1.2),
            Column("Reads", number=True),
            Column("Bases", number=True),
            Column("Passed", number=True, width=1.2),
            Column("Mean length", number=True),
            Column("N50", number=True),
            Column("Longest", number=True),
            Column("Mean quality", number=True),
            Column("GC", number=True, width=0.8),
        ),
        rows=rows,
        empty="No sample has reads.",
    )
    parts = tuple(
        Section(f"quality-{i}", f"Quality of {screen.sample}", (_quality_plots(screen),),
                folded=i > OPEN_SAMPLES)
        for i, screen in enumerate(report.screens, 1)
    )  # fmt: skip
    return Section("quality", "Quality", (table,), parts)


def _quality_row(screen: SampleScreen) -> tuple[Cell, ...]:
    q = screen.quality
    passed = numbers.share(q.passed_reads, q.reads)
    trimmed = f"{numbers.count(q.adapter_trimmed_reads)} trimmed" if q.adapter_trimmed_reads else ""
    return (
        Cell(screen.sample),
        Cell(numbers.count(q.reads), note=trimmed),
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
        return Prose("No reads.")
    lengths = f"Read lengths of {name}: median {numbers.count(round(q.median_length))} bases"
    qualities = f"Mean read qualities of {name}"
    total = f"Bases sequenced over time in {name}: {numbers.bases(q.bases)} in the end"
    return Figures(
        (
            Figure(
                plots.histogram(q.lengths, title="Reads", x_title="length (bases)", label=lengths),
                f"Length distribution; N50 {numbers.count(q.n50)} b.",
                lengths,
            ),
            Figure(
                plots.histogram(
                    q.qualities, title="Reads", x_title="mean quality (Phred)", label=qualities
                ),
                "Quality distribution; Phred value of each read's mean error.",
                qualities,
            ),
            Figure(
                plots.yield_over_time(q.yield_over_time, label=total),
                "Yield over time, by the start times in the reads.",
                total,
            ),
        )
    )


def _chunks(rows: Sequence[T], size: int) -> list[Sequence[T]]:
    return [rows[i : i + size] for i in range(0, len(rows), size)]
