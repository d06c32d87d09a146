"""Unpacks a run archive, wherever it is uploaded, into a run or its next revision, and seals it."""

from porewatch.adapters.ledger.idempotency import Inbox
from porewatch.adapters.ledger.retention import Endings
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.messages.deliveries import Deliveries
from porewatch.adapters.messages.notices import Topic
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.manifests import Manifests
from porewatch.adapters.table import Table
from porewatch.edge.envelopes import StoredObject, stored_object
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.intake.answer_gone import gone_answered
from porewatch.usecases.intake.claim_run_archive import UnpackContext
from porewatch.usecases.intake.notify_bad_key import notify_bad_key
from porewatch.usecases.intake.unpack_run_archive import (
    give_up,
    unpack_run_archive,
)


def unpack(upload: StoredObject, error: Exception | None = None) -> None:
    config, table = settings(), Table(settings().ledger_table)
    with notify_bad_key(
        upload.key, inbox=Inbox(table), notices=lambda: Topic(config.notice_topic_arn)
    ):
        raw, runs = Objects(config.raw_bucket), RunLedger(table)
        context = UnpackContext(raw, runs, Manifests(runs, raw), Endings(table))
        with gone_answered(upload.key, runs=runs):
            if error is not None:
                return give_up(upload.key, error, context=context)
            return unpack_run_archive(upload.key, context=context)


again = lambda *message: Deliveries(settings().queue_url).again(*message)  # noqa: E731
lambda_handler = on_queue(stored_object, again=again, last=unpack)(unpack)
