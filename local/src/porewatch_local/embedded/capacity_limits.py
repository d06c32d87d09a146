"""Which pools of the embedded EC2 have no machines: what `strict_fleets` in the engine reads."""

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
