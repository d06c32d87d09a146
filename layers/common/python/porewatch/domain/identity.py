"""Whose report it is: the laboratory, its client, and the animal that a sample comes from."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from porewatch.domain.labels import Label
from porewatch.domain.manifest_part import ManifestPart

EARLIEST, LATEST = 1950, 2199
"""Years; outside them a digit slipped."""


def day(value: Any) -> date:
    """A calendar day, `2026-11-28`. Raises ValueError; a number of seconds is no day."""
    if isinstance(value, date):
        found = date(value.year, value.month, value.day)
    elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
        found = date.fromisoformat(value.strip())
    else:
        raise ValueError("it is not a day; write it as 2026-11-28.")
    if not EARLIEST <= found.year <= LATEST:
        raise ValueError(f"the year {found.year} cannot be meant.")
    return found


Day = Annotated[date, BeforeValidator(day)]


class Laboratory(ManifestPart):
    """The head of a report, as `lab.toml` gives it. Every line is optional."""

    laboratory: Annotated[Label | None, Field(description="name of the laboratory")] = None
    address: Annotated[
        tuple[Label, ...], Field(max_length=6, description="its address, line by line")
    ] = ()
    contact: Annotated[Label | None, Field(description="who answers questions, and how")] = None
    client: Annotated[Label | None, Field(description="for whom the run was made")] = None
    project: Annotated[Label | None, Field(description="the client's order or study")] = None
    requester: Annotated[Label | None, Field(description="who asked for the screen")] = None
    analyst: Annotated[Label | None, Field(description="who made the run")] = None
