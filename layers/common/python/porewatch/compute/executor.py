"""What a use case may ask of all sources of machines (`Executor`), and what each of them answers
(`Source`): EC2 fleets are one, AWS Batch another, and `compute.executors` puts them together.

To interrupt a machine is to terminate it: its operating system first tells the worker to stop
(SIGTERM), which writes a checkpoint and says so, as it does on a notice of the cloud.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime
from typing import Protocol

from porewatch.domain.stage.instances import (
    SOURCES,
    ExecutorName,
    LaunchSpec,
    Machine,
    Owner,
    Purchase,
)
from porewatch.domain.stage.spec import StageSpec


class Source(Protocol):
    """Machines of one sort. Launching is idempotent per owner: one owner never gets two."""

    def prepare(
        self,
        owner: Owner,
        stage: StageSpec,
        avoid: tuple[str, ...],
        at: datetime,
        *,
        because: str = "",
    ) -> tuple[LaunchSpec, ...]:
        """The requests to try, rung by rung. `avoid` names pools (`type@zone`) that took a machine
        back or gave none: spot does not ask them. `because`: why spot is not asked at all."""

    def launch(self, spec: LaunchSpec) -> Machine:
        """A machine for the owner: the one it has already, or a new one.

        Raises CapacityUnavailable or QuotaExceeded (the next rung may do better), Throttled (the
        same request again, later), LaunchUnknown (look again later), NotShownYet (the same,
        once AWS knows what the deploy made), ConfigurationRefused.
        """

    def interrupt(self, instance_id: str) -> None:
        """Ask the worker to save and leave, as the cloud does when it takes a machine back. The
        worker answers with its last checkpoint. One that is gone is fine."""

    def observe(self, instance_ids: Iterable[str]) -> dict[str, Machine]:
        """What is known of these machines; those the cloud does not know are left out."""

    def find(self, owner: Owner) -> list[Machine]:
        """All machines that carry this owner's tags, dead ones too while they are shown."""

    def inventory(self) -> list[Machine]:
        """All machines of this stack."""

    def console(self, instance_id: str) -> str:
        """What the machine printed on its console, as far as the cloud still has it; blank when it
        has nothing, and of jobs, whose output lies in a log group."""

    def terminate(self, instance_id: str) -> None:
        """End a machine. Ending it twice, or one that is gone, is fine."""

    def price(
        self, instance_type: str, purchase: Purchase, seconds: float, disk_gib: int = 0
    ) -> float:
        """USD for so many seconds of a machine with a disk of `disk_gib`, by the price snapshot of
        its region."""


class Executor(Protocol):
    """All sources together: every machine goes to where it belongs. See `Source`.

    What is asked of a source is asked by its name, so that one that does not answer hides no other.
    """

    def prepare(
        self,
        owner: Owner,
        stage: StageSpec,
        avoid: tuple[str, ...],
        at: datetime,
        *,
        because: str = "",
    ) -> tuple[LaunchSpec, ...]: ...

    def launch(self, spec: LaunchSpec, asked: Container[ExecutorName] = SOURCES) -> Machine:
        """`asked`: the sources that were ever asked for a machine for this owner (in doubt, all);
        at others it has none."""

    def interrupt(self, instance_id: str) -> None: ...

    def observe(self, instance_ids: Iterable[str]) -> dict[str, Machine]: ...

    def find(self, owner: Owner, source: ExecutorName) -> list[Machine]: ...

    def inventory(self, source: ExecutorName) -> list[Machine]: ...

    def console(self, instance_id: str) -> str: ...

    def terminate(self, instance_id: str) -> None: ...

    def price(
        self, instance_type: str, purchase: Purchase, seconds: float, disk_gib: int = 0
    ) -> float: ...
