"""Whether the headers of FASTQ reads keep the limits, and in which way one does not.

Every header is held to them. Nearly all pass a quick look at many at once; only those that it
cannot clear are parsed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from porewatch.domain.bounds import LONGEST_HEADER, LONGEST_VALUE, MOST_FIELDS
from porewatch.reads.headers import OutOfBounds, ReadHeader, parse_header

CONTROLS = bytes([*range(32), 127]).replace(b"\t", b"")
"""What no header may hold. Tabs part the tags of dorado's headers."""

_ODD_TIMES = (re.compile(rb"start_time=(?!20\d\d-)"), re.compile(rb"st:Z:(?!20\d\d-)"))
"""Times that are not plainly of this century; each begins with a literal, which makes it fast."""


def header_of(head: bytes) -> ReadHeader:
    """The parsed header line (with its '@'). Raises OutOfBounds."""
    return parse_header(head[1:].decode("utf-8", "replace"))


def all_within(heads: Sequence[bytes]) -> bool:
    """Whether every header line keeps every limit."""
    joined = b"\n".join(heads)
    if len(joined.translate(None, CONTROLS)) != len(joined) - (len(heads) - 1):
        return False
    if any(time.search(joined) for time in _ODD_TIMES):
        return not any(map(header_fault, heads))
    return not any(header_fault(h) for h in heads if len(h) > LONGEST_VALUE)


def header_fault(head: bytes) -> str | None:
    """What is wrong with one header line, in a sentence; None when nothing is."""
    if len(head) > LONGEST_HEADER:
        return f"The header has {len(head):,} bytes; {LONGEST_HEADER:,} may be there."
    found = head.translate(None, bytes(set(range(256)) - set(CONTROLS)))
    if found:
        place = head.index(found[:1]) + 1
        return f"The header holds a control character (0x{found[0]:02x}) at position {place}."
    if head.count(b"\t") + head.count(b" ") > MOST_FIELDS:
        return f"The header has more than {MOST_FIELDS:,} fields."
    try:
        header_of(head)
    except OutOfBounds as e:
        return str(e)
    return None
