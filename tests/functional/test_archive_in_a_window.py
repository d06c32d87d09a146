# ruff: noqa: F811 - fixtures of other files
"""In Chromium: results of who pays nothing are archived, and come back when he pays at the stand-in
for Stripe; who pays no more reads them until grace is over. Pages, archiver, billing and mail are
the functions themselves; what they put on the bus goes to those who read it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.ledger.run_moves import move_run
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.archive.artefact import SMALLEST
from porewatch.domain.archive.away import State
from porewatch.domain.people.roles import Role
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.tiers.entitlement import GRACE_DAYS
from porewatch.domain.tiers.tier import TierName
from porewatch.settings import settings
from porewatch_local.stripe_stand_in.cards import WORKS
from porewatch_local.stripe_stand_in.server import StandIn
from tests.cloud.visitor import LOOKS, Look, accessible
from tests.functional.doors import fact_event, send
from tests.functional.made_provider import MadeProvider
from tests.functional.mailbox import Mailbox, listening, surroundings
from tests.functional.test_archiver import Clock, deliver, restored, storage_class, sweep
from tests.functional.test_billing import (
    PUBLISHED,
    ask,
    delivered,
    stripe,  # noqa: F401 - a fixture
    tier,
)
from tests.functional.test_billing import browser as session_of
from tests.functional.test_pages import (
    HOST,
    Browser,
    api_key,  # noqa: F401 - a fixture
    member,
    people,  # noqa: F401 - a fixture
    provider,  # noqa: F401 - a fixture
)
from tests.functional.test_upgrade_in_a_window import PaidSite

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import Page

pytestmark = pytest.mark.web
RUN = "run-1"
TABLES = ("reports", s3_keys.report_key(RUN, 1, "tables.zip"))
OUTPUT = ("results", f"runs/{RUN}/r1/screen/e1/AROA:i-1/outputs/part.bin")
CONTENT = b"x" * SMALLEST
ACCOUNT = f"https://{HOST}/v1/web/account"
PAGE = f"https://{HOST}/v1/web/runs/{RUN}"
MINUTES = "%Y-%m-%d %H:%M"


class Story(PaidSite):
    """A user with a run that has just been completed, and the time, which the test moves."""

    def __init__(self, provider: MadeProvider, people: Table, ledger: Table, clock: Clock) -> None:
        self.visitor, self.provider, self.clock, self.ledger = Browser(), provider, clock, ledger
        self.faults, self.refused, self.parts, self.run_id = [], {}, 0, RUN
        self.visitor.sign_in(provider)
        self.project = member(people, Role.SUBMITTER)
        verified = {"email": "mika@lab.example", "email_verified": True}
        Accounts(people).change_user(self.user, lambda user: user.model_copy(update=verified))
        self.completes()

    def speaks(self, language: str) -> None:
        accounts = Accounts(Table("people"))
        accounts.change_user(self.user, lambda user: user.model_copy(update={"language": language}))

    def completes(self) -> None:
        keys = {name: s3_keys.report_key(RUN, 1, name) for name in ("report.html", "tables.zip")}
        s3 = boto3.client("s3")
        for bucket, key in (TABLES, OUTPUT):
            s3.put_object(Bucket=bucket, Key=key, Body=CONTENT)
        report = "<!doctype html><title>r</title><p>the report</p>"
        s3.put_object(Bucket="reports", Key=keys["report.html"], Body=report.encode())
        at = self.clock.at
        record = RunRecord(
            run_id=RUN, name="herd 7", project=self.project, submitted_by=self.user,
            state=RunState.COMPLETED, revision=1, created_at=at, updated_at=at, completed_at=at,
            report_keys=keys, profile="default",
        )  # fmt: skip
        move_run(self.ledger, RUN, lambda _: (record, ()))

    def days(self, number: float) -> None:
        """They pass, everybody works meanwhile, and he signs in again."""
        self.clock.days(number)
        self.visitor.cookies.clear()
        self.visitor.sign_in(self.provider)
        self.works()

    def works(self, times: int = 1) -> None:
        """The archiver, and whoever reads what was put on the bus; each event so many times."""
        sweep()
        assert deliver() == []
        while PUBLISHED:
            said = [PUBLISHED.pop(0)] * times
            for one in said:
                event = fact_event(one.detail_type, json.loads(one.detail))
                assert send("mailer", event) == []
                if one.detail_type == "TierChanged":
                    assert deliver(event) == []

    def s3_is_ready(self, times: int = 1) -> None:
        for place in (TABLES, OUTPUT) * times:
            assert deliver(restored(place)) == []
        self.works(times)

    def pays(self, stripe: StandIn) -> None:
        """Without the browser."""
        assert ask("POST", "/me/checkout", session_of(self.user))[0] == 200
        (checkout,) = stripe.books.checkouts
        stripe.books.pay(checkout, WORKS)
        delivered(stripe)
        self.works()

    def states(self) -> set[State]:
        return {one.state for one in ArchiveLedger(self.ledger).all_away(self.user)}

    def opens(self, name: str) -> int:
        """What the door answers to the link of a file."""
        return int(self.visitor.ask(f"/web/runs/{RUN}/files/{name}")["statusCode"])


@pytest.fixture
def box(stripe: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    for name, value in surroundings().items():
        monkeypatch.setenv(name, value)
    sqs = boto3.client("sqs")
    dead = sqs.create_queue(QueueName="archive-dead")["QueueUrl"]
    archive = sqs.create_queue(QueueName="archive")["QueueUrl"]
    more = {"ARCHIVE_DEAD_LETTERS_URL": dead, "QUEUE_URL": archive, "RESULTS_DAYS": "90"}
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    with listening() as made:
        yield made


@pytest.fixture
def story(
    provider: MadeProvider, people: Table, cloud: Table, box: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> Story:  # fmt: skip
    return Story(provider, people, cloud, Clock(monkeypatch))


def window(browser: Chromium, story: Story, look: Look = LOOKS[0]) -> Page:
    locale, scheme, width = look
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
        locale=locale,
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.route("**/*", story.answer)
    page.on("dialog", lambda dialog: dialog.accept())
    return page


def looked_at(browser: Chromium, story: Story, axe: str, name: str, *pages: str) -> None:
    """The pages as all look at them now: nothing overflows, and axe finds nothing."""
    for look in LOOKS:
        story.speaks(look[0][:2])
        page = window(browser, story, look)
        for number, address in enumerate(pages):
            page.goto(address)
            accessible(page, axe, look[2])
            if kept := os.environ.get("POREWATCH_SCREENSHOTS"):
                called = f"{name}-{number}-{'-'.join(map(str, look))}.png"
                page.screenshot(path=Path(kept) / called, full_page=True)
        page.context.close()
    story.speaks("en")


def tables_row(page: Page) -> Any:
    return page.locator("tr", has_text="tables.zip")


def test_what_was_archived_comes_back_for_who_pays_from_the_page_of_the_run(
    browser: Chromium, story: Story, stripe: StandIn, box: Mailbox, axe: str
) -> None:
    from playwright.sync_api import expect

    page = window(browser, story)
    until = story.clock.at + timedelta(days=14)
    page.goto(PAGE)
    expect(tables_row(page)).to_contain_text(f"readable until {until:{MINUTES}}")
    expect(tables_row(page).get_by_role("link")).to_have_count(1)
    expect(page.locator("#closed")).to_have_count(0)

    story.days(8)
    assert box.subjects() == ["Results of 1 run will be archived in 6 days"]
    story.days(6.1)
    assert story.states() == {State.ARCHIVED}
    assert [storage_class(place) for place in (TABLES, OUTPUT)] == ["GLACIER"] * 2
    page.goto(PAGE)
    expect(tables_row(page)).to_contain_text("archived")
    expect(tables_row(page)).to_contain_text(f"could be read until {until:{MINUTES}}")
    expect(tables_row(page).get_by_role("link")).to_have_count(0)
    expect(page.frame_locator("iframe").get_by_text("the report")).to_be_visible()
    assert story.opens("tables.zip") >= 400
    looked_at(browser, story, axe, "archived", PAGE)

    offer = page.locator("#closed")
    expect(offer).to_contain_text("Large results stay readable: no limit")
    offer.get_by_role("button", name="Upgrade").click()
    page.wait_for_url(f"{stripe.address}/checkout/*")
    page.get_by_label(WORKS).check()
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url(f"{ACCOUNT}?paid=1")
    assert (tier(story.user), story.states()) == (TierName.FREE, {State.ARCHIVED})

    delivered(stripe)
    story.works(times=2)
    assert (tier(story.user), story.states()) == (TierName.PREMIUM, {State.RESTORING})
    page.goto(PAGE)
    expected = story.clock.at + timedelta(minutes=5)
    expect(tables_row(page)).to_contain_text(f"expected by {expected:{MINUTES}}")
    expect(tables_row(page).get_by_role("link")).to_have_count(0)
    expect(page.locator("#closed")).to_contain_text("are being brought back")
    expect(page.get_by_role("button", name="Upgrade")).to_have_count(0)
    looked_at(browser, story, axe, "restoring", PAGE)

    story.s3_is_ready(times=2)
    assert story.states() == set()
    assert [storage_class(place) for place in (TABLES, OUTPUT)] == ["STANDARD"] * 2
    page.goto(PAGE)
    expect(tables_row(page).get_by_role("link")).to_have_count(1)
    expect(tables_row(page)).not_to_contain_text("readable until")
    expect(page.locator("#closed")).to_have_count(0)
    assert story.opens("tables.zip") < 400
    body = boto3.client("s3").get_object(Bucket=TABLES[0], Key=TABLES[1])["Body"].read()
    assert body == CONTENT
    raised, back = box.subjects()[1:]
    assert (raised, back) == ("Your tier was raised", "Your archived results are back")
    said = box.sent[-1]["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert "Runs: 1\n" in said and "Files: 2\n" in said
    page.context.close()


def test_who_pays_no_more_reads_until_grace_is_over_and_then_not(
    browser: Chromium, story: Story, stripe: StandIn, box: Mailbox, axe: str
) -> None:
    from playwright.sync_api import expect

    story.pays(stripe)
    story.days(60)
    page = window(browser, story)
    page.goto(PAGE)
    expect(tables_row(page)).not_to_contain_text("readable until")
    page.goto(ACCOUNT)
    page.get_by_role("button", name="Manage the subscription").click()
    page.wait_for_url(f"{stripe.address}/portal/*")
    page.get_by_role("button", name="Cancel now").click()
    page.get_by_text("There is none.").wait_for()

    delivered(stripe)
    story.works(times=2)
    end = f"{story.clock.at + timedelta(days=GRACE_DAYS):{MINUTES}}"
    assert box.subjects() == ["Your tier was raised", "Your tier was lowered"]
    mail = box.sent[-1]["Content"]["Simple"]["Body"]
    assert f"Older results can be read until: {end} UTC" in mail["Text"]["Data"]
    assert end in mail["Html"]["Data"]
    page.goto(ACCOUNT)
    expect(page.get_by_text("stay readable until")).to_contain_text(end)
    page.goto(PAGE)
    expect(tables_row(page)).to_contain_text(f"readable until {end}")
    expect(page.locator("#closed")).to_have_count(0)
    assert story.opens("tables.zip") < 400
    looked_at(browser, story, axe, "grace", PAGE, ACCOUNT)

    story.days(23)
    story.days(6)
    story.days(0.9)
    assert story.opens("tables.zip") < 400 and story.states() == set()
    assert box.subjects()[2:] == [
        f"Results of 1 run will be archived in {days}" for days in ("7 days", "1 day")
    ]
    story.days(0.2)
    assert story.states() == {State.ARCHIVED} and story.opens("tables.zip") >= 400
    page.goto(ACCOUNT)
    expect(page.get_by_text("stay readable until")).to_have_count(0)
    page.goto(PAGE)
    expect(tables_row(page)).to_contain_text(f"could be read until {end}")
    expect(page.locator("#closed").get_by_role("button", name="Upgrade")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_text("the report")).to_be_visible()
    looked_at(browser, story, axe, "after-grace", PAGE, ACCOUNT)
    page.context.close()


def test_who_did_not_send_the_run_is_offered_nothing(
    browser: Chromium, story: Story, people: Table
) -> None:
    """Another tier of his would not bring it back."""
    other = move_run(
        story.ledger, "run-2",
        lambda _: (story_run(story, "run-2", "u-" + "b" * 16), ()),
    )  # fmt: skip
    story.days(15)
    page = story.visitor.ask(f"/web/runs/{other.run_id}")["body"]
    assert re.search('id="closed"', page) and "me/checkout" not in page
    assert "whoever sent this run" in page


def story_run(story: Story, run_id: str, by: str) -> RunRecord:
    at = story.clock.at
    key = s3_keys.report_key(run_id, 1, "tables.zip")
    boto3.client("s3").put_object(Bucket="reports", Key=key, Body=CONTENT)
    return RunRecord(
        run_id=run_id, project=story.project, submitted_by=by, state=RunState.COMPLETED,
        revision=1, created_at=at, updated_at=at, completed_at=at, profile="default",
        report_keys={"tables.zip": key},
    )  # fmt: skip
