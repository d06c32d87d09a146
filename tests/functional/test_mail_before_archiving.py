"""Results that will be archived soon: the archiver says so on the bus, once for each run and
notice, and the mailer sends one mail for a person and a day. Both through their own handlers."""

# ruff: noqa: F811

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from porewatch.adapters.ledger.run_moves import move_run
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.entitlements import Entitlements
from porewatch.adapters.people.unsubscribe_tokens import UnsubscribeTokens
from porewatch.domain.archive.ahead import AHEAD_DAYS
from porewatch.domain.mail.declining import MailGroup
from porewatch.domain.mail.expiring import MOST_LISTED
from porewatch.domain.people.accounts import MailChoice
from porewatch.domain.people.roles import Role
from porewatch.domain.records.retention_record import Hold
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.tiers.entitlement import GRACE_DAYS, Entitlement
from porewatch.domain.tiers.tier import TierName
from porewatch.settings import settings
from simulator.faults import refusal
from tests.functional.doors import Context, batch, door, fact_event, send
from tests.functional.mailbox import ROOT, Mailbox
from tests.functional.test_archiver import Clock, sweep
from tests.functional.test_mail import Lab, box, lab  # noqa: F401 - fixtures

ADDRESS = "submitter@lab.example"
DAYS = 14
"""That the free tier's results are readable."""
Event = dict[str, Any]


@pytest.fixture(autouse=True)
def paid_tiers(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    boto3.client("events").create_event_bus(Name="porewatch")
    for name, value in {
        "UNPAID_TIER": "free",
        "STRIPE_PRICE": "price_1",
        "RESULTS_DAYS": "90",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()


@pytest.fixture
def clock(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock(monkeypatch)
    made.at = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
    return made


def completes(lab: Lab, clock: Clock, name: str, **more: Any) -> RunRecord:
    record = RunRecord(
        run_id=f"run-{name}", name=name, project=lab.projects[0],
        submitted_by=lab.users[Role.SUBMITTER], state=RunState.COMPLETED, revision=1,
        created_at=clock.at, updated_at=clock.at, completed_at=clock.at,
        report_keys={"report.html": "k"},
    )  # fmt: skip
    made = record.model_copy(update=more)
    return move_run(lab.ledger, made.run_id, lambda _: (made, ()))


@contextmanager
def heard(refused: int = 0) -> Iterator[list[Event]]:
    """What is put on the bus, of which the first so many are refused."""
    said: list[Event] = []
    whole, left = BaseClient._make_api_call, [refused]  # type: ignore[attr-defined]

    def call(self: Any, operation: str, sent: Any) -> Any:
        if operation == "PutEvents":
            if left[0] > 0:
                left[0] -= 1
                raise refusal("ThrottlingException", status=503)
            said.extend(sent["Entries"])
        return whole(self, operation, sent)

    with patch.object(BaseClient, "_make_api_call", call):
        yield said


def archiver_works() -> list[str]:
    """A sweep, and every message that comes of it; ids of what failed."""
    sqs, url, failed = boto3.client("sqs"), settings().queue_url, []
    sweep()
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for one in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            answer = door("archiver")(batch(one["Body"]), Context())
            failed += [item["itemIdentifier"] for item in answer["batchItemFailures"]]
    return failed


def mailed(said: list[Event], times: int = 1) -> None:
    """All that was said comes to the mailer so many times."""
    for one in said * times:
        assert send("mailer", fact_event(one["DetailType"], json.loads(one["Detail"]))) == []


def warned(clock: Clock) -> list[Event]:
    """What the archiver says now, mailed."""
    with heard() as said:
        assert archiver_works() == []
    assert {one["DetailType"] for one in said} <= {"ResultsExpiring"}
    mailed(said)
    return said


def text_of(box: Mailbox) -> str:
    return str(box.sent[-1]["Content"]["Simple"]["Body"]["Text"]["Data"])


def test_a_run_that_ends_soon_is_said_once_for_each_notice_and_mailed(
    lab: Lab, box: Mailbox, clock: Clock
) -> None:
    run = completes(lab, clock, "herd-7")
    clock.days(6)
    assert warned(clock) == []
    clock.at = datetime(2026, 12, 8, 6, tzinfo=UTC)
    (event,) = warned(clock)
    until = datetime(2026, 12, 15, 9, 30, tzinfo=UTC)
    assert json.loads(event["Detail"]) == {
        "user_id": run.submitted_by, "run_id": run.run_id, "until": "2026-12-15T09:30:00Z",
        "days": 7, "at": "2026-12-08T06:00:00Z",
    }  # fmt: skip
    clock.days(1)
    assert warned(clock) == [], "said once"
    assert box.subjects() == ["Results of 1 run will be archived in 7 days"]
    assert [one["Destination"]["ToAddresses"] for one in box.sent] == [[ADDRESS]]
    text = text_of(box)
    for part in (
        "herd-7",
        f"{ROOT}/web/runs/{run.run_id}",
        f"{until:%Y-%m-%d %H:%M} UTC",
        "Premium",
    ):
        assert part in text
    assert "2027-03-16" in text, "what nobody pays for stays in the archive for 90 days"
    clock.at = until - timedelta(hours=20)
    assert len(warned(clock)) == 1
    assert box.subjects()[1:] == ["Results of 1 run will be archived in 1 day"]
    clock.at = until
    assert warned(clock) == []
    assert len(box.sent) == len(AHEAD_DAYS)


def test_runs_of_one_day_are_one_mail_which_names_some_and_counts_all(
    lab: Lab, box: Mailbox, clock: Clock
) -> None:
    begin = clock.at
    for number in range(MOST_LISTED + 5):
        completes(lab, clock, f"herd-{number:02}")
        clock.at += timedelta(minutes=1)
    clock.at = begin + timedelta(days=1)
    completes(lab, clock, "tomorrow")
    clock.at = datetime(2026, 12, 8, 7, tzinfo=UTC)
    said = warned(clock)
    assert len({json.loads(one["Detail"])["run_id"] for one in said}) == MOST_LISTED + 5
    mailed(said, times=2)
    assert box.subjects() == [f"Results of {MOST_LISTED + 5} runs will be archived in 7 days"]
    named = re.findall(r"\* (herd-\d\d)", text_of(box))
    assert named == [f"herd-{number:02}" for number in range(MOST_LISTED)], "the first to end first"
    assert "And 5 runs more." in text_of(box) and "tomorrow" not in text_of(box)
    clock.days(1)
    warned(clock)
    assert box.subjects()[1:] == ["Results of 1 run will be archived in 7 days"]


def test_the_first_event_of_a_day_gives_the_whole_mail(
    lab: Lab, box: Mailbox, clock: Clock
) -> None:
    for name in ("a", "b", "c"):
        completes(lab, clock, name)
    clock.days(8)
    with heard() as said:
        archiver_works()
    mailed(said[:1])
    assert box.subjects() == ["Results of 3 runs will be archived in 6 days"]
    mailed(said)
    assert len(said) == 3 and len(box.sent) == 1


def test_what_could_not_be_said_is_said_later_and_once(lab: Lab, clock: Clock) -> None:
    completes(lab, clock, "herd-7")
    clock.days(8)
    with heard(refused=1) as said:
        assert archiver_works() == ["m0"]
        assert said == []
        clock.days(0.1)
        assert archiver_works() == []
        clock.days(0.1)
        assert archiver_works() == []
    assert [json.loads(one["Detail"])["days"] for one in said] == [7]


@pytest.mark.parametrize("why", ["pays", "held", "runs again", "deleted", "may not see it"])
def test_what_is_not_true_any_more_is_not_mailed(
    lab: Lab, box: Mailbox, clock: Clock, why: str
) -> None:
    run = completes(lab, clock, "herd-7")
    clock.days(8)
    with heard() as said:
        archiver_works()
    assert len(said) == 1
    hold = Hold(by="M. Sato", reason="complaint", at=clock.at)
    changes: dict[str, Any] = {
        "held": {"hold": hold},
        "runs again": {"state": RunState.RUNNING, "revision": 2},
        "deleted": {"state": RunState.DELETED},
    }.get(why, {})
    if why == "pays":
        pays(lab, clock, TierName.PREMIUM)
    elif why == "may not see it":
        Accounts(lab.people).remove_member(lab.projects[0], str(run.submitted_by))
    else:
        after = run.model_copy(update=changes)
        move_run(lab.ledger, run.run_id, lambda _: (after, ()))
    mailed(said)
    assert box.sent == []


def pays(lab: Lab, clock: Clock, tier: TierName, **more: Any) -> None:
    user, at = lab.users[Role.SUBMITTER], clock.at
    Entitlements(lab.people).keep(
        Entitlement(user_id=user, tier=tier, since=at, read_at=at, **more)
    )


def test_at_the_end_of_grace_all_older_results_are_one_mail(
    lab: Lab, box: Mailbox, clock: Clock
) -> None:
    pays(lab, clock, TierName.PREMIUM)
    for number in range(4):
        completes(lab, clock, f"herd-{number}")
        clock.days(20)
    lowered = clock.at
    pays(lab, clock, TierName.FREE, lowered_at=lowered)
    for _ in range(GRACE_DAYS + 1):
        warned(clock)
        clock.days(1)
    assert box.subjects() == [
        f"Results of 4 runs will be archived in {days}" for days in ("7 days", "1 day")
    ]
    assert f"{lowered + timedelta(days=GRACE_DAYS):%Y-%m-%d %H:%M} UTC" in text_of(box)


@pytest.mark.parametrize(("choice", "mails"), [("all", 1), ("failures", 1), ("none", 0)])
def test_it_follows_what_its_reader_chose_and_can_be_declined(
    lab: Lab, box: Mailbox, clock: Clock, choice: str, mails: int
) -> None:
    lab.change(Role.SUBMITTER, mail=MailChoice(choice), language="ja")
    completes(lab, clock, "herd-7")
    clock.days(8)
    assert len(warned(clock)) == 1
    assert box.subjects() == ["1 件のランの結果が6 日後にアーカイブされます"] * mails
    if mails:
        (token,) = re.findall(r"unsubscribe\?token=(\S+)", text_of(box))
        declined = UnsubscribeTokens(settings().mail_key_arn).read(token)
        assert (declined.user_id, declined.group) == (lab.users[Role.SUBMITTER], MailGroup.RUNS)


def test_where_nothing_is_sold_no_upgrade_is_offered(
    lab: Lab, box: Mailbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_PRICE", "")
    settings.cache_clear()
    completes(lab, clock, "herd-7")
    clock.days(13.9)
    warned(clock)
    assert box.subjects() == ["Results of 1 run will be archived today"]
    assert "Premium" not in text_of(box) and "Download what you need" in text_of(box)


def test_an_event_that_comes_when_the_time_is_over_gives_no_mail(
    lab: Lab, box: Mailbox, clock: Clock
) -> None:
    completes(lab, clock, "herd-7")
    clock.days(13.9)
    with heard() as said:
        archiver_works()
    clock.days(0.2)
    mailed(said)
    assert len(said) == 1 and box.sent == []
