"""The machines of an epoch end, and their cost is settled."""

from porewatch.adapters.stages import StageLedger
from porewatch.adapters.table import Table
from porewatch.compute.ec2_fleet import Ec2Fleet
from porewatch.domain.base import now
from porewatch.domain.tasks import Terminate, Terminated
from porewatch.edge.task import on_task
from porewatch.settings import settings
from porewatch.usecases.end_machines import end_machines


@on_task(Terminate)
def lambda_handler(task: Terminate) -> Terminated:
    stack = settings().stack_name
    stages = StageLedger(Table(settings().ledger_table))
    return end_machines(task, stack=stack, stages=stages, executor=Ec2Fleet(stack), at=now())
