"""The report as a PDF, set by Typst with fonts of ours only: PDF/A-2a, equal bytes for equal input.

The document goes in as data (JSON), never as Typst source, so no text can become code.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import typst

from porewatch.domain.results.report import Report
from porewatch_worker.report.compose import compose
from porewatch_worker.report.of_sample import compose_sample
from porewatch_worker.report.parts.document import Document
from porewatch_worker.report.parts.languages import SOURCE, Language
from porewatch_worker.report.parts.printable import (
    drawable,
    without_controls,
)

STANDARDS: list[typst.PDFStandard] = ["a-2a", "ua-1"]


FONTS = ("noto_cjk_sans_jp_regular", "noto_cjk_sans_jp_bold")
"""Wheels that carry Noto Sans CJK JP (SIL Open Font License) and nothing else."""


def render_pdf(report: Report, language: Language = SOURCE) -> bytes:
    """PDF bytes. The file's date is the report's `created_at`, not the clock's."""
    return printed(compose(report, language), report.created_at)


def render_sample_pdf(report: Report, sample: str, language: Language = SOURCE) -> bytes:
    """PDF bytes of the report of one sample of the run; nothing of other samples is in it."""
    return printed(compose_sample(report, sample, language), report.created_at)


def printed(document: Document, at: datetime) -> bytes:
    """PDF bytes of a document; `at`: the file's date."""
    template = files("porewatch_worker.report").joinpath("templates/report.typ").read_bytes()
    data = without_controls(asdict(document)) | {
        "date": {"year": at.year, "month": at.month, "day": at.day}
        | {"hour": at.hour, "minute": at.minute, "second": at.second}
    }
    stamp = int(at.timestamp())
    try:
        return _compiled(template, data, stamp)
    except typst.TypstError:
        return _compiled(template, drawable(data, _draws), stamp)


def _compiled(template: bytes, data: dict[str, Any], stamp: int) -> bytes:
    made: bytes = typst.compile(
        template,
        format="pdf",
        font_paths=fonts(),
        pdf_standards=STANDARDS,
        timestamp=stamp,
        sys_inputs={"document": json.dumps(data, ensure_ascii=False)},
    )
    return made


@cache
def _draws(char: str) -> bool:
    """Whether a font of ours has a glyph for `char`."""
    page = b"#set document(title: [p])\n#sys.inputs.char"
    try:
        typst.compile(
            page, format="pdf", font_paths=fonts(), pdf_standards="a-2b", sys_inputs={"char": char}
        )
    except typst.TypstError:
        return False
    return True


@cache
def fonts() -> typst.Fonts:
    """The Japanese fonts beside the Latin ones that are built into Typst; no system fonts."""
    with ExitStack() as stack:
        folders = [stack.enter_context(as_file(files(name))) for name in FONTS]
        return typst.Fonts(include_system_fonts=False, font_paths=folders)
