"""`porewatch chaos archive`: a run of the embedded AWS comes to its deadline, and what may go wrong
on the way to the archive and back does."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.archive.cold_storage import ColdStorage
from porewatch.adapters.archive.look_queue import LookQueue
from porewatch.adapters.ledger.run_moves import move_run, there
from porewatch.domain.archive.artefact import Artefact, Shelf, folder_of
from porewatch.domain.archive.looks import Look, LookAtArtefact, LookAtRun
from porewatch.domain.archive.steps import Copy, Owner, next_step
from porewatch.domain.base import Model, now
from porewatch.domain.errors import NotFound
from porewatch.domain.records.run_record import RunRecord
from porewatch_cli.options import Events
from porewatch_cli.terminal import console, print_json

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack

RESTORED = "Object Restore Completed"


class ArchiveTrouble(Model):
    """`claims`: artefacts whose copy seems to be under way by a process that is gone; `looks`: how
    many were sent to the archiver."""

    run_id: str
    days: int
    events: Events
    claims: int
    looks: int


def trouble_archive(
    run_id: str, stack: Stack, *, days: int, events: Events, died: bool
) -> ArchiveTrouble:
    """Age the run by so many days and have it looked at. `died`: its copies seem to be under way by
    a process that is gone. NotFound on AWS, and for a run that no user registered."""
    if not stack.is_local:
        raise NotFound("only runs of the embedded AWS are aged.", remedy="`porewatch up` first.")
    record = move_run(stack.table, run_id, lambda known: (_aged(known, run_id, days), ()))
    if record.submitted_by is None:
        raise NotFound(
            f"no user registered run {run_id}: it is held to no tier.",
            remedy="send one with `porewatch submit --server`.",
        )
    _let_events_through(stack, events is not Events.LOST)
    owner = record.submitted_by
    claims = _claim(stack, run_id, owner) if died else 0
    away = [one.artefact for one in ArchiveLedger(stack.table).all_away(owner, run_id)]
    looks: list[Look] = [LookAtRun(run_id=run_id)]
    if events is Events.DOUBLED:
        looks += [LookAtArtefact(artefact=one) for one in away * 2]
        random.shuffle(looks)
    LookQueue(stack.output("ArchiveQueueUrl"), _client(stack, "sqs")).send(looks)
    return ArchiveTrouble(run_id=run_id, days=days, events=events, claims=claims, looks=len(looks))


def print_trouble(done: ArchiveTrouble, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    console.print(
        f"{done.run_id}: aged by {done.days} days, {done.looks} looks sent, {done.claims} copies "
        f"left by a process that is gone, events of restores: {done.events.value}"
    )


def _aged(known: RunRecord | None, run_id: str, days: int) -> RunRecord:
    record, back = there(known, run_id), timedelta(days=days)
    if record.completed_at is None:
        raise NotFound(f"run {run_id} is not over.", remedy="`porewatch watch` it.")
    times = {"created_at": record.created_at - back, "completed_at": record.completed_at - back}
    return record.model_copy(update=times)


def _claim(stack: Stack, run_id: str, owner: str) -> int:
    """What a process leaves that dies in the middle of a copy; of how many artefacts."""
    ledger, claims = ArchiveLedger(stack.table), 0
    for shelf in Shelf:
        storage = ColdStorage(stack.output(f"{shelf.value.capitalize()}BucketName"), stack.s3)
        for found in storage.below(folder_of(run_id)):
            artefact = Artefact(run_id=run_id, shelf=shelf, key=found.key)
            known = ledger.away(owner, artefact)
            stored = storage.look(found.key)
            step = next_step(
                Owner(artefact, owner), known[0] if known else None, stored, hot=False, at=now()
            )
            if isinstance(step, Copy) and known is None:
                ledger.begin(step.claim)
                claims += 1
    return claims


def _let_events_through(stack: Stack, sent: bool) -> None:
    events = _client(stack, "events")
    for rule in events.list_rules()["Rules"]:
        kinds = json.loads(rule.get("EventPattern") or "{}").get("detail-type", ())
        if RESTORED in kinds:
            (events.enable_rule if sent else events.disable_rule)(Name=rule["Name"])


def _client(stack: Stack, service: str) -> Any:
    return stack.session.client(service, endpoint_url=stack.endpoint)  # type: ignore[call-overload]
