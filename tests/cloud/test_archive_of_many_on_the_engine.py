"""Many users' results archived and thawed by the deployed stack: by the archiver under its own
rights, S3 with its delays, events by the bus, a mail to each. Some of the archiver's calls are
throttled. How long it takes, what it costs, and that nothing reads a whole table.

`POREWATCH_ARCHIVED_USERS` is how many; 1,000 without it.
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.ledger.run_moves import move_run
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.entitlements import Entitlements
from porewatch.adapters.table import Table
from porewatch.domain.archive.artefact import SMALLEST
from porewatch.domain.base import now
from porewatch.domain.people.accounts import User
from porewatch.domain.people.secrets import new_id, new_run_id
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.tiers.entitlement import Entitlement
from porewatch.domain.tiers.tier import TierName
from porewatch_local.embedded.capacity_limits import throttled
from tests.archive_prices import usd
from tests.cloud.conftest import Cloud
from tests.cloud.making import wait_for
from tests.cloud.test_archive_on_the_engine import paid_tiers  # noqa: F401 - fixture

pytestmark = [pytest.mark.cloud, pytest.mark.slow]
USERS = int(os.environ.get("POREWATCH_ARCHIVED_USERS", "1000"))
CLOCK = Path(__file__).parents[2] / "events" / "functions" / "archiver.clock.json"
HANDS, ARCHIVER = 8, "ArchiverRole"
OLD = timedelta(days=20)
THROTTLED, HARD = 0.02, 0.25
"""Of the archiver's calls to DynamoDB, S3 and SQS. The SDK tries each four times, with pauses; by
the second, in the first seconds, one in 250 is refused to our own code."""
HARD_S = 30.0
BACK = b"Subject: Your archived results are back"
LOOK_S, SWEEP_S = 3.0, 30.0
"""The clock sweeps every quarter of an hour, the test twice a minute."""
PATIENCE_S = 600 + 2.0 * USERS
"""What fails is tried again after five minutes, then after ten."""


class Users:
    """So many users, each with an old run of two bulky artefacts."""

    def __init__(self, stack: Cloud) -> None:
        self.stack, self.s3 = stack, stack.client("s3")
        dynamodb = stack.client("dynamodb")
        self.ledger = Table(stack.outputs["LedgerTable"], dynamodb)
        self.people = Table(stack.outputs["PeopleTable"], dynamodb)
        self.archive, self.accounts = ArchiveLedger(self.ledger), Accounts(self.people)
        self.runs = {new_id("u"): new_run_id() for _ in range(USERS)}
        self.buckets = (stack.outputs["ReportsBucketName"], stack.outputs["ResultsBucketName"])
        self.events = self._listen()
        self.archiver = next(
            one["FunctionName"]
            for page in stack.client("lambda").get_paginator("list_functions").paginate()
            for one in page["Functions"]
            if one["FunctionName"].endswith("-archiver")
        )

    def everybody(self, act: Callable[[str, str], None]) -> None:
        with ThreadPoolExecutor(HANDS) as hands:
            list(hands.map(act, *zip(*self.runs.items(), strict=True)))

    def make(self, user_id: str, run_id: str) -> None:
        at = now()
        self.accounts.add_user(
            User(
                user_id=user_id, issuer="i", subject=user_id, name="A", email=_address(user_id),
                email_verified=True, created_at=at, seen_at=at,
            )
        )  # fmt: skip
        for bucket, key in self.places(run_id):
            self.s3.put_object(Bucket=bucket, Key=key, Body=_content(key))
        record = RunRecord(
            run_id=run_id, state=RunState.COMPLETED, revision=1, submitted_by=user_id,
            created_at=at - OLD, updated_at=at - OLD, completed_at=at - OLD,
        )  # fmt: skip
        move_run(self.ledger, run_id, lambda _: (record, ()))

    def upgrade(self, user_id: str, _: str) -> None:
        """As `entitlement_keeper` does: what he paid for, then the event."""
        at = now()
        Entitlements(self.people).keep(
            Entitlement(user_id=user_id, tier=TierName.PREMIUM, since=at, read_at=at)
        )
        changed = {"user_id": user_id, "before": "free", "after": "premium", "at": at.isoformat()}
        entry = {"EventBusName": self.stack.outputs["BusName"], "Source": "porewatch"}
        entry |= {"DetailType": "TierChanged", "Detail": json.dumps(changed)}
        assert self.stack.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def places(self, run_id: str) -> list[tuple[str, str]]:
        keys = (f"runs/{run_id}/r1/tables.zip", f"runs/{run_id}/r1/screen/e1/A:i/outputs/a")
        return list(zip(self.buckets, keys, strict=True))

    def sweep(self) -> None:
        """The clock's event, now."""
        event = CLOCK.read_bytes()
        functions = self.stack.client("lambda")
        functions.invoke(FunctionName=self.archiver, InvocationType="Event", Payload=event)

    def classes(self) -> Counter[str]:
        """Storage classes of all artefacts."""
        ours, found = set(self.runs.values()), Counter[str]()
        for bucket in self.buckets:
            for page in self.s3.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix="runs/r-"
            ):
                for one in page.get("Contents", []):
                    if one["Key"].split("/")[1] in ours:
                        found[one.get("StorageClass", "STANDARD")] += 1
        return found

    def listed(self) -> set[str]:
        """Of whom something may be away."""
        return {one.user_id for one in self.archive.users()} & set(self.runs)

    def readable(self, _: str, run_id: str) -> None:
        for bucket, key in self.places(run_id):
            assert self.s3.get_object(Bucket=bucket, Key=key)["Body"].read() == _content(key)

    def left(self) -> list[str]:
        """Users of whom the ledger still holds something away."""
        return [one for one in self.runs if list(self.archive.all_away(one))]

    def thawed(self) -> Counter[str]:
        """Events on the bus, by user."""
        sqs, found = self.stack.client("sqs"), Counter[str]()
        while got := sqs.receive_message(QueueUrl=self.events, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for one in got:
                found[json.loads(one["Body"])["detail"]["user_id"]] += 1
                sqs.delete_message(QueueUrl=self.events, ReceiptHandle=one["ReceiptHandle"])
        return Counter({user: number for user, number in found.items() if user in self.runs})

    def mails(self) -> Counter[str]:
        """How many say to whom that results are back."""
        found = Counter[str]()
        for user_id in self.runs:
            for one in self.stack.home.mail.glob(f"*-{_address(user_id)}.eml"):
                found[user_id] += BACK in one.read_bytes()
        return found

    def dead_letters(self) -> int:
        sqs = self.stack.client("sqs")
        names = ("-ArchiveDeadLetters-", "-MailDeadLetters-")
        there = sqs.list_queues(MaxResults=1000)["QueueUrls"]
        urls = [u for u in there if any(n in u for n in names)]
        assert len(urls) == len(names), urls
        attributes = (
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            for url in urls
        )
        return sum(int(one["ApproximateNumberOfMessages"]) for one in attributes)

    def reports(self) -> list[float]:
        """Seconds that each call of the archiver took, as its log says."""
        settings = self.stack.client("lambda").get_function_configuration(
            FunctionName=self.archiver
        )
        pages = self.stack.client("logs").get_paginator("filter_log_events")
        said = (
            one["message"]
            for page in pages.paginate(
                logGroupName=settings["LoggingConfig"]["LogGroup"], filterPattern="REPORT"
            )
            for one in page["events"]
        )
        found = (re.match(r"REPORT RequestId: .*?Duration: ([\d.]+) ms", line) for line in said)
        return [float(one[1]) / 1000 for one in found if one]

    def cost(self) -> Counter[str]:
        """The archiver's calls so far; `throttled`: those that were refused."""
        path = f"{self.stack.local.endpoint}/_ministack/request-counts/callers"
        with urllib.request.urlopen(path) as reply:
            callers = json.load(reply)
        counted = (Counter(one) for who, one in callers.items() if ARCHIVER in who)
        calls = len(self.reports())
        return sum(counted, Counter({"call": calls, "message": calls}))

    def _listen(self) -> str:
        """A queue that gets every `ResultsThawed`."""
        sqs, events = self.stack.client("sqs"), self.stack.client("events")
        url = str(sqs.create_queue(QueueName=new_id("thawed"))["QueueUrl"])
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn, name = asked["Attributes"]["QueueArn"], new_id("thawed")
        bus = {"EventBusName": self.stack.outputs["BusName"]}
        pattern = json.dumps({"detail-type": ["ResultsThawed"]})
        rule = events.put_rule(Name=name, EventPattern=pattern, **bus)["RuleArn"]
        events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}], **bus)
        statement = {
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage", "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return url


@contextmanager
def measured(users: Users, what: str) -> Iterator[Counter[str]]:
    """Prints how long it took and what it cost; gives the archiver's calls, once it is over."""
    before, began, spent = users.cost(), time.monotonic(), Counter[str]()
    with throttled(users.stack.home, ARCHIVER, THROTTLED):
        yield spent
    seconds, took = time.monotonic() - began, users.reports()
    spent.update(users.cost() - before)
    assert spent["call"], "its log was read"
    took = took[-spent["call"] :]
    print(f"\n{what}: {seconds:.0f} s, {usd(spent):.4f} USD of calls: {dict(spent.most_common())}")
    print(f"a call of the archiver took {sum(took) / len(took):.2f} s in the mean", flush=True)


def until(users: Users, done: Callable[[], bool], what: str) -> None:
    """Sweeps until it is done."""
    began = swept = time.monotonic()

    def seen() -> bool:
        nonlocal swept
        if time.monotonic() - swept > SWEEP_S:
            users.sweep()
            swept = time.monotonic()
            print(f"  {what} after {swept - began:.0f} s: {users.classes()}", flush=True)
        return done()

    wait_for(seen, PATIENCE_S, what, every=LOOK_S)


def test_many_users_are_archived_and_thawed(stack: Cloud, paid_tiers: None) -> None:  # noqa: F811
    users, artefacts = Users(stack), 2 * USERS
    began = time.monotonic()
    users.everybody(users.make)
    print(f"\n{USERS} users, {artefacts} artefacts, written in {time.monotonic() - began:.0f} s")
    assert users.classes() == {"STANDARD": artefacts}
    dead = users.dead_letters()
    with measured(users, "archived") as archived:
        with throttled(stack.home, ARCHIVER, HARD):
            users.sweep()
            time.sleep(HARD_S)
        until(users, lambda: users.classes() == {"GLACIER": artefacts}, "the archive")
    assert users.listed() == set(users.runs)
    with measured(users, "thawed") as thawed:
        users.everybody(users.upgrade)
        until(users, lambda: not users.listed(), "the thaw")
    assert users.classes() == {"STANDARD": artefacts}
    assert users.left() == []
    users.everybody(users.readable)
    wait_for(lambda: len(users.mails()) == USERS, PATIENCE_S, "the mails", every=LOOK_S)
    assert users.mails() == dict.fromkeys(users.runs, 1), "one mail for each user"
    assert set(users.thawed()) == set(users.runs), "an event for each user"
    assert users.dead_letters() == dead, "nothing was given up"
    for spent in (archived, thawed):
        assert spent["throttled"] > USERS / 10
        assert "dynamodb:Scan" not in spent
        assert spent["s3:PutObject"] >= artefacts, "the archiver copied"
    assert archived["call"] < 6 * USERS, "work grows with what there is to do"
    assert thawed["call"] < 10 * USERS


def _address(user_id: str) -> str:
    return f"{user_id}@lab.example"


def _content(key: str) -> bytes:
    """Nobody else's."""
    return key.encode().ljust(SMALLEST, b"x")
