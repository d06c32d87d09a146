"""Launches one instance for one epoch of a stage, intent first."""

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
    config, table = settings(), Table(settings().ledger_table)
    caps = {"run_usd": config.run_budget_usd, "account_usd": config.account_budget_usd}
    snapshot = price_list(config.aws_region).snapshot
    placement = (config.launch_template_id, config.subnet_ids, config.subnet_zones, config.ami_id)
    schedules = (config.expiry_group, config.expiry_target_arn, config.expiry_role_arn)
    return launch_instance(
        task,
        stack=config.stack_name,
        stages=stages.StageLedger(table),
        executor=executors(config, *placement),
        budget=budget.Budget(table, **caps, price_snapshot=snapshot),
        pools=capacity_misses.Pools(table),
        secrets=message_keys.EpochSecrets(config.message_key_arn, config.stack_name),
        at=now(),
        expiries=expiries.expiries(*schedules),
    )
