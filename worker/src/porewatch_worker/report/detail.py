"""The pages after the first: samples, read accounts, quality, findings with coverage, the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

from porewatch.domain.findings import (
    Call,
    Finding,
    Outcome,
    Quantity,
    ReadAccount,
    SampleScreen,
)
from porewatch.domain.panel import PanelEntry
from porewatch.domain.report import Report
from porewatch_worker.report import colour, numbers, plots
from porewatch_worker.report.document import (
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
from porewatch_worker.report.front import (
    CALL_TONE,
    OUTCOME_TONE,
    SEVERITY_TONE,
    findings_table,
    positive,
    recovery_cell,
    role_name,
    words,
)

OPEN_SAMPLES = 8
BARS_IN_ONE_FIGURE = 24
COVERAGE_PLOTS = 40
CONTIGS_IN_ONE_PLOT = 12
T = TypeVar("T")


def detail_sections(report: Report) -> tuple[Section, ...]:
    return (
        samples(report),
        accounting(report),
        quality(report),
        findings(report),
        the_list(report),
    )


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
    return Section("accounting", "Where every read went", (*figures, _equation(report.screens)))


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


def _equation(screens: Sequence[SampleScreen]) -> Table:
    rows = []
    for screen in screens:
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
    title = f"{f.code}, {f.name}, in {f.sample}"
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


def the_list(report: Report) -> Section:
    """Every row of the list with what this run can say about it: computed, never ticked."""
    by_code: dict[str, list[Finding]] = defaultdict(list)
    for f in report.findings:
        by_code[f.code].append(f)
    units = {f.lod95.unit for f in report.findings if f.lod95 and f.lod95.value is not None}
    unit = units.pop() if len(units) == 1 else ""
    table = Table(
        caption=f"{report.provenance.panel}, version {report.provenance.panel_version}: "
        f"{numbers.plural(len(report.panel), 'row')}, "
        f"{numbers.plural(len(report.samples), 'sample or control', 'samples and controls')}; "
        f"LOD95 {f'in {unit} ' if unit else ''}where not detected",
        columns=(
            Column("Code", width=1.2),
            Column("Name", width=2.6),
            Column("Kind", width=0.9),
            Column("Severity", width=0.85),
            Column("Result", width=1.3),
            Column("Where", width=3.0),
            Column("LOD95", number=True, width=1.1),
        ),
        rows=tuple(_list_row(entry, by_code[entry.code], unit) for entry in report.panel),
    )
    return Section("list", "The list", (table, *_extras(report)))


def _extras(report: Report) -> tuple[Block, ...]:
    """Targets that the bundle holds and the list does not name."""
    listed = {entry.code for entry in report.panel}
    by_code: dict[str, list[Finding]] = defaultdict(list)
    for f in report.findings:
        if f.code not in listed:
            by_code[f.code].append(f)
    if not by_code:
        return ()
    rows = []
    for code, mine in by_code.items():
        by_call = {call: [f for f in mine if f.call is call] for call in Call}
        result = next(call for call in Call if by_call[call])
        rows.append(
            (
                Cell(code, swatch=colour.taxon(code)),
                Cell(mine[0].name),
                Cell(words(result.value), tone=CALL_TONE[result]),
                Cell(_calls_by_sample(by_call)),
                _lods(by_call[Call.NOT_DETECTED], ""),
            )
        )
    return (
        Table(
            caption="Screened because the bundle holds it, although the list does not name it",
            columns=(
                Column("Code", width=1.6),
                Column("Name", width=2.4),
                Column("Result", width=1.3),
                Column("Where", width=3.2),
                Column("LOD95", number=True, width=1.8),
            ),
            rows=tuple(rows),
        ),
    )


def _list_row(entry: PanelEntry, mine: Sequence[Finding], unit: str) -> tuple[Cell, ...]:
    by_call = {call: [f for f in mine if f.call is call] for call in Call}
    result = next((call for call in Call if by_call[call]), Call.NOT_SCREENED)
    return (
        Cell(entry.code, swatch=colour.taxon(entry.code)),
        Cell(entry.name, note="special management" if entry.special_management else ""),
        Cell(entry.category),
        Cell(entry.severity.value, tone=SEVERITY_TONE[entry.severity.value]),
        Cell(words(result.value), tone=CALL_TONE[result]),
        _where(entry, by_call),
        _lods(by_call[Call.NOT_DETECTED], unit),
    )


def _where(entry: PanelEntry, by_call: dict[Call, list[Finding]]) -> Cell:
    quiet = (*by_call[Call.NOT_SCREENED], *by_call[Call.NOT_DETECTED])
    remarks = list(dict.fromkeys(f.remark for f in quiet if f.remark))
    rules = list(dict.fromkeys(f.rule for f in by_call[Call.NOT_SCREENED]))
    why = entry.status_reason or "; ".join(remarks[:2] or rules[:2])
    return Cell(_calls_by_sample(by_call) or "no result", note=why)


def _calls_by_sample(by_call: dict[Call, list[Finding]]) -> str:
    """`detected in a, b; not detected in 3`: names where it matters, numbers elsewhere."""
    parts = []
    for call in (Call.DETECTED, Call.INDETERMINATE):
        names = [f.sample for f in by_call[call]]
        if names:
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            parts.append(f"{words(call.value)} in {', '.join(names[:4])}{more}")
    for call in (Call.NOT_DETECTED, Call.NOT_SCREENED):
        if by_call[call]:
            parts.append(f"{words(call.value)} in {numbers.count(len(by_call[call]))}")
    return "; ".join(parts)


def _lods(absent: Sequence[Finding], common: str) -> Cell:
    values = [f.lod95 for f in absent if f.lod95 is not None and f.lod95.value is not None]
    if not values:
        return Cell("not computable" if absent else numbers.NOTHING)
    unit = values[0].unit
    ordered = sorted(q.value for q in values if q.value is not None and q.unit == unit)
    low, high = numbers.figure(ordered[0]), numbers.figure(ordered[-1])
    return Cell(low if low == high else f"{low} to {high}", note="" if common else unit)


def _chunks(rows: Sequence[T], size: int) -> list[Sequence[T]]:
    return [rows[i : i + size] for i in range(0, len(rows), size)]
