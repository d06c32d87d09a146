"""The pages at the embedded AWS, in a real browser: gateway, authorizer and functions as deployed.

Anything that the browser complains of (its Content-Security-Policy included) fails the test, and so
does any request to another machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.table import Table
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.people.roles import DEFAULT_PROJECT
from porewatch.domain.people.secrets import new_run_id
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.runs import RunState
from porewatch.edge.authorizer import SESSION_COOKIE
from porewatch_local.embedded.made_up_people import put_made_up_people
from tests.cloud.conftest import Cloud
from tests.cloud.visitor import LOOKS, Look, Visitor, accessible, window

pytestmark = [pytest.mark.cloud, pytest.mark.web]
HOSTILE = "<script>alert(1)</script> \u05d0\u05d1\u05d2 " + "w" * 84
FOCUSED = "(e => e.matches('a, button') ? e.innerText : '')(document.activeElement)"
REPORT = b"<!doctype html><html lang=en><title>Report</title><p>the report</p></html>"


@pytest.fixture(scope="module")
def run_id(stack: Cloud) -> str:
    """A completed run with a report and an alert that waits."""
    put_made_up_people(stack.local)
    ledger = Table(stack.outputs["LedgerTable"], stack.client("dynamodb"))
    runs, made, at = ProjectRuns(ledger), new_run_id(), datetime.now(UTC)
    if known := runs.named(DEFAULT_PROJECT, HOSTILE):  # of another module with this fixture
        return known
    runs.register(made, Registration(DEFAULT_PROJECT, HOSTILE, "u"), at)
    key = f"runs/{made}/r0/report.html"
    Objects(stack.outputs["ReportsBucketName"], stack.client("s3")).put(key, REPORT, "text/html")
    item = ledger.need(f"RUN#{made}", "RUN")
    end = {"state": RunState.COMPLETED, "report_keys": {"report.html": key}, "completed_at": at}
    record = item.model(RunRecord).model_copy(update=end)
    ledger.put(type(item).of(item.pk, item.sk, record, kind=item.kind, version=item.version))
    AlertLedger(ledger).raise_alert(
        PathogenSuspected(
            fact_id=f"PathogenSuspected:{made}:0:pig:HEV",
            run_id=made,
            revision=0,
            at=at,
            sample="pig",
            code="HEV",
            name="Hepatitis E Virus",
            severity="high",
            reads=7,
            starts=6,
            breadth=0.1,
            identity=0.95,
            rule="7 reads",
        )
    )
    return made


@pytest.fixture
def visitor(browser: Browser, stack: Cloud, run_id: str) -> Iterator[Visitor]:
    context = browser.new_context(locale="en-GB")
    made = Visitor(context, stack)
    yield made
    context.close()
    assert made.troubles == []


def test_somebody_signs_in_reads_acknowledges_and_leaves(visitor: Visitor, run_id: str) -> None:
    page = visitor.open("")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Mateo Ruiz").click()
    page.wait_for_url("**/web/runs")
    assert "csrf" not in page.evaluate("document.cookie")
    (session,) = [c for c in visitor.context.cookies() if c["name"] == SESSION_COOKIE]
    assert (session["secure"], session["httpOnly"], session["sameSite"]) == (True, True, "Lax")
    page.locator(f"#run-{run_id}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    frame = page.frame_locator("iframe.report")
    expect(frame.get_by_text("the report")).to_be_visible()
    page.get_by_role("link", name="Alerts", exact=True).click()
    alert = page.get_by_role("article").filter(has=page.locator(f"a[href*='{run_id}']"))
    alert.get_by_label("What was decided").fill("second test ordered")
    alert.get_by_role("button").click()
    expect(alert).to_have_count(0)
    page = visitor.open("alerts?all=true")
    expect(page.get_by_text("Acknowledged by Mateo Ruiz").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/web")
    visitor.context.add_cookies([session])  # type: ignore[list-item]
    visitor.open("runs")
    assert "/sign-in/" in page.url or "/authorize" in page.url, "an ended session opens nothing"


def test_a_link_for_others_is_made_and_opens_without_an_account(
    visitor: Visitor,
    browser: Browser,
    run_id: str,
) -> None:
    page = visitor.sign_in("Mateo Ruiz", f"/web/runs/{run_id}")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".shown code")
    expect(link).to_contain_text("/web/share/")
    other = browser.new_context()
    stranger = other.new_page()
    stranger.goto(link.inner_text())
    expect(stranger.get_by_text("the report")).to_be_visible()
    other.close()


def test_by_the_keyboard_alone(visitor: Visitor, run_id: str) -> None:
    page = visitor.open("")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    _tab_to(page, "Sign in")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/**")
    _tab_to(page, "Mateo Ruiz")
    page.keyboard.press("Enter")
    page.wait_for_url("**/web/runs")
    _tab_to(page, "<script>")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{run_id}")
    _tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url("**/web")


def _tab_to(page: Page, text: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if text in str(page.evaluate(FOCUSED)):
            return
    raise AssertionError(f"no way by the keyboard to {text!r}")


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_accessible_and_fits(
    browser: Browser, axe: str, stack: Cloud, run_id: str, look: Look
) -> None:
    locale, _, width = look
    with window(browser, stack, look) as visitor:
        visitor.open("")
        accessible(visitor.page, axe, width)
        visitor.sign_in("Aiko Tanaka")
        pages = ["runs", "runs?name=none-such", f"runs/{run_id}", "alerts?all=true", "account"]
        for path in [*pages, "upload", "admin", "projects/default"]:
            page = visitor.open(path)
            assert page.locator("html").get_attribute("lang") == locale[:2]
            accessible(page, axe, width)
        assert visitor.troubles == []
        accessible(visitor.open("nothing-here"), axe, width)
