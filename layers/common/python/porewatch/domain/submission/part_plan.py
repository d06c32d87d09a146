"""Into how many parts a file is cut for S3. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import NamedTuple

from porewatch.domain.errors import Conflict, InputRefused

LEAST_PART = 8 * 2**20
MOST_PARTS = 10_000
MOST_BYTES = 5 * 2**40
"""Bytes of one object."""
STEP = 2**20


class PartPlan(NamedTuple):
    """`size` bytes in `parts` parts of `part_bytes`, the last one shorter."""

    size: int
    part_bytes: int
    parts: int

    def length(self, number: int) -> int:
        """Bytes of a part, counted from 1. Raises InputRefused when there is no such part."""
        if not 1 <= number <= self.parts:
            raise InputRefused(f"there is no part {number}; there are {self.parts}.")
        return min(self.part_bytes, self.size - (number - 1) * self.part_bytes)


def part_plan(size: int) -> PartPlan:
    """Parts of 8 MiB, larger where there would be more than S3 takes. Raises InputRefused for more
    bytes than an object may have.

    >>> part_plan(5 * 2**40)
    PartPlan(size=5497558138880, part_bytes=550502400, parts=9987)
    """
    if not 0 <= size <= MOST_BYTES:
        raise InputRefused(f"a file has 0 to {MOST_BYTES:,} bytes, not {size:,}.")
    least = -(-size // MOST_PARTS)
    part_bytes = max(LEAST_PART, -(-least // STEP) * STEP)
    return PartPlan(size, part_bytes, max(1, -(-size // part_bytes)))


class SentPart(NamedTuple):
    """A part that S3 has: `size` in bytes; `sha256` in base64, where it came with one."""

    number: int
    size: int
    etag: str
    sha256: str | None = None


def refuse_other_parts(plan: PartPlan, parts: Sequence[SentPart]) -> None:
    """Raises Conflict while parts are missing, InputRefused when they are not the declared file."""
    sizes = {part.number: part.size for part in parts}
    missing = [number for number in range(1, plan.parts + 1) if number not in sizes]
    if missing:
        shown = ", ".join(map(str, missing[:10])) + (" ..." if len(missing) > 10 else "")
        raise Conflict(
            f"{len(missing)} of {plan.parts} parts have not arrived: {shown}.",
            remedy="send them, then complete the upload again.",
        )
    wrong = [n for n, size in sizes.items() if n > plan.parts or size != plan.length(n)]
    if wrong:
        raise InputRefused(
            f"it has {sum(sizes.values()):,} bytes in parts of other sizes than agreed (part "
            f"{wrong[0]}); {plan.size:,} were declared.",
            remedy="declare the file again, with its size.",
        )


def checksum_header(sha256: str) -> str:
    """The value of `x-amz-checksum-sha256` for a digest in hex."""
    return b64encode(bytes.fromhex(sha256)).decode()
