"""Open a stage, or open it again: take the next epoch and write the assignment for the worker."""

from __future__ import annotations

from collections.abc import Sequence

from porewatch.domain import s3_keys
from porewatch.domain.facts.timeline import timeline
from porewatch.domain.forecast.service_usage import overhead
from porewatch.domain.money.cost import CostLine
from porewatch.domain.rules.run_states import refuse_unless_running
from porewatch.domain.stage.message_proofs import digest_of
from porewatch.domain.stage.record import StageKey, StageRecord, StageState
from porewatch.domain.stage.state_machine_tasks import (
    Open,
    Opened,
)
from porewatch.domain.stage.work_order import StoredOrder
from porewatch.usecases.instances.stage_context import StageContext
from porewatch.usecases.money.settle_overhead import activity_of
from porewatch.usecases.stages.publish_stage import (
    publish_stage,
    visible_manifest,
)

INLINE_FILES = 1500
"""Runs of up to this many files have their manifest in the assignment as well, for machine images
of an earlier version, which look for it there only. Those never saw a longer run."""


def open_stage(task: Open, context: StageContext, *, default_bundle: str) -> Opened:
    """A published stage stays closed: the key of its manifest is returned, and nothing is launched.

    The manifest is looked for first: it is the truth even when every message about it was lost. The
    assignment is written before the epoch is taken, so that whoever gets an epoch finds one.
    """
    key = StageKey(task.run_id, task.revision, task.spec.name)
    manifest_key = s3_keys.manifest_key(*key)
    found = context.stages.find(key)
    visible = visible_manifest(context.results, key)
    if visible is not None and found is None:
        found = context.stages.open_stage(key, task.spec, context.at)
    if found is not None:
        last = publish_stage(found, stages=context.stages, results=context.results, at=context.at)
        if last is not None and last.state is StageState.PUBLISHED:
            return Opened(epoch=last.epoch, manifest_key=manifest_key)
    order = _order(task, context, default_bundle, found)
    context.results.put_json(s3_keys.order_key(*key), order)
    record = context.stages.open_stage(
        key, task.spec, context.at, lambda epoch: digest_of(context.secrets.of(key, epoch))
    )
    done = record.state is StageState.PUBLISHED
    return Opened(epoch=record.epoch, manifest_key=manifest_key if done else None)


def _order(
    task: Open, context: StageContext, default_bundle: str, before: StageRecord | None
) -> StoredOrder:
    run, revision = context.runs.get(task.run_id), task.revision
    refuse_unless_running(run, revision)
    sealed = context.runs.seal_note(task.run_id, revision)
    few = sealed.files <= INLINE_FILES
    return StoredOrder(
        run_id=task.run_id,
        revision=revision,
        stage=task.spec.name,
        phases=task.spec.phases,
        manifest_digest=sealed.screened_digest,
        manifest=context.manifests.of(task.run_id, revision) if few else None,
        bundle=run.bundle or default_bundle,
        bundle_sha256=sealed.bundle_sha256,
        previous=task.previous,
        timeline=timeline(context.stages.facts(task.run_id, revision)),
        bill_so_far=(*context.stages.cost_lines(task.run_id, revision), *_overhead(task, context)),
        prices=(context.prices.quoted,) if context.prices else (),
        carbon_factors=context.factors,
        interruptions=sum(
            stage.interruptions for stage in context.stages.of_run(task.run_id, revision)
        ),
        attempts=before.all_attempts if before else (),
    )


def _overhead(task: Open, context: StageContext) -> Sequence[CostLine]:
    """Service costs of the run so far, including the epoch that begins here."""
    if context.prices is None:
        return ()
    done = activity_of(task.run_id, task.revision, runs=context.runs, stages=context.stages)
    with_this = done.model_copy(update={"epochs": done.epochs + 1})
    return overhead(with_this, context.prices.services, settled=False)
