"""The pages by which a run is uploaded: for whom, for which runs, and where they may connect to."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

from porewatch.adapters.items import Item
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.people.roles import Role
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.submission.run_uploads import Register, Submission
from porewatch.settings import settings
from porewatch.usecases.uploads.keep_sheet import MOST_EDITED
from tests.functional.made_provider import MadeProvider
from tests.functional.test_pages import (
    HOSTILE,
    Browser,
    a_run,
    api_key,
    header,
    member,
    people,
    provider,
)

__all__ = ["api_key", "people", "provider"]


@pytest.fixture
def browser(provider: MadeProvider) -> Browser:
    made = Browser()
    made.sign_in(provider)
    return made


def registered(cloud: Table, project: str, name: str = "herd 7") -> str:
    """A run that takes uploads."""
    run_id = a_run(cloud, project, name)
    asked = Register(project=project, name="herd 7")
    cloud.put(Item.of(f"RUN#{run_id}", "SUBMISSION", Submission(asked=asked)))
    return run_id


def in_state(cloud: Table, run_id: str, state: RunState) -> None:
    item = cloud.need(f"RUN#{run_id}", "RUN")
    record = item.model(RunRecord).model_copy(update={"state": state})
    cloud.put(type(item).of(item.pk, item.sk, record, kind=item.kind, version=item.version))


def data(body: str, name: str) -> Any:
    (found,) = re.findall(rf"data-{name}='([^']*)'", body)
    return json.loads(unescape(found))


def test_a_new_run_goes_where_one_may_submit(browser: Browser, people: Table) -> None:
    assert "You may add runs to no project." in browser.ask("/web/upload")["body"]
    assert "web/upload" not in browser.ask("/web/runs")["body"]
    seen = member(people, Role.VIEWER)
    mine = member(people, Role.SUBMITTER)
    body = browser.ask("/web/upload")["body"]
    assert f'value="{mine}"' in body
    assert seen not in body
    assert "web/upload" in browser.ask("/web/runs")["body"]


def test_policies_are_those_that_the_stack_takes(
    browser: Browser, people: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    member(people, Role.SUBMITTER)
    monkeypatch.setenv("RELEASE_POLICIES", "donor-screening,default")
    settings.cache_clear()
    body = browser.ask("/web/upload")["body"]
    assert "<option>donor-screening</option>" in body


def test_files_are_for_those_who_may_submit(browser: Browser, people: Table, cloud: Table) -> None:
    seen = a_run(cloud, member(people, Role.VIEWER), "seen")
    foreign = a_run(cloud, "p-aaaaaaaaaaaaaaaa", "foreign")
    assert browser.ask(f"/web/runs/{seen}/upload")["statusCode"] == 403
    assert browser.ask(f"/web/runs/{foreign}/upload")["statusCode"] == 404
    assert f"{seen}/upload" not in browser.ask(f"/web/runs/{seen}")["body"]


def test_the_page_may_connect_to_the_bucket_and_nowhere_else(
    browser: Browser, people: Table, cloud: Table
) -> None:
    run_id = registered(cloud, member(people, Role.SUBMITTER), HOSTILE)
    assert f"{run_id}/upload" in browser.ask(f"/web/runs/{run_id}")["body"]
    answer = browser.ask(f"/web/runs/{run_id}/upload")
    assert answer["statusCode"] == 200
    (reach,) = re.findall(r"connect-src ([^;]*);", header(answer, "Content-Security-Policy"))
    self_, origin = reach.split()
    assert self_ == "'self'"
    assert re.fullmatch(r"https://([a-z0-9.-]*)amazonaws\.com", origin)
    assert "<script>alert" not in answer["body"]
    first = data(answer["body"], "columns")[0]
    assert (first["field"], first["words"]) == ("name", "Sample")
    assert "alias" in first["headings"]
    assert data(answer["body"], "kept") is None


def test_a_kept_sheet_is_there_to_edit_whatever_it_says(
    browser: Browser, people: Table, cloud: Table
) -> None:
    run_id = registered(cloud, member(people, Role.SUBMITTER))
    raw, key = Objects(settings().raw_bucket), s3_keys.raw_key(run_id, "sample_sheet.csv")
    raw.put(key, f"alias,type\n{HOSTILE}'\",nonsense,x\n\npig 2\n".encode(), "text/csv")
    body = browser.ask(f"/web/runs/{run_id}/upload")["body"]
    assert "<script>alert" not in body
    kept = data(body, "kept")["table"]
    assert kept["columns"] == ["alias", "type", ""]
    assert [row["line"] for row in kept["rows"]] == [2, 4]
    assert kept["rows"][1]["cells"] == ["pig 2", "", ""]
    long = "name,barcode\n" + "".join(f"s{n},barcode{n:02d}\n" for n in range(1, MOST_EDITED + 2))
    raw.put(key, long.encode(), "text/csv")
    kept = data(browser.ask(f"/web/runs/{run_id}/upload")["body"], "kept")
    assert kept["table"] is None and len(kept["samples"]) == MOST_EDITED + 1


def test_a_run_that_came_by_the_bucket_has_no_page_to_upload(
    browser: Browser, people: Table, cloud: Table
) -> None:
    run_id = a_run(cloud, member(people, Role.SUBMITTER))
    assert f"{run_id}/upload" not in browser.ask(f"/web/runs/{run_id}")["body"]
    assert browser.ask(f"/web/runs/{run_id}/upload")["statusCode"] == 404


@pytest.mark.parametrize(
    ("state", "status"),
    [(RunState.FAILED, 200), (RunState.SEALED, 409), (RunState.COMPLETED, 409)],
)
def test_a_run_that_is_under_way_or_over_takes_no_files(
    browser: Browser, people: Table, cloud: Table, state: RunState, status: int
) -> None:
    run_id = registered(cloud, member(people, Role.SUBMITTER))
    in_state(cloud, run_id, state)
    assert browser.ask(f"/web/runs/{run_id}/upload")["statusCode"] == status
