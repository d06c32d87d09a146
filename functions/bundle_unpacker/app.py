"""Unpacks a tar, wherever it lands, into a run or its next revision, and seals it."""

from porewatch.adapters.deliveries import Deliveries
from porewatch.adapters.endings import Endings
from porewatch.adapters.inbox import Inbox
from porewatch.adapters.manifests import Manifests
from porewatch.adapters.notices import Topic
from porewatch.adapters.objects import Objects
from porewatch.adapters.runs import RunLedger
from porewatch.adapters.table import Table
from porewatch.edge.envelopes import StoredObject, stored_object
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.answer_gone import gone_answered
from porewatch.usecases.claim_bundle import Desk
from porewatch.usecases.tell_odd_names import odd_names_told
from porewatch.usecases.unpack_bundle import give_up, unpack_bundle


def dealt_with(found: StoredObject, error: Exception | None = None) -> None:
    now, table = settings(), Table(settings().ledger_table)
    with odd_names_told(found.key, inbox=Inbox(table), notices=lambda: Topic(now.notice_topic_arn)):
        raw, runs = Objects(now.raw_bucket), RunLedger(table)
        desk = Desk(raw, runs, Manifests(runs, raw), Endings(table))
        with gone_answered(found.key, runs=runs):
            if error is not None:
                return give_up(found.key, error, desk=desk)
            return unpack_bundle(found.key, desk=desk)


again = lambda *message: Deliveries(settings().queue_url).again(*message)  # noqa: E731
lambda_handler = on_queue(stored_object, again=again, last=dealt_with)(dealt_with)
