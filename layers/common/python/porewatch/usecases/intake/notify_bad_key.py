"""An object key that names no valid run: send a notice, because no run record can hold the
reason."""

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
    """On MessageRefused inside the block, send one notice per key, and raise it again."""
    try:
        yield
    except MessageRefused as refusal:
        try:
            with inbox.once(f"odd-name:{key}"):
                notices().publish(unreadable(key, str(refusal)))
        except Conflict:
            pass
        raise
