"""What is done about an error, and whose fault it is. Pure.

Every error that can end an epoch has a row in `MEANINGS` (docs/errors.md shows them as a
table): how it counts, and under which names the catalogues say what happened and what helps.
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
from porewatch.domain.reasons.catalogue import SOURCE, catalogue
from porewatch.domain.reasons.reason import Reason, RunCode, because

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
    """`wait_seconds` only matters when `retry`."""

    retry: bool
    why: Reason
    wait_seconds: int = 0

    @property
    def reason(self) -> str:
        """`why` in English."""
        return self.why.text()


class Meaning(NamedTuple):
    """A row of `MEANINGS`. `name`: of the error; the catalogues say under it what happened.
    `helps`: under which name they say what helps. `most`: fewer tries than `kind` has; `then`: what
    is done, if it is not what is done about all errors of the kind."""

    name: str
    kind: Kind
    helps: str
    most: int | None = None
    then: RunCode = RunCode.FROM_CHECKPOINT

    @property
    def what(self) -> str:
        """What happened, in English."""
        return catalogue(SOURCE).named("what", self.name)

    @property
    def remedy(self) -> str:
        """What helps, in English, once nothing more is tried."""
        return catalogue(SOURCE).named("remedy", self.helps)


_SEND, _LOOK, _AGAIN = "correct_and_seal", "worker_log", "aws_outage"
_ROWS = (
    Meaning("SpotInterrupted", Kind.INTERRUPTION, "SpotInterrupted"),
    Meaning("CapacityUnavailable", Kind.WAIT, "CapacityUnavailable"),
    Meaning("QuotaExceeded", Kind.WAIT, "QuotaExceeded"),
    Meaning("Throttled", Kind.WAIT, _AGAIN),
    Meaning("LaunchUnknown", Kind.WAIT, _AGAIN),
    Meaning("NotShownYet", Kind.WAIT, "NotShownYet", MAX_WAITS_FOR_A_DEPLOY),
    Meaning("Unavailable", Kind.WAIT, _AGAIN),
    Meaning("DiskFull", Kind.ERROR, "DiskFull", then=RunCode.WITH_TWICE_THE_DISK),
    Meaning("WorkerLost", Kind.ERROR, "logs"),
    Meaning("WorkerFailed", Kind.ERROR, _LOOK),
    Meaning("Conflict", Kind.ERROR, "logs"),
    Meaning("States.Timeout", Kind.ERROR, _LOOK),
    Meaning("Lambda.", Kind.ERROR, _AGAIN),
    Meaning("Refused", Kind.REFUSED, _SEND),
    Meaning("NoReadsLeft", Kind.REFUSED, "NoReadsLeft"),
    Meaning("BasecallerMissing", Kind.REFUSED, "BasecallerMissing"),
    Meaning("BundleRefused", Kind.REFUSED, "BundleRefused"),
    Meaning("BudgetExceeded", Kind.REFUSED, "BudgetExceeded"),
    Meaning("ConfigurationRefused", Kind.REFUSED, "ConfigurationRefused"),
    Meaning("NotFound", Kind.REFUSED, "doctor"),
    Meaning("MessageRefused", Kind.REFUSED, _LOOK),
)
MEANINGS = {row.name: row for row in _ROWS}
"""By class of `domain.errors` (what is not named counts as its base), or by Step Functions' own
name or its beginning."""
UNFORESEEN = Meaning("unforeseen", Kind.ERROR, _LOOK)


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
            return _given_up(because(RunCode.CANNOT_HELP, **_of(row)))
        case Kind.INTERRUPTION:
            return _within(row, interruptions, MAX_INTERRUPTIONS, because(row.then), AGAIN_AFTER_S)
        case Kind.WAIT:
            pause = _spread(_pause(error, waits), seed)
            return _within(row, waits, row.most or MAX_WAITS, _asked_again(pause), pause)
        case Kind.ERROR:
            return _within(row, errors_so_far, MAX_ERRORS, because(row.then), AGAIN_AFTER_S)


def _pause(error: str, waits: int) -> int:
    first = FIRST_WAIT_FOR_QUOTA_S if error == "QuotaExceeded" else FIRST_WAIT_S
    return int(min(LONGEST_WAIT_S, first * 2 ** max(0, waits - 1)))


def _spread(seconds: int, seed: str) -> int:
    """A time near `seconds` that follows from the seed."""
    drawn = int(hashlib.sha256(seed.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return round(seconds * (1 - JITTER + 2 * JITTER * drawn))


def _asked_again(seconds: int) -> Reason:
    if seconds < 120:
        return because(RunCode.ASKED_AGAIN_SECONDS, n=seconds)
    return because(RunCode.ASKED_AGAIN_MINUTES, n=round(seconds / 60))


def _of(row: Meaning) -> dict[str, str]:
    return {"error": row.name, "remedy": row.helps}


def _within(row: Meaning, count: int, limit: int, then: Reason, wait: int) -> Decision:
    tries: dict[str, int | str] = {"kind": row.kind.value, "n": count, "most": limit}
    if count > limit:
        return _given_up(because(RunCode.GIVEN_UP, **_of(row), **tries))
    why = because(RunCode.RETRY, error=row.name, **tries, then=then)
    return Decision(retry=True, why=why, wait_seconds=wait)


def _given_up(why: Reason) -> Decision:
    return Decision(retry=False, why=why)


def input_is_to_blame(error: str) -> bool:
    """True when the sender must correct something: the run is then REFUSED, not FAILED.

    >>> input_is_to_blame('SampleSheetRefused'), input_is_to_blame('WorkerLost')
    (True, False)
    """
    cls = class_of(error)
    ours = (errors.ConfigurationRefused, errors.BudgetExceeded, errors.MessageRefused)
    return cls is not None and issubclass(cls, Refused) and not issubclass(cls, ours)
