"""The rungs of a launch: which requests are made for one machine, one after the other. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

from porewatch.domain.launching import LaunchSpec, Owner, Purchase
from porewatch.domain.phases import StageSpec

PURCHASES: tuple[Purchase, ...] = ("spot", "on-demand")
GRACE = timedelta(hours=1)
"""How long after its deadlines a machine may still be seen before it counts as forgotten."""


def rungs(
    owner: Owner,
    stage: StageSpec,
    avoid: Sequence[str],
    at: datetime,
    *,
    launch_template_id: str,
    subnet_ids: tuple[str, ...],
) -> tuple[LaunchSpec, ...]:
    """Spot from every pool, then on-demand. Types whose pools took a machine back are left out of
    spot while others remain; on-demand machines are not taken back, so there they stay in."""
    lasts = timedelta(seconds=stage.boot_deadline_s + stage.phase_deadline_s) + GRACE
    types: dict[Purchase, tuple[str, ...]] = {
        "spot": without(stage.instance_types, avoid),
        "on-demand": stage.instance_types,
    }
    return tuple(
        LaunchSpec(
            owner=owner,
            rung=rung,
            purchase=purchase,
            instance_types=types[purchase],
            subnet_ids=subnet_ids,
            launch_template_id=launch_template_id,
            expires_at=at + lasts,
        )
        for rung, purchase in zip(count(), PURCHASES, strict=False)
    )


def without(types: tuple[str, ...], pools: Sequence[str]) -> tuple[str, ...]:
    """`types` without those of `pools` (`type@zone`); all of them when none would be left."""
    taken = {pool.split("@", maxsplit=1)[0] for pool in pools}
    return tuple(name for name in types if name not in taken) or types
