"""The folder where the embedded AWS keeps its state and its bundles."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder of the embedded AWS: POREWATCH_HOME, or `.porewatch` here or above."""
    if configured := os.environ.get("POREWATCH_HOME"):
        return Path(configured)
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / ".porewatch").is_dir():
            return folder / ".porewatch"
    return Path.cwd() / ".porewatch"
