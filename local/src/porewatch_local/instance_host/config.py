"""The instance host's settings: one private JSON file in the home, read at its start."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from porewatch_local.paths import Credentials

EVENT_SOURCE = "porewatch.ec2"
"""As SecondEc2Source in samconfig.toml: nobody but AWS may put events as `aws.ec2`."""


class HostConfig(BaseModel):
    """`host-config.json`. Seconds are wall-clock seconds."""

    model_config = ConfigDict(frozen=True)

    endpoint: str
    region: str
    credentials: Credentials
    port: int
    token: str
    """Must be in `X-Porewatch-Token` of every control request."""
    metadata_key: str
    """Signs metadata tokens, so that they stay valid when the host starts again."""
    instances: Path
    references: Path
    programs: list[Path]
    """Folders at the front of PATH for user-data, after the harmless commands."""
    marker_tag: str = "porewatch-stack"
    template_tag: str = "porewatch-launch-template"
    event_source: str = EVENT_SOURCE
    environment: dict[str, str] = {"POREWATCH_BEAT_SECONDS": "5"}  # runs here last minutes
    """More variables for every instance, e.g. shorter clocks for tests."""
    poll_s: float = 0.5
    notice_s: float = 120.0
    """From the interruption notice to the end, unless the request names another time."""
    grace_s: float = 5.0
    """From SIGTERM to SIGKILL when an instance is terminated."""
    job_grace_s: float = 30.0
    """The same for a job's container: the ECS agent's stop timeout."""
