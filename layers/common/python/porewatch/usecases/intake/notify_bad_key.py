"""An object whose key names no possible run: somebody must hear of it, since no run can say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from porewatch.domain.errors import Conflict, MessageRefused
from porewatch.domain.notices.run_notices import unreadable

if TYPE_CHECKING:
    from porewatch.adapters.ledger.idempotency import Inbox
    from porewatch.adapters.messages.notices import Topic


@contextmanager
def notify_bad_key(key: str, *, inbox: Inbox, notices: Callable[[], Topic]) -> Iterator[None]:
    """MessageRefused inside the block is told to people once a key, and goes on its way."""
    try:
        yield
    except MessageRefused as refusal:
        try:
            with inbox.once(f"odd-name:{key}"):
                notices().publish(unreadable(key, str(refusal)))
        except Conflict:
            pass
        raise
