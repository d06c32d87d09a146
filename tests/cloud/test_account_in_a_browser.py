# ruff: noqa: F811 - fixtures of test_pages_in_a_browser
"""Oneself and one's projects, in a real browser: an invitation from its link to the first page, a
link to a report revoked, limits, and the end of one's data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cloud.conftest import Cloud
from tests.cloud.test_pages_in_a_browser import (
    run_id,  # noqa: F401 - a fixture
    visitor,  # noqa: F401 - a fixture
)
from tests.cloud.visitor import LOOKS, Look, Visitor, accessible, window

pytestmark = [pytest.mark.cloud, pytest.mark.web]


@pytest.fixture
def other(browser: Browser, stack: Cloud) -> Iterator[Visitor]:
    """Somebody else, at another machine."""
    context = browser.new_context(locale="en-GB")
    yield (made := Visitor(context, stack))
    context.close()
    assert made.troubles == []


def invite(visitor: Visitor, project: str = "default") -> str:
    """An admin makes an invitation; its link."""
    page = visitor.sign_in("Aiko Tanaka", f"/web/projects/{project}")
    form = page.locator("form[action$='/invitations']")
    form.get_by_label("E-mail").fill("robin@lab.example")
    form.get_by_role("button", name="Invite").click()
    link = form.locator(".shown code")
    expect(link).to_contain_text("/web/invitation#pwi_")
    return link.inner_text()


def test_an_invitation_leads_over_the_sign_in_to_the_project(
    visitor: Visitor, other: Visitor
) -> None:
    link, asked = invite(visitor), []
    secret = link.partition("#")[2]
    other.page.on("request", lambda request: asked.append(request.url))
    page = other.page
    page.goto(link)
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Robin Vale").click()
    page.wait_for_url("**/web/invitation")
    expect(page.get_by_text("Robin Vale").last).to_be_visible()
    page.get_by_role("button", name="Accept the invitation").click()
    page.wait_for_url("**/web/runs?project=default")
    assert page.evaluate("sessionStorage.getItem('porewatch-invitation')") is None
    sent = [url for url in asked if secret in url.partition("#")[0]]
    assert sent == [], "the secret is in no address that is sent"
    page.goto(f"{other.root}/invitation")
    page.get_by_label("Link or code").fill(link)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("You accepted this invitation")).to_be_visible()
    page = visitor.open("projects/default")
    expect(page.get_by_role("rowheader", name="robin@lab.example").first).to_be_visible()
    expect(page.get_by_text("accepted", exact=True).first).to_be_visible()


def test_an_invitation_is_withdrawn_and_limits_are_set_and_cleared(visitor: Visitor) -> None:
    invite(visitor)
    page = visitor.open("projects/default")
    page.get_by_role("button", name="Withdraw the invitation").first.click()
    expect(page.get_by_text("withdrawn").first).to_be_visible()
    for amount, shown in (("12.5", "12.5"), ("", "")):
        page.get_by_label("USD in a month").fill(amount)
        with page.expect_navigation():  # the page loads once more
            page.get_by_role("button", name="Save", exact=True).last.click()
        expect(page.get_by_label("USD in a month")).to_have_value(shown)


def test_a_link_to_a_report_is_revoked(visitor: Visitor, other: Visitor, run_id: str) -> None:
    page = visitor.sign_in("Mateo Ruiz", f"/web/runs/{run_id}")
    page.get_by_label("For whom").fill("the clinic")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".shown code")
    expect(link).to_contain_text("/web/share/")
    address = link.inner_text()
    other.page.goto(address)
    expect(other.page.get_by_text("the report")).to_be_visible()
    page = visitor.open(f"runs/{run_id}")
    page.get_by_role("button", name="Revoke the link for the clinic").click()
    expect(page.get_by_role("row", name="the clinic").get_by_text("revoked")).to_be_visible()
    other.page.goto(address)
    expect(other.page.get_by_text("the report")).to_have_count(0)
    other.troubles.clear()  # the browser's own line about the 409


def test_ones_data_are_deleted_when_one_writes_so(visitor: Visitor) -> None:
    page = visitor.sign_in("Robin Vale", "/web/account")
    button = page.get_by_role("button", name="Delete my data")
    button.click()
    assert page.url.endswith("/web/account")
    page.get_by_label("Type").fill("delete")
    button.click()
    page.wait_for_url("**/web")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    page.goto(f"{visitor.root}/account")
    assert "/web/account" not in page.url, "the session ended with the data"


@pytest.mark.parametrize("look", LOOKS)
def test_an_invitation_is_accessible(
    browser: Browser, axe: str, stack: Cloud, run_id: str, look: Look
) -> None:
    admin = Visitor(browser.new_context(locale="en-GB"), stack)
    link = invite(admin)
    admin.context.close()
    with window(browser, stack, look) as visitor:
        visitor.page.goto(link)
        accessible(visitor.page, axe, look[2])
        page: Page = visitor.sign_in("Priya Nair", "/web/invitation")
        expect(page.locator("#invitation dl")).to_be_visible()
        accessible(page, axe, look[2])
        assert visitor.troubles == []
