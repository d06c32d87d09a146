"""`porewatch doctor`: check whether a launch would work, before a run needs one.

Each check returns OK, WARN or FAIL with the remedy, or "not answered" when the account (or the
embedded AWS) does not answer the call, which is no OK. Quotas are in vCPUs, as AWS counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from porewatch.compute.layouts import profile
from porewatch.domain.forecast.estimate import vcpus_of
from porewatch.domain.stage.spec import StageSpec
from porewatch_cli.operate.doctor_checks import (
    IMAGE,
    QUOTAS,
    Check,
    CheckVerdict,
    adoption_check,
    answered,
    calls_check,
    image_check,
    quota_check,
    quota_value,
    types_check,
)
from porewatch_cli.plurals import plural
from porewatch_cli.submit.choices import bundles_of

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack

FEWEST_ADDRESSES = 16


def examine(stack: Stack) -> list[Check]:
    """Run all checks, in the order in which a launch needs them."""
    look = _Look(stack)
    checks: list[tuple[str, Callable[[], Iterable[Check]]]] = [
        (IMAGE, look.image),
        ("subnets", look.subnets),
        ("endpoints", look.endpoints),
        ("instance types offered", look.types),
        ("quotas", look.quotas),
        ("concurrent executions", look.calls),
        ("state machine", look.state_machine),
        ("ledger", look.ledger),
        ("runs in projects", look.projects),
        ("default bundle", look.bundle),
        ("queues", look.queues),
    ]
    return [check for what, act in checks for check in answered(what, act, local=stack.is_local)]


class _Look:
    """The checks, with their AWS clients."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._stages = profile("default").stages
        self._gpu = stack.outputs.get("Basecalling") == "enabled"

    def _client(self, name: Any) -> Any:
        return self._stack.session.client(name, endpoint_url=self._stack.endpoint)

    @cached_property
    def _ec2(self) -> Any:
        return self._client("ec2")

    @cached_property
    def _resources(self) -> dict[str, list[str]]:
        """Physical ids of the stack's resources, by type."""
        pages = self._client("cloudformation").get_paginator("list_stack_resources")
        found: dict[str, list[str]] = {}
        for page in pages.paginate(StackName=self._stack.name):
            for one in page["StackResourceSummaries"]:
                found.setdefault(one["ResourceType"], []).append(one["PhysicalResourceId"])
        return found

    @cached_property
    def _zones(self) -> tuple[str, ...]:
        """Zones of the stack's subnets."""
        return tuple(sorted({subnet["AvailabilityZone"] for subnet in self._subnets}))

    @cached_property
    def _subnets(self) -> list[dict[str, Any]]:
        ids = self._resources.get("AWS::EC2::Subnet", [])
        found: list[dict[str, Any]] = (
            self._ec2.describe_subnets(SubnetIds=ids)["Subnets"] if ids else []
        )
        return found

    def _needed(self) -> list[StageSpec]:
        return [stage for stage in self._stages if self._gpu or not stage.gpu]

    def image(self) -> Iterator[Check]:
        template = self._stack.output("LaunchTemplateId")
        answer = self._ec2.describe_launch_template_versions(
            LaunchTemplateId=template, Versions=["$Latest"]
        )
        image = answer["LaunchTemplateVersions"][0]["LaunchTemplateData"].get("ImageId", "")
        if self._stack.is_local:
            seen = f"{image}: instances are processes of this computer and boot no image"
            yield Check(what=IMAGE, verdict=CheckVerdict.UNANSWERED, told=seen)
            return
        yield image_check(image, self._ec2.describe_images(ImageIds=[image])["Images"])

    def subnets(self) -> Iterator[Check]:
        shown, zones = self._subnets, self._zones
        yield Check(
            what="zones",
            verdict=CheckVerdict.OK if len(zones) > 1 else CheckVerdict.WARN,
            told=f"{plural(len(shown), 'subnet')} in {', '.join(zones) or 'no zone'}",
            remedy="" if len(zones) > 1 else "spot capacity needs several zones: deploy to three.",
        )
        for subnet in shown:
            free = subnet["AvailableIpAddressCount"]
            enough = free >= FEWEST_ADDRESSES
            yield Check(
                what=f"addresses of {subnet['SubnetId']}",
                verdict=CheckVerdict.OK if enough else CheckVerdict.FAIL,
                told=f"{free} free",
                remedy="" if enough else "terminate what uses them, or deploy with larger subnets.",
            )

    def endpoints(self) -> Iterator[Check]:
        ids = self._resources.get("AWS::EC2::VPCEndpoint", [])
        shown = self._ec2.describe_vpc_endpoints(VpcEndpointIds=ids)["VpcEndpoints"] if ids else []
        closed = [e["ServiceName"] for e in shown if e["State"].lower() != "available"]
        lost = len(ids) - len(shown)
        available = bool(ids) and not closed and not lost
        yield Check(
            what="endpoints",
            verdict=CheckVerdict.OK if available else CheckVerdict.FAIL,
            told=f"{len(shown) - len(closed)} of {len(ids)} are available",
            remedy=""
            if available
            else f"deploy again; not available: {', '.join(closed) or 'missing'}.",
        )

    def types(self) -> Iterator[Check]:
        for stage in self._needed():
            answer = self._ec2.get_paginator("describe_instance_type_offerings").paginate(
                LocationType="availability-zone",
                Filters=[{"Name": "instance-type", "Values": list(stage.instance_types)}],
            )
            pools = [o for page in answer for o in page["InstanceTypeOfferings"]]
            offered = {(pool["Location"], pool["InstanceType"]) for pool in pools}
            yield types_check(stage, self._zones, offered)

    def quotas(self) -> Iterator[Check]:
        client = self._client("service-quotas")
        for quota in QUOTAS:
            stages = [stage for stage in self._needed() if stage.gpu == quota.gpu]
            if not stages:
                continue
            needed = max(min(map(vcpus_of, stage.instance_types)) for stage in stages)
            yield quota_check(quota, quota_value(client, "ec2", quota.code), needed)

    def calls(self) -> Iterator[Check]:
        limits = self._client("lambda").get_account_settings()["AccountLimit"]
        yield calls_check(int(limits["UnreservedConcurrentExecutions"]))

    def state_machine(self) -> Iterator[Check]:
        arn = self._stack.output("StateMachineArn")
        status = self._client("stepfunctions").describe_state_machine(stateMachineArn=arn)["status"]
        active = status == "ACTIVE"
        yield Check(
            what="state machine",
            verdict=CheckVerdict.OK if active else CheckVerdict.FAIL,
            told=status.lower(),
            remedy="" if active else "deploy again.",
        )

    def projects(self) -> Iterator[Check]:
        yield adoption_check(self._stack.project_runs.outside())

    def ledger(self) -> Iterator[Check]:
        name = self._stack.output("LedgerTable")
        status = self._client("dynamodb").describe_table(TableName=name)["Table"]["TableStatus"]
        active = status == "ACTIVE"
        yield Check(
            what="ledger",
            verdict=CheckVerdict.OK if active else CheckVerdict.FAIL,
            told=status.lower(),
            remedy="" if active else "wait until DynamoDB has updated the table.",
        )

    def bundle(self) -> Iterator[Check]:
        ref = self._stack.default_bundle
        there = ref in bundles_of(self._stack)
        yield Check(
            what="default bundle",
            verdict=CheckVerdict.OK if there else CheckVerdict.WARN,
            told=f"{ref} is {'' if there else 'not '}installed",
            remedy=""
            if there
            else f"porewatch references push {ref}, or give --bundle at each submit.",
        )

    def queues(self) -> Iterator[Check]:
        sqs = self._client("sqs")
        dead = [q for q in self._resources.get("AWS::SQS::Queue", []) if "DeadLetters" in q]
        waiting = {}
        for address in dead:
            response = sqs.get_queue_attributes(
                QueueUrl=address, AttributeNames=["ApproximateNumberOfMessages"]
            )
            waiting[address] = int(response["Attributes"]["ApproximateNumberOfMessages"])
        count = sum(waiting.values())
        yield Check(
            what="dead-letter messages",
            verdict=CheckVerdict.WARN if count else CheckVerdict.OK if dead else CheckVerdict.FAIL,
            told=f"{count} in {plural(len(dead), 'queue')}",
            remedy="see `porewatch redrive`, fix the cause, then `porewatch redrive --move`."
            if count
            else "",
        )
