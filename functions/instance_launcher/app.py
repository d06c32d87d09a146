"""Launches one instance for one epoch of a stage, intent first."""

from porewatch.adapters.expiries import expiries
from porewatch.adapters.ledger.capacity_misses import Pools
from porewatch.adapters.messages.message_keys import EpochSecrets
from porewatch.compute.executors import executors
from porewatch.compute.price_table import price_list
from porewatch.domain.base import now
from porewatch.domain.stage.state_machine_tasks import Launch, Launched
from porewatch.edge import wiring
from porewatch.edge.task import on_task
from porewatch.settings import settings
from porewatch.usecases.instances.launch_instance import launch_instance


@on_task(Launch)
def lambda_handler(task: Launch) -> Launched:
    config = settings()
    placement = (config.launch_template_id, config.subnet_ids, config.subnet_zones, config.ami_id)
    schedules = (config.expiry_group, config.expiry_target_arn, config.expiry_role_arn)
    return launch_instance(
        task,
        stack=config.stack_name,
        stages=wiring.stages(),
        executor=executors(config, *placement),
        budget=wiring.launch_budget(price_list(config.aws_region).snapshot),
        pools=Pools(wiring.table()),
        secrets=EpochSecrets(config.message_key_arn, config.stack_name),
        at=now(),
        expiries=expiries(*schedules),
        spot_waits=lambda run: wiring.tier_limits().spot_waits(wiring.runs().get(run).submitted_by),
    )
