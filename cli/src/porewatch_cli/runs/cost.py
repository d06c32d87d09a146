"""`porewatch cost`: the cost and estimated carbon emissions of a run by instance, and a forecast
before it is submitted."""

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
    """The current bill, what counts against the run's budget, and the reservation of each epoch.

    Until the run has ended, orchestration and files are marked as estimates. `load`: of the
    instances, for the middle of the carbon estimate (None: the default of the table). RunGone for a
    deleted run: `list` shows its cost.
    """
    run = record_of(stack, run_id, revision)
    refuse_gone(run)
    region = stack.session.region_name or HOME_REGION
    prices, factors = price_list(region), carbon_factors(region)
    lines = list(stack.stages.cost_lines(run_id, run.revision))
    if run.manifest_digest and all(line.what != ORCHESTRATION for line in lines):
        sealed = stack.runs.seal_note(run_id, run.revision)
        facts = len(stack.stages.facts(run_id, run.revision))
        activities = activity(stack.stages.of_run(run_id, run.revision), lines, sealed, facts=facts)
        lines += overhead(activities, prices.services, settled=False)
    interruptions = sum(stage.interruptions for stage in stack.stages.of_run(run_id, run.revision))
    bill = make_bill(
        lines,
        prices=(prices.quoted,),
        as_of=run.updated_at,
        interruptions=interruptions,
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
    """Instances, totals, money reserved, settled and released, and the carbon estimate."""
    bill, books, held = bill_of(stack, run_id, load, revision)
    if as_json:
        over = record_of(stack, run_id, revision).state in FINAL_STATES
        fields = bill.model_dump(mode="json")
        print_json(
            {"run_id": run_id, "over": over, **fields, "budget": books, "reservations": held}
        )
        return
    console.print(_instances(bill))
    console.print()
    console.print(_totals(bill, books))
    for part in carbon_parts(bill):
        console.print()
        console.print(part)


def _instances(bill: Bill) -> Table:
    heads = ("seconds", "boot", "useful", "wasted", "USD", "on-demand USD")
    shown = table("cost", "what", "stage", "instance", "purchase", *heads, numeric=heads)
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
    seconds = getattr(line, part)
    return f"{seconds:,.1f}" if seconds else ""


def _totals(bill: Bill, books: Books) -> Table:
    shown = table("breakdown", "", "USD", numeric=("USD",))
    parts = {
        "useful work": bill.useful_usd,
        f"wasted work ({plural(bill.interruptions, 'interruption')})": bill.wasted_usd,
        "starting instances": bill.boot_usd,
        "orchestration": bill.orchestration_usd,
        "files": bill.files_usd,
        "total": bill.total_usd,
        "saved against on-demand": bill.saved_usd,
        "reserved before launches": books.reserved_usd,
        "  of that settled": books.settled_usd,
        "  released": books.released_usd,
        "  still held": books.held_usd,
    }
    for what, usd in parts.items():
        style = "bold" if what == "total" else ""
        shown.add_row(Text(what, style=style), "" if usd is None else Text(f"{usd:.6f}", style))
    return shown


def show_forecast(path: Path, *, layout: str, region: str | None, as_json: bool) -> None:
    """Forecast the cost of a run of these files, from their names and sizes alone."""
    files = [input_file(name, file.stat().st_size) for name, file in find(path).reads.items()]
    estimate = forecast(
        profile_named(layout), size_of(files, {}), files, price_list(region or HOME_REGION)
    )
    if as_json:
        print_json(estimate)
    else:
        _print_forecast(estimate)


def _print_forecast(estimate: Forecast) -> None:
    heads = ("minutes", "spot USD", "on-demand USD")
    numeric = tuple(f"{head} {which}" for head in heads for which in ("low", "likely", "high"))
    shown = table(f"forecast: {_size_text(estimate.size)}", "stage", *numeric, numeric=numeric)
    for stage in estimate.stages:
        shown.add_row(
            stage.stage,
            *(f"{seconds / 60:,.0f}" for seconds in stage.seconds),
            *(f"{usd:.4f}" for usd in (*stage.spot_usd, *stage.on_demand_usd)),
        )
    for what, usd in (("orchestration", estimate.orchestration_usd), ("files", estimate.files_usd)):
        shown.add_row(what, "", "", "", *([f"{usd:.4f}"] * 6))
    shown.add_section()
    total = (*estimate.spot_usd, *estimate.on_demand_usd)
    shown.add_row(Text("total", style="bold"), "", "", "", *(f"{usd:.4f}" for usd in total))
    console.print(shown)
    console.print(
        f"at most {estimate.reserved_usd:.2f} USD would be reserved at a time (high estimate, "
        f"on-demand, most expensive type). Prices: {estimate.price_snapshot}.",
    )


def _size_text(size: InputSize) -> str:
    files = plural(size.files, "file")
    return f"{files}, {size.bytes / 1e6:,.1f} MB, about {size.bases / 1e6:,.1f} Mb"
