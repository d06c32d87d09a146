"""The one base of every model that crosses an edge: frozen, strict about unknown fields."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Model(BaseModel):
    """Immutable, closed to unknown fields, equal by value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def canonical_json(self, *without: str, as_read: bool = False) -> str:
        """JSON with sorted keys and no blanks: equal models give equal text. `without` fields;
        `as_read`: without fields, too, that were not there when the model was read."""
        told = self.model_dump(mode="json", exclude=set(without), exclude_unset=as_read)
        return json.dumps(told, sort_keys=True, separators=(",", ":"))

    def digest(self, *without: str, as_read: bool = False) -> str:
        """SHA-256 of `canonical_json`, in hex."""
        text = self.canonical_json(*without, as_read=as_read)
        return hashlib.sha256(text.encode()).hexdigest()


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


MOST_PROBLEM = 4000
"""Characters of a problem. It is copied into items, messages and mails, which hold 256 to 400 kB
with everything else; a run of many files may have as many faults."""


def _in_few(text: str) -> str:
    if len(text) <= MOST_PROBLEM:
        return text
    return (
        f"{text[: MOST_PROBLEM - 100]} ... ({len(text):,} characters in all; the rest is left out)"
    )


Problem = Annotated[str, AfterValidator(_in_few)]
"""What is wrong and what to do, for a person; cut where it grows with the files of a run."""

Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A point in time, always in UTC."""


def wall() -> datetime:
    """The clock of this machine, in UTC."""
    return datetime.now(UTC)


clock: Callable[[], datetime] = wall
"""What `now` reads. A simulation puts a clock of its own here; nobody else does."""


def now() -> datetime:
    """The time, in UTC."""
    return clock()
