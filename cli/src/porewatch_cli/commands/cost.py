"""Commands about cost: the bill of a run, a forecast, what projects are charged, prices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from porewatch.domain.reasons.catalogue import SOURCE
from porewatch_cli.commands.command import command, group
from porewatch_cli.options import (
    JsonOption,
    LanguageOption,
    ProfileOption,
    RegionOption,
    RevisionOption,
    RunArgument,
    StackOption,
)


class RunUnlessNamed(TyperGroup):
    """`cost RUN` is `cost run RUN`: the verb is optional."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        named = any(name in self.commands for name in args[:1])
        helped = not args or args[0] in ("--help", "-h")
        return super().parse_args(ctx, args if named or helped else ["run", *args])


app = group("Show the bill of a run, or forecast it.", cls=RunUnlessNamed)


@command(
    app,
    "porewatch cost RUN",
    "porewatch cost RUN --load 0.8",
)
def run(
    run: RunArgument,
    revision: RevisionOption = None,
    as_json: JsonOption = False,
    load: Annotated[
        float | None,
        typer.Option(
            "--load", min=0.0, max=1.0, help="load of the instances, for the carbon estimate"
        ),
    ] = None,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show the bill of a run, instance by instance.

    Useful and wasted time, boot, orchestration, reservations, and a carbon estimate.
    """
    from porewatch_cli.runs.cost import show_cost
    from porewatch_cli.stack import find_stack

    show_cost(
        find_stack(stack, profile=profile, region=region),
        run,
        as_json=as_json,
        load=load,
        revision=revision,
    )


@command(
    app,
    "porewatch cost forecast RUN_FOLDER",
    "porewatch cost forecast reads.fastq.gz --region eu-west-1",
    name="forecast",
)
def forecast_path(
    path: Annotated[Path, typer.Argument(help="reads file, folder, or MinKNOW folder")],
    layout: Annotated[str, typer.Option("--layout", help="as for submit")] = "default",
    region: Annotated[
        str | None, typer.Option("--region", help="region of the prices (default: us-east-1)")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Estimate time and cost of a run before submitting it.

    Nothing is uploaded; only file sizes are read.
    """
    from porewatch_cli.runs.cost import show_forecast

    show_forecast(path, layout=layout, region=region, as_json=as_json)


charges = group("What projects are charged for a month, statements, and the facility's rates.")
prices = group("Show or refresh the price snapshot.")

MonthOption = Annotated[
    str | None, typer.Option("--month", metavar="YYYY-MM", help="in UTC (default: this one)")
]
CsvOption = Annotated[Path | None, typer.Option("--csv", help="write a table for spreadsheets")]


@command(
    charges, "porewatch charges month", "porewatch charges month --month 2026-11 --csv nov.csv"
)
def month(
    month: MonthOption = None,
    csv: CsvOption = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show what each project is charged: settled bills, at the facility's rates."""
    from porewatch_cli.money.charges import show_month
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    show_month(chosen, month, csv, as_json=as_json)


@command(
    charges,
    "porewatch charges statement p-abcdefghijklmnop --month 2026-11 --pdf herd-7.pdf",
    "porewatch charges statement default --csv default.csv",
)
def statement(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="the project's id")],
    month: MonthOption = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="write the statement")] = None,
    csv: CsvOption = None,
    language: LanguageOption = SOURCE,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show what a project is charged for a month, and its runs."""
    from porewatch_cli.money.charges import show_statement
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    show_statement(chosen, project, month, pdf=pdf, csv=csv, language=language, as_json=as_json)


@command(
    charges,
    "porewatch charges rates",
    "porewatch charges rates --from 2027-01 --markup 15 --sample 35",
)
def rates(
    from_month: Annotated[
        str | None,
        typer.Option("--from", metavar="YYYY-MM", help="set rates: those given, from this month"),
    ] = None,
    markup: Annotated[float, typer.Option(min=0, help="percent on what machines cost")] = 0.0,
    report: Annotated[float, typer.Option(min=0, help="USD for each report")] = 0.0,
    sample: Annotated[float, typer.Option(min=0, help="USD for each sample")] = 0.0,
    gigabase: Annotated[float, typer.Option(min=0, help="USD for 10^9 bases")] = 0.0,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show the rates, or set those from a month on."""
    from porewatch.domain.base import now
    from porewatch.domain.money.charges import Rates
    from porewatch.domain.people.principal import OPERATOR
    from porewatch_cli.money import charges as shown
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    if from_month is None:
        shown.show_rates(chosen, as_json=as_json)
        return
    asked = Rates(
        from_month=from_month,
        markup_percent=markup,
        report_usd=report,
        sample_usd=sample,
        gigabase_usd=gigabase,
        by=OPERATOR.name,
        at=now(),
    )
    shown.set_rates(chosen, asked, as_json=as_json)


@command(prices, "porewatch prices show", "porewatch prices show --region eu-west-1", name="show")
def show_snapshot(
    region: Annotated[
        str | None, typer.Option("--region", help="region of the prices (default: us-east-1)")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the prices for bills of a region."""
    from porewatch_cli.operate.prices import show_prices

    show_prices(region, as_json=as_json)


@command(prices, "porewatch prices refresh --region eu-west-1 --profile laboratory", name="refresh")
def refresh_snapshot(
    region: Annotated[
        str | None, typer.Option("--region", help="region of the prices (default: us-east-1)")
    ] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="AWS profile")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="default: the snapshot in this checkout")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Refresh the snapshot with the current prices of AWS.

    List prices, and spot prices of the last day. Commit the file and deploy: bills cite it.
    """
    from porewatch_cli.operate.prices import refresh_prices

    refresh_prices(region, profile=profile, out=out, as_json=as_json)
