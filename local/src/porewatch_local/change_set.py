"""The deploy as CloudFormation would do it: a change set is made, read and deleted, never executed.

The template is larger than CloudFormation takes inline, so it goes through a bucket; the code does
not: a change set only needs its address. The stack that a change set hangs on is taken away by its
id, and only while it has nothing but that.
"""

from __future__ import annotations

import copy
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from porewatch_cli.doctor import Check, Verdict
from porewatch_local.template import Template

Client = Callable[[str], Any]
FOLDER = "porewatch-rehearsal"
CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
PATIENCE_SECONDS, PAUSE_SECONDS = 300, 5
WORKING = ("CREATE_PENDING", "CREATE_IN_PROGRESS")
PLANNED = "REVIEW_IN_PROGRESS"
"""The state of a stack that has change sets and nothing else."""


def with_code_in(template: Template, bucket: str) -> dict[str, Any]:
    """The template with an address in the bucket for all code, and state machines written out."""
    body: dict[str, Any] = copy.deepcopy(template.body)
    code = f"s3://{bucket}/{FOLDER}/code.zip"
    body["Globals"]["Function"]["CodeUri"] = code
    for name, resource in body["Resources"].items():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = code
        if resource["Type"] == "AWS::Serverless::StateMachine":
            del resource["Properties"]["DefinitionUri"]
            resource["Properties"]["Definition"] = template.state_machines[name]
    return body


def planned(
    client: Client, template: Template, bucket: str, parameters: dict[str, str]
) -> Iterator[Check]:
    """What CloudFormation says of the template and of the change set for a first deploy."""
    s3, key = client("s3"), f"{FOLDER}/template.json"
    text = json.dumps(with_code_in(template, bucket))
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    try:
        address = f"https://{bucket}.s3.{s3.meta.region_name}.amazonaws.com/{key}"
        yield from _read(client("cloudformation"), address, parameters)
    finally:
        s3.delete_object(Bucket=bucket, Key=key)


def _read(cloudformation: Any, address: str, parameters: dict[str, str]) -> Iterator[Check]:
    try:
        cloudformation.validate_template(TemplateURL=address)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        yield _refused("template", error.response["Error"]["Message"])
        return
    yield Check(what="template", verdict=Verdict.OK, told="is taken")
    made = cloudformation.create_change_set(
        StackName=f"{FOLDER}-{uuid.uuid4().hex[:8]}",
        ChangeSetName="rehearsal",
        ChangeSetType="CREATE",
        TemplateURL=address,
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ],
        Capabilities=list(CAPABILITIES),
    )
    try:
        yield _outcome(cloudformation, made["Id"])
    finally:
        left = _taken_away(cloudformation, made["Id"], made["StackId"])
    if left:
        yield left


def _outcome(cloudformation: Any, change_set: str) -> Check:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        seen = cloudformation.describe_change_set(ChangeSetName=change_set)
        if seen["Status"] not in WORKING:
            break
        if time.monotonic() > end:
            told, remedy = f"not ready after {PATIENCE_SECONDS} s", "try again later."
            return Check(what="change set", verdict=Verdict.UNANSWERED, told=told, remedy=remedy)
        time.sleep(PAUSE_SECONDS)
    if seen["Status"] != "CREATE_COMPLETE":
        return _refused("change set", seen.get("StatusReason", seen["Status"]))
    resources = len(seen["Changes"])
    while "NextToken" in seen:
        seen = cloudformation.describe_change_set(
            ChangeSetName=change_set, NextToken=seen["NextToken"]
        )
        resources += len(seen["Changes"])
    told = f"a deploy would make {resources} resources; nothing was made"
    return Check(what="change set", verdict=Verdict.OK, told=told)


def _taken_away(cloudformation: Any, change_set: str, stack: str) -> Check | None:
    """None when nothing is left; else what is to be deleted by hand."""
    try:
        cloudformation.delete_change_set(ChangeSetName=change_set)
        state = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        if state == PLANNED:
            cloudformation.delete_stack(StackName=stack)
            return None
        why = f"it is {state}"
    except ClientError as error:
        why = str(error)
    return Check(
        what="change set, left over",
        verdict=Verdict.WARN,
        told=f"{stack} was not deleted: {why}",
        remedy="delete that empty stack by hand.",
    )


def _refused(what: str, why: str) -> Check:
    remedy = "a deploy would stop there: if the words name no parameter of yours, report it."
    return Check(what=what, verdict=Verdict.FAIL, told=why, remedy=remedy)
