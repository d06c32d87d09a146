"""A machine may be taken away at any moment, with notice or without; the answer stays the same."""

from __future__ import annotations

import json
import time
from concurrent.futures import Future
from typing import Any

import pytest

from porewatch.domain.calls.findings import Call
from porewatch.domain.errors import NotFound, Unavailable
from porewatch.domain.facts.stage_facts import InstanceTerminated, SpotInterrupted, StageFailed
from porewatch.domain.money.cost import Bill
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.report import VOLATILE
from porewatch.domain.stage.record import StageRecord, StageState
from porewatch.domain.stage.spec import Phase
from porewatch_cli.operate.chaos import order
from porewatch_cli.runs.run_view import RunView, follow
from porewatch_local.fault_trials.baseline import lasting
from porewatch_local.history import history_of
from tests.cloud.lab import Lab, found
from tests.cloud.making import wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("end to end")]
UNTOUCHED, NOTICE, NO_NOTICE = "untouched", "noticed", "killed"
ORDERS = {NOTICE: "interrupt/{}?seconds=10", NO_NOTICE: "kill/{}"}
TAKEN: dict[str, Future[str]] = {}
SENT: set[str] = set()
UNITS_BEFORE = 2
SCREEN = "screen"
MOST_TRANSITIONS, MOST_EVENTS = 50, 300


def send_runs(lab: Lab) -> None:
    """The same reads three times; two of the runs lose their machine while it screens."""
    for name in (UNTOUCHED, NOTICE, NO_NOTICE):
        send(lab, name)
        if name in ORDERS:
            TAKEN[name] = lab.later(take_machine, lab, lab.run_id(name), ORDERS[name])


def send(lab: Lab, name: str, profile: str = "default") -> None:
    """Once, although two modules need the run that nothing touches."""
    run_id = lab.run_id(name)
    if name not in SENT:
        SENT.add(name)
        files = {
            f"fastq/barcode01/reads_{number:02d}.fastq.gz": content
            for number, content in enumerate(lab.donor)
        }
        lab.put_files(run_id, files)
        sealed = lab.manifest(run_id, files).model_copy(update={"profile": profile})
        lab.put_seal(run_id, sealed)


def take_machine(lab: Lab, run_id: str, what: str) -> str:
    """Take the screening machine away once it has made some checkpoints; its id."""
    wait_for(lambda: lab.find(run_id), 120, f"a record of {run_id}")  # on a busy computer: later
    for view in follow(run_id, lab.stack, every=0.1):
        if any(is_well_under_way(stage) for stage in view.stages):
            return insisting(lambda: order(run_id, lab.stack, what))
    raise AssertionError(f"{run_id} ended before its machine could be taken away")


def is_well_under_way(stage: StageRecord) -> bool:
    done = stage.progress.units_done if stage.progress else 0
    screening = Phase.PATHOGEN_DETECTION in stage.phases and stage.state is StageState.CLAIMED
    return screening and done >= UNITS_BEFORE


def insisting(act: Any, tries: int = 100) -> str:
    """The instance host may be starting again just now: another test kills it."""
    for _ in range(tries):
        try:
            return str(act())
        except Unavailable:
            time.sleep(0.2)
    return str(act())


def survived(lab: Lab, name: str) -> tuple[RunView, str]:
    """The run at its end, and the machine it had lost on the way."""
    view = lab.completed(lab.run_id(name))
    return view, TAKEN[name].result(timeout=1)


def same_but_for_time(lab: Lab, run: RunRecord) -> str:
    report = json.loads(lab.report(run))
    assert set(VOLATILE) <= set(report)
    return lasting(report, run.run_id)


each = pytest.mark.parametrize("name", ORDERS)


@each
def test_the_report_is_the_same_as_without_an_interruption(lab: Lab, name: str) -> None:
    undisturbed = lab.completed(lab.run_id(UNTOUCHED)).run
    view, _ = survived(lab, name)
    assert same_but_for_time(lab, view.run) == same_but_for_time(lab, undisturbed)
    report = lab.findings(view.run)
    assert found(report, Call.DETECTED) == {"PCV2", "HEV"}
    assert all(screen.account.balanced for screen in report.screens)


@each
def test_at_most_one_unit_is_computed_twice(lab: Lab, name: str) -> None:
    undisturbed = lab.stage(lab.completed(lab.run_id(UNTOUCHED)).run, SCREEN)
    view, lost = survived(lab, name)
    manifest = lab.stage(view.run, SCREEN)
    assert manifest.units == undisturbed.units >= len(lab.donor)
    assert UNITS_BEFORE <= manifest.units_resumed < manifest.units
    assert manifest.units_redone <= 1
    assert manifest.epoch >= 2
    assert manifest.instance_id != lost
    assert (undisturbed.units_resumed, undisturbed.units_redone, undisturbed.epoch) == (0, 0, 1)


def test_a_notice_is_an_interruption_and_uses_up_no_retry(lab: Lab) -> None:
    view, lost = survived(lab, NOTICE)
    (screen,) = (stage for stage in view.stages if stage.stage == SCREEN)
    assert (screen.interruptions, screen.errors) == (1, 0)
    (fact,) = lab.facts(view.run.run_id, SpotInterrupted)
    assert (fact.instance_id, fact.epoch) == (lost, 1)
    assert fact.last_checkpoint is not None
    assert lab.facts(view.run.run_id, StageFailed) == []


def test_a_power_cut_is_an_error_that_is_tried_again(lab: Lab) -> None:
    view, lost = survived(lab, NO_NOTICE)
    (screen,) = (stage for stage in view.stages if stage.stage == SCREEN)
    assert (screen.interruptions, screen.errors) == (0, 1)
    (fact,) = lab.facts(view.run.run_id, StageFailed)
    assert (fact.epoch, fact.error, fact.will_retry) == (1, "WorkerLost", True)
    assert f"machine {lost} is gone" in fact.problem
    shown = lab.cloud.client("ec2").describe_instances(InstanceIds=[lost])
    assert shown["Reservations"][0]["Instances"][0]["State"]["Name"] == "terminated"


@each
def test_the_status_shows_the_interruption(lab: Lab, name: str) -> None:
    view, lost = survived(lab, name)
    logs = lab.command("logs", view.run.run_id)
    assert logs.returncode == 0, logs.stderr
    assert lost in logs.stdout
    status = json.loads(lab.command("watch", "--json", view.run.run_id).stdout)
    (screen,) = (stage for stage in status["stages"] if stage["stage"] == SCREEN)
    assert screen["epoch"] >= 2
    assert screen["interruptions"] + screen["errors"] == 1
    lines = {entry.what for entry in lab.findings(view.run).timeline}
    assert lines & {"screen: machine reclaimed", "screen: failed, will be tried again"}


@each
def test_both_machines_are_on_the_bill_and_none_is_left(lab: Lab, name: str) -> None:
    view, lost = survived(lab, name)
    bill = Bill.model_validate_json(lab.report(view.run, "bill.json"))
    machines = [line.instance_id for line in bill.lines if line.stage == SCREEN]
    assert len(machines) == len(set(machines)) >= 2
    assert lost in machines
    assert all(line.settled and line.usd > 0 for line in bill.lines)
    ended = {fact.instance_id for fact in lab.facts(view.run.run_id, InstanceTerminated)}
    assert ended == {line.instance_id for line in bill.lines if line.instance_id}
    assert lab.machines(view.run.run_id) == []
    with pytest.raises(NotFound, match="no instance is working on run"):
        order(view.run.run_id, lab.stack, ORDERS[NO_NOTICE])


def test_a_run_takes_few_transitions_and_few_events(lab: Lab) -> None:
    """Counted in what Step Functions wrote down. Nothing in the machine goes round while a worker
    works (tests/contract/test_statemachine.py), so that a run of days takes as many."""
    counted = history_of(lab.stack, lab.completed(lab.run_id(UNTOUCHED)).run.run_id)
    assert 20 <= counted.transitions <= MOST_TRANSITIONS
    assert counted.transitions < counted.events <= MOST_EVENTS


@each
def test_an_interruption_takes_few_more(lab: Lab, name: str) -> None:
    untouched = history_of(lab.stack, lab.completed(lab.run_id(UNTOUCHED)).run.run_id)
    view, _ = survived(lab, name)
    more = history_of(lab.stack, view.run.run_id).transitions - untouched.transitions
    assert 0 < more <= 9


@pytest.mark.parametrize("name", [UNTOUCHED, *ORDERS])
def test_no_dead_letter_is_left(lab: Lab, name: str) -> None:
    run = lab.completed(lab.run_id(name)).run
    lab.wait_messages(run.run_id, "RunCompleted")
    assert lab.dead_letters(run.run_id) == []


def test_workers_renewed_their_credentials_in_the_middle_of_it(lab: Lab) -> None:
    """They live for ten seconds here. The first ones are asked for before there is a log."""
    s3, bucket = lab.cloud.client("s3"), lab.cloud.outputs["ResultsBucketName"]
    renewed = 0
    for name in (UNTOUCHED, NOTICE, NO_NOTICE):
        run = lab.completed(lab.run_id(name)).run
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"runs/{run.run_id}/")["Contents"]
        for key in (one["Key"] for one in listed if one["Key"].endswith("/worker.log")):
            log = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
            renewed += log.count("credentials of AROA")
    assert renewed >= 2
