"""The next step of one artefact. The only place that decides; pure.

It is decided from three things, each read at the time of acting: the ledger's record (None: hot),
what S3 says of the object, and whether it is to be hot by the entitlement of now. Whoever does a
step records it before a copy, and after a request to S3 that is answered at once. So after a crash
at any line the next look finds the rest to do.

A copy is believed only when it holds what its source held, by all that S3 tells of both: the claim
has the source. One that differs stays where it is, and is a failure at each look.

A copy takes time, and nobody may decide otherwise while it is under way: a copy that is finished
late would undo that decision. So who copies has a claim, longer than a function can run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from porewatch.domain.archive.artefact import Artefact, is_bulky
from porewatch.domain.archive.away import Away, Restore, State, Stored, same_content
from porewatch.domain.archive.retrieval import EXPECTED, Plan, Speed, plan_of

CLAIM = timedelta(minutes=30)
"""Twice as long as a function can run."""
MARGIN = timedelta(minutes=20)
"""How long after the expected time of a restore S3 is asked: an event comes first, if it comes."""
PATIENCE = timedelta(hours=1)
"""Between two looks at a restore that takes longer than expected."""
LARGE = 50 * 10**9
"""Bytes, our choice: what one call of the function copies with ease, some minutes."""
COPYING = timedelta(minutes=10)
"""How long one call goes on with a large copy; the function has fifteen."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(days=1)
"""Between attempts of what fails."""


@dataclass(frozen=True)
class Rest:
    """Nothing to do now."""


@dataclass(frozen=True)
class Become:
    """Record this. None: it is hot, or the object is gone, so there is no record."""

    after: Away | None


@dataclass(frozen=True)
class Copy:
    """Record the claim, then copy the object onto itself: into the archive, or out of it."""

    claim: Away
    into_archive: bool

    @property
    def large(self) -> bool:
        """Whether it may take more than one call: then it is done in parts, and goes on."""
        return self.claim.size > LARGE


@dataclass(frozen=True)
class AskBack:
    """Ask S3 for a readable copy at this speed, then record that it was asked."""

    speed: Speed


@dataclass(frozen=True)
class Fail:
    """Record this as a failure of it. `differs`: a copy has other bytes, so somebody is to know at
    once."""

    problem: str
    differs: bool = False


Step = Rest | Become | Copy | AskBack | Fail
DIFFERS = Fail("the copy does not hold what the object held", differs=True)
LEFT = Fail("a copy was begun, and its process is gone")


@dataclass(frozen=True)
class Owner:
    """Whose artefact it is."""

    artefact: Artefact
    user_id: str


def next_step(
    whose: Owner,
    away: Away | None,
    stored: Stored | None,
    *,
    hot: bool,
    at: datetime,
    plan: Plan | None = None,
) -> Step:
    """`stored` None: there is no such object. `hot`: whether it is to be readable, as of now.
    `plan`: how fast what comes back with it is asked for; None: it comes back alone."""
    if stored is None:
        # A copy that is under way may bring it back, so it is not forgotten before.
        return Rest() if away is None or _claims(away, at) else Become(None)
    if away is None:
        return _of_hot(whose, stored, hot, at)
    if _differs(away, stored):
        return DIFFERS
    speed = (plan or plan_of([stored.size])).speed(stored.size)
    return _of_away(away, stored, hot, at, speed)


def _of_away(away: Away, stored: Stored, hot: bool, at: datetime, speed: Speed) -> Step:
    if away.state is State.ARCHIVING:
        return _of_archiving(away, stored, hot, at)
    if away.state is State.ARCHIVED:
        return _of_archived(away, stored, hot, at, speed)
    if away.state is State.RESTORING:
        return _of_restoring(away, stored, hot, at, speed)
    return _of_rehydrating(away, stored, hot, at, speed)


def back_by(step: Step, away: Away) -> bool:
    """Whether by this step something is readable again that was archived. The object is there."""
    return step == Become(None) and away.state is not State.ARCHIVING


def asked(away: Away, speed: Speed, at: datetime) -> Away:
    """S3 was asked for it at this speed."""
    expected = at + EXPECTED[speed]
    return _to(away, State.RESTORING, at, due=expected + MARGIN, speed=speed, expected_at=expected)


def begun(away: Away, upload: str) -> Away:
    """A large copy is begun under this id; empty: there is none any more."""
    return away.model_copy(update={"upload": upload})


def paused(away: Away, at: datetime) -> Away:
    """A large copy is under way, and nobody is at it: the next look goes on."""
    return away.model_copy(update={"claimed_until": None, "counted": False, "due": at})


def failed(away: Away, problem: str, at: datetime, *, over: bool) -> Away:
    """An attempt failed: it is tried again after a pause that grows. `over`: nothing is under way
    (S3 refused, say), so the claim ends; after any other failure it stands."""
    due = at + min(FIRST_PAUSE * 2 ** min(away.failures, 12), LONGEST_PAUSE)
    claim = None if over else away.claimed_until
    failures = away.failures if away.counted else away.failures + 1
    changes = {"failures": failures, "problem": problem, "claimed_until": claim}
    changes |= {"counted": claim is not None}
    return away.model_copy(update={**changes, "due": due if claim is None else max(due, claim)})


def _of_hot(whose: Owner, stored: Stored, hot: bool, at: datetime) -> Step:
    found = Away(
        artefact=whose.artefact,
        user_id=whose.user_id,
        state=State.ARCHIVED,
        size=stored.size,
        since=at,
        due=None,
    )
    if stored.cold:
        return Become(found)
    if hot or not is_bulky(whose.artefact.shelf, whose.artefact.key, stored.size):
        return Rest()
    return Copy(_claimed(found, State.ARCHIVING, stored, at), into_archive=True)


def _of_archiving(away: Away, stored: Stored, hot: bool, at: datetime) -> Step:
    if stored.cold:
        return Become(_to(away, State.ARCHIVED, at))
    if _claims(away, at):
        return Rest()
    if hot:
        return Become(None)
    if _left(away):
        return LEFT
    return Copy(_claimed(away, State.ARCHIVING, stored, at), into_archive=True)


def _of_archived(away: Away, stored: Stored, hot: bool, at: datetime, speed: Speed) -> Step:
    if not stored.cold:
        claim = _claimed(away, State.ARCHIVING, stored, at)
        return Become(None) if hot else Copy(claim, into_archive=True)
    return _back(away, stored, at, speed) if hot else Rest()


def _of_restoring(away: Away, stored: Stored, hot: bool, at: datetime, speed: Speed) -> Step:
    if not stored.cold:
        return Become(None)
    if stored.restore is not Restore.ONGOING:
        return _back(away, stored, at, speed) if hot else Become(_to(away, State.ARCHIVED, at))
    if away.due is not None and at < away.due:
        return Rest()
    return Become(away.model_copy(update={"due": at + PATIENCE}))


def _of_rehydrating(away: Away, stored: Stored, hot: bool, at: datetime, speed: Speed) -> Step:
    if not stored.cold:
        return Become(None)
    if _claims(away, at):
        return Rest()
    if not hot:
        return Become(_to(away, State.ARCHIVED, at))
    return LEFT if _left(away) else _back(away, stored, at, speed)


def _back(away: Away, stored: Stored, at: datetime, speed: Speed) -> Step:
    if stored.restore is Restore.READY:
        return Copy(_claimed(away, State.REHYDRATING, stored, at), into_archive=False)
    if stored.restore is Restore.ONGOING:
        return Become(asked(away, away.speed or speed, at))
    return AskBack(speed)


def _claims(away: Away, at: datetime) -> bool:
    return away.claimed_until is not None and at < away.claimed_until


def _left(away: Away) -> bool:
    """Of a claim that is over: whoever had it neither ended the copy nor recorded a failure."""
    return away.claimed_until is not None and not away.counted


def _differs(away: Away, stored: Stored) -> bool:
    """Whether a copy landed that is not the same. While it is archived, an object that is not cold
    is the source, whoever wrote it."""
    if away.source is None or (away.state is State.ARCHIVING and not stored.cold):
        return False
    return not same_content(away.source, stored)


def _claimed(away: Away, state: State, stored: Stored, at: datetime) -> Away:
    claim = {"claimed_until": at + CLAIM, "failures": away.failures, "problem": away.problem}
    claim |= {"source": stored, "upload": away.upload if _same_copy(away, state, stored) else ""}
    return _to(away, state, at, due=at + CLAIM).model_copy(update=claim)


def _same_copy(away: Away, state: State, stored: Stored) -> bool:
    """Whether the copy that was begun is the one that is to be made."""
    source = away.source
    known = source is not None and (source.etag, source.size) == (stored.etag, stored.size)
    return known and away.state is state


def _to(
    away: Away,
    state: State,
    at: datetime,
    *,
    due: datetime | None = None,
    speed: Speed | None = None,
    expected_at: datetime | None = None,
) -> Away:
    changes = {"state": state, "since": at, "due": due, "speed": speed, "expected_at": expected_at}
    changes |= {"claimed_until": None, "failures": 0, "problem": "", "counted": False}
    changes |= {"upload": ""}
    return away.model_copy(update=changes)
