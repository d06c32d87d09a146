"""Import time of each built handler, in a fresh process, against a bare boto3 handler."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench.material import REPOSITORY
from bench.pairs import Pair, compare, wall

BUILD = REPOSITORY / ".aws-sam" / "build"
BARE = "import boto3\ndef lambda_handler(event, context):\n    return boto3.client('dynamodb')\n"


def measure(folder: Path, pairs: int) -> list[Pair]:
    """Every function of `.aws-sam/build` (byte-compiled, with its layer), import only."""
    if not BUILD.is_dir():
        raise SystemExit("bench: build first: `make up` (or `sam build`).")
    (folder / "bare.py").write_text(BARE)
    runtime = next(p for p in sys.path if p.endswith("site-packages"))

    def start(code: str, *places: Path) -> float:
        path = ":".join([*map(str, places), runtime])
        environment = f"PYTHONPATH={path} AWS_DEFAULT_REGION=us-east-1 PYTHONDONTWRITEBYTECODE=1"
        return wall(f"env {environment} {sys.executable} -S -c '{code}'", cwd=os.fspath(folder))

    layers = [layer / "python" for layer in sorted(BUILD.glob("*Layer"))]
    bare = 'import bare; import boto3; boto3.client("dynamodb")'
    return [
        compare(
            f"cold import {app.parent.name}",
            lambda app=app: start("import app", app.parent, *layers),  # type: ignore[misc]
            lambda: start(bare, folder),
            peer="bare boto3 handler with one client",
            pairs=max(3, pairs),
        )
        for app in sorted(BUILD.glob("*/app.py"))
    ]
