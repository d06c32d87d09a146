"""Archive and thaw on the deployed stack: the function with its own rights, S3's restore with its
delay, its event by EventBridge to the queue. And what the engine must know of archived objects."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError

from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.archive.cold_storage import ColdStorage
from porewatch.adapters.ledger.run_moves import move_run
from porewatch.adapters.people.entitlements import Entitlements
from porewatch.adapters.table import Table
from porewatch.domain.archive.artefact import SMALLEST
from porewatch.domain.archive.away import Restore
from porewatch.domain.archive.retrieval import Speed
from porewatch.domain.base import now
from porewatch.domain.people.secrets import new_id, new_run_id
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.tiers.entitlement import Entitlement
from porewatch.domain.tiers.tier import TierName
from porewatch_cli.operate.chaos_archive import ArchiveTrouble, trouble_archive
from porewatch_cli.options import Events
from porewatch_cli.stack import find_stack
from porewatch_local.embedded.clients import client
from tests.cloud.conftest import Cloud
from tests.cloud.making import allow, bucket, named, user, wait_for
from tests.json_output import fits

pytestmark = pytest.mark.cloud
CONTENT = b"x" * SMALLEST


def test_an_archived_object_is_unreadable_until_it_is_restored_and_that_takes_a_while(
    cloud: Cloud,
) -> None:
    s3, name = cloud.client("s3"), bucket(cloud)
    s3.put_object(Bucket=name, Key="runs/r/a", Body=CONTENT)
    storage = ColdStorage(name, s3)
    storage.archive("runs/r/a")
    assert [(one.key, one.cold) for one in storage.below("runs/")] == [("runs/r/a", True)]
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=name, Key="runs/r/a")
    assert refused.value.response["Error"]["Code"] == "InvalidObjectState"
    assert storage.ask_back("runs/r/a", Speed.EXPEDITED) is Speed.EXPEDITED
    assert storage.ask_back("runs/r/a", Speed.STANDARD) is Speed.STANDARD, "asked before: the same"
    waiting = storage.look("runs/r/a")
    assert waiting is not None and (waiting.cold, waiting.restore) == (True, Restore.ONGOING)
    with pytest.raises(ClientError):
        s3.get_object(Bucket=name, Key="runs/r/a")

    def ready() -> bool:
        found = storage.look("runs/r/a")
        return found is not None and found.restore is Restore.READY

    wait_for(ready, 30)
    storage.rehydrate("runs/r/a")
    found = storage.look("runs/r/a")
    assert found is not None and not found.cold
    assert s3.get_object(Bucket=name, Key="runs/r/a")["Body"].read() == CONTENT


@pytest.mark.parametrize("granted", [True, False])
def test_who_may_send_may_send_in_batches(cloud: Cloud, granted: bool) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=named("queue"))["QueueUrl"]
    theirs = user(cloud, allow("sqs:SendMessage" if granted else "sqs:ReceiveMessage"))
    entries = [{"Id": "0", "MessageBody": "one"}]
    with nullcontext() if granted else pytest.raises(ClientError):
        client(cloud.local, "sqs", theirs).send_message_batch(QueueUrl=url, Entries=entries)


@pytest.fixture
def paid_tiers(stack: Cloud) -> Iterator[None]:
    """The archiver of a stack where Premium is paid for."""
    functions = stack.client("lambda")
    name = next(
        one["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate()
        for one in page["Functions"]
        if one["FunctionName"].endswith("-archiver")
    )
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    paid = {"Variables": {**before, "UNPAID_TIER": "free"}}
    functions.update_function_configuration(FunctionName=name, Environment=paid)
    yield
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


class Finished:
    """A run of a user, that ended just now, with bulky results."""

    def __init__(self, stack: Cloud) -> None:
        self.stack, self.s3 = stack, stack.client("s3")
        dynamodb = stack.client("dynamodb")
        self.ledger = Table(stack.outputs["LedgerTable"], dynamodb)
        self.people = Table(stack.outputs["PeopleTable"], dynamodb)
        self.archive = ArchiveLedger(self.ledger)
        self.run_id, self.user, at = new_run_id(), new_id("u"), now()
        self.places = {
            stack.outputs["ReportsBucketName"]: f"runs/{self.run_id}/r1/tables.zip",
            stack.outputs["ResultsBucketName"]: f"runs/{self.run_id}/r1/screen/e1/A:i/outputs/a",
        }
        for name, key in self.places.items():
            self.s3.put_object(Bucket=name, Key=key, Body=CONTENT)
        record = RunRecord(
            run_id=self.run_id, state=RunState.COMPLETED, revision=1, submitted_by=self.user,
            created_at=at, updated_at=at, completed_at=at,
        )  # fmt: skip
        move_run(self.ledger, self.run_id, lambda _: (record, ()))

    def trouble(self, **how: Any) -> ArchiveTrouble:
        found = find_stack(folder=self.stack.home.root)
        done = trouble_archive(self.run_id, found, **{"died": False, **how})
        fits("chaos archive", done.canonical_json())
        return done

    def upgrade(self) -> None:
        at = now()
        paid = Entitlement(user_id=self.user, tier=TierName.PREMIUM, since=at, read_at=at)
        Entitlements(self.people).keep(paid)
        changed = {"user_id": self.user, "before": "free", "after": "premium"}
        detail = json.dumps({**changed, "at": at.isoformat()})
        entry = {"EventBusName": self.stack.outputs["BusName"], "Source": "porewatch"}
        entry |= {"DetailType": "TierChanged", "Detail": detail}
        self.stack.client("events").put_events(Entries=[entry])

    def states(self) -> set[str]:
        return {one.state.value for one in self.archive.all_away(self.user)}

    def classes(self) -> set[str]:
        heads: list[Any] = [
            self.s3.head_object(Bucket=name, Key=key) for name, key in self.places.items()
        ]
        return {head.get("StorageClass", "STANDARD") for head in heads}

    def is_back(self) -> None:
        wait_for(lambda: self.classes() == {"STANDARD"}, 120)
        wait_for(lambda: not self.states(), 60)
        wait_for(lambda: self.archive.thaw_ends(self.user) is None, 60)
        for name, key in self.places.items():
            assert self.s3.get_object(Bucket=name, Key=key)["Body"].read() == CONTENT


def test_a_run_goes_to_the_archive_and_comes_back_by_events_alone(
    stack: Cloud, paid_tiers: None
) -> None:
    run = Finished(stack)
    assert run.trouble(days=20, events=Events.SENT).looks == 1
    wait_for(lambda: run.classes() == {"GLACIER"}, 120)
    wait_for(lambda: run.states() == {"archived"}, 60)
    run.upgrade()
    run.is_back()


def test_events_that_are_lost_and_looks_that_come_twice(stack: Cloud, paid_tiers: None) -> None:
    run = Finished(stack)
    run.trouble(days=20, events=Events.LOST)
    wait_for(lambda: run.classes() == {"GLACIER"}, 120)
    wait_for(lambda: run.states() == {"archived"}, 120)
    run.upgrade()
    wait_for(lambda: run.states() == {"restoring"}, 60)
    time.sleep(5)  # S3 is ready after two
    assert run.states() == {"restoring"}, "nobody heard"
    assert run.trouble(days=1, events=Events.DOUBLED).looks == 5
    run.is_back()


def test_what_a_dead_process_left_is_not_touched_while_it_may_still_copy(
    stack: Cloud, paid_tiers: None
) -> None:
    run = Finished(stack)
    assert run.trouble(days=20, events=Events.SENT, died=True).claims == 2
    time.sleep(5)
    assert (run.states(), run.classes()) == ({"archiving"}, {"STANDARD"})
