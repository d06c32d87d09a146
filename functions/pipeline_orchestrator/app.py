"""The sealed manifest starts one run, however often, and in whatever order, it is told."""

from porewatch.adapters.executions import Executions, execution_name
from porewatch.adapters.inbox import Inbox
from porewatch.adapters.notices import Topic
from porewatch.adapters.objects import Objects
from porewatch.adapters.runs import RunLedger
from porewatch.adapters.table import Table
from porewatch.edge.intake import Word, intake_word
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.take_in import take_in
from porewatch.usecases.tell_odd_names import odd_names_told


def notices() -> Topic:
    return Topic(settings().notice_topic_arn)


@on_queue(intake_word)
def lambda_handler(word: Word) -> None:
    table = Table(settings().ledger_table)
    with odd_names_told(word.key, inbox=Inbox(table), notices=notices):
        take_in(
            word.key,
            replayed=word.replayed,
            raw=Objects(settings().raw_bucket),
            runs=RunLedger(table),
            executions=Executions(settings().state_machine_arn),
            execution_name=execution_name,
            basecalling=settings().basecalling == "enabled",
            default_bundle=settings().default_bundle,
        )
