"""`report-KEY.pdf` and `report-KEY.ja.pdf` of each sample, beside the report of the run."""

from __future__ import annotations

from collections.abc import Container
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError

from porewatch.domain.reasons.catalogue import in_language
from porewatch.domain.results.report import Report
from porewatch_worker.report.of_sample import file_keys
from porewatch_worker.report.parts.languages import Language, languages
from porewatch_worker.report.render_pdf import render_sample_pdf
from porewatch_worker.settings import cores

MOST_PUBLISHED = 384
"""Samples (four plates) of which a stage publishes reports: one message carries all the names."""


def sample_files(report: Report) -> dict[str, tuple[str, Language]]:
    """Name of the file -> sample and language, in the order of the sheet; no controls."""
    return {
        in_language(f"report-{key}.pdf", language): (sample, language)
        for sample, key in file_keys(report).items()
        for language in languages()
    }


def write_samples(report: Report, folder: Path, without: Container[str] = ()) -> dict[str, Path]:
    """Write those reports of single samples that `without` does not name; paths by name."""
    chosen = {n: whose for n, whose in sample_files(report).items() if n not in without}
    folder.mkdir(parents=True, exist_ok=True)

    def write(name: str) -> Path:
        path = folder / name
        path.write_bytes(render_sample_pdf(report, *chosen[name]))
        return path

    with ThreadPoolExecutor(cores()) as pool:  # the typesetter works without Python's lock
        return dict(zip(chosen, pool.map(write, chosen), strict=True))


def clear_samples(folder: Path, of: str) -> None:
    """Remove the reports of single samples that belong to the report `of` in this folder, which is
    about to be replaced: the samples of the next one may be others."""
    try:
        earlier = Report.model_validate_json((folder / of).read_bytes())
    except (FileNotFoundError, ValidationError):
        return
    for name in sample_files(earlier):
        (folder / name).unlink(missing_ok=True)
