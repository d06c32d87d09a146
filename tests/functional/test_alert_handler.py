"""alert_handler and metric_calculator: each fact notified and counted once, in plain text."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from porewatch.adapters.ledger.idempotency import (
    KEPT,
    Inbox,
)
from porewatch.adapters.messages.notices import Topic
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.errors import AlreadyDone, Unavailable
from tests.functional.doors import Context, batch, door, fact_event, send

WHEN = "2026-03-01T12:00:00Z"
BASE = {"run_id": "run-1", "revision": 0, "at": WHEN}
TODAY = {"at": now().isoformat()}
"""CloudWatch takes no measure that is older than two weeks."""
SUSPECTED = {
    **BASE,
    "fact_id": "s1",
    "sample": "pig 12",
    "code": "PERV-C",
    "name": "Porcine endogenous retrovirus C",
    "severity": "critical",
    "reads": 7,
}

OVER_QUOTA = {
    **{"stage": "screen", "epoch": 1, "rung": 0, "executor": "ec2", "purchase": "spot"},
    **{"error": "QuotaExceeded", "problem": "no machine: VcpuLimitExceeded.", "then": "on-demand"},
}


def test_a_suspicion_goes_to_the_alert_topic_at_once_and_says_what_to_do(
    cloud: Table, alerts: Any, notices: Any
) -> None:
    assert send("alert_handler", fact_event("PathogenSuspected", SUSPECTED)) == []
    (mail,) = alerts()
    assert mail["Subject"] == "SUSPECTED PERV-C in pig 12, run run-1"
    for phrases in ("Porcine endogenous retrovirus C", "Reads so far: 7", "hold the sample"):
        assert phrases in mail["Message"]
    assert mail["MessageAttributes"]["severity"]["Value"] == "critical"
    assert notices() == []


def test_more_reads_of_the_same_suspicion_send_no_second_alert(cloud: Table, alerts: Any) -> None:
    more = {**SUSPECTED, "fact_id": "s2", "reads": 90}
    other = {**SUSPECTED, "fact_id": "s3", "code": "HEV"}
    bodies = [fact_event("PathogenSuspected", d) for d in (SUSPECTED, more, SUSPECTED, other)]
    assert send("alert_handler", *bodies) == []
    assert [m["Subject"].split()[1] for m in alerts()] == ["PERV-C", "HEV"]


def test_twenty_parallel_deliveries_are_one_alert(cloud: Table, alerts: Any) -> None:
    handler = door("alert_handler")
    event = batch(fact_event("PathogenSuspected", SUSPECTED))
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: handler(event, Context()), range(20)))
    assert handler(event, Context()) == {"batchItemFailures": []}
    assert len(alerts()) == 1


@pytest.mark.parametrize(
    ("kind", "detail", "subject", "phrases"),
    [
        (
            "RunCompleted",
            {"findings": 0, "cost_usd": 0.25, "report_keys": {"report.pdf": "runs/run-1/r0/x.pdf"}},
            "Finished: run run-1",
            ["reported is not known", "0.2500 USD", "runs/run-1/r0/x.pdf?"],
        ),
        (
            "RunCompleted",
            {
                "findings": 0,
                "cost_usd": 0.25,
                "report_keys": {"report.pdf": "k"} | {f"report-s{n}.pdf": "s" for n in range(192)},
            },
            "Finished: run run-1",
            ["report.pdf: ", "192 reports of single samples", "porewatch report run-1 --out"],
        ),
        (
            "RunFailed",
            {"stage": "screen", "error": "WorkerLost", "problem": "the machine went silent."},
            "Run run-1 failed",
            ["in stage screen", "the machine went silent.", "porewatch logs run-1"],
        ),
        (
            "RunRefused",
            {"problem": "fastq/a.fastq: its sha256 is wrong."},
            "Run run-1 was refused",
            ["fastq/a.fastq", "seal the run again"],
        ),
        (
            "FileQuarantined",
            {"path": "fastq/a.fastq", "problem": "record 3 is broken", "quarantine_key": "q/a"},
            "File set aside in run run-1",
            ["fastq/a.fastq", "record 3 is broken", "It lies at: q/a"],
        ),
        (
            "StageStalled",
            {
                "stage": "screen",
                "epoch": 1,
                "instance_id": "i-1",
                "still_since": "2020-01-01T00:00:00Z",
                "units_done": 7,
                "checkpoint": None,
            },
            "Run run-1 stands still in screen",
            ["i-1", "at unit 7", "Nothing was ended", "porewatch logs run-1"],
        ),
        (
            "LaunchRefused",
            OVER_QUOTA,
            "Run run-1 meets a quota in screen",
            ["VcpuLimitExceeded", "(spot)", "Next, by itself: on-demand.", "porewatch doctor"],
        ),
    ],
)
def test_notices_say_what_where_and_what_to_do(
    cloud: Table, notices: Any, kind: str, detail: dict[str, Any], subject: str, phrases: list[str]
) -> None:
    event = fact_event(kind, {**BASE, "fact_id": "f", **detail})
    for _ in range(3):
        assert send("alert_handler", event) == []
    (mail,) = notices()
    assert mail["Subject"] == subject
    for phrase in phrases:
        assert phrase in mail["Message"]


def test_a_quota_is_notified_once_a_run_and_stage_and_a_full_pool_not_at_all(
    cloud: Table, notices: Any
) -> None:
    over = [
        *[{"fact_id": "q1"}, {"fact_id": "q2", "rung": 2, "purchase": "on-demand"}],
        *[{"fact_id": "q3", "epoch": 2}, {"fact_id": "q4", "stage": "reporting"}],
        {"fact_id": "q5", "stage": "basecalling", "error": "CapacityUnavailable"},
    ]
    for change in over:
        assert send("alert_handler", fact_event("LaunchRefused", BASE | OVER_QUOTA | change)) == []
    assert [mail["Subject"].split()[-1] for mail in notices()] == ["screen", "reporting"]


def test_facts_without_a_notice_are_passed_over(cloud: Table, notices: Any, alerts: Any) -> None:
    claimed = {**BASE, "fact_id": "c", "stage": "s", "epoch": 1, "instance_id": "i-1"}
    assert send("alert_handler", fact_event("StageClaimed", claimed)) == []
    assert (notices(), alerts()) == ([], [])


def test_names_with_odd_letters_still_make_a_subject(cloud: Table, alerts: Any) -> None:
    odd = {**SUSPECTED, "sample": "schwein-ü" + "x" * 200, "name": "ä"}
    assert send("alert_handler", fact_event("PathogenSuspected", odd)) == []
    (mail,) = alerts()
    assert mail["Subject"].isascii()
    assert "schwein-xxxx" in mail["Subject"]
    assert len(mail["Subject"]) <= 100
    assert "schwein-ü" in mail["Message"]


def test_an_alert_that_could_not_be_sent_is_sent_by_the_next_delivery(
    cloud: Table, alerts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = fact_event("PathogenSuspected", SUSPECTED)

    def broken(*_: object) -> None:
        raise Unavailable("the topic does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(Topic, "publish", broken)
        assert send("alert_handler", event) == ["m0"]
    assert send("alert_handler", event) == []
    assert len(alerts()) == 1


def test_a_key_is_kept_longer_than_the_archive_and_a_dead_worker_gives_it_back(
    cloud: Table,
) -> None:
    clock = {"now": now()}

    def tick() -> datetime:
        return clock["now"]

    inbox = Inbox(cloud, clock=tick)
    inbox._claim("k")  # a worker that never comes back
    with pytest.raises(Unavailable), inbox.once("k"):
        pass
    clock["now"] += timedelta(seconds=61)
    with inbox.once("k"):
        pass
    with pytest.raises(AlreadyDone), inbox.once("k"):
        pass
    item = cloud.get("INBOX#k", "INBOX")
    assert item
    assert item.ttl
    assert item.ttl > (now() + timedelta(days=366)).timestamp()
    assert timedelta(days=365) < KEPT


def test_a_fact_is_measured_once(cloud: Table) -> None:
    detail = {
        **BASE,
        **TODAY,
        "fact_id": "v",
        "path": "fastq/a.fastq",
        "size": 1,
        "reads": 7,
        "bases": 70,
    }
    event = fact_event("FileValidated", detail)
    for _ in range(3):
        assert send("metric_calculator", event) == []
    totals = {name: _sum(name) for name in ("FilesValidated", "Reads", "Bases")}
    assert totals == {"FilesValidated": 1, "Reads": 7, "Bases": 70}


def test_stage_seconds_and_money_are_measured_by_stage(cloud: Table) -> None:
    detail = {
        **BASE,
        **TODAY,
        "fact_id": "t",
        "stage": "screen",
        "epoch": 1,
        "instance_id": "i-1",
        "instance_type": "m7g.large",
        "purchase": "spot",
        "seconds": 61.5,
        "cost_usd": 0.25,
        "reason": "published",
    }
    assert send("metric_calculator", fact_event("InstanceTerminated", detail)) == []
    assert _sum("StageSeconds", Stage="screen") == 61.5
    assert _sum("CostUsd") == 0.25


def _sum(name: str, **dimensions: str) -> float:
    found = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="Porewatch",
        MetricName=name,
        Dimensions=[
            {"Name": n, "Value": v} for n, v in {"Stack": "porewatch-test", **dimensions}.items()
        ],
        StartTime=now() - timedelta(days=1),
        EndTime=now() + timedelta(days=1),
        Period=86400 * 3,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))
