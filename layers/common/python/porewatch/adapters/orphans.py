"""Orphaned EC2 resources of a stack beside its instances, and how each is deleted.

Order: `Leftovers` (all of them, then one listing per resource type, then deletion), reading of
tags.

Only what is unused is listed: detached volumes and network interfaces, fleets without an instance,
old versions of the launch template. Tags are checked here again, beside the filters. The spot
request of an instant fleet is a one-time request: it ends with its instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from porewatch.adapters import clients
from porewatch.adapters.batches import batches
from porewatch.adapters.faults import translated
from porewatch.domain.errors import ConfigurationRefused, NotFound, PorewatchError
from porewatch.domain.reasons.reason import Code, Reason, because
from porewatch.domain.rules.orphans import Orphan, What
from porewatch.domain.stage.instances import Owner

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

VERSIONS_KEPT = 10
FILTERED_AT_ONCE = 200
"""EC2 refuses a filter of more values."""
FLEET_TAG = "aws:ec2:fleet-id"
LIVING = frozenset({"pending", "running", "shutting-down", "stopping", "stopped"})
GONE = ("InvalidVolume.NotFound", "InvalidNetworkInterfaceID.NotFound", "InvalidFleetId.NotFound")
_REFUSED = {"UnsuccessfulFleetDeletions", "UnsuccessfullyDeletedLaunchTemplateVersions"}
_MISSING: dict[str, Callable[[str], PorewatchError]] = {
    **dict.fromkeys(GONE, NotFound),
    "InvalidLaunchTemplateId.VersionNotFound": NotFound,
}


class Leftovers:
    """Orphaned resources of `stack`, whose workers come from the launch template `template_id`."""

    def __init__(self, stack: str, template_id: str, client: EC2Client | None = None) -> None:
        self._stack, self._template = stack, template_id
        self._client: Any = client or clients.ec2()

    def sorts(self) -> tuple[Callable[[], Iterable[Orphan]], ...]:
        """One listing per resource type; one that fails does not hide the others."""
        versions = (self.template_versions,) if self._template else ()
        return (self.volumes, self.interfaces, self.fleets, *versions)

    def volumes(self) -> Iterator[Orphan]:
        """Detached volumes of the stack."""
        filters = [*self._tagged(), {"Name": "status", "Values": ["available"]}]
        for raw in self._pages("describe_volumes", "Volumes", Filters=filters):
            if raw["State"] == "available":
                unused = because(Code.VOLUME_UNATTACHED, gib=raw.get("Size", 0))
                yield _orphan(What.VOLUME, raw["VolumeId"], raw, unused, raw["CreateTime"])

    def interfaces(self) -> Iterator[Orphan]:
        """Detached network interfaces of the stack."""
        filters = [*self._tagged(), {"Name": "status", "Values": ["available"]}]
        for raw in self._pages("describe_network_interfaces", "NetworkInterfaces", Filters=filters):
            tags = {**raw, "Tags": raw.get("TagSet") or raw.get("Tags") or []}
            if raw["Status"] == "available" and _tags(tags).get("porewatch-stack") == self._stack:
                name = raw["NetworkInterfaceId"]
                yield _orphan(What.INTERFACE, name, tags, because(Code.UNATTACHED), None)

    def fleets(self) -> Iterator[Orphan]:
        """Instant fleets without instances. EC2 shows an instant fleet only by id; the ids are tags
        of their instances, which it shows for an hour after their termination."""
        machines: dict[str, set[str]] = {}
        for reservation in self._pages(
            "describe_instances", "Reservations", Filters=self._tagged()
        ):
            for raw in reservation["Instances"]:
                fleet = _tags(raw).get(FLEET_TAG)
                if fleet:
                    machines.setdefault(fleet, set()).add(raw["State"]["Name"])
        for fleet in sorted(name for name, states in machines.items() if not states & LIVING):
            yield from self._fleet(fleet)

    def _fleet(self, name: str) -> Iterator[Orphan]:
        try:
            found = list(self._pages("describe_fleets", "Fleets", FleetIds=[name]))
        except NotFound:
            return
        for raw in found:
            if raw["FleetState"] == "active":
                unused = because(Code.FLEET_WITHOUT_MACHINES)
                yield _orphan(What.FLEET, name, raw, unused, raw["CreateTime"])

    def template_versions(self) -> Iterator[Orphan]:
        """Versions of the launch template beyond the newest, never the default one."""
        request = {"LaunchTemplateId": self._template}
        named = self._pages(
            "describe_launch_template_versions", "LaunchTemplateVersions", **request
        )
        newest_first = sorted(named, key=lambda raw: -int(raw["VersionNumber"]))
        for raw in newest_first[VERSIONS_KEPT:]:
            if not raw["DefaultVersion"]:
                yield Orphan(
                    what=What.TEMPLATE_VERSION,
                    name=f"{self._template}:{raw['VersionNumber']}",
                    stack=self._stack,
                    since=raw["CreateTime"],
                    unused=because(Code.NEWER_VERSIONS, n=VERSIONS_KEPT),
                )

    def end(self, orphan: Orphan) -> None:
        """Delete it. Idempotent. Raises what `translated` makes of a refusal."""
        ends: dict[What, Callable[[str], Any]] = {
            What.VOLUME: lambda name: self._client.delete_volume(VolumeId=name),
            What.INTERFACE: lambda name: self._client.delete_network_interface(
                NetworkInterfaceId=name
            ),
            # EC2 deletes an instant fleet only together with its instances: there are none.
            What.FLEET: lambda name: self._client.delete_fleets(
                FleetIds=[name], TerminateInstances=True
            ),
            What.TEMPLATE_VERSION: lambda name: self._client.delete_launch_template_versions(
                LaunchTemplateId=name.split(":")[0], Versions=[name.split(":")[1]]
            ),
        }
        try:
            with translated(f"end {orphan.what.value} {orphan.name}", _MISSING):
                answer = ends[orphan.what](orphan.name)
        except NotFound:
            return
        for refused in _REFUSED & set(answer):
            if answer[refused]:  # AWS answers 200 to the request and refuses single resources
                raise ConfigurationRefused(f"could not delete {orphan.name}: {answer[refused][0]}")

    def _living(self, names: Iterable[str]) -> set[str]:
        ids = sorted(set(names))
        living: set[str] = set()
        for some in batches(ids, FILTERED_AT_ONCE):
            these = [{"Name": "instance-id", "Values": list(some)}]
            for reservation in self._pages("describe_instances", "Reservations", Filters=these):
                found = (raw for raw in reservation["Instances"] if raw["State"]["Name"] in LIVING)
                living.update(raw["InstanceId"] for raw in found)
        return living

    def _tagged(self) -> list[dict[str, Any]]:
        return [{"Name": "tag:porewatch-stack", "Values": [self._stack]}]

    def _pages(self, call: str, list_name: str, **request: Any) -> Iterator[Any]:
        with translated(f"look at {list_name}", _MISSING):
            for page in self._client.get_paginator(call).paginate(**request):
                yield from page.get(list_name, [])


def _orphan(what: What, name: str, raw: Any, unused: Reason, since: datetime | None) -> Orphan:
    tags = _tags(raw)
    return Orphan(
        what=what,
        name=name,
        stack=tags.get("porewatch-stack"),
        owner=Owner.from_tags(tags),
        since=since,
        unused=unused,
    )


def _tags(raw: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in raw.get("Tags", [])}
