"""Import time of each built handler, in a fresh process, against a bare boto3 handler.

Both see what Lambda would: the built code and its layers first, then the runtime's own boto3. The
bare handler makes one client, as ours will on their first call.
"""

from __future__ import annotations

from pathlib import Path

from bench.pairs import Pair, compare, wall
from porewatch_local.built_functions import (
    Artefact,
    built_functions,
)
from porewatch_local.invoke import built_for_here
from porewatch_local.paths import find_home

BARE = """
import boto3

client = boto3.client("dynamodb")


def lambda_handler(event, _): ...
"""


def measure(folder: Path, pairs: int) -> list[Pair]:
    """Every function of the build for this machine (byte-compiled, with its layers)."""
    home = find_home()
    bare = folder / "bare"
    bare.mkdir()
    (bare / "app.py").write_text(BARE)
    built = built_functions(built_for_here(home)).values()
    python = str(home.engine_python)
    return [
        compare(
            f"cold import {artefact.deployed_name}",
            lambda one=artefact: _start(python, one.code, *_layers(one)),  # type: ignore[misc]
            lambda: _start(python, bare),
            peer="bare boto3 handler with one client",
            pairs=max(3, pairs),
        )
        for artefact in built
    ]


def _layers(artefact: Artefact) -> list[Path]:
    return [layer / "python" for layer in artefact.layers]


def _start(python: str, *places: Path) -> float:
    runtime = Path(python).parents[1] / "lib"
    packages = next(runtime.glob("python3*/site-packages"))
    return wall(
        [
            "env", f"PYTHONPATH={':'.join(map(str, [*places, packages]))}",
            "AWS_DEFAULT_REGION=us-east-1", "PYTHONDONTWRITEBYTECODE=1",
            python, "-S", "-c", "import app",
        ]
    )  # fmt: skip
