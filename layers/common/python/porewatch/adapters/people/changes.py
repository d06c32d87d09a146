"""Change one stored model by a pure rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from porewatch.adapters.items import Item, Write
from porewatch.adapters.table import Change, Table
from porewatch.domain.base import Model
from porewatch.domain.errors import NotFound

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Stored(Generic[M]):
    """Where a model lies and how it is written. `absent`: what to say when it is not there."""

    pk: str
    sk: str
    cls: type[M]
    item_of: Callable[[M], Item]
    absent: str


def changed(
    table: Table,
    stored: Stored[M],
    rule: Callable[[M], M],
    beside: Callable[[M, M], Sequence[Write]] = lambda before, after: (),
) -> M:
    """Apply `rule` in one conditional write, with other writes (of before and after). Returns what
    is stored now. NotFound."""

    def step(item: Item | None) -> Change | None:
        if item is None:
            raise NotFound(stored.absent)
        before = item.model(stored.cls)
        after = rule(before)
        if after == before:
            return None
        return Change(stored.item_of(after), beside=beside(before, after))

    item = table.change(stored.pk, stored.sk, step)
    if item is None:
        raise NotFound(stored.absent)
    return item.model(stored.cls)
