"""One thing that may be left over: judged, noted at first sight, ended at the second.

`settle` is used by the watch over machines (every minute) and by the reaper (every five minutes).
Every end has two reasons and stands in the ledger before it is done, and its outcome after.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError
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
    from porewatch.compute.executor import Executor

End = Callable[[Orphan], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CleanupContext:
    """What ending needs. `dry`: look, and write nothing."""

    stack: str
    stages: StageLedger
    executor: Executor
    kills: Kills
    at: datetime
    dry: bool = False


def settle(
    thing: Orphan, hands: CleanupContext, end: End | None = None, *, announced: bool = False
) -> Found | None:
    """Judge one thing, and note or end it. None for one that is used. `end` ends what is no
    machine; `announced`: its end was laid down before, which counts as the first sight."""
    judged = _judged(thing, hands)
    if judged.standing is Standing.USED:
        return None
    if judged.standing is Standing.UNKNOWN:
        _log.warning("%s %s is left alone: %s", thing.what.value, thing.name, judged.why[0])
        return _found(thing, judged, "told", hands)
    if hands.dry:
        first = hands.kills.first_seen(thing, hands.at)
        twice = announced or (first is not None and seen_twice(first, hands.at))
        return _found(thing, judged, "would end" if twice else "noted", hands)
    first = hands.kills.note(thing, hands.at)
    if not (announced or seen_twice(first, hands.at)):
        return _found(thing, judged, "noted", hands)
    return _ended(thing, judged, first, hands, end)


def _judged(thing: Orphan, hands: CleanupContext) -> Judgement:
    record, answers = _lease(thing, hands)
    return classify_orphan(thing, hands.stack, record, answers, hands.at)


def _lease(thing: Orphan, hands: CleanupContext) -> tuple[StageRecord | None, bool]:
    """(the stage its tags name, whether the ledger answered)."""
    if thing.owner is None:
        return None, True
    try:
        owner = thing.owner
        return hands.stages.find(StageKey(owner.run_id, owner.revision, owner.stage)), True
    except PorewatchError as error:
        _log.warning("the ledger does not answer: %s", error)
        return None, False


def _ended(
    thing: Orphan, judged: Judgement, first: datetime, hands: CleanupContext, end: End | None
) -> Found:
    kill = _kill(thing, judged, first, hands)
    hands.kills.record(kill)
    try:
        _end(thing, judged, hands, end)
    except PorewatchError as error:
        _log.exception("could not end %s %s", thing.what.value, thing.name)
        told = {"outcome": "could not end", "problem": str(error)}
        hands.kills.record(kill.model_copy(update=told))
        return _found(thing, judged, "could not end", hands, str(error))
    hands.kills.record(kill.model_copy(update={"outcome": "ended"}))
    _log.warning("%s %s is ended: %s", thing.what.value, thing.name, "; ".join(judged.why))
    return _found(thing, judged, "ended", hands)


def _end(thing: Orphan, judged: Judgement, hands: CleanupContext, end: End | None) -> None:
    if thing.machine is None:
        if end is not None:
            end(thing)
    elif thing.owner is not None and _lease(thing, hands)[0] is not None:
        end_machine(
            thing.machine,
            thing.owner,
            f"forgotten: {', and '.join(judged.why)}",
            stages=hands.stages,
            executor=hands.executor,
            at=hands.at,
        )
    else:  # of a run nobody knows: there is no bill to put it on
        hands.executor.terminate(thing.name)


def _kill(thing: Orphan, judged: Judgement, first: datetime, hands: CleanupContext) -> Kill:
    machine, exposed = thing.machine, 0.0
    usd = 0.0
    if thing.since is not None:
        exposed = (hands.at - thing.since).total_seconds()
    if machine is not None and not machine.waiting:
        usd = hands.executor.price(machine.instance_type, machine.purchase, exposed)
    return Kill(
        what=thing.what,
        name=thing.name,
        owner=thing.owner,
        why=judged.why,
        first_seen=first,
        at=hands.at,
        exposed_s=exposed,
        usd=usd,
    )


def _found(
    thing: Orphan, judged: Judgement, action: str, hands: CleanupContext, problem: str = ""
) -> Found:
    age = (hands.at - thing.since).total_seconds() if thing.since else None
    told = {"what": thing.what, "name": thing.name, "why": judged.why, "age_s": age}
    return Found.model_validate({**told, "action": action, "problem": problem})
