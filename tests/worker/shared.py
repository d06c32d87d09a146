"""Real public data for tests: outside the repository, at POREWATCH_SHARED or ../shared."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("POREWATCH_SHARED", Path(__file__).parents[3] / "shared")).resolve()


def real(path: str) -> Path:
    """A file of the shared data folder; the test is skipped, with the reason, without it."""
    found = SHARED / "data" / path
    if not found.exists():
        pytest.skip(f"real data {path} is not at {SHARED / 'data'} (set POREWATCH_SHARED)")
    return found
