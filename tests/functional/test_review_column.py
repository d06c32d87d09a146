# ruff: noqa: F811 - fixtures of test_pages
"""How far reports are signed, in the list of runs: page, API and command line; and sifted by it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from porewatch.adapters.table import Table
from porewatch.domain.calls.findings import Outcome, SampleOutcome
from tests.functional.doors import KEY_HOLDER, Context, door
from tests.functional.test_finishing import a_report
from tests.functional.test_pages import a_run, api_key, people, provider  # noqa: F401 - fixtures
from tests.functional.test_signed_copies import Command, command  # noqa: F401 - a fixture
from tests.functional.test_signing import Lab, lab  # noqa: F401 - a fixture


def api(path: str, **asked: str) -> Any:
    event = {
        "httpMethod": "GET", "path": path, "isBase64Encoded": False, "headers": {}, "body": None,
        "queryStringParameters": asked or None, "requestContext": {"authorizer": KEY_HOLDER},
    }  # fmt: skip
    answer = door("api")(event, Context())
    return json.loads(answer["body"]) | {"status": answer["statusCode"]}


def listed(**asked: str) -> dict[str, str | None]:
    return {run["run_id"]: run["review"] for run in api("/runs", **asked)["runs"]}


def test_the_list_says_how_far_a_report_is_signed(lab: Lab, cloud: Table, command: Command) -> None:
    open_run = a_run(cloud, lab.project, "herd 8")
    assert listed() == {lab.run_id: "draft", open_run: None}
    for who, meaning in ((lab.ada, "reviewed"), (lab.ben, "released")):
        who.sign(lab.run_id, meaning)
        assert listed() == {lab.run_id: meaning, open_run: None}
        assert api(f"/runs/{lab.run_id}")["review"] == meaning
        assert {one["run_id"]: one["review"] for one in json.loads(command("list", "--json"))} == {
            lab.run_id: meaning,
            open_run: None,
        }
        assert meaning in command("list")
    assert "badge good" in lab.ada.browser.ask("/web/runs")["body"]
    subject = next(iter(a_report().subjects))
    withheld = SampleOutcome(sample=subject, outcome=Outcome.NOT_REPORTABLE)
    lab.publish(1, outcomes=(withheld,))
    assert listed()[lab.run_id] == "draft", "the newer revision is not signed"
    lab.ada.sign(lab.run_id, "reviewed")
    lab.ben.sign(lab.run_id, "amended", reason="wrong control")
    assert listed()[lab.run_id] == "released", "an amendment releases its own revision"


@pytest.mark.parametrize(("review", "found"), [("reviewed", 1), ("draft", 0), ("released", 0)])
def test_lists_are_sifted_by_it(lab: Lab, cloud: Table, review: str, found: int) -> None:
    a_run(cloud, lab.project, "herd 8")
    lab.ada.sign(lab.run_id, "reviewed")
    assert len(listed(review=review)) == found
    page = lab.ada.browser.ask(f"/web/runs?review={review}")["body"]
    assert (f"run-{lab.run_id}" in page) == bool(found)
    assert f'<option value="{review}" selected>' in page


def test_an_unknown_state_is_refused(lab: Lab) -> None:
    answer = api("/runs", review="perhaps")
    assert answer["status"] == 400 and "use one of draft, reviewed" in str(answer)
