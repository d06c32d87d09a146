"""A run from an empty folder of the bucket to its report, by a browser alone.

50 MB: made-up reads of the demo and real reads. The page is loaded again in the middle of it.
"""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, expect

from porewatch_local.embedded.made_up_people import put_made_up_people
from tests.cloud.lab import PATIENCE, Lab
from tests.cloud.making import wait_for
from tests.cloud.visitor import Visitor, accessible

pytestmark = [
    pytest.mark.cloud,
    pytest.mark.web,
    pytest.mark.slow,  # two minutes; the page itself is in functional/test_upload_in_a_window.py
    pytest.mark.xdist_group("end to end"),
]
REAL = ("nanotest_ultralong", "qcat_nobarcode_1k")
UPLOAD_BYTES_A_SECOND = 6e6
MIDDLE = 20e6
SENT = "document.getElementById('bar').value"
ARRIVED = "All files have arrived."
CONSOLE = "Failed to load resource"
REFUSED = {
    ("PUT", "sheet", 422),
    ("PUT", "part", 404),
    ("POST", "urls", 409),
    ("POST", "complete", 409),
}
"""A sheet with faults; and what the page before asked for may come to its end while the next one
sends the same part."""
UPLOAD = re.compile("/web/runs/r-[a-z2-7]+/upload$")
expect.set_options(timeout=60_000)
SHARE = re.compile("/web/share/")


@pytest.fixture(scope="module")
def folder(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder without a sample sheet, with a file that is not read."""
    reads = lab.shared / "data" / "reads"
    if not reads.exists():
        pytest.skip(f"the real reads are not at {reads} (set POREWATCH_SHARED)")
    made = tmp_path_factory.mktemp("upload") / "run"
    shutil.copytree(lab.demo.run_folder, made, ignore=shutil.ignore_patterns("*.csv", "final*"))
    (made / "fastq_pass" / "barcode04").mkdir()
    for name in REAL:
        content = gzip.decompress((reads / f"{name}.fastq.gz").read_bytes())
        (made / "fastq_pass" / "barcode04" / f"{name}.fastq").write_bytes(content)
    (made / "notes.docx").write_bytes(b"PK\3\4 notes")
    assert sum(file.stat().st_size for file in made.rglob("*.fastq*")) > 50e6
    return made


@pytest.fixture
def visitor(browser: Browser, lab: Lab) -> Iterator[Visitor]:
    put_made_up_people(lab.cloud.local)
    context = browser.new_context(locale="en-GB")
    made = Visitor(context, lab.cloud)
    made.page.on("dialog", lambda dialog: dialog.accept())
    yield made
    context.close()


class Parts:
    """Parts that S3 took, and how often; and everything that was refused."""

    def __init__(self, page: Page) -> None:
        self.taken: list[tuple[str, int]] = []
        self.refused: set[tuple[str, str, int]] = set()
        page.on("response", self._note)

    def _note(self, response: Response) -> None:
        request: Request = response.request
        if response.status >= 400:
            last = urlsplit(request.url).path.rpartition("/")[2]
            what = "part" if "partNumber=" in request.url else last
            self.refused.add((request.method, what, response.status))
        if request.method == "PUT" and "partNumber=" in request.url and response.ok:
            number = parse_qs(urlsplit(request.url).query)["partNumber"][0]
            self.taken.append((urlsplit(request.url).path, int(number)))

    def of_several(self) -> list[tuple[str, int]]:
        """Those of files in several parts: what arrived of them is not sent again."""
        large = {path for path, number in self.taken if number > 1}
        return [(path, number) for path, number in self.taken if path in large]


def slow_down(context: BrowserContext, page: Page, speed: float) -> None:
    session = context.new_cdp_session(page)
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": speed},
    )


def test_a_run_by_a_browser_alone(
    visitor: Visitor, browser: Browser, axe: str, lab: Lab, folder: Path
) -> None:
    page = visitor.sign_in("Mateo Ruiz")
    page.get_by_role("link", name="New run").click()
    page.get_by_label("Name of the run").fill("herd 7, by hand")
    page.get_by_role("button", name="Go on to the files").click()
    page.wait_for_url(UPLOAD)
    parts = Parts(page)
    slow_down(visitor.context, page, UPLOAD_BYTES_A_SECOND)
    page.locator("#folder").set_input_files(folder)
    wait_for(lambda: page.evaluate(SENT) > MIDDLE, 60, "the middle of the upload")
    page.reload()
    expect(page.locator("#said")).to_contain_text("Unfinished files")
    slow_down(visitor.context, page, -1)
    page.locator("#folder").set_input_files(folder)
    expect(page.locator("#said")).to_have_text(ARRIVED, timeout=120_000)
    several = parts.of_several()
    assert len(several) == len(set(several)) >= 4, "no part is sent twice"
    expect(page.get_by_role("row").filter(has_text="notes.docx")).to_contain_text("left out")
    accessible(page, axe, 1280)

    _fill_the_sheet(page)
    page.get_by_role("button", name="Start the screening").click()
    page.wait_for_url(re.compile(r"/web/runs/r-[a-z2-7]+$"))
    run_id = page.url.rpartition("/")[2]
    expect(page.locator("#run .badge").first).to_have_text("completed", timeout=PATIENCE * 1000)
    _read_the_report(page)
    _read_the_log(visitor, run_id)
    _share(visitor, browser, run_id)
    _acknowledge(visitor, run_id)
    assert parts.refused <= REFUSED
    assert [one for one in visitor.troubles if not one.startswith(CONSOLE)] == []


def _fill_the_sheet(page: Page) -> None:
    page.get_by_role("button", name="Add rows for the barcodes").click()
    rows = page.locator("table.edited tbody tr")
    expect(rows).to_have_count(4)
    for number, (name, role) in enumerate(
        [("donor 1", ""), ("NTC", "no_template_control"), ("PC", "positive_control"), ("herd", "")],
        2,
    ):
        page.get_by_label(f"Sample, row {number}", exact=True).fill(name)
        page.get_by_label(f"Role, row {number}").select_option(role)
        page.get_by_label(f"Volume, mL, row {number}").fill("1,0" if number == 2 else "1.0")
        page.get_by_label(f"Spike-in copies, row {number}").fill("10000")
    keep = page.get_by_role("button", name="Check and keep")
    keep.click()
    faults = page.locator("#faults")
    expect(faults).to_contain_text("To correct: 1.")
    expect(faults).to_be_focused()
    faults.get_by_role("link", name="Row 2, Volume, mL:").click()
    wrong = page.get_by_label("Volume, mL, row 2")
    expect(wrong).to_be_focused()
    wrong.fill("1.0")
    keep.click()
    expect(page.locator("#kept")).to_have_text("Kept. Samples: 4.")


def _read_the_report(page: Page) -> None:
    page.reload()
    frame = page.frame_locator("iframe.report")
    expect(frame.get_by_text("donor 1").first).to_be_visible()


def _read_the_log(visitor: Visitor, run_id: str) -> None:
    page = visitor.open(f"runs/{run_id}/log")
    expect(page.locator("pre.log")).not_to_be_empty()


def _share(visitor: Visitor, browser: Browser, run_id: str) -> None:
    page = visitor.open(f"runs/{run_id}")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".shown code")
    expect(link).to_contain_text(SHARE)
    context = browser.new_context()
    other = context.new_page()
    other.goto(link.inner_text())
    expect(other.get_by_text("donor 1").first).to_be_visible()
    assert other.get_by_role("button").count() == 0, "it is to be read only"
    page = visitor.open(f"runs/{run_id}")
    page.get_by_role("button", name=re.compile("^Revoke the link")).click()
    expect(page.get_by_text("revoked", exact=True)).to_be_visible()
    other.reload()
    expect(other.get_by_text("donor 1")).to_have_count(0)
    context.close()


def _acknowledge(visitor: Visitor, run_id: str) -> None:
    page = visitor.open("alerts")
    alerts = page.get_by_role("article").filter(has=page.locator(f"a[href*='{run_id}']"))
    left = alerts.count()
    assert left
    alerts.first.get_by_role("button").click()
    expect(alerts).to_have_count(left - 1)
