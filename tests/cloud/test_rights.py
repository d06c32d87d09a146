"""What each function may do, tested on the deployed roles with IAM enforced.

For every function, each way to touch the ledger is tried on every partition there is: what works is
what `tests/contract/rights.toml` lists, no more and no less. Beside that each lacks one right more,
of a neighbour. Nothing is changed: writes carry a condition that no item meets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from porewatch_local.embedded.clients import client
from porewatch_local.paths import Credentials
from porewatch_local.stack_template.template import folder_of
from tests.cloud.conftest import Cloud
from tests.cloud.making import user
from tests.cloud.test_permissions import _statements
from tests.contract.test_template import TEMPLATE
from tests.rights import Asked, allowed

pytestmark = pytest.mark.cloud

FUNCTIONS = sorted(folder_of(name) for name in TEMPLATE.functions)
PARTITIONS = (
    *("RUN#nobody", "INBOX#nothing", "ACCOUNT", "TURNS", "POOLS", "REAP#machine#none", "AUDIT"),
    *("WORKER#AROANOBODY:i-0", "IDENTITY#none"),
)
OF_PEOPLE = ("USER#nobody", "ENTITLEMENT#nobody", "PAYS#nobody", "CUSTOMER#none")
NEVER = {
    "ConditionExpression": "#k = :never",
    "ExpressionAttributeNames": {"#k": "no_such_attribute"},
    "ExpressionAttributeValues": {":never": {"S": "never"}},
}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
UNMET = {"ConditionalCheckFailedException", "TransactionCanceledException"}


def may(call: Callable[..., Any], **request: Any) -> bool:
    """Whether IAM lets this through. Everything but a refusal and an unmet condition is raised."""
    try:
        call(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIED:
            return False
        if error.response["Error"]["Code"] not in UNMET:
            raise
    return True


def under_the_role_of(stack: Cloud, function: str) -> Credentials:
    """A key with the rights that the function's role was deployed with."""
    name = f"{stack.local.stack_name}-{function.replace('_', '-')}"
    settings = stack.client("lambda").get_function_configuration(FunctionName=name)
    return user(stack, *_statements(stack, settings["Role"].rsplit("/", 1)[-1]))


def tried(ledger: Any, table: str, partition: str) -> set[str]:
    """The actions that go through on one partition, one by one and inside a transaction."""
    key = {"pk": {"S": partition}, "sk": {"S": "no-such-item"}}
    one = {"TableName": table, **NEVER}
    update = {**one, "Key": key, "UpdateExpression": "REMOVE #k"}
    query = {
        "KeyConditionExpression": "#p = :p AND begins_with(#s, :s)",
        "ExpressionAttributeNames": {"#p": "pk", "#s": "sk"},
        "ExpressionAttributeValues": {":p": {"S": partition}, ":s": {"S": "no-such"}},
    }
    put, delete = {**one, "Item": key}, {**one, "Key": key}
    answers = {
        "GetItem": may(ledger.get_item, TableName=table, Key=key),
        "Query": may(ledger.query, TableName=table, **query),
        "PutItem": may(ledger.put_item, **put),
        "UpdateItem": may(ledger.update_item, **update),
        "DeleteItem": may(ledger.delete_item, **delete),
    }
    for verb, request in (("Put", put), ("Update", update), ("Delete", delete)):
        together = may(ledger.transact_write_items, TransactItems=[{verb: request}])
        assert together is answers[f"{verb}Item"], (verb, partition)
    return {f"dynamodb:{action}" for action, through in answers.items() if through}


def expected(function: str, partition: str, table: str = "Ledger") -> set[str]:
    verbs = ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")
    actions = (f"dynamodb:{verb}" for verb in verbs)
    return {action for action in actions if allowed(function, Asked(action, partition, table))}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_reaches_of_the_ledger_what_the_table_says(stack: Cloud, function: str) -> None:
    key, table = under_the_role_of(stack, function), stack.outputs["LedgerTable"]
    ledger = client(stack.local, "dynamodb", key)
    got = {partition: tried(ledger, table, partition) for partition in PARTITIONS}
    assert got == {partition: expected(function, partition) for partition in PARTITIONS}
    listed = may(
        ledger.query,
        TableName=table,
        IndexName="by_kind",
        KeyConditionExpression="gsi_pk = :k",
        ExpressionAttributeValues={":k": {"S": "NOTHING"}},
    )
    assert listed is bool(allowed(function, Asked("dynamodb:Query", "index/by_kind")))
    assert not may(ledger.scan, TableName=table)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_reaches_of_accounts_and_money_what_the_table_says(
    stack: Cloud, function: str
) -> None:
    table = stack.outputs["PeopleTable"]
    people = client(stack.local, "dynamodb", under_the_role_of(stack, function))
    got = {partition: tried(people, table, partition) for partition in OF_PEOPLE}
    assert got == {one: expected(function, one, "People") for one in OF_PEOPLE}
    if function in ("billing", "entitlement_keeper"):
        assert got["USER#nobody"] - {"dynamodb:Query"} == {"dynamodb:GetItem"}, "an account"


def test_a_transaction_over_two_partitions_needs_the_right_to_both(stack: Cloud) -> None:
    table = stack.outputs["LedgerTable"]

    def put(partition: str) -> dict[str, Any]:
        item = {"pk": {"S": partition}, "sk": {"S": "no-such-item"}}
        return {"Put": {"TableName": table, "Item": item, **NEVER}}

    ledger = client(stack.local, "dynamodb", under_the_role_of(stack, "cost_tracker"))
    mine = [put("RUN#nobody"), put("INBOX#nothing")]
    assert may(ledger.transact_write_items, TransactItems=mine)
    assert not may(ledger.transact_write_items, TransactItems=[*mine, put("POOLS")])


def test_who_signs_writes_signatures_and_nothing_of_a_run(stack: Cloud) -> None:
    """Neither its record nor its facts, alone or beside a signature."""
    table = stack.outputs["LedgerTable"]
    ledger = client(stack.local, "dynamodb", under_the_role_of(stack, "signatures"))
    verbs = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
    assert tried(ledger, table, "RUN#nobody") & verbs == set()
    assert tried(ledger, table, "SIGNATURES#nobody") & verbs == {"dynamodb:PutItem"}
    puts = [
        {"Put": {"TableName": table, "Item": {"pk": {"S": pk}, "sk": {"S": "FACT#x"}}, **NEVER}}
        for pk in ("SIGNATURES#nobody", "RUN#nobody")
    ]
    assert may(ledger.transact_write_items, TransactItems=puts[:1])
    assert not may(ledger.transact_write_items, TransactItems=puts)


OBJECT = "runs/nobody/r0/no-such-object"
LACKED: dict[str, tuple[str, str, dict[str, str]]] = {
    "accounts": ("s3", "get_object", {"Bucket": "ReportsBucketName", "Key": OBJECT}),
    "alert_handler": ("s3", "get_object", {"Bucket": "ResultsBucketName", "Key": OBJECT}),
    "api": ("s3", "put_object", {"Bucket": "ReportsBucketName", "Key": OBJECT}),
    "authorizer": ("s3", "get_object", {"Bucket": "ReportsBucketName", "Key": OBJECT}),
    "bundle_unpacker": ("s3", "delete_object", {"Bucket": "RawBucketName", "Key": OBJECT}),
    "credential_broker": ("s3", "get_object", {"Bucket": "RawBucketName", "Key": OBJECT}),
    "cost_tracker": ("sns", "publish", {"TopicArn": "NoticeTopicArn", "Message": "m"}),
    "error_handler": ("s3", "get_object", {"Bucket": "ResultsBucketName", "Key": OBJECT}),
    "fact_publisher": ("sqs", "send_message", {"QueueUrl": "StatusQueueUrl", "MessageBody": "m"}),
    "fastq_validator": ("s3", "put_object", {"Bucket": "RawBucketName", "Key": OBJECT}),
    "instance_launcher": ("s3", "get_object", {"Bucket": "RawBucketName", "Key": OBJECT}),
    "instance_monitor": ("s3", "put_object", {"Bucket": "ResultsBucketName", "Key": OBJECT}),
    "instance_terminator": ("sqs", "get_queue_attributes", {"QueueUrl": "WorkerQueueUrl"}),
    "leftover_reaper": ("s3", "delete_object", {"Bucket": "RawBucketName", "Key": OBJECT}),
    "metric_calculator": ("sns", "publish", {"TopicArn": "NoticeTopicArn", "Message": "m"}),
    "phase_state_manager": ("s3", "delete_object", {"Bucket": "ResultsBucketName", "Key": OBJECT}),
    "pipeline_orchestrator": ("s3", "delete_object", {"Bucket": "RawBucketName", "Key": OBJECT}),
    "report_generator": ("s3", "put_object", {"Bucket": "ResultsBucketName", "Key": OBJECT}),
    "result_aggregator": ("s3", "put_object", {"Bucket": "ReportsBucketName", "Key": OBJECT}),
    "archiver": ("s3", "put_object", {"Bucket": "RawBucketName", "Key": OBJECT}),
    "early_screener": ("s3", "put_object", {"Bucket": "RawBucketName", "Key": OBJECT}),
    "mailer": ("s3", "get_object", {"Bucket": "ReportsBucketName", "Key": OBJECT}),
    "signatures": ("s3", "put_object", {"Bucket": "ReportsBucketName", "Key": OBJECT}),
    "signed_printer": ("s3", "put_object", {"Bucket": "ReportsBucketName", "Key": OBJECT}),
    "run_canceller": ("s3", "get_object", {"Bucket": "RawBucketName", "Key": OBJECT}),
    "run_eraser": ("s3", "put_object", {"Bucket": "RawBucketName", "Key": OBJECT}),
    "run_keeper": ("s3", "delete_object", {"Bucket": "RawBucketName", "Key": OBJECT}),
    "uploads": ("s3", "get_object", {"Bucket": "ReportsBucketName", "Key": OBJECT}),
    "status_updater": ("s3", "put_object", {"Bucket": "ResultsBucketName", "Key": OBJECT}),
    "web": ("s3", "put_object", {"Bucket": "ReportsBucketName", "Key": OBJECT}),
    "billing": ("sqs", "get_queue_attributes", {"QueueUrl": "BillingQueueUrl"}),
    "entitlement_keeper": (
        "sqs",
        "send_message",
        {"QueueUrl": "DeliveryQueueUrl", "MessageBody": "m"},
    ),
    "webhook_dispatcher": ("sqs", "get_queue_attributes", {"QueueUrl": "DeliveryQueueUrl"}),
    "webhook_sender": ("sqs", "send_message", {"QueueUrl": "DeliveryQueueUrl", "MessageBody": "m"}),
    "webhooks": ("sqs", "get_queue_attributes", {"QueueUrl": "DeliveryQueueUrl"}),
}
"""Function -> a right that a neighbour has and it has not: service, call, and what it is called
with (names of the stack's outputs stand for their values)."""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_lacks_what_only_its_neighbour_needs(stack: Cloud, function: str) -> None:
    service, call, arguments = LACKED[function]
    request = {name: stack.outputs.get(value, value) for name, value in arguments.items()}
    key = under_the_role_of(stack, function)
    assert not may(getattr(client(stack.local, service, key), call), **request)
