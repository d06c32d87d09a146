"""The only module that uses aws_xray_sdk (in maintenance mode: replace it here).

Does nothing unless the invocation is sampled; never patches libraries; never fails its caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from porewatch.settings import traced

Annotate = Callable[..., None]


@contextmanager
def subsegment(name: str) -> Iterator[Annotate]:
    """Time the block under `name`; what it yields adds annotations (`run_id=...`), which make
    traces findable."""
    if not traced():
        yield lambda **_: None
        return
    from aws_xray_sdk.core import xray_recorder  # noqa: PLC0415  (0.4 s to import: only when traced)

    with xray_recorder.in_subsegment(name) as segment:

        def annotate(**annotations: Any) -> None:
            for key, value in annotations.items() if segment is not None else ():
                segment.put_annotation(key, value)

        yield annotate
