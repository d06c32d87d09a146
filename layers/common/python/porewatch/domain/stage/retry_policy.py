"""What is done about an error, and whose fault it is. Pure.

Every error that can end an epoch has a row in `MEANINGS` (docs/errors.md shows them as a
table): what happened, as a person says it; how it counts; what helps once nothing more is tried.
Refusals of a single rung of the ladder are not here: they lead to the next rung in the same
invocation (`usecases.instances.launch_instance`).
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import NamedTuple

from porewatch.domain import errors
from porewatch.domain.base import Model
from porewatch.domain.errors import PorewatchError, Refused

MAX_ERRORS = 2
"""Retries of a stage after real errors."""
MAX_WAITS = 12
"""Times a stage waits for a machine, or for a service that is away (about two hours in all)."""
MAX_INTERRUPTIONS = 20
"""Interruptions a stage survives."""
MAX_WAITS_FOR_A_DEPLOY = 5
"""Times it waits for what a deploy made (a quarter of an hour in all): AWS shows such things within
seconds, or they were removed."""
FIRST_WAIT_S, FIRST_WAIT_FOR_QUOTA_S, LONGEST_WAIT_S = 30, 120, 900
"""A wait doubles each time. A quota is free again when other machines end: not within seconds."""
JITTER = 0.25
"""Share by which a wait is shorter or longer, so that runs that wait do not ask all at once."""
AGAIN_AFTER_S = 5


class Kind(StrEnum):
    """Each kind has a counter of its own, so that none uses up another's retries."""

    INTERRUPTION = "interruption"
    WAIT = "wait"
    ERROR = "error"
    REFUSED = "refused"


class Decision(Model):
    """`wait_seconds` only matters when `retry`; `reason` is for a person."""

    retry: bool
    reason: str
    wait_seconds: int = 0


class Meaning(NamedTuple):
    """`what` happened, and what helps when it is given up. `most`: fewer tries than `kind` has;
    `then`: what is done, if it is not what is done about all errors of the kind."""

    kind: Kind
    what: str
    remedy: str
    most: int | None = None
    then: str | None = None


_SEND = "correct what is named and seal the run again (porewatch submit)"
_LOOK = "look at the worker's last lines (porewatch logs RUN) and report them as a bug"
_AGAIN = "see whether AWS has an outage in this region, then seal the run again"

MEANINGS: dict[str, Meaning] = {
    "SpotInterrupted": Meaning(
        Kind.INTERRUPTION,
        "the cloud took the machine back",
        "more zones and types in the profile, or on-demand machines",
    ),
    "CapacityUnavailable": Meaning(
        Kind.WAIT,
        "no pool had a machine free",
        "more types in the profile, AWS Batch (WorkerImage), or another time of day",
    ),
    "QuotaExceeded": Meaning(
        Kind.WAIT,
        "a quota of the account stands in the way",
        "porewatch doctor names the quota; ask AWS for more vCPUs",
    ),
    "Throttled": Meaning(Kind.WAIT, "AWS asked us to slow down", _AGAIN),
    "LaunchUnknown": Meaning(Kind.WAIT, "nobody knows whether a machine was launched", _AGAIN),
    "NotShownYet": Meaning(
        Kind.WAIT,
        "what the last deploy made does not show yet",
        "porewatch doctor; deploy again, something of the stack was removed",
        MAX_WAITS_FOR_A_DEPLOY,
    ),
    "Unavailable": Meaning(Kind.WAIT, "a service did not answer", _AGAIN),
    "DiskFull": Meaning(
        Kind.ERROR,
        "the disk was full",
        "a larger disk (disk_gib of the profile)",
        then="another machine with twice the disk goes on from the last checkpoint",
    ),
    "WorkerLost": Meaning(
        Kind.ERROR, "the machine died, went silent or ran out of time", "porewatch logs RUN"
    ),
    "WorkerFailed": Meaning(Kind.ERROR, "the worker stopped on a fault of its own", _LOOK),
    "Conflict": Meaning(Kind.ERROR, "somebody else was first", "porewatch logs RUN"),
    "States.Timeout": Meaning(Kind.ERROR, "a function ran out of time", _LOOK),
    "Lambda.": Meaning(Kind.ERROR, "a function could not be run", _AGAIN),
    "Refused": Meaning(Kind.REFUSED, "the input cannot be used", _SEND),
    "NoReadsLeft": Meaning(
        Kind.REFUSED, "no read was good enough", "sequence again, or send more reads"
    ),
    "BasecallerMissing": Meaning(
        Kind.REFUSED,
        "raw signal was sent, and nothing here calls bases",
        "send basecalled reads, or deploy with Basecalling=enabled",
    ),
    "BundleRefused": Meaning(
        Kind.REFUSED, "the references cannot be used", "porewatch references verify"
    ),
    "BudgetExceeded": Meaning(
        Kind.REFUSED,
        "the next machine could pass the budget",
        "raise RunBudgetUsd or AccountBudgetUsd, then seal the run again: it goes on where it was",
    ),
    "ConfigurationRefused": Meaning(
        Kind.REFUSED, "the stack is set up wrongly", "porewatch doctor; correct it and deploy again"
    ),
    "NotFound": Meaning(Kind.REFUSED, "something that must be there is not", "porewatch doctor"),
    "MessageRefused": Meaning(Kind.REFUSED, "a message has another shape than agreed", _LOOK),
}
"""By class of `domain.errors` (what is not named counts as its base), or by Step Functions' own
name or its beginning."""
UNFORESEEN = Meaning(Kind.ERROR, "something unforeseen happened", _LOOK)


def class_of(name: str) -> type[PorewatchError] | None:
    """The class of our error tree with this name, or None."""
    found = getattr(errors, name, None)
    known = isinstance(found, type) and issubclass(found, PorewatchError)
    return found if known else None


def meaning_of(error: str) -> Meaning:
    """The row of an error, known by its class name or by Step Functions' name."""
    cls = class_of(error)
    if cls is not None:
        rows = (MEANINGS.get(base.__name__) for base in cls.__mro__)
        return next((row for row in rows if row is not None), UNFORESEEN)
    beginning = "Lambda." if error.startswith(("Lambda.", "Runtime.", "Sandbox.")) else error
    return MEANINGS.get(beginning, UNFORESEEN)


def kind_of(error: str) -> Kind:
    """How an error, known by its class name, counts. Unknown names count as errors.

    >>> kind_of('SpotInterrupted').value, kind_of('QuotaExceeded').value, kind_of('KeyError').value
    ('interruption', 'wait', 'error')
    """
    return meaning_of(error).kind


def decide(
    error: str, *, errors_so_far: int, waits: int, interruptions: int, seed: str = ""
) -> Decision:
    """Retry or give up, with this failure already counted in the numbers. Equal seeds wait equally
    long: the same question gets the same answer."""
    row = meaning_of(error)
    match row.kind:
        case Kind.REFUSED:
            return _given_up(row, "trying again cannot help")
        case Kind.INTERRUPTION:
            then = "another machine goes on from the last checkpoint"
            return _within(row, interruptions, MAX_INTERRUPTIONS, then, AGAIN_AFTER_S)
        case Kind.WAIT:
            pause = _spread(_pause(error, waits), seed)
            then = f"all are asked again in {_minutes(pause)}"
            return _within(row, waits, row.most or MAX_WAITS, then, pause)
        case Kind.ERROR:
            then = row.then or "another machine goes on from the last checkpoint"
            return _within(row, errors_so_far, MAX_ERRORS, then, AGAIN_AFTER_S)


def _pause(error: str, waits: int) -> int:
    first = FIRST_WAIT_FOR_QUOTA_S if error == "QuotaExceeded" else FIRST_WAIT_S
    return int(min(LONGEST_WAIT_S, first * 2 ** max(0, waits - 1)))


def _spread(seconds: int, seed: str) -> int:
    """A time near `seconds` that follows from the seed."""
    drawn = int(hashlib.sha256(seed.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return round(seconds * (1 - JITTER + 2 * JITTER * drawn))


def _minutes(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _within(row: Meaning, count: int, limit: int, then: str, wait: int) -> Decision:
    if count > limit:
        return _given_up(row, f"given up, as this was {row.kind} {count} and {limit} are allowed")
    reason = f"{_begun(row.what)} ({row.kind} {count} of at most {limit}): {then}."
    return Decision(retry=True, reason=reason, wait_seconds=wait)


def _given_up(row: Meaning, why: str) -> Decision:
    return Decision(retry=False, reason=f"{_begun(row.what)}: {why}. What helps: {row.remedy}.")


def _begun(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def input_is_to_blame(error: str) -> bool:
    """True when the sender must correct something: the run is then REFUSED, not FAILED.

    >>> input_is_to_blame('SampleSheetRefused'), input_is_to_blame('WorkerLost')
    (True, False)
    """
    cls = class_of(error)
    ours = (errors.ConfigurationRefused, errors.BudgetExceeded, errors.MessageRefused)
    return cls is not None and issubclass(cls, Refused) and not issubclass(cls, ours)
