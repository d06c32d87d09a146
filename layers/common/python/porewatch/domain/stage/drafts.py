"""A worker's manifest before it is visible: what makes the control plane refuse it. Pure."""

from __future__ import annotations

from porewatch.domain import s3_keys
from porewatch.domain.errors import MessageRefused
from porewatch.domain.stage.phases import (
    StageManifest,
    StageRecord,
)


def refuse_foreign(draft: StageManifest, record: StageRecord, attempt: str) -> None:
    """MessageRefused unless it is of this stage, of the epoch and the machine that own it, and each
    of its outputs lies below the machine's own prefix `attempt`, where no other could write it."""
    key = s3_keys.draft_key(attempt)
    if (draft.run_id, draft.revision, draft.stage) != record.key:
        raise MessageRefused("is the manifest of another stage.", file=key)
    if draft.epoch != record.epoch:
        said = f"is the manifest of epoch {draft.epoch}, and {record.epoch} owns the stage."
        raise MessageRefused(said, file=key)
    if draft.instance_id != record.instance_id:
        raise MessageRefused(
            f"is the manifest of {draft.instance_id}, and {record.instance_id} owns the stage.",
            file=key,
        )
    own = s3_keys.outputs_prefix(attempt)
    for name, output in sorted(draft.outputs.items()):
        if not output.key.startswith(own):
            raise MessageRefused(
                f"names {output.key} for {name}, which lies outside of {own}.", file=key
            )
