"""What machines draw and what a region's electricity emits: the dated table beside this
(`carbon.json`). Nobody is asked; each number's source and year stand in the file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from porewatch.domain.money.carbon import (
    CarbonTable,
    Factors,
)


@cache
def carbon_table() -> CarbonTable:
    """The table that came with this version."""
    text = files("porewatch.compute").joinpath("carbon.json").read_text()
    return CarbonTable.model_validate_json(text)


@cache
def carbon_factors(region: str) -> Factors:
    """The factors of a region; of one whose electricity is not known, without a grid."""
    return carbon_table().of(region)
