"""Files of a report: size, digest, and until when they are kept."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from porewatch.domain import s3_keys
from porewatch.domain.base import Moment
from porewatch.domain.errors import NotFound
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.publishing import sums_read
from porewatch.domain.rules.revisions import reported
from porewatch.domain.runs import GONE_STATES
from porewatch.domain.signatures.signed_copies import newest_copies
from porewatch.usecases.views.show_runs import Answer
from porewatch.usecases.views.show_storage import FileStorage, StorageSources, show_storage

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects

MOST_SUMS = 1_000_000
"""Bytes of the file of digests that are read."""


class FileView(Answer):
    """A file of a report. `size` None: it has expired. `sha256` None: published by an earlier
    version, or a copy that was made as the report was signed (`report.signed.2.pdf`)."""

    name: str
    size: int | None
    written_at: Moment | None
    sha256: str | None
    expires_at: Annotated[
        Moment | None, Field(description="by its age; None: it has, or it is kept")
    ]
    storage: FileStorage = FileStorage()


class FileList(Answer):
    """Files of a run's report."""

    files: tuple[FileView, ...]


def show_files(
    record: RunRecord, *, reports: Objects, days: int, storage: StorageSources, at: datetime
) -> tuple[FileView, ...]:
    """Of the newest completed revision, by name. `days`: of the bucket's lifecycle rule."""
    shown = reported(record)
    if shown is None or record.state in GONE_STATES:
        return ()
    own = s3_keys.report_key(record.run_id, shown.revision, "")
    there = {head.key: head for head in reports.keys(own)}
    keys = shown.report_keys | newest_copies(there)
    sums = _sums(record.run_id, shown.revision, reports)
    stored = show_storage(record, keys, sources=storage, at=at)
    found = []
    for name, key in sorted(keys.items()):
        head = there.get(key)
        found.append(
            FileView(
                name=name,
                size=head.size if head else None,
                written_at=head.modified if head else None,
                sha256=sums.get(name),
                expires_at=stored.expires(head.modified, days) if head else None,
                storage=stored.of(name),
            )
        )
    return tuple(found)


def _sums(run_id: str, revision: int, reports: Objects) -> dict[str, str]:
    try:
        content = reports.part(s3_keys.sums_key(run_id, revision), 0, MOST_SUMS)
    except NotFound:
        return {}
    return sums_read(content.decode("utf-8", errors="replace"))
