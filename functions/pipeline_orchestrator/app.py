"""Starts the run of a sealed manifest once, however often and in whatever order events arrive."""

from porewatch.adapters import (
    executions,
    objects,
    table,
)
from porewatch.adapters.ledger import (
    intake_counters,
    known_bundles,
    runs,
)
from porewatch.adapters.ledger.idempotency import Inbox
from porewatch.adapters.messages.notices import Topic
from porewatch.adapters.s3 import (
    bundle_store,
    manifests,
)
from porewatch.edge.parsers import UploadEvent, upload_event
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.intake.answer_gone import gone_answered
from porewatch.usecases.intake.handle_upload import handle_upload
from porewatch.usecases.intake.intake_context import IntakeContext
from porewatch.usecases.intake.notify_bad_key import notify_bad_key
from porewatch.usecases.intake.sweep_intake import sweep_intake


@on_queue(upload_event)
def lambda_handler(event: UploadEvent) -> None:
    config, ledger = settings(), table.Table(settings().ledger_table)
    raw, known = objects.Objects(config.raw_bucket), runs.RunLedger(ledger)
    sealed, counts = manifests.Manifests(known, raw), intake_counters.Intake(ledger)
    starts, signal = (
        executions.Executions(config.state_machine_arn),
        config.basecalling == "enabled",
    )
    bundles = bundle_store.BundleStore(
        objects.Objects(config.references_bucket), alone=not config.bundles_elsewhere
    )
    context = IntakeContext(
        raw=raw,
        runs=known,
        manifests=sealed,
        intake=counts,
        executions=starts,
        basecalling=signal,
        default_bundle=lambda: known_bundles.Shelf(ledger).default(config.default_bundle),
        bundle_digest=bundles.digest_of,
        release_policies=config.release_policies,
    )
    if event.key is None:
        return sweep_intake(context)
    inbox, notices = Inbox(ledger), lambda: Topic(config.notice_topic_arn)
    with (
        notify_bad_key(event.key, inbox=inbox, notices=notices),
        gone_answered(event.key, runs=known),
    ):
        handle_upload(event.key, context, replayed=event.replayed)
