"""What the API answers: runs, one run, and links to its reports that open for a while."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.bounds import number
from porewatch.domain.ending.records import Hold
from porewatch.domain.errors import MessageRefused, NotFound
from porewatch.domain.findings import Call, Outcome
from porewatch.domain.landing.answers import Treatment
from porewatch.domain.runs import RUN_ID_PATTERN, RunRecord, RunState
from porewatch.domain.verdict import Detection

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.runs import RunLedger

MOST = 200


class Answer(Model):
    """What goes out."""

    def public(self) -> dict[str, object]:
        """As JSON values."""
        return self.model_dump(mode="json")


class RunView(Answer):
    """A run as a client sees it: no ARNs, no keys of ours."""

    run_id: str
    state: RunState
    revision: int
    profile: str
    bundle: str | None
    problem: str | None
    findings: int | None
    outcome: Annotated[Outcome | None, Field(description="None: not over, or not known")] = None
    samples: dict[Outcome, int] = {}
    calls: dict[Call, int] = {}
    detections: tuple[Detection, ...] = ()
    cost_usd: float
    created_at: Moment
    updated_at: Moment
    completed_at: Moment | None
    hold: Annotated[
        Hold | None, Field(description="legal hold: nothing of the run may be deleted")
    ] = None


class AnswerView(Answer):
    """What objects of one kind in the run are taken for; `path` is the first of them."""

    path: str
    verdict: Treatment
    problem: str
    remedy: str


class OneRun(RunView):
    """A run, with what it was told about objects that are no reads."""

    answers: tuple[AnswerView, ...] = ()


class RunList(Answer):
    runs: tuple[RunView, ...]


class ReportLinks(Answer):
    """`links` by name of the report; they open until `seconds` have passed."""

    run_id: str
    revision: int
    seconds: Annotated[int, Field(gt=0)]
    links: dict[str, str]


def list_runs(*, runs: RunLedger, limit: str | None, state: str | None) -> RunList:
    """Newest first. `limit` 1 to 200 (default 50), `state` one of RunState."""
    number = _limit(limit)
    if state is not None and state not in set(RunState):
        known = ", ".join(RunState)
        raise MessageRefused(f"{state!r} is not a state of a run.", remedy=f"use one of {known}.")
    found = (run for run in runs.list() if state is None or run.state == state)
    return RunList(runs=tuple(view(run) for run in islice(found, number)))


def show_run(run_id: str, *, runs: RunLedger) -> OneRun:
    """Raises NotFound, for odd run ids as well."""
    shown = view(_run(run_id, runs))
    told = runs.answers(run_id)
    answers = [AnswerView.model_validate(a.model_dump(include=_SHOWN_OF_ANSWERS)) for a in told]
    return OneRun.model_validate({**shown.model_dump(), "answers": answers})


def report_links(run_id: str, *, runs: RunLedger, reports: Objects, seconds: int) -> ReportLinks:
    """Raises NotFound while there is no report, saying what state the run is in."""
    record = _run(run_id, runs)
    if not record.report_keys:
        raise NotFound(
            f"run {run_id} has no report: it is {record.state.value}.",
            remedy=record.problem or "ask again when it is completed.",
        )
    links = {
        name: reports.link(key, seconds, download_as=f"{run_id}-{name}")
        for name, key in sorted(record.report_keys.items())
    }
    return ReportLinks(run_id=run_id, revision=record.revision, seconds=seconds, links=links)


_SHOWN_OF_ANSWERS = set(AnswerView.model_fields)


def view(record: RunRecord) -> RunView:
    """The public part of a record."""
    verdict = dict(record.verdict) if record.verdict else {}
    own = {name for name in RunView.model_fields if name in RunRecord.model_fields}
    return RunView.model_validate({name: getattr(record, name) for name in own} | verdict)


def _run(run_id: str, runs: RunLedger) -> RunRecord:
    if not re.fullmatch(RUN_ID_PATTERN, run_id):
        raise NotFound(f"{run_id!r} is not a run id.")
    return runs.get(run_id)


def _limit(text: str | None) -> int:
    if text is None:
        return 50
    if (asked := number(text)) is not None and 1 <= asked <= MOST:
        return asked
    remedy = f"use a number from 1 to {MOST}."
    raise MessageRefused(f"limit {text[:20]!r} is refused.", remedy=remedy)
