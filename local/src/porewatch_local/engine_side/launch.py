"""Starts the engine with our patches: `ENGINE_PYTHON launch.py`.

Order: check the exact version, apply every patch (each checks the text it replaces), run.
The engine is configured by environment variables, which `porewatch_local.embedded.engine` sets.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

ENGINE = "ministack"
VERSION = "1.5.33"


def check_version() -> None:
    """Stop unless the engine is the one the patches and the conformance tests were written for."""
    found = importlib.metadata.version(ENGINE)
    if found != VERSION:
        sys.exit(
            f"{ENGINE} {found} is installed, but the patches are for {VERSION}. Remedy: run "
            "`make setup`, or move the pin on purpose and fix engine_side/patches."
        )


def apply_patches() -> None:
    """Import our patches from beside this file (the engine's environment does not have us)."""
    here = str(Path(__file__).resolve().parents[2])
    sys.path.append(here)
    try:
        from porewatch_local.engine_side import patches  # noqa: PLC0415
    finally:
        sys.path.remove(here)
    for name in patches.apply_all():
        print(f"patched: {name}", flush=True)


def main() -> None:
    check_version()
    apply_patches()
    from ministack.app import main as run_engine  # noqa: PLC0415

    sys.argv = [ENGINE]
    run_engine()


if __name__ == "__main__":
    main()
