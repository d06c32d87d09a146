"""The sealed manifest starts one run, however often, and in whatever order, it is told."""

from porewatch.adapters.executions import Executions
from porewatch.adapters.inbox import Inbox
from porewatch.adapters.manifests import Manifests
from porewatch.adapters.notices import Topic
from porewatch.adapters.objects import Objects
from porewatch.adapters.runs import RunLedger
from porewatch.adapters.table import Table
from porewatch.edge.intake import Word, intake_word
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.take_in import take_in
from porewatch.usecases.tell_odd_names import odd_names_told


@on_queue(intake_word)
def lambda_handler(word: Word) -> None:
    told, table = settings(), Table(settings().ledger_table)
    raw, runs = Objects(told.raw_bucket), RunLedger(table)
    with odd_names_told(word.key, inbox=Inbox(table), notices=lambda: Topic(told.notice_topic_arn)):
        take_in(
            word.key,
            replayed=word.replayed,
            raw=raw,
            runs=runs,
            manifests=Manifests(runs, raw),
            executions=Executions(told.state_machine_arn),
            basecalling=told.basecalling == "enabled",
            default_bundle=told.default_bundle,
        )
