"""An object that holds no reads was uploaded: the run records how it is treated, once per kind.

Outside of every run there is no record to hold it, so a notice is sent, once per kind and folder.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import Conflict, MessageRefused
from porewatch.domain.facts.run_facts import ObjectAnswered
from porewatch.domain.inputs.landing.answers import (
    Answer,
    Treatment,
    stray_of,
)
from porewatch.domain.notices.run_notices import stray, unreadable

if TYPE_CHECKING:
    from porewatch.adapters.ledger.idempotency import Inbox
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.messages.notices import Topic
    from porewatch.domain.inputs.landing.sorting import Understood

_log = logging.getLogger(__name__)


def answer_object(run_id: str, path: str, answer: Answer, *, runs: RunLedger, at: datetime) -> None:
    """Record the answer, with the first path of its kind as the example."""
    runs.receive(run_id, at)
    fact = ObjectAnswered(
        fact_id=ObjectAnswered.id_of(run_id, answer.kind),
        run_id=run_id,
        at=at,
        path=path,
        kind=answer.kind,
        verdict=answer.verdict,
        problem=answer.problem,
        remedy=answer.remedy,
        act=answer.act,
    )
    runs.answer(fact)
    _log.info("%s: %s", path, answer.problem)


def answer_encoding(run_id: str, found: Understood, *, runs: RunLedger, at: datetime) -> None:
    """Record the encoding that the sample sheet was read in, where another one is possible."""
    for note in found.notes():
        sheet = found.sheet or ""
        problem = note.removeprefix(f"{sheet}: ")
        answer = Answer("sheet-encoding", Treatment.TAKEN, problem, "save it as UTF-8 to be sure.")
        answer_object(run_id, sheet, answer, runs=runs, at=at)


def answer_stray(key: str, *, inbox: Inbox, notices: Topic) -> None:
    """AlreadyDone when one of its kind was answered before."""
    found = stray_of(key)
    with inbox.once(f"stray:{found.kind}"):
        notices.publish(stray(key, found.problem, found.remedy))


def notify_bad_key(key: str, refusal: MessageRefused, *, inbox: Inbox, notices: Topic) -> None:
    """An object key that names no valid run: one notice per key, however often it is refused. No
    run record can hold the reason."""
    with suppress(Conflict), inbox.once(f"odd-name:{key}"):
        notices.publish(unreadable(key, str(refusal)))
