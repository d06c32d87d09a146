"""Mail to a user about his tier and his archive, through the real mailer."""

# ruff: noqa: F811

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from porewatch.adapters.people.entitlements import Entitlements
from porewatch.domain.archive.results_thawed import ResultsThawed
from porewatch.domain.base import now
from porewatch.domain.people.accounts import MailChoice
from porewatch.domain.people.roles import Role
from porewatch.domain.retention.expiry import expires
from porewatch.domain.tiers.entitlement import GRACE_DAYS, Entitlement
from porewatch.domain.tiers.tier import TierName
from porewatch.domain.tiers.tier_changed import TierChanged
from porewatch.settings import settings
from tests.functional.doors import fact_event, send
from tests.functional.mailbox import Mailbox
from tests.functional.test_mail import Lab, box, lab  # noqa: F401 - fixtures

ADDRESS = "submitter@lab.example"


@pytest.fixture(autouse=True)
def free_without_a_subscription(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNPAID_TIER", "free")
    monkeypatch.setenv("RESULTS_DAYS", "90")
    settings.cache_clear()


def pays(lab: Lab, tier: TierName, **more: Any) -> str:
    user_id = lab.users[Role.SUBMITTER]
    Entitlements(lab.people).keep(
        Entitlement(user_id=user_id, tier=tier, since=now(), read_at=now(), **more)
    )
    return user_id


def changed(user_id: str, before: TierName, after: TierName, **more: Any) -> dict[str, Any]:
    event = TierChanged(user_id=user_id, before=before, after=after, at=now())
    return fact_event("TierChanged", event.model_dump(mode="json") | more)


def test_who_pays_is_told_once_that_his_tier_was_raised(lab: Lab, box: Mailbox) -> None:
    lab.change(Role.SUBMITTER, mail=MailChoice.NONE)  # no news that one declines
    event = changed(pays(lab, TierName.PREMIUM), TierName.FREE, TierName.PREMIUM)
    assert send("mailer", event) == send("mailer", event) == []
    (mail,) = box.sent
    said = mail["Content"]["Simple"]
    assert mail["Destination"]["ToAddresses"] == [ADDRESS]
    assert said["Subject"]["Data"] == "Your tier was raised"
    assert "Premium" in said["Body"]["Text"]["Data"]
    assert "List-Unsubscribe" not in str(said["Headers"])


def test_who_pays_no_more_is_told_until_when_he_can_read(lab: Lab, box: Mailbox) -> None:
    lowered = now() - timedelta(minutes=1)
    event = changed(pays(lab, TierName.FREE, lowered_at=lowered), TierName.PREMIUM, TierName.FREE)
    assert send("mailer", event) == []
    (mail,) = box.sent
    text = mail["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert "come back if you raise your tier again" in text
    (line,) = (one for one in text.splitlines() if one.startswith("Older results can be read"))
    end = lowered + timedelta(days=GRACE_DAYS)
    assert f"{end:%Y-%m-%d %H:%M}" in line
    (line,) = (one for one in text.splitlines() if one.startswith("Kept in the archive"))
    assert f"{expires(end, settings().results_days):%Y-%m-%d}" in line


def test_after_grace_nothing_is_said_of_downloads(lab: Lab, box: Mailbox) -> None:
    lowered = now() - timedelta(days=GRACE_DAYS + 1)
    event = changed(pays(lab, TierName.FREE, lowered_at=lowered), TierName.PREMIUM, TierName.FREE)
    assert send("mailer", event) == []
    text = box.sent[0]["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert "are archived: they cannot be opened" in text
    assert "Download" not in text and "can be read until" not in text


def test_an_event_that_came_late_tells_nothing_that_is_not_true(lab: Lab, box: Mailbox) -> None:
    user_id = pays(lab, TierName.PREMIUM)
    assert send("mailer", changed(user_id, TierName.PREMIUM, TierName.FREE)) == []
    assert box.sent == []


@pytest.mark.parametrize(("choice", "mails"), [("all", 1), ("failures", 1), ("none", 0)])
def test_results_that_are_back_give_one_mail(
    lab: Lab,
    box: Mailbox,
    choice: str,
    mails: int,
) -> None:
    lab.change(Role.SUBMITTER, mail=MailChoice(choice), language="ja")
    asked = now() - timedelta(hours=5)
    for minutes in (0, 1):  # it may come twice, and says another time then
        event = ResultsThawed(
            user_id=lab.users[Role.SUBMITTER],
            asked_at=asked,
            at=now() + timedelta(minutes=minutes),
            runs=3,
            files=12,
        )
        assert send("mailer", fact_event("ResultsThawed", event.model_dump(mode="json"))) == []
    assert box.subjects() == ["アーカイブされた結果が復元されました"] * mails
    for mail in box.sent:
        text = mail["Content"]["Simple"]["Body"]["Text"]["Data"]
        assert "ラン: 3\n" in text and "ファイル: 12\n" in text
    again = event.model_copy(update={"asked_at": now()})
    assert send("mailer", fact_event("ResultsThawed", again.model_dump(mode="json"))) == []
    assert len(box.sent) == 2 * mails


def test_a_user_who_is_gone_gets_nothing(lab: Lab, box: Mailbox) -> None:
    event = ResultsThawed(user_id="u-" + "a" * 16, asked_at=now(), at=now())
    assert send("mailer", fact_event("ResultsThawed", event.model_dump(mode="json"))) == []
    assert box.sent == []
