"""One machine for one epoch of one stage, intent first."""

from porewatch.adapters.budget import Budget
from porewatch.adapters.pools import Pools
from porewatch.adapters.stages import StageLedger
from porewatch.adapters.table import Table
from porewatch.compute.executors import executors
from porewatch.compute.price import price_list
from porewatch.domain.base import now
from porewatch.domain.tasks import Launch, Launched
from porewatch.edge.task import on_task
from porewatch.settings import settings
from porewatch.usecases.launch_machine import launch_machine


@on_task(Launch)
def lambda_handler(task: Launch) -> Launched:
    told, table = settings(), Table(settings().ledger_table)
    budget = Budget(
        table,
        run_usd=told.run_budget_usd,
        account_usd=told.account_budget_usd,
        price_snapshot=price_list(told.aws_region).snapshot,
    )
    return launch_machine(
        task,
        stack=told.stack_name,
        stages=StageLedger(table),
        executor=executors(told, told.launch_template_id, told.subnet_ids, told.subnet_zones),
        budget=budget,
        pools=Pools(table),
        at=now(),
    )
