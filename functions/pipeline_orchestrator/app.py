"""The sealed manifest starts one run, however often, and in whatever order, it is told."""

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
from porewatch.edge.intake import UploadEvent, intake_word
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.intake.answer_gone import gone_answered
from porewatch.usecases.intake.handle_upload import handle_upload
from porewatch.usecases.intake.intake_context import IntakeContext
from porewatch.usecases.intake.notify_bad_key import odd_names_told
from porewatch.usecases.intake.sweep_intake import sweep_intake


@on_queue(intake_word)
def lambda_handler(word: UploadEvent) -> None:
    told, ledger = settings(), table.Table(settings().ledger_table)
    raw, known = objects.Objects(told.raw_bucket), runs.RunLedger(ledger)
    sealed, counts = manifests.Manifests(known, raw), intake_counters.Intake(ledger)
    starts, signal = executions.Executions(told.state_machine_arn), told.basecalling == "enabled"
    bundles = bundle_store.BundleStore(
        objects.Objects(told.references_bucket), alone=not told.bundles_elsewhere
    )
    gate = IntakeContext(
        raw=raw,
        runs=known,
        manifests=sealed,
        intake=counts,
        executions=starts,
        basecalling=signal,
        default_bundle=lambda: known_bundles.Shelf(ledger).default(told.default_bundle),
        bundle_digest=bundles.digest_of,
        release_policies=told.release_policies,
    )
    if word.key is None:
        return sweep_intake(gate)
    inbox, notices = Inbox(ledger), lambda: Topic(told.notice_topic_arn)
    with (
        odd_names_told(word.key, inbox=inbox, notices=notices),
        gone_answered(word.key, runs=known),
    ):
        handle_upload(word.key, gate, replayed=word.replayed)
