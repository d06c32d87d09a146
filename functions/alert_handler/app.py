"""Tells people, each thing once: suspicions to the alert topic, the rest as a notice."""

from porewatch.adapters.inbox import Inbox
from porewatch.adapters.notices import Topic
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain.events import Fact
from porewatch.edge.envelopes import fact
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.send_alert import send_alert


@on_queue(fact)
def lambda_handler(told: Fact) -> None:
    reports = Objects(settings().reports_bucket)
    send_alert(
        told,
        inbox=Inbox(Table(settings().ledger_table)),
        alerts=Topic(settings().alert_topic_arn),
        notices=Topic(settings().notice_topic_arn),
        link=lambda key: reports.link(key, settings().link_seconds),
    )
