"""Every finding in detail: evidence, amount, and coverage."""

from __future__ import annotations

from porewatch.domain.calls.evidence import Evidence
from porewatch.domain.calls.findings import Finding, Quantity
from porewatch.domain.results.report import Report
from porewatch_worker.report.pages.first_page import findings_table, positive
from porewatch_worker.report.parts import numbers, plots
from porewatch_worker.report.parts.document import (
    Block,
    Cell,
    Column,
    Facts,
    Figure,
    Figures,
    Prose,
    Section,
    Table,
)
from porewatch_worker.report.parts.i18n import clauses, member, named, noted, say, sentences
from porewatch_worker.science.call.remarks import shown_code

COVERAGE_PLOTS = 40
CONTIGS_IN_ONE_PLOT = 12
OPEN_FINDINGS = 8
"""More are folded on a screen, each under its title; the table above has them all."""


def findings(report: Report) -> Section:
    rows = positive(report)
    blocks: list[Block] = [findings_table(report, rows, say("findings.caption"), anchored=True)]
    shown = [f for f in rows if f.evidence is not None][:COVERAGE_PLOTS]
    with_evidence = sum(f.evidence is not None for f in rows)
    if with_evidence > len(shown):
        blocks.append(
            Prose(say("findings.drawn", shown=len(shown), all=numbers.count(with_evidence)))
        )
    actions = {entry.code: entry.actions for entry in report.panel}
    parts = tuple(_finding_part(i, f, actions.get(f.code, ())) for i, f in enumerate(shown, 1))
    return Section("findings", say("findings.title"), tuple(blocks), parts)


def _finding_part(number: int, f: Finding, actions: tuple[str, ...] = ()) -> Section:
    e = f.evidence
    if e is None:
        raise ValueError("only findings with evidence are drawn")
    pairs = [
        (
            say("head.call"),
            say("findings.call", call=named("call", f.call.value), rule=clauses(f.why)),
        ),
        (
            say("head.reads"),
            say(
                "findings.reads_in_regions" if e.regions else "findings.reads",
                reads=numbers.count(e.reads),
                starts=numbers.plural(e.distinct_starts, "start"),
                regions=numbers.plural(e.regions, "region"),
                shared=numbers.count(e.shared_reads),
            ),
        ),
        (say("findings.breadth"), _breadth(e)),
        (
            say("head.identity"),
            say("findings.identity", share=numbers.share(e.identity, 1), mapq=e.median_mapq),
        ),
        (
            say("findings.host"),
            say(
                "findings.host_reads",
                better=numbers.count(e.host_better),
                flank=numbers.count(e.reads_with_host_flank),
            ),
        ),
    ]
    pairs += [(_amount(q.unit), _with_interval(q)) for q in f.quantities]
    pairs += [(say("head.remark"), sentences(f.remarks))] if f.remark else []
    if actions:
        pairs.append((say("findings.what_to_do"), " ".join(noted(one) for one in actions)))
    title = say(
        "findings.part",
        code=shown_code(f.code, f.name),
        name=member(f.code, f.name),
        sample=f.sample,
    )
    blocks: list[Block] = [Facts(tuple(pairs))]
    if e.coverage:
        blocks.append(Figures((_coverage_figure(f),)))
    return Section(f"finding-{number}", title, tuple(blocks), folded=number > OPEN_FINDINGS)


def _breadth(e: Evidence) -> str:
    return say(
        "findings.breadth_depth" if e.evenness is None else "findings.breadth_depth_evenness",
        breadth=numbers.share(e.breadth, 1),
        expected=numbers.share(e.expected_breadth, 1),
        depth=f"{numbers.figure(e.mean_depth)}{numbers.GAP}×",
        evenness=f"{e.evenness or 0:.2f}",
    )


def _amount(unit: str) -> str:
    known = {"copies per haploid host genome": "per_host", "genomes sequenced": "sequenced"}
    return say(f"amount.{known.get(unit, 'load')}")


def quantities(report: Report) -> Section:
    """Every amount with its unit, interval and the way it was had; nothing is left to the prose."""
    rows = tuple(
        (
            Cell(f.sample),
            Cell(shown_code(f.code, f.name)),
            Cell(numbers.quantity(q)),
            Cell(
                numbers.interval(q) or numbers.NOTHING,
                note=say("quantities.disagrees") if q.disagrees else "",
            ),
            Cell(clauses(q.how), note=clauses(q.remarks)),
        )
        for f in positive(report)
        for q in f.quantities
    )
    table = Table(
        caption=say("quantities.caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.member"), width=1.3),
            Column(say("head.amount"), number=True, width=2.0),
            Column(say("head.interval"), number=True, width=1.6),
            Column(say("head.method"), width=3.0),
        ),
        rows=rows,
        empty=say("quantities.none"),
    )
    return Section("quantities", say("quantities.title"), (table,))


def _with_interval(q: Quantity) -> str:
    spread = say("findings.interval", range=numbers.interval(q)) if numbers.interval(q) else ""
    parts = (spread, clauses(q.how), clauses(q.remarks))
    extra = say("list.joint").join(part for part in parts if part)
    return numbers.quantity(q) + (f" ({extra})" if extra else "")


def _coverage_figure(f: Finding) -> Figure:
    every = f.evidence.coverage if f.evidence else ()
    drawn = sorted(every, key=lambda c: -c.covered_bases)[:CONTIGS_IN_ONE_PLOT]
    drawn = [contig for contig in every if contig in drawn]
    alt = say("findings.depth_alt", code=f.code, sample=f.sample)
    parts = [
        say(
            "findings.covered",
            contig=c.contig,
            covered=numbers.count(c.covered_bases),
            length=numbers.count(c.length),
            most=numbers.count(c.max_depth),
        )
        for c in drawn
    ]
    if len(drawn) < len(every):
        parts.append(say("findings.contigs_left", n=len(every) - len(drawn)))
    if f.evidence:
        parts.append(say("findings.identity_caption", share=numbers.share(f.evidence.identity, 1)))
    caption = say("sentence.whole", said=say("list.joint").join(parts))
    return Figure(plots.coverage(drawn, label=alt), caption, alt)
