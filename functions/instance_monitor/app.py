"""Every minute and at every word of EC2: which workers are gone, which machines forgotten?"""

from porewatch.adapters.budget import Budget
from porewatch.adapters.callbacks import Callbacks
from porewatch.adapters.objects import Objects
from porewatch.adapters.stages import StageLedger
from porewatch.adapters.table import Table
from porewatch.adapters.worker_queue import WorkerQueue
from porewatch.compute.executors import executors
from porewatch.domain.base import now
from porewatch.domain.machine_news import MachineNews
from porewatch.edge.event import on_event
from porewatch.edge.machine_news import machine_news
from porewatch.settings import settings
from porewatch.usecases.watch_machines import Watch, hear_cloud


@on_event(machine_news)
def lambda_handler(news: MachineNews) -> None:
    told, table = settings(), Table(settings().ledger_table)
    watch = Watch(
        stack=told.stack_name,
        stages=StageLedger(table),
        results=Objects(settings().results_bucket),
        callbacks=Callbacks(),
        executor=executors(settings()),
        queue=WorkerQueue(settings().worker_queue_url),
        at=now(),
        budget=Budget(table, run_usd=told.run_budget_usd, account_usd=told.account_budget_usd),
    )
    hear_cloud(news, watch)
