"""What the run cost: where the money went, and every line of the bill."""

from __future__ import annotations

from porewatch.domain.money.cost import Bill, CostLine
from porewatch.domain.results.report import Report
from porewatch_worker.report.pages.run_record.carbon import carbon_blocks
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Block, Cell, Column, Prose, Section, Table
from porewatch_worker.report.parts.i18n import clauses, named, say, sentences


def cost(report: Report) -> Section:
    if report.bill is None:
        blocks: tuple[Block, ...] = (Prose(say("cost.none")),)
    else:
        blocks = (
            shares_table(report.bill),
            cost_table(report.bill),
            Prose(sentences(report.bill.remarks)),
            *carbon_blocks(report.bill),
        )
    return Section("cost", say("cost.title"), blocks)


def shares_table(bill: Bill) -> Table:
    """Costs by use, and savings by spot instances."""
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
        caption=say("cost.caption", prices=clauses(bill.prices)),
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
