"""EC2 and Batch as one executor: each request and each instance is routed to its own.

A request names its `executor`; an instance is routed by its id (`i-...` is EC2), a price by its
instance type. A launch looks at the other executor first, if that was ever tried for the same
owner: an owner never gets an instance on one while it has one on the other, and an outage of an
executor that was not tried blocks no launch.

`choice` is the operator's setting, and a stage of a profile may require Batch by itself: `ec2`
never uses Batch; `batch` uses EC2 only for stages without a Batch job definition or a large enough
disk; `ec2-then-batch` puts the queues below the last rung of EC2.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Protocol

from porewatch.compute.batch import BatchJobs
from porewatch.compute.batch_rungs import JobPlaces, is_share
from porewatch.compute.ec2_fleet import Ec2Fleet
from porewatch.compute.executor import Source
from porewatch.domain.reasons.reason import RunCode, because, original
from porewatch.domain.stage.disk_size import HOST_GIB
from porewatch.domain.stage.instances import (
    SOURCES,
    ExecutorChoice,
    ExecutorName,
    LaunchSpec,
    Machine,
    Owner,
    Purchase,
    source_of,
)
from porewatch.domain.stage.spec import LaunchRequest


class ExecutorSettings(Protocol):
    """The settings that executors need. No queues: no Batch."""

    @property
    def stack_name(self) -> str: ...
    @property
    def executor(self) -> ExecutorChoice: ...
    @property
    def spot_queue(self) -> str: ...
    @property
    def on_demand_queue(self) -> str: ...
    @property
    def job_definition(self) -> str: ...
    @property
    def gpu_job_definition(self) -> str: ...


class Executors:
    """`batch` is None where the stack has no queues."""

    def __init__(
        self, ec2: Source, batch: BatchJobs | None, choice: ExecutorChoice = "ec2-then-batch"
    ) -> None:
        self._ec2, self._choice = ec2, choice
        self._batch = batch

    def prepare(self, request: LaunchRequest) -> tuple[LaunchSpec, ...]:
        """See `Source.prepare`."""
        stage, ladder = request.stage, self._ec2.prepare(request)
        if self._batch is None or self._choice == "ec2":
            return ladder
        if stage.disk_gib > HOST_GIB:
            return tuple(_on_ec2_alone(spec, stage.disk_gib) for spec in ladder)
        if "batch" in (self._choice, stage.executor):
            jobs = self._batch.prepare(request)
            return jobs or ladder
        last = max((spec.rung for spec in ladder), default=-1)
        below = self._batch.prepare(request, first=last + 1)
        return (*ladder, *below)

    def launch(self, spec: LaunchSpec, asked: Container[ExecutorName] = SOURCES) -> Machine:
        """See `Source.launch`. `asked`: the executors that were ever tried for this owner (in
        doubt, all); the others have no instance of it."""
        here, there = self._ec2, self._batch
        if there is None:
            return here.launch(spec)
        if spec.executor == "batch":
            here, there = there, here
        if ("ec2" if spec.executor == "batch" else "batch") not in asked:
            return here.launch(spec)
        living = [machine for machine in there.find(spec.owner) if machine.alive()]
        return living[0] if living else here.launch(spec)

    def interrupt(self, instance_id: str) -> None:
        """See `Source.interrupt`."""
        self._of(instance_id).interrupt(instance_id)

    def observe(self, instance_ids: Iterable[str]) -> dict[str, Machine]:
        """See `Source.observe`."""
        ids = list(instance_ids)
        machines = [name for name in ids if source_of(name) == "ec2"]
        jobs = [name for name in ids if source_of(name) == "batch"]
        seen = self._ec2.observe(machines) if machines else {}
        return {**seen, **self._batch.observe(jobs)} if self._batch and jobs else seen

    def find(self, owner: Owner, source: ExecutorName) -> list[Machine]:
        """See `Source.find`. Queries name their executor, so that one that does not answer hides
        none of the others."""
        if source == "ec2":
            return self._ec2.find(owner)
        return self._batch.find(owner) if self._batch else []

    def inventory(self, source: ExecutorName) -> list[Machine]:
        """See `Source.inventory`."""
        if source == "ec2":
            return self._ec2.inventory()
        return self._batch.inventory() if self._batch else []

    def console(self, instance_id: str) -> str:
        """See `Source.console`."""
        return self._of(instance_id).console(instance_id)

    def terminate(self, instance_id: str) -> None:
        """See `Source.terminate`."""
        self._of(instance_id).terminate(instance_id)

    def price(
        self, instance_type: str, purchase: Purchase, seconds: float, disk_gib: int = 0
    ) -> float:
        """See `Source.price`."""
        side = self._batch if self._batch and is_share(instance_type) else self._ec2
        return side.price(instance_type, purchase, seconds, disk_gib)

    def _of(self, instance_id: str) -> Source:
        return self._batch if self._batch and source_of(instance_id) == "batch" else self._ec2


def _on_ec2_alone(spec: LaunchSpec, disk_gib: int) -> LaunchSpec:
    """With the reason in its own, which a refusal repeats."""
    rung = spec.why or original(spec.reason)
    why = because(RunCode.EC2_ALONE, rung=rung, disk=disk_gib, limit=HOST_GIB)
    return spec.model_copy(update={"reason": why.text(), "why": why})


def executors(
    config: ExecutorSettings,
    launch_template_id: str = "",
    subnet_ids: tuple[str, ...] = (),
    zones: tuple[str, ...] = (),
    image_id: str = "",
) -> Executors:
    """The executors of the stack. A launcher also passes template, subnets with their zones, and
    image."""
    stack = config.stack_name
    ec2 = Ec2Fleet(
        stack,
        launch_template_id=launch_template_id,
        subnet_ids=subnet_ids,
        zones=zones,
        image_id=image_id,
    )
    if not config.spot_queue or not config.on_demand_queue:
        return Executors(ec2, None, "ec2")
    places = JobPlaces(
        spot_queue=config.spot_queue,
        on_demand_queue=config.on_demand_queue,
        definition=config.job_definition,
        gpu_definition=config.gpu_job_definition,
    )
    return Executors(ec2, BatchJobs(stack, places), config.executor)
