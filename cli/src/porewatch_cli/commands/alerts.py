"""Commands about alerts: list those that wait for an acknowledgement, and acknowledge one."""

from __future__ import annotations

from typing import Annotated

import typer

from porewatch_cli.commands.command import command
from porewatch_cli.options import JsonOption, ProfileOption, RegionOption, RunArgument, StackOption

app = typer.Typer()


@command(
    app,
    "porewatch alerts",
    "porewatch alerts --run RUN --all",
)
def alerts(
    run: Annotated[str | None, typer.Option("--run", help="only of this run")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="acknowledged and withdrawn ones as well")
    ] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """List alerts that wait for an acknowledgement, oldest first."""
    from porewatch_cli.runs import alerts as found
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    found.show(chosen, run, every=every, as_json=as_json)


@command(
    app,
    'porewatch ack RUN SAMPLE CODE --name "K. Sato" --note "repeat ordered"',
)
def ack(
    run: RunArgument,
    sample: Annotated[str, typer.Argument(metavar="SAMPLE", help="the sample's name")],
    code: Annotated[str, typer.Argument(metavar="CODE", help="the code of the alert")],
    name: Annotated[str, typer.Option("--name", help="who reviewed it")],
    note: Annotated[str, typer.Option("--note", help="what was decided")] = "",
    revision: Annotated[
        int | None, typer.Option("--revision", help="default: the latest with such an alert")
    ] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Acknowledge an alert.

    Stops its escalation.
    """
    from porewatch.domain.facts.alerts import Acknowledge
    from porewatch_cli.runs import alerts as found
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    order = Acknowledge(
        run_id=run, sample=sample, code=code, name=name, note=note, revision=revision
    )
    found.close(chosen, order, as_json=as_json)
