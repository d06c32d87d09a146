"""The digest of all that a report answers, which the last entry of its audit trail holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from porewatch.domain.results.report import VOLATILE


def answers_digest(document: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of all that is no tale of time, money or sign-off.
    `document`: a report as in its file."""
    answers = {name: value for name, value in document.items() if name not in VOLATILE}
    return canonical_digest(answers)


def canonical_digest(value: object) -> str:
    """SHA-256 over a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
