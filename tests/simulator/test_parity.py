"""The same random operations on the fakes and on moto give the same answers, errors included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from porewatch.adapters.items import Add, Item, Put, PutIf, PutNew, request
from porewatch.domain.errors import Conflict
from simulator.dynamodb import DynamoDb
from simulator.s3 import S3
from simulator.sqs import Sqs
from tests.mocked import make_buckets, make_ledger, mocked_aws

TABLE = "ledger"


@pytest.fixture
def cloud() -> Iterator[None]:
    with mocked_aws():
        make_ledger()
        make_buckets("results")
        yield


def said(call: Callable[[], Any], keep: Callable[[Any], Any]) -> Any:
    """What of an answer matters; of an error its code and why a transaction was cancelled."""
    try:
        return keep(call())
    except ClientError as error:
        whys = [why.get("Code") for why in error.response.get("CancellationReasons", [])]
        return error.response["Error"]["Code"], whys


def a_write(rng: Random) -> Any:
    kind = rng.choice(("run", "stage", None))
    item = Item(
        f"RUN#{rng.randrange(2)}",
        f"{rng.choice(('STAGE', 'FACT', 'RUN'))}#{rng.randrange(3)}",
        attributes={"state": rng.choice(("open", "done"))},
        kind=(kind, str(rng.randrange(9))) if kind else None,
        version=rng.randrange(3),
    )
    number = Item(item.pk, f"BUDGET#{rng.randrange(2)}")
    return rng.choice(
        (
            Put(item),
            PutNew(item),
            PutIf(item, {"version": rng.randrange(3), "state": "open"}),
            Add(number, {"a": rng.randrange(5), "b": -1}, ("a", rng.randrange(20)), Conflict),
            Add(number, {"a": 1}),
        )
    )


def on_table(rng: Random) -> tuple[str, dict[str, Any]]:
    """One operation as `adapters.table` asks for it."""
    write = a_write(rng)
    asked = request(TABLE, write)
    key = {"pk": {"S": write.item.pk}, "sk": {"S": write.item.sk}}
    match rng.randrange(6):
        case 0:
            return "get_item", {"TableName": TABLE, "Key": key, "ConsistentRead": True}
        case 1:
            return "delete_item", {"TableName": TABLE, "Key": key}
        case 2:
            within = {":first": {"S": "A"}, ":last": {"S": "STAGE#0001#s"}}
            condition, values = rng.choice(
                [
                    ("begins_with(#s, :s)", {":s": {"S": "STAGE"}}),
                    ("#s BETWEEN :first AND :last", within),
                ]
            )
            return "query", {
                "TableName": TABLE,
                "KeyConditionExpression": f"#p = :p AND {condition}",
                "ExpressionAttributeNames": {"#p": "pk", "#s": "sk"},
                "ExpressionAttributeValues": {":p": key["pk"], **values},
                "ScanIndexForward": rng.random() < 0.5,
                "ConsistentRead": True,
            }
        case 3:
            both = {w.item.pk + w.item.sk: w for w in (write, a_write(rng), a_write(rng))}
            verbs = [("Update" if isinstance(w, Add) else "Put", w) for w in both.values()]
            items = [{verb: request(TABLE, w)} for verb, w in verbs]
            return "transact_write_items", {"TransactItems": items}
    return ("update_item" if isinstance(write, Add) else "put_item"), asked


def of_table(answer: Any) -> Any:
    return answer.get("Item"), answer.get("Items")


def test_the_ledger_answers_as_moto_does(cloud: None) -> None:
    fake, real, rng = DynamoDb(), boto3.client("dynamodb"), Random(5)
    seen = set()
    for _ in range(300):
        name, asked = on_table(rng)
        theirs = said(partial(getattr(real, name), **asked), of_table)
        ours = said(partial(getattr(fake, name), **asked), of_table)
        seen.add((name, str(theirs[0])[:12]))

        assert ours == theirs, (name, asked)
    assert len(seen) > 8


def test_the_index_by_kind_answers_as_moto_does(cloud: None) -> None:
    fake, real, rng = DynamoDb(), boto3.client("dynamodb"), Random(6)
    asked = {
        "TableName": TABLE,
        "IndexName": "by_kind",
        "KeyConditionExpression": "#k = :k",
        "ExpressionAttributeNames": {"#k": "gsi_pk"},
        "ExpressionAttributeValues": {":k": {"S": "stage"}},
    }

    def places(answer: Any) -> Any:
        return sorted(
            (item["gsi_sk"]["S"], item["pk"]["S"], item["sk"]["S"]) for item in answer["Items"]
        )

    for _ in range(80):
        write = Put(a_write(rng).item)
        for client in (fake, real):
            client.put_item(**request(TABLE, write))

        assert said(lambda: fake.query(**asked), places) == said(
            lambda: real.query(**asked), places
        )


def on_bucket(rng: Random, etags: list[str]) -> tuple[str, dict[str, Any]]:
    key = f"{rng.choice('ab')}/{rng.choice('xy')}/{rng.randrange(3)}"
    asked: dict[str, Any] = {"Bucket": "results", "Key": key}
    match rng.randrange(7):
        case 0:
            return "get_object", asked
        case 1:
            return "head_object", asked
        case 2:
            return "delete_object", asked
        case 3:
            more = {"Delimiter": "/"} if rng.random() < 0.5 else {}
            return "list_objects_v2", {"Bucket": "results", "Prefix": f"{key[0]}/", **more}
        case 4:
            return "put_object", {**asked, "Body": b"new", "IfNoneMatch": "*"}
        case 5:
            return "put_object", {**asked, "Body": rng.randbytes(4), "IfMatch": rng.choice(etags)}
    return "put_object", {**asked, "Body": rng.randbytes(4)}


def of_bucket(answer: Any) -> Any:
    body = answer["Body"].read() if "Body" in answer else None
    keys = [(found["Key"], found["Size"], found["ETag"]) for found in answer.get("Contents", [])]
    folders = [found["Prefix"] for found in answer.get("CommonPrefixes", [])]
    return answer.get("ETag"), body, keys, folders


def test_a_bucket_answers_as_moto_does(cloud: None) -> None:
    fake, real, rng, etags = S3(), boto3.client("s3"), Random(7), ['"none"']
    seen = set()
    for _ in range(300):
        name, asked = on_bucket(rng, etags)
        theirs = said(partial(getattr(real, name), **asked), of_bucket)
        ours = said(partial(getattr(fake, name), **asked), of_bucket)
        if name == "put_object" and theirs[0] and theirs[0].startswith('"'):
            etags.append(theirs[0])
        seen.add((name, str(theirs[0])[:6]))

        assert ours == theirs, (name, asked)
    assert {("put_object", "Precon"), ("get_object", "NoSuch"), ("head_object", "404")} <= seen


def test_a_queue_counts_as_moto_does(cloud: None) -> None:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    fake = Sqs()
    fake.make("q", visibility=30.0)
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for number in range(7):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
        fake.send_message(QueueUrl="q", MessageBody=str(number))
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=5)["Messages"]
    mine = fake.receive("q", 5)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
    fake.delete("q", [mine[0].name])

    theirs = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert fake.get_queue_attributes(QueueUrl="q", AttributeNames=names)["Attributes"] == theirs
