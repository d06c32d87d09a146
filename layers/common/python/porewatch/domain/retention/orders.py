"""What a person asks: hold a run, release it, delete it. And what came of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from porewatch.domain.base import Model
from porewatch.domain.records.retention_record import Counts, Hold
from porewatch.domain.runs import RunId, RunState

OptionalText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
RequiredText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)
]


class HoldRun(Model):
    """Put the run under legal hold, or (`release`) end its hold. Both need a name and a reason."""

    run_id: RunId
    by: RequiredText
    reason: RequiredText
    release: bool = False


class Held(Model):
    """The run's hold as it stands; None: it has none. `locked`: versions that were locked, or
    unlocked, by this call; `more`: time was up before all were done, and it goes on by itself."""

    run_id: RunId
    hold: Hold | None
    locked: int = 0
    more: bool = False


class DeleteRun(Model):
    """Delete everything of the run, in all its revisions. `dry_run`: only say what would go."""

    run_id: RunId
    by: RequiredText
    reason: OptionalText = ""
    dry_run: bool = False


class Deleted(Model):
    """`state`: the run's; `found`: what went, or would go. `more`: time was up before all was gone;
    the same order goes on, and within the hour it goes on by itself."""

    run_id: RunId
    state: RunState
    dry_run: bool
    found: Counts
    stays: tuple[str, ...]
    problem: Annotated[str, Field(description="the sentence of the tombstone")] = ""
    more: bool = False
