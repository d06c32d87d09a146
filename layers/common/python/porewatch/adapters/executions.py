"""Executions of the state machine: started once per name, idempotent."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.base import Model
from porewatch.domain.errors import AlreadyDone, NotFound
from porewatch.domain.rules.reconciling import SeenExecution

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

DIGEST_CHARS = 16


class Executions:
    """The executions of one state machine."""

    def __init__(self, state_machine_arn: str, client: SFNClient | None = None) -> None:
        self._machine = state_machine_arn
        self._client = client or clients.stepfunctions()

    def name(self, run_id: str, digest: str, restarts: int = 0) -> str:
        """Run id (at most 63) and manifest digest: within the 80 characters that are allowed. The
        digest makes room for the number of an execution that goes on where another one ended."""
        again = f"-{restarts}" if restarts else ""
        return f"{run_id}-{digest[: DIGEST_CHARS - len(again)]}{again}"

    def arn(self, run_id: str, digest: str, restarts: int = 0) -> str:
        """The ARN that this manifest's execution has, started or not."""
        executions = self._machine.replace(":stateMachine:", ":execution:")
        return f"{executions}:{self.name(run_id, digest, restarts)}"

    def look(self, arn: str) -> SeenExecution | None:
        """Status of an execution; None when there is none."""
        missing = {"ExecutionDoesNotExist": NotFound}
        try:
            with translated(f"look at execution {arn}", missing):
                execution = self._client.describe_execution(executionArn=arn)
        except NotFound:
            return None
        return SeenExecution(
            status=execution["status"],
            error=execution.get("error") or "",
            cause=execution.get("cause") or "",
            ended_at=execution.get("stopDate"),
        )

    def start(self, run_id: str, digest: str, order: Model, restarts: int = 0) -> bool:
        """Start it; True when this call did it, False when it was started before.

        A name is refused again for 90 days after its execution has ended.
        """
        name = self.name(run_id, digest, restarts)
        try:
            with translated(f"start execution {name}", {"ExecutionAlreadyExists": AlreadyDone}):
                self._client.start_execution(
                    stateMachineArn=self._machine, name=name, input=order.canonical_json()
                )
        except AlreadyDone:
            return False
        return True

    def stop(self, arn: str, cause: str) -> None:
        """Stop an execution. One that has ended, or was never started, is fine."""
        over = {"ExecutionDoesNotExist": AlreadyDone}
        with suppress(AlreadyDone), translated(f"stop execution {arn}", over):
            self._client.stop_execution(executionArn=arn, error="Cancelled", cause=cause)
