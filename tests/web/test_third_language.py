"""A third language is files: no code knows it, and no page says a sentence beside them."""

from __future__ import annotations

import ast
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from porewatch.domain.notices.texts import body, texts
from porewatch.domain.reasons.catalogue import SOURCE, in_language, languages
from porewatch.domain.results.publishing import content_types
from porewatch.domain.results.report import Report
from porewatch_cli.options import _known
from porewatch_cli.reports.report_files import rendered, report_files
from porewatch_worker.phases.reporting import write_reports
from porewatch_worker.report.compose import compose
from porewatch_worker.report.parts.languages import Language
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf
from porewatch_worker.report.sample_files import sample_files
from tests.web.pseudo_language import MARKED, PLAIN, PSEUDO, a_third_language
from tests.web.test_languages import english_in, names_in, printed

ROOT = Path(__file__).parents[2]
PRODUCT = ("layers/common/python", "worker/src", "cli/src", "local/src", "functions")
OF_AWS = "Unable to fulfill capacity due to your request configuration."
"""What AWS said in the history of a made-up report; it is shown as it was said."""


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Language]:
    with a_third_language(monkeypatch, tmp_path / "catalogues") as language:
        yield language


def test_the_made_language_has_no_plain_letter() -> None:
    assert len(PLAIN) == len(MARKED) == 52
    assert not MARKED.isascii() and not any(letter.isascii() for letter in MARKED)


@pytest.mark.parametrize("name", ["rich", "clean", "empty", "quantified", "perv"])
def test_a_page_in_a_third_language_says_nothing_that_its_catalogues_do_not_say(
    name: str, reports: dict[str, Report], third: Language
) -> None:
    report = reports[name]
    names = names_in(report) | set(re.findall("[A-Za-z]{2,}", OF_AWS))
    left = {word for text in printed(compose(report, third)) for word in english_in(text, names)}
    assert left == set()
    page = render_html(report, third)
    assert f'<html lang="{third}"' in page and "[!!" in page
    shown = re.sub(r"(?s)<(style|script|svg).*?</\1>|<code.*?</code>|<[^>]+>", " ", page)
    assert set(english_in(html.unescape(shown), names)) == set()


def test_the_printed_report_speaks_the_third_language(
    reports: dict[str, Report], third: Language
) -> None:
    reader = PdfReader(io.BytesIO(render_pdf(reports["rich"], third)))
    said = " ".join(page.extract_text() for page in reader.pages)
    for english in ("Timeline", "Cost", "machine launched", "Decision", "goes on"):
        assert english not in said
        assert english.translate(str.maketrans(PLAIN, MARKED))[:4] in said, english


def test_notices_speak_every_language_that_has_a_catalogue(third: Language) -> None:
    values = {"run": "r", "revision": 0, "spent": 1, "percent": 80, "limit": 2}
    parts = body("budget.near", **values).split("\n\n----\n\n")
    assert len(parts) == len(languages()) == 3
    assert parts[2].startswith(texts(third)["budget.near.subject"].format(**values))
    assert english_in(parts[2], {"RunBudgetUsd"}) == []


def test_what_is_made_and_published_follows_from_the_files(
    reports: dict[str, Report], third: Language, tmp_path: Path
) -> None:
    assert languages() == (SOURCE, "ja", third)
    page, pdf = (in_language(name, third) for name in ("report.html", "report.pdf"))
    made = write_reports(reports["clean"], tmp_path / "reports")
    assert {page, pdf} < set(made)
    assert content_types(made).keys() >= {page, pdf}
    assert report_files(third)[:2] == (page, pdf)
    assert rendered(reports["clean"], page) == made[page].read_bytes()
    assert any(name.endswith(f".{third}.pdf") for name in sample_files(reports["clean"]))
    assert _known(third) == third


def test_the_language_is_gone_with_its_files() -> None:
    assert PSEUDO not in languages()


def test_no_code_names_a_language_but_the_source() -> None:
    named = {
        f"{path.name}: {node.value}"
        for folder in PRODUCT
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in ("en", "ja")
    }
    assert named == {f"catalogue.py: {SOURCE}"}
