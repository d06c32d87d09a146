"""Commands about the price snapshot: show or refresh it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from porewatch_cli.commands.command import command, group
from porewatch_cli.options import JsonOption

app = group("Show or refresh the price snapshot.")


@command(app, "porewatch prices show", "porewatch prices show --region eu-west-1")
def show(
    region: Annotated[
        str | None, typer.Option("--region", help="region of the prices (default: us-east-1)")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the prices for bills of a region."""
    from porewatch_cli.operate.prices import show_prices

    show_prices(region, as_json=as_json)


@command(app, "porewatch prices refresh --region eu-west-1 --profile laboratory")
def refresh(
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
