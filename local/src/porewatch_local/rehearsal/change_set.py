"""The deploy as CloudFormation would do it: a change set is made, read and deleted, never executed.

The template is larger than CloudFormation takes inline, so it goes through a bucket; the code does
not: a change set only needs its address. The stack that a change set hangs on has a name that
nobody else has; it is deleted by its id, and only while it has nothing but that.
"""

from __future__ import annotations

import copy
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from porewatch.adapters.faults import code_of
from porewatch_cli.operate.doctor_checks import Check, CheckVerdict, unanswered
from porewatch_local.stack_template.template import Template

Client = Callable[[str], Any]
FOLDER = "porewatch-rehearsal"
FAULTS = (ClientError, BotoCoreError)
CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
PATIENCE_SECONDS, PAUSE_SECONDS = 300, 5
WORKING = ("CREATE_PENDING", "CREATE_IN_PROGRESS")
PLANNED = "REVIEW_IN_PROGRESS"
"""The state of a stack that has change sets and nothing else."""
ABSENT_OR_WRONG = "ValidationError"
"""CloudFormation's code for a template it does not take, and for a stack that is not there."""


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
    """CloudFormation's answer to the template and to the change set for a first deploy, and what
    of it could not be deleted. Object and stack have a name of their own at each call."""
    s3, cloudformation, mark = client("s3"), client("cloudformation"), uuid.uuid4().hex
    place = {"Bucket": bucket, "Key": f"{FOLDER}/{mark}.json"}
    text = json.dumps(with_code_in(template, bucket))
    made = s3.put_object(**place, Body=text.encode())
    if "VersionId" in made:  # or a versioned bucket would keep it below a delete marker
        place["VersionId"] = made["VersionId"]
    address = f"https://{bucket}.s3.{s3.meta.region_name}.amazonaws.com/{place['Key']}"
    request = {
        "StackName": f"{FOLDER}-{mark}",
        "ChangeSetName": "rehearsal",
        "ChangeSetType": "CREATE",
        "TemplateURL": address,
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ],
        "Capabilities": list(CAPABILITIES),
    }
    found: list[Check] = []
    try:
        found.extend(_read(cloudformation, request))
    except FAULTS as error:
        found.append(unanswered("template", error))
    finally:
        found.extend(_object_deleted(s3, place))
    yield from found


def _read(cloudformation: Any, request: dict[str, Any]) -> Iterator[Check]:
    try:
        cloudformation.validate_template(TemplateURL=request["TemplateURL"])
    except ClientError as error:
        if code_of(error) != ABSENT_OR_WRONG:
            raise
        yield _refused("template", error.response["Error"]["Message"])
        return
    yield Check(what="template", verdict=CheckVerdict.OK, told="is taken")
    found: list[Check] = []
    try:
        found.append(_outcome(cloudformation, request))
    except FAULTS as error:
        found.append(unanswered("change set", error))
    finally:
        found.extend(_stack_deleted(cloudformation, request))
    yield from found


def _outcome(cloudformation: Any, request: dict[str, Any]) -> Check:
    # Exists already: botocore retried after a lost answer, and the name is of this call alone.
    with suppress(cloudformation.exceptions.AlreadyExistsException):
        cloudformation.create_change_set(**request)
    names, end = _named(request), time.monotonic() + PATIENCE_SECONDS
    while True:
        seen = cloudformation.describe_change_set(**names)
        if seen["Status"] not in WORKING:
            break
        if time.monotonic() > end:
            answer, remedy = f"not ready after {PATIENCE_SECONDS} s", "try again later."
            return Check(
                what="change set", verdict=CheckVerdict.UNANSWERED, told=answer, remedy=remedy
            )
        time.sleep(PAUSE_SECONDS)
    if seen["Status"] != "CREATE_COMPLETE":
        return _refused("change set", seen.get("StatusReason", seen["Status"]))
    resources = len(seen["Changes"])
    while "NextToken" in seen:
        seen = cloudformation.describe_change_set(**names, NextToken=seen["NextToken"])
        resources += len(seen["Changes"])
    answer = f"a deploy would make {resources} resources; nothing was made"
    return Check(what="change set", verdict=CheckVerdict.OK, told=answer)


def _named(request: dict[str, Any]) -> dict[str, str]:
    return {key: request[key] for key in ("StackName", "ChangeSetName")}


def _stack_deleted(cloudformation: Any, request: dict[str, Any]) -> list[Check]:
    """Empty when nothing is left; else what is to be deleted by hand. The stack is looked for by
    its name, for who lost the answer knows no id, and deleted by its id."""
    stack, why = request["StackName"], ""
    try:
        cloudformation.delete_change_set(**_named(request))
    except FAULTS as error:
        why = f"its change set was not deleted: {error}"  # one in progress goes with the stack
    try:
        shown = _stack(cloudformation, stack)
        if shown is None:
            return []
        stack = shown["StackId"]
        if shown["StackStatus"] == PLANNED:
            cloudformation.delete_stack(StackName=stack)
        else:
            why = f"it is {shown['StackStatus']}"
    except FAULTS as error:
        why = str(error)
    remedy = "delete that empty stack by hand, if it is still there."
    return [_left_over("change set", stack, why, remedy)] if why else []


def _stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """As CloudFormation shows it; None when there is none of that name."""
    try:
        shown: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if code_of(error) != ABSENT_OR_WRONG:
            raise
        return None
    return shown


def _object_deleted(s3: Any, place: dict[str, str]) -> list[Check]:
    """Empty when the template is out of the bucket; else what is to be deleted by hand."""
    try:
        s3.delete_object(**place)
    except FAULTS as error:
        key = f"s3://{place['Bucket']}/{place['Key']}"
        return [_left_over("template", key, str(error), "delete that object by hand.")]
    return []


def _left_over(what: str, name: str, why: str, remedy: str) -> Check:
    answer = f"{name} may be left: {why}"
    return Check(what=f"{what}, left over", verdict=CheckVerdict.WARN, told=answer, remedy=remedy)


def _refused(what: str, why: str) -> Check:
    remedy = "a deploy would stop there: if the message names no parameter of yours, report it."
    return Check(what=what, verdict=CheckVerdict.FAIL, told=why, remedy=remedy)
