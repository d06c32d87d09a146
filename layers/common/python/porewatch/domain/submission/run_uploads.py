"""What is uploaded into a registered run: options, files and how far each has come."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from porewatch.domain.base import Count, Model, Moment, Sha256
from porewatch.domain.errors import InputRefused, RunNotOver, RunOver
from porewatch.domain.labels import Label
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.run_states import RETRYABLE_STATES
from porewatch.domain.runs import RunId, RunState
from porewatch.domain.submission.part_plan import PartPlan, part_plan
from porewatch.domain.submission.placing import is_archive

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,80}$")]
"""The name of a bundle, layout or policy."""
LONGEST_REQUEST_KEY = 200
"""Characters of an Idempotency-Key."""
REQUEST_KEY = rf"^[!-~]([ -~]{{0,{LONGEST_REQUEST_KEY - 2}}}[!-~])?$"
"""Printable ASCII: of anything else clients and gateways make different bytes. No blank at its
ends, which HTTP takes off."""
UPLOAD_ID = r"^[0-9a-f]{32}$"
UploadId = Annotated[str, StringConstraints(pattern=UPLOAD_ID)]
"""One for each path of a run."""


class Register(Model):
    """A run that will be uploaded."""

    project: ProjectId
    name: Annotated[Label, Field(description="the project's own name for the run")]
    bundle: Annotated[Word | None, Field(description="None: the stack's own")] = None
    profile: Annotated[Word | None, Field(description="layout of its machines")] = None
    release_policy: Word | None = None

    @property
    def options(self) -> dict[str, str]:
        """By the names that a key carries (`run_archives.ASKED`)."""
        asked = {
            "bundle": self.bundle,
            "layout": self.profile,
            "release-policy": self.release_policy,
        }
        return {name: value for name, value in asked.items() if value is not None}


class Submission(Model):
    """What is known of a registered run before it is sealed. `bytes`: of what is uploaded or will
    be, as declared."""

    asked: Register
    run_gigabytes: Annotated[float | None, Field(description="most that the run may have")] = None
    bytes: Count = 0
    replaced: Annotated[
        Count, Field(description="bytes of files that were uploaded, and replaced or given up")
    ] = 0
    files: Annotated[Count, Field(description="that are uploaded or will be")] = 0
    archives: Annotated[Count, Field(description="of them tars")] = 0
    sheet_kept: Annotated[
        bool, Field(description="a sample sheet was put; it goes before a file of its name")
    ] = False

    @property
    def stored(self) -> int:
        """Bytes in the bucket, now or soon: versions of what was replaced stay for a while."""
        return self.bytes + self.replaced

    def grows_from(self, before: Submission) -> bool:
        """Whether anything is added to what the run has: giving a file up adds nothing."""
        return (
            self.bytes > before.bytes
            or self.files > before.files
            or (self.stored > before.stored and self.files == before.files)
        )


class UploadState(StrEnum):
    OPEN = "open"  # parts of it are sent
    DONE = "done"  # it lies in the bucket
    LEFT_OUT = "left_out"  # not uploaded; the manifest says so
    ENDED = "ended"  # given up


class FileToSend(Model):
    """A file as its sender knows it. `path`, `size` and `modified` together say whether it is the
    one of which parts are here."""

    path: Annotated[str, Field(min_length=1, description="in the run's folder, with `/`")]
    size: Annotated[Count, Field(description="bytes")]
    sha256: Sha256 | None = None
    modified: Annotated[int | None, Field(description="milliseconds since 1970")] = None


class Upload(Model):
    """One file of a registered run, as the ledger holds it."""

    upload_id: UploadId
    run_id: RunId
    file: FileToSend
    stored: Annotated[str, Field(description="below the run's folder; empty: not uploaded")]
    state: UploadState
    part_checksums: Annotated[bool, Field(description="each part comes with its SHA-256")] = False
    s3_upload: Annotated[str, Field(description="S3's id of it; empty: none yet")] = ""
    by: str
    at: Moment

    @property
    def plan(self) -> PartPlan:
        return part_plan(self.file.size)

    @property
    def counts(self) -> bool:
        """Whether it is, or will be, in the bucket."""
        return self.state in (UploadState.OPEN, UploadState.DONE)

    def same_file(self, other: Upload) -> bool:
        """Whether parts of the one are parts of the other. A checksum that both have decides."""
        mine, theirs = self.file, other.file
        known = mine.sha256 is None or theirs.sha256 is None or mine.sha256 == theirs.sha256
        same = (mine.size, mine.modified) == (theirs.size, theirs.modified)
        return same and known and self.stored == other.stored


def counted(submission: Submission, before: Upload | None, after: Upload) -> Submission:
    """The submission once `after` stands in place of `before`."""
    changes = {"bytes": submission.bytes, "files": submission.files}
    changes["replaced"] = submission.replaced
    if before is not None and before.state is UploadState.DONE:
        stays = after.counts and after.same_file(before)
        changes["replaced"] += 0 if stays else before.file.size
    changes["archives"] = submission.archives
    for upload, sign in ((before, -1), (after, 1)):
        if upload is not None and upload.counts:
            changes["bytes"] += sign * upload.file.size
            changes["files"] += sign
            changes["archives"] += sign * is_archive(upload.file.path)
    return submission.model_copy(update=changes)


def upload_id_of(path: str) -> UploadId:
    """One path of a run has one upload, however often it is declared."""
    return hashlib.sha256(path.encode()).hexdigest()[:32]


def takes_files(state: RunState) -> bool:
    """Whether what a run is screened from may still be changed."""
    return state is RunState.RECEIVING or state in RETRYABLE_STATES


def refuse_unless_open(record: RunRecord) -> None:
    """Raises RunNotOver while the run is under way, RunOver when it is complete: what it is
    screened from is not changed any more."""
    if takes_files(record.state):
        return
    if record.state in (RunState.SEALED, RunState.RUNNING):
        raise RunNotOver(
            f"run {record.run_id} is {record.state.value}; it takes no files.",
            remedy="wait for its end, or cancel it.",
        )
    raise RunOver(
        f"run {record.run_id} is {record.state.value}; it takes no files.",
        remedy="register another run.",
    )


def refuse_over_quota(submission: Submission) -> None:
    """Raises InputRefused when the run would have more bytes than its project's runs may. Replaced
    files count, too: their versions lie in the bucket for a while."""
    most, stored = submission.run_gigabytes, submission.stored
    if most is not None and stored > most * 1e9:
        raise InputRefused(
            f"the run would have {stored / 1e9:,.2f} GB, with files that were replaced; its "
            f"project allows {most:g}.",
            remedy="leave files out, or ask an operator for a larger quota.",
        )


def refuse_mixed(submission: Submission) -> None:
    """Raises InputRefused for a tar beside files: the tar brings the whole run."""
    if submission.archives and submission.files > 1:
        raise InputRefused(
            "a run comes as files or as one tar, not as both.",
            remedy="give up the one or the other; or register another run.",
        )
