"""IAM is enforced on the deployed functions: one permission less, and the work is not done."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud.conftest import Cloud
from tests.cloud.making import named, role, wait_for

pytestmark = pytest.mark.cloud

READS = gzip.compress(b"@read-1\nACGTACGTAC\n+\nIIIIIIIIII\n")


def _statements(stack: Cloud, role_name: str) -> list[dict[str, Any]]:
    """All statements of a deployed role, inline and managed."""
    iam = stack.client("iam")
    found: list[dict[str, Any]] = []
    for name in iam.list_role_policies(RoleName=role_name)["PolicyNames"]:
        policy = iam.get_role_policy(RoleName=role_name, PolicyName=name)
        found += policy["PolicyDocument"]["Statement"]
    for attached in iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        policy = iam.get_policy_version(PolicyArn=arn, VersionId=version)
        found += policy["PolicyVersion"]["Document"]["Statement"]
    return found


def _without(statements: list[dict[str, Any]], action: str | None) -> list[dict[str, Any]]:
    left = []
    for statement in statements:
        actions = statement["Action"]
        actions = [actions] if isinstance(actions, str) else actions
        kept = [a for a in actions if a != action]
        if kept:
            left.append({**statement, "Action": kept})
    return left


@pytest.fixture(params=[None, "s3:GetObject", "dynamodb:PutItem"])
def validator(stack: Cloud, request: pytest.FixtureRequest) -> Iterator[tuple[str, str | None]]:
    """A copy of the deployed fastq_validator whose role lacks one action; (name, action)."""
    functions = stack.client("lambda")
    deployed = functions.get_function(FunctionName=f"{stack.local.stack_name}-fastq-validator")
    settings = deployed["Configuration"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as code:
        for source in (stack.home.repository / "functions/fastq_validator").glob("*.py"):
            code.write(source, source.name)
    rights = _without(_statements(stack, settings["Role"].rsplit("/", 1)[-1]), request.param)
    name = named("validator-copy")
    functions.create_function(
        FunctionName=name,
        Runtime=settings["Runtime"],
        Handler=settings["Handler"],
        Role=role(stack, "lambda.amazonaws.com", *rights),
        Code={"ZipFile": packed.getvalue()},
        Timeout=60,
        Layers=[layer["Arn"] for layer in settings["Layers"]],
        Environment=settings["Environment"],
    )
    yield name, request.param
    functions.delete_function(FunctionName=name)


def _delivery(stack: Cloud, key: str, etag: str) -> dict[str, Any]:
    """S3's "Object Created" as the files queue hands it to the function."""
    bucket = stack.outputs["RawBucketName"]
    event = {
        "version": "0",
        "id": "7ed1d8a9-0000-4000-8000-000000000000",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": stack.local.account,
        "time": "2026-01-01T00:00:00Z",
        "region": stack.local.region,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": key, "size": len(READS), "etag": etag, "sequencer": "0000"},
            "request-id": "r",
            "requester": stack.local.account,
            "reason": "PutObject",
        },
    }
    return {
        "messageId": "only",
        "receiptHandle": "handle",
        "body": json.dumps(event),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1767225600000",
            "SenderId": "events",
            "ApproximateFirstReceiveTimestamp": "1767225600000",
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{stack.local.region}:{stack.local.account}:files",
        "awsRegion": stack.local.region,
    }


def _forget_judgement(stack: Cloud, run: str) -> None:
    """The deployed validator judges the file too: wait for that, then wipe it from the ledger."""
    ledger, table = stack.client("dynamodb"), stack.outputs["LedgerTable"]

    def judged() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ledger.query(
            TableName=table,
            KeyConditionExpression="pk = :run",
            ExpressionAttributeValues={":run": {"S": f"RUN#{run}"}},
        )["Items"]
        return found if any("FACT#" in item["sk"]["S"] for item in found) else []

    for item in wait_for(judged, 30, "the judgement"):
        ledger.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})


def test_a_function_cannot_do_its_work_without_each_permission(
    stack: Cloud, validator: tuple[str, str | None]
) -> None:
    name, missing = validator
    run = named("rights")
    key = f"runs/{run}/fastq/a.fastq.gz"
    put = stack.client("s3").put_object(Bucket=stack.outputs["RawBucketName"], Key=key, Body=READS)
    _forget_judgement(stack, run)
    event = {"Records": [_delivery(stack, key, put["ETag"].strip('"'))]}
    answer = stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    payload = json.loads(answer["Payload"].read())
    if missing is None:
        assert payload == {"batchItemFailures": []}
    else:
        failed = payload.get("batchItemFailures") == [{"itemIdentifier": "only"}]
        assert failed or answer.get("FunctionError"), (missing, payload)
