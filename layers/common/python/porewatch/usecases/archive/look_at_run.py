"""Look at a run: which artefacts are to be archived or brought back, whether its owner is to know
that they will be soon, and what of it expires.

In a stack with paid tiers the results of a run expire by this look, and not by the buckets' rules,
because a rule of S3 knows the age of an object and not who pays (docs/adr/0031).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.archive.ahead import notice_due
from porewatch.domain.archive.artefact import Artefact, Shelf, folder_of, is_bulky
from porewatch.domain.archive.looks import LookAtArtefact
from porewatch.domain.archive.results_expiring import ResultsExpiring
from porewatch.domain.archive.retrieval import plan_of
from porewatch.domain.archive.window import Window, ages_from, ends_for, next_look, stays_hot
from porewatch.domain.errors import AlreadyDone
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.expiry import expires
from porewatch.domain.runs import GONE_STATES
from porewatch.domain.tiers.held import held_to_tier
from porewatch.domain.tiers.tier import tiers
from porewatch.usecases.archive.archive_context import ArchiveContext, Windows

if TYPE_CHECKING:
    from porewatch.adapters.archive.cold_storage import ColdStorage


@dataclass(frozen=True)
class Ages:
    """Days after which results expire, by bucket, as the stack's parameters say; with the manifests
    of the run, which are kept as long as its reports."""

    days: Mapping[Shelf, int]
    manifests: ColdStorage


def look_at_run(run_id: str, context: ArchiveContext, ages: Ages) -> None:
    """Idempotent. The run is looked at again when something of it may end, or after some days."""
    record = context.runs.find(run_id)
    if record is None or record.state in GONE_STATES:
        _forget(record, context)
        context.ledger.look_later(run_id, None)
        return
    windows = context.windows(record)
    _say_that_it_ends(record, context, windows.of_run)
    dates = _expire(record, context, ages, windows.of_run)
    artefacts = [*_to_look_at(record, context, windows), *_without_object(record, context)]
    looks = [LookAtArtefact(artefact=one) for one in dict.fromkeys(artefacts)]
    context.looks.send(looks)
    again = next_look(windows.of_run, windows.asked)
    due = None if dates == () and not looks else min((again, *(dates or ())))
    context.ledger.look_later(run_id, due)


def _say_that_it_ends(record: RunRecord, context: ArchiveContext, window: Window) -> None:
    """Once for each end and notice; twice after a crash between saying it and noting that."""
    days = notice_due(window.until, window.at) if window.until else None
    ends = ends_for(record)
    if days is None or window.until is None or ends is None:
        return
    event = ResultsExpiring(
        user_id=ends[0], run_id=record.run_id, until=window.until, days=days, at=window.at
    )
    with suppress(AlreadyDone), context.inbox.once(event.record().fact_id):
        context.say(event)


def _forget(record: RunRecord | None, context: ArchiveContext) -> None:
    """Of a deleted run nothing is away: each artefact's next look finds no object."""
    user = held_to_tier(record.submitted_by) if record else None
    if record is not None and user is not None:
        away = context.ledger.all_away(user, record.run_id)
        context.looks.send([LookAtArtefact(artefact=one.artefact) for one in away])


def _to_look_at(record: RunRecord, context: ArchiveContext, windows: Windows) -> Iterator[Artefact]:
    """What is to be archived; what is to come back; what is cold and nobody knows of."""
    user = held_to_tier(record.submitted_by)
    if user is None or tiers()[context.unpaid].results_days is None:
        return
    run_id, coming = record.run_id, []
    known = {one.artefact for one in context.ledger.all_away(user, run_id)}
    for shelf, storage in context.shelves.items():
        for found in storage.below(folder_of(run_id)):
            artefact = Artefact(run_id=run_id, shelf=shelf, key=found.key)
            hot = stays_hot(record, windows.of(found.key))
            goes = not hot and not found.cold and is_bulky(shelf, found.key, found.size)
            comes = found.cold and (hot or artefact not in known)
            if goes or comes:
                yield artefact
            if found.cold and hot:
                coming.append(found.size)
    if coming:
        context.ledger.plan(user, plan_of(coming))


def _without_object(record: RunRecord, context: ArchiveContext) -> Iterator[Artefact]:
    """What the ledger knows as archived and S3 has no more: its record goes by its next look."""
    user, run_id = held_to_tier(record.submitted_by), record.run_id
    known = [one.artefact for one in context.ledger.all_away(user, run_id)] if user else []
    for shelf, storage in context.shelves.items():
        own = [one for one in known if one.shelf is shelf]
        there = {found.key for found in storage.below(folder_of(run_id))} if own else set()
        yield from (one for one in own if one.key not in there)


def _expire(
    record: RunRecord, context: ArchiveContext, ages: Ages, window: Window
) -> tuple[datetime, ...] | None:
    """Remove what has come to its age; when the rest will. Empty: all of it has. None: nothing of
    the run expires by this look as things stand."""
    begin = ages_from(record, window)
    if tiers()[context.unpaid].results_days is None or begin is None:
        return None
    later = []
    for shelf, days in ages.days.items():
        date = expires(begin, days)
        if date > window.at:
            later.append(date)
            continue
        _remove(context.shelves[shelf], folder_of(record.run_id))
        if shelf is Shelf.REPORTS:
            _remove(ages.manifests, s3_keys.manifest_prefix(record.run_id))
    return tuple(later)


def _remove(storage: ColdStorage, folder: str) -> None:
    storage.remove([found.key for found in storage.below(folder)])
