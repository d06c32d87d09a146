"""What is written to the ledger after a restart is published like what was written before."""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch_local.embedded.down import down
from porewatch_local.embedded.up import up
from porewatch_local.paths import find_home
from tests.cloud.conftest import Cloud
from tests.cloud.making import allow, function, named, received, wait_for

pytestmark = pytest.mark.cloud

SEND_KEYS = """
import boto3, os
def handler(event, context):
    for record in event["Records"]:
        body = record["dynamodb"]["Keys"]["k"]["S"]
        boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody='"' + body + '"')
"""


def started(home: Path) -> Cloud:
    return Cloud(find_home(home), up(home, deploy=False))


def followed_table(cloud: Cloud) -> tuple[str, str]:
    """A table whose stream a function follows, and the queue it writes to."""
    queue = cloud.client("sqs").create_queue(QueueName=named("keys"))["QueueUrl"]
    table = cloud.client("dynamodb").create_table(
        TableName=named("ledger"),
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    reads = ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream")
    follower = function(
        cloud,
        SEND_KEYS,
        allow("sqs:SendMessage", "dynamodb:ListStreams", *reads),
        Environment={"Variables": {"QUEUE": queue}},
    )
    cloud.client("lambda").create_event_source_mapping(
        EventSourceArn=table["LatestStreamArn"],
        FunctionName=follower,
        StartingPosition="TRIM_HORIZON",
    )
    return table["TableName"], queue.rsplit("/", 1)[-1]


def written_and_received(cloud: Cloud, table: str, queue: str, keys: list[str]) -> None:
    for key in keys:
        cloud.client("dynamodb").put_item(TableName=table, Item={"k": {"S": key}})
    address = cloud.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    keys_received: list[object] = []

    def all_there() -> bool:
        keys_received.extend(received(cloud, address))
        return set(keys) <= set(keys_received)

    wait_for(all_there, 20, f"messages of {keys}")


def test_a_stream_is_followed_after_a_restart(home: Path) -> None:
    cloud = started(home)
    table, queue = followed_table(cloud)
    written_and_received(cloud, table, queue, ["a", "b", "c"])
    down(home)
    written_and_received(started(home), table, queue, ["d"])
