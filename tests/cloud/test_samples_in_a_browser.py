# ruff: noqa: F811 - fixtures of test_pages_in_a_browser
"""Animals by pathogens, one animal in time, and a run with all that its page can say, in a real
browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from porewatch.adapters.objects import Objects
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.table import Table
from porewatch.domain.calls.standing import Standing
from porewatch.domain.people.roles import DEFAULT_PROJECT
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.results.sample_states import Result
from porewatch.domain.runs import SampleRole
from tests.cloud.conftest import Cloud
from tests.cloud.test_pages_in_a_browser import (
    HOSTILE,
    run_id,  # noqa: F401 - a fixture
    visitor,  # noqa: F401 - a fixture
)
from tests.cloud.visitor import LOOKS, Look, Visitor, accessible, window
from tests.functional.test_pages import AT
from tests.functional.test_run_page import ended
from tests.functional.test_sample_pages import BAD, absent, found, sample, screened

pytestmark = [pytest.mark.cloud, pytest.mark.web]
PIGS = [f"pig {n}" for n in range(1, 6)]


@pytest.fixture(scope="module")
def herd(stack: Cloud, run_id: str) -> list[str]:
    """Three runs of five pigs; their ids, oldest first. The last has files, versions and phases."""
    ledger = Table(stack.outputs["LedgerTable"], stack.client("dynamodb"))
    reports = Objects(stack.outputs["ReportsBucketName"], stack.client("s3"))
    if known := ProjectRuns(ledger).named(DEFAULT_PROJECT, "herd check 2"):
        return [known]
    void = Result(code="PCMV", standing=Standing.NOT_REPORTABLE)
    runs = []
    for n in range(3):
        samples = [
            sample("s1", found("HEV", 50.0 * 9**n, why=verbatim("7 reads at 6 places")),
                   absent("PCMV"), animal="pig 1", species="Sus scrofa", tissue="plasma"),
            sample("s2", absent("HEV", 35.0 / (n + 1)), animal="pig 2"),
            sample("s3", void if n == 2 else found("PCMV"), animal="pig 3",
                   outcome=BAD if n == 2 else sample("x").outcome, why=verbatim("few host reads")),
            sample("s4", found("HEV", withheld=True), animal="pig 4", outcome=BAD),
            sample("s5", found("PCV3") if n == 0 else absent("PCV3"), animal="pig 5"),
            sample("s6", absent("HEV"), animal=HOSTILE[:100]),
            sample("ntc", role=SampleRole.NO_TEMPLATE_CONTROL),
        ]  # fmt: skip
        name, at = f"herd check {n}", AT + timedelta(days=30 * n)
        runs.append(screened(ledger, DEFAULT_PROJECT, name, samples, at, reports))
    ended(ledger, runs[-1], reports, AT + timedelta(days=60))
    return runs


def test_from_the_herd_to_an_animal_to_its_run(visitor: Visitor, herd: list[str]) -> None:
    page = visitor.sign_in("Priya Nair")
    page.get_by_role("link", name="Samples", exact=True).click()
    row = page.get_by_role("row", name="pig 1")
    expect(row.get_by_text("detected", exact=True).first).to_be_visible()
    expect(page.get_by_role("row", name="pig 4").get_by_text("[detected]")).to_be_visible()
    page.get_by_role("combobox", name="Pathogen").select_option("PCMV")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("columnheader", name="PCMV")).to_be_visible()
    expect(page.get_by_role("columnheader", name="HEV")).to_have_count(0)
    page.get_by_role("link", name="pig 1").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="Hepatitis E Virus")).to_be_visible()
    assert page.locator("svg.chart circle").count() == 3
    expect(page.get_by_role("cell", name="copies/mL").first).to_be_visible()
    page.get_by_role("link", name="herd check 2").first.click()
    page.wait_for_url("**/web/runs/*")
    expect(page.get_by_role("rowheader", name="report.json")).to_be_visible()
    page.locator("summary", has_text="Screening parameters").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("min_read_length")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_samples_are_accessible_and_fit(
    browser: Browser, axe: str, stack: Cloud, herd: list[str], look: Look
) -> None:
    with window(browser, stack, look) as visitor:
        visitor.sign_in("Aiko Tanaka")
        pages = ["samples", "samples?code=PCMV", "animal?project=default&name=pig+1"]
        for path in [*pages, "animal?project=default&name=nobody", f"runs/{herd[-1]}"]:
            page = visitor.open(path)
            for folded in page.locator("details").all():
                folded.evaluate("one => { one.open = true; }")
            accessible(page, axe, look[2])
        assert visitor.troubles == []
