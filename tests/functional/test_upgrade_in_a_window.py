# ruff: noqa: F811 - fixtures of other files
"""In Chromium: a run that is too large for the tier is refused, the upgrade is paid at the stand-in
for Stripe, and the run is taken. Answered by the functions themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.entitlements import Entitlements
from porewatch.adapters.table import Table
from porewatch.domain.people.roles import Role
from porewatch.domain.tiers import limits
from porewatch.domain.tiers.tier import TierName
from porewatch_local.stripe_stand_in.cards import DECLINED, FAILS_LATER
from porewatch_local.stripe_stand_in.server import StandIn
from tests.functional.doors import Context, door
from tests.functional.made_provider import MadeProvider
from tests.functional.test_billing import (
    delivered,
    stripe,  # noqa: F401 - a fixture
    tier,
)
from tests.functional.test_pages import (
    HOST,
    Browser,
    api_key,  # noqa: F401 - a fixture
    member,
    people,  # noqa: F401 - a fixture
    provider,  # noqa: F401 - a fixture
)
from tests.functional.test_upload_in_a_window import ARRIVED, Site, choose, said

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.web
BIG = b"@r1 flow_cell_id=FAX1\n" + b"A" * 400 + b"\n+\n" + b"5" * 400 + b"\n"
LIMIT = 600
"""Bytes that the free tier allows here."""


class PaidSite(Site):
    """The site of `Site`, and the stand-in, which the browser asks itself."""

    def answer(self, route: Route) -> None:
        if urlsplit(route.request.url).hostname == "127.0.0.1":
            route.continue_()
        else:
            super().answer(route)

    def api(
        self, method: str, path: str, body: str | None = None, query: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:  # fmt: skip
        if not path.startswith("/me/"):
            return super().api(method, path, body, query, headers)
        event = {
            "httpMethod": method, "path": path, "resource": path, "body": body,
            "isBase64Encoded": False, "headers": headers or {},
            "queryStringParameters": dict(parse_qsl(query)) or None,
            "requestContext": {
                "domainName": HOST, "path": f"/v1{path}",
                "authorizer": {"means": "session", "user_id": self.user},
            },
        }  # fmt: skip
        answer = door("billing")(event, Context())
        return answer["statusCode"], answer["body"]

    @property
    def user(self) -> str:
        return next(Accounts(Table("people")).users()).user_id


@pytest.fixture
def site(
    provider: MadeProvider, people: Table, stripe: StandIn, monkeypatch: pytest.MonkeyPatch
) -> PaidSite:
    monkeypatch.setattr(limits, "GIGABYTE", LIMIT / 2)
    visitor = Browser()
    visitor.sign_in(provider)
    return PaidSite(visitor, member(people, Role.SUBMITTER))


@pytest.fixture
def page(browser: Chromium, site: PaidSite) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 900})
    context.set_default_timeout(20_000)
    made = context.new_page()
    made.route("**/*", site.answer)
    made.on("dialog", lambda dialog: dialog.accept())
    yield made
    context.close()


def serious(page: Page, axe: str) -> list[str]:
    """What axe finds on the page."""
    page.evaluate(axe)
    found = page.evaluate("() => axe.run().then(found => found.violations)")
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]


def test_too_large_then_paid_then_taken(
    page: Page, site: PaidSite, stripe: StandIn, axe: str
) -> None:
    from playwright.sync_api import expect

    page.goto(site.address)
    offer = page.locator("#upgrade")
    expect(offer).to_be_hidden()
    choose(page, **{"a.fastq": BIG})
    expect(offer).to_be_visible()
    expect(offer).to_contain_text("Size of a run: no limit")
    expect(page.locator("#list")).to_contain_text("The tier premium has no such limit.")
    assert site.stored() == set()
    assert serious(page, axe) == []

    offer.get_by_role("button", name="Upgrade").click()
    page.wait_for_url(f"{stripe.address}/checkout/*")
    page.get_by_label(DECLINED).check()
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("alert")).to_contain_text("declined")
    assert tier(site.user) is TierName.FREE
    page.get_by_label(FAILS_LATER).check()
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url(f"https://{HOST}/v1/web/account?paid=1")
    expect(page.get_by_text("Thank you.")).to_be_visible()
    assert tier(site.user) is TierName.FREE, "the way back proves nothing"

    delivered(stripe)
    page.reload()
    expect(page.get_by_role("button", name="Manage the subscription")).to_be_visible()
    expect(page.get_by_role("button", name="Upgrade")).to_have_count(0)
    page.goto(site.address)
    choose(page, **{"a.fastq": BIG})
    said(page, ARRIVED)
    assert site.stored() == {"a.fastq"}


def test_a_failed_renewal_a_cancellation_and_grace_are_shown(
    page: Page, site: PaidSite, stripe: StandIn, axe: str
) -> None:
    from playwright.sync_api import expect

    account = f"https://{HOST}/v1/web/account"
    page.goto(account)
    tier_table = page.locator("table", has_text="Runs in a month")
    expect(tier_table).to_contain_text("2 GB")
    assert serious(page, axe) == []
    page.get_by_role("button", name="Upgrade").click()
    page.wait_for_url(f"{stripe.address}/checkout/*")
    page.get_by_label(FAILS_LATER).check()
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url(f"{account}?paid=1")
    delivered(stripe)
    [subscription] = stripe.books.subscriptions
    stripe.books.renew(subscription)
    delivered(stripe)
    page.goto(account)
    expect(page.get_by_text("The last payment failed.")).to_be_visible()

    page.get_by_role("button", name="Manage the subscription").click()
    page.wait_for_url(f"{stripe.address}/portal/*")
    page.get_by_role("button", name="Cancel now").click()
    page.get_by_text("There is none.").wait_for()
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(account)
    expect(page.get_by_text("The last payment failed.")).to_be_visible()
    delivered(stripe)
    page.reload()
    expect(page.get_by_text("stay readable until")).to_be_visible()
    expect(page.get_by_role("button", name="Upgrade")).to_be_visible()
    assert Entitlements(Table("people")).of(site.user) is not None
    assert serious(page, axe) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
