"""Power draw of instances and carbon intensity of regions: a dated table (`carbon.json`). No
service is queried; the file names source and year of each number."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from porewatch.domain.money.carbon import (
    CarbonTable,
    Factors,
)


@cache
def carbon_table() -> CarbonTable:
    """The table of this version."""
    text = files("porewatch.compute").joinpath("carbon.json").read_text()
    return CarbonTable.model_validate_json(text)


@cache
def carbon_factors(region: str) -> Factors:
    """The factors of a region; without a grid intensity where that is not known."""
    return carbon_table().of(region)
