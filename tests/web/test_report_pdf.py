"""The PDF report, read back by another library."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject

from porewatch.domain.results.report import Report
from porewatch_worker.report.parts.languages import Language
from porewatch_worker.report.render_pdf import render_pdf
from tests.web.made_up import LONG_NAME

FOOT = 46.0
"""Points from the lower edge: below stands the foot of the page."""


@pytest.fixture(scope="module")
def printed(reports: dict[str, Report]) -> dict[str, PdfReader]:
    return {name: PdfReader(io.BytesIO(render_pdf(report))) for name, report in reports.items()}


def _text(reader: PdfReader, page: int) -> str:
    return " ".join(reader.pages[page].extract_text().replace("\u00a0", " ").split())


@pytest.mark.parametrize("name", ["rich", "clean", "empty", "crowded", "quantified"])
def test_every_page_carries_its_number_and_the_run(
    name: str, printed: dict[str, PdfReader]
) -> None:
    reader = printed[name]
    total = len(reader.pages)
    assert total > 1
    for number in range(1, total + 1):
        words = _text(reader, number - 1)
        assert f"Page {number} of {total}" in words
        assert "Run demo-2026-03-14, revision 0" in words


@pytest.mark.parametrize("name", ["rich", "clean", "empty", "crowded", "quantified"])
def test_the_first_page_holds_the_decision(
    name: str, printed: dict[str, PdfReader], reports: dict[str, Report]
) -> None:
    first = _text(printed[name], 0)
    assert " ".join(reports[name].decision.split()) in first
    for heading in ("What was found", "Controls and outcome", "What could have been seen"):
        assert heading in first


def test_every_page_of_a_synthetic_report_says_so_and_no_other(
    printed: dict[str, PdfReader],
) -> None:
    rich, clean = printed["rich"], printed["clean"]
    assert all("SYNTHETIC" in _text(rich, i) for i in range(len(rich.pages)))
    assert not any("SYNTHETIC" in _text(clean, i) for i in range(len(clean.pages)))


def test_every_row_of_the_list_is_printed(
    printed: dict[str, PdfReader], reports: dict[str, Report]
) -> None:
    words = " ".join(_text(printed["clean"], i) for i in range(len(printed["clean"].pages)))
    missing = [e.code for e in reports["clean"].panel if e.code not in words]
    assert missing == []


def test_a_long_sample_name_breaks_and_does_not_run_into_the_next_column(
    printed: dict[str, PdfReader],
) -> None:
    first = printed["crowded"].pages[0].extract_text()
    assert LONG_NAME not in first
    assert LONG_NAME in re.sub(r"[\s\u200b]", "", first)


def test_equal_reports_give_equal_bytes(reports: dict[str, Report]) -> None:
    report = reports["rich"]
    assert render_pdf(report) == render_pdf(Report.model_validate_json(report.model_dump_json()))


def test_the_file_is_archivable_tagged_and_dated_by_the_report(
    printed: dict[str, PdfReader], reports: dict[str, Report]
) -> None:
    reader = printed["rich"]
    claims = reader.root_object["/Metadata"].get_object().get_data().decode()
    for claim in ("<pdfaid:part>2<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<"):
        assert claim in claims
    assert reader.metadata is not None
    assert reader.metadata.creation_date == reports["rich"].created_at
    assert reader.metadata.title == "SYNTHETIC: Pathogen screening report, demo-2026-03-14"


def test_all_fonts_are_in_the_file(printed: dict[str, PdfReader]) -> None:
    names = set()
    for page in printed["rich"].pages:
        fonts = page["/Resources"]["/Font"]  # type: ignore[index]
        assert isinstance(fonts, DictionaryObject)
        for font in fonts.values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            described = inner["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(described)
            names.add(str(described["/FontName"]).split("+")[-1])
    assert any(name.startswith("LibertinusSerif") for name in names)


@pytest.mark.parametrize(
    "name", ["rich", "quantified", pytest.param("crowded", marks=pytest.mark.slow), "perv"]
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_page_is_left_half_empty(
    name: str, language: Language, reports: dict[str, Report]
) -> None:
    reader = PdfReader(io.BytesIO(render_pdf(reports[name], language)))
    lowest = {n: _lowest(page) for n, page in enumerate(reader.pages[1:-1], 2)}
    assert {n: share for n, share in lowest.items() if share > 0.36} == {}


def _lowest(page: PageObject) -> float:
    """How high above the foot the page's last words stand, as a share of its height."""
    heights: list[float] = []

    def seen(text: str, cm: list[float], tm: list[float], *_: object) -> None:
        y = tm[5] * cm[3] + cm[5]
        if text.strip() and y > FOOT:
            heights.append(y)

    page.extract_text(visitor_text=seen)
    return min(heights) / float(page.mediabox.height)


@pytest.mark.parametrize("name", ["rich", "clean"])
def test_a_long_table_begins_with_rows_below_its_head(
    name: str, printed: dict[str, PdfReader], reports: dict[str, Report]
) -> None:
    """Not with a head, or a single row, at the end of a page."""
    pages = [_text(printed[name], i) for i in range(len(printed[name].pages))]
    (below,) = (page.split("LOD95 in copies/mL where")[1] for page in pages if "LOD95 in" in page)
    codes = [entry.code for entry in reports[name].panel]
    assert sum(f" {code} " in below for code in codes) >= 4


def test_the_terms_are_explained_in_print(printed: dict[str, PdfReader]) -> None:
    pages = [_text(printed["rich"], i) for i in range(len(printed["rich"].pages))]
    assert any("Less than that may be there unseen." in page for page in pages)
