"""`lab.toml`: the head of a report, written once by a laboratory or for each client.

    laboratory = "Virology, Example University"
    address = ["1 Example Street", "Exampletown"]
    client = "Example Transplant Ltd"

It lies in the run's folder or tar, or is named by `--lab`. Every key is a field of `Laboratory`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import Any

from pydantic import ValidationError

from porewatch.domain.errors import LaboratoryRefused
from porewatch.domain.identity import Laboratory
from porewatch.domain.validation_text import say

MOST_BYTES = 64 * 1024
KEYS = tuple(Laboratory.model_fields)


def parse_laboratory(content: bytes, *, file: str) -> Laboratory:
    """The laboratory that a file describes.

    Raises LaboratoryRefused with file, line or key, and remedy.
    """
    values = _toml(content, file)
    for key in values:
        if key not in KEYS:
            raise _unknown(key, values[key], file)
    if isinstance(values.get("address"), str):
        values["address"] = [line for line in values["address"].splitlines() if line.strip()]
    values = {key: value for key, value in values.items() if value not in ("", [])}
    if not values:
        raise LaboratoryRefused(
            "it says nothing.", file=file, remedy=f"give at least one of {', '.join(KEYS)}."
        )
    try:
        return Laboratory.model_validate(values)
    except ValidationError as e:
        raise LaboratoryRefused(
            say(e), file=file, remedy='every key holds one short line, like client = "Example Ltd".'
        ) from e


def _toml(content: bytes, file: str) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        problem = f"it has {len(content):,} bytes; {MOST_BYTES:,} may be."
        raise LaboratoryRefused(problem, file=file, remedy="keep the head of a report in it only.")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        line = content[: e.start].count(b"\n") + 1
        raise LaboratoryRefused(
            "it is not UTF-8 text.", file=file, line=line, remedy="save it as UTF-8."
        ) from e
    except tomllib.TOMLDecodeError as e:
        place = re.search(r"line (\d+)", str(e))
        raise LaboratoryRefused(
            f"it is not TOML: {str(e)[:1].lower()}{str(e)[1:]}.",
            file=file,
            line=int(place[1]) if place else None,
            remedy='write key = "value", one a line, with the quotation marks.',
        ) from e


def _unknown(key: str, value: Any, file: str) -> LaboratoryRefused:
    if isinstance(value, dict):
        return LaboratoryRefused(
            f"[{key}] is a table; there are none.",
            file=file,
            remedy=f"write its keys above, without the line [{key}].",
        )
    near = difflib.get_close_matches(key.lower(), KEYS, n=1)
    return LaboratoryRefused(
        f"key {key!r} is not known.",
        file=file,
        remedy=f"did you mean {near[0]}?" if near else f"use {', '.join(KEYS)}.",
    )
