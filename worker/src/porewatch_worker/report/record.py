"""The last pages: what ran when, what it cost, and what made this report."""

from __future__ import annotations

from porewatch.domain.cost import Bill, CostLine
from porewatch.domain.phases import PhaseRecord
from porewatch.domain.report import Report
from porewatch_worker.report import numbers, plots
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
from porewatch_worker.report.front import words

COST_COLUMNS = (
    Column("What", width=2.4),
    Column("Stage", width=1.5),
    Column("Machine", width=1.7),
    Column("Time", number=True, width=1.2),
    Column("Cost", number=True, width=1.2),
    Column("On-demand price", number=True, width=1.5),
    Column("Settled", width=0.9),
)
SHARE_COLUMNS = (
    Column("For", width=3.2),
    Column("Cost", number=True, width=1.2),
    Column("Share", number=True, width=1.0),
)


def record_sections(report: Report) -> tuple[Section, ...]:
    return (phases(report), timeline(report), cost(report), provenance(report))


def phases(report: Report) -> Section:
    alt = "When each phase ran, and for how long"
    blocks: list[Block] = []
    if report.phases:
        figure = Figure(
            plots.phases_in_time(report.phases, label=alt),
            "Host removal and pathogen detection share one pass over the reads, so they overlap.",
            alt,
        )
        blocks.append(Figures((figure,)))
    blocks.append(
        Table(
            caption="Phases, each with its own counts",
            columns=(
                Column("Phase", width=1.4),
                Column("Status", width=1.5),
                Column("Began", width=1.9),
                Column("Took", number=True, width=1),
                Column("Counts", width=3.4),
            ),
            rows=tuple(_phase_row(record) for record in report.phases),
            empty="No phase left a record.",
        )
    )
    return Section("phases", "Phases", tuple(blocks))


def _phase_row(record: PhaseRecord) -> tuple[Cell, ...]:
    seconds = (record.finished_at - record.started_at).total_seconds()
    counts = "; ".join(f"{words(k)} {numbers.count(n)}" for k, n in sorted(record.counts.items()))
    tools = ", ".join(f"{name} {version}" for name, version in sorted(record.tools.items()))
    ran = record.status == "completed"
    return (
        Cell(words(record.phase.value), note=record.backend),
        Cell(record.status, note=record.reason, tone="good" if ran else "plain"),
        Cell(numbers.moment(record.started_at)),
        Cell(numbers.duration(seconds) if ran else numbers.NOTHING),
        Cell(counts or numbers.NOTHING, note=tools),
    )


def timeline(report: Report) -> Section:
    ordered = sorted(report.timeline, key=lambda entry: entry.at)
    begin = ordered[0].at if ordered else report.created_at
    rows = tuple(
        (
            Cell(numbers.moment(entry.at)),
            Cell(f"+ {numbers.duration((entry.at - begin).total_seconds())}"),
            Cell(words(entry.what)),
            Cell(entry.detail or numbers.NOTHING),
        )
        for entry in ordered
    )
    table = Table(
        caption="The run as it happened, until the report was made",
        columns=(
            Column("Time", width=1.9),
            Column("Elapsed", number=True, width=1.1),
            Column("What", width=1.6),
            Column("Detail", width=4),
        ),
        rows=rows,
        empty="No timeline: the phases ran in one process, outside a cloud.",
    )
    return Section("timeline", "Timeline", (table,))


def cost(report: Report) -> Section:
    if report.bill is None:
        blocks: tuple[Block, ...] = (
            Prose("No bill: the phases ran in one process, and no machine was rented."),
        )
    else:
        blocks = (shares_table(report.bill), cost_table(report.bill), Prose(report.bill.remark))
    return Section("cost", "Cost", blocks)


def shares_table(bill: Bill) -> Table:
    """Where the money went, and what spot machines saved."""
    parts = (
        ("useful work", bill.useful_usd, "kept by a checkpoint or a result"),
        ("wasted work", bill.wasted_usd, numbers.plural(bill.interruptions, "interruption")),
        ("starting machines", bill.boot_usd, "from launch until the worker began"),
        ("orchestration", bill.orchestration_usd, "state machine, functions, ledger, messages"),
        ("files", bill.files_usd, "checking and keeping what was sent"),
    )
    known = [(what, usd, note) for what, usd, note in parts if usd is not None]
    rows = tuple(
        (Cell(what, note=note), Cell(numbers.usd(usd)), Cell(numbers.share(usd, bill.total_usd)))
        for what, usd, note in known
    )
    total = (Cell("Total"), Cell(numbers.usd(bill.total_usd)), Cell(""))
    return Table(
        caption=f"Where the money went; on-demand: {numbers.usd(bill.saved_usd)} more",
        columns=SHARE_COLUMNS,
        rows=rows,
        empty="No machine is settled yet.",
        total=total if rows else (),
    )


def cost_table(bill: Bill) -> Table:
    blank = Cell("")
    total = (
        Cell("Total", note=f"as of {numbers.moment(bill.as_of)}"),
        blank,
        blank,
        Cell(numbers.duration(sum(line.seconds for line in bill.lines))),
        Cell(numbers.usd(bill.total_usd)),
        Cell("", note=f"saved {numbers.usd(bill.saved_usd)}"),
        blank,
    )
    return Table(
        caption=f"Cost of this run in US dollars; prices: {bill.price_snapshot}",
        columns=COST_COLUMNS,
        rows=tuple(_cost_row(line) for line in bill.lines),
        empty="No stage is settled yet.",
        total=total,
    )


def _cost_row(line: CostLine) -> tuple[Cell, ...]:
    attempt = "" if line.epoch is None else f"attempt {line.epoch}"
    price = line.on_demand_usd
    return (
        Cell(line.what),
        Cell(words(line.stage or numbers.NOTHING), note=attempt),
        Cell(line.instance_type or numbers.NOTHING, note=line.purchase or ""),
        Cell(numbers.duration(line.seconds) if line.seconds else numbers.NOTHING),
        Cell(numbers.usd(line.usd)),
        Cell(numbers.NOTHING if price is None else numbers.usd(price)),
        Cell("yes") if line.settled else Cell("estimate", tone="warn"),
    )


def provenance(report: Report) -> Section:
    p, s = report.provenance, report.sequencing
    unknown = "unknown"
    made_of = Facts(
        (
            ("Porewatch", p.porewatch_version),
            ("Tools", ", ".join(f"{k} {v}" for k, v in sorted(p.tools.items())) or unknown),
            ("References", p.bundle + (" (SYNTHETIC)" if p.bundle_synthetic else "")),
            ("References, SHA-256", p.bundle_sha256),
            ("List", f"{p.panel}, version {p.panel_version}"),
            ("Manifest, SHA-256", p.manifest_sha256),
            ("Parameters, SHA-256", p.parameters_sha256),
            ("Basecalling", p.basecalling),
            ("Instrument", s.instrument or unknown),
            ("Flow cell", s.flow_cell or unknown),
            ("Kit", s.kit or unknown),
            ("Basecalling model", s.basecall_model or unknown),
            ("Sequencing began", numbers.moment(s.started_at) if s.started_at else unknown),
            ("Acquisition", s.acquisition_id or unknown),
        )
    )
    parts = (
        Section("parameters", "Parameters", (_parameters(report),)),
        Section("inputs", "Input files", (_inputs(report),)),
    )
    return Section("provenance", "Provenance", (made_of,), parts)


def _parameters(report: Report) -> Facts:
    """Every number that changes an answer."""
    values = report.provenance.parameters.model_dump(mode="json")
    return Facts(tuple((words(name), f"{value:,}") for name, value in values.items()))


def _inputs(report: Report) -> Table:
    return Table(
        caption="Files this report rests on",
        columns=(
            Column("File", width=2.4, code=True),
            Column("Barcode", width=0.9),
            Column("Bytes", number=True, width=1),
            Column("SHA-256", width=3.4, code=True),
        ),
        rows=tuple(
            (
                Cell(f.path),
                Cell(f.barcode or numbers.NOTHING),
                Cell(numbers.count(f.size)),
                Cell(f.sha256 or "not given"),
            )
            for f in report.inputs
        ),
    )
