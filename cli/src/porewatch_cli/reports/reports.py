"""Read reports: from a file, or as published by a run."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from porewatch.domain import s3_keys
from porewatch.domain.errors import InputRefused, NotFound
from porewatch.domain.money.cost import Bill
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.publishing import (
    BILL,
    REPORT,
    REPORTS,
    translated,
)
from porewatch.domain.results.report import Report
from porewatch.domain.rules.revisions import reported
from porewatch.domain.signatures.signed_copies import newest_copies
from porewatch.domain.validation_text import say
from porewatch_cli.reports.report_files import rendered
from porewatch_worker.report.sample_files import clear_samples, write_samples

if TYPE_CHECKING:
    from porewatch.adapters.objects import Extra
    from porewatch_cli.stack import Stack

AT_ONCE = 8
"""Parallel downloads: a plate of samples has 200 reports."""


def given_report(
    given: str,
    stack: str | None,
    profile: str | None = None,
    region: str | None = None,
    *,
    revision: int | None = None,
) -> Report:
    """The report at a path, in a folder, or of a run by its id (only then a stack is needed).
    Ignores unknown fields, which a later version may have written."""
    path = _file(given)
    if path is not None:
        return _parsed(path)
    from porewatch_cli.stack import find_stack  # noqa: PLC0415 - a file needs no AWS

    found = find_stack(stack, profile=profile, region=region)
    return read_report(found, with_report(found, given, revision))


def report_as_written(
    given: str,
    stack: str | None,
    profile: str | None = None,
    region: str | None = None,
    *,
    revision: int | None = None,
) -> tuple[Report, dict[str, Any]]:
    """The same with the stored document, for an audit: its digests cover the document as written.
    Refuses unknown fields, which no trail covers."""
    path = _file(given)
    if path is not None:
        return _parsed(path, extra="forbid"), json.loads(path.read_bytes())
    from porewatch_cli.stack import find_stack  # noqa: PLC0415 - a file needs no AWS

    found = find_stack(stack, profile=profile, region=region)
    run = with_report(found, given, revision)
    return read_report(found, run, extra="forbid"), stored_report(found, run)


def _file(given: str) -> Path | None:
    path = Path(given)
    path = path / REPORT if path.is_dir() else path
    return path if path.is_file() else None


def _parsed(path: Path, extra: Extra = "ignore") -> Report:
    try:
        return Report.model_validate_json(path.read_bytes(), extra=extra)
    except ValidationError as e:
        raise InputRefused(
            f"not a report: {say(e)}.",
            file=str(path),
            remedy="give a report.json of `porewatch screen` or `porewatch report`; if a "
            "later version wrote it, update porewatch.",
        ) from e


def record_of(stack: Stack, run_id: str, revision: int | None) -> RunRecord:
    """The run, or one of its revisions. Raises NotFound."""
    return stack.runs.get(run_id) if revision is None else stack.runs.revision(run_id, revision)


def with_report(stack: Stack, run_id: str, revision: int | None = None) -> RunRecord:
    """The newest revision with a published report, or `revision`. Raises NotFound with the run's
    state."""
    run = record_of(stack, run_id, revision)
    run = (reported(run) if revision is None else None) or run
    if run.report_keys:
        return run
    raise NotFound(
        f"run {run.run_id} has no report: it is {run.state.value}."
        + (f" {run.problem}" if run.problem else ""),
        remedy=f"`porewatch watch {run.run_id}` shows its progress.",
    )


def read_report(stack: Stack, run: RunRecord, *, extra: Extra = "ignore") -> Report:
    """The report of this revision."""
    key = s3_keys.report_key(run.run_id, run.revision, REPORT)
    return stack.bucket("Reports").get_json(key, Report, extra=extra)


def stored_report(stack: Stack, run: RunRecord) -> dict[str, Any]:
    """The stored document of this revision, unchanged also when an earlier version wrote it: its
    audit trail holds digests of that. `read_report` validates it."""
    key = s3_keys.report_key(run.run_id, run.revision, REPORT)
    document: dict[str, Any] = json.loads(stack.bucket("Reports").get(key))
    return document


def read_bill(stack: Stack, run: RunRecord) -> Bill:
    key = s3_keys.report_key(run.run_id, run.revision, BILL)
    return stack.bucket("Reports").get_json(key, Bill)


def signed_copies(stack: Stack, run: RunRecord) -> dict[str, str]:
    """Name -> key, of each page's newest copy that has the signatures of this revision."""
    prefix = s3_keys.signed_prefix(run.run_id, run.revision)
    return newest_copies(head.key for head in stack.bucket("Reports").keys(prefix))


def archived_files(stack: Stack, run: RunRecord) -> set[str]:
    """Names of files of this revision that cannot be read before they come back from the
    archive."""
    from porewatch.adapters.archive.cold_storage import (  # noqa: PLC0415 - reports without AWS
        ColdStorage,
    )

    folder = s3_keys.report_key(run.run_id, run.revision, "")
    storage = ColdStorage(stack.output("ReportsBucketName"), stack.s3)
    return {found.key.removeprefix(folder) for found in storage.below(folder) if found.cold}


def save_reports(stack: Stack, run: RunRecord, out: Path) -> dict[str, Path]:
    """Copy everything that was published to `out`, replacing an earlier copy; what is in the
    archive is left out. Languages that were not published, and reports of single samples, are
    rendered from the report."""
    out.mkdir(parents=True, exist_ok=True)
    bucket = stack.bucket("Reports")
    archived = archived_files(stack, run)
    copies = signed_copies(stack, run)
    names = dict.fromkeys((*run.report_keys, *REPORTS, BILL, *copies))
    published = [name for name in names if name not in archived]
    report = read_report(stack, run)
    clear_samples(out, REPORT)

    def copy(name: str) -> None:
        key = copies.get(name) or s3_keys.report_key(run.run_id, run.revision, name)
        (out / name).write_bytes(bucket.get(key))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(copy, published))
    missing = [name for name in translated() if name not in published]
    for name in missing:
        (out / name).write_bytes(rendered(report, name))
    made = write_samples(report, out, without=published)
    return {name: out / name for name in (*published, *missing)} | made
