"""A user's tier may be another now: bring back what he may read again."""

from __future__ import annotations

from porewatch.domain.archive.looks import LookAtArtefact
from porewatch.domain.archive.retrieval import plan_of
from porewatch.domain.archive.window import may_be_open
from porewatch.usecases.archive.archive_context import ArchiveContext
from porewatch.usecases.archive.look_at_artefact import settle_thaw


def look_at_user(user_id: str, context: ArchiveContext) -> None:
    """Idempotent. Does nothing for a user whose tier ended: each run of his is archived at its own
    time."""
    at = context.clock()
    if not may_be_open(context.entitlements.of(user_id), context.unpaid, at):
        return
    plan = plan_of(one.size for one in context.ledger.all_away(user_id))
    if not context.ledger.thaw_begins(user_id, at, plan):
        return
    away = context.ledger.all_away(user_id)
    context.looks.send([LookAtArtefact(artefact=one.artefact) for one in away if one.due is None])
    settle_thaw(user_id, context)
