"""After a restart, functions read a table's stream from its beginning.

Why: the engine keeps how far each function has read a stream, but not the stream. After a restart
the old position lies beyond the end of the new, empty stream, so that facts are published again
only when as many have been written as before.
Delete when: the engine keeps the records too, or forgets the positions itself.
"""

from __future__ import annotations

from ministack.services import lambda_svc

from ..rewriting import rewrite


def apply() -> None:
    rewrite(
        lambda_svc,
        "_restore_state",
        ('data.get("dynamodb_stream_positions", {})', "{}"),
    )
