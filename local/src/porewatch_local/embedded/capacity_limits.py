"""What the embedded AWS refuses for want of capacity: pools without machines, which `strict_fleets`
in the engine reads, and callers that are throttled, which `throttled_callers` reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from porewatch_local.paths import (
    Home,
    locked,
)

FULL = "InsufficientInstanceCapacity"
NOT_OFFERED = "Unsupported"


@dataclass(frozen=True)
class Scarce:
    """Patterns of names: `purchase` (spot, on-demand), `pool` (`type@zone`), and the run.
    `code`: EC2's error code, as `FULL` or `NOT_OFFERED`."""

    purchase: str = "*"
    pool: str = "*"
    run: str = "*"
    code: str = FULL


@contextmanager
def scarce(home: Home, *rules: Scarce) -> Iterator[None]:
    """While this lasts, launches that fit a rule are refused; other rules stay."""
    path = home.state / "engine" / "pools.json"

    def change(added: list[dict[str, str]], gone: list[dict[str, str]]) -> None:
        with locked(path.with_suffix(".lock")):
            there = json.loads(path.read_text()) if path.exists() else []
            draft = path.with_suffix(".draft")
            draft.write_text(json.dumps([one for one in there if one not in gone] + added))
            draft.replace(path)

    mine = [asdict(rule) for rule in rules]
    change(mine, [])
    try:
        yield
    finally:
        change([], mine)


@contextmanager
def throttled(home: Home, caller: str, share: float) -> Iterator[None]:
    """While this lasts, so large a share of the requests to DynamoDB, S3 and SQS is refused, of
    callers whose ARN holds `caller`. One at a time; within half a second."""
    path = home.state / "engine" / "throttled.json"
    draft = path.with_suffix(".draft")
    before = path.read_text() if path.exists() else "{}"
    draft.write_text(json.dumps({**json.loads(before), caller: share}))
    draft.replace(path)
    try:
        yield
    finally:
        draft.write_text(before)
        draft.replace(path)
