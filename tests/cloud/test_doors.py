"""What people and programs see of a finished run: API, links, commands, alerts, dead letters."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from porewatch.domain import s3_keys
from porewatch.domain.calls.findings import Call
from porewatch.domain.calls.standing import Standing
from porewatch.domain.money.cost import Bill
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.publishing import sums_read
from porewatch.domain.results.report import Report
from porewatch.domain.results.run_results import RunResults
from porewatch.domain.results.sample_states import RunStates, states_of
from porewatch_cli.runs.run_view import RunView
from tests.cloud.conftest import Cloud
from tests.cloud.lab import Lab, found
from tests.cloud.making import wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("end to end")]
SEEN = "seen"
HIDDEN_SECONDS = 2
"""Visibility timeout of the intake's messages while one goes to the dead letters: five of these."""


def send_runs(lab: Lab) -> None:
    """As a person does it: the command, on a MinKNOW folder with its sample sheet."""
    sent = lab.command("submit", str(lab.demo.run_folder), "--run-id", lab.run_id(SEEN), "--json")
    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["run_id"] == lab.run_id(SEEN)


@pytest.fixture(scope="module")
def run(lab: Lab) -> RunRecord:
    return lab.completed(lab.run_id(SEEN)).run


def printed(lab: Lab, *arguments: str) -> Any:
    """What a command prints as JSON."""
    answer = lab.command(*arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


AFTER_THE_END = ("PathogenSuspected", "SuspicionConfirmed", "SuspicionWithdrawn")
"""Alerts are settled by the report."""


def get(lab: Lab, path: str, *, key: str | None = None) -> tuple[int, Any]:
    """(status, body) of one request to the REST API."""
    headers = {"x-api-key": key} if key else {}
    request = urllib.request.Request(lab.stack.output("ApiUrl") + path, headers=headers)
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or b"null")


@pytest.fixture(scope="module")
def key(lab: Lab) -> str:
    gateway = lab.cloud.client("apigateway")
    made = gateway.get_api_key(apiKey=lab.stack.output("ApiKeyId"), includeValue=True)
    return str(made["value"])


@pytest.mark.parametrize("path", ["/runs", "/runs/{}", "/runs/{}/report"])
def test_the_api_answers_nobody_without_its_key(
    lab: Lab, run: RunRecord, key: str, path: str
) -> None:
    path = path.format(run.run_id)
    for wrong in (None, "guess", key[:-1]):
        assert get(lab, path, key=wrong)[0] == 401
    assert get(lab, path, key=key)[0] == 200


def test_the_api_lists_runs_and_tells_their_state(lab: Lab, run: RunRecord, key: str) -> None:
    _, shown = get(lab, f"/runs/{run.run_id}", key=key)
    assert (shown["state"], shown["findings"]) == ("completed", run.findings)
    assert shown["cost_usd"] == pytest.approx(run.cost_usd)
    assert not {"execution_arn", "manifest_digest", "report_keys"} & set(shown)
    _, listed = get(lab, "/runs?limit=200&state=completed", key=key)
    (mine,) = [entry for entry in listed["runs"] if entry["run_id"] == run.run_id]
    assert mine.items() <= shown.items()
    assert {entry["state"] for entry in listed["runs"]} == {"completed"}
    assert get(lab, "/runs?limit=0", key=key)[0] == 400
    status, missing = get(lab, "/runs/no-such-run", key=key)
    assert (status, "no-such-run" in json.dumps(missing)) == (404, True)


def test_the_links_of_the_api_open_the_reports_and_nothing_else(
    lab: Lab, run: RunRecord, key: str
) -> None:
    _, answer = get(lab, f"/runs/{run.run_id}/report", key=key)
    assert set(answer["links"]) == set(run.report_keys)
    for name, link in answer["links"].items():
        assert "X-Amz-Signature=" in link, "version 2 signatures open in old regions only"
        with urllib.request.urlopen(link) as reply:
            assert reply.read() == lab.report(run, name)
        forged = link.replace(run.run_id, "another-run")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(forged)
        assert refused.value.code == 403
    assert 0 < answer["seconds"] <= 43200


def test_digests_and_how_pathogens_stand_lie_beside_the_reports(lab: Lab, run: RunRecord) -> None:
    bucket, of = lab.stack.bucket("Reports"), (run.run_id, run.revision)
    sums = sums_read(bucket.get(s3_keys.sums_key(*of)).decode())
    assert sums == {name: bucket.sha256(key) for name, key in run.report_keys.items()}
    states = bucket.get_json(s3_keys.states_key(*of), RunStates)
    assert states == states_of(lab.findings(run))
    detected = {
        (sample.sample, result.code)
        for sample in states.samples
        for result in sample.results
        if result.standing is Standing.DETECTED
    }
    assert {("donor-1", "PCV2"), ("donor-1", "HEV"), ("positive", "PPV")} <= detected


def test_list_report_and_cost_say_what_the_bucket_holds(lab: Lab, run: RunRecord) -> None:
    (listed,) = (r for r in printed(lab, "list") if r["run_id"] == run.run_id)
    assert RunRecord.model_validate(listed) == run
    report = Report.model_validate(printed(lab, "report", run.run_id))
    assert report == lab.findings(run)
    assert found(report, Call.DETECTED, "donor-1") == {"PCV2", "HEV"}
    assert found(report, Call.DETECTED, "positive") == {"PPV"}
    assert found(report, Call.DETECTED, "no-template") == set()
    bill = Bill.model_validate_json(lab.report(run, "bill.json"))
    cost = printed(lab, "cost", run.run_id)
    assert cost["total_usd"] == pytest.approx(bill.total_usd)
    assert len(cost["lines"]) == len(bill.lines)
    assert len([line for line in bill.lines if line.instance_id]) == 2


def test_watch_shows_the_end_and_logs_show_the_way(lab: Lab, run: RunRecord) -> None:
    view = RunView.model_validate(printed(lab, "watch", run.run_id))
    assert view.over and view.run == run
    assert {record.phase.value for record in view.phases} == {
        "basecalling", "quality_control", "host_removal", "pathogen_detection",
        "quantification", "reporting",
    }  # fmt: skip
    logs = printed(lab, "logs", run.run_id)
    kinds = [kind for kind, _ in logs["facts"]]
    assert kinds[0] in ("FileValidated", "RunSealed", "ObjectAnswered")
    assert kinds[-1] in ("RunCompleted", *AFTER_THE_END)
    assert {"RunStarted", "InstanceLaunched", "StageCompleted", "InstanceTerminated"} <= set(kinds)
    assert all("published" in text for text in logs["logs"].values()) and len(logs["logs"]) == 2


def test_a_report_can_be_taken_home(lab: Lab, run: RunRecord, tmp_path: Any) -> None:
    answer = lab.command("report", run.run_id, "--out", str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    for name in run.report_keys:
        assert (tmp_path / name).read_bytes() == lab.report(run, name)


def test_commands_about_a_run_that_is_none_fail_in_one_sentence(lab: Lab) -> None:
    for verb in ("report", "logs", "cost"):
        answer = lab.command(verb, "no-such-run")
        assert answer.returncode != 0
        assert "there is no run 'no-such-run'" in answer.stderr
        assert "Traceback" not in answer.stderr


def test_what_is_alerted_in_the_run_is_what_the_report_alarms_for(lab: Lab, run: RunRecord) -> None:
    """Before its end, and confirmed at it; the positive control's content alerts nobody."""
    key = s3_keys.results_key(run.run_id, run.revision)
    results = lab.stack.bucket("Results").get_json(key, RunResults)
    alarms = {(a.sample, a.code) for a in results.alarms}
    assert ("donor-1", "HEV") in alarms
    assert not {sample for sample, _ in alarms} & {"positive"}
    alerts = lab.wait_messages(run.run_id, "PathogenSuspected", "Alert")
    subjects = [alert.subject for alert in alerts]
    assert sorted(subjects) == sorted(f"SUSPECTED {c} in {s}, run {run.run_id}" for s, c in alarms)
    assert run.completed_at and all(alert.at < run.completed_at for alert in alerts)
    (done,) = lab.wait_messages(run.run_id, "RunCompleted")
    assert max(alert.at for alert in alerts) < done.at
    wait_for(
        lambda: len(lab.messages(run.run_id, "SuspicionConfirmed", "Alert")) == len(alarms),
        60,
        "the confirmations",
    )


def test_alerts_are_listed_and_closed_by_command(lab: Lab, run: RunRecord) -> None:
    listed = lab.command("alerts", "--run", run.run_id, "--json")
    assert "HEV" in listed.stdout, listed.stderr
    closed = lab.command("ack", run.run_id, "donor-1", "HEV", "--name", "A. Sato")
    assert "acknowledged by A. Sato" in closed.stdout, closed.stderr
    assert '"HEV"' not in lab.command("alerts", "--run", run.run_id, "--json").stdout


def test_the_notice_of_the_end_has_links_that_open(lab: Lab, run: RunRecord) -> None:
    (notice,) = lab.wait_messages(run.run_id, "RunCompleted")
    links = dict(line.split(": ", 1) for line in notice.body.splitlines() if ": http" in line)
    assert {"report.html", "report.pdf", "report.json"} <= set(links)
    with urllib.request.urlopen(links["report.html"]) as reply:
        assert reply.read() == lab.report(run, "report.html")


def test_what_cannot_be_handled_waits_with_its_reason_and_can_be_sent_back(
    lab: Lab, run: RunRecord
) -> None:
    rubbish = f"rubbish {lab.tag}, no JSON"
    sqs, queue = lab.cloud.client("sqs"), lab.stack.output("IntakeQueueUrl")
    with hidden_for(lab.cloud, queue, HIDDEN_SECONDS):
        sqs.send_message(QueueUrl=queue, MessageBody=rubbish)
        wait_for(lambda: lab.dead_letters(rubbish), 90, "the dead letter")
    reasons = refusals(lab, rubbish)
    assert len(reasons) >= 5 and all("is not JSON" in reason for reason in reasons)
    time.sleep(1.1)  # the dead letter was received just now and is invisible for a second
    (intake,) = (one for one in printed(lab, "redrive", "intake"))
    assert intake["waiting"] >= 1 and any(rubbish in text for text in intake["samples"])
    time.sleep(5.1)  # and again, for as long as `redrive` hides what it shows
    (moved,) = printed(lab, "redrive", "intake", "--move")
    assert (moved["waiting"], moved["moved"]) == (0, intake["waiting"])
    assert lab.dead_letters(rubbish) == []
    wait_for(
        lambda: len(refusals(lab, rubbish)) > len(reasons), 60, "another receive of the message"
    )


class hidden_for:  # noqa: N801 - reads as what it does
    """A queue hides what is being handled for a moment only, so that five tries pass quickly."""

    def __init__(self, cloud: Cloud, address: str, seconds: int) -> None:
        self._sqs, self._address, self._seconds = cloud.client("sqs"), address, seconds

    def _set(self, seconds: str) -> None:
        self._sqs.set_queue_attributes(
            QueueUrl=self._address, Attributes={"VisibilityTimeout": seconds}
        )

    def __enter__(self) -> None:
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=self._address, AttributeNames=["VisibilityTimeout"]
        )
        self._before = attributes["Attributes"]["VisibilityTimeout"]
        self._set(str(self._seconds))

    def __exit__(self, *_exc: object) -> None:
        self._set(self._before)


def refusals(lab: Lab, text: str) -> list[str]:
    """Lines of the orchestrator's log that refuse a message with this text."""
    name = f"/aws/lambda/{lab.stack.name}-pipeline-orchestrator"
    logs = lab.cloud.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
    lines = (event["message"] for page in pages for event in page["events"])
    return [line for line in lines if text in line and "refused" in line]
