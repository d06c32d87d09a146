"""What the newest runs of a project found in their samples: a window, read at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from porewatch.domain import s3_keys
from porewatch.domain.base import Moment
from porewatch.domain.errors import NotFound
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.publishing import REPORT
from porewatch.domain.results.report import Report
from porewatch.domain.results.sample_states import Member, RunStates, SampleState, states_of
from porewatch.domain.rules.revisions import reported
from porewatch.domain.runs import GONE_STATES
from porewatch.usecases.views.pages import cursor_of, place_of
from porewatch.usecases.views.show_making import MOST_BYTES
from porewatch.usecases.views.show_runs import PLACE

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.people.project_runs import ProjectRuns

WINDOW = 20
"""Runs with a report that one page looks at."""
MOST_RUNS = 100
"""Runs that are looked through for them."""
AT_ONCE = 8


@dataclass(frozen=True)
class ScreenedRun:
    """A run with what its newest completed revision found."""

    run_id: str
    name: str
    completed_at: Moment
    states: RunStates


@dataclass(frozen=True)
class Recent:
    """Newest first. `unread`: runs whose report has expired or cannot be read. `next`: cursor of
    the window of older runs; None: there are none."""

    runs: tuple[ScreenedRun, ...]
    unread: int
    next: str | None

    @property
    def members(self) -> dict[str, Member]:
        """Of all lists; the newest name counts."""
        return {
            code: one for run in reversed(self.runs) for code, one in run.states.members.items()
        }

    @property
    def samples(self) -> Iterator[tuple[ScreenedRun, SampleState]]:
        """Of all runs, newest first, controls too."""
        return ((run, sample) for run in self.runs for sample in run.states.samples)


def recent_states(
    project: ProjectId, *, runs: ProjectRuns, reports: Objects, cursor: str | None = None
) -> Recent:
    """Of a project that was reached before. MessageRefused for a cursor of another list."""
    records: list[RunRecord] = []
    last: RunRecord | None = None
    following: str | None = None
    listed = runs.list([project], place_of(cursor, PLACE))
    for seen, record in enumerate(listed):
        if last is not None and (len(records) == WINDOW or seen == MOST_RUNS):
            following = cursor_of(runs.place(last))
            break
        if record.state not in GONE_STATES and reported(record) is not None:
            records.append(record)
        last = record
    read = _read(records, reports)
    return Recent(runs=tuple(filter(None, read)), unread=read.count(None), next=following)


def _read(records: Sequence[RunRecord], reports: Objects) -> list[ScreenedRun | None]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda record: _screened(record, reports), records))


def _screened(record: RunRecord, reports: Objects) -> ScreenedRun | None:
    shown = reported(record)
    states = _states(record.run_id, shown, reports) if shown else None
    if shown is None or states is None:
        return None
    return ScreenedRun(
        run_id=record.run_id,
        name=record.name or record.run_id,
        completed_at=shown.completed_at or record.updated_at,
        states=states,
    )


def _states(run_id: str, shown: RunRecord, reports: Objects) -> RunStates | None:
    """As they were kept; of a run of an earlier version, by its report."""
    try:
        kept = reports.part(s3_keys.states_key(run_id, shown.revision), 0, MOST_BYTES)
        return RunStates.model_validate_json(kept)
    except (NotFound, ValidationError):
        pass
    key = shown.report_keys.get(REPORT)
    try:
        return (
            states_of(Report.model_validate_json(reports.part(key, 0, MOST_BYTES))) if key else None
        )
    except (NotFound, ValidationError):
        return None
