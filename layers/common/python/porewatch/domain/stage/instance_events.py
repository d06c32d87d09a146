"""What the cloud says about a machine of its own accord."""

from __future__ import annotations

from enum import StrEnum

from porewatch.domain.base import Model


class NewsKind(StrEnum):
    SWEEP = "sweep"  # the clock: look at everything
    RECLAIM = "reclaim"  # the machine will be taken back in two minutes
    REBALANCE = "rebalance"  # it may be taken back soon; the worker hears of it on the machine
    STATE = "state"


class InstanceEvent(Model):
    """`state` is EC2's word for the machine's new state, when `kind` is STATE."""

    kind: NewsKind
    instance_id: str = ""
    state: str = ""
