"""The one base of every model that crosses an edge: frozen, strict to write, tolerant to read.

Functions and machine images are not replaced in one moment: for a while a stack one version ahead
talks to the image before it, and the other way round. So a field that a reader does not know is
passed over, while code that makes a model with a field that it does not have is a defect.
Documents that people write are read with `model_validate_json(..., extra="forbid")`: there an
unknown field is a misspelt one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from porewatch.domain.bounds import MOST_COUNT, moment

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Model(BaseModel):
    """Immutable, equal by value. Reading (`model_validate*`) ignores unknown fields; making one
    (`Model(...)`) refuses them with a TypeError."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        # A published schema says what we write, and that has no field beside these.
        json_schema_extra={"additionalProperties": False},
    )

    def __init__(self, /, **fields: Any) -> None:
        known = type(self).model_fields
        if unknown := [name for name in fields if name not in known]:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(sorted(unknown))}")
        super().__init__(**fields)

    # Without this mark pydantic would call `__init__` when it reads, too.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def canonical_json(self, *without: str, as_read: bool = False) -> str:
        """JSON with sorted keys and no blanks: equal models give equal text. `without` fields;
        `as_read`: without fields, too, that were not there when the model was read."""
        fields = self.model_dump(mode="json", exclude=set(without), exclude_unset=as_read)
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))

    def digest(self, *without: str, as_read: bool = False) -> str:
        """SHA-256 of `canonical_json`, in hex."""
        text = self.canonical_json(*without, as_read=as_read)
        return hashlib.sha256(text.encode()).hexdigest()


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

Count = Annotated[int, Field(ge=0, le=MOST_COUNT)]
"""How many there are of something, or which of them: small enough to compute with."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
"""A finite number: JSON cannot write infinity, which `1e999` in a received text becomes."""

Moment = Annotated[datetime, AfterValidator(moment)]
"""A point in time, always in UTC, within the years of `bounds`."""


def wall() -> datetime:
    """The clock of this machine, in UTC."""
    return datetime.now(UTC)


clock: Callable[[], datetime] = wall
"""What `now` reads. Replaced only by simulations, with a clock of their own."""


def now() -> datetime:
    """The time, in UTC."""
    return clock()
