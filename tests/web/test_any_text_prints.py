"""Whatever a name holds, the PDF is made and shows it, or its code points."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from porewatch_worker.report.assemble import assemble
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
