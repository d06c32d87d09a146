"""An artefact that is not hot, as the ledger holds it; and what S3 says of it.

HOT -> ARCHIVING -> ARCHIVED -> RESTORING -> REHYDRATING -> HOT. A hot artefact has no record.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from porewatch.domain.archive.artefact import Artefact
from porewatch.domain.archive.retrieval import Speed
from porewatch.domain.base import Count, Model, Moment, Problem
from porewatch.domain.people.roles import UserId


class State(StrEnum):
    ARCHIVING = "archiving"
    ARCHIVED = "archived"
    RESTORING = "restoring"
    REHYDRATING = "rehydrating"


class Restore(StrEnum):
    """Header `x-amz-restore` of an archived object."""

    NONE = "none"
    ONGOING = "ongoing"
    READY = "ready"


class Stored(Model):
    """An object as S3 shows it. `cold`: its class is an archive, so it cannot be read unless a
    restored copy is there. `checksum`: `algorithm:value` of the whole object, where S3 has one."""

    size: Count
    etag: str
    checksum: str = ""
    cold: bool
    restore: Restore = Restore.NONE


class Away(Model):
    """`due`: when it is looked at next; None: it rests in the archive."""

    artefact: Artefact
    user_id: UserId
    state: State
    size: Count
    since: Annotated[Moment, Field(description="when it came to this state")]
    due: Moment | None
    claimed_until: Annotated[
        Moment | None, Field(description="somebody copies it, at the longest until then")
    ] = None
    upload: Annotated[
        str, Field(description="of a large object: the copy that is begun, by its id at S3")
    ] = ""
    source: Annotated[
        Stored | None, Field(description="what was copied: every copy of it has to be the same")
    ] = None
    counted: Annotated[
        bool, Field(description="that the copy under this claim failed is among the failures")
    ] = False
    speed: Speed | None = None
    expected_at: Annotated[
        Moment | None, Field(description="when S3 should have it back; while it is restored")
    ] = None
    failures: Count = 0
    problem: Annotated[Problem, Field(description="of the last attempt that failed")] = ""


def same_content(one: Stored, other: Stored) -> bool:
    """Whether a copy holds the same bytes, by all that S3 tells of both. The etag of an object that
    was written in parts depends on the parts."""
    if one.size != other.size:
        return False
    if one.checksum and _algorithm(one) == _algorithm(other):
        return one.checksum == other.checksum
    in_parts = "-" in one.etag or "-" in other.etag
    return in_parts or one.etag == other.etag


def _algorithm(stored: Stored) -> str:
    return stored.checksum.partition(":")[0]
