"""Tiers as data: what each allows (`tiers.json`)."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, TypeAdapter

from porewatch.domain.base import Model
from porewatch.domain.money.budget import MonthUsd

MonthRuns = Annotated[
    int | None, Field(ge=0, description="runs that begin in a calendar month (UTC)")
]
"""None: no limit."""


class TierName(StrEnum):
    FREE = "free"
    PREMIUM = "premium"


class Tier(Model):
    """What a user's runs may be, and how long he can read what came of them. None: no limit."""

    run_gigabytes: Annotated[
        float | None, Field(gt=0, allow_inf_nan=False, description="10^9 bytes of one run")
    ]
    month_runs: MonthRuns
    month_usd: MonthUsd
    results_days: Annotated[
        int | None, Field(ge=1, description="days after a run's end; then results are archived")
    ]
    spot_waits: Annotated[
        int,
        Field(ge=0, description="times a machine waits for spot before one is bought on demand"),
    ]


@cache
def tiers() -> dict[TierName, Tier]:
    """All tiers, by name."""
    text = files("porewatch.domain.tiers").joinpath("tiers.json").read_text("utf-8")
    known = TypeAdapter(dict[TierName, Tier]).validate_json(text)
    return {name: known[name] for name in TierName}
