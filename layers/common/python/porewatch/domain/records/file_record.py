"""The result of validating one file, as the ledger holds it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment, Problem, Sha256
from porewatch.domain.runs import ReadKind, RunId, VersionId


class FileState(StrEnum):
    VALID = "valid"
    QUARANTINED = "quarantined"


class FileRecord(Model):
    """What the validator found in one object."""

    run_id: RunId
    path: str
    kind: ReadKind
    state: FileState
    size: int
    etag: str
    version: Annotated[
        VersionId | None, Field(description="of the object that was read; None: not known")
    ] = None
    sha256: Sha256 | None = None
    reads: Annotated[int | None, Field(description="None: not counted")] = None
    bases: Annotated[int | None, Field(description="None: not known, as of signal")] = None
    n50: int = 0
    mean_quality: float | None = None
    flow_cell: str | None = None
    barcodes: Annotated[
        dict[str, int], Field(description="reads by the barcode in their headers")
    ] = {}
    empty: Annotated[bool, Field(description="it is sound, or may be, and holds no reads")] = False
    problem: Problem | None = None
    code: Annotated[str | None, Field(description="class of the refusal, when set aside")] = None
    quarantine_key: str | None = None
    checked_at: Moment
