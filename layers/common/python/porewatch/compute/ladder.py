"""The rungs of a launch: the requests that are tried for one instance, in order. Pure.

    0 spot, the profile's types   1 spot, wider types   2 on-demand   then Batch (`batch_rungs`)

Below the last rung comes a timed wait, by the state machine. Spot skips pools that were just out of
capacity or interrupted; a rung without any pool left is not tried. Every type must run the image of
the launch template: one architecture (x86_64) for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from porewatch.domain.reasons.reason import Reason, RunCode, because
from porewatch.domain.stage.disk_size import on_image
from porewatch.domain.stage.instances import (
    LaunchSpec,
    Purchase,
)
from porewatch.domain.stage.spec import LaunchRequest, StageSpec

PURCHASES: tuple[Purchase, ...] = ("spot", "on-demand")
GRACE = timedelta(hours=1)
"""How long after its deadlines a machine may still be seen before it counts as forgotten."""


class Rung(NamedTuple):
    """One rung before pools are filtered."""

    number: int
    purchase: Purchase
    types: tuple[str, ...]
    why: Reason


def rungs(
    request: LaunchRequest,
    *,
    launch_template_id: str,
    subnet_ids: tuple[str, ...],
    zones: tuple[str, ...] = (),
    image_gib: int = 0,
) -> tuple[LaunchSpec, ...]:
    """The EC2 requests in order. `zones` are those of the subnets, in the same order (unknown: a
    type is left out everywhere). `image_gib`: disk of the image."""
    stage = request.stage
    lasts = timedelta(seconds=stage.boot_deadline_s + stage.phase_deadline_s) + GRACE
    zone_of = dict(zip(subnet_ids, zones, strict=False))
    found = []
    for rung in _rungs(stage, request.why):
        left_out = _left_out(rung, request.avoid, subnet_ids, zone_of)
        types = tuple(t for t in rung.types if any(f"{t}@{s}" not in left_out for s in subnet_ids))
        if not types:
            continue
        found.append(
            LaunchSpec(
                owner=request.owner,
                rung=rung.number,
                purchase=rung.purchase,
                instance_types=types,
                subnet_ids=subnet_ids,
                launch_template_id=launch_template_id,
                expires_at=request.at + lasts,
                reason=rung.why.text(),
                why=rung.why,
                prioritized=stage.prioritized,
                disk_gib=on_image(stage.disk_gib, image_gib),
                left_out=tuple(pool for pool in left_out if pool.split("@")[0] in types),
            )
        )
    return tuple(found)


def _rungs(stage: StageSpec, why: Reason | None) -> Iterator[Rung]:
    if why is None:
        yield Rung(0, "spot", stage.instance_types, because(RunCode.SPOT))
        if stage.wider_types:
            yield Rung(1, "spot", stage.wider_types, because(RunCode.SPOT_WIDER))
    alone = because(RunCode.ON_DEMAND)
    chosen = because(RunCode.ON_DEMAND_BECAUSE, why=why) if why else alone
    yield Rung(2, "on-demand", stage.instance_types, chosen)


def _left_out(
    rung: Rung, avoid: Sequence[str], subnet_ids: Sequence[str], zone_of: Mapping[str, str]
) -> tuple[str, ...]:
    """`type@subnet` that this rung skips. On-demand instances are not interrupted, and no cheaper
    rung follows: all of its pools are tried."""
    if rung.purchase != "spot":
        return ()
    shunned = {pool.split("@", maxsplit=1)[0]: set[str]() for pool in avoid}
    for pool in avoid:
        name, _, zone = pool.partition("@")
        shunned[name].add(zone)
    return tuple(
        f"{name}@{subnet}"
        for name in rung.types
        for subnet in subnet_ids
        if name in shunned and zone_of.get(subnet, "") in {*shunned[name], ""}
    )
