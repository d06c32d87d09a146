"""The wire format of EC2: the request for a fleet, and its answers as instances. Pure
but for the clock.

Order: the request, then the parsing of answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from porewatch.domain.base import now
from porewatch.domain.stage.instances import (
    EXPIRES_TAG,
    PURCHASE_TAG,
    LaunchSpec,
    Machine,
    MachineState,
    Owner,
    Purchase,
    tagged_time,
)
from porewatch.domain.stage.message_proofs import SECRET_TAG

ROOT_DEVICE = "/dev/xvda"
STRATEGIES: dict[tuple[Purchase, bool], str] = {
    ("spot", False): "price-capacity-optimized",
    ("spot", True): "capacity-optimized-prioritized",
    ("on-demand", False): "lowest-price",
    ("on-demand", True): "prioritized",
}
"""By purchase, and whether the order of types is the operator's priority."""
STATES = {
    "pending": MachineState.RUNNING,
    "running": MachineState.RUNNING,
    "stopping": MachineState.ENDING,
    "stopped": MachineState.ENDING,
    "shutting-down": MachineState.ENDING,
    "terminated": MachineState.GONE,
}


def fleet_request(spec: LaunchSpec) -> Any:
    """The whole CreateFleet request. Equal specs give equal ones: the client token needs that."""
    tags = [{"Key": name, "Value": value} for name, value in spec.tags().items()]
    secret = [{"Key": SECRET_TAG, "Value": spec.secret}] if spec.secret else []
    template = {"LaunchTemplateId": spec.launch_template_id, "Version": "$Latest"}
    options: dict[str, Any] = {"AllocationStrategy": STRATEGIES[spec.purchase, spec.prioritized]}
    if spec.purchase == "spot":
        options["InstanceInterruptionBehavior"] = "terminate"
    strategy = {"SpotOptions" if spec.purchase == "spot" else "OnDemandOptions": options}
    return {
        "Type": "instant",
        "ClientToken": spec.client_token(),
        "LaunchTemplateConfigs": [
            {"LaunchTemplateSpecification": template, "Overrides": list(_overrides(spec))}
        ],
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": 1,
            "DefaultTargetCapacityType": spec.purchase,
        },
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": tags + secret},
            {"ResourceType": "fleet", "Tags": tags},
        ],
        **strategy,
    }


def _overrides(spec: LaunchSpec) -> Iterator[dict[str, Any]]:
    """One per pool. The disk has the size that this stage needs; everything else repeats the launch
    template, since an override replaces the whole mapping."""
    disk = {
        "DeviceName": ROOT_DEVICE,
        "Ebs": {
            "VolumeSize": spec.disk_gib,
            "VolumeType": "gp3",
            "Encrypted": True,
            "DeleteOnTermination": True,
        },
    }
    for place, name in enumerate(spec.instance_types):
        for subnet in spec.subnet_ids:
            if f"{name}@{subnet}" in spec.left_out:
                continue
            priority = {"Priority": float(place)} if spec.prioritized else {}
            yield {
                "InstanceType": name,
                "SubnetId": subnet,
                "BlockDeviceMappings": [disk],
                **priority,
            }


def root_gib(image: Any) -> int:
    """GiB of the root device of an image as DescribeImages shows it; 0 when it names none."""
    root = image.get("RootDeviceName", ROOT_DEVICE)
    disks = [one for one in image.get("BlockDeviceMappings", []) if one.get("DeviceName") == root]
    return max((one.get("Ebs", {}).get("VolumeSize", 0) for one in disks), default=0)


def machine_of(raw: Any) -> Machine:
    """An instance of DescribeInstances."""
    tags = {tag["Key"]: tag["Value"] for tag in raw.get("Tags", [])}
    lifecycle: Purchase = "spot" if raw.get("InstanceLifecycle") == "spot" else "on-demand"
    purchase = tags.get(PURCHASE_TAG, lifecycle)
    return Machine(
        instance_id=raw["InstanceId"],
        state=STATES.get(raw["State"]["Name"], MachineState.UNKNOWN),
        instance_type=raw["InstanceType"],
        purchase="spot" if purchase == "spot" else "on-demand",
        availability_zone=raw.get("Placement", {}).get("AvailabilityZone", ""),
        launched_at=raw["LaunchTime"],
        owner=Owner.from_tags(tags),
        expires_at=tagged_time(tags.get(EXPIRES_TAG)),
        ended_at=_ended_at(raw.get("StateTransitionReason", "")),
        why_ended=raw.get("StateReason", {}).get("Code", ""),
    )


def launched_in(answer: Any, spec: LaunchSpec, zone: Callable[[Any], str]) -> Machine | None:
    """The instance in the answer of a fleet. DescribeInstances may not show it yet. `zone` of its
    override."""
    for group in answer.get("Instances", []):
        override = group.get("LaunchTemplateAndOverrides", {}).get("Overrides", {})
        for instance_id in group.get("InstanceIds", []):
            return Machine(
                instance_id=instance_id,
                state=MachineState.RUNNING,
                instance_type=group.get("InstanceType") or override.get("InstanceType", ""),
                purchase=spec.purchase,
                availability_zone=zone(override),
                launched_at=now(),
                owner=spec.owner,
                expires_at=spec.expires_at,
            )
    return None


def errors_in(answer: Any) -> list[tuple[str, str]]:
    return [(e.get("ErrorCode", ""), e.get("ErrorMessage", "")) for e in answer.get("Errors", [])]


def _ended_at(reason: str) -> datetime | None:
    """The time in "User initiated (2026-11-21 09:30:00 GMT)"."""
    found = re.search(r"\((\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (?:GMT|UTC)\)", reason)
    return tagged_time(f"{found[1]}T{found[2]}Z") if found else None
