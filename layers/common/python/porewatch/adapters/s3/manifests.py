"""Sealed manifests in S3: written once under their own digest, verified on every read.

The only access to sealed manifests, for functions, workers and the command line alike. Order of a
seal: the object first, then its reference in the ledger, so that the ledger never names a missing
object. Two manifests never share a key, so no sealed manifest is ever overwritten.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from pydantic import ValidationError

from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone, ManifestRefused, NotFound
from porewatch.domain.inputs.seal_note import (
    SealNote,
    note_of,
)
from porewatch.domain.runs import RunManifest
from porewatch.domain.validation_text import say

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Objects

KEPT = 2
"""Manifests that a process keeps in memory; one of 50,000 files takes about 100 MB."""
_read: OrderedDict[str, RunManifest] = OrderedDict()
"""By digest: what has this digest never changes."""


class Manifests:
    """The manifests in the bucket `raw`, of the runs that `runs` knows."""

    def __init__(self, runs: RunLedger, raw: Objects) -> None:
        self._runs, self._raw = runs, raw

    def keep(self, manifest: RunManifest) -> SealNote:
        """Write it under its digest, once; returns what the ledger stores of it.

        Raises ManifestRefused when that key has other content.
        """
        note = note_of(manifest)
        key = s3_keys.sealed_manifest_key(manifest.run_id, note.manifest_digest)
        try:
            self._raw.put_new(key, manifest.canonical_json().encode())
        except AlreadyDone:
            _verified(self._raw.get(key), key, note.manifest_digest)
        return note

    def of(self, run_id: str, revision: int) -> RunManifest:
        """The manifest of a revision: as it was sealed, and from its start on as it was checked.
        Raises NotFound, or ManifestRefused when the object is not what was sealed."""
        older = self._runs.manifest_in_ledger(run_id, revision)
        if older is not None:
            return older
        return read_manifest(
            self._raw, run_id, self._runs.seal_note(run_id, revision).screened_digest
        )


def read_manifest(raw: Objects, run_id: str, digest: str) -> RunManifest:
    """The manifest of `run_id` with this digest. Raises as `Manifests.of`."""
    if digest in _read:
        _read.move_to_end(digest)
        return _read[digest]
    key = s3_keys.sealed_manifest_key(run_id, digest)
    try:
        content = _verified(raw.get(key), key, digest)
    except NotFound as error:
        raise NotFound(
            "the run's sealed manifest is gone.",
            file=key,
            remedy="restore that object's last version, or submit the run again.",
        ) from error
    try:
        manifest = RunManifest.model_validate_json(content)
    except ValidationError as error:
        raise ManifestRefused(say(error), file=key) from error
    _read[digest] = manifest
    while len(_read) > KEPT:
        _read.popitem(last=False)
    return manifest


def forget() -> None:
    """Clear the cache (for tests)."""
    _read.clear()


def _verified(content: bytes, key: str, digest: str) -> bytes:
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise ManifestRefused(
            f"this is not the manifest that was sealed: its sha256 is {found}, not {digest}.",
            file=key,
            remedy="restore the object's first version, or submit the run again.",
        )
    return content
