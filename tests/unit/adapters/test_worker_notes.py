"""A note that is none: whoever took an instance over may write anything into its own partition."""

from __future__ import annotations

import pytest

from porewatch.adapters.items import Item
from porewatch.adapters.ledger.worker_notes import SORT_KEY, WorkerNotes, worker_key
from porewatch.adapters.table import Table

USER = "AROAWORKER:i-0123456789abcdef0"


@pytest.mark.parametrize("body", ["{}", "[]", "x", '{"run_id": 7}', ""])
def test_what_is_no_note_is_passed_over(ledger: Table, body: str) -> None:
    ledger.put(Item(worker_key(USER), SORT_KEY, body=body))
    assert WorkerNotes(ledger).read(USER) is None
