"""`make rehearse`: what a real account can check, without an instance.

Before the first deploy, template, definitions, patterns and policies are given to the services that
will have to take them; quotas, zones and the image are looked at. After it, EC2 gets a dry run
for the instances of each stage. It needs credentials that may read, leaves nothing behind, and
costs nothing. Each answer is OK, WARN or FAIL with what to do; what was not answered is no OK.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from porewatch.adapters.faults import code_of
from porewatch.compute.ec2_fleet import Ec2Fleet
from porewatch.compute.ec2_wire import fleet_request
from porewatch.compute.layouts import profile
from porewatch.domain.base import now
from porewatch.domain.forecast.estimate import vcpus_of
from porewatch.domain.stage.instances import (
    LaunchSpec,
    Owner,
)
from porewatch.domain.stage.spec import LaunchRequest, StageSpec
from porewatch_cli.operate.doctor_checks import (
    DENIED,
    QUOTAS,
    Check,
    CheckVerdict,
    answered,
    calls_check,
    image_check,
    quota_check,
    quota_value,
    types_check,
)
from porewatch_local.rehearsal import policies
from porewatch_local.rehearsal.change_set import planned
from porewatch_local.stack_template.template import Template

ROOT = Path(__file__).parents[4]
SUBNETS = 3
SUBNET = "AWS::EC2::Subnet"
VPCS = "L-F678F1CE"
"""Quota of VPCs in a region; source: Service Quotas' console, general knowledge."""
Client = Callable[[str], Any]


def rehearse(
    client: Client, template: Template, *, image: str = "", bucket: str = "", stack: str = ""
) -> list[Check]:
    """All checks. `client` of a service by its name; `image`: AmiId, where there is one already;
    `bucket`: of yours, in the region, which holds the template for a moment; `stack`: a deployed
    one, for the dry runs of its launches."""
    looks: list[tuple[str, Callable[[], Iterable[Check]]]] = [
        ("account", lambda: account(client)),
        ("may you deploy", lambda: policies.caller_may_deploy(client, template)),
        ("policies", lambda: policies.validated(client, template)),
        ("rights", lambda: policies.simulated(client, template)),
        ("state machine", lambda: state_machines(client, template)),
        ("event patterns", lambda: patterns(client, template)),
        ("zones and types", lambda: types(client)),
        ("quotas", lambda: quotas(client)),
        ("networks", lambda: networks(client)),
        ("concurrent executions", lambda: calls(client)),
        ("image", lambda: images(client, image)),
        ("change set", lambda: deploy(client, template, image=image, bucket=bucket)),
        ("launches", lambda: launches(client, stack)),
    ]
    return [check for what, look in looks for check in answered(what, look)]


def account(client: Client) -> Iterator[Check]:
    who = client("sts").get_caller_identity()
    yield Check(what="account", verdict=CheckVerdict.OK, told=f"{who['Account']}, as {who['Arn']}")


def state_machines(client: Client, template: Template) -> Iterator[Check]:
    """Step Functions reads each definition as it would at the deploy."""
    for name, definition in template.state_machines.items():
        text = re.sub(r"\$\{\w+\}", "porewatch-function", json.dumps(definition))
        answer = client("stepfunctions").validate_state_machine_definition(definition=text)
        wrong = [f"{one['code']} {one.get('location', '')}" for one in answer["diagnostics"]]
        well = answer["result"] == "OK"
        yield Check(
            what=f"state machine {name}",
            verdict=CheckVerdict.OK if well else CheckVerdict.FAIL,
            told=", ".join(wrong) or "is taken",
            remedy="" if well else "report it: the definition would stop the deploy.",
        )


def patterns(client: Client, template: Template) -> Iterator[Check]:
    """EventBridge reads each pattern: one that is too complex is refused here already."""
    event = {"id": "1", "account": "1", "source": "aws.s3", "time": "2026-01-01T00:00:00Z"}
    event |= {"region": "eu-west-1", "detail-type": "Object Created"}
    whole = json.dumps({**event, "resources": [], "detail": {}})
    for name, rule in template.of_type("AWS::Events::Rule").items():
        if "EventPattern" not in rule:
            continue
        answer, verdict = "is taken", CheckVerdict.OK
        try:
            text = json.dumps(_filled(rule["EventPattern"]))
            client("events").test_event_pattern(EventPattern=text, Event=whole)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidEventPatternException":
                raise
            answer, verdict = error.response["Error"]["Message"], CheckVerdict.FAIL
        remedy = "" if verdict is CheckVerdict.OK else "report it: the rule would stop the deploy."
        yield Check(what=f"pattern of {name}", verdict=verdict, told=answer, remedy=remedy)


def _filled(value: Any) -> Any:
    """With names where the template refers to something."""
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in ("Ref", "Fn::Sub", "Fn::GetAtt"):
            return "porewatch"
        return {key: _filled(one) for key, one in value.items()}
    return [_filled(one) for one in value] if isinstance(value, list) else value


def types(client: Client) -> Iterator[Check]:
    """Machine types in the three zones that the deploy would take."""
    ec2 = client("ec2")
    shown = ec2.describe_availability_zones(
        Filters=[{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}]
    )["AvailabilityZones"]
    zones = sorted(zone["ZoneName"] for zone in shown)[:SUBNETS]
    for stage in _stages():
        pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": list(stage.instance_types)}],
        )
        offered = {
            (one["Location"], one["InstanceType"])
            for page in pages
            for one in page["InstanceTypeOfferings"]
        }
        yield types_check(stage, zones, offered)


def quotas(client: Client) -> Iterator[Check]:
    needed = max(min(map(vcpus_of, stage.instance_types)) for stage in _stages())
    for quota in QUOTAS:
        if not quota.gpu:
            value = quota_value(client("service-quotas"), "ec2", quota.code)
            yield quota_check(quota, value, needed)


def networks(client: Client) -> Iterator[Check]:
    """A stack makes a VPC of its own; an account has five to begin with."""
    most = int(quota_value(client("service-quotas"), "vpc", VPCS))
    pages = client("ec2").get_paginator("describe_vpcs").paginate()
    there = sum(len(page["Vpcs"]) for page in pages)
    full = there >= most
    yield Check(
        what="networks (VPCs)",
        verdict=CheckVerdict.FAIL if full else CheckVerdict.OK,
        told=f"{there} of {most}",
        remedy=f"delete one, or ask AWS for more (Service Quotas, VPC, {VPCS})." if full else "",
    )


def calls(client: Client) -> Iterator[Check]:
    limits = client("lambda").get_account_settings()["AccountLimit"]
    yield calls_check(int(limits["UnreservedConcurrentExecutions"]))


def images(client: Client, image: str) -> Iterator[Check]:
    if not image:
        yield _not_requested("image", "bake one, then AMI=ami-...")
        return
    yield image_check(image, client("ec2").describe_images(ImageIds=[image])["Images"])


def deploy(client: Client, template: Template, *, image: str, bucket: str) -> Iterator[Check]:
    """The change set of a first deploy with the defaults."""
    if not image or not bucket:
        yield _not_requested("change set", "AMI=ami-... BUCKET=a bucket of yours in this region")
        return
    given = {"AmiId": image, "NotifyEmail": "rehearsal@example.org"}
    yield from planned(client, template, bucket, given)


def launches(client: Client, stack: str) -> Iterator[Check]:
    """The request for each rung of each stage, as the launcher makes it, as a dry run: EC2 answers
    whether it would do it for this caller. The launcher's own rights are under `rights`."""
    if not stack:
        yield _not_requested("launches", "after the deploy: STACK=porewatch-dev")
        return
    cloudformation = client("cloudformation")
    shown = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in shown["Outputs"]}
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    made = [one for page in pages for one in page["StackResourceSummaries"]]
    subnets = [one["PhysicalResourceId"] for one in made if one["ResourceType"] == SUBNET]
    fleet = Ec2Fleet(
        stack,
        launch_template_id=outputs["LaunchTemplateId"],
        subnet_ids=tuple(subnets),
        client=client("ec2"),
    )
    for stage in _stages():
        owner = Owner(stack=stack, run_id="rehearsal", revision=0, stage=stage.name, epoch=1)
        for spec in fleet.prepare(LaunchRequest(owner=owner, stage=stage, at=now())):
            yield _dry(client("ec2"), spec)


def _dry(ec2: Any, spec: LaunchSpec) -> Check:
    what = f"launch for {spec.owner.stage}, rung {spec.rung} ({spec.purchase})"
    try:
        ec2.create_fleet(**fleet_request(spec), DryRun=True)
    except ClientError as error:
        code = code_of(error)
        if code == "DryRunOperation":
            return Check(what=what, verdict=CheckVerdict.OK, told="EC2 would do it")
        if code in DENIED:
            raise
        answer = f"{code}: {error.response['Error'].get('Message', '')}"
        remedy = "report it, unless the message names a quota."
        return Check(what=what, verdict=CheckVerdict.FAIL, told=answer, remedy=remedy)
    return Check(
        what=what,
        verdict=CheckVerdict.FAIL,
        told="EC2 took a dry run for an order",
        remedy="end the machines of the run `rehearsal` and report it.",
    )


def _not_requested(what: str, how: str) -> Check:
    answer = "was not asked"
    return Check(
        what=what, verdict=CheckVerdict.UNANSWERED, told=answer, remedy=f"make rehearse {how}"
    )


def _stages() -> list[StageSpec]:
    return [stage for stage in profile("default").stages if not stage.gpu]


def table(checks: Sequence[Check]) -> str:
    """One line a check, and below it what to do."""
    wide = max(len(check.what) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{check.verdict.value:12}  {check.what:{wide}}  {check.told}")
        lines += [f"{'':12}  {'':{wide}}  -> {check.remedy}"] if check.remedy else []
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 1 when something would stop a deploy or a launch."""
    parser = argparse.ArgumentParser(prog="make rehearse", description=__doc__)
    parser.add_argument("--region")
    parser.add_argument("--profile")
    parser.add_argument("--image", default="", help="AmiId")
    parser.add_argument("--bucket", default="", help="holds the template for the change set")
    parser.add_argument("--stack", default="", help="a deployed one, for dry runs of launches")
    given = parser.parse_args(arguments)
    session = boto3.Session(profile_name=given.profile, region_name=given.region)

    def client(service: str) -> Any:
        return session.client(service)  # type: ignore[call-overload]

    template = Template.load(ROOT / "template.yaml")
    found = rehearse(client, template, image=given.image, bucket=given.bucket, stack=given.stack)
    print(table(found))
    return int(any(check.verdict is CheckVerdict.FAIL for check in found))


if __name__ == "__main__":
    sys.exit(main())
