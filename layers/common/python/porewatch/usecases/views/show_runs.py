"""Answers of the API: runs, one run, and presigned links to its reports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.bounds import number
from porewatch.domain.calls.findings import (
    Call,
    Outcome,
)
from porewatch.domain.calls.verdict import Detection
from porewatch.domain.errors import MessageRefused, NotFound
from porewatch.domain.inputs.landing.answers import Treatment
from porewatch.domain.people.roles import DEFAULT_PROJECT, ProjectId
from porewatch.domain.records.retention_record import Hold
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.revisions import reported
from porewatch.domain.runs import RUN_ID_PATTERN, RunState
from porewatch.domain.signatures.steps import State
from porewatch.usecases.views.pages import (
    cursor_of,
    limit_of,
    place_of,
)
from porewatch.usecases.views.review_column import need_known, with_reviews
from porewatch.usecases.views.show_storage import (
    FileStorage,
    StorageSources,
    files_of,
    show_storage,
)

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.people.project_runs import ProjectRuns

MOST_READ = 1_000
"""Runs that are read for one page."""
MERGED = 20
"""Projects whose lists are read side by side. Of more the list of all runs is read instead, as far
as MOST_READ: one request for each project would take longer."""
AT_ONCE = 50
MANY = 250
"""Entries of the list of all runs that are asked for at a time where most may be passed over."""
MANY_MERGED = 100
"""The same of merged lists, whose runs are then read one by one: as many as one request reads."""
PLACE = re.compile(rf"[0-9T:.+-]{{19,40}}#{RUN_ID_PATTERN.strip('^$')}")
MOST_REVISIONS = 1_000_000


class Answer(Model):
    """A response body."""

    def public(self) -> dict[str, object]:
        """As JSON values."""
        return self.model_dump(mode="json")


class Attempt(Answer):
    """A failed revision beside one that has a report."""

    revision: int
    state: RunState
    problem: str | None
    completed_at: Moment | None


class RunView(Answer):
    """A run as a client sees it, without ARNs and object keys. Findings and their time are those of
    the newest completed revision, `reported_revision`, also while a later one is under way."""

    run_id: str
    project: ProjectId = DEFAULT_PROJECT
    name: Annotated[str | None, Field(description="the project's own; None: its id")] = None
    state: RunState
    revision: int
    reported_revision: Annotated[
        int | None, Field(description="whose findings and reports these are; None: of none yet")
    ] = None
    attempt: Attempt | None = None
    profile: str
    bundle: str | None
    problem: str | None
    findings: int | None
    outcome: Annotated[Outcome | None, Field(description="None: not over, or not known")] = None
    samples: dict[Outcome, int] = {}
    calls: dict[Call, int] = {}
    detections: tuple[Detection, ...] = ()
    review: Annotated[
        State | None, Field(description="how far the report is signed; None: there is none")
    ] = None
    cost_usd: float
    created_at: Moment
    updated_at: Moment
    completed_at: Moment | None
    hold: Annotated[
        Hold | None, Field(description="legal hold: nothing of the run may be deleted")
    ] = None


class AnswerView(Answer):
    """How objects of one kind in the run are treated; `path` is the first of them."""

    path: str
    verdict: Treatment
    problem: str
    remedy: str


class OneRun(RunView):
    """A run, with the answers about objects that hold no reads."""

    answers: tuple[AnswerView, ...] = ()


class RunList(Answer):
    """A page of runs. It may be short, or empty, when few runs have the requested state."""

    runs: tuple[RunView, ...]
    next: Annotated[
        str | None, Field(description="`cursor` of the page after this one; None: it was the last")
    ] = None


class ReportLinks(Answer):
    """`links` by name of the report; each is valid for `seconds`. `withheld`: files that cannot be
    read now, with why and until when."""

    run_id: str
    revision: int
    seconds: Annotated[int, Field(gt=0)]
    links: dict[str, str]
    withheld: dict[str, FileStorage] = {}


def list_runs(
    *,
    runs: ProjectRuns,
    projects: Sequence[ProjectId] | None,
    limit: str | None,
    state: str | None,
    cursor: str | None = None,
    name: str | None = None,
    review: str | None = None,
) -> RunList:
    """Runs of these projects (None: all there are), newest first. `limit` 1 to 200 (default 50),
    `state` a RunState, `review` a State, `name` a part of names or ids, `cursor` the `next` of the
    page before. A page ends after MOST_READ runs, however few of them are asked for."""
    most = limit_of(limit)
    need_known(state, RunState, "state of a run")
    need_known(review, State, "state of a report")
    theirs = None if projects is None or len(projects) <= MERGED else frozenset(projects)
    lists = projects if theirs is None else None
    sifted = bool(theirs or state or name or review)
    page = (MANY if lists is None else MANY_MERGED) if sifted else AT_ONCE
    found: list[RunView] = []
    last: RunRecord | None = None

    def wanted(run: RunRecord) -> bool:
        mine = theirs is None or run.project in theirs
        return mine and state in (None, run.state) and _named(run, name)

    listed = runs.list(lists, place_of(cursor, PLACE), page)
    for seen, (run, signed) in enumerate(with_reviews(listed, runs, page, wanted)):
        if last is not None and (len(found) == most or seen == MOST_READ):
            return RunList(runs=tuple(found), next=cursor_of(runs.place(last)))
        if wanted(run) and review in (None, signed):
            found.append(view(run, signed))
        last = run
    return RunList(runs=tuple(found))


def show_run(
    run_id: str, *, runs: RunLedger, revision: str | None = None, record: RunRecord | None = None
) -> OneRun:
    """The run, or one of its revisions. `record`: the run, if the caller has just read it. Raises
    NotFound, for odd run ids as well."""
    found = _run(run_id, runs, revision, record)
    shown = view(found, runs.reviews([found])[run_id])
    recorded = runs.answers(run_id)
    answers = [AnswerView.model_validate(a.model_dump(include=_SHOWN_OF_ANSWERS)) for a in recorded]
    return OneRun.model_validate({**shown.model_dump(), "answers": answers})


def report_links(
    run_id: str,
    *,
    runs: RunLedger,
    reports: Objects,
    seconds: int,
    storage: StorageSources,
    at: datetime,
    revision: str | None = None,
    record: RunRecord | None = None,
) -> ReportLinks:
    """Of the newest completed revision, or of the requested one. `record` as in `show_run`. Raises
    NotFound while there is no report, with the state of the run."""
    run = record or runs.get(run_id)
    found = _run(run_id, runs, revision, run)
    record = (reported(found) if revision is None else None) or found
    if not record.report_keys:
        raise NotFound(
            f"run {run_id} has no report: it is {record.state.value} (revision {record.revision}).",
            remedy=record.problem or "ask again when it is completed.",
        )
    keys = dict(sorted(files_of(record, reports).items()))
    stored = show_storage(run, keys, sources=storage, at=at, of=record)
    links = {
        name: reports.link(key, stored.seconds(name, seconds), download_as=f"{run_id}-{name}")
        for name, key in keys.items()
        if stored.of(name).refused is None
    }
    return ReportLinks(
        run_id=run_id,
        revision=record.revision,
        seconds=min((stored.seconds(name, seconds) for name in links), default=seconds),
        links=links,
        withheld={name: stored.of(name) for name in keys if name not in links},
    )


def report_link(
    name: str,
    record: RunRecord,
    *,
    runs: RunLedger,
    reports: Objects,
    seconds: int,
    storage: StorageSources,
    at: datetime,
) -> str:
    """Of one file of the newest completed revision. NotFound for another name; TierRefused or
    AccountRefused when it cannot be read now."""
    shown = reported(record)
    if shown is not None and name in shown.report_keys:
        show_storage(record, shown.report_keys, sources=storage, at=at).refuse(name)
    found = report_links(
        record.run_id,
        runs=runs,
        reports=reports,
        seconds=seconds,
        storage=storage,
        at=at,
        record=record,
    )
    if name not in found.links:
        raise NotFound(f"run {record.run_id} has no file {name[:80]!r}.")
    return found.links[name]


def _named(run: RunRecord, part: str | None) -> bool:
    return not part or part.casefold() in f"{run.name or ''}\n{run.run_id}".casefold()


_SHOWN_OF_ANSWERS = set(AnswerView.model_fields)


def view(record: RunRecord, review: State | None = None) -> RunView:
    """The public part of a record."""
    shown = reported(record) or record
    verdict = dict(shown.verdict) if shown.verdict else {}
    own = {name for name in RunView.model_fields if name in RunRecord.model_fields}
    fields = {name: getattr(record, name) for name in own} | {
        "findings": shown.findings,
        "completed_at": shown.completed_at,
        "reported_revision": shown.revision if shown.state is RunState.COMPLETED else None,
        "attempt": _attempt(record),
        "review": review,
    }
    return RunView.model_validate(fields | verdict)


def _attempt(record: RunRecord) -> Attempt | None:
    last = record.attempt
    if last is None:
        return None
    return Attempt.model_validate({name: getattr(last, name) for name in Attempt.model_fields})


def _run(
    run_id: str, runs: RunLedger, revision: str | None, record: RunRecord | None = None
) -> RunRecord:
    if not re.fullmatch(RUN_ID_PATTERN, run_id):
        raise NotFound(f"{run_id[:80]!r} is not a run id.")
    if revision is None:
        return record or runs.get(run_id)
    requested = number(revision)
    if requested is None or requested > MOST_REVISIONS:
        raise MessageRefused(
            f"revision {revision[:20]!r} is refused.", remedy="use the number of a revision."
        )
    return runs.revision(run_id, requested, record)
