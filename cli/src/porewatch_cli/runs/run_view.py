"""A view of a run, read from the ledger, once or repeatedly while the run goes on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from porewatch.compute.price_table import HOME_REGION, price_list
from porewatch.domain.base import Model, now
from porewatch.domain.errors import NotFound
from porewatch.domain.facts.alerts import Alert
from porewatch.domain.facts.run_facts import ObjectAnswered
from porewatch.domain.facts.stage_facts import LaunchRefused, PhaseCompleted, StageFailed
from porewatch.domain.forecast.prices import PriceList
from porewatch.domain.money.cost import CostLine
from porewatch.domain.records.file_record import FileRecord
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import FINAL_STATES
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import StageRecord, StageState
from porewatch_cli.reports.reports import record_of
from porewatch_cli.runs.capacity_steps import failures_of, refusals_of, steps
from porewatch_cli.runs.files_seen import FilesSeen
from porewatch_cli.submit.wait_for_stack import Sent, refuse_unknown
from porewatch_cli.terminal import errors

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack

FIRST_SIGHT_SECONDS = 60.0
AT_WORK = (StageState.LAUNCHED, StageState.CLAIMED)


class RunView(Model):
    """Everything in the ledger about one run, at one moment."""

    run: RunRecord
    files: tuple[FileRecord, ...]
    stages: tuple[StageRecord, ...]
    phases: tuple[PhaseRecord, ...]
    costs: tuple[CostLine, ...]
    refusals: tuple[LaunchRefused, ...] = ()
    failures: tuple[StageFailed, ...] = ()
    alerts: tuple[Alert, ...] = ()
    answers: tuple[ObjectAnswered, ...] = ()
    running_usd: Annotated[
        float, Field(description="of running instances, by list price; not billed yet")
    ] = 0.0

    @property
    def answer_lines(self) -> list[str]:
        """How objects that are no reads were classified, a line each."""
        return [f"{a.path}: {a.problem} {a.remedy}".strip() for a in self.answers]

    @property
    def steps(self) -> list[str]:
        """Why it has no instance yet, a line each."""
        return steps(self.refusals, self.failures)

    @property
    def over(self) -> bool:
        return self.run.state in FINAL_STATES


def current_stage(view: RunView) -> StageRecord | None:
    """The stage that runs on an instance now, or for which one was last requested."""
    open_ones = [s for s in view.stages if s.state is not StageState.PUBLISHED]
    return max(open_ones, key=lambda s: s.updated_at, default=None)


def look(
    run_id: str,
    stack: Stack,
    files: FilesSeen | None = None,
    *,
    sent: Sent | None = None,
    revision: int | None = None,
) -> RunView:
    """Read the view of `revision`, of what was `sent`, or of the current revision. NotFound for an
    unknown run. `files`: the cache of earlier reads."""
    run = record_of(stack, run_id, revision)
    run = sent.meant(run) if sent is not None else run
    seen = files or FilesSeen()
    facts = stack.stages.facts(run_id, run.revision)
    stages = stack.stages.of_run(run_id, run.revision)
    prices = price_list(stack.session.region_name or HOME_REGION)
    return RunView(
        run=run,
        files=seen.of(run_id, stack, over=run.state in FINAL_STATES),
        stages=stages,
        phases=tuple(fact.record for fact in facts if isinstance(fact, PhaseCompleted)),
        costs=stack.stages.cost_lines(run_id, run.revision),
        refusals=refusals_of(facts),
        failures=failures_of(facts),
        alerts=tuple(a for a in stack.alerts.of_run(run_id) if a.revision == run.revision),
        answers=stack.runs.answers(run_id),
        running_usd=0.0 if run.state in FINAL_STATES else running_usd(stages, prices, now()),
    )


def running_usd(stages: Iterable[StageRecord], prices: PriceList, at: datetime) -> float:
    """USD that running instances have cost up to `at`: time since launch at list price. They are
    billed when they end."""
    return sum(
        prices.usd(s.instance_type, s.purchase, (at - s.launched_at).total_seconds())
        for s in stages
        if s.state in AT_WORK and s.instance_type and s.purchase and s.launched_at
    )


def follow(
    run_id: str,
    stack: Stack,
    *,
    sent: Sent | None = None,
    revision: int | None = None,
    every: float = 1.0,
    patience: float = FIRST_SIGHT_SECONDS,
) -> Iterator[RunView]:
    """Yield a view every `every` seconds until the run is over; with `sent`, once that submission
    has sealed the run. A run that was just sent may take a moment to appear: a line on standard
    error says so, and NotFound is raised after `patience` seconds; at once when nothing was sent.
    """
    deadline, notified, files = time.monotonic() + patience, False, FilesSeen()
    while True:
        view = _if_seen(run_id, stack, files, sent, revision)
        if view is not None and (sent is None or sent.is_taken_in(view.run)):
            yield view
            if view.over:
                return
        elif not notified:
            if view is None:
                refuse_unknown(run_id, stack)
            _report_waiting(run_id, view, patience)
            notified = True
        elif view is None and time.monotonic() > deadline:
            stack.runs.get(run_id)
        time.sleep(every)


def _if_seen(
    run_id: str, stack: Stack, files: FilesSeen, sent: Sent | None, revision: int | None
) -> RunView | None:
    try:
        return look(run_id, stack, files, sent=sent, revision=revision)
    except NotFound:
        if revision is not None and stack.runs.find(run_id) is not None:
            raise  # the run exists, without this revision
        return None


def _report_waiting(run_id: str, view: RunView | None, patience: float) -> None:
    if view is None:
        line = f"run {run_id} is not in the ledger yet; waiting up to {patience:.0f} s"
    else:
        line = (
            f"run {run_id} is still {view.run.state.value} at revision {view.run.revision}; "
            "waiting for the new submission to be processed"
        )
    errors.print(line, soft_wrap=True)
