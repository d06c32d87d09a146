"""Poison units: which failures count against a unit, and when too many have been given up.

A unit has three tries (`QuarantineRules`). Failed tries are counted in the checkpoint's list, by
unit number, before the next one:

    it raised                     counted at once; the stage is reported broken and retried
    the worker died without an orderly stop, and no other reason is recorded
                                  counted by the successor, for each unit announced and not saved

An orderly stop (notice, signal, end) is no failed try, and neither are outages (the `Unavailable`)
or errors of the input (the `Refused`), which end the stage as before: their worker leaves no unit
in flight. Where it could not write that, because S3 was the service it waited for or because it was
reclaimed too soon, the stage's record lists the epoch as blameless, and the successor reads it
there (`StageRecord.blameless`). Only a worker that reaches neither S3 nor the queue counts as dead.

A unit that failed is announced and saved alone, so that a second death is certainly its own, and
its last try runs in a child process: the child dies, and no third instance.

Once a unit was given up, the input is known to be the cause, not the instance: every other unit
that fails has all its tries at once, in child processes; and when the one given up had killed
workers, all later units are computed in child processes. So the stage ends within its retries,
however many units it loses.

Why a healthy unit is not taken for poison: it would have to be hit by two deaths without notice, of
instances that were not reclaimed, with nothing saved in between, and then fail in a child while its
parent survives. Deaths at random moments, `M` seconds apart on the mean, hit a unit of `u` seconds
a second time at once with chance u/M: for one second and ten hours 3 in 100,000, and the child's
failure is then still to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from porewatch.domain.errors import PorewatchError, WorkerFailed
from porewatch.domain.reasons.reason import Code, Reason, because
from porewatch.domain.stage.quarantine import QuarantinedUnit, QuarantineRules, names_of
from porewatch_worker.checkpoint.checkpoint import Checkpoint
from porewatch_worker.checkpoint.index import Tried
from porewatch_worker.full_disk import full_disk
from porewatch_worker.stage.child_process import ChildKilled
from porewatch_worker.stage_work import Lost

LONGEST = 300


def counts(error: Exception, folder: Path) -> bool:
    """Whether an error counts against the unit that raised it. A full disk does not; `folder` is on
    the disk that the units are computed on."""
    if full_disk(error, folder) is not None:
        return False
    return isinstance(error, WorkerFailed) or not isinstance(error, PorewatchError)


def needs_child(number: int, checkpoint: Checkpoint, rules: QuarantineRules) -> bool:
    """Whether a unit is to be computed in a child process."""
    lost, tried = checkpoint.quarantined, checkpoint.tried.get(number)
    if any(unit.killed for unit in lost):
        return True
    return tried is not None and (bool(lost) or tried.count >= rules.tries - 1)


def why(error: Exception) -> Reason:
    """How a try ended, as a reason for the report."""
    if isinstance(error, ChildKilled):
        return because(Code.UNIT_KILLED, signal=error.signal)
    first_line = (str(error).splitlines() or [""])[0]
    text = (
        first_line if isinstance(error, WorkerFailed) else f"{type(error).__name__}: {first_line}"
    )
    return because(Code.UNIT_RAISED, text=text.rstrip(": ")[:LONGEST])


def given_up(number: int, lost: Lost, tried: Tried) -> QuarantinedUnit:
    """The record of a unit whose tries are used up."""
    return QuarantinedUnit(
        unit=number,
        what=lost.what,
        stretches=lost.stretches,
        reads=lost.reads,
        samples=lost.samples,
        tries=tried.count,
        why=tried.why,
    )


def refuse_too_many(
    lost: Sequence[QuarantinedUnit], rules: QuarantineRules, units: int | None = None
) -> None:
    """Raises WorkerFailed naming them when more are out than allowed. `units`: of the whole stage,
    once that is known."""
    allowed = rules.most_units if units is None else rules.allowed(units)
    if len(lost) <= allowed:
        return
    raise WorkerFailed(
        f"{len(lost)} of {units or 'the'} units fail again and again, {allowed} may be left out: "
        f"{names_of(lost)}.",
        remedy="look at these reads; the limits are in the work order (quarantine).",
    )
