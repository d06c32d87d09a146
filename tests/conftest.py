"""Fixtures of the tests that run on the mocked AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from porewatch.adapters.table import Table
from tests.mocked import make_buckets, make_ledger, mocked_aws


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty mocked AWS, and the environment of a function."""
    with mocked_aws():
        yield


@pytest.fixture
def ledger(aws: None) -> Table:
    """The ledger's table, empty."""
    return make_ledger()


@pytest.fixture
def buckets(aws: None) -> None:
    """The three buckets, empty."""
    make_buckets()
