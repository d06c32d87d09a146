"""What uploading needs, and how a run is reached for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import Action
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.submission.run_uploads import Upload, refuse_unless_open
from porewatch.usecases.people.reach_run import reach_run

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.people.slots import Admission
    from porewatch.adapters.submission.multipart import MultipartUploads
    from porewatch.adapters.submission.run_uploads import RunUploads


@dataclass(frozen=True)
class UploadContext:
    """Dependencies of uploading."""

    runs: RunLedger
    uploads: RunUploads
    raw: Objects
    parts: MultipartUploads
    admission: Admission
    clock: Callable[[], datetime] = now


def may_upload(run_id: str, who: Principal, context: UploadContext) -> RunRecord:
    """The run, if `who` may submit to it and it takes files. Raises as `reach_run`; RunNotOver,
    RunOver."""
    record = reach_run(run_id, who, Action.SUBMIT, runs=context.runs)
    refuse_unless_open(record)
    return record


def key_of(upload: Upload) -> str:
    """Where it lies, or will."""
    return s3_keys.raw_key(upload.run_id, upload.stored)
