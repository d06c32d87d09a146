"""One schedule per instance: at the expiry of the instance a function checks whether it still
exists.

It is independent of all other schedules, runs once and deletes itself. Its name follows from the
instance, so creating it is idempotent.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.errors import AlreadyDone

NAME_CHARS = 64


class Expiries:
    """Schedules in `group` that call function `target_arn` under `role_arn`."""

    def __init__(self, group: str, target_arn: str, role_arn: str, client: Any = None) -> None:
        self._group, self._target, self._role = group, target_arn, role_arn
        self._client = client or clients.client("scheduler")

    def set(self, instance_id: str, at: datetime) -> None:
        """Check this instance at `at` (UTC)."""
        request = {
            "Name": instance_id[:NAME_CHARS],
            "GroupName": self._group,
            "ScheduleExpression": f"at({at:%Y-%m-%dT%H:%M:%S})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {"Arn": self._target, "RoleArn": self._role, "Input": _event(instance_id)},
        }
        try:
            with translated(f"lay down the expiry of {instance_id}", {"ConflictException": _there}):
                self._client.create_schedule(**request)
        except AlreadyDone:
            return


def expiries(group: str, target_arn: str, role_arn: str) -> Expiries | None:
    """None for a stack without a schedule group."""
    return Expiries(group, target_arn, role_arn) if group else None


def _event(instance_id: str) -> str:
    event = {"source": "porewatch.expiry", "detail-type": "Machine Expired"}
    return json.dumps({**event, "detail": {"instance_id": instance_id}})


def _there(why: str) -> AlreadyDone:
    return AlreadyDone(why)
