# ruff: noqa: F811 - fixtures of test_pages
"""The upload page in Chromium, answered by the functions themselves: what people do to it, and what
networks and sessions do. The whole way at the embedded AWS is tests/cloud/test_upload_in_a_browser.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
import pytest

from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.table import Table
from porewatch.domain.people.roles import Role
from tests.functional.doors import Context, door
from tests.functional.made_provider import MadeProvider
from tests.functional.test_pages import (
    HOST,
    Browser,
    api_key,  # noqa: F401 - a fixture
    member,
    people,  # noqa: F401 - a fixture
    provider,  # noqa: F401 - a fixture
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.web
READS = b"@r1 flow_cell_id=FAX1\nACGTACGT\n+\n55555555\n"
GIVEN_UP = 404
"""S3 has given the upload up, as its lifecycle rule does after a week."""
ARRIVED = "All files have arrived."


class Site:
    """The pages, the API and S3, as the browser reaches them. `faults`: what S3 answers first;
    `refused`: a part of a path of the API -> the status of its answer."""

    def __init__(self, visitor: Browser, project: str) -> None:
        self.visitor, self.faults, self.refused = visitor, list[int](), dict[str, int]()
        self.parts = 0
        status, body = self.api("POST", "/runs", json.dumps({"project": project, "name": "herd 7"}))
        assert status == 201
        self.run_id = json.loads(body)["run_id"]

    @property
    def address(self) -> str:
        return f"https://{HOST}/v1/web/runs/{self.run_id}/upload"

    def answer(self, route: Route) -> None:
        parts = urlsplit(route.request.url)
        if parts.hostname != HOST:
            self.s3(route)
        elif parts.path.startswith("/v1/web"):
            query = f"?{parts.query}" if parts.query else ""
            found = self.visitor.ask(parts.path.removeprefix("/v1") + query)
            headers = {k: v[0] for k, v in found["multiValueHeaders"].items()}
            route.fulfill(status=found["statusCode"], headers=headers, body=found["body"])
        else:
            path = parts.path.removeprefix("/v1")
            status, body = self.api(
                route.request.method, path, route.request.post_data, parts.query,
                route.request.headers,
            )  # fmt: skip
            route.fulfill(status=status, content_type="application/json", body=body)

    def api(
        self, method: str, path: str, body: str | None = None, query: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:  # fmt: skip
        for part, status in self.refused.items():
            if part in path:
                return status, json.dumps({"detail": "it is over", "code": "x"})
        user = next(Accounts(Table("people")).users()).user_id
        event = {
            "httpMethod": method, "path": path, "body": body, "isBase64Encoded": False,
            "headers": headers or {}, "queryStringParameters": dict(parse_qsl(query)) or None,
            "requestContext": {"authorizer": {"means": "session", "user_id": user}},
        }  # fmt: skip
        answer = door("uploads")(event, Context())
        return answer["statusCode"], answer["body"]

    def s3(self, route: Route) -> None:
        request, parts = route.request, urlsplit(route.request.url)
        asked, cors = dict(parse_qsl(parts.query)), {"Access-Control-Allow-Origin": "*"}
        if request.method == "OPTIONS":
            allowed = {"Access-Control-Allow-Methods": "PUT", "Access-Control-Allow-Headers": "*"}
            route.fulfill(status=200, headers={**cors, **allowed})
            return
        client, key = boto3.client("s3"), "runs/" + unquote(parts.path).partition("/runs/")[2]
        upload = {"Bucket": "raw", "Key": key, "UploadId": asked["uploadId"]}
        if self.faults:
            status = self.faults.pop(0)
            if status == GIVEN_UP:
                client.abort_multipart_upload(**upload)
            route.fulfill(status=status, headers=cors)
            return
        self.parts += 1
        try:
            number, body = int(asked["partNumber"]), request.post_data_buffer or b""
            client.upload_part(**upload, PartNumber=number, Body=body)
            route.fulfill(status=200, headers=cors)
        except client.exceptions.ClientError:
            route.fulfill(status=GIVEN_UP, headers=cors)

    def stored(self) -> set[str]:
        found = boto3.client("s3").list_objects_v2(Bucket="raw", Prefix=f"runs/{self.run_id}/")
        return {one["Key"].split("/", 2)[2] for one in found.get("Contents", ())}

    def sheet(self) -> str:
        key = f"runs/{self.run_id}/sample_sheet.csv"
        found: bytes = boto3.client("s3").get_object(Bucket="raw", Key=key)["Body"].read()
        return found.decode()


@pytest.fixture
def site(provider: MadeProvider, people: Table, cloud: Table) -> Site:
    visitor = Browser()
    visitor.sign_in(provider)
    return Site(visitor, member(people, Role.SUBMITTER))


@pytest.fixture
def page(browser: Chromium, site: Site) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 900})
    context.set_default_timeout(20_000)
    made = context.new_page()
    made.route("**/*", site.answer)
    made.on("dialog", lambda dialog: dialog.accept())
    made.goto(site.address)
    yield made
    context.close()


def choose(page: Page, **files: bytes) -> None:
    page.locator("#single").set_input_files(
        [{"name": name, "mimeType": "text/plain", "buffer": data} for name, data in files.items()]
    )


def said(page: Page, text: str | re.Pattern[str], where: str = "#said") -> None:
    from playwright.sync_api import expect

    expect(page.locator(where)).to_have_text(text, timeout=20_000)


def cell(page: Page, row: int, column: int) -> Any:
    return page.locator(f"#cell-{row - 2}-{column}")


def paste(page: Page, row: int, column: int, text: str) -> None:
    cell(page, row, column).evaluate(
        """(cell, text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", text);
            const all = {clipboardData, cancelable: true, bubbles: true};
            cell.dispatchEvent(new ClipboardEvent("paste", all));
        }""",
        text,
    )


def test_a_run_starts_with_all_that_was_chosen_and_the_sheet_as_it_is_shown(
    page: Page, site: Site
) -> None:
    start = page.get_by_role("button", name="Start the screening")
    site.refused["/complete"] = 400
    choose(page, **{"a.fastq": READS})
    said(page, "Not all files have arrived. To look at: 1.")
    start.click()
    said(page, re.compile("^Files that have not arrived: 1"), "#seal [role=status]")
    del site.refused["/complete"]
    page.get_by_role("button", name="Try again: a.fastq").click()
    said(page, ARRIVED)
    cell(page, 2, 0).fill("#1")
    start.click()
    said(page, re.compile("not kept yet"), "#seal [role=status]")
    assert "remark" in page.locator("#faults").inner_text()
    cell(page, 2, 0).fill("pig 1")
    start.click()
    page.wait_for_url(f"**/web/runs/{site.run_id}")
    assert site.stored() == {"a.fastq", "sample_sheet.csv", "run.json"}
    assert '"pig 1"' in site.sheet()


def test_a_run_starts_with_a_sheet_that_is_kept_already(page: Page, site: Site) -> None:
    choose(page, **{"a.fastq": READS})
    said(page, ARRIVED)
    cell(page, 2, 0).fill("pig 1")
    page.locator("#keep").click()
    said(page, "Kept. Samples: 1.", "#kept")
    page.get_by_role("button", name="Start the screening").click()
    page.wait_for_url(f"**/web/runs/{site.run_id}")
    assert "run.json" in site.stored()


def test_s3_may_refuse_forget_and_fail(page: Page, site: Site) -> None:
    site.faults += [403, 500, GIVEN_UP]
    choose(page, **{"a.fastq": READS})
    said(page, ARRIVED)
    site.faults += [400, 400, 400, 400]
    choose(page, **{"b.fastq": READS})
    said(page, "Not all files have arrived. To look at: 1.")
    assert "S3: HTTP 400" in page.get_by_role("row").filter(has_text="b.fastq").inner_text()
    page.get_by_role("button", name="Remove: b.fastq").click()
    said(page, ARRIVED)
    assert site.stored() == {"a.fastq"}


def test_a_session_that_ends_stops_it_and_a_paused_one_goes_on(page: Page, site: Site) -> None:
    site.refused["/complete"] = 401
    choose(page, **{f"{n}.fastq": READS for n in range(30)})
    page.locator("#said a").wait_for()
    assert site.parts < 15
    del site.refused["/complete"]
    page.reload()
    said(page, re.compile("^Unfinished files"))
    choose(page, **{f"{n}.fastq": READS for n in range(30)})
    page.locator("#pause").click()
    said(page, "Paused.")
    page.get_by_role("button", name="Go on").click()
    said(page, ARRIVED)
    assert len(site.stored()) == 30


def test_what_changed_is_sent_again_and_names_are_composed(page: Page, site: Site) -> None:
    name = unicodedata.normalize("NFD", "\u304c.fastq")
    choose(page, **{name: READS})
    said(page, ARRIVED)
    assert site.stored() == {"\u304c.fastq"}
    choose(page, **{name: READS + READS.replace(b"r1", b"r2")})
    page.wait_for_timeout(300)  # it says the same before and after
    said(page, ARRIVED)
    head = boto3.client("s3").head_object(Bucket="raw", Key=f"runs/{site.run_id}/\u304c.fastq")
    assert head["ContentLength"] == 2 * len(READS)
    assert page.locator("#list bdi").all_inner_texts() == ["\u304c.fastq"]


def test_the_sheet_of_the_page_goes_before_that_of_the_folder(page: Page, site: Site) -> None:
    choose(page, **{"sample_sheet.csv": b"name\nfrom the folder\n", "a.fastq": READS})
    said(page, ARRIVED)
    page.reload()
    assert cell(page, 2, 0).input_value() == "from the folder"
    cell(page, 2, 0).fill("from the page")
    page.locator("#keep").click()
    said(page, "Kept. Samples: 1.", "#kept")
    choose(page, **{"sample_sheet.csv": b"name\nfrom the folder, later\n"})
    page.get_by_role("row").filter(has_text="left out").wait_for()
    assert "from the page" in site.sheet()


def test_two_who_edit_a_sheet_do_not_overwrite_each_other(page: Page, site: Site) -> None:
    status, _ = site.api("PUT", f"/runs/{site.run_id}/sheet", "name\nby another\n")
    assert status == 200
    cell(page, 2, 0).fill("mine")
    page.locator("#keep").click()
    said(page, re.compile("another sheet was kept meanwhile"), "#kept")
    page.reload()
    said(page, re.compile("^What you typed before is here again"), "#kept")
    assert cell(page, 2, 0).input_value() == "mine"


def test_cells_are_pasted_as_a_spreadsheet_puts_them(page: Page, site: Site) -> None:
    paste(page, 2, 0, 'pig 1\tbarcode01\t\t\t\t7\r\n"pig\n""2"""\tbarcode02\r\n')
    assert [cell(page, 2, n).input_value() for n in (0, 1, 5)] == ["pig 1", "barcode01", "7"]
    assert cell(page, 3, 0).input_value() == 'pig "2"'
    paste(page, 2, 0, "pig 9\tbarcode09\t\t\t\t\r\n")
    assert [cell(page, 2, n).input_value() for n in (0, 5)] == ["pig 9", ""]
    paste(page, 2, 5, "1\t2\t3")
    said(page, "Cells that found no place in the table: 2.", "#kept")
    paste(page, 2, 0, "alias\tBarcode\npig 3\tbarcode03")
    assert cell(page, 2, 0).input_value() == "pig 3"


def test_faults_stay_at_their_cells_whatever_the_headings(page: Page, site: Site) -> None:
    paste(page, 2, 0, "alias\tBarcode\npig 3\tbarcode03\npig 4\tbarcode03")
    page.locator("#keep").click()
    page.locator("#faults li").wait_for()
    assert cell(page, 3, 1).get_attribute("aria-invalid") == "true"
    assert cell(page, 3, 0).get_attribute("aria-invalid") is None
    page.locator("#add-row").click()
    assert cell(page, 3, 1).get_attribute("aria-invalid") == "true"
    page.locator("#faults a").first.click()
    assert page.evaluate("document.activeElement.id") == "cell-1-1"


def test_enter_goes_down_but_not_while_an_input_method_converts(page: Page, site: Site) -> None:
    rows = page.locator("table.edited tbody tr")
    cell(page, 2, 0).evaluate(
        "cell => cell.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229}))"
    )
    assert rows.count() == 1
    cell(page, 2, 0).press("Enter")
    assert rows.count() == 2
    assert page.evaluate("document.activeElement.id") == "cell-1-0"


def test_a_sheet_that_cannot_be_shown_is_said_and_not_replaced(page: Page, site: Site) -> None:
    key = f"runs/{site.run_id}/sample_sheet.csv"
    boto3.client("s3").put_object(Bucket="raw", Key=key, Body=b"PK\x03\x04 a workbook")
    page.reload()
    assert "CSV" in page.locator("#faults").inner_text()
    page.locator("#table").set_input_files(
        [
            {
                "name": "s.csv",
                "mimeType": "text/csv",
                "buffer": "name\n\u30d6\u30bf\n".encode("cp932"),
            }
        ]
    )
    said(page, "Kept. Samples: 1.", "#kept")
    assert cell(page, 2, 0).input_value() == "\u30d6\u30bf"
    rows = "".join(f"s{n},barcode{n:02d}\n" for n in range(1, 1500))
    status, _ = site.api("PUT", f"/runs/{site.run_id}/sheet", f"name,barcode\n{rows}")
    assert status == 200
    page.reload()
    said(page, re.compile("^A sheet with 1499 samples is kept"), "#long")
    assert not page.locator("#keep").is_visible()


def test_the_page_has_no_data_that_ends_an_attribute(site: Site) -> None:
    body = site.visitor.ask(f"/web/runs/{site.run_id}/upload")["body"]
    for value in re.findall(r"data-[a-z]+='([^']*)'", body):
        json.loads(unescape(value))
