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
from porewatch_worker.report.speech import named, retold, say, words
from porewatch_worker.report.trust import trust_sections


def cost_columns() -> tuple[Column, ...]:
    return (
        Column(say("head.what"), width=2.4),
        Column(say("head.stage"), width=1.5),
        Column(say("head.machine"), width=1.7),
        Column(say("head.time"), number=True, width=1.2),
        Column(say("head.cost"), number=True, width=1.2),
        Column(say("head.on_demand"), number=True, width=1.5),
        Column(say("head.settled"), width=0.9),
    )


def share_columns() -> tuple[Column, ...]:
    return (
        Column(say("head.for"), width=3.2),
        Column(say("head.cost"), number=True, width=1.2),
        Column(say("head.share"), number=True, width=1.0),
    )


def record_sections(report: Report) -> tuple[Section, ...]:
    made = (phases(report), timeline(report), cost(report), provenance(report))
    return (*made, *trust_sections(report))


def phases(report: Report) -> Section:
    alt = say("phases.alt")
    blocks: list[Block] = []
    if report.phases:
        figure = Figure(
            plots.phases_in_time(report.phases, label=alt),
            say("phases.figure"),
            alt,
        )
        blocks.append(Figures((figure,)))
    blocks.append(
        Table(
            caption=say("phases.caption"),
            columns=(
                Column(say("head.phase"), width=1.4),
                Column(say("head.status"), width=1.5),
                Column(say("head.began"), width=1.9),
                Column(say("head.took"), number=True, width=1),
                Column(say("head.counts"), width=3.4),
            ),
            rows=tuple(_phase_row(record) for record in report.phases),
            empty=say("phases.none"),
        )
    )
    return Section("phases", say("phases.title"), tuple(blocks))


def _phase_row(record: PhaseRecord) -> tuple[Cell, ...]:
    seconds = (record.finished_at - record.started_at).total_seconds()
    counts = say("list.joint").join(
        f"{named('counted', k)} {numbers.count(n)}" for k, n in sorted(record.counts.items())
    )
    tools = ", ".join(f"{name} {version}" for name, version in sorted(record.tools.items()))
    ran = record.status == "completed"
    return (
        Cell(named("phase", record.phase.value), note=retold(record.backend)),
        Cell(
            named("status", record.status),
            note=retold(record.reason),
            tone="good" if ran else "plain",
        ),
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
            Cell(retold(words(entry.what))),
            Cell(retold(entry.detail) or numbers.NOTHING),
        )
        for entry in ordered
    )
    table = Table(
        caption=say("timeline.caption"),
        columns=(
            Column(say("head.moment"), width=1.9),
            Column(say("head.elapsed"), number=True, width=1.1),
            Column(say("head.what"), width=1.6),
            Column(say("head.detail"), width=4),
        ),
        rows=rows,
        empty=say("timeline.none"),
    )
    return Section("timeline", say("timeline.title"), (table,))


def cost(report: Report) -> Section:
    if report.bill is None:
        blocks: tuple[Block, ...] = (Prose(say("cost.none")),)
    else:
        blocks = (
            shares_table(report.bill),
            cost_table(report.bill),
            Prose(retold(report.bill.remark)),
        )
    return Section("cost", say("cost.title"), blocks)


def shares_table(bill: Bill) -> Table:
    """Where the money went, and what spot machines saved."""
    parts = (
        ("useful", bill.useful_usd),
        ("wasted", bill.wasted_usd),
        ("boot", bill.boot_usd),
        ("orchestration", bill.orchestration_usd),
        ("files", bill.files_usd),
    )
    lost = numbers.plural(bill.interruptions, "interruption")
    known = [(what, usd) for what, usd in parts if usd is not None]
    rows = tuple(
        (
            Cell(say(f"cost.{what}"), note=say(f"cost.{what}_note", lost=lost)),
            Cell(numbers.usd(usd)),
            Cell(numbers.share(usd, bill.total_usd)),
        )
        for what, usd in known
    )
    total = (Cell(say("cost.total")), Cell(numbers.usd(bill.total_usd)), Cell(""))
    return Table(
        caption=say("cost.shares", more=numbers.usd(bill.saved_usd)),
        columns=share_columns(),
        rows=rows,
        empty=say("cost.no_machine"),
        total=total if rows else (),
    )


def cost_table(bill: Bill) -> Table:
    blank = Cell("")
    total = (
        Cell(say("cost.total"), note=say("cost.as_of", at=numbers.moment(bill.as_of))),
        blank,
        blank,
        Cell(numbers.duration(sum(line.seconds for line in bill.lines))),
        Cell(numbers.usd(bill.total_usd)),
        Cell("", note=say("cost.saved", usd=numbers.usd(bill.saved_usd))),
        blank,
    )
    return Table(
        caption=say("cost.caption", prices=retold(bill.price_snapshot)),
        columns=cost_columns(),
        rows=tuple(_cost_row(line) for line in bill.lines),
        empty=say("cost.no_stage"),
        total=total,
    )


def _cost_row(line: CostLine) -> tuple[Cell, ...]:
    attempt = "" if line.epoch is None else say("cost.attempt", n=line.epoch)
    price = line.on_demand_usd
    return (
        Cell(named("cost.line", line.what)),
        Cell(named("stage", line.stage or numbers.NOTHING), note=attempt),
        Cell(line.instance_type or numbers.NOTHING, note=named("purchase", line.purchase or "")),
        Cell(numbers.duration(line.seconds) if line.seconds else numbers.NOTHING),
        Cell(numbers.usd(line.usd)),
        Cell(numbers.NOTHING if price is None else numbers.usd(price)),
        Cell(say("word.yes")) if line.settled else Cell(say("cost.estimate"), tone="warn"),
    )


def provenance(report: Report) -> Section:
    p, s = report.provenance, report.sequencing
    unknown = say("word.unknown")
    made_of = Facts(
        (
            ("Porewatch", p.porewatch_version),
            (
                say("head.tools"),
                ", ".join(f"{k} {v}" for k, v in sorted(p.tools.items())) or unknown,
            ),
            (say("head.references"), p.bundle + (" (SYNTHETIC)" if p.bundle_synthetic else "")),
            (say("head.references_sha"), p.bundle_sha256),
            (say("head.list"), say("fact.list", name=retold(p.panel), version=p.panel_version)),
            (say("head.list_sha"), p.panel_sha256 or unknown),
            (say("head.manifest_sha"), p.manifest_sha256),
            (say("head.parameters_sha"), p.parameters_sha256),
            (say("head.basecalling"), retold(p.basecalling)),
            (say("head.instrument"), s.instrument or unknown),
            (say("head.flow_cell"), s.flow_cell or unknown),
            (say("head.kit"), s.kit or unknown),
            (say("head.model"), s.basecall_model or unknown),
            (
                say("head.sequencing_began"),
                numbers.moment(s.started_at) if s.started_at else unknown,
            ),
            (say("head.acquisition"), s.acquisition_id or unknown),
        )
    )
    parts = (
        Section("parameters", say("parameters.title"), (_parameters(report),)),
        Section("inputs", say("inputs.title"), (_inputs(report),)),
    )
    return Section("provenance", say("provenance.title"), (made_of,), parts)


def _parameters(report: Report) -> Facts:
    """Every number that changes an answer."""
    values = report.provenance.parameters.model_dump(mode="json")
    return Facts(tuple((named("parameter", name), f"{value:,}") for name, value in values.items()))


def _inputs(report: Report) -> Table:
    return Table(
        caption=say("inputs.caption"),
        columns=(
            Column(say("head.file"), width=2.4, code=True),
            Column(say("head.barcode"), width=0.9),
            Column(say("head.bytes"), number=True, width=1),
            Column(say("head.sha"), width=3.4, code=True),
        ),
        rows=tuple(
            (
                Cell(f.path),
                Cell(f.barcode or numbers.NOTHING),
                Cell(numbers.count(f.size)),
                Cell(f.sha256 or say("word.not_given")),
            )
            for f in report.inputs
        ),
    )
