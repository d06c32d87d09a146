"""Is this file sound? Every object that lands and no other function takes, once."""

from porewatch.adapters.deliveries import Deliveries
from porewatch.adapters.inbox import Inbox
from porewatch.adapters.notices import Topic
from porewatch.adapters.objects import Objects
from porewatch.adapters.runs import RunLedger
from porewatch.adapters.table import Table
from porewatch.domain.places import lies_in_a_run
from porewatch.edge.envelopes import StoredObject, stored_object
from porewatch.edge.queue import on_queue
from porewatch.reads.check import check_stream
from porewatch.settings import settings
from porewatch.usecases.answer_object import answer_stray
from porewatch.usecases.tell_odd_names import odd_names_told
from porewatch.usecases.validate_file import Arrival, validate_file


@on_queue(stored_object, again=lambda *message: Deliveries(settings().queue_url).again(*message))
def lambda_handler(found: StoredObject) -> None:
    now, table = settings(), Table(settings().ledger_table)
    if not lies_in_a_run(found.key):
        answer_stray(found.key, inbox=Inbox(table), notices=Topic(now.notice_topic_arn))
        return
    with odd_names_told(found.key, inbox=Inbox(table), notices=lambda: Topic(now.notice_topic_arn)):
        validate_file(
            Arrival(key=found.key, etag=found.etag, sequencer=found.sequencer or found.time),
            raw=Objects(now.raw_bucket),
            runs=RunLedger(table),
            check=check_stream,
        )
