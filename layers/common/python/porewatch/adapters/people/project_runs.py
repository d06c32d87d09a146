"""Runs of a project: registered, listed, found by the project's own name for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice

from porewatch.adapters.batch_reads import get_many
from porewatch.adapters.items import Item, Put, PutNew, Write, run_key
from porewatch.adapters.ledger.review_states import review_states
from porewatch.adapters.ledger.run_moves import (
    PROJECT,
    RUN,
    RUNS,
    move_run,
    name_key,
    place_of,
    project_key,
    project_write,
    runs_of,
    there,
)
from porewatch.adapters.submission.run_uploads import SUBMISSION
from porewatch.adapters.table import Table
from porewatch.domain.errors import NameTaken
from porewatch.domain.labels import Label
from porewatch.domain.people.roles import DEFAULT_PROJECT, ProjectId
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules import run_lifecycle
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.rules.run_states import counted
from porewatch.domain.signatures.steps import State
from porewatch.domain.submission.run_uploads import Submission

AT_ONCE = 50
Admitted = Callable[[RunRecord], Sequence[Write]]


class ProjectRuns:
    """The runs of projects in ledger `table`. `admitted`: `Admission.writes`; None: each project
    takes every run."""

    def __init__(self, table: Table, admitted: Admitted | None = None) -> None:
        self._table, self._admitted = table, admitted

    def reviews(self, runs: Sequence[RunRecord]) -> dict[str, State | None]:
        """How far the reports of these runs are signed, by their ids."""
        return review_states(self._table, runs)

    def register(
        self, run_id: str, owner: Registration, at: datetime, submission: Submission | None = None
    ) -> RunRecord:
        """The run, its name and its `submission`, counted, in one write. NameTaken when the project
        has a run of this name; AccountRefused when it takes no run now; AlreadyDone when this run
        is registered."""

        def beside(record: RunRecord) -> list[Write]:
            taken = Item(
                pk=project_key(owner.project),
                sk=name_key(owner.name),
                attributes={"run_id": record.run_id},
            )
            name = PutNew(taken, lambda _: _taken(owner.name))
            if submission is None:
                return [name]
            return [name, Put(Item.of(run_key(run_id), SUBMISSION, submission))]

        return move_run(
            self._table,
            run_id,
            lambda record: run_lifecycle.register(record, run_id, owner, at),
            beside=beside,
            admitted=self._admitted,
        )

    def named(self, project: ProjectId, name: Label) -> str | None:
        """The id of the project's run of this name, whatever became of it."""
        item = self._table.get(project_key(project), name_key(name))
        return str(item.attributes["run_id"]) if item else None

    def list(
        self,
        projects: Sequence[ProjectId] | None,
        before: str = "",
        page: int = AT_ONCE,
        since: str = "",
    ) -> Iterator[RunRecord]:
        """Runs of these projects, newest first, each as it is now; None: of all. `before`: only
        those after this place (`place_of`) in that order; `since`: none that came before this
        moment. Reads `page` at a time, and only as far as you iterate."""
        if before and before <= since:
            return
        if projects is None:
            yield from self._all(before, page, since)
            return
        lists = [self._places(project, before, page, since) for project in projects]
        places = merge(*lists, reverse=True)
        while some := list(islice(places, page)):
            yield from self._records(some)

    def names(self, run_ids: Sequence[str]) -> dict[str, Label | None]:
        """Of those of the runs that there are; None: it goes by its id."""
        found = get_many(self._table, [(run_key(run_id), RUN) for run_id in run_ids])
        records = (item.model(RunRecord) for item in found.values())
        return {record.run_id: record.name for record in records}

    @staticmethod
    def place(record: RunRecord) -> str:
        """The place after which `list` continues."""
        return place_of(record)

    def adopt(self, progress: Callable[[int], None] = lambda count: None) -> int:
        """Put runs from before there were projects into the list of the default project, and count
        those that are under way. Says how many it put; idempotent, and runs that come meanwhile are
        in their lists already."""
        count = 0
        for record in self._all("", AT_ONCE):
            if counted(record) is not None:
                move_run(self._table, record.run_id, lambda now: counted(there(now, "")))
            key = (run_key(record.run_id), PROJECT)
            if record.project == DEFAULT_PROJECT and self._table.get(*key) is None:
                self._table.put(project_write(record).item)
                count += 1
                progress(count)
        return count

    def outside(self) -> str | None:
        """The id of the oldest run when it is in no project's list: of an earlier version, and not
        adopted. (`adopt` comes to it last.)"""
        for item in self._table.query_kind(RUNS, page=1):
            return None if self._table.get(item.pk, PROJECT) else item.model(RunRecord).run_id
        return None

    def _all(self, before: str, page: int, since: str = "") -> Iterator[RunRecord]:
        for item in self._table.query_kind(
            RUNS, newest_first=True, past=before, since=since, page=page
        ):
            yield item.model(RunRecord)

    def _places(
        self, project: ProjectId, before: str, page: int, since: str
    ) -> Iterator[tuple[str, str]]:
        """(place, partition) of the runs of a project, newest first."""
        for item in self._table.query_kind(
            runs_of(project), newest_first=True, past=before, since=since, page=page
        ):
            yield item.kind[1] if item.kind else "", item.pk

    def _records(self, places: Sequence[tuple[str, str]]) -> Iterator[RunRecord]:
        found = get_many(self._table, [(pk, RUN) for _, pk in places])
        for _, pk in places:
            if item := found.get((pk, RUN)):
                yield item.model(RunRecord)


def _taken(name: Label) -> NameTaken:
    return NameTaken(
        f"the project has a run {name!r} already.", remedy="give this one another name."
    )
