"""Every five minutes, at a machine's expiry, and when asked: what is of no use to anybody?"""

from porewatch.adapters import kills, leftovers, metrics, stages, uploads
from porewatch.adapters.table import Table
from porewatch.compute.executors import executors
from porewatch.domain.base import now
from porewatch.domain.reaping import Reap, Reaped
from porewatch.edge.event import on_event
from porewatch.edge.reaping import reap_order
from porewatch.edge.task import by_door, on_task
from porewatch.settings import settings
from porewatch.usecases.end_leftover import Hands
from porewatch.usecases.reap_leftovers import Reaper, serve_reap


def serve(task: Reap) -> Reaped:
    told, table = settings(), Table(settings().ledger_table)
    stack, ledger = told.stack_name, stages.StageLedger(table)
    dry = task.dry or told.reaper_dry_run
    hands = Hands(stack, ledger, executors(told), kills.Kills(table), now(), dry)
    things = leftovers.Leftovers(stack, told.launch_template_id)
    sent = uploads.Uploads(stack, (told.raw_bucket, told.results_bucket, told.reports_bucket))
    return serve_reap(task, Reaper(hands, things, sent, metrics.Metrics(stack)))


lambda_handler = by_door(task=on_task(Reap)(serve), news=on_event(reap_order)(serve))
