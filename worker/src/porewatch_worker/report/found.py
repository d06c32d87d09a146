"""Every finding in detail: the evidence, what it amounts to, and where its reads lie."""

from __future__ import annotations

from porewatch.domain.findings import (
    Finding,
    Quantity,
)
from porewatch.domain.report import Report
from porewatch_worker.report import numbers, plots
from porewatch_worker.report.document import (
    Block,
    Facts,
    Figure,
    Figures,
    Prose,
    Section,
)
from porewatch_worker.report.front import (
    findings_table,
    positive,
    words,
)
from porewatch_worker.science.remarks import shown_code

COVERAGE_PLOTS = 40
CONTIGS_IN_ONE_PLOT = 12


def findings(report: Report) -> Section:
    rows = positive(report)
    blocks: list[Block] = [findings_table(report, rows, "All detected and indeterminate findings")]
    shown = [f for f in rows if f.evidence is not None][:COVERAGE_PLOTS]
    with_evidence = sum(f.evidence is not None for f in rows)
    if with_evidence > len(shown):
        blocks.append(
            Prose(
                f"Coverage is drawn for the {len(shown)} most severe findings of "
                f"{numbers.count(with_evidence)}; report.json has it for all."
            )
        )
    parts = tuple(_finding_part(i, f) for i, f in enumerate(shown, 1))
    return Section("findings", "Findings in detail", tuple(blocks), parts)


def _finding_part(number: int, f: Finding) -> Section:
    e = f.evidence
    if e is None:
        raise ValueError("only findings with evidence are drawn")
    pairs = [
        ("Call", f"{words(f.call.value)} ({f.rule})"),
        (
            "Reads",
            f"{numbers.count(e.reads)} from {numbers.plural(e.distinct_starts, 'start position')}"
            + (f" in {numbers.plural(e.regions, 'region')}" if e.regions else "")
            + f"; {numbers.count(e.shared_reads)} more fit another target equally well",
        ),
        (
            "Breadth and depth",
            f"{numbers.share(e.breadth, 1)} of the genome covered (expected "
            f"{numbers.share(e.expected_breadth, 1)}), mean depth "
            f"{numbers.figure(e.mean_depth)}{numbers.GAP}×"
            + ("" if e.evenness is None else f", evenness {e.evenness:.2f}"),
        ),
        ("Identity", f"{numbers.share(e.identity, 1)}, median mapping quality {e.median_mapq}"),
        (
            "Against the host",
            f"{numbers.count(e.host_better)} further reads matched the host better and were given "
            f"to it; {numbers.count(e.reads_with_host_flank)} carry host sequence beside the hit",
        ),
    ]
    pairs += [(_amount(q.unit), _with_interval(q)) for q in f.quantities]
    pairs += [("Remark", f.remark)] if f.remark else []
    title = f"{shown_code(f.code, f.name)}, {f.name}, in {f.sample}"
    blocks: list[Block] = [Facts(tuple(pairs))]
    if e.coverage:
        blocks.append(Figures((_coverage_figure(f),)))
    return Section(f"finding-{number}", title, tuple(blocks))


def _amount(unit: str) -> str:
    known = {"copies per haploid host genome": "Per host genome", "genomes sequenced": "Sequenced"}
    return known.get(unit, "Load")


def _with_interval(q: Quantity) -> str:
    spread = f"95 % interval {numbers.interval(q)}" if numbers.interval(q) else ""
    extra = "; ".join(part for part in (spread, q.method, q.remark) if part)
    return numbers.quantity(q) + (f" ({extra})" if extra else "")


def _coverage_figure(f: Finding) -> Figure:
    every = f.evidence.coverage if f.evidence else ()
    drawn = sorted(every, key=lambda c: -c.covered_bases)[:CONTIGS_IN_ONE_PLOT]
    drawn = [contig for contig in every if contig in drawn]
    alt = f"Depth along the genome of {f.code} in {f.sample}"
    caption = "; ".join(
        f"{c.contig}: {numbers.count(c.covered_bases)} of {numbers.count(c.length)} b covered, "
        f"depth up to {numbers.count(c.max_depth)}"
        for c in drawn
    )
    if len(drawn) < len(every):
        caption += f"; {len(every) - len(drawn)} contigs with less coverage are not drawn"
    return Figure(plots.coverage(drawn, f.code, label=alt), caption + ".", alt)
