"""The sealed manifest starts one run, however often, and in whatever order, it is told."""

from porewatch.adapters import (
    bundle_store,
    executions,
    intake,
    manifests,
    objects,
    runs,
    shelf,
    table,
)
from porewatch.adapters.inbox import Inbox
from porewatch.adapters.notices import Topic
from porewatch.edge.intake import Word, intake_word
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.answer_gone import gone_answered
from porewatch.usecases.gate import Gate
from porewatch.usecases.sweep_intake import sweep_intake
from porewatch.usecases.take_in import take_in
from porewatch.usecases.tell_odd_names import odd_names_told


@on_queue(intake_word)
def lambda_handler(word: Word) -> None:
    told, ledger = settings(), table.Table(settings().ledger_table)
    raw, known = objects.Objects(told.raw_bucket), runs.RunLedger(ledger)
    sealed, counts = manifests.Manifests(known, raw), intake.Intake(ledger)
    starts, signal = executions.Executions(told.state_machine_arn), told.basecalling == "enabled"
    bundles = bundle_store.BundleStore(
        objects.Objects(told.references_bucket), alone=not told.bundles_elsewhere
    )
    gate = Gate(
        raw=raw,
        runs=known,
        manifests=sealed,
        intake=counts,
        executions=starts,
        basecalling=signal,
        default_bundle=lambda: shelf.Shelf(ledger).default(told.default_bundle),
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
        take_in(word.key, gate, replayed=word.replayed)
