"""EC2: instant fleets with client tokens, full pools and quotas; machines that show late, and run
until somebody ends them, the cloud takes them back, or they die.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from simulator.faults import refusal
from simulator.scheduler import START

ZONES = {"subnet-a": "eu-central-1a", "subnet-b": "eu-central-1b", "subnet-c": "eu-central-1c"}
SHOWN_AFTER_END_S = 3600.0


@dataclass
class Instance:
    """`history`: (time, state, code of the reason), oldest first."""

    name: str
    type: str
    zone: str
    spot: bool
    tags: dict[str, str]
    launched_at: datetime
    shows_at: float
    history: list[tuple[float, str, str]] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.history[-1][1]

    @property
    def living(self) -> bool:
        return self.state in ("pending", "running")

    @property
    def owner(self) -> tuple[str, ...]:
        names = ("run", "revision", "stage", "epoch")
        return tuple(self.tags[f"porewatch-{name}"] for name in names)


@dataclass(frozen=True)
class Surroundings:
    """What the world decides: `refuses` (purchase, type, zone) -> code or None; `shows_late` and
    `looks_late` in seconds; `born` and `ended` get machines."""

    now: Callable[[], float]
    clock: Callable[[], datetime]
    refuses: Callable[[str, str, str], str | None]
    shows_late: Callable[[], float]
    looks_late: Callable[[], float]
    born: Callable[[Instance], None]
    ending: Callable[[Instance, str], None]


class Ec2:
    """One region, one account."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._numbers = count(1)
        self._answers: dict[str, tuple[str, dict[str, Any]]] = {}
        self.instances: dict[str, Instance] = {}

    def create_fleet(self, **request: Any) -> dict[str, Any]:
        token = request.pop("ClientToken", None)
        canonical = json.dumps(request, sort_keys=True)
        if token is not None and token in self._answers:
            before, answer = self._answers[token]
            if before != canonical:
                raise refusal("IdempotentParameterMismatch", f"token {token} with other parameters")
            return answer
        answer = self._fleet(request)
        if token is not None:
            self._answers[token] = (canonical, answer)
        return answer

    def _fleet(self, request: dict[str, Any]) -> dict[str, Any]:
        purchase = request["TargetCapacitySpecification"]["DefaultTargetCapacityType"]
        tags = next(
            {tag["Key"]: tag["Value"] for tag in spec["Tags"]}
            for spec in request["TagSpecifications"]
            if spec["ResourceType"] == "instance"
        )
        errors: list[dict[str, Any]] = []
        for override in request["LaunchTemplateConfigs"][0]["Overrides"]:
            zone = ZONES[override["SubnetId"]]
            code = self._around.refuses(purchase, override["InstanceType"], zone)
            if code is None:
                made = self._make(override["InstanceType"], zone, purchase == "spot", tags)
                group = {
                    "LaunchTemplateAndOverrides": {"Overrides": override},
                    "InstanceIds": [made.name],
                    "InstanceType": made.type,
                }
                return {"FleetId": f"fleet-{made.name}", "Instances": [group], "Errors": errors}
            overrides = {"Overrides": {n: override[n] for n in ("InstanceType", "SubnetId")}}
            why = f"{code} in {zone}"
            errors.append(
                {"ErrorCode": code, "ErrorMessage": why, "LaunchTemplateAndOverrides": overrides}
            )
        return {"FleetId": "fleet-none", "Instances": [], "Errors": errors}

    def _make(self, kind: str, zone: str, spot: bool, tags: dict[str, str]) -> Instance:
        now = self._around.now()
        made = Instance(
            name=f"i-{next(self._numbers):017x}",
            type=kind,
            zone=zone,
            spot=spot,
            tags=tags,
            launched_at=self._around.clock().replace(microsecond=0),
            shows_at=now + self._around.shows_late(),
            history=[(now, "pending", "")],
        )
        self.instances[made.name] = made
        self._around.born(made)
        return made

    def describe_instances(self, *, Filters: list[dict[str, Any]], **_: Any) -> dict[str, Any]:
        seen_at = self._around.now() - self._around.looks_late()
        found = [
            self._described(instance, seen_at)
            for instance in self.instances.values()
            if self._shows(instance) and all(_fits(instance, f) for f in Filters)
        ]
        return {"Reservations": [{"Instances": [raw]} for raw in found]}

    def describe_volumes(self, **_: Any) -> dict[str, Any]:
        """Nothing is left over of what is not simulated: disks, interfaces, requests, versions."""
        return {}

    describe_network_interfaces = describe_volumes
    describe_spot_instance_requests = describe_volumes
    describe_launch_template_versions = describe_volumes

    def get_console_output(self, *, InstanceId: str, Latest: bool) -> dict[str, Any]:
        instance = self.instances.get(InstanceId)
        if instance is None or not self._shows(instance):
            raise refusal("InvalidInstanceID.NotFound", f"{InstanceId} does not exist")
        return {"InstanceId": InstanceId, "Output": "it printed this"}

    def terminate_instances(self, *, InstanceIds: list[str]) -> dict[str, Any]:
        for name in InstanceIds:
            instance = self.instances.get(name)
            if instance is None or not self._shows(instance):
                raise refusal("InvalidInstanceID.NotFound", f"{name} does not exist")
            if instance.living:
                self._around.ending(instance, "Client.UserInitiatedShutdown")
        return {"TerminatingInstances": [{"InstanceId": name} for name in InstanceIds]}

    def _shows(self, instance: Instance) -> bool:
        now = self._around.now()
        ended = instance.state == "terminated"
        forgotten = ended and now - instance.history[-1][0] > SHOWN_AFTER_END_S
        return now >= instance.shows_at and not forgotten

    def _described(self, instance: Instance, seen_at: float) -> dict[str, Any]:
        seen = [entry for entry in instance.history if entry[0] <= seen_at] or instance.history[:1]
        at, state, why = seen[-1]
        raw: dict[str, Any] = {
            "InstanceId": instance.name,
            "InstanceType": instance.type,
            "State": {"Name": state},
            "Placement": {"AvailabilityZone": instance.zone},
            "LaunchTime": instance.launched_at,
            "Tags": [{"Key": k, "Value": v} for k, v in instance.tags.items()],
        }
        if instance.spot:
            raw["InstanceLifecycle"] = "spot"
        if state in ("shutting-down", "terminated"):
            ended_at = START + timedelta(seconds=at)
            raw["StateReason"] = {"Code": why, "Message": why}
            raw["StateTransitionReason"] = f"User initiated ({ended_at:%Y-%m-%d %H:%M:%S} GMT)"
        return raw


def _fits(instance: Instance, filter_: dict[str, Any]) -> bool:
    name, values = filter_["Name"], filter_["Values"]
    if name == "instance-id":
        return instance.name in values
    if name.startswith("tag:"):
        return instance.tags.get(name.removeprefix("tag:")) in values
    if name == "instance-state-name":
        return instance.state in values
    raise NotImplementedError(f"filter {name}")
