"""The interface of one executor (`Source`): EC2 fleets, AWS Batch. `compute.executors` routes every
instance to its own.

To interrupt an instance is to terminate it: its operating system first stops the worker (SIGTERM),
which writes a checkpoint and reports the interruption, as on an interruption notice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from porewatch.domain.stage.instances import (
    LaunchSpec,
    Machine,
    Owner,
    Purchase,
)
from porewatch.domain.stage.spec import LaunchRequest


class Source(Protocol):
    """Instances of one executor. Launching is idempotent per owner: one owner never gets two."""

    def prepare(self, request: LaunchRequest) -> tuple[LaunchSpec, ...]:
        """The requests to try, rung by rung."""

    def launch(self, spec: LaunchSpec) -> Machine:
        """An instance for the owner: the one it has already, or a new one.

        Raises CapacityUnavailable or QuotaExceeded (the next rung may succeed), Throttled (retry
        the same request), LaunchUnknown (look again later), NotShownYet (the same, until a new
        deployment is visible), ConfigurationRefused.
        """

    def interrupt(self, instance_id: str) -> None:
        """Ask the worker to save and exit, like an interruption by the cloud. The worker reports
        its last checkpoint. Idempotent, also after the end of the instance."""

    def observe(self, instance_ids: Iterable[str]) -> dict[str, Machine]:
        """State of these instances; those the cloud does not know are left out."""

    def find(self, owner: Owner) -> list[Machine]:
        """All instances with the tags of this owner, terminated ones too while they are shown."""

    def inventory(self) -> list[Machine]:
        """All machines of this stack."""

    def console(self, instance_id: str) -> str:
        """Console output of the instance while the cloud keeps it; empty when there is none, and
        for jobs, whose output is in a log group."""

    def terminate(self, instance_id: str) -> None:
        """Terminate an instance. Idempotent."""

    def price(
        self, instance_type: str, purchase: Purchase, seconds: float, disk_gib: int = 0
    ) -> float:
        """USD for the seconds of an instance with a disk of `disk_gib`, by the price snapshot of
        its region."""
