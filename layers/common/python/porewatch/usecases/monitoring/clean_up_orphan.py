"""One possibly orphaned resource: judged, noted at first sight, terminated at the second.

`settle` is used by the instance monitor (every minute) and by the orphan sweep (every five
minutes). Every termination has two reasons, is recorded in the ledger before it happens, and with
its outcome after.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError
from porewatch.domain.reasons.reason import Code, because, clauses
from porewatch.domain.rules.orphans import (
    Found,
    Judgement,
    Kill,
    Orphan,
    Standing,
    classify_orphan,
    seen_twice,
)
from porewatch.domain.stage.record import StageKey, StageRecord
from porewatch.usecases.instances.terminate_instances import end_machine

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.ledger.terminations import Kills
    from porewatch.compute.executors import Executors

End = Callable[[Orphan], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CleanupContext:
    """Dependencies of the cleanup. `dry`: report only, write nothing."""

    stack: str
    stages: StageLedger
    executor: Executors
    kills: Kills
    at: datetime
    dry: bool = False


def settle(
    orphan: Orphan, context: CleanupContext, end: End | None = None, *, announced: bool = False
) -> Found | None:
    """Judge one resource, and note or terminate it. None for one that is in use. `end` terminates
    what is no instance; `announced`: its expiry was scheduled before, which counts as the first
    sight."""
    judged = _judged(orphan, context)
    if judged.standing is Standing.USED:
        return None
    if judged.standing is Standing.UNKNOWN:
        _log.warning(
            "%s %s is kept, its state is unknown: %s",
            orphan.what.value,
            orphan.name,
            judged.why[0].text(),
        )
        return _found(orphan, judged, "told", context)
    if context.dry:
        first = context.kills.first_seen(orphan, context.at)
        twice = announced or (first is not None and seen_twice(first, context.at))
        return _found(orphan, judged, "would end" if twice else "noted", context)
    first = context.kills.note(orphan, context.at)
    if not (announced or seen_twice(first, context.at)):
        return _found(orphan, judged, "noted", context)
    return _ended(orphan, judged, first, context, end)


def _judged(orphan: Orphan, context: CleanupContext) -> Judgement:
    record, answers = _lease(orphan, context)
    return classify_orphan(orphan, context.stack, record, answers, context.at)


def _lease(orphan: Orphan, context: CleanupContext) -> tuple[StageRecord | None, bool]:
    """(the stage that its tags name, whether the ledger answered)."""
    if orphan.owner is None:
        return None, True
    try:
        owner = orphan.owner
        return context.stages.find(StageKey(owner.run_id, owner.revision, owner.stage)), True
    except PorewatchError as error:
        _log.warning("cannot read the stage from the ledger: %s", error)
        return None, False


def _ended(
    orphan: Orphan, judged: Judgement, first: datetime, context: CleanupContext, end: End | None
) -> Found:
    kill = _kill(orphan, judged, first, context)
    context.kills.record(kill)
    try:
        _end(orphan, judged, context, end)
    except PorewatchError as error:
        _log.exception("could not terminate %s %s", orphan.what.value, orphan.name)
        failure = {"outcome": "could not end", "problem": str(error)}
        context.kills.record(kill.model_copy(update=failure))
        return _found(orphan, judged, "could not end", context, str(error))
    context.kills.record(kill.model_copy(update={"outcome": "ended"}))
    _log.warning("%s %s is terminated: %s", orphan.what.value, orphan.name, clauses(judged.why))
    return _found(orphan, judged, "ended", context)


def _end(orphan: Orphan, judged: Judgement, context: CleanupContext, end: End | None) -> None:
    if orphan.machine is None:
        if end is not None:
            end(orphan)
    elif orphan.owner is not None and _lease(orphan, context)[0] is not None:
        end_machine(
            orphan.machine,
            orphan.owner,
            because(Code.FORGOTTEN, why=judged.why),
            stages=context.stages,
            executor=context.executor,
            at=context.at,
        )
    else:  # of an unknown run: there is no bill to put it on
        context.executor.terminate(orphan.name)


def _kill(orphan: Orphan, judged: Judgement, first: datetime, context: CleanupContext) -> Kill:
    machine, exposed = orphan.machine, 0.0
    usd = 0.0
    if orphan.since is not None:
        exposed = (context.at - orphan.since).total_seconds()
    if machine is not None and not machine.waiting:
        usd = context.executor.price(machine.instance_type, machine.purchase, exposed)
    return Kill(
        what=orphan.what,
        name=orphan.name,
        owner=orphan.owner,
        reasons=judged.why,
        first_seen=first,
        at=context.at,
        exposed_s=exposed,
        usd=usd,
    )


def _found(
    orphan: Orphan, judged: Judgement, action: str, context: CleanupContext, problem: str = ""
) -> Found:
    age = (context.at - orphan.since).total_seconds() if orphan.since else None
    fields = {"what": orphan.what, "name": orphan.name, "reasons": judged.why, "age_s": age}
    return Found.model_validate({**fields, "action": action, "problem": problem})
