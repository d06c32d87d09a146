"""CreateFleet refuses what EC2 refuses, pool by pool, in the `Errors` of its answer.

Why: the engine launches whatever a request names, so a ladder of purchases and pools is climbed
nowhere, and a request that EC2 would refuse passes every test. Each refusal has its source:
- a tag on a spot request in a launch that makes none: aws/karpenter-provider-aws#5850,
  github-aws-runners/terraform-aws-github-runner#4561 (both show this text, in a fleet's errors);
- a volume smaller than the snapshot of its image: aws/karpenter-provider-aws#3302 (in a fleet's
  errors), scylladb/scylladb#6999;
- a type that its zone does not offer: compiler-explorer/infra#601; EC2 User Guide, "Troubleshoot
  instance launch issues" ("Unsupported");
- a pool without capacity: the same page ("Insufficient instance capacity").
The last two are facts of the day and not of a request: `pools.json` in the engine's state has them
(`porewatch_local.embedded.capacity_limits` writes it).
Delete when: the engine refuses these and takes a list of the pools that are empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ministack.core import persistence
from ministack.services import ec2

from ..rewriting import rewrite

NO_SPOT_REQUEST = (
    "You cannot specify tags for Spot instances requests if there are no Spot instances requests "
    "being created by the request."
)
NOT_OFFERED = (
    "Your requested instance type ({type}) is not supported in your requested Availability Zone "
    "({zone})."
)
WITHOUT_CAPACITY = (
    "We currently do not have sufficient {type} capacity in the Availability Zone you requested "
    "({zone})."
)
MESSAGES = {"InvalidFleetConfiguration": NOT_OFFERED, "Unsupported": NOT_OFFERED}
POOLS = "pools.json"
_OVERRIDE = re.compile(r"LaunchTemplateConfigs\.(\d+)\.Overrides\.(\d+)\.")
_SIZE = "LaunchTemplateConfigs.{}.Overrides.{}.BlockDeviceMapping.1.Ebs.VolumeSize"
Slot = dict[str, Any]
Refusal = tuple[Slot, str, str]
"""The requested slot, EC2's error code and its message."""


def sieved(request: dict[str, Any], slots: list[Slot], lifecycle: str) -> tuple[list[Slot], Any]:
    """The slots that EC2 would launch from, and the refusals of all others."""
    sizes = list(_sizes(request, slots))
    tags = _instance_tags(request)
    left, refusals = [], []
    for slot, size in zip(slots, sizes, strict=True):
        found = _refusal(request, slot, size, lifecycle, tags)
        if found:
            refusals.append((slot, *found))
        else:
            left.append(slot)
    return left, refusals


def _refusal(
    request: dict[str, Any], slot: Slot, size: int, lifecycle: str, tags: dict[str, str]
) -> tuple[str, str] | None:
    zone = ec2._subnets.get(slot["subnet_id"], {}).get("AvailabilityZone", "")
    template = ec2._resolve_launch_template_data(slot["spec"])[0] or {} if slot["spec"] else {}
    tagged = {one.get("ResourceType") for one in template.get("TagSpecifications", [])}
    tagged |= {
        v for k, v in _flat(request) if re.fullmatch(r"TagSpecifications?\.\d+\.ResourceType", k)
    }
    if lifecycle != "spot" and "spot-instances-request" in tagged:
        return "InvalidParameterValue", NO_SPOT_REQUEST
    snapshot = _snapshot(slot["image_id"])
    size = size or _own_size(template)
    if snapshot and size and size < snapshot[1]:
        name, least = snapshot
        message = (
            f"Volume of size {size}GB is smaller than snapshot '{name}', expect size >= {least}GB"
        )
        return "InvalidBlockDeviceMapping", message
    for rule in _rules():
        fits = {"purchase": lifecycle, "pool": f"{slot['instance_type']}@{zone}"}
        fits["run"] = tags.get("porewatch-run", "")
        if all(fnmatchcase(value, rule.get(name, "*")) for name, value in fits.items()):
            template_text = MESSAGES.get(rule["code"], WITHOUT_CAPACITY)
            return rule["code"], template_text.format(type=slot["instance_type"], zone=zone)
    return None


def _flat(request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in request:
        yield key, str(ec2._p(request, key))


def _sizes(request: dict[str, Any], slots: list[Slot]) -> Iterator[int]:
    """GiB that each slot asks for its disk, 0 for those that leave it to the template; in the
    engine's order: one slot for each override, one for a template without any."""
    found: dict[int, set[int]] = {}
    for key, _ in _flat(request):
        if named := re.match(r"LaunchTemplateConfigs\.(\d+)\.", key):
            found.setdefault(int(named[1]), set())
        if named := _OVERRIDE.match(key):
            found[int(named[1])].add(int(named[2]))
    sizes = [
        int(ec2._p(request, _SIZE.format(config, override)) or 0)
        for config, overrides in sorted(found.items())
        for override in sorted(overrides) or [0]
    ]
    return iter(sizes or [0] * len(slots))


def _own_size(template: dict[str, Any]) -> int:
    sizes = (one.get("Ebs", {}) for one in template.get("BlockDeviceMappings", []))
    return max((int(one.get("VolumeSize") or 0) for one in sizes), default=0)


def _snapshot(image: str) -> tuple[str, int] | None:
    """The snapshot that an image's root is made of, and its GiB; None where nobody knows."""
    for mapping in (ec2._images.get(image) or {}).get("BlockDeviceMappings", []):
        ebs = mapping.get("Ebs", {})
        known = ec2._snapshots.get(ebs.get("SnapshotId", ""), {})
        size = int(ebs.get("VolumeSize") or known.get("VolumeSize") or 0)
        if size:
            return str(ebs.get("SnapshotId", "")), size
    return None


def _instance_tags(request: dict[str, Any]) -> dict[str, str]:
    """The tags of the machines, by their number in the request."""
    keys = {k.removesuffix(".Key"): v for k, v in _flat(request) if k.endswith(".Key")}
    return {name: str(ec2._p(request, f"{at}.Value")) for at, name in keys.items()}


def _rules() -> list[dict[str, str]]:
    path = Path(persistence.STATE_DIR) / POOLS
    return list(json.loads(path.read_text())) if path.exists() else []


def errors_xml(refusals: list[Refusal], lifecycle: str) -> str:
    """The answer's list of errors, with the override that each is about."""
    items = "".join(
        "<item><launchTemplateAndOverrides><overrides>"
        f"<instanceType>{escape(slot['instance_type'])}</instanceType>"
        f"<subnetId>{escape(slot['subnet_id'])}</subnetId>"
        f"</overrides></launchTemplateAndOverrides><lifecycle>{lifecycle}</lifecycle>"
        f"<errorCode>{code}</errorCode><errorMessage>{escape(message)}</errorMessage></item>"
        for slot, code, message in refusals
    )
    return f"<errorSet>{items}</errorSet>"


def apply() -> None:
    rewrite(
        ec2,
        "_create_fleet",
        (
            '    fleet_id = "fleet-" + new_uuid()\n',
            "    slots, refusals = _porewatch_sieved(p, slots, lifecycle)\n"
            "    total_capacity = total_capacity if slots else 0\n"
            '    fleet_id = "fleet-" + new_uuid()\n',
        ),
        (
            'inner_parts.append("<errorSet/>")',
            "inner_parts.append(_porewatch_errors_xml(refusals, lifecycle))",
        ),
        _porewatch_sieved=sieved,
        _porewatch_errors_xml=errors_xml,
    )
