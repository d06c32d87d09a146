"""Validates every uploaded object that no other function handles, once."""

from functools import partial

from porewatch.adapters.ledger.idempotency import Inbox
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.messages.deliveries import Deliveries
from porewatch.adapters.messages.notices import Topic
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain.s3_keys import lies_in_a_run
from porewatch.edge.envelopes import StoredObject, stored_object
from porewatch.edge.queue import on_queue
from porewatch.reads.check import check_stream
from porewatch.settings import settings
from porewatch.usecases.alerts.send_alert import send_notice
from porewatch.usecases.intake import validate_file as files
from porewatch.usecases.intake.answer_gone import gone_answered
from porewatch.usecases.intake.answer_object import answer_stray
from porewatch.usecases.intake.notify_bad_key import notify_bad_key


def validate(upload: StoredObject, error: Exception | None = None) -> None:
    config, table = settings(), Table(settings().ledger_table)
    inbox, notices = Inbox(table), Topic(config.notice_topic_arn)
    if not lies_in_a_run(upload.key):
        return answer_stray(upload.key, inbox=inbox, notices=notices)
    judge = partial(files.validate_file, check=partial(check_stream, seconds=files.MOST_SECONDS))
    verdict = judge if error is None else partial(files.give_up, error=error)
    arrival = files.Arrival(
        key=upload.key, etag=upload.etag, sequencer=upload.sequencer or upload.time
    )
    notify = partial(send_notice, inbox=inbox, notices=notices)
    bad_key, runs = (
        notify_bad_key(upload.key, inbox=inbox, notices=lambda: notices),
        RunLedger(table),
    )
    with bad_key, gone_answered(upload.key, runs=runs):
        verdict(arrival, raw=Objects(config.raw_bucket), runs=runs, notify=notify)


again = lambda *message: Deliveries(settings().queue_url).again(*message)  # noqa: E731
lambda_handler = on_queue(stored_object, again=again, last=validate)(validate)
