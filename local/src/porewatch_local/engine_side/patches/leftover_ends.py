"""Fleets and versions of a launch template can be deleted, and interfaces keep their tags.

Why: the reaper ends what nobody uses. The engine has neither DeleteFleets nor
DeleteLaunchTemplateVersions, does not know what resource they are about when it asks for
permission, takes every schedule for one of the default group there, and forgets the tags an
interface is created with, by which it is known as ours.
Delete when: the engine does all of it.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions
from ministack.services import ec2

from ..rewriting import PatchRefused, rewrite

Parameters = dict[str, Any]


def delete_fleets(parameters: Parameters) -> Any:
    """An instant fleet goes together with its machines, as on AWS."""
    done = []
    for name in ec2._parse_member_list(parameters, "FleetId"):
        fleet = ec2._fleets.get(name)
        if fleet is None:
            return ec2._error("InvalidFleetId.NotFound", f"The fleet {name} does not exist", 400)
        machines = [i for group in fleet["Instances"] for i in group["InstanceIds"]]
        if machines:
            request = {f"InstanceId.{n}": [i] for n, i in enumerate(machines, 1)}
            ec2._terminate_instances(request)
        fleet["FleetState"] = "deleted"
        done.append(f"<item><fleetId>{name}</fleetId></item>")
    inner = f"<successfulFleetDeletionSet>{''.join(done)}</successfulFleetDeletionSet>"
    return ec2._xml(200, "DeleteFleetsResponse", f"{inner}<unsuccessfulFleetDeletionSet/>")


def delete_versions(parameters: Parameters) -> Any:
    """Versions of one launch template; the default one stays."""
    template = ec2._launch_templates.get(ec2._p(parameters, "LaunchTemplateId"))
    if template is None:
        return ec2._error("InvalidLaunchTemplateId.NotFound", "no such launch template", 400)
    wanted = {int(n) for n in ec2._parse_member_list(parameters, "LaunchTemplateVersion")}
    wanted.discard(int(template["DefaultVersionNumber"]))
    kept = [v for v in template["Versions"] if v["VersionNumber"] not in wanted]
    template["Versions"] = kept
    numbers = "".join(f"<item><versionNumber>{n}</versionNumber></item>" for n in sorted(wanted))
    inner = f"<successfullyDeletedLaunchTemplateVersionSet>{numbers}"
    inner += "</successfullyDeletedLaunchTemplateVersionSet>"
    return ec2._xml(200, "DeleteLaunchTemplateVersionsResponse", inner)


def keep_tags(parameters: Parameters, name: str) -> None:
    """The tags a network interface is created with."""
    prefix = "TagSpecification.1.Tag."
    tags, n = [], 1
    while key := ec2._p(parameters, f"{prefix}{n}.Key"):
        tags.append({"Key": key, "Value": ec2._p(parameters, f"{prefix}{n}.Value", "")})
        n += 1
    if tags:
        ec2._tags[name] = tags


def apply() -> None:
    rewrite(
        ec2,
        "_create_network_interface",
        (
            '        "Attachment": None,\n    }\n',
            '        "Attachment": None,\n    }\n    _porewatch_keep_tags(p, eni_id)\n',
        ),
        _porewatch_keep_tags=keep_tags,
    )
    rewrite(
        iam_actions,
        "extract_resource_arn",
        (
            '            ("VolumeId", "volume"),\n',
            '            ("VolumeId", "volume"),\n            ("FleetId.1", "fleet"),\n'
            '            ("LaunchTemplateId", "launch-template"),\n',
        ),
        (
            "schedule/default/{parts[si + 1]}",
            "schedule/{_safe_json_field(body, 'GroupName') or 'default'}/{parts[si + 1]}",
        ),
    )
    tables = [
        table
        for table in vars(ec2).values()
        if isinstance(table, dict) and "CreateFleet" in table and "DescribeFleets" in table
    ]
    if len(tables) != 1 or {"DeleteFleets", "DeleteLaunchTemplateVersions"} & set(tables[0]):
        raise PatchRefused("the engine's table of EC2 actions is not the one this was written for")
    tables[0]["DeleteFleets"] = delete_fleets
    tables[0]["DeleteLaunchTemplateVersions"] = delete_versions
