"""Real public data, outside the repository: at POREWATCH_SHARED or ../shared."""

from __future__ import annotations

import os
from pathlib import Path

SHARED = Path(os.environ.get("POREWATCH_SHARED", Path(__file__).parents[2] / "shared")).resolve()


class NoSharedData(FileNotFoundError):
    """The file is not there. A test that needs it is skipped (`tests/conftest.py`)."""


def real(path: str) -> Path:
    """A file of the shared data folder. Raises NoSharedData, which names it and the remedy."""
    found = SHARED / "data" / path
    if not found.exists():
        raise NoSharedData(f"real data {path} is not at {SHARED / 'data'} (set POREWATCH_SHARED)")
    return found
