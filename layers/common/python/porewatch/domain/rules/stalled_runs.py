"""Runs that have not started and stand still: when their sender is notified. Pure.

There is one notice for each clock: of a sealed run, the time of its seal; of a run that receives
files, the time of the last check. A run that goes on and stands still again gets another notice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.facts.run_facts import RunStands
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.uploads.intake import Counts

SEALED_TOO_LONG = timedelta(hours=1)
"""The largest file that is taken is checked within the quarter of an hour that a function has."""
RECEIVING_TOO_LONG = timedelta(hours=12)
"""A sequencer writes a file every few minutes; an upload may rest over night."""
UNSEALED = timedelta(days=13)
"""Of a registered run, from its registration: it must be within the reach of the sweep."""
NAMED = 20


class Still(Model):
    """What a receiving run had when it was last seen to move."""

    seen: Counts
    since: Moment
    told: Annotated[bool, Field(description="a notice about this stand was sent")] = False


def moved(last: Still | None, recorded: Counts, at: datetime) -> Still | None:
    """The stand as it is to be kept; None: nothing has moved since `last`."""
    if last is not None and last.seen == recorded:
        return None
    return Still(seen=recorded, since=at)


def stands(last: Still, at: datetime) -> bool:
    """Whether a receiving run has stalled for too long and no notice was sent."""
    return not last.told and at - last.since >= RECEIVING_TOO_LONG


def receiving(record: RunRecord, last: Still, at: datetime) -> RunStands:
    return RunStands(
        fact_id=RunStands.id_of(record.run_id, "receiving", f"{last.since:%Y%m%dT%H%M%S}"),
        run_id=record.run_id,
        revision=record.revision,
        at=at,
        clock="receiving",
        since=last.since,
        count=sum(last.seen.values()),
    )


def sealed(record: RunRecord, unchecked: tuple[str, ...], at: datetime) -> RunStands:
    return RunStands(
        fact_id=sealed_id(record),
        run_id=record.run_id,
        revision=record.revision,
        at=at,
        clock="sealed",
        since=record.updated_at,
        files=unchecked[:NAMED],
        count=len(unchecked),
    )


def sealed_id(record: RunRecord) -> str:
    """The id of the fact that this seal waits too long."""
    return RunStands.id_of(record.run_id, record.revision, "sealed")


def never_sealed(record: RunRecord, at: datetime) -> bool:
    """Whether it was registered so long ago, and still receives files."""
    registered = record.state is RunState.RECEIVING and record.name is not None
    return registered and at - record.created_at >= UNSEALED
