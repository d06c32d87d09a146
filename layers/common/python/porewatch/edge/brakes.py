"""What ending a run needs, for the functions that end one."""

from __future__ import annotations

from porewatch.adapters.executions import Executions
from porewatch.compute.executors import executors
from porewatch.compute.price_table import price_list
from porewatch.domain.base import now
from porewatch.edge import wiring
from porewatch.settings import settings
from porewatch.usecases.stages.end_run import Brakes


def brakes() -> Brakes:
    config = settings()
    return Brakes(
        stack=config.stack_name,
        runs=wiring.runs(),
        stages=wiring.stages(),
        executions=Executions(config.state_machine_arn),
        executor=executors(config),
        prices=price_list(config.aws_region).services,
        at=now(),
    )
