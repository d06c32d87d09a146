# ruff: noqa: F811 - fixtures of test_pages
"""What projects are charged: by the API, on pages and by the command, all of them alike."""

from __future__ import annotations

import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from porewatch.adapters.accounting.statements import Accounting
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.money.charges import Charges
from porewatch.adapters.money.facility_rates import FacilityRates
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.calls.verdict import Verdict
from porewatch.domain.money.charges import Rates
from porewatch.domain.people.roles import Role
from porewatch.domain.rules import run_endings
from porewatch.domain.sealing import input_file, seal
from porewatch.usecases.money.statements import project_statement
from porewatch_cli.main import app
from porewatch_worker.report.statement_pdf import statement_pdf
from tests.cloud.visitor import LOOKS, Look, accessible
from tests.functional.made_provider import MadeProvider
from tests.functional.test_account_pages import OPERATOR, admin
from tests.functional.test_accounts import Place, ask, by_session
from tests.functional.test_pages import (
    HOST,
    Browser,
    a_run,
    api_key,  # noqa: F401 - a fixture
    member,
    people,  # noqa: F401 - a fixture
    provider,  # noqa: F401 - a fixture
)

MONTH = f"{now():%Y-%m}"
RATES = {
    "from_month": MONTH, "markup_percent": 10, "report_usd": 100, "sample_usd": 30,
    "gigabase_usd": 4,
}  # fmt: skip
CHARGED = 2.2 + 100 + 3 * 30 + 2.5 * 4


def screened(ledger: Table, run_id: str, usd: float = 2.0) -> None:
    """The run is sealed, started and completed, with three samples and 2.5 gigabases."""
    runs, at = RunLedger(ledger), now()
    manifest = seal([input_file("fastq/a.fastq", 5)], run_id=run_id, created_at=at)
    runs.seal(manifest, sealed_by="run.json", at=at)
    runs.start(manifest, execution_arn="x", bundle="demo@1", at=at)
    verdict = Verdict(outcome=Outcome.REPORTABLE, samples={Outcome.REPORTABLE: 3}, calls={})
    runs.apply(
        run_id, run_endings.complete, 0, report_keys={"report.json": "k"}, findings=0,
        cost_usd=usd, at=at, verdict=verdict, bases=2_500_000_000,
    )  # fmt: skip


def registered(ledger: Table, project: str) -> str:
    return a_run(ledger, project, "=herd 8")


def test_the_api_charges_settled_bills_at_the_rates(people: Table, cloud: Table) -> None:
    place = Place(people, cloud)
    project, root = place.projects[0], by_session(place.root)
    run_id = registered(cloud, project)
    screened(cloud, run_id)
    at_cost = ask("GET", f"/projects/{project}/statement", root)[1]
    assert [(item["what"], item["usd"]) for item in at_cost["items"]] == [("machines", 2.0)]
    assert ask("PUT", "/rates", root, RATES)[0] == 200
    shown = ask("GET", f"/projects/{project}/statement", root, month=MONTH)[1]
    assert (shown["usd"], shown["final"]) == (CHARGED, False)
    assert [item["what"] for item in shown["items"]] == [
        "machines", "reports", "samples", "gigabases",
    ]  # fmt: skip
    (run,) = shown["runs"]
    assert (run["run_id"], run["name"], run["samples"]) == (run_id, "=herd 8", 3)
    month = ask("GET", "/charges", root)[1]
    assert [(one["project"], one["usd"]) for one in month["projects"]] == [(project, CHARGED)]
    assert (month["usd"], month["cost_usd"]) == (CHARGED, 2.0)
    assert ask("GET", "/charges", root, month="2026-13")[0] == 400
    assert ask("GET", "/charges", root, month="2020-01")[1]["projects"] == []


def test_tables_add_up_and_no_name_in_them_is_a_formula(people: Table, cloud: Table) -> None:
    place = Place(people, cloud)
    project, root = place.projects[0], by_session(place.root)
    Accounts(people).change_project(project, lambda p: p.model_copy(update={"name": "=cmd|'x'"}))
    screened(cloud, registered(cloud, project))
    ask("PUT", "/rates", root, RATES)
    lines = ask("GET", "/charges", root, format="csv")[1].splitlines()
    assert lines[0] == "month,project,name,reports,samples,bases,cost_usd,usd,final"
    assert lines[1:] == [
        f"{MONTH},{project},'=cmd|'x',1,3,2500000000,2.000000,{CHARGED:.2f},no",
    ]  # fmt: skip
    runs = ask("GET", f"/projects/{project}/statement", root, format="csv")[1].splitlines()
    assert len(runs) == 2 and ",'=herd 8,1,3,2500000000,2.000000" in runs[1]


def test_rates_of_a_month_that_is_over_stay(people: Table, cloud: Table) -> None:
    root = by_session(Place(people, cloud).root)
    past = ask("PUT", "/rates", root, {**RATES, "from_month": "2026-01"})
    assert past[0] == 400 and "over" in past[1]["problem"]
    for wrong in ({"sample_usd": -1}, {"sample_usd": 1e9}, {"from_month": "2026"}):
        assert ask("PUT", "/rates", root, {**RATES, **wrong})[0] == 400, wrong
    assert ask("GET", "/rates", root)[1]["rates"] == []


def test_pages_show_charges_to_who_may_see_them(
    provider: MadeProvider, people: Table, cloud: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    project = member(people, Role.ADMIN)
    run_id = registered(cloud, project)
    screened(cloud, run_id)
    FacilityRates(people).keep(Rates(**RATES, by="<b>eve</b>"))
    page = browser.ask(f"/web/projects/{project}/statement")
    assert page["statusCode"] == 200
    assert f"{CHARGED:.2f}" in page["body"] and run_id in page["body"]
    assert "<script>alert" not in page["body"]
    assert browser.ask("/web/charges")["statusCode"] == 403
    admin(people)
    shown = browser.ask("/web/charges")["body"]
    assert f"{CHARGED:.2f}" in shown and "&lt;b&gt;eve" in shown and 'action="../rates"' in shown
    other = Browser()
    other.sign_in(provider, sub="u-2", name="Ben")
    assert other.ask(f"/web/projects/{project}/statement")["statusCode"] == 404


@pytest.fixture
def command(people: Table, cloud: Table, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`porewatch charges ... --json`, of a stack with a screened run; and its project."""
    from porewatch_cli.stack import Stack

    place = Place(people, cloud)
    screened(cloud, registered(cloud, place.projects[0]))
    import boto3

    stack = Stack("porewatch", boto3.Session(), {"LedgerTable": "ledger", "PeopleTable": "people"})
    monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_, **__: stack)

    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(app, ["charges", *arguments, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    run.project = place.projects[0]  # type: ignore[attr-defined]
    return run


def test_the_command_says_the_same(command: Any, tmp_path: Path) -> None:
    rates = ("--from", MONTH, "--markup", "10", "--report", "100", "--sample", "30")
    assert command("rates", *rates, "--gigabase", "4")["rates"][0]["sample_usd"] == 30
    csv, pdf = tmp_path / "month.csv", tmp_path / "statement.pdf"
    month = command("month", "--csv", str(csv))
    assert month["usd"] == CHARGED and csv.read_text().count("\n") == 2
    shown = command("statement", command.project, "--pdf", str(pdf))
    assert shown["usd"] == CHARGED and pdf.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(("language", "word"), [("en", "Statement"), ("ja", "明細書")])
def test_a_statement_is_a_pdf_that_says_what_the_page_says(
    people: Table, cloud: Table, language: str, word: str
) -> None:
    place = Place(people, cloud)
    screened(cloud, registered(cloud, place.projects[0]))
    FacilityRates(people).keep(Rates(**RATES))
    shown = project_statement(
        place.projects[0], OPERATOR, now(),
        Accounting(Charges(cloud), FacilityRates(people), Accounts(people), ProjectRuns(cloud)),
    )  # fmt: skip
    made = statement_pdf(shown, language)
    if kept := os.environ.get("POREWATCH_SCREENSHOTS"):
        (Path(kept) / f"{language}.pdf").write_bytes(made)
    assert made.startswith(b"%PDF") and made == statement_pdf(shown, language)
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(made)).pages)
    assert word in text and f"{CHARGED:.2f}" in text and "=herd 8" in text


@pytest.mark.web
@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_pages_of_charges_are_accessible(
    look: Look, provider: MadeProvider, people: Table, cloud: Table, browser: Any, axe: str
) -> None:
    visitor = Browser()
    visitor.sign_in(provider)
    project = member(people, Role.ADMIN)
    admin(people)
    screened(cloud, registered(cloud, project))
    FacilityRates(people).keep(Rates(**RATES, by="Eve"))
    locale, scheme, width = look
    (user,) = Accounts(people).users()
    language = {"language": locale[:2]}
    Accounts(people).change_user(user.user_id, lambda u: u.model_copy(update=language))
    context = browser.new_context(
        locale=locale, color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    page.route("**/*", lambda route: answer(visitor, route))
    for path in (f"/web/projects/{project}/statement", "/web/charges"):
        page.goto(f"https://{HOST}/v1{path}")
        accessible(page, axe, width)
        if kept := os.environ.get("POREWATCH_SCREENSHOTS"):
            name = f"{path.rsplit('/')[-1]}-{locale}-{scheme}-{width}.png"
            page.screenshot(path=Path(kept) / name, full_page=True)
    context.close()


def answer(visitor: Browser, route: Any) -> None:
    """By the web function."""
    parts = urlsplit(route.request.url)
    asked = parts.path.removeprefix("/v1") + (f"?{parts.query}" if parts.query else "")
    found = visitor.ask(asked)
    headers = {name: values[0] for name, values in found["multiValueHeaders"].items()}
    route.fulfill(status=found["statusCode"], headers=headers, body=found["body"])
