"""The same hundred reservations as against the mock, in the engine's own DynamoDB."""

from __future__ import annotations

import uuid
from functools import partial

import pytest

from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.table import Table
from tests.cloud.conftest import Cloud
from tests.unit.adapters.test_budget import AT, MONTH, granted, owner

pytestmark = pytest.mark.cloud


@pytest.fixture
def table(cloud: Cloud) -> Table:
    """A table as the template makes it, of this test alone."""
    client, name = cloud.client("dynamodb"), f"budget-{uuid.uuid4().hex[:8]}"
    keys = ("pk", "sk", "gsi_pk", "gsi_sk")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
        KeySchema=_keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_kind",
                "KeySchema": _keys("gsi_pk", "gsi_sk"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return Table(name, client)


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def test_a_hundred_launches_at_once_never_pass_a_cap_of_the_engine(table: Table) -> None:
    budget = Budget(table, run_usd=1.0, account_usd=1.5)
    requests = [partial(budget.reserve, owner(n), 0.03, AT) for n in range(1, 101)]
    assert granted(requests) == (33, 67)
    books = budget.books("run-1", 1)
    assert (books.held_usd, books.balanced) == (0.99, True)
    others = [partial(budget.reserve, owner(run=f"run-{n}"), 0.03, AT) for n in range(2, 102)]
    assert granted(others) == (17, 83)
    assert budget.account_books(MONTH).held_usd == pytest.approx(1.5)
