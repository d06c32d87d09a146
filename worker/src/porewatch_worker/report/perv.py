"""The PERV page: alarms, copies, types by env, host flanks, junctions, reading frames.

It is there only when the bundle has PERV.
"""

from __future__ import annotations

from porewatch.domain.findings import JunctionSite, PervResult, PervType, Quantity
from porewatch.domain.report import Report
from porewatch_worker.report import numbers
from porewatch_worker.report.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Prose,
    Section,
    Table,
)
from porewatch_worker.report.front import CALL_TONE, words

MOST_SITES = 12
WHAT_IT_IS = (
    "PERV-A and -B are in every pig and raise no alarm; type C and A/C recombinants do. All reads "
    "of PERV are counted here, those included that the host's own copies explain as well."
)
SURROGATES = (
    "The references are surrogates: no type of PERV is named, and nothing here is about PERV."
)
ORFS = (
    "A reading frame is seen whole when a read spans it without a gap of 20 bases or more; single "
    "lost or changed bases cannot be told from read errors."
)


def perv(report: Report) -> tuple[Section, ...]:
    """One section, or none."""
    results = report.perv
    if not results:
        return ()
    blocks: list[Block] = [Prose(WHAT_IT_IS)]
    if any(r.synthetic for r in results):
        blocks.append(Prose(SURROGATES, tone="warn"))
    alarms = tuple(f"{r.sample}: {alarm}" for r in results for alarm in r.alarms)
    if alarms:
        blocks += [Prose("PERV alarm", tone="bad"), Bullets(alarms)]
    else:
        blocks.append(Prose("No PERV alarm in any sample or control.", tone="good"))
    blocks += [_reads(results), _types(results), _junctions(results), _frames(results), Prose(ORFS)]
    limits = tuple(dict.fromkeys(f"{r.sample}: {limit}." for r in results for limit in r.limits))
    if limits:
        blocks.append(Bullets(limits))
    return (Section("perv", "PERV", tuple(blocks)),)


def _reads(results: tuple[PervResult, ...]) -> Table:
    return Table(
        caption="PERV reads, and copies of PERV in a diploid genome (DNA only)",
        columns=(
            Column("Sample", width=1.2),
            Column("PERV reads", number=True, width=1.2),
            Column("With host flank", number=True, width=1.4),
            Column("Without", number=True),
            Column("Over a whole provirus", number=True, width=1.1),
            Column("Copies per diploid genome", number=True, width=2.2),
        ),
        rows=tuple(_reads_row(r) for r in results),
    )


def _reads_row(r: PervResult) -> tuple[Cell, ...]:
    c = r.counted
    elsewhere = c.with_host_flank - c.at_ends
    return (
        Cell(r.sample, note=r.material.upper()),
        Cell(numbers.count(c.reads), note=f"{numbers.count(c.host_alike)} fit host copies too"),
        Cell(
            numbers.count(c.with_host_flank),
            note=f"{numbers.count(elsewhere)} not at a provirus end" if elsewhere else "",
        ),
        Cell(numbers.count(c.without_host_flank)),
        Cell(numbers.count(c.full_length)),
        _copies(r.copies),
    )


def _copies(amount: Quantity | None) -> Cell:
    if amount is None:
        return Cell(numbers.NOTHING)
    if amount.value is None:
        return Cell(numbers.interval(amount) or numbers.NOTHING, note=amount.remark)
    spread = numbers.interval(amount)
    how = "; ".join(part for part in (spread, amount.method) if part)
    return Cell(numbers.figure(amount.value), note=how)


def _types(results: tuple[PervResult, ...]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for r in results:
        rows += [_type_row(r, t) for t in r.types]
        if r.counted.env_reads:
            undecided = (
                Cell(r.sample),
                Cell("no type told"),
                Cell(numbers.count(r.counted.untyped)),
            )
            rows.append((*undecided, Cell(numbers.NOTHING), Cell(numbers.NOTHING)))
    return Table(
        caption="Types, by reads over the envelope gene (env); elsewhere no type is told",
        columns=(
            Column("Sample", width=1.2),
            Column("Type", width=1.4),
            Column("Reads over env", number=True),
            Column("Distinct starts", number=True),
            Column("Copies per diploid genome", number=True, width=2.2),
        ),
        rows=tuple(rows),
        empty="No read lies over env, or the bundle does not say where it is.",
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
    seen = "; ".join(
        f"{r.sample}: {numbers.share(r.smallest_share, 1)}" for r in results if r.smallest_share
    )
    least = f" A recombinant is seen (95 % chance) from this share of PERV: {seen}." if seen else ""
    more = f" The first {MOST_SITES} of {len(found)}." if len(found) > MOST_SITES else ""
    return Table(
        caption=f"Junctions of two types within env; a recombinant recurs, chimeras scatter.{more}",
        columns=(
            Column("Sample", width=1.2),
            Column("Types"),
            Column("Breakpoint in env", number=True, width=1.4),
            Column("Reads", number=True, width=0.8),
            Column("Molecules", number=True, width=0.9),
            Column("Result", width=2.6),
        ),
        rows=tuple(_site_row(r, s) for r, s in found[:MOST_SITES]),
        empty=f"No junction read in any sample.{least}",
    )


def _site_row(r: PervResult, s: JunctionSite) -> tuple[Cell, ...]:
    return (
        Cell(r.sample),
        Cell(f"{s.left} then {s.right}", note="SYNTHETIC" if r.synthetic else ""),
        Cell(f"{numbers.count(s.low)} to {numbers.count(s.high)}"),
        Cell(numbers.count(s.reads)),
        Cell(numbers.count(s.molecules)),
        Cell(words(s.call.value), note=s.rule, tone=CALL_TONE[s.call]),
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
        caption="Whole reading frames",
        columns=(
            Column("Sample", width=1.2),
            Column("Frame"),
            Column("Reads that span it", number=True),
            Column("Without a gap", number=True),
        ),
        rows=rows,
        empty="No read spans a reading frame that the bundle names.",
    )
