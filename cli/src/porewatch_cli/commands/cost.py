"""Commands about cost: the bill of a run, and a forecast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from porewatch_cli.commands.command import command, group
from porewatch_cli.options import (
    JsonOption,
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
