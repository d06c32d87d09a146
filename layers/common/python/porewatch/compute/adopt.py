"""The instance that an owner has already: found before a launch, and again when it is not known
whether a launch happened."""

from __future__ import annotations

import time

from porewatch.compute.executor import Source
from porewatch.domain.errors import LaunchUnknown
from porewatch.domain.stage.instances import LaunchSpec, Machine, Owner

LOOK_AGAIN_SECONDS = (1.0, 3.0)
"""New instances show late."""


def living(source: Source, owner: Owner) -> Machine | None:
    """The instance of the owner; of several the oldest."""
    alive = [machine for machine in source.find(owner) if machine.alive()]
    return min(alive, key=lambda m: (m.launched_at, m.instance_id), default=None)


def look_again(source: Source, spec: LaunchSpec, what: str, error: Exception) -> Machine:
    """The instance that came of a launch without an answer. LaunchUnknown when none shows."""
    for pause in LOOK_AGAIN_SECONDS:
        time.sleep(pause)
        found = living(source, spec.owner)
        if found:
            return found
    raise LaunchUnknown(
        f"nobody knows whether {what} for {spec.owner.run_id} "
        f"{spec.owner.stage} epoch {spec.owner.epoch}: {error}"
    ) from error
