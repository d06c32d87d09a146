"""Whatever a name holds, the PDF and the page are made and show it, or its code points."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from porewatch.domain.reasons.reason import verbatim
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf
from tests.web import made_up


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ไทย", "[U+0E44][U+0E17][U+0E22]"),
        ("🐖 é", "[U+1F416] é"),
        ("a\x01b", "a[U+0001]b"),
        ("\x1b[2J", "[U+001B][2J"),
        ("x\u202ey", "x[U+202E]y"),
        ("ブタ Äø", "ブタ Äø"),
    ],
)
def test_a_flow_cell_of_any_text_prints(name: str, shown: str) -> None:
    report = assemble(made_up.clean())
    cell = report.sequencing.model_copy(update={"flow_cell": name})
    made = render_pdf(report.model_copy(update={"sequencing": cell}))
    told = "".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
    assert shown in told.replace("\n", "")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x\u202ey", "x[U+202E]y"),
        ("x\u200by", "x[U+200B]y"),
        ("\x1b[2J", "[U+001B][2J"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("ブタ ไทย 🐖", "ブタ ไทย 🐖"),
    ],
)
def test_a_page_shows_what_would_not_be_seen(name: str, shown: str) -> None:
    report = assemble(made_up.clean())
    cell = report.sequencing.model_copy(update={"flow_cell": name})
    page = render_html(
        report.model_copy(update={"sequencing": cell, "remark_reasons": verbatim(name)})
    )
    assert page.count(shown) >= 2
    assert name not in page or name == shown
