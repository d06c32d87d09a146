"""Instances from EC2: one instant fleet per instance, found again by its tags.

A launch first looks for an instance with the tags of the owner and adopts it. The client token
makes the request idempotent; when its outcome is unknown the tags are searched twice more, since
new instances show late. Only then is the outcome reported as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from porewatch.adapters import clients
from porewatch.adapters.batches import batches
from porewatch.adapters.faults import code_of, translated
from porewatch.compute.adopt import living, look_again
from porewatch.compute.ec2_wire import (
    errors_in,
    fleet_request,
    launched_in,
    machine_of,
    root_gib,
)
from porewatch.compute.ladder import rungs
from porewatch.compute.launch_faults import CAPACITY, class_for, launch_error
from porewatch.compute.price_table import price_list
from porewatch.domain.errors import AlreadyDone, CapacityUnavailable, LaunchUnknown, NotFound
from porewatch.domain.stage.instances import (
    LaunchSpec,
    Machine,
    Owner,
    Purchase,
)
from porewatch.domain.stage.spec import LaunchRequest

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

DESCRIBED_AT_ONCE = 200
"""EC2 refuses a filter of more values."""


class Ec2Fleet:
    """The machines of `stack`, launched from its one launch template into its subnets."""

    def __init__(
        self,
        stack: str,
        *,
        launch_template_id: str = "",
        subnet_ids: tuple[str, ...] = (),
        zones: tuple[str, ...] = (),
        image_id: str = "",
        client: EC2Client | None = None,
    ) -> None:
        self._stack = stack
        self._template = launch_template_id
        self._subnets, self._zones = subnet_ids, zones
        self._client = client or clients.ec2()
        self._image, self._image_gib = image_id, 0

    def prepare(self, request: LaunchRequest) -> tuple[LaunchSpec, ...]:
        """See `Source.prepare`."""
        return rungs(
            request,
            launch_template_id=self._template,
            subnet_ids=self._subnets,
            zones=self._zones,
            image_gib=self._size_of_image(),
        )

    def launch(self, spec: LaunchSpec) -> Machine:
        """See `Source.launch`."""
        return living(self, spec.owner) or self._create(spec)

    def observe(self, instance_ids: Iterable[str]) -> dict[str, Machine]:
        """See `Source.observe`."""
        ids = sorted(set(instance_ids))
        found: dict[str, Machine] = {}
        for some in batches(ids, DESCRIBED_AT_ONCE):
            described = self._described({"instance-id": list(some)})
            found.update((machine.instance_id, machine) for machine in described)
        return found

    def find(self, owner: Owner) -> list[Machine]:
        """See `Source.find`."""
        filters = {f"tag:{name}": [value] for name, value in owner.tags().items()}
        return list(self._described(filters))

    def inventory(self) -> list[Machine]:
        """See `Source.inventory`."""
        return list(self._described({"tag:porewatch-stack": [self._stack]}))

    def console(self, instance_id: str) -> str:
        """See `Source.console`. The latest output, which Nitro types have; else the output of its
        start or end. EC2 keeps it for an hour after termination."""
        return self._console(instance_id, latest=True) or self._console(instance_id, latest=False)

    def _console(self, instance_id: str, *, latest: bool) -> str:
        none = {"InvalidInstanceID.NotFound": NotFound, "UnsupportedOperation": NotFound}
        try:
            with translated(f"read the console of {instance_id}", none):
                shown = self._client.get_console_output(InstanceId=instance_id, Latest=latest)
        except NotFound:
            return ""
        return shown.get("Output", "")  # botocore has decoded it

    def terminate(self, instance_id: str) -> None:
        """See `Source.terminate`."""
        gone = {"InvalidInstanceID.NotFound": AlreadyDone}
        try:
            with translated(f"terminate {instance_id}", gone):
                self._client.terminate_instances(InstanceIds=[instance_id])
        except AlreadyDone:
            return

    def interrupt(self, instance_id: str) -> None:
        """See `Source.interrupt`. EC2 shuts the operating system down, which sends the worker
        SIGTERM and waits for it."""
        self.terminate(instance_id)

    def price(
        self, instance_type: str, purchase: Purchase, seconds: float, disk_gib: int = 0
    ) -> float:
        """See `Source.price`."""
        prices = price_list(self._client.meta.region_name)
        disk = prices.disk_usd(disk_gib, seconds) if disk_gib else 0.0
        return prices.usd(instance_type, purchase, seconds) + disk

    def _size_of_image(self) -> int:
        """GiB of the disk of the image, queried once; 0 when it is not known."""
        if self._image and not self._image_gib:
            with translated(f"look at the image {self._image}"):
                shown = self._client.describe_images(ImageIds=[self._image])["Images"]
            self._image_gib = max((root_gib(image) for image in shown), default=0)
        return self._image_gib

    def _create(self, spec: LaunchSpec) -> Machine:
        try:
            answer = self._client.create_fleet(**fleet_request(spec))
        except ClientError as error:
            if class_for(code_of(error)) is LaunchUnknown:
                return look_again(self, spec, "a machine was launched", error)
            why = str(error.response.get("Error", {}).get("Message", ""))
            raise launch_error([(code_of(error), why)]) from error
        except (ConnectionError, HTTPClientError) as error:
            return look_again(self, spec, "a machine was launched", error)
        launched = launched_in(answer, spec, self._zone)
        if launched is None:
            failure = launch_error(errors_in(answer))
            if isinstance(failure, CapacityUnavailable):
                failure.pools = self._without_capacity(answer)
            raise failure
        shown = self.observe([launched.instance_id])  # exact times and zone, if it is shown already
        return shown.get(launched.instance_id, launched)

    def _without_capacity(self, answer: Any) -> tuple[str, ...]:
        """`type@zone` of the pools with an error of their own about capacity."""
        pools = set()
        for error in answer.get("Errors", []):
            override = error.get("LaunchTemplateAndOverrides", {}).get("Overrides", {})
            zone = self._zone(override)
            if error.get("ErrorCode") in CAPACITY and override.get("InstanceType") and zone:
                pools.add(f"{override['InstanceType']}@{zone}")
        return tuple(sorted(pools))

    def _zone(self, override: Any) -> str:
        """The zone of an override. EC2 names the requested subnet, seldom its zone."""
        zone_of = dict(zip(self._subnets, self._zones, strict=False))
        return str(
            override.get("AvailabilityZone") or zone_of.get(override.get("SubnetId", ""), "")
        )

    def _described(self, filters: dict[str, list[str]]) -> Iterator[Machine]:
        pages = self._client.get_paginator("describe_instances")
        wire: Any = [{"Name": name, "Values": values} for name, values in filters.items()]
        with translated("look at the machines"):
            for page in pages.paginate(Filters=wire):
                for reservation in page["Reservations"]:
                    yield from (machine_of(raw) for raw in reservation["Instances"])
