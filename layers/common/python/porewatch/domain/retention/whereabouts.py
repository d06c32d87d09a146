"""Where the data of a run lie in the buckets: one list for deletion and for object locks."""

from __future__ import annotations

from porewatch.domain import s3_keys
from porewatch.domain.errors import MessageRefused
from porewatch.domain.uploads.run_archives import run_id_of

TAR = ".tar"
REASON = ".reason.txt"
"""Beside a tar that was set aside lies why."""


def raw_prefixes(run_id: str) -> tuple[str, ...]:
    """Folders of the raw bucket that hold data of this run alone."""
    inputs = s3_keys.raw_key(run_id, "")
    return inputs, s3_keys.manifest_prefix(run_id), s3_keys.quarantine_key(inputs)


def own_prefixes(run_id: str) -> tuple[str, ...]:
    """The same of the results bucket, and of the reports bucket."""
    return (s3_keys.raw_key(run_id, ""),)


def is_searched(folder: str) -> bool:
    """Whether a folder at the top of the raw bucket, or of its quarantine, may hold tars of any
    run: all but those with a folder for each run."""
    return folder.removeprefix(s3_keys.QUARANTINE) not in ("", "runs/", s3_keys.MANIFESTS)


def is_tar_of(
    run_id: str, key: str, known: frozenset[str], others: frozenset[str] = frozenset()
) -> bool:
    """Whether the object is a tar that became this run (`known`: those that the ledger names), or
    was meant for it by its name (but for `others`, which became another run); or says why such a
    tar was set aside."""
    plain = key.removeprefix(s3_keys.QUARANTINE).removesuffix(REASON)
    if not plain.endswith(TAR):
        return False
    if plain in known or plain in others:
        return plain in known
    try:
        return run_id_of(plain) == run_id
    except MessageRefused:
        return False
