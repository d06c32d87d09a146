"""The surroundings of the functions: buckets, ledger, topics with a queue behind, a machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.manifests import Manifests
from porewatch.adapters.table import Table
from porewatch.domain.runs import RunManifest
from tests.mocked import make_buckets, make_ledger, mocked_aws

ACCOUNT = "123456789012"
REGION = "eu-central-1"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:screen-run"
WAITS = '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9999, "End": true}}}'
Mail = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def cloud() -> Iterator[Table]:
    """Everything the functions need; answers the ledger."""
    with mocked_aws(
        NOTICE_TOPIC_ARN=f"arn:aws:sns:{REGION}:{ACCOUNT}:notices",
        ALERT_TOPIC_ARN=f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts",
        ESCALATION_TOPIC_ARN=f"arn:aws:sns:{REGION}:{ACCOUNT}:escalations",
        STATE_MACHINE_ARN=MACHINE,
    ):
        make_buckets()
        for name in ("notices", "alerts", "escalations"):
            _topic_with_queue(name)
        boto3.client("stepfunctions").create_state_machine(
            name="screen-run", definition=WAITS, roleArn=f"arn:aws:iam::{ACCOUNT}:role/r"
        )
        make_ledger("people")
        yield make_ledger()


class Runs(RunLedger):
    """The ledger, and what lies in S3 of it."""

    def manifest(self, run_id: str, revision: int) -> RunManifest:
        return Manifests(self, Objects("raw")).of(run_id, revision)


@pytest.fixture
def runs(cloud: Table) -> Runs:
    return Runs(cloud)


@pytest.fixture
def notices(cloud: Table) -> Mail:
    return lambda: _mail("notices")


@pytest.fixture
def alerts(cloud: Table) -> Mail:
    return lambda: _mail("alerts")


@pytest.fixture
def escalations(cloud: Table) -> Mail:
    return lambda: _mail("escalations")


def executions() -> list[dict[str, Any]]:
    """Executions that the state machine was asked to start."""
    client = boto3.client("stepfunctions")
    return [
        json.loads(client.describe_execution(executionArn=found["executionArn"])["input"])
        for found in client.list_executions(stateMachineArn=MACHINE)["executions"]
    ]


def _topic_with_queue(name: str) -> None:
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    sqs.create_queue(QueueName=name)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")


def _mail(name: str) -> list[dict[str, Any]]:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found: list[dict[str, Any]] = []
    while more := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in more:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(json.loads(message["Body"]))
    return found
