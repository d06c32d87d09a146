"""Sessions of the workers' role, narrowed by tags to one attempt."""

from __future__ import annotations

from collections.abc import Mapping

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.machines.machine_requests import RunCredentials

SECONDS = 3600
"""Life of a session: all that AWS allows where a role begins a session of another."""


class WorkerSessions:
    """Of the role `role_arn`."""

    def __init__(self, role_arn: str) -> None:
        self._role_arn = role_arn

    def begin(self, session: str, tags: Mapping[str, str]) -> RunCredentials:
        """Credentials whose `aws:userid` ends in `session`. Raises Unavailable or Throttled."""
        with translated(f"begin a session for {session}"):
            reply = clients.sts().assume_role(
                RoleArn=self._role_arn,
                RoleSessionName=session,
                DurationSeconds=SECONDS,
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
        keys = reply["Credentials"]
        return RunCredentials(
            access_key_id=keys["AccessKeyId"],
            secret_access_key=keys["SecretAccessKey"],
            session_token=keys["SessionToken"],
            expires_at=keys["Expiration"],
            user_id=reply["AssumedRoleUser"]["AssumedRoleId"],
        )
