"""The doors to bulky results: open while the tier says so, closed at the deadline whether something
was archived by then or not, closed while it comes back; page and API say the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.items import Item
from porewatch.adapters.people.entitlements import Entitlements
from porewatch.adapters.table import Table
from porewatch.domain import base, s3_keys
from porewatch.domain.archive.artefact import Artefact, Shelf
from porewatch.domain.archive.away import Away, State
from porewatch.domain.archive.retrieval import Speed, plan_of
from porewatch.domain.archive.steps import asked
from porewatch.domain.base import now
from porewatch.domain.people.roles import Role
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.expiry import expires
from porewatch.domain.runs import RunState
from porewatch.domain.tiers.entitlement import Entitlement
from porewatch.domain.tiers.tier import TierName
from porewatch.settings import settings
from tests.functional.made_provider import MadeProvider
from tests.functional.test_pages import (
    Browser,
    api_key,  # noqa: F401 - a fixture
    member,
    people,  # noqa: F401 - a fixture
    provider,  # noqa: F401 - a fixture
)
from tests.functional.test_run_details import get

USER = "u-aaaaaaaaaaaaaaaa"
RUN = "run-1"
TABLES = "tables.zip"


@pytest.fixture
def ended_at(cloud: Table, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """A run of a user who pays nothing, in a stack where Premium is paid for."""
    monkeypatch.setenv("UNPAID_TIER", "free")
    settings.cache_clear()
    at = now()
    keys = {name: s3_keys.report_key(RUN, 1, name) for name in ("report.json", TABLES)}
    for key in keys.values():
        boto3.client("s3").put_object(Bucket="reports", Key=key, Body=b"x")
    record = RunRecord(
        run_id=RUN,
        state=RunState.COMPLETED,
        revision=1,
        submitted_by=USER,
        created_at=at,
        updated_at=at,
        completed_at=at,
        report_keys=keys,
        profile="default",
    )
    cloud.put(Item.of(f"RUN#{RUN}", "RUN", record, kind=("RUNS", f"{at.isoformat()}#{RUN}")))
    return at


def later(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    monkeypatch.setattr(base, "clock", lambda: at)


def file(name: str = TABLES) -> Any:
    _, said = get(f"/runs/{RUN}/files")
    return next(one for one in said["files"] if one["name"] == name)


def pays(tier: TierName, since: datetime, lowered: datetime | None = None) -> None:
    Entitlements(Table("people")).keep(
        Entitlement(user_id=USER, tier=tier, since=since, lowered_at=lowered, read_at=since)
    )


def away(at: datetime) -> Away:
    key = s3_keys.report_key(RUN, 1, TABLES)
    artefact = Artefact(run_id=RUN, shelf=Shelf.REPORTS, key=key)
    return Away(artefact=artefact, user_id=USER, state=State.ARCHIVED, size=1, since=at, due=None)


def test_a_second_before_the_deadline_a_link_lives_no_longer_than_it(
    ended_at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadline = ended_at + timedelta(days=14)
    later(monkeypatch, deadline - timedelta(seconds=40))
    _, said = get(f"/runs/{RUN}/report")
    [seconds] = parse_qs(urlsplit(said["links"][TABLES]).query)["X-Amz-Expires"]
    assert 0 < int(seconds) <= 40 and said["seconds"] == int(seconds)
    assert said["withheld"] == {}
    assert datetime.fromisoformat(file()["storage"]["readable_until"]) == deadline


def test_at_the_deadline_it_is_refused_though_nothing_was_archived(
    ended_at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch, ended_at + timedelta(days=14))
    _, said = get(f"/runs/{RUN}/report")
    assert set(said["links"]) == {"report.json"}, "reports stay"
    assert said["withheld"][TABLES]["refused"] == "results_closed"
    assert (file()["storage"]["state"], file()["storage"]["refused"]) == ("hot", "results_closed")
    assert file("report.json")["storage"]["refused"] is None
    removed = datetime.fromisoformat(file("report.json")["expires_at"])
    assert removed >= ended_at + timedelta(days=14 + 365), "days count from the end of his time"


def test_premium_and_its_grace_keep_the_door_open(
    ended_at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    pays(TierName.PREMIUM, ended_at)
    lowered = ended_at + timedelta(days=100)
    later(monkeypatch, lowered)
    assert TABLES in get(f"/runs/{RUN}/report")[1]["links"]
    assert file()["storage"]["readable_until"] is None
    assert file("report.json")["expires_at"] is None, "he pays: it is kept"
    pays(TierName.FREE, lowered, lowered)
    assert TABLES in get(f"/runs/{RUN}/report")[1]["links"]
    later(monkeypatch, lowered + timedelta(days=30))
    assert TABLES in get(f"/runs/{RUN}/report")[1]["withheld"]


def test_what_comes_back_says_when(
    cloud: Table, ended_at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ended_at + timedelta(days=20)
    later(monkeypatch, at)
    ledger = ArchiveLedger(cloud)
    ledger.begin(away(at))
    assert file()["storage"]["state"] == "archived"
    pays(TierName.PREMIUM, at)
    assert file()["storage"]["refused"] == "results_thawing"
    record, version = ledger.away(USER, away(at).artefact) or (away(at), 0)
    ledger.move(asked(record, Speed.EXPEDITED, at), version)
    found = file()["storage"]
    assert (found["state"], found["refused"]) == ("restoring", "results_thawing")
    assert datetime.fromisoformat(found["expected_at"]) == at + timedelta(minutes=5)
    ledger.hot(*(ledger.away(USER, away(at).artefact) or (away(at), 0)))
    assert TABLES in get(f"/runs/{RUN}/report")[1]["links"]


def test_a_time_is_expected_only_when_a_thaw_was_asked_and_from_then(
    cloud: Table, ended_at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ended_at + timedelta(days=20)
    ledger = ArchiveLedger(cloud)
    ledger.begin(away(at))
    pays(TierName.PREMIUM, at)
    later(monkeypatch, at)
    assert file()["storage"]["refused"] == "results_thawing"
    assert file()["storage"]["expected_at"] is None
    assert ledger.thaw_begins(USER, at, plan_of([1]))
    for hours in (0, 7):
        later(monkeypatch, at + timedelta(hours=hours))
        expected = datetime.fromisoformat(file()["storage"]["expected_at"])
        assert expected == at + timedelta(hours=13)


def test_files_of_an_older_revision_close_by_its_own_end(
    cloud: Table, ended_at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ended_at + timedelta(days=20)
    later(monkeypatch, at)
    ArchiveLedger(cloud).begin(away(at))
    item = cloud.need(f"RUN#{RUN}", "RUN")
    first = item.model(RunRecord)
    keys = {name: s3_keys.report_key(RUN, 2, name) for name in first.report_keys}
    for key in keys.values():
        boto3.client("s3").put_object(Bucket="reports", Key=key, Body=b"x")
    second = {"revision": 2, "completed_at": at, "report_keys": keys, "standing": first}
    record = first.model_copy(update=second)
    cloud.put(Item.of(item.pk, item.sk, record, kind=item.kind))
    assert TABLES in get(f"/runs/{RUN}/report")[1]["links"]
    [found] = get(f"/runs/{RUN}/report?revision=1")[1]["withheld"].values()
    assert found["refused"] == "results_closed" and found["expected_at"] is None
    assert datetime.fromisoformat(found["readable_until"]) == ended_at + timedelta(days=14)


@pytest.mark.parametrize("by", [None, "an operator's program"])
def test_a_run_that_no_user_registered_is_held_to_no_tier(
    cloud: Table, ended_at: datetime, monkeypatch: pytest.MonkeyPatch, by: str | None
) -> None:
    item = cloud.need(f"RUN#{RUN}", "RUN")
    nobodys = item.model(RunRecord).model_copy(update={"submitted_by": by})
    cloud.put(Item.of(item.pk, item.sk, nobodys, kind=item.kind))
    later(monkeypatch, ended_at + timedelta(days=300))
    assert TABLES in get(f"/runs/{RUN}/report")[1]["links"]
    assert file()["storage"]["readable_until"] is None


@pytest.mark.parametrize(("language", "words"), [("en", "archived"), ("ja", "アーカイブ済み")])
def test_the_page_says_where_a_file_is_and_offers_other_tiers(
    provider: MadeProvider,  # noqa: F811 - a fixture
    people: Table,  # noqa: F811 - a fixture
    cloud: Table,
    ended_at: datetime,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    words: str,
) -> None:
    browser = Browser(**{"Accept-Language": language})
    browser.sign_in(provider)
    project = member(people, Role.REVIEWER)
    item = cloud.need(f"RUN#{RUN}", "RUN")
    record = item.model(RunRecord).model_copy(update={"project": project})
    cloud.put(Item.of(item.pk, item.sk, record, kind=item.kind))
    path = f"/web/runs/{RUN}/files/{TABLES}"
    shown = browser.ask(f"/web/runs/{RUN}")["body"]
    assert f"files/{TABLES}" in shown
    kept = f"{expires(ended_at + timedelta(days=14), 365):%Y-%m-%d}"
    assert kept in shown, "the days of a report count from the end of his time"
    assert kept not in browser.ask("/web/runs")["body"], "where who pays decides, its page says it"
    assert browser.ask(path)["statusCode"] == 303
    ended = record.model_copy(update={"completed_at": ended_at - timedelta(days=14)})
    cloud.put(Item.of(item.pk, item.sk, ended, kind=item.kind))
    ArchiveLedger(cloud).begin(away(ended_at))
    shown = browser.ask(f"/web/runs/{RUN}")["body"]
    assert words in shown and "web/account" in shown
    assert f"files/{TABLES}" not in shown, "no link to what is refused"
    refused = browser.ask(path)
    assert refused["statusCode"] == 409 and TABLES in refused["body"]
    assert "X-Amz-Signature" not in str(refused)
