"""Prices of instances and services: a dated snapshot (`prices.json`), by region.

`porewatch prices refresh` queries AWS and writes the file; nothing here queries AWS.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from porewatch.domain.forecast.prices import (
    PriceList,
    Snapshot,
)

HOME_REGION = "us-east-1"


@cache
def snapshot() -> Snapshot:
    """The snapshot of this version."""
    text = files("porewatch.compute").joinpath("prices.json").read_text()
    return Snapshot.model_validate_json(text)


@cache
def price_list(region: str = HOME_REGION) -> PriceList:
    """The prices of a region; for one that is not in the snapshot, a marked estimate."""
    return snapshot().of(region)
