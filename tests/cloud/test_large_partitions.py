"""The engine's DynamoDB at a partition of many items: right answers, only the requested items."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.cloud.conftest import Cloud
from tests.cloud.making import named

pytestmark = pytest.mark.cloud
ITEMS = 3000
FEW = 8


def table(cloud: Cloud, kind: str) -> str:
    name = named("partition")
    cloud.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": kind},
        ],
    )
    return name


def fill(cloud: Cloud, name: str, keys: list[dict[str, str]]) -> None:
    client = cloud.client("dynamodb")
    for at in range(0, len(keys), 25):
        requests = [
            {"PutRequest": {"Item": {"pk": {"S": "r"}, "sk": k}}} for k in keys[at : at + 25]
        ]
        client.batch_write_item(RequestItems={name: requests})


def query(cloud: Cloud, name: str, condition: str, **values: dict[str, str]) -> list[str]:
    request: dict[str, Any] = {
        "TableName": name,
        "KeyConditionExpression": f"#p = :p AND {condition}" if condition else "#p = :p",
        "ExpressionAttributeNames": {"#p": "pk"} | ({"#s": "sk"} if condition else {}),
        "ExpressionAttributeValues": {":p": {"S": "r"}} | {f":{k}": v for k, v in values.items()},
    }
    pages = cloud.client("dynamodb").get_paginator("query").paginate(**request)
    return [next(iter(item["sk"].values())) for page in pages for item in page["Items"]]


def test_queries_by_key_answer_as_the_condition_says(cloud: Cloud) -> None:
    name = table(cloud, "S")
    keys = ["A", "FACT#1", "FACT#2", "FACT#2x", "FACT#30", "FILE#1", "TALLY#", "TALLY#7", "é"]
    fill(cloud, name, [{"S": key} for key in keys])
    assert query(cloud, name, "") == keys
    assert query(cloud, name, "begins_with(#s, :a)", a={"S": "FACT#2"}) == keys[2:4]
    assert query(cloud, name, "begins_with(#s, :a)", a={"S": "Z"}) == []
    between = query(cloud, name, "#s BETWEEN :a AND :b", a={"S": "FACT#2"}, b={"S": "FILE#1"})
    assert between == keys[2:6]
    assert query(cloud, name, "#s >= :a", a={"S": "TALLY#7"}) == keys[-2:]
    numbers = table(cloud, "N")
    fill(cloud, numbers, [{"N": str(n)} for n in (2, 10, 100, 33)])
    assert query(cloud, numbers, "#s BETWEEN :a AND :b", a={"N": "3"}, b={"N": "40"}) == [
        "10",
        "33",
    ]


def test_a_small_query_does_not_pay_for_its_partition(cloud: Cloud) -> None:
    def seconds(name: str) -> float:
        began = time.perf_counter()
        for _ in range(10):
            assert len(query(cloud, name, "begins_with(#s, :a)", a={"S": "TALLY#"})) == FEW
        return time.perf_counter() - began

    few = [{"S": f"TALLY#{n}"} for n in range(FEW)]
    small, large = table(cloud, "S"), table(cloud, "S")
    fill(cloud, small, few)
    fill(cloud, large, [*few, *({"S": f"FILE#fastq_pass/{n:05d}"} for n in range(ITEMS))])
    seconds(small)
    assert min(seconds(large) for _ in range(3)) < 3 * max(seconds(small), 0.05)
