"""Find what is due: runs, artefacts whose next step was lost, users who may read again.

It only sends looks to the archiver's queue; what has no time left is found by the next sweep, and
so is what could not be sent: one that is throttled does not end the sweep.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from porewatch.domain.archive.looks import Look, LookAtArtefact, LookAtRun, LookAtUser
from porewatch.domain.archive.user_archive import waits
from porewatch.domain.archive.window import may_be_open
from porewatch.domain.errors import Unavailable
from porewatch.usecases.archive.archive_context import ArchiveContext

LEASE = timedelta(hours=1)
"""After which a run is found again whose look was lost."""
AT_ONCE = 100
_log = logging.getLogger(__name__)
SWEEP_SECONDS = 600
"""Of one sweep; the next one goes on."""


def sweep_archive(context: ArchiveContext, until: datetime) -> int:
    """How many looks were sent."""
    sent = 0
    for looks in _batches(_due(context)):
        if context.clock() >= until:
            break
        try:
            context.looks.send(looks)
        except Unavailable as error:
            _log.warning("%d looks are sent by a later sweep: %s", len(looks), error)
            continue
        sent += len(looks)
    return sent


def _due(context: ArchiveContext) -> Iterator[Look]:
    at = context.clock()
    for away in context.ledger.due_work(at):
        yield LookAtArtefact(artefact=away.artefact)
    for run_id in context.ledger.due_runs(at):
        try:
            context.ledger.look_later(run_id, at + LEASE)
        except Unavailable as error:
            _log.warning("run %s is looked at by a later sweep: %s", run_id, error)
            continue
        yield LookAtRun(run_id=run_id)
    users = (user.user_id for user in context.ledger.users() if not waits(user, at))
    while some := tuple(islice(users, AT_ONCE)):
        known = context.entitlements.of_many(some)
        for user_id in some:
            if may_be_open(known.get(user_id), context.unpaid, at):
                yield LookAtUser(user_id=user_id)


def _batches(looks: Iterable[Look]) -> Iterator[tuple[Look, ...]]:
    left = iter(looks)
    while some := tuple(islice(left, AT_ONCE)):
        yield some
