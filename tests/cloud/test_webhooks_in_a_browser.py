"""Webhooks on the account page, in a real browser, with a receiver that listens on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cloud.conftest import Cloud
from tests.cloud.making import named, wait_for
from tests.cloud.test_pages_in_a_browser import (  # noqa: F401 - fixtures
    run_id,
    visitor,
)
from tests.cloud.visitor import LOOKS, Look, Visitor, accessible, window
from tests.receiver import Receiver, verified

pytestmark = [pytest.mark.cloud, pytest.mark.web]
PERSON = "Mateo Ruiz"


def make(page: Page, name: str, address: str) -> str:
    """Fills in the form; the secret that is shown, once."""
    form = page.locator("form[action$='/me/webhooks']")
    form.get_by_label("Name", exact=True).fill(name)
    form.locator("input[name=url]").fill(address)
    form.locator("button.first").click()
    return secret_in(page, "form[action$='/me/webhooks']")


def secret_in(page: Page, form: str) -> str:
    code = page.locator(f"{form} .shown code")
    expect(code).to_contain_text("whsec_")
    return code.inner_text()


def test_a_webhook_is_made_tried_stopped_and_deleted(visitor: Visitor) -> None:  # noqa: F811
    name = named("hook")
    with Receiver.listening() as receiver:
        page = visitor.sign_in(PERSON, "/web/account")
        secret = make(page, name, receiver.url)
        page = visitor.open("account")
        assert secret not in page.content(), "it is shown once"
        hook = page.get_by_role("region", name=name, exact=True)
        hook.get_by_role("button", name="Send a test").click()
        wait_for(lambda: receiver.requests, 30, "the test")
        assert verified(receiver.requests[0], secret)["type"] == "test"

        def shown() -> bool:
            page.reload()
            hook.get_by_text("Last events").click()
            return hook.get_by_text("delivered").is_visible()

        wait_for(shown, 30, "its answer", every=1)
        hook.get_by_role("button", name="New secret").click()
        another = hook.locator(".shown code")
        expect(another).to_contain_text("whsec_")
        assert another.inner_text() != secret
        hook.get_by_role("button", name="Stop").click()
        expect(hook.locator(".badge")).to_have_text("stopped")
        expect(hook.get_by_role("button", name="Send a test")).to_have_count(0)
        hook.get_by_role("button", name="Start").click()
        expect(hook.locator(".badge")).to_have_count(0)
        hook.get_by_role("button", name="Delete").click()
        expect(hook).to_have_count(0)


def test_an_address_that_is_refused_is_said_in_place(visitor: Visitor) -> None:  # noqa: F811
    page = visitor.sign_in(PERSON, "/web/account")
    form = page.locator("form[action$='/me/webhooks']")
    form.get_by_label("Name", exact=True).fill("metadata")
    form.locator("input[name=url]").fill("https://169.254.169.254/latest")
    form.locator("button.first").click()
    expect(form.locator("[role=status]").first).to_contain_text("public host name")
    visitor.troubles[:] = [one for one in visitor.troubles if "409" not in one]


@pytest.mark.parametrize("look", LOOKS)
def test_the_section_is_accessible_and_fits(
    browser: Browser,
    axe: str,
    stack: Cloud,
    run_id: str,  # noqa: F811
    look: Look,
) -> None:
    with window(browser, stack, look) as visitor:  # noqa: F811
        page = visitor.sign_in(PERSON, "/web/account")
        name = named("hook-" + "w" * 90)
        with Receiver.listening() as receiver:
            form = page.locator("form[action$='/me/webhooks']")
            form.locator("input[name=name]").fill(name)
            form.locator("input[name=url]").fill(receiver.url + "/" + "x" * 200)
            form.locator("button.first").click()
            secret_in(page, "form[action$='/me/webhooks']")
            page = visitor.open("account")
            hook = page.locator("section.webhook", has_text=name)
            hook.locator("form[action$='/test'] button").click()
            wait_for(lambda: receiver.requests, 30, "the test")
        wait_for(lambda: page.reload() and hook.locator("details").count(), 30, every=1)
        hook.locator("summary").click()
        accessible(page, axe, look[2])
        if folder := os.environ.get("POREWATCH_SCREENSHOTS"):
            shown = "-".join(map(str, look))
            page.screenshot(path=Path(folder) / f"webhooks-{shown}.png", full_page=True)
        hook.locator("button.danger").click()
        expect(hook).to_have_count(0)
        assert visitor.troubles == []
