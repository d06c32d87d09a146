"""`make rehearse`: what can be asked of a real account before the first deploy, without a machine.

Definitions and patterns are given to the services that will have to take them; quotas, zones and
the image are looked at. It needs credentials that may ask, makes nothing, and costs nothing. Each
answer is OK, WARN or FAIL with what to do; what was not answered is no OK.
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

from porewatch.compute.profiles import profile
from porewatch.domain.estimate import vcpus_of
from porewatch_cli.doctor import (
    QUOTAS,
    Check,
    Verdict,
    answered,
    calls_check,
    image_check,
    quota_check,
    types_check,
)
from porewatch_local.template import Template

ROOT = Path(__file__).parents[3]
SUBNETS = 3
Client = Callable[[str], Any]


def rehearse(client: Client, template: Template, *, image: str = "") -> list[Check]:
    """All checks. `client` of a service by its name; `image`: AmiId, where there is one already."""
    looks: list[tuple[str, Callable[[], Iterable[Check]]]] = [
        ("account", lambda: account(client)),
        ("state machine", lambda: state_machines(client, template)),
        ("event patterns", lambda: patterns(client, template)),
        ("zones and types", lambda: types(client)),
        ("quotas", lambda: quotas(client)),
        ("functions at once", lambda: calls(client)),
    ]
    if image:
        looks.append(("image", lambda: images(client, image)))
    return [check for what, look in looks for check in answered(what, look)]


def account(client: Client) -> Iterator[Check]:
    who = client("sts").get_caller_identity()
    yield Check(what="account", verdict=Verdict.OK, told=f"{who['Account']}, as {who['Arn']}")


def state_machines(client: Client, template: Template) -> Iterator[Check]:
    """Step Functions reads each definition as it would at the deploy."""
    for name, definition in template.state_machines.items():
        text = re.sub(r"\$\{\w+\}", "porewatch-function", json.dumps(definition))
        answer = client("stepfunctions").validate_state_machine_definition(definition=text)
        wrong = [f"{one['code']} {one.get('location', '')}" for one in answer["diagnostics"]]
        well = answer["result"] == "OK"
        yield Check(
            what=f"state machine {name}",
            verdict=Verdict.OK if well else Verdict.FAIL,
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
        told, verdict = "is taken", Verdict.OK
        try:
            text = json.dumps(_filled(rule["EventPattern"]))
            client("events").test_event_pattern(EventPattern=text, Event=whole)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidEventPatternException":
                raise
            told, verdict = error.response["Error"]["Message"], Verdict.FAIL
        remedy = "" if verdict is Verdict.OK else "report it: the rule would stop the deploy."
        yield Check(what=f"pattern of {name}", verdict=verdict, told=told, remedy=remedy)


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
    for stage in profile("default").stages:
        if stage.gpu:
            continue
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
    stages = [stage for stage in profile("default").stages if not stage.gpu]
    needed = max(min(map(vcpus_of, stage.instance_types)) for stage in stages)
    for quota in QUOTAS:
        if not quota.gpu:
            answer = client("service-quotas").get_service_quota(
                ServiceCode="ec2", QuotaCode=quota.code
            )
            yield quota_check(quota, answer["Quota"]["Value"], needed)


def calls(client: Client) -> Iterator[Check]:
    limits = client("lambda").get_account_settings()["AccountLimit"]
    yield calls_check(int(limits["UnreservedConcurrentExecutions"]))


def images(client: Client, image: str) -> Iterator[Check]:
    yield image_check(image, client("ec2").describe_images(ImageIds=[image])["Images"])


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
    told = parser.parse_args(arguments)
    session = boto3.Session(profile_name=told.profile, region_name=told.region)

    def client(service: str) -> Any:
        return session.client(service)  # type: ignore[call-overload]

    found = rehearse(client, Template.load(ROOT / "template.yaml"), image=told.image)
    print(table(found))
    return int(any(check.verdict is Verdict.FAIL for check in found))


if __name__ == "__main__":
    sys.exit(main())
