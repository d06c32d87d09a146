"""One machine for one epoch of one stage, intent first."""

from porewatch.adapters import expiries
from porewatch.adapters.ledger import (
    budget,
    capacity_misses,
    stages,
)
from porewatch.adapters.messages import message_keys
from porewatch.adapters.table import Table
from porewatch.compute.executors import executors
from porewatch.compute.price_table import price_list
from porewatch.domain.base import now
from porewatch.domain.stage.state_machine_tasks import (
    Launch,
    Launched,
)
from porewatch.edge.task import on_task
from porewatch.settings import settings
from porewatch.usecases.instances.launch_instance import launch_instance


@on_task(Launch)
def lambda_handler(task: Launch) -> Launched:
    told, table = settings(), Table(settings().ledger_table)
    caps = {"run_usd": told.run_budget_usd, "account_usd": told.account_budget_usd}
    snapshot = price_list(told.aws_region).snapshot
    room = (told.launch_template_id, told.subnet_ids, told.subnet_zones, told.ami_id)
    reaper = (told.expiry_group, told.expiry_target_arn, told.expiry_role_arn)
    return launch_instance(
        task,
        stack=told.stack_name,
        stages=stages.StageLedger(table),
        executor=executors(told, *room),
        budget=budget.Budget(table, **caps, price_snapshot=snapshot),
        pools=capacity_misses.Pools(table),
        secrets=message_keys.EpochSecrets(told.message_key_arn, told.stack_name),
        at=now(),
        expiries=expiries.expiries(*reaper),
    )
