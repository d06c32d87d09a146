"""`porewatch up` and `down`: run the program of the embedded AWS."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

from porewatch.domain.errors import Unavailable
from porewatch_cli.terminal import silence


def run_embedded(verb: str, as_json: bool) -> int:
    """Run `python -m porewatch_local VERB`; its exit code."""
    if find_spec("porewatch_local") is None:
        raise Unavailable(
            "the embedded AWS is not installed here.",
            remedy="run `make setup` in a clone; porewatch-cli[local] works only there.",
        )
    silence.end()  # the program prints its own progress
    command = [sys.executable, "-m", "porewatch_local", verb, *(["--json"] if as_json else [])]
    return subprocess.run(command, check=False).returncode
