"""What the ledger keeps of a manifest: its digest and counts. The manifest itself lies in S3.

A manifest grows with the files of its run (50,000 of them take 11 MB); an item of the ledger, a
message and an input of the state machine hold 0.25 to 0.4 MB. So none of those carries a list of
files: they carry this, or the digest alone, and a consumer of the files reads the object.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Sha256
from porewatch.domain.runs import ReadKind, RunManifest


class SealNote(Model):
    """`manifest_digest` is the SHA-256 of the object's bytes, and what the run goes by."""

    manifest_digest: Sha256
    checked_digest: Annotated[
        Sha256 | None,
        Field(description="of the same with checksum and version of each file; None: not started"),
    ] = None
    bundle_sha256: Annotated[
        Sha256 | None,
        Field(description="of the bundle that it began with; None: of what its machines find"),
    ] = None
    files: Annotated[int, Field(ge=1)]
    bytes: Annotated[int, Field(ge=0, description="of all files together")]
    kinds: Annotated[dict[ReadKind, int], Field(description="files of each kind")]
    samples: Annotated[tuple[str, ...], Field(description="names; at most one for each barcode")]

    @property
    def screened_digest(self) -> str:
        """Of the manifest that a worker reads: what was checked, once that is known."""
        return self.checked_digest or self.manifest_digest

    @property
    def basecalled(self) -> bool:
        """True when no file holds raw signal."""
        return ReadKind.POD5 not in self.kinds


def note_of(manifest: RunManifest) -> SealNote:
    """Digest and counts of a manifest."""
    kinds = [file.kind for file in manifest.files]
    return SealNote(
        manifest_digest=manifest.digest(),
        files=len(kinds),
        bytes=sum(file.size for file in manifest.files),
        kinds={kind: n for kind in ReadKind if (n := kinds.count(kind))},
        samples=tuple(sample.name for sample in manifest.samples),
    )
