"""Publish the results of a stage. Only the control plane makes them visible.

A worker leaves its manifest as a draft below its own prefix. Here it is checked
(`domain.stage.manifest`) and written to the manifest key of the stage, by whoever comes first: the
message, the sweep, or the opening of the next epoch. A visible manifest stays the truth, whichever
epoch wrote it.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone, MessageRefused, NotFound
from porewatch.domain.rules import stage_endings
from porewatch.domain.stage.manifest import StageManifest, refuse_foreign
from porewatch.domain.stage.record import StageKey, StageRecord

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.objects import Objects

REFUSED = "WorkerFailed"
"""How an epoch ends whose manifest is refused: as a defect of the worker."""
_log = logging.getLogger(__name__)


def visible_manifest(results: Objects, key: StageKey) -> StageManifest | None:
    """The published manifest of the stage; None while it is not published."""
    return _found(results, s3_keys.manifest_key(*key))


def publish_stage(
    record: StageRecord, *, stages: StageLedger, results: Objects, at: datetime
) -> StageRecord | None:
    """Mark the stage as published if its manifest is visible, or the draft of its owner can be
    published; None when there is neither. A refused draft ends the epoch, with the reason."""
    manifest = visible_manifest(results, record.key)
    if manifest is None:
        try:
            manifest = _made_visible(record, results)
        except MessageRefused as refusal:
            _log.error("the draft of %s is refused: %s", record.instance_id, refusal)
            return stages.apply(
                record.key, stage_endings.fail, record.epoch, REFUSED, str(refusal), at
            )
    if manifest is None:
        return None
    return stages.apply(
        record.key, stage_endings.publish, manifest, s3_keys.manifest_key(*record.key), at
    )


def _made_visible(record: StageRecord, results: Objects) -> StageManifest | None:
    attempt = record.attempt
    draft = _found(results, s3_keys.draft_key(attempt)) if attempt else None
    if draft is None or attempt is None:
        return None
    refuse_foreign(draft, record, attempt)
    try:
        results.put_new(s3_keys.manifest_key(*record.key), draft.canonical_json().encode())
    except AlreadyDone:
        return visible_manifest(results, record.key)
    return draft


def _found(results: Objects, key: str) -> StageManifest | None:
    try:
        return results.get_json(key, StageManifest)
    except NotFound:
        return None
