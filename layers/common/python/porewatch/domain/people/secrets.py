"""Ids and secrets: made at random, shown once, kept as a digest.

A secret has 256 random bits, so its plain SHA-256 is safe to keep: there is nothing to guess.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

ID_BYTES, SECRET_BYTES, RUN_BYTES = 10, 32, 20
RUN_ID = re.compile(r"r-[a-z2-7]{32}")
"""An id that we gave: 160 random bits. No name that somebody chose counts as one by looks alone;
the ledger says whose a run is."""

SECRET_ID = r"^[0-9a-f]{64}$"  # noqa: S105 - the shape of a digest
SecretId = Annotated[str, StringConstraints(pattern=SECRET_ID)]
"""SHA-256 of a secret, in hex: how it is kept and found."""


class Kind(StrEnum):
    """What a secret opens; also how its text begins, so that a leaked one is known at sight."""

    SESSION = "pws"
    TOKEN = "pwt"  # noqa: S105 - the beginning of a token
    INVITATION = "pwi"
    SHARE = "pwl"
    LOGIN = "pwo"
    CONFIRMATION = "pwc"


def new_id(prefix: str) -> str:
    """`u-…`, `g-…`, `p-…` with 80 random bits."""
    return f"{prefix}-{_random(ID_BYTES)}"


def new_run_id() -> str:
    """An id that nobody can guess, and that is a valid run id, S3 prefix, tag and name."""
    return f"r-{_random(RUN_BYTES)}"


def new_secret(kind: Kind) -> str:
    """Its text, for its owner alone."""
    return f"{kind.value}_{_random(SECRET_BYTES)}"


def is_secret(kind: Kind, text: str) -> bool:
    """Whether `text` has the shape of such a secret. Nothing is looked up for anything else."""
    return re.fullmatch(rf"{kind.value}_[a-z2-7]{{52}}", text) is not None


def digest_of(secret: str) -> SecretId:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _random(count: int) -> str:
    return base64.b32encode(secrets.token_bytes(count)).decode().rstrip("=").lower()
