"""Instances of a fleet look as they do on AWS, and the same client token launches once.

Why: AWS stamps each instance with `aws:ec2launchtemplate:id`, `aws:ec2launchtemplate:version` and
`aws:ec2:fleet-id`, sets `InstanceLifecycle: spot`, puts it into its subnet's zone, and answers a
repeated CreateFleet (same client token) with the first fleet. The engine does none of these, and
the instance host and the launcher need them.
Delete when: the engine does all four.
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2

from ..rewriting import rewrite

_answers: dict[tuple[str, str, str], Any] = {}


def stamp(instance: dict[str, Any], slot: dict[str, Any], fleet_id: str, lifecycle: str) -> None:
    """Give one launched instance its system tags, lifecycle and zone."""
    spec = slot["spec"]
    template, _, _ = _template(spec)
    tags = {t["Key"]: t["Value"] for t in ec2._tags.get(instance["InstanceId"], [])}
    tags["aws:ec2:fleet-id"] = fleet_id
    if template:
        tags["aws:ec2launchtemplate:id"] = template["LaunchTemplateId"]
        tags["aws:ec2launchtemplate:version"] = _version(template, spec)
    ec2._tags[instance["InstanceId"]] = [{"Key": k, "Value": v} for k, v in tags.items()]
    instance["InstanceLifecycle"] = lifecycle
    zone = ec2._subnets.get(slot["subnet_id"], {}).get("AvailabilityZone")
    if zone:
        instance["Placement"]["AvailabilityZone"] = zone


def _template(spec: dict[str, Any]) -> tuple[dict[str, Any] | None, Any, Any]:
    _data, template, problem = ec2._resolve_launch_template_data(spec)
    return template, _data, problem


def _version(template: dict[str, Any], spec: dict[str, Any]) -> str:
    version = str(spec.get("Version") or "$Default")
    numbers = {
        "$Default": template.get("DefaultVersionNumber", 1),
        "$Latest": template.get("LatestVersionNumber", 1),
    }
    return str(numbers.get(version, version))


def lifecycle_xml(instance: dict[str, Any]) -> str:
    """AWS leaves the element out for on-demand instances."""
    spot = instance.get("InstanceLifecycle") == "spot"
    return "<instanceLifecycle>spot</instanceLifecycle>" if spot else ""


def answer_once(create: Any) -> Any:
    """CreateFleet that remembers its answer per account, region and client token."""

    def once(parameters: dict[str, Any]) -> Any:
        token = ec2._p(parameters, "ClientToken")
        if not token:
            return create(parameters)
        key = (get_account_id(), get_region(), token)
        if key not in _answers:
            answer = create(parameters)
            if answer[0] != 200:
                return answer
            _answers[key] = answer
        return _answers[key]

    return once


def apply() -> None:
    rewrite(
        ec2,
        "_create_fleet",
        (
            "            instance_items.append({\n",
            "            for inst in launched:\n"
            "                _porewatch_stamp(inst, slot, fleet_id, lifecycle)\n"
            "            instance_items.append({\n",
        ),
        _porewatch_stamp=stamp,
    )
    rewrite(
        ec2,
        "_instance_xml",
        (
            "        <amiLaunchIndex>",
            "        {_porewatch_lifecycle(inst)}<amiLaunchIndex>",
        ),
        _porewatch_lifecycle=lifecycle_xml,
    )
    _replace_handler()


def _replace_handler() -> None:
    original = ec2._create_fleet
    tables = [
        table
        for table in vars(ec2).values()
        if isinstance(table, dict) and table.get("CreateFleet") is original
    ]
    ec2._create_fleet = answer_once(original)
    for table in tables:
        table["CreateFleet"] = ec2._create_fleet
