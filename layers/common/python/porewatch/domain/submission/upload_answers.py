"""What the API asks and answers about uploads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Count, Model, Sha256
from porewatch.domain.runs import RunId
from porewatch.domain.submission.run_uploads import FileToSend, UploadId, UploadState

MOST_FILES = 100
MOST_LINKS = 100

PartNumber = Annotated[int, Field(ge=1, le=10_000)]


class FilesToSend(Model):
    """Files that somebody wants to upload. `part_checksums`: each part will be asked for with its
    SHA-256, which S3 then holds it to."""

    files: Annotated[tuple[FileToSend, ...], Field(min_length=1, max_length=MOST_FILES)]
    part_checksums: bool = False


class PartToSend(Model):
    """`sha256`: of the part, in hex; needed where the upload has part checksums."""

    number: PartNumber
    sha256: Sha256 | None = None


class PartsToSend(Model):
    """Parts for which links are wanted."""

    parts: Annotated[
        tuple[PartNumber | PartToSend, ...], Field(min_length=1, max_length=MOST_LINKS)
    ]

    def wanted(self) -> tuple[PartToSend, ...]:
        return tuple(p if isinstance(p, PartToSend) else PartToSend(number=p) for p in self.parts)


class PartLink(Model):
    """PUT exactly `size` bytes to `url`, with these headers, within 15 minutes."""

    number: PartNumber
    size: Count
    url: str
    headers: dict[str, str] = {}


class PartHere(Model):
    """A part that has arrived."""

    number: PartNumber
    size: Count
    etag: str


class FileAnswer(Model):
    """What becomes of a file. With an `upload_id` it is uploaded: `parts` parts of `part_bytes`
    bytes, the last one shorter. Without one it is not, and `problem` says why."""

    path: str
    verdict: Literal["taken", "left_out", "refused"]
    code: str = ""
    problem: str = ""
    remedy: str = ""
    upload_id: UploadId | None = None
    state: UploadState | None = None
    size: Count = 0
    part_bytes: Count = 0
    parts: Count = 0
    part_checksums: bool = False
    links: Annotated[
        tuple[PartLink, ...], Field(description="of a file in one part, without part checksums")
    ] = ()


class FileAnswers(Model):
    """One answer for each file, in the order that they were asked in."""

    files: tuple[FileAnswer, ...]


class UploadView(Model):
    """One upload. `arrived`: the parts that S3 has; None in lists."""

    upload_id: UploadId
    path: str
    size: Count
    modified: int | None = None
    sha256: Sha256 | None = None
    state: UploadState
    part_bytes: Count
    parts: Count
    part_checksums: bool = False
    arrived: tuple[PartHere, ...] | None = None


class UploadList(Model):
    """Uploads of a run. `bytes`: of all that count."""

    run_id: RunId
    uploads: tuple[UploadView, ...]
    files: Count
    bytes: Count
    next: Annotated[str | None, Field(description="`cursor` of the next page; None: none")] = None


class PartLinks(Model):
    """Links to parts."""

    links: tuple[PartLink, ...]


class Completed(Model):
    """The upload is over, and its file lies in the run."""

    upload_id: UploadId
    path: str
    size: Count
    state: UploadState


class SealOrder(Model):
    """`accept_lost`: screen the run although files of it were set aside as damaged; the report
    names them."""

    accept_lost: bool = False


class SealAnswer(Model):
    """The run as it was sealed."""

    run_id: RunId
    state: str
    manifest_digest: str
    files: Count
    samples: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
