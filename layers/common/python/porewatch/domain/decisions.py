"""What is done about an error, and whose fault it is. Pure."""

from __future__ import annotations

from enum import StrEnum

from porewatch.domain import errors
from porewatch.domain.base import Model
from porewatch.domain.errors import PorewatchError, Refused

MAX_ERRORS = 2
"""Retries of a stage after real errors."""
MAX_WAITS = 12
"""Times a stage waits for a machine (about two hours in all)."""
MAX_INTERRUPTIONS = 20
"""Interruptions a stage survives."""
LONGEST_WAIT_S = 900
AGAIN_AFTER_S = 5


class Kind(StrEnum):
    """Each kind has a counter of its own, so that none uses up another's retries."""

    INTERRUPTION = "interruption"
    WAIT = "wait"
    ERROR = "error"
    REFUSED = "refused"


class Decision(Model):
    """`wait_seconds` only matters when `retry`; `reason` is one sentence for a person."""

    retry: bool
    reason: str
    wait_seconds: int = 0


WAITS = (
    errors.CapacityUnavailable,
    errors.QuotaExceeded,
    errors.Throttled,
    errors.LaunchUnknown,
)


def class_of(name: str) -> type[PorewatchError] | None:
    """The class of our error tree with this name, or None."""
    found = getattr(errors, name, None)
    known = isinstance(found, type) and issubclass(found, PorewatchError)
    return found if known else None


def kind_of(error: str) -> Kind:
    """How an error, known by its class name, counts. Unknown names count as errors."""
    cls = class_of(error)
    if cls is None:
        return Kind.ERROR
    if issubclass(cls, errors.SpotInterrupted):
        return Kind.INTERRUPTION
    if issubclass(cls, WAITS):
        return Kind.WAIT
    return Kind.REFUSED if issubclass(cls, Refused) else Kind.ERROR


def decide(error: str, *, errors_so_far: int, waits: int, interruptions: int) -> Decision:
    """Retry or give up, with this failure already counted in the numbers."""
    match kind_of(error):
        case Kind.REFUSED:
            return Decision(retry=False, reason=f"{error} cannot be mended by trying again.")
        case Kind.INTERRUPTION:
            return _within(interruptions, MAX_INTERRUPTIONS, "interruption", AGAIN_AFTER_S)
        case Kind.WAIT:
            pause = min(LONGEST_WAIT_S, 30 * 2 ** max(0, waits - 1))
            return _within(waits, MAX_WAITS, "wait for a machine", pause)
        case Kind.ERROR:
            return _within(errors_so_far, MAX_ERRORS, "error", AGAIN_AFTER_S)


def _within(count: int, limit: int, what: str, wait: int) -> Decision:
    if count > limit:
        return Decision(retry=False, reason=f"{what} number {count}: {limit} are allowed.")
    return Decision(retry=True, reason=f"{what} {count} of at most {limit}.", wait_seconds=wait)


def input_is_to_blame(error: str) -> bool:
    """True when the sender must mend something: the run is then REFUSED, not FAILED."""
    cls = class_of(error)
    ours = (errors.ConfigurationRefused, errors.BudgetExceeded, errors.MessageRefused)
    return cls is not None and issubclass(cls, Refused) and not issubclass(cls, ours)
