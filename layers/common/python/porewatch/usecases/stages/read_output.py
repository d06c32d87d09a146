"""Read a published output, as the manifest of its stage names it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from porewatch.domain.errors import WorkerFailed
from porewatch.domain.stage.manifest import OutputFile

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects


def intact(name: str, output: OutputFile, results: Objects) -> bytes:
    """Its content. Raises WorkerFailed when the checksum differs from the manifest."""
    content = results.get(output.key)
    if hashlib.sha256(content).hexdigest() != output.sha256:
        raise WorkerFailed(f"{name} is not what its stage published.", file=output.key)
    return content
