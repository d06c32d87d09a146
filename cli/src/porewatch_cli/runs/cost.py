"""`porewatch cost`: what a run costs and, by estimate, emits, machine by machine; and before
submitting, what it will cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from porewatch.compute.carbon import carbon_factors
from porewatch.compute.estimate import Forecast, forecast
from porewatch.compute.layouts import profile as profile_named
from porewatch.compute.price_table import (
    HOME_REGION,
    price_list,
)
from porewatch.domain.forecast.estimate import (
    InputSize,
    size_of,
)
from porewatch.domain.forecast.service_usage import (
    activity,
    overhead,
)
from porewatch.domain.money.budget import (
    Books,
    Reservation,
)
from porewatch.domain.money.cost import (
    ORCHESTRATION,
    Bill,
    CostLine,
    make_bill,
)
from porewatch.domain.retention.rules import refuse_gone
from porewatch.domain.runs import FINAL_STATES
from porewatch.domain.sealing import input_file
from porewatch_cli.plurals import plural
from porewatch_cli.reports.reports import record_of
from porewatch_cli.runs.carbon import carbon_parts
from porewatch_cli.submit.collect_run import find
from porewatch_cli.terminal import console, print_json, table

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack

PARTS = ("boot_seconds", "useful_seconds", "wasted_seconds")


def bill_of(
    stack: Stack, run_id: str, load: float | None = None, revision: int | None = None
) -> tuple[Bill, Books, tuple[Reservation, ...]]:
    """The bill as it stands, what the run's cap counts, and what is or was held for each epoch.

    Until the run has ended, orchestration and files are an estimate and say so. `load`: of the
    machines, for the middle of the carbon estimate (None: the table's own). RunGone for a deleted
    run: `list` says what it had cost.
    """
    run = record_of(stack, run_id, revision)
    refuse_gone(run)
    region = stack.session.region_name or HOME_REGION
    prices, factors = price_list(region), carbon_factors(region)
    lines = list(stack.stages.cost_lines(run_id, run.revision))
    if run.manifest_digest and all(line.what != ORCHESTRATION for line in lines):
        sealed = stack.runs.seal_note(run_id, run.revision)
        facts = len(stack.stages.facts(run_id, run.revision))
        done = activity(stack.stages.of_run(run_id, run.revision), lines, sealed, facts=facts)
        lines += overhead(done, prices.services, settled=False)
    stops = sum(stage.interruptions for stage in stack.stages.of_run(run_id, run.revision))
    bill = make_bill(
        lines,
        prices=(prices.quoted,),
        as_of=run.updated_at,
        interruptions=stops,
        factors=factors if load is None else factors.at_load(load),
    )
    from porewatch.adapters.ledger.budget import Budget  # noqa: PLC0415 - a forecast needs no AWS

    budget = Budget(stack.table)
    held = tuple(one for one in budget.of_run(run_id, run.revision) if one.epoch)
    return bill, budget.books(run_id, run.revision), held


def show_cost(
    stack: Stack,
    run_id: str,
    *,
    as_json: bool,
    load: float | None = None,
    revision: int | None = None,
) -> None:
    """Machines, totals, money reserved, settled and released, and the estimate of carbon."""
    bill, books, held = bill_of(stack, run_id, load, revision)
    if as_json:
        over = record_of(stack, run_id, revision).state in FINAL_STATES
        told = bill.model_dump(mode="json")
        print_json({"run_id": run_id, "over": over, **told, "budget": books, "reservations": held})
        return
    console.print(_machines(bill))
    console.print()
    console.print(_totals(bill, books))
    for part in carbon_parts(bill):
        console.print()
        console.print(part)


def _machines(bill: Bill) -> Table:
    heads = ("seconds", "boot", "useful", "wasted", "USD", "on-demand USD")
    shown = table("cost", "what", "stage", "machine", "bought as", *heads, numeric=heads)
    for line in bill.lines:
        shown.add_row(
            line.what + ("" if line.settled else " (estimate)"),
            f"{line.stage} e{line.epoch}" if line.stage else Text(line.detail, style="dim"),
            line.instance_type or "",
            line.purchase or "",
            *(_seconds(line, part) for part in ("seconds", *PARTS)),
            f"{line.usd:.6f}",
            f"{line.on_demand_usd:.6f}" if line.on_demand_usd is not None else "",
        )
    return shown


def _seconds(line: CostLine, part: str) -> str:
    told = getattr(line, part)
    return f"{told:,.1f}" if told else ""


def _totals(bill: Bill, books: Books) -> Table:
    shown = table("where it went", "", "USD", numeric=("USD",))
    parts = {
        "useful work": bill.useful_usd,
        f"wasted work ({plural(bill.interruptions, 'interruption')})": bill.wasted_usd,
        "starting machines": bill.boot_usd,
        "orchestration": bill.orchestration_usd,
        "files": bill.files_usd,
        "total": bill.total_usd,
        "saved against on-demand": bill.saved_usd,
        "reserved before launches": books.reserved_usd,
        "  of that settled by a machine": books.settled_usd,
        "  given back": books.released_usd,
        "  still held": books.held_usd,
    }
    for what, usd in parts.items():
        style = "bold" if what == "total" else ""
        shown.add_row(Text(what, style=style), "" if usd is None else Text(f"{usd:.6f}", style))
    return shown


def show_forecast(path: Path, *, layout: str, region: str | None, as_json: bool) -> None:
    """What a run of these files would cost. Only their names and sizes are looked at."""
    files = [input_file(name, file.stat().st_size) for name, file in find(path).reads.items()]
    told = forecast(
        profile_named(layout), size_of(files, {}), files, price_list(region or HOME_REGION)
    )
    if as_json:
        print_json(told)
    else:
        _print_forecast(told)


def _print_forecast(told: Forecast) -> None:
    heads = ("minutes", "spot USD", "on-demand USD")
    numeric = tuple(f"{head} {which}" for head in heads for which in ("low", "likely", "high"))
    shown = table(f"forecast: {_said(told.size)}", "stage", *numeric, numeric=numeric)
    for stage in told.stages:
        shown.add_row(
            stage.stage,
            *(f"{seconds / 60:,.0f}" for seconds in stage.seconds),
            *(f"{usd:.4f}" for usd in (*stage.spot_usd, *stage.on_demand_usd)),
        )
    for what, usd in (("orchestration", told.orchestration_usd), ("files", told.files_usd)):
        shown.add_row(what, "", "", "", *([f"{usd:.4f}"] * 6))
    shown.add_section()
    total = (*told.spot_usd, *told.on_demand_usd)
    shown.add_row(Text("total", style="bold"), "", "", "", *(f"{usd:.4f}" for usd in total))
    console.print(shown)
    console.print(
        f"before launches {told.reserved_usd:.2f} USD would be held at most at a time (high, "
        f"on-demand, dearest type). Prices: {told.price_snapshot}.",
    )


def _said(size: InputSize) -> str:
    files = plural(size.files, "file")
    return f"{files}, {size.bytes / 1e6:,.1f} MB, about {size.bases / 1e6:,.1f} Mb"
