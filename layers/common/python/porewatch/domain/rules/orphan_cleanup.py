"""What the reaper is asked, and what it answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.rules.orphans import (
    Found,
    Kill,
)


class Reap(Model):
    """`instance_id`: only this machine, whose expiry has come. `kills`: how many of the last ends
    are wanted in the answer."""

    dry: bool = False
    instance_id: str = ""
    kills: Annotated[int, Field(ge=0, le=1000)] = 0


class Reaped(Model):
    """Everything that is left over or unknown, and the last ends, newest first."""

    dry: bool
    found: tuple[Found, ...]
    kills: tuple[Kill, ...] = ()
