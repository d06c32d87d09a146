"""`porewatch prices`: show the price snapshot, or refresh it from AWS."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from porewatch.compute.price_table import (
    HOME_REGION,
    price_list,
    snapshot,
)
from porewatch.domain.base import now
from porewatch_cli.operate.price_source import query_prices
from porewatch_cli.terminal import console, print_json, table

USD_AN_HOUR = ("on-demand, USD an hour", "spot, USD an hour")
PRICING_REGION = "us-east-1"
"""The Price List service has endpoints in few regions, with prices of all."""


def shipped() -> Path:
    """The snapshot in this checkout."""
    return Path(str(files("porewatch.compute").joinpath("prices.json")))


def show_prices(region: str | None, *, as_json: bool) -> None:
    """Print the prices for bills of a region."""
    listed = price_list(region or HOME_REGION)
    if as_json:
        print_json({"snapshot": listed.snapshot, **listed.model_dump(mode="json")})
        return
    console.print(f"{listed.snapshot}; {listed.source}. {listed.remark}")
    shown = table("", "type", *USD_AN_HOUR, numeric=USD_AN_HOUR)
    for name, price in listed.types.items():
        shown.add_row(name, f"{price.on_demand:.4f}", f"{price.spot:.4f}")
    console.print(shown)


def refresh_prices(
    region: str | None, *, profile: str | None, out: Path | None, as_json: bool
) -> None:
    """Query AWS, and replace the region's prices in the snapshot."""
    import boto3  # noqa: PLC0415 - showing prices needs no AWS

    region = region or HOME_REGION
    session = boto3.Session(profile_name=profile, region_name=region)
    before = snapshot()
    fresh = query_prices(
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
