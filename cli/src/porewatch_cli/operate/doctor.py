"""`porewatch doctor`: would a launch work here, before a run has to find out?

Each check answers OK, WARN or FAIL with the remedy. What the account (or the embedded AWS) does not
answer is shown as not answered: that is no OK. Quotas are counted in vCPUs, as AWS counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from porewatch.adapters.faults import code_of
from porewatch.compute.layouts import profile
from porewatch.domain.base import Model
from porewatch.domain.forecast.estimate import vcpus_of
from porewatch.domain.stage.spec import StageSpec
from porewatch_cli.plurals import plural
from porewatch_cli.submit.choices import bundles_of

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack

FEWEST_ADDRESSES = 16
FEWEST_TYPES = 10
FEWEST_CALLS = 50
CALLS_OF_A_NEW_ACCOUNT = 10
"""So many functions may run at once there; the defaults of the stack are made for that."""
SEVERAL = 4
"""Machines that should fit into a quota at once before it is called narrow."""
ARCHITECTURE = "x86_64"
IMAGE = "image of the machines"


DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "AuthorizationError",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
"""Codes by which AWS refuses credentials, whatever was asked."""
NOT_OFFERED = frozenset({"InvalidAction", "UnknownOperationException"})
"""Codes of a call that the service does not have; a bare HTTP status comes from no such service."""


class CheckVerdict(StrEnum):
    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"
    UNANSWERED = "not answered"


class Check(Model):
    """One thing that was looked at. `remedy` is empty when nothing is to be done."""

    what: str
    verdict: CheckVerdict
    told: str
    remedy: str = ""


class Quota(NamedTuple):
    """A quota of EC2 by its code in Service Quotas; source: its console, general knowledge."""

    code: str
    name: str
    gpu: bool


QUOTAS = (
    Quota("L-34B43A08", "spot vCPUs, standard types", gpu=False),
    Quota("L-1216C47A", "on-demand vCPUs, standard types", gpu=False),
    Quota("L-3819A6DF", "spot vCPUs, G and VT types", gpu=True),
    Quota("L-DB2E81BA", "on-demand vCPUs, G and VT types", gpu=True),
)


def examine(stack: Stack) -> list[Check]:
    """All checks, in the order in which a launch needs them."""
    look = _Look(stack)
    checks: list[tuple[str, Callable[[], Iterable[Check]]]] = [
        (IMAGE, look.image),
        ("subnets", look.subnets),
        ("endpoints", look.endpoints),
        ("machine types offered", look.types),
        ("quotas", look.quotas),
        ("calls at once", look.calls),
        ("state machine", look.state_machine),
        ("ledger", look.ledger),
        ("default bundle", look.bundle),
        ("queues", look.queues),
    ]
    return [check for what, act in checks for check in answered(what, act, local=stack.is_local)]


def answered(what: str, look: Callable[[], Iterable[Check]], *, local: bool = False) -> list[Check]:
    """What `look` finds until a call is not answered, and then one check that says so and is no OK.
    `local`: the embedded AWS is asked, which knows fewer calls than AWS."""
    found: list[Check] = []
    try:
        for check in look():
            found.append(check)  # one by one: what was found before a fault stays
    except (ClientError, BotoCoreError) as error:
        found.append(unanswered(what, error, local=local))
    return found


def unanswered(what: str, error: ClientError | BotoCoreError, *, local: bool = False) -> Check:
    """The check that says why AWS did not answer."""
    told, remedy = _why_not(error, local)
    return Check(what=what, verdict=CheckVerdict.UNANSWERED, told=told[:200], remedy=remedy)


def _why_not(error: ClientError | BotoCoreError, local: bool) -> tuple[str, str]:
    """What is said of it, and the remedy."""
    if not isinstance(error, ClientError):
        return str(error), "AWS was not reached: look at the network, --region and your login."
    call, code = error.operation_name, code_of(error)
    if code in DENIED:
        return (
            f"{call}: {code}",
            "your credentials may not ask this: see docs/policies/operator.json",
        )
    if code in NOT_OFFERED or code.isdigit():
        if local:
            return f"the embedded AWS does not know {call}; AWS answers it", ""
        return f"{call} is not offered here", "is the region right?"
    return str(error), "ask again later; if it stays, it is a fault of this command."


class _Look:
    """The questions, with the clients that ask them."""

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
            told = f"{image}: machines are processes of this computer and boot no image"
            yield Check(what=IMAGE, verdict=CheckVerdict.UNANSWERED, told=told)
            return
        yield image_check(image, self._ec2.describe_images(ImageIds=[image])["Images"])

    def subnets(self) -> Iterator[Check]:
        shown, zones = self._subnets, self._zones
        yield Check(
            what="zones",
            verdict=CheckVerdict.OK if len(zones) > 1 else CheckVerdict.WARN,
            told=f"{plural(len(shown), 'subnet')} in {', '.join(zones) or 'no zone'}",
            remedy="" if len(zones) > 1 else "spot needs several zones: deploy to three.",
        )
        for subnet in shown:
            free = subnet["AvailableIpAddressCount"]
            enough = free >= FEWEST_ADDRESSES
            yield Check(
                what=f"addresses of {subnet['SubnetId']}",
                verdict=CheckVerdict.OK if enough else CheckVerdict.FAIL,
                told=f"{free} free",
                remedy="" if enough else "end what uses them, or deploy with larger subnets.",
            )

    def endpoints(self) -> Iterator[Check]:
        ids = self._resources.get("AWS::EC2::VPCEndpoint", [])
        shown = self._ec2.describe_vpc_endpoints(VpcEndpointIds=ids)["VpcEndpoints"] if ids else []
        closed = [e["ServiceName"] for e in shown if e["State"].lower() != "available"]
        lost = len(ids) - len(shown)
        well = bool(ids) and not closed and not lost
        yield Check(
            what="endpoints",
            verdict=CheckVerdict.OK if well else CheckVerdict.FAIL,
            told=f"{len(shown) - len(closed)} of {len(ids)} are available",
            remedy="" if well else f"deploy again; not available: {', '.join(closed) or 'lost'}.",
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
        well = status == "ACTIVE"
        yield Check(
            what="state machine",
            verdict=CheckVerdict.OK if well else CheckVerdict.FAIL,
            told=status.lower(),
            remedy="" if well else "deploy again.",
        )

    def ledger(self) -> Iterator[Check]:
        name = self._stack.output("LedgerTable")
        status = self._client("dynamodb").describe_table(TableName=name)["Table"]["TableStatus"]
        well = status == "ACTIVE"
        yield Check(
            what="ledger",
            verdict=CheckVerdict.OK if well else CheckVerdict.FAIL,
            told=status.lower(),
            remedy="" if well else "wait until DynamoDB has changed the table.",
        )

    def bundle(self) -> Iterator[Check]:
        ref = self._stack.default_bundle
        there = ref in bundles_of(self._stack)
        yield Check(
            what="default bundle",
            verdict=CheckVerdict.OK if there else CheckVerdict.WARN,
            told=f"{ref} is {'' if there else 'not '}there",
            remedy="" if there else f"porewatch references push {ref}, or name one at each submit.",
        )

    def queues(self) -> Iterator[Check]:
        sqs = self._client("sqs")
        dead = [q for q in self._resources.get("AWS::SQS::Queue", []) if "DeadLetters" in q]
        waiting = {}
        for address in dead:
            asked = sqs.get_queue_attributes(
                QueueUrl=address, AttributeNames=["ApproximateNumberOfMessages"]
            )
            waiting[address] = int(asked["Attributes"]["ApproximateNumberOfMessages"])
        full = sum(waiting.values())
        yield Check(
            what="dead letters",
            verdict=CheckVerdict.WARN if full else CheckVerdict.OK if dead else CheckVerdict.FAIL,
            told=f"{full} in {plural(len(dead), 'queue')}",
            remedy="look at them by `porewatch redrive`, correct the cause, move them back."
            if full
            else "",
        )


def image_check(image: str, shown: list[dict[str, Any]]) -> Check:
    """What DescribeImages shows of the launch template's image."""
    found = shown[0] if shown else {"Architecture": "there is none", "State": "missing"}
    kind, state = found.get("Architecture", "unknown"), found.get("State", "unknown")
    fits = kind == ARCHITECTURE and state == "available"
    return Check(
        what=IMAGE,
        verdict=CheckVerdict.OK if fits else CheckVerdict.FAIL,
        told=f"{image}: {kind}, {state}",
        remedy=""
        if fits
        else f"build an {ARCHITECTURE} image (images/), and deploy with AmiId=ami-...",
    )


def types_check(
    stage: StageSpec, zones: Sequence[str], offered: Container[tuple[str, str]]
) -> Check:
    """`offered`: (zone, type) of the region. What counts is what the stack's own zones have."""
    wanted = stage.instance_types
    pools = [(zone, name) for zone in zones for name in wanted if (zone, name) in offered]
    kinds = {name for _, name in pools}
    poor = [zone for zone in zones if sum(z == zone for z, _ in pools) * 2 < len(wanted)]
    enough = len(kinds) >= FEWEST_TYPES and not poor
    remedy = "add types that this region offers to the profile."
    if poor:
        remedy = (
            f"{', '.join(poor)} has few of them: deploy with other zones (ZoneA, ZoneB, ZoneC)."
        )
    return Check(
        what=f"types for {stage.name}",
        verdict=CheckVerdict.OK if enough else CheckVerdict.WARN if kinds else CheckVerdict.FAIL,
        told=f"{len(kinds)} of {len(wanted)} types, {len(pools)} pools in {len(zones)} zones",
        remedy="" if enough else remedy,
    )


def calls_check(left: int) -> Check:
    """`left`: calls of functions that may run at once and are kept for none of them."""
    verdict = CheckVerdict.OK
    if left < FEWEST_CALLS:
        verdict = CheckVerdict.FAIL if left < CALLS_OF_A_NEW_ACCOUNT else CheckVerdict.WARN
    return Check(
        what="functions at once",
        verdict=verdict,
        told=plural(left, "call"),
        remedy=""
        if verdict is CheckVerdict.OK
        else "ask AWS for more (Service Quotas, Lambda, L-B99A9384); until then leave "
        "CheckConcurrency at 5 and HeartbeatConcurrency at 0, and send small runs.",
    )


def quota_value(client: Any, service: str, code: str) -> float:
    """What the account has; where nobody ever changed it, what every account has."""
    asked = {"ServiceCode": service, "QuotaCode": code}
    try:
        answer = client.get_service_quota(**asked)
    except client.exceptions.NoSuchResourceException:
        answer = client.get_aws_default_service_quota(**asked)
    return float(answer["Quota"]["Value"])


def quota_check(quota: Quota, value: float, needed: int) -> Check:
    narrow = f"ask AWS for more (Service Quotas, EC2, {quota.code})."
    verdict = CheckVerdict.OK
    if value < SEVERAL * needed:
        verdict = CheckVerdict.FAIL if value < needed else CheckVerdict.WARN
    return Check(
        what=quota.name,
        verdict=verdict,
        told=f"{value:.0f} vCPUs; one machine takes {needed}",
        remedy="" if verdict is CheckVerdict.OK else narrow,
    )
