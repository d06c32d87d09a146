"""Until when the bulky results of a run can be read, and whether they are kept at all. Pure.

The one rule of tiers (`domain.tiers.entitlement`) applied to a run: doors, archiver and deletion by
age ask here. A run is held to the tier of the user who registered it (`domain.tiers.held`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from porewatch.domain.archive.ahead import next_notice
from porewatch.domain.base import Model, Moment
from porewatch.domain.people.roles import UserId
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.revisions import reported
from porewatch.domain.rules.run_states import ended
from porewatch.domain.runs import GONE_STATES, RunState
from porewatch.domain.tiers.entitlement import Entitlement, readable_until
from porewatch.domain.tiers.held import held_to_tier
from porewatch.domain.tiers.tier import TierName, tiers

LOOK_AGAIN = timedelta(days=14)
"""How often a run is looked at while nothing ends: less than the days of grace, so a downgrade that
nobody announced is seen before they are over."""


class Window(Model):
    """`until` None: for as long as the stack keeps them."""

    until: Annotated[Moment | None, Field(description="bulky results are readable until then")]
    at: Annotated[Moment, Field(description="as things stood then")]

    @property
    def open(self) -> bool:
        return self.until is None or self.at < self.until


def window_of(
    record: RunRecord,
    entitlement: Entitlement | None,
    unpaid: TierName,
    at: datetime,
    *,
    of: RunRecord | None = None,
) -> Window:
    """Of what revision `of` left, by its own end; None, or one that was not completed: by that of
    the run's newest report. Without one nothing ends."""
    own = of is not None and of.state is RunState.COMPLETED
    completed = of.completed_at if of is not None and own else _completed(record)
    if held_to_tier(record.submitted_by) is None or completed is None:
        return Window(until=None, at=at)
    return Window(until=readable_until(entitlement, unpaid, completed, at), at=at)


def stays_hot(record: RunRecord, window: Window) -> bool:
    """A run under legal hold is not archived: who looks into it reads it at once. Nor is one of
    which a revision is under way."""
    return window.open or record.hold is not None or not ended(record)


def may_be_open(entitlement: Entitlement | None, unpaid: TierName, at: datetime) -> bool:
    """Whether results of any run of this user are readable, however old it is: Premium, or grace
    after it. Those of a young run are hot anyway."""
    until = readable_until(entitlement, unpaid, datetime.min.replace(tzinfo=at.tzinfo), at)
    return until is None or at < until


def ages_from(record: RunRecord, window: Window) -> datetime | None:
    """From when the days are counted after which results of the run expire. None: they are kept, by
    a legal hold, or because the user may read them without end. What he may read no more is kept in
    the archive as long as results of others are kept at all."""
    if not ended(record) or record.hold is not None:
        return None
    if held_to_tier(record.submitted_by) is None or _completed(record) is None:
        return record.completed_at or record.updated_at
    return window.until


def ends_for(record: RunRecord) -> tuple[UserId, datetime] | None:
    """The user whose results these are, and from when their days count; None: as things stand they
    are archived for nobody's tier, or not while they are held or under way."""
    user, completed = held_to_tier(record.submitted_by), _completed(record)
    if user is None or completed is None or record.hold is not None or not ended(record):
        return None
    return None if record.state in GONE_STATES else (user, completed)


def first_look(record: RunRecord, completed_before: datetime | None = None) -> datetime:
    """When a run is looked at first: of no tier is anything archived, or announced, before.
    `completed_before`: the end of the report that this one followed."""
    days = [tier.results_days for tier in tiers().values() if tier.results_days is not None]
    much = min((timedelta(days=n) for n in days), default=LOOK_AGAIN)
    start = _completed(record) or record.created_at
    first = next_notice(start + much, start) or start + much
    return first if completed_before is None else min(first, completed_before + much)


def next_look(of_run: Window, others: Iterable[Window] = ()) -> datetime:
    """When a run is looked at after a look. `others`: of its earlier revisions."""
    ends = (window.until for window in (of_run, *others) if window.open)
    again = min((of_run.at + LOOK_AGAIN, *(end for end in ends if end is not None)))
    if of_run.until is None or not of_run.open:
        return again
    return min(again, next_notice(of_run.until, of_run.at) or again)


def _completed(record: RunRecord) -> datetime | None:
    shown = reported(record)
    return shown.completed_at if shown else None
