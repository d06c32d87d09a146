"""Take one artefact as far as it goes now: into the archive, or out of it.

Every step is decided by `domain.archive.steps` from what is read right before it. A step that fails
is recorded with its reason and due again after a pause; what fails again and again is raised, too,
so that the message of it becomes a dead letter. Idempotent; two at once: one of them goes on.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from porewatch.domain.archive.artefact import Artefact
from porewatch.domain.archive.away import Away
from porewatch.domain.archive.looks import LookAtArtefact
from porewatch.domain.archive.results_thawed import ResultsThawed
from porewatch.domain.archive.steps import (
    COPYING,
    AskBack,
    Become,
    Copy,
    Fail,
    Owner,
    Rest,
    Step,
    asked,
    back_by,
    begun,
    failed,
    next_step,
    paused,
)
from porewatch.domain.archive.window import stays_hot
from porewatch.domain.errors import (
    ArchiveStuck,
    ConfigurationRefused,
    Conflict,
    NotFound,
    PorewatchError,
    Throttled,
    Unavailable,
)
from porewatch.domain.tiers.held import held_to_tier
from porewatch.usecases.archive.archive_context import ArchiveContext

MOST_STEPS = 8
"""In one call; a whole round trip has fewer."""
GIVEN_UP = 5
"""Failures in a row, from which on each is raised."""
_log = logging.getLogger(__name__)


class CopyFailed(Unavailable):
    """A copy was begun and did not end."""


class CopyDiffers(CopyFailed):
    """A copy holds something else than its source."""


def look_at_artefact(artefact: Artefact, context: ArchiveContext) -> None:
    """Raises ArchiveStuck after many failures; and what the ledger raises, which is retried."""
    record = context.runs.find(artefact.run_id)
    user = held_to_tier(record.submitted_by) if record else None
    if user is None:
        return
    whose = Owner(artefact, user)
    for _ in range(MOST_STEPS):
        try:
            if not _one_step(whose, context):
                return
        except Conflict as other:
            _log.info("somebody else is at %s: %s", artefact.key, other)
            return
        except PorewatchError as error:
            _note(whose, error, context)
            return


def settle_thaw(user_id: str, context: ArchiveContext) -> None:
    """If nothing of the user is away any more: the event, once for each thaw in which something
    came back, then he is not listed any more. A crash between the two publishes it again, as the
    same; but what was archived after it was published is another thaw. Raises Conflict when
    something is away again."""
    found = context.ledger.thaw_ends(user_id)
    if found is None:
        return
    user, version = found
    if user.thaw_asked_at is not None and user.came_back:
        version = context.ledger.saying(user, version)
        asked_at, came = user.thaw_asked_at, context.ledger.back_in(user_id, user.thaw_asked_at)
        context.say(
            ResultsThawed(
                user_id=user_id,
                asked_at=asked_at,
                at=context.clock(),
                runs=came.runs,
                files=came.files,
            )
        )
    context.ledger.all_back(user, version)


def _one_step(whose: Owner, context: ArchiveContext) -> bool:
    """Whether there may be another one."""
    artefact, shelf = whose.artefact, context.shelves[whose.artefact.shelf]
    known = context.ledger.away(whose.user_id, artefact)
    stored = shelf.look(artefact.key)
    record = context.runs.get(artefact.run_id)
    hot = stays_hot(record, context.windows(record).of(artefact.key))
    away = known[0] if known else None
    comes = hot and away is not None and stored is not None and stored.cold
    plan = context.ledger.plan_of(whose.user_id) if comes else None
    step = next_step(whose, away, stored, hot=hot, at=context.clock(), plan=plan)
    if known is not None and stored is not None and back_by(step, known[0]):
        context.ledger.hot(*known, thaw=context.ledger.came_back(whose.user_id))
        settle_thaw(whose.user_id, context)
        return False
    return _do(step, known, whose, context)


def _do(step: Step, known: tuple[Away, int] | None, whose: Owner, context: ArchiveContext) -> bool:
    shelf, key = context.shelves[whose.artefact.shelf], whose.artefact.key
    match step:
        case Rest():
            return False
        case Become(after):
            if known is not None and known[0].upload:
                shelf.give_up(key, known[0].upload)
            _record(known, after, context)
            if after is None:
                settle_thaw(whose.user_id, context)
            return after is not None
        case Copy(claim, into_archive):
            _record(known, claim, context)
            if step.large:
                return _copy_on(whose, into_archive, context)
            (shelf.archive if into_archive else shelf.rehydrate)(key)
            return True
        case AskBack(speed) if known is not None:
            taken = shelf.ask_back(key, speed)
            _record(known, asked(known[0], taken, context.clock()), context)
            return False
        case Fail(problem, differs):
            raise CopyFailed(problem, file=key) if not differs else CopyDiffers(problem, file=key)
    return False


def _copy_on(whose: Owner, into_archive: bool, context: ArchiveContext) -> bool:
    """Go on with a large copy, under a claim. What is left when the time is over is another look's.
    Its id is kept before anything is copied: so it outlives this process."""
    shelf, key = context.shelves[whose.artefact.shelf], whose.artefact.key
    away, version = _claim(whose, context)
    if not away.upload:
        away = begun(away, shelf.begin_copy(key, into_archive=into_archive))
        context.ledger.move(away, version)
        version += 1
    until = context.clock() + COPYING
    try:
        ended = shelf.copy_on(key, away.upload, lambda: context.clock() < until)
    except NotFound as gone:
        context.ledger.move(begun(away, ""), version)
        raise CopyFailed(f"the copy that was begun is gone: {gone.problem}", file=key) from gone
    if not ended:
        context.ledger.move(paused(away, context.clock()), version)
        context.looks.send([LookAtArtefact(artefact=whose.artefact)])
    return ended


def _claim(whose: Owner, context: ArchiveContext) -> tuple[Away, int]:
    """As it was just recorded. Raises Conflict when somebody else was there since."""
    known = context.ledger.away(whose.user_id, whose.artefact)
    if known is None or known[0].claimed_until is None:
        raise Conflict(f"somebody else took {whose.artefact.key}.")
    return known


def _record(known: tuple[Away, int] | None, after: Away | None, context: ArchiveContext) -> None:
    if known is None:
        if after is not None:
            context.ledger.begin(after)
        return
    away, version = known
    if after is None:
        context.ledger.hot(away, version)
    else:
        context.ledger.move(after, version)


def _note(whose: Owner, error: PorewatchError, context: ArchiveContext) -> None:
    """Why it failed, and when it is tried again. ArchiveStuck after many failures, and at once when
    a copy differs. Raises the error when there is nothing to note it on, so that its message is
    retried."""
    known = context.ledger.away(whose.user_id, whose.artefact)
    if known is None:
        raise error
    away, version = known
    over = isinstance(error, Throttled | ConfigurationRefused | CopyFailed)
    noted = failed(away, str(error), context.clock(), over=over)
    with suppress(Conflict):
        context.ledger.move(noted, version)
    _log.warning("%s is still %s: %s", whose.artefact.key, away.state.value, error)
    if isinstance(error, CopyDiffers) or noted.failures >= GIVEN_UP:
        raise ArchiveStuck(
            f"is still {away.state.value} after {noted.failures} attempts: {error.problem}",
            file=whose.artefact.key,
            remedy="it is tried again each day; docs/archive.md says what to look at.",
        ) from error
