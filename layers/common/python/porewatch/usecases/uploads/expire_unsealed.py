"""End a registered run that nobody seals: its uploads are given up, its place in the project is
free."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules import run_endings, stalled_runs
from porewatch.domain.submission.run_uploads import Upload, UploadState

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.submission.multipart import MultipartUploads
    from porewatch.adapters.submission.run_uploads import RunUploads


def expire_unsealed(
    record: RunRecord,
    *,
    runs: RunLedger,
    uploads: RunUploads,
    parts: MultipartUploads,
    at: datetime,
) -> None:
    """For the sweep. The run is refused last, so whatever breaks off is repeated; it may be sealed
    after all."""
    run_id = record.run_id
    if not stalled_runs.never_sealed(record, at):
        return
    begun = [upload for upload in uploads.all(run_id) if upload.state is UploadState.OPEN]
    for upload in begun:
        if upload.s3_upload:
            parts.abort(s3_keys.raw_key(run_id, upload.stored), upload.s3_upload)
    uploads.change(run_id, {upload.upload_id: _given_up for upload in begun})
    runs.apply(run_id, run_endings.expire, at)


def _given_up(upload: Upload | None) -> Upload | None:
    if upload is None or upload.state is not UploadState.OPEN:
        return None
    return upload.model_copy(update={"state": UploadState.ENDED})
