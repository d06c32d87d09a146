"""Read many items by their keys in few requests."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from porewatch.adapters.batches import batches
from porewatch.adapters.faults import translated
from porewatch.adapters.items import Item, loaded, wire
from porewatch.adapters.retries import RETRIES
from porewatch.adapters.table import Table
from porewatch.domain.errors import Throttled

READ_AT_ONCE = 100
"""As many as DynamoDB takes."""
Key = tuple[str, str]


def get_many(table: Table, keys: Sequence[Key]) -> dict[Key, Item]:
    """Those of the items that there are, by (pk, sk), as they are now (consistent read). Throttled
    when DynamoDB does not answer them all."""
    found: dict[Key, Item] = {}
    for some in batches(list(dict.fromkeys(keys)), READ_AT_ONCE):
        wanted: list[Any] = [wire({"pk": pk, "sk": sk}) for pk, sk in some]
        for attempt in range(RETRIES.attempts):
            time.sleep(RETRIES.pause(attempt))
            items, wanted = _read(table, wanted)
            found |= {(item.pk, item.sk): item for item in items}
            if not wanted:
                break
        else:
            raise Throttled("items could not all be read.")
    return found


def _read(table: Table, keys: list[Any]) -> tuple[list[Item], list[Any]]:
    """What was answered, and the keys that were not."""
    asked: Any = {table.name: {"Keys": keys, "ConsistentRead": True}}
    with translated(f"read {len(keys)} items"):
        reply = table.client.batch_get_item(RequestItems=asked)
    left: Any = reply.get("UnprocessedKeys", {}).get(table.name, {})
    return [loaded(raw) for raw in reply["Responses"].get(table.name, [])], list(
        left.get("Keys", [])
    )
