"""Which objects of a run are archived: the bulky ones among its results. Pure.

What a page of a run needs stays hot: reports, bill, digests, manifests, logs. So do the files that
were sent: no door gives them out, and a sealed manifest names their S3 versions (docs/adr/0031).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from porewatch.domain import s3_keys
from porewatch.domain.base import Model
from porewatch.domain.results.publishing import TABLES
from porewatch.domain.runs import RunId

SMALLEST = 128 * 1024
"""Bytes. Below them an archived object costs more than a hot one: S3 adds 40 KB to each, 8 KB of
them at the price of the standard class, and each copy is a request."""

STAY_HOT = frozenset(
    (
        "manifest.json",
        "order.json",
        "results.json",
        "worker.log",
        s3_keys.BOOT_LOG,
        s3_keys.CONSOLE_LOG,
    )
)
"""Names in the results bucket that pages, registry and alerts read."""


class Shelf(StrEnum):
    """A bucket that has artefacts."""

    RESULTS = "results"
    REPORTS = "reports"


class Artefact(Model):
    """One object of a run. Its key stays the same, wherever its bytes lie."""

    run_id: RunId
    shelf: Shelf
    key: Annotated[str, Field(min_length=1, max_length=1024)]


def folder_of(run_id: str) -> str:
    """Where the artefacts of a run lie, in both buckets."""
    return s3_keys.raw_key(run_id, "")


def revision_of(key: str) -> int | None:
    """The revision whose artefact it is; None: it names none.

    >>> revision_of("runs/r/r2/tables.zip"), revision_of("runs/r/other")
    (2, None)
    """
    found = re.match(r"runs/[^/]+/r(\d+)/", key)
    return int(found[1]) if found else None


def is_bulky(shelf: Shelf, key: str, size: int) -> bool:
    """Whether the object is archived when its time has come.

    >>> is_bulky(Shelf.REPORTS, "runs/r/r0/tables.zip", 10**6)
    True
    >>> is_bulky(Shelf.REPORTS, "runs/r/r0/report.pdf", 10**6)
    False
    """
    return size >= SMALLEST and may_be_bulky(shelf, key)


def may_be_bulky(shelf: Shelf, key: str) -> bool:
    """By its name alone: the doors refuse these at the deadline, whatever their size."""
    name = key.rpartition("/")[2]
    return name in TABLES if shelf is Shelf.REPORTS else name not in STAY_HOT
