"""Making things in the embedded AWS for a test: roles, functions, state machines, machines."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable
from typing import Any, TypeVar

from porewatch_local.paths import Credentials
from tests.cloud.conftest import Cloud

T = TypeVar("T")
PYTHON = "python3.13"


def wait_for(
    look: Callable[[], T], seconds: float = 20.0, what: str = "it", *, every: float = 0.1
) -> T:
    """The first true answer of `look`, called `every` so many seconds. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(every)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def named(what: str) -> str:
    return f"{what}-{uuid.uuid4().hex[:10]}"


def role(cloud: Cloud, service: str, *statements: dict[str, Any]) -> str:
    """A role trusted by one AWS service, with these statements; its ARN."""
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    name = named("role")
    document = {"Version": "2012-10-17", "Statement": [trust]}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    if statements:
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    return str(made["Role"]["Arn"])


def user(cloud: Cloud, *statements: dict[str, Any]) -> Credentials:
    """A user with these statements; its key."""
    iam, name = cloud.client("iam"), named("user")
    iam.create_user(UserName=name)
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"])


def allow(*actions: str, on: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


def function(
    cloud: Cloud, code: str, *statements: dict[str, Any], name: str | None = None, **settings: Any
) -> str:
    """A function `index.handler` with this source; its ARN."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", code)
    made = cloud.client("lambda").create_function(
        FunctionName=name or named("fn"),
        Runtime=PYTHON,
        Handler="index.handler",
        Role=role(cloud, "lambda.amazonaws.com", *statements),
        Code={"ZipFile": packed.getvalue()},
        Timeout=20,
        **settings,
    )
    return str(made["FunctionArn"])


def run_machine(cloud: Cloud, states: dict[str, Any], *statements: dict[str, Any]) -> str:
    """Start a JSONata state machine with these states (the first is the start); execution ARN."""
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
    steps = cloud.client("stepfunctions")
    made = steps.create_state_machine(
        name=named("sm"),
        definition=json.dumps(definition),
        roleArn=role(cloud, "states.amazonaws.com", *statements),
    )
    return str(steps.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"])


def finished(cloud: Cloud, execution: str, seconds: float = 20.0) -> dict[str, Any]:
    """The execution's description once it does not run any more."""
    steps = cloud.client("stepfunctions")

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = steps.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    return wait_for(look, seconds, "the end of the execution") or {}


def bucket(cloud: Cloud) -> str:
    name = named("bucket")
    cloud.client("s3").create_bucket(Bucket=name)
    return name


def events_queue(cloud: Cloud, pattern: dict[str, Any]) -> str:
    """A queue that receives what matches `pattern` on the default bus; its address."""
    sqs, events = cloud.client("sqs"), cloud.client("events")
    address = str(sqs.create_queue(QueueName=named("q"))["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    rule = named("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": arn}])
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=address, Attributes={"Policy": policy})
    return address


def received(cloud: Cloud, address: str) -> list[dict[str, Any]]:
    """Messages now in a queue, as JSON, deleted."""
    sqs = cloud.client("sqs")
    found = []
    while messages := sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10).get(
        "Messages", []
    ):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
    return found
