"""Copies of a report whose sign-off block is filled by its signatures, beside the originals, which
stay as they were published. Pure.

Each signature makes copies of its own, named by its number: `report.pdf` -> `report.signed.2.pdf`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from porewatch.domain import s3_keys
from porewatch.domain.signatures.signature import Signature

_SIGNED = re.compile(r"(report(?:-[A-Za-z0-9_-]+)?)\.signed\.([0-9]+)\.((?:[a-z]{2,3}\.)?\w+)")


def signed_name(name: str, number: int) -> str:
    """Of the copy that signature `number` makes of a file of the report.

    >>> signed_name("report-donor-1.ja.pdf", 2)
    'report-donor-1.signed.2.ja.pdf'
    """
    stem, _, rest = name.partition(".")
    return f"{stem}.signed.{number}.{rest}"


def original_of(name: str) -> tuple[str, int] | None:
    """The name of the file that it is a copy of, and the number of its signature; None: no copy.

    >>> original_of("report.signed.2.ja.html"), original_of("report.ja.html")
    (('report.ja.html', 2), None)
    """
    match = _SIGNED.fullmatch(name)
    return (f"{match[1]}.{match[3]}", int(match[2])) if match else None


def newest_copies(keys: Iterable[str]) -> dict[str, str]:
    """Name -> key, of each file's newest copy among these keys."""
    newest: dict[str, tuple[int, str, str]] = {}
    for key in keys:
        name = key.rsplit("/", 1)[-1]
        of = original_of(name)
        if of is not None and f"/{s3_keys.SIGNED}" in key:
            original, number = of
            newest[original] = max(newest.get(original, (0, "", "")), (number, name, key))
    return {name: key for _, name, key in newest.values()}


def signed_of(signatures: Sequence[Signature], revision: int, number: int) -> tuple[Signature, ...]:
    """Those up to `number` that stand in the sign-off block of this revision's report: what was
    signed of it, and the amendments that correct it."""
    return tuple(
        one
        for one in signatures
        if one.number <= number and revision in (one.revision, one.supersedes)
    )
