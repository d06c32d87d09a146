"""How often a write is tried when another writer was first, and how long before each attempt."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

CHANGE_ATTEMPTS = 8
RACE_PAUSE_SECONDS = 0.03
PATIENT_ATTEMPTS = 40
LONGEST_PAUSE_SECONDS = 0.4


class Retries(NamedTuple):
    """How often a change is attempted, and the seconds before each attempt (0: the first)."""

    attempts: int
    pause: Callable[[int], float]


RETRIES = Retries(CHANGE_ATTEMPTS, lambda attempt: attempt * RACE_PAUSE_SECONDS)


def _jittered(attempt: int) -> float:
    longest = min(LONGEST_PAUSE_SECONDS, 0.02 * 2**attempt)
    return random.uniform(0, longest) if attempt else 0.0  # noqa: S311 (jitter, no secret)


PATIENT = Retries(PATIENT_ATTEMPTS, _jittered)
"""Of items that many writers change at once: some seconds, at random so that they come apart."""
