"""Refusals as a run's record, its facts and answers to programs carry them: by code."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.errors import PorewatchError, SeveralRefused
from porewatch.domain.reasons.reason import Reason, Value

MOST_REFUSALS = 20
"""Refusals that are kept of one error: a run of many files may have as many."""
LONGEST_VALUE = 200
"""Characters of a value: a cell of a sheet may be as long as the sheet."""


class Refusal(Model):
    """One thing that is wrong. docs/reference/refusal-codes.md lists the codes."""

    code: str
    values: Annotated[dict[str, Value], Field(description="what fills the code's places")] = {}
    file: str | None = None
    record: Annotated[int | None, Field(description="1-based number in the file")] = None
    line: Annotated[int | None, Field(description="1-based number in the file")] = None
    column: Annotated[str | None, Field(description="its heading")] = None


def refusals_of(error: PorewatchError) -> tuple[Refusal, ...]:
    """Each thing that an error says is wrong, the first `MOST_REFUSALS`."""
    faults = error.faults if isinstance(error, SeveralRefused) else (error,)
    return tuple(map(_refusal, faults[:MOST_REFUSALS]))


def _refusal(error: PorewatchError) -> Refusal:
    values = error.why.values if isinstance(error.why, Reason) else None
    return Refusal(
        code=error.code,
        values={name: _in_few(value) for name, value in (values or {}).items()},
        file=error.file,
        record=error.record,
        line=error.line,
        column=error.column,
    )


def _in_few(value: Value) -> Value:
    return value[:LONGEST_VALUE] if isinstance(value, str) else value
