"""`porewatch prices`: what the snapshot says, and a fresh one from AWS."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import boto3
import typer

from porewatch.compute.price_table import (
    HOME_REGION,
    price_list,
    snapshot,
)
from porewatch.domain.base import now
from porewatch_cli.operate.price_source import ask
from porewatch_cli.options import JsonOption
from porewatch_cli.terminal import console, print_json, speaks_plainly

app = typer.Typer(no_args_is_help=True)
PRICING_REGION = "us-east-1"
"""The Price List service answers in few regions, about all of them."""


def shipped() -> Path:
    """The snapshot in this checkout."""
    return Path(str(files("porewatch.compute").joinpath("prices.json")))


@app.command()
@speaks_plainly
def show(
    region: Annotated[str, typer.Option("--region")] = HOME_REGION, as_json: JsonOption = False
) -> None:
    """The prices that bills of a region are made with."""
    listed = price_list(region)
    if as_json:
        print_json({"snapshot": listed.snapshot, **listed.model_dump(mode="json")})
        return
    console.print(f"{listed.snapshot}; {listed.source}. {listed.remark}")
    for name, price in listed.types.items():
        console.print(f"{name:>16}  {price.on_demand:8.4f}  {price.spot:8.4f}")


@app.command()
@speaks_plainly
def refresh(
    region: Annotated[str, typer.Option("--region", help="whose prices")] = HOME_REGION,
    profile: Annotated[str | None, typer.Option("--profile", help="AWS profile")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="default: the snapshot in this checkout")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask AWS for list prices and the last day's spot prices, and write them with date and source.

    Commit the file and deploy: bills quote it."""
    session = boto3.Session(profile_name=profile, region_name=region)
    before = snapshot()
    fresh = ask(
        region,
        sorted(before.regions[0].types),
        pricing=session.client("pricing", region_name=PRICING_REGION),
        ec2=session.client("ec2"),
        before=before.of(region),
        at=now(),
    )
    target = out or shipped()
    kept = before.replaced(fresh)
    target.write_text(json.dumps(kept.model_dump(mode="json"), indent=2) + "\n", "utf-8")
    if as_json:
        print_json({"snapshot": fresh.snapshot, "file": str(target), "remark": fresh.remark})
    else:
        console.print(f"{fresh.snapshot} -> {target}. {fresh.remark}")
