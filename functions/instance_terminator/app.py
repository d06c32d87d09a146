"""Terminates the instances of an epoch and settles their cost."""

from porewatch.compute.executors import executors
from porewatch.domain.base import now
from porewatch.domain.stage.state_machine_tasks import Terminate, Terminated
from porewatch.edge import wiring
from porewatch.edge.task import on_task
from porewatch.settings import settings
from porewatch.usecases.instances.terminate_instances import terminate_instances


@on_task(Terminate)
def lambda_handler(task: Terminate) -> Terminated:
    config = settings()
    return terminate_instances(
        task,
        stack=config.stack_name,
        stages=wiring.stages(),
        executor=executors(config),
        at=now(),
    )
