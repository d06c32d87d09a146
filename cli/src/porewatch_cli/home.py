"""Where the embedded AWS of a folder keeps its state, and bundles their place."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder of the embedded AWS: POREWATCH_HOME, or `.porewatch` here or above."""
    if told := os.environ.get("POREWATCH_HOME"):
        return Path(told)
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / ".porewatch").is_dir():
            return folder / ".porewatch"
    return Path.cwd() / ".porewatch"
