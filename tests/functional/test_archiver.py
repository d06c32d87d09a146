"""The archiver's own handler on S3 and DynamoDB: what is due is archived, an upgrade brings it
back, one that fails ends nothing, and what nobody pays for expires by age."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.archive.cold_storage import ColdStorage
from porewatch.adapters.ledger.run_moves import move_run
from porewatch.adapters.people.entitlements import Entitlements
from porewatch.adapters.table import Table
from porewatch.domain import base, s3_keys
from porewatch.domain.archive.artefact import SMALLEST, Artefact, Shelf
from porewatch.domain.archive.away import Away, State
from porewatch.domain.archive.retrieval import plan_of
from porewatch.domain.archive.steps import CLAIM
from porewatch.domain.archive.user_archive import UserArchive
from porewatch.domain.base import now
from porewatch.domain.errors import Conflict
from porewatch.domain.facts.run_facts import RunHeld
from porewatch.domain.records.retention_record import Hold
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.tiers.entitlement import Entitlement
from porewatch.domain.tiers.tier import TierName
from porewatch.settings import settings
from porewatch_local.stack_template.template import Template
from simulator.faults import refusal
from tests.contract.test_template import TEMPLATE
from tests.functional.doors import Context, batch, door, fact_event, object_event

USER = "u-aaaaaaaaaaaaaaaa"
RUN = "run-1"
BULKY = ("reports", s3_keys.report_key(RUN, 1, "tables.zip"))
OUTPUT = ("results", f"runs/{RUN}/r1/screen/e1/AROA:i-1/outputs/part.bin")
HOT = (
    ("reports", s3_keys.report_key(RUN, 1, "report.html")),
    ("results", f"runs/{RUN}/r1/screen/manifest.json"),
    ("results", f"runs/{RUN}/r1/screen/e1/AROA:i-1/worker.log"),
)
CONTENT = b"x" * SMALLEST
Deliver = Callable[[], int]


class Clock:
    """The time of the functions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = now()
        monkeypatch.setattr(base, "clock", lambda: self.at)

    def days(self, number: float) -> None:
        self.at += timedelta(days=number)


@pytest.fixture
def queue(cloud: Table, monkeypatch: pytest.MonkeyPatch) -> str:
    url = str(boto3.client("sqs").create_queue(QueueName="archive")["QueueUrl"])
    dead = str(boto3.client("sqs").create_queue(QueueName="archive-dead")["QueueUrl"])
    boto3.client("events").create_event_bus(Name="porewatch")
    for name, value in {
        "UNPAID_TIER": "free",
        "QUEUE_URL": url,
        "ARCHIVE_DEAD_LETTERS_URL": dead,
        "RESULTS_DAYS": "90",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return url


@pytest.fixture
def clock(queue: str, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def run(cloud: Table, clock: Clock) -> RunRecord:
    """It has just been completed."""
    for bucket, key in (BULKY, OUTPUT, *HOT):
        boto3.client("s3").put_object(
            Bucket=bucket, Key=key, Body=CONTENT, ContentType="application/zip"
        )
    record = RunRecord(
        run_id=RUN,
        state=RunState.COMPLETED,
        revision=1,
        submitted_by=USER,
        created_at=clock.at,
        updated_at=clock.at,
        completed_at=clock.at,
        report_keys={"tables.zip": BULKY[1]},
    )
    return move_run(cloud, RUN, lambda _: (record, ()))


def sweep() -> None:
    event = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
    door("archiver")(event, Context())


def deliver(*more: Any) -> list[str]:
    """Everything in the queue, and what comes of it, until it is empty; ids of what failed."""
    sqs, url, failed = boto3.client("sqs"), settings().queue_url, []
    bodies = [json.dumps(body) for body in more]
    while True:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        bodies += [message["Body"] for message in got]
        if not bodies:
            return failed
        for body in bodies:
            answer = door("archiver")(batch(body), Context())
            failed += [one["itemIdentifier"] for one in answer["batchItemFailures"]]
        bodies = []


def storage_class(place: tuple[str, str]) -> str:
    head = boto3.client("s3").head_object(Bucket=place[0], Key=place[1])
    return str(head.get("StorageClass", "STANDARD"))


def pays(tier: TierName, at: datetime) -> dict[str, Any]:
    Entitlements(Table("people")).keep(Entitlement(user_id=USER, tier=tier, since=at, read_at=at))
    changed = {"user_id": USER, "before": "free", "after": tier.value, "at": at.isoformat()}
    return fact_event("TierChanged", changed)


def restored(place: tuple[str, str]) -> dict[str, Any]:
    event = object_event(place[1], etag="e", size=1, bucket=place[0])
    return {**event, "detail-type": "Object Restore Completed"}


def test_what_is_due_is_archived_and_nothing_before(run: RunRecord, clock: Clock) -> None:
    clock.days(13.9)
    sweep()
    assert deliver() == []
    assert storage_class(BULKY) == "STANDARD"
    clock.days(0.2)
    sweep()
    assert deliver() == []
    assert [storage_class(place) for place in (BULKY, OUTPUT)] == ["GLACIER"] * 2
    assert [storage_class(place) for place in HOT] == ["STANDARD"] * len(HOT)
    head = boto3.client("s3").head_object(Bucket=BULKY[0], Key=BULKY[1])
    assert head["ContentType"] == "application/zip" and head["ContentLength"] == len(CONTENT)
    ledger = ArchiveLedger(Table("ledger"))
    assert {one.state for one in ledger.all_away(USER)} == {State.ARCHIVED}


def test_an_upgrade_brings_everything_back_and_says_so_once(
    run: RunRecord, clock: Clock, cloud: Table
) -> None:
    clock.days(15)
    sweep()
    deliver()
    said: list[Any] = []
    whole = BaseClient._make_api_call  # type: ignore[attr-defined]

    def heard(self: Any, operation: str, sent: Any) -> Any:
        said.extend(sent["Entries"] if operation == "PutEvents" else [])
        return whole(self, operation, sent)

    with patch.object(BaseClient, "_make_api_call", heard):
        upgrade = pays(TierName.PREMIUM, clock.at)
        assert deliver(upgrade) == []
        states = {one.state for one in ArchiveLedger(cloud).all_away(USER)}
        assert states == {State.RESTORING}
        for place in (BULKY, OUTPUT, BULKY):
            assert deliver(restored(place)) == []
        assert deliver(upgrade) == [], "once more"
    assert [storage_class(place) for place in (BULKY, OUTPUT)] == ["STANDARD"] * 2
    body = boto3.client("s3").get_object(Bucket=BULKY[0], Key=BULKY[1])["Body"].read()
    assert body == CONTENT
    assert [one["DetailType"] for one in said] == ["ResultsThawed"]
    detail = json.loads(said[0]["Detail"])
    assert (detail["user_id"], detail["runs"], detail["files"]) == (USER, 1, 2)


def test_a_lost_event_of_the_upgrade_and_of_the_restore_is_noticed(
    run: RunRecord, clock: Clock
) -> None:
    clock.days(15)
    sweep()
    deliver()
    pays(TierName.PREMIUM, clock.at)
    sweep()
    deliver()
    clock.days(0.5)
    sweep()
    deliver()
    assert [storage_class(place) for place in (BULKY, OUTPUT)] == ["STANDARD"] * 2


def test_a_look_before_its_time_archives_nothing_and_is_not_the_last(
    run: RunRecord, clock: Clock
) -> None:
    """As after a revision, or an event that came twice."""
    clock.days(1)
    assert deliver({"look": "run", "run_id": RUN}) == []
    for shelf, key in (BULKY, OUTPUT):
        artefact = {"run_id": RUN, "shelf": shelf, "key": key}
        assert deliver({"look": "artefact", "artefact": artefact}) == []
    assert [storage_class(place) for place in (BULKY, OUTPUT)] == ["STANDARD"] * 2
    clock.days(13.1)
    sweep()
    assert deliver() == []
    assert [storage_class(place) for place in (BULKY, OUTPUT)] == ["GLACIER"] * 2


def test_an_upgrade_after_the_look_was_queued_keeps_it_hot(
    run: RunRecord, clock: Clock, cloud: Table
) -> None:
    clock.days(15)
    pays(TierName.PREMIUM, clock.at)
    artefact = {"run_id": RUN, "shelf": BULKY[0], "key": BULKY[1]}
    assert deliver({"look": "artefact", "artefact": artefact}) == []
    assert storage_class(BULKY) == "STANDARD"
    assert list(ArchiveLedger(cloud).all_away(USER)) == []


def test_one_that_fails_ends_nothing_and_says_why_and_is_a_dead_letter_at_last(
    run: RunRecord, clock: Clock, cloud: Table
) -> None:
    whole = BaseClient._make_api_call  # type: ignore[attr-defined]

    def throttled(self: Any, operation: str, sent: Any) -> Any:
        if operation == "CopyObject" and sent["Key"] == BULKY[1]:
            raise refusal("SlowDown", status=503)
        return whole(self, operation, sent)

    clock.days(15)
    with patch.object(BaseClient, "_make_api_call", throttled):
        sweep()
        assert deliver() == []
        assert storage_class(OUTPUT) == "GLACIER", "the other one went on"
        for _ in range(5):
            clock.days(1)
            sweep()
            assert deliver() == []
    artefact = Artefact(run_id=RUN, shelf=Shelf.REPORTS, key=BULKY[1])
    record, _ = ArchiveLedger(cloud).away(USER, artefact) or pytest.fail("no record")
    assert "SlowDown" in record.problem and record.failures >= 5
    dead = boto3.client("sqs").receive_message(QueueUrl=settings().archive_dead_letters_url)
    assert "tables.zip" in dead["Messages"][0]["Body"]
    clock.days(2)
    sweep()
    deliver()
    assert storage_class(BULKY) == "GLACIER", "and it is tried again"


def test_a_copy_with_other_bytes_is_never_accepted_and_a_dead_letter_at_once(
    run: RunRecord, clock: Clock, cloud: Table
) -> None:
    whole = BaseClient._make_api_call  # type: ignore[attr-defined]

    def other(self: Any, operation: str, sent: Any) -> Any:
        if operation == "CopyObject" and sent["Key"] == BULKY[1]:
            place = {"Bucket": sent["Bucket"], "Key": sent["Key"], "StorageClass": "GLACIER"}
            return whole(self, "PutObject", {**place, "Body": b"y" * SMALLEST})
        return whole(self, operation, sent)

    clock.days(15)
    with patch.object(BaseClient, "_make_api_call", other):
        sweep()
        assert deliver() == []
    dead = boto3.client("sqs").receive_message(QueueUrl=settings().archive_dead_letters_url)
    assert "tables.zip" in dead["Messages"][0]["Body"]
    for _ in range(3):
        clock.days(1)
        sweep()
        deliver()
    artefact = Artefact(run_id=RUN, shelf=Shelf.REPORTS, key=BULKY[1])
    record, _ = ArchiveLedger(cloud).away(USER, artefact) or pytest.fail("no record")
    assert record.state is State.ARCHIVING and "does not hold" in record.problem
    assert record.failures >= 4


def test_copies_whose_process_is_killed_are_failures_and_a_dead_letter_at_last(
    run: RunRecord, clock: Clock, cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """No code of ours catches it."""

    def dies(self: ColdStorage, key: str) -> None:
        raise Killed

    monkeypatch.setattr(ColdStorage, "archive", dies)
    for _ in range(24):
        clock.days(1)
        for _ in range(3):
            sweep()
            with suppress(Killed):
                deliver()
    record = max(ArchiveLedger(cloud).all_away(USER), key=lambda one: one.failures)
    assert record.failures >= 5 and "its process is gone" in record.problem
    dead = boto3.client("sqs").receive_message(QueueUrl=settings().archive_dead_letters_url)
    assert dead["Messages"]


def test_expedited_gives_way_to_standard(run: RunRecord, clock: Clock) -> None:
    asked: list[str] = []
    whole = BaseClient._make_api_call  # type: ignore[attr-defined]

    def no_capacity(self: Any, operation: str, sent: Any) -> Any:
        if operation == "RestoreObject":
            asked.append(sent["RestoreRequest"]["GlacierJobParameters"]["Tier"])
            if asked[-1] == "Expedited":
                raise refusal("GlacierExpeditedRetrievalNotAvailable", status=503)
        return whole(self, operation, sent)

    clock.days(15)
    sweep()
    deliver()
    with patch.object(BaseClient, "_make_api_call", no_capacity):
        assert deliver(pays(TierName.PREMIUM, clock.at)) == []
    assert asked == ["Expedited", "Standard"] * 2


@pytest.mark.parametrize("kept", [True, False])
def test_results_expire_by_age_unless_somebody_pays(
    run: RunRecord, clock: Clock, *, kept: bool
) -> None:
    if kept:
        pays(TierName.PREMIUM, clock.at)
    for _ in range(12):
        clock.days(14)
        sweep()
        assert deliver() == []
    s3 = boto3.client("s3")
    there = s3.list_objects_v2(Bucket="results", Prefix="runs/")["KeyCount"]
    assert there == (3 if kept else 0)
    assert s3.list_objects_v2(Bucket="reports", Prefix="runs/")["KeyCount"] == 2, "365 days"


def test_of_results_that_have_expired_nobody_says_that_they_are_back(
    run: RunRecord, clock: Clock, cloud: Table
) -> None:
    for _ in range(50):
        clock.days(14)
        sweep()
        assert deliver() == []
    assert boto3.client("s3").list_objects_v2(Bucket="reports")["KeyCount"] == 0
    ledger = ArchiveLedger(cloud)
    assert not list(ledger.all_away(USER)) and not list(ledger.users())
    assert said_after_an_upgrade(clock) == []


def test_of_results_that_were_removed_by_hand_nobody_says_that_they_are_back(
    run: RunRecord, clock: Clock, cloud: Table
) -> None:
    clock.days(15)
    sweep()
    assert deliver() == []
    for bucket, key in (BULKY, OUTPUT):
        boto3.client("s3").delete_object(Bucket=bucket, Key=key)
    assert len(list(ArchiveLedger(cloud).all_away(USER))) == 2
    assert said_after_an_upgrade(clock) == []
    assert not list(ArchiveLedger(cloud).users())


def said_after_an_upgrade(clock: Clock) -> list[Any]:
    said: list[Any] = []
    whole = BaseClient._make_api_call  # type: ignore[attr-defined]

    def heard(self: Any, operation: str, sent: Any) -> Any:
        said.extend(sent["Entries"] if operation == "PutEvents" else [])
        return whole(self, operation, sent)

    with patch.object(BaseClient, "_make_api_call", heard):
        assert deliver(pays(TierName.PREMIUM, clock.at)) == []
    return said


def test_a_message_of_something_else_is_refused(run: RunRecord) -> None:
    assert len(deliver({"look": "elsewhere"})) == 0, "it is put aside"
    dead = boto3.client("sqs").receive_message(QueueUrl=settings().archive_dead_letters_url)
    assert "elsewhere" in dead["Messages"][0]["Body"]


def test_what_a_program_registered_is_not_archived_and_expires_from_its_end(
    run: RunRecord, clock: Clock, cloud: Table
) -> None:
    # Written into the record itself: no rule gives a run to somebody else.
    item = cloud.need(f"RUN#{RUN}", "RUN")
    other = item.model(RunRecord).model_copy(update={"submitted_by": "an operator's program"})
    cloud.put(replace(item, body=other.canonical_json()))
    clock.days(15)
    sweep()
    assert deliver() == []
    assert [storage_class(place) for place in (BULKY, OUTPUT)] == ["STANDARD"] * 2
    for _ in range(6):
        clock.days(14)
        sweep()
        assert deliver() == []
    s3 = boto3.client("s3")
    assert s3.list_objects_v2(Bucket="results", Prefix="runs/")["KeyCount"] == 0, "90 days"
    assert s3.list_objects_v2(Bucket="reports", Prefix="runs/")["KeyCount"] == 2


@pytest.mark.parametrize("meanwhile", ["a thaw", "an archiver"])
def test_who_archives_while_a_thaw_ends_stays_listed(
    cloud: Table, clock: Clock, meanwhile: str
) -> None:
    ledger = ArchiveLedger(cloud)
    artefact = Artefact(run_id=RUN, shelf=Shelf.REPORTS, key=BULKY[1])
    one = Away(
        artefact=artefact, user_id=USER, state=State.ARCHIVED, size=1, since=clock.at, due=None
    )
    ledger.begin(one)
    with pytest.raises(Conflict):
        ledger.begin(one)
    assert ledger.thaw_ends(USER) is None, "something is away"
    ledger.hot(*(ledger.away(USER, artefact) or pytest.fail("no record")))
    user, version = ledger.thaw_ends(USER) or (UserArchive(user_id=USER), 0)
    if meanwhile == "a thaw":
        ledger.thaw_begins(USER, clock.at, plan_of([1]))
    else:
        ledger.begin(one)
    ledger.all_back(user, version)
    assert [user.user_id for user in ledger.users()] == [USER]


def test_a_claim_outlives_the_function() -> None:
    timeout = TEMPLATE.resources["Archiver"]["Properties"]["Timeout"]
    assert 2 * timedelta(seconds=timeout) <= CLAIM


def test_where_tiers_are_paid_for_no_rule_of_s3_expires_results() -> None:
    """A rule knows the age of an object, and not who pays."""
    for bucket in ("ResultsBucket", "ReportsBucket", "RawBucket"):
        rules = _rules(TEMPLATE, bucket)
        assert rules
        for rule in rules:
            days = rule.get("ExpirationInDays")
            of_results = bucket != "RawBucket" or rule["Id"] == "expire-manifests"
            if days is not None and of_results:
                assert days["Fn::If"][:2] == ["HasPaidTiers", {"Ref": "AWS::NoValue"}]


def _rules(template: Template, bucket: str) -> list[Any]:
    found = template.resources[bucket]["Properties"]["LifecycleConfiguration"]["Rules"]
    return list(found)


def test_a_hold_brings_it_back_and_keeps_it_hot(run: RunRecord, clock: Clock, cloud: Table) -> None:
    clock.days(15)
    sweep()
    deliver()
    assert storage_class(BULKY) == "GLACIER"
    hold = Hold(by="M. Sato", reason="complaint", at=clock.at)
    move_run(cloud, RUN, lambda _: (run.model_copy(update={"hold": hold}), ()))
    fact = RunHeld(fact_id="RunHeld:1", run_id=RUN, at=clock.at, by="M. Sato", reason="complaint")
    assert deliver(fact_event("RunHeld", fact.model_dump(mode="json"))) == []
    assert deliver(restored(BULKY)) == []
    assert storage_class(BULKY) == "STANDARD"
    for _ in range(30):
        clock.days(14)
        sweep()
        deliver()
    assert storage_class(BULKY) == "STANDARD", "neither archived again nor removed"


def test_of_a_deleted_run_nothing_is_remembered(run: RunRecord, clock: Clock, cloud: Table) -> None:
    clock.days(15)
    sweep()
    deliver()
    ledger = ArchiveLedger(cloud)
    assert len(list(ledger.all_away(USER))) == 2
    s3 = boto3.client("s3")
    for bucket, key in (BULKY, OUTPUT):
        s3.delete_object(Bucket=bucket, Key=key)
    gone = run.model_copy(update={"state": RunState.DELETED})
    move_run(cloud, RUN, lambda _: (gone, ()), gone=True)
    assert deliver({"look": "run", "run_id": RUN}) == []
    assert not list(ledger.all_away(USER)) and not list(ledger.users())
