"""The report as a PDF, set by Typst with its built-in fonts: PDF/A-2a, equal bytes for equal input.

The document goes in as data (JSON), never as Typst source, so no text can become code.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files

import typst

from porewatch.domain.report import Report
from porewatch_worker.report.compose import compose

STANDARDS: list[typst.PDFStandard] = ["a-2a", "ua-1"]


def render_pdf(report: Report) -> bytes:
    """PDF bytes. The file's date is the report's `created_at`, not the clock's."""
    template = files("porewatch_worker.report").joinpath("templates/report.typ").read_bytes()
    at = report.created_at
    data = asdict(compose(report)) | {
        "date": {"year": at.year, "month": at.month, "day": at.day}
        | {"hour": at.hour, "minute": at.minute, "second": at.second}
    }
    made: bytes = typst.compile(
        template,
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards=STANDARDS,
        timestamp=int(at.timestamp()),
        sys_inputs={"document": json.dumps(data, ensure_ascii=False)},
    )
    return made
