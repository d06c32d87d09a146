"""What machines and services cost: the dated snapshot beside this (`prices.json`), by region.

`porewatch prices refresh` asks AWS and writes the file anew; nothing here asks anybody.
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
    """The snapshot that came with this version."""
    text = files("porewatch.compute").joinpath("prices.json").read_text()
    return Snapshot.model_validate_json(text)


@cache
def price_list(region: str = HOME_REGION) -> PriceList:
    """The prices of a region; of one that is not in the snapshot, an estimate that says so."""
    return snapshot().of(region)
