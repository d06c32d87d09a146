"""Carbon estimate of the run, from idle instances to full load."""

from __future__ import annotations

from porewatch.domain.money.carbon import Carbon, Grams
from porewatch.domain.money.cost import Bill
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Block, Cell, Column, Prose, Table
from porewatch_worker.report.parts.i18n import say, sentences


def carbon_blocks(bill: Bill) -> tuple[Block, ...]:
    """The table, its method, what it does not cover; empty where no estimate was requested."""
    carbon = bill.carbon
    if carbon is None:
        return ()
    reason = (Prose(say("carbon.reason", reason=sentences(carbon.why)), "warn"),)
    if carbon.total is None:
        return reason
    table = carbon_table(carbon, carbon.total, bill.interruptions)
    method = Prose(say("carbon.method", **_numbers(carbon)))
    return (table, method, *(reason if carbon.why else ()), Prose(say("carbon.left_out")))


def carbon_table(carbon: Carbon, whole: Grams, interruptions: int) -> Table:
    """By use of the instances: one column for idle, one for the stated load, one for full load."""
    rows = _rows(carbon, numbers.plural(interruptions, "interruption"))
    total = _row(Cell(say("cost.total")), whole)
    return Table(
        caption=say("carbon.caption", span=span(whole)),
        columns=carbon_columns(carbon.method.utilisation),
        rows=rows or (total,),
        total=total if rows else (),
    )


def _rows(carbon: Carbon, lost: str) -> tuple[tuple[Cell, ...], ...]:
    parts = {
        "useful": carbon.useful,
        "wasted": carbon.wasted,
        "boot": carbon.boot,
        "files": carbon.files,
    }
    return tuple(
        _row(Cell(say(f"cost.{what}"), note=say(f"cost.{what}_note", lost=lost)), part)
        for what, part in parts.items()
        if part is not None
    )


def _row(head: Cell, part: Grams) -> tuple[Cell, ...]:
    return (head, *(Cell(grams(value)) for value in (part.low, part.middle, part.high)))


def _numbers(carbon: Carbon) -> dict[str, object]:
    """The values in the formula."""
    method = carbon.method
    return {
        "date": method.taken_at.isoformat(),
        "idle": numbers.figure(method.vcpu_idle_w),
        "full": numbers.figure(method.vcpu_full_w),
        "memory": numbers.figure(method.memory_w_per_gib),
        "pue": method.pue,
        "region": carbon.region,
        "kg": numbers.figure(carbon.kg_per_kwh or 0.0),
        "year": carbon.grid_year,
        "load": load_of(method.utilisation),
    }


def grams(value: float) -> str:
    """`1234.5` -> `1.23 kg`."""
    if value >= 1000:
        return f"{numbers.figure(value / 1000)}{numbers.GAP}kg"
    return f"{numbers.figure(value)}{numbers.GAP}g"


def span(whole: Grams) -> str:
    """`37.6 g to 62.8 g`, formatted for the language."""
    return say("number.range", low=grams(whole.low), high=grams(whole.high))


def load_of(utilisation: float) -> str:
    return f"{utilisation:.0%}".replace("%", f"{numbers.GAP}%")


def carbon_columns(utilisation: float) -> tuple[Column, ...]:
    return (
        Column(say("head.for"), width=3.2),
        Column(say("head.idle"), number=True, width=1.2),
        Column(say("head.at_load", load=load_of(utilisation)), number=True, width=1.2),
        Column(say("head.full_load"), number=True, width=1.2),
    )
