"""A statement as a PDF, set by Typst as reports are. It goes in as data, never as source."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import typst

from porewatch.domain.reasons.catalogue import REASONS, Catalogue, read
from porewatch_worker.report.render_pdf import STANDARDS, fonts

if TYPE_CHECKING:
    from porewatch.domain.money.charges import Statement

COUNTS = ("reports", "samples", "gigabases", "cost")


def statement_pdf(shown: Statement, language: str) -> bytes:
    """PDF bytes; its date is when the statement was asked for."""
    at = shown.as_of
    made: bytes = typst.compile(
        files("porewatch_worker.report").joinpath("templates/statement.typ").read_bytes(),
        format="pdf",
        font_paths=fonts(),
        pdf_standards=STANDARDS,
        timestamp=int(at.timestamp()),
        sys_inputs={"statement": json.dumps(_data(shown, language), ensure_ascii=False)},
    )
    return made


def _data(shown: Statement, language: str) -> dict[str, Any]:
    t = Catalogue({**read(REASONS, language), **read("web", language)}, {}).text
    at = shown.as_of
    return {
        "language": language,
        "date": [at.year, at.month, at.day, at.hour, at.minute, at.second],
        "title": f"{t('web.statement.title')} {shown.month}",
        "project": shown.name,
        "id": shown.project,
        "as_of": f"{at:%Y-%m-%d %H:%M} UTC",
        "state": t("web.charges.final" if shown.final else "web.charges.not_final"),
        "total": t("web.run.total"),
        "usd": f"{shown.usd:.2f}",
        "heads": [t(f"web.statement.{name}") for name in ("item", "quantity", "each")] + ["USD"],
        "items": [
            [
                t(f"web.statement.{item.what.value}"), f"{item.quantity:.6g}",
                f"{item.unit_usd:g}", f"{item.usd:.2f}",
            ]
            for item in shown.items
        ],
        "runs": t("web.nav.runs"),
        "run_heads": [t("web.statement.run"), *(t(f"web.charges.{name}") for name in COUNTS)],
        "run_rows": [
            [
                run.name or run.run_id, run.run_id if run.name else "", str(run.reports),
                str(run.samples), f"{run.bases / 1e9:.2f}", f"{run.cost_usd:.4f}",
            ]
            for run in shown.runs
        ],
    }  # fmt: skip
